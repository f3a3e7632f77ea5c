"""Which models should leave a multi-model endpoint for endpoints of their own: the most requested first, if it pays.

The rule: so many leave as make the whole bill lowest. At most 1 % above that bill, so many as leave callers waiting
least, if that is a tenth less at least.
Source: docs/simulation.md#sizing-the-memory-of-models.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType

import numpy as np

from fitness.analytic.served import load_of
from fitness.arrays import Array
from fitness.load import Load
from fitness.simulation.proposed import hourly, instance_type_of, outcome_of
from fitness.simulation.sizing import Sizing, che, shares_of
from fitness.study import Study

MOST_MOVED = 12
AS_CHEAP = 1.01
LESS_WAITING = 0.9


@dataclass(frozen=True, slots=True, kw_only=True)
class Split:
    """The most requested models on endpoints of their own, the others together. Money is a month's."""

    moved: int
    moved_share: float  # of the requests
    instances: int  # that keep the goal's hit ratio over all requests
    shared_usd: float
    own_usd: float
    lost_s: float  # that callers wait for loads, in a month

    @property
    def usd(self) -> float:
        """Instances of both."""
        return self.shared_usd + self.own_usd


@dataclass(frozen=True, slots=True, kw_only=True)
class Moving:
    """What leaving pays."""

    splits: tuple[Split, ...]  # by how many models leave, none first; none at all where a price is unknown
    best: Split | None
    own_type: str | None  # instances of an own endpoint; None: none can be configured
    reason: str  # why there is nothing to compare; empty where there is


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """What an endpoint costs and carries."""

    carries_rps: float  # by one instance
    usd_per_hour: float  # of one instance

    def usd(self, load: Load, share: float, *, least: float) -> float:
        """Money of a month with this share of the load, on at least so many instances."""
        wanted = np.maximum(least, np.ceil(load.rps[0] * share / self.carries_rps - 1e-9))
        return float(np.sum(wanted * load.hours[0])) * self.usd_per_hour


def moving(work: Study, sizing: Sizing) -> Moving:
    """Compare how many of the most requested models leave; an own endpoint has the cheapest type that serves it."""
    if sizing.usd_per_hour is None:
        return Moving(splits=(), best=None, own_type=None, reason=f"no price is known for {sizing.instance_type}")
    if sizing.cache.models < 2:
        return Moving(splits=(), best=None, own_type=None, reason="one model has nothing to leave")
    free = replace(work, config=MappingProxyType({}), options=("real_time",))
    proposed = free.configured("real_time").outcome
    if proposed is None:
        return Moving(splits=(), best=None, own_type=None, reason="no endpoint of its own can be configured")
    own_type = instance_type_of(proposed)
    _, own_usd_per_hour = hourly(free, proposed)
    if own_usd_per_hour is None:
        return Moving(splits=(), best=None, own_type=own_type, reason=f"no price is known for {own_type}")
    shared = outcome_of(work, sizing.option)
    found = splits(
        load_of(work.point),
        shares_of(work.point, sizing.cache.models),
        holds=sizing.holds,
        goal_ratio=sizing.goal_ratio,
        load_s=sizing.cache.load_s,
        requests_per_month=sizing.requests_per_month,
        shared=Endpoint(
            carries_rps=float(shared.settings["target_invocations_per_minute"][0]) / 60,
            usd_per_hour=sizing.usd_per_hour,
        ),
        own=Endpoint(
            carries_rps=float(proposed.settings["target_invocations_per_minute"][0]) / 60,
            usd_per_hour=own_usd_per_hour,
        ),
    )
    return Moving(splits=found, best=chosen(found), own_type=own_type, reason="")


def splits(
    load: Load,
    share: Array,
    *,
    holds: int,
    goal_ratio: float,
    load_s: float,
    requests_per_month: float,
    shared: Endpoint,
    own: Endpoint,
) -> tuple[Split, ...]:
    """Give the bill and the waiting with 0, 1, 2, ... of the most requested models on endpoints of their own.

    Shape: `share` is (models,), falling, and sums to 1. One model at least stays.
    """
    found = []
    own_usd = 0.0
    for moved in range(min(MOST_MOVED, share.size - 1) + 1):
        if moved:
            own_usd += own.usd(load, float(share[moved - 1]), least=1.0)
        left = share[moved:]
        stays = float(left.sum())
        # A model on its own endpoint is always in memory, so the others may miss a little more.
        models = _needed(left / stays, (goal_ratio - (1 - stays)) / stays)
        instances = math.ceil(models / holds)
        hit = float(che(left / stays, [min(left.size, instances * holds)])[0])
        found.append(
            Split(
                moved=moved,
                moved_share=1 - stays if moved else 0.0,
                instances=instances,
                shared_usd=shared.usd(load, stays, least=instances),
                own_usd=own_usd,
                lost_s=requests_per_month * stays * (1 - hit) * load_s,
            )
        )
    return tuple(found)


def chosen(found: Sequence[Split]) -> Split:
    """The cheapest; at most 1 % above its bill the one that waits least, if that is a tenth less at least."""
    cheapest = min(found, key=lambda one: (one.usd, one.moved))
    close = [
        one for one in found if one.usd <= cheapest.usd * AS_CHEAP and one.lost_s <= cheapest.lost_s * LESS_WAITING
    ]
    return min(close, key=lambda one: (one.lost_s, one.moved), default=cheapest)


def _needed(share: Array, goal_ratio: float) -> int:
    """The fewest models in memory that reach the goal by Che's approximation."""
    low, high = 0, share.size
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if che(share, [middle])[0] >= goal_ratio else (middle, high)
    return high
