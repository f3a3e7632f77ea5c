"""Which models stay in memory on a multi-model endpoint, and how often a call finds its model there.

Every instance type is tried with several least numbers of instances, hence with more or fewer models in memory.
Formulas: docs/background.md#model-cache. Why so: docs/adr/0029-the-score-says-how-many-models-stay.md.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from fitness.analytic import fleet, settings
from fitness.arrays import Array, Flags, Index
from fitness.cost import cost
from fitness.inputs import HOURS_PER_MONTH, Inputs
from fitness.latency import STEEPNESS
from fitness.load import Load
from fitness.machines import Machines
from fitness.score import FLOOR, FUNCTIONS, weights

SHARES = np.array([0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.4, 0.6, 0.8, 1.0])  # of the models, tried
TRAFFIC_POWER, SCALING_POWER = 1 / 2, 1 / 6  # of busy over paid, in these two functions
_ITERATIONS = 40


@dataclass(frozen=True, slots=True, kw_only=True)
class Cache:
    """Fleets that keep enough models in memory; arrays of shape (draws, fleets) unless said."""

    column: Index  # (fleets,) the instance type of each, a column of the machines
    instances: Array  # the least number of them
    resident: Array  # models that these hold
    hit_ratio: Array  # share of calls that find their model in memory
    load_s: Array  # (draws,) what a miss costs
    fits: Flags  # whether a model fits an instance, and enough models stay
    share_of_one: Array  # of the models that one instance holds
    ratio: Array  # (draws, shares) of hits at SHARES

    def mean_hit_ratio(self, at: tuple[Index, ...], instances: Array, requests: Array) -> Array:
        """Hits of one fleet for each draw, (draws,), where `instances` serve `requests`, both (draws, levels)."""
        found = _between(self.ratio, np.minimum(instances * self.share_of_one[at][:, None], 1.0))
        mean: Array = np.sum(found * requests, axis=1) / np.maximum(np.sum(requests, axis=1), 1e-300)
        return mean


def hit_ratio(members: Array, share: Array, resident: Array) -> Array:
    """Share of calls that hit an LRU cache of `resident` models (Che, Tung and Wang, 2002).

    Shape: `members` and `share` (draws, buckets), `resident` (draws, sizes); the result (draws, sizes).
    The ratio does not depend on the request rate.
    """
    total = np.sum(members, axis=1)[:, None]
    if bool(np.all(resident >= total)):
        return np.ones(resident.shape)
    low = np.zeros(resident.shape)
    high = np.full(resident.shape, 60.0)  # log of the characteristic time, in requests
    for _ in range(_ITERATIONS):
        middle = (low + high) / 2
        kept = np.sum(members[:, None, :] * -np.expm1(-share[:, None, :] * np.exp(middle)[..., None]), axis=2)
        low, high = np.where(kept < resident, middle, low), np.where(kept < resident, high, middle)
    time = np.exp((low + high) / 2)
    hits = np.sum((members * share)[:, None, :] * -np.expm1(-share[:, None, :] * time[..., None]), axis=2)
    ratio: Array = np.where(resident >= total, 1.0, np.clip(hits, 0.0, 1.0))
    return ratio


def plan(inputs: Inputs, machines: Machines, load: Load, config: Mapping[str, object]) -> Cache:
    """Give the fleets to choose from: each type with the instances that hold enough models, and with more of them.

    Enough is what the score asks for, and never falls as load grows; so the cheapest of the fleets never gets
    cheaper. Where a load is not acceptable every model stays. Fewer instances than a fleet asks for, fixed by the
    caller, hold fewer models.
    """
    members, share = inputs.popularity
    count = inputs.units[:, None]
    ratio = _at_shares(members.tobytes(), share.tobytes(), inputs.units.tobytes(), inputs.size)
    load_s = inputs.prior("model_load_base_s") + inputs.prior("model_load_s_per_gb") * (
        inputs.models.artifact_mb * inputs.steps / 1024
    )
    models = np.floor(machines.memory_mb[None, :] / inputs.models.memory_mb[:, None] + 1e-9)
    fits = models >= 1
    holds = np.maximum(models, 1) / inputs.steps[:, None]  # a chain of several models is kept as one
    wanted = np.maximum(1.0, np.ceil(count * SHARES))
    least = np.maximum(1.0, np.ceil(wanted[:, None, :] / holds[..., None] - 1e-9))  # (draws, types, shares)
    enough = _enough(inputs, _Trade.of(inputs, machines, load, ratio=ratio, load_s=load_s, holds=holds, fits=fits))
    keeps = least >= np.take_along_axis(least, enough[:, None, None], axis=2)
    is_own = np.any(np.diff(least, axis=2, append=np.inf) > 0, axis=0)  # of shares that are alike, the last stays
    column, level = np.nonzero(is_own & np.any(keeps, axis=0))
    instances = least[:, column, level]
    running = settings.bounded(instances, np.ones((inputs.size, 1)), config)
    resident = np.minimum(count, np.floor(running * holds[:, column] + 1e-9))
    return Cache(
        column=column,
        instances=instances,
        resident=resident,
        hit_ratio=_between(ratio, resident / count),
        load_s=load_s,
        fits=fits[:, column] & keeps[:, column, level],
        share_of_one=holds[:, column] / count,
        ratio=ratio,
    )


@lru_cache(maxsize=32)
def _at_shares(members: bytes, share: bytes, units: bytes, draws: int) -> Array:
    """The hit ratios at SHARES of the models, (draws, shares); most evaluations of a workload ask for the same."""
    many, one = (np.frombuffer(of).reshape(draws, -1) for of in (members, share))
    ratio = hit_ratio(many, one, np.frombuffer(units)[:, None] * SHARES)
    ratio.setflags(write=False)
    return ratio


def _between(ratio: Array, share: Array) -> Array:
    """The hit ratios at `share` (draws, fleets) of the models, linear between `ratio` (draws, shares) at SHARES."""
    shares, ratios = np.append(0.0, SHARES), np.pad(ratio, ((0, 0), (1, 0)))
    below = np.minimum(np.searchsorted(SHARES, share - 1e-12), SHARES.size - 1)
    part = np.minimum((share - shares[below]) / (shares[below + 1] - shares[below]), 1.0)
    low, high = np.take_along_axis(ratios, below, axis=1), np.take_along_axis(ratios, below + 1, axis=1)
    found: Array = low + part * (high - low)
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class _Trade:
    """What it takes to keep each of SHARES in memory, without whole instances; arrays of shape (draws, shares)."""

    ratio: Array  # of hits
    load_s: Array  # (draws,)
    memory_usd: Array  # an hour of the memory alone
    reference_usd: Array  # (draws, 1) an hour of the budget, or of one small instance for each model
    paid_usd: Array  # the month: the memory, or where it is dearer what the requests and their loads keep busy

    @classmethod
    def of(
        cls, inputs: Inputs, machines: Machines, load: Load, *, ratio: Array, load_s: Array, holds: Array, fits: Flags
    ) -> "_Trade":
        """The trade with the type that is cheapest by memory, and that cheapest by work."""
        dearest = np.max(machines.usd_per_hour)  # stands for all where nothing fits
        usd = np.where(fits, machines.usd_per_hour, dearest)
        smallest_usd = np.min(usd, axis=1, keepdims=True)
        count = inputs.units[:, None]
        memory_usd = np.maximum(count * SHARES * np.min(usd / holds, axis=1, keepdims=True), smallest_usd)
        busy_s = machines.service_s[..., None] + ((1 - ratio) * load_s[:, None])[:, None, :]
        slot_usd = usd / (machines.slots * machines.baseline)
        usd_per_rps = fleet.HEADROOM * np.min(slot_usd[..., None] * busy_s, axis=1)
        hourly_usd = np.maximum(memory_usd[:, None, :], load.rps[..., None] * usd_per_rps[:, None, :])
        budget = inputs.workload.objectives.monthly_budget_usd
        return cls(
            ratio=ratio,
            load_s=load_s,
            memory_usd=memory_usd,
            reference_usd=count * smallest_usd if budget is None else np.full_like(count, budget / HOURS_PER_MONTH),
            paid_usd=np.sum(load.hours[..., None] * hourly_usd, axis=1),
        )


def _enough(inputs: Inputs, trade: _Trade) -> Index:
    """Which of SHARES is to stay in memory at least, (draws,): the one of the best score, all but constants.

    The load enters by what is paid alone, which grows with it the less, the more models stay.
    """
    of = dict(zip(FUNCTIONS, (float(one) for one in weights(inputs)), strict=True))
    load_s, ratio = trade.load_s[:, None], trade.ratio
    missed = 1 - ratio
    answer_s = load_s + inputs.request.processing_s[:, None]
    credit = np.minimum(1.0, (inputs.objectives.target_s[:, None] / answer_s) ** STEEPNESS)
    credit = np.maximum(credit, fleet.accepts_cold(inputs, trade.load_s)[:, None])
    value = (
        of["cost"] * np.log(cost(trade.memory_usd, trade.reference_usd))
        + of["latency"] * np.log(ratio + missed * credit)
        + of["scaling"] * SCALING_POWER * np.log(inputs.request.processing_s[:, None] + missed * load_s)
        + of["traffic"] * np.log(np.maximum(ratio, FLOOR))
        - (of["scaling"] * SCALING_POWER + of["traffic"] * TRAFFIC_POWER) * np.log(trade.paid_usd)
    )
    found: Index = np.where(trade.load_s > _longest_load_s(inputs), SHARES.size - 1, np.argmax(value, axis=1))
    return found


def _longest_load_s(inputs: Inputs) -> Array:
    """What a load may take at most, (draws,); if it takes longer, every model is to stay in memory."""
    objectives = inputs.objectives
    if objectives.cold_start_ok is False:
        return np.zeros(inputs.size)
    undeclared = np.inf if objectives.cold_start_ok else objectives.late_after_s
    return np.where(np.isnan(objectives.cold_budget_s), undeclared, objectives.cold_budget_s)
