"""Endpoints that stay up: counts, bills and what a caller fixes, reckoned by hand."""

import numpy as np
import pytest

from fitness.analytic import served
from fitness.study import first_answer_s
from fitness.trace import read_trace
from tests.declared import BOOK, evaluated, resolved

STEADY = {
    "request.processing_ms": 100,
    "request.processing_distribution": "constant",
    "request.measured_on": "ml.c5.xlarge",
    "request.concurrency": 2,
    "request.payload_in_mb": 0.01,
    "request.payload_out_mb": 0.001,
    "models.artifact_mb": 100,
    "models.memory_mb": 400,
    "models.image_gb": 1,
    "objectives.latency_p95_ms": 10_000,
    "traffic.pattern": "steady",
    "traffic.rps_mean": 50,
    "traffic.rps_peak": 50,
}
TYPE = "ml.c5.xlarge"
HOURS = f"hosting/{TYPE}"


def price(item: str) -> float:
    found = BOOK.price(item, "us-east-1")
    assert found is not None
    return float(found.usd_per_unit)


def only(values, option="real_time", **kwargs):
    return evaluated(option, values, instance_type=TYPE, **kwargs)


def test_instances_are_the_load_over_what_one_carries_at_full_headroom():
    # One instance: 2 slots / 0.1 s = 20 requests a second, 15.38 with a headroom of 1.3; 50 need four.
    found = only(STEADY)
    assert found.settings["target_invocations_per_minute"][0] == pytest.approx(20 / 1.3 * 60, rel=1e-3)
    assert found.settings["max_instances"][0] == 4
    assert found.peak_headroom[0] == pytest.approx(80 / 50)


def test_a_load_that_does_not_vary_keeps_its_instances_all_month():
    found = only(STEADY)
    assert found.settings["min_instances"][0] == 4
    assert found.instance_hours[0] == pytest.approx(4 * 730)
    assert "cloudwatch/alarm" not in found.metered


def test_the_bill_of_a_steady_endpoint_is_hours_storage_and_data():
    found = only(STEADY)
    requests = 50 * 730 * 3600
    volume_gb = 2  # image 1 GB, model packed and unpacked 0.2 GB, rounded up
    by_hand = (
        4 * 730 * price(HOURS)
        + 4 * volume_gb * price("storage/hosting")
        + requests * 0.01 / 1024 * price("data_in")
        + requests * 0.001 / 1024 * price("data_out")
    )
    prices = {item: price(item) for item in found.metered}
    assert found.usd(prices)[0] == pytest.approx(by_hand)


def test_a_day_that_varies_is_followed_with_alarms_and_a_tail_after_the_fall():
    found = only({**STEADY, "traffic.pattern": "diurnal", "traffic.rps_peak": 150})
    assert found.settings["min_instances"][0] == 1
    assert found.settings["max_instances"][0] == 10
    assert found.metered["cloudwatch/alarm"][0] == 2
    assert 1.3 * 50 / 20 * 730 < found.instance_hours[0] < 10 * 730


def test_busy_over_paid_seconds_is_the_utilisation_of_the_slots():
    found = only(STEADY)
    assert found.busy_s[0] / found.paid_s[0] == pytest.approx(50 * 0.1 / (4 * 2))


def test_a_chain_on_endpoints_of_its_own_pays_for_each_model_and_one_call_for_each():
    chain = {**STEADY, "models.count": 3, "composition": "sequential", "request.processing_ms": 300}
    overhead = {"invoke_overhead_ms": 7}
    found = only(chain, priors=overhead)
    assert found.settings["endpoints"][0] == 3
    assert found.instance_hours[0] == pytest.approx(3 * 4 * 730)  # each model takes 100 ms, as STEADY
    assert np.min(found.latency.seconds) == pytest.approx(0.3 + 3 * 0.007)
    assert found.busy_s[0] / found.paid_s[0] == pytest.approx(50 * 0.3 / (12 * 2))


def test_a_pipeline_runs_the_chain_on_one_endpoint_with_a_hop_between_two_models():
    chain = {**STEADY, "models.count": 3, "composition": "sequential", "request.processing_ms": 300}
    found = only(chain, option="serial_pipeline", priors={"invoke_overhead_ms": 7, "hop_ms": 2})
    assert found.settings["endpoints"][0] == 1
    assert found.instance_hours[0] == pytest.approx(10 * 730)  # 50 / (2 / 0.3 / 1.3), rounded up
    assert np.min(found.latency.seconds) == pytest.approx(0.3 + 0.007 + 2 * 0.002)


def test_models_that_are_called_by_name_have_an_endpoint_each():
    found = only({**STEADY, "models.count": 10, "composition": "independent", "models.popularity": "uniform"})
    assert found.settings["endpoints"][0] == 10
    assert found.instance_hours[0] == pytest.approx(10 * 730)
    zipf = only({**STEADY, "models.count": 10, "composition": "independent", "models.popularity": "zipf:1.0"})
    # The hottest of ten takes 1 / 2.929 of 50 requests a second, 17.1: two instances; the others one.
    assert zipf.instance_hours[0] == pytest.approx(11 * 730)


