"""Log groups, rules and schedules. Rules and schedules are kept, but nothing fires them in the sandbox."""

from typing import ClassVar

from sandbox.services.cloudformation.calls import Calls
from sandbox.services.cloudformation.types.resource_type import Found, Properties, ResourceType, only, without


class LogGroup(ResourceType):
    """AWS::Logs::LogGroup."""

    type = "AWS::Logs::LogGroup"
    name_property = "LogGroupName"
    changeable = frozenset({"KmsKeyId", "RetentionInDays"})
    tags_property = "Tags"
    longest_name = 512

    def find(self, call: Calls, name: str, properties: Properties) -> Found | None:
        """Look for it among those whose names start the same."""
        for group in call("logs", "describe_log_groups", logGroupNamePrefix=name)["logGroups"]:
            if group["logGroupName"] == name:
                return Found(physical_id=name, attributes={"Arn": group["arn"]})
        return None

    def create(self, call: Calls, name: str, properties: Properties) -> None:
        """Create it with its tags."""
        extra = {"kmsKeyId": properties["KmsKeyId"]} if "KmsKeyId" in properties else {}
        tags = self._tags(properties)
        call("logs", "create_log_group", logGroupName=name, **extra, **({"tags": tags} if tags else {}))

    def configure(self, call: Calls, name: str, before: Properties, after: Properties) -> None:
        """Set or lift the retention; change the tags."""
        if before.get("RetentionInDays") != after.get("RetentionInDays"):
            if "RetentionInDays" in after:
                days = after["RetentionInDays"]
                call("logs", "put_retention_policy", logGroupName=name, retentionInDays=days)
            else:
                call("logs", "delete_retention_policy", logGroupName=name)
        arn = call.arn("logs", f"log-group:{name}")
        added, gone = self.retagged(before, after)
        if added:
            call("logs", "tag_resource", resourceArn=arn, tags=added)
        if gone:
            call.take("logs", "untag_resource", resourceArn=arn, tagKeys=gone)

    def delete(self, call: Calls, name: str, properties: Properties) -> None:
        """Delete it."""
        call("logs", "delete_log_group", logGroupName=name)


class Rule(ResourceType):
    """AWS::Events::Rule with its targets."""

    type = "AWS::Events::Rule"
    name_property = "Name"
    changeable = frozenset({"Description", "EventPattern", "RoleArn", "ScheduleExpression", "State", "Targets"})
    create_only = frozenset({"EventBusName"})
    lists: ClassVar = {"Targets": ("Id", "Arn")}
    tags_property = "Tags"
    longest_name = 64

    def find(self, call: Calls, name: str, properties: Properties) -> Found | None:
        """Describe it."""
        found = call.lookup("events", "describe_rule", Name=name, **only(properties, "EventBusName"))
        return None if found is None else Found(physical_id=name, attributes={"Arn": found["Arn"], "RuleName": name})

    def create(self, call: Calls, name: str, properties: Properties) -> None:
        """Put it without targets."""
        call("events", "put_rule", **{**without(properties, "Targets"), "Name": name})

    def configure(self, call: Calls, name: str, before: Properties, after: Properties) -> None:
        """Put it again without its tags; put and remove targets."""
        bus = only(after, "EventBusName")
        if before:
            call("events", "put_rule", **{**without(after, "Targets", "Tags"), "Name": name})
        wanted = {target["Id"] for target in after.get("Targets", [])}
        lost = sorted({target["Id"] for target in before.get("Targets", [])} - wanted)
        if lost:
            call.take("events", "remove_targets", Rule=name, Ids=lost, **bus)
        if wanted:
            call("events", "put_targets", Rule=name, Targets=after["Targets"], **bus)
        arn = call.arn("events", f"rule/{name}")
        self.retag(call, ("events", "tag_resource", "untag_resource"), before, after, ResourceARN=arn)

    def delete(self, call: Calls, name: str, properties: Properties) -> None:
        """Remove its targets, then delete it."""
        bus = only(properties, "EventBusName")
        targets = [target["Id"] for target in properties.get("Targets", [])]
        if targets:
            call.take("events", "remove_targets", Rule=name, Ids=targets, **bus)
        call("events", "delete_rule", Name=name, **bus)


class Schedule(ResourceType):
    """AWS::Scheduler::Schedule."""

    type = "AWS::Scheduler::Schedule"
    name_property = "Name"
    required = frozenset({"FlexibleTimeWindow", "ScheduleExpression", "Target"})
    changeable = frozenset({
        "Description", "EndDate", "FlexibleTimeWindow", "GroupName", "KmsKeyArn", "ScheduleExpression",
        "ScheduleExpressionTimezone", "StartDate", "State", "Target",
    })  # fmt: skip
    longest_name = 64

    def find(self, call: Calls, name: str, properties: Properties) -> Found | None:
        """Get it from its group."""
        found = call.lookup("scheduler", "get_schedule", Name=name, **only(properties, "GroupName"))
        return None if found is None else Found(physical_id=name, attributes={"Arn": found["Arn"]})

    def create(self, call: Calls, name: str, properties: Properties) -> None:
        """Create it."""
        call("scheduler", "create_schedule", **{**properties, "Name": name})

    def configure(self, call: Calls, name: str, before: Properties, after: Properties) -> None:
        """Write it anew; in another group it is another schedule."""
        if not before:
            return
        if before.get("GroupName") == after.get("GroupName"):
            call("scheduler", "update_schedule", **{**after, "Name": name})
            return
        if self.find(call, name, after) is None:
            self.create(call, name, after)
        if self.find(call, name, before) is not None:
            self.delete(call, name, before)

    def delete(self, call: Calls, name: str, properties: Properties) -> None:
        """Delete it."""
        call("scheduler", "delete_schedule", Name=name, **only(properties, "GroupName"))
