"""The month minute by minute: when requests come, from a declared pattern or from a recording.

A declared daily pattern is four whole weeks, scheduled work whole periods of its jobs, a recording its own minutes;
each hour then stands for `weight` hours of a month of 730.
What is assumed where only a pattern is declared: docs/simulation.md#months.
"""

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from fitness import load as loads
from fitness.analytic.served import job_seconds
from fitness.arrays import Array
from fitness.inputs import HOURS_PER_MONTH, Inputs
from fitness.simulation import randomness
from fitness.simulation.rules import MINUTES_PER_WEEK

DAY = 24 * 60
WEEKS = 4
BURST_MINUTES = 10.0  # a burst of spiky or intermittent traffic, and the busy time of steady traffic
BUSIEST_MINUTE = 14 * 60  # of the day, in UTC
LONGEST_PERIOD = 5 * 7 * DAY  # minutes that are walked of a longer time between two jobs


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Month:
    """Requests by the minute.

    Shape: (minutes,), read-only. `counts` are whole requests: what the platform's metric of a minute would count.
    """

    rps: Array  # expected requests per second in the minute
    counts: Array
    minute_of_week: int | None  # of the first minute, 0 is Monday 00:00 UTC; None: the recording does not say
    weight: float  # hours of a month of 730 that one hour stands for
    notes: tuple[str, ...]
    quiet_hours: float = 0.0  # of a month of 730, after the last minute: nothing comes, and nothing changes

    @property
    def minutes(self) -> int:
        """Length in minutes."""
        return self.counts.size

    @property
    def requests(self) -> float:
        """Requests of a month of 730 hours."""
        return float(self.rps.sum()) * 60 * self.weight

    def instance_hours(self, paid: Array) -> float:
        """Hours of a month of 730 hours with so many billed instances in each minute, (minutes,)."""
        return float(paid.sum()) / 60 * self.weight + float(paid[-1]) * self.quiet_hours


def month(inputs: Inputs, *, seed: int, draw: int = 0) -> Month:
    """Give the month of one draw of the workload. The same seed gives the same month."""
    traffic = inputs.traffic
    notes: tuple[str, ...] = ()
    minute_of_week: int | None = 0
    if traffic.trace is not None:
        rps, counts = traffic.trace.counts / 60, whole_counts(traffic.trace.counts)
        start = traffic.trace.start
        minute_of_week = None if start is None else start.weekday() * DAY + start.hour * 60 + start.minute
    else:
        if traffic.is_scheduled:
            rps = _scheduled(inputs, draw)
        else:
            rps, notes = _patterned(inputs, draw, seed)
        counts = randomness.generator(seed, "counts").poisson(np.minimum(rps * 60, 1e18)).astype(np.float64)
    for array in (rps, counts):
        array.setflags(write=False)
    hours = HOURS_PER_MONTH
    if traffic.is_scheduled and traffic.trace is None:
        hours = min(hours, rps.size / 60 * float(traffic.jobs_per_month[draw]))
    return Month(
        rps=rps,
        counts=counts,
        minute_of_week=minute_of_week,
        weight=hours * 60 / rps.size,
        notes=notes,
        quiet_hours=HOURS_PER_MONTH - hours,
    )


def whole_counts(counts: Array) -> Array:
    """Whole numbers with the same running total, to within half a request.

    >>> whole_counts(np.array([2.5, 2.5, 0.4, 0.4]))
    array([3., 2., 0., 1.])
    """
    if bool(np.all(counts == np.floor(counts))):
        return np.array(counts)
    totals = np.floor(np.cumsum(counts) + 0.5)
    whole: Array = np.diff(totals, prepend=0.0)
    return whole


def _patterned(inputs: Inputs, draw: int, seed: int) -> tuple[Array, tuple[str, ...]]:
    """Four weeks of a declared pattern, with exactly the declared mean."""
    traffic = inputs.traffic
    mean, peak, idle = (float(values[draw]) for values in (traffic.rps_mean, traffic.rps_peak, traffic.idle_ratio))
    active = 1 - idle
    if traffic.pattern in ("diurnal", None):
        rps = _diurnal(mean / active, max(peak, mean / active), active)
        notes = ["The busiest minute of a day is taken to be 14:00 UTC."]
        if idle:
            notes.append("Idle hours are taken to be nights.")
    else:
        load = loads.of(traffic)
        base, burst = load.rps[draw, 0], load.rps[draw, 1]
        share = load.hours[draw, 1] / max(load.active_hours[draw], 1e-300)
        rps = _bursts(base, burst, float(share), active, seed)
        notes = [f"Bursts are taken to last {BURST_MINUTES:.0f} minutes, at times drawn at random."]
        if idle:
            notes.append("Idle hours are drawn at random.")
    rps *= mean / max(float(rps.mean()), 1e-300)  # a part of a minute at the edges of hours and days
    return rps, tuple(notes)


