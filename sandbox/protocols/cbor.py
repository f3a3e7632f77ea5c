"""RPC v2 with CBOR, which boto3 speaks to CloudWatch; botocore's own encoder and decoder do the work."""

import struct
from collections.abc import Mapping
from typing import Any

from botocore.model import OperationModel, Shape
from botocore.parsers import ResponseParserError, RpcV2CBORParser
from botocore.serialize import RpcV2CBORSerializer

from sandbox.errors import AwsError
from sandbox.protocols.http import Request, Response
from sandbox.protocols.shapes import read_value, unreadable, write_value

_DECODER = RpcV2CBORParser()
_ENCODER = RpcV2CBORSerializer()


class RpcCbor:
    """Speaks smithy-rpc-v2-cbor."""

    def operation(self, request: Request) -> str:
        """Take the last part of /service/NAME/operation/NAME."""
        return request.path.rpartition("/operation/")[2]

    def read(self, request: Request, shape: Shape | None) -> dict[str, Any]:
        """Read the map of the body; no body is an empty one."""
        if shape is None or not request.body:
            return {}
        stream = _DECODER.get_peekable_stream_from_bytes(request.body)
        try:
            document = _DECODER.parse_data_item(stream)
        except (
            ResponseParserError, ValueError, TypeError, OverflowError, MemoryError, RecursionError, struct.error,
        ) as err:  # fmt: skip
            raise unreadable("The body is not a CBOR document") from err
        parameters: dict[str, Any] = read_value(shape, document)
        return parameters

    def answer(self, operation: OperationModel, answer: Mapping[str, Any], request_id: str) -> Response:
        """Write the answer as a CBOR map."""
        body = bytearray()
        if (shape := operation.output_shape) is not None:
            _ENCODER._serialize_data_item(body, write_value(shape, answer), shape)  # noqa: SLF001 (no public door)
        return Response(status=200, body=bytes(body), headers=_headers(request_id))

    def error(self, error: AwsError, request_id: str) -> Response:
        """Write code and message as a CBOR map."""
        return Response(
            status=error.status,
            body=b"\xa2" + b"".join(_text(part) for part in ("__type", error.code, "message", error.message)),
            headers={**_headers(request_id), "x-amzn-query-error": f"{error.code};Sender"},
        )


def _headers(request_id: str) -> dict[str, str]:
    return {"content-type": "application/cbor", "smithy-protocol": "rpc-v2-cbor", "x-amzn-requestid": request_id}


def _text(value: str) -> bytes:
    item = bytearray()
    _ENCODER._serialize_type_string(item, value, None, None)  # noqa: SLF001
    return bytes(item)
