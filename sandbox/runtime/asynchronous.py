"""Asynchronous invocations: a queue that survives the process, results and failures in S3, notices on SNS."""

import asyncio
import functools
import json
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sandbox.errors import AwsError
from sandbox.runtime.fleet import Call
from sandbox.runtime.gateway_client import GatewayClient, NoObject
from sandbox.runtime.recorder import ENDPOINT, MICROSECONDS, Recorder, this_minute
from sandbox.runtime.routes import AsyncPlan, Endpoint
from sandbox.state import Database

LOG = logging.getLogger(__name__)

SCHEMA = """
CREATE TABLE IF NOT EXISTS queue (
    position INTEGER PRIMARY KEY, region TEXT, endpoint TEXT, request TEXT, body BLOB, received REAL
);
"""
_LARGEST_RESPONSE_IN_NOTICE = 128 * 1024  # API reference, AsyncInferenceNotificationConfig
_POLL_S = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class Accepted:
    """One accepted request. `input_location` is empty if the body came with the request."""

    inference_id: str
    content_type: str
    accept: str
    custom_attributes: str
    input_location: str
    output_location: str
    failure_location: str
    timeout_s: float
    time_to_live_s: float


class AsyncQueue:
    """The requests of all endpoints that have been accepted and not been answered."""

    def __init__(
        self,
        database: Database,
        gateway: GatewayClient,
        find: Callable[[str, str], Endpoint | None],
        recorder: Callable[[str], Recorder],
    ) -> None:
        self._database = database
        self._gateway = gateway
        self._find = find
        self._recorder = recorder
        self._busy: dict[int, asyncio.Task[None]] = {}

    def put(self, region: str, endpoint: str, request: Accepted, body: bytes) -> None:
        """Keep a request; when this returns it will be answered, whatever happens to the process."""
        document = json.dumps({name: getattr(request, name) for name in Accepted.__slots__})
        self._database.write(
            "INSERT INTO queue (region, endpoint, request, body, received) VALUES (?, ?, ?, ?, ?)",
            (region, endpoint, document, body, time.time()),
        )

    async def run(self) -> None:
        """Answer requests as long as the process lives."""
        while True:
            for region, endpoint_name in self._database.read("SELECT DISTINCT region, endpoint FROM queue"):
                endpoint = self._find(region, endpoint_name)
                if endpoint is not None:
                    self._fill(endpoint)
            await asyncio.sleep(_POLL_S)

    def stop(self) -> None:
        """Break off what is under way; it stays in the queue."""
        for task in self._busy.values():
            task.cancel()

    def forget(self, region: str, endpoint: str) -> None:
        """Drop the requests of an endpoint that was deleted."""
        self._database.write("DELETE FROM queue WHERE region = ? AND endpoint = ?", (region, endpoint))

    def gauges(self) -> None:
        """Record what AWS publishes every minute about a queue."""
        now, minute = time.time(), this_minute()
        rows = self._database.read("SELECT region, endpoint, COUNT(*), MIN(received) FROM queue GROUP BY 1, 2")
        for region, name, size, oldest in rows:
            for metric, value, unit in (
                ("ApproximateBacklogSize", size, "Count"),
                ("ApproximateBacklogSizePerInstance", size, "Count"),
                ("ApproximateAgeOfOldestRequest", round(now - oldest, 3), "Seconds"),
                ("HasBacklogWithoutCapacity", 0, "Count"),
            ):
                self._recorder(region).series(ENDPOINT, metric, (("EndpointName", name),), unit).add(value, minute)

    def _fill(self, endpoint: Endpoint) -> None:
        plan = endpoint.sides[0].asynchronous
        if plan is None:
            return
        rows = self._database.read(
            "SELECT position, request, body, received FROM queue WHERE region = ? AND endpoint = ? "
            "ORDER BY position LIMIT ?",
            (endpoint.region, endpoint.name, plan.concurrency),
        )
        for position, request, body, received in rows:
            if position not in self._busy:
                task = asyncio.create_task(
                    self._answer(endpoint, plan, Accepted(**json.loads(request)), body, received)
                )
                self._busy[position] = task
                task.add_done_callback(functools.partial(self._done, position))

    def _done(self, position: int, task: "asyncio.Task[None]") -> None:
        if task.cancelled():
            return
        del self._busy[position]
        err = task.exception()
        if isinstance(err, OSError):  # the gateway is away: the request stays in the queue
            return
        if err is not None:
            LOG.error("an asynchronous invocation failed in the sandbox itself", exc_info=err)
        self._database.write("DELETE FROM queue WHERE position = ?", (position,))

    async def _answer(
        self, endpoint: Endpoint, plan: AsyncPlan, request: Accepted, body: bytes, received: float
    ) -> None:
        _, variant, fleet = endpoint.choose(target_variant="", component="")
        dimensions = (("EndpointName", endpoint.name), ("VariantName", variant))

        def measure(name: str, value: float, unit: str = "Count") -> None:
            self._recorder(endpoint.region).series(ENDPOINT, name, dimensions, unit).add(value, this_minute())

        waited_s = time.time() - received
        measure("TimeInBacklog", round(waited_s * 1000, 3), "Milliseconds")
        try:
            content = await self._input(request, body, waited_s, measure)
            headers = [(b"content-type", request.content_type.encode())]
            if request.custom_attributes:
                headers.append((b"x-amzn-sagemaker-custom-attributes", request.custom_attributes.encode()))
            headers.append((b"x-amzn-sagemaker-inference-id", request.inference_id.encode()))
            call = Call(body=content, headers=headers, accept=request.accept.encode())
            answer, model_us = await asyncio.wait_for(fleet.invoke(call), request.timeout_s)
            measure("ModelLatency", model_us, MICROSECONDS)
            kind = answer.header(b"content-type").decode()
            await self._upload(request.output_location, answer.body, kind, measure)
        except (AwsError, NoObject, TimeoutError) as err:
            measure("InvocationFailures", 1)
            await self._fail(endpoint, plan, request, received, _reason(err), measure)
        else:
            response = {"contentType": kind, "outputLocation": request.output_location}
            if "SUCCESS_NOTIFICATION_TOPIC" in plan.include_in and len(answer.body) <= _LARGEST_RESPONSE_IN_NOTICE:
                response["body"] = {"content": answer.body.decode("utf-8", "replace"), "encoding": "UTF-8"}  # type: ignore[assignment]
            notice = {**_notice(endpoint, request, received, "Completed"), "responseParameters": response}
            await self._publish(plan.success_topic, endpoint.region, notice, measure)
        measure("InvocationsProcessed", 1)
        measure("TotalProcessingTime", round((time.time() - received) * 1000, 3), "Milliseconds")

    async def _input(self, request: Accepted, body: bytes, waited_s: float, measure: Callable[..., None]) -> bytes:
        if waited_s > request.time_to_live_s:
            measure("ExpiredRequests", 1)
            raise AwsError("RequestExpired", "The request waited longer than its RequestTTLSeconds.")
        if not request.input_location:
            return body
        started = time.perf_counter_ns()
        try:
            content = await self._gateway.get_object(request.input_location)
        except NoObject as err:
            measure("RequestDownloadFailures", 1)
            message = f"The input {request.input_location} can't be read."
            raise AwsError("ValidationError", message) from err
        measure("RequestDownloadLatency", (time.perf_counter_ns() - started) // 1000, MICROSECONDS)
        return content

    async def _upload(self, location: str, content: bytes, kind: str, measure: Callable[..., None]) -> None:
        started = time.perf_counter_ns()
        try:
            await self._gateway.put_object(location, content, kind)
        except NoObject:
            measure("ResponseUploadFailures", 1)
            raise
        measure("ResponseUploadLatency", (time.perf_counter_ns() - started) // 1000, MICROSECONDS)

    async def _fail(
        self,
        endpoint: Endpoint,
        plan: AsyncPlan,
        request: Accepted,
        received: float,
        reason: str,
        measure: Callable[..., None],
    ) -> None:
        if request.failure_location:
            try:
                await self._gateway.put_object(request.failure_location, reason.encode(), "text/plain")
            except NoObject:
                measure("ResponseUploadFailures", 1)
        notice = {**_notice(endpoint, request, received, "Failed"), "failureReason": reason}
        if request.failure_location:
            notice["responseParameters"] = {"failureLocation": request.failure_location}
        await self._publish(plan.error_topic, endpoint.region, notice, measure)

    async def _publish(self, topic: str, region: str, notice: dict[str, Any], measure: Callable[..., None]) -> None:
        if topic and not await self._gateway.publish(topic, region, notice):
            measure("NotificationFailures", 1)


def _notice(endpoint: Endpoint, request: Accepted, received: float, status: str) -> dict[str, Any]:
    """The members of a notice. Source: SageMaker developer guide, "Check prediction results", read 2026-11."""
    return {
        "awsRegion": endpoint.region,
        "eventTime": _time(time.time()),
        "receivedTime": _time(received),
        "invocationStatus": status,
        "requestParameters": {
            "contentType": request.content_type,
            "endpointName": endpoint.name,
            "inputLocation": request.input_location,
        },
        "inferenceId": request.inference_id,
        "eventVersion": "1.0",
        "eventSource": "aws:sagemaker",
        "eventName": "InferenceResult",
    }


def _time(epoch_s: float) -> str:
    moment = datetime.fromtimestamp(epoch_s, UTC)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03d}Z"


def _reason(err: Exception) -> str:
    if isinstance(err, AwsError):
        return err.message
    if isinstance(err, NoObject):
        return f"The result can't be written to {err}."
    return "The invocation timed out."
