"""Models kept in memory while they are used: lists of the least recently used, and the loop over requested models.

A list is two arrays of indices, to the next and to the previous model in the order of use; the place after the last
model is the head of a ring. Two lists stand for two tiers: memory, where a model needs room for its process, and
disk, where it needs room for its file.
"""

from typing import NamedTuple

import numpy as np

from fitness.simulation.arrays import Int32, Int64
from fitness.simulation.compiled import Arguments, compiled


class Tier(NamedTuple):
    """The memory, or the disk, of each instance: the models in it in the order of use."""

    after: Int32  # (instances, models + 1): next, -1 where out
    before: Int32  # previous, of what is in
    sizes: Int64  # (models,), bytes
    used: Int64  # (instances,), bytes
    capacity: int  # bytes of one instance; below 0: there is no such tier


def tier(sizes: Int64, capacity: int, instances: int = 1) -> Tier:
    """Memory or disk without a model."""
    head = sizes.size
    after = np.full((instances, head + 1), -1, dtype=np.int32)
    before = np.empty((instances, head + 1), dtype=np.int32)
    after[:, head] = before[:, head] = head
    return Tier(after, before, sizes, np.zeros(instances, dtype=np.int64), capacity)


@compiled(allocates=False)
def clear(tier: Tier, instance: int) -> None:
    """Leave nothing in the tier of an instance."""
    head = tier.sizes.size
    tier.after[instance, :head] = -1
    tier.after[instance, head] = head
    tier.before[instance, head] = head
    tier.used[instance] = 0


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
def look_up(tier: Tier, instance: int, model: int) -> tuple[bool, int]:
    """Use a model: whether it was in the tier of the instance, and how many were pushed out for it.

    The least recently used ones make room. A model larger than the tier finds none and pushes out nothing.
    """
    after, before = tier.after[instance], tier.before[instance]
    sizes, capacity = tier.sizes, tier.capacity
    head = after.size - 1
    pushed = 0
    is_in = after[model] >= 0
    if is_in:
        if after[head] != model:
            after[before[model]] = after[model]
            before[after[model]] = before[model]
            push_front(after, before, model)
    elif sizes[model] <= capacity:
        used = tier.used[instance] + sizes[model]
        while used > capacity:
            oldest = before[head]
            before[head] = before[oldest]
            after[before[oldest]] = head
            after[oldest] = -1
            used -= sizes[oldest]
            pushed += 1
        tier.used[instance] = used
        push_front(after, before, model)
    return is_in, pushed


def _examples() -> list[Arguments]:
    sizes = np.ones(1, dtype=np.int64)
    return [(np.zeros(2, dtype=np.int32), tier(sizes, 1), tier(sizes, 1))]


@compiled(_examples, allocates=False)
def play_tiers(models: Int32, memory: Tier, disk: Tier) -> tuple[int, int]:
    """Play the requested models through both tiers: how many were not in memory, how many not on disk either.

    The disk is used when a model has to be loaded.
    """
    memory_misses, disk_misses = 0, 0
    for i in range(models.size):
        found, _ = look_up(memory, 0, models[i])
        if not found:
            memory_misses += 1
            if disk.capacity >= 0:
                found, _ = look_up(disk, 0, models[i])
                disk_misses += not found
    return memory_misses, disk_misses
