"""The memory of a multi-model endpoint: how many models it holds, how often a request finds its own, what that costs.

The hit ratio is counted: requests by popularity go through a cache that drops the least recently used model, warmed
up first. Beside it stands Che's approximation as a check.
Source: docs/simulation.md#sizing-the-memory-of-models.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from fitness.analytic.model_cache import hit_ratio as che_ratio
from fitness.arrays import Array
from fitness.errors import InputError, Problem
from fitness.inputs import HOURS_PER_MONTH, Inputs
from fitness.outcome import Outcome
from fitness.prices import Price
from fitness.simulation import caches, randomness, requested
from fitness.simulation.arrays import Int32
from fitness.simulation.endpoints import Cache, endpoint_of
from fitness.simulation.play import Band, Simulation, played
from fitness.simulation.proposed import hourly, instance_type_of, outcome_of
from fitness.study import SEED, Study

OPTIONS = ("mme", "mme_gpu")
GOAL_RATIO = 0.95
POINTS = 24  # of the curve
MOST_MODELS = 50_000
FEWEST_REQUESTS, MOST_REQUESTS = 200_000, 400_000
REQUESTS_PER_MODEL = 20
PLAYED_REQUESTS = 100_000  # for the 99th percentile at one size
MOST_PLAYED = 1_000_000  # models times instances that are played: each instance remembers every model
LEAD_RATIO = 0.25  # of the requests, which warm the cache up
FINE = 200
SHOWN_RATIOS = (0.5, 0.8, 0.9, 0.99)  # hit ratios whose instances are shown beside the goal's
_HEAD, _TAIL = 64, 48  # ranks that Che's sum takes one by one, and groups of the others
MB_PER_GB = 1024


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Curve:
    """How often a request finds its model, by how many models the memory holds, as one memory.

    Shape: (points,).
    """

    models: Array
    memory_gb: Array
    hit_ratio: Array  # counted
    che_ratio: Array


@dataclass(frozen=True, slots=True, kw_only=True)
class Fit:
    """What a least number of instances does; the money is that of the instances, other items cost the same."""

    instances: int
    memory_gb: float  # for models
    hit_ratio: float  # every model has its home on one instance, chosen at random
    pooled_ratio: float  # as if the instances had one memory: the most that another placement could do
    lost_s: float  # that callers wait for loads, in a month
    usd: float | None  # None: without a price
    p99_ms: Band | None  # played, with more instances where the load asks for more; None: too many models to play
    dropped_ratio: float | None  # in the same play


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Sizing:
    """The memory that the models of a workload want on one instance type."""

    option: str
    instance_type: str
    cache: Cache
    holds: int  # models on one instance
    goal_ratio: float
    curve: Curve
    goal_models: int  # in one memory, for the goal
    enough: Fit  # the fewest instances that reach the goal
    whole: Fit  # the fewest instances that hold every model
    fits: tuple[Fit, ...]  # by instances, `enough` and `whole` among them
    price: Price | None  # of an instance hour
    usd_per_hour: float | None  # with the volume
    requests_per_month: float
    played_requests: int
    seed: int
    notes: tuple[str, ...]


def size(work: Study, option: str, *, goal_ratio: float = GOAL_RATIO, seed: int = SEED) -> Sizing:
    """Size the memory of a multi-model endpoint on the type that the study proposes or fixes.

    Raises: InputError for a goal that is no ratio, for another option, for too many models, and where no model fits
    or nothing can be configured.
    """
    _check(option, goal_ratio)
    inputs = work.point
    outcome = outcome_of(work, option)
    cache = endpoint_of(inputs, outcome, work.config, seed).cache
    assert cache is not None  # noqa: S101 a multi-model endpoint has one
    instance = instance_type_of(outcome)
    if cache.models > MOST_MODELS:
        message = f"at most {MOST_MODELS:,} are counted, got {cache.models:,}: size a part of them and multiply"
        raise InputError([Problem(path="models.count", message=message)])
    holds = int(cache.instance_memory_mb / cache.memory_mb + 1e-9)
    if holds < 1:
        message = (
            f"one model takes {cache.memory_mb / MB_PER_GB:,.4g} GB, "
            f"{instance} has {cache.instance_memory_mb / MB_PER_GB:,.4g} GB for models"
        )
        raise InputError([Problem(path="instance_type", message=message)])
    share = shares_of(inputs, cache.models)
    stream = asked(inputs, cache.models, seed=seed)
    price, usd_per_hour = hourly(work, outcome)
    whole_at, goal_models = _holding_all(cache, holds), pooled_models(stream, cache.models, goal_ratio)
    month = float(inputs.traffic.requests_per_month[0])

    def instances_for(models: int) -> int:
        return min(max(1, math.ceil(models / holds)), whole_at)

    def fit(instances: int) -> Fit:
        misses, downloads = _placed(stream, cache, holds, instances)
        is_played = cache.models * instances <= MOST_PLAYED
        held = _played(work, option, outcome, instances, seed) if is_played else None
        hours = HOURS_PER_MONTH * instances if held is None else float(held.outcome.instance_hours[0])
        pooled = min(cache.models, holds * instances)
        return Fit(
            instances=instances,
            memory_gb=instances * cache.instance_memory_mb / MB_PER_GB,
            hit_ratio=1 - misses,
            pooled_ratio=float(hits(stream, cache.models, [pooled])[0]),
            lost_s=month * (misses * cache.load_s + downloads * cache.download_s),
            usd=None if usd_per_hour is None else hours * usd_per_hour,
            p99_ms=None if held is None else held.bands["p99_ms"],
            dropped_ratio=None if held is None else held.timed_out_ratio + held.refused_ratio,
        )

    # Less than one memory wants is never enough, and with every model in memory it is.
    short, enough_at = instances_for(goal_models) - 1, whole_at
    while enough_at - short > 1:
        middle = (short + enough_at) // 2
        reaches = 1 - _placed(stream, cache, holds, middle)[0] >= goal_ratio
        short, enough_at = (short, middle) if reaches else (middle, enough_at)
    beside = [instances_for(pooled_models(stream, cache.models, ratio)) for ratio in SHOWN_RATIOS]
    fits = {one: fit(one) for one in sorted({1, *beside, enough_at, whole_at})}
    return Sizing(
        option=option,
        instance_type=instance,
        cache=cache,
        holds=holds,
        goal_ratio=goal_ratio,
        curve=_curve(stream, share, cache, goal_models),
        goal_models=goal_models,
        enough=fits[enough_at],
        whole=fits[whole_at],
        fits=tuple(fits.values()),
        price=price,
        usd_per_hour=usd_per_hour,
        requests_per_month=month,
        played_requests=stream.requests,
        seed=seed,
        notes=_notes(cache, holds),
    )


def shares_of(inputs: Inputs, models: int) -> Array:
    """Share of the requests of each model, the most requested first, (models,)."""
    hot = inputs.models.hot_share
    return requested.shares(models, zipf=float(inputs.models.zipf[0]), hot_share=None if hot is None else float(hot[0]))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Asked:
    """Which model each request asks for: every model once, then a lead, then the requests that count."""

    models: Int32
    lead: int

    @property
    def requests(self) -> int:
        """Requests that count."""
        return self.models.size - self.lead


def asked(inputs: Inputs, models: int, *, seed: int) -> Asked:
    """Give requests by popularity, after every model once, the rarest first: no request is the first of its model."""
    size = min(max(FEWEST_REQUESTS, REQUESTS_PER_MODEL * models), MOST_REQUESTS)
    hot = inputs.models.hot_share
    drawn = requested.models_of(
        randomness.choices(round(size * (1 + LEAD_RATIO)), seed),
        count=models,
        zipf=float(inputs.models.zipf[0]),
        hot_share=None if hot is None else float(hot[0]),
    )
    first = np.arange(models - 1, -1, -1, dtype=np.int32)
    return Asked(models=np.concatenate([first, drawn]), lead=models + drawn.size - size)


def hits(stream: Asked, models: int, capacities: Sequence[int]) -> Array:
    """Share of the requests that find their model in one memory of each capacity, in models, (capacities,)."""
    alike = np.ones(models, dtype=np.int64)
    misses = caches.lru_curve(stream.models, alike, capacities)
    before = caches.lru_curve(stream.models[: stream.lead], alike, capacities)
    ratio: Array = 1 - (misses - before) / stream.requests
    return ratio


def pooled_models(stream: Asked, models: int, ratio: float) -> int:
    """The fewest models that one memory must hold for this hit ratio; more memory never has fewer hits."""
    low, high = 0, models
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if hits(stream, models, [middle])[0] >= ratio else (middle, high)
    return high


def che(share: Array, capacities: Sequence[int]) -> Array:
    """The hit ratio of each capacity by Che's approximation, for falling shares, (capacities,)."""
    edges = np.arange(min(_HEAD, share.size) + 1)
    if share.size > _HEAD:
        edges = np.unique(np.concatenate([edges, np.geomspace(_HEAD, share.size, _TAIL).round().astype(int)]))
    members = np.diff(edges).astype(np.float64)
    each = np.add.reduceat(share, edges[:-1]) / members
    ratio: Array = che_ratio(members[None, :], each[None, :], np.asarray(capacities, dtype=np.float64)[None, :])[0]
    return ratio


