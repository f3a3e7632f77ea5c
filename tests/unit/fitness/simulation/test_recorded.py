import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fitness.errors import InputError
from fitness.simulation import streams
from fitness.trace import read_trace
from tests.declared import resolved


def test_a_recording_is_played_with_its_own_counts():
    counts = np.array([60, 0, 3, 120, 7] * 12)
    trace = read_trace(("count\n" + "\n".join(map(str, counts))).encode())
    plan = streams.plan(resolved({}, trace=trace), requests=10**6, seed=1)
    (window,) = plan.windows
    for spread in streams.Spread:
        whole = streams.whole(resolved({}, trace=trace), seed=1, spread=spread).windows[0]
        assert np.bincount((whole.arrivals / 60).astype(int), minlength=60).tolist() == counts.tolist()
    assert plan.month.counts.tolist() == counts.tolist()
    assert window.weight == pytest.approx(730)
    assert window.notes == (
        "The recording tells how many requests came in 60 s; within these they are spread at random.",
    )


def test_even_spreading_puts_requests_at_equal_distances():
    trace = read_trace(b"count\n4\n0\n2\n")
    stream = streams.whole(resolved({}, trace=trace), seed=1, spread=streams.Spread.EVEN).windows[0]
    assert stream.arrivals.tolist() == [7.5, 22.5, 37.5, 52.5, 135.0, 165.0]
    assert stream.between(20, 140).arrivals.tolist() == [22.5, 37.5, 52.5, 135.0]


def test_a_part_of_a_busy_minute_has_its_share_of_the_requests():
    trace = read_trace(b"count\n" + b"6000000\n" * 30)
    for spread in streams.Spread:
        plan = streams.plan(resolved({}, trace=trace), requests=40_000, seed=1, spread=spread)
        for window in plan.windows:
            assert window.end_s - window.start_s < 1
            assert window.rps == pytest.approx(100_000, rel=0.05)


def test_a_recording_that_is_too_long_for_one_piece_says_how_long():
    trace = read_trace(b"count\n" + b"6000000\n" * 30)
    with pytest.raises(
        InputError, match=r"has 180,000,000 requests; at most 10,000,000 are played in one piece @ \$\.traffic"
    ):
        streams.whole(resolved({}, trace=trace), seed=1)


def test_exact_times_of_a_recording_are_played_as_they_are():
    rng = np.random.default_rng(3)
    times = np.sort(rng.uniform(0.1, 7200, 5_000)).round(3)
    trace = read_trace(("timestamp\n" + "\n".join(map(str, times))).encode(), exact=True)
    stream = streams.whole(resolved({}, trace=trace), seed=1).windows[0]
    assert stream.arrivals.tolist() == pytest.approx(times.tolist())
    assert stream.notes == ("Requests come at the very times of the recording.",)
    plan = streams.plan(resolved({}, trace=trace), requests=1_000, seed=1)
    for window in plan.windows:
        inside = times[(times >= window.start_s) & (times < window.end_s)]
        assert window.arrivals[window.lead :].tolist() == pytest.approx(inside.tolist())
    assert sum(one.weight * one.offered for one in plan.windows) == pytest.approx(plan.month.requests)


def test_models_of_a_recording_are_played_as_they_were_asked_for():
    trace = read_trace(b"timestamp,count,model\n0,30,a\n0,10,b\n60,5,c\n120,40,b\n120,5,a\n", exact=True)
    for spread in streams.Spread:
        declared = {"models.count": 3, "composition": "independent"}
        stream = streams.whole(resolved(declared, trace=trace), seed=1, spread=spread).windows[0]
        minute = (stream.arrivals / 60).astype(int)
        assert trace.models == ("b", "a", "c")
        assert [np.bincount(stream.models[minute == one], minlength=3).tolist() for one in range(3)] == [
            [10, 30, 0],
            [0, 0, 5],
            [40, 5, 0],
        ]
        # In no order of models within the minute.
        first = stream.models[minute == 0]
        assert 0 < np.count_nonzero(first[:20] == 0) < 10
    few = streams.whole(resolved({**declared, "models.count": 2}, trace=trace), seed=1).windows[0]
    assert np.bincount(few.models).tolist() == [50, 40]
    assert "The recording has more models than the 2 declared; the rarest are taken as one." in few.notes
    one = streams.whole(resolved({}, trace=trace), seed=1).windows[0]
    assert one.models is None


def test_a_part_of_a_row_with_models_has_their_shares():
    trace = read_trace(b"timestamp,count,model\n0,900000,a\n0,100000,b\n60,900000,a\n60,100000,b\n", exact=True)
    declared = {"models.count": 2, "composition": "independent"}
    plan = streams.plan(resolved(declared, trace=trace), requests=20_000, seed=1)
    for window in plan.windows:
        assert window.models.size == window.arrivals.size
        assert float(np.mean(window.models)) == pytest.approx(0.1, abs=0.03)


@given(
    st.lists(st.integers(0, 50), min_size=1, max_size=60).filter(any),
    st.sampled_from(list(streams.Spread)),
    st.integers(0, 9),
)
@settings(max_examples=50)
def test_no_request_of_a_recording_is_lost_and_none_invented(counts, spread, seed):
    trace = read_trace(("count\n" + "\n".join(map(str, counts))).encode())
    stream = streams.whole(resolved({}, trace=trace), seed=seed, spread=spread).windows[0]
    found = np.bincount((stream.arrivals / 60).astype(int), minlength=len(counts))
    assert found.tolist() == counts


def windows_of(rows: str, *, requests: int, header: str = "timestamp") -> streams.Plan:
    trace = read_trace(f"{header}\n{rows}\n".encode(), exact=True)
    return streams.plan(resolved({}, trace=trace), requests=requests, seed=1)


def test_windows_of_a_recording_lie_where_its_requests_are_and_not_where_its_minutes_are():
    # Requests come in bursts of a tenth of a second, one a minute.
    rng = np.random.default_rng(5)
    times = np.sort(np.repeat(np.arange(120) * 60.0 + 7, 500) + rng.uniform(0.001, 0.1, 60_000)).round(6)
    plan = windows_of("\n".join(map(str, times)), requests=6_000)
    assert [one.offered for one in plan.windows] == [pytest.approx(6_000 / len(plan.windows), abs=1)] * len(
        plan.windows
    )
    assert all(one.arrivals[one.lead] >= one.start_s for one in plan.windows)
    assert all(one.arrivals[-1] < one.end_s for one in plan.windows)


def test_windows_of_counts_by_the_second_lie_in_the_seconds_that_have_requests():
    rows = "\n".join(f"{minute * 60 + 7},500\n{minute * 60 + 8},0" for minute in range(120))
    plan = windows_of(rows, requests=6_000, header="timestamp,count")
    for one in plan.windows:
        assert one.offered == pytest.approx(6_000 / len(plan.windows), rel=0.3)
        assert set((one.arrivals[one.lead :] % 60).astype(int)) == {7}


def test_requests_that_all_come_at_one_time_are_played():
    plan = windows_of("\n".join(["1700000000.125"] * 5_000), requests=1_000)
    assert sum(one.offered for one in plan.windows) == pytest.approx(1_000, abs=len(plan.windows))
    assert sum(one.weight * one.offered for one in plan.windows) == pytest.approx(plan.month.requests)
    assert all(one.end_s > one.start_s for one in plan.windows)
