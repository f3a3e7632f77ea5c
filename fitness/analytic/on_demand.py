"""Pay per use: SageMaker serverless, with and without provisioned concurrency, and Azure Functions.

A request takes a warm sandbox or starts a cold one; a sandbox goes after an idle time-out.
Formulas: docs/background.md#serverless.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from fitness import queueing
from fitness.analytic import fleet, settings
from fitness.analytic.served import DRIVER_TYPE, GB, load_of
from fitness.arrays import Array
from fitness.inputs import Inputs
from fitness.load import Load
from fitness.outcome import Latency, Outcome
from fitness.prices import PriceBook

SERVERLESS_MB = np.array([1024.0, 2048.0, 3072.0, 4096.0, 5120.0, 6144.0])
MAX_CONCURRENCY = {"serverless": 200.0, "azure_functions": 1000.0}
TIMEOUT_S = 60.0
FEW = 32
SPILL_Z = 2.33  # provisioned units cover 99 % of the busiest minute


@dataclass(frozen=True, slots=True, kw_only=True)
class _AzurePlan:
    """A serverless plan of Azure Functions: its name in the price book, its memory sizes, the memory of one core."""

    name: str
    sizes_mb: tuple[float, ...]
    mb_per_vcpu: float


# Microsoft, Azure Functions hosting options: an instance of the Consumption plan has 1.5 GB and one core; in the
# Flex Consumption plan, its successor, 2048 MB come with one core. Read 2026-11-21.
_AZURE_PLANS = {
    "article": _AzurePlan(name="consumption", sizes_mb=(1536.0,), mb_per_vcpu=1536.0),
    "current": _AzurePlan(name="flex", sizes_mb=(512.0, 2048.0, 4096.0), mb_per_vcpu=2048.0),
}


def azure_plan(inputs: Inputs) -> _AzurePlan:
    """The plan that the limits of the workload's profile belong to."""
    return _AZURE_PLANS[str(inputs.workload.limits or "current")]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Sandboxes:
    """What happens at one memory size, over endpoints and levels of load; arrays of shape (draws,) unless said."""

    cold_ratio: Array
    cold_starts: Array  # per month, as billed: never falls as load grows
    blocked_ratio: Array
    provisioned: Array  # units over all endpoints
    peak_headroom: Array


def evaluate(
    option: str, variant: str, inputs: Inputs, book: PriceBook, *, config: Mapping[str, object]
) -> Outcome | None:
    """Pick the cheapest memory size that meets the objectives, and say what it does. See `analytic.evaluate`."""
    sizes = np.array(azure_plan(inputs).sizes_mb) if option == "azure_functions" else SERVERLESS_MB
    fixed = settings.number(config, "memory_mb")
    if fixed is not None:
        sizes = np.array([fixed])
    service_s = _service_s(option, inputs, sizes)
    overhead_s = inputs.prior("invoke_overhead_ms") / 1000
    if option == "azure_functions":  # the caller walks a chain function by function
        overhead_s = (overhead_s + inputs.prior("outside_hop_ms") / 1000) * inputs.steps
    rates = [_usd_per_second(option, variant, size, inputs, book) for size in sizes]
    priced = np.array([rate is not None for rate in rates])
    if not priced.any():
        return None
    usd = service_s * np.array([rate or 0.0 for rate in rates])
    unmet = _late_alone(inputs, service_s, overhead_s)
    # One sandbox runs a whole chain or graph, or one model; in the other cloud each model has its own function.
    held_mb = inputs.models.memory_mb * (inputs.steps if option == "serverless" else 1.0)
    fits = (sizes[None, :] >= held_mb[:, None]) & priced[None, :]
    # Where the price per request is the same, the faster size: memory brings vCPUs in proportion.
    usd = usd * (1 + 1e-3 * service_s / np.max(service_s, axis=1, keepdims=True))
    column = fleet.pick(unmet, usd, fits)
    rows = np.arange(inputs.size)
    memory_mb, service = sizes[column], service_s[rows, column]
    load = load_of(inputs)
    limit = min(settings.number(config, "max_concurrency") or MAX_CONCURRENCY[option], MAX_CONCURRENCY[option])
    units = settings.number(config, "provisioned_concurrency")
    sandboxes = _sandboxes(inputs, load, service, limit, is_provisioned=variant == "provisioned", fixed_units=units)
    cold_s = cold_seconds(option, inputs)
    plan = _Plan(
        option=option,
        variant=variant,
        load=load,
        memory_mb=memory_mb,
        service_s=service,
        overhead_s=overhead_s,
        cold_s=cold_s,
        limit=limit,
    )
    return _outcome(plan, inputs, sandboxes)


