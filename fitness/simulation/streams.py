"""Streams of requests: whole days, and windows that together stand for a month.

A window at a high rate is short; no stream is ever thinned, since a queue at half the rate is another queue.
Sampling and its weights: docs/simulation.md#windows.
"""

import math
from dataclasses import dataclass, replace

import numpy as np

from fitness.arrays import Array, Index
from fitness.errors import InputError, Problem
from fitness.inputs import Inputs
from fitness.simulation import randomness
from fitness.simulation.months import DAY, Month, month
from fitness.simulation.recorded import Spread
from fitness.simulation.timeline import Stream, Surge, Timeline, poisson, stream_of

__all__ = ["Day", "Plan", "Spread", "Stream", "Surge", "busiest", "day", "plan", "step", "whole"]

WINDOWS = 16
FEWEST_WINDOWS = 8
SHORTEST_S = (5.0, 60.0)  # rather fewer windows than shorter ones than 200 processing times, within these bounds
LEAD_S = 1000.0  # the longest idle time-out of the priors: older requests leave no trace in a pool of sandboxes
LEAD_SHARE = 0.25  # of a window's requests
MOST_REQUESTS = 10_000_000
_BLOCKS = 20_000
_CUTS = (-1 / 8, -1 / 32, 1 / 32, 1 / 8)  # of the stratum around the busiest block
_NARROWEST = 16  # blocks for each window, so that a narrow stratum still has one


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Plan:
    """The month by the minute for the control loop, and the windows of it whose requests are played.

    The counts of a minute that lies in a window are those of the window's requests. The weights of all requests that
    count sum to the month's requests.
    """

    month: Month
    windows: tuple[Stream, ...]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Day:
    """A day, or several, for a chart: every minute of it, and the requests of as much of it as fits."""

    month: Month
    stream: Stream


def plan(
    inputs: Inputs,
    *,
    requests: int,
    seed: int,
    count: int = WINDOWS,
    draw: int = 0,
    lead_s: float = LEAD_S,
    spread: Spread = Spread.POISSON,
) -> Plan:
    """Choose windows with about `requests` requests in all, leads not counted, that stand for the whole month.

    If the whole month has fewer, it is the only window. Else the month is cut into blocks of equally many requests,
    ordered by their rate and by whether it rises or falls, and one block of each stratum of them is a window. Strata
    are alike but around the busiest block, where they are narrow: a rare overload is neither missed nor made much of.
    """
    timeline = Timeline.of(inputs, month(inputs, seed=seed, draw=draw), seed, draw, spread)
    whole = timeline.month
    expected = timeline.total
    if expected <= requests:
        stream = timeline.stream(0.0, timeline.end_s, key=0)
        stream = replace(stream, weight=whole.requests / max(stream.offered, 1))
        return Plan(month=_patched(whole, [stream]), windows=(stream,))
    shortest_s = min(max(200 * float(inputs.request.processing_s[draw]), SHORTEST_S[0]), SHORTEST_S[1])
    count = max(min(FEWEST_WINDOWS, count), min(count, int(requests * timeline.end_s / (shortest_s * expected))))
    size = requests / count
    blocks = min(int(expected / size), _BLOCKS)
    offset = randomness.generator(seed, "windows").random(2 + count)
    ordered, busiest_at = _ordered(timeline, blocks)
    if blocks >= _NARROWEST * count and count > len(_CUTS) + 1:
        starts, shares = _strata(count, busiest_at)
    else:
        starts, shares = np.arange(count) / count, np.full(count, 1 / count)
    chosen = ordered[((starts + offset[0] * shares) % 1.0 * blocks).astype(np.int64)]
    each = expected / blocks
    windows = []
    for key, (block, share) in enumerate(zip(chosen.tolist(), shares.tolist(), strict=True), 1):
        first = block * each + offset[1 + key] * (each - size)
        window = timeline.window(first, size, key=key, lead=LEAD_SHARE * size, lead_s=lead_s)
        windows.append(replace(window, weight=whole.requests * share / max(window.offered, 1)))
    return Plan(month=_patched(whole, windows), windows=tuple(windows))


