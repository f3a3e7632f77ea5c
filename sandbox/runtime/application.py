"""The ASGI application of the runtime."""

import json
from typing import Any


class Runtime:
    """Answers invocations, and the control process through inner doors."""

    def __init__(self, facts: dict[str, Any]) -> None:
        self._facts = facts

    def start(self) -> None:
        """Start what runs beside the requests."""

    async def stop(self) -> None:
        """Stop the model servers."""

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        """Answer one request."""
        del scope, receive
        body = json.dumps({"ready": True}).encode()
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"application/json")]})
        await send({"type": "http.response.body", "body": body})
