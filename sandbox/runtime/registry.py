"""Everything the runtime runs: fleets, endpoints, the queue, and what is measured."""

import asyncio
import contextlib
import logging
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from sandbox.runtime.asynchronous import SCHEMA, AsyncQueue
from sandbox.runtime.capture import Capture
from sandbox.runtime.fleet import Fleet, FleetPlan
from sandbox.runtime.gateway_client import GatewayClient
from sandbox.runtime.recorder import Recorder, this_minute
from sandbox.runtime.routes import AsyncPlan, CapturePlan, Endpoint, Side, Variant
from sandbox.runtime.series import VariantSeries
from sandbox.state import Database

LOG = logging.getLogger(__name__)

_ENDPOINT_WAIT_S = 30.0


class Registry:
    """The fleets by id and the endpoints by region and name."""

    def __init__(self, *, folder: Path, sockets: Path, control_url: str, token: str) -> None:
        self.folder = folder
        self.gateway = GatewayClient(control_url, token)
        self.capture = Capture(self.gateway)
        self.fleets: dict[str, Fleet] = {}
        self.endpoints: dict[tuple[str, str], Endpoint] = {}
        self._sockets = sockets
        self._recorders: dict[str, Recorder] = {}
        self.queue = AsyncQueue(
            Database(folder / "queue.sqlite", SCHEMA),
            self.gateway,
            lambda region, name: self.endpoints.get((region, name)),
            self.recorder,
        )
        # Endpoints in service that are not routed yet, after a restart; known once the control process has named them.
        self._expected: dict[tuple[str, str], asyncio.Event] = {}
        self._expected_known = asyncio.Event()

    def recorder(self, region: str) -> Recorder:
        """Give the recorder of a region."""
        if region not in self._recorders:
            self._recorders[region] = Recorder(region)
        return self._recorders[region]

    async def start_fleet(self, document: dict[str, Any]) -> None:
        """Start a fleet and wait until it is ready. Raises: fleet.NotStarted."""
        plan = FleetPlan.read(document)
        if plan.id in self.fleets:
            return
        fleet = Fleet(
            plan,
            folder=self.folder / "fleets",
            sockets=self._sockets,
            gateway=self.gateway,
            series=VariantSeries(self.recorder(plan.region), plan.endpoint, plan.variant),
        )
        await fleet.start()
        self.fleets[plan.id] = fleet

    async def stop_fleet(self, name: str) -> None:
        """Let a fleet finish its requests and end it."""
        fleet = self.fleets.pop(name, None)
        if fleet is not None:
            await fleet.stop()

    def route(self, document: dict[str, Any]) -> None:
        """Route an endpoint to fleets that are running."""
        sides = tuple(
            Side(
                share=side["share"],
                variants=tuple(
                    Variant(name=variant["name"], weight=variant["weight"], fleet=self.fleets[variant["fleet"]])
                    for variant in side["variants"]
                ),
                capture=_capture(side["capture"]),
                asynchronous=_asynchronous(side["asynchronous"]),
            )
            for side in document["sides"]
        )
        for side in document["sides"]:
            for variant in side["variants"]:
                self.fleets[variant["fleet"]].instances = variant["instances"]
        components = {name: self.fleets[fleet] for name, fleet in document["components"].items()}
        endpoint = Endpoint(name=document["name"], region=document["region"], sides=sides, components=components)
        key = (endpoint.region, endpoint.name)
        self.endpoints[key] = endpoint
        if key in self._expected:
            self._expected.pop(key).set()

    def remove(self, region: str, name: str) -> None:
        """Forget an endpoint; its fleets are stopped by themselves."""
        self.endpoints.pop((region, name), None)
        if (region, name) in self._expected:
            self._expected.pop((region, name)).set()
        self.queue.forget(region, name)

    def expect(self, endpoints: Iterable[tuple[str, str]]) -> None:
        """Let requests for these endpoints wait: they are in service and about to be routed again."""
        for key in endpoints:
            if key not in self.endpoints:
                self._expected.setdefault(key, asyncio.Event())
        self._expected_known.set()

    async def find(self, region: str, name: str) -> Endpoint | None:
        """Give an endpoint, waiting for one that is expected."""
        key = (region, name)
        if key not in self.endpoints:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_ENDPOINT_WAIT_S):
                    await self._expected_known.wait()
                    if key in self._expected:
                        await self._expected[key].wait()
        return self.endpoints.get(key)

    def gauges(self) -> None:
        """Record what AWS publishes once a minute, as of the minute that has just ended."""
        minute = this_minute() - 60
        for fleet in self.fleets.values():
            for name, value in fleet.gauges().items():
                fleet.series.add(name, value, minute)
        self.queue.gauges()

    async def settle(self) -> None:
        """Hand over what was measured and captured, cool what is idle."""
        for fleet in list(self.fleets.values()):
            await fleet.cool()
        await self.capture.flush()
        for recorder in self._recorders.values():
            rows = recorder.take()
            if rows:
                try:
                    await self.gateway.send_metrics(recorder.region, rows)
                except OSError:
                    recorder.give_back(rows)

    async def stop(self) -> None:
        """End all fleets at once; the control process starts them anew the next time."""
        started = time.monotonic()
        await asyncio.gather(*(container.stop() for fleet in self.fleets.values() for container in fleet.containers))
        LOG.info("ended %d fleets in %.1f s", len(self.fleets), time.monotonic() - started)


def _capture(document: dict[str, Any] | None) -> CapturePlan | None:
    if document is None:
        return None
    types = {name: frozenset(document[name]) for name in ("csv_types", "json_types")}
    return CapturePlan(**{**document, **types})


def _asynchronous(document: dict[str, Any] | None) -> AsyncPlan | None:
    if document is None:
        return None
    return AsyncPlan(**{**document, "include_in": tuple(document["include_in"])})
