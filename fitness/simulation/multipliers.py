"""How long one request works over the mean: multipliers of mean 1.

Every shape is an increasing function of the same standard normal numbers, so a change of the spread or of the shape
moves each request a little instead of drawing all of them anew.
Formulas: docs/simulation.md#service-times.
"""

import math
from functools import lru_cache

import numpy as np

from fitness.arrays import Array
from fitness.simulation.arrays import Float32

_Z = np.linspace(-6.5, 6.5, 1301)
_ABOVE = np.array([math.erfc(z / math.sqrt(2)) / 2 for z in _Z])  # probability of more than z
_POINTS = 40_001  # of the table of a gamma distribution
_LARGEST_SHAPE = 1e5  # beyond, a gamma is a normal to within the width of a bin of the histogram
_SMALLEST_CV = 1e-6


def multipliers(normals: Float32, *, distribution: str, cv: float) -> Float32:
    """Multipliers of mean 1 and coefficient of variation `cv`: lognormal, gamma or constant.

    Shape: as `normals`. A constant ignores the spread.
    Raises: ValueError for another distribution or a negative spread.

    >>> multipliers(np.zeros(2, np.float32), distribution="constant", cv=1.0)
    array([1., 1.], dtype=float32)
    """
    if distribution not in ("lognormal", "gamma", "constant") or not 0 <= cv < math.inf:
        message = f"expected lognormal, gamma or constant with a spread >= 0, got {distribution!r} with {cv}"
        raise ValueError(message)
    if distribution == "constant" or cv < _SMALLEST_CV:
        made = np.ones(normals.size, dtype=np.float32)
    elif distribution == "lognormal":
        variance = math.log1p(cv * cv)
        made = np.exp(normals * np.float32(math.sqrt(variance)) - np.float32(variance / 2))
    elif cv**-2 > _LARGEST_SHAPE:
        made = np.maximum(np.float32(0), 1 + normals * np.float32(cv))
    else:
        made = np.exp(np.interp(normals, _Z, _log_quantiles(cv))).astype(np.float32)
    made.setflags(write=False)
    return made


@lru_cache(maxsize=64)
def _log_quantiles(cv: float) -> Array:
    """Logarithm of the gamma quantiles at the points of `_Z`, mean 1.

    The density of y = log x is exp(k y - e^y) / Gamma(k); below `left` it is exp(k y), whose integral is known.
    """
    shape = cv**-2
    is_narrow = shape > 4
    left = math.log(shape) - 12 / math.sqrt(shape) if is_narrow else -20.0
    right = math.log(shape + 12 * math.sqrt(shape) + 60)
    y = np.linspace(left, right, _POINTS)
    density = np.exp(shape * y - np.exp(y) - math.lgamma(shape))
    slices = (density[1:] + density[:-1]) / 2 * (y[1] - y[0])
    start = 0.0 if is_narrow else math.exp(shape * left - math.lgamma(shape + 1))  # probability of less than `left`
    below = start + np.append(0.0, np.cumsum(slices))
    above = np.append(np.cumsum(slices[::-1])[::-1], 0.0)
    below, above = below / below[-1], above / below[-1]
    # From the nearer end, so that neither tail drowns in the rounding of the other.
    lower = np.interp(1 - _ABOVE, below, y)
    upper = np.interp(-np.log(np.maximum(_ABOVE, 1e-300)), -np.log(np.maximum(above, 1e-300)), y)
    tail = (np.log(1 - _ABOVE) + math.lgamma(shape + 1)) / shape
    quantiles: Array = np.where(_Z > 0, upper, np.where(below[0] > 1 - _ABOVE, tail, lower)) - math.log(shape)
    return quantiles