def whole(
    inputs: Inputs, *, seed: int, draw: int = 0, most: int = MOST_REQUESTS, spread: Spread = Spread.POISSON
) -> Plan:
    """Give every request of the month or recording in one stream.

    Raises: InputError if they are more than `most`.
    """
    timeline = Timeline.of(inputs, month(inputs, seed=seed, draw=draw), seed, draw, spread)
    if timeline.total > most:
        message = f"has {timeline.total:,.0f} requests; at most {most:,} are played in one piece"
        raise InputError([Problem(path="$.traffic", message=message)])
    return plan(inputs, requests=max(most, 1), seed=seed, draw=draw, spread=spread)


def busiest(inputs: Inputs, *, requests: int, seed: int, draw: int = 0, spread: Spread = Spread.POISSON) -> Stream:
    """Give about `requests` requests of the busiest hour, around its busiest minute; its weight is 0."""
    timeline = Timeline.of(inputs, month(inputs, seed=seed, draw=draw), seed, draw, spread)
    rps = timeline.month.rps
    hour = min(60, rps.size)
    running = np.concatenate([[0.0], np.cumsum(rps)])
    first = int(np.argmax(running[hour:] - running[:-hour]))
    minute = first + int(np.argmax(rps[first : first + hour]))
    start_s, end_s = timeline.around(minute * 60.0 + 30, first * 60.0, (first + hour) * 60.0, requests)
    lead = timeline.when(max(timeline.until(start_s) - LEAD_SHARE * requests, 0.0))
    return timeline.stream(start_s, end_s, key=0, before_s=max(lead, start_s - LEAD_S))


def day(
    inputs: Inputs,
    *,
    requests: int,
    seed: int,
    draw: int = 0,
    days: int = 1,
    surge: Surge | None = None,
    spread: Spread = Spread.POISSON,
) -> Day:
    """Give the busiest day of the month, from midnight, or the busiest `days` in a row.

    Where it has more than `requests`, the stream is the part around the surge, else around the busiest minute.
    """
    found = month(inputs, seed=seed, draw=draw)
    length = min(days * DAY, found.minutes)
    offset = -(found.minute_of_week or 0) % DAY
    starts = np.arange(offset if found.minutes >= offset + length else 0, found.minutes - length + 1, DAY)
    running = np.concatenate([[0.0], np.cumsum(found.rps)])
    totals = running[starts + length] - running[starts]
    first = int(starts[np.argmax(totals > totals.max() * (1 - 1e-9))])  # the first of equals
    part = _part(found, first, length)
    timeline = Timeline.of(inputs, part, seed, draw, spread, skipped_s=first * 60.0)
    if surge is not None:
        timeline = timeline.surged(surge)
    middle_s = int(np.argmax(timeline.month.rps)) * 60.0 + 30 if surge is None else surge.start_s
    start_s, end_s = timeline.around(middle_s, 0.0, timeline.end_s, requests)
    stream = timeline.stream(start_s, end_s, key=0)
    if end_s - start_s < timeline.end_s - 1e-6:
        note = (
            f"The day has {timeline.total:,.0f} requests; those of {(end_s - start_s) / 60:.3g} minutes "
            f"around {_clock(middle_s, part)} are played."
        )
        stream = replace(stream, notes=(*stream.notes, note))
    return Day(month=_patched(timeline.month, [stream]), stream=replace(stream, weight=1.0))


