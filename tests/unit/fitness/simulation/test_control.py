import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fitness.errors import InputError
from fitness.simulation import control_loop
from fitness.simulation.control import (
    Action,
    Backlog,
    Fixed,
    Scheduled,
    Step,
    StepScaling,
    TargetTracking,
    ToZero,
    run,
)

DAY = 24 * 60


def tracking(target=60, minimum=1, maximum=9, **kwargs):
    return TargetTracking(target_per_minute=target, minimum=minimum, maximum=maximum, **kwargs)


def test_three_datapoints_above_the_target_start_what_the_last_one_needs():
    # Minute 0 is at the target, not above. Minutes 1, 2, 3 are: at 240 s three instances are wanted, two are started,
    # they are ready after 120 s of launch.
    found = run(tracking(), [60, 130, 170, 180, 180, 180, 180, 180], 120)
    assert found.desired.tolist() == [1, 1, 1, 1, 3, 3, 3, 3]
    assert found.ready.tolist() == [1, 1, 1, 1, 1, 1, 3, 3]
    assert found.event_s.tolist() == [360]
    assert found.event_delta.tolist() == [2]
    assert found.initial == 1
    # Who starts is billed.
    assert found.paid.tolist() == [1, 1, 1, 1, 3, 3, 3, 3]
    assert found.instance_hours == pytest.approx(16 / 60)


def test_two_datapoints_above_the_target_start_nothing():
    found = run(tracking(), [60, 180, 180, 60, 180, 180, 60, 60], 60)
    assert found.desired.tolist() == [1] * 8


def test_a_launch_that_ends_within_a_minute_serves_for_the_rest_of_it():
    found = run(tracking(), [60, 180, 180, 180, 180, 180, 180], 90)
    # Decided at 240 s, ready at 330 s: half of minute 5.
    assert found.serving.tolist() == [1, 1, 1, 1, 1, 2, 3]
    assert found.ready.tolist() == [1, 1, 1, 1, 1, 1, 3]


def test_instances_that_are_starting_count_as_capacity():
    # A launch of an hour: the load of two more instances is asked for once, not again after each cooldown.
    found = run(tracking(), [60] + [180] * 50, 3600)
    assert found.desired.tolist() == [1] * 4 + [3] * 47
    assert found.ready.tolist() == [1] * 51


def test_the_next_scale_out_waits_for_the_cooldown():
    # Out at 240 s to 3. Minute 4 at 300 is above 3 x 60 and the third in a row, but until 540 s the cooldown holds.
    counts = [60, 180, 180, 180] + [300] * 20
    assert run(tracking(), counts, 60).desired.tolist()[:11] == [1] * 4 + [3] * 5 + [5] * 2
    assert run(tracking(scale_out_cooldown_s=60), counts, 60).desired.tolist()[:11] == [1] * 4 + [3] + [5] * 6
    assert run(tracking(scale_out_cooldown_s=0), counts, 60).desired.tolist()[:11] == [1] * 4 + [3] + [5] * 6
    assert run(tracking(scale_out_cooldown_s=61), counts, 60).desired.tolist()[:11] == [1] * 4 + [3] * 2 + [5] * 5


def test_fifteen_datapoints_below_nine_tenths_of_the_target_scale_in():
    # Three instances at 160 a minute: 53.3 each, below 54. What 160 needs is three, so nothing goes.
    assert run(tracking(), [180] + [160] * 40, 60).desired.tolist() == [3] * 41
    # At 119 two are enough: minutes 1 to 15 are the fifteen datapoints, the decision is at minute 16.
    found = run(tracking(), [180] + [119] * 20, 60)
    assert found.desired.tolist() == [3] * 16 + [2] * 5
    assert found.event_s.tolist() == [16 * 60]
    assert found.event_delta.tolist() == [-1]


def test_a_metric_between_nine_tenths_and_the_target_holds():
    # 165 over three instances is 55 each: above 54, so no alarm, although two more minutes of patience change nothing.
    assert run(tracking(), [180] + [165] * 60, 60).desired.tolist() == [3] * 61
    # Of ten instances 540 a minute are 54 each, exactly nine tenths: not below.
    assert run(tracking(maximum=20), [600] + [540] * 60, 60).desired.tolist() == [10] * 61
    assert run(tracking(maximum=20), [600] + [539] * 60, 60).desired.tolist() == [10] * 16 + [9] * 45


