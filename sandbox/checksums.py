"""The sums that a client of S3 sends along with an upload, held to what has arrived."""

import base64
import binascii
import hashlib
import zlib
from collections.abc import Callable, Mapping
from typing import Final

from sandbox.errors import AwsError

_SUMS: Final[dict[str, Callable[[bytes], bytes]]] = {
    "crc32": lambda body: zlib.crc32(body).to_bytes(4, "big"),
    "sha1": lambda body: hashlib.sha1(body, usedforsecurity=False).digest(),
    "sha256": lambda body: hashlib.sha256(body).digest(),
}


def refuse_damaged(method: str, headers: Mapping[str, str], body: bytes) -> None:
    """Refuse a body that is not the one the client sent. Raises: AwsError BadDigest.

    Sums that are not well-formed, and those of bodies in signed chunks, are left to S3.
    """
    if "aws-chunked" in headers.get("content-encoding", ""):
        return
    given = _decoded(headers.get("content-md5", ""))
    if len(given) == 16 and given != hashlib.md5(body, usedforsecurity=False).digest():
        raise AwsError("BadDigest", "The Content-MD5 you specified did not match what we received.")
    if method != "PUT":  # with other methods these are sums of the whole object, not of the body
        return
    for name, sum_of in _SUMS.items():
        given = _decoded(headers.get(f"x-amz-checksum-{name}", ""))
        if given and given != sum_of(body):
            raise AwsError("BadDigest", f"The {name.upper()} you specified did not match the calculated checksum.")


def _decoded(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error:
        return b""
