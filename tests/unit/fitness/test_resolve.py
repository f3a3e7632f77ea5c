"""Declared values first, priors where nobody said, and a note of which is which."""

import numpy as np
import pytest
from hypothesis import given

from fitness.errors import InputError
from fitness.fields import BY_PATH
from fitness.inputs import Draws
from fitness.priors import PRIORS
from fitness.resolve import resolve
from fitness.study import study
from tests.declared import BOOK, declared, resolved
from tests.strategies import LEAVES, workloads

WORKLOADS = workloads(paths=tuple(path for path in LEAVES if path != "traffic.trace"))


def median(name: str) -> float:
    return PRIORS()[name].median


def test_nothing_declared_is_the_medians():
    inputs = resolved({}, priors={})
    assert inputs.models.count[0] == 1
    assert inputs.models.artifact_mb[0] == pytest.approx(median("models.artifact_mb"))
    assert inputs.models.memory_mb[0] == pytest.approx(
        median("models.memory_mb.of_artifact") * median("models.artifact_mb") + median("models.memory_mb.base")
    )
    assert inputs.request.processing_s[0] == pytest.approx(median("request.processing_ms") / 1000)
    assert inputs.request.measured_on.name == "ml.c5.xlarge"
    assert inputs.request.concurrency[0] == pytest.approx(4 * median("request.concurrency.per_vcpu"))
    assert inputs.traffic.rps_mean[0] == pytest.approx(median("traffic.rps_mean"))
    assert inputs.traffic.rps_peak[0] == pytest.approx(
        median("traffic.rps_mean") * median("traffic.peak_ratio.diurnal")
    )
    assert inputs.objectives.within_p95_s[0] == 1.0
    assert not inputs.objectives.is_declared
    assert inputs.region == "us-east-1"


def test_everything_declared_is_kept_and_nothing_assumed():
    values = {
        "models.count": 3, "models.frameworks": "same", "models.artifact_mb": 11, "models.memory_mb": 22,
        "models.image_gb": 3, "models.popularity": "zipf:1.1", "composition": "independent", "accelerator": "none",
        "request.payload_in_mb": 0.5, "request.payload_out_mb": 0.25, "request.processing_ms": 44,
        "request.processing_cv": 0.7, "request.processing_distribution": "gamma",
        "request.measured_on": "ml.m5.xlarge", "request.concurrency": 5, "request.synchronous": True,
        "traffic.pattern": "steady", "traffic.rps_mean": 6, "traffic.rps_peak": 9, "traffic.idle_ratio": 0.1,
        "objectives.latency_p95_ms": 700, "objectives.cold_start_ok": False,
    }  # fmt: skip
    inputs = resolved(values)
    assert inputs.assumed == ()
    assert (inputs.models.artifact_mb[0], inputs.models.memory_mb[0], inputs.models.image_gb[0]) == (11, 22, 3)
    assert inputs.models.zipf[0] == pytest.approx(1.1)
    request = inputs.request
    assert (request.processing_s[0], request.cv[0], request.concurrency[0]) == (pytest.approx(0.044), 0.7, 5)
    assert (request.payload_in_mb[0], request.payload_out_mb[0], request.distribution) == (0.5, 0.25, "gamma")
    traffic = inputs.traffic
    assert (traffic.rps_mean[0], traffic.rps_peak[0], traffic.idle_ratio[0]) == (6, 9, 0.1)
    assert inputs.objectives.is_declared


def test_an_undeclared_time_is_within_reach_of_a_declared_latency():
    tight = resolved({"objectives.latency_p99_ms": 20}, priors={})
    assert tight.request.processing_s[0] == pytest.approx(0.005)
    loose = resolved({"objectives.latency_p99_ms": 10_000}, priors={})
    assert loose.request.processing_s[0] == pytest.approx(median("request.processing_ms") / 1000)


def test_an_undeclared_objective_is_never_tighter_than_three_processing_times():
    assert resolved({"request.processing_ms": 20}).objectives.target_s[0] == 1.0
    assert resolved({"request.processing_ms": 2000}).objectives.target_s[0] == 6.0
    assert resolved({"request.synchronous": False}).objectives.target_s[0] == 900
    assert resolved({"traffic.pattern": "scheduled"}).objectives.target_s[0] == 6 * 3600


def test_a_deadline_is_the_objective_of_a_queue_and_of_a_job():
    assert resolved({"objectives.deadline_s": 77}).objectives.late_after_s[0] == 77
    job = {"traffic.pattern": "scheduled", "objectives.deadline_s": 77, "objectives.latency_p95_ms": 5}
    assert resolved(job).objectives.target_s[0] == 77


def test_an_undeclared_rate_keeps_few_requests_busy():
    slow = resolved({"request.processing_ms": 60_000}, priors={})
    assert slow.traffic.rps_mean[0] * 60 == pytest.approx(2)


