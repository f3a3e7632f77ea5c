"""The lines in which a scaling policy is typed: what they say, what they refuse, and the way there and back."""

import pytest

from fitness.analytic.settings import checked
from fitness.errors import InputError
from fitness.simulation.policy_config import BACKLOG, stated
from fitness.simulation.policy_settings import settings_of
from fitness.simulation.rules import Action, Scheduled, StepScaling, TargetTracking
from tests.scaling import STEPS
from ui import policy_text

METRIC = "InvocationsPerInstance"
OFFICE_HOURS = tuple(
    Action(minute_of_week=day * 1440 + hour * 60 + 54, minimum=low, maximum=5)
    for day in range(7)
    for hour, low in (((9, 5), (18, 2)) if day < 5 else ((10, 4), (17, 2)))
)


def test_steps_are_read_as_distances_from_the_threshold_of_the_alarm():
    policy = policy_text.read({"steps_out": "600: 1, 900: 3", "steps_in": "300:1,100: 2"}, metric=METRIC)
    assert policy["step"] == {
        "metric": METRIC,
        "out_above": 600.0,
        "steps_out": [{"distance": 0.0, "change": 1}, {"distance": 300.0, "change": 3}],
        "in_below": 300.0,
        "steps_in": [{"distance": 0.0, "change": 1}, {"distance": 200.0, "change": 2}],
        "out_points": 3,
        "in_points": 15,
    }
    assert checked({"policy": policy})


def test_the_order_in_which_steps_are_typed_does_not_matter():
    one, other = (policy_text.read({"steps_out": text}, metric=METRIC) for text in ("600: 1, 900: 3", "900: 3, 600: 1"))
    assert one == other


def test_steps_without_removing_leave_the_alarm_for_it_out():
    step = policy_text.read({"steps_out": "5: 1", "out_points": 2}, metric=BACKLOG)["step"]
    assert "in_below" not in step
    assert step["out_points"] == 2
    assert stated({"policy": {"step": step}}).step.watches_backlog


def test_a_schedule_is_read_action_by_action():
    policy = policy_text.read({"schedule": "weekdays 07:30 4-8, daily 20:00 1-4"}, metric=METRIC)
    assert policy == {
        "schedule": [
            {"at": "weekdays 07:30", "min_instances": 4, "max_instances": 8},
            {"at": "daily 20:00", "min_instances": 1, "max_instances": 4},
        ]
    }
    assert len(stated({"policy": policy}).actions) == 12


def test_nothing_typed_is_no_policy():
    assert policy_text.read({"steps_out": " ", "out_points": 4}, metric=METRIC) == {}


@pytest.mark.parametrize(
    ("parts", "wrong"),
    [
        ({"steps_out": "600"}, ["steps_out"]),
        ({"steps_out": "600: 0"}, ["steps_out"]),
        ({"steps_out": "600: 1", "steps_in": "x", "schedule": "noon"}, ["steps_in", "schedule"]),
        ({"steps_in": "300: 1"}, ["steps_in"]),
        ({"schedule": "mon 7:30 1-2"}, ["schedule"]),
    ],
)
def test_every_line_that_can_not_be_read_is_named(parts, wrong):
    with pytest.raises(InputError) as caught:
        policy_text.read(parts, metric=METRIC)
    assert [problem.path.rpartition(".")[2] for problem in caught.value.problems] == wrong


@pytest.mark.parametrize(
    "policy",
    [
        STEPS,
        Scheduled(base=STEPS, actions=OFFICE_HOURS),
        Scheduled(base=TargetTracking(target_per_minute=900, minimum=1, maximum=5), actions=OFFICE_HOURS),
    ],
    ids=["steps", "both", "schedule"],
)
def test_what_is_written_is_read_back_as_the_same_policy(policy):
    given = settings_of(policy)["policy"]
    again = policy_text.read(policy_text.write(given), metric=METRIC)
    before, after = stated({"policy": given}), stated({"policy": again})
    assert set(after.actions) == set(before.actions)
    assert numbers(after.step) == pytest.approx(numbers(before.step), rel=1e-5)


def numbers(step: StepScaling | None) -> list[float]:
    if step is None:
        return []
    steps = [number for one in step.steps_out + step.steps_in for number in (one.distance, one.change)]
    return [step.out_above, step.in_below, step.out_points, step.in_points, *steps]


def test_days_of_the_same_bounds_are_written_together():
    given = settings_of(Scheduled(base=STEPS, actions=OFFICE_HOURS))["policy"]
    assert policy_text.write(given)["schedule"] == (
        "weekdays 09:54 5-5, weekdays 18:54 2-5, weekends 10:54 4-5, weekends 17:54 2-5"
    )


def test_thresholds_are_written_without_an_exponent():
    given = {"step": {"out_above": 2e7, "steps_out": [{"distance": 0, "change": 1}], "out_points": 3, "in_points": 15}}
    assert policy_text.write(given)["steps_out"] == "20000000: 1"
    given["step"]["out_above"] = 0.00123456
    assert policy_text.write(given)["steps_out"] == "0.00123456: 1"
