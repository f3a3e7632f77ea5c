"""Playing a configuration: against queueing theory, against the formulas that proposed it, and against itself."""

import json
from dataclasses import replace

import numpy as np
import pytest

from fitness import analytic, cli, presets, workload_file
from fitness.errors import InputError
from fitness.inputs import POINT
from fitness.prices import load_book
from fitness.simulation import plans, steps, warm
from fitness.simulation.play import played, simulate
from fitness.study import study
from fitness.trace import read_trace

BOOK = load_book()
PAIRS = [
    ("card-fraud", "real_time"),
    ("card-fraud", "mme"),
    ("payroll-chatbot", "serverless"),
    ("payroll-chatbot", "real_time"),
    ("payroll-chatbot", "azure_functions"),
    ("customer-models", "mme"),
    ("customer-models", "real_time"),
    ("retail-pipeline", "serial_pipeline"),
    ("retail-pipeline", "triton_ensemble"),
    ("retail-pipeline", "real_time"),
    ("two-frameworks", "mce_direct"),
    ("chat-assistant", "real_time"),
]


def done(preset: str, option: str, **settings):
    return simulate(study(presets.load(preset), book=BOOK), option, requests=20_000, **settings)


@pytest.mark.parametrize(("preset", "option"), PAIRS)
def test_playing_agrees_with_the_formulas_that_proposed_the_configuration(preset, option):
    work = study(presets.load(preset), book=BOOK)
    formula = work.configured(option).outcome
    found = simulate(work, option, requests=20_000)
    for name, probability in (("p50_ms", 0.5), ("p95_ms", 0.95)):
        expected = float(formula.latency.percentile(probability)[0]) * 1000
        assert found.bands[name].value == pytest.approx(expected, rel=0.15), name
    assert found.monthly_usd == pytest.approx(float(work.configured(option).monthly_usd[0]), rel=0.15)
    assert found.outcome.dropped_ratio[0] == pytest.approx(float(formula.dropped_ratio[0]), abs=0.01)
    assert found.outcome.offered[0] == pytest.approx(float(formula.offered[0]), rel=1e-6)


def test_one_server_with_exponential_service_waits_as_theory_says():
    text = (
        "version: 1\nname: mm1\nmodels: {count: 1, memory_mb: 200}\n"
        "request: {processing_ms: 100, processing_cv: 1, processing_distribution: gamma, concurrency: 1,\n"
        "  measured_on: ml.m5.large, synchronous: true}\n"
        "traffic: {pattern: steady, rps_mean: 7, rps_peak: 7.01}\n"
    )
    config = {"instance_type": "ml.m5.large", "min_instances": 1, "max_instances": 1}
    work = study(workload_file.read(text), book=BOOK, config=config, priors={"invoke_overhead_ms": 0})
    found = simulate(work, "real_time", requests=400_000)
    # M/M/1: the time in the system is exponential with rate (1 - rho) / service.
    rate_per_ms = (1 - 0.7) / 100
    for name, probability in (("p50_ms", 0.5), ("p95_ms", 0.95), ("p99_ms", 0.99)):
        assert found.bands[name].value == pytest.approx(-np.log(1 - probability) / rate_per_ms, rel=0.06)


def test_a_shared_queue_answers_sooner_than_random_routing():
    fixed = {"instance_type": "ml.c5.large", "min_instances": 4, "max_instances": 4}
    tail = {}
    for routing in ("RANDOM", "LEAST_OUTSTANDING_REQUESTS"):
        work = study(presets.load("card-fraud"), book=BOOK, config={**fixed, "routing": routing})
        tail[routing] = simulate(work, "real_time", requests=50_000).bands["p99_ms"].value
    assert tail["LEAST_OUTSTANDING_REQUESTS"] < 0.8 * tail["RANDOM"]


