"""Every operation of the emulated services through botocore's own client code: what it sends is read, what is
answered is understood, what is refused is recognised."""

import io
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlencode

import botocore.session
import pytest
from botocore.parsers import create_parser
from botocore.serialize import create_serializer

from sandbox.errors import AwsError
from sandbox.protocols import Request, wire_of

SESSION = botocore.session.Session()
SPOKEN = [
    ("sagemaker", "json"),
    ("athena", "json"),
    ("cloudwatch", "json"),
    ("cloudwatch", "query"),
    ("cloudwatch", "smithy-rpc-v2-cbor"),
    ("cloudformation", "query"),
]
SAMPLES = {
    "boolean": True, "integer": 7, "long": 2**40, "float": 0.5, "double": 0.25, "blob": b"\x00bytes\xff",
    "timestamp": datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC),
}  # fmt: skip


def sample(shape, depth: int = 0) -> Any:
    """Give a value with every member of a shape, down to where it repeats itself."""
    kind = shape.type_name
    if kind == "structure":
        members = list(shape.members.items())[: 1 if getattr(shape, "is_tagged_union", False) else None]
        return {name: sample(member, depth + 1) for name, member in members if depth < (8 if len(members) == 1 else 6)}
    if kind == "list":
        return [sample(shape.member, depth + 1)] * (2 if depth < 6 else 0)
    if kind == "map":
        return {"a key": sample(shape.value, depth + 1)} if depth < 6 else {}
    if kind == "string":
        return (shape.enum or ["some <text> & ü+%"])[0]
    return SAMPLES[kind]


def without_empty(value: Any) -> Any:
    """Leave out what a protocol can't tell from absent."""
    if isinstance(value, dict):
        kept = {key: without_empty(item) for key, item in value.items()}
        return {key: item for key, item in kept.items() if item not in ({}, [])}
    if isinstance(value, list):
        return [item for item in map(without_empty, value) if item not in ({}, [])]
    return value


def sent(operation, protocol: str, parameters: dict[str, Any]) -> Request:
    """Write a request as botocore's client does."""
    wire = create_serializer(protocol, include_validation=False).serialize_to_request(parameters, operation)
    body = wire["body"]
    if isinstance(body, dict):
        body = urlencode(body, doseq=True)
    return Request(
        method=wire["method"],
        path=wire["url_path"],
        query="",
        headers={name.lower(): value for name, value in wire["headers"].items()},
        body=body.encode() if isinstance(body, str) else bytes(body),
    )


def understood(operation, protocol: str, response) -> dict[str, Any]:
    """Read an answer as botocore's client does."""
    headers = {name.lower(): value for name, value in response.headers.items()}
    parts = {"status_code": response.status, "headers": headers, "body": response.body}
    parts["context"] = {"operation_name": operation.name}
    parts["raw"] = SimpleNamespace(stream=io.BytesIO(response.body))
    parsed = create_parser(protocol).parse(parts, operation.output_shape)
    return {name: value for name, value in parsed.items() if name != "ResponseMetadata"}


def operations():
    for service, protocol in SPOKEN:
        model = SESSION.get_service_model(service)
        for name in model.operation_names:
            yield pytest.param(model.operation_model(name), protocol, id=f"{service}-{protocol}-{name}")


@pytest.mark.parametrize(("operation", "protocol"), list(operations()))
def test_every_operation_is_read_and_understood(operation, protocol):
    model = operation.service_model
    parameters = sample(operation.input_shape) if operation.input_shape else {}
    request = sent(operation, protocol, parameters)
    wire = wire_of(request, model)
    assert wire.operation(request) == operation.name
    assert without_empty(wire.read(request, operation.input_shape)) == without_empty(parameters)

    answer = sample(operation.output_shape) if operation.output_shape else {}
    response = wire.answer(operation, {**answer, "Unknown": 1, "Absent": None}, "the-request")
    parsed = understood(operation, protocol, response)
    assert without_empty(parsed) == without_empty(answer)


@pytest.mark.parametrize(("service", "protocol"), SPOKEN)
def test_a_refusal_is_recognised(service, protocol):
    model = SESSION.get_service_model(service)
    operation = model.operation_model(model.operation_names[0])
    wire = wire_of(sent(operation, protocol, {}), model)
    response = wire.error(AwsError("ValidationException", "it's <wrong> \x00", status=400), "the-request")
    parsed = understood(operation, protocol, response)
    assert parsed["Error"]["Code"] == "ValidationException"
    assert parsed["Error"]["Message"] in {"it's <wrong> \x00", "it's <wrong> ?"}
