"""The verdict: bills that are published, intervals, close calls, what to ask and what would win."""

import csv
import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from fitness import presets, workload_file
from fitness.answer import as_csv, as_dict, as_json, as_text
from fitness.errors import InputError
from fitness.fields import Kind, field
from fitness.options import OPTIONS
from fitness.prices import load_book
from fitness.record import decision_record
from fitness.study import study
from fitness.verdict import bill_of, evaluate, ranked, recommend

BOOK = load_book()
ROOT = Path(__file__).parents[3]
TEN = """
version: 1
name: ten models
models: {count: 10, frameworks: same, memory_mb: 200, artifact_mb: 20}
composition: independent
request: {processing_ms: 20, concurrency: 2, measured_on: ml.c5.large, synchronous: true}
traffic: {pattern: steady, rps_mean: 1, rps_peak: 2}
"""


def bill(text: str, option: str, instance_type: str):
    work = study(workload_file.read(text), book=BOOK, config={"instance_type": instance_type}, options=(option,))
    return bill_of(work, work.configured(option).outcome)


def hourly_usd(found, item: str) -> float:
    line = next(line for line in found.lines if line.item == item)
    return float(line.usd) / 730


def test_ten_endpoints_cost_ten_times_the_one_that_ten_models_share():
    dedicated = bill(TEN, "real_time", "ml.c5.large")
    shared = bill(TEN, "mme", "ml.c5.large")
    assert hourly_usd(dedicated, "hosting/ml.c5.large") == pytest.approx(1.02, abs=1e-9)
    assert hourly_usd(shared, "hosting/ml.c5.large") == pytest.approx(0.102, abs=1e-9)


def test_the_verdict_s_figure_is_the_bill_s_total():
    for result in recommend(presets.load("card-fraud"), book=BOOK).options:
        if result.bill is not None:
            assert result.monthly_usd.p50 == float(result.bill.total)
            assert result.monthly_usd.p5 <= result.monthly_usd.p50 <= result.monthly_usd.p95


def test_all_ten_options_are_listed_best_first_and_the_infeasible_last():
    for preset in presets.PRESETS:
        options = recommend(presets.load(preset.id), book=BOOK, draws=0).options
        assert sorted(one.option.id for one in options) == sorted(OPTIONS)
        scores = [-1.0 if one.score is None else one.score for one in options]
        assert scores == sorted(scores, reverse=True)


def test_probabilities_of_being_best_sum_to_one():
    verdict = recommend(presets.load("card-fraud"), book=BOOK)
    assert sum(one.probability_best for one in verdict.options) == pytest.approx(1.0)
    assert verdict.draws >= 500


def test_what_is_declared_narrows_the_interval_and_is_not_asked_again():
    thin = workload_file.read("version: 1\nname: thin\nrequest: {synchronous: true}\ntraffic: {pattern: steady}\n")
    known = thin.replace({"request.processing_ms": 20, "traffic.rps_mean": 12, "traffic.rps_peak": 18})
    before, after = recommend(thin, book=BOOK), recommend(known, book=BOOK)

    def width(verdict) -> float:
        interval = verdict.option("real_time").monthly_usd
        return interval.p95 / interval.p5

    assert width(after) < width(before)
    assert before.ask_next
    assert not {"request.processing_ms", "traffic.rps_mean", "traffic.rps_peak"} & set(after.ask_next)


def test_an_infeasible_option_says_what_every_failed_gate_would_take():
    workload = workload_file.read(
        "version: 1\nname: large\naccelerator: gpu\nrequest: {payload_in_mb: 30, synchronous: true, processing_ms: 900}\n"
    )
    serverless = recommend(workload, book=BOOK).option("serverless")
    assert {change.field for change in serverless.to_win} >= {"request.payload_in_mb", "accelerator"}
    payload = next(change for change in serverless.to_win if change.field == "request.payload_in_mb")
    assert (payload.before, payload.after) == (30, 4.0)


def test_what_would_put_a_loser_first_does_so():
    workload = presets.load("customer-models")
    verdict = recommend(workload, book=BOOK)
    tried = 0
    for result in verdict.options[1:]:
        for change in result.to_win if result.score is not None else ():
            whole = field(change.field).kind is Kind.INTEGER
            value = int(change.after) if whole else change.after
            again = recommend(workload.replace({change.field: value}), book=BOOK, draws=0)
            assert again.options[0].option.id == result.option.id, change
            tried += 1
    assert tried


