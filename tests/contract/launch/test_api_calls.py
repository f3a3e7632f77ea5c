"""What a template asks, held to the shapes of the APIs that CloudFormation calls: names, types, patterns and bounds."""

import re
from dataclasses import replace
from functools import cache
from typing import Any

import boto3
import pytest
from botocore.model import Shape
from botocore.validate import ParamValidator

from launch.api_calls import Call, Code, calls
from launch.template import template
from launch.template_batch import job
from tests.launch_requests import ACCOUNT, REGION, REQUESTS, variant, variations

VARIATIONS = variations()
JAVA = {"Z": r"\s", "Print": "[ -~]"}
KNOWN = {"ACCOUNT": ACCOUNT, "REGION": REGION, "PARTITION": "aws", "JOB": "job-1"}


@cache
def client(service: str) -> Any:
    return boto3.client(service, region_name=REGION)


def evaluated(value: Any) -> Any:
    """A parameter as it is when the script runs."""
    if isinstance(value, Code):
        import json

        arn = f"arn:aws:autoscaling:{REGION}:{ACCOUNT}:scalingPolicy:1:resource/sagemaker/x:policyName/y"
        policy = re.fullmatch(r"[a-z_]+_policy(_of_[a-z_]+)?", value)
        names = {value: arn} if policy else {}
        return eval(value, {"json": json}, {**KNOWN, **names})  # noqa: S307 made by the code under test
    if isinstance(value, dict):
        return {key: evaluated(one) for key, one in value.items()}
    return [evaluated(one) for one in value] if isinstance(value, list) else value


def breaches(shape: Shape, value: Any, path: str) -> list[str]:
    """Name patterns and bounds of texts and numbers that a value breaks; botocore leaves them to the service."""
    if shape.type_name == "structure":
        return [fault for key, one in value.items() for fault in breaches(shape.members[key], one, f"{path}.{key}")]
    if shape.type_name == "list":
        return [fault for one in value for fault in breaches(shape.member, one, f"{path}[]")]
    if shape.type_name == "map":
        return [fault for one in value.values() for fault in breaches(shape.value, one, f"{path}{{}}")]
    found = []
    # Java's classes of characters, as Python writes them.
    pattern = re.sub(r"\\p\{(\w+)\}", lambda one: JAVA.get(one[1], r"\w"), shape.metadata.get("pattern", ""))
    # Pairs of surrogates, as Java writes them, stand for any text.
    if pattern and "uDBFF" not in pattern and isinstance(value, str) and not re.fullmatch(pattern, value):
        found.append(f"{path}: {value!r} does not match {pattern}")
    size = len(value) if isinstance(value, str) else value
    if not isinstance(value, bool) and not shape.metadata.get("min", size) <= size <= shape.metadata.get("max", size):
        found.append(f"{path}: {value!r} is out of bounds")
    if getattr(shape, "enum", None) and value not in shape.enum:
        found.append(f"{path}: {value!r} is none of {shape.enum}")
    return found


def faults(call: Call) -> list[str]:
    api = client(call.service)
    operation = api.meta.service_model.operation_model(api.meta.method_to_api_mapping[call.method])
    given = evaluated(call.parameters)
    report = ParamValidator().validate(given, operation.input_shape)
    if report.has_errors():
        return [report.generate_report()]
    return breaches(operation.input_shape, given, call.method)


@pytest.mark.parametrize("kind", VARIATIONS)
def test_every_call_has_the_shape_of_its_api(kind: str):
    request = VARIATIONS[kind]
    found = calls(request, template(request)["Resources"])
    assert [fault for call in (*found.make, *found.remove) for fault in faults(call)] == []


def test_the_longest_names_have_the_shape_of_their_apis():
    beside = (variant("v" * 63), variant(f"{'v' * 62}w"))
    request = replace(VARIATIONS["real_time-variants"], name="n" * 63, variants=beside)
    found = calls(request, template(request)["Resources"])
    assert [fault for call in (*found.make, *found.remove) for fault in faults(call)] == []
    made = [one.parameters["ModelName"] for one in found.make if one.method == "create_model"]
    assert len(set(made)) == 3


@pytest.mark.parametrize("kind", [kind for kind in VARIATIONS if kind.startswith("batch")])
def test_a_job_has_the_shape_of_its_api(kind: str):
    asked = job(VARIATIONS[kind], model_name="m", job_name="j")
    plain = {key: value for key, value in asked.items() if key != "DataCaptureConfig"}
    assert faults(Call(service="sagemaker", method="create_transform_job", parameters=plain)) == []


def test_the_guard_of_shapes_sees():
    wrong = {"EndpointName": "a_b", "EndpointConfigName": "c"}
    assert "does not match" in faults(Call(service="sagemaker", method="create_endpoint", parameters=wrong))[0]
    wrong = {"EndpointName": "a", "Config": "c"}
    assert "EndpointConfigName" in faults(Call(service="sagemaker", method="create_endpoint", parameters=wrong))[0]


@pytest.mark.parametrize("kind", REQUESTS)
def test_what_is_made_is_removed(kind: str):
    request = VARIATIONS[kind]
    found = calls(request, template(request)["Resources"])
    made = {call.method.removeprefix("create_") for call in found.make if call.method.startswith("create_")}
    gone = {call.method.removeprefix("delete_") for call in found.remove}
    assert made - gone == ({"transform_job"} if kind == "batch" else set())
