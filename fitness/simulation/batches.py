"""Requests that are worked off together: dynamic batching on an endpoint, and batch jobs over files.

Units: seconds.
Source: docs/simulation.md#loops, docs/accuracy.md (checks).
"""

import math
from dataclasses import replace
from itertools import accumulate

import numpy as np
from numpy.typing import ArrayLike

from fitness.simulation import checked
from fitness.simulation.arrays import Float32, Float64, Int64, UInt8
from fitness.simulation.batch_kernels import BatchTally, play_batched, play_batched_apart, play_transform
from fitness.simulation.compiled import NEVER_S
from fitness.simulation.counts import REFUSED, BatchCounts, TransformCounts
from fitness.simulation.route_kernels import instances as instances_of
from fitness.simulation.servers import MOST_SORTED, vector


def batched(
    arrivals: ArrayLike,
    multiplier: ArrayLike,
    service_of_batch: ArrayLike,
    *,
    window_s: float,
    servers: int,
    start_s: float = 0.0,
    end_s: float | None = None,
    event_s: ArrayLike | None = None,
    event_delta: ArrayLike | None = None,
    timeout_s: float = math.inf,
    hist: Int64 | None = None,
    count_from: int = 0,
    latency_s: Float32 | None = None,
    fate: UInt8 | None = None,
) -> BatchCounts:
    """Play a stream through servers that take up to a batch at once.

    Shape: `service_of_batch[b]` is the time of a batch of b requests, up to the largest; [0] is not read. A batch
    takes that times the mean of its multipliers. A free server waits for a full batch, or until the oldest request has
    waited `window_s`, and then takes what is there. Events count servers, as in `queues.pooled`.
    Raises: ValueError for arrays or numbers that make no stream.

    >>> batched([0.0, 0.5, 0.6], [1, 1, 1], [0.0, 1.0, 1.5], window_s=1.0, servers=1).batches
    2
    """
    times, factors = checked.stream(arrivals, multiplier)
    changes = checked.events(event_s, event_delta)
    start_s = checked.seconds(start_s, "start_s")
    most = changes.most(checked.whole(servers, "servers", least=0))
    tally = play_batched(
        times,
        factors,
        _of_batch(service_of_batch),
        checked.seconds(window_s, "window_s"),
        vector(servers, most, start_s),
        servers,
        most > MOST_SORTED,
        changes.at_s,
        changes.delta,
        start_s,
        checked.paid_from(times, count_from, start_s),
        checked.end_of(end_s),
        checked.seconds(timeout_s, "timeout_s", is_endless=True),
        checked.whole(count_from, "count_from", least=0),
        checked.hist_of(hist),
        checked.latency_of(latency_s, times.size),
        checked.fate_of(fate, times.size),
    )
    return _counts(tally, times.size - count_from)


