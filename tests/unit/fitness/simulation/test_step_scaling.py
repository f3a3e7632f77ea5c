"""Policies in front of a queue: steps by hand, and what holds of every queue."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fitness.errors import InputError
from fitness.simulation import control_loop
from fitness.simulation.control import Backlog, Step, StepScaling, run

ONE = (Step(distance=0, change=1), Step(distance=9, change=2))
ON_QUEUES = (
    Backlog(target_per_instance=4, minimum=0, maximum=9),
    StepScaling(
        out_above=4,
        in_below=2,
        steps_out=ONE,
        steps_in=ONE,
        minimum=0,
        maximum=9,
        out_points=2,
        in_points=3,
        scale_out_cooldown_s=60,
        scale_in_cooldown_s=0,
        watches_backlog=True,
    ),
)
COUNTS = st.lists(st.integers(0, 60), min_size=1, max_size=80)
LAUNCHES = st.sampled_from([0.0, 60.0, 400.0])


def test_steps_on_a_backlog_add_what_the_farthest_step_says():
    # 100 requests a minute, one instance works off 10: the backlog over the instances is 90, 180, 270 after a minute.
    policy = StepScaling(
        out_above=50,
        in_below=0,
        steps_out=(Step(distance=0, change=1), Step(distance=100, change=4)),
        steps_in=(),
        minimum=1,
        maximum=50,
        out_points=1,
        watches_backlog=True,
        scale_out_cooldown_s=0,
    )
    found = run(policy, [100] * 3, 0, carries_per_minute=10, start=1)
    # 90 is 40 beyond the threshold: one more. Two work off 20, so 170 are left, 85 for each: one more.
    assert found.desired.tolist() == [1, 2, 3]
    assert found.backlog.tolist() == [90, 170, 240]
    far = run(policy, [200] * 2, 0, carries_per_minute=10, start=1)
    assert far.desired.tolist() == [1, 5]  # 190 is 140 beyond


def test_steps_on_a_backlog_leave_zero_after_two_datapoints():
    policy = StepScaling(
        out_above=50,
        in_below=0,
        steps_out=(Step(distance=0, change=1),),
        steps_in=(),
        minimum=0,
        maximum=5,
        watches_backlog=True,
    )
    found = run(policy, [5, 0, 0, 0], 0, carries_per_minute=10, start=0)
    assert found.desired.tolist() == [0, 0, 1, 1]
    assert found.backlog.tolist() == [5, 5, 0, 0]


def test_a_policy_on_a_backlog_needs_to_know_what_is_worked_off():
    steps = (Step(distance=0, change=1),)
    policy = StepScaling(
        out_above=5, in_below=0, steps_out=steps, steps_in=(), minimum=0, maximum=5, watches_backlog=True
    )
    with pytest.raises(ValueError, match="needs how many requests"):
        run(policy, [5.0], 60)
    with pytest.raises(InputError, match="whole number from 1"):
        StepScaling(out_above=5, in_below=0, steps_out=steps, steps_in=(), minimum=0, maximum=5)


@given(st.sampled_from(ON_QUEUES), COUNTS, LAUNCHES)
def test_nothing_is_lost_from_a_backlog(policy, counts, launch_s):
    found = run(policy, counts, launch_s, carries_per_minute=7.5, drain_s=0)
    before = np.append(0, found.backlog[:-1])
    done = before + counts - found.backlog
    assert np.all(done >= -1e-9)
    assert np.all(done <= found.serving * 7.5 + 1e-9)
    assert found.desired.max() <= 9


@given(st.sampled_from(ON_QUEUES), COUNTS, LAUNCHES)
def test_compiled_and_plain_loops_scale_a_queue_alike(policy, counts, launch_s):
    fast = run(policy, counts, launch_s, carries_per_minute=7.5, service_s=8.0)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("fitness.simulation.control.loop", getattr(control_loop.loop, "py_func", control_loop.loop))
        plain = run(policy, counts, launch_s, carries_per_minute=7.5, service_s=8.0)
    for name in ("ready", "desired", "serving", "paid", "backlog", "event_s", "event_delta"):
        assert getattr(fast, name).tolist() == getattr(plain, name).tolist()
