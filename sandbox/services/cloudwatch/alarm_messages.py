"""What an alarm tells those whom it notifies, in the form that CloudWatch publishes to SNS."""

import functools
import json
from datetime import UTC, datetime
from typing import Any, Final

from botocore.loaders import Loader

from sandbox.services.cloudwatch.alarm_store import ACTIONS, Alarm

_LONGEST_SUBJECT: Final = 100  # characters; Publish, SNS API reference, read 2026-11-21


def subject(alarm: Alarm, state: str) -> str:
    """Give the subject of a notification."""
    return f'{state}: "{alarm.name}" in {region_name(alarm.region)}'[:_LONGEST_SUBJECT]


def message(alarm: Alarm, state: str, reason: str, *, now: float) -> str:
    """Give the body of a notification, a JSON document."""
    definition = alarm.definition
    document: dict[str, Any] = {
        "AlarmName": alarm.name,
        "AlarmDescription": definition.get("AlarmDescription"),
        "AWSAccountId": alarm.account,
        "AlarmConfigurationUpdatedTimestamp": timestamp(alarm.configured_at),
        "NewStateValue": state,
        "NewStateReason": reason,
        "StateChangeTime": timestamp(now),
        "Region": region_name(alarm.region),
        "AlarmArn": alarm.arn,
        "OldStateValue": alarm.state,
        **{member: definition.get(member, []) for member in sorted(ACTIONS.values(), reverse=True)},
    }
    if "AlarmRule" in definition:
        document["AlarmRule"] = definition["AlarmRule"]
    else:
        document["Trigger"] = _trigger(definition)
    return json.dumps(document)


def timestamp(seconds: float) -> str:
    """Write a time as CloudWatch's documents do, e.g. 2026-11-21T11:30:00.000+0000."""
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}.{int(seconds % 1 * 1000):03d}+0000"


def _trigger(definition: dict[str, Any]) -> dict[str, Any]:
    rule = {
        "Period": definition.get("Period"),
        "EvaluationPeriods": definition["EvaluationPeriods"],
        "DatapointsToAlarm": definition.get("DatapointsToAlarm"),
        "ComparisonOperator": definition["ComparisonOperator"],
        "Threshold": definition["Threshold"],
        "TreatMissingData": definition.get("TreatMissingData", "missing"),
        "EvaluateLowSampleCountPercentile": definition.get("EvaluateLowSampleCountPercentile", ""),
    }
    if "Metrics" in definition:
        return {**rule, "Metrics": [_query(query) for query in definition["Metrics"]]}
    extended = definition.get("ExtendedStatistic")
    statistic = {"StatisticType": "Statistic", "Statistic": str(definition.get("Statistic", "")).upper()}
    if extended is not None:
        statistic = {"StatisticType": "ExtendedStatistic", "ExtendedStatistic": extended}
    return {
        "MetricName": definition["MetricName"],
        "Namespace": definition["Namespace"],
        **statistic,
        "Unit": definition.get("Unit"),
        "Dimensions": _dimensions(definition),
        **rule,
    }


def _query(query: dict[str, Any]) -> dict[str, Any]:
    if "MetricStat" not in query:
        return query
    stat = query["MetricStat"]
    return {**query, "MetricStat": {**stat, "Metric": {**stat["Metric"], "Dimensions": _dimensions(stat["Metric"])}}}


def _dimensions(params: dict[str, Any]) -> list[dict[str, str]]:
    return [{"value": one["Value"], "name": one["Name"]} for one in params.get("Dimensions", ())]


@functools.cache
def region_name(region: str) -> str:
    """Give the long name of a region, such as US East (N. Virginia); the code of an unknown one."""
    for partition in Loader().load_data("endpoints")["partitions"]:
        if region in partition["regions"]:
            name: str = partition["regions"][region]["description"]
            return name
    return region
