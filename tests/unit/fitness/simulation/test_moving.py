"""Which models leave a multi-model endpoint."""

import numpy as np
import pytest

from fitness.load import Load
from fitness.simulation.moving import Endpoint, Split, chosen, moving, splits
from fitness.simulation.sizing import size
from tests.declared import BOOK, PLAIN, studied
from tests.unit.fitness.simulation.test_sizing import MANY, SMALL

FLAT = Load(
    rps=np.array([[10.0]]), hours=np.array([[730.0]]), peak_rps=np.array([10.0]), is_sudden=False
)  # 10 requests a second, always


def split(moved, usd, lost_s):
    return Split(moved=moved, moved_share=0.1, instances=1, shared_usd=usd, own_usd=0.0, lost_s=lost_s)


def found(share, *, holds, shared, own, goal=0.95):
    return splits(
        FLAT,
        np.array(share),
        holds=holds,
        goal_ratio=goal,
        load_s=2.0,
        requests_per_month=1000.0,
        shared=shared,
        own=own,
    )


def test_a_model_whose_own_endpoint_costs_less_than_the_instance_it_frees_leaves():
    # Three models alike, two fit an instance: all in memory takes two instances at 1 dollar an hour. Without one of
    # them one instance holds the rest, and an own endpoint costs half a dollar.
    shared, own = Endpoint(carries_rps=100, usd_per_hour=1.0), Endpoint(carries_rps=100, usd_per_hour=0.5)
    none, one, two = found([1 / 3] * 3, holds=2, shared=shared, own=own)
    assert (none.instances, none.usd) == (2, 2 * 730)
    assert (one.instances, one.shared_usd, one.own_usd) == (1, 730, 365)
    assert (two.instances, two.usd) == (1, 730 + 2 * 365)
    assert chosen([none, one, two]) == one


def test_a_model_whose_own_endpoint_costs_more_than_it_frees_stays():
    shared, own = Endpoint(carries_rps=100, usd_per_hour=1.0), Endpoint(carries_rps=100, usd_per_hour=1.5)
    assert chosen(found([1 / 3] * 3, holds=2, shared=shared, own=own)).moved == 0


def test_a_hot_model_takes_its_load_with_it():
    # 10 requests a second, 3 an instance: 4 instances. A model with half of them needs 2 of its own and leaves 2.
    same = Endpoint(carries_rps=3, usd_per_hour=1.0)
    none, one, *_ = found([0.5, 0.3, 0.2], holds=3, shared=same, own=same)
    assert none.shared_usd == 4 * 730
    assert (one.shared_usd, one.own_usd) == (2 * 730, 2 * 730)


def test_a_model_on_its_own_endpoint_is_always_in_memory_and_waits_for_no_load():
    same = Endpoint(carries_rps=100, usd_per_hour=1.0)
    none, one, _ = found([0.6, 0.2, 0.2], holds=1, shared=same, own=same, goal=0.5)
    # Of the two that are left, alike, one is in memory: half of 40 % of the requests wait 2 s.
    assert one.lost_s == pytest.approx(1000 * 0.4 * 0.5 * 2, rel=0.02)
    assert none.moved_share == 0
    assert one.moved_share == pytest.approx(0.6)


def test_at_the_same_bill_much_less_waiting_decides_and_a_little_does_not():
    assert chosen([split(0, 100, 50), split(1, 100.5, 44)]).moved == 1
    assert chosen([split(0, 100, 50), split(1, 100.5, 46)]).moved == 0
    assert chosen([split(0, 100, 50), split(1, 102, 1)]).moved == 0
    assert chosen([split(0, 100, 0), split(1, 100, 0)]).moved == 0


def work(**changes):
    return studied({**MANY, **changes}, config=SMALL, priors=PLAIN)


def test_a_workload_says_what_an_own_endpoint_costs():
    study = work()
    compared = moving(study, size(study, "mme"))
    assert compared.best == chosen(compared.splits)
    price = float(BOOK.estimate(f"hosting/{compared.own_type}", "us-east-1").usd_per_unit)
    assert compared.splits[1].own_usd >= 730 * price
    assert [one.moved for one in compared.splits] == list(range(13))


def test_one_model_has_nothing_to_leave():
    study = work(**{"models.count": 1, "models.popularity": None, "models.frameworks": None})
    compared = moving(study, size(study, "mme"))
    assert (compared.splits, compared.best) == ((), None)
    assert "nothing to leave" in compared.reason