def test_many_ensembles_are_each_their_own_chain():
    found = only({**STEADY, "models.count": 1000, "composition": "ensemble", "models.containers": 3,
                  "models.popularity": "uniform"})  # fmt: skip
    assert found.settings["endpoints"][0] == 3000
    assert found.instance_hours[0] == pytest.approx(3000 * 730)


def test_models_of_one_multi_container_endpoint_share_its_memory():
    inputs = {**STEADY, "models.count": 5, "models.memory_mb": 1500}
    small = evaluated("mce_direct", inputs, config={"instance_type": "ml.c5.large"})
    best = evaluated("mce_direct", inputs)
    assert small.instance_types == ("ml.c5.large",)  # fixed, although it does not fit: a gate says so
    assert best.instance_types is not None
    assert best.instance_types[0] not in ("ml.c5.large", "ml.t2.medium")


# --- what a caller fixes --------------------------------------------------------------------------


def test_fixed_counts_are_kept_and_too_few_instances_lose_requests():
    two = only(STEADY, config={"min_instances": 2, "max_instances": 2})
    assert (two.settings["min_instances"][0], two.settings["max_instances"][0]) == (2, 2)
    assert two.instance_hours[0] == pytest.approx(2 * 730)
    assert two.dropped_ratio[0] == pytest.approx(1 - 40 / 50)
    assert two.peak_served_ratio[0] == pytest.approx(0.8)
    assert two.step_within_ratio[0] < only(STEADY).step_within_ratio[0]


def test_more_instances_than_needed_are_paid_and_make_a_rise_harmless():
    many = only(STEADY, config={"min_instances": 20})
    assert many.instance_hours[0] == pytest.approx(20 * 730)
    assert many.step_within_ratio[0] == 1
    assert many.step_busy_ratio[0] == pytest.approx(50 * 0.1 / (20 * 2), rel=1e-3)


def test_a_fixed_maximum_never_takes_an_endpoints_only_instance():
    ten = {**STEADY, "models.count": 10, "composition": "independent", "models.popularity": "uniform"}
    found = only(ten, config={"max_instances": 4})
    assert found.settings["max_instances"][0] == 10


def test_a_fixed_maximum_overloads_the_hottest_of_many_endpoints():
    hot = {**STEADY, "models.count": 2, "composition": "independent", "models.popularity": "hot:1.0",
           "traffic.rps_mean": 100, "traffic.rps_peak": 100}  # fmt: skip
    assert only(hot).dropped_ratio[0] == 0
    assert only(hot, config={"max_instances": 3}).dropped_ratio[0] > 0.3


def test_a_fixed_target_sets_the_count():
    found = only(STEADY, config={"target_invocations_per_minute": 600})
    assert found.settings["max_instances"][0] == 5


def test_a_fixed_volume_is_billed_as_it_is():
    found = only(STEADY, config={"volume_gb": 100})
    assert found.metered["storage/hosting"][0] == pytest.approx(4 * 100)


def test_pooled_routing_is_faster_and_pools_the_instances_of_one_endpoint_only():
    routed = {"routing": "LEAST_OUTSTANDING_REQUESTS"}
    values = {**STEADY, "request.processing_cv": 1, "request.processing_distribution": "lognormal"}
    random, pooled = only(values), only(values, config=routed)
    assert pooled.latency.percentile(0.99)[0] < 0.8 * random.latency.percentile(0.99)[0]
    ten = {**values, "models.count": 20, "models.popularity": "uniform", "composition": "independent",
           "traffic.rps_mean": 200, "traffic.rps_peak": 200}  # fmt: skip
    # One instance an endpoint: there is nothing to pool.
    assert only(ten).instance_hours[0] == pytest.approx(20 * 730)
    assert only(ten, config=routed).latency.percentile(0.99)[0] == only(ten).latency.percentile(0.99)[0]


# --- the month ------------------------------------------------------------------------------------


JOBS = {
    **{path: value for path, value in STEADY.items() if not path.startswith(("traffic.", "objectives."))},
    "traffic.pattern": "scheduled",
    "traffic.records_per_job": 36_000,
    "objectives.deadline_s": 7200,
}


def test_a_job_is_sent_within_half_of_its_deadline():
    found = only({**JOBS, "traffic.jobs_per_month": 30})
    assert served.job_seconds(resolved({**JOBS, "traffic.jobs_per_month": 30}))[0] == 3600
    assert found.latency.percentile(0.5)[0] == pytest.approx(3600.1)
    assert found.metered["processing/ml.m5.large"][0] == pytest.approx(30)


def test_frequent_jobs_are_sent_within_the_time_to_the_next():
    # A job every half hour, six times a deadline of three hours: all records must still be served.
    often = {**JOBS, "traffic.jobs_per_month": 1460, "objectives.deadline_s": 6 * 3600}
    inputs = resolved(often)
    load = served.load_of(inputs)
    assert served.job_seconds(inputs)[0] == pytest.approx(1800)
    assert np.sum(load.requests) == pytest.approx(inputs.traffic.requests_per_month[0])
    assert only(often).metered["processing/ml.m5.large"][0] == pytest.approx(730)


