"""The loop over minutes behind `control`: datapoints, alarms, decisions, launches and drains.

It is compiled where that is possible; the same text runs as plain Python and gives the same counts.
"""

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from fitness.arrays import Array
from fitness.simulation.compiled import compiled
from fitness.simulation.rules import IN_POINTS, OUT_POINTS

if TYPE_CHECKING:
    from fitness.simulation.compiled import Arguments

Whole = NDArray[np.int64]
Counted = NDArray[np.int32]

NOTHING, REQUESTS, BACKLOG = 0, 1, 2  # what the loop watches
JUST = 1 - 1e-9  # a count is not rounded up for an error of rounding
NO_STEPS = np.zeros((2, 0))


class Watch(NamedTuple):
    """A policy as the numbers of the loop."""

    kind: int
    out_above: float
    in_below: float
    out_points: int  # datapoints in a row
    in_points: int
    wake_points: int  # to leave zero; 0: never
    emits_zero: bool  # whether a quiet minute has a datapoint
    out_cooldown_s: float
    in_cooldown_s: float
    steps_out: Array = NO_STEPS  # (2, steps): distances and changes
    steps_in: Array = NO_STEPS


class Instance(NamedTuple):
    """How an instance comes, works and goes."""

    launch_s: float
    drain_s: float
    carries: float  # requests a minute, of the queue
    service_s: float


class Room(NamedTuple):
    """Arrays for what the loop fills: by the minute, by event (two a minute), by launch (one a minute)."""

    ready_by: Counted
    desired_by: Counted
    serving_by: Array
    paid_by: Array
    backlog_by: Array  # (0,) unless the backlog is watched
    event_s: Array
    event_delta: Whole
    launched_s: Array
    launched: Whole


def _examples() -> "Sequence[Arguments]":
    counts, bounds = np.zeros(2), np.ones(1, dtype=np.int64)
    counts.setflags(write=False)
    watch = Watch(REQUESTS, 1.0, 0.9, OUT_POINTS, IN_POINTS, 0, emits_zero=False, out_cooldown_s=0.0, in_cooldown_s=0.0)
    return [(counts, bounds, bounds, watch, Instance(60.0, 60.0, 0.0, 0.0), 1, room(2, kind=REQUESTS))]


def room(minutes: int, *, kind: int) -> Room:
    """Room for so many minutes. Memory that the loop does not touch costs nothing."""
    return Room(
        ready_by=np.empty(minutes, dtype=np.int32),
        desired_by=np.empty(minutes, dtype=np.int32),
        serving_by=np.empty(minutes),
        paid_by=np.empty(minutes),
        backlog_by=np.empty(minutes if kind == BACKLOG else 0),
        event_s=np.empty(2 * minutes),
        event_delta=np.empty(2 * minutes, dtype=np.int64),
        launched_s=np.empty(minutes),
        launched=np.empty(minutes, dtype=np.int64),
    )


@compiled(allocates=False)
def _change(steps: Array, distance: float) -> int:
    """By how many instances the farthest step that is reached changes the count."""
    change = 0.0
    for step in range(steps.shape[1]):
        if distance >= steps[0, step]:
            change = steps[1, step]
    return int(change)


@compiled(allocates=False)
def _more(desired: int, metric: float, out_above: float, steps_out: Array) -> int:
    """How many instances an alarm above the threshold asks for; `metric` is of all instances together."""
    if steps_out.shape[1] > 0:
        return desired + _change(steps_out, metric / desired - out_above)
    return max(desired + 1, math.ceil(min(metric / out_above * JUST, 1e6)))


@compiled(allocates=False)
def _fewer(desired: int, metrics: Array, minute: int, watch: Watch) -> int:
    """How many an alarm below the threshold leaves; tracking keeps what the busiest of its minutes needs."""
    if watch.steps_in.shape[1] > 0:
        return desired - _change(watch.steps_in, watch.in_below - metrics[minute - 1] / desired)
    enough_for = (desired - 1) * watch.out_above
    busiest, past = 0.0, minute - 1
    while past >= minute - watch.in_points and busiest * JUST <= enough_for:
        busiest = max(busiest, metrics[past])
        past -= 1
    if busiest * JUST > enough_for:
        return desired
    return math.ceil(busiest / watch.out_above * JUST)


