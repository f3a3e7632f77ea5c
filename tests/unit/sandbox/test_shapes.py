from datetime import UTC, datetime

import botocore.session
import pytest

from sandbox.errors import AwsError
from sandbox.protocols.shapes import read_value, write_value

SESSION = botocore.session.Session()
TIMESTAMP = SESSION.get_service_model("cloudwatch").shape_for("Timestamp")
LIST_ENDPOINTS = SESSION.get_service_model("sagemaker").operation_model("ListEndpoints")
PUT_DATA = SESSION.get_service_model("cloudwatch").operation_model("PutMetricData").input_shape


@pytest.mark.parametrize("value", [1_795_262_400, 1_795_262_400.0, "2026-11-21T12:00:00Z", "1795262400"])
def test_a_time_is_read(value):
    assert read_value(TIMESTAMP, value) == datetime(2026, 11, 21, 12, tzinfo=UTC)


@pytest.mark.parametrize("value", [1e18, -1e18, 1e400, "soon", True, []])
def test_what_is_no_time_is_refused(value):
    with pytest.raises(AwsError) as caught:
        read_value(TIMESTAMP, value)
    assert caught.value.code == "SerializationException"


def test_unknown_and_absent_members_are_left_out():
    assert read_value(LIST_ENDPOINTS.input_shape, {"Unknown": 1, "NameContains": None}) == {}
    assert write_value(LIST_ENDPOINTS.output_shape, {"Endpoints": [], "NextToken": None, "Extra": 1}) == {
        "Endpoints": []
    }


@pytest.mark.parametrize(
    "parameters",
    [
        {"MaxResults": "many"},
        {"MaxResults": True},
        {"MaxResults": 1.5},
        {"NameContains": 7},
        [],
    ],
    ids=str,
)
def test_another_type_is_refused(parameters):
    with pytest.raises(AwsError) as caught:
        read_value(LIST_ENDPOINTS.input_shape, parameters)
    assert caught.value.code == "SerializationException"


def test_numbers_that_json_has_no_sign_for_are_read():
    datum = {"MetricName": "m", "Value": "NaN"}
    read = read_value(PUT_DATA, {"Namespace": "n", "MetricData": [datum]})
    assert read["MetricData"][0]["Value"] != read["MetricData"][0]["Value"]