def test_bursts_keep_the_instances_of_the_peak_all_month():
    found = only({**STEADY, "traffic.pattern": "spiky", "traffic.rps_peak": 100})
    assert found.instance_hours[0] == pytest.approx(7 * 730)


def test_a_recorded_day_is_followed_hour_by_hour():
    hours = [600] * 60 + [6000] * 60 + [600] * 60
    trace = read_trace(("count\n" + "\n".join(map(str, hours)) + "\n").encode())
    found = only(STEADY, trace=trace)
    # 10 requests a second need one instance, 100 need seven; a third of the time.
    tail_h = (7 - 1) * 20 / 60 * 730 / 24
    assert found.instance_hours[0] == pytest.approx((1 + 7 + 1) / 3 * 730 + tail_h)


def test_inference_components_pay_for_the_time_that_a_copy_is_up():
    rare = {**STEADY, "traffic.rps_mean": 0.001, "traffic.rps_peak": 0.001, "constraints.scale_to_zero": True}
    found = only(rare, variant="inference_components")
    rate = 0.001
    assert found.settings["min_instances"][0] == 0
    assert found.instance_hours[0] == pytest.approx(730 * (1 - np.exp(-rate * 1200)))
    # A request that finds no copy is lost, and all that come in the 60 s alarm and 300 s launch.
    assert found.dropped_ratio[0] == pytest.approx(np.exp(-rate * 1200) * (1 + rate * 360))


def test_the_first_answer_of_inference_components_waits_for_the_alarm_and_the_launch():
    inputs = resolved(STEADY)
    assert first_answer_s("real_time", "inference_components", inputs, None)[0] == pytest.approx(60 + 300)


# --- the pick -------------------------------------------------------------------------------------


def test_the_pick_counts_the_volume():
    # 512 GB of models on each instance: a type with its own disk wins over one that is cheaper by the hour.
    inputs = {**STEADY, "models.count": 4000, "models.popularity": "uniform", "models.artifact_mb": 70,
              "models.memory_mb": 20, "objectives.cold_start_ok": True}  # fmt: skip
    found = evaluated("mme", inputs)
    prices = {item: price(item) for item in found.metered}
    assert found.instance_types is not None
    for other in ("ml.c5.xlarge", "ml.m5d.large", "ml.m5d.xlarge", "ml.c5d.xlarge", "ml.r5d.large"):
        rival = evaluated("mme", inputs, config={"instance_type": other})
        usd = rival.usd({item: price(item) for item in rival.metered})[0]
        assert found.usd(prices)[0] <= usd + 1e-9


@pytest.mark.parametrize("option", ["real_time", "mme", "mce_direct"])
def test_the_bill_never_falls_as_load_grows(option):
    values = {**STEADY, "models.count": 12, "composition": "independent", "models.popularity": "zipf:1.0",
              "traffic.pattern": "diurnal"}  # fmt: skip
    bills = []
    for scale in np.geomspace(0.01, 100, 60):
        grown = {**values, "traffic.rps_mean": 10 * scale, "traffic.rps_peak": 11 * scale}
        found = evaluated(option, grown)
        bills.append(found.usd({item: price(item) for item in found.metered})[0])
    assert np.all(np.diff(bills) >= -1e-6)


def test_burstable_types_keep_the_instances_of_the_peak():
    # A t2 can't be registered for scaling: fewest and most are the same, and every hour is paid.
    values = {
        "traffic.pattern": "diurnal",
        "traffic.rps_mean": 40,
        "traffic.rps_peak": 100,
        "request.processing_ms": 50,
        "request.measured_on": "ml.t2.medium",
    }
    outcome = evaluated("real_time", values, config={"instance_type": "ml.t2.medium"})
    most = float(outcome.settings["max_instances"][0])
    assert most > 1
    assert float(outcome.settings["min_instances"][0]) == most
    assert float(outcome.instance_hours[0]) == pytest.approx(730 * most)
    assert "cloudwatch/alarm" not in outcome.metered
    # A usual hour and a rise find the peak's instances there: nothing is late for want of one.
    assert float(outcome.step_within_ratio[0]) == 1
    scaled = evaluated("real_time", values, config={"instance_type": "ml.m5.large"})
    assert float(scaled.step_within_ratio[0]) < 1


def test_a_fixed_maximum_is_met_by_a_larger_type_where_there_is_one():
    busy = {"request.measured_on": "ml.c5.xlarge", "request.processing_ms": 100, "traffic.rps_mean": 200}
    free, fixed = (evaluated("real_time", busy, config=config) for config in ({}, {"max_instances": 1}))
    assert free.settings["max_instances"][0] > fixed.settings["max_instances"][0] == 1
    assert fixed.instance_types != free.instance_types
    assert fixed.dropped_ratio[0] == 0
    small = evaluated("real_time", busy, config={"max_instances": 1, "instance_type": free.instance_types[0]})
    assert small.dropped_ratio[0] > 0
