"""Alarms and dashboards."""

from typing import Any, ClassVar

from sandbox.services.cloudformation.calls import Calls
from sandbox.services.cloudformation.types.resource_type import Found, Properties, ResourceType, without


class _AnyAlarm(ResourceType):
    """What the two kinds of alarms have in common."""

    kind: ClassVar[str]  # as DescribeAlarms has it
    put: ClassVar[str]  # the operation that creates and changes it
    name_property = "AlarmName"
    tags_property = "Tags"
    takes_system_tags = True
    longest_name = 255

    def find(self, call: Calls, name: str, properties: Properties) -> Found | None:
        """Describe it."""
        described = call("cloudwatch", "describe_alarms", AlarmNames=[name], AlarmTypes=[self.kind])
        found: list[dict[str, Any]] = described[f"{self.kind}s"]
        return Found(physical_id=name, attributes={"Arn": found[0]["AlarmArn"]}) if found else None

    def create(self, call: Calls, name: str, properties: Properties) -> None:
        """Put it with its tags."""
        call("cloudwatch", self.put, **{**properties, "AlarmName": name})

    def configure(self, call: Calls, name: str, before: Properties, after: Properties) -> None:
        """Put it again; CloudWatch keeps tags apart then."""
        if not before:
            return
        if without(before, "Tags") != without(after, "Tags"):
            call("cloudwatch", self.put, **{**without(after, "Tags"), "AlarmName": name})
        arn = call.arn("cloudwatch", f"alarm:{name}")
        self.retag(call, ("cloudwatch", "tag_resource", "untag_resource"), before, after, ResourceARN=arn)

    def delete(self, call: Calls, name: str, properties: Properties) -> None:
        """Delete it."""
        call("cloudwatch", "delete_alarms", AlarmNames=[name])


class Alarm(_AnyAlarm):
    """AWS::CloudWatch::Alarm."""

    type = "AWS::CloudWatch::Alarm"
    kind, put = "MetricAlarm", "put_metric_alarm"
    changeable = frozenset({
        "ActionsEnabled", "AlarmActions", "AlarmDescription", "ComparisonOperator", "DatapointsToAlarm", "Dimensions",
        "EvaluateLowSampleCountPercentile", "EvaluationPeriods", "ExtendedStatistic", "InsufficientDataActions",
        "MetricName", "Metrics", "Namespace", "OKActions", "Period", "Statistic", "Threshold", "ThresholdMetricId",
        "TreatMissingData", "Unit",
    })  # fmt: skip


class CompositeAlarm(_AnyAlarm):
    """AWS::CloudWatch::CompositeAlarm."""

    type = "AWS::CloudWatch::CompositeAlarm"
    kind, put = "CompositeAlarm", "put_composite_alarm"
    required = frozenset({"AlarmRule"})
    changeable = frozenset({
        "ActionsEnabled", "AlarmActions", "AlarmDescription", "AlarmRule", "InsufficientDataActions", "OKActions",
    })  # fmt: skip


class Dashboard(ResourceType):
    """AWS::CloudWatch::Dashboard."""

    type = "AWS::CloudWatch::Dashboard"
    name_property = "DashboardName"
    required = frozenset({"DashboardBody"})
    changeable = frozenset({"DashboardBody"})
    longest_name = 255

    def find(self, call: Calls, name: str, properties: Properties) -> Found | None:
        """Get it."""
        return (
            None if call.lookup("cloudwatch", "get_dashboard", DashboardName=name) is None else Found(physical_id=name)
        )

    def create(self, call: Calls, name: str, properties: Properties) -> None:
        """Put it."""
        call("cloudwatch", "put_dashboard", DashboardName=name, DashboardBody=properties["DashboardBody"])

    def configure(self, call: Calls, name: str, before: Properties, after: Properties) -> None:
        """Put it again."""
        if before:
            self.create(call, name, after)

    def delete(self, call: Calls, name: str, properties: Properties) -> None:
        """Delete it."""
        call("cloudwatch", "delete_dashboards", DashboardNames=[name])
