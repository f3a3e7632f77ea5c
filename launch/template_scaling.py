"""Scaling: the bounds of an endpoint's instances or copies, and the policies and alarms that move within them.

What each policy does is described in docs/simulation.md#control-loop; the metrics are those that the option publishes.
"""

import re
from collections.abc import Mapping, Sequence

from fitness.simulation.policy_config import BACKLOG
from fitness.simulation.rules import Step
from launch.fleets import Fleet
from launch.request import Request
from launch.template_alarms import alarm
from launch.template_parts import Json, Resources, dimensions, ref, resource

# Predefined metrics of Application Auto Scaling for a target (API reference, PredefinedMetricSpecification).
PER_INSTANCE = "SageMakerVariantInvocationsPerInstance"
PER_COPY = "SageMakerInferenceComponentInvocationsPerCopy"
WAKE_COOLDOWN_S = 60
_DAYS = {"daily": "*", "weekdays": "MON-FRI", "weekends": "SAT-SUN"}


def scaling(request: Request, fleet: Fleet) -> Resources:
    """The scalable target of a variant with its policies; nothing where the number of its instances is fixed."""
    settings = fleet.settings
    if settings.instance_type is None or not settings.scales:
        return {}
    found = {f"Scaling{fleet.suffix}": _target(request, fleet)}
    if settings.stated is not None and settings.stated.step is not None:
        found |= _steps(request, fleet)
    elif settings.target_per_minute is not None or settings.backlog_target is not None:
        found[f"ScalingPolicy{fleet.suffix}"] = _tracking(request, fleet)
    if settings.minimum == 0 or any(one["min_instances"] == 0 for one in settings.schedule):
        found |= _wake(request, fleet)
    return found


def _target(request: Request, fleet: Fleet) -> Json:
    settings = fleet.settings
    parted = settings.has_components
    place = f"inference-component/{request.name}" if parted else f"endpoint/{request.name}/variant/{fleet.name}"
    dimension = "inference-component:DesiredCopyCount" if parted else "variant:DesiredInstanceCount"
    return resource(
        "ApplicationAutoScaling::ScalableTarget",
        needs=["Component" if parted else "Endpoint"],
        ServiceNamespace="sagemaker",
        ResourceId=place,
        ScalableDimension=f"sagemaker:{dimension}",
        MinCapacity=settings.minimum,
        MaxCapacity=settings.maximum,
        ScheduledActions=[_action(index, one) for index, one in enumerate(settings.schedule)] or None,
    )


def _action(index: int, one: Mapping[str, object]) -> Json:
    day, time = str(one["at"]).lower().split()
    hour, minute = time.split(":")
    days = _DAYS.get(day, day.upper())
    bounds = {"MinCapacity": one["min_instances"], "MaxCapacity": one["max_instances"]}
    return {
        "ScheduledActionName": re.sub(r"[^a-z0-9]+", "-", f"{index + 1} {day} {time}"),
        "Schedule": f"cron({int(minute)} {int(hour)} ? * {days} *)",  # in UTC
        "ScalableTargetAction": bounds,
    }


def _tracking(request: Request, fleet: Fleet) -> Json:
    settings = fleet.settings
    target: Json
    if request.option == "async":
        target = {
            "TargetValue": settings.backlog_target,
            "CustomizedMetricSpecification": {
                "Namespace": "AWS/SageMaker",
                "MetricName": BACKLOG,
                "Dimensions": dimensions(EndpointName=request.name),
                "Statistic": "Average",
            },
        }
    else:
        metric = PER_COPY if settings.has_components else PER_INSTANCE
        target = {
            "TargetValue": settings.target_per_minute,
            "PredefinedMetricSpecification": {"PredefinedMetricType": metric},
        }
    cooldowns = {"ScaleOutCooldown": settings.scale_out_cooldown_s, "ScaleInCooldown": settings.scale_in_cooldown_s}
    return _policy(
        fleet, "tracking", "TargetTrackingScaling", TargetTrackingScalingPolicyConfiguration=target | cooldowns
    )


