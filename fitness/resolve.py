"""From a workload to the numbers of an evaluation: declared values first, priors where nobody said."""

from collections.abc import Mapping

import numpy as np

from fitness import fields
from fitness.arrays import Array
from fitness.inputs import HOURS_PER_MONTH, MAX_CHAIN, POINT, Draws, Inputs, Models, Objectives, Request, Traffic
from fitness.instances import catalogue
from fitness.popularity import PopularityKind, popularity
from fitness.priors import PRIORS, Prior
from fitness.trace import Trace
from fitness.workload import Workload

DEFAULT_REGION = "us-east-1"
DEFAULT_TYPE = {"none": "ml.c5.xlarge", "gpu": "ml.g5.xlarge", "inferentia": "ml.inf2.xlarge"}
SYNC_OBJECTIVE_S = 1.0  # Nielsen, Usability Engineering, 1993: the limit for an uninterrupted flow of thought
DEADLINE_S = 900.0  # InvokeEndpointAsync reference, InvocationTimeoutSeconds: the default
JOB_DEADLINE_S = 6 * 3600.0  # a nightly job is there before the next morning
OBJECTIVE_OVER_PROCESSING = 3.0  # an undeclared objective is never tighter than three processing times
REACHABLE_RATIO = 0.25  # an undeclared processing time: at the median at most a quarter of a declared objective
PLAUSIBLE_AT_ONCE = 2.0  # an undeclared rate keeps at the median at most two requests busy at once
CHAINS = ("sequential", "ensemble")  # every request passes through all models: none is more popular
LEAST = 1e-9  # a declared rate or count of zero: nothing to serve, without dividing by it
LONGEST_IDLE_RATIO = 1 - 1e-4


class _Reader:
    """Declared values as arrays, the changes of a what-if laid over them, and a note of what was assumed."""

    def __init__(
        self, workload: Workload, priors: Mapping[str, Prior], draws: Draws, changes: Mapping[str, Array]
    ) -> None:
        self.workload = workload
        self.priors = priors
        self.draws = draws
        self.changes = changes
        self.assumed: set[str] = set()

    def declared(self, path: str) -> Array:
        """The field per draw; NaN where it is not declared."""
        value = self.workload.get(path)
        number = float(value) if isinstance(value, (int, float)) else np.nan
        base = np.full(self.draws.size, number)
        change = self.changes.get(path)
        return base if change is None else np.where(np.isnan(change), base, change)

    def known_or(self, path: str, otherwise: Array | float) -> Array:
        """The field per draw, and `otherwise` where it is not declared."""
        values = self.declared(path)
        missing = np.isnan(values)
        if bool(missing.any()):
            self.assumed.add(path)
        return np.where(missing, otherwise, values)

    def quantile(self, prior: str, path: str) -> Array:
        """The prior at the draws of the field."""
        return self.priors[prior].quantile(self.draws.column(path))

    def assume(self, path: str) -> None:
        """Note a word that was not declared."""
        if self.workload.get(path) is None:
            self.assumed.add(path)


def resolve(
    workload: Workload,
    *,
    priors: Mapping[str, Prior] | None = None,
    draws: Draws = POINT,
    changes: Mapping[str, Array] | None = None,
    trace: Trace | None = None,
) -> Inputs:
    """Give the numbers of an evaluation.

    Shape: every array has `draws.size` entries. `changes` holds values of numeric fields by path, NaN where
    a row keeps the declared value.
    """
    reader = _Reader(workload, priors or PRIORS(), draws, changes or {})
    accelerator = str(workload.accelerator or "none")
    reader.assume("accelerator")
    models = _models(reader, accelerator)
    if workload.composition is None and bool(np.any(models.count > 1)):
        reader.assumed.add("composition")
    request = _request(reader, accelerator)
    traffic = _traffic(reader, request, trace)
    objectives = _objectives(reader, request, traffic)
    order = {field.path: index for index, field in enumerate(fields.FIELDS)}
    return Inputs(
        workload=workload,
        region=workload.region or DEFAULT_REGION,
        draws=draws,
        priors=reader.priors,
        composition=None if workload.composition is None else str(workload.composition),
        accelerator=accelerator,
        models=models,
        request=request,
        traffic=traffic,
        objectives=objectives,
        assumed=tuple(sorted(reader.assumed, key=order.__getitem__)),
    )


