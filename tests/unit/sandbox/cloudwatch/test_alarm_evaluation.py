"""The states of alarms, with the tables of the CloudWatch user guide: 0 within the threshold, X beyond it, - missing."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.services.cloudwatch.alarm_evaluation import MISSING, Rule, evaluate

START = 1_795_262_400  # 2026-11-21 12:00:00 UTC
OK, ALARM, UNKNOWN, SAME = "OK", "ALARM", "INSUFFICIENT_DATA", None


def rule(
    *, needed: int = 3, periods: int = 3, missing: str = "missing", comparison: str = "GreaterThanThreshold"
) -> Rule:
    return Rule(comparison=comparison, threshold=5.0, periods=periods, needed=needed, missing=missing)


def judged(drawn: str, **how):
    values = {"0": 1.0, "X": 9.5, "-": None}
    return evaluate(rule(**how), [(START + 60 * at, values[sign]) for at, sign in enumerate(drawn.replace(" ", ""))])


@pytest.mark.parametrize(
    ("drawn", "needed", "missing", "ignore", "breaching", "not_breaching"),
    [
        ("0 - X - X", 3, OK, OK, OK, OK),
        ("0 - - - -", 3, OK, OK, OK, OK),
        ("- - - - -", 3, UNKNOWN, SAME, ALARM, OK),
        ("0 X X - X", 3, ALARM, ALARM, ALARM, ALARM),
        ("- - - - X", 3, UNKNOWN, SAME, ALARM, OK),
        ("X - - - -", 3, ALARM, SAME, ALARM, OK),
        ("X - - X -", 3, ALARM, SAME, ALARM, OK),
        ("- - X - -", 3, ALARM, SAME, ALARM, OK),
        ("- - - X X", 3, UNKNOWN, SAME, ALARM, OK),
        ("0 - X - X", 2, ALARM, ALARM, ALARM, ALARM),
        ("0 0 X 0 X", 2, ALARM, ALARM, ALARM, ALARM),
        ("0 - X - -", 2, OK, OK, ALARM, OK),
        ("- - - - 0", 2, OK, OK, ALARM, OK),
        ("- - - - X", 2, UNKNOWN, SAME, ALARM, OK),
        ("X - - X -", 2, ALARM, ALARM, ALARM, ALARM),
        ("X X X 0 0", 3, OK, OK, OK, OK),
    ],
)
def test_missing_data_is_treated_as_the_guide_shows(drawn, needed, missing, ignore, breaching, not_breaching):
    treatments = {"missing": missing, "ignore": ignore, "breaching": breaching, "notBreaching": not_breaching}
    found = {how: judged(drawn, needed=needed, missing=how) for how in treatments}
    assert {how: verdict and verdict.state for how, verdict in found.items()} == treatments


@pytest.mark.parametrize(
    ("comparison", "states"),
    [
        ("GreaterThanThreshold", [OK, OK, ALARM]),
        ("GreaterThanOrEqualToThreshold", [OK, ALARM, ALARM]),
        ("LessThanThreshold", [ALARM, OK, OK]),
        ("LessThanOrEqualToThreshold", [ALARM, ALARM, OK]),
    ],
)
def test_a_value_is_compared_with_the_threshold(comparison, states):
    one = rule(periods=1, needed=1, comparison=comparison)
    assert [evaluate(one, [(0, None), (60, None), (120, value)]).state for value in (4.0, 5.0, 6.0)] == states


@pytest.mark.parametrize(
    ("drawn", "how", "reason"),
    [
        ("--X", {"periods": 1, "needed": 1}, ("Threshold Crossed: 1 out of the last 1 datapoints [9.5 (21/11/26 12:02:00)] "
            "was greater than the threshold (5.0) (minimum 1 datapoint for OK -> ALARM transition).")),
        ("--XXX", {}, ("Threshold Crossed: 3 out of the last 3 datapoints [9.5 (21/11/26 12:04:00), 9.5 (21/11/26 12:03:00), "
            "9.5 (21/11/26 12:02:00)] were greater than the threshold (5.0) (minimum 3 datapoints for OK -> ALARM "
            "transition).")),
        ("--0", {"periods": 1, "needed": 1}, ("Threshold Crossed: 1 out of the last 1 datapoints [1.0 (21/11/26 12:02:00)] was "
            "not greater than the threshold (5.0) (minimum 1 datapoint for ALARM -> OK transition).")),
        ("--X0X", {"needed": 2}, ("Threshold Crossed: 2 out of the last 3 datapoints [9.5 (21/11/26 12:04:00), 9.5 (21/11/26 "
            "12:02:00)] were greater than the threshold (5.0) (minimum 2 datapoints for OK -> ALARM transition).")),
        ("-----", {}, "Insufficient Data: 3 datapoints were unknown."),
        ("---", {"periods": 1, "needed": 1}, "Insufficient Data: 1 datapoint was unknown."),
        ("-----", {"missing": "breaching"}, ("Threshold Crossed: no datapoints were received for 3 periods and 3 missing "
            "datapoints were treated as [Breaching].")),
        ("---", {"periods": 1, "needed": 1, "missing": "notBreaching"}, ("Threshold Crossed: no datapoints were received for 1 "
            "period and 1 missing datapoint was treated as [NonBreaching].")),
        ("----X", {"missing": "breaching"}, ("Threshold Crossed: 1 datapoint [9.5 (21/11/26 12:04:00)] was greater than the "
            "threshold (5.0) and 2 missing datapoints were treated as [Breaching].")),
    ],
)  # fmt: skip
def test_the_reason_is_told_in_the_words_of_aws(drawn, how, reason):
    assert judged(drawn, **how).reason == reason


DRAWN = st.integers(1, 6).flatmap(
    lambda periods: st.tuples(
        st.just(periods),
        st.integers(1, periods),
        st.text("0X-", min_size=periods + 2, max_size=periods + 2),
        st.sampled_from(MISSING),
    )
)


@given(DRAWN)
def test_enough_datapoints_leave_nothing_to_the_treatment_of_missing_ones(drawn):
    periods, needed, text, missing = drawn
    there = text.replace("-", "")[-periods:]
    verdict = judged(text, periods=periods, needed=needed, missing=missing)
    if len(there) == periods:
        assert verdict.state == (ALARM if there.count("X") >= needed else OK)


@given(DRAWN)
def test_a_further_breaking_datapoint_never_ends_an_alarm(drawn):
    periods, needed, text, missing = drawn
    how = {"periods": periods, "needed": needed, "missing": missing}
    before = judged(text, **how)
    for at, sign in enumerate(text):
        if sign == "0" and before is not None and before.state == ALARM:
            after = judged(text[:at] + "X" + text[at + 1 :], **how)
            assert after is not None
            assert after.state == ALARM
