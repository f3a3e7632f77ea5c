"""How fast the simulator is on this machine, beside its floors and beside other simulators in the same run.

A speed is the best of seven runs on one core; a busy machine moves it up to twofold, ratios less.
"""

import json
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from fitness.simulation import caches, control, histogram, queues, warm
from fitness.simulation.sandboxes import sandboxes
from tests import kernel_cases
from tests.bench import recordings, sweeps
from tests.bench.measure import ROOT, Row, fastest, run, speed, within

PEER_PYTHON = ROOT / "build" / "peers" / "bin" / "python"
CUSTOMERS = 1_000_000
LOOK_UPS = 10_000_000
CONFIGURATIONS = 600
SCRIPT = "from fitness.simulation import queues; queues.pooled([0.0, 1.0], [1.0, 1.0], 1.0, servers=1)"


def main() -> None:
    """Print a line for each floor."""
    warm.wait()
    print(f"{'simulator':<72}{'floor':>16}{'seen':>16}")
    for what, floor, seen, passed in rows():
        verdict = "" if passed is None else "pass" if passed else "MISS"
        print(f"{what:<72}{floor:>16}{seen:>16}  {verdict}")


def rows() -> Iterator[Row]:
    """What was measured, the floor, what was seen, whether it holds (None: not measured)."""
    yield from tracking()
    yield from serverless()
    yield from least_recently_used()
    yield from models()
    yield from configurations()
    yield from sweeps.rows()
    yield from recordings.rows()
    yield from start()
    yield "same seed, 1, 2, 4 threads, after a restart, as plain Python", "same bytes", *repeats()


def tracking() -> Iterator[Row]:
    """Target tracking with percentiles on an M/M/4 of a million customers."""
    draws = np.random.default_rng(1)
    arrivals = np.cumsum(draws.exponential(1 / 3.2, CUSTOMERS))
    work = draws.exponential(1.0, CUSTOMERS).astype(np.float32)
    minutes = int(arrivals[-1] / 60) + 1
    policy = control.TargetTracking(target_per_minute=52.0, minimum=4, maximum=8)
    seen: list[float] = []

    def play() -> None:
        counts = queues.per_interval(arrivals, start_s=0.0, width_s=60.0, intervals=minutes)
        capacity = control.run(policy, counts, 300.0)
        hist = histogram.empty()
        queues.pooled(
            arrivals,
            work,
            1.0,
            servers=capacity.initial,
            event_s=capacity.event_s,
            event_delta=capacity.event_delta,
            timeout_s=60.0,
            hist=hist,
        )
        seen[:] = [histogram.percentile(hist, one) for one in (0.5, 0.95, 0.99)]

    per_s = CUSTOMERS / fastest(play)
    yield speed("target tracking with percentiles, M/M/4, 1e6 customers", per_s, 60e6)
    yield ratio("  times simpy", per_s, "simpy", 500)
    yield ratio("  times ciw", per_s, "ciw", 1_000)


def serverless() -> Iterator[Row]:
    """The scenario of SimFaaS's README."""
    draws = np.random.default_rng(2)
    arrivals = np.cumsum(draws.exponential(1 / 0.9, CUSTOMERS))
    work = draws.exponential(1.0, CUSTOMERS).astype(np.float32)

    def play() -> None:
        hists = {"hist_warm": histogram.empty(), "hist_cold": histogram.empty()}
        sandboxes(arrivals, work, 1.991, cold_s=2.244 - 1.991, ttl_s=600.0, max_concurrency=1_000, **hists)

    per_s = CUSTOMERS / fastest(play)
    yield speed("serverless, 0.9 requests/s of SimFaaS's README, 1e6 requests", per_s, 15e6)
    yield ratio("  times SimFaaS", per_s, "simfaas", 250)


def popular_models() -> np.ndarray:
    """Models of ten million requests, 1,000 of them, Zipf 0.9."""
    shares = np.arange(1, 1_001) ** -0.9
    positions = np.random.default_rng(3).random(LOOK_UPS) * shares.sum()
    return np.minimum(np.searchsorted(np.cumsum(shares), positions), 999).astype(np.int32)


def write_requests(asked: np.ndarray, file: Path) -> None:
    """Write requests in libCacheSim's own binary form: time, object, size, next access."""
    records = np.zeros(asked.size, dtype=[("time", "<u4"), ("object", "<u8"), ("size", "<u4"), ("next", "<i8")])
    records["object"], records["size"], records["next"] = asked + 1, 1, -1
    records.tofile(file)


