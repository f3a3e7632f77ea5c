"""The calls of AWS's APIs that make what a template describes, in their order, and those that remove it again.

For people who don't use CloudFormation: `launch.export` writes them as a script. Names that CloudFormation would
generate are made of the request's.
"""

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pprint import pformat
from textwrap import indent
from typing import Any

from launch.fleets import parameters
from launch.request import Request
from launch.roles import PATH
from launch.template_batch import job
from launch.template_parts import Json, Resources, present

_PSEUDO = {"AWS::AccountId": "{ACCOUNT}", "AWS::Region": "{REGION}", "AWS::Partition": "{PARTITION}"}
_TARGET = ("ServiceNamespace", "ResourceId", "ScalableDimension")
WIDTH = 100  # of the lines of a script
_MOST_NAME = 63  # of models and endpoint configurations: SageMaker API reference, ModelName; roles may have 64
_MOST_LOGICAL_ID = 32  # of the characters of such a name; a longer one, of a variant, is told by its digest


class Code(str):
    """A Python expression that stands for a value which is only known when the calls are made."""

    __slots__ = ()

    def __repr__(self) -> str:
        return str(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One call: the method of a boto3 client with its parameters."""

    service: str
    method: str
    parameters: Json
    result: str | None = None  # the variable that keeps what the answer has under `key`
    key: str = ""
    until: tuple[str, Json, str] | None = None  # describing method, its parameters and the status to wait for


@dataclass(frozen=True, slots=True, kw_only=True)
class Calls:
    """What makes it, and what removes it: the last made is the first to go."""

    make: tuple[Call, ...]
    remove: tuple[Call, ...]


def calls(request: Request, resources: Resources) -> Calls:
    """The calls for the resources of a request's template."""
    made: list[Call] = []
    gone: list[list[Call]] = []
    for name in _ordered(resources):
        make, remove = _MAKERS[resources[name]["Type"]](_Resolver(request, resources), name)
        made += make
        gone.append(remove)
    if request.option == "batch" and "Schedule" not in resources:
        made.append(_job(request))
    return Calls(make=tuple(made), remove=tuple(call for some in reversed(gone) for call in some))


def _job(request: Request) -> Call:
    name = Code("JOB")
    asked = _formatted(job(request, model_name=_name(request, "Model"), job_name="\0"))
    asked["TransformJobName"] = name
    until = ("describe_transform_job", {"TransformJobName": name}, "TransformJobStatus")
    return Call(service="sagemaker", method="create_transform_job", parameters=asked, until=until)


def _formatted(value: Any) -> Any:
    """A value whose texts may name the account and the Region."""
    if isinstance(value, dict):
        return {key: _formatted(one) for key, one in value.items()}
    if isinstance(value, list):
        return [_formatted(one) for one in value]
    if isinstance(value, str) and ("{account}" in value or "{region}" in value):
        return Code("f" + json.dumps(value.replace("{account}", "{ACCOUNT}").replace("{region}", "{REGION}")))
    return value


def _name(request: Request, logical_id: str) -> str:
    end = logical_id
    if len(end) > _MOST_LOGICAL_ID:
        digest = hashlib.sha256(end.encode()).hexdigest()[:8]
        end = f"{end[: _MOST_LOGICAL_ID - len(digest)]}{digest}"
    return f"{request.name[: _MOST_NAME - len(end) - 1].rstrip('-')}-{end}"


def _ordered(resources: Resources) -> list[str]:
    """The names in an order in which each comes after what it refers to."""
    found: list[str] = []
    waiting = list(resources)
    while waiting:
        name = next(one for one in waiting if not (_references(resources[one]) & set(waiting) - {one}))
        waiting.remove(name)
        found.append(name)
    return found


def _references(value: object) -> set[str]:
    if isinstance(value, Mapping):
        if set(value) == {"Ref"}:
            return {str(value["Ref"])}
        if set(value) == {"Fn::GetAtt"}:
            return {str(value["Fn::GetAtt"][0])}
        found = set(value.get("DependsOn", ())) if isinstance(value.get("DependsOn"), list) else set()
        if isinstance(value.get("Fn::Sub"), str):
            found |= set(re.findall(r"\$\{(\w+)\.\w+\}", value["Fn::Sub"]))
        return found.union(*(_references(one) for one in value.values()))
    return set().union(*(_references(one) for one in value)) if isinstance(value, list) else set()


class _Resolver:
    """Properties of a template's resources as parameters of calls."""

    def __init__(self, request: Request, resources: Resources) -> None:
        self.request = request
        self.resources = resources
        self.data = {name: one.model_data_url for name, one in parameters(request).items()}

    def properties(self, name: str) -> Json:
        """The properties of a resource, without references."""
        found: Json = self.value(self.resources[name]["Properties"])
        return found

    def named(self, name: str) -> str:
        """The name that a resource gets."""
        found = self.resources[name]["Properties"]
        fixed = found.get("EndpointName") if self.resources[name]["Type"].endswith("::Endpoint") else None
        return str(fixed or found.get("InferenceComponentName") or _name(self.request, name))

    def value(self, value: Any) -> Any:
        """A value of the template without references."""
        if isinstance(value, list):
            return [self.value(one) for one in value]
        if not isinstance(value, dict):
            return value
        if set(value) == {"Ref"}:
            return self._reference(value["Ref"])
        if set(value) == {"Fn::GetAtt"}:
            name, attribute = value["Fn::GetAtt"]
            return self._arn(name) if attribute == "Arn" else self.named(name)
        if set(value) == {"Fn::Sub"}:
            return self._sub(value["Fn::Sub"])
        return {key: self.value(one) for key, one in value.items()}

    def _reference(self, name: str) -> str:
        if name in _PSEUDO:
            return Code(_PSEUDO[name].strip("{}"))
        if name in self.data:
            return self.data[name]
        kind = self.resources[name]["Type"]
        if kind.endswith("::ScalingPolicy"):
            return Code(_variable(name))
        return self._arn(name) if kind.endswith("::Topic") else self.named(name)

    def _arn(self, name: str) -> str:
        at = {
            "AWS::IAM::Role": f"iam::{{ACCOUNT}}:role{PATH}",
            "AWS::SNS::Topic": "sns:{REGION}:{ACCOUNT}:",
        }[self.resources[name]["Type"]]
        return Code("f" + json.dumps(f"arn:{{PARTITION}}:{at}{self.named(name)}"))

    def _sub(self, given: str | list[Any]) -> str:
        text = given if isinstance(given, str) else given[0]
        if isinstance(given, list):  # the path of a model: what its address has after s3://
            reference = given[1]["Path"]["Fn::Select"][1]["Fn::Split"][1]["Ref"]
            text = text.replace("${Path}", self.data[reference].removeprefix("s3://"))
        text = re.sub(r"\$\{(\w+)\.\w+\}", lambda one: self.named(one[1]), text)
        parts = re.split(r"\$\{(!?[\w:]+)\}", text)
        plain = [part.replace("{", "{{").replace("}", "}}") for part in parts[::2]]
        names = [_PSEUDO.get(one) or "${{" + one.removeprefix("!") + "}}" for one in parts[1::2]]
        joined = "".join(text + name for text, name in zip(plain, [*names, ""], strict=True))
        return Code("f" + json.dumps(joined))


Made = tuple[list[Call], list[Call]]


def _variable(name: str) -> str:
    return re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()


def _as_json(document: Json) -> Code:
    """The text of a policy."""
    return Code(f"json.dumps(\n{indent(pformat(document, width=WIDTH, sort_dicts=False), '    ')}\n)")


def _role(of: _Resolver, name: str) -> Made:
    given, role = of.properties(name), {"RoleName": of.named(name)}
    trust = _as_json(given["AssumeRolePolicyDocument"])
    # A role is in no Region and has no stack here, so that only a tag says where its launch is.
    tags = [*given["Tags"], {"Key": "hostfit:region", "Value": of.request.region}]
    made = {**role, "Path": PATH, "AssumeRolePolicyDocument": trust, "Tags": tags}
    make = [Call(service="iam", method="create_role", parameters=made)]
    remove = []
    for policy in given["Policies"]:
        named = {**role, "PolicyName": policy["PolicyName"]}
        document = _as_json(policy["PolicyDocument"])
        make.append(Call(service="iam", method="put_role_policy", parameters={**named, "PolicyDocument": document}))
        remove.append(Call(service="iam", method="delete_role_policy", parameters=named))
    return make, [*remove, Call(service="iam", method="delete_role", parameters=role)]


def _hosting(of: _Resolver, name: str) -> Made:
    """Models, endpoint configurations, endpoints and components: their properties are the call's parameters."""
    kind = of.resources[name]["Type"].rpartition("::")[2]
    snake, named = _variable(kind), {f"{kind}Name": of.named(name)}
    leave = ("RetainAllVariantProperties", "ExcludeRetainedVariantProperties", "DeploymentConfig")  # of updates
    given = {key: value for key, value in of.properties(name).items() if key not in leave}
    until = None
    if kind in ("Endpoint", "InferenceComponent"):
        until = (f"describe_{snake}", named, f"{kind}Status")
    make = Call(service="sagemaker", method=f"create_{snake}", parameters={**named, **given}, until=until)
    return [make], [Call(service="sagemaker", method=f"delete_{snake}", parameters=named, until=until)]


def _target(of: _Resolver, name: str) -> Made:
    given = of.properties(name)
    target, service = {part: given[part] for part in _TARGET}, "application-autoscaling"
    bounds = {key: value for key, value in given.items() if key != "ScheduledActions"}
    make = [Call(service=service, method="register_scalable_target", parameters=bounds)]
    remove = []
    for action in given.get("ScheduledActions", []):
        named = {**target, "ScheduledActionName": action["ScheduledActionName"]}
        make.append(Call(service=service, method="put_scheduled_action", parameters={**target, **action}))
        remove.append(Call(service=service, method="delete_scheduled_action", parameters=named))
    return make, [*remove, Call(service=service, method="deregister_scalable_target", parameters=target)]


def _policy(of: _Resolver, name: str) -> Made:
    given = dict(of.resources[name]["Properties"])
    target = of.properties(given.pop("ScalingTargetId")["Ref"])
    service, named = "application-autoscaling", {part: target[part] for part in _TARGET}
    make = Call(
        service=service,
        method="put_scaling_policy",
        parameters={**named, **of.value(given)},
        result=_variable(name),
        key="PolicyARN",
    )
    named["PolicyName"] = given["PolicyName"]
    return [make], [Call(service=service, method="delete_scaling_policy", parameters=named)]


def _alarm(of: _Resolver, name: str) -> Made:
    named = of.named(name)
    made = {"AlarmName": named, **of.properties(name)}
    gone = Call(service="cloudwatch", method="delete_alarms", parameters={"AlarmNames": [named]})
    return [Call(service="cloudwatch", method="put_metric_alarm", parameters=made)], [gone]


def _topic(of: _Resolver, name: str) -> Made:
    given, arn = of.properties(name), of.value({"Ref": name})
    attributes = present({key: given.get(key) for key in ("DisplayName", "KmsMasterKeyId")})
    made = {"Name": of.named(name), "Attributes": attributes, "Tags": given["Tags"]}
    gone = Call(service="sns", method="delete_topic", parameters={"TopicArn": arn})
    return [Call(service="sns", method="create_topic", parameters=made)], [gone]


def _subscription(of: _Resolver, name: str) -> Made:
    return [Call(service="sns", method="subscribe", parameters=of.properties(name))], []


def _topic_policy(of: _Resolver, name: str) -> Made:
    given = of.properties(name)
    document = _as_json(given["PolicyDocument"])
    asked = {"TopicArn": given["Topics"][0], "AttributeName": "Policy", "AttributeValue": document}
    return [Call(service="sns", method="set_topic_attributes", parameters=asked)], []


def _schedule(of: _Resolver, name: str) -> Made:
    named = {"Name": of.named(name)}
    make = Call(service="scheduler", method="create_schedule", parameters={**named, **of.properties(name)})
    return [make], [Call(service="scheduler", method="delete_schedule", parameters=named)]


_MAKERS = {
    "AWS::IAM::Role": _role,
    "AWS::SageMaker::Model": _hosting,
    "AWS::SageMaker::EndpointConfig": _hosting,
    "AWS::SageMaker::Endpoint": _hosting,
    "AWS::SageMaker::InferenceComponent": _hosting,
    "AWS::ApplicationAutoScaling::ScalableTarget": _target,
    "AWS::ApplicationAutoScaling::ScalingPolicy": _policy,
    "AWS::CloudWatch::Alarm": _alarm,
    "AWS::SNS::Topic": _topic,
    "AWS::SNS::Subscription": _subscription,
    "AWS::SNS::TopicPolicy": _topic_policy,
    "AWS::Scheduler::Schedule": _schedule,
}


def services(found: Calls) -> Iterator[str]:
    """The services that are called, each once."""
    yield from sorted({call.service for call in (*found.make, *found.remove)})
