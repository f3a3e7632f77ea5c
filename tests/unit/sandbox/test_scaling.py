"""How many instances target tracking wants, and when it may change them."""

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest

from sandbox.services.sagemaker.scaling import Scaling, wanted_instances

QUIET = [10.0] * 15


@pytest.mark.parametrize(
    ("current", "minutes", "wanted"),
    [
        (2, [*QUIET[:12], 150.0, 200.0, 150.0], 3),  # 2 x 150 / 100: what all three minutes ask for
        (2, [*QUIET[:12], 150.0, 100.0, 150.0], 2),  # a minute at the target
        (2, [*QUIET[:12], 150.0, None, 150.0], 2),  # a minute without data
        (1, [*QUIET[:12], 101.0, 101.0, 101.0], 2),
        (4, [*QUIET[:14], 45.0], 2),  # 4 x 45 / 100, rounded up
        (4, [*QUIET[:14], 90.0], 4),  # nine tenths of the target are not below them
        (4, [None, *QUIET[1:]], 4),
        (4, [0.0] * 15, 0),
        (4, QUIET[1:], 4),  # fourteen minutes
        (0, [0.0] * 15, 0),
    ],
)
def test_instances_follow_the_target_of_100(current, minutes, wanted):
    assert wanted_instances(current, 100.0, minutes) == wanted


NOW = datetime(2026, 11, 21, 12, 30, 20, tzinfo=UTC)
PREDEFINED = {"PredefinedMetricSpecification": {"PredefinedMetricType": "SageMakerVariantInvocationsPerInstance"}}


class Account:
    """One endpoint with one variant between one and four instances, and its requests in the last minutes."""

    def __init__(self, *, age_minutes: float, instances: int, requests: list[float], **policy) -> None:
        self.instances, self.requests = instances, requests
        self.created = NOW - timedelta(minutes=age_minutes)
        self.policy = {"TargetValue": 100, **PREDEFINED, **policy}

    def client(self, _service: str, _region: str) -> "Account":
        return self

    def get_paginator(self, _operation: str):
        resource = {"ResourceId": "endpoint/e/variant/v", "MinCapacity": 1, "MaxCapacity": 4}
        pages = SimpleNamespace(build_full_result=lambda: {"ScalableTargets": [resource]})
        return SimpleNamespace(paginate=lambda **_: pages)

    def describe_scaling_policies(self, **_) -> dict:
        return {"ScalingPolicies": [{"TargetTrackingScalingPolicyConfiguration": self.policy}]}

    def describe_endpoint(self, **_) -> dict:
        variant = {"VariantName": "v", "CurrentInstanceCount": self.instances}
        return {
            "EndpointName": "e", "EndpointStatus": "InService", "CreationTime": self.created,
            "ProductionVariants": [variant],
        }  # fmt: skip

    def get_metric_statistics(self, *, EndTime: datetime, **_) -> dict:  # noqa: N803 (the name of the API)
        times = [EndTime - timedelta(minutes=ago + 1) for ago in range(len(self.requests))]
        values = zip(times, reversed(self.requests), strict=True)
        return {"Datapoints": [{"Timestamp": time, "Sum": value} for time, value in values]}

    def update_endpoint_weights_and_capacities(self, *, DesiredWeightsAndCapacities: list, **_) -> None:  # noqa: N803
        self.instances = DesiredWeightsAndCapacities[0]["DesiredInstanceCount"]

    def after(self, *minutes: float) -> list[int]:
        """The number of instances after a look at each of some minutes from now."""
        scaling, seen = Scaling(self, lambda: {"r"}), []
        for minute in minutes:
            scaling.look("r", NOW + timedelta(minutes=minute))
            seen.append(self.instances)
        return seen


def test_a_new_endpoint_that_nobody_asks_keeps_its_instances_for_a_quarter_of_an_hour():
    assert Account(age_minutes=1, instances=3, requests=[]).after(0, 5, 13, 15) == [3, 3, 3, 1]


def test_it_scales_out_once_and_waits_for_the_cooldown():
    assert Account(age_minutes=60, instances=1, requests=[150.0] * 15).after(0, 4, 6) == [2, 2, 3]
    assert Account(age_minutes=60, instances=1, requests=[150.0] * 15, ScaleOutCooldown=60).after(0, 1, 2) == [2, 3, 4]


def test_it_stays_within_its_limits_and_may_be_told_not_to_scale_in():
    assert Account(age_minutes=60, instances=2, requests=[9000.0] * 15).after(0) == [4]
    assert Account(age_minutes=60, instances=3, requests=[], DisableScaleIn=True).after(0) == [3]
