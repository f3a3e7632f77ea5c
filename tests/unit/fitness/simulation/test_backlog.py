"""A queue that scales on its backlog against a list of events, and its rules one by one."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fitness.simulation import queues
from fitness.simulation.counts import COLD, SERVED
from tests import event_list, played

RULES = {
    "minimum": 0,
    "maximum": 4,
    "target": 2.0,
    "out": 3,
    "in": 4,
    "wake": 2,
    "factor": 0.9,
    "out_cooldown": 5.0,
    "in_cooldown": 5.0,
}


@st.composite
def rules(draw):
    """A policy on ticks of a second."""
    minimum = draw(st.integers(0, 2))
    return {
        "minimum": minimum,
        "maximum": draw(st.integers(max(minimum, 1), 5)),
        "target": draw(st.sampled_from([0.5, 1.0, 2.0, 3.0])),
        "out": draw(st.integers(1, 3)),
        "in": draw(st.integers(1, 4)),
        "wake": draw(st.integers(0, 2)),
        "factor": draw(st.sampled_from([0.5, 0.9])),
        "out_cooldown": draw(st.sampled_from([0.0, 2.0, 5.0])),
        "in_cooldown": draw(st.sampled_from([0.0, 2.0, 5.0])),
    }


def play(arrivals, work, policy, *, slots, instances, launch, end=None):
    series = {"instances_by_tick": np.zeros(80, np.int64), "backlog_by_tick": np.zeros(80, np.int64)}
    recorded = played.recorders(len(arrivals))
    counts = queues.backlog_scaled(
        arrivals,
        work,
        1.0,
        slots=slots,
        instances=instances,
        minimum=policy["minimum"],
        maximum=policy["maximum"],
        target_per_instance=policy["target"],
        launch_s=launch,
        end_s=end,
        out_datapoints=policy["out"],
        in_datapoints=policy["in"],
        in_factor=policy["factor"],
        out_cooldown_s=policy["out_cooldown"],
        in_cooldown_s=policy["in_cooldown"],
        wake_datapoints=policy["wake"],
        tick_s=1.0,
        **series,
        **recorded,
    )
    return counts, recorded, series


@given(
    played.streams(most=20),
    rules(),
    st.integers(1, 2),
    st.integers(0, 4),
    st.sampled_from([0.0, 0.5, 1.0, 3.0, 7.5]),
    st.none() | st.sampled_from([20.0, 40.0]),
)
def test_a_scaled_queue_plays_as_a_list_of_events_does(stream, policy, slots, instances, launch, end):
    arrivals, work, _ = stream
    instances = min(max(instances, policy["minimum"]), policy["maximum"])
    reference = event_list.backlog_scaled(
        arrivals, work, policy, slots=slots, instances=instances, launch=launch, tick=1.0, end=end
    )
    counts, recorded, series = play(arrivals, work, policy, slots=slots, instances=instances, launch=launch, end=end)
    took = played.latencies(arrivals, reference)
    assert recorded["latency_s"].tolist() == pytest.approx(took, abs=0, nan_ok=True)
    seen = reference.extra["series"][:80]
    assert series["instances_by_tick"][: len(seen)].tolist() == [ready for ready, _ in seen]
    assert series["backlog_by_tick"][: len(seen)].tolist() == [backlog for _, backlog in seen]
    assert counts.refused == sum(end is None for end in reference.finish)
    cold = {i for i in reference.extra["cold"] if reference.finish[i] is not None}
    assert set(np.flatnonzero(recorded["fate"] == COLD).tolist()) == cold
    assert counts.cold == len(cold)
    assert counts.paid_s == pytest.approx(reference.paid)


def test_an_endpoint_at_zero_wakes_after_two_ticks_and_a_launch():
    counts, recorded, _ = play([0.25, 9.4, 9.6], [1.0] * 3, RULES, slots=1, instances=0, launch=7.5)
    # Seen at 1 s and 2 s, in service at 9.5 s, done at 10.5 s; the last one only waits for the others.
    assert recorded["latency_s"].tolist() == pytest.approx([10.25, 2.1, 2.9])
    assert recorded["fate"].tolist() == [COLD, COLD, SERVED]
    assert counts.cold == 2


def test_without_the_alarm_an_endpoint_at_zero_stays_there():
    counts, _, _ = play([0.25], [1.0], RULES | {"wake": 0}, slots=1, instances=0, launch=7.5)
    assert (counts.refused, counts.paid_s) == (1, 0.0)


def test_instances_that_are_starting_count_so_that_no_more_are_asked_for():
    # Six requests of 100 s: a backlog of 6 asks for 3 at a target of 2, once, although launching takes 20 s.
    # Nothing scales in meanwhile, which would take back what was asked for in excess.
    policy = RULES | {"out_cooldown": 0.0, "in": 99}
    _, _, series = play([0.0] * 6, [100.0] * 6, policy, slots=1, instances=1, launch=20.0, end=60)
    assert series["instances_by_tick"][:60].max() == 3


def test_the_cooldown_delays_the_next_scaling_out():
    def second_step(cooldown):
        # A backlog of 4 at the third tick, of 8 from the sixth on.
        arrivals = [0.5] * 4 + [5.5] * 4
        policy = RULES | {"out": 1, "out_cooldown": cooldown, "target": 2.0, "maximum": 4}
        _, _, series = play(arrivals, [100.0] * 8, policy, slots=1, instances=1, launch=0.5, end=40)
        return int(np.argmax(series["instances_by_tick"] == 4)) + 1

    assert second_step(0.0) == 7
    assert second_step(30.0) == 32


def test_scaling_in_waits_until_the_backlog_is_below_the_factor_of_the_target():
    def instances_left(factor):
        # Two requests at work on 2 instances at a target of 1.125: 1 for each is 0.89 of it, below 0.9 and not 0.85.
        policy = RULES | {"minimum": 1, "target": 1.125, "factor": factor, "maximum": 4}
        _, _, series = play([0.0] * 2, [30.0] * 2, policy, slots=1, instances=4, launch=0.0, end=25)
        return series["instances_by_tick"][20]

    assert instances_left(0.9) == 2
    assert instances_left(0.4) == 4


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"target_per_instance": 0.0}, "target and tick must be > 0"),
        ({"maximum": 0, "minimum": 1}, "maximum must be >= 1"),
        ({"in_datapoints": 0}, "in_datapoints must be >= 1"),
        ({"instances_by_tick": np.zeros(3)}, "instances_by_tick must be a writable int64 array"),
    ],
)
def test_what_is_no_policy_is_refused(change, message):
    given_values = {
        "slots": 1,
        "instances": 1,
        "minimum": 0,
        "maximum": 2,
        "target_per_instance": 1.0,
        "launch_s": 60.0,
    } | change
    with pytest.raises(ValueError, match=message):
        queues.backlog_scaled([0.0], [1.0], 1.0, **given_values)
