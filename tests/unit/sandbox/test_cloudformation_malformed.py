"""Templates with junk in any place are refused as AWS refuses, never answered with a crash."""

import contextlib
import json
import random

import pytest

from sandbox.errors import AwsError
from sandbox.services.cloudformation.parameters import values_of
from sandbox.services.cloudformation.template import Bound, Surroundings, Template
from tests.stack_templates import scaled

PARAMETERS = {
    "P": {"Type": "String", "Default": "x", "AllowedValues": ["x", "y"], "AllowedPattern": "[a-z]+", "MinLength": 1},
    "N": {"Type": "Number", "Default": 3, "MinValue": 1},
}
CONDITIONS = {
    "C": {"Fn::And": [{"Fn::Equals": [{"Ref": "P"}, "x"]}, {"Fn::Not": [{"Condition": "D"}]}]},
    "D": {"Fn::Equals": ["a", "b"]},
}
EXPRESSIONS = {
    "a": {"Fn::If": ["C", {"Fn::Select": [0, {"Fn::Split": [",", "a,b"]}]}, {"Ref": "AWS::NoValue"}]},
    "b": {"Fn::FindInMap": ["M", "a", "b"]},
    "c": {"Fn::Sub": ["${x}${P}", {"x": {"Ref": "N"}}]},
    "d": {"Fn::Base64": {"Ref": "Role"}},
}
OUTPUT = {"Value": {"Ref": "Role"}, "Condition": "C", "Export": {"Name": {"Fn::Sub": "${AWS::StackName}-x"}}}
SOUND = {
    "Description": "d",
    "Parameters": PARAMETERS,
    "Conditions": CONDITIONS,
    "Mappings": {"M": {"a": {"b": "c"}}},
    "Resources": {
        **scaled(lambda _, **members: {"Image": "i", **members}),
        "Z": {
            "Type": "X",
            "DependsOn": ["Role"],
            "Condition": "C",
            "DeletionPolicy": "Retain",
            "Properties": EXPRESSIONS,
        },
    },
    "Outputs": {"O": OUTPUT},
}
JUNK = [
    None, 1, -1, 1.5, True, "", "x", "${", "${a.b}", "(", [], {}, [None], {"Ref": 1}, {"Ref": "P"}, {"Ref": "Role"},
    {"Fn::GetAtt": []}, {"Fn::GetAtt": [1, 2]}, {"Fn::Sub": []}, {"Fn::Sub": ["a", {"b": {"Ref": "Role"}}]},
    {"Fn::If": [1, 2, 3]}, {"Fn::Join": [1, 2]}, {"Fn::Select": ["x", {}]}, {"Fn::Select": [[], ["a"]]},
    {"Fn::Split": ["", ""]}, {"Condition": "C"}, {"Fn::FindInMap": [{}, [], 1]}, {"Fn::ImportValue": {"Ref": "Role"}},
    "{{resolve:ssm:}}", {"Fn::Equals": [1]},
]  # fmt: skip


def places(value, path=()):
    if path:
        yield path
    entries = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in entries:
        yield from places(item, (*path, key))


def spoilt(chance: random.Random) -> str:
    document = json.loads(json.dumps(SOUND))
    path = chance.choice(list(places(document)))
    parent = document
    for key in path[:-1]:
        parent = parent[key]
    if chance.random() < 0.15:
        del parent[path[-1]]
    else:
        parent[path[-1]] = chance.choice(JUNK)
    return json.dumps(document)


def evaluate(text: str) -> None:
    template = Template(text)
    around = Surroundings(pseudo={"AWS::StackName": "s"}, imported=str, stored=str)
    bound = Bound(template, values_of(template.parameters, [], None), around)
    for name in bound.order:
        bound.properties(name, lambda one, attribute: f"{one}.{attribute}")
    bound.outputs(lambda one, attribute: f"{one}.{attribute}")


@pytest.mark.parametrize("seed", range(4))
def test_junk_anywhere_is_refused_or_taken_but_breaks_nothing(seed):
    chance = random.Random(seed)  # noqa: S311 (junk, not secrets)
    evaluate(json.dumps(SOUND))
    taken = 0
    for _ in range(300):
        with contextlib.suppress(AwsError):
            evaluate(spoilt(chance))
            taken += 1
    assert 0 < taken < 200


def growing(function, levels):
    """An expression whose text is four times as long with each level."""
    expression = {"Ref": "AWS::StackName"}
    for _ in range(levels):
        expression = function(expression)
    return json.dumps({"Resources": {"Z": {"Type": "X", "Properties": {"a": expression}}}})


@pytest.mark.parametrize(
    "text",
    [
        growing(lambda inner: {"Fn::Sub": ["${a}${a}${a}${a}", {"a": inner}]}, 20),
        growing(lambda inner: {"Fn::Join": [",", {"Fn::Split": [",", {"Fn::Sub": ["${a},${a}", {"a": inner}]}]}]}, 30),
        f'{{"Resources": {{"Z": {{"Type": "X", "Properties": {{"a": {"9" * 5000}}}}}}}}}',
        f"Resources: {{Z: {{Type: X, Properties: {{a: {'9' * 5000}}}}}}}",
    ],
)
def test_what_would_fill_the_memory_is_refused(text):
    with pytest.raises(AwsError, match=r"longer than|too long|can't be read"):
        evaluate(text)
