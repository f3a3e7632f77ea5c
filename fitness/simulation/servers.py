"""The servers of one queue: a vector of the times at which each is free, smallest first.

In first come first served order the next request always starts at the smallest time, so no list of events is needed.
Up to MOST_SORTED servers the vector is sorted, and one pass without branches, which the compiler turns into vector
minima and maxima, puts the new time into its place. Beyond, the vector is a heap. Both hold the same times.
Shape: room for the most servers there will be and one more; `free[width]` is NEVER_S.
"""

import numpy as np

from fitness.simulation.arrays import Float64
from fitness.simulation.compiled import NEVER_S, compiled

MOST_SORTED = 1_000  # servers; above, log2(c) comparisons of a heap cost less than c / 4 vector lanes


def vector(servers: int, most: int, start_s: float) -> Float64:
    """The times of `servers` servers that are free at `start_s`, with room for `most`."""
    free = np.full(max(most, servers) + 1, NEVER_S)
    free[:servers] = start_s
    return free


@compiled(allocates=False)
def occupy(free: Float64, width: int, finish_s: float, is_heap: bool) -> None:
    """Let the server that is free first be free at `finish_s` instead, which is not earlier."""
    if is_heap:
        _sink(free, width, finish_s)
    else:
        for k in range(width):
            free[k] = max(free[k], min(finish_s, free[k + 1]))


@compiled(allocates=False)
def add(free: Float64, width: int, at_s: float, is_heap: bool) -> int:
    """Add a server that is free at `at_s`; gives the new width."""
    k = width
    if is_heap:
        while k > 0 and free[(k - 1) // 2] > at_s:
            free[k] = free[(k - 1) // 2]
            k = (k - 1) // 2
    else:
        while k > 0 and free[k - 1] > at_s:
            free[k] = free[k - 1]
            k -= 1
    free[k] = at_s
    if width + 1 < free.size:
        free[width + 1] = NEVER_S
    return width + 1


@compiled(allocates=False)
def remove(free: Float64, width: int, is_heap: bool) -> int:
    """Take away the server that is free first; gives the new width."""
    last = width - 1
    if is_heap:
        moved = free[last]
        free[last] = NEVER_S
        if last > 0:
            _sink(free, last, moved)
    else:
        for k in range(width):
            free[k] = free[k + 1]
    return last


@compiled(allocates=False)
def _sink(free: Float64, width: int, value: float) -> None:
    """Replace the top of a heap of `width` times."""
    k = 0
    while True:
        child = 2 * k + 1
        if child >= width:
            break
        if child + 1 < width and free[child + 1] < free[child]:
            child += 1
        if free[child] >= value:
            break
        free[k] = free[child]
        k = child
    free[k] = value
