"""Requests that are worked off together: dynamic batching on an endpoint, and batch jobs over files.

Units: seconds.
Source: docs/simulation.md#loops, docs/accuracy.md (checks).
"""

import math

import numpy as np
from numpy.typing import ArrayLike

from fitness.simulation import checked
from fitness.simulation.arrays import Float32, Int64, UInt8
from fitness.simulation.batch_kernels import play_batched, play_transform
from fitness.simulation.counts import BatchCounts, TransformCounts
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
    of_batch = checked.array_of(service_of_batch, np.float64)
    if of_batch.size < 2 or not bool(np.all((of_batch[1:] >= 0.0) & np.isfinite(of_batch[1:]))):
        message = f"service_of_batch must have times >= 0 s for batches of 1 and more, got {of_batch}"
        raise ValueError(message)
    served, timed_out, refused, batches, busy_s, paid_s, wait_s, last_s = play_batched(
        times,
        factors,
        of_batch,
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
    return BatchCounts(
        offered=max(times.size - count_from, 0),
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
