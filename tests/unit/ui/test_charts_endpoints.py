"""The figures of an endpoint's last hour."""

from datetime import UTC, datetime

from launch.metrics import Metrics
from ui import charts_endpoints

START = datetime(2026, 11, 21, 11, 0, tzinfo=UTC)


def metrics(**values):
    base = {"requests": (0, 10, 4), "errors_4xx": (0, 3, 0), "errors_5xx": (0, 0, 0)}
    latencies = {"model_p50_ms": (None, 2.0, 3.0), "model_p99_ms": (None, 9.0, 1500.0)}
    return Metrics(start=START, values={**base, **latencies, **values})


def test_errors_are_taken_from_what_was_answered():
    answered, refused = charts_endpoints.requests(metrics()).data
    assert list(answered.y) == [0, 7, 4]
    assert list(refused.y) == [0, 3, 0]
    assert refused.name == "Refused (4XX)"


def test_a_minute_lies_at_its_time():
    figure = charts_endpoints.latency(metrics())
    assert figure.data[0].x0 == "2026-11-21 11:00:00"
    assert figure.data[0].dx == 60_000
    assert tuple(figure.layout.xaxis.range) == ("2026-11-21 11:00:00", "2026-11-21 11:03:00")


def test_a_minute_without_requests_is_a_gap():
    assert list(charts_endpoints.latency(metrics()).data[1].y) == [None, 9.0, 1500.0]


def test_the_takeaway_is_said():
    assert charts_endpoints.requests_alt(metrics()) == "14 requests in the last hour, 3 of them errors."
    assert charts_endpoints.latency_alt(metrics()).endswith("99 of 100 within 1.5 s.")
    silent = metrics(model_p99_ms=(None,) * 3)
    assert charts_endpoints.latency_alt(silent) == "Nothing was asked in the last hour."
