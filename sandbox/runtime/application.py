"""The ASGI application of the runtime: who asks, which endpoint, and how answers and refusals are written."""

import asyncio
import contextlib
import json
import logging
import secrets
import tempfile
import time
import uuid
from collections.abc import Awaitable, Callable, Iterable
from pathlib import Path
from typing import Any

from sandbox.access import refuse_strangers, scope_of
from sandbox.errors import AwsError
from sandbox.faults import Fault, Faults
from sandbox.runtime import doors
from sandbox.runtime.http_client import Headers
from sandbox.runtime.invocations import Invocations
from sandbox.runtime.registry import Registry
from sandbox.state import private_folder

LOG = logging.getLogger(__name__)

Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]

# API reference, InvokeEndpoint: the largest Body.
_LARGEST_BODY = 6_291_456
_TICK_S = 1.0
_LAST_WORDS_S = 2.0


class Runtime:
    """Answers invocations, and the control process through inner doors."""

    def __init__(self, facts: dict[str, Any]) -> None:
        self._token = facts["token"]
        folder = Path(facts["folder"])
        self._faults = Faults(folder)
        # The path of a Unix socket may have 107 bytes, which a state folder's may exceed.
        self._sockets = tempfile.TemporaryDirectory(prefix="hostfit-")
        self.registry = Registry(
            folder=private_folder(folder / "runtime"),
            sockets=Path(self._sockets.name),
            control_url=facts["control_url"],
            token=self._token,
        )
        self._invocations = Invocations(self.registry, facts["account"])
        self._tasks: list[asyncio.Task[None]] = []
        self._known_hosts: set[bytes] = set()

    def start(self) -> None:
        """Start what runs beside the requests."""
        self._tasks = [asyncio.create_task(self.registry.queue.run()), asyncio.create_task(self._tick())]

    async def stop(self) -> None:
        """Stop the model servers and hand over what was measured."""
        for task in self._tasks:
            task.cancel()
        self.registry.queue.stop()  # before its model servers end, which would look like failures of the models
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self.registry.settle(), _LAST_WORDS_S)
        await self.registry.stop()
        self._sockets.cleanup()

    async def __call__(self, scope: dict[str, Any], receive: Receive, send: Send) -> None:
        """Answer one request."""
        started_ns = time.perf_counter_ns()
        headers: dict[bytes, bytes] = dict(scope["headers"])
        path: str = scope["path"]
        try:
            self._refuse_strangers(headers)
            if path.startswith("/-/"):
                await self._inner(scope["method"], path, headers, receive, send)
                return
            region = self._region(headers, scope["query_string"])
            name, operation = _operation(scope["method"], path)
            body = await read_body(receive, _LARGEST_BODY)
            await self._invocations.answer(region, name, operation, headers, body, started_ns, send)
        except AwsError as err:
            await refuse(send, err)
        except Exception:  # the boundary to the client: a fault of ours is answered as AWS answers one of its own
            LOG.exception("%s %s failed", scope["method"], path)
            await refuse(send, AwsError("InternalFailure", "The sandbox failed; its log says why", status=500))

    def _refuse_strangers(self, headers: dict[bytes, bytes]) -> None:
        host = headers.get(b"host", b"")
        if host in self._known_hosts and b"origin" not in headers and b"sec-fetch-site" not in headers:
            return
        refuse_strangers({name.decode("latin-1"): value.decode("latin-1") for name, value in headers.items()})
        if len(self._known_hosts) < 100:
            self._known_hosts.add(host)

    def _region(self, headers: dict[bytes, bytes], query: bytes) -> str:
        active = self._faults.active()
        if Fault.EXPIRED in active:
            message = "The security token included in the request is expired"
            raise AwsError("ExpiredTokenException", message, status=403)
        if Fault.THROTTLING in active:
            raise AwsError("ThrottlingException", "Rate exceeded", status=400)
        authorization = headers.get(b"authorization", b"").decode("latin-1")
        scope = scope_of({"authorization": authorization}, query.decode("latin-1"))
        if scope is None:
            raise AwsError("MissingAuthenticationToken", "Missing Authentication Token", status=403)
        return scope.region

    async def _inner(self, method: str, path: str, headers: dict[bytes, bytes], receive: Receive, send: Send) -> None:
        if not secrets.compare_digest(headers.get(b"x-sandbox-token", b""), self._token.encode()):
            raise AwsError("AccessDenied", "Not for clients", status=403)
        body = await read_body(receive, 1 << 32)
        status, answer, kind = await doors.answer(self.registry, method, path, headers, body)
        await respond(send, status, [(b"content-type", kind)], answer)

    async def _tick(self) -> None:
        """Every second: hand metrics over, cool idle fleets, write captured data; every minute the gauges."""
        minute = int(time.time()) // 60
        while True:
            await asyncio.sleep(_TICK_S)
            if (now := int(time.time()) // 60) != minute:
                minute = now
                self.registry.gauges()
            await self.registry.settle()


def _operation(method: str, path: str) -> tuple[str, str]:
    """Give the endpoint's name and the operation of a path. Raises: AwsError."""
    parts = path.split("/")
    if len(parts) != 4 or parts[1] != "endpoints" or method != "POST":
        raise AwsError("UnknownOperationException", f"No such operation: {method} {path[:200]}", status=404)
    return parts[2], parts[3]


async def read_body(receive: Receive, largest: int) -> bytes:
    """Read a request's body. Raises: AwsError if it is larger than allowed, or breaks off."""
    message = await receive()
    body: bytes = message.get("body", b"")
    if message.get("more_body"):
        parts, size = [body], len(body)
        while message.get("more_body"):
            message = await receive()
            if message["type"] == "http.disconnect":
                raise AwsError("IncompleteBody", "The client left before the whole body was here")
            part = message.get("body", b"")
            size += len(part)
            if size > largest:
                break
            parts.append(part)
        else:
            return b"".join(parts)
    elif len(body) <= largest:
        return body
    raise AwsError("413", f"HTTP content length exceeded {largest} bytes.", status=413)


async def respond(send: Send, status: int, headers: Iterable[tuple[bytes, bytes]], body: bytes) -> None:
    """Send a whole answer."""
    sent: Headers = [*headers, (b"content-length", b"%d" % len(body))]
    await send({"type": "http.response.start", "status": status, "headers": sent})
    await send({"type": "http.response.body", "body": body})


async def refuse(send: Send, error: AwsError) -> None:
    """Send an error as the REST-JSON protocol has it."""
    document = {**error.fields, "Code": error.code, "message": error.message, "Message": error.message}
    headers = [
        (b"content-type", b"application/json"),
        (b"x-amzn-errortype", error.code.encode()),
        (b"x-amzn-requestid", str(uuid.uuid4()).encode()),
    ]
    await respond(send, error.status, headers, json.dumps(document).encode())
