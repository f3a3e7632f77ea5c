"""Endpoints that stay up: real-time, multi-model on CPU and GPU, multi-container, serial pipeline, Triton ensemble.

One evaluation serves them all; they differ in how many endpoints there are, what shares an instance's memory,
what a hop costs and whether models come and go (`_Shape`).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from fitness import load as loads
from fitness.analytic import fleet, model_cache, settings, to_zero
from fitness.arrays import Array, Flags, Index
from fitness.inputs import HOURS_PER_MONTH, Inputs
from fitness.load import Load
from fitness.machines import Machines, candidates
from fitness.outcome import Latency, Outcome
from fitness.prices import PriceBook

GB = 1024.0  # MB in a GB, as data and storage are billed
UNPACKED_OVER_PACKED = 2.0  # a volume holds the archive and what it unpacks to
DRIVER_TYPE = "ml.m5.large"  # the client that sends a scheduled job's records to an endpoint
BATCH_SIZE = 4.0  # Triton user guide, model configuration: of a configuration that the server completes, without delay
STEP_S = 900.0  # a rise in load lasts as long; what is paid is looked at for twice that after it


@dataclass(frozen=True, slots=True, kw_only=True)
class _Shape:
    """How an option uses its instances."""

    is_shared: bool  # one endpoint for all models; else one for each
    is_cached: bool  # models are loaded on demand and evicted
    accelerator: str | None  # what the option insists on; None: what the workload asks for
    hop_prior: str | None  # what one more model in a request costs


_SHAPES = {
    "real_time": _Shape(is_shared=False, is_cached=False, accelerator=None, hop_prior="invoke_overhead_ms"),
    "mme": _Shape(is_shared=True, is_cached=True, accelerator="none", hop_prior="hop_ms"),
    "mme_gpu": _Shape(is_shared=True, is_cached=True, accelerator="gpu", hop_prior="hop_ms"),
    "mce_direct": _Shape(is_shared=True, is_cached=False, accelerator="none", hop_prior=None),
    "serial_pipeline": _Shape(is_shared=True, is_cached=False, accelerator=None, hop_prior="hop_ms"),
    "triton_ensemble": _Shape(is_shared=True, is_cached=False, accelerator=None, hop_prior="graph_hop_ms"),
}


def job_seconds(inputs: Inputs) -> Array:
    """How long a scheduled job's records are sent for: half of the deadline, within 10 minutes and 4 hours.

    Never longer than from one job to the next: jobs that overlapped would ask for more hours than a month has.
    """
    lasts_s = np.clip(inputs.objectives.late_after_s / 2, loads.SHORTEST_JOB_S, loads.LONGEST_JOB_S)
    return np.minimum(lasts_s, HOURS_PER_MONTH * 3600 / inputs.traffic.jobs_per_month)


def load_of(inputs: Inputs) -> Load:
    """The month's load on an endpoint."""
    return loads.of(inputs.traffic, job_s=job_seconds(inputs) if inputs.traffic.is_scheduled else None)


