"""The one door of the control plane: who asks for which service, who answers, and how refusals look."""

import json
import logging
import secrets
import threading
import uuid
from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple
from urllib.parse import unquote, urlsplit
from xml.sax.saxutils import escape

from botocore.model import OperationModel

from sandbox.access import Scope, refuse_strangers, scope_of
from sandbox.checksums import refuse_damaged
from sandbox.cloud import Cloud
from sandbox.errors import AwsError, NotEmulated
from sandbox.faults import Fault
from sandbox.metrics import MetricRow
from sandbox.moto_backend import BACKENDS, BOTOCORE_NAMES, MotoBackend
from sandbox.protocols import Request, Response, wire_of
from sandbox.protocols.validation import validate
from sandbox.services import service_class
from sandbox.services.service import Context, Service

LOG = logging.getLogger(__name__)

_LARGEST_CALL = 16 * 1024 * 1024  # bytes of a call to one of our services; AWS's own limits are below
# A refused body is read all the same, or the client can't hear the refusal; a stranger's only up to this many bytes.
_LARGEST_UNREAD = 1024 * 1024
_PIECE = 1024 * 1024  # bytes asked of the connection at once, however many were announced
_METHODS = {"GET", "HEAD", "PUT", "POST", "DELETE", "OPTIONS"}
_REASONS = {
    200: "OK", 201: "Created", 202: "Accepted", 204: "No Content", 206: "Partial Content", 301: "Moved Permanently",
    304: "Not Modified", 307: "Temporary Redirect", 400: "Bad Request", 403: "Forbidden", 404: "Not Found",
    405: "Method Not Allowed", 409: "Conflict", 412: "Precondition Failed", 413: "Payload Too Large",
    416: "Range Not Satisfiable", 429: "Too Many Requests", 500: "Internal Server Error", 501: "Not Implemented",
    503: "Service Unavailable",
}  # fmt: skip

StartResponse = Callable[[str, list[tuple[str, str]]], object]


class _Asked(NamedTuple):
    """An operation of one of moto's services, with its parameters read."""

    operation: OperationModel
    params: dict[str, Any]


