import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fitness.inputs import HOURS_PER_MONTH
from fitness.options import OPTIONS
from fitness.simulation import policies
from fitness.simulation.months import DAY, Month, month
from fitness.simulation.policies import Candidate, Kind, design, pareto, replay
from fitness.simulation.policy_lint import Level, lint, metrics, published, reaction_s, refused
from fitness.simulation.rules import (
    Action,
    Backlog,
    Fixed,
    Scheduled,
    Step,
    StepScaling,
    TargetTracking,
    ToZero,
)
from fitness.trace import read_trace
from tests.declared import PLAIN, resolved

DIURNAL = {"traffic.pattern": "diurnal", "traffic.rps_mean": 30, "traffic.rps_peak": 120}


def month_of(counts, minute_of_week=0):
    counts = np.array(counts, dtype=float)
    return Month(
        rps=counts / 60,
        counts=counts,
        minute_of_week=minute_of_week,
        weight=HOURS_PER_MONTH * 60 / counts.size,
        notes=(),
    )


def tracking(target=60, minimum=1, maximum=9, **kwargs):
    return TargetTracking(target_per_minute=target, minimum=minimum, maximum=maximum, **kwargs)


def designed(found, kind=Kind.TARGET_TRACKING, option="real_time", **kwargs):
    how = {"carries_per_minute": 600, "launch_s": (300,), "late_share": 0.01, **kwargs}
    return design(found, kind=kind, option=option, **how)


def test_requests_of_a_minute_beyond_the_instances_in_service_are_late():
    # One instance carries 60. Minutes 1 to 4 ask for 180; two more serve from the middle of minute 5 on (launch 90 s).
    counts = [60, 180, 180, 180, 180, 180, 180, 180, 60, 60]
    found = replay(tracking(), month_of(counts), carries_per_minute=60, launch_s=(90,))
    assert found.late_ratio == pytest.approx(5 * 180 / sum(counts))
    assert found.most == 3
    # One change in ten minutes, ten minutes in a month.
    assert found.changes == pytest.approx(HOURS_PER_MONTH * 6)
    assert found.instance_hours == pytest.approx((4 * 1 + 6 * 3) / 60 * HOURS_PER_MONTH * 6)
    assert found.usd is None
    priced = replay(tracking(), month_of(counts), carries_per_minute=60, launch_s=(90,), usd_per_hour=2)
    assert priced.usd == pytest.approx(2 * found.instance_hours)


def test_launch_times_are_equally_likely_and_the_slowest_is_the_worst():
    counts = [60] + [180] * 30
    quick, slow = (
        replay(tracking(), month_of(counts), carries_per_minute=60, launch_s=(one,)).late_ratio for one in (60, 600)
    )
    both = replay(tracking(), month_of(counts), carries_per_minute=60, launch_s=(60, 600))
    assert quick < slow
    assert both.late_ratio == pytest.approx((quick + slow) / 2)
    assert both.worst_late_ratio == slow


def test_a_queued_request_is_late_when_it_waits_longer_than_the_deadline():
    # 30 requests at once, 10 a minute are worked off: the last one waits two minutes more than its own.
    policy = Backlog(target_per_instance=1000, minimum=1, maximum=1)
    for deadline_s, late in ((60, 1.0), (121, 0.0)):
        found = replay(
            policy,
            month_of([30, 0, 0, 0, 0]),
            carries_per_minute=10,
            launch_s=(60,),
            deadline_s=deadline_s,
        )
        assert found.late_ratio == late
    # What is never worked off is late.
    asleep = Backlog(target_per_instance=1000, minimum=0, maximum=1, wakes=False)
    assert replay(asleep, month_of([0, 30, 0]), carries_per_minute=10, launch_s=(60,), deadline_s=1e9).late_ratio == 1


@given(st.lists(st.integers(0, 40), min_size=1, max_size=40), st.lists(st.integers(0, 3), min_size=40, max_size=40))
def test_waits_are_those_of_a_queue_worked_off_minute_by_minute(counts, instances):
    capacity = np.array(instances[: len(counts)]) * 10.0
    found = policies._waits(np.array(counts, dtype=float), capacity)
    queue = []  # minute of arrival of each request that waits
    left = {}
    for minute, count in enumerate(counts):
        queue += [minute] * count
        for _ in range(min(int(capacity[minute]), len(queue))):
            left[queue.pop(0)] = minute  # the last one of a minute to leave decides
    for minute, count in enumerate(counts):
        if count:
            expected = math.inf if minute in queue else left[minute] - minute
            assert found[minute] == expected


