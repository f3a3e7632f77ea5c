"""Real recordings, in the folder that RECORDED_TRACES names; without it nothing is tested here."""

import os
from pathlib import Path

import numpy as np
import pytest

from fitness.simulation import control, streams
from fitness.simulation.control import TargetTracking
from fitness.trace import read_trace
from tests.declared import resolved

FOLDER = Path(os.environ.get("RECORDED_TRACES", "nowhere"))
pytestmark = pytest.mark.skipif(not FOLDER.is_dir(), reason="RECORDED_TRACES names no folder")
CODE = ("azure_llm_code_2023.parquet", {"columns": {"timestamp": "t_s"}})
BALANCER = ("aws_elb_requests_5min.parquet", {"columns": {"timestamp": "t_s", "count": "requests"}})
TAXI = ("nyc_taxi_30min.parquet", {"columns": {"timestamp": "t_s", "count": "passengers"}})
FUNCTIONS = (
    "azure_functions_2019_s100_counts.parquet",
    {"columns": {"timestamp": "minute", "count": "count", "model": "fn"}, "unit": "min"},
)
ALL = pytest.mark.parametrize(("name", "how"), [CODE, BALANCER, TAXI, FUNCTIONS])


def read(name, how):
    return read_trace(FOLDER / name, exact=True, **how)


def test_requests_of_a_code_assistant_keep_their_times():
    found = read(*CODE)
    assert found.counts.sum() == found.rows.time_s.size == 8819
    assert found.counts.size == 58
    assert found.rows.width_s == 0
    assert found.rows.time_s[1] == 0.052


def test_counts_of_a_load_balancer_stand_for_five_minutes():
    found = read(*BALANCER)
    assert found.rows.width_s == 300
    assert found.counts.size == 14 * 24 * 60 + 40
    assert "Minutes without a row: 40 of 20,200; they had no request." in found.notes
    assert 4 < np.percentile(found.counts, 99) / found.counts.mean() < 4.2
    assert 10 < found.counts.max() / found.counts.mean() < 11


def test_taxis_are_busiest_by_day_and_by_week():
    found = read(*TAXI)
    assert found.counts.size == 215 * 24 * 60
    assert np.percentile(found.counts, 99) / found.counts.mean() == pytest.approx(1.8, abs=0.05)
    hourly = found.hourly_rps[: 210 * 24].reshape(-1, 24).mean(axis=0)
    assert hourly.max() > 3 * hourly.min()


def test_functions_of_one_day_differ_by_orders_of_magnitude():
    found = read(*FUNCTIONS)
    assert found.counts.sum() == 621_128
    assert len(found.models) == 100
    assert found.model_share[0] > 0.2
    assert found.model_share[-1] < 1e-4
    inputs = resolved({"models.count": 100, "composition": "independent"}, trace=found)
    stream = streams.whole(inputs, seed=1).windows[0]
    share = np.bincount(stream.models, minlength=100) / stream.models.size
    assert share == pytest.approx(found.model_share)


@ALL
def test_a_recording_becomes_windows_and_a_month(name, how):
    found = read(name, how)
    inputs = resolved({}, trace=found)
    for requests in (5_000, 10**6):
        plan = streams.plan(inputs, requests=requests, seed=1)
        assert plan.month.requests == pytest.approx(found.rps_mean * 730 * 3600)
        assert sum(one.weight * one.offered for one in plan.windows) == pytest.approx(plan.month.requests)
        assert all(np.all(np.diff(one.arrivals) >= 0) for one in plan.windows)
    day = streams.day(inputs, requests=10**6, seed=1)
    assert day.stream.offered == pytest.approx(day.month.counts.sum(), rel=0.01)
    assert day.month.minutes == min(24 * 60, found.counts.size)


@ALL
def test_the_control_loop_follows_a_recording(name, how):
    counts = read(name, how).counts
    target = max(float(np.percentile(counts, 50)), 1.0)
    policy = TargetTracking(target_per_minute=target, minimum=1, maximum=50)
    capacity = control.run(policy, counts, 300)
    assert capacity.ready.max() > 1
    assert capacity.instance_hours < 50 * counts.size / 60
    served = np.minimum(counts, capacity.serving * target).sum() / counts.sum()
    assert served > 0.7
