"""Requests that are worked off together: dynamic batching on an endpoint, and batch jobs over files.

Units: seconds.
Source: docs/simulation.md#loops, docs/accuracy.md (checks).
"""

from itertools import accumulate
from typing import Unpack

import numpy as np
from numpy.typing import ArrayLike

from fitness.simulation import checked
from fitness.simulation.arrays import Float64, Int64
from fitness.simulation.batch_kernels import play_batched, play_transform
from fitness.simulation.counts import BatchCounts, TransformCounts
from fitness.simulation.route_kernels import instances as instances_of
from fitness.simulation.servers import MOST_SORTED, vector


def batched(
    arrivals: ArrayLike,
    multiplier: ArrayLike,
    uniform: ArrayLike | None,
    service_of_batch: ArrayLike,
    *,
    window_s: float,
    instances: int,
    slots: int,
    event_s: ArrayLike | None = None,
    event_delta: ArrayLike | None = None,
    hist: Int64 | None = None,
    **how: Unpack[checked.How],
) -> BatchCounts:
    """Play a stream through instances that each gather batches of their own, for `slots` servers.

    Shape: `service_of_batch[b]` is the time of a batch of b requests, up to the largest; [0] is not read. A batch
    takes that times the mean of its multipliers. A free server waits for a full batch, or until the oldest request has
    waited `window_s`, and then takes what is there. `uniform` chooses the instance, as in `queues.routed`, or without
    it the instances take turns. Events count instances: the newest leaves first and works off its queue; one that comes
    back has its old servers. A request that finds no instance ready is refused. Paid seconds are not counted.
    Raises: ValueError for arrays or numbers that make no stream.

    >>> batched([0.0, 0.5, 0.6], [1, 1, 1], None, [0.0, 1.0, 1.5], window_s=1.0, instances=1, slots=1).batches
    2
    """
    given = checked.requests(arrivals, multiplier, *([] if uniform is None else [uniform]), **how)
    events = checked.events(event_s, event_delta)
    times, count_from, width = given.arrivals, given.count_from, checked.whole(slots, "slots", least=1)
    steps = list(accumulate(events.delta.tolist(), lambda now, change: max(now + change, 0), initial=instances))
    ready = np.array(steps)[np.searchsorted(events.at_s, times, side="right")]
    chance = np.arange(times.size) if uniform is None else checked.array_of(uniform, np.float32) * ready
    chosen = np.where(ready > 0, chance.astype(np.int64) % np.maximum(ready, 1), max(steps))  # the last is nobody
    order = np.argsort(chosen, kind="stable")
    by_instance = given._replace(
        arrivals=times[order],
        multiplier=given.multiplier[order],
        latency_s=given.latency_s.copy(),
        fate=given.fate.copy(),
    )
    sums, batches = play_batched(
        by_instance,
        np.searchsorted(chosen[order], np.arange(max(steps) + 1)),
        np.bincount(chosen[:count_from], minlength=max(steps) + 1)[:-1],
        _of_batch(service_of_batch),
        checked.seconds(window_s, "window_s"),
        vector(width, width, given.start_s),
        width > MOST_SORTED,
        checked.hist_of(hist),
    )
    for asked, played in ((given.latency_s, by_instance.latency_s), (given.fate, by_instance.fate)):
        if asked.size:
            asked[order] = played
    return BatchCounts(
        offered=given.offered,
        refused=int(np.sum(chosen[count_from:] == max(steps))),
        cold=0,
        paid_s=0.0,
        batches=batches,
        **sums._asdict(),
    )


def _of_batch(service_of_batch: ArrayLike) -> Float64:
    """The times of a batch by its size.

    Raises: ValueError where there is none, or one is no time.
    """
    times = checked.array_of(service_of_batch, np.float64)
    if times.size < 2 or not bool(np.all((times[1:] >= 0.0) & np.isfinite(times[1:]))):
        message = f"service_of_batch must have times >= 0 s for batches of 1 and more, got {times}"
        raise ValueError(message)
    return times


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
