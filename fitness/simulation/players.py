"""One endpoint of each kind, played request by request: a configuration and a stream give a tally.

An endpoint is played on the stream's windows; the control loop walks the whole month, so that cost and
capacity come from every minute and latencies from the windows.
"""

from dataclasses import dataclass

import numpy as np

from fitness.arrays import Array
from fitness.simulation import batches, caches, control, histogram, queues, sandboxes
from fitness.simulation.arrays import Float32, UInt8
from fitness.simulation.counts import COLD, REFUSED, SERVED, TIMED_OUT
from fitness.simulation.progress import Progress, unwatched, watched
from fitness.simulation.streams import Plan, Stream
from fitness.simulation.tally import BLOCKS, Tally, empty

LONGEST_WAIT_S = 24 * 3600.0  # nothing waits longer than a day: every time-out is far shorter
MEGABYTE = 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """One endpoint and the configuration that it runs with."""

    service_s: float
    slots: int
    minimum: int
    maximum: int
    target_per_minute: float
    launch_s: float
    cold_s: float
    timeout_s: float  # waiting plus service; what is over it counts as dropped and is still charged
    hops: int = 1  # queues one after the other, each with its share of the service
    pooled: bool = False  # least outstanding requests instead of random routing
    to_zero: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Cache:
    """What a multi-model endpoint's instances hold, in MB, and what a miss costs."""

    models: int
    memory_mb: float  # of one loaded model
    disk_mb: float
    instance_memory_mb: float
    instance_disk_mb: float
    load_s: float
    download_s: float
    copies: Array  # (models,) instances that hold a model at once: hot ones have more
    seed: int


def by_block(stream: Stream, latency_s: Float32, fate: UInt8, wanted: int) -> Array:
    """Histograms of the answers with one fate, for each of BLOCKS equal parts of the stream; the lead is left out."""
    counted = stream.arrivals.size - stream.lead
    block = np.arange(counted, dtype=np.float64) * (BLOCKS / max(counted, 1))
    chosen: Float32 = np.where(fate[stream.lead :] == wanted, latency_s[stream.lead :], np.float32(np.nan))
    hists = histogram.by_interval(block, chosen, start_s=0.0, width_s=1.0, intervals=BLOCKS)
    return hists.astype(np.float64)


def policy_of(endpoint: Endpoint) -> control.Policy:
    """The scaling policy that the configuration stands for."""
    if endpoint.to_zero:
        return control.ToZero(target_per_minute=endpoint.target_per_minute, maximum=endpoint.maximum)
    if endpoint.minimum == endpoint.maximum:
        return control.Fixed(instances=endpoint.minimum)
    return control.TargetTracking(
        target_per_minute=endpoint.target_per_minute, minimum=endpoint.minimum, maximum=endpoint.maximum
    )


def capacity_of(plan: Plan, endpoint: Endpoint) -> control.Capacity:
    """Instances over the whole month."""
    month = plan.month
    return control.run(policy_of(endpoint), month.counts, endpoint.launch_s, minute_of_week=month.minute_of_week or 0)


def waiting(plan: Plan, endpoint: Endpoint, capacity: control.Capacity) -> Array:
    """What a request that arrives at the end of a minute waits behind an overload, in seconds, (minutes,).

    A window is too short to build up the queue of hours without enough capacity, so it begins behind it: work that
    arrived less work that could be done, minute by minute (a fluid queue).
    """
    a_minute = capacity.serving * endpoint.slots * 60 / (endpoint.service_s / endpoint.hops)
    surplus = np.cumsum(plan.month.counts - a_minute)
    backlog = surplus - np.minimum.accumulate(np.minimum(surplus, 0.0))
    wait_s: Array = np.where(backlog > 1, 60 * backlog / np.maximum(a_minute, 1e-9), 0.0)
    return np.minimum(wait_s, LONGEST_WAIT_S)


