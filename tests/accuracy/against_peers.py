"""The simulator beside simulators that others wrote, where `make peers` has installed them."""

import tempfile
from pathlib import Path

import numpy as np

from fitness.simulation import caches, queues
from fitness.simulation.sandboxes import sandboxes
from tests import theory
from tests.bench import simulation

LOOK_UPS = 1_000_000


def rows(size: int) -> list[tuple[str, str, str, str, str]]:
    """System, figure, the other simulator, its value, the value here."""
    if simulation.peer("simpy") is None:
        return []
    generator = np.random.default_rng(9)
    expected = theory.ManyServers(4, 0.8)
    arrivals, work = np.cumsum(generator.exponential(1 / expected.rate, size)), generator.exponential(size=size)
    counts = queues.pooled(arrivals, work, 1.0, servers=4)
    here = f"{(counts.wait_s + counts.busy_s) / size:.3f} s"
    lines = []
    for name in ("simpy", "ciw"):
        found = simulation.peer(name) or {}
        other = f"{name}, {found['requests']:,.0f} customers"
        lines.append(
            (f"M/M/4, load 80% (theory {expected.mean:.3f} s)", "mean time", other, f"{found['mean_s']:.3f} s", here)
        )
    found = simulation.peer("simfaas") or {}
    arrivals = arrivals * (expected.rate / 0.9)
    cold = sandboxes(arrivals, work, 1.991, cold_s=2.244 - 1.991, ttl_s=600.0, max_concurrency=1_000).cold / size
    other = f"SimFaaS, {found['requests']:,.0f} requests"
    lines.append(
        ("0.9 requests/s of SimFaaS's README", "cold share", other, f"{found['cold_ratio']:.3%}", f"{cold:.3%}")
    )
    asked = simulation.popular_models()[:LOOK_UPS]
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "requests.oracleGeneral"
        simulation.write_requests(asked, file)
        found = simulation.peer("libcachesim", str(file)) or {}
    misses = caches.lru(asked, np.ones(1_000, dtype=np.int64), 100)
    lines.append(
        ("LRU, 1,000 models, 100 fit", "misses", "libCacheSim, same requests", f"{found['misses']:,}", f"{misses:,}")
    )
    return lines