def test_scale_in_keeps_what_the_busiest_of_the_fifteen_minutes_needs():
    found = run(tracking(), [540] + [60] * 7 + [230] + [60] * 7 + [60] * 14, 60)
    assert found.desired.tolist()[:16] == [9] * 16
    assert found.desired[16] == 4  # 230 needs four; the quiet minutes alone would need one
    # 230 is in the window until minute 23 ends; the cooldown from minute 16 is over by then.
    assert found.desired.tolist()[17:24] == [4] * 7
    assert found.desired[24] == 1


def test_the_next_scale_in_waits_for_the_cooldown():
    counts = [540] + [230] * 15 + [60] * 40
    quick, slow = (run(tracking(scale_in_cooldown_s=s), counts, 60).desired.tolist() for s in (300, 1200))
    assert quick[16] == slow[16] == 4
    # After minute 30 the last fifteen minutes need one instance.
    assert quick[30:33] == [4, 1, 1]
    assert slow[35:38] == [4, 1, 1]


def test_without_traffic_there_is_no_datapoint_and_nothing_scales_in():
    counts = [540] + [0] * 100
    assert run(tracking(), counts, 60).desired.tolist() == [9] * 101
    assert run(tracking(emits_zero=True), counts, 60).desired.tolist() == [9] * 16 + [1] * 85
    # One silent minute in fifteen is enough to hold.
    holed = [540] + [60 if minute % 14 else 0 for minute in range(1, 101)]
    assert run(tracking(), holed, 60).desired.tolist() == [9] * 101


def test_scale_in_can_be_disabled():
    assert run(tracking(scales_in=False), [540] + [60] * 100, 60).desired.tolist() == [9] * 101


def test_who_was_taken_out_is_billed_until_it_has_drained():
    found = run(tracking(), [180] + [119] * 20, 60, drain_s=90)
    assert found.desired.tolist() == [3] * 16 + [2] * 5
    assert found.paid.tolist() == [3] * 16 + [3, 2.5, 2, 2, 2]
    assert run(tracking(), [180] + [119] * 20, 60, drain_s=0).paid.tolist() == [3] * 16 + [2] * 5


def test_what_has_not_started_is_cancelled_first():
    # Two of three are still starting when the policy scales in: no instance in service is taken out, nothing drains.
    found = run(tracking(), [60, 180, 180, 180] + [50] * 20, 1800)
    assert found.desired.tolist()[3:20] == [1] + [3] * 15 + [1]
    assert found.ready.tolist() == [1] * 24
    assert found.paid.tolist()[3:20] == [1] + [3] * 15 + [1]
    assert found.event_s.tolist() == []


def test_the_metric_is_of_a_minute_and_steps_reach_as_far_as_it_is_beyond():
    policy = StepScaling(
        out_above=60,
        in_below=30,
        steps_out=(Step(distance=0, change=1), Step(distance=60, change=4)),
        steps_in=(Step(distance=0, change=1), Step(distance=20, change=2)),
        minimum=1,
        maximum=9,
        out_points=1,
        in_points=2,
        scale_out_cooldown_s=0,
        scale_in_cooldown_s=0,
    )
    # 61 on one: one more. 130 on two is 65: one more. 540 on three is 180, 120 beyond: four more. 200 on seven is 28.6
    # and 40 on seven 5.7, 24 below 30, two datapoints: two less; 40 on five is 8, 22 below: two less.
    found = run(policy, [61, 130, 540, 200, 40, 40, 200], 0, start=1)
    assert found.desired.tolist() == [1, 2, 3, 7, 7, 5, 3]


