"""The statistics of CloudWatch, per period.

Percentiles are values that occurred: pNN is the smallest value such that NN % of the samples are not above it, the
highest of what is left when the top is cut off. CloudWatch does not publish how it interpolates.
Source: CloudWatch user guide, "CloudWatch statistics definitions", read 2026-11-21.
"""

import re
from dataclasses import dataclass
from typing import Final

import numpy as np

from sandbox.services.cloudwatch.samples import Floats, Integers, Samples, Window

SIMPLE: Final = ("SampleCount", "Sum", "Average", "Minimum", "Maximum")

_NUMBER: Final = r"\d+(?:\.\d{1,10})?"
_SHORT: Final = re.compile(rf"(p|tm|tc|ts|wm)({_NUMBER})")
_RANGE: Final = re.compile(rf"(TM|TC|TS|WM|PR)\(({_NUMBER})?(%?):({_NUMBER})?(%?)\)")
# What rounding may add to a rank, relative to it: far above the error of a double, far below one sample.
_ROUNDING: Final = 1e-12


class UnknownStatistic(ValueError):
    """A text that names no statistic."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Statistic:
    """A statistic by its kind and bounds.

    `kind` is one of SIMPLE or p (percentile), TM, TC, TS (mean, count, sum between the bounds), WM (mean with the
    outer values moved to the bounds), PR (percentage between the bounds). Bounds are percentages of the samples or
    values; None is an open side.
    """

    kind: str
    low: float | None = None
    high: float | None = None
    percent: bool = False

    @property
    def needs_samples(self) -> bool:
        """Whether it needs the values one by one."""
        return self.kind not in SIMPLE


@dataclass(frozen=True, slots=True, kw_only=True)
class Points:
    """Times in epoch seconds, ascending, and the value at each."""

    times: Integers
    values: Floats


def parse_statistic(text: str) -> Statistic:
    """Read the name of a statistic. Raises: UnknownStatistic.

    >>> parse_statistic("TM(10%:90%)")
    Statistic(kind='TM', low=10.0, high=90.0, percent=True)
    """
    if text in SIMPLE:
        return Statistic(kind=text)
    if text == "IQM":
        return Statistic(kind="TM", low=25.0, high=75.0, percent=True)
    if (short := _SHORT.fullmatch(text)) and float(short[2]) <= 100:
        kind = short[1] if short[1] == "p" else short[1].upper()
        return Statistic(kind=kind, high=float(short[2]), percent=True)
    if found := _RANGE.fullmatch(text):
        kind, low, low_percent, high, high_percent = found.groups()
        units = {sign for bound, sign in ((low, low_percent), (high, high_percent)) if bound is not None}
        stray = (low is None and low_percent) or (high is None and high_percent)
        percent = units == {"%"}
        bounds = [None if bound is None else float(bound) for bound in (low, high)]
        known = [bound for bound in bounds if bound is not None]
        fits = not percent or (kind != "PR" and all(0 <= bound <= 100 for bound in known))
        if len(units) == 1 and not stray and fits and known == sorted(known):
            return Statistic(kind=kind, low=bounds[0], high=bounds[1], percent=percent)
    raise UnknownStatistic(text)


def compute(samples: Samples, statistic: Statistic, window: Window) -> Points:
    """Compute a statistic in each period of a window; a period without samples has no point.

    Statistics that need the samples have no point either in a period with a negative value or with a summary whose
    values can't be told.
    """
    first = max(window.start, window.earliest)
    inside = (samples.times >= first) & (samples.times < window.end)
    values, counts = samples.values[inside], samples.counts[inside]
    summarised = samples.summaries[:, 0]
    summaries = samples.summaries[(summarised >= first) & (summarised < window.end)]
    # Periods are numbered among those that have data, since a window may have very many that have none.
    everywhere = np.concatenate([samples.times[inside], summaries[:, 0].astype(np.int64)])
    there, numbers = np.unique((everywhere - window.start) // window.period, return_inverse=True)
    periods, summary_periods = numbers[: len(values)], numbers[len(values) :]
    count = len(there)
    if statistic.needs_samples:
        unusable = np.zeros(count, dtype=bool)
        unusable[summary_periods] = True
        unusable[periods[values < 0]] = True
        usable = ~unusable[periods]
        result = _of_samples(periods[usable], values[usable], counts[usable], statistic, count)
    else:
        result = _simple(periods, values, counts, summary_periods, summaries, statistic.kind, count)
    known = ~np.isnan(result)
    return Points(times=window.start + window.period * there[known], values=result[known])


def _sums(periods: Integers, amounts: Floats, count: int) -> Floats:
    """Add up the amounts of each period."""
    return np.bincount(periods, amounts, count).astype(np.float64)


def _simple(
    periods: Integers,
    values: Floats,
    counts: Floats,
    summary_periods: Integers,
    summaries: Floats,
    kind: str,
    count: int,
) -> Floats:
    if kind in {"Minimum", "Maximum"}:
        extreme = np.full(count, np.inf if kind == "Minimum" else -np.inf)
        better = np.minimum if kind == "Minimum" else np.maximum
        better.at(extreme, periods, values)
        better.at(extreme, summary_periods, summaries[:, 3 if kind == "Minimum" else 4])
        return np.where(np.isinf(extreme), np.nan, extreme)
    number = _sums(periods, counts, count) + _sums(summary_periods, summaries[:, 1], count)
    total = _sums(periods, values * counts, count) + _sums(summary_periods, summaries[:, 2], count)
    number[number == 0] = np.nan
    if kind == "SampleCount":
        return number
    return total / number if kind == "Average" else np.where(np.isnan(number), np.nan, total)


def _of_samples(periods: Integers, values: Floats, counts: Floats, statistic: Statistic, count: int) -> Floats:
    order = np.lexsort((values, periods))
    periods, values, counts = periods[order], values[order], counts[order]
    size = _sums(periods, counts, count)
    size[size == 0] = np.nan
    if statistic.percent:
        return _between_ranks(periods, values, counts, statistic, size)
    low = -np.inf if statistic.low is None else statistic.low
    high = np.inf if statistic.high is None else statistic.high
    kept = counts * ((values > low) & (values <= high))
    if statistic.kind == "WM":
        return _sums(periods, np.clip(values, low, high) * counts, count) / size
    if statistic.kind == "PR":
        return 100 * _sums(periods, kept, count) / size
    return _trimmed(statistic.kind, _sums(periods, kept, count), _sums(periods, kept * values, count), size)


def _between_ranks(periods: Integers, values: Floats, counts: Floats, statistic: Statistic, size: Floats) -> Floats:
    """Statistics whose bounds are percentages; samples come sorted within their periods."""
    here = size[periods]
    before = np.concatenate([[0.0], np.cumsum(np.nan_to_num(size))])[:-1]
    # The ranks that a value occupies among the samples of its period: (first, last].
    last = np.cumsum(counts) - before[periods]
    first = last - counts
    low = (0.0 if statistic.low is None else statistic.low) * here / 100
    high = (100.0 if statistic.high is None else statistic.high) * here / 100
    count = len(size)
    if statistic.kind == "p":
        result = np.full(count, np.nan)
        result[periods] = values  # of several values for one period the last stays: its highest
        # Backwards, so that the first value that reaches the rank is the one that stays.
        reached = np.flatnonzero(last >= high * (1 - _ROUNDING))[::-1]
        result[periods[reached]] = values[reached]
        return result
    # A sample is kept or not, never a part of it.
    lowest, highest = np.floor(low * (1 + _ROUNDING)), np.ceil(high * (1 - _ROUNDING))
    kept = np.clip(last, lowest, highest) - np.clip(first, lowest, highest)
    if statistic.kind == "WM":
        below = np.clip(lowest - first, 0, counts)
        edge_low, edge_high = np.full(count, np.inf), np.full(count, -np.inf)
        np.minimum.at(edge_low, periods[kept > 0], values[kept > 0])
        np.maximum.at(edge_high, periods[kept > 0], values[kept > 0])
        nothing_left = np.isinf(edge_low)
        edge_low[nothing_left] = edge_high[nothing_left] = np.nan
        moved = np.where(kept > 0, kept * values, 0.0)
        moved += np.where(below > 0, below * edge_low[periods], 0.0)
        over = counts - kept - below
        moved += np.where(over > 0, over * edge_high[periods], 0.0)
        return _sums(periods, moved, count) / size
    return _trimmed(statistic.kind, _sums(periods, kept, count), _sums(periods, kept * values, count), size)


def _trimmed(kind: str, number: Floats, total: Floats, size: Floats) -> Floats:
    """Mean, count or sum of what was kept; no mean of nothing, and no count where there was no sample."""
    if kind == "TM":
        number[number == 0] = np.nan
        return total / number
    return np.where(np.isnan(size), np.nan, number if kind == "TC" else total)
