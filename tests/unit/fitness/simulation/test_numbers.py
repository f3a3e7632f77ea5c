import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fitness.simulation import randomness, requested
from fitness.simulation.multipliers import multipliers


def test_numbers_of_a_longer_run_begin_with_those_of_a_shorter_one():
    for draw in (randomness.gaps, randomness.normals, randomness.choices, randomness.routes):
        long = draw(200_000, 7, 3)
        for n in (0, 1, 1000, 1025, 131_072):
            assert draw(n, 7, 3).tobytes() == long[:n].tobytes()
        assert draw(5, 7, 4).tolist() != long[:5].tolist()
        assert not long.flags.writeable


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
