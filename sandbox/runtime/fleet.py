"""A fleet: the containers behind one variant of an endpoint, or one inference component, or a transform job."""

import asyncio
import shutil
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from sandbox.errors import AwsError
from sandbox.runtime.artefacts import NoArtefact
from sandbox.runtime.containers import MIB, Container, ContainerPlan, Place, timed
from sandbox.runtime.gateway_client import GatewayClient
from sandbox.runtime.http_client import Answer, Headers
from sandbox.runtime.multi_model import MultiModelContainer
from sandbox.runtime.recorder import this_minute
from sandbox.runtime.series import VariantSeries
from sandbox.runtime.worker_process import NotHealthy

_DRAIN_S = 60.0


class NotStarted(Exception):
    """A fleet that did not come up; the message is an endpoint's FailureReason."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Serverless:
    """What makes a variant serverless."""

    max_concurrency: int
    idle_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class FleetPlan:
    """What the control plane wants to run."""

    id: str
    endpoint: str
    variant: str
    region: str
    instances: int
    memory_mb: int
    direct: bool
    containers: tuple[ContainerPlan, ...]
    serverless: Serverless | None
    timeout_s: float
    start_timeout_s: float

    @classmethod
    def read(cls, document: dict[str, Any]) -> Self:
        """Read a plan as the control plane sends it."""
        serverless = document["serverless"]
        return cls(
            **{
                **document,
                "containers": tuple(ContainerPlan(**container) for container in document["containers"]),
                "serverless": Serverless(**serverless) if serverless else None,
            }
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One request to a fleet."""

    body: bytes
    headers: Headers
    accept: bytes
    target_model: str = ""
    target_container: str = ""


