"""The instances of a variant follow the metric of a policy."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from tests.sandboxed import until

DIMENSION = {"ServiceNamespace": "sagemaker", "ScalableDimension": "sagemaker:variant:DesiredInstanceCount"}


@pytest.fixture
def endpoint(hosting) -> Iterator[str]:
    """An endpoint that follows metrics until the test is over."""
    name = hosting.endpoint(hosting.config(hosting.model(hosting.container("digits/model.tar.gz"))))
    yield name
    scaling, target = hosting.sandbox.client("application-autoscaling"), of_variant(name)
    scaling.delete_scaling_policy(**target, PolicyName="follow")
    scaling.deregister_scalable_target(**target)
    hosting.gone(name)


def of_variant(endpoint: str) -> dict[str, str]:
    """Name the scalable target of an endpoint's only variant."""
    return {**DIMENSION, "ResourceId": f"endpoint/{endpoint}/variant/AllTraffic"}


def put(hosting, name: str, *values: float) -> None:
    """Send a metric of the last whole minutes, the latest last, with the minute that runs."""
    now = datetime.now(UTC)
    hosting.sandbox.client("cloudwatch").put_metric_data(
        Namespace="scaling",
        MetricData=[
            {"MetricName": name, "Timestamp": now - timedelta(minutes=ago), "Value": value}
            for ago, value in enumerate(reversed([*values, values[-1]]))
        ],
    )


def follow(hosting, endpoint: str, metric: str) -> None:
    """Let the only variant follow a metric, with 100 for each instance, between one and four."""
    scaling = hosting.sandbox.client("application-autoscaling")
    target = of_variant(endpoint)
    scaling.register_scalable_target(**target, MinCapacity=1, MaxCapacity=4)
    scaling.put_scaling_policy(
        **target,
        PolicyName="follow",
        PolicyType="TargetTrackingScaling",
        TargetTrackingScalingPolicyConfiguration={
            "TargetValue": 100,
            "CustomizedMetricSpecification": {"Namespace": "scaling", "MetricName": metric, "Statistic": "Sum"},
            "ScaleInCooldown": 0,
            "ScaleOutCooldown": 0,
        },
    )


def instances(hosting, endpoint: str) -> int:
    described = hosting.sagemaker.describe_endpoint(EndpointName=endpoint)
    (variant,) = described["ProductionVariants"]
    return variant["CurrentInstanceCount"] if described["EndpointStatus"] == "InService" else -1


def test_a_variant_scales_out_to_its_most_and_in_to_its_least(hosting, endpoint):
    put(hosting, "high", *[1000.0] * 15)
    follow(hosting, endpoint, "high")
    until(lambda: instances(hosting, endpoint) == 4)
    put(hosting, "low", *[1.0] * 15)
    follow(hosting, endpoint, "low")
    until(lambda: instances(hosting, endpoint) == 1)
    assert hosting.digit(endpoint) == "0"
