"""Metric math, with the examples of the CloudWatch user guide and others worked by hand. `_` is no data."""

import math
from pathlib import Path

import pytest

from sandbox.errors import AwsError, NotEmulated
from tests.unit.sandbox.cloudwatch.asked import NOW, START, ask, metric, store_with

_ = None
GUIDE = {"m1": [30, 20, 0, 0], "m2": [20, _, 20, _]}
CHOICE = {"m1": [1, 1, 0, 0, _], "m2": [30, _, 0, 0, 30], "m3": [0, 0, 20, _, 20]}
GAPS = {"m1": [_, 2, _, _, 8, _], "m2": [1, 1, 1, 1, 1, 1]}


def computed(folder: Path, drawn, expression: str, **query) -> list[list[float | None]]:
    """Give the values of each line, minute by minute."""
    minutes = max(len(values) for values in drawn.values())
    store = store_with(folder, drawn)
    asked = {"Id": "e", "Expression": expression, **query}
    lines = ask(store, *(metric(name) for name in drawn), asked, of="e", minutes=minutes)
    found = [dict(zip(line.times.tolist(), line.values.tolist(), strict=True)) for line in lines]
    return [[line.get(START + 60 * at) for at in range(minutes)] for line in found]


@pytest.mark.parametrize(
    ("drawn", "expression", "expected"),
    [
        (GUIDE, "m1 < m2", [0, 0, 1, 0]),
        (GUIDE, "m1 >= 30", [1, 0, 0, 0]),
        (GUIDE, "m1 > 15 AND m2 > 15", [1, 0, 0, 0]),
        (GUIDE, "m1 > 15 && m2 > 15", [1, 0, 0, 0]),
        (GUIDE, "m1 > 15 OR m2 > 15", [1, 1, 1, 0]),
        (GUIDE, "m1 == 0 || m1 != 30", [0, 1, 1, 1]),
        (GUIDE, "m1 <= 20", [0, 1, 1, 1]),
        (CHOICE, "IF(m1, m2, m3)", [30, 0, 20, _, _]),
        (CHOICE, "IF(m1, 5, m3)", [5, 5, 20, _, _]),
        (CHOICE, "IF(m1, m2, 5)", [30, 0, 5, 5, _]),
        (CHOICE, "IF(m1, m2)", [30, 0, _, _, _]),
        (CHOICE, "IF(1, m2, m3)", [30, _, 0, 0, 30]),
        (CHOICE, "IF(0, m2, m3)", [0, 0, 20, _, 20]),
        (CHOICE, "IF(0, m2)", [_, _, _, _, _]),
        (CHOICE, "IF(0, m2, 7)", [7, _, 7, 7, 7]),
        (GUIDE, "m1 + m2", [50, 20, 20, 0]),
        (GUIDE, "m1 - m2", [10, 20, -20, 0]),
        (GUIDE, "m1 / m2", [1.5, _, 0, _]),
        (GUIDE, "100 * m2 / m1", [66.66666666666667, 0, _, _]),
        (GUIDE, "-m1 + 1", [-29, -19, 1, 1]),
        (GUIDE, "2 + 3 * m1", [92, 62, 2, 2]),
        (GUIDE, "(2 + 3) * m1", [150, 100, 0, 0]),
        (GUIDE, "m1 - 1 - 1", [28, 18, -2, -2]),
        (GUIDE, "-m1 ^ 2", [-900, -400, 0, 0]),
        (GUIDE, "m1 ^ -1", [1 / 30, 0.05, _, _]),
        (GUIDE, "2 ^ 3 ^ 2 + m1 * 0", [512, 512, 512, 512]),
        (GUIDE, "1e1 + .5 + m1", [40.5, 30.5, 10.5, 10.5]),
        (GUIDE, "m1 - AVG(m1)", [17.5, 7.5, -12.5, -12.5]),
        (GUIDE, "m1 * 0 + SUM(m1)", [50, 50, 50, 50]),
        (GUIDE, "m1 * 0 + MAX(m2) + MIN(m1)", [20, 20, 20, 20]),
        (GUIDE, "m1 * 0 + DATAPOINT_COUNT(m2)", [2, 2, 2, 2]),
        ({"m1": [2, 4, 4, 4, 5, 5, 7, 9]}, "m1 * 0 + STDDEV(m1)", [2] * 8),
        (GUIDE, "SUM(METRICS())", [50, 20, 20, 0]),
        (GUIDE, "AVG(METRICS())", [25, 10, 10, 0]),
        (GUIDE, "MIN([m1, m2])", [20, 20, 0, 0]),
        (GUIDE, "MAX([m1, m2])", [30, 20, 20, 0]),
        (GUIDE, "STDDEV([m1, m2])", [5, 0, 10, 0]),
        (GUIDE, "DATAPOINT_COUNT(METRICS())", [2, 1, 2, 1]),
        (GUIDE, 'SUM(METRICS("2"))', [20, _, 20, _]),
        (GUIDE, "SUM([METRICS('1'), METRICS('2')])", [50, 20, 20, 0]),
        (GUIDE, "SUM(100 / [m1, m2])", [100 / 30 + 5, 5, 5, _]),
        (GUIDE, "m1 / METRIC_COUNT(METRICS())", [15, 10, 0, 0]),
        (GUIDE, "m1 / PERIOD(m1)", [0.5, 1 / 3, 0, 0]),
        (GAPS, "FILL(m1, 7)", [7, 2, 7, 7, 8, 7]),
        (GAPS, "FILL(m1, m2)", [1, 2, 1, 1, 8, 1]),
        (GAPS, "FILL(m1, MIN(m1))", [2, 2, 2, 2, 8, 2]),
        (GAPS, "FILL(m1, REPEAT)", [_, 2, 2, 2, 8, 8]),
        (GAPS, "FILL(m1, LINEAR)", [_, 2, 4, 6, 8, _]),
        (GAPS, "DIFF(m1)", [_, _, _, _, 6, _]),
        (GAPS, "DIFF_TIME(m1)", [_, _, _, _, 180, _]),
        (GAPS, "RATE(m1)", [_, _, _, _, 6 / 180, _]),
        (GAPS, "RUNNING_SUM(m1)", [_, 2, _, _, 10, _]),
        ({"m1": [-1.5, 2.5]}, "ABS(m1)", [1.5, 2.5]),
        ({"m1": [-1.5, 2.5]}, "CEIL(m1)", [-1, 3]),
        ({"m1": [-1.5, 2.5]}, "FLOOR(m1)", [-2, 2]),
        ({"m1": [-1, 100]}, "LOG10(m1)", [_, 2]),
        ({"m1": [0, math.e]}, "LOG(m1)", [_, 1]),
        (GAPS, "TIME_SERIES(MAX(m1))", [8] * 6),
        (GAPS, "MINUTE(m1)", [0, 1, 2, 3, 4, 5]),
        (GAPS, "EPOCH(m1) - EPOCH(m1) + HOUR(m1)", [8] * 6),
        (GAPS, "DAY(m1) * 100 + DATE(m1)", [515] * 6),
        (GAPS, "YEAR(m1) * 100 + MONTH(m1)", [202701] * 6),
        (GUIDE, "FIRST(SORT(METRICS(), SUM, DESC))", [30, 20, 0, 0]),
        (GUIDE, "LAST(SORT(METRICS(), AVG, ASC))", [20, _, 20, _]),
        (GUIDE, "FIRST(SORT(METRICS(), MIN, ASC, 1))", [30, 20, 0, 0]),
        (GUIDE, "FIRST(SLICE(METRICS(), 1))", [20, _, 20, _]),
    ],
)  # fmt: skip
def test_an_expression_gives(tmp_path, drawn, expression, expected):
    (values,) = computed(tmp_path, drawn, expression)
    assert values == pytest.approx(expected)


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("METRICS() * 100", [[3000, 2000, 0, 0], [2000, _, 2000, _]]),
        ("METRICS() - m1", [[0, 0, 0, 0], [-10, -20, 20, 0]]),
        ("-[m1, m2]", [[-30, -20, 0, 0], [-20, _, -20, _]]),
        ("FILL(METRICS(), 0)", [[30, 20, 0, 0], [20, 0, 20, 0]]),
        ("SORT(METRICS(), MAX, ASC)", [[20, _, 20, _], [30, 20, 0, 0]]),
        ("SLICE(METRICS(), 0, 1)", [[30, 20, 0, 0]]),
        ("REMOVE_EMPTY([m1, IF(0, m1), m2])", [[30, 20, 0, 0], [20, _, 20, _]]),
        ("METRICS('none')", []),
    ],
)
def test_an_array_gives_a_line_each(tmp_path, expression, expected):
    found = computed(tmp_path, GUIDE, expression)
    assert [pytest.approx(line) for line in expected] == found