def cold_seconds(option: str, inputs: Inputs) -> Array:
    """How long a sandbox takes to start, (draws,): a base and the models' size; one after the other in a chain."""
    base_s, s_per_gb = inputs.prior("serverless_cold_base_s"), inputs.prior("serverless_cold_s_per_gb")
    loads_s = s_per_gb * inputs.models.artifact_mb * inputs.steps / GB
    return base_s * (inputs.steps if option == "azure_functions" else 1.0) + loads_s


@dataclass(frozen=True, slots=True, kw_only=True)
class _Plan:
    """The pick of an evaluation; arrays of shape (draws,)."""

    option: str
    variant: str
    load: Load
    memory_mb: Array
    service_s: Array
    overhead_s: Array
    cold_s: Array
    limit: float  # requests at once


def _service_s(option: str, inputs: Inputs, sizes: Array) -> Array:
    """Mean processing time by memory size, (draws, sizes): a sandbox has a share of vCPUs with its memory."""
    measured = inputs.request.measured_on
    needed = (measured.vcpu or 1) / inputs.request.concurrency
    per_vcpu = (
        np.full(inputs.size, azure_plan(inputs).mb_per_vcpu)
        if option == "azure_functions"
        else inputs.prior("serverless_mb_per_vcpu")
    )
    has = sizes[None, :] / per_vcpu[:, None]
    drift = inputs.priors["speed_of_other_family"].quantile(inputs.draws.column("speed_of_other_family.serverless"))
    return (inputs.request.processing_s / drift)[:, None] * np.maximum(1.0, needed[:, None] / has)


def _late_alone(inputs: Inputs, service_s: Array, overhead_s: Array) -> Array:
    nodes, weights = queueing.service_nodes(inputs.request.distribution, inputs.request.cv, fine=inputs.size == 1)
    worst = np.zeros_like(service_s)
    if inputs.traffic.is_scheduled:
        return worst
    for limit_s, allowed in (
        (inputs.objectives.within_p95_s, fleet.P95_LATE),
        (inputs.objectives.within_p99_s, fleet.P99_LATE),
    ):
        if bool(np.isnan(limit_s).all()):
            continue
        left_s = (limit_s - overhead_s)[:, None, None]
        above = np.sum(weights * (nodes[:, None, :] * service_s[..., None] > left_s), axis=2)
        worst = np.maximum(worst, np.where(np.isnan(left_s[..., 0]), 0.0, above - allowed))
    return worst


def _usd_per_second(option: str, variant: str, size: float, inputs: Inputs, book: PriceBook) -> float | None:
    if option == "azure_functions":
        price = book.estimate(f"azure_functions/{azure_plan(inputs).name}/duration", inputs.region)
        return None if price is None else float(price.usd_per_unit) * size / GB
    kind = "provisioned_concurrency" if variant == "provisioned" else "serverless"
    price = book.estimate(f"{kind}/duration/{size:.0f}", book.stand_in(inputs.region))
    return None if price is None else float(price.usd_per_unit)