def _models(reader: _Reader, accelerator: str) -> Models:
    suffix = "" if accelerator == "none" else ".accelerated"
    stacks = reader.declared("models.containers")
    count = reader.known_or("models.count", np.where(np.isnan(stacks), 1.0, stacks))
    artifact_mb = reader.known_or(
        "models.artifact_mb", reader.quantile(f"models.artifact_mb{suffix}", "models.artifact_mb")
    )
    ratio = reader.quantile("models.memory_mb.of_artifact", "models.memory_mb")
    base_mb = reader.quantile("models.memory_mb.base", "models.memory_mb.base")
    hot_share: Array | None = None
    zipf = reader.quantile("models.popularity", "models.popularity")
    written = reader.workload.models.popularity
    if written is not None:
        shape = popularity(written)
        parameter = np.full(reader.draws.size, shape.parameter or 0.0)
        hot_share = parameter if shape.kind is PopularityKind.HOT else None
        zipf = parameter if shape.kind is PopularityKind.ZIPF else np.zeros(reader.draws.size)
    elif bool(np.any(count > (MAX_CHAIN if reader.workload.composition in CHAINS else 1))):
        reader.assumed.add("models.popularity")
    if bool(np.any(count > 1)):
        reader.assume("models.frameworks")
    return Models(
        count=count,
        containers=np.where(np.isnan(stacks), np.where(count <= MAX_CHAIN, count, 1.0), stacks),
        artifact_mb=artifact_mb,
        memory_mb=reader.known_or("models.memory_mb", ratio * artifact_mb + base_mb),
        image_gb=reader.known_or("models.image_gb", reader.quantile(f"models.image_gb{suffix}", "models.image_gb")),
        cpu_spread=np.nan_to_num(reader.declared("models.cpu_spread"), nan=1.0),
        zipf=zipf,
        hot_share=hot_share,
    )


def _request(reader: _Reader, accelerator: str) -> Request:
    suffix = "" if accelerator == "none" else ".accelerated"
    request = reader.workload.request
    payload_in_mb = reader.known_or(
        "request.payload_in_mb", reader.quantile("request.payload_in_mb", "request.payload_in_mb")
    )
    small_mb = reader.quantile("request.payload_out_mb", "request.payload_out_mb")
    prior = reader.priors[f"request.processing_ms{suffix}"]
    tightest_ms = np.fmin(reader.declared("objectives.latency_p95_ms"), reader.declared("objectives.latency_p99_ms"))
    reachable = np.nan_to_num(np.minimum(1.0, REACHABLE_RATIO * tightest_ms / prior.median), nan=1.0)
    measured_on = catalogue()[request.measured_on or DEFAULT_TYPE[accelerator]]
    reader.assume("request.measured_on")
    reader.assume("request.synchronous")
    reader.assume("request.processing_distribution")
    if measured_on.accelerator_count:
        per_unit = reader.quantile("request.concurrency.per_accelerator", "request.concurrency")
        parallel = per_unit * measured_on.accelerator_count
    else:
        parallel = reader.quantile("request.concurrency.per_vcpu", "request.concurrency") * (measured_on.vcpu or 1)
    return Request(
        payload_in_mb=payload_in_mb,
        payload_out_mb=reader.known_or("request.payload_out_mb", np.minimum(payload_in_mb, small_mb)),
        processing_s=reader.known_or(
            "request.processing_ms", prior.quantile(reader.draws.column("request.processing_ms")) * reachable
        )
        / 1000,
        cv=reader.known_or("request.processing_cv", reader.quantile("request.processing_cv", "request.processing_cv")),
        distribution=str(request.processing_distribution or "lognormal"),
        measured_on=measured_on,
        concurrency=reader.known_or("request.concurrency", np.maximum(1.0, parallel)),
        synchronous=request.synchronous,
        streaming=bool(request.streaming),
    )