class Fleet:
    """Runs a plan."""

    def __init__(
        self, plan: FleetPlan, *, folder: Path, sockets: Path, gateway: GatewayClient, series: VariantSeries
    ) -> None:
        self.plan = plan
        self.series = series
        self.instances = plan.instances
        self.in_flight = 0
        self._folder = folder / plan.id
        self._changing = asyncio.Lock()
        self._is_up = False
        self._idle_since = time.monotonic()
        place = Place(
            folder=self._folder,
            sockets=sockets,
            log_folder=folder.parent / "logs" / plan.endpoint / plan.variant,
            memory_bytes=plan.memory_mb * MIB,
            start_timeout_s=plan.start_timeout_s,
        )
        self.containers: list[Container] = [
            (MultiModelContainer if container.multi else Container)(container, place, gateway)
            for container in plan.containers
        ]
        self._by_name = {container.plan.name: container for container in self.containers}

    async def start(self) -> None:
        """Start all containers; a serverless fleet is started once to see that it can be, then left cold.

        Raises: NotStarted.
        """
        await self._up()
        if self.plan.serverless is not None:
            await self._down()

    async def stop(self) -> None:
        """Let requests finish, then end the containers and remove their files."""
        deadline = time.monotonic() + _DRAIN_S
        while self.in_flight and time.monotonic() < deadline:  # noqa: ASYNC110 (a counter on the hot path)
            await asyncio.sleep(0.02)
        await self._down()
        await asyncio.to_thread(shutil.rmtree, self._folder, ignore_errors=True)

    async def cool(self) -> None:
        """End the containers of a serverless fleet that has been idle for long enough."""
        serverless = self.plan.serverless
        if serverless is None or not self._is_up or self.in_flight:
            return
        if time.monotonic() - self._idle_since >= serverless.idle_s:
            await self._down()

    async def invoke(self, call: Call) -> tuple[Answer, int]:
        """Answer one request; gives the answer and the microseconds that the model took. Raises: AwsError."""
        self._admit()
        self.in_flight += 1
        try:
            if not self._is_up:
                await self._warm_up()
            return await asyncio.wait_for(self._dispatch(call), self.plan.timeout_s)
        except TimeoutError as err:
            name = self._name_in_errors(self.containers[0])
            raise _model_error(
                0,
                f'Received server error (0) from {name} with message "Your invocation timed out while waiting for a '
                f"response from container {name}. Review the latency metrics for each container in Amazon CloudWatch, "
                'resolve the issue, and try again."',
                "",
            ) from err
        except OSError as err:
            raise self._died(err) from err
        finally:
            self.in_flight -= 1
            self._idle_since = time.monotonic()

    async def invoke_in_parts(self, call: Call) -> tuple[Answer, AsyncIterator[bytes]]:
        """Answer one request in parts; only a single container can. Raises: AwsError."""
        if len(self.containers) > 1 or self.plan.containers[0].multi:
            raise AwsError("ValidationError", "Response streams need an endpoint with a single model.")
        self._admit()
        self.in_flight += 1
        try:
            if not self._is_up:
                await self._warm_up()
            headers = [*call.headers, (b"accept", call.accept)] if call.accept else call.headers
            answer, parts = await self.containers[0].ask_in_parts(headers, call.body)
        except BaseException as err:
            self.in_flight -= 1
            if isinstance(err, OSError):
                raise self._died(err) from err
            raise

        async def counted() -> AsyncIterator[bytes]:
            try:
                async for part in parts:
                    yield part
            finally:
                self.in_flight -= 1
                self._idle_since = time.monotonic()

        return answer, counted()

    def gauges(self) -> dict[str, float]:
        """What AWS publishes every minute about an instance: models in memory, memory in use (percent)."""
        found: dict[str, float] = {}
        if not self._is_up:
            return found
        for container in self.containers:
            if isinstance(container, MultiModelContainer):
                found["LoadedModelCount"] = container.loaded_count
        used = sum(container.worker.memory_bytes() for container in self.containers)
        found["MemoryUtilization"] = round(100 * used / (self.plan.memory_mb * MIB), 3)
        return found

    async def _dispatch(self, call: Call) -> tuple[Answer, int]:
        accept = [(b"accept", call.accept)] if call.accept else []
        if self.plan.direct:
            container = self._by_name.get(call.target_container)
            if container is None:
                names = ", ".join(sorted(self._by_name))
                raise AwsError("ValidationError", f"TargetContainerHostname must be one of: {names}")
            minute = this_minute()
            answer, model_us = await self._ask(container, call, call.headers + accept, call.body)
            self.series.add("Invocations", 1, minute, container=call.target_container)
            self.series.add("ContainerLatency", model_us, minute, container=call.target_container)
            return answer, model_us
        if len(self.containers) == 1:
            return await self._ask(self.containers[0], call, call.headers + accept, call.body)
        return await self._chain(call, accept)

    async def _chain(self, call: Call, accept: Headers) -> tuple[Answer, int]:
        """Pass the body through the containers in order; what one answers the next is asked."""
        answer = Answer(200, call.headers, call.body)
        total_us = 0
        headers = call.headers
        for container in self.containers:
            last = container is self.containers[-1]
            answer, model_us = await self._ask(container, call, headers + (accept if last else []), answer.body)
            self.series.add("ContainerLatency", model_us, this_minute(), container=container.plan.name)
            total_us += model_us
            kept = [header for header in call.headers if header[0] != b"content-type"]
            headers = [*kept, (b"content-type", answer.header(b"content-type"))]
        return answer, total_us

    async def _ask(self, container: Container, call: Call, headers: Headers, body: bytes) -> tuple[Answer, int]:
        model_us = 0
        minute = this_minute()

        def measure(name: str, value: float) -> None:
            nonlocal model_us
            if name == "ModelLatency":
                model_us = int(value)
            else:
                self.series.add(name, value, minute)

        answer, took_us = await timed(container.ask(headers, body, call.target_model, measure))
        if not container.plan.multi:
            model_us = took_us
        if answer.status >= 300:
            name = self._name_in_errors(container)
            text = answer.body.decode("utf-8", "replace")[:2000]
            kind = "client" if answer.status < 500 else "server"
            message = f'Received {kind} error ({answer.status}) from {name} with message "{text}".'
            raise _model_error(answer.status, message, text)
        return answer, model_us

    def _died(self, err: OSError) -> AwsError:
        name = self._name_in_errors(self.containers[0])
        text = f"the model server ended while it answered ({err})"
        return _model_error(500, f'Received server error (500) from {name} with message "{text}"', text)

    def _name_in_errors(self, container: Container) -> str:
        if container.plan.multi:
            return "model"
        return "primary" if len(self.containers) == 1 else container.plan.name

    def _admit(self) -> None:
        serverless = self.plan.serverless
        if serverless is not None and self.in_flight >= serverless.max_concurrency:
            raise AwsError("ThrottlingException", "Rate exceeded: the endpoint's MaxConcurrency is reached", status=429)

    async def _warm_up(self) -> None:
        """Start a fleet that is cold; the first request that waits for it records the time."""
        started = time.perf_counter_ns()
        async with self._changing:
            if self._is_up:
                return
            try:
                await self._up_unlocked()
            except NotStarted as err:
                raise _model_error(500, str(err), str(err)) from err
            self.series.add("ModelSetupTime", (time.perf_counter_ns() - started) // 1000, this_minute())

    async def _up(self) -> None:
        async with self._changing:
            await self._up_unlocked()

    async def _up_unlocked(self) -> None:
        try:
            await asyncio.gather(*(container.start() for container in self.containers))
        except NoArtefact as err:
            await self._end_containers()
            raise NotStarted(str(err)) from err
        except NotHealthy as err:
            await self._end_containers()
            raise NotStarted(
                f"The primary container for production variant {self.plan.variant} did not pass the ping health check. "
                f"Please check CloudWatch logs for this endpoint. (Its server said last: {err})"
            ) from err
        self._is_up = True
        self._idle_since = time.monotonic()

    async def _down(self) -> None:
        async with self._changing:
            self._is_up = False
            await self._end_containers()

    async def _end_containers(self) -> None:
        await asyncio.gather(*(container.stop() for container in self.containers))


def _model_error(status: int, message: str, original: str) -> AwsError:
    fields = {"OriginalStatusCode": status, "OriginalMessage": original, "LogStreamArn": ""}
    return AwsError("ModelError", message, status=424, fields=fields)