def _sandboxes(
    inputs: Inputs, load: Load, service_s: Array, limit: float, *, is_provisioned: bool, fixed_units: float | None
) -> _Sandboxes:
    members, share = (
        inputs.popularity
        if bool(np.any(inputs.units > 1))
        else (
            np.ones((inputs.size, 1)),
            np.ones((inputs.size, 1)),
        )
    )
    idle_s = inputs.prior("serverless_idle_timeout_s")[:, None, None]
    rate = load.rps[:, :, None] * share[:, None, :]  # (draws, levels, buckets), of one endpoint
    requests = load.requests[:, :, None] * (members * share)[:, None, :]
    offered = rate * service_s[:, None, None]
    alone = np.exp(-rate * idle_s)
    first = load.spells[:, :, None] / np.maximum(rate * 3600, 1e-300)  # requests that end an idle hour
    started = queueing.cold_ratio(rate, service_s[:, None, None], idle_s)
    cold = np.where(rate > 0, np.minimum(1.0, started + first * (1 - alone)), 0.0)
    # Cold starts per hour peak where rate x time-out = 1; the bill keeps that maximum above it (an upper bound).
    hourly = 3600 * np.where(rate * idle_s <= 1, rate * alone, 1 / (np.e * np.maximum(idle_s, 1e-9)))
    hourly = hourly + load.spells[:, :, None] * (1 - alone)
    starts = np.sum(load.hours[:, :, None] * members[:, None, :] * hourly * (rate > 0), axis=(1, 2))
    peak = load.peak_rps[:, None] * share * service_s[:, None]  # (draws, buckets)
    units_each = np.ceil(np.maximum(1.0, peak + SPILL_Z * np.sqrt(peak)))
    provisioned = np.zeros(inputs.size)
    if is_provisioned:
        if fixed_units is not None:
            units_each = np.full_like(units_each, fixed_units)
        units_each = np.minimum(units_each, limit)
        spill = queueing.erlang_b(offered, np.broadcast_to(units_each[:, None, :], offered.shape))
        cold = cold * spill
        starts = starts * np.max(np.where(offered > 0, spill, 0), axis=(1, 2))
        provisioned = np.sum(members * units_each, axis=1)
    total = np.maximum(np.sum(requests, axis=(1, 2)), 1e-300)
    blocked = np.zeros(inputs.size)
    if limit < FEW or bool(np.any(peak > limit / 4)):  # below a quarter of many, nothing measurable is blocked
        throttled = queueing.erlang_b(offered, np.full(offered.shape, limit))
        blocked = np.sum(requests * throttled, axis=(1, 2)) / total
    return _Sandboxes(
        cold_ratio=np.sum(requests * cold, axis=(1, 2)) / total,
        cold_starts=starts,
        blocked_ratio=blocked,
        provisioned=provisioned,
        peak_headroom=np.minimum(limit / np.maximum(np.max(peak, axis=1), 1e-12), 1e6),
    )


