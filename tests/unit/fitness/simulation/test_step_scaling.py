"""Step scaling in front of a queue, by hand."""

import pytest

from fitness.errors import InputError
from fitness.simulation.control import Step, StepScaling, run


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
