import botocore.session
import pytest

from sandbox.errors import AwsError
from sandbox.protocols.validation import validate

MODEL = botocore.session.Session().get_service_model("sagemaker")


def refused(operation: str, parameters: dict) -> str:
    with pytest.raises(AwsError) as caught:
        validate(MODEL.operation_model(operation).input_shape, parameters)
    assert caught.value.code == "ValidationException"
    return caught.value.message


def test_every_wrong_member_is_named_at_once():
    message = refused("CreateEndpoint", {"EndpointName": "no spaces", "Tags": [{"Key": "a"}]})
    assert message.startswith("3 validation errors detected: ")
    assert "Value null at 'endpointConfigName' failed to satisfy constraint: Member must not be null" in message
    assert "Value null at 'tags.1.member.value' failed to satisfy constraint: Member must not be null" in message
    assert "Value 'no spaces' at 'endpointName' failed to satisfy constraint: Member must satisfy regular" in message


def test_limits_of_lengths_values_and_enums_are_those_of_the_model():
    assert "length less than or equal to 63" in refused("DescribeEndpoint", {"EndpointName": "x" * 64})
    assert "value less than or equal to 100" in refused("ListEndpoints", {"MaxResults": 101})
    assert "value greater than or equal to 1" in refused("ListEndpoints", {"MaxResults": 0})
    assert "enum value set: [Name, CreationTime, Status]" in refused("ListEndpoints", {"SortBy": "Size"})


def test_what_fits_is_let_through():
    tags = [{"Key": "Größe", "Value": "ü 1/2 = +-@"}]
    parameters = {"EndpointName": "a-1", "EndpointConfigName": "B2", "Tags": tags}
    validate(MODEL.operation_model("CreateEndpoint").input_shape, parameters)


def test_a_long_name_of_dashes_is_judged_at_once():
    refused("DescribeEndpoint", {"EndpointName": "a" + "-" * 61 + "!"})
