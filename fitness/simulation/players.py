"""Streams played request by request through one endpoint: a window of the month, a day, a step of the load.

The control loop walks every minute, so that cost and capacity come from all of them and latencies from the streams.
"""

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from fitness.arrays import Array
from fitness.inputs import HOURS_PER_MONTH
from fitness.simulation import batches, caches, control, queues, randomness, sandboxes
from fitness.simulation.arrays import Float32, Int32, Int64, UInt8
from fitness.simulation.control import Capacity
from fitness.simulation.counts import COLD, SERVED
from fitness.simulation.endpoints import Batching, Cache, Endpoint, Pool
from fitness.simulation.months import Month
from fitness.simulation.progress import Progress, unwatched, watched
from fitness.simulation.streams import Plan, Stream
from fitness.simulation.tally import Answers, Counting, Tally

LONGEST_WAIT_S = 24 * 3600.0  # nothing waits longer than a day: every time-out is far shorter
MEGABYTE = 1024 * 1024
MOST_HOPS = 16
REST = 4.0  # loads, after the last one begins: an instance may have several before it
_NO_WORK = 1e-6  # of a service time
MOST_FILLING = 50_000  # models that are asked for before a window
MONTH_S = HOURS_PER_MONTH * 3600


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Fleet:
    """The instances of an endpoint over a stretch of minutes, and what waits before them."""

    capacity: Capacity
    wait_s: Array  # that a request at the end of a minute waits behind the minutes before, (minutes,)


def month_of(plan: Plan, endpoint: Endpoint, progress: Progress = unwatched) -> Tally:
    """What the endpoint does in a month: every minute of it scaled, its windows played."""
    fleet = fleet_of(plan.month, endpoint)
    counting = Counting()
    for stream in watched(plan.windows, progress):
        counting.add(stream, answers(stream, endpoint, fleet, past=plan.month))
    if fleet is None:
        return counting.tally(held_s=0.0 if endpoint.pool is None else endpoint.pool.provisioned * MONTH_S)
    # Each hop has instances of its own.
    return counting.tally(
        instance_hours=plan.month.instance_hours(fleet.capacity.paid) * endpoint.hops, slots=endpoint.slots
    )


def fleet_of(month: Month, endpoint: Endpoint, *, start: int | None = None) -> Fleet | None:
    """The instances in every minute, `start` at the beginning; None where sandboxes come and go instead."""
    if endpoint.pool is not None:
        return None
    capacity = control.run(
        endpoint.policy,
        month.counts,
        endpoint.launch_s,
        minute_of_week=month.minute_of_week or 0,
        carries_per_minute=endpoint.carries_per_minute,
        start=start,
    )
    return Fleet(capacity=capacity, wait_s=_waiting(month, endpoint, capacity))


def _waiting(month: Month, endpoint: Endpoint, capacity: Capacity) -> Array:
    """What a request that arrives at the end of a minute waits behind an overload, in seconds, (minutes,).

    A window is too short to build up the queue of hours without enough capacity, so it begins behind it: work that
    arrived less work that could be done, minute by minute (a fluid queue).
    """
    a_minute = capacity.serving * endpoint.carries_per_minute
    surplus = month.counts - a_minute
    if float(surplus.max()) <= 0:
        return np.zeros(month.minutes)
    surplus = np.cumsum(surplus)
    backlog = surplus - np.minimum.accumulate(np.minimum(surplus, 0.0))
    wait_s: Array = np.where((backlog > 1) & (a_minute > 0), 60 * backlog / np.maximum(a_minute, 1e-9), 0.0)
    return np.minimum(wait_s, LONGEST_WAIT_S)


def _behind(wait_s: Array, begin: float) -> float:
    """The wait at a time on the month's clock: even between the ends of minutes, none before the first."""
    minute, within = divmod(begin, 60.0)
    first, last = int(minute) - 1, min(int(minute), wait_s.size - 1)
    before = float(wait_s[first]) if 0 <= first < wait_s.size else 0.0
    return before + (float(wait_s[last]) - before) * within / 60 if last >= 0 else before


def answers(
    stream: Stream,
    endpoint: Endpoint,
    fleet: Fleet | None,
    *,
    by_minute: Int64 | None = None,
    past: Month | None = None,
) -> Answers:
    """What becomes of a stream's requests on the stretch that `fleet` covers.

    Where a queue scales its instances itself, `by_minute` is filled with those in service at the end of each minute.
    Sandboxes are as the minutes of `past` before the stream have left them; None: there are none at first.
    """
    if endpoint.pool is not None:
        return _in_sandboxes(stream, endpoint, endpoint.pool, past)
    assert fleet is not None  # noqa: S101 what has no sandboxes has instances
    if endpoint.cache is not None:
        return _with_cache(stream, endpoint, endpoint.cache, fleet)
    if isinstance(endpoint.policy, control.Backlog):
        return _queued(stream, endpoint, endpoint.policy, fleet, by_minute)
    return followed(stream, endpoint, fleet)


