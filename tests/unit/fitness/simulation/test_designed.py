"""The design of a policy for an option of a workload."""

import numpy as np
import pytest

from fitness.errors import InputError
from fitness.options import OPTIONS
from fitness.simulation.designed import KINDS, busiest_day, design_for
from fitness.simulation.months import DAY, Month
from fitness.simulation.policies import Kind
from fitness.simulation.policy_lint import refused
from fitness.simulation.rules import Fixed
from tests.declared import PLAIN, studied

DIURNAL = {
    "models.count": 1,
    "models.artifact_mb": 100,
    "models.memory_mb": 400,
    "accelerator": "none",
    "request.processing_ms": 100,
    "request.concurrency": 2,
    "request.measured_on": "ml.m5.large",
    "request.synchronous": True,
    "traffic.pattern": "diurnal",
    "traffic.rps_mean": 30,
    "traffic.rps_peak": 120,
    "objectives.latency_p99_ms": 1000,
}
LATER = {"request.synchronous": False, "objectives.deadline_s": 600}
TYPE = {"instance_type": "ml.m5.large"}


def found(option="real_time", kind=Kind.TARGET_TRACKING, config=TYPE, metric=None, **changes):
    values = {path: value for path, value in {**DIURNAL, **changes}.items() if value is not None}
    return design_for(studied(values, config=config, priors=PLAIN), option, kind, metric=metric)


def queued(config=TYPE, **changes):
    return found("async", Kind.BACKLOG, config, **{**LATER, "objectives.latency_p99_ms": None, **changes})


def test_every_option_on_instances_has_kinds_and_no_other_has():
    assert set(KINDS) == set(OPTIONS) - {"batch", "serverless", "azure_functions"}


@pytest.mark.parametrize(
    ("option", "kind"), [("real_time", Kind.BACKLOG), ("mme", Kind.TO_ZERO), ("serverless", Kind.STEP)]
)
def test_a_kind_that_an_option_cannot_have_is_refused(option, kind):
    with pytest.raises(InputError, match="must be one of"):
        found(option, kind)


def test_the_recommended_policy_keeps_the_objective_at_less_than_the_fixed_fleet():
    made = found()
    assert made.found.is_met
    assert made.found.best.late_ratio <= made.late_share == 0.01
    assert made.found.best.cost < made.found.fixed.cost
    assert isinstance(made.found.fixed.policy, Fixed)
    assert not refused(made.findings)


def test_money_is_hours_times_the_price_of_the_type_and_its_volume():
    made = found(config={**TYPE, "volume_gb": 20})
    book = studied(DIURNAL).book
    hour, stored = (
        float(book.estimate(item, "us-east-1").usd_per_unit) for item in ("hosting/ml.m5.large", "storage/hosting")
    )
    assert made.usd_per_hour == pytest.approx(hour + 20 * stored / 730)
    assert made.found.best.usd == pytest.approx(made.found.best.instance_hours * made.usd_per_hour)
    assert made.price.item == "hosting/ml.m5.large"


def test_the_interval_holds_the_mean_over_the_launch_times():
    made = found()
    late = [one.late_ratio for one in made.by_launch]
    assert late == sorted(late)  # a slower launch is late more often
    assert np.mean(late) == pytest.approx(made.found.best.late_ratio)
    assert max(late) == made.found.best.worst_late_ratio


def test_the_busiest_day_is_one_of_midnight_to_midnight_with_the_instances_that_it_needs():
    made = found()
    assert made.followed.needed.size == made.followed.ready.size == made.followed.paid.size == DAY
    assert made.followed.starts_at_midnight
    # 120 requests a second at its busiest, of which one instance carries `carries_per_minute` in a minute.
    assert made.followed.needed.max() == pytest.approx(120 * 60 / made.carries_per_minute, rel=0.1)
    assert np.all(made.followed.paid >= made.followed.ready - 1e-9)


def month_of(counts, minute_of_week):
    counts = np.array(counts, dtype=float)
    return Month(rps=counts / 60, counts=counts, minute_of_week=minute_of_week, weight=1.0, notes=())