def test_a_mean_follows_from_a_peak_and_a_peak_from_a_mean():
    ratio = median("traffic.peak_ratio.steady")
    from_peak = resolved({"traffic.pattern": "steady", "traffic.rps_peak": 30}, priors={}).traffic
    assert from_peak.rps_mean[0] == pytest.approx(30 / ratio)
    from_mean = resolved({"traffic.pattern": "steady", "traffic.rps_mean": 30}, priors={}).traffic
    assert from_mean.rps_peak[0] == pytest.approx(30 * ratio)


def test_a_peak_is_never_below_the_mean_of_the_active_hours():
    traffic = resolved({"traffic.pattern": "intermittent", "traffic.rps_mean": 1, "traffic.rps_peak": 1,
                        "traffic.idle_ratio": 0.75}).traffic  # fmt: skip
    assert traffic.rps_peak[0] == pytest.approx(4)


def test_traffic_of_which_only_the_records_are_known_is_scheduled():
    assert resolved({"traffic.records_per_job": 100}).traffic.is_scheduled
    assert not resolved({"traffic.records_per_job": 100, "traffic.rps_mean": 1}).traffic.is_scheduled


def test_hours_that_are_all_idle_leave_nothing_to_serve():
    for pattern in ("intermittent", "diurnal"):
        assert resolved({"traffic.pattern": pattern, "traffic.idle_ratio": 1}, priors={}).traffic.rps_mean[0] < 1e-6


def test_a_declared_zero_is_nothing_to_serve_and_nothing_to_divide_by():
    online = resolved({"traffic.pattern": "steady", "traffic.rps_mean": 0}).traffic
    assert 0 < online.rps_mean[0] < 1e-6
    job = resolved({"traffic.pattern": "scheduled", "traffic.records_per_job": 0, "traffic.jobs_per_month": 0}).traffic
    assert 0 < job.requests_per_month[0] < 1e-6


def test_a_gpu_measurement_counts_requests_by_accelerator():
    inputs = resolved({"accelerator": "gpu", "request.measured_on": "ml.g5.12xlarge"}, priors={})
    assert inputs.request.concurrency[0] == pytest.approx(4 * median("request.concurrency.per_accelerator"))
    assert inputs.models.artifact_mb[0] == pytest.approx(median("models.artifact_mb.accelerated"))
    assert resolved({"accelerator": "gpu"}).request.measured_on.name == "ml.g5.xlarge"


def test_an_answer_is_not_larger_than_its_request_unless_declared():
    small = resolved({"request.payload_in_mb": 0.0001}, priors={}).request
    assert small.payload_out_mb[0] == pytest.approx(0.0001)
    large = resolved({"request.payload_in_mb": 0.0001, "request.payload_out_mb": 3}).request
    assert large.payload_out_mb[0] == 3


def test_containers_are_one_for_each_of_a_few_models_and_stand_for_a_count_that_is_missing():
    assert resolved({"models.count": 4}).models.containers[0] == 4
    assert resolved({"models.count": 400}).models.containers[0] == 1
    assert resolved({"models.containers": 3}).models.count[0] == 3


def test_only_what_counts_is_called_assumed():
    one = resolved({"models.count": 1})
    assert "models.popularity" not in one.assumed
    assert "models.frameworks" not in one.assumed
    many = resolved({"models.count": 5})
    assert {"models.popularity", "models.frameworks", "composition"} <= set(many.assumed)
    order = [list(BY_PATH).index(path) for path in many.assumed]
    assert order == sorted(order)


def test_draws_of_what_is_declared_are_all_alike():
    inputs = resolved({"request.processing_ms": 20}, priors={}, draws=Draws(size=32, seed=1))
    assert np.unique(inputs.request.processing_s).tolist() == [0.02]
    assert np.unique(inputs.models.artifact_mb).size == 32


def test_a_what_if_changes_a_field_in_some_rows():
    changes = {"traffic.rps_mean": np.array([np.nan, 7.0]), "models.count": np.array([5.0, np.nan])}
    inputs = resolve(
        declared({"traffic.pattern": "steady", "traffic.rps_mean": 2}), draws=Draws(size=2, seed=None), changes=changes
    )
    assert inputs.traffic.rps_mean.tolist() == [2, 7]
    assert inputs.models.count.tolist() == [5, 1]


@given(WORKLOADS)
def test_no_number_is_missing_or_negative(workload):
    inputs = resolve(workload, draws=Draws(size=4, seed=2))
    for group in (inputs.models, inputs.request, inputs.traffic):
        for name in type(group).__dataclass_fields__:
            value = getattr(group, name)
            if isinstance(value, np.ndarray):
                assert value.shape == (4,), name
                assert np.all(np.isfinite(value)), name
                assert np.all(value >= 0), name
    assert np.all(inputs.objectives.late_after_s > 0)
    assert np.all(inputs.traffic.rps_peak >= inputs.traffic.rps_mean * (1 - 1e-12))
    assert not set(inputs.assumed) & set(workload.declared())


def test_a_recording_that_is_named_must_be_given():
    with pytest.raises(InputError, match="not given") as caught:
        study(declared({"traffic.trace": "arrivals.csv"}), book=BOOK)
    assert [problem.path for problem in caught.value.problems] == ["$.traffic.trace"]
