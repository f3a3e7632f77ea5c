"""JSON 1.0 and 1.1: the operation in a header, the parameters in a document."""

import json
from collections.abc import Mapping
from typing import Any

from botocore.model import OperationModel, Shape

from sandbox.errors import AwsError
from sandbox.protocols.http import Request, Response
from sandbox.protocols.shapes import as_json, read_value, unreadable, write_value


class JsonRpc:
    """Speaks JSON 1.0 and 1.1."""

    def operation(self, request: Request) -> str:
        """Take the name after the dot of X-Amz-Target."""
        return request.headers.get("x-amz-target", "").rpartition(".")[2]

    def read(self, request: Request, shape: Shape | None) -> dict[str, Any]:
        """Read the JSON document of the body; no body is an empty one."""
        try:
            document = json.loads(request.body or b"{}")
        except (ValueError, RecursionError) as err:
            raise unreadable("The body is not a JSON document") from err
        if not isinstance(document, dict):
            raise unreadable("Start of value found where not expected: the parameters are a structure")
        if shape is None:
            return {}
        parameters: dict[str, Any] = read_value(shape, document)
        return parameters

    def answer(self, operation: OperationModel, answer: Mapping[str, Any], request_id: str) -> Response:
        """Write the answer as a JSON document, or an empty body for an operation without an answer."""
        version = operation.service_model.metadata.get("jsonVersion", "1.1")
        shape = operation.output_shape
        body = b"" if shape is None else json.dumps(as_json(shape, write_value(shape, answer))).encode()
        return Response(status=200, body=body, headers=_headers(request_id, str(version)))

    def error(self, error: AwsError, request_id: str) -> Response:
        """Write code and message as every JSON client reads them."""
        document = {**error.fields, "__type": error.code, "message": error.message, "Message": error.message}
        return Response(
            status=error.status,
            body=json.dumps(document, default=str).encode(),
            headers={**_headers(request_id, "1.1"), "x-amzn-errortype": error.code},
        )


def _headers(request_id: str, version: str) -> dict[str, str]:
    return {"content-type": f"application/x-amz-json-{version}", "x-amzn-requestid": request_id}
