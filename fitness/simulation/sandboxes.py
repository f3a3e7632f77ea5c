"""Requests before sandboxes that start when asked: serverless endpoints and functions.

Units: seconds. The idle time-out and the time of a cold start are not published by the services: they are inputs.
Source: docs/simulation.md#loops, docs/accuracy.md (checks).
"""

from typing import Unpack

from numpy.typing import ArrayLike

from fitness.simulation import checked
from fitness.simulation.arrays import Int64
from fitness.simulation.counts import SandboxCounts
from fitness.simulation.sandbox_kernels import Sandboxes, play_sandboxes, room
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
    hist_warm: Int64 | None = None,
    hist_cold: Int64 | None = None,
    **how: Unpack[checked.How],
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
    requests = checked.requests(arrivals, multiplier, **how)
    provisioned = checked.whole(provisioned, "provisioned", least=0)
    on_demand = checked.whole(max_concurrency, "max_concurrency", least=provisioned) - provisioned
    kind = Sandboxes(
        cold_s=checked.seconds(cold_s, "cold_s"),
        ttl_s=checked.seconds(ttl_s, "ttl_s", is_endless=True),
        most=min(on_demand, requests.arrivals.size),
        provisioned=provisioned,
        queues=bool(queues_when_full),
    )
    sums, more = play_sandboxes(
        requests,
        checked.seconds(service_s, "service_s"),
        kind,
        room(kind.most),
        vector(provisioned, provisioned, requests.start_s),
        checked.hist_of(hist_warm),
        checked.hist_of(hist_cold),
    )
    return SandboxCounts(offered=requests.offered, paid_s=sums.busy_s, **sums._asdict(), **more._asdict())