def test_too_few_instances_time_requests_out_and_still_charge_their_work():
    config = {"instance_type": "ml.c5.large", "min_instances": 1, "max_instances": 1}
    work = study(presets.load("card-fraud").replace({"traffic.rps_mean": 200, "traffic.rps_peak": 220}), book=BOOK)
    enough = simulate(work, "real_time", requests=50_000)
    short = simulate(
        study(work.workload, book=BOOK, config=config),
        "real_time",
        requests=50_000,
    )
    assert enough.outcome.dropped_ratio[0] < 0.01
    assert short.timed_out_ratio > 0.1
    assert short.scores.throughput[0] < enough.scores.throughput[0]


@pytest.mark.parametrize("option", ["real_time", "mme", "serverless"])
def test_the_same_seed_gives_the_same_answer_and_another_a_near_one(option):
    first, again, other = (done("payroll-chatbot", option, seed=seed) for seed in (1, 1, 2))
    assert first.bands == again.bands
    assert first.monthly_usd == again.monthly_usd
    assert other.bands != first.bands
    assert other.bands["p50_ms"].value == pytest.approx(first.bands["p50_ms"].value, rel=0.1)


def figures(found):
    """Everything that a run counted, as bytes."""
    outcome = found.outcome
    arrays = (outcome.latency.seconds, outcome.latency.weight, outcome.step_within_ratio, outcome.busy_s)
    return [array.tobytes() for array in arrays], found.bands, found.monthly_usd, found.notes


def test_models_are_played_as_unlike_as_their_sizes_are():
    workload = presets.load("customer-models").replace({"models.artifact_mb": 100})
    found = {}
    for cv in (0, 2):
        work = study(workload, book=BOOK, config={"max_instances": 1}, priors={"model_size_cv": cv})
        found[cv] = simulate(work, "mme", requests=20_000)
    hits = {cv: float(one.outcome.hit_ratio[0]) for cv, one in found.items()}
    # As many bytes fit, so about as many requests find their model; loads take as long as the models are large.
    assert hits[2] == pytest.approx(hits[0], abs=0.1)
    assert hits[2] != hits[0]
    assert found[2].bands["p99_ms"].value > 1.2 * found[0].bands["p99_ms"].value


def test_what_is_shared_between_runs_changes_no_byte():
    options = ("real_time", "serverless", "async", "mme", "triton_ensemble")
    work = study(presets.load("payroll-chatbot"), book=BOOK)
    alone = []
    for option in options:
        plans._kept.cache_clear()
        steps._risen.cache_clear()
        alone.append(figures(simulate(work, option, requests=5_000)))
    assert [figures(simulate(work, option, requests=5_000)) for option in options] == alone
    plans._kept.cache_clear()
    at_once = warm.each(lambda option: figures(simulate(work, option, requests=5_000)), options, workers=4)
    assert at_once == alone


def test_a_band_narrows_with_more_requests():
    work = study(presets.load("card-fraud"), book=BOOK)
    few, many = (simulate(work, "real_time", requests=size).bands["p95_ms"] for size in (5_000, 500_000))
    assert many.high - many.low < few.high - few.low
    assert few.low <= few.value <= few.high


def test_a_batch_job_ends_when_its_slowest_instance_does():
    work = study(presets.load("nightly-scoring"), book=BOOK)
    formula = work.configured("batch").outcome
    found = simulate(work, "batch", requests=20_000)
    assert found.bands["p99_ms"].value == pytest.approx(float(formula.latency.percentile(0.99)[0]) * 1000, rel=0.1)
    assert found.outcome.cold_ratio[0] == 0


@pytest.mark.parametrize("option", ["real_time", "serverless"])
def test_a_row_of_the_unknown_is_played_as_if_it_had_been_declared(option):
    declared = presets.load("payroll-chatbot").replace({"objectives.monthly_budget_usd": None})
    slower = {"request.processing_ms": 4 * declared.request.processing_ms}
    work, expected = study(declared, book=BOOK), study(declared.replace(slower), book=BOOK)
    row = work.inputs(POINT, {path: np.array([value]) for path, value in slower.items()})
    proposed = work.configured(option)
    outcome = analytic.evaluate(option, proposed.variant, row, BOOK, config={})
    found = played(work, replace(proposed, outcome=outcome), requests=5_000, seed=1, inputs=row)
    wanted = simulate(expected, option, requests=5_000, seed=1)
    assert found.bands == wanted.bands
    assert found.monthly_usd == wanted.monthly_usd
    assert found.scores.total == wanted.scores.total
    assert found.bands != simulate(work, option, requests=5_000, seed=1).bands


