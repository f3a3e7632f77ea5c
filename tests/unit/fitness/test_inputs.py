"""Draws, and how requests spread over models."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fitness.inputs import POINT, Draws
from tests.declared import resolved


def named(count, popularity="uniform", **more):
    return resolved({"models.count": count, "models.popularity": popularity, "composition": "independent", **more})


@given(st.integers(1, 1_000_000), st.floats(0, 10))
def test_shares_of_a_zipf_sum_to_one(count, exponent):
    members, share = named(count, f"zipf:{exponent}").popularity
    assert np.sum(members) == pytest.approx(count)
    assert np.sum(members * share) == pytest.approx(1)
    assert np.all(share >= 0)


@given(st.integers(1, 1_000_000), st.floats(0.2, 1))
def test_shares_of_hot_models_sum_to_one(count, hot):
    members, share = named(count, f"hot:{hot}").popularity
    assert np.sum(members) == pytest.approx(count)
    assert np.sum(members * share) == pytest.approx(1)


@pytest.mark.parametrize(("count", "exponent"), [(3, 1.0), (20, 0.9), (5000, 1.1), (100_000, 0.7)])
def test_the_hottest_models_have_their_exact_shares_up_to_the_binning_of_the_tail(count, exponent):
    _, share = named(count, f"zipf:{exponent}").popularity
    exact = np.arange(1, count + 1) ** -exponent
    exact /= exact.sum()
    known = min(8, count)
    assert share[0, :known] == pytest.approx(exact[:known], rel=0.02)


def test_the_hottest_fifth_takes_its_share():
    members, share = named(50, "hot:0.8").popularity
    assert members[0].tolist() == [10, 40]
    assert share[0] == pytest.approx([0.08, 0.005])


def test_models_alike_have_equal_shares():
    members, share = named(300).popularity
    held = members[0] > 0
    assert share[0][held] == pytest.approx(1 / 300)


@pytest.mark.parametrize(
    ("values", "steps", "units"),
    [
        ({}, 1, 1),
        ({"models.count": 40, "composition": "independent"}, 1, 40),
        ({"models.count": 40}, 1, 40),
        ({"models.count": 3, "composition": "sequential"}, 3, 1),
        ({"models.count": 15, "composition": "ensemble"}, 15, 1),
        ({"models.count": 2, "models.containers": 4, "composition": "sequential"}, 4, 1),
        # More than fifteen in a chain or graph are separate customers, each with its own.
        ({"models.count": 1000, "composition": "ensemble"}, 1, 1000),
        ({"models.count": 1000, "models.containers": 3, "composition": "ensemble"}, 3, 1000),
    ],
)
def test_steps_of_a_request_and_units_that_are_called(values, steps, units):
    inputs = resolved(values)
    assert (inputs.steps[0], inputs.units[0]) == (steps, units)


def test_the_point_is_the_middle():
    assert POINT.column("anything").tolist() == [0.5]


def test_a_column_is_a_latin_hypercube():
    column = Draws(size=100, seed=1).column("x")
    assert np.sort(np.floor(column * 100)).tolist() == list(range(100))
    assert np.all((column > 0) & (column < 1))


def test_a_column_depends_on_its_name_the_seed_and_the_size_alone():
    draws = Draws(size=64, seed=5)
    assert draws.column("a").tolist() == Draws(size=64, seed=5).column("a").tolist()
    assert draws.column("a").tolist() != draws.column("b").tolist()
    assert draws.column("a").tolist() != Draws(size=64, seed=6).column("a").tolist()


def test_columns_of_two_names_are_not_correlated():
    draws = Draws(size=2000, seed=3)
    assert abs(np.corrcoef(draws.column("a"), draws.column("b"))[0, 1]) < 0.06


def test_objectives_name_when_an_answer_is_late():
    both = resolved({"objectives.latency_p95_ms": 100, "objectives.latency_p99_ms": 250}).objectives
    assert (both.target_s[0], both.late_after_s[0]) == (0.1, 0.25)
    one = resolved({"objectives.latency_p99_ms": 250}).objectives
    assert (one.target_s[0], one.late_after_s[0]) == (0.25, 0.25)
    assert np.isnan(one.within_p95_s[0])


def test_a_month_has_the_requests_of_its_mean_or_of_its_jobs():
    online = resolved({"traffic.pattern": "steady", "traffic.rps_mean": 2}).traffic
    assert online.requests_per_month[0] == pytest.approx(2 * 730 * 3600)
    job = resolved({"traffic.pattern": "scheduled", "traffic.records_per_job": 50, "traffic.jobs_per_month": 4}).traffic
    assert job.requests_per_month[0] == pytest.approx(200)
