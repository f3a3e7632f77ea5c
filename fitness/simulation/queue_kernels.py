"""One queue before many servers, whose number changes: the loop over the requests.

Requests start in the order of their arrival, each on the server that is free first. A change with a time not after a
start is made before that start, which is exact: assigning at arrival would ignore servers that come while requests
wait.
"""

import numpy as np

from fitness.simulation import histogram
from fitness.simulation.arrays import Float64, Int64
from fitness.simulation.compiled import NEVER_S, Arguments, compiled
from fitness.simulation.counts import SERVED
from fitness.simulation.loops import NO_EVENTS, Events, Requests, Sums, nothing_yet, paid_at, settled, two_requests
from fitness.simulation.servers import add, occupy, remove, vector


@compiled(allocates=False)
def change_servers(
    free: Float64, width: int, at_s: float, delta: int, requests: Requests, is_heap: bool
) -> tuple[int, float]:
    """Add or remove servers at a time; gives the new width and what it adds to the paid seconds.

    The paid seconds of all servers are the sum of their ends less the sum of their beginnings. A removed server
    ends when it is free.
    """
    paid_s = 0.0
    for _ in range(delta):
        width = add(free, width, at_s, is_heap)
        paid_s -= paid_at(at_s, requests)
    for _ in range(min(-delta, width)):
        paid_s += paid_at(max(free[0], at_s), requests)
        width = remove(free, width, is_heap)
    return width, paid_s


def _examples() -> list[Arguments]:
    return [(two_requests(), NO_EVENTS, 1.0, vector(1, 1, 0.0), 1, False, histogram.empty())]


@compiled(_examples, allocates=False)
def play_pooled(
    requests: Requests, events: Events, service_s: float, free: Float64, width: int, is_heap: bool, hist: Int64
) -> tuple[Sums, int, float]:
    """Play a stream: its sums, the refused requests, the paid seconds."""
    arrivals = requests.arrivals
    sums, refused = nothing_yet(requests), 0
    paid_s = -width * paid_at(requests.start_s, requests)
    event, next_s = 0, events.at_s[0]
    for i in range(arrivals.size):
        arrival_s = arrivals[i]
        begin_s = max(arrival_s, free[0])
        while next_s <= begin_s:
            width, more_s = change_servers(free, width, next_s, events.delta[event], requests, is_heap)
            paid_s += more_s
            event += 1
            next_s = events.at_s[event]
            begin_s = max(arrival_s, free[0])
        if width == 0:
            refused += i >= requests.count_from
            continue
        work_s = service_s * np.float64(requests.multiplier[i])
        finish_s = begin_s + work_s
        occupy(free, width, finish_s, is_heap)
        sums = settled(sums, requests, i, arrival_s, begin_s, work_s, finish_s, SERVED, hist)
    close_s = requests.end_s if requests.end_s < NEVER_S else sums.last_end_s
    while next_s <= close_s:
        width, more_s = change_servers(free, width, next_s, events.delta[event], requests, is_heap)
        paid_s += more_s
        event += 1
        next_s = events.at_s[event]
    paid_s += width * paid_at(close_s, requests)
    return sums, refused, paid_s