@compiled(_examples, allocates=False)
def loop(  # noqa: PLR0912, PLR0915 the state of one loop, too much to hand around
    counts: Array, lows: Whole, highs: Whole, watch: Watch, instance: Instance, start: int, made: Room
) -> int:
    """Fill what `Capacity` says by minute and by event; give the number of events.

    Shape: `lows` and `highs` are (minutes,) or (1,).
    """
    kind, out_above, in_below = watch.kind, watch.out_above, watch.in_below
    launch_s = instance.launch_s
    ready_by, desired_by, serving_by, paid_by, backlog_by, event_s, event_delta, launched_s, launched = made
    minutes = counts.size
    varies = lows.size > 1
    low, high = lows[0], highs[0]
    metrics = backlog_by if kind == BACKLOG else counts
    events, head, tail = 0, 0, 0  # launches from head to tail are under way
    ready, desired, waiting = start, start, 0.0
    above, below, waking = 0, 0, 0  # datapoints in a row
    last_out_s, last_in_s = -1e18, -1e18
    for minute in range(minutes):
        now_s = minute * 60.0
        # 1. Launches that are over serve.
        while head < tail and launched_s[head] <= now_s:
            ready += launched[head]
            event_s[events], event_delta[events] = launched_s[head], launched[head]
            events += 1
            head += 1
        # 2. The decision on the datapoints so far; the bounds of this minute stand above it.
        if varies:
            low, high = lows[minute], highs[minute]
        wanted = desired
        if watch.wake_points > 0 and desired == 0:
            if waking >= watch.wake_points and now_s - last_out_s >= watch.out_cooldown_s:
                wanted = 1
        elif above >= watch.out_points and kind != NOTHING:
            if now_s - last_out_s >= watch.out_cooldown_s:
                wanted = _more(desired, metrics[minute - 1], out_above, watch.steps_out)
        elif (
            below >= watch.in_points
            and kind != NOTHING
            and now_s - last_in_s >= watch.in_cooldown_s
            and (watch.steps_in.shape[1] > 0 or metrics[minute - 1] * JUST <= (desired - 1) * out_above)
        ):
            wanted = _fewer(desired, metrics, minute, watch)
        wanted = min(max(wanted, low), high)
        if wanted > desired:
            launched_s[tail], launched[tail] = now_s + launch_s, wanted - desired
            tail += 1
            if launch_s == 0.0:
                ready += wanted - desired
                event_s[events], event_delta[events] = now_s, wanted - desired
                events += 1
                head += 1
            last_out_s, desired = now_s, wanted
        elif wanted < desired:
            leaving = desired - wanted
            while leaving > 0 and head < tail:  # what has not started yet goes first, the newest before the others
                cancelled = min(leaving, launched[tail - 1])
                launched[tail - 1] -= cancelled
                leaving -= cancelled
                if launched[tail - 1] == 0:
                    tail -= 1
            if leaving > 0:
                ready -= leaving
                event_s[events], event_delta[events] = now_s, -leaving
                events += 1
            last_in_s, desired = now_s, wanted
        # 3. The minute itself.
        serving = float(ready)
        for coming in range(head, tail):
            serving += launched[coming] * max(0.0, now_s + 60.0 - launched_s[coming]) / 60.0
        ready_by[minute], desired_by[minute] = ready, desired
        serving_by[minute], paid_by[minute] = serving, desired
        metric = counts[minute]
        if kind == BACKLOG:
            done = min(waiting + metric, serving * instance.carries)
            waiting += metric - done
            metric = waiting + done / 60.0 * instance.service_s
            backlog_by[minute] = metric
        # 4. Its datapoint. Where nobody serves there is no instance to divide by.
        if serving == 0.0:
            above, below, waking = 0, 0, (waking + 1 if metric > 0.0 else 0)
        elif metric > 0.0 or watch.emits_zero:
            above = (above + 1) * int(metric > out_above * desired)
            below = (below + 1) * int(metric < in_below * desired)
        else:
            above, below = 0, 0
    while head < tail and launched_s[head] < minutes * 60.0:
        event_s[events], event_delta[events] = launched_s[head], launched[head]
        events += 1
        head += 1
    # Who was taken out is billed until it has drained.
    for event in range(events):
        rest_s, minute = instance.drain_s, int(event_s[event] / 60.0)
        while event_delta[event] < 0 and rest_s > 0.0 and minute < minutes:
            paid_by[minute] -= event_delta[event] * min(rest_s, 60.0) / 60.0
            rest_s -= 60.0
            minute += 1
    return events
