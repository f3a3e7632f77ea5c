"""The gateway's HTTP server: cheroot, whose own refusals are written as AWS's errors."""

from typing import Any
from xml.sax.saxutils import escape

from cheroot.server import HTTPConnection, HTTPRequest
from cheroot.wsgi import Server

from sandbox.settings import LOOPBACK

_THREADS = 32  # waiting clients cost little, and services call each other through the gateway


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


def http_server(port: int) -> Any:
    """Give a server on a loopback port; its `wsgi_app` is still to be set."""
    server = Server((LOOPBACK, port), None, numthreads=_THREADS, server_name=LOOPBACK)
    server.ConnectionClass = _Connection
    server.shutdown_timeout = 1  # seconds; a client that keeps a connection open does not hold us up
    server.prepare()
    return server
