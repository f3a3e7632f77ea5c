"""Flip points: where another option becomes the best, checked by asking on both sides."""

import pytest

from fitness import flips, presets
from fitness.errors import InputError
from fitness.prices import load_book
from fitness.study import study
from fitness.verdict import recommend

BOOK = load_book()
CHATBOT = study(presets.load("payroll-chatbot"), book=BOOK)


def first(workload) -> str:
    return recommend(workload, book=BOOK, draws=0).options[0].option.id


def test_a_pay_per_use_workload_moves_to_instances_as_its_traffic_grows():
    axis = flips.along(CHATBOT, "traffic.rps_mean")
    flip = next(one for one in axis.flips if one.before == "serverless")
    workload = CHATBOT.workload
    ratio = workload.traffic.rps_peak / workload.traffic.rps_mean

    def at(rps: float) -> str:
        return first(workload.replace({"traffic.rps_mean": rps, "traffic.rps_peak": rps * ratio}))

    assert at(flip.at / 1.3) == "serverless"
    assert at(flip.at * 1.3) == flip.after


def test_a_limit_is_a_flip_point_to_two_per_cent():
    axis = flips.along(CHATBOT, "request.payload_in_mb")
    serverless = next(one for one in axis.flips if one.before == "serverless")
    assert serverless.at == pytest.approx(4, rel=0.02)


def test_options_that_all_score_next_to_nothing_are_no_change():
    axis = flips.along(study(presets.load("staging-tests"), book=BOOK), "traffic.rps_mean")
    ends = axis.scores[-1]
    assert 1.02 * ends["azure_functions"] < ends["real_time"] < 0.01
    assert axis.best[-1] == axis.flips[-1].after == "azure_functions"


def test_the_grid_holds_the_workload_s_own_value_and_rises():
    axis = flips.along(CHATBOT, "traffic.rps_mean")
    assert axis.value in axis.values
    assert list(axis.values) == sorted(set(axis.values))
    assert len(axis.values) == len(axis.best) == len(axis.scores)
    assert axis.best[axis.values.index(axis.value)] == first(CHATBOT.workload)


def test_whole_numbers_stay_whole():
    axis = flips.along(CHATBOT, "models.count")
    assert all(value.is_integer() for value in axis.values)
    assert all(float(flip.at).is_integer() for flip in axis.flips)


@pytest.mark.parametrize("path", ["region", "traffic.records_per_job", "nothing.at_all"])
def test_a_field_that_plays_no_part_is_refused_with_those_that_do(path):
    with pytest.raises(InputError, match=r"traffic\.rps_mean"):
        flips.along(CHATBOT, path)


def test_scheduled_work_is_walked_along_its_records():
    assert flips.load_axis(study(presets.load("nightly-scoring"), book=BOOK)) == "traffic.records_per_job"
    assert flips.load_axis(CHATBOT) == "traffic.rps_mean"


def test_the_verdict_carries_the_flip_points_of_the_load():
    verdict = recommend(presets.load("payroll-chatbot"), book=BOOK)
    assert verdict.flips == flips.flips(CHATBOT, ["traffic.rps_mean"])


def test_values_that_contradict_the_workload_are_no_place_where_nothing_can_run():
    # The mean is not declared and rises above the declared peak of 20 requests a second.
    declared = presets.load("card-fraud").replace({"traffic.rps_mean": None, "traffic.rps_peak": 20})
    axis = flips.along(study(declared, book=BOOK), "traffic.rps_mean")
    assert max(axis.values) <= 20
    assert None not in axis.best
    assert all(one.after is not None for one in axis.flips)
