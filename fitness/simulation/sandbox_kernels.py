"""Sandboxes that start when none is idle and expire when nobody asks: the loop over the requests.

The on-demand sandboxes are a vector of the times at which each is free, smallest first: an idle part, then a busy
part. The last of the idle part is the most recently used one, which takes the next request; the first is the one that
expires next. Provisioned sandboxes stand in a vector of their own, are used first and never expire.
"""

import numpy as np

from fitness.simulation.arrays import Float32, Float64, Int64, UInt8
from fitness.simulation.compiled import NEVER_S, Arguments, compiled
from fitness.simulation.counts import COLD, SERVED, TIMED_OUT
from fitness.simulation.histogram import BINS, bin_of
from fitness.simulation.servers import last_of, occupy, vector

SandboxTally = tuple[int, int, int, int, int, float, float, float, float, float]


def room(most: int) -> Float64:
    """A vector for `most` sandboxes at once; the part in use moves up as sandboxes expire, so it is twice as long."""
    return np.full(2 * most + 2, NEVER_S)


def _examples() -> list[Arguments]:
    return [
        (
            *(np.zeros(2), np.ones(2, dtype=np.float32), 1.0, 1.0, 300.0),
            *(room(1), 1, vector(0, 0, 0.0), 0, False),
            *(0.0, 0.0, NEVER_S, 60.0, 0, np.zeros(BINS, dtype=np.int64), np.zeros(BINS, dtype=np.int64)),
            *(np.zeros(0, dtype=np.float32), np.zeros(0, dtype=np.uint8)),
        )
    ]


@compiled(_examples, allocates=False)
def play_sandboxes(
    arrivals: Float64,
    multiplier: Float32,
    service_s: float,
    cold_s: float,
    ttl_s: float,
    free: Float64,
    most: int,  # on-demand sandboxes at once
    kept: Float64,  # free times of the provisioned ones
    provisioned: int,
    queues: bool,
    start_s: float,
    paid_from_s: float,
    end_s: float,  # NEVER_S: when the last request is finished
    timeout_s: float,
    count_from: int,
    hist_warm: Int64,
    hist_cold: Int64,
    latency_s: Float32,  # full of NaN, or empty
    fate: UInt8,  # full of REFUSED, or empty
) -> SandboxTally:
    """Play a stream: served, timed out, refused, cold, provisioned; busy, cold, alive and waiting seconds, last end."""
    served, timed_out, refused, cold, on_provisioned = 0, 0, 0, 0, 0
    busy_s, starting_s, alive_s, wait_s, last_s = 0.0, 0.0, 0.0, 0.0, last_of(arrivals, start_s)
    oldest, idle_end, end = 0, 0, 0  # free[oldest:idle_end] idle, free[idle_end:end] busy
    for i in range(arrivals.size):
        now_s = arrivals[i]
        counts = i >= count_from
        while free[idle_end] <= now_s:
            idle_end += 1
        while oldest < idle_end and free[oldest] + ttl_s <= now_s:
            alive_s += ttl_s * counts
            oldest += 1
        work_s = service_s * np.float64(multiplier[i])
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
        took_s = finish_s - now_s
        is_late = took_s > timeout_s
        last_s = max(last_s, finish_s)
        if counts:
            busy_s += setup_s + work_s
            wait_s += begin_s - now_s
            if place >= 0:
                alive_s += idle_s + setup_s + work_s
            cold += is_cold
            starting_s += setup_s
            timed_out += is_late
            if not is_late:
                served += 1
                if is_cold:
                    hist_cold[bin_of(took_s)] += 1
                else:
                    hist_warm[bin_of(took_s)] += 1
        if latency_s.size:
            latency_s[i] = took_s
        if fate.size:
            fate[i] = TIMED_OUT if is_late else (COLD if is_cold else SERVED)
    close_s = end_s if end_s < NEVER_S else last_s
    for k in range(oldest, end):
        alive_s += max(min(close_s - free[k], ttl_s), 0.0)
    alive_s += provisioned * max(close_s - paid_from_s, 0.0)
    return served, timed_out, refused, cold, on_provisioned, busy_s, starting_s, alive_s, wait_s, last_s