def test_a_schedule_moves_the_bounds_and_the_week_repeats():
    actions = (
        Action(minute_of_week=8 * 60, minimum=4, maximum=9),
        Action(minute_of_week=18 * 60, minimum=1, maximum=2),
    )
    policy = Scheduled(base=tracking(), actions=actions)
    found = run(policy, [30] * (2 * 7 * DAY), 120)
    week = found.desired[: 7 * DAY]
    assert set(week[8 * 60 : 18 * 60].tolist()) == {4}
    # The alarm below the target has been waiting all day for a minimum that allows it.
    assert week[18 * 60] == 1
    assert found.ready[8 * 60 + 1] < 4 == found.ready[8 * 60 + 2]
    assert found.desired[7 * DAY + 8 * 60] == 4
    # Before Monday's first action the last one of the week before holds.
    assert found.desired[0] == 1
    assert run(policy, [30] * 60, 120, minute_of_week=9 * 60).desired.tolist() == [4] * 60
    # A maximum cuts at once, whatever the load.
    assert run(policy, [300] * DAY, 120).desired.tolist()[18 * 60 - 1 : 18 * 60 + 1] == [5, 2]


def test_a_fixed_fleet_stays():
    found = run(Fixed(instances=3), [1000, 0, 50], 300)
    assert found.desired.tolist() == found.ready.tolist() == found.paid.tolist() == [3, 3, 3]


def test_copies_go_to_zero_and_an_alarm_on_failures_brings_one_back():
    policy = ToZero(target_per_minute=60, maximum=4)
    counts = [60] + [0] * 20 + [5] * 10
    found = run(policy, counts, 120)
    # Fifteen datapoints of 0 after minute 0: gone at minute 16.
    assert found.desired.tolist()[15:17] == [1, 0]
    # Minute 21 fails; one copy is started when it ends and serves from 22 + 2 minutes on.
    assert found.desired.tolist()[21:23] == [0, 1]
    assert found.serving.tolist()[21:26] == [0, 0, 0, 1, 1]
    # While nobody serves there is no metric of a copy: what fails does not ask for more copies.
    assert run(policy, [0] * 5 + [500] * 5, 600, start=0).desired.tolist() == [0] * 6 + [1] * 4


def test_a_queue_at_zero_wakes_after_two_minutes_and_works_off():
    policy = Backlog(target_per_instance=5, minimum=0, maximum=4)
    found = run(policy, [0, 3, 0, 0, 0, 0, 0, 0, 0], 120, carries_per_minute=2)
    # The backlog stands at the end of minutes 1 and 2: the decision is at minute 3, one instance serves from minute 5.
    assert found.desired.tolist() == [0, 0, 0, 1, 1, 1, 1, 1, 1]
    assert found.backlog.tolist() == [0, 3, 3, 3, 3, 1, 0, 0, 0]
    asleep = Backlog(target_per_instance=5, minimum=0, maximum=4, wakes=False)
    assert run(asleep, [0, 3, 0, 0], 60, carries_per_minute=2).desired.tolist() == [0] * 4


def test_a_backlog_above_the_target_of_each_instance_starts_more_and_an_empty_one_goes_to_the_minimum():
    policy = Backlog(target_per_instance=5, minimum=0, maximum=9)
    counts = [1, 40] + [0] * 60
    found = run(policy, counts, 60, carries_per_minute=2)
    # 38, 36, 34 are above 5 after minutes 1, 2, 3: at minute 4 there are seven for the 34 that are left.
    assert found.backlog.tolist()[:5] == [0, 38, 36, 34, 32]
    assert found.desired.tolist()[3:6] == [1, 7, 7]
    assert found.desired[-1] == 0
    # Requests in process count: two instances that are always busy with one request each are not idle.
    busy = run(policy, [4] * 100, 60, carries_per_minute=2, service_s=30, start=2)
    assert busy.backlog.tolist()[:15] == [2.0] * 15
    assert busy.desired.tolist()[:16] == [2] * 15 + [1]


def test_between_gives_what_a_kernel_needs():
    found = run(tracking(), [60] + [180] * 10 + [50] * 30, 120)
    assert found.between(0, 600)[0] == 1
    initial, event_s, event_delta = found.between(360, 3000)
    assert initial == 3
    assert event_s.tolist() == [26 * 60]
    assert event_delta.tolist() == [-2]


