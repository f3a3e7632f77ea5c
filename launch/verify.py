"""Compare what runs with what was asked for: an update that was rolled back in silence is a difference.

What was asked for is the template, a pure function of the request; what runs is what the services themselves say of
each of its resources, not what CloudFormation believes.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any, Final

from botocore.exceptions import ClientError

from launch.clients import explained
from launch.launched import Launched, launched_of
from launch.looking import Looking
from launch.plan import Plan

_UNKNOWN: Final = object()  # a value that only CloudFormation can work out
_ABSENT: Final = "nothing"
_PSEUDO: Final = ("AWS::Region", "AWS::AccountId", "AWS::StackName", "AWS::Partition")
# Of these properties the services tell something else than what was asked, or nothing.
_NOT_TOLD: Final = frozenset({
    "Tags", "DeploymentConfig", "RetainAllVariantProperties", "ExcludeRetainedVariantProperties",
    "RetainDeploymentConfig", "ScalingTargetId", "ScheduledActions", "RoleARN", "RuntimeConfig",
})  # fmt: skip
# While scheduled actions run, these are theirs.
_SCHEDULED: Final = frozenset({"MinCapacity", "MaxCapacity"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """Something that runs otherwise than asked."""

    logical_id: str  # of the resource; the launch's name where it is about the whole
    path: str  # of the property
    asked: str
    live: str

    def __str__(self) -> str:
        return f"{self.logical_id} {self.path}: asked for {self.asked}, but it is {self.live}"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Stack:
    """What is known of the values of a stack: for the parts of a template that refer to them."""

    launched: Launched
    parameters: Mapping[str, str]
    physical: Mapping[str, str]

    def value(self, asked: Any) -> Any:
        """Give what a value of the template means, or _UNKNOWN."""
        if isinstance(asked, list):
            return [self.value(one) for one in asked]
        if not isinstance(asked, Mapping):
            return asked
        name = next(iter(asked), "")
        if len(asked) == 1 and (name == "Ref" or name.startswith("Fn::")):
            return self._called(name, asked[name])
        return {key: self.value(one) for key, one in asked.items()}

    def _called(self, name: str, argument: Any) -> Any:
        if name == "Ref":
            return self._reference(argument)
        if name == "Fn::Sub" and isinstance(argument, str):
            return self._filled(argument)
        if name == "Fn::GetAtt":
            resource, attribute = argument if isinstance(argument, list) else argument.split(".", 1)
            return name_of(self.physical.get(resource, "")) if attribute.endswith(("Name", "Arn")) else _UNKNOWN
        return _UNKNOWN

    def _reference(self, name: str) -> Any:
        if name in self.parameters:
            return self.parameters[name]
        if name in _PSEUDO:
            return self._pseudo()[name]
        return self.physical.get(name, _UNKNOWN)

    def _pseudo(self) -> Mapping[str, str]:
        _, partition, _, region, account, _ = self.launched.stack_id.split(":", 5)
        return dict(zip(_PSEUDO, (region, account, self.launched.name, partition), strict=True))

    def _filled(self, text: str) -> Any:
        for name, value in {**self._pseudo(), **self.parameters}.items():
            text = text.replace(f"${{{name}}}", value)
        return _UNKNOWN if "${" in text else text


class Verifying(Looking):
    """What runs against what was asked for."""

    def verify(self, asked: Plan | str) -> tuple[Difference, ...]:
        """Give every difference between a plan, or what a launch's own stack says, and what the services have.

        Raises: CloudError.
        """
        name = asked if isinstance(asked, str) else asked.request.name
        with explained():
            stack = self.described(name)
            found = None if stack is None else launched_of(stack)
            if stack is None or found is None or not self.is_ours(found):
                return (Difference(logical_id=name, path="the launch", asked="running", live=_ABSENT),)
            template = self.template(found.stack_id) if isinstance(asked, str) else asked.template
            parameters = {one["ParameterKey"]: one["ParameterValue"] for one in stack.get("Parameters", [])}
            if not isinstance(asked, str):
                parameters |= asked.parameters
            made = self.resources(found.stack_id)
            physical = {key: one["PhysicalResourceId"] for key, one in made.items() if one.get("PhysicalResourceId")}
            values = _Stack(launched=found, parameters=parameters, physical=physical)
            return (*_of_the_whole(asked, found), *self._of_resources(template, values))

    def _of_resources(self, template: Mapping[str, Any], stack: _Stack) -> Iterator[Difference]:
        for logical_id, resource in template.get("Resources", {}).items():
            look = _LOOKS.get(resource["Type"])
            if look is None:
                continue
            physical = stack.physical.get(logical_id)
            live = None if physical is None else _found(look, self.clients, physical)
            if live is None:
                yield Difference(logical_id=logical_id, path=resource["Type"], asked="there", live=_ABSENT)
                continue
            declared = resource.get("Properties", {})
            left_out = _NOT_TOLD | _SCHEDULED if "ScheduledActions" in declared else _NOT_TOLD
            properties = {key: stack.value(one) for key, one in declared.items() if key not in left_out}
            yield from _differences(logical_id, "", properties, live)
            yield from _in_service(logical_id, live)
            if resource["Type"] == "AWS::SageMaker::Endpoint":
                yield from _weights(logical_id, template, live)


def _of_the_whole(asked: Plan | str, found: Launched) -> Iterator[Difference]:
    is_as_before = not isinstance(asked, str) and found.token == asked.token  # what the change was taken back to
    if found.is_rolled_back and not is_as_before:
        before = f"what was before the last change ({found.status}): {found.status_reason or 'no reason given'}"
        yield Difference(logical_id=found.name, path="the change", asked="done", live=before)
    if not isinstance(asked, str) and found.token != asked.token:
        yield Difference(logical_id=found.name, path="the plan", asked=asked.token[:12], live=(found.token or "")[:12])


def _in_service(logical_id: str, live: Mapping[str, Any]) -> Iterator[Difference]:
    """Endpoints and inference components have a status, and a reason where it is not the wanted one."""
    for member in ("EndpointStatus", "InferenceComponentStatus"):
        status = live.get(member, "InService")
        if status != "InService":
            reason = live.get("FailureReason")
            shown = f"{status}: {reason}" if reason else status
            yield Difference(logical_id=logical_id, path=member, asked="InService", live=shown)


def _weights(logical_id: str, template: Mapping[str, Any], live: Mapping[str, Any]) -> Iterator[Difference]:
    """The weights of an endpoint's variants can be changed without its configuration."""
    config = template["Resources"].get("EndpointConfig", {}).get("Properties", {})
    asked = {one["VariantName"]: one.get("InitialVariantWeight") for one in config.get("ProductionVariants", [])}
    current = {one["VariantName"]: one.get("CurrentWeight") for one in live.get("ProductionVariants", [])}
    if len(asked) > 1:  # of one variant, a weight says nothing
        for name, weight in asked.items():
            path = f"ProductionVariants.{name}.CurrentWeight"
            yield from _differences(logical_id, path, weight, current.get(name))


