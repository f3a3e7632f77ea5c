"""Time series of a request and how they are combined."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Self

import numpy as np

from sandbox.metrics import Dimensions
from sandbox.services.cloudwatch.expressions import ExpressionError
from sandbox.services.cloudwatch.samples import Floats, Integers
from sandbox.services.cloudwatch.statistics import Points


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """The metric and statistic that a line shows."""

    namespace: str
    name: str
    dimensions: Dimensions
    statistic: str
    unit: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One time series: ascending times in epoch seconds, the value at each, and what it is called.

    `source` is None for the result of a computation.
    """

    times: Integers
    values: Floats
    period: int
    label: str
    source: Source | None = None

    @classmethod
    def of(cls, points: Points, *, period: int, label: str, source: Source | None = None) -> Self:
        """Draw a line through points."""
        return cls(times=points.times, values=points.values, period=period, label=label, source=source)

    def labelled(self, label: str) -> "Line":
        """Give the same line under another name."""
        return replace(self, label=label)

    def to(self, values: Floats) -> "Line":
        """Give a computed line of the same times without the points that have no number."""
        return self.at(self.times, values)

    def at(self, times: Integers, values: Floats) -> "Line":
        """Give a computed line of other times without the points that have no number."""
        there = np.isfinite(values)
        return replace(self, times=times[there], values=values[there], source=None)

    def over(self, times: Integers, missing: float) -> Floats:
        """Read the values at some ascending times; `missing` stands where there is none."""
        values = np.full(len(times), missing)
        _, here, there = np.intersect1d(times, self.times, assume_unique=True, return_indices=True)
        values[here] = self.values[there]
        return values


Value = float | Line | list[Line]


def every_time(lines: Sequence[Line]) -> Integers:
    """Give the times at which any of some lines has a point."""
    if not lines:
        return np.array([], dtype=np.int64)
    return np.unique(np.concatenate([line.times for line in lines]))


def apply(function: Callable[[Floats], Floats], value: Value) -> Value:
    """Apply a function to each point."""
    if isinstance(value, list):
        return [line.to(function(line.values)) for line in value]
    if isinstance(value, Line):
        return value.to(function(value.values))
    return float(function(np.array(value)))


def combine(function: Callable[[Floats, Floats], Floats], left: Value, right: Value) -> Value:
    """Apply an operator to two operands point by point.

    A point that one of two lines lacks counts as 0; a point without a result, such as n/0, is left out.
    Raises: ExpressionError for two arrays.
    """
    if isinstance(left, list):
        if isinstance(right, list):
            raise ExpressionError("an operator can't have an array of time series on both sides")
        return [_line(combine(function, one, right)) for one in left]
    if isinstance(right, list):
        return [_line(combine(function, left, one)) for one in right]
    if isinstance(left, Line) and isinstance(right, Line):
        times = every_time([left, right])
        line = replace(left, period=min(left.period, right.period))
        return line.at(times, function(left.over(times, 0.0), right.over(times, 0.0)))
    if isinstance(left, Line):
        return left.to(function(left.values, np.array(right)))
    if isinstance(right, Line):
        return right.to(function(np.array(left), right.values))
    return float(function(np.array(left), np.array(right)))


def _line(value: Value) -> Line:
    assert isinstance(value, Line)  # noqa: S101 (a line combined with a line or number is a line)
    return value


def reduce_lines(function: Callable[[Floats], Floats], lines: list[Line], *, period: int) -> Line:
    """Make one line of many by a function that takes a table, a row per line, NaN for a missing point."""
    times = every_time(lines)
    table = np.vstack([line.over(times, np.nan) for line in lines]) if lines else np.empty((0, 0))
    values = function(table) if len(times) else np.array([])
    shortest = min((line.period for line in lines), default=period)
    empty = Line(times=times, values=np.array([]), period=shortest, label="")
    return empty.at(times, values)
