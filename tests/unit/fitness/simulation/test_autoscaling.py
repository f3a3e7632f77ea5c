"""What the calls of a scaling policy say; their shapes are checked in tests/contract."""

from dataclasses import replace

import pytest

from fitness.errors import InputError
from fitness.simulation.autoscaling import Target, calls, configuration
from fitness.simulation.rules import Action, Backlog, Scheduled, TargetTracking, ToZero
from tests.scaling import STEPS

TARGET = Target(endpoint="shop", variant="blue")
TRACKING = TargetTracking(
    target_per_minute=1234.567, minimum=2, maximum=9, scale_out_cooldown_s=420, scale_in_cooldown_s=900
)


def operations(policy, target=TARGET):
    return [one.operation for one in calls(policy, target)]


def parameters(policy, operation, name=None, target=TARGET):
    found = [one.parameters for one in calls(policy, target) if one.operation == operation]
    return next(one for one in found if name in (None, one.get("PolicyName"), one.get("AlarmName")))


def test_target_tracking_is_registered_with_its_bounds_and_keeps_requests_for_each_instance():
    registered = parameters(TRACKING, "register_scalable_target")
    assert (registered["MinCapacity"], registered["MaxCapacity"]) == (2, 9)
    assert registered["ResourceId"] == "endpoint/shop/variant/blue"
    assert registered["ScalableDimension"] == "sagemaker:variant:DesiredInstanceCount"
    policy = parameters(TRACKING, "put_scaling_policy")
    assert policy["TargetTrackingScalingPolicyConfiguration"] == {
        "TargetValue": 1235,
        "PredefinedMetricSpecification": {"PredefinedMetricType": "SageMakerVariantInvocationsPerInstance"},
        "ScaleOutCooldown": 420,
        "ScaleInCooldown": 900,
    }
    assert operations(TRACKING) == ["register_scalable_target", "put_scaling_policy"]


def test_a_queue_that_may_be_empty_of_instances_is_woken_by_two_minutes_with_a_backlog():
    policy = Backlog(target_per_instance=5, minimum=0, maximum=4)
    alarm = parameters(policy, "put_metric_alarm")
    assert alarm["MetricName"] == "HasBacklogWithoutCapacity"
    assert (alarm["EvaluationPeriods"], alarm["DatapointsToAlarm"], alarm["Period"]) == (2, 2, 60)
    assert alarm["Dimensions"] == [{"Name": "EndpointName", "Value": "shop"}]
    steps = parameters(policy, "put_scaling_policy", "leave-zero")["StepScalingPolicyConfiguration"]["StepAdjustments"]
    assert steps == [{"MetricIntervalLowerBound": 0, "ScalingAdjustment": 1}]


@pytest.mark.parametrize("policy", [
    Backlog(target_per_instance=5, minimum=1, maximum=4),
    Backlog(target_per_instance=5, minimum=0, maximum=4, wakes=False),
])  # fmt: skip
def test_a_queue_that_keeps_an_instance_or_is_not_to_wake_has_no_alarm(policy):
    assert operations(policy) == ["register_scalable_target", "put_scaling_policy"]


def test_to_zero_scales_copies_of_an_inference_component():
    component = Target(endpoint="shop", variant="chat", is_component=True)
    policy = ToZero(target_per_minute=60, maximum=4)
    registered = parameters(policy, "register_scalable_target", target=component)
    assert registered["ResourceId"] == "inference-component/chat"
    assert registered["MinCapacity"] == 0
    alarm = parameters(policy, "put_metric_alarm", target=component)
    assert alarm["MetricName"] == "NoCapacityInvocationFailures"
    assert alarm["Dimensions"] == [{"Name": "InferenceComponentName", "Value": "chat"}]


def test_steps_count_from_the_threshold_outwards_on_both_sides():
    def steps(name):
        return parameters(STEPS, "put_scaling_policy", name)["StepScalingPolicyConfiguration"]["StepAdjustments"]

    # 600 to 900: one more; from 900 on: two more. 150 to 300: one less; up to 150: three less.
    assert steps("scale-out") == [
        {"MetricIntervalLowerBound": 0, "MetricIntervalUpperBound": 300, "ScalingAdjustment": 1},
        {"MetricIntervalLowerBound": 300, "ScalingAdjustment": 2},
    ]
    assert steps("scale-in") == [
        {"MetricIntervalLowerBound": -150, "MetricIntervalUpperBound": 0, "ScalingAdjustment": -1},
        {"MetricIntervalUpperBound": -150, "ScalingAdjustment": -3},
    ]
    assert parameters(STEPS, "put_metric_alarm", "shop-scale-out")["Threshold"] == 600
    assert parameters(STEPS, "put_metric_alarm", "shop-scale-in")["ComparisonOperator"] == "LessThanThreshold"


def test_steps_on_the_backlog_watch_the_queue_of_the_endpoint():
    alarm = parameters(replace(STEPS, watches_backlog=True), "put_metric_alarm", "shop-scale-out")
    assert (alarm["MetricName"], alarm["Statistic"]) == ("ApproximateBacklogSizePerInstance", "Average")
    assert alarm["Dimensions"] == [{"Name": "EndpointName", "Value": "shop"}]


def test_days_with_the_same_time_and_bounds_share_a_scheduled_action():
    actions = [Action(minute_of_week=day * 1440 + 533, minimum=6, maximum=9) for day in (0, 1, 4)]
    actions.append(Action(minute_of_week=6 * 1440, minimum=2, maximum=9))
    policy = Scheduled(base=TRACKING, actions=tuple(actions))
    schedules = [one.parameters["Schedule"] for one in calls(policy, TARGET) if one.operation == "put_scheduled_action"]
    assert schedules == ["cron(0 0 ? * SUN *)", "cron(53 8 ? * MON,TUE,FRI *)"]


def test_the_document_names_the_policy_of_each_alarm():
    found = configuration(ToZero(target_per_minute=60, maximum=4), Target(endpoint="shop", is_component=True))
    assert found["put_metric_alarm"][0]["AlarmActions"] == ["ARN of leave-zero"]
    assert [one["PolicyName"] for one in found["put_scaling_policy"]] == ["keep-target", "leave-zero"]


def test_names_that_no_endpoint_can_have_are_refused_together():
    with pytest.raises(InputError) as caught:
        Target(endpoint="-shop", variant="a b")
    assert [problem.path for problem in caught.value.problems] == ["$.endpoint", "$.variant"]