def batched_apart(
    arrivals: ArrayLike,
    multiplier: ArrayLike,
    uniform: ArrayLike | None,
    service_of_batch: ArrayLike,
    *,
    window_s: float,
    instances: int,
    slots: int,
    start_s: float = 0.0,
    event_s: ArrayLike | None = None,
    event_delta: ArrayLike | None = None,
    timeout_s: float = math.inf,
    hist: Int64 | None = None,
    count_from: int = 0,
    latency_s: Float32 | None = None,
    fate: UInt8 | None = None,
) -> BatchCounts:
    """Play a stream through instances that each gather batches of their own, for `slots` servers.

    Shape: `service_of_batch` as in `batched`; `uniform` chooses the instance, as in `queues.routed`, or without it the
    instances take turns. Events count instances: the newest leaves first and works off its queue; one that comes back
    has its old servers. A request that finds no instance ready is refused. Paid seconds are not counted.
    Raises: ValueError for arrays or numbers that make no stream.

    >>> batched_apart([0.0, 0.1, 0.2], [1, 1, 1], None, [0.0, 1.0, 1.5], window_s=1.0, instances=2, slots=1).batches
    2
    """
    times, factors = checked.stream(arrivals, multiplier, *([] if uniform is None else [uniform]))
    changes = checked.events(event_s, event_delta)
    start_s = checked.seconds(start_s, "start_s")
    width = checked.whole(slots, "slots", least=1)
    took_s, what = checked.latency_of(latency_s, times.size), checked.fate_of(fate, times.size)
    steps = list(accumulate(changes.delta.tolist(), lambda now, change: max(now + change, 0), initial=instances))
    ready = np.array(steps)[np.searchsorted(changes.at_s, times, side="right")]
    chance = np.arange(times.size) if uniform is None else checked.array_of(uniform, np.float32) * ready
    chosen = np.where(ready > 0, chance.astype(np.int64) % np.maximum(ready, 1), max(steps))  # the last is nobody
    order = np.argsort(chosen, kind="stable")
    bounds = np.searchsorted(chosen[order], np.arange(max(steps) + 1))
    counted_from = checked.whole(count_from, "count_from", least=0)
    by_instance_s = np.full(times.size, np.nan, dtype=np.float32)
    by_instance = np.full(times.size, REFUSED, dtype=np.uint8)
    tally = play_batched_apart(
        times[order],
        factors[order],
        bounds,
        np.bincount(chosen[:counted_from], minlength=max(steps) + 1)[:-1],
        _of_batch(service_of_batch),
        checked.seconds(window_s, "window_s"),
        vector(width, width, start_s),
        width > MOST_SORTED,
        np.array([2 * NEVER_S]),
        np.zeros(1, dtype=np.int64),
        start_s,
        checked.seconds(timeout_s, "timeout_s", is_endless=True),
        checked.hist_of(hist),
        by_instance_s,
        by_instance,
    )
    if latency_s is not None:
        took_s[order] = by_instance_s
    if fate is not None:
        what[order] = by_instance
    counts = _counts(tally, times.size - counted_from)
    return replace(counts, refused=int(np.sum(chosen[counted_from:] == max(steps))), paid_s=0.0)


def _of_batch(service_of_batch: ArrayLike) -> Float64:
    """The times of a batch by its size.

    Raises: ValueError where there is none, or one is no time.
    """
    times = checked.array_of(service_of_batch, np.float64)
    if times.size < 2 or not bool(np.all((times[1:] >= 0.0) & np.isfinite(times[1:]))):
        message = f"service_of_batch must have times >= 0 s for batches of 1 and more, got {times}"
        raise ValueError(message)
    return times


def _counts(tally: BatchTally, offered: int) -> BatchCounts:
    """The counts of a kernel as a value."""
    served, timed_out, refused, batches, busy_s, paid_s, wait_s, last_s = tally
    return BatchCounts(
        offered=max(offered, 0),
        served=served,
        timed_out=timed_out,
        refused=refused,
        cold=0,
        busy_s=busy_s,
        paid_s=paid_s,
        wait_s=wait_s,
        last_end_s=last_s,
        batches=batches,
    )


def transform(
    multiplier: ArrayLike,
    service_s: float,
    *,
    file_starts: ArrayLike,
    instances: int,
    slots: int,
    start_s: float = 0.0,
) -> TransformCounts:
    """Work off the records of a batch job, which are all there at `start_s`.

    Shape: `file_starts` has the index of the first record of each file. A file is never split: file f belongs to
    instance f modulo `instances`, which sends `slots` records at a time. Paid seconds are of instances: all of them,
    until the last one is done.
    Raises: ValueError for files that are not in order.

    >>> transform([1.0] * 4, 10.0, file_starts=[0, 3], instances=4, slots=1).finish_s
    (30.0, 10.0, 0.0, 0.0)
    """
    factors = checked.array_of(multiplier, np.float32)
    starts = np.append(checked.array_of(file_starts, np.int64), factors.size)
    if starts[0] != 0 or bool(np.any(np.diff(starts) < 0)):
        message = f"files must begin with record 0 and be in order, got {starts[:-1]} for {factors.size} records"
        raise ValueError(message)
    start_s = checked.seconds(start_s, "start_s")
    ready = checked.whole(instances, "instances", least=1)
    free, _ = instances_of(ready, ready, checked.whole(slots, "slots", least=1), start_s)
    finish_s = np.full(ready, start_s)
    busy_s, last_s = play_transform(factors, checked.seconds(service_s, "service_s"), starts, free, start_s, finish_s)
    return TransformCounts(
        offered=factors.size,
        served=factors.size,
        timed_out=0,
        refused=0,
        cold=0,
        busy_s=busy_s,
        paid_s=ready * (last_s - start_s),
        wait_s=0.0,
        last_end_s=last_s,
        finish_s=tuple(float(one) for one in finish_s),
    )