def followed(stream: Stream, endpoint: Endpoint, fleet: Fleet) -> Answers:
    """What becomes of a stream's requests where instances come and go as the control loop says, and nothing loads."""
    if endpoint.batching is not None:
        return _in_batches(stream, endpoint, endpoint.batching, fleet)
    if endpoint.is_queue:
        return _shared(stream, endpoint, fleet)
    return _through(stream, endpoint, fleet)


def _room(stream: Stream) -> tuple[Float32, UInt8]:
    """Where a kernel writes latencies and fates."""
    return np.empty(stream.arrivals.size, np.float32), np.empty(stream.arrivals.size, np.uint8)


def _used(stream: Stream, endpoint: Endpoint) -> int:
    """The slots of an instance that can be busy at once: no more than there are requests."""
    return max(1, min(endpoint.slots, stream.arrivals.size))


def _begin(stream: Stream) -> float:
    """When the stream begins, its lead included."""
    return min(float(stream.arrivals[0]), stream.start_s) if stream.arrivals.size else stream.start_s


def _through(stream: Stream, endpoint: Endpoint, fleet: Fleet) -> Answers:
    """Always-on instances: real-time, multi-container, pipeline, ensemble; a chain is one queue after the other."""
    begin = _begin(stream)
    initial, event_s, event_delta = fleet.capacity.between(begin, stream.end_s)
    arrivals, busy_s = stream.arrivals, 0.0
    total_s: Float32 = np.zeros(stream.arrivals.size, np.float32)
    worst: UInt8 = np.full(stream.arrivals.size, SERVED, np.uint8)
    hops = min(endpoint.hops, MOST_HOPS)  # of more, each stands for several
    for hop in range(hops):
        order = np.argsort(arrivals, kind="stable") if hop else slice(None)
        latency_s, fate = _room(stream)
        counts = queues.routed(
            arrivals[order],
            stream.multiplier[order],
            stream.uniform[order],
            endpoint.service_s / endpoint.hops,
            instances=initial,
            slots=_used(stream, endpoint),
            policy=queues.Routing.LEAST_OUTSTANDING if endpoint.pooled else queues.Routing.RANDOM,
            start_s=begin + _behind(fleet.wait_s, begin),
            end_s=stream.end_s,
            event_s=event_s,
            event_delta=event_delta,
            timeout_s=endpoint.timeout_s,
            count_from=stream.lead,
            latency_s=latency_s,
            fate=fate,
        )
        busy_s += counts.busy_s
        if endpoint.hops == 1:
            return Answers(latency_s=latency_s, fate=fate, busy_s=busy_s)
        hop_s, hop_fate = _room(stream)
        hop_s[order], hop_fate[order] = latency_s, fate
        worst = np.maximum(worst, hop_fate)
        total_s = total_s + np.nan_to_num(hop_s)
        arrivals = stream.arrivals + total_s
    several = endpoint.hops / hops
    return Answers(latency_s=total_s * np.float32(several), fate=worst, busy_s=busy_s * several)


def _in_batches(stream: Stream, endpoint: Endpoint, batching: Batching, fleet: Fleet) -> Answers:
    """Instances that gather requests into batches; the least outstanding one is played as taking turns."""
    begin = _begin(stream)
    initial, event_s, event_delta = fleet.capacity.between(begin, stream.end_s)
    latency_s, fate = _room(stream)
    counts = batches.batched(
        stream.arrivals,
        stream.multiplier,
        None if endpoint.pooled else stream.uniform,
        batching.service_s,
        window_s=batching.delay_s,
        instances=initial,
        slots=_used(stream, endpoint),
        start_s=begin + _behind(fleet.wait_s, begin),
        event_s=event_s,
        event_delta=event_delta,
        timeout_s=endpoint.timeout_s,
        count_from=stream.lead,
        latency_s=latency_s,
        fate=fate,
    )
    return Answers(latency_s=latency_s, fate=fate, busy_s=counts.busy_s)


