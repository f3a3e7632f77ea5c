"""The five fitness functions and their mean, by hand."""

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fitness.cost import cost
from fitness.latency import credit, latency
from fitness.options import OPTIONS
from fitness.outcome import Latency, Outcome
from fitness.scaling import decisions, scaling
from fitness.score import FUNCTIONS, score, weights
from fitness.throughput import throughput
from fitness.traffic import traffic
from tests.declared import evaluated, resolved

ratios = st.floats(0, 1)
amounts = st.floats(0, 1e12)


WHOLE = evaluated("real_time", {})


def outcome(**changes: object) -> Outcome:
    """One row that does everything right: half a second, half of what is paid works."""
    ones = np.ones(1)
    whole = replace(
        WHOLE,
        latency=Latency(seconds=np.array([[0.5]]), weight=np.array([[1.0]])),
        dropped_ratio=ones * 0,
        cold_ratio=ones * 0,
        busy_s=ones * 500,
        paid_s=ones * 1000,
        peak_served_ratio=ones,
        peak_headroom=ones * 2,
        step_within_ratio=ones,
        step_busy_ratio=ones,
        metered={},
    )
    arrays = {name: np.array([value]) if isinstance(value, (int, float)) else value for name, value in changes.items()}
    return replace(whole, **arrays)


def objectives(**declared):
    return resolved({f"objectives.{name}": value for name, value in declared.items()}).objectives


@pytest.mark.parametrize(("usd", "reference", "value"), [(0, 100, 1), (50, 100, 0.8), (100, 100, 0.5), (300, 100, 0.1)])
def test_cost_is_one_half_at_the_reference(usd, reference, value):
    assert cost(np.array([float(usd)]), np.array([float(reference)]))[0] == pytest.approx(value)


@given(amounts, amounts, st.floats(1, 1e9))
def test_cost_falls_with_the_bill_and_stays_a_ratio(usd, more, reference):
    first, second = cost(np.array([usd, usd + more]), np.array([reference]))
    assert 0 <= second <= first <= 1


def test_an_answer_twice_as_late_as_the_objective_is_worth_a_quarter():
    answers = Latency(seconds=np.array([[0.5, 2.0, 4.0]]), weight=np.array([[0.5, 0.25, 0.25]]))
    assert credit(answers, np.array([1.0]))[0] == pytest.approx(0.5 + 0.25 / 4 + 0.25 / 16)


def test_a_cold_start_that_is_accepted_is_worth_a_whole_answer():
    answers = Latency(seconds=np.array([[0.5, 9.0]]), weight=np.array([[0.9, 0.1]]), forgiven=np.array([[0.0, 1.0]]))
    assert credit(answers, np.array([1.0]))[0] == 1


def test_what_is_dropped_is_worth_nothing():
    found = latency(outcome(dropped_ratio=0.25), objectives(latency_p95_ms=1000))
    assert found[0] == pytest.approx(0.75)


def test_latency_is_measured_against_the_tighter_objective():
    slow = outcome(latency=Latency(seconds=np.array([[0.5]]), weight=np.array([[1.0]])))
    assert latency(slow, objectives(latency_p95_ms=250, latency_p99_ms=1000))[0] == pytest.approx(0.25)
    assert latency(slow, objectives(latency_p99_ms=1000))[0] == 1
    assert latency(slow, objectives(deadline_s=0.25))[0] == pytest.approx(0.25)


@pytest.mark.parametrize(("served", "headroom", "dropped", "value"), [
    (1, 2, 0, 1),
    (1, 1.3, 0, 1),
    (1, 1.04, 0, 0.8),
    (0.9, 0.9, 0, 0.9 * 0.9 / 1.3),
    (1, 2, 0.2, 0.8),
])  # fmt: skip
def test_throughput_is_what_is_served_times_the_headroom(served, headroom, dropped, value):
    found = throughput(outcome(peak_served_ratio=served, peak_headroom=headroom, dropped_ratio=dropped))
    assert found[0] == pytest.approx(value)


def test_scaling_is_the_mean_of_up_down_and_simplicity():
    found = scaling(outcome(step_within_ratio=0.5, step_busy_ratio=0.25), 8)
    assert found[0] == pytest.approx((0.5 * math.sqrt(0.25) * 0.5) ** (1 / 3))
    assert scaling(outcome(), 0)[0] == 1


def test_traffic_is_the_root_of_what_works_of_what_is_paid_headroom_aside():
    assert traffic(outcome(busy_s=250, paid_s=1000))[0] == pytest.approx(math.sqrt(1.3 / 4))
    assert traffic(outcome(busy_s=900, paid_s=1000))[0] == 1
    assert traffic(outcome(cold_ratio=0.5, busy_s=1000))[0] == pytest.approx(0.5)
    assert traffic(outcome(paid_s=0))[0] == 0


def test_the_client_of_a_scheduled_job_is_paid_and_does_none_of_the_work():
    sent = outcome(busy_s=250, paid_s=400, metered={"processing/ml.m5.large": np.array([600 / 3600])})
    assert traffic(sent)[0] == pytest.approx(math.sqrt(1.3 / 4))


def test_a_chain_on_endpoints_of_their_own_is_decided_again_for_each():
    chain = resolved({"models.count": 3, "composition": "sequential"})
    for option in ("real_time", "azure_functions"):
        assert "the same again for 3 endpoints" in decisions(option, "always_on", chain)
    assert not any("same again" in one for one in decisions("serial_pipeline", "always_on", chain))


