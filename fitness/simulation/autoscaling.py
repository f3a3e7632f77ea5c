"""A scaling policy as the calls that set it up: Application Auto Scaling, and the alarms of CloudWatch.

The shapes are those of botocore's service models, which tests/contract/test_autoscaling.py holds them to.
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

from fitness import document
from fitness.errors import InputError, Problem
from fitness.simulation.rules import (
    DAYS,
    MINUTES_PER_DAY,
    Action,
    Backlog,
    Fixed,
    Policy,
    Scheduled,
    Step,
    StepScaling,
    TargetTracking,
    ToZero,
    base_of,
)

SCALING, ALARMS = "application-autoscaling", "cloudwatch"
# SageMaker API reference, CreateEndpoint (EndpointName), CreateInferenceComponent (InferenceComponentName), read
# 2026-11-21
NAME = re.compile(r"[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}")
WAKE_COOLDOWN_S = 60  # SageMaker developer guide, endpoint-auto-scaling-zero-instances, read 2026-11-21
PERIOD_S = 60

Parameters = Mapping[str, object]


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One call of an AWS API."""

    service: str  # its name for boto3.client
    operation: str  # the method of the client
    parameters: Parameters
    alarm_of: str = ""  # name of the policy that this alarm starts; its ARN is known only after its call


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """What is scaled: the variant of an endpoint, or an inference component on it."""

    endpoint: str
    variant: str = "AllTraffic"
    is_component: bool = False  # copies of the inference component `variant` are scaled

    def __post_init__(self) -> None:
        names = {"endpoint": self.endpoint, "variant": self.variant}
        wrong = [
            Problem(
                path=f"$.{path}",
                message=f"must be 1 to 63 letters, digits and single hyphens between them, got {document.shown(name)}",
            )
            for path, name in names.items()
            if not NAME.fullmatch(name)
        ]
        if wrong:
            raise InputError(wrong)

    @property
    def common(self) -> dict[str, object]:
        """The parameters that each call of Application Auto Scaling has."""
        if self.is_component:
            return {
                "ServiceNamespace": "sagemaker",
                "ResourceId": f"inference-component/{self.variant}",
                "ScalableDimension": "sagemaker:inference-component:DesiredCopyCount",
            }
        return {
            "ServiceNamespace": "sagemaker",
            "ResourceId": f"endpoint/{self.endpoint}/variant/{self.variant}",
            "ScalableDimension": "sagemaker:variant:DesiredInstanceCount",
        }

    @property
    def dimensions(self) -> list[dict[str, str]]:
        """What the metrics of a variant, or of an inference component, are told apart by."""
        if self.is_component:
            return [{"Name": "InferenceComponentName", "Value": self.variant}]
        return [{"Name": "EndpointName", "Value": self.endpoint}, {"Name": "VariantName", "Value": self.variant}]


def calls(policy: Policy, target: Target) -> tuple[Call, ...]:
    """Give the calls that set a policy up, in their order. A fleet of fixed size is only registered."""
    base = base_of(policy)
    low, high = _bounds(base)
    found = [
        Call(
            service=SCALING,
            operation="register_scalable_target",
            parameters={**target.common, "MinCapacity": low, "MaxCapacity": high},
        )
    ]
    if isinstance(base, StepScaling):
        found += _stepping(base, target)
    elif isinstance(base, TargetTracking | ToZero | Backlog):
        found.append(_tracking(base, target))
        found += _wake(base, target)
    if isinstance(policy, Scheduled):
        found += _scheduled(policy.actions, target)
    return tuple(found)


def configuration(policy: Policy, target: Target) -> dict[str, object]:
    """Give the calls as one document: the operations in their order, with their parameters.

    An alarm's action stands there as `ARN of <policy>`.
    """
    document_of: dict[str, object] = {}
    for operation, same in groupby(calls(policy, target), key=lambda one: one.operation):
        parameters = [{**one.parameters, **_action(one)} for one in same]
        listed = document_of.setdefault(operation, [])
        assert isinstance(listed, list)  # noqa: S101 made above
        listed += parameters
    return document_of


