"""Jobs record by record, with numbers that a hand can reckon with."""

from dataclasses import replace

import numpy as np
import pytest

from fitness.simulation import jobs
from tests.declared import PLAIN, studied

NIGHTLY = {
    "models.count": 1,
    "models.artifact_mb": 100,
    "models.memory_mb": 500,
    "accelerator": "none",
    "request.processing_ms": 100_000,
    "request.processing_cv": 0,
    "request.concurrency": 2,
    "request.measured_on": "ml.m5.large",
    "request.synchronous": False,
    "traffic.pattern": "scheduled",
    "traffic.records_per_job": 10,
    "traffic.jobs_per_month": 30,
    "objectives.deadline_s": 600,
}


def proposed(option, settings, changes=None, **serving):
    """The workload and an option's outcome with these numbers of the configuration."""
    work = studied({**NIGHTLY, **(changes or {})}, priors=PLAIN)
    outcome = work.configured(option).outcome
    return work.point, replace(
        outcome,
        settings={**outcome.settings, **{name: np.full(1, float(value)) for name, value in settings.items()}},
        serving={**outcome.serving, **{name: np.full(1, float(value)) for name, value in serving.items()}},
    )


def test_a_client_sends_as_many_records_at_once_as_the_instances_serve():
    # Two instances with two slots each: of ten records of 100 s four, four and two at once, so 300 s; the job is
    # planned for ten minutes, the shortest.
    inputs, outcome = proposed("real_time", {"max_instances": 2}, slots=2, service_s=100, overhead_s=0.5)
    run, tally = jobs.driven(inputs, outcome, requests=1_000, seed=1)
    assert run.latency.seconds.tolist() == [[600.5]]
    assert tally.busy_s == pytest.approx(10 * 100 * 30)
    assert tally.played == 10
    # At 300 s each it takes three times 300 s, longer than planned.
    inputs, outcome = proposed("real_time", {"max_instances": 2}, slots=2, service_s=300, overhead_s=0.5)
    run, tally = jobs.driven(inputs, outcome, requests=1_000, seed=1)
    assert run.latency.seconds.tolist() == [[900.5]]
    assert run.busy_s.tolist() == [pytest.approx(10 * 300 * 30)]
    assert run.dropped_ratio.tolist() == [0]
    assert tally.warm.sum() == pytest.approx(float(outcome.offered[0]))


def test_a_client_of_many_endpoints_has_the_slots_of_one():
    # Six instances of three endpoints: two for the job of one of them, so 900 s again.
    inputs, outcome = proposed("real_time", {"max_instances": 6, "endpoints": 3}, slots=2, service_s=300, overhead_s=0)
    assert jobs.driven(inputs, outcome, requests=1_000, seed=1)[0].latency.seconds.tolist() == [[900.0]]


def test_a_part_of_the_records_ends_when_all_would():
    # 40,000 records of 100 s on 4 slots: 10,000 in a row are 1,000,000 s, also where 1,000 or 100 of them are played.
    changes = {"traffic.records_per_job": 40_000}
    inputs, outcome = proposed("real_time", {"max_instances": 2}, changes, slots=2, service_s=100, overhead_s=0)
    for requests in (40_000, 1_000, 100):
        run, tally = jobs.driven(inputs, outcome, requests=requests, seed=1)
        assert run.latency.seconds[0, 0] == pytest.approx(1e6)
        assert tally.busy_s == pytest.approx(40_000 * 100 * 30)


def test_a_part_of_many_records_waits_for_no_record_that_is_too_long():
    # 10,000,000 records on 20,000 slots: 500 in a row, 50,000 s. Of 10,000 records that stood for 1,000 each, one of
    # mean length would take twice that, and the longest many times.
    changes = {"traffic.records_per_job": 10_000_000, "request.processing_cv": 1}
    inputs, outcome = proposed("real_time", {"max_instances": 20}, changes, slots=1_000, service_s=100, overhead_s=0)
    run, tally = jobs.driven(inputs, outcome, requests=10_000, seed=1)
    assert run.latency.seconds[0, 0] == pytest.approx(50_000, rel=0.08)
    assert tally.busy_s == pytest.approx(10_000_000 * 100 * 30, rel=0.03)
    # The same on 20 instances of a batch job, each with its own files.
    inputs, outcome = proposed("batch", {"instances": 20}, changes, slots=1_000, service_s=100, cold_s=0)
    job = jobs.job_of(inputs, outcome, requests=10_000, seed=1)
    assert job.end_s == pytest.approx(50_000, rel=0.08)
    assert job.done.busy_s == pytest.approx(10_000_000 * 100, rel=0.03)


def test_files_of_a_job_go_to_its_instances():
    # Two instances take five records each, two at a time: three rounds of 100 s after a start of 300 s.
    inputs, outcome = proposed("batch", {"instances": 2}, slots=2, service_s=100, cold_s=300)
    job = jobs.job_of(inputs, outcome, requests=1_000, seed=1)
    assert job.done.finish_s == (600.0, 600.0)
    assert (job.end_s, job.factor, job.done.busy_s) == (600.0, 1.0, 1_000.0)
    tally = jobs.month_of(job, jobs=30)
    assert tally.instance_hours == pytest.approx(2 * 600 / 3600 * 30)
    assert (tally.offered, tally.busy_s) == (300, 30_000)