def evaluate(
    option: str,
    variant: str,
    inputs: Inputs,
    book: PriceBook,
    *,
    config: Mapping[str, object],
    types: Sequence[str] | None,
) -> Outcome | None:
    """Size every type, pick the cheapest that meets the objectives, and say what it does. See `analytic.evaluate`."""
    shape = _SHAPES[option]
    machines = candidates(
        inputs,
        book,
        accelerator=shape.accelerator,
        single_gpu=option == "mme_gpu",
        instance_type=settings.text(config, "instance_type"),
    )
    if variant == "inference_components":
        machines = machines.scaled()
    if types is not None:
        machines = machines.only([i for i, t in enumerate(machines.types) if t.name in types])
    if machines.count == 0:
        return None
    load = load_of(inputs)
    cache = model_cache.plan(inputs, machines, load, config) if shape.is_cached else None
    if cache is not None:
        machines = machines.only(cache.column.tolist())
    sized = _size(shape, variant, inputs, machines, load, cache, config)
    volume_gb = _volume_gb(shape, inputs, config)
    usd = sized.paid_hours * fleet.usd_per_hour(machines, book, inputs.region, volume_gb)
    granted = sized.fits & (sized.granted >= 1)  # within the maximum that the caller fixed, where any type is
    fits = np.where(np.any(granted, axis=1, keepdims=True), granted, sized.fits)
    column = fleet.pick(sized.unmet, usd + sized.alarms * fleet.alarm_usd(book, inputs.region), fits)
    plan = _Plan(
        option=option, variant=variant, shape=shape, machines=machines, load=load, column=column, volume_gb=volume_gb
    )
    return _outcome(plan, inputs, sized, config)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Sized:
    """Every type sized for the month; arrays of shape (draws, types) unless said."""

    service_s: Array
    carries_rps: Array
    unmet: Array
    fits: Flags
    paid_hours: Array
    most: Array  # instances in the busiest minute, over all endpoints
    fewest: Array  # minimum and maximum of the configuration, over all endpoints
    greatest: Array
    by_level: Array  # (draws, types, levels)
    short: Array  # instances that the load asks for over those that may run, (draws, types, levels)
    granted: Array  # instances that may run over those that the busiest minute asks for
    alarms: Array
    cache: model_cache.Cache | None
    overhead_s: Array  # (draws,)
    hops: Array  # (draws,)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Plan:
    """The pick of an evaluation."""

    option: str
    variant: str
    shape: _Shape
    machines: Machines
    load: Load
    column: Index  # (draws,) the type under each draw
    volume_gb: Array  # (draws,)


def _size(
    shape: _Shape,
    variant: str,
    inputs: Inputs,
    machines: Machines,
    load: Load,
    cache: model_cache.Cache | None,
    config: Mapping[str, object],
) -> _Sized:
    hops = inputs.steps if not shape.is_shared else np.ones(inputs.size)
    invoke_s = inputs.prior("invoke_overhead_ms") / 1000
    extra_s = inputs.prior(shape.hop_prior) / 1000 if shape.hop_prior else np.zeros(inputs.size)
    # A multi-model server is one hop even for one model; the others pay for the models after the first.
    overhead_s = invoke_s + extra_s * (inputs.steps - (0 if shape.is_cached else 1))
    if shape.is_cached:
        overhead_s = overhead_s + invoke_s * (inputs.steps - 1)  # the caller walks a chain model by model
    service_s, loads = machines.service_s, None
    if cache is not None:
        excused = fleet.accepts_cold(inputs, cache.load_s)
        loads = fleet.Loads(ratio=1 - cache.hit_ratio, seconds=cache.load_s, excused=excused)
        service_s = service_s + loads.ratio * cache.load_s[:, None]
        fits = cache.fits
    else:
        fits = machines.memory_mb[None, :] >= _resident_mb(shape, inputs)[:, None]
    carries, unmet = fleet.sustainable(inputs, machines, overhead_s=overhead_s, hops=hops, loads=loads)
    fixed = settings.number(config, "target_invocations_per_minute")
    if fixed is not None:
        carries = np.full_like(carries, fixed / 60)
    by_level = _counts(shape, inputs, load.rps, carries, hops)
    most = _counts(shape, inputs, load.peak_rps[:, None], carries, hops)[..., 0]
    most = np.maximum(most, np.max(by_level, axis=2))
    floor = np.ones_like(most) if cache is None else cache.instances
    low = settings.number(config, "min_instances")
    if load.is_sudden and low is None:  # bursts are over before an instance has started
        by_level = np.broadcast_to(most[..., None], by_level.shape)
    wanted = np.maximum(by_level, floor[..., None])
    endpoints = _endpoints(shape, inputs)[:, None]
    by_level = settings.bounded(wanted, endpoints[..., None], config)
    asked = np.maximum(most, floor)
    most = settings.bounded(asked, endpoints, config)
    # Nothing scales burstable types: the peak's instances stay all month, whatever fewer of them were asked for.
    by_level = np.where(machines.is_burstable[None, :, None], most[..., None], by_level)
    if low is not None:
        high = max(low, settings.number(config, "max_instances") or low)
        fits = fits & ~(machines.is_burstable[None, :] & (np.maximum(most, high) > low))
    # A level of load that no hour has is no quiet hour.
    least = np.min(np.where(load.hours[:, None, :] > 0, by_level, np.inf), axis=2)
    if variant == "inference_components":
        paid_hours = np.sum(load.hours[:, None, :] * by_level * to_zero.kept(load)[:, None, :], axis=2)
        least = np.zeros_like(least)
    else:
        paid_hours = np.sum(by_level * load.hours[:, None, :], axis=2)
    if not inputs.traffic.is_scheduled and variant == "always_on":
        # Each day's fall in load is followed only after the scale-in alarm and its cooldown.
        tail_h = (fleet.ALARM_IN_S + fleet.COOLDOWN_S) / 3600
        paid_hours = paid_hours + np.maximum(0, most - least) * tail_h * fleet.DAYS_PER_MONTH
    fewest, greatest = settings.stated(least, most, np.maximum(floor, endpoints), config)
    fewest = np.where(machines.is_burstable[None, :], least, fewest)
    greatest = np.where(machines.is_burstable[None, :], most, greatest)
    return _Sized(
        service_s=service_s,
        carries_rps=carries,
        unmet=unmet,
        fits=fits,
        paid_hours=paid_hours,
        most=most,
        by_level=by_level,
        short=wanted / by_level,
        granted=most / asked,
        fewest=fewest,
        greatest=greatest,
        alarms=2.0 * np.minimum(endpoints, greatest - fewest),  # two for every endpoint that scales
        cache=cache,
        overhead_s=overhead_s,
        hops=hops,
    )


