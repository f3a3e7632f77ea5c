"""Common random numbers: the same draws for every candidate, and a longer run begins with those of a shorter one.

Numbers depend on the seed, the key and what they are for, never on the configuration, so two candidates differ by
what they do and not by their luck.
"""

from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fitness.arrays import Array
from fitness.simulation.arrays import Float32

_KEPT = 1 << 17  # longer runs are made anew each time: they would fill the memory
_SHORTEST = 1 << 10
_GAPS, _SIZES, _CHOICES, _ROUTES = range(4)


def gaps(n: int, seed: int, key: int = 0) -> Array:
    """Times between requests at one request a second: exponential, mean 1, (n,)."""
    return _numbers(n, seed, key, _GAPS)


def normals(n: int, seed: int, key: int = 0) -> Float32:
    """Standard normal numbers that service times are made of, (n,)."""
    return _numbers(n, seed, key, _SIZES)


def choices(n: int, seed: int, key: int = 0) -> Array:
    """Uniform numbers in 0..1, 1 excluded, that choose models, (n,)."""
    return _numbers(n, seed, key, _CHOICES)


def routes(n: int, seed: int, key: int = 0) -> Float32:
    """Uniform numbers in 0..1, 1 excluded, that choose instances, (n,)."""
    return _numbers(n, seed, key, _ROUTES)


def generator(seed: int, name: str) -> np.random.Generator:
    """A generator for the numbers that shape a month, which are few: one for each name."""
    return np.random.default_rng([seed, *name.encode()])


def _numbers(n: int, seed: int, key: int, purpose: int) -> NDArray[Any]:
    if n > _KEPT:
        return _made(n, seed, key, purpose)
    size = max(_SHORTEST, 1 << (n - 1).bit_length()) if n > 0 else _SHORTEST
    return _kept(size, seed, key, purpose)[:n]


@lru_cache(maxsize=256)
def _kept(n: int, seed: int, key: int, purpose: int) -> NDArray[Any]:
    return _made(n, seed, key, purpose)


def _made(n: int, seed: int, key: int, purpose: int) -> NDArray[Any]:
    rng = np.random.default_rng([seed, key, purpose])
    made: NDArray[Any]
    if purpose == _GAPS:
        made = rng.standard_exponential(n)
    elif purpose == _SIZES:
        made = rng.standard_normal(n, dtype=np.float32)
    elif purpose == _CHOICES:
        made = rng.random(n)
    else:
        made = rng.random(n, dtype=np.float32)
    made.setflags(write=False)
    return made
