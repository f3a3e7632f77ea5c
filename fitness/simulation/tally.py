"""What was counted while requests were played, scaled to the calendar month."""

from dataclasses import dataclass, fields

import numpy as np

from fitness.arrays import Array
from fitness.simulation.arrays import Float32, Float64, UInt8
from fitness.simulation.compiled import Arguments, compiled
from fitness.simulation.counts import COLD, REFUSED, SERVED, TIMED_OUT
from fitness.simulation.histogram import BINS, bin_of
from fitness.simulation.streams import Stream

BLOCKS = 8  # disjoint parts of the stream that the Monte-Carlo band is taken from
FATES = 4


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Answers:
    """What became of the requests of a stream, and the time of the serving slots.

    Shape: (n,), also for the requests that lead. A latency is NaN where nothing was served.
    """

    latency_s: Float32
    fate: UInt8
    busy_s: float = 0.0  # of serving slots, for the requests that count
    starting_s: float = 0.0  # of sandboxes that start


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Tally:
    """Sums over the month; histograms are requests per latency bin, by block: (blocks, bins)."""

    warm: Array
    cold: Array  # answers that waited for a start or a load
    offered: float = 0.0
    refused: float = 0.0  # throttled, or no instance was there
    timed_out: float = 0.0
    busy_s: float = 0.0  # of serving slots
    paid_s: float = 0.0  # of serving slots
    starting_s: float = 0.0  # paid while a sandbox initialises
    instance_hours: float = 0.0
    played: float = 0.0  # requests that really went through the kernels
    windows: tuple[Array, ...] = ()  # answers of each endpoint by window, in the order of load: (windows, bins)

    def __add__(self, other: "Tally") -> "Tally":
        return Tally(**{one.name: getattr(self, one.name) + getattr(other, one.name) for one in fields(self)})

    def times(self, factor: float) -> "Tally":
        """The same, for `factor` alike endpoints; what was played stays."""
        kept = ("played", "windows")
        scaled = {one.name: getattr(self, one.name) * factor for one in fields(self) if one.name not in kept}
        return Tally(played=self.played, windows=tuple(one * factor for one in self.windows), **scaled)

    @property
    def answered(self) -> float:
        """Requests that got an answer."""
        return float(self.warm.sum() + self.cold.sum())

    @property
    def starts(self) -> float:
        """Answers that met a cold start or a miss."""
        return float(self.cold.sum())


class Counting:
    """Answers that are counted stream by stream."""

    def __init__(self) -> None:
        self._hists = np.zeros((2, BLOCKS, BINS))  # warm and cold
        self._running = [np.zeros(BINS)]  # totals after each stream
        self._fates = np.zeros(FATES)
        self._busy_s = self._starting_s = 0.0
        self._played = 0

    def add(self, stream: Stream, answers: Answers) -> None:
        """Count the answers of a stream, in equal parts; its lead is left out."""
        count_answers(answers.latency_s, answers.fate, stream.lead, float(stream.weight), self._hists, self._fates)
        self._running.append(self._hists.sum(axis=(0, 1)))
        self._busy_s += answers.busy_s * stream.weight
        self._starting_s += answers.starting_s * stream.weight
        self._played += stream.offered

    def tally(self, *, instance_hours: float = 0.0, slots: int = 0, held_s: float = 0.0) -> Tally:
        """What was counted. Paid are the slots of the instances; without any, work, starting and what is held ready."""
        used_s = self._busy_s + self._starting_s
        return Tally(
            warm=self._hists[0],
            cold=self._hists[1],
            offered=float(self._fates.sum()),
            refused=float(self._fates[REFUSED]),
            timed_out=float(self._fates[TIMED_OUT]),
            busy_s=self._busy_s,
            paid_s=instance_hours * 3600 * slots if slots else used_s + held_s,
            starting_s=self._starting_s,
            instance_hours=instance_hours,
            played=float(self._played),
            windows=(np.diff(np.array(self._running), axis=0),),
        )


def _examples() -> list[Arguments]:
    hists, fates = np.zeros((2, BLOCKS, BINS)), np.zeros(FATES)
    return [(np.zeros(2, dtype=np.float32), np.zeros(2, dtype=np.uint8), 0, 1.0, hists, fates)]


@compiled(_examples, allocates=False)
def count_answers(latency_s: Float32, fate: UInt8, lead: int, weight: float, hists: Float64, fates: Float64) -> None:
    """Add each request after the lead to its fate, and each answer to the histogram of its block."""
    counted = fate.size - lead
    for i in range(counted):
        what = fate[lead + i]
        fates[what] += weight
        if what == SERVED:
            hists[0, i * BLOCKS // counted, bin_of(latency_s[lead + i])] += weight
        elif what == COLD:
            hists[1, i * BLOCKS // counted, bin_of(latency_s[lead + i])] += weight
