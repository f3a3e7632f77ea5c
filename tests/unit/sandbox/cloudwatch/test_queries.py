import pytest

from sandbox.services.cloudwatch.queries import is_period, query_faults
from tests.unit.sandbox.cloudwatch.asked import metric


def told(*queries) -> list[str]:
    return [fault.message for fault in query_faults(queries)]


def test_good_queries_have_no_faults():
    named = metric("m1", period=86_400, stat="TM(10%:90%)", Label="x", Period=60)
    assert told(named, {"Id": "e_1", "Expression": "m1"}) == []


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ({"Id": "e"}, "At least one of the parameters MetricDataQueries.member.1.Expression and "),
        (metric("m1", Expression="1"), "MetricDataQueries.member.1.MetricStat are mutually exclusive"),
        (metric("1m"), "The value 1m for parameter MetricDataQueries.member.1.Id is not matching"),
        (metric("m1", Period=7), "The parameter MetricDataQueries.member.1.Period must be 1, 5, 10, 20, 30 or"),
        (metric("m1", period=86_460), "MetricStat.Period must be"),
        (metric("m1", stat="P99"), ("The value P99 for parameter MetricDataQueries.member.1.MetricStat.Stat is not a "
            "valid statistic.")),
        ({"Id": "m1", "MetricStat": {"Metric": {"MetricName": "m"}, "Period": 60, "Stat": "Sum"}},
            "MetricStat.Metric.Namespace is required."),
        ({"Id": "m1", "MetricStat": {"Metric": {"Namespace": "N"}, "Period": 60, "Stat": "Sum"}},
            "MetricStat.Metric.MetricName is required."),
    ],
)  # fmt: skip
def test_a_query_is_refused(query, message):
    (found,) = told(query)
    assert message in found


def test_ids_are_unique():
    assert told(metric("m1"), metric("m1")) == ["The values for parameter id in MetricDataQueries are not unique."]


def test_periods_are_short_ones_and_whole_minutes_of_up_to_a_day():
    taken = [seconds for seconds in (0, 1, 2, 5, 10, 15, 20, 30, 45, 60, 61, 120, 86_400, 86_460) if is_period(seconds)]
    assert taken == [1, 5, 10, 20, 30, 60, 120, 86_400]
