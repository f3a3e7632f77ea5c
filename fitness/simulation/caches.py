"""Models that share instances: which of them are in memory, and what requests wait for when one is not.

Units: bytes, seconds. Memory counts the process of a model, disk its file: the two differ by orders of magnitude.
Source: docs/simulation.md#loops, docs/accuracy.md (checks).
"""

import math

import numpy as np
from numpy.typing import ArrayLike

from fitness.simulation import checked
from fitness.simulation.arrays import Float32, Float64, Int32, Int64, UInt8
from fitness.simulation.cache_kernels import play_tiers, ring
from fitness.simulation.counts import CacheCounts
from fitness.simulation.model_kernels import play_models
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
    start_s: float = 0.0,
    end_s: float | None = None,
    event_s: ArrayLike | None = None,
    event_delta: ArrayLike | None = None,
    timeout_s: float = math.inf,
    hist_hit: Int64 | None = None,
    hist_miss: Int64 | None = None,
    count_from: int = 0,
    latency_s: Float32 | None = None,
    fate: UInt8 | None = None,
) -> CacheCounts:
    """Play a stream through instances that begin without a model and load what they are asked for.

    Shape: `service_s`, `load_s`, `download_s` and `copies` are one number or one for each model; the sizes have one
    for each model and give their count. A model has its home in `placement` (see `placements`), or on as many
    instances from there on as it has copies. Events count instances; the newest leaves first, works off its queue and
    is paid until then. Paid seconds are of instances; busy seconds, of workers, have the loading in them.
    Raises: ValueError for arrays or numbers that make no stream.
    """
    times, factors = checked.stream(arrivals, multiplier, models, uniform)
    memory_of, disk_of = checked.sizes(memory_sizes), checked.sizes(disk_sizes)
    known = memory_of.size
    changes = checked.events(event_s, event_delta)
    start_s = checked.seconds(start_s, "start_s")
    most = max(changes.most(checked.whole(instances, "instances", least=0)), 1)
    homes = placements(known, most, seed=0) if placement is None else np.ascontiguousarray(placement, dtype=np.int32)
    checked.indices(homes.ravel(), max(homes.shape[0], 1), "placement")
    if homes.shape[0] < most or homes.shape[1:] != (known,) or disk_of.size != known:
        message = (
            f"placement and sizes must cover {most} instances and {known} models, got {homes.shape}, {disk_of.size}"
        )
        raise ValueError(message)
    tally = play_models(
        times,
        factors,
        checked.indices(models, known, "models"),
        checked.array_of(uniform, np.float32),
        _by_model(service_s, known),
        _by_model(load_s, known),
        _by_model(download_s, known),
        memory_of,
        disk_of,
        checked.whole(memory_bytes, "memory_bytes", least=0),
        checked.whole(disk_bytes, "disk_bytes", least=0),
        homes,
        _copies(copies, known),
        instances_of(instances, most, checked.whole(slots, "slots", least=1), start_s)[0],
        np.zeros((most, known)),
        *ring(known, most),
        *ring(known, most),
        np.zeros((2, most), dtype=np.int64),
        instances,
        changes.at_s,
        changes.delta,
        start_s,
        checked.paid_from(times, count_from, start_s),
        checked.end_of(end_s),
        checked.seconds(timeout_s, "timeout_s", is_endless=True),
        checked.whole(count_from, "count_from", least=0),
        checked.hist_of(hist_hit),
        checked.hist_of(hist_miss),
        checked.latency_of(latency_s, times.size),
        checked.fate_of(fate, times.size),
    )
    served, timed_out, refused, hits, memory_misses, disk_misses, evictions, delayed = tally[:8]
    busy_s, paid_s, wait_s, loading_s, last_s = tally[8:]
    return CacheCounts(
        offered=max(times.size - count_from, 0),
        served=served,
        timed_out=timed_out,
        refused=refused,
        cold=memory_misses,
        busy_s=busy_s,
        paid_s=paid_s,
        wait_s=wait_s,
        last_end_s=last_s,
        hits=hits,
        memory_misses=memory_misses,
        disk_misses=disk_misses,
        evictions=evictions,
        delayed=delayed,
        load_wait_s=loading_s,
    )


def _tiers(
    models: ArrayLike, memory_sizes: ArrayLike, disk_sizes: ArrayLike, memory_bytes: int, disk_bytes: int
) -> tuple[int, int]:
    memory_of, disk_of = checked.sizes(memory_sizes), checked.sizes(disk_sizes)
    known = min(memory_of.size, disk_of.size)
    asked = checked.indices(models, known, "models")
    (memory_after,), (memory_before,) = ring(known)
    (disk_after,), (disk_before,) = ring(known)
    capacity = checked.whole(memory_bytes, "memory_bytes", least=0)
    return play_tiers(
        asked, memory_after, memory_before, disk_after, disk_before, memory_of, disk_of, capacity, int(disk_bytes)
    )


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