def least_recently_used() -> Iterator[Row]:
    """An LRU cache of 100 among 1,000 models."""
    asked, sizes, misses = popular_models(), np.ones(1_000, dtype=np.int64), []

    def play() -> None:
        misses[:] = [caches.lru(asked, sizes, 100)]

    per_s = LOOK_UPS / fastest(play)
    yield speed("LRU, 1e7 requests, 1,000 models, Zipf 0.9, capacity 100", per_s, 60e6)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "requests.oracleGeneral"
        write_requests(asked, file)
        found = peer("libcachesim", str(file))
    yield ratio("  times libcachesim's process_trace", per_s, found, 3)
    if found:
        equal = misses == [found["misses"]]
        yield "  the same misses as libcachesim", "equal", f"{misses[0]:,}", equal


def models() -> Iterator[Row]:
    """Instances that load models: LRU, workers, percentiles."""
    draws = np.random.default_rng(4)
    arrivals = np.cumsum(draws.exponential(1 / 30, CUSTOMERS))
    work, uniform = draws.exponential(1.0, CUSTOMERS).astype(np.float32), draws.random(CUSTOMERS, dtype=np.float32)
    asked, ones = popular_models()[:CUSTOMERS], np.ones(1_000, dtype=np.int64)
    placement = caches.placements(1_000, 2, seed=5)

    def play() -> None:
        caches.cached(
            arrivals,
            work,
            asked,
            uniform,
            0.05,
            load_s=0.02,
            download_s=0.1,
            memory_sizes=ones,
            disk_sizes=ones,
            memory_bytes=100,
            disk_bytes=400,
            slots=4,
            instances=2,
            placement=placement,
            timeout_s=60.0,
            hist_hit=histogram.empty(),
            hist_miss=histogram.empty(),
        )

    yield speed("multi-model: LRU, workers, percentiles, 1e6 requests", CUSTOMERS / fastest(play), 5e6)


def configurations() -> Iterator[Row]:
    """Many configurations of one stream, none of them pruned, on every core."""
    draws = np.random.default_rng(6)
    arrivals = np.cumsum(draws.exponential(1 / 40, 100_000))
    work = draws.exponential(1.0, 100_000).astype(np.float32)
    uniform = draws.random(100_000, dtype=np.float32)

    def one(number: int) -> float:
        servers, service_s = 2 + number % 30, 0.02 + 0.01 * (number // 30)
        hist = histogram.empty()
        if number % 2:
            queues.pooled(arrivals, work, service_s, servers=servers, timeout_s=60.0, hist=hist)
        else:
            queues.routed(arrivals, work, uniform, service_s, instances=servers, slots=1, timeout_s=60.0, hist=hist)
        return histogram.percentile(hist, 0.99)

    seen = fastest(lambda: warm.each(one, range(CONFIGURATIONS)))
    yield within(f"{CONFIGURATIONS} configurations, 1e5 requests each, none pruned", seen, 2.0)


def start() -> Iterator[Row]:
    """A new process, and one that has to compile first."""
    seen = fastest(lambda: run([sys.executable, "-c", SCRIPT]), rounds=3)
    yield within("new process to the first result, compiled code in the cache", seen, 1.5)
    with tempfile.TemporaryDirectory() as folder:
        script = "from fitness.simulation import warm; warm.wait()"
        seen = fastest(lambda: run([sys.executable, "-c", script], XDG_CACHE_HOME=folder), rounds=1, first=False)
    yield within("compiling every kernel, in the background at the first start", seen, 10.0)


def repeats() -> tuple[str, bool]:
    """Whether the results of every kernel are the same again and again."""
    expected = kernel_cases.texts()
    cases = [sys.executable, "-m", "tests.kernel_cases"]
    same = json.loads(run(cases)) == json.loads(run(cases, NUMBA_DISABLE_JIT="1")) == expected
    for workers in (1, 2, 4):
        played = warm.each(lambda name: kernel_cases.CASES[name](), list(expected), workers=workers)
        same &= played == list(expected.values())
    return "same" if same else "different", same


def ratio(what: str, per_s: float, other: str | dict[str, float] | None, floor: float) -> Row:
    """A line about how many times faster than another simulator."""
    found = peer(other) if isinstance(other, str) else other
    if not found:
        return what, f"{floor:,.0f} x", "make peers first", None
    times = per_s / found["per_s"]
    return what, f"{floor:,.0f} x", f"{times:,.0f} x" if times >= 10 else f"{times:.1f} x", times >= floor


def peer(name: str, *arguments: str) -> dict[str, float] | None:
    """What another simulator did, in its own environment; None where it is not installed."""
    if not PEER_PYTHON.is_file():
        return None
    found: dict[str, float] = json.loads(run([str(PEER_PYTHON), "tests/bench/peers.py", name, *arguments]))
    return found


if __name__ == "__main__":
    main()