def step(
    inputs: Inputs,
    *,
    rps: float,
    factor: float,
    seed: int,
    draw: int = 0,
    before_s: float = 900.0,
    up_s: float = 900.0,
    after_s: float = 1800.0,
    most: int = MOST_REQUESTS,
) -> Stream:
    """Give a steady load that rises to `factor` times itself and falls back; what comes before the rise is the lead.

    The rise is at `before_s` on the stream's clock.
    Raises: InputError if these are more than `most`.
    """
    edges = np.cumsum([0.0, before_s, up_s, after_s])
    running = np.cumsum(np.array([0.0, before_s, factor * up_s, after_s]) * rps)
    if running[-1] > most:
        message = f"has {running[-1]:,.0f} requests in a step at {rps:g} a second; at most {most:,} are played"
        raise InputError([Problem(path="$.traffic", message=message)])
    times = poisson(running, edges, seed, key=0)
    return stream_of(inputs, times, None, seed, 0, draw, window=(before_s, float(edges[-1])), notes=())


def _strata(count: int, busiest_at: float) -> tuple[Array, Array]:
    """Where `count` strata of a circle of length 1 begin, and how long they are.

    Equal ones, of which the first has the busiest block in its middle and is cut around it.
    """
    equal = 1 / (count - len(_CUTS))
    cut = np.array([-1 / 2, *_CUTS, 1 / 2]) * equal
    starts = np.concatenate([cut[:-1], equal / 2 + equal * np.arange(count - len(_CUTS) - 1)])
    lengths = np.concatenate([np.diff(cut), np.full(count - len(_CUTS) - 1, equal)])
    return (busiest_at + starts) % 1.0, lengths


def _ordered(timeline: Timeline, blocks: int) -> tuple[Index, float]:
    """Blocks of equally many requests: the rising ones by their rate, then the falling ones from the busiest on.

    Gives also where the busiest one is, in 0..1.
    """
    edges = np.arange(blocks + 1) * (timeline.total / blocks)
    minutes = np.arange(timeline.running.size)
    # Strictly rising totals, so that an idle time has one end and not another.
    at = np.interp(edges, timeline.running + minutes * (1e-12 * timeline.total / minutes.size), minutes)
    lasts = np.diff(at)
    middle = (at[1:] + at[:-1]) / 2
    before, here, after = (np.interp(middle + shift, minutes, timeline.running) for shift in (-60.0, 0.0, 60.0))
    rises = after - here >= here - before
    busy = -lasts
    rising = np.flatnonzero(rises)
    falling = np.flatnonzero(~rises)
    order = np.concatenate(
        [rising[np.argsort(busy[rising], kind="stable")], falling[np.argsort(-busy[falling], kind="stable")]]
    )
    return order, rising.size / blocks


def _part(found: Month, first: int, length: int) -> Month:
    minute_of_week = None if found.minute_of_week is None else (found.minute_of_week + first) % (7 * DAY)
    return replace(
        found,
        rps=found.rps[first : first + length],
        counts=found.counts[first : first + length],
        minute_of_week=minute_of_week,
        weight=found.weight * found.minutes / length,
    )


def _patched(found: Month, streams: list[Stream]) -> Month:
    """The month with the counts of the streams' own requests in every minute that lies in one, and their notes."""
    counts = found.counts.copy()
    for stream in streams:
        first_s = float(stream.arrivals[0]) if stream.lead else stream.start_s
        first, last = math.ceil(first_s / 60 - 1e-9), int(stream.end_s / 60 + 1e-9)
        if last > first:
            inside = stream.arrivals[slice(*np.searchsorted(stream.arrivals, [first * 60.0, last * 60.0]))]
            minutes = np.minimum((inside / 60).astype(np.int64), last - 1) - first
            counts[first:last] = np.bincount(minutes, minlength=last - first)
    counts.setflags(write=False)
    notes = dict.fromkeys((*found.notes, *(note for stream in streams for note in stream.notes)))
    return replace(found, counts=counts, notes=tuple(notes))


def _clock(at_s: float, part: Month) -> str:
    minute = int(at_s // 60) + (part.minute_of_week or 0)
    return f"{minute // 60 % 24:02}:{minute % 60:02}"