@pytest.mark.parametrize(
    ("expression", "why"),
    [
        ("", "unexpected 'end'"),
        ("m1 +", "unexpected 'end'"),
        ("m1 m2", "unexpected 'm2'"),
        ("m1 $ 2", "unexpected '$'"),
        ("(m1", "')' expected, found 'the end'"),
        ("[m1, m2", "']' expected"),
        ("'text'", "a text is not a value"),
        ("m9", "unknown id 'm9'; expected one of e, m1, m2"),
        ("e + 1", "'e' refers to itself"),
        ("sum(m1)", "unknown function 'sum'"),
        ("SUM()", "SUM takes one argument, got 0"),
        ("SUM(m1, m2)", "SUM takes one argument, got 2"),
        ("SUM(1)", "not a number"),
        ("SUM(m1)", "the result is a number"),
        ("2 + 2", "the result is a number"),
        ("METRICS() + METRICS()", "an array of time series on both sides"),
        ("PERIOD(m1 + m2) * m1", "PERIOD takes a metric"),
        ("FILL(m1, ZERO)", "unknown id 'ZERO'"),
        ("FILL(m1)", "FILL takes"),
        ("FILL(m1, METRICS())", "FILL takes one time series"),
        ("SORT(METRICS(), p99, ASC)", "SORT takes one of AVG, MAX, MIN, SUM there"),
        ("SORT(METRICS())", "SORT takes an array"),
        ("SLICE(METRICS())", "SLICE takes"),
        ("SLICE(METRICS(), 1 / 0)", "SLICE takes a whole number there, got inf"),
        ("SLICE(METRICS(), -1)", "SLICE takes a whole number there, got -1"),
        ("SORT(METRICS(), SUM, ASC, 0.5)", "SORT takes a whole number there, got 0.5"),
        ("FIRST(METRICS('none'))", "no time series to choose from"),
        ("IF(METRICS(), 1, 2)", "not arrays"),
        ("IF(m1)", "IF takes a condition"),
        ("DIFF(3)", "DIFF takes a time series"),
        ("HOUR(METRICS())", "HOUR takes one time series"),
        ("METRICS(m1)", "METRICS takes a text"),
        ("TIME_SERIES(m1)", "TIME_SERIES takes a number"),
        ("(" * 100 + "m1" + ")" * 100, "nested deeper"),
        ("-" * 100 + "m1", "nested deeper"),
        ("+".join(["m1"] * 400), "more than 250 operators"),
    ],
)
def test_what_cannot_be_computed_says_why(tmp_path, expression, why):
    with pytest.raises(AwsError) as caught:
        computed(tmp_path, GUIDE, expression)
    assert caught.value.code == "ValidationError"
    assert caught.value.message.startswith("Error in expression 'e': ")
    assert why in caught.value.message


