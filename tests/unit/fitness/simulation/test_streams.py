import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fitness.errors import InputError
from fitness.simulation import months, requested, streams
from fitness.simulation.months import DAY
from tests.declared import resolved
from tests.traffic import DIURNAL, PATTERNS


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


def test_a_rare_burst_counts_as_much_as_it_is_rare():
    """Bursts with 3 % of the requests: one of sixteen equal windows would miss them or count them twice."""
    inputs = resolved({"traffic.pattern": "steady", "traffic.rps_mean": 50, "traffic.rps_peak": 150})
    rps = months.month(inputs, seed=1).rps
    share = float(rps[rps > 100].sum() / rps.sum())
    assert 0.02 < share < 0.04
    seen = []
    for seed in range(40):
        plan = streams.plan(inputs, requests=20_000, seed=seed)
        seen.append(sum(w.weight * w.offered for w in plan.windows if w.rps > 100) / plan.month.requests)
    assert abs(np.mean(seen) - share) < 4 * np.std(seen) / math.sqrt(len(seen))
    assert min(seen) > 0
    assert np.std(seen) < 0.02  # of sixteen equal windows 0.03


def test_strata_are_alike_but_for_the_one_around_the_busiest_block():
    # Of six, one is whole and five are the parts of the other half of the circle: 3/8, 3/32, 1/16, 3/32 and 3/8 of it,
    # with the busiest block, at 1/4, in the middle of the third.
    starts, lengths = streams._strata(6, 0.25)
    assert starts.tolist() == [0, 12 / 64, 15 / 64, 17 / 64, 20 / 64, 1 / 2]
    assert lengths.tolist() == [12 / 64, 3 / 64, 2 / 64, 3 / 64, 12 / 64, 1 / 2]
    # Where the busiest block is the first, the parts before it are the end of the circle.
    starts, lengths = streams._strata(6, 0.0)
    assert starts.tolist() == [48 / 64, 60 / 64, 63 / 64, 1 / 64, 4 / 64, 1 / 4]
    assert lengths.sum() == 1
    # The rule is sixteen: eleven of a twelfth and the five parts of another.
    starts, lengths = streams._strata(16, 0.7)
    assert lengths[5:] == pytest.approx(1 / 12)
    assert sorted((starts + lengths) % 1.0) == pytest.approx(sorted(starts))


def test_a_month_that_fits_is_played_whole():
    inputs = resolved({"traffic.pattern": "intermittent", "traffic.rps_mean": 0.01, "traffic.idle_ratio": 0.9})
    plan = streams.plan(inputs, requests=50_000, seed=1)
    (window,) = plan.windows
    assert (window.start_s, window.end_s, window.lead) == (0.0, 28 * 24 * 3600.0, 0)
    counts = np.bincount((window.arrivals / 60).astype(int), minlength=plan.month.minutes)
    assert plan.month.counts.tolist() == counts.tolist()


def test_the_control_loop_sees_the_requests_of_the_windows():
    plan = streams.plan(resolved(DIURNAL), requests=400_000, seed=1)
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
