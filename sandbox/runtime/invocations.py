"""InvokeEndpoint, InvokeEndpointAsync and InvokeEndpointWithResponseStream."""

import json
import re
import time
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

from sandbox.errors import AwsError
from sandbox.runtime.asynchronous import Accepted
from sandbox.runtime.event_stream import payload_part, stream_error
from sandbox.runtime.fleet import Call, Fleet
from sandbox.runtime.http_client import Answer, Headers
from sandbox.runtime.recorder import this_minute
from sandbox.runtime.registry import Registry
from sandbox.runtime.routes import Endpoint, Side

Send = Callable[[dict[str, Any]], Awaitable[None]]
RawHeaders = dict[bytes, bytes]

_PREFIX = b"x-amzn-sagemaker-"
# What a container is told of a request.
_PASSED_ON = (b"x-amzn-sagemaker-custom-attributes", b"x-amzn-sagemaker-inference-id", b"x-amzn-sagemaker-session-id")
_DEFAULT_CONTENT_TYPE = b"application/octet-stream"
# API reference, InvokeEndpointAsync: the names' pattern and the limits of its integers.
_NAME = re.compile(r"[a-zA-Z0-9](?:-*[a-zA-Z0-9]){0,62}")
_LOCATION = re.compile(r"(https|s3)://([^/]+)/?(.*)")
_LIVES_S = (60, 21_600)
_TIMES_OUT_S = (1, 3_600)
_LARGEST_ASYNC_BODY = 128_000
_DEFAULT_TIMEOUT_S = 900  # 15 minutes


