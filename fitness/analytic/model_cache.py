"""Which models stay in memory on a multi-model endpoint, and how often a call finds its model there."""

from dataclasses import dataclass

import numpy as np

from fitness.arrays import Array, Flags
from fitness.inputs import Inputs
from fitness.machines import Machines

SHARES = np.array([0.01, 0.02, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 1.0])  # of the models, tried as the resident set
_ITERATIONS = 40


@dataclass(frozen=True, slots=True, kw_only=True)
class Cache:
    """The resident set; arrays of shape (draws,) unless said."""

    resident: Array  # models that the fleet's memory holds
    hit_ratio: Array  # share of calls that find their model in memory
    load_s: Array  # what a miss costs
    instances: Array  # (draws, types) instances that hold the resident set
    fits: Flags  # (draws, types) whether one model fits an instance


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


def plan(inputs: Inputs, machines: Machines) -> Cache:
    """Choose how many models to keep in memory: what the memory costs against the calls that wait for a load.

    The choice maximises hit ratio x cost score of the memory alone, against the budget or against one small
    endpoint per model. It does not depend on the load, so that more load never means fewer instances.
    Where a load is not acceptable, every model stays in memory.
    """
    members, share = inputs.popularity
    count = inputs.units[:, None]
    load_s = inputs.prior("model_load_base_s") + inputs.prior("model_load_s_per_gb") * (
        inputs.models.artifact_mb * inputs.steps / 1024
    )
    models = np.floor(machines.memory_mb[None, :] / inputs.models.memory_mb[:, None] + 1e-9)
    fits = models >= 1
    holds = np.maximum(models, 1) / inputs.steps[:, None]  # a chain of several models is kept as one
    usd_per_model = np.min(np.where(fits, machines.usd_per_hour / holds, np.max(machines.usd_per_hour)), axis=1)
    smallest_usd = np.min(np.where(fits, machines.usd_per_hour, np.max(machines.usd_per_hour)), axis=1)
    sizes = np.maximum(1.0, np.ceil(count * SHARES[None, :]))
    ratio = hit_ratio(members, share, sizes)
    budget = inputs.workload.objectives.monthly_budget_usd
    reference = count * smallest_usd[:, None] if budget is None else np.full_like(count, float(budget) / 730)
    cost = np.maximum(sizes * usd_per_model[:, None], smallest_usd[:, None])
    value = ratio / (1 + (cost / reference) ** 2)
    best = np.argmax(value, axis=1)
    too_slow = load_s > np.nan_to_num(inputs.objectives.cold_budget_s, nan=np.inf)
    if inputs.objectives.cold_start_ok is False:
        too_slow = np.ones(inputs.size, dtype=bool)
    best = np.where(too_slow, SHARES.size - 1, best)
    rows = np.arange(inputs.size)
    chosen = sizes[rows, best]
    instances = np.maximum(1.0, np.ceil(chosen[:, None] / holds - 1e-9))
    return Cache(resident=chosen, hit_ratio=ratio[rows, best], load_s=load_s, instances=instances, fits=fits)