class Gateway:
    """A WSGI application."""

    def __init__(self, cloud: Cloud, moto: MotoBackend, health: Callable[[], dict[str, Any]]) -> None:
        self._cloud = cloud
        self._moto = moto
        self._health = health
        self._services: dict[str, Service] = {}
        self._lock = threading.Lock()

    def service(self, signing_name: str) -> Service | None:
        """Give one of our services, made on its first use; None if it is not ours."""
        with self._lock:
            if signing_name not in self._services:
                found = service_class(signing_name)
                if found is None:
                    return None
                self._services[signing_name] = found(self._cloud)
            return self._services[signing_name]

    def __call__(self, environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        """Answer one request."""
        headers = _headers(environ)
        request_id = str(uuid.uuid4())
        scope: Scope | None = None
        request = Request(method=environ["REQUEST_METHOD"], path="", query="", headers=headers, body=b"")
        try:
            if int(environ.get("CONTENT_LENGTH") or 0) > _LARGEST_UNREAD:
                refuse_strangers(headers)
            request = _read(environ, headers)
            refuse_strangers(headers)
            if request.path.startswith("/-/"):
                response = self._internal(request)
            else:
                scope = scope_of(headers, request.query)
                response = self._answer(request, environ, scope, request_id)
        except AwsError as err:
            response = self._refusal(err, request, scope, request_id)
        except Exception:  # the boundary to the client: a fault of ours is answered as AWS answers one of its own
            LOG.exception("%s %s failed", request.method, request.path)
            fault = AwsError("InternalFailure", f"The sandbox failed; its log has the request {request_id}", status=500)
            response = self._refusal(fault, request, scope, request_id)
        body = b"" if request.method == "HEAD" else response.body
        sent = {"content-length": str(len(response.body)), **response.headers}
        if response.status in {204, 304}:
            sent.pop("content-length", None)
        start_response(f"{response.status} {_REASONS.get(response.status, 'Status')}", list(sent.items()))
        return [body]

    def _answer(self, request: Request, environ: dict[str, Any], scope: Scope | None, request_id: str) -> Response:
        if scope is None:
            raise AwsError("MissingAuthenticationToken", "Missing Authentication Token", status=403)
        if request.method not in _METHODS:
            message = "The specified method is not allowed against this resource."
            raise AwsError("MethodNotAllowed", message, status=405)
        active = self._cloud.faults.active()
        if Fault.EXPIRED in active:
            message = "The security token included in the request is expired"
            raise AwsError("ExpiredTokenException", message, status=403)
        if Fault.THROTTLING in active:
            raise AwsError("ThrottlingException", "Rate exceeded", status=400)
        service = self.service(scope.service)
        if service is not None:
            context = Context(
                account=self._cloud.account, region=scope.region, request_id=request_id, access_key=scope.access_key
            )
            if len(request.body) > _LARGEST_CALL:
                raise AwsError("RequestEntityTooLarge", "Request size exceeded the limit", status=413)
            return service.handle(wire_of(request, service.model), request, context)
        if scope.service in BACKENDS:
            asked = self._check(request, BOTOCORE_NAMES.get(scope.service, ""))
            if asked is not None and asked.operation.name == "SimulatePrincipalPolicy":
                return wire_of(request, asked.operation.service_model).answer(
                    asked.operation, self._moto.simulate(asked.params), request_id
                )
            if scope.service == "s3":
                refuse_damaged(request.method, request.headers, request.body)
            return self._moto.handle(request, environ, scope.service)
        raise NotEmulated(f"the service {scope.service}")

    def _check(self, request: Request, service: str) -> _Asked | None:
        """Refuse what does not fit the service's model, which moto would stumble over. Raises: AwsError."""
        if not service:
            return None
        model = self._cloud.model(service)
        wire = wire_of(request, model)
        name = wire.operation(request)
        if name not in model.operation_names:
            raise AwsError("UnknownOperationException", f"{service} has no operation {name[:100]!r}")
        operation = model.operation_model(name)
        params = wire.read(request, operation.input_shape)
        validate(operation.input_shape, params)
        return _Asked(operation, params)

    def _refusal(self, error: AwsError, request: Request, scope: Scope | None, request_id: str) -> Response:
        if scope is not None and scope.service == "s3":
            return Response(
                status=error.status,
                body=(
                    f"<?xml version='1.0' encoding='UTF-8'?>\n<Error><Code>{error.code}</Code>"
                    f"<Message>{escape(error.message)}</Message><RequestId>{request_id}</RequestId></Error>"
                ).encode(),
                headers={"content-type": "application/xml", "x-amz-request-id": request_id},
            )
        known = self._services.get(scope.service) if scope else None
        return wire_of(request, known.model if known else None).error(error, request_id)

    def _internal(self, request: Request) -> Response:
        """The doors that no client may use: health for everybody, metrics for the runtime."""
        if request.path == "/-/health":
            return Response(status=200, body=json.dumps(self._health()).encode())
        given = request.headers.get("x-sandbox-token", "").encode()
        if not secrets.compare_digest(given, self._cloud.token.encode()):
            raise AwsError("AccessDenied", "Not for clients", status=403)
        if request.path == "/-/metrics":
            document = json.loads(request.body)
            rows = [MetricRow.read(row) for row in document["rows"]]
            self._cloud.metrics.add(self._cloud.account, document["region"], rows)
            return Response(status=200, body=b"{}")
        raise AwsError("UnknownOperationException", f"No such door: {request.path}", status=404)


def _headers(environ: Mapping[str, Any]) -> dict[str, str]:
    headers = {name[5:].replace("_", "-").lower(): value for name, value in environ.items() if name.startswith("HTTP_")}
    headers["content-type"] = environ.get("CONTENT_TYPE", "")
    return headers


def _read(environ: Mapping[str, Any], headers: Mapping[str, str]) -> Request:
    uri: str = environ["REQUEST_URI"]
    try:
        path = unquote(urlsplit(uri).path if uri.startswith("http") else uri.partition("?")[0], errors="strict")
    except ValueError as err:
        raise AwsError("InvalidURI", "Couldn't parse the specified URI.") from err
    return Request(
        method=environ["REQUEST_METHOD"],
        path=path,
        query=environ.get("QUERY_STRING", ""),
        headers=headers,
        body=_body(environ, headers),
    )


def _body(environ: Mapping[str, Any], headers: Mapping[str, str]) -> bytes:
    """Read the whole body. Raises: AwsError if less of it comes than was announced."""
    stream = environ["wsgi.input"]
    length = environ.get("CONTENT_LENGTH")
    try:
        if "chunked" in headers.get("transfer-encoding", "").lower():
            return bytes(stream.read())
        announced = int(length or 0)
        body = b"".join(iter(lambda: stream.read(_PIECE), b"")) if announced > 0 else b""
    except (ValueError, OverflowError, OSError) as err:
        raise AwsError("IncompleteBody", f"The body can't be read: {err}") from err
    if len(body) != announced:
        raise AwsError("IncompleteBody", f"The body has {len(body)} bytes, and its Content-Length says {announced}")
    return body
