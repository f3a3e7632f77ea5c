"""A small HTTP/1.1 client for the hot path: kept connections, bytes in and out, over a Unix socket or TCP."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass

import httptools

Headers = list[tuple[bytes, bytes]]


@dataclass(slots=True)
class Answer:
    """What came back; the names of headers are lower case."""

    status: int
    headers: Headers
    body: bytes

    def header(self, name: bytes) -> bytes:
        """Give a header's value, empty if it is absent."""
        return next((value for key, value in self.headers if key == name), b"")


class _Connection(asyncio.Protocol):
    """One connection with at most one request on it."""

    def __init__(self) -> None:
        self.transport: asyncio.Transport | None = None
        self.is_open = False
        self._waiting: asyncio.Future[Answer] | None = None
        self._parts: asyncio.Queue[bytes | Exception | None] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport  # type: ignore[assignment]
        self.is_open = True

    def connection_lost(self, exc: Exception | None) -> None:
        self.is_open = False
        lost = ConnectionResetError("the server closed the connection")
        lost.__cause__ = exc
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_exception(lost)
        elif self._parts is not None:
            self._parts.put_nowait(lost)

    def data_received(self, data: bytes) -> None:
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError:
            if self.transport is not None:
                self.transport.abort()

    async def ask(self, request: bytes, *, in_parts: bool) -> Answer:
        """Send a request and wait: for the whole answer, or for its head if the body is wanted in parts."""
        self._parser = httptools.HttpResponseParser(self)
        self._headers: Headers = []
        self._body: list[bytes] = []
        self._parts = asyncio.Queue() if in_parts else None
        self._waiting = asyncio.get_running_loop().create_future()
        assert self.transport is not None  # noqa: S101 (made before anybody can ask)
        self.transport.write(request)
        return await self._waiting

    async def parts(self) -> AsyncIterator[bytes]:
        """Give the parts of the body as they come."""
        assert self._parts is not None  # noqa: S101 (asked for in parts)
        while (part := await self._parts.get()) is not None:
            if isinstance(part, Exception):
                raise part
            yield part

    # What the parser calls.

    def on_header(self, name: bytes, value: bytes) -> None:
        self._headers.append((name.lower(), value))

    def on_headers_complete(self) -> None:
        if self._parts is not None:
            self._finish(b"")

    def on_body(self, body: bytes) -> None:
        if self._parts is not None:
            self._parts.put_nowait(body)
        else:
            self._body.append(body)

    def on_message_complete(self) -> None:
        if self._parts is not None:
            self._parts.put_nowait(None)
        else:
            self._finish(b"".join(self._body))
        if not self._parser.should_keep_alive():
            self.is_open = False

    def _finish(self, body: bytes) -> None:
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_result(Answer(self._parser.get_status_code(), self._headers, body))


class Client:
    """Asks one server; a connection is used again when its answer is complete."""

    def __init__(
        self, connect: Callable[[Callable[[], _Connection]], Awaitable[object]], host: str, *, may_repeat: bool
    ) -> None:
        self._connect = connect
        self._may_repeat = may_repeat
        self._host = host.encode()
        self._idle: deque[_Connection] = deque()

    @classmethod
    def of_socket(cls, path: str) -> "Client":
        """Ask a server on a Unix socket."""
        return cls(
            lambda protocol: asyncio.get_running_loop().create_unix_connection(protocol, path),
            "worker",
            may_repeat=False,
        )

    @classmethod
    def of_address(cls, host: str, port: int) -> "Client":
        """Ask a server on a TCP port."""
        return cls(
            lambda protocol: asyncio.get_running_loop().create_connection(protocol, host, port),
            f"{host}:{port}",
            may_repeat=True,
        )

    async def ask(self, method: bytes, target: bytes, headers: Headers, body: bytes = b"") -> Answer:
        """Ask and wait for the whole answer. Raises: OSError (ConnectionError among them)."""
        request = self._request(method, target, headers, body)
        connection, fresh = await self._connection()
        try:
            answer = await connection.ask(request, in_parts=False)
        except ConnectionError:
            if fresh or not self._may_repeat:
                raise
            # The server may have closed a kept connection in the moment we took it.
            connection = await self._open()
            answer = await connection.ask(request, in_parts=False)
        except asyncio.CancelledError:
            if connection.transport is not None:
                connection.transport.abort()
            raise
        if connection.is_open:
            self._idle.append(connection)
        return answer

    async def ask_in_parts(
        self, method: bytes, target: bytes, headers: Headers, body: bytes
    ) -> tuple[Answer, AsyncIterator[bytes]]:
        """Ask and wait for the head; the body follows in parts. The connection is not used again."""
        connection = await self._open()
        answer = await connection.ask(self._request(method, target, headers, body), in_parts=True)

        async def parts() -> AsyncIterator[bytes]:
            try:
                async for part in connection.parts():
                    yield part
            finally:
                if connection.transport is not None:
                    connection.transport.close()

        return answer, parts()

    def close(self) -> None:
        """Close the idle connections."""
        while self._idle:
            transport = self._idle.pop().transport
            if transport is not None:
                transport.close()

    def _request(self, method: bytes, target: bytes, headers: Headers, body: bytes) -> bytes:
        lines = [b"%b %b HTTP/1.1\r\nhost: %b\r\ncontent-length: %d\r\n" % (method, target, self._host, len(body))]
        lines += [b"%b: %b\r\n" % header for header in headers]
        lines += [b"\r\n", body]
        return b"".join(lines)

    async def _connection(self) -> tuple[_Connection, bool]:
        while self._idle:
            connection = self._idle.pop()
            if connection.is_open:
                return connection, False
        return await self._open(), True

    async def _open(self) -> _Connection:
        connection = _Connection()
        await self._connect(lambda: connection)
        return connection