def _resident_mb(shape: _Shape, inputs: Inputs) -> Array:
    """Memory that one instance must hold at once, MB."""
    if not shape.is_shared:
        return inputs.models.memory_mb
    return inputs.models.memory_mb * np.maximum(inputs.steps * inputs.units, inputs.models.containers)


def _counts(shape: _Shape, inputs: Inputs, rps: Array, carries: Array, hops: Array) -> Array:
    """Instances per level of load over all endpoints, (draws, types, levels)."""
    if shape.is_shared or bool(np.all(inputs.units <= 1)):
        return np.maximum(1.0, np.ceil(rps[:, None, :] / carries[..., None] - 1e-9)) * hops[:, None, None]
    members, share = inputs.popularity
    total = np.zeros((*carries.shape, rps.shape[1]))
    for bucket in range(members.shape[1]):
        own = np.ceil(rps[:, None, :] * share[:, bucket, None, None] / carries[..., None] - 1e-9)
        total += members[:, bucket, None, None] * np.maximum(1.0, own)
    return total * hops[:, None, None]


def _volume_gb(shape: _Shape, inputs: Inputs, config: Mapping[str, object]) -> Array:
    """GB of the volume of one instance: the image, and the models packed and unpacked."""
    fixed = settings.number(config, "volume_gb")
    if fixed is not None:
        return np.full(inputs.size, fixed)
    models = inputs.models.count if shape.is_shared else np.ones(inputs.size)
    needed = inputs.models.image_gb + UNPACKED_OVER_PACKED * models * inputs.models.artifact_mb / GB
    return np.clip(np.ceil(needed), 1, 512)  # ProductionVariant.VolumeSizeInGB: 1 to 512


