"""Batch transform by hand: how many instances for how long, and what that costs."""

import numpy as np
import pytest

from fitness import analytic
from tests.declared import BOOK, evaluated, resolved

TYPE = "ml.c5.xlarge"
# 72,000 records of 1 s on 2 slots: 36,000 s of one instance, and 5 % in which its slots run empty.
NIGHT = {
    "request.processing_ms": 1000,
    "request.measured_on": TYPE,
    "request.concurrency": 2,
    "request.payload_in_mb": 0.5,
    "request.payload_out_mb": 0.01,
    "models.artifact_mb": 100,
    "models.memory_mb": 500,
    "models.image_gb": 1,
    "traffic.pattern": "scheduled",
    "traffic.records_per_job": 72_000,
    "traffic.jobs_per_month": 30,
    "objectives.deadline_s": 6 * 3600,
}
WORK_S = 36_000 / 0.95


def only(values, **kwargs):
    return evaluated("batch", values, instance_type=TYPE, **kwargs)


def test_instances_are_the_work_over_the_time_that_the_deadline_leaves():
    # 37,895 s of work in 21,600 - 300 s: two instances.
    found = only(NIGHT)
    assert found.settings["instances"][0] == 2
    assert found.latency.percentile(0.5)[0] == pytest.approx(300 + WORK_S / 2)


def test_what_is_paid_is_the_start_and_the_work_of_every_instance_of_every_job():
    found = only(NIGHT)
    hours = 30 * 2 * (300 + WORK_S / 2) / 3600
    assert found.instance_hours[0] == pytest.approx(hours)
    assert found.metered[f"batch_transform/{TYPE}"][0] == pytest.approx(hours)
    price = float(BOOK.price(f"batch_transform/{TYPE}", "us-east-1").usd_per_unit)
    s3 = {item: float(BOOK.price(item, "us-east-1").usd_per_unit) for item in ("s3/get", "s3/put")}
    records = 72_000 * 30
    objects = np.ceil(records * 0.5 / 6) / 1000 * s3["s3/get"] + np.ceil(records * 0.01 / 6) / 1000 * s3["s3/put"]
    assert found.usd({f"batch_transform/{TYPE}": price, **s3})[0] == pytest.approx(hours * price + objects)


def test_most_of_what_is_paid_is_busy():
    found = only(NIGHT)
    assert found.busy_s[0] == pytest.approx(72_000 * 30)
    assert found.busy_s[0] / found.paid_s[0] == pytest.approx(0.95 * WORK_S / (WORK_S + 600), rel=1e-6)


def test_a_fixed_count_is_kept_and_may_be_late():
    found = only(NIGHT, config={"instances": 1})
    assert found.settings["instances"][0] == 1
    done_s = 300 + WORK_S
    assert found.latency.percentile(0.99)[0] == pytest.approx(done_s)
    assert found.latency.share_above(np.array([6 * 3600.0]))[0] == 1


def test_no_job_has_more_than_a_hundred_instances():
    found = only({**NIGHT, "traffic.records_per_job": 72_000_000})
    assert found.settings["instances"][0] == 100


def test_a_deadline_before_the_first_instance_is_up_does_not_ask_for_a_hundred():
    found = only({**NIGHT, "objectives.deadline_s": 120, "traffic.records_per_job": 100})
    assert found.settings["instances"][0] == 1


def test_every_model_of_many_is_a_job_of_its_own():
    found = only({**NIGHT, "models.count": 100, "composition": "independent", "models.popularity": "uniform"})
    assert found.settings["jobs_per_month"][0] == 3000
    # Each has a hundredth of the records: 379 s of work after the 300 s start.
    assert found.instance_hours[0] == pytest.approx(3000 * (300 + WORK_S / 100) / 3600)


def test_a_mean_rate_stands_for_the_records_that_nobody_counted():
    declared = {path: value for path, value in NIGHT.items() if path != "traffic.records_per_job"}
    inputs = resolved({**declared, "traffic.rps_mean": 1})
    assert inputs.traffic.records_per_job[0] == pytest.approx(730 * 3600 / 30)
    assert "traffic.records_per_job" not in inputs.assumed


def test_requests_that_arrive_one_by_one_are_no_batch():
    online = {**NIGHT, "traffic.pattern": "steady"}
    assert analytic.evaluate("batch", "always_on", resolved(online), BOOK, config={}, types=None) is None


def test_the_cheapest_type_within_the_deadline_wins():
    best = evaluated("batch", NIGHT)
    assert best.instance_types is not None

    def usd(found):
        prices = {item: float(BOOK.estimate(item, "us-east-1").usd_per_unit) for item in found.metered}
        return found.usd(prices)[0]

    for other in (TYPE, "ml.c5.2xlarge", "ml.m5.large", "ml.m5.xlarge", "ml.c5.4xlarge"):
        rival = evaluated("batch", NIGHT, config={"instance_type": other})
        if rival.latency.percentile(0.5)[0] <= 6 * 3600:
            assert usd(best) <= usd(rival) * (1 + 1e-9)


def test_a_model_that_does_not_fit_decides_the_type():
    found = evaluated("batch", {**NIGHT, "models.memory_mb": 100_000})
    assert found.instance_types is not None
    assert any(size in found.instance_types[0] for size in ("8xlarge", "12xlarge", "16xlarge", "24xlarge", "4xlarge"))


def test_the_bill_never_falls_as_a_job_grows():
    bills = []
    for records in np.geomspace(1, 1e9, 80):
        found = evaluated("batch", {**NIGHT, "traffic.records_per_job": int(records)})
        prices = {item: float(BOOK.estimate(item, "us-east-1").usd_per_unit) for item in found.metered}
        bills.append(found.usd(prices)[0])
    assert np.all(np.diff(bills) >= -1e-6)
