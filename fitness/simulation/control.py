"""The control loop: what a scaling policy does with the traffic, minute by minute, over a month.

The metric of a minute is known when the minute ends, and the policy acts then. The metric of target tracking does
not depend on the queue, so this loop alone gives the instances of a month, and with them the cost; the kernels that
play every request take its capacity events.
Rules, and what is assumed about them: docs/simulation.md#control-loop.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from fitness.arrays import Array
from fitness.simulation.compiled import NEVER_S
from fitness.simulation.control_loop import (
    BACKLOG,
    JUST,
    NOTHING,
    REQUESTS,
    Counted,
    Instance,
    Watch,
    Whole,
    loop,
    room,
)
from fitness.simulation.rules import (
    IN_POINTS,
    IN_RATIO,
    MINUTES_PER_WEEK,
    MOST_INSTANCES,
    OUT_POINTS,
    Action,
    Backlog,
    Base,
    Fixed,
    Policy,
    Scheduled,
    Step,
    StepScaling,
    TargetTracking,
    ToZero,
    base_of,
    is_on_backlog,
)

__all__ = [
    "MOST_INSTANCES",
    "Action",
    "Backlog",
    "Capacity",
    "Fixed",
    "Policy",
    "Scheduled",
    "Step",
    "StepScaling",
    "TargetTracking",
    "ToZero",
    "is_on_backlog",
    "run",
]

MINUTE_S = 60.0
DRAIN_S = 60.0  # an instance that was removed is billed until its last request is over: at most the time-out


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Capacity:
    """The instances of a stretch of minutes.

    Shape: (minutes,) by the minute, (events,) by event; read-only. `event_delta` is + when instances begin to serve
    and - when the policy takes them out; times count from the start of the first minute.
    """

    ready: Counted  # in service at the start of the minute
    desired: Counted  # in service or starting during the minute: what the metric is divided by
    serving: Array  # in service, mean over the minute
    paid: Array  # billed, mean over the minute: in service, starting or draining
    backlog: Array  # requests waiting or in process at the end of the minute; (0,) unless the policy is on it
    initial: int  # in service at the start
    event_s: Array
    event_delta: Whole

    @property
    def instance_hours(self) -> float:
        """Billed instance hours of the whole stretch."""
        return float(self.paid.sum()) / 60

    @property
    def most(self) -> int:
        """The most instances that are in service at once."""
        return self.initial + int(np.max(np.cumsum(self.event_delta), initial=0))

    def later(self, by_s: float) -> "Capacity":
        """The same on a clock that began `by_s` earlier."""
        event_s = self.event_s + by_s
        event_s.setflags(write=False)
        return replace(self, event_s=event_s)

    def between(self, start_s: float, end_s: float) -> tuple[int, Array, Whole]:
        """Instances in service at `start_s`, and the events after it and before `end_s`, on the same clock."""
        first, last = np.searchsorted(self.event_s, [start_s, end_s], side="right")
        initial = self.initial + int(self.event_delta[:first].sum())
        return initial, self.event_s[first:last], self.event_delta[first:last]


def run(
    policy: Policy,
    counts: Sequence[float] | Array,
    launch_s: float,
    *,
    minute_of_week: int = 0,
    carries_per_minute: float | None = None,
    service_s: float = 0.0,
    drain_s: float = DRAIN_S,
    start: int | None = None,
) -> Capacity:
    """Give the instances that a policy keeps for these requests per minute.

    `launch_s` is how long an instance starts; `minute_of_week` is that of the first minute. A policy on the backlog
    needs `carries_per_minute`, the requests that one instance works off in a minute, and `service_s`, how long it works
    on each. `start` is the count at the beginning, already in service; without it, what the first minute needs.
    Raises: ValueError for counts that are no numbers >= 0, and without `carries_per_minute` where it is needed.

    >>> run(TargetTracking(target_per_minute=60, minimum=1, maximum=9), [60, 180, 180, 180, 180], 60).ready.tolist()
    [1, 1, 1, 1, 1]
    >>> run(TargetTracking(target_per_minute=60, minimum=1, maximum=9), [60, 180, 180, 180, 180, 0], 60).ready.tolist()
    [1, 1, 1, 1, 1, 3]
    """
    arrivals = np.ascontiguousarray(counts, dtype=np.float64)
    if arrivals.ndim != 1 or not arrivals.size or not bool(np.all((arrivals >= 0) & (arrivals < NEVER_S))):
        message = "the control loop needs one count >= 0 for each minute"
        raise ValueError(message)
    if not (0 <= launch_s < NEVER_S and 0 <= drain_s < NEVER_S and 0 <= service_s < NEVER_S):
        message = f"times must be >= 0 seconds, got launch {launch_s}, drain {drain_s}, service {service_s}"
        raise ValueError(message)
    base = base_of(policy)
    if is_on_backlog(base) and not (carries_per_minute is not None and carries_per_minute > 0):
        message = "a policy on the backlog needs how many requests one instance works off in a minute"
        raise ValueError(message)
    arrivals = arrivals.view()
    arrivals.setflags(write=False)  # compiled for one kind of array
    lows, highs = _bounds(policy, arrivals.size, minute_of_week)
    watch = _watch(base)
    if start is None:
        start = math.ceil(min(arrivals[0] / watch.out_above * JUST, MOST_INSTANCES))
    start = min(max(start, int(lows[0])), int(highs[0]))
    made = room(arrivals.size, kind=watch.kind)
    instance = Instance(
        launch_s=float(launch_s),
        drain_s=float(drain_s),
        carries=float(min(carries_per_minute or 0.0, NEVER_S)),
        service_s=float(service_s),
    )
    events = loop(arrivals, lows, highs, watch, instance, start, made)
    ready, desired, serving, paid, backlog, event_s, event_delta, _, _ = made
    event_s, event_delta = event_s[:events].copy(), event_delta[:events].copy()
    for array in (ready, desired, serving, paid, backlog, event_s, event_delta):
        array.setflags(write=False)
    return Capacity(
        ready=ready,
        desired=desired,
        serving=serving,
        paid=paid,
        backlog=backlog,
        initial=start,
        event_s=event_s,
        event_delta=event_delta,
    )


def _watch(policy: Base) -> Watch:
    if isinstance(policy, Fixed):
        return Watch(
            kind=NOTHING,
            out_above=1.0,
            in_below=0.0,
            out_points=0,
            in_points=0,
            wake_points=0,
            emits_zero=False,
            out_cooldown_s=0.0,
            in_cooldown_s=0.0,
        )
    out_cooldown_s, in_cooldown_s = float(policy.scale_out_cooldown_s), float(policy.scale_in_cooldown_s)
    if isinstance(policy, StepScaling):
        return Watch(
            kind=BACKLOG if policy.watches_backlog else REQUESTS,
            out_above=float(policy.out_above),
            in_below=float(policy.in_below if policy.steps_in else 0.0),
            out_points=int(policy.out_points),
            in_points=int(policy.in_points),
            wake_points=int(policy.wake_points) if policy.watches_backlog else 0,
            emits_zero=bool(policy.emits_zero or policy.watches_backlog),
            out_cooldown_s=out_cooldown_s,
            in_cooldown_s=in_cooldown_s,
            steps_out=_table(policy.steps_out),
            steps_in=_table(policy.steps_in),
        )
    if isinstance(policy, Backlog):
        target, kind, wake, zero = policy.target_per_instance, BACKLOG, policy.wake_points * policy.wakes, True
        in_ratio = IN_RATIO
    elif isinstance(policy, ToZero):
        target, kind, wake, zero, in_ratio = policy.target_per_minute, REQUESTS, policy.wake_points, True, IN_RATIO
    else:
        target, kind, wake, zero = policy.target_per_minute, REQUESTS, 0, policy.emits_zero
        in_ratio = IN_RATIO if policy.scales_in else 0.0
    return Watch(
        kind=kind,
        out_above=float(target),
        in_below=float(in_ratio * target),
        out_points=OUT_POINTS,
        in_points=IN_POINTS,
        wake_points=int(wake),
        emits_zero=bool(zero),
        out_cooldown_s=out_cooldown_s,
        in_cooldown_s=in_cooldown_s,
    )


def _table(steps: Sequence[Step]) -> Array:
    """Distances and changes, (2, steps)."""
    return np.array([[one.distance for one in steps], [one.change for one in steps]], dtype=np.float64)


def _bounds(policy: Policy, minutes: int, minute_of_week: int) -> tuple[Whole, Whole]:
    """The least and the most instances in each minute; one number each where they never change."""
    if isinstance(policy, Scheduled):
        actions = sorted(policy.actions, key=lambda action: action.minute_of_week)
        starts = np.array([action.minute_of_week for action in actions])
        # Before the first action of a week the last one of the week before holds.
        at = np.searchsorted(starts, (minute_of_week + np.arange(minutes)) % MINUTES_PER_WEEK, side="right") - 1
        lows = np.array([action.minimum for action in actions], dtype=np.int64)
        highs = np.array([action.maximum for action in actions], dtype=np.int64)
        return lows[at], highs[at]
    if isinstance(policy, Fixed):
        low = high = policy.instances
    else:
        low, high = 0 if isinstance(policy, ToZero) else policy.minimum, policy.maximum
    return np.array([low], dtype=np.int64), np.array([high], dtype=np.int64)
