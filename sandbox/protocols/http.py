"""A request and a response apart from the server that carries them, and what a protocol does with them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from botocore.model import OperationModel, Shape

from sandbox.errors import AwsError


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One request; the names of headers are lower case."""

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Response:
    """One answer."""

    status: int
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)


class Wire(Protocol):
    """One protocol of AWS from the server's side."""

    def operation(self, request: Request) -> str:
        """Name the operation that the request asks for; empty if it names none."""

    def read(self, request: Request, shape: Shape | None) -> dict[str, Any]:
        """Read the parameters. Raises AwsError (SerializationException) on what can't be read."""

    def answer(self, operation: OperationModel, answer: Mapping[str, Any], request_id: str) -> Response:
        """Write what an operation gave."""

    def error(self, error: AwsError, request_id: str) -> Response:
        """Write a refusal."""
