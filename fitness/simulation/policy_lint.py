"""What is wrong with a scaling policy before it runs: metrics that nobody publishes, and known traps.

The metrics of each option are in data/scaling_metrics.csv, with source and date.
"""

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from importlib.resources import files

import numpy as np

from fitness import document
from fitness.arrays import Array
from fitness.options import option as option_of
from fitness.simulation.rules import (
    IN_POINTS,
    OUT_POINTS,
    Backlog,
    Fixed,
    Policy,
    Scheduled,
    StepScaling,
    ToZero,
    base_of,
    is_on_backlog,
)
from fitness.wording import percent

_TARGET_TRACKING = "Application Auto Scaling user guide, How target tracking scaling works"
_PREREQUISITES = "Amazon SageMaker developer guide, endpoint-auto-scaling-prerequisites"
_ZERO = "Amazon SageMaker developer guide, endpoint-auto-scaling-zero-instances"
_ASYNC = "Amazon SageMaker developer guide, async-inference-autoscale"
_ALARMS = "alarms that target tracking made in public labs"
_SELF_SCALING = {
    "batch": "a job has the instances that it was started with",
    "serverless": "capacity on demand scales by itself, up to the maximum concurrency",
    "azure_functions": "the plan scales by itself, up to its maximum of instances",
}