def script(policy: Policy, target: Target) -> str:
    """Give a Python script that makes the calls with boto3."""
    made = calls(policy, target)
    lines = ["import boto3", "", f'scaling = boto3.client("{SCALING}")']
    if any(one.service == ALARMS for one in made):
        lines.append(f'alarms = boto3.client("{ALARMS}")')
    if any(one.operation == "put_scaling_policy" for one in made):
        lines.append("policies = {}  # the ARN of each, for its alarm")
    for one in made:
        client = "scaling" if one.service == SCALING else "alarms"
        action = [f'    AlarmActions=[policies["{one.alarm_of}"]],'] if one.alarm_of else []
        named = [f"    {name}={_literal(value, depth=1)}," for name, value in one.parameters.items()]
        is_policy = one.operation == "put_scaling_policy"
        start = f'policies["{one.parameters["PolicyName"]}"] = ' if is_policy else ""
        end = ')["PolicyARN"]' if is_policy else ")"
        lines += ["", f"{start}{client}.{one.operation}(", *named, *action, end]
    return "\n".join(lines) + "\n"


def _literal(value: object, *, depth: int) -> str:
    """The value as Python source, a line for each member."""
    pad = "    " * (depth + 1)
    if isinstance(value, dict):
        lines = [f"{pad}{json.dumps(name)}: {_literal(one, depth=depth + 1)}," for name, one in value.items()]
        start, end = "{", "}"
    elif isinstance(value, list):
        lines = [f"{pad}{_literal(one, depth=depth + 1)}," for one in value]
        start, end = "[", "]"
    else:
        return json.dumps(value) if isinstance(value, str) else repr(value)
    return "\n".join([start, *lines, f"{'    ' * depth}{end}"])


def _bounds(base: "Fixed | TargetTracking | ToZero | Backlog | StepScaling") -> tuple[int, int]:
    if isinstance(base, Fixed):
        return base.instances, base.instances
    return 0 if isinstance(base, ToZero) else base.minimum, base.maximum


def _tracking(base: TargetTracking | ToZero | Backlog, target: Target) -> Call:
    value = base.target_per_instance if isinstance(base, Backlog) else base.target_per_minute
    how: dict[str, object] = {"TargetValue": _shown(value)}
    if isinstance(base, Backlog):
        how["CustomizedMetricSpecification"] = {"Namespace": "AWS/SageMaker", **_backlog(target)}
    else:
        name = (
            "SageMakerInferenceComponentInvocationsPerCopy"
            if target.is_component
            else "SageMakerVariantInvocationsPerInstance"
        )
        how["PredefinedMetricSpecification"] = {"PredefinedMetricType": name}
    how["ScaleOutCooldown"] = round(base.scale_out_cooldown_s)
    how["ScaleInCooldown"] = round(base.scale_in_cooldown_s)
    if isinstance(base, TargetTracking) and not base.scales_in:
        how["DisableScaleIn"] = True
    return _policy("keep-target", "TargetTrackingScaling", how, target)


def _wake(base: TargetTracking | ToZero | Backlog, target: Target) -> list[Call]:
    """The step and the alarm that leave zero."""
    if isinstance(base, ToZero):
        metric, statistic, points = "NoCapacityInvocationFailures", "Sum", base.wake_points
        dimensions = target.dimensions
    elif isinstance(base, Backlog) and base.minimum == 0 and base.wakes:
        metric, statistic, points = "HasBacklogWithoutCapacity", "Average", base.wake_points
        dimensions = [{"Name": "EndpointName", "Value": target.endpoint}]
    else:
        return []
    step = {
        "AdjustmentType": "ChangeInCapacity",
        "MetricAggregationType": "Maximum",
        "Cooldown": WAKE_COOLDOWN_S,
        "StepAdjustments": [{"MetricIntervalLowerBound": 0.0, "ScalingAdjustment": 1}],
    }
    alarm = _alarm(
        "leave-zero",
        target,
        {
            "MetricName": metric,
            "Dimensions": dimensions,
            "Statistic": statistic,
            "ComparisonOperator": "GreaterThanOrEqualToThreshold",
            "Threshold": 1.0,
        },
        points=points,
    )
    return [_policy("leave-zero", "StepScaling", step, target), alarm]