def _check(option: str, goal_ratio: float) -> None:
    problems = []
    if option not in OPTIONS:
        problems.append(Problem(path="option", message=f"must be one of {', '.join(OPTIONS)}, got {option}"))
    if not 0 < goal_ratio < 1:
        problems.append(Problem(path="goal_ratio", message=f"must be above 0 and below 1, got {goal_ratio:g}"))
    if problems:
        raise InputError(problems)


def _played(work: Study, option: str, outcome: Outcome, instances: int, seed: int) -> Simulation:
    """The month with at least so many instances; the load may ask for more."""
    busiest = float(work.point.traffic.rps_peak[0]) * 60 / float(outcome.settings["target_invocations_per_minute"][0])
    bounds = {
        "min_instances": np.full(1, float(instances)),
        "max_instances": np.full(1, max(instances, math.ceil(busiest))),
    }
    held = replace(outcome, settings={**outcome.settings, **bounds})
    proposed = replace(work.configured(option), outcome=held)
    return played(work, proposed, requests=PLAYED_REQUESTS, seed=seed)


def _homes(cache: Cache, instances: int) -> Int32:
    """The instance that each model has its home on, (models,)."""
    rng = np.random.default_rng([cache.seed, instances])
    return rng.integers(0, instances, cache.models, dtype=np.int32)


