from datetime import UTC, datetime, timedelta

import pytest

from sandbox.errors import AwsError
from sandbox.metrics import Summary
from sandbox.services.cloudwatch.put import rows

NOW = datetime(2026, 11, 21, 12, 0, 42, tzinfo=UTC)
MINUTE = int(NOW.timestamp()) - 42


def put(*data: dict, namespace: str = "N", **others):
    return rows({"Namespace": namespace, "MetricData": list(data), **others}, now=NOW.timestamp())


def test_a_value_stands_in_its_minute():
    (row,) = put({"MetricName": "m", "Value": 2.5, "Timestamp": NOW - timedelta(seconds=43)})
    assert (row.minute, row.values, row.counts, row.unit) == (MINUTE - 60, [2.5], [1.0], "None")


def test_a_value_without_a_time_is_of_now():
    assert put({"MetricName": "m", "Value": 1.0})[0].minute == MINUTE


def test_a_metric_of_high_resolution_keeps_its_second():
    assert put({"MetricName": "m", "Value": 1.0, "StorageResolution": 1})[0].minute == MINUTE + 42


def test_values_have_counts_of_one_unless_told():
    first, second = put(
        {"MetricName": "m", "Values": [1.0, 2.0]}, {"MetricName": "m", "Values": [3.0, 4.0], "Counts": [5.0, 6.5]}
    )
    assert (first.counts, second.counts) == ([1.0, 1.0], [5.0, 6.5])


def summed(samples: float, total: float, lowest: float, highest: float) -> dict:
    given = {"SampleCount": samples, "Sum": total, "Minimum": lowest, "Maximum": highest}
    return {"MetricName": "m", "StatisticValues": given}


def test_a_summary_stays_one_unless_all_its_values_are_the_same():
    other, odd, same = put(summed(3.0, 6.0, 1.0, 3.0), summed(3.0, 7.0, 2.0, 2.0), summed(3.0, 6.0, 2.0, 2.0))
    assert odd.summary == Summary(samples=3.0, total=7.0, lowest=2.0, highest=2.0)
    assert other.summary == Summary(samples=3.0, total=6.0, lowest=1.0, highest=3.0)
    assert (same.summary, same.values, same.counts) == (None, [2.0], [3.0])


def test_dimensions_are_sorted():
    dimensions = [{"Name": "b", "Value": "2"}, {"Name": "a", "Value": "1"}]
    assert put({"MetricName": "m", "Value": 1.0, "Dimensions": dimensions})[0].dimensions == (("a", "1"), ("b", "2"))


def test_data_of_entities_is_kept_like_any_other():
    entity = {"Entity": {}, "MetricData": [{"MetricName": "m", "Value": 1.0}]}
    assert [row.name for row in put(EntityMetricData=[entity])] == ["m"]


VALUE, COMBINATION, MISSING = "InvalidParameterValue", "InvalidParameterCombination", "MissingParameter"


@pytest.mark.parametrize(
    ("datum", "code", "message"),
    [
        ({}, COMBINATION, "and MetricData.member.1.StatisticValues must be specified."),
        ({"Value": 1.0, "Values": [1.0]}, COMBINATION, "and MetricData.member.1.Values are mutually exclusive and you have specified both."),
        ({"Value": 1.0, "Counts": [1.0]}, COMBINATION, "Counts needs"),
        ({"Values": []}, MISSING, "The parameter MetricData.member.1.Values is required."),
        ({"Values": [1.0] * 151}, VALUE, "MetricData.member.1.Values must not have a size greater than 150."),
        ({"Values": [1.0, 2.0], "Counts": [1.0]}, VALUE, "must have the same size"),
        ({"Values": [1.0], "Counts": [0.0]}, VALUE, "The value 0.0 for parameter MetricData.member.1.Counts.member.1"),
        ({"Value": float("nan")}, VALUE, "The value nan for parameter MetricData.member.1.Value is invalid."),
        ({"Value": float("inf")}, VALUE, "The value inf"),
        ({"Value": 10**400}, VALUE, "MetricData.member.1.Value is invalid."),
        ({"Value": 2.0**361}, VALUE, "MetricData.member.1.Value is invalid."),
        ({"Values": [1.0, float("-inf")]}, VALUE, "MetricData.member.1.Values.member.2"),
        ({"Value": 1.0, "Timestamp": NOW - timedelta(days=14, seconds=1)}, VALUE,
            "The parameter MetricData.member.1.Timestamp must specify a time within the past two weeks."),
        ({"Value": 1.0, "Timestamp": NOW + timedelta(hours=2, seconds=1)}, VALUE, "two hours in the future"),
        ({"Value": 1.0, "StorageResolution": 30}, VALUE, "must be a value in the set [ 1, 60 ]"),
        ({"Value": 1.0, "Dimensions": [{"Name": ":a", "Value": "1"}]}, VALUE, "Dimensions.member.1.Name is invalid"),
        ({"Value": 1.0, "Dimensions": [{"Name": "a", "Value": " "}]}, VALUE, "Dimensions.member.1.Value is invalid"),
        ({"Value": 1.0, "Dimensions": [{"Name": "a", "Value": "1"}] * 2}, VALUE, "has the dimension a twice"),
        ({"Value": 1.0, "MetricName": "é"}, VALUE, "MetricName is invalid"),
        ({"StatisticValues": {"SampleCount": 0.0, "Sum": 1.0, "Minimum": 1.0, "Maximum": 1.0}}, VALUE, "SampleCount"),
        ({"StatisticValues": {"SampleCount": 1.0, "Sum": 1.0, "Minimum": 2.0, "Maximum": 1.0}}, VALUE, "Maximum"),
    ],
)  # fmt: skip
def test_a_datum_is_refused(datum, code, message):
    with pytest.raises(AwsError) as caught:
        put({"MetricName": "m", **datum})
    assert caught.value.code == code
    assert message in caught.value.message


@pytest.mark.parametrize(
    ("namespace", "data", "code", "message"),
    [
        ("AWS/SageMaker", 1, VALUE, "The value AWS/ for parameter Namespace is invalid."),
        ("\x00", 1, VALUE, "for parameter Namespace is invalid."),
        ("N", 0, MISSING, "The parameter MetricData is required."),
        ("N", 1001, VALUE, "The collection MetricData must not have a size greater than 1000."),
    ],
)
def test_a_request_is_refused(namespace, data, code, message):
    with pytest.raises(AwsError) as caught:
        put(*[{"MetricName": "m", "Value": 1.0}] * data, namespace=namespace)
    assert caught.value.code == code
    assert message in caught.value.message


def test_everything_wrong_of_one_kind_is_told_at_once():
    with pytest.raises(AwsError) as caught:
        put({"MetricName": "m", "Value": float("nan")}, {"MetricName": "m", "Value": float("inf")})
    assert caught.value.message.count("is invalid.") == 2


def test_the_largest_values_are_taken():
    (row,) = put({"MetricName": "m", "Values": [2.0**360, -(2.0**360)]})
    assert row.values == [2.0**360, -(2.0**360)]


def test_the_namespace_of_host_metrics_is_free():
    assert put({"MetricName": "m", "Value": 1.0}, namespace="/aws/sagemaker/Endpoints")