def _outcome(plan: _Plan, inputs: Inputs, sandboxes: _Sandboxes) -> Outcome:
    option, variant, load, limit = plan.option, plan.variant, plan.load, plan.limit
    service_s, overhead_s, cold_s = plan.service_s, plan.overhead_s, plan.cold_s
    nodes, weights = queueing.service_nodes(inputs.request.distribution, inputs.request.cv, fine=inputs.size == 1)
    seconds = overhead_s[:, None] + nodes * service_s[:, None]
    timed_out = np.sum(weights * (seconds > TIMEOUT_S), axis=1) if option == "serverless" else np.zeros(inputs.size)
    warm = Latency(seconds=seconds, weight=np.broadcast_to(weights, seconds.shape).copy())
    if inputs.traffic.is_scheduled:
        finished_s = load.active_hours * 3600 / np.maximum(inputs.traffic.jobs_per_month, 1e-12)
        warm = Latency(seconds=(finished_s + service_s)[:, None], weight=np.ones((inputs.size, 1)))
        accepted = np.ones(inputs.size)  # nobody waits for one record of a job
    else:
        accepted = fleet.accepts_cold(inputs, cold_s)
    latency = fleet.with_cold(warm, cold_ratio=sandboxes.cold_ratio, cold_s=cold_s, accepted=accepted)
    requests = inputs.traffic.requests_per_month
    served = requests * (1 - sandboxes.blocked_ratio)
    busy_s = served * service_s
    cold_paid_s = sandboxes.cold_starts * cold_s
    provisioned_s = sandboxes.provisioned * 730 * 3600
    usual = load.active_rps
    risen = load.step * usual * service_s * np.max(inputs.popularity[1], axis=1)  # at once on the hottest endpoint
    reaches = np.minimum(1.0, limit / np.maximum(risen, 1e-12))
    new_ratio = np.minimum(1.0, (load.step - 1) * service_s / (load.step * 900))
    within = reaches * np.where(accepted > 0, 1.0, 1 - np.minimum(1.0, new_ratio + sandboxes.cold_ratio))
    busy = np.ones(inputs.size)
    if variant == "provisioned":
        units = sandboxes.provisioned / np.maximum(inputs.units, 1)
        busy = np.clip(usual * service_s / np.maximum(units * inputs.units, 1e-12), 0.0, 1.0)
    functions = inputs.units * (inputs.steps if option == "azure_functions" else 1.0)
    values = {"endpoints": functions, "memory_mb": plan.memory_mb, "max_concurrency": np.full(inputs.size, limit)}
    if variant == "provisioned":
        values["provisioned_concurrency"] = sandboxes.provisioned / np.maximum(inputs.units, 1)
    return Outcome(
        option=option,
        variant=variant,
        settings=values,
        serving={"service_s": service_s, "slots": np.ones(inputs.size), "overhead_s": overhead_s, "cold_s": cold_s},
        instance_types=None,
        latency=latency,
        offered=requests,
        dropped_ratio=1 - (1 - sandboxes.blocked_ratio) * (1 - timed_out),
        cold_ratio=sandboxes.cold_ratio,
        hit_ratio=np.full(inputs.size, np.nan),
        instance_hours=np.full(inputs.size, np.nan),
        busy_s=busy_s,
        paid_s=busy_s + cold_paid_s + provisioned_s,
        peak_served_ratio=np.minimum(1.0, sandboxes.peak_headroom),
        peak_headroom=sandboxes.peak_headroom,
        step_within_ratio=within,
        step_busy_ratio=busy,
        metered=_metered(plan, inputs, served * service_s, cold_paid_s, provisioned_s),
    )


def _metered(plan: _Plan, inputs: Inputs, used_s: Array, cold_s: Array, provisioned_s: Array) -> dict[str, Array]:
    memory_mb = plan.memory_mb
    requests = inputs.traffic.requests_per_month
    metered: dict[str, Array] = {}
    if plan.option == "azure_functions":
        name = azure_plan(inputs).name
        metered[f"azure_functions/{name}/duration"] = (used_s + cold_s) * memory_mb / GB
        metered[f"azure_functions/{name}/executions"] = requests * inputs.steps / 1e6
        return metered
    for size in np.unique(memory_mb):
        here = memory_mb == size
        if plan.variant == "provisioned":
            metered[f"provisioned_concurrency/usage/{size:.0f}"] = np.where(here, provisioned_s, 0.0)
            metered[f"provisioned_concurrency/duration/{size:.0f}"] = np.where(here, used_s, 0.0)
            metered[f"serverless/duration/{size:.0f}"] = np.where(here, cold_s, 0.0)
        else:
            metered[f"serverless/duration/{size:.0f}"] = np.where(here, used_s, 0.0)
            metered[f"serverless/duration/{size:.0f}#cold"] = np.where(here, cold_s, 0.0)
    metered["serverless/data_in"] = requests * inputs.request.payload_in_mb / GB
    metered["serverless/data_out"] = requests * inputs.request.payload_out_mb / GB
    if inputs.traffic.is_scheduled:
        metered[f"processing/{DRIVER_TYPE}"] = plan.load.active_hours
    return metered
