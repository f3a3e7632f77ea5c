"""Requests counted by the minute: the loop behind every metric of a minute."""

import numpy as np

from fitness.simulation.arrays import Float64, Int64
from fitness.simulation.compiled import Arguments, compiled


def _examples() -> list[Arguments]:
    return [(np.zeros(1), 0.0, 60.0, np.zeros(1, dtype=np.int64))]


@compiled(_examples, allocates=False)
def count_by_interval(times: Float64, start_s: float, width_s: float, counts: Int64) -> None:
    """Add each time to the count of its interval; those outside are left out."""
    for i in range(times.size):
        interval = int(np.floor((times[i] - start_s) / width_s))
        if 0 <= interval < counts.size:
            counts[interval] += 1