class Invocations:
    """Answers the three operations of the runtime."""

    def __init__(self, registry: Registry, account: str) -> None:
        self._registry = registry
        self._account = account

    async def answer(
        self,
        region: str,
        name: str,
        operation: str,
        headers: RawHeaders,
        body: bytes,
        started_ns: int,
        send: Send,
    ) -> None:
        """Answer one request. Raises: AwsError."""
        if not _NAME.fullmatch(name):
            raise AwsError(
                "ValidationError",
                f"1 validation error detected: Value '{name[:200]}' at 'endpointName' failed to satisfy constraint: "
                "Member must satisfy regular expression pattern: ^[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}",
            )
        endpoint = await self._registry.find(region, name)
        if endpoint is None:
            raise AwsError("ValidationError", f"Endpoint {name} of account {self._account} not found.")
        if operation == "invocations":
            await self._invoke(endpoint, headers, body, started_ns, send)
        elif operation == "async-invocations":
            await self._invoke_async(endpoint, headers, body, send)
        elif operation == "invocations-response-stream":
            await self._invoke_with_stream(endpoint, headers, body, started_ns, send)
        else:
            raise AwsError("UnknownOperationException", f"No such operation: {operation[:100]}", status=404)

    async def _invoke(self, endpoint: Endpoint, headers: RawHeaders, body: bytes, started_ns: int, send: Send) -> None:
        side, variant, fleet = self._choose(endpoint, headers)
        try:
            answer, model_us = await fleet.invoke(_call(headers, body, fleet))
        except AwsError as err:
            self._measure_refusal(fleet, err, started_ns)
            raise
        sent = [
            (b"content-type", answer.header(b"content-type") or _DEFAULT_CONTENT_TYPE),
            (b"x-amzn-invoked-production-variant", variant.encode()),
            (b"x-amzn-requestid", str(uuid.uuid4()).encode()),
            (b"x-sandbox-model-latency-us", b"%d" % model_us),
            (b"content-length", b"%d" % len(answer.body)),
        ]
        if attributes := answer.header(b"x-amzn-sagemaker-custom-attributes"):
            sent.append((b"x-amzn-sagemaker-custom-attributes", attributes))
        await send({"type": "http.response.start", "status": 200, "headers": sent})
        await send({"type": "http.response.body", "body": answer.body})
        self._measure(fleet, 200, (time.perf_counter_ns() - started_ns) // 1000, model_us)
        if side.capture is not None:
            self._capture(endpoint, side, variant, headers, body, answer)

    async def _invoke_with_stream(
        self, endpoint: Endpoint, headers: RawHeaders, body: bytes, started_ns: int, send: Send
    ) -> None:
        _, variant, fleet = self._choose(endpoint, headers)
        headers = {**headers, b"accept": headers.get(b"x-amzn-sagemaker-accept", b"")}
        try:
            answer, parts = await fleet.invoke_in_parts(_call(headers, body, fleet))
        except AwsError as err:
            self._measure_refusal(fleet, err, started_ns)
            raise
        model_us = (time.perf_counter_ns() - started_ns) // 1000
        if answer.status >= 300:
            text = b"".join([part async for part in parts]).decode("utf-8", "replace")
            self._measure(fleet, answer.status, model_us, model_us)
            message = f'Received error ({answer.status}) from primary with message "{text[:2000]}".'
            fields = {"OriginalStatusCode": answer.status, "OriginalMessage": text, "LogStreamArn": ""}
            raise AwsError("ModelError", message, status=424, fields=fields)
        sent = [
            (b"content-type", b"application/vnd.amazon.eventstream"),
            (b"x-amzn-sagemaker-content-type", answer.header(b"content-type")),
            (b"x-amzn-invoked-production-variant", variant.encode()),
            (b"x-amzn-requestid", str(uuid.uuid4()).encode()),
        ]
        await send({"type": "http.response.start", "status": 200, "headers": sent})
        await _send_parts(send, parts)
        self._measure(fleet, 200, (time.perf_counter_ns() - started_ns) // 1000, model_us)

    async def _invoke_async(self, endpoint: Endpoint, headers: RawHeaders, body: bytes, send: Send) -> None:
        plan = endpoint.sides[0].asynchronous
        if plan is None:
            message = f"Endpoint {endpoint.name} does not support asynchronous inference."
            raise AwsError("ValidationError", message)
        location = _text(headers, b"inputlocation")
        if bool(location) == bool(body):
            raise AwsError("ValidationError", "Give either InputLocation or Body.")
        if location and not _LOCATION.fullmatch(location):
            raise AwsError("ValidationError", f"Invalid InputLocation: {location[:200]}")
        if len(body) > _LARGEST_ASYNC_BODY:
            raise AwsError("ValidationError", f"Body must have length less than or equal to {_LARGEST_ASYNC_BODY}")
        unique = str(uuid.uuid4())
        folder = "/".join(part for part in (plan.output.rstrip("/"), _text(headers, b"s3outputpathextension")) if part)
        request = Accepted(
            inference_id=_text(headers, b"inference-id") or unique,
            content_type=_text(headers, b"content-type"),
            accept=_text(headers, b"accept"),
            custom_attributes=_text(headers, b"custom-attributes"),
            input_location=location,
            output_location=f"{folder.rstrip('/')}/{_text(headers, b'filename') or f'{unique}.out'}",
            failure_location=f"{plan.failure.rstrip('/')}/{unique}-error.out" if plan.failure else "",
            timeout_s=_seconds(headers, b"invocationtimeoutseconds", _TIMES_OUT_S, _DEFAULT_TIMEOUT_S),
            time_to_live_s=_seconds(headers, b"requestttlseconds", _LIVES_S, _LIVES_S[1]),
        )
        self._registry.queue.put(endpoint.region, endpoint.name, request, body)
        sent = [
            (b"content-type", b"application/json"),
            (b"x-amzn-sagemaker-outputlocation", request.output_location.encode()),
            (b"x-amzn-requestid", str(uuid.uuid4()).encode()),
        ]
        if request.failure_location:
            sent.append((b"x-amzn-sagemaker-failurelocation", request.failure_location.encode()))
        await send({"type": "http.response.start", "status": 202, "headers": sent})
        await send({"type": "http.response.body", "body": json.dumps({"InferenceId": request.inference_id}).encode()})

    def _choose(self, endpoint: Endpoint, headers: RawHeaders) -> tuple[Side, str, Fleet]:
        if endpoint.sides[0].asynchronous is not None:
            message = f"Endpoint {endpoint.name} is asynchronous: use InvokeEndpointAsync."
            raise AwsError("ValidationError", message)
        return endpoint.choose(
            target_variant=_text(headers, b"target-variant"), component=_text(headers, b"inference-component")
        )

    def _measure(self, fleet: Fleet, status: int, total_us: int, model_us: int) -> None:
        instances = 0 if fleet.plan.serverless is not None else fleet.instances
        fleet.series.request(
            status=status, total_us=total_us, model_us=model_us, minute=this_minute(), instances=instances
        )

    def _measure_refusal(self, fleet: Fleet, err: AwsError, started_ns: int) -> None:
        total_us = (time.perf_counter_ns() - started_ns) // 1000
        if err.code == "ModelError":  # the status of a model that did not answer at all is 0
            self._measure(fleet, err.fields["OriginalStatusCode"] or 500, total_us, total_us)
        elif err.code == "ThrottlingException":
            self._measure(fleet, err.status, total_us, 0)

    def _capture(
        self, endpoint: Endpoint, side: Side, variant: str, headers: RawHeaders, body: bytes, answer: Answer
    ) -> None:
        assert side.capture is not None  # noqa: S101 (the caller asked)
        self._registry.capture.record(
            side.capture,
            endpoint=endpoint.name,
            variant=variant,
            asked=(body, headers.get(b"content-type", b"").decode("latin-1")),
            answered=(answer.body, answer.header(b"content-type").decode("latin-1")),
            inference_id=_text(headers, b"inference-id"),
            custom_attributes=_text(headers, b"custom-attributes"),
        )


def _call(headers: RawHeaders, body: bytes, fleet: Fleet) -> Call:
    """Make the call for a fleet of a request's headers. Raises: AwsError ValidationError for a header too many."""
    model = _text(headers, b"target-model")
    container = _text(headers, b"target-container-hostname")
    multi = any(plan.multi for plan in fleet.plan.containers)
    if model and not multi:
        message = (
            f"Endpoint {fleet.plan.endpoint} is not a multi-model endpoint and does not support target model header."
        )
        raise AwsError("ValidationError", message)
    if multi and not model:
        message = f"Endpoint {fleet.plan.endpoint} is a multi-model endpoint: the target model header is required."
        raise AwsError("ValidationError", message)
    if fleet.plan.direct != bool(container):
        message = (
            f"Endpoint {fleet.plan.endpoint} invokes its containers directly: TargetContainerHostname is required."
            if fleet.plan.direct
            else f"Endpoint {fleet.plan.endpoint} does not support TargetContainerHostname."
        )
        raise AwsError("ValidationError", message)
    passed: Headers = [(b"content-type", headers.get(b"content-type", _DEFAULT_CONTENT_TYPE))]
    passed += [(name, headers[name]) for name in _PASSED_ON if name in headers]
    if model:
        passed.append((b"x-amzn-sagemaker-target-model", model.encode()))
    return Call(
        body=body,
        headers=passed,
        accept=headers.get(b"accept", b""),
        target_model=model,
        target_container=container,
    )


def _text(headers: RawHeaders, name: bytes) -> str:
    return headers.get(_PREFIX + name, b"").decode("latin-1")


def _seconds(headers: RawHeaders, name: bytes, between: tuple[int, int], default: int) -> int:
    text = _text(headers, name)
    if not text:
        return default
    if not text.isdigit() or not between[0] <= int(text) <= between[1]:
        message = f"{name.decode()} must be between {between[0]} and {between[1]}, got {text[:20]}"
        raise AwsError("ValidationError", message)
    return int(text)


async def _send_parts(send: Send, parts: AsyncIterator[bytes]) -> None:
    try:
        async for part in parts:
            await send({"type": "http.response.body", "body": payload_part(part), "more_body": True})
    except OSError as err:
        error = stream_error("ModelStreamError", f"the model server ended while it answered ({err})")
        await send({"type": "http.response.body", "body": error, "more_body": True})
    await send({"type": "http.response.body", "body": b""})
