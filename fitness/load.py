"""How much arrives when: the month as a few levels of load, each with its hours.

Shapes: `rps` and `hours` are (draws, levels); the hours of a draw sum to 730.
Formulas: docs/background.md#load.
"""

import math
from dataclasses import dataclass

import numpy as np

from fitness.arrays import Array
from fitness.inputs import HOURS_PER_MONTH, Traffic

LEVELS = 12
WEEKEND_RATIO = 0.7  # a weekend day over a weekday; dropped where the peak leaves no room for it
SPIKE_HOURS_RATIO = 0.02  # share of active hours at the peak, spiky traffic
BURST_HOURS_RATIO = 0.1  # share of active hours at the peak, intermittent traffic
BUSY_HOURS_RATIO = 0.01  # share of active hours at the peak, steady traffic
SMALLEST_STEP, LARGEST_STEP = 1.5, 5.0
SHORTEST_JOB_S = 600.0
LONGEST_JOB_S = 4 * 3600.0
_POWERS = np.concatenate([[0.0], np.geomspace(1e-3, 2e4, 400)])
_RATIOS = np.array([math.sqrt(math.pi) * math.exp(math.lgamma(q + 1) - math.lgamma(q + 0.5)) for q in _POWERS])


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """The month as levels of load."""

    rps: Array  # requests per second at a level, (draws, levels)
    hours: Array  # hours of the month at that level, (draws, levels)
    peak_rps: Array  # busiest minute, (draws,)
    is_sudden: bool  # bursts come faster than an instance starts

    @property
    def requests(self) -> Array:
        """Requests in the month at each level, (draws, levels)."""
        return self.rps * self.hours * 3600

    @property
    def active_rps(self) -> Array:
        """Mean rate of the hours with requests, (draws,)."""
        active = np.sum(np.where(self.rps > 0, self.hours, 0), axis=1)
        mean: Array = np.sum(self.rps * self.hours, axis=1) / np.maximum(active, 1e-12)
        return mean

    @property
    def spells(self) -> Array:
        """Times in an hour with requests that it begins after an idle one, (draws, levels): hours fall at random."""
        idle = np.sum(np.where(self.rps > 0, 0.0, self.hours), axis=1) / np.sum(self.hours, axis=1)
        return np.where(self.rps > 0, idle[:, None], 0.0)

    @property
    def step(self) -> Array:
        """How many times the usual load a rise is that this workload can make, 1.5 to 5, (draws,)."""
        return np.clip(self.peak_rps / np.maximum(self.active_rps, 1e-12), SMALLEST_STEP, LARGEST_STEP)

    @property
    def active_hours(self) -> Array:
        """Hours of the month with requests, (draws,)."""
        hours: Array = np.sum(np.where(self.rps > 0, self.hours, 0), axis=1)
        return hours


def of(traffic: Traffic, *, job_s: Array | None = None) -> Load:
    """Give the load of a workload; scheduled records are sent evenly over `job_s` seconds of each job."""
    if traffic.is_scheduled:
        if job_s is None:
            msg = "scheduled work needs the length of a job"
            raise ValueError(msg)
        return _scheduled(traffic, job_s)
    if traffic.trace is not None:
        return _traced(traffic)
    active = 1 - traffic.idle_ratio
    mean = traffic.rps_mean / active
    peak = np.maximum(traffic.rps_peak, mean)
    if traffic.pattern in ("diurnal", None):
        rps, share = _diurnal(mean, peak)
    else:
        most = {"spiky": SPIKE_HOURS_RATIO, "intermittent": BURST_HOURS_RATIO}.get(
            traffic.pattern or "", BUSY_HOURS_RATIO
        )
        rps, share = _two_levels(mean, peak, most)
    rps = np.concatenate([rps, np.zeros((rps.shape[0], 1))], axis=1)
    share = np.concatenate([share * active[:, None], traffic.idle_ratio[:, None]], axis=1)
    sudden = traffic.pattern in ("spiky", "intermittent") or (
        traffic.pattern is None and bool(np.any(traffic.idle_ratio > 0))
    )
    return Load(rps=rps, hours=share * HOURS_PER_MONTH, peak_rps=peak, is_sudden=sudden)


def _two_levels(mean: Array, peak: Array, most: float) -> tuple[Array, Array]:
    share = np.minimum(most, 0.5 * mean / np.maximum(peak, 1e-12))
    base = (mean - share * peak) / (1 - share)
    return np.stack([base, peak], axis=1), np.stack([1 - share, share], axis=1)


def _diurnal(mean: Array, peak: Array) -> tuple[Array, Array]:
    """A day as ((1 + cos) / 2) ** q, whose peak over mean is sqrt(pi) gamma(q + 1) / gamma(q + 1/2)."""
    weekday = mean * 7 / (5 + 2 * WEEKEND_RATIO)
    has_week = weekday < peak
    weekday = np.where(has_week, weekday, mean)
    weekend = np.where(has_week, WEEKEND_RATIO * weekday, mean)
    ratio = peak / np.maximum(weekday, 1e-12)
    power = np.interp(ratio, _RATIOS, _POWERS)
    # Levels by equal probability, finer at the peak: the middle of each slice of the half day.
    edges = np.linspace(0, 1, LEVELS + 1) ** 1.5
    middle = (edges[1:] + edges[:-1]) / 2
    width = np.diff(edges)
    shape = ((1 + np.cos(np.pi * middle))[None, :] / 2) ** power[:, None]
    shape = np.maximum(shape, 1e-9)  # the night is quiet, not idle
    shape /= np.sum(shape * width, axis=1, keepdims=True)
    rps = np.concatenate([weekday[:, None] * shape, weekend[:, None] * shape], axis=1)
    share = np.concatenate([width * 5 / 7, width * 2 / 7])
    return rps, np.broadcast_to(share, rps.shape).copy()


def _scheduled(traffic: Traffic, job_s: Array) -> Load:
    rps = traffic.records_per_job / job_s
    hours = np.minimum(traffic.jobs_per_month * job_s / 3600, HOURS_PER_MONTH)
    levels = np.stack([rps, np.zeros_like(rps)], axis=1)
    return Load(rps=levels, hours=np.stack([hours, HOURS_PER_MONTH - hours], axis=1), peak_rps=rps, is_sudden=False)


def _traced(traffic: Traffic) -> Load:
    trace = traffic.trace
    assert trace is not None  # noqa: S101 the caller chose this branch
    hourly = np.asarray(trace.hourly_rps, dtype=np.float64)
    lasts = np.full(hourly.size, 60.0)
    lasts[-1] = trace.counts.size - 60 * (hourly.size - 1)  # minutes: the last hour may be shorter or longer
    order = np.argsort(hourly, kind="stable")
    hourly, lasts = hourly[order], lasts[order] / trace.counts.size
    idle = hourly <= 0
    parts = [part for part in np.array_split(np.flatnonzero(~idle), 2 * LEVELS) if part.size]
    levels = [float(np.average(hourly[part], weights=lasts[part])) for part in parts]
    shares = [float(np.sum(lasts[part])) for part in parts]
    size = traffic.rps_mean.size
    rps = np.tile(np.array([*levels, 0.0]), (size, 1))
    hours = np.tile(np.array([*shares, float(np.sum(lasts[idle]))]) * HOURS_PER_MONTH, (size, 1))
    sudden = bool(np.any(traffic.rps_peak > 4 * np.max(rps, axis=1)))
    return Load(rps=rps, hours=hours, peak_rps=traffic.rps_peak, is_sudden=sudden)