def _outcome(plan: _Plan, inputs: Inputs, sized: _Sized, config: Mapping[str, object]) -> Outcome:
    shape, machines, load, column = plan.shape, plan.machines, plan.load, plan.column
    rows = np.arange(inputs.size)
    at = (rows, column)
    service_s, slots = sized.service_s[at], machines.slots[at]
    by_level = sized.by_level[at]
    each_s = service_s / sized.hops
    # An endpoint's load over its capacity; several endpoints: the mean over requests, hot ones are fuller.
    capacity_rps = by_level / sized.hops[:, None] * (slots / each_s)[:, None]
    utilisation = load.rps / capacity_rps
    if not shape.is_shared and bool(np.any(inputs.units > 1)):
        hottest = load.rps * np.max(inputs.popularity[1], axis=1)[:, None] / (slots / each_s)[:, None]
        utilisation = np.minimum(hottest, 1 / fleet.HEADROOM) * sized.short[at]
    overloaded = np.maximum(0.0, 1 - 1 / np.maximum(utilisation, 1e-12))
    share = load.requests / np.maximum(np.sum(load.requests, axis=1, keepdims=True), 1e-300)
    dropped = np.sum(share * overloaded, axis=1)
    pooled = settings.text(config, "routing") == "LEAST_OUTSTANDING_REQUESTS"
    each_endpoint = np.maximum(1.0, by_level / _endpoints(shape, inputs)[:, None])
    servers = slots[:, None] * (each_endpoint if pooled else np.ones_like(by_level))
    latency = fleet.latency(
        inputs,
        utilisation=utilisation,
        weight=load.requests,
        service_s=machines.service_s[at],
        servers=servers,
        overhead_s=sized.overhead_s,
        hops=sized.hops,
    )
    cold = np.zeros(inputs.size)
    hits = np.full(inputs.size, np.nan)
    if sized.cache is not None:
        hits = sized.cache.mean_hit_ratio(at, by_level, load.requests)  # more instances hold more models
        cold = 1 - hits
        latency = fleet.with_cold(
            latency,
            cold_ratio=cold,
            cold_s=sized.cache.load_s,
            accepted=fleet.accepts_cold(inputs, sized.cache.load_s),
        )
    paid_hours = sized.paid_hours[at]
    on_ratio = np.ones(inputs.size)
    if plan.variant == "inference_components":
        lost = to_zero.lost_ratio(inputs, load)
        on_ratio = 1 - lost
        dropped = 1 - (1 - dropped) * (1 - lost)
    if inputs.traffic.is_scheduled:
        job_s = job_seconds(inputs)
        latency = Latency(seconds=job_s[:, None] + service_s[:, None], weight=np.ones((inputs.size, 1)))
    requests = inputs.traffic.requests_per_month
    busy_s = requests * (1 - dropped) * machines.service_s[at]
    step = _step(plan, inputs, service_s, slots, sized, at, config)
    metered = _metered(inputs, machines, column, paid_hours, plan.volume_gb, load)
    if np.any(sized.alarms[at] > 0):
        metered["cloudwatch/alarm"] = sized.alarms[at]
    values = {
        "endpoints": _endpoints(shape, inputs),
        "min_instances": sized.fewest[at],
        "max_instances": np.maximum(sized.greatest[at], 1),
        "target_invocations_per_minute": sized.carries_rps[at] * 60,
        "volume_gb": np.where(machines.has_local_disk[column], 0, plan.volume_gb),
    }
    if plan.option == "triton_ensemble":
        largest = settings.number(config, "max_batch_size")
        # A CPU gains next to nothing, and what an accelerator serves at once is its gain already.
        usual = np.where((slots > 1) | (inputs.accelerator == "none"), 1.0, BATCH_SIZE)
        values["max_batch_size"] = usual if largest is None else np.full(inputs.size, largest)
        values["max_queue_delay_ms"] = np.full(inputs.size, settings.number(config, "max_queue_delay_ms") or 0.0)
    if sized.cache is not None:
        values["models_in_memory"] = sized.cache.resident[at]
    return Outcome(
        option=plan.option,
        variant=plan.variant,
        settings=values,
        serving={
            "service_s": machines.service_s[at],
            "slots": slots,
            "overhead_s": sized.overhead_s,
            "cold_s": np.zeros(inputs.size) if sized.cache is None else sized.cache.load_s,
            "hops": sized.hops,
            "granted": sized.granted[at],
        },
        instance_types=tuple(machines.types[int(index)].name for index in column),
        latency=latency,
        offered=requests,
        dropped_ratio=dropped,
        cold_ratio=cold,
        hit_ratio=hits,
        instance_hours=paid_hours,
        busy_s=busy_s,
        paid_s=paid_hours * 3600 * slots,
        peak_served_ratio=np.minimum(1.0, _peak_capacity(load, sized, at, slots, each_s)),
        peak_headroom=_peak_capacity(load, sized, at, slots, each_s),
        step_within_ratio=step[0] * on_ratio,
        step_busy_ratio=step[1],
        metered=metered,
    )


