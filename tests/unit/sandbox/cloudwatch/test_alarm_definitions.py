import pytest

from sandbox.errors import AwsError, NotEmulated
from sandbox.services.cloudwatch.alarm_definitions import (
    composite_alarm_faults,
    metric_alarm_faults,
    refuse_what_is_elsewhere,
)
from sandbox.services.cloudwatch.faults import refuse
from tests.unit.sandbox.cloudwatch.asked import metric

ALARM = {
    "AlarmName": "a", "MetricName": "m", "Namespace": "N", "Statistic": "Sum", "Period": 60, "EvaluationPeriods": 3,
    "Threshold": 1.0, "ComparisonOperator": "GreaterThanThreshold",
}  # fmt: skip
EXPRESSION = {
    "AlarmName": "a", "EvaluationPeriods": 3, "Threshold": 1.0, "ComparisonOperator": "GreaterThanThreshold",
    "Metrics": [metric("m1", ReturnData=False), {"Id": "e", "Expression": "FILL(m1, REPEAT) * 2"}],
}  # fmt: skip
NONE = object()


def of(definition: dict, changes: dict) -> dict:
    return {name: value for name, value in {**definition, **changes}.items() if value is not NONE}


@pytest.mark.parametrize(
    "definition",
    [
        ALARM,
        EXPRESSION,
        {**ALARM, "Period": 10},
        {**ALARM, "Period": 86_400, "EvaluationPeriods": 7},
        {**ALARM, "Period": 3600, "EvaluationPeriods": 168},
    ],
)
def test_a_definition_is_taken(definition):
    refuse_what_is_elsewhere(definition)
    assert list(metric_alarm_faults(definition)) == []


@pytest.mark.parametrize(
    ("definition", "changes", "message"),
    [
        (ALARM, {"Threshold": NONE}, "The parameter Threshold is required."),
        (ALARM, {"EvaluationPeriods": NONE}, "The parameter EvaluationPeriods is required."),
        (ALARM, {"ComparisonOperator": NONE}, "The parameter ComparisonOperator is required."),
        (ALARM, {"MetricName": NONE}, "The parameter MetricName is required."),
        (ALARM, {"Period": NONE}, "The parameter Period is required."),
        (ALARM, {"Statistic": NONE}, "At least one of the parameters Statistic and ExtendedStatistic"),
        (ALARM, {"ExtendedStatistic": "p99"}, "Statistic and ExtendedStatistic are mutually exclusive"),
        (ALARM, {"Statistic": NONE, "ExtendedStatistic": "p101"}, "ExtendedStatistic is not supported"),
        (ALARM, {"Threshold": float("nan")}, "Threshold must be a finite number"),
        (ALARM, {"Threshold": 10**400}, "Threshold must be a finite number"),
        (ALARM, {"Period": 5}, "Period must be 10, 20, 30 or a multiple of 60"),
        (ALARM, {"Period": 90}, "Period must be 10, 20, 30 or a multiple of 60"),
        (ALARM, {"DatapointsToAlarm": 4}, "DatapointsToAlarm must be less than or equal to EvaluationPeriods"),
        (ALARM, {"Period": 1800, "EvaluationPeriods": 49}, "more than 86400 seconds"),
        (ALARM, {"Period": 3600, "EvaluationPeriods": 169}, "more than 604800 seconds"),
        (ALARM, {"Period": 86_400, "EvaluationPeriods": 8}, "more than 604800 seconds"),
        (ALARM, {"TreatMissingData": "zero"}, "[ breaching, notBreaching, ignore, missing ]"),
        (ALARM, {"EvaluateLowSampleCountPercentile": "no"}, "[ evaluate, ignore ]"),
        (ALARM, {"AlarmActions": ["topic"]}, "Invalid arn syntax in AlarmActions: topic"),
        (EXPRESSION, {"MetricName": "m"}, "MetricName and Metrics are mutually exclusive"),
        (EXPRESSION, {"Period": 60}, "Period and Metrics are mutually exclusive"),
        (EXPRESSION, {"Metrics": [{"Id": "e", "Expression": "1"}]}, "Metrics must have 1 to 10 metrics"),
        (EXPRESSION, {"Metrics": [metric("m1"), metric("m2")]}, "Exactly one element of Metrics"),
        (EXPRESSION, {"Metrics": [metric("m1"), metric("m2", period=300, ReturnData=False)]}, "the same period"),
        (EXPRESSION, {"Metrics": [metric("m1", period=5)]}, "Period of m1 must be"),
        (EXPRESSION, {"Metrics": [metric("m1", ReturnData=False), {"Id": "e", "Expression": "m1 +"}]}, "unexpected 'end'"),
        (EXPRESSION, {"Metrics": [metric("m1", ReturnData=False), {"Id": "e", "Expression": "m2 + 1"}]}, "unknown id m2"),
        (EXPRESSION, {"Metrics": [metric("m1", ReturnData=False), {"Id": "e", "Expression": "SEARCH ('a', 'Sum', 60)"}]},
            "SEARCH is not supported in alarms"),
        (EXPRESSION, {"Metrics": [metric("m1"), metric("m1", ReturnData=False)]}, "not unique"),
        (EXPRESSION, {"Metrics": [metric("M1")]}, "not matching the expected pattern"),
        (EXPRESSION, {"Metrics": [metric("m1", stat="median")]}, "is not a valid statistic"),
    ],
)  # fmt: skip
def test_a_definition_is_refused(definition, changes, message):
    with pytest.raises(AwsError) as caught:
        refuse(metric_alarm_faults(of(definition, changes)))
    assert caught.value.code == "ValidationError"
    assert message in caught.value.message


@pytest.mark.parametrize(
    "changes",
    [{"ThresholdMetricId": "ad"}, {"EvaluationWindow": {}}, {"ComparisonOperator": "GreaterThanUpperThreshold"}],
)
def test_what_aws_has_and_the_sandbox_does_not_says_so(changes):
    with pytest.raises(NotEmulated):
        refuse_what_is_elsewhere({**ALARM, **changes})


@pytest.mark.parametrize(
    ("rule", "message"),
    [
        ("ALARM(a) AND", "AlarmRule has 'its end' where a term is expected."),
        ("ALARM(me)", "must not refer to the alarm itself"),
        ("ALARM(b) OR ALARM(c)", "refers to alarms that do not exist: b, c."),
    ],
)
def test_a_rule_is_refused(rule, message):
    faults = list(composite_alarm_faults({"AlarmName": "me", "AlarmRule": rule}, {"a", "me"}))
    assert message in faults[0].message
