"""Properties are refused before anything is made of them."""

import pytest

from sandbox.services.cloudformation.calls import Refused
from sandbox.services.cloudformation.types import TYPES

DOCUMENT = {"Version": "2012-10-17", "Statement": []}


@pytest.mark.parametrize(
    ("kind", "properties", "words"),
    [
        ("AWS::SNS::Topic", {"Nothing": 1}, r"#: extraneous key \[Nothing\] is not permitted"),
        ("AWS::IAM::Role", {}, r"#: required key \[AssumeRolePolicyDocument\] not found"),
        ("AWS::IAM::Role", {"AssumeRolePolicyDocument": "{"}, "#/AssumeRolePolicyDocument: expected type: JSONObject"),
        ("AWS::IAM::Role", {"AssumeRolePolicyDocument": {}, "Policies": ["a"]}, "#/Policies/0: expected type: JSONObject"),
        ("AWS::IAM::Role", {"AssumeRolePolicyDocument": {}, "Policies": [{"PolicyName": "a"}]},
         r"#/Policies/0: required key \[PolicyDocument\] not found"),
        ("AWS::IAM::Role", {"AssumeRolePolicyDocument": {}, "ManagedPolicyArns": "a"},
         "#/ManagedPolicyArns: expected type: JSONArray, found: 'a'"),
        ("AWS::IAM::ManagedPolicy", {"PolicyDocument": DOCUMENT, "Roles": [["x"]]}, "#/Roles/0: expected type: String"),
        ("AWS::SNS::Topic", {"Tags": [{"Key": "a"}]}, r"#/Tags/0: required key \[Value\] not found"),
        ("AWS::SNS::Topic", {"Tags": [{"Key": [], "Value": 1}]}, "#/Tags/0/Key: expected type: String"),
        ("AWS::SSM::Parameter", {"Type": "String", "Value": "a", "Tags": []}, "#/Tags: expected type: JSONObject"),
        ("AWS::SNS::TopicPolicy", {"PolicyDocument": DOCUMENT, "Topics": ["x"]}, "Invalid parameter: TopicArn"),
    ],
)  # fmt: skip
def test_malformed_properties_are_named_by_their_place(kind, properties, words):
    with pytest.raises(Refused, match=words):
        TYPES[kind].checked(properties)
    assert not TYPES[kind].is_sound(properties)


def test_every_fault_is_named_at_once():
    with pytest.raises(Refused) as caught:
        TYPES["AWS::IAM::Role"].checked({"B": 1, "A": 2})
    assert caught.value.message.count("#: ") == 3


@pytest.mark.parametrize("kind", TYPES.values(), ids=TYPES)
def test_a_property_changes_in_place_or_not_at_all(kind):
    assert not kind.changeable & kind.create_only
    assert not any(map(kind.replaces, kind.changeable))
    assert all(map(kind.replaces, kind.create_only))
    assert kind.replaces(kind.name_property) == bool(kind.name_property)
    assert kind.required <= kind.changeable | kind.create_only | {kind.name_property}


def test_tags_of_the_stack_give_way_to_those_of_the_template():
    topic, queue, parameter = (TYPES[f"AWS::{name}"] for name in ("SNS::Topic", "SQS::Queue", "SSM::Parameter"))
    inherited = {"team": "cars", "stage": "dev", "aws:cloudformation:stack-name": "s"}
    own = [{"Key": "stage", "Value": "prod"}]
    merged = {tag["Key"]: tag["Value"] for tag in topic.with_tags({"Tags": own}, inherited)["Tags"]}
    assert merged == {"team": "cars", "stage": "prod", "aws:cloudformation:stack-name": "s"}
    assert len(queue.with_tags({}, inherited)["Tags"]) == 2  # SQS refuses tags that start with aws:
    assert parameter.with_tags({"Tags": {"a": 1}}, {"b": "2"})["Tags"] == {"b": "2", "a": "1"}
    assert TYPES["AWS::IAM::Policy"].with_tags({}, inherited) == {}


@pytest.mark.parametrize("kind", [kind for kind in TYPES.values() if kind.type != "AWS::SNS::TopicPolicy"])
def test_a_name_fits_the_longest_that_its_service_takes(kind):
    name = kind.name_of({}, "s" * 128, "L" * 255, "A" * 12)
    assert len(name) <= kind.longest_name
    assert name.lower().endswith("a" * 12)
    assert kind.name_of({}, "stack", "Logical", "ABC").lower() == "stack-logical-abc"