def _with_cache(stream: Stream, endpoint: Endpoint, cache: Cache, fleet: Fleet) -> Answers:
    """A multi-model endpoint: models come and go in memory and on disk.

    A stream at a high rate is too short to fill the caches, so requests that fill them come first.
    """
    begin = _begin(stream)
    initial, event_s, event_delta = fleet.capacity.between(begin, stream.end_s)
    most = max(1, fleet.capacity.most)
    filling, lasts_s = _filling(cache, initial, stream)
    before = len(filling.models)
    count = before + stream.arrivals.size
    latency_s, fate = np.empty(count, np.float32), np.empty(count, np.uint8)
    # The clock begins with the filling; the stream's own times follow it.
    later_s = lasts_s - begin
    asked = np.zeros(stream.arrivals.size, np.int32) if stream.models is None else stream.models
    counts = caches.cached(
        np.concatenate([filling.arrivals, stream.arrivals + later_s]),
        np.concatenate([np.full(before, _NO_WORK, np.float32), stream.multiplier]),
        np.concatenate([filling.models, asked]),
        np.concatenate([filling.uniform, stream.uniform]),
        endpoint.service_s,
        load_s=cache.load_base_s + (cache.load_s - cache.load_base_s) * cache.size,
        download_s=cache.download_s * cache.size,
        memory_sizes=np.round(cache.memory_mb * MEGABYTE * cache.size).astype(np.int64),
        disk_sizes=np.round(cache.disk_mb * MEGABYTE * cache.size).astype(np.int64),
        memory_bytes=round(cache.instance_memory_mb * MEGABYTE),
        disk_bytes=round(cache.instance_disk_mb * MEGABYTE),
        slots=min(endpoint.slots, count),
        instances=initial,
        placement=_homes(cache.models, most, cache.seed),
        copies=np.clip(cache.copies, 1, most).astype(np.int32),
        end_s=stream.end_s + later_s,
        event_s=event_s + later_s,
        event_delta=event_delta,
        timeout_s=endpoint.timeout_s,
        count_from=before + stream.lead,
        latency_s=latency_s,
        fate=fate,
    )
    return Answers(latency_s=latency_s[before:], fate=fate[before:], busy_s=counts.busy_s)


@lru_cache(maxsize=8)
def _homes(models: int, instances: int, seed: int) -> Int32:
    """The homes of the models, made once for all windows."""
    homes = caches.placements(models, instances, seed=seed)
    homes.setflags(write=False)
    return homes


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Filling:
    """Requests that fill the caches, in order. Shape: (n,)."""

    arrivals: Array
    models: Int32
    uniform: Float32


def _filling(cache: Cache, instances: int, stream: Stream) -> tuple[_Filling, float]:
    """Requests after which the caches are as a long past would have left them, and how many seconds they take.

    With requests at random, the time since a model was last asked for is exponential with its rate: they come in the
    order of these last times, each to every instance that holds a copy of it, as slowly as half of the instances
    could load the models one by one.
    """
    fits = max(1, int(instances * cache.instance_disk_mb / max(cache.disk_mb, 1e-9)))
    rng = randomness.generator(cache.seed, f"filling {stream.start_s:.0f}")
    since = rng.exponential(size=cache.models) / np.maximum(cache.share, 1e-300)
    asked = np.argsort(since, kind="stable")[: min(fits, MOST_FILLING)][::-1].astype(np.int32)
    copies = np.clip(cache.copies[asked], 1, max(instances, 1)).astype(np.int64)
    models = np.repeat(asked, copies)
    copy = np.arange(models.size) - np.repeat(np.cumsum(copies) - copies, copies)
    each_s = cache.load_s + cache.download_s
    lasts_s = 2 * each_s * models.size / max(instances, 1)
    return _Filling(
        arrivals=lasts_s * np.arange(models.size) / models.size,
        models=models,
        uniform=((copy + 0.5) / np.repeat(copies, copies)).astype(np.float32),
    ), lasts_s + REST * each_s


def _in_sandboxes(stream: Stream, endpoint: Endpoint, pool: Pool, past: Month | None) -> Answers:
    """A serverless endpoint or a function: sandboxes that go after an idle time-out.

    A stream at a high rate is too short to start those that a long past has left, so requests that leave them come
    first: all at once, each on a sandbox of its own that is free when it is to be.
    """
    begin = _begin(stream)
    idle_s = np.zeros(0) if past is None else left_warm(past, endpoint.service_s, pool, begin)
    before = idle_s.size
    # The clock begins with them; the stream's own times follow, when the longest time-out is over.
    later_s = pool.idle_s + endpoint.cold_s - begin if before else 0.0
    work_s = pool.idle_s - idle_s
    count = before + stream.arrivals.size
    latency_s, fate = np.empty(count, np.float32), np.empty(count, np.uint8)
    counts = sandboxes.sandboxes(
        np.concatenate([np.zeros(before), stream.arrivals + later_s]),
        np.concatenate([(work_s / endpoint.service_s).astype(np.float32), stream.multiplier]),
        endpoint.service_s,
        cold_s=endpoint.cold_s,
        ttl_s=pool.idle_s,
        max_concurrency=pool.limit,
        provisioned=pool.provisioned,
        queues_when_full=pool.queues_when_full,
        timeout_s=endpoint.timeout_s,
        count_from=before + stream.lead,
        latency_s=latency_s,
        fate=fate,
    )
    starting_s = counts.paid_cold_s
    return Answers(
        latency_s=latency_s[before:], fate=fate[before:], busy_s=counts.busy_s - starting_s, starting_s=starting_s
    )


