"""Dynamic batching against a list of events, batch jobs by hand."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fitness.simulation import queues
from fitness.simulation.batches import batched, transform
from tests import event_list, played

# Times of a batch by its size; multiples of 12 quarters, so that means over a batch stay on the grid.
of_batches = st.lists(st.integers(0, 3).map(lambda one: one * 3.0), min_size=1, max_size=4)
multipliers = st.integers(1, 3)


@given(played.streams(), of_batches, st.sampled_from([0.0, 0.5, 2.0]), st.integers(1, 3), st.data())
def test_batches_are_gathered_as_moment_by_moment(stream, times, window, slots, data):
    arrivals, _, uniform = stream
    multiplier = data.draw(st.lists(multipliers, min_size=len(arrivals), max_size=len(arrivals)))
    of_batch = [0.0, *times]
    reference = event_list.batched(arrivals, multiplier, of_batch, window, slots)
    recorded = played.recorders(len(arrivals))
    counts = batched(arrivals, multiplier, uniform, of_batch, window_s=window, instances=1, slots=slots, **recorded)
    took = played.latencies(arrivals, reference)
    assert recorded["latency_s"].tolist() == pytest.approx(took, rel=1e-6, nan_ok=True)
    assert counts.batches == reference.extra["batches"]
    assert counts.refused == 0
    assert counts.wait_s == pytest.approx(played.waited(arrivals, reference))


def test_a_full_batch_goes_at_once_and_the_rest_when_the_window_is_over():
    recorded = played.recorders(3)
    batched([0.0, 1.0, 1.5], [1, 1, 1], None, [0.0, 4.0, 5.0], window_s=3.0, instances=1, slots=2, **recorded)
    # Two at 1 s take 5 s; the third waits until 4.5 s and takes 4 s.
    assert recorded["latency_s"].tolist() == [6.0, 5.0, 7.0]


def test_what_gathered_while_all_servers_were_busy_goes_together():
    counts = batched([0, 1, 2, 3], [1] * 4, None, [0.0, 10.0, 10.0, 12.0], window_s=0.0, instances=1, slots=1)
    assert (counts.batches, counts.busy_s, counts.last_end_s) == (2, 22.0, 22.0)


def test_a_batch_takes_the_mean_of_its_multipliers():
    counts = batched([0.0, 0.0], [1, 3], None, [0.0, 1.0, 1.5], window_s=0.0, instances=1, slots=1)
    assert counts.busy_s == 3.0


@given(played.streams(), st.integers(0, 3), st.integers(1, 3), st.data())
def test_batches_of_one_play_as_requests_that_are_routed_at_random(stream, instances, slots, data):
    arrivals, work, uniform = stream
    count_from = data.draw(st.integers(0, len(arrivals)))
    comes = {"event_s": [2.0], "event_delta": [2], "count_from": count_from, "timeout_s": 3.0}
    one, other = played.recorders(len(arrivals)), played.recorders(len(arrivals))
    routed = queues.routed(arrivals, work, uniform, 1.0, instances=instances, slots=slots, **comes, **one)
    apart = batched(
        arrivals, work, uniform, [0.0, 1.0], window_s=9.0, instances=instances, slots=slots, **comes, **other
    )
    assert one["latency_s"].tolist() == pytest.approx(other["latency_s"].tolist(), nan_ok=True)
    assert one["fate"].tolist() == other["fate"].tolist()
    for name in ("offered", "served", "timed_out", "refused"):
        assert getattr(apart, name) == getattr(routed, name)
    assert (apart.busy_s, apart.wait_s) == pytest.approx((routed.busy_s, routed.wait_s))


def test_instances_that_take_turns_get_every_other_request():
    recorded = played.recorders(4)
    counts = batched([0, 0, 0, 0], [1] * 4, None, [0, 4.0, 6.0], window_s=0, instances=2, slots=1, **recorded)
    assert counts.batches == 2
    assert recorded["latency_s"].tolist() == [6.0] * 4


def test_at_full_load_every_batch_is_the_largest():
    # 50 requests a second; one server works 10 a second alone, but 8 together in 0.1 x (1 + 0.25 x 7) = 0.275 s.
    arrivals = np.arange(5_000) / 50
    of_batch = 0.1 * (1 + 0.25 * (np.arange(9) - 1))
    counts = batched(arrivals, np.ones(arrivals.size), None, of_batch, window_s=0.0, instances=1, slots=1)
    assert arrivals.size / counts.batches == pytest.approx(8, rel=0.01)
    assert counts.last_end_s == pytest.approx(5_000 / 8 * 0.275, rel=0.01)


@given(
    st.lists(st.lists(st.integers(0, 9), max_size=6), min_size=1, max_size=6),
    st.integers(1, 4),
    st.integers(1, 3),
)
def test_files_are_worked_off_whole_by_their_instance(files, instances, slots):
    records = [record for file in files for record in file]
    starts = [sum(len(file) for file in files[:k]) for k in range(len(files))]
    done = transform(records, 0.5, file_starts=starts, instances=instances, slots=slots, start_s=300.0)
    expected = []
    for instance in range(instances):
        free = [300.0] * slots
        for file in files[instance::instances]:
            for record in file:
                free.sort()
                free[0] += 0.5 * record
        expected.append(max(free))
    assert done.finish_s == tuple(expected)
    assert done.busy_s == 0.5 * sum(records)
    assert done.paid_s == instances * (max(expected) - 300.0)


def test_more_instances_than_files_are_idle_and_paid():
    done = transform([1.0] * 10, 60.0, file_starts=[0], instances=3, slots=2)
    assert done.finish_s == (300.0, 0.0, 0.0)
    assert done.paid_s == 900.0


@pytest.mark.parametrize("starts", [[1], [0, 5, 3], [0, 11]])
def test_files_that_are_not_in_order_are_refused(starts):
    with pytest.raises(ValueError, match="files must begin with record 0 and be in order"):
        transform([1.0] * 10, 1.0, file_starts=starts, instances=1, slots=1)


@pytest.mark.parametrize("times", [[0.0], [0.0, -1.0], [0.0, float("nan")]])
def test_a_batch_without_a_time_is_refused(times):
    with pytest.raises(ValueError, match="times >= 0 s for batches of 1 and more"):
        batched([0.0], [1.0], None, times, window_s=0.0, instances=1, slots=1)