def test_the_recommendation_is_the_cheapest_that_is_good_enough():
    found = designed(month(resolved(DIURNAL), seed=1))
    assert found.is_met
    assert found.best.late_ratio <= 0.01
    enough = [one for one in found.candidates if one.late_ratio <= 0.01]
    assert found.best.cost <= 1.01 * min(one.cost for one in enough)
    assert found.best.cost < found.fixed.cost / 2
    assert found.fixed.late_ratio == 0
    policy = found.best.policy
    assert policy.target_per_minute <= 600
    assert policy.maximum >= policy.minimum
    assert not refused(found.findings)
    assert [one.cost for one in found.candidates] == sorted(one.cost for one in found.candidates)


def test_a_stricter_objective_never_costs_less():
    traffic = month(resolved(DIURNAL), seed=1)
    costs = [designed(traffic, late_share=share).best.cost for share in (0.2, 0.05, 0.01, 0.001, 0.0)]
    assert all(strict >= loose / 1.01 for loose, strict in pairwise(costs))


def test_a_slower_launch_is_never_cheaper_at_the_same_lateness():
    traffic = month(resolved(DIURNAL), seed=1)
    for minimum in (1, 4):
        policy = tracking(500, minimum, 20)
        late = [replay(policy, traffic, carries_per_minute=600, launch_s=(s,)).late_ratio for s in (60, 300, 900)]
        assert late == sorted(late)


@pytest.mark.parametrize("kind", list(Kind))
def test_every_kind_has_a_design_within_its_bounds(kind):
    traffic = month(resolved(DIURNAL), seed=1)
    option, variant = ("async", "") if kind is Kind.BACKLOG else ("real_time", "")
    if kind is Kind.TO_ZERO:
        variant = "inference_components"
    found = designed(traffic, kind, option, variant=variant, deadline_s=600, usd_per_hour=0.2, late_share=0.05)
    assert found.is_met
    assert found.pareto[0].cost == found.candidates[0].cost
    assert found.best in found.candidates
    assert not refused(found.findings)
    late = [one.late_ratio for one in found.pareto]
    assert late == sorted(late, reverse=True)
    for one in found.candidates:
        assert 0 <= one.late_ratio <= one.worst_late_ratio + 1e-12 <= 1 + 1e-12
        # Nobody is beaten by an instance count that never changes, but for what drains.
        assert one.instance_hours <= one.most * HOURS_PER_MONTH * 1.05


def test_bursts_that_no_policy_can_follow_keep_their_instances_all_month():
    spiky = {"traffic.pattern": "spiky", "traffic.rps_mean": 30, "traffic.rps_peak": 300}
    found = designed(month(resolved(spiky), seed=1))
    assert found.best.cost == pytest.approx(found.fixed.cost, rel=0.01)
    patient = designed(month(resolved(spiky), seed=1), Kind.BACKLOG, "async", deadline_s=900)
    assert patient.is_met
    assert patient.best.cost < found.best.cost / 3


def test_when_nothing_is_good_enough_the_one_with_fewest_late_is_shown():
    spiky = {"traffic.pattern": "spiky", "traffic.rps_mean": 30, "traffic.rps_peak": 300}
    found = designed(month(resolved(spiky), seed=1), Kind.TO_ZERO, variant="inference_components")
    assert not found.is_met
    assert found.best.late_ratio == min(one.late_ratio for one in found.candidates)
    assert "No policy of this kind keeps late requests within 1.00 %; the one with fewest is shown." in found.notes


def test_a_schedule_raises_the_minimum_before_the_day_begins():
    week = np.zeros(14 * DAY)
    for day in range(14):
        if day % 7 < 5:
            week[day * DAY + 9 * 60 : day * DAY + 17 * 60] = 3000
    week += 30
    found = designed(month_of(week), Kind.SCHEDULED)
    policy = found.best.policy
    assert isinstance(policy, Scheduled)
    starts = [one.minute_of_week for one in policy.actions if one.minimum > 1]
    # Six minutes early: a launch of five and one more.
    assert starts == [day * DAY + 9 * 60 - 6 for day in range(5)]
    assert found.best.late_ratio == 0
    reactive = designed(month_of(week), Kind.TARGET_TRACKING, late_share=0.0)
    assert found.best.cost < reactive.best.cost


