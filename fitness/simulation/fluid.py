"""What waits before each instance while the load is more than they carry: queues as fluids, half a minute at a time.

An instance that starts has no queue, and one that is behind keeps its own: requests are routed when they arrive.
Source: docs/simulation.md#a-step-of-the-load.
"""

import numpy as np

from fitness.arrays import Array
from fitness.simulation.control import Capacity

HALF_S = 30.0


def standing(
    counts: Array, capacity: Capacity, *, carries_per_minute: float, first: int, last: int, levels: bool
) -> list[Array]:
    """How long a request waits before each instance in the middle of each minute from `first` to `last`, in seconds.

    Shape: an array for each minute, (instances in service,); nothing waits at its start. `levels`: requests go to the
    shortest queues, else to each instance alike.
    """
    _, event_s, event_delta = capacity.between(-1.0, np.inf)
    running = np.concatenate([[capacity.initial], capacity.initial + np.cumsum(event_delta)])
    waiting = np.zeros(0)
    found = []
    for half in range(2 * first, 2 * last):
        ready = int(running[np.searchsorted(event_s, half * HALF_S, side="right")])
        if ready > waiting.size:
            waiting = np.concatenate([waiting, np.zeros(ready - waiting.size)])
        elif ready < waiting.size:
            waiting = np.sort(waiting)[waiting.size - ready :]  # who is idle first leaves first
        come = counts[half // 2] / 2
        if ready:
            waiting = _levelled(waiting, come) if levels else waiting + come / ready
        waiting = np.maximum(waiting - carries_per_minute / 2, 0.0)
        if half % 2 == 0:
            found.append(60 * waiting / carries_per_minute)
    return found


def _levelled(waiting: Array, come: float) -> Array:
    """The shortest queues filled up to one level.

    >>> _levelled(np.array([4.0, 1.0, 0.0]), 3.0).tolist()
    [4.0, 2.0, 2.0]
    """
    low = np.sort(waiting)
    filled = (np.cumsum(low) + come) / np.arange(1, low.size + 1)  # the level if only the first so many are filled
    level = filled[int(np.argmin(filled))]
    filled_up: Array = np.maximum(waiting, level)
    return filled_up