def test_nothing_feasible_is_said_and_not_ranked():
    workload = workload_file.read(
        "version: 1\nname: never\naccelerator: gpu\nrequest: {synchronous: true, payload_in_mb: 500}\n"
    )
    verdict = recommend(workload, book=BOOK)
    assert verdict.best is None
    assert verdict.confidence is None
    assert all(one.score is None for one in verdict.options)
    assert as_dict(verdict)["verdict"]["option"] is None


def test_serverless_is_priced_with_provisioned_concurrency_where_a_start_takes_too_long():
    text = (
        "version: 1\nname: warm\nmodels: {count: 1, artifact_mb: 400, memory_mb: 900}\n"
        "request: {processing_ms: 40, synchronous: true}\ntraffic: {pattern: spiky, rps_mean: 0.5, rps_peak: 4}\n"
        "objectives: {cold_start_ok: true, cold_start_budget_s: 0.5, latency_p99_ms: 500}\n"
    )
    result = recommend(workload_file.read(text), book=BOOK, draws=0).option("serverless")
    assert result.variant == "provisioned"
    assert result.configuration["provisioned_concurrency"] >= 1
    assert any(line.item.startswith("provisioned_concurrency/usage/") for line in result.bill.lines)


def test_real_time_scales_to_zero_only_with_inference_components():
    text = (
        "version: 1\nname: zero\naccelerator: gpu\nrequest: {processing_ms: 800, synchronous: true}\n"
        "traffic: {pattern: intermittent, rps_mean: 0.01, idle_ratio: 0.9}\n"
        "objectives: {cold_start_ok: true}\nconstraints: {scale_to_zero: true}\n"
    )
    now = recommend(workload_file.read(text), book=BOOK, draws=0).option("real_time")
    assert now.configuration["inference_components"] is True
    assert now.configuration["min_instances"] == 0
    assert now.dropped_ratio > 0
    then = recommend(workload_file.read(text).replace({"limits": "article"}), book=BOOK, draws=0).option("real_time")
    assert then.status == "infeasible"


def test_hot_models_are_told_to_leave_a_multi_model_endpoint():
    text = TEN.replace("rps_mean: 1, rps_peak: 2", "rps_mean: 200, rps_peak: 300")
    reasons = recommend(workload_file.read(text), book=BOOK, draws=0).option("mme").reasons
    assert any("its own endpoint" in reason for reason in reasons)


@pytest.mark.parametrize(
    ("config", "path"),
    [
        ({"instance_type": "ml.nope.large"}, "$.config.instance_type"),
        ({"min_instances": -1}, "$.config.min_instances"),
        ({"min_instances": 4, "max_instances": 2}, "$.config.max_instances"),
        ({"routing": "best"}, "$.config.routing"),
        ({"colour": 1}, "$.config.colour"),
    ],
)
def test_a_wrong_setting_is_refused_with_its_path(config, path):
    with pytest.raises(InputError) as refused:
        recommend(presets.load("card-fraud"), book=BOOK, config=config)
    assert [problem.path for problem in refused.value.problems] == [path]


def test_a_fixed_setting_is_kept():
    config = {"instance_type": "ml.m5.xlarge", "min_instances": 3, "max_instances": 3}
    result = recommend(presets.load("card-fraud"), book=BOOK, config=config, draws=0).option("real_time")
    assert {name: result.configuration[name] for name in config} == config
    line = next(line for line in result.bill.lines if line.item == "hosting/ml.m5.xlarge")
    assert float(line.quantity) == pytest.approx(3 * 730)


def test_a_fixed_prior_moves_the_latency_and_an_unknown_one_is_refused():
    workload = presets.load("card-fraud")
    slow = recommend(workload, book=BOOK, priors={"invoke_overhead_ms": 50}, draws=0).option("real_time")
    fast = recommend(workload, book=BOOK, priors={"invoke_overhead_ms": 0}, draws=0).option("real_time")
    assert slow.latency_ms.p50 - fast.latency_ms.p50 == pytest.approx(50, abs=10)
    with pytest.raises(InputError, match="is not a prior"):
        recommend(workload, book=BOOK, priors={"speed_of_light": 1})


