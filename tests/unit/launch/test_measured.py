"""What follows from a load test, on loads whose truth is known."""

from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pytest

from fitness.measured import measured_fields
from fitness.workload import Workload
from launch.measure_report import as_text
from launch.measured import (
    Check,
    Estimate,
    Measurement,
    Stage,
    concurrency_of,
    doubts,
    into,
    mean_of,
    percentiles,
    predicted,
    spread_of,
    stage,
    why_to_stop,
)
from tests.theory import ManyServers


def exactly(value: float) -> Estimate:
    return Estimate(low=value, value=value, high=value)


def a_stage(callers: int, per_s: float, *, errors: int = 0, p99_s: float = 0.1) -> Stage:
    return Stage(
        callers=callers,
        requests=400,
        errors=errors,
        per_s=exactly(per_s),
        mean_s=0.05,
        p50_s=0.05,
        p99_s=p99_s,
        client_busy_ratio=0.1,
    )


def a_measurement() -> Measurement:
    return Measurement(
        endpoint="fraud",
        instance_type="ml.m5.large",
        instances=1,
        taken_at=datetime(2026, 11, 21, tzinfo=UTC),
        processing_s=exactly(0.0123456),
        cv=exactly(0.51234),
        concurrency=exactly(3.6),
        overhead_s=0.002,
        stages=(a_stage(1, 80),),
        stopped="",
        check=None,
        requests=1234,
        seconds=60,
        notes=(),
    )


def test_the_interval_of_a_mean_holds_the_truth_in_about_95_of_100_series():
    random = np.random.default_rng(1)
    held = sum(one.low <= 1.0 <= one.high for one in (mean_of(random.exponential(1.0, 400)) for _ in range(400)))
    assert 0.90 <= held / 400 <= 0.98


def test_a_short_series_has_no_upper_bound():
    assert mean_of(np.array([1.0, 3.0])) == Estimate(low=0.0, value=2.0, high=np.inf)


def test_the_spread_is_that_of_the_latencies_over_the_mean_of_the_work():
    latency_s = np.tile([0.02, 0.04], 50)
    assert spread_of(latency_s, 0.02).value == pytest.approx(0.5)


def test_answers_a_second_are_counted_over_the_stage():
    started_s = np.arange(100) * 0.1
    found = stage(2, started_s, np.full(100, 0.05), errors=0, seconds=10.0, client_busy_ratio=0.0)
    assert found.per_s.value == pytest.approx(10.0)
    assert found.per_s.low <= 10.0 <= found.per_s.high
    assert (found.p50_s, found.p99_s) == (pytest.approx(0.05), pytest.approx(0.05))


def test_concurrency_is_the_work_in_progress_at_the_largest_throughput_of_each_instance():
    stages = [a_stage(1, 50), a_stage(8, 400), a_stage(16, 390)]
    assert concurrency_of(stages, exactly(0.02), 2).value == pytest.approx(4.0)


@pytest.mark.parametrize(
    ("stages", "reason"),
    [
        ([a_stage(1, 50)], None),
        ([a_stage(1, 50), a_stage(2, 100)], None),
        ([a_stage(4, 200), a_stage(8, 205)], "8 callers get no more answers a second than 4"),
        ([a_stage(1, 50), a_stage(2, 100, p99_s=0.3)], "the 99th percentile is over the objective with 2 callers"),
        ([a_stage(1, 50), a_stage(2, 100, errors=9)], "9 of 409 requests failed with 2 callers"),
    ],
)
def test_the_ramp_ends_where_more_callers_show_nothing_new(stages, reason):
    assert why_to_stop(stages, 0.2) == reason


def test_the_prediction_is_that_of_queueing_theory():
    expected = ManyServers(4, 0.8)
    due_s = np.cumsum(np.random.default_rng(3).exponential(1 / expected.rate, 40_000))
    found = predicted(
        due_s,
        processing_s=1.0,
        cv=1.0,
        distribution="gamma",
        servers=4,
        instances=1,
        overhead_s=0.0,
        seed=1,
    )
    assert found["p50"] == pytest.approx(expected.percentile(0.5), rel=0.05)
    assert found["p99"] == pytest.approx(expected.percentile(0.99), rel=0.08)


def test_the_way_there_and_back_adds_to_a_prediction():
    due_s = np.arange(100.0) * 10
    found = predicted(
        due_s, processing_s=1.0, cv=0.0, distribution="constant", servers=1, instances=1, overhead_s=0.25, seed=1
    )
    assert found == {"p50": 1.25, "p95": 1.25, "p99": 1.25}


def test_percentiles_of_a_known_series():
    assert percentiles(np.arange(101.0)) == {"p50": 50.0, "p95": 95.0, "p99": 99.0}


def test_a_workload_gets_the_values_and_the_mark_that_they_are_measured():
    found = into(Workload(name="fraud"), a_measurement())
    assert (found.request.processing_ms, found.request.processing_cv) == (12.35, 0.512)
    assert (found.request.concurrency, found.request.measured_on) == (4, "ml.m5.large")
    assert set(measured_fields(found)) == set(a_measurement().values)
    assert found.measured.as_of == "2026-11-21"
    assert found.measured.by == "load test of endpoint fraud, 1234 requests"


CHECK = Check(rps=48.0, requests=300, late_p99_s=0.001, measured_s={"p50": 0.02}, predicted_s={"p50": 0.021})


def test_a_quiet_measurement_leaves_no_doubt():
    assert doubts(exactly(0.012), [a_stage(1, 80)], CHECK) == []


@pytest.mark.parametrize(
    ("processing_s", "busy", "late_s", "said"),
    [
        (Estimate(low=0.0, value=0.012, high=0.019), 0.1, 0.001, "processing time changed"),
        (exactly(0.012), 0.9, 0.001, "at its own limit"),
        (exactly(0.012), 0.1, 0.011, "random arrivals late"),
    ],
)
def test_what_makes_a_measurement_less_sure_is_said(processing_s, busy, late_s, said):
    stages = [replace(a_stage(1, 80), client_busy_ratio=busy)]
    (found,) = doubts(processing_s, stages, replace(CHECK, late_p99_s=late_s))
    assert said in found


def test_the_report_has_the_ramp_and_the_prediction_beside_the_measurement():
    check = Check(
        rps=48.0,
        requests=300,
        late_p99_s=0.001,
        measured_s={"p50": 0.02, "p95": 0.03, "p99": 0.04},
        predicted_s={"p50": 0.021, "p95": 0.029, "p99": 0.041},
    )
    found = replace(a_measurement(), check=check, stopped="64 callers are allowed", notes=("A note.",))
    assert as_text(found).splitlines() == [
        "fraud on ml.m5.large: 1234 requests in 60 s",
        "processing time  12.3 (12.3 to 12.3) ms",
        "variation        0.512 (0.512 to 0.512)",
        "served at once   3.6 (3.6 to 3.6) by an instance",
        "",
        " callers  requests  errors  answers/s       p50       p99",
        "       1       400       0       80.0   50.0 ms  100.0 ms",
        "Stopped: 64 callers are allowed.",
        "",
        "Random arrivals, 48.0 a second, 300 requests:",
        "                   p50         p95         p99",
        "measured       20.0 ms     30.0 ms     40.0 ms",
        "simulated      21.0 ms     29.0 ms     41.0 ms",
        "99 of 100 were sent at most 1.0 ms late.",
        "A note.",
    ]
