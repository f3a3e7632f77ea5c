"""One queue before many servers, whose number changes: the loop over the requests.

Requests start in the order of their arrival, each on the server that is free first. A change with a time not after a
start is made before that start, which is exact: assigning at arrival would ignore servers that come while requests
wait.
"""

import numpy as np

from fitness.simulation.arrays import Float32, Float64, Int64, UInt8
from fitness.simulation.compiled import NEVER_S, Arguments, compiled
from fitness.simulation.counts import SERVED, TIMED_OUT
from fitness.simulation.histogram import BINS, bin_of
from fitness.simulation.servers import add, last_of, occupy, remove, vector, within

Tally = tuple[int, int, int, float, float, float, float]


@compiled(allocates=False)
def change_servers(
    free: Float64, width: int, at_s: float, delta: int, paid_from_s: float, end_s: float, is_heap: bool
) -> tuple[int, float]:
    """Add or remove servers at a time; gives the new width and what it adds to the paid seconds.

    The paid seconds of all servers are the sum of their ends less the sum of their beginnings. A removed server
    ends when it is free.
    """
    paid_s = 0.0
    for _ in range(delta):
        width = add(free, width, at_s, is_heap)
        paid_s -= within(at_s, paid_from_s, end_s)
    for _ in range(min(-delta, width)):
        paid_s += within(max(free[0], at_s), paid_from_s, end_s)
        width = remove(free, width, is_heap)
    return width, paid_s


def _examples() -> list[Arguments]:
    return [
        (
            *(np.zeros(2), np.ones(2, dtype=np.float32), 1.0),
            *(vector(1, 1, 0.0), 1, False, np.array([2 * NEVER_S]), np.zeros(1, dtype=np.int64)),
            *(0.0, 0.0, NEVER_S, 60.0, 0, np.zeros(BINS, dtype=np.int64)),
            *(np.zeros(0, dtype=np.float32), np.zeros(0, dtype=np.uint8)),
        )
    ]


@compiled(_examples, allocates=False)
def play_pooled(
    arrivals: Float64,
    multiplier: Float32,
    service_s: float,
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
) -> Tally:
    """Play a stream: served, timed out, refused, busy, paid and waiting seconds, the last end."""
    served, timed_out, refused = 0, 0, 0
    busy_s, wait_s, last_s = 0.0, 0.0, last_of(arrivals, start_s)
    paid_s = -width * within(start_s, paid_from_s, end_s)
    event, next_s = 0, event_s[0]
    for i in range(arrivals.size):
        begin_s = max(arrivals[i], free[0])
        while next_s <= begin_s:
            width, more_s = change_servers(free, width, next_s, event_delta[event], paid_from_s, end_s, is_heap)
            paid_s += more_s
            event += 1
            next_s = event_s[event]
            begin_s = max(arrivals[i], free[0])
        if width == 0:
            refused += i >= count_from
            continue
        work_s = service_s * np.float64(multiplier[i])
        finish_s = begin_s + work_s
        occupy(free, width, finish_s, is_heap)
        took_s = finish_s - arrivals[i]
        is_late = took_s > timeout_s
        last_s = max(last_s, finish_s)
        if i >= count_from:
            busy_s += work_s
            wait_s += begin_s - arrivals[i]
            timed_out += is_late
            if not is_late:
                hist[bin_of(took_s)] += 1
                served += 1
        if latency_s.size:
            latency_s[i] = took_s
        if fate.size:
            fate[i] = TIMED_OUT if is_late else SERVED
    close_s = end_s if end_s < NEVER_S else last_s
    while next_s <= close_s:
        width, more_s = change_servers(free, width, next_s, event_delta[event], paid_from_s, end_s, is_heap)
        paid_s += more_s
        event += 1
        next_s = event_s[event]
    paid_s += width * within(close_s, paid_from_s, end_s)
    return served, timed_out, refused, busy_s, paid_s, wait_s, last_s
