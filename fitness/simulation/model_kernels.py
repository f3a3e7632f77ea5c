"""Instances that load the models they are asked for: the loop over the requests.

Every instance has a queue, its workers, its memory and its disk. A request starts when a worker is free; if its model
is not in memory, the worker first downloads and loads it. A model counts as in memory from the start of its loading,
and a request for it that starts meanwhile waits, on its worker, until the loading is over.
"""

from typing import NamedTuple

import numpy as np

from fitness.simulation import histogram
from fitness.simulation.arrays import Float32, Float64, Int32, Int64
from fitness.simulation.cache_kernels import Tier, clear, look_up, tier
from fitness.simulation.compiled import NEVER_S, Arguments, compiled
from fitness.simulation.counts import COLD, SERVED
from fitness.simulation.loops import NO_EVENTS, Events, Requests, Sums, nothing_yet, paid_at, settled, two_requests
from fitness.simulation.servers import occupy


class Models(NamedTuple):
    """What each model takes, and where it has its home. Shape: (models,)."""

    service_s: Float64
    load_s: Float64
    download_s: Float64
    copies: Int32
    placement: Int32  # (instances, models): home of a model among 1, 2, ... instances


class ModelSums(NamedTuple):
    """What the loop adds up besides; the names are those of `counts.CacheCounts`."""

    refused: int
    hits: int
    memory_misses: int
    disk_misses: int
    evictions: int
    delayed: int
    paid_s: float
    load_wait_s: float


def _examples() -> list[Arguments]:
    ones, sizes = np.ones(1), np.ones(1, dtype=np.int64)
    known = Models(ones, ones, ones, np.ones(1, dtype=np.int32), np.zeros((1, 1), dtype=np.int32))
    asked, uniform = np.zeros(2, dtype=np.int32), np.zeros(2, dtype=np.float32)
    state = (tier(sizes, 1), tier(sizes, 1), np.zeros((1, 2)), np.zeros((1, 1)), 1)
    return [(two_requests(), NO_EVENTS, asked, uniform, known, *state, histogram.empty(), histogram.empty())]


@compiled(_examples, allocates=False)
def play_models(
    requests: Requests,
    events: Events,
    asked: Int32,  # the model of each request
    uniform: Float32,
    models: Models,
    memory: Tier,
    disk: Tier,
    free: Float64,  # (instances, slots + 1)
    loaded_s: Float64,  # (instances, models): when the loading is over
    count: int,
    hist_hit: Int64,
    hist_miss: Int64,
) -> tuple[Sums, ModelSums]:
    """Play a stream: what is added up over it."""
    slots = free.shape[1] - 1
    sums, refused, hits = nothing_yet(requests), 0, 0
    memory_misses, disk_misses, evictions, delayed, loading_s = 0, 0, 0, 0, 0.0
    paid_s = -count * paid_at(requests.start_s, requests)
    event = 0
    arrivals = requests.arrivals
    for i in range(arrivals.size + 1):
        # The changes after the last arrival are paid too.
        close_s = requests.end_s if requests.end_s < NEVER_S else sums.last_end_s
        now_s = arrivals[i] if i < arrivals.size else close_s
        while events.at_s[event] <= now_s:
            at_s = events.at_s[event]
            for _ in range(events.delta[event]):
                # Nothing is left of an instance that had this place before.
                free[count, :slots] = at_s
                clear(memory, count)
                clear(disk, count)
                count += 1
                paid_s -= paid_at(at_s, requests)
            for _ in range(min(-events.delta[event], count)):
                count -= 1
                paid_s += paid_at(max(free[count, slots - 1], at_s), requests)
            event += 1
        if i == arrivals.size:
            paid_s += count * paid_at(now_s, requests)
            break
        counts = i >= requests.count_from
        if count == 0:
            refused += counts
            continue
        model = asked[i]
        # A model with copies has them on the instances after its home.
        spread = min(models.copies[model], count)
        step = min(int(uniform[i] * np.float64(spread)), spread - 1)
        instance = (models.placement[count - 1, model] + step) % count
        begin_s = max(now_s, free[instance, 0])
        found, pushed = look_up(memory, instance, model)
        ready_s = begin_s
        if found:
            ready_s = max(begin_s, loaded_s[instance, model])
            hits += counts
            delayed += counts and ready_s > begin_s
        else:
            on_disk, _ = look_up(disk, instance, model)
            ready_s += models.load_s[model]
            if not on_disk:
                ready_s += models.download_s[model]
            loaded_s[instance, model] = ready_s
            memory_misses += counts
            disk_misses += counts and not on_disk
            evictions += pushed * counts
        finish_s = ready_s + models.service_s[model] * np.float64(requests.multiplier[i])
        occupy(free[instance], slots, finish_s, False)
        if counts:
            loading_s += ready_s - begin_s
        hist = hist_hit if found else hist_miss
        fate = SERVED if found else COLD
        sums = settled(sums, requests, i, now_s, begin_s, finish_s - begin_s, finish_s, fate, hist)
    return sums, ModelSums(refused, hits, memory_misses, disk_misses, evictions, delayed, paid_s, loading_s)
