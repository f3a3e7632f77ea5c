"""Queues as fluids, before each instance, by hand."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fitness.simulation.control import Fixed, TargetTracking, run
from fitness.simulation.fluid import standing


def waits(counts, policy, launch_s=0.0, *, first=0, levels=False):
    counts = np.array(counts, float)
    return standing(
        counts,
        run(policy, counts, launch_s, start=1),
        carries_per_minute=60,
        first=first,
        last=counts.size,
        levels=levels,
    )


def test_one_instance_falls_behind_by_what_it_can_not_carry():
    # 120 come, 60 are worked off: 30 more wait after each half minute, and each takes a second.
    found = waits([120, 120, 0, 0, 0], Fixed(instances=1))
    assert [wait.tolist() for wait in found] == [[30], [90], [90], [30], [0]]


def test_the_wait_counts_from_the_first_minute_that_is_asked_for():
    assert waits([600, 120, 120], Fixed(instances=1), first=1)[0].tolist() == [30]


def test_an_instance_that_starts_has_no_queue():
    tracking = TargetTracking(target_per_minute=120, minimum=1, maximum=2)
    found = waits([240] * 4, tracking)
    # Alone it falls behind by 90 each half minute. The second one comes after three datapoints and gets half of all.
    assert [wait.tolist() for wait in found] == [[90], [270], [450], [540 + 30, 30]]


def test_requests_go_to_the_shortest_queues_where_these_are_known():
    tracking = TargetTracking(target_per_minute=120, minimum=1, maximum=2)
    last = waits([240] * 4, tracking, levels=True)[-1]
    assert sorted(last.tolist()) == [120 - 30, 540 - 30]


@given(st.lists(st.integers(0, 400), min_size=1, max_size=8), st.integers(1, 5), st.booleans())
def test_nothing_is_lost_and_nothing_waits_where_enough_is_carried(counts, instances, levels):
    found = waits(counts, Fixed(instances=instances), levels=levels)
    for wait in found:
        assert wait.size == instances
        assert np.all(wait >= 0)
        if max(counts) <= 60 * instances:
            assert wait.max() == pytest.approx(0, abs=1e-9)
        assert wait.sum() <= sum(counts)
