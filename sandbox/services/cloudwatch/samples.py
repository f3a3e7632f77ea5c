"""Samples of a metric as arrays, cut into periods."""

from dataclasses import dataclass
from typing import Self

import numpy as np
import numpy.typing as npt

from sandbox.metrics import Stored

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]

MINUTE, HOUR, DAY = 60, 3_600, 86_400

# How long which periods can be read. GetMetricData, API reference, read 2026-11-21.
_KEPT_S = ((MINUTE, 3 * HOUR), (5 * MINUTE, 15 * DAY), (HOUR, 63 * DAY))
_KEPT_AT_ALL_S = 455 * DAY


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """Periods of equal length that follow on each other from `start`; the last may end after `end`. In seconds."""

    start: int
    end: int
    period: int
    earliest: int  # older samples can't be read with this period any more

    @classmethod
    def of(cls, start: float, end: float, period: int, *, now: float) -> Self:
        """Round the start of a request as CloudWatch does; its periods begin there."""
        age = now - start
        step = MINUTE if age < 15 * DAY else 5 * MINUTE if age < 63 * DAY else HOUR
        if period < MINUTE:
            step = period
        kept = next((kept for multiple, kept in _KEPT_S if period % multiple), _KEPT_AT_ALL_S)
        # A period that was kept when the window began is kept as a whole.
        return cls(start=int(start // step * step), end=-int(-end // 1), period=period, earliest=int(now) - kept)

    @property
    def count(self) -> int:
        """The number of periods that begin before the end."""
        return max(0, -((self.start - self.end) // self.period))

    @property
    def times(self) -> Integers:
        """When each period begins, in epoch seconds."""
        return self.start + self.period * np.arange(self.count, dtype=np.int64)


@dataclass(frozen=True, slots=True, kw_only=True)
class Samples:
    """Values with their number of occurrences and time, and summaries of values that were never sent one by one.

    Shape: `times`, `values`, `counts` have one entry per sample; `summaries` one row per summary, with time, number
    of samples, sum, lowest and highest.
    """

    times: Integers
    values: Floats
    counts: Floats
    summaries: Floats

    @classmethod
    def unpack(cls, stored: Stored) -> Self:
        """Take the rows of the store apart."""
        pairs = np.frombuffer(b"".join(blob for _, blob in stored.rows), dtype="<f8").reshape(-1, 2)
        sizes = np.fromiter((len(blob) // 16 for _, blob in stored.rows), dtype=np.int64, count=len(stored.rows))
        minutes = np.fromiter((minute for minute, _ in stored.rows), dtype=np.int64, count=len(stored.rows))
        return cls(
            times=np.repeat(minutes, sizes),
            values=pairs[:, 0],
            counts=pairs[:, 1],
            summaries=np.array(stored.summaries, dtype=np.float64).reshape(-1, 5),
        )
