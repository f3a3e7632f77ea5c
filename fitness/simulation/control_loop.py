"""The loop over minutes behind `control`: datapoints, alarms, decisions, launches and drains.

It is compiled where that is possible; the same text runs as plain Python and gives the same counts.
"""

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

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


def _examples() -> "Sequence[Arguments]":
    counts, bounds = np.zeros(2), np.ones(1, dtype=np.int64)
    counts.setflags(write=False)
    points = np.array([OUT_POINTS, IN_POINTS, 0, 0], dtype=np.int64)
    steps = np.zeros((2, 0))
    rule = (counts, bounds, bounds, REQUESTS, 1.0, 0.9, points, np.zeros(2), steps, steps, 60.0, 60.0, 0.0, 0.0, 1)
    return [(*rule, *room(2, kind=REQUESTS))]


def room(minutes: int, *, kind: int) -> "tuple[Counted, Counted, Array, Array, Array, Array, Whole, Array, Whole]":
    """Arrays for what the loop fills. Memory that it does not touch costs nothing."""
    return (
        np.empty(minutes, dtype=np.int32),
        np.empty(minutes, dtype=np.int32),
        np.empty(minutes),
        np.empty(minutes),
        np.empty(minutes if kind == BACKLOG else 0),
        np.empty(2 * minutes),
        np.empty(2 * minutes, dtype=np.int64),
        np.empty(minutes),
        np.empty(minutes, dtype=np.int64),
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
def _fewer(
    desired: int,
    metrics: Array,
    minute: int,
    in_points: int,
    out_above: float,
    in_below: float,
    steps_in: Array,
) -> int:
    """How many an alarm below the threshold leaves; tracking keeps what the busiest of its minutes needs."""
    if steps_in.shape[1] > 0:
        return desired - _change(steps_in, in_below - metrics[minute - 1] / desired)
    enough_for = (desired - 1) * out_above
    busiest, past = 0.0, minute - 1
    while past >= minute - in_points and busiest * JUST <= enough_for:
        busiest = max(busiest, metrics[past])
        past -= 1
    if busiest * JUST > enough_for:
        return desired
    return math.ceil(busiest / out_above * JUST)


@compiled(_examples, allocates=False)
def loop(  # noqa: PLR0912, PLR0915, PLR0917 the state of one loop, too much to hand around
    counts: Array,
    lows: Whole,
    highs: Whole,
    kind: int,
    out_above: float,
    in_below: float,
    points: Whole,
    cooldowns_s: Array,
    steps_out: Array,
    steps_in: Array,
    launch_s: float,
    drain_s: float,
    carries: float,
    service_s: float,
    start: int,
    ready_by: Counted,
    desired_by: Counted,
    serving_by: Array,
    paid_by: Array,
    backlog_by: Array,
    event_s: Array,
    event_delta: Whole,
    launched_s: Array,
    launched: Whole,
) -> int:
    """Fill what `Capacity` says by minute and by event; give the number of events.

    Shape: `lows` and `highs` are (minutes,) or (1,); `points` holds the datapoints to scale out, to scale in, to leave
    zero (0: never) and whether a quiet minute has one; steps are (2, steps), distances and changes; `backlog_by` is
    (0,) unless the backlog is watched. There is room for two events and one launch a minute.
    """
    minutes = counts.size
    varies = lows.size > 1
    low, high = lows[0], highs[0]
    out_points, in_points, wake_points, emits_zero = points[0], points[1], points[2], points[3] > 0
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
        if wake_points > 0 and desired == 0:
            if waking >= wake_points and now_s - last_out_s >= cooldowns_s[0]:
                wanted = 1
        elif above >= out_points and kind != NOTHING:
            if now_s - last_out_s >= cooldowns_s[0]:
                wanted = _more(desired, metrics[minute - 1], out_above, steps_out)
        elif (
            below >= in_points
            and kind != NOTHING
            and now_s - last_in_s >= cooldowns_s[1]
            and (steps_in.shape[1] > 0 or metrics[minute - 1] * JUST <= (desired - 1) * out_above)
        ):
            wanted = _fewer(desired, metrics, minute, in_points, out_above, in_below, steps_in)
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
            done = min(waiting + metric, serving * carries)
            waiting += metric - done
            metric = waiting + done / 60.0 * service_s
            backlog_by[minute] = metric
        # 4. Its datapoint. Where nobody serves there is no instance to divide by.
        if serving == 0.0:
            above, below, waking = 0, 0, (waking + 1 if metric > 0.0 else 0)
        elif metric > 0.0 or emits_zero:
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
        rest_s, minute = drain_s, int(event_s[event] / 60.0)
        while event_delta[event] < 0 and rest_s > 0.0 and minute < minutes:
            paid_by[minute] -= event_delta[event] * min(rest_s, 60.0) / 60.0
            rest_s -= 60.0
            minute += 1
    return events
