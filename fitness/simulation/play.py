"""A configuration played request by request: the same outcome that the queueing formulas fill, from counts.

The formulas propose the configuration; this plays it. What a step of the load does is left as proposed.
Source: docs/simulation.md#playing.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from fitness.analytic import settings
from fitness.analytic.fleet import accepts_cold
from fitness.arrays import Array
from fitness.errors import InputError, Problem
from fitness.inputs import Inputs
from fitness.instances import catalogue
from fitness.machines import RESERVED_GIB
from fitness.outcome import Latency, Outcome
from fitness.score import Scores, score
from fitness.simulation import histogram, players, requested, streams
from fitness.simulation.players import Cache, Endpoint
from fitness.simulation.progress import Progress, unwatched, within
from fitness.simulation.tally import Tally
from fitness.study import SEED, Played, Study
from fitness.trace import Trace

REQUESTS = 100_000
FEWEST_REQUESTS = 1_000
MOST_REQUESTS = 10_000_000
MOST_ENDPOINTS = 8  # endpoints of many alike ones that are really played, from the hottest to the coldest
SYNC_TIMEOUT_S = 60.0  # InvokeEndpoint: waiting plus service
STREAM_TIMEOUT_S = 480.0
ASYNC_TIMEOUT_S = 3600.0
FUNCTION_TIMEOUT_S = 230.0  # the HTTP trigger of Azure Functions
STUDENT_95 = 2.365  # two-sided 95 % of Student's t with 7 degrees of freedom, for 8 blocks
CACHE_WINDOWS = 2
WARMING = 10.0  # requests for each model before a cache counts as warm
MOST_FILES = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Band:
    """A figure with its 95 % Monte-Carlo band, from disjoint blocks of the stream."""

    low: float
    value: float
    high: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Simulation:
    """What one option did with the played stream."""

    option: str
    variant: str
    seed: int
    played_requests: int
    outcome: Outcome  # one row
    monthly_usd: float | None
    scores: Scores
    bands: Mapping[str, Band]  # p50_ms, p95_ms, p99_ms
    timed_out_ratio: float
    refused_ratio: float
    notes: tuple[str, ...]


def simulate(
    work: Study, option: str, *, requests: int = REQUESTS, seed: int = SEED, progress: Progress = unwatched
) -> Simulation:
    """Play `requests` requests through the option's configuration; `progress` is told of every window played.

    Raises: InputError where nothing can be configured, or the number of requests is out of range.
    """
    if not FEWEST_REQUESTS <= requests <= MOST_REQUESTS:
        message = f"must be from {FEWEST_REQUESTS:,} to {MOST_REQUESTS:,}, got {requests:,}"
        raise InputError([Problem(path="--requests", message=message)])
    proposed = work.configured(option)
    if proposed.outcome is None:
        failed = "; ".join(gate.reason for gate in proposed.gates if gate.passes is False)
        raise InputError([Problem(path="--option", message=f"{option} has no configuration: {failed or 'no type'}")])
    return played(work, proposed, requests=requests, seed=seed, progress=progress)


def played(
    work: Study,
    proposed: Played,
    *,
    requests: int,
    seed: int,
    inputs: Inputs | None = None,
    progress: Progress = unwatched,
) -> Simulation:
    """Play an option's proposed configuration, at one row of what is not known: the point, or a draw.

    `proposed` holds what the formulas say of that same row.
    """
    outcome = proposed.outcome
    assert outcome is not None  # noqa: S101 the caller has one
    reference_usd = work.point_reference_usd if inputs is None else work.reference_usd(inputs)
    inputs = work.point if inputs is None else inputs
    tally, notes = _tally(work, inputs, outcome, requests, seed, progress)
    if tally.answered <= 0:
        notes.append("No request got an answer in time: the latencies shown are the time-out.")
    filled = _fill(inputs, outcome, tally)
    usd = work.usd(filled)
    scores = score(filled, inputs, monthly_usd=usd, reference_usd=reference_usd)
    return Simulation(
        option=outcome.option,
        variant=outcome.variant,
        seed=seed,
        played_requests=round(tally.played),
        outcome=filled,
        monthly_usd=float(usd[0]) if np.isfinite(usd[0]) else None,
        scores=scores,
        bands=_bands(filled, tally, float(outcome.serving["overhead_s"][0])),
        timed_out_ratio=tally.timed_out / max(tally.offered, 1e-300),
        refused_ratio=tally.refused / max(tally.offered, 1e-300),
        notes=tuple(dict.fromkeys(notes)),
    )


def _tally(
    work: Study, inputs: Inputs, outcome: Outcome, requests: int, seed: int, progress: Progress
) -> tuple[Tally, list[str]]:
    if outcome.option == "batch":
        progress(0, 1)
        found = _batch(inputs, outcome, requests, seed)
        progress(1, 1)
        return found
    parts = _endpoints(inputs, outcome.option, seed)
    total: Tally | None = None
    notes: list[str] = []
    for part, (scaled, members) in enumerate(parts):
        size = max(FEWEST_REQUESTS, requests // len(parts))
        windows, lead_s = _windows(scaled, outcome.option)
        plan = streams.plan(scaled, requests=size, seed=seed, count=windows, lead_s=lead_s)
        notes += plan.month.notes
        one = _endpoint(work, scaled, outcome, plan, seed, within(progress, part, len(parts))).times(members)
        total = one if total is None else total + one
    assert total is not None  # noqa: S101 there is at least one endpoint
    if len(parts) > 1:
        notes.append(f"{len(parts)} of {sum(members for _, members in parts):,.0f} endpoints were played")
    return total, notes


def _windows(inputs: Inputs, option: str) -> tuple[int, float]:
    """Into how many windows the month is cut, and what warms each up, in seconds.

    A cache needs few windows, each after every model was asked for several times.
    """
    if option not in ("mme", "mme_gpu"):
        return streams.WINDOWS, streams.LEAD_S
    rps = max(float(inputs.traffic.rps_mean[0]), 1e-9)
    return CACHE_WINDOWS, max(streams.LEAD_S, WARMING * float(inputs.units[0]) / rps)


def _endpoint(
    work: Study, inputs: Inputs, outcome: Outcome, plan: streams.Plan, seed: int, progress: Progress
) -> Tally:
    endpoint = endpoint_of(inputs, outcome, work.config)
    option = outcome.option
    if option in ("serverless", "azure_functions"):
        return players.sandboxed(
            plan,
            endpoint,
            idle_s=float(inputs.prior("serverless_idle_timeout_s")[0]),
            limit=round(float(outcome.settings["max_concurrency"][0])),
            provisioned=round(float(outcome.settings.get("provisioned_concurrency", np.zeros(1))[0])),
            queues_when_full=option == "azure_functions",
            progress=progress,
        )
    if option == "async":
        target = float(outcome.settings["target_backlog_per_instance"][0])
        return players.queued(plan, endpoint, target_per_instance=target, progress=progress)
    if option in ("mme", "mme_gpu"):
        return players.cached(plan, endpoint, cache_of(inputs, outcome, seed), progress=progress)
    return players.served(plan, endpoint, progress=progress)


def endpoint_of(inputs: Inputs, outcome: Outcome, config: Mapping[str, object]) -> Endpoint:
    """The proposed configuration of one endpoint."""
    serving = {name: float(values[0]) for name, values in outcome.serving.items()}
    numbers = {name: float(values[0]) for name, values in outcome.settings.items()}
    endpoints = max(1.0, numbers.get("endpoints", 1.0))
    target = numbers.get("target_invocations_per_minute", 60.0)
    minimum = round(numbers.get("min_instances", 1) / endpoints)
    maximum = max(1, round(numbers.get("max_instances", 1) / endpoints))
    if endpoints > 1 and outcome.option != "batch":  # each endpoint has its own share of the load
        busiest = float(inputs.traffic.rps_peak[0]) * 60
        maximum = max(minimum, 1, int(np.ceil(busiest / target)))
    timeout_s = {"async": ASYNC_TIMEOUT_S, "azure_functions": FUNCTION_TIMEOUT_S}.get(
        outcome.option, STREAM_TIMEOUT_S if inputs.request.streaming else SYNC_TIMEOUT_S
    )
    return Endpoint(
        service_s=serving["service_s"],
        slots=max(1, round(serving["slots"])),
        minimum=minimum,
        maximum=max(maximum, minimum),
        target_per_minute=target,
        launch_s=float(inputs.launch_s[0]),
        cold_s=serving["cold_s"],
        timeout_s=max(0.1, timeout_s - serving["overhead_s"]),
        hops=max(1, round(serving.get("hops", 1.0))),
        pooled=settings.text(config, "routing") == "LEAST_OUTSTANDING_REQUESTS",
        to_zero=outcome.variant == "inference_components",
    )


def cache_of(inputs: Inputs, outcome: Outcome, seed: int) -> Cache:
    """What the proposed instances hold."""
    assert outcome.instance_types is not None  # noqa: S101 a multi-model endpoint has instances
    instance = catalogue()[outcome.instance_types[0]]
    gib = instance.accelerator_memory_gib or max((instance.memory_gib or 0.0) - RESERVED_GIB, 0.0)
    steps = float(inputs.steps[0])
    artifact_mb = float(inputs.models.artifact_mb[0]) * steps
    volume_gb = float(outcome.settings["volume_gb"][0]) or float(instance.memory_gib or 8.0)
    load_s = float(outcome.serving["cold_s"][0])
    base_s = float(inputs.prior("model_load_base_s")[0])
    return Cache(
        models=max(1, round(float(inputs.units[0]))),
        memory_mb=float(inputs.models.memory_mb[0]) * steps,
        disk_mb=artifact_mb,
        instance_memory_mb=gib * 1024,
        instance_disk_mb=volume_gb * 1024,
        load_s=min(load_s, base_s + (load_s - base_s) * LOAD_SHARE),
        download_s=(load_s - base_s) * (1 - LOAD_SHARE),
        copies=_copies(inputs, outcome),
        seed=seed,
    )


def _copies(inputs: Inputs, outcome: Outcome) -> Array:
    """Instances that serve each model: as many as its share of the busiest minute needs."""
    count = max(1, round(float(inputs.units[0])))
    hot = inputs.models.hot_share
    share = requested.shares(count, zipf=float(inputs.models.zipf[0]), hot_share=None if hot is None else float(hot[0]))
    per_minute = float(inputs.traffic.rps_peak[0]) * 60 * share
    return np.ceil(per_minute / float(outcome.settings["target_invocations_per_minute"][0]))


LOAD_SHARE = 0.2  # of the time per GB: 1 to 2 s are loading, 4 to 8 s are downloading


def _endpoints(inputs: Inputs, option: str, seed: int) -> list[tuple[Inputs, float]]:
    """The endpoints to play: one, or some of many alike ones with how many each stands for."""
    own = option in ("real_time", "serverless", "azure_functions", "async")
    if not own or float(inputs.units[0]) <= 1:
        return [(inputs, 1.0)]
    members, share = (values[0] for values in inputs.popularity)
    calls = members * share
    used = np.flatnonzero(members > 0)
    cuts = np.minimum((np.cumsum(calls[used]) * MOST_ENDPOINTS - 1e-9).astype(int), MOST_ENDPOINTS - 1)
    found = []
    for part in np.unique(cuts):
        chosen = used[cuts == part]
        alike = float(members[chosen].sum())
        found.append((one_of_many(inputs, float(calls[chosen].sum()) / alike, seed), alike))
    return found


def one_of_many(inputs: Inputs, share: float, seed: int) -> Inputs:
    """The same workload with a share of its traffic and one model."""
    traffic = inputs.traffic
    one = np.ones(inputs.size)
    return replace(
        inputs,
        models=replace(inputs.models, count=one, containers=one),
        traffic=replace(
            traffic,
            rps_mean=traffic.rps_mean * share,
            rps_peak=traffic.rps_peak * share,
            records_per_job=traffic.records_per_job * share,
            trace=None if traffic.trace is None else _thinned(traffic.trace, share, seed),
        ),
    )


def _thinned(trace: Trace, share: float, seed: int) -> Trace:
    """A trace with each request kept with probability `share`."""
    rng = np.random.default_rng([seed, round(share * 1e9)])
    counts = rng.binomial(np.round(trace.counts).astype(np.int64), min(1.0, share)).astype(np.float64)
    return replace(trace, counts=counts, rows=None)


def _batch(inputs: Inputs, outcome: Outcome, requests: int, seed: int) -> tuple[Tally, list[str]]:
    records = float(inputs.traffic.records_per_job[0]) / float(inputs.units[0])
    size = max(1, min(round(records), requests))
    stream = streams.plan(inputs, requests=size, seed=seed).windows[0]
    multiplier = np.resize(stream.multiplier, size)
    factor = records / size  # fewer, longer records stand for all of them
    instances = round(float(outcome.settings["instances"][0]))
    tally, _ = players.transformed(
        multiplier,
        service_s=float(outcome.serving["service_s"][0]) * factor,
        slots=max(1, round(float(outcome.serving["slots"][0]))),
        instances=instances,
        files=min(MOST_FILES, max(instances, size // 100)),
        start_s=float(outcome.serving["cold_s"][0]),
        jobs=float(inputs.traffic.jobs_per_month[0]) * float(inputs.units[0]),
    )
    notes = [f"{size:,} records stand for {records:,.0f}"] if factor > 1 else []
    return replace(tally, warm=tally.warm * factor, offered=tally.offered * factor), notes


def _fill(inputs: Inputs, outcome: Outcome, tally: Tally) -> Outcome:
    """The outcome with what was counted in place of what the formulas said."""
    row = np.ones(1)
    offered = max(tally.offered, 1e-300)
    answered = max(tally.answered, 1e-300)
    is_cache = outcome.option in ("mme", "mme_gpu")
    hours = row * tally.instance_hours if outcome.instance_types is not None else outcome.instance_hours
    latency = outcome.latency
    if tally.answered <= 0:
        latency = Latency(seconds=np.full((1, 1), SYNC_TIMEOUT_S), weight=np.ones((1, 1)))
    elif not inputs.traffic.is_scheduled or outcome.option == "batch":
        overhead_s = float(outcome.serving["overhead_s"][0])
        warm, cold = tally.warm.sum(axis=0), tally.cold.sum(axis=0)
        latency = Latency(
            seconds=np.concatenate([histogram.VALUES, histogram.VALUES])[None, :] + overhead_s,
            weight=np.concatenate([warm, cold])[None, :] / answered,
            forgiven=np.concatenate([np.zeros(warm.size), np.ones(cold.size)])[None, :]
            * accepts_cold(inputs, outcome.serving["cold_s"])[:, None],
        )
    starts = tally.starts / offered
    return replace(
        outcome,
        latency=latency,
        offered=row * tally.offered,
        dropped_ratio=row * (tally.refused + tally.timed_out) / offered,
        cold_ratio=row * starts,
        hit_ratio=row * (1 - starts) if is_cache else outcome.hit_ratio,
        instance_hours=hours,
        busy_s=row * tally.busy_s,
        paid_s=row * max(tally.paid_s, tally.busy_s),
        peak_served_ratio=np.minimum(outcome.peak_served_ratio, 1 - row * tally.refused / offered),
        metered=_metered(outcome, tally),
    )


def _metered(outcome: Outcome, tally: Tally) -> dict[str, Array]:
    """The quantities to pay for, with the hours and seconds that were counted."""
    before = float(outcome.instance_hours[0]) if outcome.instance_types is not None else np.nan
    ratio = tally.instance_hours / before if before and np.isfinite(before) and before > 0 else 1.0
    requests = tally.offered / max(float(outcome.offered[0]), 1e-300)
    found: dict[str, Array] = {}
    for item, quantity in outcome.metered.items():
        kind = item.partition("/")[0]
        plain, _, what = item.partition("#")
        if kind in ("hosting", "async", "batch_transform") or item == "storage/hosting":
            found[item] = quantity * ratio
        elif what == "cold" or (plain.startswith("serverless/duration") and outcome.variant == "provisioned"):
            found[item] = np.where(quantity > 0, tally.starting_s, 0.0)
        elif "/duration/" in plain:
            found[item] = np.where(quantity > 0, tally.busy_s, 0.0)
        elif kind == "azure_functions" and item.endswith("/duration"):
            found[item] = quantity * (tally.busy_s + tally.starting_s) / max(float(outcome.paid_s[0]), 1e-300)
        elif kind in ("data_in", "data_out", "s3", "serverless") or item.endswith("/executions"):
            found[item] = quantity * requests
        else:
            found[item] = quantity
    return found


def _bands(outcome: Outcome, tally: Tally, overhead_s: float) -> dict[str, Band]:
    """95 % bands of the percentiles, from the spread between disjoint blocks of the stream."""
    found = {}
    for name, probability in (("p50_ms", 0.5), ("p95_ms", 0.95), ("p99_ms", 0.99)):
        value = float(outcome.latency.percentile(probability)[0]) * 1000
        parts = (tally.percentiles(probability) + overhead_s) * 1000
        half = STUDENT_95 * float(np.std(parts, ddof=1)) / np.sqrt(parts.size) if parts.size > 1 else np.inf
        found[name] = Band(low=max(0.0, value - half), value=value, high=value + half)
    return found
