"""What a service answers when it refuses.

AwsError            an error as AWS would answer it: code, message, HTTP status
|- NotEmulated      the sandbox has no such operation, and says so instead of pretending
"""

from collections.abc import Mapping
from typing import Any


class AwsError(Exception):
    """An error in the words of AWS; the gateway writes it in the protocol of the request."""

    def __init__(self, code: str, message: str, *, status: int = 400, fields: Mapping[str, Any] | None = None) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.status = status
        self.fields: Mapping[str, Any] = fields or {}


class NotEmulated(AwsError):
    """An operation that AWS has and the sandbox does not."""

    def __init__(self, what: str) -> None:
        super().__init__("NotImplemented", f"The sandbox does not emulate {what}. AWS does.", status=501)
