"""Scaling rules: what a policy says about how many instances there are.

A value of this module is what a team would configure; `control` says what it does minute by minute.
Facts and what is assumed about them: docs/simulation.md#control-loop.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from fitness import document
from fitness.errors import InputError, Problem

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
MINUTES_PER_DAY = 24 * 60
MINUTES_PER_WEEK = len(DAYS) * MINUTES_PER_DAY
# Application Auto Scaling user guide, "How target tracking scaling works", read 2026-11-21
COOLDOWN_S = 300.0
# Alarms that target tracking made in public labs: 3 datapoints of 3 above the target, 15 of 15 below 0.9 x target
OUT_POINTS, IN_POINTS, IN_RATIO = 3, 15, 0.9
# SageMaker developer guide, async-inference-autoscale: HasBacklogWithoutCapacity, 2 datapoints of 2
BACKLOG_WAKE_POINTS = 2
# SageMaker developer guide, endpoint-auto-scaling-zero-instances: NoCapacityInvocationFailures, 1 datapoint of 1
FAILURES_WAKE_POINTS = 1
MOST_INSTANCES = 1_000_000
_LONGEST_S = 30 * 24 * 3600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Fixed:
    """Always the same number of instances."""

    instances: int

    def __post_init__(self) -> None:
        _check([_whole("instances", self.instances, least=0)])


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetTracking:
    """Keep the invocations of an instance near a target.

    Out when 3 of 3 datapoints exceed the target, in when 15 of 15 are below 0.9 x target; instances that are
    starting count as capacity. A minute without a request has no datapoint, so nothing scales in while there is
    no traffic, unless `emits_zero`.
    """

    target_per_minute: float  # InvocationsPerInstance, sum over a minute
    minimum: int
    maximum: int
    scale_out_cooldown_s: float = COOLDOWN_S
    scale_in_cooldown_s: float = COOLDOWN_S
    emits_zero: bool = False  # the platform publishes a datapoint of 0 in a minute without a request
    scales_in: bool = True  # False: DisableScaleIn

    def __post_init__(self) -> None:
        _check(
            [
                _above_zero("target_per_minute", self.target_per_minute),
                *_bounds(self.minimum, self.maximum, least=1),
                *_cooldowns(self.scale_out_cooldown_s, self.scale_in_cooldown_s),
            ]
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ToZero:
    """Target tracking over copies of an inference component, down to none.

    Requests at zero fail; the alarm on NoCapacityInvocationFailures starts one copy, and the target does the rest.
    The metric of the copies is taken to be 0, not missing, in a quiet minute: otherwise they would never go.
    """

    target_per_minute: float  # InvocationsPerCopy, sum over a minute
    maximum: int
    scale_out_cooldown_s: float = COOLDOWN_S
    scale_in_cooldown_s: float = COOLDOWN_S
    wake_points: int = FAILURES_WAKE_POINTS

    def __post_init__(self) -> None:
        _check(
            [
                _above_zero("target_per_minute", self.target_per_minute),
                _whole("wake_points", self.wake_points, least=1),
                *_bounds(0, self.maximum, least=0),
                *_cooldowns(self.scale_out_cooldown_s, self.scale_in_cooldown_s),
            ]
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Backlog:
    """Keep the queue of an asynchronous endpoint near a target for each instance.

    The backlog counts requests that wait and requests that are processed. At zero instances it is no number for
    each instance: the alarm on HasBacklogWithoutCapacity (2 datapoints of 2) starts the first one.
    """

    target_per_instance: float  # ApproximateBacklogSizePerInstance
    minimum: int
    maximum: int
    scale_out_cooldown_s: float = COOLDOWN_S
    scale_in_cooldown_s: float = COOLDOWN_S
    wakes: bool = True  # False: without the alarm an endpoint at zero stays there
    wake_points: int = BACKLOG_WAKE_POINTS

    def __post_init__(self) -> None:
        _check(
            [
                _above_zero("target_per_instance", self.target_per_instance),
                _whole("wake_points", self.wake_points, least=1),
                *_bounds(self.minimum, self.maximum, least=0),
                *_cooldowns(self.scale_out_cooldown_s, self.scale_in_cooldown_s),
            ]
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """Change the count by `change` instances when the metric is at least `distance` beyond the alarm's threshold."""

    distance: float  # of the metric from the threshold, >= 0 in the direction of the alarm
    change: int  # instances to add (scale out) or to remove (scale in), > 0


