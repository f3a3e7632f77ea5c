"""Requests sent to one of several instances, each with its own queue: the loop over the requests.

The way is chosen at arrival, as a router does it, so a change of instances counts from the next arrival on and an
instance that leaves still works off its queue.
"""

import numpy as np

from fitness.simulation import histogram
from fitness.simulation.arrays import Float32, Float64, Int32, Int64
from fitness.simulation.compiled import NEVER_S, Arguments, compiled
from fitness.simulation.counts import SERVED
from fitness.simulation.loops import NO_EVENTS, Events, Requests, Sums, nothing_yet, paid_at, settled, two_requests
from fitness.simulation.servers import occupy


def instances(ready: int, most: int, slots: int, start_s: float) -> tuple[Float64, Int32]:
    """The free times of `most` instances with `slots` servers each, and which instances are ready, in order."""
    free = np.full((most, slots + 1), NEVER_S)
    free[:ready, :slots] = start_s
    order = np.zeros(most, dtype=np.int32)
    order[:ready] = np.arange(ready)
    return free, order


@compiled(allocates=False)
def idle_first(free: Float64, order: Int32, count: int) -> int:
    """The place in the order of the instance that has finished its work first; of equals, the newest."""
    last = free.shape[1] - 2
    chosen = 0
    for k in range(1, count):
        if free[order[k], last] <= free[order[chosen], last]:
            chosen = k
    return chosen


@compiled(allocates=False)
def least_outstanding(outstanding: Int32, order: Int32, count: int, first: int) -> int:
    """The place in the order of the instance with the fewest requests; of equals, the next one from `first` on."""
    chosen, fewest = first, outstanding[order[first]]
    for step in range(1, count):
        k = first + step
        if k >= count:
            k -= count
        if outstanding[order[k]] < fewest:
            chosen, fewest = k, outstanding[order[k]]
    return chosen


@compiled(allocates=False)
def push(ends_s: Float64, ends_at: Int32, size: int, end_s: float, instance: int) -> int:
    """Put the end of a request into the heap of ends; gives the new size."""
    k = size
    while k > 0 and ends_s[(k - 1) // 2] > end_s:
        ends_s[k] = ends_s[(k - 1) // 2]
        ends_at[k] = ends_at[(k - 1) // 2]
        k = (k - 1) // 2
    ends_s[k] = end_s
    ends_at[k] = instance
    return size + 1


@compiled(allocates=False)
def pop(ends_s: Float64, ends_at: Int32, size: int) -> int:
    """Take the earliest end out of the heap of ends; gives the new size."""
    last = size - 1
    end_s, instance = ends_s[last], ends_at[last]
    k = 0
    while True:
        child = 2 * k + 1
        if child >= last:
            break
        if child + 1 < last and ends_s[child + 1] < ends_s[child]:
            child += 1
        if ends_s[child] >= end_s:
            break
        ends_s[k] = ends_s[child]
        ends_at[k] = ends_at[child]
        k = child
    ends_s[k] = end_s
    ends_at[k] = instance
    return last


def _examples() -> list[Arguments]:
    free, order = instances(1, 1, 1, 0.0)
    ends = (np.zeros(1, dtype=np.int32), np.zeros(2), np.zeros(2, dtype=np.int32))
    uniform = np.zeros(2, dtype=np.float32)
    return [(two_requests(), NO_EVENTS, uniform, 1.0, free, order, 1, *ends, histogram.empty())]


@compiled(_examples, allocates=False)
def play_routed(
    requests: Requests,
    events: Events,
    uniform: Float32,
    service_s: float,
    free: Float64,
    order: Int32,
    count: int,
    outstanding: Int32,
    ends_s: Float64,  # room for an end of each request, or empty: send at random
    ends_at: Int32,
    hist: Int64,
) -> tuple[Sums, int, float]:
    """Play a stream: its sums, the refused requests, the paid seconds."""
    slots = free.shape[1] - 1
    sums, refused = nothing_yet(requests), 0
    paid_s = -count * paid_at(requests.start_s, requests)
    event, made, ends = 0, count, 0
    arrivals = requests.arrivals
    for i in range(arrivals.size + 1):
        # The changes after the last arrival are paid too.
        close_s = requests.end_s if requests.end_s < NEVER_S else sums.last_end_s
        now_s = arrivals[i] if i < arrivals.size else close_s
        while events.at_s[event] <= now_s:
            at_s = events.at_s[event]
            for _ in range(events.delta[event]):
                if count == made or ends_s.size:
                    order[count] = made
                    made += 1
                free[order[count], :slots] = at_s
                count += 1
                paid_s -= paid_at(at_s, requests)
            for _ in range(min(-events.delta[event], count)):
                leaver = idle_first(free, order, count)
                paid_s += paid_at(max(free[order[leaver], slots - 1], at_s), requests)
                count -= 1
                gone = order[leaver]
                for k in range(leaver, count):
                    order[k] = order[k + 1]
                order[count] = gone  # its place is the next one's
            event += 1
        if i == arrivals.size:
            paid_s += count * paid_at(now_s, requests)
            break
        if count == 0:
            refused += i >= requests.count_from
            continue
        place = min(int(uniform[i] * np.float64(count)), count - 1)
        if ends_s.size:
            while ends > 0 and ends_s[0] <= now_s:
                outstanding[ends_at[0]] -= 1
                ends = pop(ends_s, ends_at, ends)
            place = least_outstanding(outstanding, order, count, place)
        instance = order[place]
        begin_s = max(now_s, free[instance, 0])
        work_s = service_s * np.float64(requests.multiplier[i])
        finish_s = begin_s + work_s
        occupy(free[instance], slots, finish_s, False)
        if ends_s.size:
            outstanding[instance] += 1
            ends = push(ends_s, ends_at, ends, finish_s, instance)
        sums = settled(sums, requests, i, now_s, begin_s, work_s, finish_s, SERVED, hist)
    return sums, refused, paid_s
