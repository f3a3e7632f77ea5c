"""Requests of a stretch of time: when they come, how long each works and which model it asks for.

Times of a declared pattern are one unit-rate stream mapped through the running total of the rate; those of a
recording are its own.
Formulas: docs/simulation.md#streams.
"""

import math
from dataclasses import dataclass, replace

import numpy as np

from fitness.arrays import Array
from fitness.inputs import Inputs
from fitness.simulation import randomness
from fitness.simulation.arrays import Float32, Int32
from fitness.simulation.months import Month
from fitness.simulation.multipliers import multipliers
from fitness.simulation.recorded import Spread, Totals, requests_between
from fitness.simulation.requested import MOST_MODELS, models_of
from fitness.trace import Trace


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Stream:
    """Requests in order of arrival.

    Shape: (n,), read-only. Times count from the start of the month's first minute.
    """

    arrivals: Array  # s
    multiplier: Float32  # service time over its mean
    models: Int32 | None  # 0 is the most requested; None: one model, or every request needs all
    uniform: Float32  # in 0..1, 1 excluded: which instance a request is routed to
    start_s: float
    end_s: float
    lead: int  # the first requests, before `start_s`, only bring the state to what it would be
    weight: float  # requests of the month that one request after the lead stands for
    notes: tuple[str, ...]

    @property
    def offered(self) -> int:
        """Requests that count."""
        return self.arrivals.size - self.lead

    @property
    def rps(self) -> float:
        """Mean rate of the requests that count."""
        return self.offered / (self.end_s - self.start_s)

    def between(self, start_s: float, end_s: float) -> "Stream":
        """The requests from `start_s` on and before `end_s`, without a lead."""
        first, last = (int(index) for index in np.searchsorted(self.arrivals, [start_s, end_s]))
        return replace(
            self,
            arrivals=self.arrivals[first:last],
            multiplier=self.multiplier[first:last],
            models=None if self.models is None else self.models[first:last],
            uniform=self.uniform[first:last],
            start_s=start_s,
            end_s=end_s,
            lead=0,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Surge:
    """A time in which the rate is `factor` times what it would be; times count from the start of the day."""

    start_s: float
    end_s: float
    factor: float


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Timeline:
    """A month, or a part of one, with the running total of its expected requests."""

    inputs: Inputs
    month: Month
    running: Array  # expected requests before each minute's start, and in all: (minutes + 1,)
    recorded: Trace | None
    skipped_s: float  # of the recording, before the first minute
    seed: int
    draw: int
    spread: Spread

    @staticmethod
    def of(inputs: Inputs, found: Month, seed: int, draw: int, spread: Spread, *, skipped_s: float = 0.0) -> "Timeline":
        """The whole of a month, or a part of a recording's that begins after `skipped_s`."""
        return Timeline(
            inputs=inputs,
            month=found,
            running=np.concatenate([[0.0], np.cumsum(found.rps * 60)]),
            recorded=inputs.traffic.trace,
            skipped_s=skipped_s,
            seed=seed,
            draw=draw,
            spread=spread,
        )

    @property
    def total(self) -> float:
        """Expected requests in all."""
        return float(self.running[-1])

    @property
    def end_s(self) -> float:
        """Length in seconds."""
        return self.month.minutes * 60.0

    @property
    def _totals(self) -> Totals | None:
        """Those of a recording with rows finer than a minute."""
        rows = None if self.recorded is None else self.recorded.rows
        return None if rows is None or rows.width_s >= 60 else Totals.of(rows)

    def until(self, at_s: float) -> float:
        """Expected requests before a time."""
        totals = self._totals
        if totals is not None:
            return totals.until(at_s + self.skipped_s) - totals.until(self.skipped_s)
        return float(np.interp(at_s / 60, np.arange(self.running.size), self.running))

    def when(self, requests: float) -> float:
        """The time by which so many are expected."""
        totals = self._totals
        if totals is not None:
            return min(totals.when(requests + totals.until(self.skipped_s)) - self.skipped_s, self.end_s)
        minute = int(np.searchsorted(self.running, requests, side="right")) - 1
        if minute >= self.month.minutes:
            return self.end_s
        within = (requests - self.running[minute]) / (self.running[minute + 1] - self.running[minute])
        return (minute + float(within)) * 60.0

    def around(self, middle_s: float, start_s: float, end_s: float, requests: float) -> tuple[float, float]:
        """As much of this time as has `requests` requests, a third of them before `middle_s`."""
        low, high = self.until(start_s), self.until(end_s)
        if high - low <= requests:
            return start_s, end_s
        first = min(max(self.until(middle_s) - requests / 3, low), high - requests)
        return self.when(first), self.when(first + requests)

    def surged(self, surge: Surge) -> "Timeline":
        """The same with a surge; a recording is then played from its counts by the minute."""
        edges = np.clip(np.arange(self.month.minutes + 1) * 60.0, surge.start_s, surge.end_s)
        factor = 1 + (surge.factor - 1) * np.diff(edges) / 60
        rps = self.month.rps * factor
        counts = randomness.generator(self.seed, "surge").poisson(np.minimum(rps * 60, 1e18)).astype(np.float64)
        changed = replace(self.month, rps=rps, counts=np.where(factor == 1, self.month.counts, counts))
        return replace(self, month=changed, recorded=None, running=np.concatenate([[0.0], np.cumsum(rps * 60)]))

    def window(self, first: float, size: float, *, key: int, lead: float, lead_s: float) -> Stream:
        """About `size` requests after the first ones of the month, and at most `lead` in `lead_s` seconds to warm up.

        Of a recording's own times they are exactly as many, even where more have the same time.
        """
        if self.recorded is None or self.recorded.rows is None or self.recorded.rows.width_s:
            start_s, end_s = self.when(first), self.when(first + size)
            before_s = max(self.when(max(first - lead, 0.0)), start_s - lead_s)
            return self.stream(start_s, end_s, key=key, before_s=before_s)
        times, models = self.recorded.rows.time_s, self.recorded.rows.model
        low, high = round(first), min(round(first + size), times.size)
        start_s = float(times[low])
        begin = max(low - round(lead), int(np.searchsorted(times, start_s - lead_s)), 0)
        end_s = max(self.when(high), float(np.nextafter(times[high - 1], np.inf)))
        return stream_of(
            self.inputs,
            times[begin:high],
            None if models is None else models[begin:high],
            self.seed,
            key,
            self.draw,
            window=(start_s, end_s),
            lead=low - begin,
            notes=_spread_note(self.recorded, self.spread),
        )

    def stream(self, start_s: float, end_s: float, *, key: int, before_s: float | None = None) -> Stream:
        """The requests between two times; those from `before_s` on lead."""
        first_s = start_s if before_s is None else min(before_s, start_s)
        models: Int32 | None = None
        notes: tuple[str, ...] = ()
        if self.recorded is None:
            low, high = int(first_s // 60) + 1, math.ceil(end_s / 60)
            edges = np.concatenate([[first_s], np.arange(low, high) * 60.0, [end_s]])
            running = np.concatenate([[self.until(first_s)], self.running[low:high], [self.until(end_s)]])
            times = poisson(running - running[0], edges, self.seed, key)
        else:
            rng = np.random.default_rng([self.seed, key])
            ends = (first_s + self.skipped_s, end_s + self.skipped_s)
            times, models = requests_between(self.recorded, *ends, spread=self.spread, rng=rng)
            times = times - self.skipped_s if self.skipped_s else times
            notes = _spread_note(self.recorded, self.spread)
        return stream_of(self.inputs, times, models, self.seed, key, self.draw, window=(start_s, end_s), notes=notes)


def poisson(running: Array, edges_s: Array, seed: int, key: int) -> Array:
    """A unit-rate stream mapped through the running total of the rate, which is piecewise linear."""
    total = float(running[-1])
    times = np.cumsum(randomness.gaps(int(total + 8 * math.sqrt(total) + 30), seed, key))
    return np.interp(times[: int(np.searchsorted(times, total))], running, edges_s)


def stream_of(
    inputs: Inputs,
    times: Array,
    models: Int32 | None,
    seed: int,
    key: int,
    draw: int,
    *,
    window: tuple[float, float],
    notes: tuple[str, ...],
    lead: int | None = None,
) -> Stream:
    """The stream of these times: how long each request works and which model it asks for.

    The lead is what comes before the window where nothing else is said.
    """
    n = times.size
    units = min(round(float(inputs.units[draw])), MOST_MODELS)
    if models is not None and int(models.max(initial=0)) >= units > 1:
        notes += (f"The recording has more models than the {units} declared; the rarest are taken as one.",)
        models = np.minimum(models, np.int32(units - 1))
    elif models is None and units > 1:
        hot = inputs.models.hot_share
        models = models_of(
            randomness.choices(n, seed, key),
            count=units,
            zipf=float(inputs.models.zipf[draw]),
            hot_share=None if hot is None else float(hot[draw]),
        )
    request = inputs.request
    times.setflags(write=False)
    return Stream(
        arrivals=times,
        multiplier=multipliers(
            randomness.normals(n, seed, key), distribution=request.distribution, cv=float(request.cv[draw])
        ),
        models=models if units > 1 else None,
        uniform=randomness.routes(n, seed, key),
        start_s=window[0],
        end_s=window[1],
        lead=int(np.searchsorted(times, window[0])) if lead is None else lead,
        weight=0.0,
        notes=notes,
    )


def _spread_note(trace: Trace, spread: Spread) -> tuple[str, ...]:
    width_s = 60.0 if trace.rows is None else trace.rows.width_s
    if width_s == 0:
        return ("Requests come at the very times of the recording.",)
    how = "evenly" if spread is Spread.EVEN else "at random"
    return (f"The recording tells how many requests came in {width_s:g} s; within these they are spread {how}.",)