@dataclass(frozen=True, slots=True, kw_only=True)
class StepScaling:
    """Two alarms on the invocations of an instance, each with steps; the farthest step that is reached applies.

    With `watches_backlog` the alarms are on the queue of an asynchronous endpoint, over its instances; zero instances
    are left as `Backlog` leaves them.
    """

    out_above: float  # threshold of the alarm that scales out, invocations per instance and minute
    in_below: float  # threshold of the alarm that scales in
    steps_out: tuple[Step, ...]
    steps_in: tuple[Step, ...]
    minimum: int
    maximum: int
    scale_out_cooldown_s: float = COOLDOWN_S
    scale_in_cooldown_s: float = COOLDOWN_S
    out_points: int = OUT_POINTS
    in_points: int = IN_POINTS
    emits_zero: bool = False
    watches_backlog: bool = False
    wake_points: int = BACKLOG_WAKE_POINTS

    def __post_init__(self) -> None:
        problems = [
            _above_zero("out_above", self.out_above),
            *_steps("steps_out", self.steps_out),
            *(_steps("steps_in", self.steps_in) if self.steps_in else []),
            _whole("out_points", self.out_points, least=1),
            _whole("in_points", self.in_points, least=1),
            _whole("wake_points", self.wake_points, least=1),
            *_bounds(self.minimum, self.maximum, least=0 if self.watches_backlog else 1),
            *_cooldowns(self.scale_out_cooldown_s, self.scale_in_cooldown_s),
        ]
        if not 0 <= self.in_below <= self.out_above:
            message = f"must be from 0 to `out_above` ({self.out_above:g}), got {document.shown(self.in_below)}"
            problems.append(Problem(path="$.policy.in_below", message=message))
        _check(problems)


@dataclass(frozen=True, slots=True, kw_only=True)
class Action:
    """From this minute of every week on, the count stays between two bounds."""

    minute_of_week: int  # 0 is Monday 00:00 UTC
    minimum: int
    maximum: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Scheduled:
    """Bounds that change with the time of the week, around another policy."""

    base: "Base"
    actions: tuple[Action, ...]

    def __post_init__(self) -> None:
        problems: list[Problem | None] = []
        if not self.actions:
            problems.append(Problem(path="$.policy.actions", message="must have at least one action"))
        minutes = [action.minute_of_week for action in self.actions]
        if len(set(minutes)) < len(minutes):
            problems.append(Problem(path="$.policy.actions", message="must start at different minutes of the week"))
        least = 0 if isinstance(self.base, ToZero | Fixed) or is_on_backlog(self.base) else 1
        for index, action in enumerate(self.actions):
            path = f"actions[{index}]"
            problems.append(_whole(f"{path}.minute_of_week", action.minute_of_week, least=0, most=MINUTES_PER_WEEK - 1))
            problems += _bounds(action.minimum, action.maximum, least=least, path=f"{path}.")
        _check(problems)


Base = Fixed | TargetTracking | ToZero | Backlog | StepScaling
Policy = Base | Scheduled


def base_of(policy: Policy) -> Base:
    """What a policy does within its bounds, whether these change with the time of the week or not."""
    return policy.base if isinstance(policy, Scheduled) else policy


def is_on_backlog(policy: Policy) -> bool:
    """Whether a policy looks at the queue of an asynchronous endpoint."""
    base = base_of(policy)
    return isinstance(base, Backlog) or (isinstance(base, StepScaling) and base.watches_backlog)


def _check(problems: Sequence[Problem | None]) -> None:
    found = [problem for problem in problems if problem is not None]
    if found:
        raise InputError(found)


def _whole(name: str, value: int, *, least: int, most: int = MOST_INSTANCES) -> Problem | None:
    if type(value) is int and least <= value <= most:
        return None
    message = f"must be a whole number from {least} to {most}, got {document.shown(value)}"
    return Problem(path=f"$.policy.{name}", message=message)


def _above_zero(name: str, value: float) -> Problem | None:
    if 0 < value < 1e12:
        return None
    return Problem(path=f"$.policy.{name}", message=f"must be a number > 0, got {document.shown(value)}")


def _bounds(minimum: int, maximum: int, *, least: int, path: str = "") -> list[Problem | None]:
    found = [
        _whole(f"{path}minimum", minimum, least=least),
        _whole(f"{path}maximum", maximum, least=max(least, 1)),
    ]
    if not any(found) and minimum > maximum:
        message = f"must be at most the maximum ({maximum}), got {minimum}"
        found.append(Problem(path=f"$.policy.{path}minimum", message=message))
    return found


def _cooldowns(out_s: float, in_s: float) -> list[Problem | None]:
    return [
        None
        if 0 <= value <= _LONGEST_S
        else Problem(path=f"$.policy.{name}", message=f"must be 0 to 30 days in seconds, got {document.shown(value)}")
        for name, value in (("scale_out_cooldown_s", out_s), ("scale_in_cooldown_s", in_s))
    ]


def _steps(name: str, steps: Sequence[Step]) -> list[Problem | None]:
    found: list[Problem | None] = []
    if not steps or steps[0].distance != 0:
        found.append(Problem(path=f"$.policy.{name}", message="must begin with a step at distance 0"))
    for index, step in enumerate(steps):
        found.append(_whole(f"{name}[{index}].change", step.change, least=1))
        if index and not step.distance > steps[index - 1].distance:
            path = f"$.policy.{name}[{index}].distance"
            found.append(Problem(path=path, message="must be larger than the distance of the step before"))
    return found