@pytest.mark.parametrize("requests", [0, 999, 10_000_001])
def test_a_number_of_requests_out_of_range_is_refused(requests):
    with pytest.raises(InputError, match=r"must be from 1,000 to 10,000,000"):
        simulate(study(presets.load("card-fraud"), book=BOOK), "real_time", requests=requests)


def test_an_option_without_a_configuration_says_why():
    with pytest.raises(InputError, match="no configuration"):
        simulate(study(presets.load("card-fraud"), book=BOOK), "batch")


def test_the_command_answers_and_tells_what_is_not_feasible(capsys, tmp_path):
    workload = tmp_path / "workload.yaml"
    workload.write_text(workload_file.write(presets.load("card-fraud")))
    arguments = ["simulate", str(workload), "--requests", "5000", "--seed", "3", "--json"]
    assert cli.main([*arguments, "--option", "real_time"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert answer["grade"] == "simulated"
    assert set(answer["latency_ms"]) == {"p50", "p95", "p99"}
    assert 0 <= answer["late_ratio"] <= 1
    assert cli.main([*arguments, "--option", "serverless"]) == 3
    out, err = capsys.readouterr()
    assert json.loads(out)["cold_ratio"] >= 0
    assert "not feasible" in err


def test_a_trace_stands_in_for_the_declared_traffic(capsys, tmp_path):
    workload = tmp_path / "workload.yaml"
    workload.write_text("version: 1\nname: traced\nrequest: {processing_ms: 20, synchronous: true}\n")
    trace = tmp_path / "arrivals.csv"
    trace.write_text("count\n" + "\n".join(["600", "60"] * 720) + "\n")
    arguments = ["simulate", str(workload), "--option", "real_time", "--trace", str(trace), "--requests", "5000"]
    assert cli.main([*arguments, "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert answer["requests_per_month"] == pytest.approx(330 * 60 * 730, rel=0.01)


def test_a_queued_request_may_wait_for_six_hours_before_it_is_worked_on():
    text = (
        "version: 1\nname: long\nmodels: {count: 1, memory_mb: 200}\n"
        "request: {processing_ms: 600000, concurrency: 1, measured_on: ml.c5.large, synchronous: false}\n"
        "traffic: {pattern: diurnal, rps_mean: 0.02, rps_peak: 0.05}\n"
        "objectives: {deadline_s: 14400}\n"
    )
    found = simulate(study(workload_file.read(text), book=BOOK), "async", requests=20_000)
    assert found.bands["p99_ms"].value > 3_600_000
    assert found.outcome.dropped_ratio[0] < 0.001


@pytest.mark.parametrize(
    ("minimum", "cold"),
    [(0, 24), (1, 0)],
)
@pytest.mark.parametrize("is_scheduled", [False, True])
def test_a_request_that_comes_at_zero_instances_starts_cold(minimum, cold, is_scheduled):
    hours = b"".join(b"%d\n" % (hour * 7200 + 30) for hour in range(25))
    trace = read_trace(b"timestamp\n" + hours, exact=True)
    config = {"min_instances": minimum, "max_instances": 2}
    if is_scheduled:
        action = {"at": "daily 00:00", "min_instances": minimum, "max_instances": 2}
        config = {**config, "policy": {"schedule": [action]}}
    work = study(presets.load("document-understanding"), book=BOOK, config=config, trace=trace)
    found = simulate(work, "async", requests=1_000).outcome
    # The first one meets the instance that the endpoint began with.
    assert float(found.cold_ratio[0]) * 25 == pytest.approx(cold, abs=1.01 * (minimum == 0))


def test_where_nothing_is_asked_nobody_is_late():
    silent = presets.load("staging-tests").replace({"traffic.rps_mean": 0})
    found = simulate(study(silent, book=BOOK), "real_time", requests=1_000)
    assert found.outcome.offered[0] == 0
    assert found.outcome.latency.percentile(0.99)[0] < 1
