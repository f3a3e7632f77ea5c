"""What templates are put together from: resources, references and texts with pseudo parameters."""

from collections.abc import Mapping, Sequence
from typing import Any

from launch.request import Request

# A template as JSON has it: closed sets of keys, but values of any type.
Json = dict[str, Any]
Resources = dict[str, Json]

VARIANT = "AllTraffic"  # the name that SageMaker's own tools give the only variant
# Types that take tags, CloudFormation template reference, read 2026-11-21.
TAGGED = frozenset({
    "AWS::SageMaker::Model", "AWS::SageMaker::EndpointConfig", "AWS::SageMaker::Endpoint",
    "AWS::SageMaker::InferenceComponent", "AWS::IAM::Role", "AWS::CloudWatch::Alarm", "AWS::SNS::Topic",
})  # fmt: skip


def resource(kind: str, *, needs: Sequence[str] = (), **properties: object) -> Json:
    """A resource of the type AWS::`kind`; properties that are None are left out.

    >>> resource("SNS::Topic", needs=["Role"], DisplayName=None)
    {'Type': 'AWS::SNS::Topic', 'DependsOn': ['Role'], 'Properties': {}}
    """
    found: Json = {"Type": f"AWS::{kind}"}
    if needs:
        found["DependsOn"] = list(needs)
    return {**found, "Properties": present(properties)}


def present(values: Mapping[str, object]) -> Json:
    """The entries that are not None."""
    return {name: value for name, value in values.items() if value is not None}


def ref(name: str) -> Json:
    """The name or ARN of another resource, or the value of a parameter."""
    return {"Ref": name}


def att(name: str, attribute: str) -> Json:
    """An attribute of another resource."""
    return {"Fn::GetAtt": [name, attribute]}


def sub(text: str) -> Json:
    """A text with `${...}` in it."""
    return {"Fn::Sub": text}


def text(value: str) -> str | Json:
    """A text of the request, which may name the account and the Region of the launch.

    >>> text("s3://bucket/a"), text("s3://b-{region}/${x}")
    ('s3://bucket/a', {'Fn::Sub': 's3://b-${AWS::Region}/${!x}'})
    """
    return sub(escaped(value)) if "{account}" in value or "{region}" in value else value


def escaped(value: str) -> str:
    """A text for `sub` in which nothing but the account and the Region is replaced."""
    hidden = value.replace("${", "${!")
    return hidden.replace("{account}", "${AWS::AccountId}").replace("{region}", "${AWS::Region}")


def tags(request: Request) -> dict[str, str]:
    """The tags of every resource: whose it is, and the request's own."""
    return {**request.tags, "hostfit:launch": request.name, "hostfit:option": request.option}


def listed(given: Mapping[str, str]) -> list[Json]:
    """Tags as templates and calls have them."""
    return [{"Key": key, "Value": given[key]} for key in sorted(given)]


def dimensions(**values: str) -> list[Json]:
    """The dimensions of a metric."""
    return [{"Name": name, "Value": value} for name, value in values.items()]
