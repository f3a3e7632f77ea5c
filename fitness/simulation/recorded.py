"""The requests of a recording, one by one: its own times where it has them, else spread within what a row stands for.

Counts hide bursts: whether requests come evenly within their minute or at random times is a choice, and a stream says
which was made.
"""

from dataclasses import dataclass
from enum import StrEnum
from weakref import WeakKeyDictionary

import numpy as np

from fitness.arrays import Array
from fitness.simulation.arrays import Int32, Int64
from fitness.simulation.months import whole_counts
from fitness.trace import Rows, Trace


class Spread(StrEnum):
    """Where the requests of one count lie in its time."""

    POISSON = "poisson"  # at times drawn at random, as requests of many independent callers do
    EVEN = "even"  # at equal distances: the calmest that they can be


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Totals:
    """How many requests of a recording come before any time, as finely as its rows tell."""

    starts_s: Array  # (times,), different ones, sorted
    before: Array  # requests before each of them, and in all: (times + 1,)
    width_s: float  # that the requests of a time are spread over

    @staticmethod
    def of(rows: Rows) -> "Totals":
        """The totals of rows; kept as long as the rows are."""
        found = _TOTALS.get(rows)
        if found is None:
            found = _TOTALS[rows] = Totals._counted(rows)
        return found

    @staticmethod
    def _counted(rows: Rows) -> "Totals":
        heads = np.flatnonzero(np.diff(rows.time_s, prepend=-np.inf) > 0)
        first = heads if rows.count is None else np.concatenate([[0], np.cumsum(rows.count)])[heads]
        in_all = rows.time_s.size if rows.count is None else int(rows.count.sum())
        return Totals(
            starts_s=rows.time_s[heads], before=np.append(first, in_all).astype(np.float64), width_s=rows.width_s
        )

    def until(self, at_s: float) -> float:
        """Requests before a time."""
        place = int(np.searchsorted(self.starts_s, at_s)) - 1
        if place < 0:
            return 0.0
        share = min((at_s - self.starts_s[place]) / self.width_s, 1.0) if self.width_s else 1.0
        return float(self.before[place] + share * (self.before[place + 1] - self.before[place]))

    def when(self, requests: float) -> float:
        """The time by which so many have come; infinite if there are not more."""
        place = int(np.searchsorted(self.before, requests, side="right")) - 1
        if place >= self.starts_s.size:
            return np.inf
        share = (requests - self.before[place]) / (self.before[place + 1] - self.before[place])
        return float(self.starts_s[place] + share * self.width_s)


_TOTALS: WeakKeyDictionary[Rows, Totals] = WeakKeyDictionary()


def requests_between(
    trace: Trace, start_s: float, end_s: float, *, spread: Spread, rng: np.random.Generator
) -> tuple[Array, Int32 | None]:
    """Give the times of the requests from `start_s` on and before `end_s`, in order, and the model of each.

    Times count from the start of the recording's first minute. A count whose time reaches over an end gives the part
    that lies inside.
    """
    rows = trace.rows
    if rows is None:
        first, last = int(start_s // 60), min(int(np.ceil(end_s / 60)), trace.counts.size)
        return spread_within(
            np.arange(first, last, dtype=np.float64) * 60,
            whole_counts(trace.counts)[first:last].astype(np.int64),
            None,
            width_s=60.0,
            inside=(start_s, end_s),
            spread=spread,
            rng=rng,
        )
    first = int(np.searchsorted(rows.time_s, start_s - rows.width_s, side="right" if rows.width_s else "left"))
    last = int(np.searchsorted(rows.time_s, end_s, side="left"))
    times = rows.time_s[first:last]
    models = None if rows.model is None else rows.model[first:last]
    if rows.width_s == 0:
        return times, models
    counts = np.ones(times.size, dtype=np.int64) if rows.count is None else rows.count[first:last]
    return spread_within(times, counts, models, width_s=rows.width_s, inside=(start_s, end_s), spread=spread, rng=rng)


def spread_within(
    starts_s: Array,
    counts: Int64,
    models: Int32 | None,
    *,
    width_s: float,
    inside: tuple[float, float],
    spread: Spread,
    rng: np.random.Generator,
) -> tuple[Array, Int32 | None]:
    """Give the requests of rows that each stand for `width_s` seconds, as far as they lie inside, in order.

    Shape: `starts_s` (rows,), sorted; rows with the same start share their time, whatever their model.
    """
    if not starts_s.size:
        return np.zeros(0), None if models is None else np.zeros(0, dtype=np.int32)
    heads = np.flatnonzero(np.diff(starts_s, prepend=-np.inf) > 0)
    starts, totals = starts_s[heads], np.add.reduceat(counts, heads)
    left, right = np.maximum(starts, inside[0]), np.minimum(starts + width_s, inside[1])
    share = np.clip((right - left) / width_s, 0.0, 1.0)
    if spread is Spread.EVEN:
        # The k-th of n lies at (k + 1/2) / n of the width.
        first = np.ceil(np.maximum((left - starts) / width_s * totals - 0.5, 0.0)).astype(np.int64)
        after = np.ceil(np.clip((right - starts) / width_s, 0.0, 1.0) * totals - 0.5).astype(np.int64)
        within = np.maximum(after - first, 0)
        step = width_s / np.maximum(totals, 1)
        rank = np.arange(within.sum()) - np.repeat(np.cumsum(within) - within, within)
        times = np.repeat(starts + (first + 0.5) * step, within) + rank * np.repeat(step, within)
    else:
        within = np.where(share >= 1, totals, rng.binomial(totals, share))
        times = np.repeat(left, within) + rng.random(int(within.sum())) * np.repeat(right - left, within)
        times = np.minimum(np.sort(times), np.nextafter(inside[1], -np.inf))
    if models is None:
        return times, None
    return times, _shuffled(models, counts, heads, within, rng)


def _shuffled(models: Int32, counts: Int64, heads: Int64, within: Int64, rng: np.random.Generator) -> Int32:
    """The models of the requests of each time, in random order."""
    totals = np.add.reduceat(counts, heads)
    kept = counts.copy()
    ends = np.append(heads[1:], counts.size)
    for at in np.flatnonzero(within < totals):  # where only a part lies inside: at most the times of the two ends
        rows = slice(heads[at], ends[at])
        kept[rows] = rng.multinomial(within[at], counts[rows] / totals[at])
    at_row = np.repeat(np.arange(heads.size), ends - heads)
    key = np.repeat(at_row, kept) + rng.random(int(kept.sum()))
    shuffled: Int32 = np.repeat(models, kept)[np.argsort(key)]
    return shuffled
