import pytest

from sandbox.services.sagemaker.traffic import traffic_plan


def blue_green(**routing):
    return {"BlueGreenUpdatePolicy": {"TrafficRoutingConfiguration": {"WaitIntervalInSeconds": 30, **routing}}}


def percent(value):
    return {"Type": "CAPACITY_PERCENT", "Value": value}


def count(value):
    return {"Type": "INSTANCE_COUNT", "Value": value}


@pytest.mark.parametrize(
    ("deployment", "shares"),
    [
        (None, (1.0,)),
        (blue_green(Type="ALL_AT_ONCE"), (1.0,)),
        (blue_green(Type="CANARY", CanarySize=percent(10)), (0.1, 1.0)),
        (blue_green(Type="CANARY", CanarySize=count(1)), (0.25, 1.0)),
        (blue_green(Type="LINEAR", LinearStepSize=percent(30)), (0.3, 0.6, 0.9, 1.0)),
        (blue_green(Type="LINEAR", LinearStepSize=percent(50)), (0.5, 1.0)),
        ({"RollingUpdatePolicy": {"MaximumBatchSize": count(1), "WaitIntervalInSeconds": 5}}, (0.25, 0.5, 0.75, 1.0)),
        ({"RollingUpdatePolicy": {"MaximumBatchSize": count(9), "WaitIntervalInSeconds": 5}}, (1.0,)),
    ],
)
def test_the_new_fleet_gets_these_shares(deployment, shares):
    assert traffic_plan(deployment, instances=4).shares == shares


def test_waits_and_alarms_are_taken_over():
    deployment = {
        **blue_green(Type="ALL_AT_ONCE"),
        "AutoRollbackConfiguration": {"Alarms": [{"AlarmName": "a"}, {"AlarmName": "b"}]},
    }
    deployment["BlueGreenUpdatePolicy"]["TerminationWaitInSeconds"] = 60
    plan = traffic_plan(deployment, instances=1)
    assert (plan.wait_s, plan.termination_wait_s, plan.alarms) == (30, 60, ("a", "b"))
