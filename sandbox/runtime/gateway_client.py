"""The control plane as the runtime uses it: objects, notifications, metrics. Signatures name a scope, no secret."""

import json
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

from sandbox.runtime.http_client import Answer, Client


class NoObject(Exception):
    """An object that is not there, or may not be read."""


class GatewayClient:
    """Asks the gateway."""

    def __init__(self, url: str, token: str) -> None:
        parts = urlsplit(url)
        self._client = Client.of_address(str(parts.hostname), parts.port or 80)
        self._token = token.encode()

    async def get_object(self, uri: str) -> bytes:
        """Give the bytes of an s3:// object. Raises: NoObject."""
        answer = await self._s3(b"GET", uri)
        if answer.status != 200:
            raise NoObject(uri)
        return answer.body

    async def put_object(self, uri: str, content: bytes, content_type: str) -> None:
        """Write an s3:// object. Raises: NoObject if the bucket is not there."""
        answer = await self._s3(b"PUT", uri, content, content_type)
        if answer.status != 200:
            raise NoObject(uri)

    async def publish(self, topic: str, region: str, message: dict[str, Any]) -> bool:
        """Publish a message on an SNS topic; False if it was refused."""
        form = {"Action": "Publish", "Version": "2010-03-31", "TopicArn": topic, "Message": json.dumps(message)}
        headers = [(b"content-type", b"application/x-www-form-urlencoded"), _signed("sns", region)]
        answer = await self._client.ask(b"POST", b"/", headers, urlencode(form).encode())
        return answer.status == 200

    async def send_metrics(self, region: str, rows: list[dict[str, Any]]) -> None:
        """Hand metrics over. Raises: OSError if the gateway does not take them."""
        body = json.dumps({"region": region, "rows": rows}).encode()
        answer = await self._client.ask(b"POST", b"/-/metrics", [(b"x-sandbox-token", self._token)], body)
        if answer.status != 200:
            raise ConnectionError(f"the gateway answered {answer.status}")

    async def _s3(self, method: bytes, uri: str, content: bytes = b"", content_type: str = "") -> Answer:
        target = quote(f"/{uri.removeprefix('s3://')}", safe="/").encode()
        headers = [_signed("s3", "us-east-1")]
        if content_type:
            headers.append((b"content-type", content_type.encode()))
        return await self._client.ask(method, target, headers, content)


def _signed(service: str, region: str) -> tuple[bytes, bytes]:
    scope = f"sandbox/20260101/{region}/{service}/aws4_request"
    return b"authorization", f"AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature=0".encode()
