"""The simulator against formulas, at the size that their accuracy is promised for."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial

import numpy as np

from fitness.simulation import caches, histogram, queues, warm
from fitness.simulation.sandboxes import sandboxes
from tests import theory

SERVERS, UTILISATIONS = (1, 4, 16, 64), (0.5, 0.8, 0.9)
LEAD_SHARE = 0.005  # of the requests: the empty start is not counted
SEEDS, BLOCKS = 200, 8


@dataclass(frozen=True)
class Check:
    """One figure: what theory says and what was simulated."""

    case: str
    figure: str
    theory: float
    simulated: float

    @property
    def off(self) -> float:
        """Relative difference."""
        return self.simulated / self.theory - 1


class Draws:
    """Unit gaps and work of a size, drawn once."""

    def __init__(self, size: int, seed: int = 20261121) -> None:
        generator = np.random.default_rng(seed)
        self.size = size
        self.times = np.cumsum(generator.exponential(size=size))
        self.work = generator.exponential(size=size).astype(np.float32)
        self.normals = generator.standard_normal(size, dtype=np.float32)


def many_servers(draws: Draws) -> Iterator[Check]:
    """M/M/c: mean, p50, p95 and p99 of the time in the system."""
    for servers in SERVERS:
        for utilisation in UTILISATIONS:
            expected = theory.ManyServers(servers, utilisation)
            hist = histogram.empty()
            queues.pooled(
                draws.times / expected.rate,
                draws.work,
                1.0,
                servers=servers,
                hist=hist,
                count_from=int(draws.size * LEAD_SHARE),
            )
            case = f"c = {servers}, load {utilisation:.0%}"
            yield Check(case, "mean", expected.mean, histogram.mean(hist))
            for probability in (0.5, 0.95, 0.99):
                found = histogram.percentile(hist, probability)
                yield Check(case, f"p{probability * 100:.0f}", expected.percentile(probability), found)


def one_server(draws: Draws) -> Iterator[Check]:
    """M/G/1: the mean wait, lognormal work."""
    for cv in (0.0, 0.5, 1.0, 2.0):
        spread = math.sqrt(math.log1p(cv**2))
        work = np.exp(spread * draws.normals - spread**2 / 2)
        for utilisation in (0.5, 0.8):
            counts = queues.pooled(draws.times / utilisation, work, 1.0, servers=1)
            expected = theory.pollaczek_khinchine(utilisation, cv)
            yield Check(f"load {utilisation:.0%}, variation {cv:g}", "mean wait", expected, counts.wait_s / draws.size)


def waiting_share(draws: Draws) -> Iterator[Check]:
    """Arrivals see time averages: the share that waits is Erlang C."""
    for servers in SERVERS[1:3]:
        latency_s = np.zeros(draws.size, np.float32)
        rate = 0.8 * servers
        queues.pooled(draws.times / rate, draws.work, 1.0, servers=servers, latency_s=latency_s)
        # A latency is a 32-bit number: what is not above the work beyond its rounding did not wait.
        waits = float((latency_s > draws.work * 1.000001 + 1e-6).mean())
        yield Check(f"c = {servers}, load 80%", "share that waits", theory.erlang_c(rate, servers), waits)


def refused_share(draws: Draws) -> Iterator[Check]:
    """A limit of concurrency without a queue: Erlang B."""
    for offered, servers in ((3.0, 4), (20.0, 24), (100.0, 100)):
        counts = sandboxes(draws.times / offered, draws.work, 1.0, cold_s=0.0, ttl_s=math.inf, max_concurrency=servers)
        case = f"{offered:g} erlangs on {servers}"
        yield Check(case, "share refused", theory.erlang_b(offered, servers), counts.refused / draws.size)


def cold_share(draws: Draws) -> Iterator[Check]:
    """Short requests at a rate: cold when none came within the idle time-out."""
    for idle in (0.5, 1.0, 2.0, 4.0):
        counts = sandboxes(draws.times, draws.work, 0.0, cold_s=0.0, ttl_s=idle, max_concurrency=10)
        yield Check(f"idle time-out of {idle:g} mean gaps", "cold share", math.exp(-idle), counts.cold / draws.size)


def hit_share(requests: int) -> Iterator[Check]:
    """An LRU cache among 1,000 models: Che's approximation, which is one itself."""
    for exponent in (0.6, 0.9, 1.2):
        shares = theory.zipf(1_000, exponent)
        positions = np.random.default_rng(7).random(requests)
        models = np.minimum(np.searchsorted(np.cumsum(shares), positions), 999).astype(np.int32)
        for capacity in (50, 200, 500):
            misses = caches.lru(models, np.ones(1_000, np.int64), capacity)
            found = 1 - misses / requests
            yield Check(f"Zipf {exponent:g}, {capacity} fit", "hit share", theory.che(shares, capacity), found)


def covers(seed: int, *, servers: int, utilisation: float, requests: int) -> list[bool]:
    """Whether the bands of p50, p95 and p99 of one short stream cover the truth."""
    expected = theory.ManyServers(servers, utilisation)
    generator, lead = np.random.default_rng(seed), requests // 20
    arrivals = np.cumsum(generator.exponential(1 / expected.rate, requests + lead))
    latency_s = np.zeros(arrivals.size, np.float32)
    queues.pooled(arrivals, generator.exponential(size=arrivals.size), 1.0, servers=servers, latency_s=latency_s)
    block = np.arange(requests) * (BLOCKS / requests)
    hists = histogram.by_interval(block, latency_s[lead:], start_s=0.0, width_s=1.0, intervals=BLOCKS)
    found = []
    for probability in (0.5, 0.95, 0.99):
        low, _, high = histogram.band(hists, probability)
        found.append(low <= expected.percentile(probability) <= high)
    return found


def coverage(*, servers: int, utilisation: float, requests: int, seeds: int = SEEDS) -> list[float]:
    """Share of the seeds whose bands of p50, p95 and p99 cover the truth."""
    one = partial(covers, servers=servers, utilisation=utilisation, requests=requests)
    return [float(share) for share in np.mean(warm.each(one, range(seeds)), axis=0)]
