"""Asynchronous inference: what stays up, what waits for a start, against runs of single requests and by hand."""

import math

import numpy as np
import pytest

from fitness.analytic.queued import BACKLOG_ALARM_S, IDLE_S
from tests.declared import BOOK, evaluated

TYPE = "ml.c5.xlarge"
RARE = {
    "request.processing_ms": 20_000,
    "request.processing_distribution": "constant",
    "request.measured_on": TYPE,
    "request.concurrency": 1,
    "request.synchronous": False,
    "request.payload_in_mb": 10,
    "request.payload_out_mb": 1,
    "models.artifact_mb": 1024,
    "models.memory_mb": 3000,
    "models.image_gb": 3,
    "objectives.deadline_s": 3600,
    "traffic.pattern": "steady",
}
LINGER_S = IDLE_S + 20


def rare(rate):
    return {**RARE, "traffic.rps_mean": rate, "traffic.rps_peak": rate}


def only(values, **kwargs):
    return evaluated("async", values, instance_type=TYPE, **kwargs)


def test_constants_are_those_of_target_tracking_and_the_backlog_alarm():
    assert (IDLE_S, BACKLOG_ALARM_S) == (15 * 60 + 300, 120)


@pytest.mark.parametrize("rate", [1e-5, 1e-4, 1e-3, 4e-3])
def test_hours_up_are_the_union_of_what_every_request_keeps_up(rate):
    rng = np.random.default_rng(20_261_121)
    arrived = np.cumsum(rng.exponential(1 / rate, 50_000))
    gaps = np.diff(arrived)
    union = float(np.sum(np.minimum(gaps, LINGER_S)) / (arrived[-1] - arrived[0]))
    assert only(rare(rate)).instance_hours[0] == pytest.approx(730 * union, rel=0.03)


@pytest.mark.parametrize("rate", [1e-5, 3e-4, 1e-3, 4e-3])
def test_requests_that_wait_for_a_start_are_no_more_than_said(rate):
    rng = np.random.default_rng(20_261_121)
    arrived = np.cumsum(rng.exponential(1 / rate, 50_000))
    wake_s = BACKLOG_ALARM_S + 300
    up_until = ready = -math.inf
    waited = 0
    for now in arrived:
        if now > up_until:
            ready = now + wake_s
        waited += now < ready
        up_until = max(now, ready) + LINGER_S
    said = only(rare(rate)).cold_ratio[0]
    assert waited / arrived.size <= said * 1.02
    assert said <= 1.5 * waited / arrived.size + 0.005


def test_a_first_answer_waits_for_the_alarm_the_launch_and_the_work():
    found = only(rare(1e-5))
    assert found.latency.percentile(0.5)[0] == pytest.approx(120 + 300 + 20)


def test_one_instance_that_always_runs_never_starts_cold():
    found = only(rare(1e-3), variant="always_on")
    assert found.cold_ratio[0] == 0
    assert found.instance_hours[0] == pytest.approx(730)
    assert found.settings["min_instances"][0] == 1


def test_a_steady_queue_runs_at_nine_tenths():
    # 1 request a second of 20 s keeps 20 instances busy; 20 / 0.9 rounded up is 23.
    assert only(rare(1.0)).settings["max_instances"][0] == 23


def test_the_bill_has_storage_data_queue_objects_and_alarms():
    found = only(rare(1e-3), variant="always_on")
    requests = 1e-3 * 730 * 3600
    metered = {item: float(quantity[0]) for item, quantity in found.metered.items()}
    assert metered == pytest.approx(
        {
            f"async/{TYPE}": 730,
            "storage/hosting": 5,  # image 3 GB, model packed and unpacked 2 GB
            "data_in": requests * 10 / 1024,
            "data_out": requests * 1 / 1024,
            "s3/put": 2 * requests / 1000,
            "s3/get": 2 * requests / 1000,
            "cloudwatch/alarm": 3,
        }
    )


def test_nothing_is_dropped_unless_a_fixed_maximum_is_too_small():
    assert only(rare(1.0)).dropped_ratio[0] == 0
    few = only(rare(1.0), config={"max_instances": 10})
    assert few.settings["max_instances"][0] == 10
    assert few.instance_hours[0] == pytest.approx(10 * 730, rel=1e-3)
    assert few.dropped_ratio[0] == pytest.approx(0.5)


def test_a_fixed_minimum_counts_all_endpoints_together_and_is_given_back_as_it_was_taken():
    ten = {**rare(1e-3), "models.count": 10, "composition": "independent", "models.popularity": "uniform"}
    found = only(ten, config={"min_instances": 20})
    assert found.settings["min_instances"][0] == 20
    assert found.instance_hours[0] == pytest.approx(20 * 730)
    again = only(ten, config={"min_instances": found.settings["min_instances"][0].item()})
    assert again.instance_hours[0] == found.instance_hours[0]


def test_a_fixed_volume_is_billed_as_it_is():
    found = only(rare(1e-3), variant="always_on", config={"volume_gb": 77})
    assert found.metered["storage/hosting"][0] == pytest.approx(77)


def test_a_graph_in_one_container_needs_the_memory_of_all_its_models():
    graph = {**rare(1e-3), "models.count": 4, "composition": "ensemble"}
    found = evaluated("async", graph)
    assert found.instance_types is not None
    assert found.instance_types[0] not in (TYPE, "ml.c5.large", "ml.m5.large")  # 12 GB do not fit into them


def test_scheduled_work_is_sent_by_a_client_that_is_paid_too():
    job = {path: value for path, value in RARE.items() if not path.startswith("traffic.")}
    job |= {"traffic.pattern": "scheduled", "traffic.records_per_job": 1000, "traffic.jobs_per_month": 10}
    found = only(job)
    # Half of the deadline of an hour: 1800 s, ten times.
    assert found.metered["processing/ml.m5.large"][0] == pytest.approx(5)
    assert found.latency.percentile(0.01)[0] >= 1800 + 20


def test_the_bill_never_falls_as_load_grows():
    bills = []
    for rate in np.geomspace(1e-5, 30, 80):
        found = evaluated("async", rare(float(rate)))
        prices = {item: float(BOOK.price(item, "us-east-1").usd_per_unit) for item in found.metered}
        bills.append(found.usd(prices)[0])
    assert np.all(np.diff(bills) >= -1e-9)
