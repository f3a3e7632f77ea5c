"""Answers in pages."""

from typing import Any

from sandbox.errors import AwsError
from sandbox.services.service import Answer, Params


def token_place(params: Params) -> int:
    """Give the place that a token stands for, 0 without one. Raises: AwsError, if it is not one of ours."""
    token = params.get("NextToken") or "0"
    if not (token.isascii() and token.isdigit()):
        raise AwsError("InvalidRequestException", "Invalid NextToken")
    return int(token)


def page(member: str, items: list[Any], params: Params, *, most: int) -> Answer:
    """Give one page of a list, and the token of the next. Raises: AwsError, if the token is not one of ours."""
    start = token_place(params)
    end = start + (params.get("MaxResults") or most)
    return {member: items[start:end], "NextToken": str(end) if end < len(items) else None}
