"""Asynchronous inference: a queue in front of instances that may go down to zero.

A request that finds no instance waits for the backlog alarm and the launch. Nothing is dropped.
Formulas: docs/background.md#asynchronous.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from fitness.analytic import fleet, settings
from fitness.analytic.served import DRIVER_TYPE, GB, UNPACKED_OVER_PACKED, job_seconds, load_of
from fitness.arrays import Array, Index
from fitness.inputs import Inputs
from fitness.load import Load
from fitness.machines import Machines, candidates
from fitness.outcome import Outcome
from fitness.prices import PriceBook

FULL = 0.9  # load over capacity that the queue is sized for
BACKLOG_ALARM_S = 120.0  # HasBacklogWithoutCapacity: 2 datapoints of 2
IDLE_S = fleet.ALARM_IN_S + fleet.COOLDOWN_S  # idle time until the last instance goes


def evaluate(
    variant: str,
    inputs: Inputs,
    book: PriceBook,
    *,
    config: Mapping[str, object],
    types: Sequence[str] | None,
) -> Outcome | None:
    """Pick the cheapest type that answers within the deadline, and say what it does. See `analytic.evaluate`."""
    machines = candidates(inputs, book, component="async", instance_type=settings.text(config, "instance_type"))
    at_once = settings.number(config, "max_concurrent_invocations_per_instance")
    backlog = settings.number(config, "target_backlog_per_instance")
    machines = machines.serving(at_once).scaled()
    if types is not None:
        machines = machines.only([i for i, t in enumerate(machines.types) if t.name in types])
    if machines.count == 0:
        return None
    load = load_of(inputs)
    overhead_s = inputs.prior("invoke_overhead_ms") / 1000
    carries, unmet = fleet.sustainable(inputs, machines, overhead_s=overhead_s, hops=np.ones(inputs.size))
    carries = np.maximum(carries, FULL * machines.baseline * machines.slots / machines.service_s)
    members, share = (np.ones((inputs.size, 1)),) * 2 if bool(np.all(inputs.units <= 1)) else inputs.popularity
    floor, top = _bounds(variant, inputs, config)
    paid_hours = np.zeros(carries.shape)
    most, asked = np.zeros(carries.shape), np.zeros(carries.shape)
    linger_s = IDLE_S + inputs.request.processing_s
    for bucket in range(members.shape[1]):
        rate = load.rps * share[:, bucket, None]
        needed = np.ceil(rate[:, None, :] / carries[..., None] - 1e-9)
        count = np.minimum(needed, top[:, None, None])
        up = -np.expm1(-rate * linger_s[:, None])[:, None, :]
        lingers = (load.spells * (linger_s / 3600)[:, None])[:, None, :]  # it stays up once more before an idle hour
        running = np.maximum(floor[:, None, None], (np.maximum(count, 1.0) + lingers) * up)
        paid_hours += members[:, bucket, None] * np.sum(running * load.hours[:, None, :], axis=2)
        most += members[:, bucket, None] * np.maximum(np.maximum(floor[:, None], 1.0), np.max(count, axis=2))
        asked += members[:, bucket, None] * np.maximum(1.0, np.max(needed, axis=2))
    # One container runs a whole chain or graph, or one model.
    fits = machines.memory_mb[None, :] >= (inputs.models.memory_mb * inputs.steps)[:, None]
    volume_gb = _volume_gb(inputs, config)
    usd = paid_hours * fleet.usd_per_hour(machines, book, inputs.region, volume_gb)
    column = fleet.pick(unmet, usd, fits)
    rows = np.arange(inputs.size)
    at = (rows, column)
    stored_gb = np.where(machines.has_local_disk[column], 0.0, volume_gb)
    hottest = np.max(share, axis=1)
    service_s, slots = machines.service_s[at], machines.slots[at]
    count = np.maximum(1.0, np.ceil(load.rps * hottest[:, None] / carries[at][:, None] - 1e-9))
    count = np.clip(count, np.maximum(floor, 1.0)[:, None], top[:, None])
    utilisation = load.rps * hottest[:, None] * service_s[:, None] / (count * slots[:, None])
    # Under a maximum that the caller fixed too low, what is never served expires in the queue.
    requests = inputs.traffic.requests_per_month
    part = load.requests / np.maximum(np.sum(load.requests, axis=1, keepdims=True), 1e-300)
    dropped = np.sum(part * np.maximum(0.0, 1 - 1 / np.maximum(utilisation, 1e-12)), axis=1)
    granted = (most / asked)[at]
    wake_s = BACKLOG_ALARM_S + inputs.launch_s
    cold = np.where(floor > 0, 0.0, _cold_ratio(load, members, share, linger_s, wake_s))
    warm = fleet.latency(
        inputs,
        utilisation=np.minimum(utilisation, 0.97),
        weight=load.requests,
        service_s=service_s,
        servers=count * slots[:, None],
        overhead_s=overhead_s,
        hops=np.ones(inputs.size),
    )
    latency = fleet.with_cold(warm, cold_ratio=cold, cold_s=wake_s, accepted=fleet.accepts_cold(inputs, wake_s))
    hours = paid_hours[at]
    if inputs.traffic.is_scheduled:  # the last record of a job is the job's answer
        latency = replace(latency, seconds=latency.seconds + job_seconds(inputs)[:, None])
    step = _step(inputs, load, service_s, slots, carries[at], wake_s, floor, top)
    return Outcome(
        option="async",
        variant=variant,
        settings={
            "endpoints": inputs.units,
            "min_instances": floor * inputs.units,
            "max_instances": np.where(np.isfinite(top), top * inputs.units, most[at]),
            "max_concurrent_invocations_per_instance": slots if at_once is None else np.full(inputs.size, at_once),
            "target_backlog_per_instance": np.maximum(1.0, np.floor(5 * slots))
            if backlog is None
            else np.full(inputs.size, backlog),
            "volume_gb": stored_gb,
        },
        serving={
            "service_s": service_s,
            "slots": slots,
            "overhead_s": overhead_s,
            "cold_s": wake_s,
            "granted": granted,
        },
        instance_types=tuple(machines.types[int(index)].name for index in column),
        latency=latency,
        offered=requests,
        dropped_ratio=dropped,
        cold_ratio=cold,
        hit_ratio=np.full(inputs.size, np.nan),
        instance_hours=hours,
        busy_s=requests * (1 - dropped) * service_s,
        paid_s=np.maximum(hours * 3600 * slots, requests * (1 - dropped) * service_s),
        peak_served_ratio=np.ones(inputs.size),
        peak_headroom=np.full(inputs.size, fleet.HEADROOM),  # a peak waits in the queue, nothing is lost
        step_within_ratio=step[0],
        step_busy_ratio=step[1],
        metered=_metered(inputs, machines, column, hours, stored_gb, load),
    )


def _metered(
    inputs: Inputs, machines: Machines, column: Index, hours: Array, stored_gb: Array, load: Load
) -> dict[str, Array]:
    requests = inputs.traffic.requests_per_month
    metered = {
        f"async/{machines.types[int(index)].name}": np.where(column == index, hours, 0.0) for index in np.unique(column)
    }
    metered["storage/hosting"] = stored_gb * hours / 730
    metered["data_in"] = requests * inputs.request.payload_in_mb / GB
    metered["data_out"] = requests * inputs.request.payload_out_mb / GB
    metered["s3/put"] = 2 * requests / 1000  # the caller's input, the endpoint's output
    metered["s3/get"] = 2 * requests / 1000
    metered["cloudwatch/alarm"] = 3.0 * inputs.units  # two of the backlog policy, one to leave zero
    if inputs.traffic.is_scheduled:
        metered[f"processing/{DRIVER_TYPE}"] = load.active_hours
    return metered


def _bounds(variant: str, inputs: Inputs, config: Mapping[str, object]) -> tuple[Array, Array]:
    """Fewest and most instances of one endpoint, (draws,); what the caller fixes counts all endpoints together."""
    low, high = settings.number(config, "min_instances"), settings.number(config, "max_instances")
    floor = np.full(inputs.size, 0.0 if variant == "from_zero" else 1.0)
    if low is not None:
        floor = np.ceil(low / inputs.units)
    top = np.full(inputs.size, np.inf) if high is None else np.maximum(1.0, np.floor(high / inputs.units))
    return floor, np.maximum(top, floor)


def _volume_gb(inputs: Inputs, config: Mapping[str, object]) -> Array:
    """GB of the volume of one instance: the image, and the models packed and unpacked."""
    fixed = settings.number(config, "volume_gb")
    if fixed is not None:
        return np.full(inputs.size, fixed)
    needed = inputs.models.image_gb + UNPACKED_OVER_PACKED * inputs.models.artifact_mb * inputs.steps / GB
    return np.clip(np.ceil(needed), 1, 512)  # ProductionVariant.VolumeSizeInGB: 1 to 512


def _cold_ratio(load: Load, members: Array, share: Array, linger_s: Array, wake_s: Array) -> Array:
    """Share of requests that find no instance, or arrive while the first one starts."""
    rate = load.rps[:, :, None] * share[:, None, :]
    alone = np.exp(-rate * linger_s[:, None, None])
    first = load.spells[:, :, None] / np.maximum(rate * 3600, 1e-300)  # requests that end an idle hour
    wakes = alone + first * (1 - alone)
    cold = np.where(rate > 0, np.minimum(1.0, wakes * (1 + rate * wake_s[:, None, None])), 0.0)
    requests = load.requests[:, :, None] * (members * share)[:, None, :]
    ratio: Array = np.sum(requests * cold, axis=(1, 2)) / np.maximum(np.sum(requests, axis=(1, 2)), 1e-300)
    return ratio


def _step(
    inputs: Inputs,
    load: Load,
    service_s: Array,
    slots: Array,
    carries: Array,
    wake_s: Array,
    floor: Array,
    top: Array,
) -> tuple[Array, Array]:
    """A rise for 15 minutes and the fall back: the queue keeps what the instances cannot take yet."""
    usual = load.active_rps
    units = inputs.units
    before = np.minimum(np.maximum(np.maximum(floor, 1.0) * units, np.ceil(usual / carries)), top * units)
    after = np.minimum(np.maximum(before, np.ceil(load.step * usual / carries)), top * units)
    short = np.maximum(0.0, load.step * usual - before * slots / service_s)
    backlog = short * wake_s
    wait_s = backlog * service_s / np.maximum(after * slots, 1)
    limit_s = inputs.objectives.late_after_s
    within = np.where(wait_s + service_s <= limit_s, 1.0, np.clip(limit_s / np.maximum(wait_s, 1e-9), 0, 1))
    paid = (after * fleet.ALARM_IN_S + before * (1800 - fleet.ALARM_IN_S)) * slots
    return within, np.clip(usual * service_s * 1800 / np.maximum(paid, 1e-12), 0.0, 1.0)
