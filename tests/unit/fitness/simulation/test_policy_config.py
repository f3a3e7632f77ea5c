"""A stated policy: how it is read, what is refused, and what it does to the instances that are played."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fitness import presets, prices
from fitness.errors import InputError
from fitness.simulation import players
from fitness.simulation.day import play_day
from fitness.simulation.endpoints import endpoint_of
from fitness.simulation.months import month
from fitness.simulation.play import played, simulate
from fitness.simulation.policy_config import policy_of, stated
from fitness.simulation.rules import (
    Action,
    Backlog,
    Fixed,
    Step,
    StepScaling,
    TargetTracking,
    ToZero,
)
from fitness.study import study

BOOK = prices.load_book()
INVOCATIONS, BACKLOG = "InvocationsPerInstance", "ApproximateBacklogSizePerInstance"
ONE = [{"distance": 0, "change": 1}]
STEPS = {"metric": INVOCATIONS, "out_above": 600, "steps_out": ONE, "in_below": 300, "steps_in": ONE}
OFFICE = [
    {"at": "weekdays 08:00", "min_instances": 4, "max_instances": 8},
    {"at": "daily 20:00", "min_instances": 1, "max_instances": 3},
]
TRACKING = TargetTracking(target_per_minute=60, minimum=2, maximum=9)


def laid(base, metrics=(INVOCATIONS, BACKLOG), endpoints=1.0, **config):
    return policy_of(base, config, endpoints=endpoints, metrics=metrics)


def problems(policy):
    with pytest.raises(InputError) as caught:
        stated({"policy": policy})
    return {problem.path.removeprefix("$.config.policy"): problem.message for problem in caught.value.problems}


def test_without_a_policy_the_usual_one_stands():
    assert laid(TRACKING) == TRACKING
    assert stated({"policy": None}) is None


def test_cooldowns_are_settings_of_every_policy():
    found = laid(TRACKING, scale_out_cooldown_s=60, max_instances=12, policy={"step": STEPS})
    assert (found.scale_out_cooldown_s, found.scale_in_cooldown_s, found.maximum) == (60, 300, 12)
    assert laid(TRACKING, scale_in_cooldown_s=900).scale_in_cooldown_s == 900
    assert laid(Fixed(instances=2), scale_in_cooldown_s=900) == Fixed(instances=2)


def test_steps_take_the_bounds_of_the_configuration():
    assert laid(TRACKING, policy={"step": STEPS}) == StepScaling(
        out_above=600,
        in_below=300,
        steps_out=(Step(distance=0, change=1),),
        steps_in=(Step(distance=0, change=1),),
        minimum=2,
        maximum=9,
    )


def test_steps_on_a_queue_may_leave_zero_and_others_keep_one():
    queue = Backlog(target_per_instance=5, minimum=0, maximum=4)
    on_queue = laid(queue, policy={"step": {**STEPS, "metric": BACKLOG}})
    assert (on_queue.watches_backlog, on_queue.minimum, on_queue.maximum) == (True, 0, 4)
    assert laid(ToZero(target_per_minute=9, maximum=3), policy={"step": STEPS}).minimum == 1


def test_steps_on_a_metric_that_the_option_does_not_publish_are_left_out():
    assert laid(TRACKING, metrics=[BACKLOG], policy={"step": STEPS}) == TRACKING


def test_a_schedule_is_spread_over_the_days_that_it_names():
    found = laid(TRACKING, policy={"schedule": OFFICE})
    assert found.base == TRACKING
    assert len(found.actions) == 5 + 7
    assert found.actions[0] == Action(minute_of_week=8 * 60, minimum=4, maximum=8)
    assert found.actions[-1] == Action(minute_of_week=6 * 1440 + 20 * 60, minimum=1, maximum=3)


def test_a_schedule_counts_the_instances_of_all_endpoints_and_keeps_one_of_each():
    action = {"at": "Sun 23:59", "min_instances": 0, "max_instances": 40}
    found = laid(TRACKING, endpoints=10.0, policy={"schedule": [action]})
    assert found.actions == (Action(minute_of_week=7 * 1440 - 1, minimum=1, maximum=4),)
    queue = Backlog(target_per_instance=5, minimum=0, maximum=4)
    assert laid(queue, policy={"schedule": [action]}).actions[0].minimum == 0


def test_everything_that_is_wrong_is_named_at_once():
    wrong = {
        "steps": {},
        "step": {
            "metric": "CPUUtilization",
            "out_above": "much",
            "steps_out": [{"distance": -1, "change": 0}, 3],
            "out_points": 0,
        },
        "schedule": [
            {"at": "Mon 24:00", "min_instances": 1, "max_instances": 2},
            {"at": "mon 07:30", "min_instances": 3, "max_instances": 2, "until": 5},
            {"at": "weekdays 07:30", "min_instances": 1},
        ],
    }
    found = problems(wrong)
    assert set(found) == {
        ".steps",
        ".step.metric",
        ".step.out_above",
        ".step.steps_out[0].distance",
        ".step.steps_out[0].change",
        ".step.steps_out[1]",
        ".step.steps_out[1].change",
        ".step.out_points",
        ".schedule[0].at",
        ".schedule[1].max_instances",
        ".schedule[1].until",
        ".schedule[2].at",
        ".schedule[2].max_instances",
    }
    assert 'as "mon 07:30"' in found[".schedule[0].at"]
    assert found[".step.out_above"] == 'must be a number from 0 to 1e+12, got "much"'


@pytest.mark.parametrize(
    ("policy", "path", "message"),
    [
        ([], "", "must be a mapping with step, schedule, got a list"),
        ({}, "", "must have step, schedule or both"),
        ({"schedule": []}, ".schedule", "must have at least one action"),
        ({"schedule": {}}, ".schedule", "must be a list, got a mapping"),
        ({"step": {"metric": INVOCATIONS, "out_above": 5}}, ".step.steps_out", "is missing"),
        ({"step": {**STEPS, "out_above": 0}}, ".step.out_above", "must be a number > 0, got 0"),
        ({"step": {**STEPS, "in_below": 700}}, ".step.in_below", "must be from 0 to `out_above` (600), got 700"),
        ({"step": {**STEPS, "steps_in": []}}, ".step", "must have both in_below and steps_in, or neither"),
        (
            {"step": {**STEPS, "steps_out": [{"distance": 5, "change": 1}]}},
            ".step.steps_out",
            "must begin with a step at distance 0",
        ),
    ],
)
def test_each_thing_that_is_wrong_has_its_own_message(policy, path, message):
    assert message in problems(policy)[path]


json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 10**7) | st.floats() | st.text(max_size=4),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["step", "schedule", "metric", "out_above", "steps_out", "distance", "change", "at", "x"]),
            inner,
            max_size=3,
        )
    ),
    max_leaves=12,
)


@given(json_values)
def test_no_document_fails_otherwise_than_by_naming_what_is_wrong(document):
    try:
        found = stated({"policy": document})
    except InputError as err:
        found = err.problems
    for problem in found if isinstance(found, tuple) else ():
        assert problem.path.startswith("$.config.policy")


@given(st.integers(1, 5), st.integers(0, 5), st.integers(1, 400), st.integers(0, 6))
def test_scheduled_bounds_hold_in_every_minute(low, more, target, day):
    names = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
    schedule = [
        {"at": f"{names[day]} 06:15", "min_instances": low + 1, "max_instances": low + 1 + more},
        {"at": f"{names[day]} 18:00", "min_instances": low, "max_instances": low + more},
    ]
    base = TargetTracking(target_per_minute=target, minimum=1, maximum=99)
    policy = policy_of(base, {"policy": {"schedule": schedule}}, endpoints=1, metrics=())
    counts = np.random.default_rng(day).poisson(900, 7 * 1440).astype(float)
    ran = players.control.run(policy, counts, 240.0)
    minute = np.arange(7 * 1440)
    inside = (minute >= day * 1440 + 375) & (minute < day * 1440 + 1080)
    assert np.all(ran.desired >= np.where(inside, low + 1, low))
    assert np.all(ran.desired <= np.where(inside, low + 1 + more, low + more))


def worked(preset, **config):
    return study(presets.load(preset), book=BOOK, config=config)


@pytest.mark.parametrize(
    ("option", "policy", "path", "message"),
    [
        ("async", {"step": STEPS}, "step.metric", "does not publish"),
        ("real_time", {"step": {**STEPS, "metric": BACKLOG}}, "step.metric", "does not publish"),
        ("real_time", {"step": {**STEPS, "metric": "InvocationsPerCopy"}}, "step.metric", "does not publish"),
        ("serverless", {"schedule": OFFICE}, "policy", "serverless has no scaling policy"),
        (
            "mme",
            {"schedule": [{"at": "daily 01:00", "min_instances": 0, "max_instances": 1}]},
            "schedule",
            "must keep at least 1",
        ),
    ],
)
@pytest.mark.parametrize("play", [lambda *given: simulate(*given, requests=1_000), play_day])
def test_a_policy_that_the_option_can_not_have_is_refused(play, option, policy, path, message):
    with pytest.raises(InputError, match=message) as caught:
        play(worked("card-fraud", policy=policy), option)
    assert [problem.path.rpartition("policy.")[2].removeprefix("$.config.") for problem in caught.value.problems] == [
        path
    ]


@pytest.mark.parametrize("option", ["real_time", "mme", "serial_pipeline", "triton_ensemble"])
def test_a_schedule_is_kept_by_every_option_on_instances(option):
    schedule = [{"at": "daily 00:00", "min_instances": 7, "max_instances": 7}]
    work = worked("card-fraud", policy={"schedule": schedule})
    found = simulate(work, option, requests=2_000)
    assert found.outcome.instance_hours[0] == pytest.approx(7 * 730, rel=1e-6)
    assert play_day(work, option).ready.tolist() == [7.0] * 1440


def test_an_asynchronous_endpoint_follows_its_schedule_and_answers_everything():
    schedule = [
        {"at": "daily 00:00", "min_instances": 0, "max_instances": 1},
        {"at": "daily 09:00", "min_instances": 3, "max_instances": 3},
    ]
    work = worked("document-understanding", policy={"schedule": schedule})
    found = simulate(work, "async", requests=20_000)
    hours = found.outcome.instance_hours[0] / 730 * 24
    assert 3 * 15 <= hours <= 3 * 15 + 9 + 0.1
    assert found.outcome.dropped_ratio[0] < 0.01
    course = play_day(work, "async")
    assert np.all(course.ready[9 * 60 + 30 :] == 3)


def test_steps_on_a_queue_add_what_they_say():
    steps = {"metric": BACKLOG, "out_above": 5, "steps_out": [{"distance": 0, "change": 2}], "out_points": 1}
    config = {"policy": {"step": steps}, "min_instances": 1, "max_instances": 9}
    work = worked("document-understanding", **config)
    outcome = work.configured("async").outcome
    endpoint = endpoint_of(work.point, outcome, work.config, 1)
    ready = players.fleet_of(month(work.point, seed=1), endpoint).capacity.ready
    changes = np.unique(np.diff(ready))
    assert set(changes.tolist()) == {0, 2}
    assert ready.max() <= 9
    assert simulate(work, "async", requests=5_000).outcome.instance_hours[0] > 730


def test_a_stated_policy_says_what_it_does_unexpectedly():
    work = worked("card-fraud", policy={"step": STEPS}, min_instances=1, max_instances=4, scale_out_cooldown_s=10)
    notes = simulate(work, "real_time", requests=2_000).notes
    assert any("cooldown of 10 s is shorter than a launch" in note for note in notes)
    assert not any("cooldown" in note for note in simulate(worked("card-fraud"), "real_time", requests=2_000).notes)


def test_where_all_options_are_played_one_that_lacks_the_metric_keeps_its_policy_and_says_so():
    work = worked("document-understanding", policy={"step": STEPS})
    found = played(work, work.configured("async"), requests=2_000, seed=1)
    usual = simulate(worked("document-understanding"), "async", requests=2_000, seed=1)
    assert found.outcome.instance_hours.tolist() == usual.outcome.instance_hours.tolist()
    assert "async does not publish InvocationsPerInstance: it is played with its usual policy." in found.notes
