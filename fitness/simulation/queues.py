"""Requests before servers that work first come, first served: one queue, or one for each instance.

Units: seconds. Service of a request is `service_s` times its multiplier, so that configurations share a stream.
Every kernel plays the time-out alike: it covers waiting and service, the work is done all the same, and the request
counts as timed out.
Source: docs/simulation.md#loops, docs/accuracy.md (checks).
"""

import math
from enum import StrEnum

import numpy as np
from numpy.typing import ArrayLike

from fitness.simulation import checked
from fitness.simulation.arrays import Float32, Int64, UInt8
from fitness.simulation.backlog_kernels import DESIRED, READY, STATE, launches, play_backlog
from fitness.simulation.compiled import NEVER_S
from fitness.simulation.counts import Counts
from fitness.simulation.interval_kernel import count_by_interval
from fitness.simulation.queue_kernels import Tally, play_pooled
from fitness.simulation.route_kernels import instances as instances_of
from fitness.simulation.route_kernels import play_routed
from fitness.simulation.servers import MOST_SORTED, vector

_MOST_TICKS = 1e8


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
    most = changes.most(checked.whole(servers, "servers", least=0))
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
        checked.end_of(end_s),
        checked.seconds(timeout_s, "timeout_s", is_endless=True),
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
    checked.whole(instances, "instances", least=0)
    counts_outstanding = Routing(policy) is Routing.LEAST_OUTSTANDING  # also on instances that have left
    most = instances + changes.added if counts_outstanding else changes.most(instances)
    free, order = instances_of(instances, max(most, 1), checked.whole(slots, "slots", least=1), start_s)
    outstanding_ends = times.size + 1 if counts_outstanding else 0
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
        checked.end_of(end_s),
        checked.seconds(timeout_s, "timeout_s", is_endless=True),
        checked.whole(count_from, "count_from", least=0),
        checked.hist_of(hist),
        checked.latency_of(latency_s, times.size),
        checked.fate_of(fate, times.size),
    )
    return counts_of(tally, times.size - count_from)


def backlog_scaled(
    arrivals: ArrayLike,
    multiplier: ArrayLike,
    service_s: float,
    *,
    slots: int,
    instances: int,
    minimum: int,
    maximum: int,
    target_per_instance: float,
    launch_s: float,
    start_s: float = 0.0,
    end_s: float | None = None,
    timeout_s: float = math.inf,
    out_datapoints: int = 3,
    in_datapoints: int = 15,
    in_factor: float = 0.9,
    out_cooldown_s: float = 300.0,
    in_cooldown_s: float = 300.0,
    wake_datapoints: int = 2,
    tick_s: float = 60.0,
    instances_by_tick: Int64 | None = None,
    backlog_by_tick: Int64 | None = None,
    hist: Int64 | None = None,
    count_from: int = 0,
    latency_s: Float32 | None = None,
    fate: UInt8 | None = None,
) -> Counts:
    """Play a stream through one queue whose instances follow its length, as an asynchronous endpoint does.

    Every `tick_s` the backlog, waiting and at work, is compared with the target for each instance, launching ones
    included: out after `out_datapoints` above it in a row, in after `in_datapoints` below `in_factor` of it. At zero
    instances a backlog for `wake_datapoints` ticks in a row brings the first one; 0 is no such alarm, and what waits
    then is refused. Paid seconds are of instances, from the start of the launch until the last work is done.
    Shape: the `_by_tick` arrays are filled as far as they reach: in service, and the backlog, at the end of each tick.
    Raises: ValueError for arrays or numbers that make no stream.
    """
    times, factors = checked.stream(arrivals, multiplier)
    start_s = checked.seconds(start_s, "start_s")
    launch_s = checked.seconds(launch_s, "launch_s")
    ready = min(max(instances, checked.whole(minimum, "minimum", least=0)), maximum)
    most = checked.whole(maximum, "maximum", least=minimum) * checked.whole(slots, "slots", least=1)
    if not (target_per_instance > 0 and tick_s > 0 and (not times.size or times[-1] / tick_s < _MOST_TICKS)):
        message = (
            f"target and tick must be > 0, got {target_per_instance} and {tick_s} s, and ticks below {_MOST_TICKS:g}"
        )
        raise ValueError(message)
    state = np.zeros(STATE, dtype=np.int64)
    state[DESIRED] = state[READY] = ready
    tally = play_backlog(
        times,
        factors,
        checked.seconds(service_s, "service_s"),
        vector(ready * slots, most, start_s),
        most > MOST_SORTED,
        np.array([minimum, maximum, out_datapoints, in_datapoints, wake_datapoints, slots], dtype=np.int64),
        state,
        float(target_per_instance),
        float(in_factor),
        np.array([out_cooldown_s, in_cooldown_s], dtype=np.float64),
        launch_s,
        float(tick_s),
        np.full(2, -NEVER_S),
        *launches(launch_s, tick_s),
        np.zeros(checked.whole(in_datapoints, "in_datapoints", least=1), dtype=np.int64),
        start_s,
        checked.paid_from(times, count_from, start_s),
        checked.end_of(end_s),
        checked.seconds(timeout_s, "timeout_s", is_endless=True),
        checked.whole(count_from, "count_from", least=0),
        checked.hist_of(hist),
        checked.latency_of(latency_s, times.size),
        checked.fate_of(fate, times.size),
        *checked.by_tick(instances_by_tick, backlog_by_tick),
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
