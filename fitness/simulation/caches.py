"""Models that share instances: which of them are in memory, and what requests wait for when one is not.

Units: bytes, seconds. Memory counts the process of a model, disk its file: the two differ by orders of magnitude.
Source: docs/simulation.md#loops, docs/accuracy.md (checks).
"""

import math
from typing import Unpack

import numpy as np
from numpy.typing import ArrayLike

from fitness.arrays import Array
from fitness.simulation import checked, randomness
from fitness.simulation.arrays import Float64, Int32, Int64
from fitness.simulation.cache_kernels import play_tiers, tier
from fitness.simulation.counts import CacheCounts
from fitness.simulation.model_kernels import Models, play_models
from fitness.simulation.route_kernels import instances as instances_of


def lru(models: ArrayLike, sizes: ArrayLike, capacity_bytes: int) -> int:
    """How many requests miss a cache that drops the least recently used models, starting empty.

    Raises: ValueError for a model without a size.

    >>> lru([0, 1, 0, 2, 1], [1, 1, 1], 2)
    4
    """
    return _tiers(models, sizes, sizes, capacity_bytes, -1)[0]


def lru_two_tier(
    models: ArrayLike, memory_sizes: ArrayLike, disk_sizes: ArrayLike, memory_bytes: int, disk_bytes: int
) -> tuple[int, int]:
    """How many requests miss the memory, and how many of them the disk as well: those are downloaded.

    The disk is touched when a model is loaded, and drops the one whose loading is the longest ago.
    Raises: ValueError for a model without a size.
    """
    return _tiers(models, memory_sizes, disk_sizes, memory_bytes, checked.whole(disk_bytes, "disk_bytes", least=0))


def lru_curve(models: ArrayLike, sizes: ArrayLike, capacities: ArrayLike) -> Int64:
    """How many requests miss a cache of each capacity, (capacities,)."""
    return np.array([lru(models, sizes, int(one)) for one in np.asarray(capacities)], dtype=np.int64)


def random_sizes(models: int, *, cv: float, largest: float, seed: int) -> Array:
    """The size of each model against their mean, lognormal with a coefficient of variation, at most `largest`.

    Shape: (models,). Sizes don't follow popularity.
    """
    if cv <= 0:
        return np.ones(models)
    drawn = np.exp(math.sqrt(math.log1p(cv**2)) * randomness.generator(seed, "sizes").standard_normal(models))
    fitting: Array = np.minimum(drawn / drawn.mean(), max(largest, 1.0))
    return fitting


def placements(models: int, instances: int, *, seed: int) -> Int32:
    """The home of each model among 1, 2, ... `instances` instances, (instances, models).

    A further instance takes its fair share of models over from the others, and no model moves between the others.
    """
    homes = np.zeros((max(instances, 1), models), dtype=np.int32)
    draws = np.random.default_rng(seed).random(homes.shape)
    for last in range(1, instances):
        homes[last] = np.where(draws[last] < 1 / (last + 1), last, homes[last - 1])
    return homes


def cached(
    arrivals: ArrayLike,
    multiplier: ArrayLike,
    models: ArrayLike,
    uniform: ArrayLike,
    service_s: ArrayLike,
    *,
    load_s: ArrayLike,
    download_s: ArrayLike,
    memory_sizes: ArrayLike,
    disk_sizes: ArrayLike,
    memory_bytes: int,
    disk_bytes: int,
    slots: int,
    instances: int,
    placement: Int32 | None = None,
    copies: ArrayLike | None = None,
    event_s: ArrayLike | None = None,
    event_delta: ArrayLike | None = None,
    hist_hit: Int64 | None = None,
    hist_miss: Int64 | None = None,
    **how: Unpack[checked.How],
) -> CacheCounts:
    """Play a stream through instances that begin without a model and load what they are asked for.

    Shape: `service_s`, `load_s`, `download_s` and `copies` are one number or one for each model; the sizes have one
    for each model and give their count. A model has its home in `placement` (see `placements`), or on as many
    instances from there on as it has copies. Events count instances; the newest leaves first, works off its queue and
    is paid until then. Paid seconds are of instances; busy seconds, of workers, have the loading in them.
    Raises: ValueError for arrays or numbers that make no stream.
    """
    requests = checked.requests(arrivals, multiplier, models, uniform, **how)
    memory_of, disk_of = checked.sizes(memory_sizes), checked.sizes(disk_sizes)
    known = memory_of.size
    events = checked.events(event_s, event_delta)
    most = max(events.most(checked.whole(instances, "instances", least=0)), 1)
    homes = placements(known, most, seed=0) if placement is None else np.ascontiguousarray(placement, dtype=np.int32)
    checked.indices(homes.ravel(), max(homes.shape[0], 1), "placement")
    if homes.shape[0] < most or homes.shape[1:] != (known,) or disk_of.size != known:
        message = (
            f"placement and sizes must cover {most} instances and {known} models, got {homes.shape}, {disk_of.size}"
        )
        raise ValueError(message)
    sums, more = play_models(
        requests,
        events,
        checked.indices(models, known, "models"),
        checked.array_of(uniform, np.float32),
        Models(
            service_s=_by_model(service_s, known),
            load_s=_by_model(load_s, known),
            download_s=_by_model(download_s, known),
            copies=_copies(copies, known),
            placement=homes,
        ),
        tier(memory_of, checked.whole(memory_bytes, "memory_bytes", least=0), most),
        tier(disk_of, checked.whole(disk_bytes, "disk_bytes", least=0), most),
        instances_of(instances, most, checked.whole(slots, "slots", least=1), requests.start_s)[0],
        np.zeros((most, known)),
        instances,
        checked.hist_of(hist_hit),
        checked.hist_of(hist_miss),
    )
    return CacheCounts(offered=requests.offered, cold=more.memory_misses, **sums._asdict(), **more._asdict())


def _tiers(
    models: ArrayLike, memory_sizes: ArrayLike, disk_sizes: ArrayLike, memory_bytes: int, disk_bytes: int
) -> tuple[int, int]:
    memory_of, disk_of = checked.sizes(memory_sizes), checked.sizes(disk_sizes)
    asked = checked.indices(models, min(memory_of.size, disk_of.size), "models")
    capacity = checked.whole(memory_bytes, "memory_bytes", least=0)
    return play_tiers(asked, tier(memory_of, capacity), tier(disk_of, int(disk_bytes)))


def _by_model(values: ArrayLike, models: int) -> Float64:
    made = np.ascontiguousarray(np.broadcast_to(np.asarray(values, dtype=np.float64), (models,)))
    if not bool(np.all((made >= 0.0) & np.isfinite(made))):
        message = "times by model must be >= 0 s"
        raise ValueError(message)
    return made


def _copies(copies: ArrayLike | None, models: int) -> Int32:
    made = np.ascontiguousarray(np.broadcast_to(np.asarray(1 if copies is None else copies, dtype=np.int32), (models,)))
    if bool(np.any(made < 1)):
        message = "a model must have at least one copy"
        raise ValueError(message)
    return made
