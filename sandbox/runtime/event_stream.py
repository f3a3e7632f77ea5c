"""Event streams as botocore reads them: length, headers and check sums around each part."""

import binascii
import struct

_STRING = 7  # type of a header's value


def payload_part(part: bytes) -> bytes:
    """One part of an answer."""
    headers = {
        ":event-type": "PayloadPart",
        ":content-type": "application/octet-stream",
        ":message-type": "event",
    }
    return _message(headers, part)


def stream_error(code: str, message: str) -> bytes:
    """An error after the first part."""
    headers = {":exception-type": code, ":content-type": "application/json", ":message-type": "exception"}
    escaped = message.replace("\\", "\\\\").replace('"', '\\"')
    return _message(headers, f'{{"Message": "{escaped}"}}'.encode())


def _message(headers: dict[str, str], body: bytes) -> bytes:
    # https://docs.aws.amazon.com/AmazonS3/latest/API/RESTSelectObjectAppendix.html describes the framing.
    encoded = b"".join(
        struct.pack("!B", len(name)) + name.encode() + struct.pack("!BH", _STRING, len(value)) + value.encode()
        for name, value in headers.items()
    )
    prelude = struct.pack("!II", 16 + len(encoded) + len(body), len(encoded))
    prelude += struct.pack("!I", binascii.crc32(prelude))
    message = prelude + encoded + body
    return message + struct.pack("!I", binascii.crc32(message))