@pytest.mark.parametrize("seed", ["0", "1"])
def test_another_process_gives_the_same_bytes(seed):
    preset = presets.PRESETS[int(seed)].id
    script = (
        "import sys; from fitness import presets; from fitness.answer import as_json; "
        "from fitness.prices import load_book; from fitness.verdict import recommend; "
        f"sys.stdout.write(as_json(recommend(presets.load({preset!r}), book=load_book())))"
    )
    run = subprocess.run(
        [sys.executable, "-c", script],
        cwd=ROOT,
        env={**os.environ, "PYTHONHASHSEED": seed},
        capture_output=True,
        check=True,
        timeout=60,
    )
    assert run.stdout.decode() == as_json(recommend(presets.load(preset), book=BOOK))


def test_every_way_of_telling_the_answer_names_the_same_first_option():
    verdict = recommend(presets.load("nightly-scoring"), book=BOOK)
    first = verdict.best.option
    assert json.loads(as_json(verdict))["verdict"]["option"] == first.id
    assert as_csv(verdict).splitlines()[1].startswith(f"1,{first.id},")
    assert as_text(verdict).splitlines()[0].startswith(f"nightly-scoring: {first.title}")
    assert first.title in decision_record(verdict)


def test_a_score_has_its_range_in_the_table_and_in_the_record():
    verdict = recommend(presets.load("nightly-scoring"), book=BOOK)
    best, band = verdict.best, verdict.best.score_interval
    row = next(csv.DictReader(as_csv(verdict).splitlines()))
    assert [float(row[name]) for name in ("score_p5", "score", "score_p95")] == pytest.approx(
        [band.p5, best.score, band.p95], rel=1e-5
    )
    assert float(row["cost"]) == pytest.approx(best.fitness.cost, rel=1e-5)
    assert f"| **score** | {best.score:.2f} ({band.p5:.2f} to {band.p95:.2f}) |" in decision_record(verdict)
    without = next(csv.DictReader(as_csv(recommend(presets.load("nightly-scoring"), book=BOOK, draws=0)).splitlines()))
    assert (without["score_p5"], without["score_p95"]) == ("", "")


def test_text_of_the_workload_can_not_break_the_decision_record():
    workload = presets.load("card-fraud").replace({"name": "a | b <script> # top"})
    text = decision_record(recommend(workload, book=BOOK, draws=0))
    assert "<script>" not in text.split("```")[0]
    assert text.splitlines()[0].startswith("# Hosting of a \\| b &lt;script> # top")


def test_the_ranking_is_the_same_before_anybody_looks_for_what_would_change_it():
    found = evaluate(study(presets.load("payroll-chatbot"), book=BOOK), draws=64)
    whole, ranking = ranked(found), ranked(found, with_changes=False)
    assert whole.flips
    assert any(one.to_win for one in whole.options)
    without = tuple(replace(one, to_win=()) for one in whole.options)
    assert ranking == replace(whole, flips=None, options=without)


def test_the_verdict_says_in_its_first_line_that_the_best_is_conditional():
    fixed = recommend(presets.load("digits-outside-aws"), book=BOOK)
    assert fixed.best.status == "conditional"
    assert ", under the conditions below" in as_text(fixed).splitlines()[0]
    assert "conditions" not in as_text(recommend(presets.load("card-fraud"), book=BOOK)).splitlines()[0]


def test_the_columns_of_the_table_never_touch():
    text = (
        "name: long\nrequest: {processing_ms: 600000, synchronous: false, concurrency: 1}\n"
        "traffic: {pattern: scheduled, records_per_job: 500, jobs_per_month: 30}\nobjectives: {deadline_s: 300000}\n"
    )
    verdict = recommend(workload_file.read(text), book=BOOK, draws=0)
    rows = as_text(verdict).splitlines()[3 : 3 + len(verdict.options)]
    for result, row in zip(verdict.options, rows, strict=True):
        if result.latency_ms is not None:
            option, status, score, cost, p50, unit, *_ = row.split()
            assert (option, status) == (result.option.id, result.status)
            assert float(cost.replace(",", "")) == pytest.approx(result.monthly_usd.p50, abs=0.005)
            assert unit in ("ms", "s", "min", "h")
            assert float(score) >= 0
            assert float(p50) > 0
