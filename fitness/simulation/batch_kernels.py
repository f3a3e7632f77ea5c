"""Requests gathered into batches, and the records of a batch job: the loops.

A free server takes what waits as soon as a full batch is there, or the oldest request has waited for the window.
"""

import numpy as np

from fitness.simulation.arrays import Float32, Float64, Int64, UInt8
from fitness.simulation.compiled import NEVER_S, Arguments, compiled
from fitness.simulation.counts import SERVED, TIMED_OUT
from fitness.simulation.histogram import BINS, bin_of
from fitness.simulation.queue_kernels import change_servers
from fitness.simulation.servers import last_of, occupy, vector, within

BatchTally = tuple[int, int, int, int, float, float, float, float]


def _batched_examples() -> list[Arguments]:
    return [
        (
            *(np.zeros(2), np.ones(2, dtype=np.float32), np.ones(2), 0.0),
            *(vector(1, 1, 0.0), 1, False, np.array([2 * NEVER_S]), np.zeros(1, dtype=np.int64)),
            *(0.0, 0.0, NEVER_S, 60.0, 0, np.zeros(BINS, dtype=np.int64)),
            *(np.zeros(0, dtype=np.float32), np.zeros(0, dtype=np.uint8)),
        )
    ]


@compiled(_batched_examples, allocates=False)
def play_batched(
    arrivals: Float64,
    multiplier: Float32,
    service_of_batch: Float64,  # by size; the last is the largest size
    window_s: float,
    free: Float64,
    width: int,
    is_heap: bool,
    event_s: Float64,  # closed by a time after NEVER_S
    event_delta: Int64,
    start_s: float,
    paid_from_s: float,
    end_s: float,  # NEVER_S: when the last request is finished
    timeout_s: float,
    count_from: int,
    hist: Int64,
    latency_s: Float32,  # full of NaN, or empty
    fate: UInt8,  # full of REFUSED, or empty
) -> BatchTally:
    """Play a stream: served, timed out, refused, batches; busy, paid and waiting seconds, the last end."""
    largest = service_of_batch.size - 1
    served, timed_out, refused, batches = 0, 0, 0, 0
    busy_s, wait_s, last_s = 0.0, 0.0, last_of(arrivals, start_s)
    paid_s = -width * within(start_s, paid_from_s, end_s)
    event, next_s = 0, event_s[0]
    first = 0
    while first < arrivals.size:
        gathered_s = arrivals[first] + window_s
        if first + largest <= arrivals.size:
            gathered_s = min(gathered_s, arrivals[first + largest - 1])
        begin_s = max(gathered_s, free[0])
        while next_s <= begin_s:
            width, more_s = change_servers(free, width, next_s, event_delta[event], paid_from_s, end_s, is_heap)
            paid_s += more_s
            event += 1
            next_s = event_s[event]
            begin_s = max(gathered_s, free[0])
        if width == 0:
            refused += arrivals.size - max(first, min(count_from, arrivals.size))
            break
        size, load = 0, 0.0
        while first + size < arrivals.size and size < largest and arrivals[first + size] <= begin_s:
            load += np.float64(multiplier[first + size])
            size += 1
        work_s = service_of_batch[size] * (load / size)
        finish_s = begin_s + work_s
        occupy(free, width, finish_s, is_heap)
        last_s = max(last_s, finish_s)
        if first + size > count_from:
            batches += 1
            busy_s += work_s
        for i in range(first, first + size):
            took_s = finish_s - arrivals[i]
            is_late = took_s > timeout_s
            if i >= count_from:
                wait_s += begin_s - arrivals[i]
                timed_out += is_late
                if not is_late:
                    hist[bin_of(took_s)] += 1
                    served += 1
            if latency_s.size:
                latency_s[i] = took_s
            if fate.size:
                fate[i] = TIMED_OUT if is_late else SERVED
        first += size
    close_s = end_s if end_s < NEVER_S else last_s
    while next_s <= close_s:
        width, more_s = change_servers(free, width, next_s, event_delta[event], paid_from_s, end_s, is_heap)
        paid_s += more_s
        event += 1
        next_s = event_s[event]
    paid_s += width * within(close_s, paid_from_s, end_s)
    return served, timed_out, refused, batches, busy_s, paid_s, wait_s, last_s


