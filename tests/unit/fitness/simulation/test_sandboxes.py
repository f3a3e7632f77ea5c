"""Sandboxes against a list of events, and their rules one by one."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fitness.simulation import histogram
from fitness.simulation.counts import COLD, REFUSED, SERVED, TIMED_OUT
from fitness.simulation.sandboxes import sandboxes
from tests import event_list, played


@given(
    played.streams(),
    st.sampled_from([0.0, 0.5, 3.0]),
    st.sampled_from([0.25, 0.5, 2.0, math.inf]),
    st.integers(0, 4),
    st.integers(0, 2),
    st.booleans(),
    st.sampled_from([math.inf, 4.0]),
)
def test_sandboxes_play_as_a_list_of_events_does(stream, cold, ttl, limit, provisioned, queues, timeout):
    arrivals, work, _ = stream
    limit = max(limit, provisioned)
    reference = event_list.sandboxes(
        arrivals, work, cold=cold, ttl=ttl, limit=limit, provisioned=provisioned, queues=queues
    )
    recorded, warm, started_cold = played.recorders(len(arrivals)), histogram.empty(), histogram.empty()
    counts = sandboxes(
        arrivals,
        work,
        1.0,
        cold_s=cold,
        ttl_s=ttl,
        max_concurrency=limit,
        provisioned=provisioned,
        queues_when_full=queues,
        timeout_s=timeout,
        hist_warm=warm,
        hist_cold=started_cold,
        **recorded,
    )
    took = played.latencies(arrivals, reference)
    assert recorded["latency_s"].tolist() == pytest.approx(took, abs=0, nan_ok=True)
    colds, kept = reference.extra["cold"], reference.extra["provisioned"]
    for i, latency in enumerate(took):
        late = latency > timeout
        expected = REFUSED if math.isnan(latency) else TIMED_OUT if late else COLD if i in colds else SERVED
        assert recorded["fate"][i] == expected
    started = played.started(reference)
    assert (counts.cold, counts.provisioned_served) == (len(colds), len(kept))
    assert counts.refused == len(arrivals) - len(started)
    assert counts.paid_cold_s == cold * len(colds)
    assert counts.busy_s == sum(work[i] for i in started) + cold * len(colds)
    assert counts.wait_s == played.waited(arrivals, reference)
    assert counts.sandbox_s == pytest.approx(reference.extra["alive"])
    assert warm.sum() + started_cold.sum() == counts.served


def test_the_most_recently_used_sandbox_takes_the_next_request_so_that_the_other_expires():
    # Two sandboxes are free at 1 s and 2 s; requests every 50 s keep the second alive, the first goes at 101 s.
    arrivals = [0.0, 0.0, 50.0, 100.0, 150.0, 200.0, 200.0]
    work = [1.0, 2.0, 1.0, 1.0, 1.0, 1.0, 1.0]
    counts = sandboxes(arrivals, work, 1.0, cold_s=0.0, ttl_s=100.0, max_concurrency=9)
    assert counts.cold == 3


def test_a_sandbox_that_was_idle_for_the_whole_time_out_is_gone():
    first_free_at = 1.0
    for after, cold in ((99.75, 1), (100.0, 2)):
        arrivals = [0.0, first_free_at + after]
        assert sandboxes(arrivals, [1.0, 1.0], 1.0, cold_s=0.0, ttl_s=100.0, max_concurrency=9).cold == cold


def test_beyond_the_concurrency_limit_requests_are_refused_or_wait():
    arrivals, work = [0.0, 0.0, 0.0], [1.0, 1.0, 1.0]
    refusing = sandboxes(arrivals, work, 10.0, cold_s=1.0, ttl_s=60.0, max_concurrency=2)
    assert (refusing.served, refusing.refused) == (2, 1)
    waiting = sandboxes(arrivals, work, 10.0, cold_s=1.0, ttl_s=60.0, max_concurrency=2, queues_when_full=True)
    assert (waiting.served, waiting.wait_s) == (3, 11.0)


def test_provisioned_sandboxes_are_used_first_and_are_never_cold():
    counts = sandboxes([0.0, 0.0], [1.0, 1.0], 1.0, cold_s=5.0, ttl_s=60.0, max_concurrency=2, provisioned=1)
    assert (counts.provisioned_served, counts.cold, counts.served) == (1, 1, 2)


def test_a_cold_start_can_time_out_and_still_leaves_a_warm_sandbox():
    counts = sandboxes([0.0, 70.0], [1.0, 1.0], 1.0, cold_s=65.0, ttl_s=300.0, max_concurrency=1, timeout_s=60.0)
    assert (counts.timed_out, counts.served, counts.cold) == (1, 1, 1)


def test_a_busy_crowd_needs_no_more_room_than_its_sandboxes():
    # Two at a time, hundreds after each other, each expired before the next: the vector is moved up many times.
    arrivals = [float(10 * (i // 2)) for i in range(2_000)]
    counts = sandboxes(arrivals, [1.0] * 2_000, 1.0, cold_s=0.5, ttl_s=2.0, max_concurrency=2)
    assert (counts.cold, counts.refused) == (2_000, 0)


def test_provisioned_sandboxes_count_towards_the_limit():
    with pytest.raises(ValueError, match="max_concurrency must be >= 3, got 2"):
        sandboxes([0.0], [1.0], 1.0, cold_s=1.0, ttl_s=1.0, max_concurrency=2, provisioned=3)
