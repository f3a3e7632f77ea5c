"""The share of calls that find their model in memory, against a cache that is played call by call."""

from collections import OrderedDict

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fitness import analytic
from fitness.analytic import model_cache, served
from fitness.machines import candidates
from tests.declared import BOOK, evaluated, played, resolved, studied

MANY = {
    "models.count": 1000,
    "models.popularity": "zipf:0.9",
    "models.artifact_mb": 102.4,
    "models.memory_mb": 350,
    "composition": "independent",
    "request.measured_on": "ml.c5.xlarge",
    "request.concurrency": 4,
    "objectives.cold_start_ok": True,
}


def lru_hits(shares, resident, calls=200_000):
    """Share of hits of a least-recently-used cache of equal models, once it is full."""
    rng = np.random.default_rng(20_261_121)
    kept: OrderedDict[int, None] = OrderedDict()
    hits = 0
    warm = calls // 4
    for index, model in enumerate(rng.choice(shares.size, size=calls, p=shares)):
        if model in kept:
            kept.move_to_end(model)
            hits += index >= warm
        else:
            kept[model] = None
            if len(kept) > resident:
                kept.popitem(last=False)
    return hits / (calls - warm)


def zipf(count, exponent):
    weights = np.arange(1, count + 1) ** -exponent
    return weights / weights.sum()


@pytest.mark.parametrize(("count", "exponent", "resident"), [(200, 0.9, 20), (200, 0.9, 100), (1000, 1.2, 100)])
def test_hits_of_a_zipf_cache_are_those_of_a_played_one(count, exponent, resident):
    values = {**MANY, "models.count": count, "models.popularity": f"zipf:{exponent}"}
    members, share = resolved(values).popularity
    found = model_cache.hit_ratio(members, share, np.array([[float(resident)]]))[0, 0]
    assert found == pytest.approx(lru_hits(zipf(count, exponent), resident), abs=0.015)


def test_models_alike_hit_with_the_share_that_is_resident():
    members, share = resolved({**MANY, "models.popularity": "uniform"}).popularity
    found = model_cache.hit_ratio(members, share, np.array([[100.0, 500.0, 1000.0]]))[0]
    assert found == pytest.approx([0.1, 0.5, 1.0], abs=0.005)


def test_hot_models_hit_while_the_others_pass_through():
    members, share = resolved({**MANY, "models.count": 100, "models.popularity": "hot:0.9"}).popularity
    shares = np.concatenate([np.full(20, 0.9 / 20), np.full(80, 0.1 / 80)])
    found = model_cache.hit_ratio(members, share, np.array([[30.0]]))[0, 0]
    assert found == pytest.approx(lru_hits(shares, 30), abs=0.015)


@given(st.integers(2, 100_000), st.floats(0, 3), st.floats(0.01, 1))
def test_more_memory_never_hits_less(count, exponent, part):
    members, share = resolved({**MANY, "models.count": count, "models.popularity": f"zipf:{exponent}"}).popularity
    less = max(1.0, np.floor(count * part))
    found = model_cache.hit_ratio(members, share, np.array([[less, min(float(count), less * 1.5), float(count)]]))[0]
    assert np.all((found >= 0) & (found <= 1))
    assert np.all(np.diff(found) >= -1e-9)
    assert found[2] == pytest.approx(1)


def plan(values, *names, config=None):
    inputs = resolved(values)
    machines = candidates(inputs, BOOK)
    if names:
        machines = machines.only([index for index, one in enumerate(machines.types) if one.name in names])
    return model_cache.plan(inputs, machines, served.load_of(inputs), config or {})


def least(values, *names, **kwargs):
    """Models that the smallest of the fleets keeps."""
    found = plan(values, *names, **kwargs)
    return found.resident[found.fits].min()


def test_a_miss_costs_the_download_and_the_load():
    assert plan(MANY).load_s[0] == pytest.approx(0.5 + 8 * 0.1)


def test_instances_hold_the_resident_models():
    found = plan({**MANY, "objectives.cold_start_ok": False}, "ml.c5.xlarge")
    # 7 GiB for models hold twenty of 350 MB.
    assert found.resident.tolist() == [[1000]]
    assert found.hit_ratio.tolist() == [[1]]
    assert found.instances.tolist() == [[50]]


def test_fleets_with_more_models_in_memory_are_tried_as_well():
    found = plan(MANY, "ml.c5.xlarge")
    assert found.instances.shape[1] > 3
    assert found.resident[0].tolist() == np.minimum(20 * found.instances[0], 1000).tolist()
    assert np.all(np.diff(found.hit_ratio[0]) > 0)
    assert found.hit_ratio[0, -1] == 1


def test_memory_is_bought_until_it_costs_more_than_it_saves():
    generous = least({**MANY, "objectives.monthly_budget_usd": 1_000_000})
    assert generous > 2 * least({**MANY, "objectives.monthly_budget_usd": 100})


