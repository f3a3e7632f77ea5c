"""The requests of a month are shared by what is equal, and by nothing else."""

import numpy as np
import pytest

from fitness import presets, prices
from fitness.inputs import POINT, Draws
from fitness.simulation import plans, streams
from fitness.study import study

WORK = study(presets.load("customer-models"), book=prices.load_book())
ASKED = {"requests": 2_000, "seed": 4, "count": 8, "lead_s": 100.0}


def same(one, other):
    """Whether two plans hold the same requests."""
    return np.array_equal(one.month.counts, other.month.counts) and all(
        np.array_equal(getattr(mine, name), getattr(its, name)) and mine.weight == its.weight
        for mine, its in zip(one.windows, other.windows, strict=True)
        for name in ("arrivals", "multiplier", "models", "uniform")
    )


def test_equal_inputs_share_one_plan():
    first = plans.planned(WORK.inputs(POINT), **ASKED)
    assert plans.planned(WORK.inputs(Draws(size=1, seed=None)), **ASKED) is first
    assert same(first, streams.plan(WORK.point, **ASKED))


@pytest.mark.parametrize("asked", [{"requests": 2_001}, {"seed": 5}, {"count": 9}, {"lead_s": 101.0}])
def test_another_question_has_another_plan(asked):
    assert plans.planned(WORK.point, **{**ASKED, **asked}) is not plans.planned(WORK.point, **ASKED)


@pytest.mark.parametrize(
    ("field", "factor"),
    [
        ("traffic.rps_mean", 1.01),
        ("traffic.rps_peak", 1.01),
        ("request.processing_cv", 1.5),
        ("models.count", 2),
    ],
)
def test_a_changed_workload_has_the_plan_of_its_own(field, factor):
    changed = WORK.inputs(POINT, {field: np.array([factor * WORK.workload.get(field)])})
    found = plans.planned(changed, **ASKED)
    assert same(found, streams.plan(changed, **ASKED))
    assert not same(found, plans.planned(WORK.point, **ASKED))


def test_a_long_plan_is_not_kept():
    asked = {**ASKED, "requests": plans.KEPT_REQUESTS + 1}
    assert plans.planned(WORK.point, **asked) is not plans.planned(WORK.point, **asked)
