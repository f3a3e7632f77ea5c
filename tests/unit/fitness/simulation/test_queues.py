"""Queues against a list of events, against values worked by hand, and their rules one by one."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fitness.simulation import histogram, queues, servers
from fitness.simulation.counts import REFUSED, SERVED, TIMED_OUT
from tests import event_list, played

timeouts = st.sampled_from([math.inf, 5.0, 2.0])
starts = st.sampled_from([0.0, 2.5])
ends = st.none() | st.sampled_from([15.0, 30.0])


def agrees(counts, recorded, arrivals, work, reference, timeout):
    assert recorded["latency_s"].tolist() == pytest.approx(played.latencies(arrivals, reference), abs=0, nan_ok=True)
    started = played.started(reference)
    late = [i for i in started if reference.finish[i] - arrivals[i] > timeout]
    assert counts.refused == len(arrivals) - len(started)
    assert counts.timed_out == len(late)
    assert counts.served == len(started) - len(late)
    assert counts.busy_s == sum(work[i] for i in started)
    assert counts.wait_s == played.waited(arrivals, reference)
    assert counts.paid_s == reference.paid
    for i in range(len(arrivals)):
        expected = REFUSED if i not in started else TIMED_OUT if i in late else SERVED
        assert recorded["fate"][i] == expected


@given(played.streams(), st.integers(0, 4), played.changes(), timeouts, starts, ends)
def test_one_queue_plays_as_a_list_of_events_does(stream, count, changes, timeout, start, end):
    arrivals, work, _ = stream
    arrivals = [start + one for one in arrivals]
    changes = [(start + time, delta) for time, delta in changes]
    reference = event_list.pooled(arrivals, work, count, changes, start=start, end=end)
    recorded = played.recorders(len(arrivals))
    hist = histogram.empty()
    counts = queues.pooled(
        arrivals,
        work,
        1.0,
        servers=count,
        start_s=start,
        end_s=end,
        timeout_s=timeout,
        hist=hist,
        **played.events(changes),
        **recorded,
    )
    agrees(counts, recorded, arrivals, work, reference, timeout)
    assert hist.sum() == counts.served


@given(
    played.streams(),
    st.integers(0, 3),
    st.integers(1, 3),
    played.changes(),
    st.sampled_from(list(queues.Routing)),
    timeouts,
    ends,
)
def test_routed_instances_play_as_lists_of_requests_do(stream, count, slots, changes, policy, timeout, end):
    arrivals, work, uniform = stream
    least = policy is queues.Routing.LEAST_OUTSTANDING
    reference = event_list.routed(arrivals, work, uniform, count, slots, changes, least=least, end=end)
    recorded = played.recorders(len(arrivals))
    counts = queues.routed(
        arrivals,
        work,
        uniform,
        1.0,
        instances=count,
        slots=slots,
        policy=policy,
        timeout_s=timeout,
        end_s=end,
        **played.events(changes),
        **recorded,
    )
    agrees(counts, recorded, arrivals, work, reference, timeout)


@given(st.lists(st.floats(0, 100), min_size=1, max_size=40), st.integers(1, 8), st.data())
def test_a_heap_and_a_sorted_vector_hold_the_same_times(finishes, count, data):
    flat, heap = servers.vector(count, 60, 0.0), servers.vector(count, 60, 0.0)
    width = count
    for finish in finishes:
        step = data.draw(st.sampled_from(["occupy", "add", "remove"]))
        if step == "occupy" and width:
            later = max(finish, flat[0])
            servers.occupy(flat, width, later, False)
            servers.occupy(heap, width, later, True)
        elif step == "add":
            servers.add(flat, width, finish, False)
            width = servers.add(heap, width, finish, True)
        elif step == "remove" and width:
            servers.remove(flat, width, False)
            width = servers.remove(heap, width, True)
        assert flat[0] == heap[0]
        assert flat[:width].tolist() == sorted(heap[:width])
        assert flat[width] == servers.NEVER_S


def test_many_servers_on_a_heap_start_requests_at_the_same_times_as_on_a_vector(monkeypatch):
    draws = np.random.default_rng(3)
    arrivals = np.cumsum(draws.exponential(1 / 100, 5_000))
    work = draws.exponential(1.0, 5_000)
    taken = []
    for most in (10, 1_000):
        monkeypatch.setattr(queues, "MOST_SORTED", most)
        recorded = played.recorders(arrivals.size)
        counts = queues.pooled(
            arrivals, work, 1.0, servers=90, event_s=[10.0, 20.0, 30.0], event_delta=[30, -40, 25], **recorded
        )
        taken.append((recorded["latency_s"].tolist(), counts))
    assert taken[0] == taken[1]


def test_the_share_of_random_instances_decides_who_waits():
    # Two at once: both to the first instance (0.1, 0.2), then one to each (0.1, 0.9).
    same = queues.routed([0, 0], [1, 1], [0.1, 0.2], 3.0, instances=2, slots=1)
    apart = queues.routed([0, 0], [1, 1], [0.1, 0.9], 3.0, instances=2, slots=1)
    least = queues.routed([0, 0], [1, 1], [0.1, 0.2], 3.0, instances=2, slots=1, policy="LEAST_OUTSTANDING_REQUESTS")
    assert (same.wait_s, apart.wait_s, least.wait_s) == (3.0, 0.0, 0.0)


def test_the_least_outstanding_instance_is_the_one_that_has_finished():
    # The first instance is done at 1 s, the second at 10 s; at 2 s the way begins at the second and still leads back.
    counts = queues.routed(
        [0, 0, 2], [1, 10, 10], [0, 0, 0.9], 1.0, instances=2, slots=1, policy=queues.Routing.LEAST_OUTSTANDING
    )
    assert counts.wait_s == 0.0


def test_random_routing_has_a_longer_tail_than_one_queue():
    # Four single workers at 80 % load: M/M/1 against M/M/4, whose p99 of the time in the system are 23.0 and 6.8.
    draws = np.random.default_rng(11)
    size = 400_000
    arrivals = np.cumsum(draws.exponential(1 / 3.2, size))
    work, uniform = draws.exponential(1, size), draws.random(size)
    one, many = histogram.empty(), histogram.empty()
    queues.pooled(arrivals, work, 1.0, servers=4, hist=one)
    queues.routed(arrivals, work, uniform, 1.0, instances=4, slots=1, hist=many)
    ratio = histogram.percentile(many, 0.99) / histogram.percentile(one, 0.99)
    assert ratio == pytest.approx(3.4, abs=0.4)


def test_a_server_that_is_taken_out_while_busy_is_paid_until_its_work_is_done():
    counts = queues.pooled([0.0], [1.0], 10.0, servers=2, event_s=[4.0, 4.0], event_delta=[-1, -1], end_s=60.0)
    # The idle one goes at 4 s, the busy one at 10 s.
    assert counts.paid_s == 14.0
    assert counts.served == 1


def test_a_server_that_comes_while_requests_wait_takes_the_first_of_them():
    recorded = played.recorders(2)
    queues.pooled([0.0, 1.0], [1.0, 1.0], 100.0, servers=1, event_s=[30.0], event_delta=[1], **recorded)
    assert recorded["latency_s"].tolist() == [100.0, 129.0]


def test_work_that_times_out_is_done_and_charged_all_the_same():
    hist = histogram.empty()
    counts = queues.pooled([0.0, 0.0], [1.0, 1.0], 40.0, servers=1, timeout_s=60.0, hist=hist)
    assert (counts.served, counts.timed_out, counts.busy_s) == (1, 1, 80.0)
    assert histogram.percentile(hist, 0.5) == pytest.approx(40, rel=0.01)


def test_exactly_the_time_out_is_still_in_time():
    assert queues.pooled([0.0], [1.0], 60.0, servers=1, timeout_s=60.0).timed_out == 0


def test_requests_before_the_first_counted_one_keep_servers_busy_and_count_nowhere():
    hist = histogram.empty()
    counts = queues.pooled([0.0, 1.0], [1.0, 1.0], 10.0, servers=1, count_from=1, hist=hist)
    assert (counts.offered, counts.served, counts.wait_s, counts.busy_s) == (1, 1, 9.0, 10.0)
    assert counts.paid_s == 19.0
    assert hist.sum() == 1


def test_without_a_server_everything_is_refused():
    counts = queues.pooled([0.0, 1.0], [1.0, 1.0], 1.0, servers=0)
    assert (counts.refused, counts.served, counts.paid_s) == (2, 0, 0.0)
    counts = queues.routed([0.0, 1.0], [1.0, 1.0], [0, 0], 1.0, instances=0, slots=2, event_s=[0.5], event_delta=[1])
    assert (counts.refused, counts.served) == (1, 1)


def test_counts_of_two_runs_add_up():
    both = queues.pooled([0.0], [1.0], 2.0, servers=1) + queues.pooled([5.0], [1.0], 2.0, servers=1)
    assert (both.offered, both.busy_s, both.last_end_s) == (2, 4.0, 7.0)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"arrivals": [1.0, 0.0]}, "sorted"),
        ({"arrivals": [-1.0, 0.0]}, "between 0 and"),
        ({"arrivals": [0.0, math.nan]}, "sorted"),
        ({"arrivals": [0.0, math.inf]}, "between 0 and"),
        ({"arrivals": [0.0]}, "differ in length"),
        ({"arrivals": [[0.0, 1.0]]}, "one axis"),
        ({"service_s": math.nan}, "service_s must be >= 0"),
        ({"service_s": -1.0}, "service_s must be >= 0"),
        ({"service_s": math.inf}, "service_s must be"),
        ({"servers": -1}, "servers must be >= 0"),
        ({"count_from": -1}, "count_from must be >= 0"),
        ({"event_s": [1.0], "event_delta": [1, 2]}, "1 times of events, but 2 changes"),
        ({"event_s": [2.0, 1.0], "event_delta": [1, 2]}, "sorted"),
        ({"hist": np.zeros(3, np.int64)}, "a histogram must be a writable int64 array"),
        ({"latency_s": np.zeros(3, np.float32)}, "latency_s must be a writable float32 array of 2"),
    ],
)
def test_what_is_no_stream_is_refused(change, message):
    given_values = {"arrivals": [0.0, 1.0], "multiplier": [1.0, 1.0], "service_s": 1.0, "servers": 1} | change
    with pytest.raises(ValueError, match=message):
        queues.pooled(**given_values)


def test_an_empty_stream_is_played():
    counts = queues.pooled([], [], 1.0, servers=2, end_s=10.0)
    assert (counts.offered, counts.paid_s) == (0, 20.0)


@given(st.lists(st.floats(-5, 50), max_size=30))
def test_requests_by_the_minute_are_those_of_a_histogram(found):
    counted = queues.per_interval(found, start_s=1.0, width_s=2.5, intervals=8)
    assert counted.sum() == sum(1.0 <= one < 21.0 for one in found)
    assert counted[0] == sum(1.0 <= one < 3.5 for one in found)
