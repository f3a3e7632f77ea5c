"""A bounded load test of a launched endpoint: how long the model works, how much that varies, how many at once.

First one caller alone, then twice as many again and again until more bring nothing, the objective is broken or the
bounds are reached; at last random arrivals, which the simulator has to foretell.
Source: docs/launch/measure.md.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np

from fitness.errors import InputError, Problem
from fitness.workload import Workload
from launch.clients import Clients, explained
from launch.errors import FailedError
from launch.invoke import Call, ask
from launch.measure_load import Ask, Budget, Seen, at_times, closed
from launch.measured import (
    Check,
    Estimate,
    Measurement,
    Stage,
    concurrency_of,
    doubts,
    mean_of,
    percentiles,
    predicted,
    spread_of,
    stage,
    why_to_stop,
)
from launch.template_parts import VARIANT

Progress = Callable[[str, float], None]  # what is done, and the share of the bounds that is used
UNKNOWN_OVERHEAD = (
    "CloudWatch did not know these requests alone in time, so the processing time holds the way there and back."
)
_WARM_UP = 10
_FEWEST = 5  # answers that a stage needs to say anything
_US = 1e-6
_LOOK_EVERY_S = 1.0
_SEED = 20261121


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """What a load test may cost and where it stops."""

    requests: int = 4_000
    seconds: float = 90.0
    callers: int = 64
    stage_requests: int = 400
    stage_seconds: float = 8.0
    objective_ms: float | None = None  # the 99th percentile that ends the ramp
    check_load: float = 0.6  # of the largest throughput seen; 0: no check against the simulator
    metrics_within_s: float = 5.0  # that CloudWatch may take to know the requests; AWS takes some minutes


def objective_ms(workload: Workload | None) -> float | None:
    """Give the 99th percentile that ends the ramp: the latency objective of the workload, if it has one."""
    if workload is None:
        return None
    objectives = workload.objectives
    found = objectives.latency_p99_ms or objectives.latency_p95_ms
    return None if found is None else float(found)


def measure(
    clients: Clients,
    endpoint: str,
    call: Call,
    *,
    bounds: Bounds | None = None,
    distribution: str = "lognormal",
    progress: Progress = lambda _what, _share: None,
) -> Measurement:
    """Measure an endpoint with one request, sent again and again; its load and its bill are real.

    Raises: InputError for bounds or endpoints that can't be measured, FailedError if it does not answer, CloudError.
    """
    bounds = bounds or Bounds()
    with explained():
        instance_type, instances = _instances(clients("sagemaker"), endpoint, bounds)
        run = _Run(clients, endpoint, call, bounds, progress)
        return run.measurement(instance_type, instances, distribution)


class _Run:
    """One load test."""

    def __init__(self, clients: Clients, endpoint: str, call: Call, bounds: Bounds, progress: Progress) -> None:
        self._clients = clients
        self._endpoint = endpoint
        self._bounds = bounds
        self._progress = progress
        self._began = time.monotonic()
        self._budget = Budget(requests=bounds.requests, deadline=self._began + bounds.seconds)
        runtime = clients("sagemaker-runtime")

        def ask_once() -> int:
            return ask(runtime, endpoint, call).attempts

        self._ask: Ask = ask_once

    def measurement(self, instance_type: str, instances: int, distribution: str) -> Measurement:
        """All parts, one after the other."""
        begun_at = datetime.now(UTC)
        before = self._latencies(begun_at)
        self._tell("warming up")
        warm = self._closed(callers=1, requests=_WARM_UP)
        self._tell("one caller alone")
        alone = self._closed(callers=1)
        _needs_answers(alone)
        model_s = self._model_s(begun_at, before, warm.latency_s.size + alone.latency_s.size)
        processing_s = mean_of(alone.latency_s)
        notes, overhead_s = [], None
        if model_s is not None and 0 < model_s <= processing_s.value:
            overhead_s = processing_s.value - model_s
            processing_s = Estimate(
                low=max(processing_s.low - overhead_s, 0.0), value=model_s, high=processing_s.high - overhead_s
            )
        else:
            notes.append(UNKNOWN_OVERHEAD)
        cv = spread_of(alone.latency_s, processing_s.value)
        stages, stopped = self._ramp(_stage(1, alone))
        concurrency = concurrency_of(stages, processing_s, instances)
        check = self._check(stages, processing_s.value, cv.value, distribution, concurrency, instances, overhead_s)
        notes += doubts(processing_s, stages, check)
        return Measurement(
            endpoint=self._endpoint,
            instance_type=instance_type,
            instances=instances,
            taken_at=begun_at,
            processing_s=processing_s,
            cv=cv,
            concurrency=concurrency,
            overhead_s=overhead_s,
            stages=tuple(stages),
            stopped=stopped,
            check=check,
            requests=self._bounds.requests - self._budget.requests,
            seconds=time.monotonic() - self._began,
            notes=tuple(notes),
        )

    def _ramp(self, first: Stage) -> tuple[list[Stage], str]:
        """Twice as many callers each time, until there is a reason to stop; a stage is left for the check."""
        objective_s = None if self._bounds.objective_ms is None else self._bounds.objective_ms / 1000
        stages = [first]
        while (reason := why_to_stop(stages, objective_s) or self._spent()) is None:
            callers = stages[-1].callers * 2
            if callers > self._bounds.callers:
                return stages, f"{self._bounds.callers} callers are allowed"
            self._tell(f"{callers} callers")
            seen = self._closed(callers=callers)
            if seen.latency_s.size < _FEWEST:
                return stages, self._spent() or f"{callers} callers got no answers: {seen.first_error}"
            stages.append(_stage(callers, seen))
        return stages, reason

    def _check(
        self,
        stages: list[Stage],
        processing_s: float,
        cv: float,
        distribution: str,
        concurrency: Estimate,
        instances: int,
        overhead_s: float | None,
    ) -> Check | None:
        """Random arrivals at a share of what was reached, and what the simulator says of them."""
        rps = self._bounds.check_load * max(one.per_s.value for one in stages)
        if rps <= 0:
            return None
        left_s = max(self._budget.deadline - time.monotonic(), 0.0)
        count = min(self._budget.requests, round(rps * min(left_s, self._bounds.stage_seconds)))
        if count < _FEWEST:
            return None
        self._tell(f"random arrivals, {rps:.3g} requests a second")
        due_s = np.cumsum(np.random.default_rng(_SEED).exponential(1 / rps, count))
        seen = at_times(self._ask, due_s, callers=self._bounds.callers, budget=self._budget)
        if seen.latency_s.size < _FEWEST:
            return None
        foretold = predicted(
            due_s,
            processing_s=processing_s,
            cv=cv,
            distribution=distribution,
            servers=max(1, round(concurrency.value)),
            instances=instances,
            overhead_s=overhead_s or 0.0,
            seed=_SEED,
        )
        return Check(
            rps=rps,
            requests=seen.latency_s.size,
            late_p99_s=float(np.percentile(seen.late_s, 99)),
            measured_s=percentiles(seen.latency_s),
            predicted_s=foretold,
        )

    def _closed(self, *, callers: int, requests: int | None = None) -> Seen:
        wanted = self._bounds.stage_requests if requests is None else requests
        return closed(
            self._ask,
            callers=callers,
            requests=wanted,
            seconds=self._bounds.stage_seconds,
            budget=self._budget,
        )

    def _spent(self) -> str | None:
        """Say which bound leaves no room for another stage besides the check; None: neither."""
        kept = self._bounds.check_load > 0
        if self._budget.requests <= self._bounds.stage_requests * kept:
            return f"the bound of {self._bounds.requests} requests"
        if time.monotonic() + self._bounds.stage_seconds * kept >= self._budget.deadline:
            return f"the bound of {self._bounds.seconds:g} s"
        return None

    def _model_s(self, since: datetime, before: tuple[int, float], requests: int) -> float | None:
        """The mean of ModelLatency over exactly these requests; None if it is not known, or others came too."""
        deadline = time.monotonic() + self._bounds.metrics_within_s
        while True:
            count, total_us = (now - then for now, then in zip(self._latencies(since), before, strict=True))
            if count >= requests or time.monotonic() >= deadline:
                return total_us / count * _US if count == requests else None
            time.sleep(_LOOK_EVERY_S)

    def _latencies(self, since: datetime) -> tuple[int, float]:
        return _model_latency(self._clients("cloudwatch"), self._endpoint, since, datetime.now(UTC))

    def _tell(self, what: str) -> None:
        of_time = (time.monotonic() - self._began) / self._bounds.seconds
        of_requests = 1 - self._budget.requests / self._bounds.requests
        self._progress(what, min(max(of_time, of_requests), 1.0))


def _stage(callers: int, seen: Seen) -> Stage:
    return stage(
        callers,
        seen.started_s,
        seen.latency_s,
        errors=seen.errors,
        seconds=seen.seconds,
        client_busy_ratio=seen.cpu_s / seen.seconds,
    )


def _needs_answers(alone: Seen) -> None:
    if alone.latency_s.size < _FEWEST:
        message = f"The endpoint answered {alone.latency_s.size} of {alone.latency_s.size + alone.errors} requests"
        raise FailedError(f"{message}: {alone.first_error or 'the bounds are too narrow'}")


def _instances(sagemaker: Any, endpoint: str, bounds: Bounds) -> tuple[str, int]:
    """The type and number of the endpoint's instances.

    Raises: InputError for bounds without sense and for endpoints that can't be measured; ClientError.
    """
    wrong = [
        Problem(path=f"$.bounds.{name}", message=f"must be > 0, got {value}")
        for name, value in (
            ("requests", bounds.requests),
            ("seconds", bounds.seconds),
            ("callers", bounds.callers),
            ("stage_requests", bounds.stage_requests),
            ("stage_seconds", bounds.stage_seconds),
        )
        if value <= 0
    ]
    if wrong:
        raise InputError(wrong)
    described = sagemaker.describe_endpoint(EndpointName=endpoint)
    config = sagemaker.describe_endpoint_config(EndpointConfigName=described["EndpointConfigName"])
    running = described.get("ProductionVariants", [])
    variant = config["ProductionVariants"][0]
    if described["EndpointStatus"] != "InService" or not running:
        message = f"is {described['EndpointStatus']}, so it can't be measured"
    elif "AsyncInferenceConfig" in config:
        message = "is asynchronous: its queue hides how many requests it serves at once"
    elif "InstanceType" not in variant:
        message = "is serverless: what a sandbox does says nothing about an instance type"
    elif len(running) > 1:
        message = f"has {len(running)} variants, and a request reaches any of them"
    else:
        return variant["InstanceType"], max(1, running[0].get("CurrentInstanceCount", 1))
    raise InputError([Problem(path="$.endpoint", message=f"{message}: {endpoint}")])


def _model_latency(cloudwatch: Any, endpoint: str, since: datetime, now: datetime) -> tuple[int, float]:
    """Requests that CloudWatch knows since the beginning of a minute, and the sum of their ModelLatency in us."""
    start = since.replace(second=0, microsecond=0)
    answer = cloudwatch.get_metric_statistics(
        Namespace="AWS/SageMaker",
        MetricName="ModelLatency",
        Dimensions=[{"Name": "EndpointName", "Value": endpoint}, {"Name": "VariantName", "Value": VARIANT}],
        StartTime=start,
        EndTime=now + timedelta(minutes=1),
        Period=60,
        Statistics=["SampleCount", "Sum"],
    )
    points = answer["Datapoints"]
    return round(sum(point["SampleCount"] for point in points)), sum(point["Sum"] for point in points)
