"""Ask a launched endpoint: at once, through a queue, one model or container of several, with a sample's own request."""

import time
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from botocore.exceptions import ClientError

from fitness.errors import InputError, Problem
from launch import samples
from launch.bucket import is_missing, split_uri
from launch.clients import Clients, explained
from launch.errors import FailedError
from launch.models import MANY_MODELS
from launch.request import Request
from launch.roles import async_prefix
from launch.samples import Sample
from launch.settings import settings_of
from launch.template_parts import VARIANT

WITHIN_S = 60.0
_FIRST_LOOK_S, _LATER_S = 0.1, 2.0
_MOST_REASON = 10_000  # bytes of what a failure says


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """What one request carries."""

    body: bytes
    content_type: str = "text/csv"
    accept: str | None = None
    target_model: str | None = None  # the archive's key under the prefix, of a multi-model endpoint
    target_container: str | None = None  # a container's host name, of containers that are asked directly
    target_variant: str | None = None
    component: str | None = None  # an inference component's name

    @property
    def target(self) -> str | None:
        """Which model, container or variant is asked, where there are several."""
        return self.target_model or self.target_container or self.target_variant

    @property
    def parameters(self) -> dict[str, Any]:
        """The parameters of InvokeEndpoint besides the endpoint."""
        given = {
            "Body": self.body,
            "ContentType": self.content_type,
            "Accept": self.accept,
            "TargetModel": self.target_model,
            "TargetContainerHostname": self.target_container,
            "TargetVariant": self.target_variant,
            "InferenceComponentName": self.component,
        }
        return {name: value for name, value in given.items() if value is not None}


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What came back."""

    body: bytes
    content_type: str
    latency_s: float  # as the caller saw it, attempts that were tried again included
    variant: str | None = None
    attempts: int = 1

    @property
    def text(self) -> str:
        """The body as text, with a mark for what is none."""
        return self.body.decode("utf-8", "replace")


@dataclass(frozen=True, slots=True, kw_only=True)
class Pending:
    """A request in an asynchronous endpoint's queue."""

    inference_id: str
    output_uri: str
    failure_uri: str | None
    sent: float  # seconds, of the clock that `collect` reads


def invoke(clients: Clients, endpoint: str, call: Call) -> Answer:
    """Ask and wait for the answer. Raises: CloudError, also when the model itself fails."""
    with explained():
        return ask(clients("sagemaker-runtime"), endpoint, call)


def ask(runtime: Any, endpoint: str, call: Call) -> Answer:
    """Ask with a client at hand. Raises: ClientError, BotoCoreError."""
    started = time.perf_counter()
    answer = runtime.invoke_endpoint(EndpointName=endpoint, **call.parameters)
    body = answer["Body"].read()
    return Answer(
        body=body,
        content_type=answer.get("ContentType", ""),
        latency_s=time.perf_counter() - started,
        variant=answer.get("InvokedProductionVariant"),
        attempts=1 + answer["ResponseMetadata"].get("RetryAttempts", 0),
    )


def send(clients: Clients, request: Request, call: Call) -> Pending:
    """Put a request into the queue of an asynchronous endpoint; its body is kept in S3. Raises: CloudError."""
    with explained():
        account = clients("sts").get_caller_identity()["Account"]
        prefix = async_prefix(request).format(account=account, region=request.region).rstrip("/")
        uri = f"{prefix}/input/{uuid.uuid4()}"
        bucket, key = split_uri(uri)
        clients("s3").put_object(Bucket=bucket, Key=key, Body=call.body, ContentType=call.content_type)
        accept = {} if call.accept is None else {"Accept": call.accept}
        answer = clients("sagemaker-runtime").invoke_endpoint_async(
            EndpointName=request.name, InputLocation=uri, ContentType=call.content_type, **accept
        )
    return Pending(
        inference_id=answer["InferenceId"],
        output_uri=answer["OutputLocation"],
        failure_uri=answer.get("FailureLocation"),
        sent=time.time(),
    )