def _differences(logical_id: str, path: str, asked: object, live: object) -> Iterator[Difference]:
    """Compare what was asked for with what is told, member by member; what else is told is of no interest."""
    if asked is _UNKNOWN:
        return
    if isinstance(asked, Mapping) and isinstance(live, Mapping):
        for key, one in asked.items():
            yield from _differences(logical_id, f"{path}.{key}".strip("."), one, live.get(key))
    elif isinstance(asked, list) and isinstance(live, list) and len(asked) == len(live):
        for index, (one, other) in enumerate(zip(_in_order(asked), _in_order(live), strict=True)):
            yield from _differences(logical_id, f"{path}.{index}", one, other)
    elif not _is_same(asked, live):
        yield Difference(logical_id=logical_id, path=path, asked=_shown(asked), live=_shown(live))


def _in_order(items: list[Any]) -> list[Any]:
    """Items that have names by their names: services keep dimensions and variants in an order of their own."""
    for name in ("Name", "VariantName"):
        if all(isinstance(one, Mapping) and isinstance(one.get(name), str) for one in items):
            return sorted(items, key=lambda one: str(one[name]))
    return items


def _is_same(asked: object, live: object) -> bool:
    """Whether two values are the same to a service, which turns texts into numbers and names into ARNs."""
    if asked in ({}, [], "", None) and live in ({}, [], "", None):
        return True
    one, other = _shown(asked), _shown(live)
    if one == other or name_of(one) == name_of(other):
        return True
    try:
        return Decimal(one) == Decimal(other)
    except InvalidOperation:
        return one.lower() == other.lower() and one.lower() in {"true", "false"}


def _shown(value: object) -> str:
    return _ABSENT if value is None else str(value)


def name_of(identifier: str) -> str:
    """Give the name in an ARN of SageMaker; another text as it is.

    >>> name_of("arn:aws:sagemaker:eu-west-1:000000000000:endpoint/iris"), name_of("iris")
    ('iris', 'iris')
    """
    return identifier.rpartition("/")[2] if identifier.startswith("arn:") else identifier


def _found(look: Callable[[Any, str], Any], clients: Callable[[str], Any], physical: str) -> Any | None:
    try:
        return look(clients, physical)
    except ClientError as err:
        answer = err.response["Error"]
        said = answer.get("Message", "").lower()
        if (
            "could not find" in said
            or "not found" in said
            or answer["Code"].endswith(("NotFound", "NotFoundException"))
        ):
            return None
        raise


def _described(kind: str, member: str) -> Callable[[Any, str], Any]:
    """Give what describes a resource of SageMaker."""

    def look(clients: Callable[[str], Any], physical: str) -> Any:
        return getattr(clients("sagemaker"), f"describe_{kind}")(**{member: name_of(physical)})

    return look


def _alarm(clients: Callable[[str], Any], physical: str) -> Any | None:
    found = clients("cloudwatch").describe_alarms(AlarmNames=[physical])["MetricAlarms"]
    return found[0] if found else None


def _target(clients: Callable[[str], Any], physical: str) -> Any | None:
    resource, dimension, namespace = physical.split("|")
    found = clients("application-autoscaling").describe_scalable_targets(
        ServiceNamespace=namespace, ResourceIds=[resource], ScalableDimension=dimension
    )["ScalableTargets"]
    return found[0] if found else None


def _policy(clients: Callable[[str], Any], physical: str) -> Any | None:
    name = physical.rpartition("policyName/")[2]
    found = clients("application-autoscaling").describe_scaling_policies(
        ServiceNamespace="sagemaker", PolicyNames=[name]
    )["ScalingPolicies"]
    return next((one for one in found if one["PolicyARN"] == physical), None)


_LOOKS: Final = {
    "AWS::SageMaker::Model": _described("model", "ModelName"),
    "AWS::SageMaker::EndpointConfig": _described("endpoint_config", "EndpointConfigName"),
    "AWS::SageMaker::Endpoint": _described("endpoint", "EndpointName"),
    "AWS::SageMaker::InferenceComponent": _described("inference_component", "InferenceComponentName"),
    "AWS::CloudWatch::Alarm": _alarm,
    "AWS::ApplicationAutoScaling::ScalableTarget": _target,
    "AWS::ApplicationAutoScaling::ScalingPolicy": _policy,
}
