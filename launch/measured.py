"""What a load test showed, and what follows for a workload: processing time, its spread, requests served at once.

Pure: from the times of requests to estimates with their 95 % intervals, and the simulator's prediction beside them.
Source: docs/launch/measure.md.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np

from fitness.arrays import Array
from fitness.measured import written
from fitness.simulation import multipliers, queues
from fitness.workload import Workload

BLOCKS = 8  # of consecutive requests, so that requests that follow each other may depend on each other
_T_95 = 2.365  # Student's t of 7 degrees of freedom, two-sided 95 %
_DRAWS = 20  # times that the work of a check is drawn in the simulator
_PERCENTILES = (0.50, 0.95, 0.99)
SATURATED = 1.05  # twice the callers bring less than this: nothing more is to be had
_CLIENT_LIMIT = 0.85  # of a core: from there on the client may be what holds the endpoint up
_UNSTEADY = 1.5  # the upper end of the interval over the mean
_LATE = 0.5  # of the median answer


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """A figure with its 95 % interval."""

    low: float
    value: float
    high: float

    def times(self, factor: float) -> "Estimate":
        """The figure in another unit."""
        return Estimate(low=self.low * factor, value=self.value * factor, high=self.high * factor)


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """Some callers, each asking again as soon as it has its answer."""

    callers: int
    requests: int
    errors: int
    per_s: Estimate
    mean_s: float
    p50_s: float
    p99_s: float
    client_busy_ratio: float  # CPU of this process, in cores


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """Random arrivals at a rate, measured, and what the simulator says of the very same arrivals."""

    rps: float
    requests: int
    late_p99_s: float  # how late the client itself sent
    measured_s: Mapping[str, float]  # p50, p95, p99
    predicted_s: Mapping[str, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Measurement:
    """A load test of an endpoint."""

    endpoint: str
    instance_type: str
    instances: int
    taken_at: datetime
    processing_s: Estimate
    cv: Estimate
    concurrency: Estimate  # requests that one instance serves at once
    overhead_s: float | None  # of the way there and back; None: it is part of the processing time
    stages: tuple[Stage, ...]
    stopped: str  # why the ramp ended
    check: Check | None
    requests: int
    seconds: float
    notes: tuple[str, ...]

    @property
    def values(self) -> dict[str, object]:
        """The fields of a workload that were measured, by path."""
        return {
            "request.processing_ms": float(f"{self.processing_s.value * 1000:.4g}"),
            "request.processing_cv": float(f"{self.cv.value:.3g}"),
            "request.measured_on": self.instance_type,
            "request.concurrency": max(1, round(self.concurrency.value)),
        }


def into(workload: Workload, measurement: Measurement) -> Workload:
    """Give the workload with what was measured, marked as such."""
    found = measurement.values
    marks = {
        "measured.fields": written(found),
        "measured.as_of": f"{measurement.taken_at:%Y-%m-%d}",
        "measured.by": f"load test of endpoint {measurement.endpoint}, {measurement.requests} requests",
    }
    return workload.replace({**found, **marks})


def stage(
    callers: int, started_s: Array, latency_s: Array, *, errors: int, seconds: float, client_busy_ratio: float
) -> Stage:
    """Describe a stage by its answered requests. Shape: (requests,), in any order; at least one."""
    ends = np.sort(started_s + latency_s)
    return Stage(
        callers=callers,
        requests=latency_s.size,
        errors=errors,
        per_s=_rate(ends, seconds),
        mean_s=float(latency_s.mean()),
        p50_s=float(np.percentile(latency_s, 50)),
        p99_s=float(np.percentile(latency_s, 99)),
        client_busy_ratio=client_busy_ratio,
    )


def mean_of(values: Array) -> Estimate:
    """The mean of a series, with an interval from the means of its blocks."""
    value = float(values.mean())
    if values.size < 2 * BLOCKS:
        return Estimate(low=0.0, value=value, high=math.inf)
    return _around(value, [float(block.mean()) for block in np.array_split(values, BLOCKS)])


def spread_of(latency_s: Array, processing_s: float) -> Estimate:
    """The coefficient of variation: the spread of the latencies over the mean of the work.

    The way to the model varies too, so this is rather too large than too small.
    """
    value = float(latency_s.std() / processing_s)
    if latency_s.size < 2 * BLOCKS:
        return Estimate(low=0.0, value=value, high=math.inf)
    return _around(value, [float(block.std() / processing_s) for block in np.array_split(latency_s, BLOCKS)])


def concurrency_of(stages: Sequence[Stage], processing_s: Estimate, instances: int) -> Estimate:
    """Requests that an instance serves at once: those at work at the largest throughput that was seen.

    Source: utilisation law, docs/launch/measure.md#concurrency.
    """
    best = max(stages, key=lambda one: one.per_s.value).per_s
    return Estimate(
        low=best.low * processing_s.low / instances,
        value=best.value * processing_s.value / instances,
        high=best.high * processing_s.high / instances,
    )


def why_to_stop(stages: Sequence[Stage], objective_s: float | None) -> str | None:
    """Say why more callers would show nothing new; None: go on."""
    last = stages[-1]
    if last.errors > max(1, last.requests // 100):
        return f"{last.errors} of {last.errors + last.requests} requests failed with {last.callers} callers"
    if objective_s is not None and last.p99_s > objective_s:
        return f"the 99th percentile is over the objective with {last.callers} callers"
    if len(stages) > 1 and last.per_s.value < stages[-2].per_s.value * SATURATED:
        return f"{last.callers} callers get no more answers a second than {stages[-2].callers}"
    return None


def doubts(processing_s: Estimate, stages: Sequence[Stage], check: Check | None) -> list[str]:
    """Say what makes the figures less sure than their intervals."""
    found = []
    if processing_s.high > _UNSTEADY * processing_s.value:
        found.append(
            "The processing time changed while it was measured: something else kept the endpoint or this client "
            "busy. Measure again in a quiet hour before you use it."
        )
    if max(one.client_busy_ratio for one in stages) > _CLIENT_LIMIT:
        found.append("This client was at its own limit, so the endpoint may serve more at once than was seen.")
    if check is not None and check.late_p99_s > _LATE * check.measured_s["p50"]:
        found.append("This client sent the random arrivals late, so their measured times hold its own delay too.")
    return found


def predicted(
    due_s: Array,
    *,
    processing_s: float,
    cv: float,
    distribution: str,
    servers: int,
    instances: int,
    overhead_s: float,
    seed: int,
) -> dict[str, float]:
    """The simulator's percentiles for requests that are due at these times.

    Shape: `due_s` (requests,), sorted; `servers` of each instance. Routing is RANDOM, SageMaker's usual one.
    """
    found = []
    for draw in range(_DRAWS):
        random = np.random.default_rng([seed, draw])
        normals = random.standard_normal(due_s.size).astype(np.float32)
        work = multipliers.multipliers(normals, distribution=distribution, cv=cv)
        latency_s = np.zeros(due_s.size, np.float32)
        way = random.random(due_s.size).astype(np.float32)
        queues.routed(due_s, work, way, processing_s, instances=instances, slots=servers, latency_s=latency_s)
        found.append(latency_s)
    return percentiles(np.concatenate(found).astype(np.float64) + overhead_s)


def percentiles(latency_s: Array) -> dict[str, float]:
    """p50, p95 and p99 of latencies."""
    return {f"p{share * 100:.0f}": float(np.quantile(latency_s, share)) for share in _PERCENTILES}


def _rate(ends: Array, seconds: float) -> Estimate:
    """Answers a second, with an interval from equal parts of the time."""
    value = ends.size / seconds
    if ends.size < 2 * BLOCKS:
        return Estimate(low=0.0, value=value, high=math.inf)
    counts, _ = np.histogram(ends, bins=np.linspace(ends[0], ends[-1], BLOCKS + 1))
    width_s = max(float(ends[-1] - ends[0]) / BLOCKS, 1e-9)
    return _around(value, [float(count) / width_s for count in counts])


def _around(value: float, blocks: Sequence[float]) -> Estimate:
    half = _T_95 * float(np.std(blocks, ddof=1)) / math.sqrt(len(blocks))
    return Estimate(low=max(value - half, 0.0), value=value, high=value + half)
