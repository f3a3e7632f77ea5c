"""Answers in pages."""

from typing import Any

from sandbox.errors import AwsError
from sandbox.services.service import Answer, Params


def page(member: str, items: list[Any], params: Params, *, most: int) -> Answer:
    """Give one page of a list, and the token of the next. Raises: AwsError, if the token is not one of ours."""
    token = params.get("NextToken")
    try:
        start = int(token) if token else 0
    except ValueError as err:
        raise AwsError("InvalidRequestException", "Invalid NextToken") from err
    end = start + (params.get("MaxResults") or most)
    return {member: items[start:end], "NextToken": str(end) if end < len(items) else None}
