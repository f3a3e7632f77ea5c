"""A container with many models: fetched and loaded when they are asked for, the least recently used unloaded.

A model is never unloaded while a request uses it: each use is counted.
"""

import asyncio
import json
import time
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

from sandbox.errors import AwsError
from sandbox.runtime import artefacts
from sandbox.runtime.containers import MIB, Container, no_such_model
from sandbox.runtime.http_client import Answer, Headers
from sandbox.runtime.series import Measure
from sandbox.runtime.worker_process import WorkerFacts

# Of the sandbox alone: how much memory the container may fill with models, to make evictions with small ones.
ROOM_VARIABLE = "SANDBOX_MODEL_MEMORY_MB"
_LOAD_TIMEOUT_S = 60.0
_NO_ROOM = 507
_ALREADY_LOADED = 409


@dataclass(slots=True)
class _Loaded:
    users: int = 0


class MultiModelContainer(Container):
    """Serves the archives under a prefix."""

    def _facts(self) -> WorkerFacts:
        wanted = self.plan.environment.get(ROOM_VARIABLE)
        room_bytes = int(float(wanted) * MIB) if wanted else self.place.memory_bytes
        return replace(super()._facts(), folder=None, room_bytes=room_bytes)

    async def _prepare(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        self._loaded: OrderedDict[str, _Loaded] = OrderedDict()
        self._locks: dict[str, asyncio.Lock] = {}
        self._released = asyncio.Event()

    @property
    def loaded_count(self) -> int:
        """How many models are in memory."""
        return len(self._loaded)

    def lost(self) -> None:
        """Forget what was loaded."""
        self._loaded.clear()

    async def ask(self, headers: Headers, body: bytes, target_model: str, measure: Measure) -> Answer:
        """Ask one of the models, loading it first if it is not. Raises: AwsError, OSError."""
        await self._ready.wait()
        name = artefacts.folder_name(target_model)
        loaded = self._loaded.get(name)
        measure("ModelCacheHit", 0 if loaded is None else 1)
        if loaded is None:
            started = time.perf_counter_ns()
            loaded = await self._load(name, target_model, measure)
            measure("ModelLoadingWaitTime", _us_since(started))
        else:
            loaded.users += 1
        with self._in_use(name, loaded):
            started = time.perf_counter_ns()
            answer = await self.post(f"/models/{name}/invoke".encode(), headers, body)
            measure("ModelLatency", _us_since(started))
        return answer

    @contextmanager
    def _in_use(self, name: str, loaded: _Loaded) -> Iterator[None]:
        """End one use, which has been counted already."""
        try:
            if name in self._loaded:
                self._loaded.move_to_end(name)
            yield
        finally:
            loaded.users -= 1
            if not loaded.users:
                self._released.set()

    async def _load(self, name: str, target_model: str, measure: Measure) -> _Loaded:
        """Load a model and count one use of it, which keeps it from being unloaded again at once."""
        async with self._locks.setdefault(name, asyncio.Lock()):
            loaded = self._loaded.get(name)
            if loaded is None:
                await self._download(name, target_model, measure)
                await self._post(name, measure)
                loaded = self._loaded[name] = _Loaded()
            loaded.users += 1
            return loaded

    async def _download(self, name: str, target_model: str, measure: Measure) -> None:
        folder = self.folder / name
        if folder.is_dir():  # still on the disk since it was loaded before
            return
        started = time.perf_counter_ns()
        prefix = self.plan.model_data.rstrip("/")
        try:
            content = await artefacts.fetch(self.gateway, f"{prefix}/{target_model.lstrip('/')}")
            await artefacts.unpack(content, folder)
        except artefacts.NoArtefact as err:
            raise no_such_model(str(err)) from err
        measure("ModelDownloadingTime", _us_since(started))

    async def _post(self, name: str, measure: Measure) -> None:
        started = time.perf_counter_ns()
        deadline = time.monotonic() + _LOAD_TIMEOUT_S
        body = json.dumps({"model_name": name, "url": str(self.folder / name)}).encode()
        while True:
            self._released.clear()
            answer = await self.worker.client.ask(b"POST", b"/models", [(b"content-type", b"application/json")], body)
            if answer.status in {200, _ALREADY_LOADED}:
                measure("ModelLoadingTime", _us_since(started))
                return
            if answer.status != _NO_ROOM:
                raise AwsError(
                    "ModelError",
                    f"Received server error ({answer.status}) from model with message "
                    f'"{answer.body.decode("utf-8", "replace")[:2000]}".',
                    status=424,
                    fields={
                        "OriginalStatusCode": answer.status,
                        "OriginalMessage": answer.body.decode("utf-8", "replace"),
                    },
                )
            if not await self._unload_one(measure):
                await self._wait_for_release(deadline)

    async def _wait_for_release(self, deadline: float) -> None:
        try:
            await asyncio.wait_for(self._released.wait(), max(0.0, deadline - time.monotonic()))
        except TimeoutError as err:
            message = "The model is not ready: all models in memory are in use. Try again later."
            raise AwsError("ModelNotReadyException", message, status=429) from err

    async def _unload_one(self, measure: Measure) -> bool:
        """Unload the least recently used model that nobody uses; False if all are in use."""
        for name in list(self._loaded):
            # The lock keeps a request for this model from loading it again before it is gone.
            async with self._locks[name]:
                loaded = self._loaded.get(name)
                if loaded is None or loaded.users:
                    continue
                del self._loaded[name]
                started = time.perf_counter_ns()
                await self.worker.client.ask(b"DELETE", f"/models/{name}".encode(), [])
                measure("ModelUnloadingTime", _us_since(started))
                return True
        return False


def _us_since(started_ns: int) -> int:
    return (time.perf_counter_ns() - started_ns) // 1000
