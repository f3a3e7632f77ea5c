"""The scaling policy that a configuration may state: steps instead of a target, and bounds by the time of the week.

The form is described in docs/settings.md#scaling-policies; what each part does is in docs/simulation.md#control-loop.
"""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace

from fitness.document import child, shown
from fitness.errors import InputError, Problem
from fitness.simulation.rules import (
    DAYS,
    IN_POINTS,
    MINUTES_PER_DAY,
    MINUTES_PER_WEEK,
    OUT_POINTS,
    Action,
    Backlog,
    Fixed,
    Policy,
    Scheduled,
    Step,
    StepScaling,
    TargetTracking,
    ToZero,
    is_on_backlog,
)

PATH = "$.config.policy"
BACKLOG = "ApproximateBacklogSizePerInstance"
PLAYED = ("InvocationsPerInstance", "InvocationsPerCopy", BACKLOG)  # the metrics that the control loop works out
_STEP_KEYS = ("metric", "out_above", "steps_out", "in_below", "steps_in", "out_points", "in_points")
_ACTION_KEYS = ("at", "min_instances", "max_instances")
_SPANS: Mapping[str, tuple[int, ...]] = {
    **{day: (index,) for index, day in enumerate(DAYS)},
    "weekdays": (0, 1, 2, 3, 4),
    "weekends": (5, 6),
    "daily": (0, 1, 2, 3, 4, 5, 6),
}
_MOST = 1e12


@dataclass(frozen=True, slots=True, kw_only=True)
class Stated:
    """What a configuration says of its policy; bounds of the steps are those of the configuration."""

    metric: str | None  # None: the usual one of the option
    step: StepScaling | None
    actions: tuple[Action, ...]


def stated(config: Mapping[str, object]) -> Stated | None:
    """The policy that checked settings state, or None.

    Raises: InputError naming everything that is wrong with it.
    """
    value = config.get("policy")
    if value is None:
        return None
    reader = _Reader()
    found = reader.policy(value)
    if reader.problems:
        raise InputError(reader.problems)
    return found


def policy_of(base: Policy, config: Mapping[str, object], *, endpoints: float, metrics: Collection[str]) -> Policy:
    """The policy of one endpoint: `base`, what the settings say without one, with what they state laid over it.

    Bounds of the schedule count the instances of all `endpoints`. Steps on a metric that is none of `metrics` are left
    out: the settings are those of ten options.
    """
    found = stated(config)
    if found is not None and found.step is not None and found.metric in metrics:
        most = config.get("max_instances")
        base = _stepped(found.step, base, round(most / endpoints) if isinstance(most, (int, float)) else 0)
    if not isinstance(base, Fixed | Scheduled):
        base = replace(
            base,
            scale_out_cooldown_s=_seconds(config, "scale_out_cooldown_s", base.scale_out_cooldown_s),
            scale_in_cooldown_s=_seconds(config, "scale_in_cooldown_s", base.scale_in_cooldown_s),
        )
    if found is None or not found.actions:
        return base
    assert not isinstance(base, Scheduled)  # noqa: S101 settings without a policy have no schedule
    least = fewest(base)
    bounds = ((round(one.minimum / endpoints), round(one.maximum / endpoints)) for one in found.actions)
    actions = tuple(
        replace(one, minimum=max(low, least), maximum=max(low, high, 1))
        for one, (low, high) in zip(found.actions, bounds, strict=True)
    )
    return Scheduled(base=base, actions=actions)


def fewest(base: Policy) -> int:
    """The smallest minimum that a policy may have: zero takes a queue or inference components."""
    return 0 if isinstance(base, ToZero) or is_on_backlog(base) else 1


def _seconds(config: Mapping[str, object], name: str, usual: float) -> float:
    value = config.get(name)
    return float(value) if isinstance(value, (int, float)) else usual


def _stepped(step: StepScaling, base: Policy, most: int) -> StepScaling:
    """The steps within the bounds of another policy; they may go beyond what the load asks for, up to `most`."""
    if isinstance(base, Fixed):
        low, high = base.instances, base.instances
    else:
        assert isinstance(base, TargetTracking | Backlog | ToZero)  # noqa: S101 what settings without a policy give
        low, high = 0 if isinstance(base, ToZero) else base.minimum, base.maximum
    low = low if step.watches_backlog else max(low, 1)
    return replace(step, minimum=low, maximum=max(low, high, most, 1))