@lru_cache(maxsize=256)
def _power(peak_over_mean: float) -> float:
    """The exponent q of a day ((1 + cos) / 2) ** q with this peak over mean: sqrt(pi) gamma(q + 1) / gamma(q + 1/2)."""

    def ratio(q: float) -> float:
        return math.sqrt(math.pi) * math.exp(math.lgamma(q + 1) - math.lgamma(q + 0.5))

    low, high = 0.0, 1e9
    for _ in range(100):
        middle = (low + high) / 2
        low, high = (middle, high) if ratio(middle) < peak_over_mean else (low, middle)
    return low


def _diurnal(mean: float, peak: float, active: float) -> Array:
    """Days as `fitness.load` has them: the cosine spans the active part of a day, around its busiest minute."""
    weekday = mean * 7 / (5 + 2 * loads.WEEKEND_RATIO)
    weekend = loads.WEEKEND_RATIO * weekday
    if weekday >= peak:
        weekday = weekend = mean
    minute = np.arange(DAY) + 0.5
    phase = (minute - BUSIEST_MINUTE + DAY / 2) % DAY - DAY / 2
    half = max(DAY / 2 * active, 0.5)
    inside = np.abs(phase) <= half
    angle = np.where(inside, phase / half, 1.0)
    shape = np.where(inside, np.maximum(((1 + np.cos(np.pi * angle)) / 2) ** _power(peak / weekday), 1e-9), 0.0)
    shape /= shape[inside].mean()
    days = np.where(np.arange(7 * WEEKS) % 7 < 5, weekday, weekend)
    rps: Array = (days[:, None] * shape[None, :]).ravel()
    return rps


def _bursts(base: float, burst: float, share: float, active: float, seed: int) -> Array:
    """Two levels: bursts at random times, one in each of equal parts of the active hours; idle hours at random."""
    hours = WEEKS * 7 * 24
    keys = randomness.generator(seed, "idle hours").random(hours)
    is_active = np.repeat(_fraction_active(keys, active * hours), 60).ravel()
    minutes = np.flatnonzero(is_active.reshape(hours, 60) > np.arange(60)[None, :] / 60)
    in_burst = share * minutes.size
    count = max(1, round(in_burst / BURST_MINUTES))
    lasts, each = in_burst / count, minutes.size / count
    starts = np.arange(count) * each + randomness.generator(seed, "bursts").random(count) * max(each - lasts, 0.0)
    if lasts >= 1:
        starts = np.floor(starts)
    # How much of each active minute lies in a burst, from the running total of burst time.
    edges = np.arange(minutes.size + 1, dtype=np.float64)
    index = np.searchsorted(starts, edges, side="right") - 1
    inside = np.clip(edges - starts[np.maximum(index, 0)], 0.0, lasts)
    covered = np.diff(np.where(index >= 0, index * lasts + inside, 0.0))
    rps = np.zeros(hours * 60)
    rps[minutes] = base + (burst - base) * covered
    return rps


def _fraction_active(keys: Array, active_hours: float) -> Array:
    """Share of each hour that is active: the hours with the smallest keys, the last of them in part."""
    rank = np.argsort(np.argsort(keys))
    return np.clip(active_hours - rank, 0.0, 1.0)


def _scheduled(inputs: Inputs, draw: int) -> Array:
    """Whole periods of a job, four weeks or one period long; its records are sent evenly while it runs.

    Of a longer period the first five weeks: the rest is quiet.
    """
    jobs = float(inputs.traffic.jobs_per_month[draw])
    records = float(inputs.traffic.records_per_job[draw])
    period = HOURS_PER_MONTH * 60 / jobs
    lasts = min(float(job_seconds(inputs)[draw]) / 60, period)
    periods = max(1, math.floor(WEEKS * MINUTES_PER_WEEK / period))
    minutes = max(1, round(min(periods * period, LONGEST_PERIOD)))
    edges = np.arange(minutes + 1, dtype=np.float64)
    done = np.floor(edges / period)
    sent = done + np.clip((edges - done * period) / lasts, 0.0, 1.0)
    rps: Array = np.diff(sent) * records / 60
    rps *= records * minutes / min(period, minutes) / (60 * max(float(rps.sum()), 1e-300))
    return rps