def _stepping(base: StepScaling, target: Target) -> list[Call]:
    found = []
    out = [*(step.distance for step in base.steps_out), None]
    rises = [
        _step(lower=lower, upper=upper, change=step.change)
        for step, lower, upper in zip(base.steps_out, out[:-1], out[1:], strict=True)
    ]
    into = [*(step.distance for step in base.steps_in), None]
    falls = [
        _step(lower=None if lower is None else -lower, upper=_below(step), change=-step.change)
        for step, lower in zip(base.steps_in, into[1:], strict=True)
    ]
    sides = [
        ("scale-out", rises, base.scale_out_cooldown_s, "GreaterThanThreshold", base.out_above, base.out_points),
        ("scale-in", falls, base.scale_in_cooldown_s, "LessThanThreshold", base.in_below, base.in_points),
    ]
    for name, steps, cooldown_s, comparison, threshold, points in sides:
        if not steps:
            continue
        how = {
            "AdjustmentType": "ChangeInCapacity",
            "MetricAggregationType": "Average",
            "Cooldown": round(cooldown_s),
            "StepAdjustments": steps,
        }
        found.append(_policy(name, "StepScaling", how, target))
        watched = {
            **(_backlog(target) if base.watches_backlog else _invocations(target)),
            "ComparisonOperator": comparison,
            "Threshold": _shown(threshold),
        }
        found.append(_alarm(name, target, watched, points=points))
    return found


def _invocations(target: Target) -> dict[str, object]:
    name = "InvocationsPerCopy" if target.is_component else "InvocationsPerInstance"
    return {"MetricName": name, "Dimensions": target.dimensions, "Statistic": "Sum"}


def _backlog(target: Target) -> dict[str, object]:
    of_endpoint = [{"Name": "EndpointName", "Value": target.endpoint}]
    return {"MetricName": "ApproximateBacklogSizePerInstance", "Dimensions": of_endpoint, "Statistic": "Average"}


def _below(step: Step) -> float:
    return -step.distance if step.distance else 0.0


def _step(*, lower: float | None, upper: float | None, change: int) -> dict[str, object]:
    """One step; a bound that is left out is none."""
    found: dict[str, object] = {}
    if lower is not None:
        found["MetricIntervalLowerBound"] = _shown(lower)
    if upper is not None:
        found["MetricIntervalUpperBound"] = _shown(upper)
    return {**found, "ScalingAdjustment": change}


def _scheduled(actions: Sequence[Action], target: Target) -> list[Call]:
    """Scheduled actions; days with the same time and the same bounds share one."""

    def key(action: Action) -> tuple[int, int, int]:
        return action.minute_of_week % MINUTES_PER_DAY, action.minimum, action.maximum

    found = []
    for (minute, low, high), same in groupby(sorted(actions, key=key), key=key):
        days = ",".join(DAYS[day].upper() for day in sorted(one.minute_of_week // MINUTES_PER_DAY for one in same))
        hour, minute_of_hour = divmod(minute, 60)
        found.append(
            Call(
                service=SCALING,
                operation="put_scheduled_action",
                parameters={
                    "ScheduledActionName": f"{hour:02}{minute_of_hour:02}-from-{low}-to-{high}",
                    **target.common,
                    "Schedule": f"cron({minute_of_hour} {hour} ? * {days} *)",
                    "Timezone": "UTC",
                    "ScalableTargetAction": {"MinCapacity": low, "MaxCapacity": high},
                },
            )
        )
    return found


def _policy(name: str, kind: str, how: Mapping[str, object], target: Target) -> Call:
    return Call(
        service=SCALING,
        operation="put_scaling_policy",
        parameters={
            "PolicyName": name,
            **target.common,
            "PolicyType": kind,
            f"{kind}PolicyConfiguration": dict(how),
        },
    )


def _alarm(name: str, target: Target, watched: Mapping[str, object], *, points: int) -> Call:
    owner = target.variant if target.is_component else target.endpoint
    return Call(
        service=ALARMS,
        operation="put_metric_alarm",
        parameters={
            "AlarmName": f"{owner}-{name}",
            "Namespace": "AWS/SageMaker",
            **watched,
            "Period": PERIOD_S,
            "EvaluationPeriods": points,
            "DatapointsToAlarm": points,
            "TreatMissingData": "missing",
        },
        alarm_of=name,
    )


def _action(call: Call) -> dict[str, object]:
    return {"AlarmActions": [f"ARN of {call.alarm_of}"]} if call.alarm_of else {}


def _shown(value: float) -> float:
    """Four significant digits, as a person would type them."""
    return float(f"{value:.4g}")
