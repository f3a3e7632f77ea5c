"""The month as levels of load: what is declared is kept, whatever the pattern."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fitness import load as loads
from fitness.inputs import HOURS_PER_MONTH, Traffic
from fitness.trace import Trace, read_trace
from tests.declared import resolved


def traffic(pattern, mean, peak, *, idle=0.0, trace=None):
    one = {name: np.array([float(value)]) for name, value in
           {"rps_mean": mean, "rps_peak": peak, "idle_ratio": idle, "records_per_job": 0, "jobs_per_month": 0}.items()}  # fmt: skip
    return Traffic(pattern=pattern, trace=trace, **one)


def recorded(counts) -> Trace:
    return read_trace(("count\n" + "\n".join(f"{count:g}" for count in counts) + "\n").encode())


def of_trace(counts):
    trace = recorded(counts)
    inputs = resolved({}, trace=trace)
    return inputs, loads.of(inputs.traffic)


PATTERNS = ["steady", "diurnal", "spiky", "intermittent", None]


@pytest.mark.parametrize("pattern", PATTERNS)
@given(st.floats(1e-6, 1e4), st.floats(1, 500), st.floats(0, 0.99))
def test_a_month_keeps_its_hours_its_mean_and_its_idle_time(pattern, mean, ratio, idle):
    found = loads.of(traffic(pattern, mean, mean * ratio / (1 - idle), idle=idle))
    assert np.sum(found.hours) == pytest.approx(HOURS_PER_MONTH)
    assert np.sum(found.requests) == pytest.approx(mean * HOURS_PER_MONTH * 3600)
    assert found.active_hours[0] == pytest.approx((1 - idle) * HOURS_PER_MONTH)
    assert found.active_rps[0] == pytest.approx(mean / (1 - idle))
    assert np.all(found.rps >= 0)


@pytest.mark.parametrize("pattern", PATTERNS)
@pytest.mark.parametrize("ratio", [1, 1.05, 1.2, 1.5, 2, 3, 5, 8, 12])
def test_the_busiest_level_is_the_peak_within_two_hundredths(pattern, ratio):
    found = loads.of(traffic(pattern, 10, 10 * ratio))
    assert found.peak_rps[0] == pytest.approx(10 * ratio)
    assert np.max(found.rps) == pytest.approx(10 * ratio, rel=0.02)


def test_a_day_is_the_power_of_a_cosine_with_quieter_weekends():
    found = loads.of(traffic("diurnal", 10, 30))
    half = loads.LEVELS
    weekday, weekend = found.rps[0, :half], found.rps[0, half : 2 * half]
    assert weekend == pytest.approx(0.7 * weekday)
    assert np.sum(found.hours[0, :half]) == pytest.approx(HOURS_PER_MONTH * 5 / 7)
    # A fine integral of ((1 + cos) / 2) ** q over the day, with the q that gives weekday peak over weekday mean.
    weekday_mean = 10 * 7 / 6.4
    turn = (np.arange(200_000) + 0.5) / 200_000
    low, high = 0.0, 100.0
    for _ in range(60):
        power = (low + high) / 2
        mean = np.mean(((1 + np.cos(np.pi * turn)) / 2) ** power)
        low, high = (power, high) if 1 / mean < 30 / weekday_mean else (low, power)
    exact = 30 * ((1 + np.cos(np.pi * turn)) / 2) ** power
    for share in (0.1, 0.25, 0.5, 0.75):
        above = np.sum(np.where(weekday > share * 30, found.hours[0, :half], 0)) / (HOURS_PER_MONTH * 5 / 7)
        assert above == pytest.approx(np.mean(exact > share * 30), abs=0.06)


def test_no_room_under_the_peak_means_no_weekend():
    found = loads.of(traffic("diurnal", 10, 10.2))
    assert np.min(found.rps[found.hours > 0]) > 9


def test_a_rise_is_as_steep_as_the_workloads_own_between_one_and_a_half_and_five():
    for peak, step in ((10, 1.5), (30, 3), (200, 5)):
        assert loads.of(traffic("steady", 10, peak)).step[0] == pytest.approx(step)


def test_spikes_and_bursts_come_faster_than_an_instance_starts():
    sudden = {pattern: loads.of(traffic(pattern, 1, 8)).is_sudden for pattern in PATTERNS}
    assert sudden == {"steady": False, "diurnal": False, "spiky": True, "intermittent": True, None: False}
    assert loads.of(traffic(None, 1, 8, idle=0.5)).is_sudden


def test_scheduled_records_are_spread_over_their_job():
    inputs = resolved({"traffic.pattern": "scheduled", "traffic.records_per_job": 7200, "traffic.jobs_per_month": 10})
    found = loads.of(inputs.traffic, job_s=np.array([3600.0]))
    assert found.rps[0].tolist() == [2, 0]
    assert found.hours[0].tolist() == pytest.approx([10, 720])


def test_scheduled_work_without_the_length_of_a_job_is_refused():
    inputs = resolved({"traffic.pattern": "scheduled"})
    with pytest.raises(ValueError, match="length of a job"):
        loads.of(inputs.traffic)


@given(st.lists(st.integers(0, 1000), min_size=1, max_size=400).filter(any))
def test_a_recording_keeps_its_requests_whatever_its_length(counts):
    inputs, found = of_trace(counts)
    assert np.sum(found.hours) == pytest.approx(HOURS_PER_MONTH)
    assert np.sum(found.requests) == pytest.approx(inputs.traffic.requests_per_month[0], rel=1e-6)
    assert found.peak_rps[0] == pytest.approx(max(counts) / 60)


def test_a_last_part_of_an_hour_weighs_as_long_as_it_lasted():
    # 60 quiet minutes and 40 busy ones.
    inputs, found = of_trace([0] * 60 + [300] * 40)
    assert inputs.traffic.rps_mean[0] == pytest.approx(2)
    assert np.sum(found.requests) == pytest.approx(2 * HOURS_PER_MONTH * 3600)


def test_a_recording_with_a_minute_far_above_its_hours_is_sudden():
    quiet = [60] * 600
    assert not of_trace(quiet)[1].is_sudden
    assert of_trace([*quiet[:-1], 6000])[1].is_sudden


def test_a_recording_stands_instead_of_the_declared_pattern():
    trace = recorded([60] * 120)
    for pattern in ("scheduled", "intermittent"):
        inputs = resolved({"traffic.pattern": pattern, "traffic.rps_mean": 99, "traffic.rps_peak": 99}, trace=trace)
        assert not inputs.traffic.is_scheduled
        assert inputs.traffic.rps_mean[0] == pytest.approx(1)


def test_idle_hours_among_busy_ones_are_counted_as_fresh_starts():
    found = loads.of(traffic("intermittent", 1, 8, idle=0.75))
    assert np.max(found.spells) == pytest.approx(0.75)
    assert np.all(loads.of(traffic("steady", 1, 8)).spells == 0)


def test_levels_are_finite_for_every_draw_of_a_very_peaked_day():
    found = loads.of(traffic("diurnal", 1e-6, 1e5))
    assert math.isfinite(float(np.sum(found.rps)))
    assert np.sum(found.requests) == pytest.approx(1e-6 * HOURS_PER_MONTH * 3600)