@pytest.mark.parametrize("counts", [[], [-1], [math.nan], [math.inf], [[1, 2]]])
def test_counts_that_are_none_are_refused(counts):
    with pytest.raises(ValueError, match="one count >= 0 for each minute"):
        run(tracking(), counts, 60)


def test_times_below_zero_and_a_backlog_without_speed_are_refused():
    with pytest.raises(ValueError, match="times must be >= 0 seconds"):
        run(tracking(), [1], -1)
    with pytest.raises(ValueError, match="works off in a minute"):
        run(Backlog(target_per_instance=5, minimum=0, maximum=4), [1], 60)


def test_every_wrong_field_of_a_policy_is_said_at_once():
    with pytest.raises(InputError) as caught:
        TargetTracking(target_per_minute=0, minimum=0, maximum=3, scale_out_cooldown_s=-1)
    assert [str(problem) for problem in caught.value.problems] == [
        "must be a number > 0, got 0 @ $.policy.target_per_minute",
        "must be a whole number from 1 to 1000000, got 0 @ $.policy.minimum",
        "must be 0 to 30 days in seconds, got -1 @ $.policy.scale_out_cooldown_s",
    ]
    with pytest.raises(InputError, match=r"must be at most the maximum \(2\), got 3"):
        tracking(minimum=3, maximum=2)
    with pytest.raises(InputError, match="must start at different minutes"):
        Scheduled(base=tracking(), actions=(Action(minute_of_week=1, minimum=1, maximum=2),) * 2)
    with pytest.raises(InputError, match="must begin with a step at distance 0"):
        StepScaling(out_above=60, in_below=30, steps_out=(), steps_in=(), minimum=1, maximum=2)


COUNTS = st.lists(st.integers(0, 400), min_size=1, max_size=120)
POLICIES = st.builds(
    lambda target, bounds, out_s, in_s, emits: TargetTracking(
        target_per_minute=target,
        minimum=min(bounds),
        maximum=max(bounds),
        scale_out_cooldown_s=out_s,
        scale_in_cooldown_s=in_s,
        emits_zero=emits,
    ),
    st.sampled_from([10, 33.3, 60]),
    st.tuples(st.integers(1, 12), st.integers(1, 12)),
    st.sampled_from([0, 60, 300, 900]),
    st.sampled_from([0, 300, 600]),
    st.booleans(),
)
LAUNCHES = st.sampled_from([0, 1, 60, 90, 300, 301.5, 2000])


@given(POLICIES, COUNTS, LAUNCHES)
def test_the_count_stays_within_its_bounds_and_events_tell_the_same_story(policy, counts, launch_s):
    found = run(policy, counts, launch_s)
    assert np.all((found.desired >= policy.minimum) & (found.desired <= policy.maximum))
    assert np.all((found.ready >= policy.minimum) & (found.ready <= found.desired))
    assert np.all(found.serving <= found.desired)
    assert np.all(found.paid >= found.desired)
    assert np.all(np.diff(found.event_s) >= 0)
    for minute in range(len(counts)):
        initial, _, _ = found.between(minute * 60, math.inf)
        assert initial == found.ready[minute]


@given(POLICIES, COUNTS, LAUNCHES)
def test_cooldowns_are_respected(policy, counts, launch_s):
    changes = np.diff(run(policy, counts, launch_s).desired)
    for sign, cooldown_s in ((1, policy.scale_out_cooldown_s), (-1, policy.scale_in_cooldown_s)):
        minutes = np.flatnonzero(changes * sign > 0)
        assert np.all(np.diff(minutes) * 60 >= cooldown_s)


@given(POLICIES, COUNTS, LAUNCHES)
def test_every_decision_has_its_datapoints(policy, counts, launch_s):
    found = run(policy, counts, launch_s)
    metric = np.array(counts) / found.desired
    for minute in np.flatnonzero(np.diff(found.desired) > 0) + 1:
        assert minute >= 3
        assert np.all(metric[minute - 3 : minute] > policy.target_per_minute)
    for minute in np.flatnonzero(np.diff(found.desired) < 0) + 1:
        assert minute >= 15
        assert np.all(metric[minute - 15 : minute] < 0.9 * policy.target_per_minute)
        assert policy.emits_zero or min(counts[minute - 15 : minute]) > 0


