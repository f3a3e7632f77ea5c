"""Workloads whose right answer is known, from published architectures and documented boundaries.

The workload files are under tests/golden/workloads, what is known of each is in tests/golden/cases.json.
"""

import json
from pathlib import Path

import pytest

from fitness import workload_file
from fitness.options import OPTIONS
from fitness.prices import load_book
from fitness.verdict import recommend

GOLDEN = Path(__file__).parents[2] / "golden"
CASES = {case["id"]: case for case in json.loads((GOLDEN / "cases.json").read_text(encoding="utf-8"))}
RIGHT_RATIO = 0.9


def verdict_of(case_id: str, limits: str = "current"):
    text = (GOLDEN / "workloads" / f"{case_id}.yaml").read_text(encoding="utf-8")
    workload = workload_file.read(text).replace({"limits": limits})
    return recommend(workload, book=load_book(), draws=0)


VERDICTS = {case_id: verdict_of(case_id) for case_id in CASES}


def first(case_id: str) -> str:
    return VERDICTS[case_id].options[0].option.id


def test_nine_of_ten_verdicts_are_right():
    wrong = {
        case_id: (first(case_id), case["chosen"])
        for case_id, case in CASES.items()
        if first(case_id) not in (case["chosen"], *case["acceptable"])
    }
    assert len(wrong) <= (1 - RIGHT_RATIO) * len(CASES), wrong


@pytest.mark.parametrize("case_id", CASES)
def test_no_option_known_to_be_infeasible_is_called_feasible(case_id):
    for option, known in CASES[case_id]["wrong"].items():
        if known["severity"] == "infeasible":
            result = VERDICTS[case_id].option(option)
            assert result.status == "infeasible", option
            assert any(gate.passes is False for gate in result.gates)
            assert first(case_id) != option


@pytest.mark.parametrize("case_id", CASES)
def test_no_option_known_to_fit_badly_is_first(case_id):
    badly = [option for option, known in CASES[case_id]["wrong"].items() if known["severity"] == "poor_fit"]
    assert first(case_id) not in badly


@pytest.mark.parametrize("case_id", [one for one, case in CASES.items() if case["chosen_under_article_limits"]])
def test_under_the_limits_of_the_article_the_answer_of_then_comes_nearest(case_id):
    then = verdict_of(case_id, limits="article")
    assert then.options[0].option.id == CASES[case_id]["chosen_under_article_limits"]
    assert then.option("real_time").status == "infeasible"


def test_every_option_is_the_answer_to_some_case():
    assert {case["chosen"] for case in CASES.values()} == set(OPTIONS)


def test_two_multi_model_stages_are_refused_before_a_launch():
    result = VERDICTS["sip_two_mme_stages"].option("serial_pipeline")
    gate = next(gate for gate in result.gates if gate.limit == "multi_model_stages")
    assert gate.passes is None
    assert gate.asked == 3
    assert gate.allowed == 1


def test_a_cache_that_hardly_ever_hits_is_told_to_be_switched_off():
    text = (GOLDEN / "workloads" / "mme_called_once_each.yaml").read_text(encoding="utf-8")
    values = {"models.popularity": "uniform", "models.memory_mb": 4000, "objectives.monthly_budget_usd": 2000}
    verdict = recommend(workload_file.read(text).replace(values), book=load_book(), draws=0)
    assert any("disable the model cache" in reason for reason in verdict.option("mme").reasons)
