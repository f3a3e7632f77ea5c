import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fitness import load
from fitness.analytic.served import job_seconds
from fitness.errors import InputError
from fitness.inputs import HOURS_PER_MONTH
from fitness.simulation import months, randomness, requested, streams
from fitness.simulation.months import DAY
from fitness.simulation.multipliers import multipliers
from fitness.trace import read_trace
from tests.declared import resolved

DIURNAL = {"traffic.pattern": "diurnal", "traffic.rps_mean": 30, "traffic.rps_peak": 120}
PATTERNS = {
    "steady": {"traffic.pattern": "steady", "traffic.rps_mean": 20, "traffic.rps_peak": 30},
    "diurnal": DIURNAL,
    "nightly idle": {**DIURNAL, "traffic.idle_ratio": 0.4, "traffic.rps_peak": 200},
    "spiky": {"traffic.pattern": "spiky", "traffic.rps_mean": 5, "traffic.rps_peak": 60},
    "intermittent": {"traffic.pattern": "intermittent", "traffic.rps_mean": 0.5, "traffic.idle_ratio": 0.9},
    "undeclared": {"traffic.rps_mean": 3},
    "jobs": {"traffic.pattern": "scheduled", "traffic.records_per_job": 100_000, "traffic.jobs_per_month": 30},
    "tiny jobs": {"traffic.pattern": "scheduled", "traffic.records_per_job": 7, "traffic.jobs_per_month": 200_000},
    "rare jobs": {"traffic.pattern": "scheduled", "traffic.records_per_job": 10_000, "traffic.jobs_per_month": 0.3},
}


def month(name, seed=1):
    return months.month(resolved(PATTERNS[name]), seed=seed)


@pytest.mark.parametrize("name", PATTERNS)
def test_a_month_has_the_declared_requests(name):
    inputs = resolved(PATTERNS[name])
    found = months.month(inputs, seed=1)
    assert found.requests == pytest.approx(float(inputs.traffic.requests_per_month[0]), rel=1e-9)
    assert found.minutes * found.weight == pytest.approx(HOURS_PER_MONTH * 60)
    # The counts are drawn around the rate.
    expected = float(found.rps.sum()) * 60
    assert float(found.counts.sum()) == pytest.approx(expected, abs=6 * math.sqrt(expected))
    assert np.all(found.counts == np.floor(found.counts))


@pytest.mark.parametrize("name", PATTERNS)
def test_a_month_has_the_levels_of_load_that_the_formulas_use(name):
    inputs = resolved(PATTERNS[name])
    found = months.month(inputs, seed=1)
    is_job = inputs.traffic.is_scheduled
    levels = load.of(inputs.traffic, job_s=job_seconds(inputs) if is_job else None)
    hours = levels.hours[0] / HOURS_PER_MONTH
    assert float(found.rps.max()) == pytest.approx(float(levels.peak_rps[0]), rel=0.02)
    assert float(np.mean(found.rps == 0)) == pytest.approx(float(hours[levels.rps[0] == 0].sum()), abs=0.01)
    # The rate that a request sees, which queues depend on.
    seen = float(np.sum(levels.rps[0] ** 2 * hours) / np.sum(levels.rps[0] * hours))
    assert float(np.sum(found.rps**2) / np.sum(found.rps)) == pytest.approx(seen, rel=0.02)


