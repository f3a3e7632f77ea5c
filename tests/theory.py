"""Formulas that a simulation has to meet, each with its source."""

import math

import numpy as np


def erlang_b(offered: float, servers: int) -> float:
    """Share of requests that find all servers busy where none waits; A. K. Erlang, 1917, by the usual recursion."""
    blocked = 1.0
    for n in range(1, servers + 1):
        blocked = offered * blocked / (n + offered * blocked)
    return blocked


def erlang_c(offered: float, servers: int) -> float:
    """Share of requests that wait where all do; from Erlang B."""
    blocked = erlang_b(offered, servers)
    return servers * blocked / (servers - offered * (1 - blocked))


class ManyServers:
    """M/M/c, first come first served: the time from arrival to the end of service, at a service rate of 1.

    Source: any text on queues, e.g. D. Gross et al., Fundamentals of Queueing Theory, section 3.3.
    """

    def __init__(self, servers: int, utilisation: float) -> None:
        self.servers, self.rate = servers, servers * utilisation
        self.waits = erlang_c(self.rate, servers)

    @property
    def mean(self) -> float:
        """Mean time in the system."""
        return 1 + self.waits / (self.servers - self.rate)

    def above(self, time: float) -> float:
        """Share of requests that take longer than `time`."""
        spare = self.servers - self.rate - 1
        if abs(spare) < 1e-9:
            return math.exp(-time) * (1 + self.waits * time)
        return math.exp(-time) + self.waits * (math.exp(-time) - math.exp(-(1 + spare) * time)) / spare

    def percentile(self, probability: float) -> float:
        """Time that a share of the requests stays under, by bisection."""
        low, high = 0.0, 1e4
        for _ in range(200):
            middle = (low + high) / 2
            low, high = (middle, high) if self.above(middle) > 1 - probability else (low, middle)
        return high


def pollaczek_khinchine(rate: float, cv: float) -> float:
    """Mean wait of M/G/1 at a mean service of 1; F. Pollaczek 1930, A. Khinchine 1932."""
    return rate * (1 + cv**2) / (2 * (1 - rate))


def zipf(models: int, exponent: float) -> np.ndarray:
    """Shares of models by rank."""
    weights = np.arange(1, models + 1, dtype=float) ** -exponent
    return weights / weights.sum()


def che(shares: np.ndarray, capacity: int) -> float:
    """Hit ratio of a cache of `capacity` models of one size; H. Che, Y. Tung, Z. Wang, 2002."""
    low, high = 0.0, 1e9
    for _ in range(200):
        time = (low + high) / 2
        held = float(np.sum(-np.expm1(-shares * time)))
        low, high = (time, high) if held < capacity else (low, time)
    return float(np.sum(shares * -np.expm1(-shares * high)))