def _endpoints(shape: _Shape, inputs: Inputs) -> Array:
    return np.ones(inputs.size) if shape.is_shared else inputs.units * inputs.steps


def _peak_capacity(load: Load, sized: _Sized, at: tuple[Index, Index], slots: Array, each_s: Array) -> Array:
    """Capacity over the busiest minute's load."""
    whole = sized.most[at] / sized.hops * slots / each_s
    return np.minimum(whole / np.maximum(load.peak_rps, 1e-12), 1e6)


def _step(
    plan: _Plan,
    inputs: Inputs,
    service_s: Array,
    slots: Array,
    sized: _Sized,
    at: tuple[Index, Index],
    config: Mapping[str, object],
) -> tuple[Array, Array]:
    """The load of a usual hour rises for 15 minutes and falls back: shares within and busy."""
    load, shape = plan.load, plan.shape
    usual, risen = load.active_rps, load.step * load.active_rps

    def running(rps: Array) -> Array:
        return _counts(shape, inputs, rps[:, None], sized.carries_rps[at][:, None], sized.hops)[:, 0, 0]

    # Nothing scales burstable types, and bursts are over before anything has scaled.
    stays = load.is_sudden | plan.machines.is_burstable[plan.column]
    before = np.where(stays, sized.most[at], running(usual))
    if sized.cache is not None:
        before = np.maximum(before, sized.cache.instances[at])
    endpoints = _endpoints(shape, inputs)
    after = settings.bounded(np.maximum(before, running(risen)), endpoints, config)
    before = settings.bounded(before, endpoints, config)
    capacity, grown = before * slots / service_s, after * slots / service_s
    lag_s = np.where(risen <= capacity * 0.95, 0.0, fleet.ALARM_OUT_S + inputs.launch_s)
    excess = np.maximum(0.0, risen - capacity) * np.minimum(lag_s, 60.0)  # older requests have timed out
    spare = grown - risen
    clear_s = np.divide(excess, spare, out=np.where(excess > 0, STEP_S, 0.0), where=spare > 0)
    within = np.clip(1 - (lag_s + clear_s) / STEP_S, 0.0, 1.0)
    paid = (after * fleet.ALARM_IN_S + before * (2 * STEP_S - fleet.ALARM_IN_S)) * slots
    return within, np.clip(usual * service_s * 2 * STEP_S / np.maximum(paid, 1e-12), 0.0, 1.0)


def _metered(
    inputs: Inputs, machines: Machines, column: Index, paid_hours: Array, volume_gb: Array, load: Load
) -> dict[str, Array]:
    requests = inputs.traffic.requests_per_month
    stored = np.where(machines.has_local_disk[column], 0.0, volume_gb)
    names = np.array([one.name for one in machines.types])[column]
    metered = {f"hosting/{name}": np.where(names == name, paid_hours, 0.0) for name in dict.fromkeys(names.tolist())}
    metered["storage/hosting"] = stored * paid_hours / 730
    metered["data_in"] = requests * inputs.request.payload_in_mb / GB
    metered["data_out"] = requests * inputs.request.payload_out_mb / GB
    if inputs.traffic.is_scheduled:
        metered[f"processing/{DRIVER_TYPE}"] = load.active_hours
    return metered
