"""What was counted while requests were played, scaled to the calendar month."""

from dataclasses import dataclass, fields

import numpy as np

from fitness.arrays import Array
from fitness.simulation import histogram

BLOCKS = 8  # disjoint parts of the stream that the Monte-Carlo band is taken from


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Tally:
    """Sums over the month; histograms are requests per latency bin, by block: (blocks, bins)."""

    warm: Array
    cold: Array  # answers that waited for a start or a load
    offered: float = 0.0
    refused: float = 0.0  # throttled, or no instance was there
    timed_out: float = 0.0
    starts: float = 0.0  # requests that met a cold start or a miss
    hits: float = 0.0  # requests that found their model in memory
    busy_s: float = 0.0  # of serving slots
    paid_s: float = 0.0  # of serving slots
    starting_s: float = 0.0  # paid while a sandbox initialises
    instance_hours: float = 0.0
    played: float = 0.0  # requests that really went through the kernels

    def __add__(self, other: "Tally") -> "Tally":
        return Tally(**{one.name: getattr(self, one.name) + getattr(other, one.name) for one in fields(self)})

    def times(self, factor: float) -> "Tally":
        """The same, for `factor` alike endpoints; what was played stays."""
        scaled = {one.name: getattr(self, one.name) * factor for one in fields(self) if one.name != "played"}
        return Tally(played=self.played, **scaled)

    @property
    def answered(self) -> float:
        """Requests that got an answer."""
        return float(self.warm.sum() + self.cold.sum())

    def percentiles(self, probability: float) -> Array:
        """The latency in seconds that `probability` of the answers stay under, by block: (blocks,)."""
        return np.array(
            [histogram.percentile(counts, probability) for counts in self.warm + self.cold if counts.sum() > 0]
        )


def empty() -> Tally:
    """Nothing counted yet."""
    return Tally(warm=np.zeros((BLOCKS, histogram.BINS)), cold=np.zeros((BLOCKS, histogram.BINS)))