def test_weekends_are_quieter_and_the_day_is_busiest_at_two_in_the_afternoon():
    days = month("diurnal").rps.reshape(28, DAY)
    assert set(days.argmax(axis=1) // 60) <= {13, 14}
    totals = days.sum(axis=1).reshape(4, 7)
    assert totals[:, 5:] == pytest.approx(0.7 * totals[:, [0, 0]])
    assert totals[:, :5] == pytest.approx(totals[:, [0] * 5])


def test_idle_hours_of_a_daily_cycle_are_its_nights():
    days = month("nightly idle").rps.reshape(28, DAY)
    assert np.all(days[:, 2 * 60] == 0)
    assert np.all(days[:, 14 * 60] > 0)
    # One stretch a day.
    assert np.count_nonzero(np.diff(days[0] > 0)) == 2


def test_bursts_last_ten_minutes_and_their_share_is_that_of_the_levels():
    rps = month("spiky").rps
    burst = rps > 30
    starts = np.flatnonzero(np.diff(burst.astype(int), prepend=0) == 1)
    ends = np.flatnonzero(np.diff(burst.astype(int), append=0) == -1)
    lengths = ends - starts + 1
    assert np.median(lengths) == 10
    assert burst.mean() == pytest.approx(0.02, rel=0.05)


def test_scheduled_jobs_run_at_equal_distances_and_send_evenly():
    found = month("jobs")
    # A job each 24 h 20 min; half of the deadline of six hours: three hours.
    running = np.flatnonzero(found.rps > 0)
    starts = running[np.flatnonzero(np.diff(running, prepend=-10) > 1)]
    assert np.diff(starts).tolist() == [1460] * (starts.size - 1)
    assert found.rps[0:180] == pytest.approx(100_000 / (3 * 3600))
    assert np.all(found.rps[180:1460] == 0)


@pytest.mark.parametrize("name", PATTERNS)
def test_windows_stand_for_the_whole_month(name):
    inputs = resolved(PATTERNS[name])
    for requests in (2_000, 50_000):
        plan = streams.plan(inputs, requests=requests, seed=3)
        assert sum(w.weight * w.offered for w in plan.windows) == pytest.approx(plan.month.requests)
        offered = sum(window.offered for window in plan.windows)
        most = min(requests, plan.month.requests / plan.month.weight)
        assert 0.9 * most - 100 < offered < 1.1 * most + 100
        for window in plan.windows:
            assert window.arrivals.size == window.multiplier.size == window.uniform.size
            assert np.all(np.diff(window.arrivals) >= 0)
            assert np.all(window.arrivals[: window.lead] < window.start_s)
            assert np.all(
                (window.arrivals[window.lead :] >= window.start_s) & (window.arrivals < window.end_s)[window.lead :]
            )
            assert window.lead <= 0.35 * window.offered + 50


def test_windows_see_the_rates_of_the_month_without_bias():
    inputs = resolved(DIURNAL)
    rps = months.month(inputs, seed=1).rps
    seen = []
    for seed in range(40):
        plan = streams.plan(inputs, requests=20_000, seed=seed)
        total = sum(
            float(np.interp(w.arrivals[w.lead :] / 60 - 0.5, np.arange(rps.size), rps).sum()) * w.weight
            for w in plan.windows
        )
        seen.append(total / plan.month.requests)
    error = np.std(seen) / math.sqrt(len(seen))
    assert abs(np.mean(seen) - np.sum(rps**2) / np.sum(rps)) < 4 * error
    assert np.std(seen) < 1  # of 80: the order of the blocks spreads the windows over all rates


def test_a_month_that_fits_is_played_whole():
    inputs = resolved({"traffic.pattern": "intermittent", "traffic.rps_mean": 0.01, "traffic.idle_ratio": 0.9})
    plan = streams.plan(inputs, requests=50_000, seed=1)
    (window,) = plan.windows
    assert (window.start_s, window.end_s, window.lead) == (0.0, 28 * 24 * 3600.0, 0)
    counts = np.bincount((window.arrivals / 60).astype(int), minlength=plan.month.minutes)
    assert plan.month.counts.tolist() == counts.tolist()


def test_the_control_loop_sees_the_requests_of_the_windows():
    plan = streams.plan(resolved(DIURNAL), requests=200_000, seed=1)
    for window in plan.windows:
        first, last = math.ceil(window.start_s / 60), int(window.end_s // 60)
        assert last > first
        for minute in range(first, last):
            inside = np.count_nonzero((window.arrivals >= minute * 60) & (window.arrivals < minute * 60 + 60))
            assert plan.month.counts[minute] == inside


def test_a_high_rate_gives_short_windows_and_never_a_thinner_stream():
    inputs = resolved({"traffic.pattern": "steady", "traffic.rps_mean": 500_000, "traffic.rps_peak": 600_000})
    plan = streams.plan(inputs, requests=20_000, seed=1)
    assert len(plan.windows) == 8
    for window in plan.windows:
        assert window.rps == pytest.approx(500_000, rel=0.25)
        assert window.end_s - window.start_s < 0.02


def test_the_same_seed_gives_the_same_stream_and_another_seed_another():
    one, same, other = (streams.plan(resolved(DIURNAL), requests=5_000, seed=seed).windows for seed in (1, 1, 2))
    for a, b in zip(one, same, strict=True):
        assert a.arrivals.tobytes() == b.arrivals.tobytes()
        assert a.multiplier.tobytes() == b.multiplier.tobytes()
        assert a.uniform.tobytes() == b.uniform.tobytes()
    assert one[0].arrivals.tobytes() != other[0].arrivals.tobytes()


def test_numbers_of_a_longer_run_begin_with_those_of_a_shorter_one():
    for draw in (randomness.gaps, randomness.normals, randomness.choices, randomness.routes):
        long = draw(200_000, 7, 3)
        for n in (0, 1, 1000, 1025, 131_072):
            assert draw(n, 7, 3).tobytes() == long[:n].tobytes()
        assert draw(5, 7, 4).tolist() != long[:5].tolist()
        assert not long.flags.writeable


def test_a_small_change_of_the_rate_moves_the_same_requests_a_little():
    one, more = (
        streams.step(resolved({**DIURNAL, "traffic.rps_mean": 30}), rps=rps, factor=1.0, seed=1) for rps in (10, 10.01)
    )
    n = min(one.arrivals.size, more.arrivals.size) - 20
    assert np.max(np.abs(one.arrivals[:n] - more.arrivals[:n])) < 0.001 * 3600 + 0.1
    assert one.multiplier[:n].tolist() == more.multiplier[:n].tolist()


def test_arrivals_within_a_window_are_poisson():
    stream = streams.step(resolved(DIURNAL), rps=50, factor=1.0, seed=5)
    gaps = np.diff(stream.arrivals)
    assert gaps.mean() == pytest.approx(1 / 50, rel=0.01)
    assert gaps.std() == pytest.approx(1 / 50, rel=0.01)
    assert np.corrcoef(gaps[1:], gaps[:-1])[0, 1] == pytest.approx(0, abs=0.01)


def test_a_step_rises_and_falls_back():
    stream = streams.step(resolved(DIURNAL), rps=40, factor=5.0, seed=1)
    assert 0 <= stream.arrivals[0] < 10
    assert (stream.start_s, stream.end_s) == (900, 3600)
    assert stream.lead == pytest.approx(40 * 900, rel=0.03)
    assert stream.between(900, 1800).rps == pytest.approx(200, rel=0.02)
    assert stream.between(1800, 3600).rps == pytest.approx(40, rel=0.02)
    with pytest.raises(InputError, match="at most 1,000 are played"):
        streams.step(resolved(DIURNAL), rps=40, factor=5.0, seed=1, most=1000)


def test_a_day_is_whole_where_it_fits_and_else_its_busiest_part():
    inputs = resolved({**DIURNAL, "traffic.rps_mean": 1, "traffic.rps_peak": 4})
    fits = streams.day(inputs, requests=200_000, seed=1)
    assert fits.month.minutes == DAY
    assert fits.stream.offered == fits.month.counts.sum()
    assert fits.stream.notes == ()
    part = streams.day(inputs, requests=1_000, seed=1)
    assert part.stream.offered == pytest.approx(1_000, abs=150)
    assert part.stream.start_s < 14 * 3600 < part.stream.end_s
    assert "requests; those of" in part.stream.notes[0]
    assert "minutes around 13:59 are played" in part.stream.notes[0] or "around 14:00" in part.stream.notes[0]
    week = streams.day(inputs, requests=10, seed=1, days=7)
    assert week.month.minutes == 7 * DAY
    assert week.month.minute_of_week == 0


def test_a_surge_multiplies_the_rate_while_it_lasts():
    inputs = resolved({**DIURNAL, "traffic.rps_mean": 1, "traffic.rps_peak": 4})
    surge = streams.Surge(start_s=10 * 3600, end_s=10 * 3600 + 900, factor=5)
    calm = streams.day(inputs, requests=10**6, seed=1)
    risen = streams.day(inputs, requests=10**6, seed=1, surge=surge)
    ratio = risen.month.rps / calm.month.rps
    assert ratio[600:615] == pytest.approx(5)
    assert np.delete(ratio, np.arange(600, 615)) == pytest.approx(1)
    assert risen.stream.between(36_000, 36_900).rps == pytest.approx(float(risen.month.rps[600:615].mean()), rel=0.1)


def test_the_busiest_hour_is_found():
    found = streams.busiest(resolved(PATTERNS["spiky"]), requests=5_000, seed=1)
    assert found.rps == pytest.approx(60, rel=0.1)
    assert found.weight == 0


@pytest.mark.parametrize("popularity", ["uniform", "zipf:0.9", "hot:0.8"])
def test_models_are_asked_for_as_popular_as_they_are(popularity):
    inputs = resolved({**DIURNAL, "models.count": 50, "models.popularity": popularity, "composition": "independent"})
    stream = streams.busiest(inputs, requests=100_000, seed=1)
    share = np.bincount(stream.models, minlength=50) / stream.models.size
    zipf = 0.9 if popularity == "zipf:0.9" else 0.0
    expected = requested.shares(50, zipf=zipf, hot_share=0.8 if popularity == "hot:0.8" else None)
    assert share == pytest.approx(expected, abs=0.005)
    assert float(expected[0]) == pytest.approx(float(inputs.popularity[1][0, 0]), rel=0.02)


def test_one_model_needs_no_index():
    assert streams.busiest(resolved(DIURNAL), requests=100, seed=1).models is None
    chain = resolved({**DIURNAL, "models.count": 3, "composition": "sequential"})
    assert streams.busiest(chain, requests=100, seed=1).models is None


@given(st.integers(1, 3000), st.floats(0, 3), st.integers(0, 5))
def test_a_model_is_the_first_whose_running_share_exceeds_the_number(count, zipf, seed):
    numbers = np.random.default_rng(seed).random(200)
    running = np.cumsum(requested.shares(count, zipf=zipf))
    expected = np.minimum(np.searchsorted(running, numbers, side="right"), count - 1)
    found = requested.models_of(numbers, count=count, zipf=zipf)
    assert np.all(np.abs(found - expected) <= (np.abs(running[np.minimum(found, expected)] - numbers) < 1e-12))


@pytest.mark.parametrize("cv", [0.01, 0.3, 0.5, 0.7, 1.0, 1.5, 3.0])
@pytest.mark.parametrize("distribution", ["lognormal", "gamma"])
def test_service_multipliers_have_mean_one_and_the_declared_spread(distribution, cv):
    normals = randomness.normals(2_000_000, 1)
    made = multipliers(normals, distribution=distribution, cv=cv).astype(float)
    assert made.mean() == pytest.approx(1, rel=0.005)
    assert made.std() == pytest.approx(cv, rel=0.02)
    # The same order as the numbers they are made of: a change of shape moves each request a little.
    assert np.all(np.diff(made[np.argsort(normals[:1000])]) >= 0)


def test_a_gamma_with_spread_one_is_exponential():
    normals = np.array([-4, -2, 0, 1, 2, 3, 4, 5], dtype=np.float32)
    above = np.array([0.5 * math.erfc(float(z) / math.sqrt(2)) for z in normals])
    assert multipliers(normals, distribution="gamma", cv=1.0) == pytest.approx(-np.log(above), rel=1e-3)


def test_constant_service_ignores_the_spread_and_other_shapes_are_refused():
    assert multipliers(randomness.normals(3, 1), distribution="constant", cv=2.0).tolist() == [1, 1, 1]
    assert multipliers(randomness.normals(3, 1), distribution="gamma", cv=0.0).tolist() == [1, 1, 1]
    with pytest.raises(ValueError, match="expected lognormal, gamma or constant"):
        multipliers(randomness.normals(3, 1), distribution="normal", cv=1.0)
    with pytest.raises(ValueError, match="expected lognormal, gamma or constant"):
        multipliers(randomness.normals(3, 1), distribution="gamma", cv=-1.0)


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


EXTREMES = st.fixed_dictionaries(
    {
        "traffic.pattern": st.sampled_from(["steady", "diurnal", "spiky", "intermittent", "scheduled"]),
        "traffic.rps_mean": st.sampled_from([0, 1e-6, 0.003, 1, 700, 20_000]),
        "traffic.rps_peak": st.sampled_from([20_000, 1_000_000]),
        "traffic.idle_ratio": st.sampled_from([0, 0.01, 0.5, 0.99, 0.99999]),
        "traffic.records_per_job": st.sampled_from([0, 1, 10**6, 10**11]),
        "traffic.jobs_per_month": st.sampled_from([0, 0.001, 1, 731, 10**6]),
        "models.count": st.sampled_from([1, 3, 1000]),
    }
)


@given(EXTREMES, st.integers(0, 3))
@settings(max_examples=60)
def test_any_declared_traffic_has_a_month_and_windows(values, seed):
    inputs = resolved(values)
    plan = streams.plan(inputs, requests=3_000, seed=seed)
    declared = float(inputs.traffic.requests_per_month[0])
    assert plan.month.requests == pytest.approx(declared, rel=1e-6)
    assert np.all((plan.month.rps >= 0) & (plan.month.rps < np.inf))
    assert 1 <= len(plan.windows) <= streams.WINDOWS
    assert sum(one.arrivals.size for one in plan.windows) < 3 * 3_000
    for window in plan.windows:
        assert np.all(np.diff(window.arrivals) >= 0)
        assert window.start_s < window.end_s <= plan.month.minutes * 60 * (1 + 1e-12)
        assert (window.models is None) is (round(float(inputs.units[0])) == 1)
    day = streams.day(inputs, requests=3_000, seed=seed)
    assert day.stream.arrivals.size < 3 * 3_000
    busiest = streams.busiest(inputs, requests=1_000, seed=seed)
    assert busiest.arrivals.size < 3 * 1_000


def test_exact_times_of_a_recording_are_played_as_they_are():
    rng = np.random.default_rng(3)
    times = np.sort(rng.uniform(0.1, 7200, 5_000)).round(3)
    trace = read_trace(("timestamp\n" + "\n".join(map(str, times))).encode(), exact=True)
    stream = streams.whole(resolved({}, trace=trace), seed=1).windows[0]
    assert stream.arrivals.tolist() == pytest.approx(times.tolist())
    assert stream.notes == ()
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
