"""Sandboxes that start when none is idle and expire when nobody asks: the loop over the requests.

The on-demand sandboxes are a vector of the times at which each is free, smallest first: an idle part, then a busy
part. The last of the idle part is the most recently used one, which takes the next request; the first is the one that
expires next. Provisioned sandboxes stand in a vector of their own, are used first and never expire.
"""

from typing import NamedTuple

import numpy as np

from fitness.simulation import histogram
from fitness.simulation.arrays import Float64, Int64
from fitness.simulation.compiled import NEVER_S, Arguments, compiled
from fitness.simulation.counts import COLD, SERVED
from fitness.simulation.loops import Requests, Sums, nothing_yet, settled, two_requests
from fitness.simulation.servers import occupy, vector


class Sandboxes(NamedTuple):
    """How sandboxes come and go."""

    cold_s: float
    ttl_s: float
    most: int  # on-demand sandboxes at once
    provisioned: int
    queues: bool


class SandboxSums(NamedTuple):
    """What the loop adds up besides; the names are those of `counts.SandboxCounts`."""

    refused: int
    cold: int
    provisioned_served: int
    paid_cold_s: float
    sandbox_s: float


def room(most: int) -> Float64:
    """A vector for `most` sandboxes at once; the part in use moves up as sandboxes expire, so it is twice as long."""
    return np.full(2 * most + 2, NEVER_S)


def _examples() -> list[Arguments]:
    kind = Sandboxes(cold_s=1.0, ttl_s=300.0, most=1, provisioned=0, queues=False)
    return [(two_requests(), 1.0, kind, room(1), vector(0, 0, 0.0), histogram.empty(), histogram.empty())]


@compiled(_examples, allocates=False)
def play_sandboxes(
    requests: Requests,
    service_s: float,
    kind: Sandboxes,
    free: Float64,
    kept: Float64,  # free times of the provisioned ones
    hist_warm: Int64,
    hist_cold: Int64,
) -> tuple[Sums, SandboxSums]:
    """Play a stream: what is added up over it."""
    sums = nothing_yet(requests)
    refused, cold, on_provisioned, starting_s, alive_s = 0, 0, 0, 0.0, 0.0
    cold_s, ttl_s, most, provisioned, queues = kind
    arrivals = requests.arrivals
    oldest, idle_end, end = 0, 0, 0  # free[oldest:idle_end] idle, free[idle_end:end] busy
    for i in range(arrivals.size):
        now_s = arrivals[i]
        counts = i >= requests.count_from
        while free[idle_end] <= now_s:
            idle_end += 1
        while oldest < idle_end and free[oldest] + ttl_s <= now_s:
            alive_s += ttl_s * counts
            oldest += 1
        work_s = service_s * np.float64(requests.multiplier[i])
        begin_s, setup_s, idle_s, is_cold = now_s, 0.0, 0.0, False
        place = -1  # of the on-demand sandbox that is taken
        if kept[0] <= now_s:
            on_provisioned += counts
            occupy(kept, provisioned, now_s + work_s, False)
        elif oldest < idle_end:
            idle_end -= 1
            place = idle_end
            idle_s = now_s - free[place]
        elif end - oldest < most:
            if end + 2 > free.size:
                for k in range(end - oldest + 1):
                    free[k] = free[oldest + k]
                idle_end -= oldest
                end -= oldest
                oldest = 0
            setup_s, is_cold = cold_s, True
            place = end
            end += 1
            free[end] = NEVER_S
        elif queues and min(kept[0], free[idle_end]) < NEVER_S:
            begin_s = min(kept[0], free[idle_end])
            if kept[0] <= free[idle_end]:
                on_provisioned += counts
                occupy(kept, provisioned, begin_s + work_s, False)
            else:
                place = idle_end
        else:
            refused += counts
            continue
        finish_s = begin_s + setup_s + work_s
        if is_cold:
            while place > idle_end and free[place - 1] > finish_s:
                free[place] = free[place - 1]
                place -= 1
            free[place] = finish_s
        elif place >= 0:
            occupy(free[place : end + 1], end - place, finish_s, False)
        if counts:
            if place >= 0:
                alive_s += idle_s + setup_s + work_s
            cold += is_cold
            starting_s += setup_s
        hist = hist_cold if is_cold else hist_warm
        fate = COLD if is_cold else SERVED
        sums = settled(sums, requests, i, now_s, begin_s, setup_s + work_s, finish_s, fate, hist)
    close_s = requests.end_s if requests.end_s < NEVER_S else sums.last_end_s
    for k in range(oldest, end):
        alive_s += max(min(close_s - free[k], ttl_s), 0.0)
    alive_s += provisioned * max(close_s - requests.paid_from_s, 0.0)
    return sums, SandboxSums(refused, cold, on_provisioned, starting_s, alive_s)
