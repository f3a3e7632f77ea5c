"""What is asked of CloudWatch about an endpoint, and what becomes of the answer."""

from datetime import UTC, datetime, timedelta

import botocore.session
import pytest
from botocore.stub import Stubber

from launch import metrics
from launch.request import OPTIONS_TO_LAUNCH

NOW = datetime(2026, 11, 21, 12, 30, 42, tzinfo=UTC)
START, END = datetime(2026, 11, 21, 12, 21, tzinfo=UTC), datetime(2026, 11, 21, 12, 31, tzinfo=UTC)


def answered(option, *pages):
    """Read ten minutes of an endpoint from an account that answers these pages."""
    client = botocore.session.Session().create_client("cloudwatch", region_name="us-east-1")
    asked = {"MetricDataQueries": metrics.queries("iris", option), "StartTime": START, "EndTime": END}
    with Stubber(client) as stubber:
        for number, page in enumerate(pages):
            token = {"NextToken": str(number)} if number else {}
            more = {"NextToken": str(number + 1)} if number + 1 < len(pages) else {}
            stubber.add_response("get_metric_data", {"MetricDataResults": page, **more}, {**asked, **token})
        found = metrics.read(client, "iris", option, now=NOW, minutes=10)
        stubber.assert_no_pending_responses()
    return found


def series(name, values):
    """Give an answered series by minutes after the start, newest first as CloudWatch does."""
    newest_first = sorted(values.items(), reverse=True)
    return {
        "Id": name,
        "Timestamps": [START + timedelta(minutes=minute) for minute, _ in newest_first],
        "Values": [value for _, value in newest_first],
    }


@pytest.mark.parametrize("option", OPTIONS_TO_LAUNCH)
def test_the_questions_of_every_option_are_as_the_service_wants_them(option):
    found = answered(option, [])
    assert not found.has_traffic
    assert {len(values) for values in found.values.values()} == {10}


def test_one_of_several_variants_is_asked_about():
    for query in metrics.queries("iris", "real_time", "challenger"):
        assert {"Name": "VariantName", "Value": "challenger"} in query["MetricStat"]["Metric"]["Dimensions"]


def test_values_stand_at_their_minute_in_our_units():
    found = answered("real_time", [series("requests", {1: 5.0, 9: 7.0}), series("model_p99_ms", {9: 1500.0})])
    assert found.start == START
    assert found.values["requests"] == (0, 5, 0, 0, 0, 0, 0, 0, 0, 7)
    assert found.values["model_p99_ms"] == (None,) * 9 + (1.5,)
    assert found.total("requests") == 12
    assert found.has_traffic


def test_pages_of_the_same_series_are_put_together():
    found = answered("real_time", [series("requests", {9: 1.0})], [series("requests", {3: 2.0})])
    assert found.values["requests"] == (0, 0, 0, 2, 0, 0, 0, 0, 0, 1)


def test_the_last_value_is_the_newest_that_is_known():
    found = answered("mme", [series("cache_hit_ratio", {2: 1.0, 4: 0.5})])
    assert found.last("cache_hit_ratio") == 0.5
    assert found.last("model_wait_p99_ms") is None
    assert found.last("cold_starts") is None