def test_the_weights_say_how_many_models_stay():
    assert least({**MANY, "weights.traffic": 5}) > least({**MANY, "weights.cost": 5, "weights.scaling": 5})


def test_a_load_beyond_the_budget_of_a_first_answer_keeps_every_model():
    assert least({**MANY, "objectives.cold_start_budget_s": 2}) < 1000
    assert least({**MANY, "objectives.cold_start_budget_s": 1}) == 1000


def test_a_load_that_nobody_accepted_and_that_is_late_keeps_every_model():
    unsaid = {path: value for path, value in MANY.items() if path != "objectives.cold_start_ok"}
    assert least({**unsaid, "objectives.latency_p95_ms": 3000}) < 1000
    assert least({**unsaid, "objectives.latency_p95_ms": 1000}) == 1000


def test_fewer_instances_than_asked_for_hold_fewer_models():
    free, capped = plan(MANY, "ml.c5.xlarge"), plan(MANY, "ml.c5.xlarge", config={"max_instances": 2})
    assert capped.instances.tolist() == free.instances.tolist()
    assert capped.resident.max() == 40
    assert capped.hit_ratio.max() < free.hit_ratio.min()
    assert plan(MANY, "ml.c5.xlarge", config={"min_instances": 50}).resident.min() == 1000


def test_the_month_hits_as_often_as_its_instances_hold_models():
    found = plan(MANY, "ml.c5.xlarge")
    at = (np.array([0]), np.array([0]))
    one, many = (model_cache.hit_ratio(*resolved(MANY).popularity, np.array([[held]]))[0, 0] for held in (20, 400.0))
    hits = found.mean_hit_ratio(at, np.array([[1.0, 20.0]]), np.array([[3.0, 1.0]]))
    assert hits[0] == pytest.approx((3 * one + many) / 4)


def test_a_fixed_maximum_is_kept_by_larger_instances_where_there_are_any():
    strict = {**MANY, "objectives.cold_start_ok": False}
    outcome = evaluated("mme", strict, config={"max_instances": 3})
    assert (outcome.settings["models_in_memory"][0], outcome.hit_ratio[0]) == (1000, 1)
    assert outcome.settings["max_instances"][0] <= 3


def test_what_the_score_chooses_is_better_than_every_model_in_memory():
    for values in (MANY, {**MANY, "models.popularity": "zipf:1.2"}, {**MANY, "models.count": 100}):
        chosen, all_of_them = played("mme", values), played("mme", {**values, "objectives.cold_start_ok": False})
        assert chosen.outcome.hit_ratio[0] < all_of_them.outcome.hit_ratio[0] == 1
        assert chosen.scores.total[0] > 1.05 * all_of_them.scores.total[0]


def test_hours_are_paid_for_once_though_a_type_is_tried_with_several_counts():
    work = studied(MANY)
    outcome = analytic.evaluate("mme", "always_on", work.scouts, BOOK, config={})
    hours = sum(quantity for item, quantity in outcome.metered.items() if item.startswith("hosting/"))
    assert np.allclose(hours, outcome.instance_hours)


@given(
    st.integers(2, 20_000),
    st.floats(0, 2),
    st.floats(20, 8000),
    st.floats(0.01, 1000),
    st.floats(1.01, 10),
    st.booleans(),
)
def test_more_load_never_keeps_fewer_models_nor_costs_less(count, exponent, memory_mb, rps, factor, accepted):
    values = {
        **MANY,
        "models.count": count,
        "models.popularity": f"zipf:{exponent}",
        "models.memory_mb": memory_mb,
        "objectives.cold_start_ok": True if accepted else None,
        "traffic.pattern": "steady",
    }
    before, after = ({**values, "traffic.rps_mean": rate} for rate in (rps, factor * rps))
    assert least(after, "ml.r5.xlarge") >= least(before, "ml.r5.xlarge")
    assert played("mme", after).monthly_usd[0] >= played("mme", before).monthly_usd[0] * (1 - 1e-9)


def test_one_model_is_always_resident():
    found = plan({**MANY, "models.count": 1})
    assert found.resident.min() == found.resident.max() == 1
    assert found.hit_ratio.min() == 1


def test_a_type_fits_when_it_holds_one_model():
    found = plan({**MANY, "models.memory_mb": 4000}, "ml.c5.large", "ml.c5.xlarge")
    assert sorted({bool(found.fits[0, found.column == column].any()) for column in (0, 1)}) == [False, True]


def test_a_chain_is_walked_model_by_model_so_one_model_at_a_time_must_fit():
    chain = {**MANY, "models.count": 3, "composition": "sequential", "models.memory_mb": 3000}
    found = plan(chain, "ml.c5.xlarge")
    assert found.fits[0].tolist() == [True]
    # Two of three fit into 7 GiB: one instance does not keep the whole chain.
    assert found.instances[0, 0] == 2