class Level(StrEnum):
    """How bad a finding is."""

    REFUSE = "refuse"  # the policy can't work
    WARN = "warn"  # it works, and does something else than one might expect


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that is wrong."""

    level: Level
    code: str
    message: str
    source: str
    as_of: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Metric:
    """A metric that an option publishes."""

    name: str
    options: frozenset[str]
    variant: str  # "" or the only variant of the option that has it
    statistic: str
    period_s: int
    use: str  # track: a target is kept; wake: an alarm that leaves zero; watch: not for scaling
    source: str
    as_of: str
    note: str


@cache
def metrics() -> tuple[Metric, ...]:
    """Every metric that scaling could look at, in the order of the table."""
    text = (files("fitness") / "data" / "scaling_metrics.csv").read_text(encoding="utf-8")
    return tuple(
        Metric(
            name=row["metric"],
            options=frozenset(row["options"].split(";")),
            variant=row["variant"],
            statistic=row["statistic"],
            period_s=int(row["period_s"]),
            use=row["use"],
            source=row["source"],
            as_of=row["as_of"],
            note=row["note"],
        )
        for row in csv.DictReader(text.splitlines())
    )


def published(option: str, variant: str = "") -> tuple[Metric, ...]:
    """The metrics that an option publishes in a variant."""
    return tuple(one for one in metrics() if option in one.options and one.variant in ("", variant))


def default_metric(policy: Policy) -> str:
    """The metric that a policy of the control loop looks at."""
    base = base_of(policy)
    if is_on_backlog(base):
        return "ApproximateBacklogSizePerInstance"
    return "InvocationsPerCopy" if isinstance(base, ToZero) else "InvocationsPerInstance"


def lint(
    option: str,
    policy: Policy,
    *,
    variant: str = "",
    metric: str | None = None,
    carries_per_minute: float | None = None,
    launch_s: float | None = None,
    counts: Array | None = None,
) -> tuple[Finding, ...]:
    """Give what is wrong with a policy for an option, the worst first.

    `metric` is what the policy looks at, where it is not the usual one. With `carries_per_minute`, the requests that
    one instance carries within the objectives, `launch_s` and `counts`, the requests of each minute, the traps are
    found as well. None of them is needed.
    Raises: UnknownOption for an option that there is not.
    """
    option_of(option)
    base = base_of(policy)
    found = [*_metric(option, variant, metric or default_metric(policy), base), *_zero(option, variant, policy)]
    if not isinstance(base, Fixed):
        found += _times(base, launch_s)
        found += _sizes(base, carries_per_minute, counts)
        found += _datapoints(base, counts)
    return tuple(sorted(found, key=lambda one: one.level is Level.WARN))


def _metric(option: str, variant: str, metric: str, base: Policy) -> list[Finding]:
    if isinstance(base, Fixed):
        return []
    known = published(option, variant)
    one = next((each for each in known if each.name == metric), None)
    if one is None and option in _SELF_SCALING and variant != "provisioned":
        why = _SELF_SCALING[option]
        message = f"{option} has no scaling policy: {why}"
        return [_finding(Level.REFUSE, "no-policy", message, _PREREQUISITES)]
    if one is None:
        for_what = f"{option} ({variant})" if variant else option
        names = ", ".join(sorted(each.name for each in known if each.use == "track"))
        elsewhere = sorted({where for each in metrics() if each.name == metric for where in each.options})
        owner = f"; it belongs to {', '.join(elsewhere)}" if elsewhere else ""
        message = f"{for_what} does not publish {document.shown(metric)}{owner}; scale on one of {names}"
        source = known[0] if known else metrics()[0]
        return [_finding(Level.REFUSE, "unpublished-metric", message, source.source, source.as_of)]
    if one.use == "track":
        return []
    why = "only tells that there is no capacity at all" if one.use == "wake" else one.note
    message = f"{metric} is published but no target can be kept with it: {why}"
    return [_finding(Level.REFUSE, "unsuited-metric", message, one.source, one.as_of)]


def _zero(option: str, variant: str, policy: Policy) -> list[Finding]:
    base = base_of(policy)
    lows = [action.minimum for action in policy.actions] if isinstance(policy, Scheduled) else []
    least = min(lows) if lows else 0 if isinstance(base, ToZero) else getattr(base, "minimum", 1)
    if least > 0 or isinstance(base, Fixed):
        return []
    found = []
    if option != "async" and variant != "inference_components":
        message = f"{option} keeps an instance: a minimum of 0 takes inference components or an asynchronous endpoint"
        found.append(_finding(Level.REFUSE, "zero-minimum", message, _ZERO))
    if isinstance(base, Backlog) and not base.wakes:
        message = (
            f"at zero instances nothing happens until the backlog exceeds the target of {base.target_per_instance:g}: "
            "add a step policy on HasBacklogWithoutCapacity"
        )
        found.append(_finding(Level.WARN, "no-wake", message, _ASYNC))
    if variant == "inference_components":
        message = "requests at zero fail until a copy has started; there is no queue in front of it"
        found.append(_finding(Level.WARN, "fails-at-zero", message, _ZERO))
    return found


def _times(base: Policy, launch_s: float | None) -> list[Finding]:
    out_s = getattr(base, "scale_out_cooldown_s", None)
    if launch_s is None or out_s is None or out_s >= launch_s:
        return []
    message = (
        f"the scale-out cooldown of {out_s:g} s is shorter than a launch ({launch_s:.0f} s): "
        "where starting instances are not counted, the same load is answered twice"
    )
    return [_finding(Level.WARN, "cooldown-shorter-than-launch", message, _TARGET_TRACKING)]


def _sizes(base: Policy, carries: float | None, counts: Array | None) -> list[Finding]:
    found = []
    target = base.out_above if isinstance(base, StepScaling) else getattr(base, "target_per_minute", None)
    if is_on_backlog(base):
        target = None
    if carries is not None and target is not None and target > carries:
        message = (
            f"the target of {target:g} requests a minute is above the {carries:.4g} that one instance carries: "
            "it is late before it scales"
        )
        found.append(_finding(Level.REFUSE, "target-above-capacity", message, "the sizing of this workload"))
    maximum = getattr(base, "maximum", None)
    if carries is not None and counts is not None and maximum is not None and not is_on_backlog(base):
        needed = int(np.ceil(float(np.max(counts)) / carries))
        if needed > maximum:
            message = f"the busiest minute needs {needed:,} instances, the maximum is {maximum:,}"
            found.append(_finding(Level.WARN, "maximum-too-small", message, "the traffic of this workload"))
    if isinstance(base, StepScaling) and base.steps_in and base.minimum:
        after = base.out_above * base.minimum / (base.minimum + base.steps_out[0].change)
        if after < base.in_below:
            message = (
                f"one step out from {base.minimum} brings the metric from {base.out_above:g} to {after:.4g}, below the "
                f"{base.in_below:g} that scales in: the count will swing"
            )
            found.append(_finding(Level.WARN, "swings", message, _TARGET_TRACKING))
    return found


def _datapoints(base: Policy, counts: Array | None) -> list[Finding]:
    if (isinstance(base, StepScaling) and not base.steps_in) or not getattr(base, "scales_in", True):
        message = "nothing scales in: the instances of the busiest time stay"
        return [_finding(Level.WARN, "only-grows", message, _TARGET_TRACKING)]
    if isinstance(base, ToZero) or is_on_backlog(base) or getattr(base, "emits_zero", True):
        return []
    points = base.in_points if isinstance(base, StepScaling) else IN_POINTS
    quiet = None if counts is None else float(np.mean(np.asarray(counts) <= 0))
    if quiet == 0:
        return []
    share = "" if quiet is None else f"; {percent(quiet, 0)} of the minutes here have none"
    message = (
        f"scaling in takes {points} datapoints in a row, and a minute without a request has none{share}: "
        "an idle endpoint may keep the instances of its last peak (a guide of 2023 says that zeros are published "
        "then: look at the metric of your endpoint)"
    )
    return [_finding(Level.WARN, "quiet-minutes", message, _ALARMS, "2022-2026")]


def reaction_s(policy: Policy, launch_s: float) -> float:
    """How long a sudden rise waits for new instances: the alarm's datapoints and the launch."""
    base = base_of(policy)
    points = base.out_points if isinstance(base, StepScaling) else OUT_POINTS
    return 60.0 * points + launch_s


def _finding(level: Level, code: str, message: str, source: str, as_of: str = "2026") -> Finding:
    return Finding(level=level, code=code, message=message, source=source, as_of=as_of)


def refused(findings: Sequence[Finding]) -> bool:
    """Whether one of them says that the policy can't work."""
    return any(one.level is Level.REFUSE for one in findings)