def _apart_examples() -> list[Arguments]:
    return [
        (
            *(np.zeros(2), np.ones(2, dtype=np.float32), np.array([0, 2]), np.zeros(1, dtype=np.int64)),
            *(np.ones(2), 0.0, vector(1, 1, 0.0), False, np.array([2 * NEVER_S]), np.zeros(1, dtype=np.int64)),
            *(0.0, 60.0, np.zeros(BINS, dtype=np.int64), np.zeros(2, dtype=np.float32), np.zeros(2, dtype=np.uint8)),
        )
    ]


@compiled(_apart_examples)
def play_batched_apart(
    arrivals: Float64,  # by instance, and in order within one
    multiplier: Float32,
    bounds: Int64,  # of the requests of each instance, (instances + 1,)
    leads: Int64,  # how many of its requests do not count, (instances,)
    service_of_batch: Float64,
    window_s: float,
    free: Float64,  # room for the servers of one instance
    is_heap: bool,
    event_s: Float64,  # none comes
    event_delta: Int64,
    start_s: float,
    timeout_s: float,
    hist: Int64,
    latency_s: Float32,
    fate: UInt8,
) -> BatchTally:
    """Play the requests of each instance through its own servers: the sums over the instances, and the last end."""
    served, timed_out, refused, batches = 0, 0, 0, 0
    busy_s, paid_s, wait_s, last_s = 0.0, 0.0, 0.0, start_s
    servers = free.size - 1
    for instance in range(leads.size):
        first, last = bounds[instance], bounds[instance + 1]
        if first == last:
            continue
        free[:] = start_s
        free[servers] = NEVER_S
        one = play_batched(
            arrivals[first:last],
            multiplier[first:last],
            service_of_batch,
            window_s,
            free,
            servers,
            is_heap,
            event_s,
            event_delta,
            start_s,
            start_s,
            NEVER_S,
            timeout_s,
            leads[instance],
            hist,
            latency_s[first:last],
            fate[first:last],
        )
        served += one[0]
        timed_out += one[1]
        refused += one[2]
        batches += one[3]
        busy_s += one[4]
        paid_s += one[5]
        wait_s += one[6]
        last_s = max(last_s, one[7])
    return served, timed_out, refused, batches, busy_s, paid_s, wait_s, last_s


def _transform_examples() -> list[Arguments]:
    return [(np.ones(1, dtype=np.float32), 1.0, np.zeros(2, dtype=np.int64), np.zeros((1, 2)), 0.0, np.zeros(1))]


@compiled(_transform_examples, allocates=False)
def play_transform(
    multiplier: Float32,
    service_s: float,
    file_starts: Int64,  # of the first record of each file, closed by the count of records
    free: Float64,  # (instances, slots + 1)
    start_s: float,
    finish_s: Float64,  # (instances,), filled
) -> tuple[float, float]:
    """Work off the files: busy seconds of the slots, the last end."""
    instances, slots = free.shape[0], free.shape[1] - 1
    busy_s, last_s = 0.0, start_s
    for file in range(file_starts.size - 1):
        instance = file % instances
        for i in range(file_starts[file], file_starts[file + 1]):
            work_s = service_s * np.float64(multiplier[i])
            done_s = free[instance, 0] + work_s
            occupy(free[instance], slots, done_s, False)
            busy_s += work_s
            finish_s[instance] = max(finish_s[instance], done_s)
    for instance in range(instances):
        last_s = max(last_s, finish_s[instance])
    return busy_s, last_s
