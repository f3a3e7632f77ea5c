"""Searches, with the examples of the CloudWatch user guide."""

import pytest

from sandbox.errors import AwsError
from sandbox.metrics import MetricRow, MetricStore, Series
from sandbox.services.cloudwatch.expressions import ExpressionError
from sandbox.services.cloudwatch.search import matcher
from tests.unit.sandbox.cloudwatch.asked import ACCOUNT, NOW, REGION, START, ask, store_with


def series(name: str, namespace: str = "My/Namespace", **dimensions: str) -> Series:
    return Series(id=1, namespace=namespace, name=name, dimensions=tuple(sorted(dimensions.items())), unit="None")


@pytest.mark.parametrize(
    ("query", "name", "found"),
    [
        ("count", "CustomCount1", True),
        ("COUNT", "CustomCount1", True),
        ("Count", "CustomCount1", True),
        ("couNT", "CustomCount1", False),
        ("CustomCount", "CustomCount1", True),
        ("Count1", "CustomCount1", True),
        ("customcount", "CustomCount1", False),
        ("customcount1", "CustomCount1", True),
        ("count1", "CustomCount1", False),
        ("sdb", "SDBFailure", True),
        ("failure", "SDBFailure", True),
        ("333", "Project2-trial333", True),
        ("project2trial333", "Project2-trial333", True),
        ("network/errors", "Network-Errors-2", True),
        ("network+errors", "NetworkErrors2", True),
        ("Network_Errors", "Network-Errors-2", True),
        ('"CustomCount1"', "CustomCount1", True),
        ('"customcount1"', "CustomCount1", False),
        ('"Custom"', "CustomCount1", False),
        (r'"Europe\\France Traffic\(Network\)"', r"Europe\France Traffic(Network)", True),
        ("MetricName=count", "CustomCount1", True),
        ('MetricName="Count"', "CustomCount1", False),
        ("custom AND count", "CustomCount1", True),
        ("custom count", "CustomCount1", True),
        ("custom NOT count", "CustomCount1", False),
        ("NOT other", "CustomCount1", True),
        ("other OR count", "CustomCount1", True),
        ("(other OR custom) count", "CustomCount1", True),
        ("other OR (custom AND NOT count)", "CustomCount1", False),
        ("Namespace=my", "CustomCount1", True),
        ('Namespace="My/Namespace"', "CustomCount1", True),
        ("NOT Namespace=AWS", "CustomCount1", True),
    ],
)
def test_a_term_finds(query, name, found):
    assert matcher(query)(series(name)) is found


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("{AWS/EC2,InstanceId}", False),
        ("{AWS/EC2,InstanceId,InstanceType}", True),
        ('{AWS/EC2, "InstanceType", InstanceId} CPU', True),
        ("{AWS/EC2}", True),
        ("{AWS/EC2}, CPU", True),
        ("{AWS/ECS} CPU", False),
        ('InstanceType="t2.micro" Namespace="AWS/EC2"', True),
        ("InstanceType=micro", True),
        ("InstanceType=large", False),
        ("InstanceId=micro", False),
        ("{AWS/EC2,InstanceId,InstanceType} CPU NOT i-123", False),
    ],
)
def test_a_schema_and_names_of_dimensions_narrow(query, found):
    one = series("CPUUtilization", namespace="AWS/EC2", InstanceId="i-123", InstanceType="t2.micro")
    assert matcher(query)(one) is found


@pytest.mark.parametrize("query", ["", "  ", "{}", "{N", "(a", "a)", "AND a", "a OR", "NOT", '"open', "(" * 60 + "a"])
def test_what_is_no_search_is_refused(query):
    with pytest.raises(ExpressionError):
        matcher(query)


def test_a_search_gives_a_line_for_each_metric_named_by_what_differs(tmp_path):
    store = store_with(tmp_path, {"Alpha": [1, 2], "Beta": [3, 4]})
    query = {"Id": "e", "Expression": "SEARCH('{N,E} MetricName=Alpha OR MetricName=Beta', 'Sum', 60)"}
    assert [(line.label, line.values.tolist()) for line in ask(store, query, of="e", minutes=2)] == [
        ("Alpha Alpha", [1.0, 2.0]),
        ("Beta Beta", [3.0, 4.0]),
    ]


def test_a_search_is_part_of_math(tmp_path):
    store = store_with(tmp_path, {"Alpha": [1, 2], "Beta": [3, 4]})
    query = {"Id": "e", "Expression": "SUM(SEARCH('{N,E}', 'Maximum', 120)) / 2"}
    (line,) = ask(store, query, of="e", minutes=2)
    assert line.values.tolist() == [3.0]


def test_a_metric_in_two_units_is_found_once(tmp_path):
    store = store_with(tmp_path, {"Alpha": [1]})
    seconds = MetricRow(
        namespace="N", name="Alpha", dimensions=(("E", "Alpha"),), unit="Seconds", minute=START, values=[5], counts=[1]
    )
    store.add(ACCOUNT, REGION, [seconds])
    (line,) = ask(store, {"Id": "e", "Expression": "SEARCH('Alpha', 'Sum', 60)"}, of="e", minutes=1)
    assert line.values.tolist() == [6.0]


def test_what_was_silent_for_two_weeks_is_not_found(tmp_path):
    store: MetricStore = store_with(tmp_path, {"Alpha": [1]})
    old = MetricRow(
        namespace="N", name="Old", dimensions=(), unit="None", minute=NOW - 15 * 86_400, values=[1], counts=[1]
    )  # fmt: skip
    store.add(ACCOUNT, REGION, [old])
    assert len(ask(store, {"Id": "e", "Expression": "SEARCH('{N}', 'Sum', 60)"}, of="e", minutes=1)) == 1


@pytest.mark.parametrize(
    ("expression", "why"),
    [
        ("SEARCH('a')", "SEARCH takes"),
        ("SEARCH('a', 'median', 60)", "'median' is not a valid statistic"),
        ("SEARCH('a', 'Sum', 61)", "61 is not a valid period"),
        ("SEARCH('(', 'Sum', 60)", "the search has 'its end' where a term is expected"),
    ],
)
def test_a_search_that_cannot_be_says_why(tmp_path, expression, why):
    with pytest.raises(AwsError, match="Error in expression 'e'") as caught:
        ask(store_with(tmp_path, {"a": [1]}), {"Id": "e", "Expression": expression}, of="e", minutes=1)
    assert why in caught.value.message