class _Reader:
    """Reads a policy and notes what is wrong with it."""

    def __init__(self) -> None:
        self.problems: list[Problem] = []

    def policy(self, value: object) -> Stated:
        """The policy; without meaning where there are problems."""
        given = self._mapping(PATH, value, ("step", "schedule"))
        if isinstance(value, dict) and not given and not self.problems:
            self._wrong(PATH, "must have step, schedule or both")
        step = self._step(given["step"]) if "step" in given else (None, None)
        actions = self._schedule(given["schedule"]) if "schedule" in given else ()
        return Stated(metric=step[0], step=step[1], actions=actions)

    def _step(self, value: object) -> tuple[str | None, StepScaling | None]:
        path = f"{PATH}.step"
        given = self._mapping(path, value, _STEP_KEYS)
        for name in ("metric", "out_above", "steps_out"):
            if isinstance(value, dict) and name not in value:
                self._wrong(child(path, name), "is missing")
        metric = given.get("metric")
        if metric is not None and metric not in PLAYED:
            self._wrong(f"{path}.metric", f"must be {' or '.join(PLAYED)}, got {shown(metric)}")
        out_above = self._number(given, path, "out_above", 0.0)
        in_below = self._number(given, path, "in_below", 0.0)
        points = {
            name: self._whole(f"{path}.{name}", given.get(name, usual), least=1)
            for name, usual in (("out_points", OUT_POINTS), ("in_points", IN_POINTS))
        }
        steps = {name: self._steps(f"{path}.{name}", given.get(name, [])) for name in ("steps_out", "steps_in")}
        if self.problems:
            return None, None
        if bool(steps["steps_in"]) != ("in_below" in given):
            self._wrong(path, "must have both in_below and steps_in, or neither")
            return None, None
        try:
            step = StepScaling(
                out_above=out_above,
                in_below=in_below,
                steps_out=steps["steps_out"],
                steps_in=steps["steps_in"],
                minimum=1,
                maximum=1,
                out_points=points["out_points"],
                in_points=points["in_points"],
                watches_backlog=metric == BACKLOG,
            )
        except InputError as err:
            for problem in err.problems:
                self._wrong(problem.path.replace("$.policy", path), problem.message)
            return None, None
        return str(metric), step

    def _steps(self, path: str, value: object) -> tuple[Step, ...]:
        found = []
        for index, one in enumerate(self._list(path, value)):
            at = child(path, index)
            given = self._mapping(at, one, ("distance", "change"))
            distance = self._number(given, at, "distance", 0.0)
            found.append(Step(distance=distance, change=self._whole(f"{at}.change", given.get("change"), least=1)))
        return tuple(found)

    def _schedule(self, value: object) -> tuple[Action, ...]:
        path = f"{PATH}.schedule"
        items = self._list(path, value)
        if isinstance(value, list) and not items:
            self._wrong(path, "must have at least one action")
        found: list[Action] = []
        for index, one in enumerate(items):
            at = child(path, index)
            given = self._mapping(at, one, _ACTION_KEYS)
            low = self._whole(f"{at}.min_instances", given.get("min_instances"), least=0)
            high = self._whole(f"{at}.max_instances", given.get("max_instances"), least=1)
            if low > high >= 1:
                self._wrong(f"{at}.max_instances", f"must be >= min_instances = {low}, got {high}")
            minutes = self._minutes(f"{at}.at", given.get("at"))
            taken = {action.minute_of_week for action in found}
            if taken & set(minutes):
                self._wrong(f"{at}.at", f"must start at another minute than an action before, got {shown(given['at'])}")
            found += [Action(minute_of_week=minute, minimum=low, maximum=high) for minute in minutes]
        return tuple(found)

    def _minutes(self, path: str, value: object) -> tuple[int, ...]:
        """Minutes of the week, from Monday 00:00 UTC."""
        matched = re.fullmatch(r"([A-Za-z]+) ([01]\d|2[0-3]):([0-5]\d)", value) if isinstance(value, str) else None
        days = _SPANS.get(matched[1].lower(), ()) if matched else ()
        if not matched or not days:
            form = f'a day and a time in UTC, as "mon 07:30"; a day is one of {", ".join(_SPANS)}'
            self._wrong(path, f"must be {form}, got {shown(value)}")
            return ()
        minute = int(matched[2]) * 60 + int(matched[3])
        return tuple((day * MINUTES_PER_DAY + minute) % MINUTES_PER_WEEK for day in days)

    def _mapping(self, path: str, value: object, keys: tuple[str, ...]) -> dict[str, object]:
        """The known entries of a mapping."""
        if not isinstance(value, dict):
            self._wrong(path, f"must be a mapping with {', '.join(keys)}, got {shown(value)}")
            return {}
        for key in value:
            if key not in keys:
                self._wrong(child(path, str(key)), f"is unknown; expected one of {', '.join(keys)}")
        return {key: value[key] for key in keys if key in value}

    def _list(self, path: str, value: object) -> list[object]:
        if isinstance(value, list):
            return value
        self._wrong(path, f"must be a list, got {shown(value)}")
        return []

    def _number(self, given: Mapping[str, object], path: str, name: str, usual: float) -> float:
        value = given.get(name, usual)
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value < _MOST:
            self._wrong(f"{path}.{name}", f"must be a number from 0 to {_MOST:g}, got {shown(value)}")
            return usual
        return float(value)

    def _whole(self, path: str, value: object, *, least: int) -> int:
        if type(value) is int and least <= value <= 10_000:
            return value
        self._wrong(path, f"must be a whole number from {least} to 10000, got {shown(value)}")
        return least

    def _wrong(self, path: str, message: str) -> None:
        self.problems.append(Problem(path=path, message=message))
