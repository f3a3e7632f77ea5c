"""Every kernel on fixed streams, as one text per kernel: `python -m tests.kernel_cases` prints them.

Run in processes of different kinds (compiled, plain Python, with checks of bounds, after a restart), the texts are equal
to the last bit.
"""

import hashlib
import json
import sys
from collections.abc import Callable
from dataclasses import astuple

import numpy as np

from fitness.simulation import batches, caches, histogram, queues
from fitness.simulation.sandboxes import sandboxes

SIZE = 1_500
MODELS = 40


class Stream:
    """A stream of requests that grows, bursts and rests."""

    def __init__(self, seed: int = 1, size: int = SIZE, rps: float = 4.0) -> None:
        draws = np.random.default_rng(seed)
        gaps = draws.exponential(1 / rps, size) * np.where(np.arange(size) % 500 < 30, 12, 0.7)
        self.arrivals = np.cumsum(gaps)
        self.multiplier = draws.lognormal(-0.5, 1.0, size).astype(np.float32)
        self.uniform = draws.random(size).astype(np.float32)
        self.models = np.minimum(draws.zipf(1.3, size) - 1, MODELS - 1).astype(np.int32)
        self.end_s = float(self.arrivals[-1]) + 10.0
        self.events = {
            "event_s": np.linspace(5, self.end_s, 40),
            "event_delta": np.tile([2, -1, 3, -4], 10),
        }
        self.latency_s, self.fate = np.zeros(size, np.float32), np.zeros(size, np.uint8)
        self.hists = [histogram.empty(), histogram.empty()]

    def played(self, counts: object) -> str:
        """What a kernel gave and filled, to the last bit."""
        filled = [self.latency_s, self.fate, *self.hists]
        content = hashlib.sha256(b"".join(one.tobytes() for one in filled)).hexdigest()[:12]
        return f"{astuple(counts)} {content}"


def pooled(stream: Stream, *, servers: int = 4, factor: int = 1) -> str:
    return stream.played(
        queues.pooled(
            stream.arrivals,
            stream.multiplier,
            1.1,
            servers=servers,
            end_s=stream.end_s,
            timeout_s=8.0,
            hist=stream.hists[0],
            count_from=20,
            latency_s=stream.latency_s,
            fate=stream.fate,
            event_s=stream.events["event_s"],
            event_delta=stream.events["event_delta"] * factor,
        )
    )


def routed(stream: Stream, policy: queues.Routing) -> str:
    return stream.played(
        queues.routed(
            stream.arrivals,
            stream.multiplier,
            stream.uniform,
            1.1,
            instances=2,
            slots=2,
            policy=policy,
            timeout_s=8.0,
            hist=stream.hists[0],
            latency_s=stream.latency_s,
            fate=stream.fate,
            **stream.events,
        )
    )


def backlog(stream: Stream) -> str:
    series = [np.zeros(100, np.int64), np.zeros(100, np.int64)]
    counts = queues.backlog_scaled(
        stream.arrivals,
        stream.multiplier,
        3.0,
        slots=2,
        instances=0,
        minimum=0,
        maximum=9,
        target_per_instance=5.0,
        launch_s=47.0,
        end_s=stream.end_s + 600,
        tick_s=10.0,
        out_cooldown_s=30.0,
        instances_by_tick=series[0],
        backlog_by_tick=series[1],
        hist=stream.hists[0],
        latency_s=stream.latency_s,
        fate=stream.fate,
    )
    stream.hists += series
    return stream.played(counts)


def serverless(stream: Stream, *, queues_when_full: bool) -> str:
    return stream.played(
        sandboxes(
            stream.arrivals,
            stream.multiplier,
            0.9,
            cold_s=3.5,
            ttl_s=6.0,
            max_concurrency=9,
            provisioned=2,
            queues_when_full=queues_when_full,
            timeout_s=7.0,
            hist_warm=stream.hists[0],
            hist_cold=stream.hists[1],
            latency_s=stream.latency_s,
            fate=stream.fate,
        )
    )


def cached(stream: Stream) -> str:
    sizes = np.arange(1, MODELS + 1)
    return stream.played(
        caches.cached(
            stream.arrivals,
            stream.multiplier,
            stream.models,
            stream.uniform,
            0.3,
            load_s=sizes * 0.01,
            download_s=sizes * 0.03,
            memory_sizes=sizes,
            disk_sizes=sizes[::-1],
            memory_bytes=90,
            disk_bytes=300,
            slots=2,
            instances=2,
            copies=np.where(sizes < 3, 2, 1),
            timeout_s=5.0,
            hist_hit=stream.hists[0],
            hist_miss=stream.hists[1],
            latency_s=stream.latency_s,
            fate=stream.fate,
            **stream.events,
        )
    )


def batched(stream: Stream) -> str:
    return stream.played(
        batches.batched(
            stream.arrivals,
            stream.multiplier,
            stream.uniform,
            [0.0, 1.0, 1.2, 1.4, 1.5],
            window_s=0.3,
            instances=1,
            slots=2,
            timeout_s=5.0,
            hist=stream.hists[0],
            latency_s=stream.latency_s,
            fate=stream.fate,
            **stream.events,
        )
    )


def transform(stream: Stream) -> str:
    starts = np.arange(0, SIZE, 37)
    return stream.played(batches.transform(stream.multiplier, 0.7, file_starts=starts, instances=4, slots=3))


def tiers(stream: Stream) -> str:
    sizes = np.arange(1, MODELS + 1)
    by_minute = queues.per_interval(stream.arrivals, start_s=0.0, width_s=60.0, intervals=5).tolist()
    return f"{caches.lru_two_tier(stream.models, sizes, sizes, 50, 200)} {by_minute}"


CASES: dict[str, Callable[[], str]] = {
    "pooled": lambda: pooled(Stream()),
    "pooled, more servers than a sorted vector has": lambda: pooled(Stream(rps=900), servers=1_050, factor=20),
    "routed at random": lambda: routed(Stream(), queues.Routing.RANDOM),
    "routed to the least outstanding": lambda: routed(Stream(), queues.Routing.LEAST_OUTSTANDING),
    "scaled on the backlog": lambda: backlog(Stream()),
    "sandboxes that refuse": lambda: serverless(Stream(rps=9), queues_when_full=False),
    "sandboxes that queue": lambda: serverless(Stream(rps=9), queues_when_full=True),
    "models": lambda: cached(Stream()),
    "batches": lambda: batched(Stream()),
    "batch job": lambda: transform(Stream()),
    "tiers": lambda: tiers(Stream()),
}


def texts() -> dict[str, str]:
    """The text of each case."""
    return {name: case() for name, case in CASES.items()}


if __name__ == "__main__":
    json.dump(texts(), sys.stdout)
