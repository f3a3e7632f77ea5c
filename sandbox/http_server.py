"""The gateway's HTTP server: cheroot, whose own refusals are written as AWS's errors."""

from typing import Any
from xml.sax.saxutils import escape

from cheroot.server import HTTPConnection, HTTPRequest
from cheroot.wsgi import Server

from sandbox.settings import LOOPBACK

_THREADS = 32  # to begin with, and as many more each time that all are busy
# Services call each other through the gateway: with too few, callers would wait for each other without end.
_MOST_THREADS = 512
_BACKLOG = 1024  # connections not yet taken; with the default of 5, clients that come together are cut off
_KEPT_OPEN = 512  # idle connections, half of the files that a process may usually have open
_LARGEST_HEAD = 256 * 1024  # bytes of a request's first line and headers together
_LARGEST_BODY = 5 * 1024**3  # Amazon S3 user guide, Uploading objects: the largest object in a single operation


class _Request(HTTPRequest):
    """A request whose path may begin with two slashes, as S3's may."""

    def __init__(self, server: Any, connection: Any) -> None:
        super().__init__(server, connection, proxy_mode=True, strict_mode=True)

    def simple_response(self, status: str, msg: str = "") -> None:
        """Refuse what is not HTTP in the form that clients of AWS read."""
        code = "BadRequest" if status.startswith("4") else "InternalFailure"
        text = f"<Error><Code>{code}</Code><Message>{escape(msg or status)}</Message></Error>"
        self.close_connection = True
        head = f"HTTP/1.1 {status}\r\nContent-Length: {len(text.encode())}\r\nContent-Type: application/xml\r\n"
        self.conn.wfile.write(f"{head}Connection: close\r\n\r\n{text}".encode())


class _Connection(HTTPConnection):
    RequestHandlerClass = _Request


class _Server(Server):
    """A server that has a thread for every request, also of those that wait for requests of their own."""

    def process_conn(self, conn: Any) -> None:
        if self.requests.qsize >= self.requests.idle:
            self.requests.grow(_THREADS)
        super().process_conn(conn)


def http_server(port: int) -> Any:
    """Give a server on a loopback port; its `wsgi_app` is still to be set."""
    server = _Server(
        (LOOPBACK, port), None, numthreads=_THREADS, max=_MOST_THREADS, server_name=LOOPBACK,
        request_queue_size=_BACKLOG,
    )  # fmt: skip
    server.keep_alive_conn_limit = _KEPT_OPEN
    server.max_request_header_size = _LARGEST_HEAD
    server.max_request_body_size = _LARGEST_BODY
    server.ConnectionClass = _Connection
    server.shutdown_timeout = 1  # seconds; a client that keeps a connection open does not hold us up
    server.prepare()
    return server