def test_traffic_that_does_not_repeat_gets_no_schedule():
    spiky = {"traffic.pattern": "spiky", "traffic.rps_mean": 30, "traffic.rps_peak": 300}
    found = designed(month(resolved(spiky), seed=1), Kind.SCHEDULED)
    assert not any(isinstance(one.policy, Scheduled) for one in found.candidates)
    assert any("does not repeat from week to week" in note for note in found.notes)


def test_a_long_recording_is_replayed_in_part_and_one_without_a_date_says_so():
    trace = read_trace(b"count\n" + b"\n".join(b"%d" % (minute % 97) for minute in range(14 * 7 * DAY)))
    inputs = resolved({}, trace=trace)
    found = designed(month(inputs, seed=1), Kind.SCHEDULED, carries_per_minute=20)
    assert "The last 13 weeks of the recording are replayed." in found.notes
    assert any("first minute is taken as Monday" in note for note in found.notes)


def test_the_designer_refuses_what_it_can_not_use():
    traffic = month_of([1.0])
    with pytest.raises(ValueError, match="speed above 0"):
        designed(traffic, carries_per_minute=0)
    with pytest.raises(ValueError, match="a launch time"):
        designed(traffic, launch_s=())
    with pytest.raises(ValueError, match="for a deadline"):
        designed(traffic, Kind.BACKLOG, "async")


def test_the_workload_says_how_many_may_be_late_and_how_long_a_launch_is():
    assert policies.late_share(resolved({**DIURNAL, "objectives.latency_p99_ms": 200})) == 0.01
    assert policies.late_share(resolved({**DIURNAL, "objectives.latency_p95_ms": 200})) == 0.05
    assert policies.launch_times(resolved(DIURNAL)) == (300, 300, 300)
    assert policies.launch_times(resolved({"accelerator": "gpu"})) == (420, 420, 420)
    spread = policies.launch_times(resolved({}, priors={k: v for k, v in PLAIN.items() if k != "instance_launch_s"}))
    assert spread[0] < spread[1] == pytest.approx(300, rel=1e-3)
    assert spread[2] == pytest.approx(300 * 1.6**1.2816, rel=1e-3)


CANDIDATES = st.lists(
    st.builds(
        lambda cost, late: Candidate(
            policy=Fixed(instances=1),
            instance_hours=cost,
            usd=None,
            late_ratio=late,
            worst_late_ratio=late,
            changes=0,
            most=1,
        ),
        st.integers(0, 9).map(float),
        st.integers(0, 9).map(lambda late: late / 10),
    ),
    min_size=1,
    max_size=30,
)


@given(CANDIDATES)
@settings(max_examples=100)
def test_the_pareto_set_is_who_nobody_beats(candidates):
    found = pareto(candidates)
    for one in candidates:
        beaten = any(
            other.cost <= one.cost
            and other.late_ratio <= one.late_ratio
            and (other.cost, other.late_ratio) != (one.cost, one.late_ratio)
            for other in candidates
        )
        same = any((one.cost, one.late_ratio) == (each.cost, each.late_ratio) for each in found)
        assert beaten is not same


def codes(*args, **kwargs):
    return [f"{one.level} {one.code}" for one in lint(*args, **kwargs)]


def test_a_metric_that_an_option_does_not_publish_is_refused():
    (found,) = lint("async", tracking(emits_zero=True))
    assert found.level is Level.REFUSE
    assert found.code == "unpublished-metric"
    assert found.message == (
        'async does not publish "InvocationsPerInstance"; it belongs to mce_direct, mme, mme_gpu, real_time, '
        "serial_pipeline, triton_ensemble; scale on one of ApproximateBacklogSizePerInstance, CPUUtilization, GPUUtilization"
    )
    assert codes("mme", Backlog(target_per_instance=5, minimum=1, maximum=2)) == ["refuse unpublished-metric"]
    assert codes("real_time", tracking(emits_zero=True), metric="MyOwn") == ["refuse unpublished-metric"]
    assert codes("real_time", tracking(emits_zero=True)) == []
    assert codes("async", Backlog(target_per_instance=5, minimum=1, maximum=2)) == []