def left_warm(past: Month, service_s: float, pool: Pool, begin: float) -> Array:
    """How long each sandbox that is warm at a time has been idle then, in seconds, the longest first, (sandboxes,).

    Requests at work are Poisson distributed, and sandbox number j is asked for whenever j - 1 others are busy: the
    time since then is exponential with that rate, minute by minute.
    Source: docs/background.md#serverless.
    """
    ages_s = np.minimum(60.0 * np.arange(math.ceil(pool.idle_s / 60) + 1), pool.idle_s)
    running = np.concatenate([[0.0], np.cumsum(past.rps * 60)])
    requests = -np.diff(np.interp((begin - ages_s) / 60, np.arange(running.size), running))
    at_work = requests / np.diff(ages_s) * service_s
    busiest = float(at_work.max())
    most = min(pool.limit, math.ceil(busiest + 8 * math.sqrt(busiest) + 8))
    if most <= pool.provisioned or busiest <= 0:
        return np.zeros(0)
    factorials = np.concatenate([[0.0], np.cumsum(np.log(np.arange(1, most)))])
    chance = np.exp(np.arange(most) * np.log(np.maximum(at_work, 1e-300))[:, None] - at_work[:, None] - factorials)
    fewer = np.concatenate([np.zeros((at_work.size, 1)), np.cumsum(chance, axis=1)[:, :-1]], axis=1)
    asked = requests[:, None] * np.clip(1 - fewer, 0.0, 1.0)[:, pool.provisioned :]
    total = np.concatenate([np.zeros((1, asked.shape[1])), np.cumsum(asked, axis=0)])
    draws = randomness.generator(0, f"warm {begin:.0f}").exponential(size=asked.shape[1])
    warm = np.flatnonzero(draws < total[-1])
    minute = np.sum(total[1:, warm] <= draws[warm], axis=0)
    part = (draws[warm] - total[minute, warm]) / asked[minute, warm]
    idle_s: Array = ages_s[minute] + part * (ages_s[minute + 1] - ages_s[minute])
    return -np.sort(-idle_s)


def _queued(
    stream: Stream, endpoint: Endpoint, policy: control.Backlog, fleet: Fleet, by_minute: Int64 | None
) -> Answers:
    """A queue in front of instances that follow its length, down to zero."""
    latency_s, fate = _room(stream)
    begin = _begin(stream)
    counts = queues.backlog_scaled(
        stream.arrivals,
        stream.multiplier,
        endpoint.service_s,
        slots=_used(stream, endpoint),
        instances=fleet.capacity.between(begin, stream.end_s)[0],
        minimum=policy.minimum,
        maximum=policy.maximum,
        target_per_instance=policy.target_per_instance,
        launch_s=endpoint.launch_s,
        start_s=begin,
        timeout_s=endpoint.timeout_s,
        out_cooldown_s=policy.scale_out_cooldown_s,
        in_cooldown_s=policy.scale_in_cooldown_s,
        instances_by_tick=by_minute,
        count_from=stream.lead,
        latency_s=latency_s,
        fate=fate,
    )
    return Answers(latency_s=latency_s, fate=fate, busy_s=counts.busy_s)


def _shared(stream: Stream, endpoint: Endpoint, fleet: Fleet) -> Answers:
    """A queue in front of instances that follow steps or a schedule, as the control loop has worked them out."""
    begin = _begin(stream)
    # Those that come as long as somebody may still wait.
    initial, event_s, event_delta = fleet.capacity.between(begin, stream.end_s + endpoint.timeout_s)
    latency_s, fate = _room(stream)
    slots = _used(stream, endpoint)
    counts = queues.pooled(
        stream.arrivals,
        stream.multiplier,
        endpoint.service_s,
        servers=initial * slots,
        start_s=begin + _behind(fleet.wait_s, begin),
        event_s=event_s,
        event_delta=event_delta * slots,
        timeout_s=endpoint.timeout_s,
        count_from=stream.lead,
        latency_s=latency_s,
        fate=fate,
    )
    in_service = np.append(initial, initial + np.cumsum(event_delta))
    met_none = in_service[np.searchsorted(event_s, stream.arrivals, side="right")] <= 0
    fate[met_none & (fate == SERVED)] = COLD
    return Answers(latency_s=latency_s, fate=fate, busy_s=counts.busy_s)