def test_a_long_sum_is_computed(tmp_path):
    ((first, *_rest),) = computed(tmp_path, GUIDE, "+".join(["m1"] * 250))
    assert first == 30 * 250


@pytest.mark.parametrize("expression", ["ANOMALY_DETECTION_BAND(m1, 2)", "SELECT AVG(x) FROM N", "SERVICE_QUOTA(m1)"])
def test_what_needs_more_than_metrics_is_not_emulated(tmp_path, expression):
    with pytest.raises(NotEmulated):
        computed(tmp_path, GUIDE, expression)


def test_an_expression_may_stand_on_others(tmp_path):
    store = store_with(tmp_path, GUIDE)
    queries = [metric("m1"), {"Id": "a", "Expression": "b * 2"}, {"Id": "b", "Expression": "m1 + 1"}]
    (line,) = ask(store, *queries, of="a", minutes=4)
    assert line.values.tolist() == [62, 42, 2, 2]


def test_a_circle_of_expressions_is_refused(tmp_path):
    store = store_with(tmp_path, GUIDE)
    queries = [{"Id": "a", "Expression": "b + 1"}, {"Id": "b", "Expression": "a + 1"}]
    with pytest.raises(AwsError, match="refers to itself"):
        ask(store, *queries, of="a", minutes=4)


