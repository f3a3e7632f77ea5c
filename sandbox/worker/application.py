"""The container contract over ASGI: /ping and /invocations; with several models /models and /models/NAME/invoke."""

import asyncio
import json
import logging
import traceback
from collections.abc import Awaitable, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from sandbox.worker import payload
from sandbox.worker.models import Model, NoModel, Served, load

LOG = logging.getLogger(__name__)

Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]

_SCRIPT_THREADS = 4


class ModelServer:
    """Serves one model, or several that are loaded and unloaded while it runs."""

    def __init__(self, *, framework: str, program: str, folder: Path | None, room_bytes: int) -> None:
        self._framework = framework
        self._program = program
        self._room_bytes = room_bytes  # for the files of all loaded models, where there are several
        self._models: dict[str, tuple[Model, str, int]] = {}
        self._loading_bytes = 0  # of the models that are being loaded: their room is taken already
        self._single = load(folder, framework, program) if folder is not None else None
        self._threads = ThreadPoolExecutor(_SCRIPT_THREADS, thread_name_prefix="script")

    async def __call__(self, scope: dict[str, Any], receive: Receive, send: Send) -> None:
        """Answer one request."""
        method, path = scope["method"], scope["path"]
        body = await _body(receive)
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        try:
            served = await self._answer(method, path, body, headers)
        except payload.Refused as err:
            await _whole(send, err.status, err.message.encode(), "text/plain")
        except NoModel as err:
            await _whole(send, 400, str(err).encode(), "text/plain")
        except MemoryError:
            await _whole(send, 507, b"not enough memory", "text/plain")
        except Exception as err:  # a model may raise anything; the platform makes a ModelError of it
            LOG.exception("%s %s failed", method, path)
            await _whole(send, 500, "".join(traceback.format_exception_only(err)).strip().encode(), "text/plain")
        else:
            if isinstance(served.body, bytes):
                await _whole(send, 200, served.body, served.content_type)
            else:
                await self._parts(send, iter(served.body), served.content_type)

    async def _answer(self, method: str, path: str, body: bytes, headers: dict[str, str]) -> Served:
        if path == "/invocations" and self._single is not None:
            return await self._serve(self._single, body, headers)
        if path == "/ping":
            return Served(body=b"", content_type=payload.JSON)
        parts = path.split("/")
        if parts[1] != "models" or self._single is not None:
            raise payload.Refused(404, f"no such path: {path}")
        name = unquote(parts[2]) if len(parts) > 2 else ""
        match method, name, parts[3:]:
            case "POST", "", _:
                return await self._load(body)
            case "GET", "", _:
                listed = [{"modelName": key, "modelUrl": url} for key, (_, url, _) in self._models.items()]
                return _document({"models": listed})
            case "GET", _, []:
                return _document({"modelName": name, "modelUrl": self._model(name)[1]})
            case "DELETE", _, []:
                self._model(name)
                del self._models[name]
                return _document({"status": f"Model {name!r} unregistered"})
            case "POST", _, ["invoke"]:
                return await self._serve(self._model(name)[0], body, headers)
            case _:
                raise payload.Refused(404, f"no such path: {path}")

    def _model(self, name: str) -> tuple[Model, str, int]:
        if name not in self._models:
            raise payload.Refused(404, f"Model not found with model name: {name}")
        return self._models[name]

    async def _load(self, body: bytes) -> Served:
        """Load a model; 409 if it is loaded already, 507 if its files do not fit beside the others."""
        wanted = json.loads(body)
        name, url = str(wanted["model_name"]), str(wanted["url"])
        if name in self._models:
            raise payload.Refused(409, f"Model {name} is already loaded")
        folder = Path(url)
        size_bytes = _size_bytes(folder)
        taken_bytes = self._loading_bytes + sum(size for _, _, size in self._models.values())
        if taken_bytes and self._room_bytes < size_bytes + taken_bytes:
            raise payload.Refused(507, f"no room for model {name}: {size_bytes} bytes")
        loop = asyncio.get_running_loop()
        self._loading_bytes += size_bytes
        try:
            model = await loop.run_in_executor(self._threads, load, folder, self._framework, self._program)
        finally:
            self._loading_bytes -= size_bytes
        self._models[name] = (model, url, size_bytes)
        return _document({"status": f"Model {name!r} registered"})

    async def _serve(self, model: Model, body: bytes, headers: dict[str, str]) -> Served:
        arguments = (body, headers.get("content-type", ""), headers.get("accept", ""), headers)
        if model.quick:
            return model.serve(*arguments)
        return await asyncio.get_running_loop().run_in_executor(self._threads, model.serve, *arguments)

    async def _parts(self, send: Send, parts: Iterator[bytes], content_type: str) -> None:
        headers = [(b"content-type", content_type.encode()), (b"transfer-encoding", b"chunked")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        loop = asyncio.get_running_loop()
        while (part := await loop.run_in_executor(self._threads, next, parts, None)) is not None:
            await send({"type": "http.response.body", "body": part, "more_body": True})
        await send({"type": "http.response.body", "body": b""})


def _size_bytes(folder: Path) -> int:
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())


async def _body(receive: Receive) -> bytes:
    message = await receive()
    body: bytes = message.get("body", b"")
    if not message.get("more_body"):
        return body
    parts = [body]
    while message.get("more_body"):
        message = await receive()
        parts.append(message.get("body", b""))
    return b"".join(parts)


async def _whole(send: Send, status: int, body: bytes, content_type: str) -> None:
    headers = [(b"content-type", content_type.encode()), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def _document(document: dict[str, Any]) -> Served:
    return Served(body=json.dumps(document).encode(), content_type=payload.JSON)
