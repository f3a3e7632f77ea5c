"""The simulator against cold starts that were measured on a real platform."""

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from fitness.simulation import warm
from fitness.simulation.sandboxes import sandboxes

FILE = Path(__file__).with_name("lambda_cold_starts.csv")
CONSTANTS = tuple(float(one) for one in range(300, 1_001, 60))  # seconds, over the range of the prior
PRIOR = (300.0, 1_000.0)
PUBLISHED = 600.0


@dataclass(frozen=True)
class Run:
    """One run: what was measured and what the simulator gives for the same rate and times."""

    rps: float
    cold_ratio: float
    error: float  # standard error of the measured share
    sandboxes: float
    simulated: float  # cold share at an idle time-out of 600 s
    simulated_sandboxes: float
    band: tuple[float, float]  # cold share at 1,000 s and at 300 s

    @property
    def is_within(self) -> bool:
        """Whether the measured share, give or take two standard errors, meets the band of the prior."""
        return self.cold_ratio + 2 * self.error >= self.band[0] and self.cold_ratio - 2 * self.error <= self.band[1]


def simulated(row: dict[str, float], idle_s: float, requests: int, seed: int = 1) -> tuple[float, float]:
    """Cold share and mean number of sandboxes at an idle time-out."""
    generator = np.random.default_rng(seed)
    arrivals = np.cumsum(generator.exponential(1 / row["rps"], requests))
    work = generator.exponential(size=requests)
    counts = sandboxes(
        arrivals,
        work,
        row["warm_s"],
        cold_s=max(row["cold_s"] - row["warm_s"], 0.0),
        ttl_s=idle_s,
        max_concurrency=1_000,
        end_s=float(arrivals[-1]),
    )
    return counts.cold / requests, counts.sandbox_s / float(arrivals[-1])


def rows() -> list[dict[str, float]]:
    """The measured runs."""
    with FILE.open(encoding="utf-8", newline="") as file:
        lines = [line for line in file if not line.startswith("#")]
    return [{name: float(value) for name, value in row.items()} for row in csv.DictReader(lines)]


def runs(requests: int) -> list[Run]:
    """Every run beside its simulation."""

    def one(row: dict[str, float]) -> Run:
        share, count = simulated(row, PUBLISHED, requests)
        return Run(
            rps=row["rps"],
            cold_ratio=row["cold_ratio"],
            error=row["cold_ratio_error"],
            sandboxes=row["sandboxes"],
            simulated=share,
            simulated_sandboxes=count,
            band=(simulated(row, PRIOR[1], requests)[0], simulated(row, PRIOR[0], requests)[0]),
        )

    return warm.each(one, rows())


def errors(requests: int) -> Sequence[tuple[float, float]]:
    """Mean absolute relative error of the cold share over the runs, by idle time-out."""

    def one(idle_s: float) -> tuple[float, float]:
        off = [abs(simulated(row, idle_s, requests)[0] / row["cold_ratio"] - 1) for row in rows()]
        return idle_s, float(np.mean(off))

    return warm.each(one, CONSTANTS)