def test_a_hit_rate_is_the_sum_over_the_count_of_the_whole_period(tmp_path):
    store = store_with(tmp_path, {"m1": [1, 0, 1, 1, 1, 0]})
    hits = {**metric("m1", period=300), "Id": "hits"}
    seen = {**metric("m1", period=300, stat="SampleCount"), "Id": "seen"}
    (line,) = ask(store, hits, seen, {"Id": "rate", "Expression": "100 * hits / seen"}, of="rate", minutes=6)
    assert line.values.tolist() == [80.0, 0.0]


def test_a_long_chain_of_expressions_is_refused_and_does_not_break(tmp_path):
    store = store_with(tmp_path, GUIDE)
    chain = [{"Id": f"e{at}", "Expression": f"e{at + 1} + 1"} for at in range(490)]
    with pytest.raises(AwsError, match="too many levels"):
        ask(store, metric("m1"), *chain, {"Id": "e490", "Expression": "m1"}, of="e0", minutes=4)


def test_a_chain_of_fifty_expressions_is_computed(tmp_path):
    store = store_with(tmp_path, GUIDE)
    chain = [{"Id": f"e{at}", "Expression": f"e{at + 1} + 1"} for at in range(50)]
    (line,) = ask(store, metric("m1"), *chain, {"Id": "e50", "Expression": "m1"}, of="e0", minutes=4)
    assert line.values.tolist() == [80, 70, 50, 50]


def test_a_window_of_centuries_is_read_but_not_filled(tmp_path):
    store = store_with(tmp_path, GUIDE)
    centuries = {"start": START - 10**9, "minutes": 10**8}
    hourly = metric("m1", period=3600)
    (line,) = ask(store, hourly, {"Id": "e", "Expression": "m1 * 2"}, of="e", **centuries)
    assert line.values.tolist() == [100.0]
    with pytest.raises(AwsError, match="at most 100,800 can be filled"):
        ask(store, hourly, {"Id": "e", "Expression": "FILL(m1, 0)"}, of="e", **centuries)


def test_metrics_of_other_accounts_are_not_emulated(tmp_path):
    with pytest.raises(NotEmulated):
        ask(store_with(tmp_path, GUIDE), metric("m1", AccountId="111111111111"), of="m1", minutes=4)


def test_what_is_to_come_is_not_filled(tmp_path):
    store = store_with(tmp_path, GUIDE)
    fill = {"Id": "e", "Expression": "FILL(m1, 1) * 0 + TIME_SERIES(1)"}
    (line,) = ask(store, metric("m1"), fill, of="e", minutes=70)
    assert line.times[-1] == NOW