@given(ratios, ratios, ratios, ratios, st.floats(0, 1e6), ratios, amounts, amounts)
def test_every_function_is_a_ratio(within, busy, dropped, cold, headroom, served, worked, paid):
    one = outcome(
        step_within_ratio=within,
        step_busy_ratio=busy,
        dropped_ratio=dropped,
        cold_ratio=cold,
        peak_headroom=headroom,
        peak_served_ratio=served,
        busy_s=worked,
        paid_s=paid,
    )
    found = score(one, resolved({}), monthly_usd=np.array([worked]), reference_usd=np.array([100.0]))
    for name in (*FUNCTIONS, "total"):
        assert 0 <= getattr(found, name)[0] <= 1


def test_the_score_is_the_weighted_geometric_mean():
    inputs = resolved({"weights.cost": 2, "weights.latency": 1, "weights.throughput": 0, "weights.scaling": 1,
                       "weights.traffic": 0, "objectives.latency_p95_ms": 250})  # fmt: skip
    found = score(outcome(), inputs, monthly_usd=np.array([100.0]), reference_usd=np.array([100.0]))
    by_hand = (0.5**2 * 0.25 * found.scaling[0]) ** (1 / 4)
    assert found.total[0] == pytest.approx(by_hand)


def test_what_one_function_loses_the_others_do_not_buy_back():
    found = score(outcome(), resolved({}), monthly_usd=np.array([1e9]), reference_usd=np.array([1.0]))
    assert found.total[0] < 0.07
    better = score(outcome(), resolved({}), monthly_usd=np.array([1e8]), reference_usd=np.array([1.0]))
    assert better.total[0] == pytest.approx(found.total[0])  # below the floor nothing is told apart


def test_an_unknown_price_is_neither_cheap_nor_dear():
    found = score(outcome(), resolved({}), monthly_usd=np.array([np.nan]), reference_usd=np.array([100.0]))
    assert found.cost[0] == 0.5
    found = score(outcome(), resolved({}), monthly_usd=np.array([5.0]), reference_usd=np.array([np.nan]))
    assert found.cost[0] == 0.5


@pytest.mark.parametrize(("word", "share"), [("low", 0.5 / 4.5), ("normal", 0.2), ("high", 2 / 6), (None, 0.2)])
def test_how_much_cost_matters_scales_its_weight(word, share):
    declared = {} if word is None else {"objectives.cost_sensitivity": word}
    found = weights(resolved(declared))
    assert found[0] == pytest.approx(share)
    assert np.sum(found) == pytest.approx(1)


@pytest.mark.parametrize("option", OPTIONS)
def test_decisions_are_counted_in_words(option):
    one = decisions(option, "always_on", resolved({}))
    assert len(one) == len(set(one)) >= 2
    job = decisions(option, "always_on", resolved({"traffic.pattern": "scheduled"}))
    assert len(job) == len(one) + (0 if option == "batch" else 3)


def test_many_endpoints_chains_and_variants_are_further_decisions():
    one = decisions("real_time", "always_on", resolved({}))
    many = decisions("real_time", "always_on", resolved({"models.count": 40, "composition": "independent"}))
    assert set(many) - set(one) == {"the same again for 40 endpoints"}
    chain = decisions("real_time", "always_on", resolved({"models.count": 3, "composition": "sequential"}))
    assert len(chain) == len(one) + 3
    pipeline = decisions("serial_pipeline", "always_on", resolved({"models.count": 3, "composition": "sequential"}))
    assert len(pipeline) == len(one) + 1
    on_demand, provisioned = (
        decisions("serverless", variant, resolved({})) for variant in ("on_demand", "provisioned")
    )
    assert len(provisioned) == len(on_demand) + 1
    assert len(decisions("real_time", "inference_components", resolved({}))) == len(one) + 2


# --- the histogram --------------------------------------------------------------------------------


def test_a_percentile_lies_between_the_middles_of_the_bins():
    hundred = Latency(seconds=np.arange(1.0, 101)[None, ::-1], weight=np.full((1, 100), 0.01))
    assert hundred.percentile(0.5)[0] == pytest.approx(50.5)
    assert hundred.percentile(0.99)[0] == pytest.approx(99.5)
    assert hundred.percentile(1.0)[0] == 100


def test_a_single_bin_is_every_percentile_and_empty_bins_are_none():
    one = Latency(seconds=np.array([[7.0, 1.0]]), weight=np.array([[2.0, 0.0]]))
    assert [one.percentile(p)[0] for p in (0.01, 0.5, 0.99)] == [7, 7, 7]


@given(st.lists(st.tuples(st.floats(0, 1e6), st.floats(1e-9, 1)), min_size=1, max_size=30), ratios, ratios)
def test_percentiles_never_fall(bins, one, other):
    seconds, weight = (np.array([column]) for column in zip(*bins, strict=True))
    found = Latency(seconds=seconds, weight=weight)
    assert found.percentile(min(one, other))[0] <= found.percentile(max(one, other))[0] * (1 + 1e-12)


def test_rows_are_independent():
    both = Latency(seconds=np.array([[1.0, 2.0], [10.0, 20.0]]), weight=np.array([[0.5, 0.5], [1.0, 0.0]]))
    assert both.percentile(0.99).tolist() == [2, 10]
    assert both.share_above(np.array([1.5, 9.0])).tolist() == [0.5, 1]


def test_a_bill_adds_quantities_times_prices_and_is_unknown_without_one():
    one = outcome(metered={"hosting/x": np.array([10.0]), "serverless/y#cold": np.array([2.0])})
    assert one.usd({"hosting/x": 0.5, "serverless/y#cold": 1.0})[0] == 7
    assert math.isnan(one.usd({"hosting/x": 0.5})[0])
    assert outcome(metered={"hosting/x": np.array([0.0])}).usd({})[0] == 0
