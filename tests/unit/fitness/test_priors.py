"""What is assumed where nobody measured."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fitness.errors import InputError
from fitness.priors import PRIORS, Prior, normal_quantile, with_fixed


def prior(**changes) -> Prior:
    values = {"name": "x", "distribution": "lognormal", "low": 1, "median": 2, "high": 8, "spread": 2, "unit": "s",
              "grade": "assumed", "source": "", "as_of": "", "note": ""}  # fmt: skip
    return Prior(**{**values, **changes})


def test_the_normal_quantile_has_the_values_of_the_tables():
    found = normal_quantile(np.array([0.0228, 0.5, 0.8413, 0.95, 0.975, 0.99, 0.999]))
    assert found == pytest.approx([-2, 0, 1, 1.6449, 1.96, 2.3263, 3.0902], abs=1e-3)


def test_a_lognormal_is_its_median_times_powers_of_its_deviation():
    found = prior().quantile(np.array([0.158655, 0.5, 0.841345, 0.97725]))
    assert found == pytest.approx([1, 2, 4, 8], rel=1e-4)


def test_a_uniform_has_its_ends_and_its_median():
    found = prior(distribution="uniform").quantile(np.array([0, 0.25, 0.5, 0.75, 1.0]))
    assert found == pytest.approx([1, 1.5, 2, 5, 8])


def test_a_constant_is_the_same_everywhere():
    assert prior(distribution="constant").quantile(np.array([0.01, 0.99])).tolist() == [2, 2]


@given(st.sampled_from(sorted(PRIORS())), st.floats(1e-6, 1 - 1e-6), st.floats(1e-6, 1 - 1e-6))
def test_every_prior_rises_and_is_positive(name, one, other):
    low, high = PRIORS()[name].quantile(np.array(sorted([one, other])))
    assert 0 < low <= high < math.inf


@pytest.mark.parametrize("name", PRIORS())
def test_every_prior_says_where_it_comes_from(name):
    one = PRIORS()[name]
    assert one.source
    assert one.unit
    assert one.as_of.startswith("202")
    assert one.grade in ("assumed", "measured", "documented")
    assert one.distribution in ("lognormal", "uniform")
    assert one.spread > 1 or one.low < one.median < one.high
    assert f"{one.median:g}" in one.text


def test_a_fixed_prior_is_a_constant_that_the_caller_measured():
    table = with_fixed({"invoke_overhead_ms": 7})
    one = table["invoke_overhead_ms"]
    assert one.quantile(np.array([0.01, 0.99])).tolist() == [7, 7]
    assert (one.grade, one.text) == ("measured", "fixed at 7 ms")
    assert table["hop_ms"] == PRIORS()["hop_ms"]
    assert with_fixed(None) == PRIORS()


def test_every_wrong_prior_is_named_at_once():
    wrong = {"unknown": 1, "hop_ms": -1, "invoke_overhead_ms": "5", "batch_start_s": math.nan, "graph_hop_ms": True,
             "speed_of_other_family": 0, "instance_launch_s": 1e300}  # fmt: skip
    with pytest.raises(InputError) as caught:
        with_fixed(wrong)
    assert sorted(problem.path for problem in caught.value.problems) == sorted(f"$.priors.{name}" for name in wrong)


@pytest.mark.parametrize("name", ["request.processing_ms", "traffic.rps_mean", "serverless_mb_per_vcpu",
                                  "request.concurrency.per_vcpu", "models.memory_mb.base"])  # fmt: skip
def test_what_divides_is_above_zero(name):
    with pytest.raises(InputError, match="> 0"):
        with_fixed({name: 0})


@pytest.mark.parametrize("name", ["hop_ms", "instance_launch_s", "serverless_idle_timeout_s", "model_load_base_s"])
def test_what_may_take_no_time_may_be_zero(name):
    assert with_fixed({name: 0})[name].median == 0