def _holding_all(cache: Cache, holds: int) -> int:
    """The fewest instances on which no home has more models than fit, of many to half a percent."""
    instances = math.ceil(cache.models / holds)
    while int(np.bincount(_homes(cache, instances)).max()) > holds:
        instances += max(1, instances // FINE)
    return instances


def _placed(stream: Asked, cache: Cache, holds: int, instances: int) -> tuple[float, float]:
    """Shares of the requests that miss the memory of their model's home, and its disk as well."""
    homes = _homes(cache, instances)
    by_home = np.argsort(homes, kind="stable")
    starts = np.searchsorted(homes[by_home], np.arange(instances + 1))
    place = np.empty(cache.models, dtype=np.int32)  # of a model among those of its home
    place[by_home] = np.arange(cache.models) - np.repeat(starts[:-1], np.diff(starts))
    on_disk = int(cache.instance_disk_mb / max(cache.disk_mb, 1e-9))
    order = np.argsort(homes[stream.models], kind="stable")
    home = homes[stream.models[order]]
    edges = np.searchsorted(home, np.arange(instances + 1))
    lost = np.zeros(2)
    for one in np.unique(home):
        part = order[edges[one] : edges[one + 1]]
        mine, alike = place[stream.models[part]], np.ones(starts[one + 1] - starts[one], dtype=np.int64)
        lead = int(np.searchsorted(part, stream.lead))
        after, before = (caches.lru_two_tier(some, alike, alike, holds, on_disk) for some in (mine, mine[:lead]))
        lost += np.subtract(after, before)
    return float(lost[0]) / stream.requests, float(lost[1]) / stream.requests


def _curve(stream: Asked, share: Array, cache: Cache, goal_models: int) -> Curve:
    steps = np.geomspace(1, cache.models, POINTS).round().astype(int)
    at = np.unique(np.concatenate([steps, [goal_models]]))
    return Curve(
        models=at.astype(np.float64),
        memory_gb=at * cache.memory_mb / MB_PER_GB,
        hit_ratio=hits(stream, cache.models, at.tolist()),
        che_ratio=che(share, at.tolist()),
    )


def _notes(cache: Cache, holds: int) -> tuple[str, ...]:
    found = [
        "Every model takes the same memory, which is that of its process and not that of its file.",
        "Popularity is the same all month: models that are asked for in turns need more memory.",
        "Each model has its home on one instance, at random: SageMaker does not say how it places models.",
        "A busy model is kept on several instances, which takes memory that is not counted here.",
    ]
    if int(cache.instance_disk_mb / max(cache.disk_mb, 1e-9)) < min(cache.models, 2 * holds):
        found.append("The volume does not hold every file, so some loads are downloads again.")
    return tuple(found)
