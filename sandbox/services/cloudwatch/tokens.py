"""Tokens of answers that come in pages: where to go on, and for which request."""

import base64
import hashlib
import json
from collections.abc import Mapping
from typing import Any

from sandbox.errors import AwsError
from sandbox.services.cloudwatch.faults import MALFORMED_TOKEN

_IGNORED = {"NextToken", "MaxRecords", "MaxDatapoints"}


def write_token(request: Mapping[str, Any], position: list[Any]) -> str:
    """Write where the next page of a request begins."""
    return base64.urlsafe_b64encode(json.dumps([_mark(request), *position]).encode()).decode()


def read_token(request: Mapping[str, Any], size: int, code: str = MALFORMED_TOKEN) -> list[Any] | None:
    """Read the position in a request's token, of so many parts; None without a token. Raises: AwsError."""
    token = request.get("NextToken")
    if token is None:
        return None
    try:
        told = json.loads(base64.urlsafe_b64decode(token.encode()))
    except ValueError:
        told = None
    if not isinstance(told, list) or len(told) != 1 + size or told[0] != _mark(request):
        raise AwsError(code, "The NextToken does not belong to this request.")
    return told[1:]


def _mark(request: Mapping[str, Any]) -> str:
    told = {name: value for name, value in request.items() if name not in _IGNORED}
    return hashlib.sha256(json.dumps(told, sort_keys=True, default=str).encode()).hexdigest()[:16]
