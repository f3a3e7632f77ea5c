"""Models kept in memory while they are used: lists of the least recently used, and the loop over requested models.

A list is two arrays of indices, to the next and to the previous model in the order of use; the place after the last
model is the head of a ring. Two lists stand for two tiers: memory, where a model needs room for its process, and
disk, where it needs room for its file.
"""

import numpy as np

from fitness.simulation.arrays import Int32, Int64
from fitness.simulation.compiled import Arguments, compiled

CacheTally = tuple[int, int, int, int, int, int, int, int, float, float, float, float, float]


def ring(models: int, caches: int = 1) -> tuple[Int32, Int32]:
    """Empty lists of models in the order of use, (caches, models + 1): next, -1 where out, and previous."""
    after = np.full((caches, models + 1), -1, dtype=np.int32)
    before = np.empty((caches, models + 1), dtype=np.int32)  # of what is in the list
    after[:, models] = before[:, models] = models
    return after, before


@compiled(allocates=False)
def push_front(after: Int32, before: Int32, model: int) -> None:
    """Put a model that is not in the list in front, as the most recently used one."""
    head = after.size - 1
    first = after[head]
    after[model] = first
    before[model] = head
    before[first] = model
    after[head] = model


@compiled(allocates=False)
def look_up(after: Int32, before: Int32, sizes: Int64, model: int, used: int, capacity: int) -> tuple[bool, int, int]:
    """Use a model: whether it was in the cache, the bytes used after, how many were pushed out.

    The least recently used ones make room. A model larger than the cache finds none and pushes out nothing.
    """
    head = after.size - 1
    pushed = 0
    is_in = after[model] >= 0
    if is_in:
        if after[head] != model:
            after[before[model]] = after[model]
            before[after[model]] = before[model]
            push_front(after, before, model)
    elif sizes[model] <= capacity:
        used += sizes[model]
        while used > capacity:
            oldest = before[head]
            before[head] = before[oldest]
            after[before[oldest]] = head
            after[oldest] = -1
            used -= sizes[oldest]
            pushed += 1
        push_front(after, before, model)
    return is_in, used, pushed


def _examples() -> list[Arguments]:
    sizes = np.ones(1, dtype=np.int64)
    (after,), (before,) = ring(1)
    return [(np.zeros(2, dtype=np.int32), after, before, after, before, sizes, sizes, 1, 1)]


@compiled(_examples, allocates=False)
def play_tiers(
    models: Int32,
    memory_after: Int32,
    memory_before: Int32,
    disk_after: Int32,
    disk_before: Int32,
    memory_sizes: Int64,
    disk_sizes: Int64,
    memory_bytes: int,
    disk_bytes: int,
) -> tuple[int, int]:
    """Play the requested models through both tiers: how many were not in memory, how many not on disk either.

    The disk is used when a model has to be loaded; a `disk_bytes` below 0 is no second tier.
    """
    memory_misses, disk_misses = 0, 0
    memory_used, disk_used = 0, 0
    for i in range(models.size):
        model = models[i]
        found, memory_used, _ = look_up(memory_after, memory_before, memory_sizes, model, memory_used, memory_bytes)
        if not found:
            memory_misses += 1
            if disk_bytes >= 0:
                found, disk_used, _ = look_up(disk_after, disk_before, disk_sizes, model, disk_used, disk_bytes)
                disk_misses += not found
    return memory_misses, disk_misses