def test_the_busiest_day_begins_at_a_midnight_of_the_recording():
    counts = np.zeros(3 * DAY)
    counts[DAY + 30] = 5
    assert busiest_day(month_of(counts, 0)) == DAY
    # Recorded from 06:00 on: the midnights are after 18 hours.
    assert busiest_day(month_of(counts, 6 * 60)) == 18 * 60
    assert busiest_day(month_of(counts[:100], 0)) == 0


def test_a_queue_is_worked_off_at_full_speed_until_its_deadline():
    made = queued()
    assert made.carries_per_minute == pytest.approx(60 * 2 / 0.1)
    assert made.deadline_s == 600
    assert made.found.is_met
    assert made.price.item == "async/ml.m5.large"


def test_a_policy_to_zero_contradicts_a_workload_that_accepts_no_cold_start():
    quiet = {"traffic.pattern": "intermittent", "traffic.rps_mean": 0.01, "traffic.rps_peak": 1}
    refuses = found("real_time", Kind.TO_ZERO, **quiet, **{"objectives.cold_start_ok": False})
    assert any("accepts no cold start" in note for note in refuses.notes)
    assert not any("accepts no cold start" in note for note in found("real_time", Kind.TO_ZERO, **quiet).notes)


def test_a_burstable_type_is_refused_since_it_cannot_be_registered():
    made = found(config={"instance_type": "ml.t2.medium"})
    assert [one.code for one in made.findings if one.level == "refuse"] == ["burstable-type"]


def test_where_the_cheapest_type_is_burstable_another_one_is_taken_and_named():
    tiny = {"request.processing_ms": 1, "traffic.rps_mean": 0.1, "traffic.rps_peak": 0.2, "models.memory_mb": 100}
    proposed = studied({**DIURNAL, **tiny}).configured("real_time").outcome.instance_types[0]
    made = found(config=None, **tiny)
    assert proposed.startswith("ml.t2.")
    assert not made.instance_type.startswith("ml.t2.")
    assert not refused(made.findings)
    assert any(note.startswith(f"{proposed} costs less") for note in made.notes)


def test_a_metric_that_the_option_does_not_publish_is_refused_with_its_owner():
    made = found(metric="ApproximateBacklogSizePerInstance")
    (first, *_) = made.findings
    assert (first.level, first.code) == ("refuse", "unpublished-metric")
    assert "belongs to async" in first.message
    assert not refused(found(metric="CPUUtilization").findings)


def test_of_many_endpoints_the_most_requested_one_is_designed():
    made = found(**{"models.count": 100, "models.popularity": "uniform", "models.frameworks": "same"})
    assert made.endpoints == 100
    # A hundredth of 120 a second at its busiest.
    assert made.followed.needed.max() < 120 * 60 / 100 / made.carries_per_minute * 1.5
    assert any("1.00 % of the traffic" in note for note in made.notes)


def test_a_multi_model_endpoint_keeps_the_instances_that_hold_its_models():
    values = {
        "models.count": 1000,
        "models.memory_mb": 1024,
        "models.popularity": "zipf:0.9",
        "models.frameworks": "same",
    }
    made = found("mme", config={"instance_type": "ml.m5.xlarge"}, **values)
    work = studied({**DIURNAL, **values}, config={"instance_type": "ml.m5.xlarge"}, priors=PLAIN)
    resident = float(work.configured("mme").outcome.settings["models_in_memory"][0])
    # 16 GiB less 1 GiB of the system hold 15 models of 1 GiB.
    assert made.found.best.policy.minimum >= np.ceil(resident / 15)


def test_the_same_seed_gives_the_same_design():
    first, second = found(), found()
    assert first.found == second.found
    assert np.array_equal(first.followed.ready, second.followed.ready)


def test_a_queue_keeps_an_instance_where_the_workload_accepts_no_cold_start():
    minimums = {
        accepted: {one.policy.minimum for one in queued(**{"objectives.cold_start_ok": accepted}).found.candidates}
        for accepted in (None, True, False)
    }
    assert 0 in minimums[None] & minimums[True]
    assert min(minimums[False]) == 1
    assert not any("no cold start" in note for note in queued(**{"objectives.cold_start_ok": False}).notes)