def _traffic(reader: _Reader, request: Request, trace: Trace | None) -> Traffic:
    traffic = reader.workload.traffic
    size = reader.draws.size
    # A recording stands instead of the pattern and the rates.
    pattern = None if traffic.pattern is None or trace is not None else str(traffic.pattern)
    if pattern is None and (traffic.records_per_job or 0) > 0 and traffic.rps_mean is None and trace is None:
        pattern = "scheduled"
    zero = np.zeros(size)
    if pattern == "scheduled":
        jobs = reader.known_or(
            "traffic.jobs_per_month", reader.quantile("traffic.jobs_per_month", "traffic.jobs_per_month")
        )
        mean = reader.declared("traffic.rps_mean")
        records = reader.quantile("traffic.records_per_job", "traffic.records_per_job")
        from_mean = mean * HOURS_PER_MONTH * 3600 / np.maximum(jobs, LEAST)
        records = reader.known_or("traffic.records_per_job", np.where(np.isnan(mean), records, from_mean))
        if not bool(np.isnan(mean).any()):  # follows from what was declared
            reader.assumed.discard("traffic.records_per_job")
        return Traffic(
            pattern=pattern,
            rps_mean=zero,
            rps_peak=zero,
            idle_ratio=zero,
            records_per_job=np.maximum(records, LEAST),
            jobs_per_month=np.maximum(jobs, LEAST),
            trace=None,
        )
    if trace is not None:
        return Traffic(
            pattern=pattern,
            rps_mean=np.full(size, max(trace.rps_mean, LEAST)),
            rps_peak=np.full(size, max(trace.rps_peak, LEAST)),
            idle_ratio=np.full(size, min(trace.idle_ratio, LONGEST_IDLE_RATIO)),
            records_per_job=zero,
            jobs_per_month=zero,
            trace=trace,
        )
    reader.assume("traffic.pattern")
    idle = reader.declared("traffic.idle_ratio")
    if pattern == "intermittent":
        idle = reader.known_or(
            "traffic.idle_ratio", reader.quantile("traffic.idle_ratio.intermittent", "traffic.idle_ratio")
        )
    idle_ratio = np.minimum(np.nan_to_num(idle, nan=0.0), LONGEST_IDLE_RATIO)
    kind = pattern if pattern in ("steady", "diurnal", "spiky") else "diurnal"
    ratio = np.maximum(1.0, reader.quantile(f"traffic.peak_ratio.{kind}", "traffic.rps_peak")) / (1 - idle_ratio)
    mean_prior = "traffic.rps_mean.intermittent" if pattern == "intermittent" else "traffic.rps_mean"
    peak = reader.declared("traffic.rps_peak")
    plausible = np.minimum(1.0, PLAUSIBLE_AT_ONCE / (reader.priors[mean_prior].median * request.processing_s))
    undeclared = reader.quantile(mean_prior, "traffic.rps_mean") * plausible
    if traffic.idle_ratio == 1:  # no hour has a request
        undeclared = zero
    mean = reader.known_or("traffic.rps_mean", np.where(np.isnan(peak), undeclared, peak / ratio))
    mean = np.maximum(mean, LEAST)
    return Traffic(
        pattern=pattern,
        rps_mean=mean,
        rps_peak=np.maximum(reader.known_or("traffic.rps_peak", mean * ratio), mean / (1 - idle_ratio)),
        idle_ratio=idle_ratio,
        records_per_job=zero,
        jobs_per_month=zero,
        trace=None,
    )


def _objectives(reader: _Reader, request: Request, traffic: Traffic) -> Objectives:
    p95_s = reader.declared("objectives.latency_p95_ms") / 1000
    p99_s = reader.declared("objectives.latency_p99_ms") / 1000
    deadline_s = reader.declared("objectives.deadline_s")
    if traffic.is_scheduled:
        p95_s = np.full(reader.draws.size, np.nan)
        p99_s = deadline_s
        default_s = np.full(reader.draws.size, JOB_DEADLINE_S)
    else:
        p99_s = np.where(np.isnan(p95_s) & np.isnan(p99_s), deadline_s, p99_s)
        reader.assume("objectives.cold_start_ok")
        waits = request.synchronous is not False
        default_s = np.maximum(
            SYNC_OBJECTIVE_S if waits else DEADLINE_S, OBJECTIVE_OVER_PROCESSING * request.processing_s
        )
    undeclared = np.isnan(p95_s) & np.isnan(p99_s)
    if bool(undeclared.any()):
        is_job = traffic.is_scheduled or request.synchronous is False
        reader.assumed.add("objectives.deadline_s" if is_job else "objectives.latency_p95_ms")
    return Objectives(
        within_p95_s=np.where(undeclared, default_s, p95_s),
        within_p99_s=p99_s,
        cold_start_ok=reader.workload.objectives.cold_start_ok,
        cold_budget_s=reader.declared("objectives.cold_start_budget_s"),
        is_declared=not bool(undeclared.all()),
    )
