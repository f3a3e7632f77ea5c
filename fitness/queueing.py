"""Queueing formulas, on arrays: waiting at a fixed number of servers, blocking, service times.

Sources and checks: docs/background.md#queueing.
"""

import math
from functools import lru_cache

import numpy as np

from fitness.arrays import Array
from fitness.priors import normal_quantile

_SANDBOXES, _MANY = 12, 2.0  # of the sum of `cold_ratio`
WIDE = 1.5  # coefficient of variation above which the gamma's quantile is solved, not approximated

# Probabilities at which a service time is represented: even in the body, finer in the tail that p99 needs.
_COARSE = np.array([0, 0.1, 0.25, 0.4, 0.55, 0.7, 0.8, 0.87, 0.92, 0.95, 0.97, 0.98, 0.985, 0.99, 0.995, 0.999, 1])
_FINE = np.concatenate([np.linspace(0, 0.9, 19), np.linspace(0.9, 0.99, 19)[1:], np.linspace(0.99, 0.999, 10)[1:], [1]])


def slices(*, fine: bool) -> tuple[Array, Array]:
    """Middle probability and weight of each slice of a distribution, (slices,)."""
    edges = _FINE if fine else _COARSE
    return (edges[1:] + edges[:-1]) / 2, np.diff(edges)


def service_nodes(distribution: str, cv: Array, *, fine: bool) -> tuple[Array, Array]:
    """A service time of mean 1: nodes (draws, slices) and weights (slices,).

    Source: lognormal and gamma by their coefficient of variation; gamma's quantile by Wilson and Hilferty, 1931,
    and solved from the incomplete gamma function where the spread is above 1.5.
    """
    probability, weight = slices(fine=fine)
    z = normal_quantile(probability)[None, :]
    spread = np.maximum(cv, 1e-9)[:, None]
    if distribution == "constant":
        return np.ones((cv.size, weight.size)), weight
    if distribution == "gamma":
        shape = spread**-2
        nodes = np.maximum(1 - 1 / (9 * shape) + z / (3 * np.sqrt(shape)), 0) ** 3
        for wide in np.unique(cv[cv > WIDE]):
            nodes[cv == wide] = _gamma_quantiles(float(wide), tuple(probability.tolist()))
    else:
        sigma = np.sqrt(np.log1p(spread**2))
        nodes = np.exp(sigma * z - sigma**2 / 2)
    return nodes / np.maximum(np.sum(nodes * weight, axis=1, keepdims=True), 1e-12), weight


@lru_cache(maxsize=64)
def _gamma_quantiles(cv: float, probabilities: tuple[float, ...]) -> Array:
    """Quantiles of the gamma of mean 1, by bisection on the series of the incomplete gamma function, (slices,).

    For shapes below one: x ** shape / gamma(shape + 1) is above the distribution, so its inverse is a lower end.
    """
    shape = cv**-2
    wanted = np.array(probabilities)
    terms = np.arange(1, 400)
    # log of x**n / ((shape + 1) ... (shape + n)), without the powers of x
    falling = -np.cumsum(np.log(shape + terms))
    low = (np.log(wanted) + math.lgamma(shape + 1)) / shape
    high = np.full(wanted.size, math.log(100.0))
    for _ in range(80):
        middle = (low + high) / 2
        series = 1 + np.sum(np.exp(falling + terms * middle[:, None]), axis=1)
        below = np.exp(shape * middle - np.exp(middle) - math.lgamma(shape + 1)) * series < wanted
        low, high = np.where(below, middle, low), np.where(below, high, middle)
    quantiles: Array = np.exp((low + high) / 2) / shape
    return quantiles


def waits(utilisation: Array, servers: Array) -> Array:
    """Probability that a request waits at `servers` servers: Sakasegawa's closed form of Erlang C, 1977.

    Exact for one server; 1 at and above full load.

    >>> float(waits(np.array(0.8), np.array(1.0)))
    0.8
    """
    load = np.clip(utilisation, 0.0, 1.0)
    probability: Array = load ** (np.sqrt(2 * (servers + 1)) - 1)
    return probability


def mean_wait_of_waiting(utilisation: Array, servers: Array, service_s: Array, cv: Array) -> Array:
    """Mean wait in seconds of those who wait (Allen and Cunneen, 1978): exponential in this model."""
    free = np.maximum(1 - utilisation, 1e-6)
    wait: Array = service_s * (1 + cv**2) / 2 / (servers * free)
    return wait


def over_hops(probability: Array, wait_s: Array, hops: Array) -> tuple[Array, Array]:
    """Several equal queues one after the other, as one: the chance of any wait, and its mean in seconds.

    The mean wait of all requests is kept: `hops` times that of one queue.
    """
    any_wait = 1 - (1 - probability) ** hops
    mean: Array = wait_s * np.divide(
        hops * probability, any_wait, out=np.ones(np.broadcast_shapes(any_wait.shape)), where=any_wait > 0
    )
    return any_wait, mean


def share_above(
    limit_s: Array, *, nodes: Array, weights: Array, service_s: Array, wait_probability: Array, wait_s: Array
) -> Array:
    """Share of answers that take longer than `limit_s`; service (nodes x service_s) plus exponential wait.

    Shape: `nodes` broadcasts against `limit_s` with one more axis at the end; the rest broadcast to `limit_s`.
    """
    left = limit_s[..., None] - nodes * service_s[..., None]
    tail = wait_probability[..., None] * np.exp(-np.maximum(left, 0) / np.maximum(wait_s[..., None], 1e-12))
    above: Array = np.sum(weights * np.where(left < 0, 1.0, tail), axis=-1)
    return above


def cold_ratio(rate: Array, service_s: Array, idle_s: Array) -> Array:
    """Share of requests that start a sandbox cold, where an idle one goes after `idle_s` seconds.

    The last used is used again, so sandbox number j is asked for whenever j - 1 are busy: its requests come at
    rate x P(at least j - 1 busy), and it is gone with exp(-that rate x idle_s). The busy ones are Poisson
    distributed (as many sandboxes as it takes); above two busy on average the sum is closed by a normal tail.
    Shape: all broadcast together; 0..1. Source and checks: docs/background.md#serverless.
    """
    offered = rate * service_s
    window = rate * idle_s
    few = np.exp(-window)
    tail, exactly = np.ones(offered.shape), np.exp(-offered)
    for busy in range(1, _SANDBOXES + 1):
        tail = np.maximum(tail - exactly, 0.0)
        exactly = exactly * offered / busy
        few = few + tail * np.exp(-window * tail)
    many = offered > _MANY
    if not bool(many.any()):
        return np.minimum(few, 1.0)
    window, offered = np.maximum(window, 2.0), np.where(many, offered, _MANY)
    z = np.maximum(normal_quantile(1 - 1 / window), 0.1)
    top = offered + z * np.sqrt(offered) + np.maximum(z**2 - 1, 0) / 6  # Cornish and Fisher, 1938
    return np.minimum(np.where(many, 1 / (window * np.log(top / offered)), few), 1.0)


def erlang_b(offered: Array, servers: Array) -> Array:
    """Share of requests blocked by `servers` servers without a queue, for any array of integer servers.

    Source: Erlang, 1917, by the standard recursion.

    >>> round(float(erlang_b(np.array([2.0]), np.array([3.0]))[0]), 6)
    0.210526
    """
    blocked = np.ones(np.broadcast_shapes(offered.shape, servers.shape))
    result = blocked.copy()
    for used in range(1, int(np.max(servers)) + 1):
        blocked = offered * blocked / (used + offered * blocked)
        result = np.where(servers >= used, blocked, result)
    return result
