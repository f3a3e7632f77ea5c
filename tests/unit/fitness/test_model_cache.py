"""The share of calls that find their model in memory, against a cache that is played call by call."""

from collections import OrderedDict

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fitness.analytic import model_cache
from fitness.machines import candidates
from tests.declared import BOOK, resolved

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


def plan(values, *names):
    inputs = resolved(values)
    machines = candidates(inputs, BOOK)
    if names:
        machines = machines.only([index for index, one in enumerate(machines.types) if one.name in names])
    return model_cache.plan(inputs, machines)


def test_a_miss_costs_the_download_and_the_load():
    assert plan(MANY).load_s[0] == pytest.approx(0.5 + 8 * 0.1)


def test_instances_hold_the_resident_models():
    found = plan({**MANY, "objectives.cold_start_ok": False}, "ml.c5.xlarge")
    # 7 GiB for models hold twenty of 350 MB.
    assert found.resident[0] == 1000
    assert found.hit_ratio[0] == 1
    assert found.instances[0, 0] == 50


def test_memory_is_bought_until_it_costs_more_than_it_saves():
    generous = plan({**MANY, "objectives.monthly_budget_usd": 1_000_000})
    poor = plan({**MANY, "objectives.monthly_budget_usd": 200})
    assert generous.resident[0] > poor.resident[0]
    assert generous.hit_ratio[0] > 0.99


def test_a_load_beyond_the_budget_of_a_first_answer_keeps_every_model():
    patient = plan({**MANY, "objectives.monthly_budget_usd": 200, "objectives.cold_start_budget_s": 2})
    hurried = plan({**MANY, "objectives.monthly_budget_usd": 200, "objectives.cold_start_budget_s": 1})
    assert patient.resident[0] < 1000
    assert hurried.resident[0] == 1000


def test_one_model_is_always_resident():
    found = plan({**MANY, "models.count": 1})
    assert (found.resident[0], found.hit_ratio[0]) == (1, 1)


def test_a_type_fits_when_it_holds_one_model():
    found = plan({**MANY, "models.memory_mb": 4000}, "ml.c5.large", "ml.c5.xlarge")
    assert sorted(found.fits[0].tolist()) == [False, True]


def test_a_chain_is_walked_model_by_model_so_one_model_at_a_time_must_fit():
    chain = {**MANY, "models.count": 3, "composition": "sequential", "models.memory_mb": 3000}
    found = plan(chain, "ml.c5.xlarge")
    assert found.fits[0].tolist() == [True]
    # Two of three fit into 7 GiB: one instance does not keep the whole chain.
    assert found.instances[0, 0] == 2
