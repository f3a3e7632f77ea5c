"""The scaling policy of a configuration as short lines that a person types and a link holds.

Steps are `600: 1, 900: 3`: above 600 of the metric add 1 instance, above 900 add 3; for removing the thresholds fall.
A schedule is `weekdays 07:30 4-8, daily 20:00 1-4`: from then on 4 to 8 instances, then 1 to 4.
"""

import re
from collections.abc import Mapping, Sequence
from decimal import Decimal
from types import MappingProxyType

from fitness import document
from fitness.errors import InputError, Problem
from fitness.simulation.policy_config import PATH
from fitness.simulation.rules import IN_POINTS, OUT_POINTS

OUT, IN, SCHEDULE = "steps_out", "steps_in", "schedule"
OUT_AFTER, IN_AFTER = "out_points", "in_points"

_STEP = r"(\d+(?:\.\d+)?): *([1-9]\d{0,3})"
_ACTION = r"([A-Za-z]+ \d\d:\d\d) +(\d{1,5})-(\d{1,5})"
_STEPS_FORM, _SCHEDULE_FORM = (rf"^({one}( *, *{one})*)?$" for one in (_STEP, _ACTION))
FORMS: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        OUT: (_STEPS_FORM, "as 600: 1, 900: 3"),
        IN: (_STEPS_FORM, "as 300: 1, 100: 2"),
        SCHEDULE: (_SCHEDULE_FORM, "as weekdays 07:30 4-8, daily 20:00 1-4"),
    }
)
"""Of each line that is typed, the form as a regular expression, and an example of it."""
_SPANS = (
    ("daily", ("mon", "tue", "wed", "thu", "fri", "sat", "sun")),
    ("weekdays", ("mon", "tue", "wed", "thu", "fri")),
    ("weekends", ("sat", "sun")),
)


def read(parts: Mapping[str, object], *, metric: str) -> dict[str, object]:
    """Give the `policy` setting that the parts say, empty where they say nothing.

    Raises: InputError naming every line that can't be read.
    """
    texts = {name: str(parts.get(name) or "").strip() for name in FORMS}
    problems = [
        Problem(path=_path(name), message=f"must be {example}, got {document.shown(texts[name])}")
        for name, (form, example) in FORMS.items()
        if not re.fullmatch(form, texts[name])
    ]
    if texts[IN] and not texts[OUT]:
        problems.append(Problem(path=_path(IN), message="needs a step that adds instances"))
    if problems:
        raise InputError(problems)
    found: dict[str, object] = {}
    if texts[OUT]:
        found["step"] = _step(texts, parts, metric)
    if texts[SCHEDULE]:
        found["schedule"] = [
            {"at": at, "min_instances": int(low), "max_instances": int(high)}
            for at, low, high in re.findall(_ACTION, texts[SCHEDULE])
        ]
    return found


def write(policy: Mapping[str, object]) -> dict[str, object]:
    """Give the parts that say a `policy` setting; thresholds have six digits.

    >>> write(
    ...     {
    ...         "schedule": [
    ...             {"at": "sat 08:00", "min_instances": 1, "max_instances": 2},
    ...             {"at": "sun 08:00", "min_instances": 1, "max_instances": 2},
    ...         ]
    ...     }
    ... )
    {'schedule': 'weekends 08:00 1-2'}
    """
    found: dict[str, object] = {}
    step = policy.get("step")
    if isinstance(step, Mapping):
        found[OUT] = _steps_text(step["out_above"], step["steps_out"], sign=1)
        if "in_below" in step:
            found[IN] = _steps_text(step["in_below"], step["steps_in"], sign=-1)
        found |= {name: step[name] for name in (OUT_AFTER, IN_AFTER)}
    if isinstance(schedule := policy.get("schedule"), Sequence):
        found[SCHEDULE] = _schedule_text(schedule)
    return found


def number(value: float) -> str:
    """Give a number with six digits and no exponent.

    >>> number(1566.312349), number(2e7), number(0.5)
    ('1566.31', '20000000', '0.5')
    """
    return f"{Decimal(f'{value:.6g}'):f}"


def _path(name: str) -> str:
    return f"{PATH}.{name}" if name == SCHEDULE else f"{PATH}.step.{name}"


def _step(texts: Mapping[str, str], parts: Mapping[str, object], metric: str) -> dict[str, object]:
    out_above, steps_out = _steps(texts[OUT], sign=1)
    found = {
        "metric": metric,
        "out_above": out_above,
        "steps_out": steps_out,
        OUT_AFTER: parts.get(OUT_AFTER) or OUT_POINTS,
        IN_AFTER: parts.get(IN_AFTER) or IN_POINTS,
    }
    if texts[IN]:
        found["in_below"], found["steps_in"] = _steps(texts[IN], sign=-1)
    return found


def _steps(text: str, *, sign: int) -> tuple[float, list[dict[str, object]]]:
    """Give the threshold of the alarm, and the steps by their distance from it; the nearest comes first."""
    pairs = sorted((sign * float(at), int(change)) for at, change in re.findall(_STEP, text))
    return sign * pairs[0][0], [{"distance": at - pairs[0][0], "change": change} for at, change in pairs]


def _steps_text(threshold: float, steps: Sequence[Mapping[str, float]], *, sign: int) -> str:
    return ", ".join(f"{number(threshold + sign * one['distance'])}: {one['change']}" for one in steps)


def _schedule_text(actions: Sequence[Mapping[str, object]]) -> str:
    """Give the actions with the days of the same time and bounds together."""
    days: dict[tuple[str, str], list[str]] = {}
    for one in actions:
        day, time = str(one["at"]).split()
        days.setdefault((time, f"{one['min_instances']}-{one['max_instances']}"), []).append(day)
    lines = []
    for (time, bounds), found in days.items():
        left = list(found)
        for span, members in _SPANS:
            if set(members) <= set(left):
                lines.append(f"{span} {time} {bounds}")
                left = [day for day in left if day not in members]
        lines += [f"{day} {time} {bounds}" for day in left]
    return ", ".join(lines)