def test_a_metric_that_does_not_follow_the_instances_is_refused():
    for metric in ("Invocations", "MemoryUtilization", "ModelLatency"):
        assert codes("real_time", tracking(emits_zero=True), metric=metric) == ["refuse unsuited-metric"]
    assert codes("async", tracking(emits_zero=True), metric="HasBacklogWithoutCapacity") == ["refuse unsuited-metric"]
    assert codes("real_time", tracking(emits_zero=True), metric="CPUUtilization") == []


@pytest.mark.parametrize("option", ["serverless", "batch", "azure_functions"])
def test_an_option_that_scales_by_itself_has_no_policy(option):
    assert codes(option, tracking(emits_zero=True)) == ["refuse no-policy"]


def test_provisioned_units_scale_on_their_own_metric():
    metric = "ServerlessProvisionedConcurrencyUtilization"
    assert codes("serverless", tracking(emits_zero=True), variant="provisioned", metric=metric) == []
    assert codes("serverless", tracking(emits_zero=True), metric=metric) == ["refuse no-policy"]


def test_a_minimum_of_zero_needs_a_queue_or_inference_components():
    policy = ToZero(target_per_minute=60, maximum=3)
    assert codes("real_time", policy) == ["refuse unpublished-metric", "refuse zero-minimum"]
    assert codes("real_time", policy, variant="inference_components") == ["warn fails-at-zero"]
    asleep = Backlog(target_per_instance=5, minimum=0, maximum=2, wakes=False)
    assert codes("async", asleep) == ["warn no-wake"]
    nightly = Scheduled(
        base=Backlog(target_per_instance=5, minimum=1, maximum=2, wakes=False),
        actions=(Action(minute_of_week=0, minimum=0, maximum=2),),
    )
    assert codes("async", nightly) == ["warn no-wake"]


def test_known_traps_are_warned_of():
    assert codes("real_time", tracking(emits_zero=True, scale_out_cooldown_s=60), launch_s=300) == [
        "warn cooldown-shorter-than-launch"
    ]
    assert codes("real_time", tracking(100, emits_zero=True), carries_per_minute=60) == ["refuse target-above-capacity"]
    small = codes("real_time", tracking(maximum=2, emits_zero=True), carries_per_minute=60, counts=np.array([1.0, 300]))
    assert small == ["warn maximum-too-small"]
    swinging = StepScaling(
        out_above=60,
        in_below=50,
        steps_out=(Step(distance=0, change=1),),
        steps_in=(Step(distance=0, change=1),),
        minimum=1,
        maximum=9,
        emits_zero=True,
    )
    assert codes("real_time", swinging) == ["warn swings"]


def test_an_idle_endpoint_that_never_scales_in_is_warned_of():
    assert codes("real_time", tracking()) == ["warn quiet-minutes"]
    assert codes("real_time", tracking(), counts=np.array([5.0, 1.0])) == []
    (found,) = lint("real_time", tracking(), counts=np.array([5.0, 0, 0, 1.0]))
    assert "50 % of the minutes here have none" in found.message


def test_a_policy_that_only_adds_instances_is_warned_of_and_of_no_datapoints():
    growing = StepScaling(
        out_above=60, in_below=0, steps_out=(Step(distance=0, change=1),), steps_in=(), minimum=1, maximum=9
    )
    for policy in (growing, tracking(scales_in=False), tracking(scales_in=False, emits_zero=True)):
        assert codes("real_time", policy, counts=np.array([5.0, 0.0])) == ["warn only-grows"]


def test_a_fixed_fleet_has_nothing_to_lint():
    assert codes("real_time", Fixed(instances=2), launch_s=300, carries_per_minute=1) == []


def test_the_time_to_react_is_the_alarm_and_the_launch():
    assert reaction_s(tracking(), 300) == 480
    hard = StepScaling(
        out_above=60,
        in_below=30,
        steps_out=(Step(distance=0, change=1),),
        steps_in=(),
        minimum=1,
        maximum=9,
        out_points=1,
    )
    assert reaction_s(hard, 300) == 360


def test_the_table_of_metrics_is_sound():
    assert len({(one.name, one.variant) for one in metrics()}) == len(metrics())
    for one in metrics():
        assert one.options <= set(OPTIONS)
        assert one.use in ("track", "wake", "watch")
        assert one.period_s in (10, 60)
        assert one.source
        assert one.as_of
        assert one.note
    for option in ("real_time", "async", "mme", "mme_gpu", "mce_direct", "serial_pipeline", "triton_ensemble"):
        assert any(one.use == "track" for one in published(option))