def collect(clients: Clients, pending: Pending) -> Answer | None:
    """Look once for the answer; None while the request waits.

    Its latency is the time until it was seen here: S3 knows only the second in which it was written.
    Raises: FailedError with the model's words; CloudError.
    """
    with explained():
        s3 = clients("s3")
        found = _object(s3, pending.output_uri)
        if found is not None:
            return Answer(
                body=found["Body"].read(),
                content_type=found.get("ContentType", ""),
                latency_s=time.time() - pending.sent,
            )
        failed = _object(s3, pending.failure_uri) if pending.failure_uri else None
        if failed is not None:
            reason = failed["Body"].read(_MOST_REASON).decode("utf-8", "replace")
            message = f"The model did not answer request {pending.inference_id}: {reason}"
            raise FailedError(message)
    return None


def invoke_async(
    clients: Clients,
    request: Request,
    call: Call,
    *,
    within_s: float = WITHIN_S,
    sleep: Callable[[float], None] = time.sleep,
) -> Answer:
    """Put a request into the queue and wait for its answer; for the command line, never for a page.

    Raises: FailedError, also when no answer comes in time; CloudError.
    """
    pending = send(clients, request, call)
    deadline, pause_s = time.monotonic() + within_s, _FIRST_LOOK_S
    while (answer := collect(clients, pending)) is None:
        if time.monotonic() >= deadline:
            message = f"No answer within {within_s:g} s; it will be at {pending.output_uri}"
            raise FailedError(message)
        sleep(pause_s)
        pause_s = min(pause_s * 1.5, _LATER_S)
    return answer


def examples(request: Request, known: Sequence[Sample]) -> tuple[Call, ...]:
    """Give requests that a launch of samples answers: one for each model, container or variant that can be asked."""
    by_name = {f"{samples.PREFIX}{one.name}": one for one in known}
    by_group: dict[str, list[Sample]] = {}
    for one in known:
        by_group.setdefault(f"{samples.PREFIX}{one.group}", []).append(one)
    if request.option in MANY_MODELS:
        members = [one for model in request.models for one in by_group.get(model.source, [])]
        return tuple(_call(one, target_model=one.uri.rpartition("/")[2]) for one in members)
    if request.variants:
        beside = [(VARIANT, request.models[0]), *((one.name, one.model) for one in request.variants)]
        return tuple(
            _call(by_name[model.source], target_variant=name) for name, model in beside if model.source in by_name
        )
    found = [(model, by_name[model.source]) for model in request.models if model.source in by_name]
    if request.option == "mce_direct":
        return tuple(_call(one, target_container=model.name) for model, one in found)
    component = request.name if settings_of(request).has_components else None
    first = found[:1] if request.models and found and found[0][0] is request.models[0] else []
    return tuple(_call(one, component=component) for _, one in first)


def own_request(clients: Clients, request: Request, variant: str | None = None) -> Call:
    """Give the request that a launch of a sample answers, or a variant of it; without one, the weights decide.

    Raises: InputError for a model that is no sample, which only its owner knows a request of; CloudError.
    """
    with explained():
        known = samples.read_samples(clients("s3"), clients("sts").get_caller_identity()["Account"])
    wanted = variant or VARIANT
    call = next((one for one in examples(request, known) if one.target_variant in (None, wanted)), None)
    if call is None:
        place = "$.models[0].source" if wanted == VARIANT else "$.variants"
        what = "is no sample" if wanted == VARIANT else f"have no sample called {wanted}"
        raise InputError([Problem(path=place, message=f"{what}, so give a request: a body and its content type")])
    return replace(call, target_variant=variant)


def answer_of(clients: Clients, request: Request, call: Call) -> Answer:
    """Ask a launch in the way of its option, and wait for the answer.

    Raises: FailedError, CloudError.
    """
    if request.option == "async":
        return invoke_async(clients, request, call)
    return invoke(clients, request.name, call)


def _call(
    sample: Sample,
    *,
    target_model: str | None = None,
    target_container: str | None = None,
    target_variant: str | None = None,
    component: str | None = None,
) -> Call:
    return Call(
        body=sample.request.encode(),
        content_type=sample.content_type,
        target_model=target_model,
        target_container=target_container,
        target_variant=target_variant,
        component=component,
    )


def _object(s3: Any, uri: str) -> Any:
    """An object, or None where there is none yet."""
    bucket, key = split_uri(uri)
    try:
        return s3.get_object(Bucket=bucket, Key=key)
    except ClientError as err:
        if is_missing(err):
            return None
        raise