@given(st.lists(st.integers(0, 60), min_size=1, max_size=40), st.lists(st.integers(0, 60), max_size=40), LAUNCHES)
def test_after_a_ramp_more_load_never_has_fewer_instances(rises, extra, launch_s):
    # Both ramps hold at their top until alarm, cooldown and launch are over.
    less = np.cumsum(rises)
    more = less + np.cumsum(np.resize([*extra, 0], less.size))
    hold = 3 + 5 + math.ceil(launch_s / 60) + 5
    ends = [
        int(run(tracking(maximum=1000), np.append(ramp, np.full(hold, ramp[-1])), launch_s).ready[-1])
        for ramp in (less, more)
    ]
    assert ends[0] <= ends[1]
    # And each carries its load.
    assert ends[0] * 60 >= less[-1]
    assert ends[1] * 60 >= more[-1]


MODES = st.one_of(
    POLICIES,
    st.just(ToZero(target_per_minute=50, maximum=7)),
    st.just(Backlog(target_per_instance=4, minimum=0, maximum=9)),
    st.just(Fixed(instances=2)),
    st.just(
        StepScaling(
            out_above=60,
            in_below=30,
            steps_out=(Step(distance=0, change=1), Step(distance=60, change=4)),
            steps_in=(Step(distance=0, change=1),),
            minimum=1,
            maximum=9,
        )
    ),
    st.just(
        Scheduled(
            base=Backlog(target_per_instance=4, minimum=0, maximum=9),
            actions=(Action(minute_of_week=5, minimum=2, maximum=3), Action(minute_of_week=9, minimum=0, maximum=9)),
        )
    ),
)


@given(MODES, COUNTS, LAUNCHES)
def test_compiled_and_plain_loops_give_the_same_numbers(policy, counts, launch_s):
    kwargs = {"carries_per_minute": 7.5, "service_s": 8.0, "drain_s": 45.0}
    fast = run(policy, counts, launch_s, **kwargs)
    plain_loop = getattr(control_loop.loop, "py_func", control_loop.loop)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("fitness.simulation.control.loop", plain_loop)
        plain = run(policy, counts, launch_s, **kwargs)
    for name in ("ready", "desired", "serving", "paid", "backlog", "event_s", "event_delta"):
        assert getattr(fast, name).tolist() == getattr(plain, name).tolist()


def kind_of(value):
    """What a function is compiled for: the kind of an array, the type of a number, or those of a named tuple."""
    if isinstance(value, tuple):
        return type(value), *map(kind_of, value)
    if isinstance(value, np.ndarray):
        return value.dtype, value.ndim, value.flags.c_contiguous, value.flags.writeable
    return type(value)


def test_the_loop_is_compiled_once_whatever_the_policy_and_the_numbers(monkeypatch):
    called = set()

    def watched(*arguments):
        called.add(tuple(map(kind_of, arguments)))
        return control_loop.loop(*arguments)

    monkeypatch.setattr("fitness.simulation.control.loop", watched)
    frozen = np.arange(5.0)
    frozen.setflags(write=False)
    policies = [
        tracking(60),
        tracking(60.5, scale_out_cooldown_s=0.5),
        Fixed(instances=2),
        ToZero(target_per_minute=5, maximum=2),
        Backlog(target_per_instance=5, minimum=0, maximum=3),
        StepScaling(
            out_above=60, in_below=30, steps_out=(Step(distance=0, change=1),), steps_in=(), minimum=1, maximum=3
        ),
        Scheduled(base=tracking(), actions=(Action(minute_of_week=5, minimum=1, maximum=2),)),
    ]
    for policy in policies:
        for counts in ([1, 2], [0.5], frozen, frozen.astype(np.float32)):
            for whole in (60, 60.0):
                run(policy, counts, whole, carries_per_minute=5, drain_s=whole, service_s=0)
    (example,) = control_loop._examples()
    assert called == {tuple(map(kind_of, example))}
