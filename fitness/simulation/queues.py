"""Requests before servers that work first come, first served: one queue, or one for each instance.

Units: seconds. Service of a request is `service_s` times its multiplier, so that configurations share a stream.
Every kernel plays the time-out alike: it covers waiting and service, the work is done all the same, and the request
counts as timed out.
Source: docs/simulation.md, docs/accuracy.md (checks).
"""

import math
from enum import StrEnum

import numpy as np
from numpy.typing import ArrayLike

from fitness.simulation import checked
from fitness.simulation.arrays import Float32, Int64, UInt8
from fitness.simulation.counts import Counts
from fitness.simulation.interval_kernel import count_by_interval
from fitness.simulation.queue_kernels import Tally, play_pooled
from fitness.simulation.route_kernels import instances as instances_of
from fitness.simulation.route_kernels import play_routed
from fitness.simulation.servers import MOST_SORTED, vector


class Routing(StrEnum):
    """How an endpoint spreads requests over its instances; the words are those of the service."""

    RANDOM = "RANDOM"
    LEAST_OUTSTANDING = "LEAST_OUTSTANDING_REQUESTS"


def pooled(
    arrivals: ArrayLike,
    multiplier: ArrayLike,
    service_s: float,
    *,
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
) -> Counts:
    """Play a stream through one queue before all servers.

    Shape: an event adds `event_delta` servers or removes as many, those that are free first; a busy one finishes its
    work and is paid until then. Paid seconds are of servers, from the first counted arrival to `end_s`; without it, to
    the last end. Requests before `count_from` are played, not counted. What waits when no server is left, and none
    comes, is refused.
    Raises: ValueError for arrays or numbers that make no stream.

    >>> pooled([0.0, 0.0, 1.0], [1.0, 1.0, 1.0], 2.0, servers=1).wait_s
    5.0
    """
    times, factors = checked.stream(arrivals, multiplier)
    changes = checked.events(event_s, event_delta)
    start_s = checked.seconds(start_s, "start_s")
    most = checked.whole(servers, "servers", least=0) + changes.added
    tally = play_pooled(
        times,
        factors,
        checked.seconds(service_s, "service_s"),
        vector(servers, most, start_s),
        servers,
        most > MOST_SORTED,
        changes.at_s,
        changes.delta,
        start_s,
        checked.paid_from(times, count_from, start_s),
        -1.0 if end_s is None else checked.seconds(end_s, "end_s"),
        checked.seconds(timeout_s, "timeout_s"),
        checked.whole(count_from, "count_from", least=0),
        checked.hist_of(hist),
        checked.latency_of(latency_s, times.size),
        checked.fate_of(fate, times.size),
    )
    return counts_of(tally, times.size - count_from)


def routed(
    arrivals: ArrayLike,
    multiplier: ArrayLike,
    uniform: ArrayLike,
    service_s: float,
    *,
    instances: int,
    slots: int,
    policy: Routing | str = Routing.RANDOM,
    start_s: float = 0.0,
    end_s: float | None = None,
    event_s: ArrayLike | None = None,
    event_delta: ArrayLike | None = None,
    timeout_s: float = math.inf,
    hist: Int64 | None = None,
    count_from: int = 0,
    latency_s: Float32 | None = None,
    fate: UInt8 | None = None,
) -> Counts:
    """Play a stream through instances with `slots` servers and a queue each; `uniform` chooses the way.

    Shape: events count instances. The instance that is idle first leaves first, works off its queue and is paid until
    then. Paid seconds are of instances. A request that finds no instance ready is refused.
    Raises: ValueError for arrays or numbers that make no stream.
    """
    times, factors = checked.stream(arrivals, multiplier, uniform)
    changes = checked.events(event_s, event_delta)
    start_s = checked.seconds(start_s, "start_s")
    most = checked.whole(instances, "instances", least=0) + changes.added
    free, order = instances_of(instances, max(most, 1), checked.whole(slots, "slots", least=1), start_s)
    outstanding_ends = times.size + 1 if Routing(policy) is Routing.LEAST_OUTSTANDING else 0
    tally = play_routed(
        times,
        factors,
        checked.array_of(uniform, np.float32),
        checked.seconds(service_s, "service_s"),
        free,
        order,
        instances,
        np.zeros(max(most, 1), dtype=np.int32),
        np.empty(outstanding_ends),
        np.empty(outstanding_ends, dtype=np.int32),
        changes.at_s,
        changes.delta,
        start_s,
        checked.paid_from(times, count_from, start_s),
        -1.0 if end_s is None else checked.seconds(end_s, "end_s"),
        checked.seconds(timeout_s, "timeout_s"),
        checked.whole(count_from, "count_from", least=0),
        checked.hist_of(hist),
        checked.latency_of(latency_s, times.size),
        checked.fate_of(fate, times.size),
    )
    return counts_of(tally, times.size - count_from)


def per_interval(times: ArrayLike, *, start_s: float, width_s: float, intervals: int) -> Int64:
    """How many of the times fall into each interval, (intervals,); those outside are left out.

    >>> per_interval([0.0, 59.9, 60.0, 500.0], start_s=0.0, width_s=60.0, intervals=3).tolist()
    [2, 1, 0]
    """
    counts = np.zeros(intervals, dtype=np.int64)
    count_by_interval(checked.array_of(times, np.float64), float(start_s), float(width_s), counts)
    return counts


def counts_of(tally: Tally, offered: int) -> Counts:
    """The counts of a kernel as a value."""
    served, timed_out, refused, busy_s, paid_s, wait_s, last_s = tally
    return Counts(
        offered=max(offered, 0),
        served=served,
        timed_out=timed_out,
        refused=refused,
        cold=0,
        busy_s=busy_s,
        paid_s=paid_s,
        wait_s=wait_s,
        last_end_s=last_s,
    )
