"""Answers counted by block and fate, scaled to the month."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fitness.simulation import histogram, tally
from fitness.simulation.counts import COLD, REFUSED, SERVED, TIMED_OUT
from fitness.simulation.streams import Stream
from fitness.simulation.tally import Answers, Counting


def stream(requests, *, lead=0, weight=1.0):
    arrivals = np.arange(float(requests))
    return Stream(
        arrivals=arrivals,
        multiplier=np.ones(requests, np.float32),
        models=None,
        uniform=np.zeros(requests, np.float32),
        start_s=float(lead),
        end_s=float(requests),
        lead=lead,
        weight=weight,
        notes=(),
    )


def counted(fates, latencies, *, lead=0, weight=1.0, **month):
    counting = Counting()
    answers = Answers(
        latency_s=np.array(latencies, np.float32), fate=np.array(fates, np.uint8), busy_s=5.0, starting_s=2.0
    )
    counting.add(stream(len(fates), lead=lead, weight=weight), answers)
    return counting.tally(**month)


def test_each_request_after_the_lead_counts_as_often_as_its_weight_says():
    found = counted([SERVED, SERVED, COLD, TIMED_OUT, REFUSED], [9, 1, 2, 70, np.nan], lead=1, weight=10.0)
    assert (found.offered, found.timed_out, found.refused, found.starts, found.answered) == (40, 10, 10, 10, 20)
    assert found.warm.sum() == 10
    assert found.warm[0, histogram.bin_of(1.0)] == 10
    assert found.cold[2, histogram.bin_of(2.0)] == 10  # the second of four requests begins the third of eight blocks
    assert (found.busy_s, found.starting_s, found.played) == (50, 20, 4)


def test_what_is_paid_is_the_instances_or_else_the_work_and_what_is_held_ready():
    hours = counted([SERVED], [1], instance_hours=2.0, slots=3)
    assert (hours.paid_s, hours.instance_hours) == (2 * 3600 * 3, 2)
    assert counted([SERVED], [1], held_s=100.0).paid_s == 5 + 2 + 100


@given(st.lists(st.sampled_from([SERVED, COLD, TIMED_OUT, REFUSED]), max_size=40), st.integers(0, 40))
def test_every_request_has_one_fate_and_every_answer_one_block(fates, lead):
    lead = min(lead, len(fates))
    latencies = [np.nan if fate == REFUSED else 0.5 + index for index, fate in enumerate(fates)]
    found = counted(fates, latencies, lead=lead, weight=2.0)
    assert found.offered == 2 * (len(fates) - lead)
    assert found.answered + found.timed_out + found.refused == found.offered
    by_block = (found.warm + found.cold).sum(axis=1)
    assert by_block.max() - by_block.min() <= 2 * (-(-(len(fates) - lead) // tally.BLOCKS))


def test_alike_endpoints_count_many_times_and_were_played_once():
    one = counted([SERVED, TIMED_OUT], [1, 99], instance_hours=3.0, slots=1)
    many = one.times(4) + one
    assert (many.offered, many.timed_out, many.instance_hours, many.played) == (10, 5, 15, 4)
    assert many.warm.sum() == pytest.approx(5)
