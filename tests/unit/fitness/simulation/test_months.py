import math

import numpy as np
import pytest

from fitness import load
from fitness.analytic.served import job_seconds
from fitness.inputs import HOURS_PER_MONTH
from fitness.simulation import months
from fitness.simulation.months import DAY
from tests.declared import resolved
from tests.traffic import PATTERNS


def month(name, seed=1):
    return months.month(resolved(PATTERNS[name]), seed=seed)


@pytest.mark.parametrize("name", PATTERNS)
def test_a_month_has_the_declared_requests(name):
    inputs = resolved(PATTERNS[name])
    found = months.month(inputs, seed=1)
    assert found.requests == pytest.approx(float(inputs.traffic.requests_per_month[0]), rel=1e-9)
    assert found.minutes * found.weight + 60 * found.quiet_hours == pytest.approx(HOURS_PER_MONTH * 60)
    # The counts are drawn around the rate.
    expected = float(found.rps.sum()) * 60
    assert float(found.counts.sum()) == pytest.approx(expected, abs=6 * math.sqrt(expected))
    assert np.all(found.counts == np.floor(found.counts))


@pytest.mark.parametrize("name", PATTERNS)
def test_a_month_has_the_levels_of_load_that_the_formulas_use(name):
    inputs = resolved(PATTERNS[name])
    found = months.month(inputs, seed=1)
    is_job = inputs.traffic.is_scheduled
    levels = load.of(inputs.traffic, job_s=job_seconds(inputs) if is_job else None)
    hours = levels.hours[0] / HOURS_PER_MONTH
    assert float(found.rps.max()) == pytest.approx(float(levels.peak_rps[0]), rel=0.02)
    assert float(np.mean(found.rps == 0)) == pytest.approx(float(hours[levels.rps[0] == 0].sum()), abs=0.01)
    # The rate that a request sees, which queues depend on.
    seen = float(np.sum(levels.rps[0] ** 2 * hours) / np.sum(levels.rps[0] * hours))
    assert float(np.sum(found.rps**2) / np.sum(found.rps)) == pytest.approx(seen, rel=0.02)


def test_weekends_are_quieter_and_the_day_is_busiest_at_two_in_the_afternoon():
    days = month("diurnal").rps.reshape(28, DAY)
    assert set(days.argmax(axis=1) // 60) <= {13, 14}
    totals = days.sum(axis=1).reshape(4, 7)
    assert totals[:, 5:] == pytest.approx(0.7 * totals[:, [0, 0]])
    assert totals[:, :5] == pytest.approx(totals[:, [0] * 5])


def test_idle_hours_of_a_daily_cycle_are_its_nights():
    days = month("nightly idle").rps.reshape(28, DAY)
    assert np.all(days[:, 2 * 60] == 0)
    assert np.all(days[:, 14 * 60] > 0)
    # One stretch a day.
    assert np.count_nonzero(np.diff(days[0] > 0)) == 2


def test_bursts_last_ten_minutes_and_their_share_is_that_of_the_levels():
    rps = month("spiky").rps
    burst = rps > 30
    starts = np.flatnonzero(np.diff(burst.astype(int), prepend=0) == 1)
    ends = np.flatnonzero(np.diff(burst.astype(int), append=0) == -1)
    lengths = ends - starts + 1
    assert np.median(lengths) == 10
    assert burst.mean() == pytest.approx(0.02, rel=0.05)


def test_instance_hours_count_every_minute_and_the_quiet_time_after_them():
    # An hour with two instances and one with one, each of them three of a month's hours; then ten quiet hours with
    # the instances of the last minute.
    found = months.Month(
        rps=np.zeros(120), counts=np.zeros(120), minute_of_week=0, weight=3.0, notes=(), quiet_hours=10.0
    )
    assert found.instance_hours(np.repeat([2.0, 1.0], 60)) == pytest.approx((2 + 1) * 3 + 10 * 1)


def test_of_a_long_time_between_jobs_five_weeks_are_walked_and_the_rest_is_quiet():
    # A job every 1,460 hours: half of one in a month. Five weeks are 840 hours, of which a month has half.
    changes = {"traffic.pattern": "scheduled", "traffic.jobs_per_month": 0.5, "traffic.records_per_job": 3_600}
    found = months.month(resolved({**changes, "objectives.deadline_s": 7_200}), seed=1)
    assert found.minutes == 840 * 60
    assert (found.weight, found.quiet_hours) == (0.5, pytest.approx(730 - 420))
    # Half of the deadline is an hour: a record a second.
    assert found.rps[:60] == pytest.approx(1)
    assert not found.rps[60:].any()
    assert found.requests == pytest.approx(0.5 * 3_600)


def test_a_job_in_every_month_leaves_no_quiet_hours():
    for jobs in (0.9, 1, 30, 43_800):
        changes = {"traffic.pattern": "scheduled", "traffic.jobs_per_month": jobs, "traffic.records_per_job": 100}
        assert months.month(resolved(changes), seed=1).quiet_hours == pytest.approx(0, abs=0.01)


def test_scheduled_jobs_run_at_equal_distances_and_send_evenly():
    found = month("jobs")
    # A job each 24 h 20 min; half of the deadline of six hours: three hours.
    running = np.flatnonzero(found.rps > 0)
    starts = running[np.flatnonzero(np.diff(running, prepend=-10) > 1)]
    assert np.diff(starts).tolist() == [1460] * (starts.size - 1)
    assert found.rps[0:180] == pytest.approx(100_000 / (3 * 3600))
    assert np.all(found.rps[180:1460] == 0)
