import re
from datetime import UTC, timedelta, timezone

import pytest

from sandbox.services.cloudwatch.labels import Place, fill_in, zone_of
from tests.unit.sandbox.cloudwatch.asked import ask, metric, store_with

DRAWN = {"m1": [4, 1, 9, 2], "m2": [1, 1, 1, 1]}


def labels(folder, *queries, of: str) -> list[str]:
    return [line.label for line in ask(store_with(folder, DRAWN), *queries, of=of, minutes=4)]


@pytest.mark.parametrize(
    ("template", "label"),
    [
        ("plain", "plain"),
        ("[${LABEL}] ${MAX} of ${SUM}", "[m1] 9 of 16"),
        ("${AVG} ${MIN} ${FIRST} ${LAST} ${DATAPOINT_COUNT}", "4 1 4 2 4"),
        ("${MIN_MAX_RANGE} ${FIRST_LAST_RANGE}", "8 -2"),
        ("${PROP('Namespace')}/${PROP('MetricName')} ${PROP('Stat')} ${PROP('Period')}", "N/m1 Sum 60"),
        ("${PROP('Dim.E')} ${PROP('Region')} ${PROP('AccountId')}", "m1 us-east-1 000000000000"),
        ("${PROP('Dim.F')} ${UNKNOWN}", "${PROP('Dim.F')} ${UNKNOWN}"),
    ],
)
def test_a_label_is_filled_in(tmp_path, template, label):
    assert labels(tmp_path, metric("m1", Label=template), of="m1") == [label]


def test_times_in_a_label_are_in_the_zone_of_the_request(tmp_path):
    (line,) = ask(store_with(tmp_path, DRAWN), metric("m1"), of="m1", minutes=4)
    half_past = timezone(timedelta(hours=1, minutes=30))
    seen = [
        fill_in("${MAX_TIME} ${FIRST_TIME}", line, Place(account="", region="", zone=zone)) for zone in (UTC, half_past)
    ]
    assert seen == [
        "2027-01-15 08:02:00 2027-01-15 08:00:00",
        "2027-01-15 09:32:00 2027-01-15 09:30:00",
    ]


def test_a_line_without_points_keeps_what_it_cannot_tell(tmp_path):
    asked = {"Id": "e", "Expression": "IF(0, m1)", "Label": "${LABEL} ${MAX} ${DATAPOINT_COUNT}"}
    assert labels(tmp_path, metric("m1"), asked, of="e") == ["e ${MAX} 0"]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({"Expression": "m1 + m2"}, ["e"]),
        ({"Expression": "m1 + m2", "Label": "both"}, ["both"]),
        ({"Expression": "METRICS()"}, ["m1 m1", "m2 m2"]),
        ({"Expression": "METRICS()", "Label": "all:"}, ["all: m1 m1", "all: m2 m2"]),
        ({"Expression": "METRICS()", "Label": "${LABEL}!"}, ["m1 m1!", "m2 m2!"]),
        ({"Expression": "METRICS() * 2", "Label": ""}, ["m1 m1", "m2 m2"]),
    ],
)
def test_lines_of_an_expression_are_named(tmp_path, query, expected):
    assert labels(tmp_path, metric("m1"), metric("m2"), {"Id": "e", **query}, of="e") == expected


@pytest.mark.parametrize("text", ["0130", "+1:30", "UTC", "+99999"])
def test_what_is_no_zone_is_refused(text):
    with pytest.raises(ValueError, match=re.escape(text)):
        zone_of(text)


def test_a_zone_west_of_greenwich():
    assert zone_of("-0800") == timezone(timedelta(hours=-8))
