"""Target tracking of variants: the number of instances follows a metric, as Application Auto Scaling does it."""

import logging
import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from sandbox.cloud import Cloud

LOG = logging.getLogger(__name__)

_EVERY_S = 5.0  # how often is looked; what counts are whole minutes
# Application Auto Scaling user guide, "How target tracking scaling works", and the alarms that it makes for SageMaker,
# read 2026-11-21: three minutes above the target scale out, fifteen below nine tenths of it scale in.
_MINUTES_OUT, _MINUTES_IN = 3, 15
_LOW = 0.9
_COOLDOWN_S = 300  # API reference, TargetTrackingScalingPolicyConfiguration
_DIMENSION = "sagemaker:variant:DesiredInstanceCount"
# What a policy may name instead of a metric; AWS publishes it as zero where nobody asks.
_PREDEFINED = {"SageMakerVariantInvocationsPerInstance": "InvocationsPerInstance"}


def wanted_instances(current: int, target: float, minutes: Sequence[float | None]) -> int:
    """How many instances a policy wants, by the metric of the last minutes, the latest last; None is no data."""
    latest = minutes[-_MINUTES_OUT:]
    if len(latest) == _MINUTES_OUT and all(value is not None and value > target for value in latest):
        return math.ceil(current * min(value for value in latest if value is not None) / target)
    if len(minutes) == _MINUTES_IN and all(value is not None and value < _LOW * target for value in minutes):
        return min(current, math.ceil(current * max(value for value in minutes if value is not None) / target))
    return current


@dataclass(frozen=True, slots=True)
class _Change:
    at: float
    out: bool


class Scaling:
    """Looks at the scalable targets of all Regions that have endpoints."""

    def __init__(self, cloud: Cloud, regions: Callable[[], set[str]]) -> None:
        self._cloud = cloud
        self._regions = regions
        self._changes: dict[tuple[str, str], _Change] = {}  # the last one of each target

    def run(self) -> None:
        """Look for as long as the process lives."""
        while True:
            for region in self._regions():
                try:
                    self.look(region, datetime.now(UTC))
                except (ClientError, BotoCoreError) as err:  # a switch for faults is on: the next time
                    LOG.debug("scaling in %s waits: %s", region, err)
            time.sleep(_EVERY_S)

    def look(self, region: str, now: datetime) -> None:
        """Change the instances of every variant that its policies want changed."""
        client = self._cloud.client("application-autoscaling", region)
        asked = {"ServiceNamespace": "sagemaker", "ScalableDimension": _DIMENSION}
        targets = client.get_paginator("describe_scalable_targets").paginate(**asked).build_full_result()
        for target in targets["ScalableTargets"]:
            policies = client.describe_scaling_policies(ResourceId=target["ResourceId"], **asked)["ScalingPolicies"]
            try:
                self._look_at(region, target, policies, now)
            except ClientError as err:  # the endpoint is gone, or something else has begun to change it
                LOG.debug("%s is not scaled: %s", target["ResourceId"], err)

    def _look_at(
        self, region: str, target: Mapping[str, Any], policies: Sequence[Mapping[str, Any]], now: datetime
    ) -> None:
        _, endpoint, _, variant = target["ResourceId"].split("/")
        sagemaker = self._cloud.client("sagemaker", region)
        described = sagemaker.describe_endpoint(EndpointName=endpoint)
        state = next((one for one in described.get("ProductionVariants", []) if one["VariantName"] == variant), None)
        if state is None or described["EndpointStatus"] != "InService" or "CurrentInstanceCount" not in state:
            return
        current: int = state["CurrentInstanceCount"]
        wishes = [
            self._wish(region, described, state, policy["TargetTrackingScalingPolicyConfiguration"], now)
            for policy in policies
            if "TargetTrackingScalingPolicyConfiguration" in policy and not _is_suspended(target)
        ]
        wanted = max(wishes, default=current)  # policies agree to scale in, one is enough to scale out
        wanted = min(max(wanted, target["MinCapacity"]), target["MaxCapacity"])
        if wanted == current or self._is_too_soon(
            self._changes.get((region, target["ResourceId"])), policies, now, out=wanted > current
        ):
            return
        LOG.info("%s scales from %d to %d", target["ResourceId"], current, wanted)
        change = {"VariantName": variant, "DesiredInstanceCount": wanted}
        sagemaker.update_endpoint_weights_and_capacities(EndpointName=endpoint, DesiredWeightsAndCapacities=[change])
        self._changes[region, target["ResourceId"]] = _Change(now.timestamp(), wanted > current)

    @staticmethod
    def _is_too_soon(last: _Change | None, policies: Sequence[Mapping[str, Any]], now: datetime, *, out: bool) -> bool:
        """Whether the last change is so fresh that its effect is not to be seen yet."""
        if last is None or (out and not last.out):  # traffic that comes back does not wait
            return False
        member = "ScaleOutCooldown" if last.out else "ScaleInCooldown"
        cooldowns = [
            policy.get("TargetTrackingScalingPolicyConfiguration", {}).get(member, _COOLDOWN_S) for policy in policies
        ]
        return now.timestamp() - last.at < max(cooldowns, default=_COOLDOWN_S)

    def _wish(
        self, region: str, endpoint: Mapping[str, Any], variant: Mapping[str, Any], policy: Mapping[str, Any],
        now: datetime,
    ) -> int:  # fmt: skip
        """How many instances a policy wants."""
        current: int = variant["CurrentInstanceCount"]
        predefined = policy.get("PredefinedMetricSpecification", {}).get("PredefinedMetricType")
        metric = policy.get("CustomizedMetricSpecification", {})
        zero_since = None
        if predefined in _PREDEFINED:
            names = {"EndpointName": endpoint["EndpointName"], "VariantName": variant["VariantName"]}
            metric = {
                "Namespace": "AWS/SageMaker",
                "MetricName": _PREDEFINED[predefined],
                "Dimensions": [{"Name": name, "Value": value} for name, value in names.items()],
                "Statistic": "Sum",
            }
            zero_since = endpoint["CreationTime"]
        elif "MetricName" not in metric:  # metric math and other predefined metrics are not followed
            return current
        minutes = self._minutes(region, metric, now, zero_since)
        wanted = wanted_instances(current, policy["TargetValue"], minutes)
        return max(wanted, current) if policy.get("DisableScaleIn") else wanted

    def _minutes(
        self, region: str, metric: Mapping[str, Any], now: datetime, zero_since: datetime | None
    ) -> list[float | None]:
        """Read a metric in the last whole minutes; a minute without data is zero if it began after a given time."""
        end = now.replace(second=0, microsecond=0)
        statistic = metric["Statistic"]
        found = self._cloud.client("cloudwatch", region).get_metric_statistics(
            Namespace=metric["Namespace"],
            MetricName=metric["MetricName"],
            Dimensions=metric.get("Dimensions", []),
            StartTime=end - timedelta(minutes=_MINUTES_IN),
            EndTime=end,
            Period=60,
            Statistics=[statistic],
        )
        values = {point["Timestamp"]: point[statistic] for point in found["Datapoints"]}
        begins = [end - timedelta(minutes=ago) for ago in range(_MINUTES_IN, 0, -1)]
        return [values.get(begin, 0.0 if zero_since is not None and begin >= zero_since else None) for begin in begins]


def _is_suspended(target: Mapping[str, Any]) -> bool:
    return bool(target.get("SuspendedState", {}).get("DynamicScalingInSuspended", False))
