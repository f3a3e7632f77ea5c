"""A scaling policy in words."""

from collections.abc import Mapping
from types import MappingProxyType

from fitness.simulation.designed import Designed
from fitness.simulation.policies import Kind
from fitness.simulation.rules import (
    MINUTES_PER_WEEK,
    Action,
    Backlog,
    Fixed,
    Policy,
    Scheduled,
    StepScaling,
    TargetTracking,
    ToZero,
)
from ui import format as fmt

KINDS: Mapping[Kind, str] = MappingProxyType(
    {
        Kind.TARGET_TRACKING: "Target tracking",
        Kind.STEP: "Step scaling",
        Kind.SCHEDULED: "Schedule around a target",
        Kind.BACKLOG: "Target on the backlog",
        Kind.TO_ZERO: "Target tracking, to zero",
    }
)
_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_DAY = MINUTES_PER_WEEK // 7


def sentences(policy: Policy, designed: Designed) -> list[str]:
    """Say what the policy does, one thing a sentence."""
    base = policy.base if isinstance(policy, Scheduled) else policy
    said = [*_rule(base, designed), _bounds(base)]
    if not isinstance(base, Fixed):
        out, into = (fmt.ms(value * 1_000) for value in (base.scale_out_cooldown_s, base.scale_in_cooldown_s))
        said.append(f"Wait {out} after scaling out and {into} after scaling in before the same again.")
    if isinstance(policy, Scheduled):
        said += ["On a schedule, in UTC, with another minimum and maximum:", *schedule(policy.actions)]
    return said


def short(policy: Policy) -> str:
    """Say it in one line, for a table or a point of a figure."""
    base = policy.base if isinstance(policy, Scheduled) else policy
    low = 0 if isinstance(base, ToZero) else base.instances if isinstance(base, Fixed) else base.minimum
    high = base.instances if isinstance(base, Fixed) else base.maximum
    if isinstance(base, Fixed):
        return f"always {high:,}"
    if isinstance(base, StepScaling):
        what = f"out above {fmt.number(base.out_above)}/min by {base.steps_out[0].change}"
    elif isinstance(base, Backlog):
        what = f"{fmt.number(base.target_per_instance)} waiting each"
    else:
        what = f"{fmt.number(base.target_per_minute)}/min each"
    times = f"cooldowns {base.scale_out_cooldown_s:.0f} and {base.scale_in_cooldown_s:.0f} s"
    actions = f", {len(policy.actions)} actions a week" if isinstance(policy, Scheduled) else ""
    return f"{what}, {low:,} to {high:,}, {times}{actions}"


def schedule(actions: tuple[Action, ...]) -> list[str]:
    """Say what changes when; days with the same time and bounds share a line.

    >>> schedule((Action(minute_of_week=533, minimum=4, maximum=9), Action(minute_of_week=1973, minimum=4, maximum=9)))
    ['Mon, Tue at 08:53: 4 to 9 instances.']
    """
    days: dict[tuple[int, int, int], list[str]] = {}
    for one in sorted(actions, key=lambda action: action.minute_of_week):
        day, minute = divmod(one.minute_of_week, _DAY)
        days.setdefault((minute, one.minimum, one.maximum), []).append(_DAYS[day])
    lines = []
    for (minute, low, high), names in days.items():
        count = f"{low:,}" if low == high else f"{low:,} to {high:,}"
        unit = "instance" if high == 1 else "instances"
        lines.append(f"{', '.join(names)} at {minute // 60:02}:{minute % 60:02}: {count} {unit}.")
    return lines


def _rule(base: Fixed | TargetTracking | ToZero | Backlog | StepScaling, designed: Designed) -> list[str]:
    carries = designed.carries_per_minute
    if isinstance(base, Fixed):
        return ["Keep the same number of instances, whatever comes."]
    if isinstance(base, Backlog):
        unit = "request" if base.target_per_instance == 1 else "requests"
        keep = (
            f"Keep {fmt.number(base.target_per_instance)} {unit} waiting or at work for each instance, which works "
            f"off {fmt.number(carries)} a minute."
        )
        wakes = base.minimum == 0 and base.wakes
        return [keep, *[f"From zero, start one instance after {base.wake_points} minutes with a backlog."] * wakes]
    if isinstance(base, StepScaling):
        return [
            f"Watch the requests a minute for each instance, which carries {fmt.number(carries)}.",
            *_steps(base, "out"),
            *_steps(base, "in"),
        ]
    share = fmt.percent(base.target_per_minute / carries)
    unit = "copy" if isinstance(base, ToZero) else "instance"
    keep = (
        f"Keep {fmt.number(base.target_per_minute)} requests a minute on each {unit}: {share} of the "
        f"{fmt.number(carries)} that it carries within the objectives."
    )
    wakes = isinstance(base, ToZero)
    return [keep, *["From zero, start one copy after a minute in which a request failed."] * wakes]


def _steps(base: StepScaling, side: str) -> list[str]:
    is_out = side == "out"
    steps, threshold, points = (
        (base.steps_out, base.out_above, base.out_points) if is_out else (base.steps_in, base.in_below, base.in_points)
    )
    verb, word, sign = ("add", "above", 1) if is_out else ("remove", "below", -1)
    changes = [
        f"{verb} {step.change:,} {word} {fmt.number(threshold + sign * step.distance)}"
        for step, before in zip(steps, (None, *steps), strict=False)
        if (sign > 0 or step.distance < threshold) and (before is None or before.change != step.change)
    ]
    minutes = "one minute" if points == 1 else f"{points} minutes in a row"
    return [fmt.sentence(f"after {minutes} {fmt.listed(changes, last='or')}")] if changes else []


def _bounds(base: Fixed | TargetTracking | ToZero | Backlog | StepScaling) -> str:
    low = 0 if isinstance(base, ToZero) else base.instances if isinstance(base, Fixed) else base.minimum
    high = base.instances if isinstance(base, Fixed) else base.maximum
    one, many = ("copy", "copies") if isinstance(base, ToZero) else ("instance", "instances")
    unit = one if high == 1 else many
    return f"Always {high:,} {unit}." if low == high else f"From {low:,} to {high:,} {unit}."
