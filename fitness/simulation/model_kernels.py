"""Instances that load the models they are asked for: the loop over the requests.

Every instance has a queue, its workers, its memory and its disk. A request starts when a worker is free; if its model
is not in memory, the worker first downloads and loads it. A model counts as in memory from the start of its loading,
and a request for it that starts meanwhile waits, on its worker, until the loading is over.
"""

import numpy as np

from fitness.simulation.arrays import Float32, Float64, Int32, Int64, UInt8
from fitness.simulation.cache_kernels import look_up, ring
from fitness.simulation.compiled import NEVER_S, Arguments, compiled
from fitness.simulation.counts import COLD, SERVED, TIMED_OUT
from fitness.simulation.histogram import BINS, bin_of
from fitness.simulation.servers import last_of, occupy, within

ModelTally = tuple[int, int, int, int, int, int, int, int, float, float, float, float, float]


def _examples() -> list[Arguments]:
    (memory, disk), sizes, times = (ring(1), ring(1)), np.ones(1, dtype=np.int64), np.ones(1)
    return [
        (
            *(np.zeros(2), np.ones(2, dtype=np.float32), np.zeros(2, dtype=np.int32), np.zeros(2, dtype=np.float32)),
            *(times, times, times, sizes, sizes, 1, 1),
            *(np.zeros((1, 1), dtype=np.int32), np.ones(1, dtype=np.int32)),
            *(np.zeros((1, 2)), np.zeros((1, 1)), *memory, *disk, np.zeros((2, 1), dtype=np.int64), 1),
            *(np.array([2 * NEVER_S]), np.zeros(1, dtype=np.int64), 0.0, 0.0, NEVER_S, 60.0, 0),
            *(np.zeros(BINS, dtype=np.int64), np.zeros(BINS, dtype=np.int64)),
            *(np.zeros(0, dtype=np.float32), np.zeros(0, dtype=np.uint8)),
        )
    ]


@compiled(_examples, allocates=False)
def play_models(
    arrivals: Float64,
    multiplier: Float32,
    models: Int32,
    uniform: Float32,
    service_s: Float64,  # by model, like the next four
    load_s: Float64,
    download_s: Float64,
    memory_sizes: Int64,
    disk_sizes: Int64,
    memory_bytes: int,
    disk_bytes: int,
    placement: Int32,  # (instances, models): home of a model among 1, 2, ... instances
    copies: Int32,
    free: Float64,  # (instances, slots + 1)
    loaded_s: Float64,  # (instances, models): when the loading is over
    memory_after: Int32,
    memory_before: Int32,
    disk_after: Int32,
    disk_before: Int32,
    used: Int64,  # (2, instances): bytes of memory and disk
    count: int,
    event_s: Float64,  # closed by a time after NEVER_S
    event_delta: Int64,
    start_s: float,
    paid_from_s: float,
    end_s: float,  # NEVER_S: when the last request is finished
    timeout_s: float,
    count_from: int,
    hist_hit: Int64,
    hist_miss: Int64,
    latency_s: Float32,  # full of NaN, or empty
    fate: UInt8,  # full of REFUSED, or empty
) -> ModelTally:
    """Play a stream.

    Gives served, timed out, refused, hits, memory misses, disk misses, evictions, delayed; busy, paid, waiting and
    loading seconds, the last end.
    """
    slots = free.shape[1] - 1
    served, timed_out, refused, hits = 0, 0, 0, 0
    memory_misses, disk_misses, evictions, delayed = 0, 0, 0, 0
    busy_s, wait_s, loading_s, last_s = 0.0, 0.0, 0.0, last_of(arrivals, start_s)
    paid_s = -count * within(start_s, paid_from_s, end_s)
    event = 0
    for i in range(arrivals.size + 1):
        close_s = end_s if end_s < NEVER_S else last_s  # the changes after the last arrival are paid too
        now_s = arrivals[i] if i < arrivals.size else close_s
        while event_s[event] <= now_s:
            at_s = event_s[event]
            for _ in range(event_delta[event]):
                # Nothing is left of an instance that had this place before.
                free[count, :slots] = at_s
                memory_after[count, :-1] = -1
                disk_after[count, :-1] = -1
                for tier in (memory_after, memory_before, disk_after, disk_before):
                    tier[count, -1] = tier.shape[1] - 1
                used[0, count] = 0
                used[1, count] = 0
                count += 1
                paid_s -= within(at_s, paid_from_s, end_s)
            for _ in range(min(-event_delta[event], count)):
                count -= 1
                paid_s += within(max(free[count, slots - 1], at_s), paid_from_s, end_s)
            event += 1
        if i == arrivals.size:
            paid_s += count * within(now_s, paid_from_s, end_s)
            break
        counts = i >= count_from
        if count == 0:
            refused += counts
            continue
        model = models[i]
        # A model with copies has them on the instances after its home.
        spread = min(copies[model], count)
        step = min(int(uniform[i] * np.float64(spread)), spread - 1)
        instance = (placement[count - 1, model] + step) % count
        begin_s = max(now_s, free[instance, 0])
        found, bytes_used, pushed = look_up(
            memory_after[instance], memory_before[instance], memory_sizes, model, used[0, instance], memory_bytes
        )
        used[0, instance] = bytes_used
        ready_s = begin_s
        if found:
            ready_s = max(begin_s, loaded_s[instance, model])
            hits += counts
            delayed += counts and ready_s > begin_s
        else:
            on_disk, bytes_used, _ = look_up(
                disk_after[instance], disk_before[instance], disk_sizes, model, used[1, instance], disk_bytes
            )
            used[1, instance] = bytes_used
            ready_s += load_s[model]
            if not on_disk:
                ready_s += download_s[model]
            loaded_s[instance, model] = ready_s
            memory_misses += counts
            disk_misses += counts and not on_disk
            evictions += pushed * counts
        finish_s = ready_s + service_s[model] * np.float64(multiplier[i])
        occupy(free[instance], slots, finish_s, False)
        took_s = finish_s - now_s
        is_late = took_s > timeout_s
        last_s = max(last_s, finish_s)
        if counts:
            busy_s += finish_s - begin_s
            wait_s += begin_s - now_s
            loading_s += ready_s - begin_s
            timed_out += is_late
            if not is_late:
                served += 1
                if found:
                    hist_hit[bin_of(took_s)] += 1
                else:
                    hist_miss[bin_of(took_s)] += 1
        if latency_s.size:
            latency_s[i] = took_s
        if fate.size:
            fate[i] = TIMED_OUT if is_late else (SERVED if found else COLD)
    return (
        *(served, timed_out, refused, hits, memory_misses, disk_misses, evictions, delayed),
        *(busy_s, paid_s, wait_s, loading_s, last_s),
    )