def _steps(request: Request, fleet: Fleet) -> Resources:
    """Step policies with the alarms that call them."""
    settings, suffix = fleet.settings, fleet.suffix
    assert settings.stated is not None  # noqa: S101 the caller has looked
    step, metric = settings.stated.step, settings.stated.metric
    assert step is not None and metric is not None  # noqa: S101, PT018 the caller has looked
    if metric == BACKLOG:
        of, statistic = dimensions(EndpointName=request.name), "Average"
    elif settings.has_components:
        of, statistic = dimensions(InferenceComponentName=request.name), "Sum"
    else:
        of, statistic = dimensions(EndpointName=request.name, VariantName=fleet.name), "Sum"
    measured: Json = {"MetricName": metric, "Statistic": statistic}
    found: Resources = {
        f"ScaleOutPolicy{suffix}": _step_policy(
            fleet, "scale-out", _outward(step.steps_out), settings.scale_out_cooldown_s
        ),
        f"ScaleOutAlarm{suffix}": alarm(
            f"{request.name} has more to do than {step.out_above:g} for each instance",
            of,
            **measured,
            Threshold=step.out_above,
            ComparisonOperator="GreaterThanOrEqualToThreshold",
            EvaluationPeriods=step.out_points,
            AlarmActions=[ref(f"ScaleOutPolicy{suffix}")],
        ),
    }
    if step.steps_in:
        found[f"ScaleInPolicy{suffix}"] = _step_policy(
            fleet, "scale-in", _inward(step.steps_in), settings.scale_in_cooldown_s
        )
        found[f"ScaleInAlarm{suffix}"] = alarm(
            f"{request.name} has less to do than {step.in_below:g} for each instance",
            of,
            **measured,
            Threshold=step.in_below,
            ComparisonOperator="LessThanOrEqualToThreshold",
            EvaluationPeriods=step.in_points,
            AlarmActions=[ref(f"ScaleInPolicy{suffix}")],
        )
    return found


def _outward(steps: Sequence[Step]) -> list[Json]:
    """The farthest step counts: each holds up to where the next begins."""
    ends: list[float | None] = [*(one.distance for one in steps[1:]), None]
    found = []
    for one, end in zip(steps, ends, strict=True):
        bounds: Json = {"MetricIntervalLowerBound": one.distance}
        bounds |= {} if end is None else {"MetricIntervalUpperBound": end}
        found.append({**bounds, "ScalingAdjustment": one.change})
    return found


def _inward(steps: Sequence[Step]) -> list[Json]:
    """The same below the threshold."""
    ends: list[float | None] = [*(one.distance for one in steps[1:]), None]
    found = []
    for one, end in zip(steps, ends, strict=True):
        bounds: Json = {} if end is None else {"MetricIntervalLowerBound": -end}
        bounds["MetricIntervalUpperBound"] = -one.distance if one.distance else 0.0
        found.append({**bounds, "ScalingAdjustment": -one.change})
    return found


def _wake(request: Request, fleet: Fleet) -> Resources:
    """What leaves zero: a target has nothing to divide by there.

    Source: Amazon SageMaker developer guide, async-inference-autoscale and endpoint-auto-scaling-zero-instances.
    """
    if request.option == "async":
        asked: Json = {"MetricName": "HasBacklogWithoutCapacity", "Statistic": "Average", "EvaluationPeriods": 2}
        of = dimensions(EndpointName=request.name)
    else:
        asked = {"MetricName": "NoCapacityInvocationFailures", "Statistic": "Maximum", "EvaluationPeriods": 1}
        of = dimensions(InferenceComponentName=request.name)
    first = [{"MetricIntervalLowerBound": 0, "ScalingAdjustment": 1}]
    cooldown_s = fleet.settings.scale_out_cooldown_s if request.option == "async" else WAKE_COOLDOWN_S
    return {
        "WakePolicy": _step_policy(fleet, "leave-zero", first, cooldown_s),
        "WakeAlarm": alarm(
            f"somebody asks {request.name}, and nothing runs",
            of,
            **asked,
            Threshold=1,
            ComparisonOperator="GreaterThanOrEqualToThreshold",
            AlarmActions=[ref("WakePolicy")],
        ),
    }


def _step_policy(fleet: Fleet, name: str, steps: list[Json], cooldown_s: int) -> Json:
    how = {
        "AdjustmentType": "ChangeInCapacity",
        "MetricAggregationType": "Maximum" if name == "leave-zero" else "Average",
        "Cooldown": cooldown_s,
        "StepAdjustments": steps,
    }
    return _policy(fleet, name, "StepScaling", StepScalingPolicyConfiguration=how)


def _policy(fleet: Fleet, name: str, kind: str, **configuration: object) -> Json:
    target = ref(f"Scaling{fleet.suffix}")
    found: Json = {"PolicyName": name, "PolicyType": kind, "ScalingTargetId": target, **configuration}
    return resource("ApplicationAutoScaling::ScalingPolicy", **found)
