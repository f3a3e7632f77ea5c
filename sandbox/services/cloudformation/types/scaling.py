"""Scalable targets and scaling policies, which stay in moto's store."""

from typing import Any, ClassVar

from sandbox.services.cloudformation.calls import Calls
from sandbox.services.cloudformation.types.resource_type import Found, Properties, ResourceType, only, without

_SERVICE = "application-autoscaling"
_TARGET = ("ServiceNamespace", "ResourceId", "ScalableDimension")


class ScalableTarget(ResourceType):
    """AWS::ApplicationAutoScaling::ScalableTarget with its scheduled actions."""

    type = "AWS::ApplicationAutoScaling::ScalableTarget"
    required = frozenset({"MaxCapacity", "MinCapacity", *_TARGET})
    changeable = frozenset({"MaxCapacity", "MinCapacity", "RoleARN", "ScheduledActions", "SuspendedState"})
    create_only = frozenset(_TARGET)
    lists: ClassVar = {"ScheduledActions": ("ScheduledActionName", "Schedule")}
    tags_property = "Tags"

    def find(self, call: Calls, name: str, properties: Properties) -> Found | None:
        """Look for it among the registered ones."""
        found = call(
            _SERVICE,
            "describe_scalable_targets",
            ServiceNamespace=properties["ServiceNamespace"],
            ResourceIds=[properties["ResourceId"]],
            ScalableDimension=properties["ScalableDimension"],
        )["ScalableTargets"]
        identity = "|".join(properties[part] for part in ("ResourceId", "ScalableDimension", "ServiceNamespace"))
        return Found(physical_id=identity, attributes={"Id": identity}) if found else None

    def create(self, call: Calls, name: str, properties: Properties) -> None:
        """Register it with its tags."""
        tags = self._tags(properties)
        self._register(call, properties, **({"Tags": tags} if tags else {}))

    def configure(self, call: Calls, name: str, before: Properties, after: Properties) -> None:
        """Register it again; put and delete scheduled actions. The store has no call that changes tags."""
        if before:
            self._register(call, after)
        target = only(after, *_TARGET)
        wanted = [action["ScheduledActionName"] for action in after.get("ScheduledActions", [])]
        for action in before.get("ScheduledActions", []):
            if action["ScheduledActionName"] not in wanted:
                self._forget_action(call, target, action)
        for action in after.get("ScheduledActions", []):
            call(_SERVICE, "put_scheduled_action", **target, **action)

    def delete(self, call: Calls, name: str, properties: Properties) -> None:
        """Delete its scheduled actions, then deregister it."""
        target = only(properties, *_TARGET)
        for action in properties.get("ScheduledActions", []):
            self._forget_action(call, target, action)
        call(_SERVICE, "deregister_scalable_target", **target)

    @staticmethod
    def _register(call: Calls, properties: Properties, **tags: Any) -> None:
        call(_SERVICE, "register_scalable_target", **without(properties, "ScheduledActions", "Tags"), **tags)

    @staticmethod
    def _forget_action(call: Calls, target: dict[str, Any], action: dict[str, Any]) -> None:
        call.take(_SERVICE, "delete_scheduled_action", **target, ScheduledActionName=action["ScheduledActionName"])


class ScalingPolicy(ResourceType):
    """AWS::ApplicationAutoScaling::ScalingPolicy."""

    type = "AWS::ApplicationAutoScaling::ScalingPolicy"
    name_property = "PolicyName"
    required = frozenset({"PolicyName", "PolicyType"})
    changeable = frozenset({"PolicyType", "StepScalingPolicyConfiguration", "TargetTrackingScalingPolicyConfiguration"})
    create_only = frozenset({"ScalingTargetId", *_TARGET})

    def find(self, call: Calls, name: str, properties: Properties) -> Found | None:
        """Look for it among those of the target."""
        target = _target(properties)
        found = call(_SERVICE, "describe_scaling_policies", PolicyNames=[name], **target)["ScalingPolicies"]
        for policy in found:
            if (policy["PolicyName"], policy["ResourceId"]) == (name, target["ResourceId"]):
                return Found(physical_id=policy["PolicyARN"], attributes={"Arn": policy["PolicyARN"]})
        return None

    def create(self, call: Calls, name: str, properties: Properties) -> None:
        """Put it."""
        how = only(properties, *sorted(self.changeable))
        call(_SERVICE, "put_scaling_policy", PolicyName=name, **_target(properties), **how)

    def configure(self, call: Calls, name: str, before: Properties, after: Properties) -> None:
        """Put it again."""
        if before:
            self.create(call, name, after)

    def delete(self, call: Calls, name: str, properties: Properties) -> None:
        """Delete it."""
        call(_SERVICE, "delete_scaling_policy", PolicyName=name, **_target(properties))


def _target(properties: Properties) -> dict[str, Any]:
    """Give the three parts of a target, also if they come as the Ref of a ScalableTarget."""
    if "ScalingTargetId" in properties:
        resource, dimension, namespace = [*properties["ScalingTargetId"].split("|"), "", ""][:3]
        return {"ServiceNamespace": namespace, "ResourceId": resource, "ScalableDimension": dimension}
    return only(properties, *_TARGET)
