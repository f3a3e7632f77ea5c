"""Latencies as counts per bin: what the kernels fill, and what is read from it.

A bin is the upper 16 bits of a latency's 32-bit float: an exponent and 7 bits of the fraction, so a bin is 0.4 to
0.8 % wide and its middle within 0.4 % of what fell into it. Histograms of the same stream add up.
Shape: BINS counts. Units: seconds, from 2**-20 (a microsecond) to 2**20 (twelve days); what lies outside goes into
the first or the last bin.
"""

import math
from collections.abc import Sequence

import numpy as np

from fitness.simulation.arrays import Float32, Float64, Int64
from fitness.simulation.compiled import Arguments, compiled

_OCTAVES = 20
_FIRST = (127 - _OCTAVES) << 7  # upper bits of 2**-20: the exponent's offset is 127
_INFINITY = 0x7F800000  # bits; greater ones are no numbers
# 97.5th percentile of Student's t with 1, 2, ... degrees of freedom, any table; the last stands for more.
_STUDENT_975 = (
    12.706,
    4.303,
    3.182,
    2.776,
    2.571,
    2.447,
    2.365,
    2.306,
    2.262,
    2.228,
    2.201,
    2.179,
    2.160,
    2.145,
    2.131,
)
_FEWEST_WINDOWS = 4  # of which something can be said
BINS = 2 * _OCTAVES << 7

LOWER: Float64 = ((np.arange(BINS, dtype=np.int32) + _FIRST) << 16).view(np.float32).astype(np.float64)
UPPER: Float64 = np.append(LOWER[1:], 2.0**_OCTAVES)
VALUES: Float64 = (LOWER + UPPER) / 2
for _edges in (LOWER, UPPER, VALUES):
    _edges.setflags(write=False)


@compiled(allocates=False)
def bin_of(seconds: float) -> int:
    """The bin of a latency."""
    upper_bits = int(np.float32(seconds).view(np.int32)) >> 16
    return min(max(upper_bits - _FIRST, 0), BINS - 1)


def empty() -> Int64:
    """A histogram without counts."""
    return np.zeros(BINS, dtype=np.int64)


Hist = Int64 | Float64  # counts, or counts weighted by what a stream stands for


def count(hist: Hist) -> float:
    """How many latencies a histogram holds."""
    return float(hist.sum())


def mean(hist: Hist) -> float:
    """Mean latency in seconds; NaN for an empty histogram."""
    total = count(hist)
    return float(hist @ VALUES) / total if total else float("nan")


def percentile(hist: Hist, probability: float) -> float:
    """Latency in seconds that a share `probability` stays under, even within a bin; NaN for an empty histogram.

    >>> hist = empty()
    >>> hist[bin_of(0.25)] = 100
    >>> 0.25 <= percentile(hist, 0.5) < 0.252
    True
    """
    below = np.cumsum(hist)
    if below[-1] <= 0:
        return float("nan")
    rank = probability * below[-1]
    at = min(int(np.searchsorted(below, rank)), BINS - 1)
    at += int(np.argmax(hist[at:] > 0))  # a probability of 0 is the lower end of the first bin in use
    inside = (rank - (below[at] - hist[at])) / hist[at]
    return float(LOWER[at] + inside * (UPPER[at] - LOWER[at]))


def band(hists: Hist, probability: float, windows: Sequence[Hist] = ()) -> tuple[float, float, float]:
    """Lower end, value and upper end of the 95 % band of a percentile, from blocks of one stream, (blocks, BINS).

    Each block is left out in turn (the jackknife), on logarithms, since latencies spread upwards: near full load a
    block alone is too short to show its percentile, the stream without it is not. Where the stream is made of
    windows, given for each endpoint in the order of their load as (windows, BINS), the band also holds the luck of
    where they lie. NaN where nothing is counted; the ends are 0 and infinity where fewer than two blocks have
    latencies.
    Source: docs/accuracy.md#bands (how often the band covers the truth).
    """
    whole = hists.sum(axis=0)
    value = percentile(whole, probability)
    blocks = hists[hists.sum(axis=1) > 0]
    if len(blocks) < 2:
        return (0.0, value, math.inf) if len(blocks) else (value, value, value)
    without = [percentile(whole - block, probability) for block in blocks]
    parts = len(blocks) * math.log(value) - (len(blocks) - 1) * np.log(without)
    half = _student(len(blocks) - 1) * float(np.std(parts, ddof=1)) / math.sqrt(len(blocks))
    luck = _luck_of_windows(windows, value, probability) / count(whole)
    low = percentile(whole, max(probability - luck, 0.0))
    high = percentile(whole, min(probability + luck, 1.0))
    return min(value * math.exp(-half), low), value, max(value * math.exp(half), high)


def _luck_of_windows(windows: Sequence[Hist], value: float, probability: float) -> float:
    """Half the 95 % band of how many answers are within `value`, by how windows differ from those beside them.

    What a straight line through three neighbours explains is their load and no luck, so second differences are taken.
    Source: K. M. Wolter, "An Investigation of Some Estimators of Variance for Systematic Sampling", Journal of the
    American Statistical Association 79, 1984, estimator 4.
    """
    variance, freedom = 0.0, 0
    for hists in windows:
        if len(hists) < _FEWEST_WINDOWS:
            continue
        at = max(int(np.searchsorted(LOWER, value, side="right")) - 1, 0)
        inside = (value - LOWER[at]) / (UPPER[at] - LOWER[at])
        beyond = hists[:, :at].sum(axis=1) + inside * hists[:, at] - probability * hists.sum(axis=1)
        bends = beyond[:-2] - 2 * beyond[1:-1] + beyond[2:]
        variance += len(hists) / (6 * len(bends)) * float(bends @ bends)
        freedom += len(bends)
    return _student(freedom) * math.sqrt(variance) if freedom else 0.0


def _student(freedom: int) -> float:
    return _STUDENT_975[min(freedom, len(_STUDENT_975)) - 1]


def by_interval(arrivals: Float64, latency_s: Float32, *, start_s: float, width_s: float, intervals: int) -> Int64:
    """A histogram for each interval of arrival, (intervals, BINS); requests without a latency (NaN) are left out."""
    hists = np.zeros((intervals, BINS), dtype=np.int64)
    _fill_by_interval(
        np.ascontiguousarray(arrivals, dtype=np.float64),
        np.ascontiguousarray(latency_s, dtype=np.float32),
        float(start_s),
        float(width_s),
        hists,
    )
    return hists


def _examples() -> list[Arguments]:
    return [(np.zeros(2), np.zeros(2, dtype=np.float32), 0.0, 1.0, np.zeros((1, BINS), dtype=np.int64))]


@compiled(_examples, allocates=False)
def _fill_by_interval(arrivals: Float64, latency_s: Float32, start_s: float, width_s: float, hists: Int64) -> None:
    for i in range(arrivals.size):
        interval = int((arrivals[i] - start_s) / width_s)
        # NaN is told by its bits, as the fast arithmetic assumes that there is none.
        is_number = np.float32(latency_s[i]).view(np.int32) <= _INFINITY
        if is_number and arrivals[i] >= start_s and interval < hists.shape[0]:
            hists[interval, bin_of(latency_s[i])] += 1
