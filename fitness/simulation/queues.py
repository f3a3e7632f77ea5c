"""Requests before servers that work first come, first served: one queue, or one for each instance.

Units: seconds. Service of a request is `service_s` times its multiplier, so that configurations share a stream.
Every kernel plays the time-out alike: it covers waiting and service, the work is done all the same, and the request
counts as timed out.
Source: docs/simulation.md#loops, docs/accuracy.md (checks).
"""

from enum import StrEnum
from typing import Unpack

import numpy as np
from numpy.typing import ArrayLike

from fitness.simulation import checked
from fitness.simulation.arrays import Int64
from fitness.simulation.backlog_kernels import Policy, play_backlog, state_of
from fitness.simulation.counts import Counts
from fitness.simulation.interval_kernel import count_by_interval
from fitness.simulation.loops import Requests, Sums
from fitness.simulation.queue_kernels import play_pooled
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
    event_s: ArrayLike | None = None,
    event_delta: ArrayLike | None = None,
    hist: Int64 | None = None,
    **how: Unpack[checked.How],
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
    requests = checked.requests(arrivals, multiplier, **how)
    events = checked.events(event_s, event_delta)
    most = events.most(checked.whole(servers, "servers", least=0))
    tally = play_pooled(
        requests,
        events,
        checked.seconds(service_s, "service_s"),
        vector(servers, most, requests.start_s),
        servers,
        most > MOST_SORTED,
        checked.hist_of(hist),
    )
    return _counts(requests, *tally)


def routed(
    arrivals: ArrayLike,
    multiplier: ArrayLike,
    uniform: ArrayLike,
    service_s: float,
    *,
    instances: int,
    slots: int,
    policy: Routing | str = Routing.RANDOM,
    event_s: ArrayLike | None = None,
    event_delta: ArrayLike | None = None,
    hist: Int64 | None = None,
    **how: Unpack[checked.How],
) -> Counts:
    """Play a stream through instances with `slots` servers and a queue each; `uniform` chooses the way.

    Shape: events count instances. The instance that is idle first leaves first, works off its queue and is paid until
    then. Paid seconds are of instances. A request that finds no instance ready is refused.
    Raises: ValueError for arrays or numbers that make no stream.
    """
    requests = checked.requests(arrivals, multiplier, uniform, **how)
    events = checked.events(event_s, event_delta)
    checked.whole(instances, "instances", least=0)
    counts_outstanding = Routing(policy) is Routing.LEAST_OUTSTANDING  # also on instances that have left
    most = max(instances + events.added if counts_outstanding else events.most(instances), 1)
    outstanding_ends = requests.arrivals.size + 1 if counts_outstanding else 0
    tally = play_routed(
        requests,
        events,
        checked.array_of(uniform, np.float32),
        checked.seconds(service_s, "service_s"),
        *instances_of(instances, most, checked.whole(slots, "slots", least=1), requests.start_s),
        instances,
        np.zeros(most, dtype=np.int32),
        np.empty(outstanding_ends),
        np.empty(outstanding_ends, dtype=np.int32),
        checked.hist_of(hist),
    )
    return _counts(requests, *tally)


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
    **how: Unpack[checked.How],
) -> Counts:
    """Play a stream through one queue whose instances follow its length, as an asynchronous endpoint does.

    Every `tick_s` the backlog, waiting and at work, is compared with the target for each instance, launching ones
    included: out after `out_datapoints` above it in a row, in after `in_datapoints` below `in_factor` of it. At zero
    instances a backlog for `wake_datapoints` ticks in a row brings the first one; 0 is no such alarm, and what waits
    then is refused; what came at zero and waited for an instance is cold. Paid seconds are of instances, from the start
    of the launch until the last work is done.
    Shape: the `_by_tick` arrays are filled as far as they reach: in service, and the backlog, at the end of each tick.
    Raises: ValueError for arrays or numbers that make no stream.
    """
    requests = checked.requests(arrivals, multiplier, **how)
    times = requests.arrivals
    if not (target_per_instance > 0 and tick_s > 0 and (not times.size or times[-1] / tick_s < _MOST_TICKS)):
        message = (
            f"target and tick must be > 0, got {target_per_instance} and {tick_s} s, and ticks below {_MOST_TICKS:g}"
        )
        raise ValueError(message)
    policy = Policy(
        minimum=checked.whole(minimum, "minimum", least=0),
        maximum=checked.whole(maximum, "maximum", least=minimum),
        target=float(target_per_instance),
        in_factor=float(in_factor),
        out_points=int(out_datapoints),
        in_points=checked.whole(in_datapoints, "in_datapoints", least=1),
        wake_points=int(wake_datapoints),
        out_cooldown_s=float(out_cooldown_s),
        in_cooldown_s=float(in_cooldown_s),
        launch_s=checked.seconds(launch_s, "launch_s"),
        tick_s=float(tick_s),
        slots=checked.whole(slots, "slots", least=1),
    )
    ready = min(max(int(instances), policy.minimum), policy.maximum)
    most = policy.maximum * policy.slots
    tally = play_backlog(
        requests,
        checked.seconds(service_s, "service_s"),
        policy,
        state_of(policy, ready),
        vector(ready * policy.slots, most, requests.start_s),
        most > MOST_SORTED,
        checked.hist_of(hist),
        *checked.by_tick(instances_by_tick, backlog_by_tick),
    )
    return _counts(requests, *tally)


def per_interval(times: ArrayLike, *, start_s: float, width_s: float, intervals: int) -> Int64:
    """How many of the times fall into each interval, (intervals,); those outside are left out.

    >>> per_interval([0.0, 59.9, 60.0, 500.0], start_s=0.0, width_s=60.0, intervals=3).tolist()
    [2, 1, 0]
    """
    counts = np.zeros(intervals, dtype=np.int64)
    count_by_interval(checked.array_of(times, np.float64), float(start_s), float(width_s), counts)
    return counts


def _counts(requests: Requests, sums: Sums, refused: int, paid_s: float, cold: int = 0) -> Counts:
    """The counts of a kernel as a value."""
    return Counts(offered=requests.offered, refused=refused, cold=cold, paid_s=paid_s, **sums._asdict())
