"""Requests gathered into batches, and the records of a batch job: the loops.

A free server takes what waits as soon as a full batch is there, or the oldest request has waited for the window.
"""

import numpy as np

from fitness.simulation import histogram
from fitness.simulation.arrays import Float32, Float64, Int64
from fitness.simulation.compiled import Arguments, compiled
from fitness.simulation.counts import SERVED
from fitness.simulation.loops import Requests, Sums, nothing_yet, settled, two_requests
from fitness.simulation.servers import occupy, vector


@compiled(allocates=False)
def gather(
    requests: Requests,
    service_of_batch: Float64,
    window_s: float,
    free: Float64,
    servers: int,
    is_heap: bool,
    hist: Int64,
) -> tuple[Sums, int]:
    """Play a stream through the servers of one instance: its sums, and the batches with a request that counts."""
    arrivals = requests.arrivals
    largest = service_of_batch.size - 1
    sums, batches = nothing_yet(requests), 0
    first = 0
    while first < arrivals.size:
        gathered_s = arrivals[first] + window_s
        if first + largest <= arrivals.size:
            gathered_s = min(gathered_s, arrivals[first + largest - 1])
        begin_s = max(gathered_s, free[0])
        size, load = 0, 0.0
        while first + size < arrivals.size and size < largest and arrivals[first + size] <= begin_s:
            load += np.float64(requests.multiplier[first + size])
            size += 1
        work_s = service_of_batch[size] * (load / size)
        finish_s = begin_s + work_s
        occupy(free, servers, finish_s, is_heap)
        last = first + size - 1  # the work of a batch counts with its last request
        for i in range(first, last + 1):
            done_s = work_s if i == last else 0.0
            sums = settled(sums, requests, i, arrivals[i], begin_s, done_s, finish_s, SERVED, hist)
        batches += last >= requests.count_from
        first = last + 1
    return sums, batches


def _batched_examples() -> list[Arguments]:
    bounds, leads = np.array([0, 2]), np.zeros(1, dtype=np.int64)
    return [(two_requests(), bounds, leads, np.ones(2), 0.0, vector(1, 1, 0.0), False, histogram.empty())]


@compiled(_batched_examples, allocates=False)
def play_batched(
    requests: Requests,  # by instance, and in order within one
    bounds: Int64,  # of the requests of each instance, (instances + 1,)
    leads: Int64,  # how many of its requests do not count, (instances,)
    service_of_batch: Float64,  # by size; the last is the largest size
    window_s: float,
    free: Float64,  # room for the servers of one instance
    is_heap: bool,
    hist: Int64,
) -> tuple[Sums, int]:
    """Play the requests of each instance through its own servers: the sums over the instances, and the batches."""
    served, timed_out, batches = 0, 0, 0
    busy_s, wait_s, last_s = 0.0, 0.0, requests.start_s
    servers = free.size - 1
    for instance in range(leads.size):
        first, last = bounds[instance], bounds[instance + 1]
        if first == last:
            continue
        free[:servers] = requests.start_s
        one = Requests(
            requests.arrivals[first:last],
            requests.multiplier[first:last],
            requests.start_s,
            requests.paid_from_s,
            requests.end_s,
            requests.timeout_s,
            leads[instance],
            requests.latency_s[first:last],
            requests.fate[first:last],
        )
        sums, more = gather(one, service_of_batch, window_s, free, servers, is_heap, hist)
        served += sums.served
        timed_out += sums.timed_out
        batches += more
        busy_s += sums.busy_s
        wait_s += sums.wait_s
        last_s = max(last_s, sums.last_end_s)
    return Sums(served, timed_out, busy_s, wait_s, last_s), batches


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
