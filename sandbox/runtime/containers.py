"""The containers of a variant: a model server each, that serves one model or many."""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Awaitable, Mapping
from dataclasses import dataclass
from pathlib import Path

from sandbox.errors import AwsError
from sandbox.runtime import artefacts
from sandbox.runtime.gateway_client import GatewayClient
from sandbox.runtime.http_client import Answer, Headers
from sandbox.runtime.series import Measure
from sandbox.runtime.worker_process import NotHealthy, Worker, WorkerFacts

LOG = logging.getLogger(__name__)

_RESTART_PAUSE_S = 0.5
_WATCH_EVERY_S = 1.0
MIB = 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class ContainerPlan:
    """One container of a model as the control plane wants it."""

    name: str
    framework: str
    model_data: str
    multi: bool
    environment: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a container runs: folders, limits, and the log its server writes."""

    folder: Path
    sockets: Path
    log_folder: Path
    memory_bytes: int
    start_timeout_s: float


class Container:
    """One container with one model."""

    def __init__(self, plan: ContainerPlan, place: Place, gateway: GatewayClient) -> None:
        self.plan = plan
        self.place = place
        self.gateway = gateway
        self.folder = place.folder / plan.name
        self._ready = asyncio.Event()
        self._stopping = False
        self._watcher: asyncio.Task[None] | None = None
        self.worker = Worker(self._facts(), place.sockets / artefacts.folder_name(str(self.folder))[:16])

    async def start(self) -> None:
        """Fetch the model and start its server. Raises: NoArtefact, NotHealthy."""
        self._stopping = False
        await self._prepare()
        await self.worker.start()
        self._ready.set()
        self._watcher = asyncio.create_task(self._watch())

    async def stop(self) -> None:
        """End the server; what was fetched stays until the fleet is removed."""
        self._stopping = True
        if self._watcher is not None:
            self._watcher.cancel()
        self._ready.clear()
        await self.worker.stop()

    async def ask(self, headers: Headers, body: bytes, target_model: str, measure: Measure) -> Answer:
        """Ask the model. Raises: AwsError, OSError if the server dies over it."""
        del target_model, measure
        return await self.post(b"/invocations", headers, body)

    async def post(self, path: bytes, headers: Headers, body: bytes) -> Answer:
        """Send a request to the server; one that has died meanwhile is waited for. Raises: OSError."""
        await self._ready.wait()
        try:
            return await self.worker.client.ask(b"POST", path, headers, body)
        except (ConnectionRefusedError, FileNotFoundError):  # nobody has taken the request
            self._ready.clear()
            await self._ready.wait()
            return await self.worker.client.ask(b"POST", path, headers, body)

    async def ask_in_parts(self, headers: Headers, body: bytes) -> tuple[Answer, AsyncIterator[bytes]]:
        """Ask the model for an answer in parts. Raises: OSError."""
        await self._ready.wait()
        return await self.worker.client.ask_in_parts(b"POST", b"/invocations", headers, body)

    async def _prepare(self) -> None:
        if self.plan.model_data:
            await artefacts.unpack(await artefacts.fetch(self.gateway, self.plan.model_data), self.folder)
        else:
            self.folder.mkdir(parents=True, exist_ok=True)

    def _facts(self) -> WorkerFacts:
        return WorkerFacts(
            name=self.plan.name,
            framework=self.plan.framework,
            folder=self.folder,
            environment=self.plan.environment,
            memory_bytes=self.place.memory_bytes,
            room_bytes=0,
            log=self.place.log_folder / f"{self.plan.name}.log",
            start_timeout_s=self.place.start_timeout_s,
        )

    def lost(self) -> None:
        """Called when the server has died and what it had loaded is gone."""

    async def _watch(self) -> None:
        """Start the server again when it dies, and end it when it takes more memory than its instance has."""
        while not self._stopping:
            await self.worker.ended(within_s=_WATCH_EVERY_S)
            if self.worker.memory_bytes() > self.place.memory_bytes:
                LOG.warning("%s: out of memory, its server is ended", self.plan.name)
                await self.worker.stop()
            if not self.worker.is_running:
                self._ready.clear()
                self.lost()
                try:
                    await self.worker.start()
                except NotHealthy as err:
                    LOG.warning("%s: its server does not start again: %s", self.plan.name, err)
                    await asyncio.sleep(_RESTART_PAUSE_S)
                else:
                    self._ready.set()


async def timed(work: Awaitable[Answer]) -> tuple[Answer, int]:
    """Give an answer and the microseconds it took."""
    started = time.perf_counter_ns()
    answer = await work
    return answer, (time.perf_counter_ns() - started) // 1000


def no_such_model(message: str) -> AwsError:
    """The error of a model that can't be had."""
    return AwsError("ValidationError", message)
