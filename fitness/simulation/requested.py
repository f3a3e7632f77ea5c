"""Which model a request asks for, by popularity; model 0 is the most requested.

Popularity is what `Inputs.popularity` says in buckets, here model by model.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from fitness.arrays import Array
from fitness.inputs import HOT_MODELS_RATIO
from fitness.simulation.arrays import Int32

MOST_MODELS = 1_000_000
_GUIDES = 4  # entries of the guide table for each model


def shares(count: int, *, zipf: float = 0.0, hot_share: float | None = None) -> Array:
    """Share of the requests of each model, falling, (count,); it sums to 1.

    `zipf` is the exponent, 0 for uniform; `hot_share` stands instead of it: the share of the hottest 20 % of models.

    >>> shares(4, zipf=1.0)
    array([0.48, 0.24, 0.16, 0.12])
    >>> shares(5, hot_share=0.8)
    array([0.8 , 0.05, 0.05, 0.05, 0.05])
    """
    if not 1 <= count <= MOST_MODELS:
        message = f"expected 1 to {MOST_MODELS} models, got {count}"
        raise ValueError(message)
    if hot_share is None:
        weight: Array = np.arange(1, count + 1, dtype=np.float64) ** -zipf
    else:
        hot = max(1, round(HOT_MODELS_RATIO * count))
        cold = count - hot
        each_hot = (hot_share if cold else 1.0) / hot
        weight = np.concatenate([np.full(hot, each_hot), np.full(cold, (1 - hot_share) / max(cold, 1))])
    share: Array = weight / weight.sum()
    return share


@dataclass(frozen=True, slots=True, eq=False)
class _Guide:
    """The cumulative shares, and for each slice of 0..1 the first model in it."""

    below: Array
    first: Int32


@lru_cache(maxsize=8)
def _guide(count: int, zipf: float, hot_share: float | None) -> _Guide:
    below = np.cumsum(shares(count, zipf=zipf, hot_share=hot_share))
    below[-1] = 1.0
    slices = np.arange(_GUIDES * count) / (_GUIDES * count)
    return _Guide(below, np.searchsorted(below, slices, side="right").astype(np.int32))


def models_of(choices: Array, *, count: int, zipf: float = 0.0, hot_share: float | None = None) -> Int32:
    """The model of each request, from uniform numbers in 0..1 with 1 excluded, (n,).

    >>> models_of(np.array([0.0, 0.47, 0.5, 0.99]), count=4, zipf=1.0)
    array([0, 0, 1, 3], dtype=int32)
    """
    guide = _guide(count, zipf, hot_share)
    found = guide.first[(choices * (_GUIDES * count)).astype(np.int64)]
    late = np.flatnonzero(guide.below[found] <= choices)
    while late.size:
        found[late] += 1
        late = late[guide.below[found[late]] <= choices[late]]
    found.setflags(write=False)
    return found
