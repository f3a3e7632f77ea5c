"""The translation of known cases, and the golden files that it made."""

import json

import pytest
import yaml

from fitness import workload_file
from fitness.options import OPTIONS
from tests import cases

EXPECTED = json.loads((cases.GOLDEN / "cases.json").read_text(encoding="utf-8"))
FILES = {path.stem: path for path in (cases.GOLDEN / "workloads").glob("*.yaml")}


def translated(**facts):
    case = {"id": "c", "summary": "A  summary\n on two lines."}
    case["facts"] = {name: {"value": value, "stated": True} for name, value in facts.items()}
    workload, left_out = cases.translated(case)
    declared = workload.declared()
    assert declared.pop("version") == 1
    assert declared.pop("name") == "c"
    assert declared.pop("description") == "A summary on two lines."
    return declared, left_out


def test_an_absent_fact_stays_absent():
    assert translated() == ({}, ())


@pytest.mark.parametrize(
    ("facts", "fields"),
    [
        ({"n_models": 7, "model_size_mb": 80}, {"models.count": 7, "models.artifact_mb": 80}),
        ({"processing_s": 0.1}, {"request.processing_ms": 100.0}),
        ({"processing_s": 240}, {"request.processing_ms": 240_000}),
        ({"gpu": True}, {"accelerator": "gpu"}),
        ({"gpu": False}, {"accelerator": "none"}),
        ({"cloud": "azure"}, {"constraints.outside_aws": True}),
        ({"cloud": "aws"}, {"constraints.outside_aws": False}),
        ({"traffic": "low"}, {"traffic.pattern": "intermittent"}),
        ({"traffic": "scheduled_offline"}, {"traffic.pattern": "scheduled"}),
        ({"traffic": "long_tail"}, {"models.popularity": "zipf:1"}),
        ({"traffic": "long_tail", "reuse_per_model": 1}, {"models.popularity": "uniform"}),
        ({"idle_share": 0.9, "rps_avg": 2}, {"traffic.rps_mean": 2, "traffic.idle_ratio": 0.9}),
        ({"latency_need": "milliseconds"}, {"objectives.latency_p95_ms": 100}),
        ({"latency_need": "milliseconds", "latency_p99_ms": 50}, {"objectives.latency_p99_ms": 50}),
        ({"latency_need": "hours"}, {"objectives.deadline_s": 14_400}),
        ({"latency_need": "lookup only"}, {}),
        ({"n_models": 1}, {"models.count": 1, "composition": "single"}),
        ({"n_models": 1, "containers_needed": 3}, {"models.count": 1, "models.containers": 3}),
        ({"n_models": 2}, {"models.count": 2}),
        ({"sequential": True, "dag": False}, {"composition": "sequential"}),
        ({"sequential": True, "dag": True}, {"composition": "ensemble"}),
        ({"independent_invocation": True}, {"composition": "independent"}),
        ({"loops_or_conditions": True}, {"composition": "ensemble", "conditional_flow": True}),
        ({"vpc": True, "streaming": False}, {"request.streaming": False, "constraints.vpc": True}),
        ({"compliance": "health data"}, {}),
    ],
    ids=str,
)
def test_a_fact_becomes_the_field_that_its_rule_says(facts, fields):
    assert translated(**facts) == (fields, ())


def test_a_fact_or_word_without_a_rule_is_told_not_guessed():
    declared, left_out = translated(colour="red", traffic="sideways", latency_need="soon")
    assert declared == {}
    assert left_out == ("colour: red", "traffic: sideways", "latency_need: soon")


def test_the_script_writes_the_files_of_a_case(tmp_path, capsys):
    case = {
        "id": "one",
        "summary": "One.",
        "facts": {"n_models": {"value": 1, "stated": True}, "colour": {"value": "red", "stated": True}},
        "chosen": "real_time",
        "acceptable": [],
        "wrong": {"batch": {"severity": "infeasible", "why": "offline"}},
        "source": "made up",
    }
    source = tmp_path / "cases.yaml"
    source.write_text(yaml.safe_dump({"cases": [case]}))
    assert cases.main([str(source), "--into", str(tmp_path / "golden")]) == 0
    written = (tmp_path / "golden/workloads/one.yaml").read_text()
    assert workload_file.read(written).models.count == 1
    (expected,) = json.loads((tmp_path / "golden/cases.json").read_text())
    assert expected["chosen"] == "real_time"
    assert expected["wrong"]["batch"]["severity"] == "infeasible"
    assert capsys.readouterr().err == "one: no rule for colour: red\n"


def test_each_kept_case_has_its_workload_and_names_known_options():
    assert sorted(FILES) == sorted(case["id"] for case in EXPECTED)
    assert len(EXPECTED) >= 23
    for case in EXPECTED:
        named = {case["chosen"], *case["acceptable"], *case["wrong"], case["chosen_under_article_limits"]} - {None}
        assert named <= set(OPTIONS), case["id"]
        assert {why["severity"] for why in case["wrong"].values()} <= {"infeasible", "poor_fit"}


@pytest.mark.parametrize("name", sorted(FILES))
def test_a_kept_workload_is_written_as_the_program_writes(name):
    text = FILES[name].read_text(encoding="utf-8")
    workload = workload_file.read(text)
    assert workload.name == name
    assert workload_file.write(workload) == text


def test_the_translation_names_no_case():
    text = (cases.GOLDEN.parent / "cases.py").read_text(encoding="utf-8")
    assert [case["id"] for case in EXPECTED if case["id"] in text] == []
