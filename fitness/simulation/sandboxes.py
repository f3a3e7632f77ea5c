"""Requests before sandboxes that start when asked: serverless endpoints and functions.

Units: seconds. The idle time-out and the time of a cold start are not published by the services: they are inputs.
Source: docs/simulation.md#loops, docs/accuracy.md (checks).
"""

import math

from numpy.typing import ArrayLike

from fitness.simulation import checked
from fitness.simulation.arrays import Float32, Int64, UInt8
from fitness.simulation.counts import SandboxCounts
from fitness.simulation.sandbox_kernels import play_sandboxes, room
from fitness.simulation.servers import vector


def sandboxes(
    arrivals: ArrayLike,
    multiplier: ArrayLike,
    service_s: float,
    *,
    cold_s: float,
    ttl_s: float,
    max_concurrency: int,
    provisioned: int = 0,
    queues_when_full: bool = False,
    start_s: float = 0.0,
    end_s: float | None = None,
    timeout_s: float = math.inf,
    hist_warm: Int64 | None = None,
    hist_cold: Int64 | None = None,
    count_from: int = 0,
    latency_s: Float32 | None = None,
    fate: UInt8 | None = None,
) -> SandboxCounts:
    """Play a stream through sandboxes that take one request at a time.

    An idle sandbox takes a request, the most recently used one first; else a new one starts, which takes `cold_s`.
    One that was idle for `ttl_s` is gone. With `max_concurrency` requests at work, provisioned sandboxes included, a
    request is refused, or waits its turn if `queues_when_full`. Provisioned sandboxes are used first, are never cold
    and never go. `busy_s` is cold starts and work; `paid_s` is the same, before any rule of a price list.
    Raises: ValueError for arrays or numbers that make no stream.

    >>> played = sandboxes([0.0, 10.0, 400.0], [1.0, 1.0, 1.0], 1.0, cold_s=2.0, ttl_s=300.0, max_concurrency=5)
    >>> played.cold, played.sandbox_s
    (2, 314.0)
    """
    times, factors = checked.stream(arrivals, multiplier)
    start_s = checked.seconds(start_s, "start_s")
    provisioned = checked.whole(provisioned, "provisioned", least=0)
    on_demand = min(checked.whole(max_concurrency, "max_concurrency", least=provisioned) - provisioned, times.size)
    tally = play_sandboxes(
        times,
        factors,
        checked.seconds(service_s, "service_s"),
        checked.seconds(cold_s, "cold_s"),
        checked.seconds(ttl_s, "ttl_s", is_endless=True),
        room(on_demand),
        on_demand,
        vector(provisioned, provisioned, start_s),
        provisioned,
        bool(queues_when_full),
        start_s,
        checked.paid_from(times, count_from, start_s),
        checked.end_of(end_s),
        checked.seconds(timeout_s, "timeout_s", is_endless=True),
        checked.whole(count_from, "count_from", least=0),
        checked.hist_of(hist_warm),
        checked.hist_of(hist_cold),
        checked.latency_of(latency_s, times.size),
        checked.fate_of(fate, times.size),
    )
    served, timed_out, refused, cold, on_provisioned, busy_s, starting_s, alive_s, wait_s, last_s = tally
    return SandboxCounts(
        offered=max(times.size - count_from, 0),
        served=served,
        timed_out=timed_out,
        refused=refused,
        cold=cold,
        busy_s=busy_s,
        paid_s=busy_s,
        wait_s=wait_s,
        last_end_s=last_s,
        paid_cold_s=starting_s,
        sandbox_s=alive_s,
        provisioned_served=on_provisioned,
    )