def _behind(wait_s: Array, begin: float) -> float:
    """The wait at a time on the month's clock."""
    minute = int(begin // 60) - 1
    return float(wait_s[minute]) if 0 <= minute < wait_s.size else 0.0


def served(plan: Plan, endpoint: Endpoint, *, progress: Progress = unwatched) -> Tally:
    """An endpoint of always-on instances: real-time, multi-container, pipeline, ensemble."""
    capacity = capacity_of(plan, endpoint)
    hours = capacity.instance_hours * plan.month.weight * endpoint.hops  # each hop has instances of its own
    wait_s = waiting(plan, endpoint, capacity)
    total = empty()
    for stream in watched(plan.windows, progress):
        latency_s, fate, busy_s = through(stream, endpoint, capacity, wait_s)
        total += _tally(stream, latency_s, fate, busy_s)
    return total + Tally(
        warm=np.zeros_like(total.warm),
        cold=np.zeros_like(total.cold),
        instance_hours=hours,
        paid_s=hours * 3600 * endpoint.slots,
    )


def through(
    stream: Stream, endpoint: Endpoint, capacity: control.Capacity, wait_s: Array
) -> tuple[Float32, UInt8, float]:
    """Latency and fate of every request of a stream, and the busy seconds of those that count.

    `wait_s` is what the queue of the minutes before holds, by minute of the month.
    """
    begin = min(float(stream.arrivals[0]), stream.start_s) if stream.arrivals.size else stream.start_s
    initial, event_s, event_delta = capacity.between(begin, stream.end_s)
    arrivals, busy_s = stream.arrivals, 0.0
    total_s: Float32 = np.zeros(stream.arrivals.size, np.float32)
    worst: UInt8 = np.full(stream.arrivals.size, SERVED, np.uint8)
    for _ in range(endpoint.hops):
        order = np.argsort(arrivals, kind="stable")
        latency_s, fate = np.empty(order.size, np.float32), np.empty(order.size, np.uint8)
        counts = queues.routed(
            arrivals[order],
            stream.multiplier[order],
            stream.uniform[order],
            endpoint.service_s / endpoint.hops,
            instances=initial,
            slots=endpoint.slots,
            policy=queues.Routing.LEAST_OUTSTANDING if endpoint.pooled else queues.Routing.RANDOM,
            start_s=begin + _behind(wait_s, begin),
            end_s=stream.end_s,
            event_s=event_s,
            event_delta=event_delta,
            timeout_s=endpoint.timeout_s,
            count_from=stream.lead,
            latency_s=latency_s,
            fate=fate,
        )
        back = np.empty_like(order)
        back[order] = np.arange(order.size)
        latency_s, fate = latency_s[back], fate[back]
        worst = np.maximum(worst, fate)
        total_s = total_s + np.nan_to_num(latency_s)
        arrivals = stream.arrivals + total_s
        busy_s += counts.busy_s
    return total_s, worst, busy_s


def cached(plan: Plan, endpoint: Endpoint, cache: Cache, *, progress: Progress = unwatched) -> Tally:
    """A multi-model endpoint: models come and go in memory and on disk."""
    capacity = capacity_of(plan, endpoint)
    hours = capacity.instance_hours * plan.month.weight
    sizes = np.full(cache.models, round(cache.memory_mb * MEGABYTE), np.int64)
    disk = np.full(cache.models, round(cache.disk_mb * MEGABYTE), np.int64)
    starts = int(np.sum(np.maximum(capacity.event_delta, 0)))
    most = max(endpoint.maximum, capacity.initial + starts)  # an instance that starts anew is a new place
    placement = caches.placements(cache.models, most, seed=cache.seed)
    copies = np.clip(cache.copies, 1, most).astype(np.int32)
    total = empty()
    for stream in watched(plan.windows, progress):
        begin = min(float(stream.arrivals[0]), stream.start_s) if stream.arrivals.size else stream.start_s
        initial, event_s, event_delta = capacity.between(begin, stream.end_s)
        latency_s = np.empty(stream.arrivals.size, np.float32)
        fate = np.empty(stream.arrivals.size, np.uint8)
        models = stream.models if stream.models is not None else np.zeros(stream.arrivals.size, np.int32)
        counts = caches.cached(
            stream.arrivals,
            stream.multiplier,
            models,
            stream.uniform,
            endpoint.service_s,
            load_s=np.full(cache.models, cache.load_s),
            download_s=np.full(cache.models, cache.download_s),
            memory_sizes=sizes,
            disk_sizes=disk,
            memory_bytes=round(cache.instance_memory_mb * MEGABYTE),
            disk_bytes=round(cache.instance_disk_mb * MEGABYTE),
            slots=endpoint.slots,
            instances=initial,
            placement=placement,
            copies=copies,
            start_s=begin,
            end_s=stream.end_s,
            event_s=event_s,
            event_delta=event_delta,
            timeout_s=endpoint.timeout_s,
            count_from=stream.lead,
            latency_s=latency_s,
            fate=fate,
        )
        total += _tally(stream, latency_s, fate, counts.busy_s, hits=float(counts.hits))
    return total + Tally(
        warm=np.zeros_like(total.warm),
        cold=np.zeros_like(total.cold),
        instance_hours=hours,
        paid_s=hours * 3600 * endpoint.slots,
    )


def sandboxed(
    plan: Plan,
    endpoint: Endpoint,
    *,
    idle_s: float,
    limit: int,
    provisioned: int,
    queues_when_full: bool,
    progress: Progress = unwatched,
) -> Tally:
    """A serverless endpoint or a function: sandboxes that go after an idle time-out."""
    total = empty()
    for stream in watched(plan.windows, progress):
        latency_s = np.empty(stream.arrivals.size, np.float32)
        fate = np.empty(stream.arrivals.size, np.uint8)
        counts = sandboxes.sandboxes(
            stream.arrivals,
            stream.multiplier,
            endpoint.service_s,
            cold_s=endpoint.cold_s,
            ttl_s=idle_s,
            max_concurrency=limit,
            provisioned=provisioned,
            queues_when_full=queues_when_full,
            timeout_s=endpoint.timeout_s,
            count_from=stream.lead,
            latency_s=latency_s,
            fate=fate,
        )
        part = _tally(stream, latency_s, fate, counts.busy_s - counts.paid_cold_s)
        starting_s = counts.paid_cold_s * stream.weight
        paid_s = counts.busy_s * stream.weight
        total += part + Tally(
            warm=np.zeros_like(part.warm), cold=np.zeros_like(part.cold), starting_s=starting_s, paid_s=paid_s
        )
    held_s = provisioned * 730 * 3600.0
    return total + Tally(warm=np.zeros_like(total.warm), cold=np.zeros_like(total.cold), paid_s=held_s)


def queued(plan: Plan, endpoint: Endpoint, *, target_per_instance: float, progress: Progress = unwatched) -> Tally:
    """An asynchronous endpoint: a queue in front of instances that may go down to zero."""
    policy = control.Backlog(
        target_per_instance=target_per_instance, minimum=endpoint.minimum, maximum=endpoint.maximum
    )
    month = plan.month
    carries = 60 * endpoint.slots / endpoint.service_s
    capacity = control.run(
        policy, month.counts, endpoint.launch_s, minute_of_week=month.minute_of_week or 0, carries_per_minute=carries
    )
    hours = capacity.instance_hours * month.weight
    total = empty()
    for stream in watched(plan.windows, progress):
        begin = min(float(stream.arrivals[0]), stream.start_s) if stream.arrivals.size else stream.start_s
        latency_s = np.empty(stream.arrivals.size, np.float32)
        fate = np.empty(stream.arrivals.size, np.uint8)
        initial, _, _ = capacity.between(begin, stream.end_s)
        counts = queues.backlog_scaled(
            stream.arrivals,
            stream.multiplier,
            endpoint.service_s,
            slots=endpoint.slots,
            instances=initial,
            minimum=endpoint.minimum,
            maximum=endpoint.maximum,
            target_per_instance=target_per_instance,
            launch_s=endpoint.launch_s,
            start_s=begin,
            timeout_s=endpoint.timeout_s,
            count_from=stream.lead,
            latency_s=latency_s,
            fate=fate,
        )
        total += _tally(stream, latency_s, fate, counts.busy_s)
    return total + Tally(
        warm=np.zeros_like(total.warm),
        cold=np.zeros_like(total.cold),
        instance_hours=hours,
        paid_s=max(hours * 3600 * endpoint.slots, total.busy_s),
    )


def transformed(
    multiplier: Float32, *, service_s: float, slots: int, instances: int, files: int, start_s: float, jobs: float
) -> tuple[Tally, float]:
    """A batch transform job: whole files to instances; gives the tally of the month and the job's end in seconds."""
    file_starts = np.unique(np.linspace(0, multiplier.size, max(1, files), endpoint=False).astype(np.int64))
    done = batches.transform(
        multiplier, service_s, file_starts=file_starts, instances=instances, slots=slots, start_s=start_s
    )
    end_s = max(done.finish_s)
    # Every record of a job has its answer when the job ends.
    block = np.arange(multiplier.size, dtype=np.float64) * (BLOCKS / multiplier.size)
    ends = np.full(multiplier.size, end_s, np.float32)
    hists = histogram.by_interval(block, ends, start_s=0.0, width_s=1.0, intervals=BLOCKS)
    warm: Array = hists.astype(np.float64) * jobs
    hours = instances * end_s / 3600 * jobs
    return Tally(
        warm=warm,
        cold=np.zeros_like(warm),
        offered=float(multiplier.size) * jobs,
        busy_s=done.busy_s * jobs,
        paid_s=hours * 3600 * slots,
        instance_hours=hours,
        played=float(multiplier.size),
    ), end_s


def _tally(stream: Stream, latency_s: Float32, fate: UInt8, busy_s: float, *, hits: float = 0.0) -> Tally:
    counted = fate[stream.lead :]
    weight = stream.weight
    return Tally(
        warm=by_block(stream, latency_s, fate, SERVED) * weight,
        cold=by_block(stream, latency_s, fate, COLD) * weight,
        offered=stream.offered * weight,
        refused=float(np.sum(counted == REFUSED)) * weight,
        timed_out=float(np.sum(counted == TIMED_OUT)) * weight,
        starts=float(np.sum(counted == COLD)) * weight,
        hits=hits * weight,
        busy_s=busy_s * weight,
        played=float(stream.offered),
    )
