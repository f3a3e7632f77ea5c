"""A step of the load: by hand, and played in pieces against the whole of it."""

import numpy as np
import pytest

from fitness import presets, prices, workload_file
from fitness.simulation import players, steps
from fitness.simulation.endpoints import endpoint_of
from fitness.simulation.play import simulate
from fitness.study import study

BOOK = prices.load_book()
STEADY = (
    "version: 1\nname: steady\nmodels: {count: 1, memory_mb: 200, artifact_mb: 100}\n"
    "request: {processing_ms: 100, processing_distribution: constant, concurrency: 1, measured_on: ml.m5.large,\n"
    "  synchronous: true}\n"
    "traffic: {pattern: steady, rps_mean: 2, rps_peak: 10}\nobjectives: {latency_p95_ms: 2000, cold_start_ok: false}\n"
)
ONE_TYPE = {"instance_type": "ml.m5.large", "target_invocations_per_minute": 300}


def stepped(text, option="real_time", *, config=None, priors=None, misses=0.0, requests=steps.REQUESTS):
    work = study(workload_file.read(text), book=BOOK, config=config, priors=priors)
    outcome = work.configured(option).outcome
    endpoint = endpoint_of(work.point, outcome, work.config, 1)
    return steps.stepped(work.point, endpoint, outcome, misses=misses, seed=1, requests=requests)


def test_enough_instances_answer_everything_and_are_mostly_idle_after_it():
    found = stepped(STEADY, config={**ONE_TYPE, "min_instances": 10, "max_instances": 10})
    assert found.within == found.requests  # a second: everything in time
    assert found.paid_s == 10 * 1800
    # The load of a usual hour, 1.95 to 2 a second, with 0.1 s of work in each.
    assert found.busy_s == pytest.approx(2 * 1800 * 0.1, rel=0.03)


def test_instances_come_after_three_datapoints_and_the_launch():
    # One instance carries 10 a second, five times the usual 2 are 10: it is full, its queue stands until more serve.
    text = STEADY.replace("rps_mean: 2, rps_peak: 10", "rps_mean: 4, rps_peak: 20")
    at = {}
    for launch_s in (60, 300, 900):
        found = stepped(text, config=ONE_TYPE | {"min_instances": 1}, priors={"instance_launch_s": launch_s})
        at[launch_s] = found.within / found.requests
    # Two instances serve half of the rise. They fall behind until (180 s + launch), and then catch up.
    assert at[60] > at[300] > at[900]
    assert at[900] < 0.1
    # Behind by 10 a second for 240 s; four to five serve then, which work off 20 to 30 a second more than comes.
    assert at[60] == pytest.approx(1 - (240 + 240 * 10 / 25) / 900, abs=0.1)


def test_what_does_not_scale_in_is_paid_after_the_fall():
    fast = stepped(STEADY, config=ONE_TYPE, priors={"instance_launch_s": 60})
    slow = stepped(STEADY, config={**ONE_TYPE, "scale_in_cooldown_s": 86_400}, priors={"instance_launch_s": 60})
    assert slow.paid_s >= fast.paid_s
    assert fast.busy_s == slow.busy_s


@pytest.mark.parametrize("share", [0.0, 0.2])
def test_misses_are_late_where_a_cold_start_is_not_accepted(share):
    many = {**ONE_TYPE, "min_instances": 2_000, "max_instances": 2_000}  # nobody waits behind a load
    found = stepped(STEADY, "mme", config=many, priors={"model_load_base_s": 5}, misses=share)
    assert found.within / found.requests == pytest.approx(1 - share, abs=0.02)


def test_sandboxes_are_late_once_for_each_that_the_rise_starts():
    text = STEADY.replace("memory_mb: 200", "memory_mb: 200")
    found = stepped(text, "serverless", priors={"serverless_cold_base_s": 10, "serverless_cold_s_per_gb": 0})
    late = (1 - found.within / found.requests) * found.requests * 900
    # While the first ones start, for 10 s, every request beyond those that idle ones take starts another.
    assert 0 < late < 10 * found.requests
    assert (found.busy_s, found.paid_s) == (0, 0)
    warm = stepped(text.replace("cold_start_ok: false", "cold_start_ok: true"), "serverless")
    assert warm.within == warm.requests


@pytest.mark.parametrize(
    ("preset", "option"),
    [
        ("card-fraud", "real_time"),
        ("card-fraud", "serial_pipeline"),
        ("customer-models", "mme"),
        ("card-fraud", "azure_functions"),
        ("card-fraud", "serverless"),
        ("keystroke-search", "real_time"),
        ("chat-assistant", "real_time"),
        ("defect-inspection", "async"),
        ("retail-pipeline", "real_time"),
    ],
)
def test_pieces_of_a_rise_tell_what_the_whole_of_it_does(preset, option):
    work = study(presets.load(preset), book=BOOK)
    outcome = work.configured(option).outcome
    endpoint = endpoint_of(work.point, outcome, work.config, 1)
    played = [
        steps.stepped(work.point, endpoint, outcome, misses=0.0, seed=1, requests=requests)
        for requests in (1_500, 10**6)
    ]
    pieces, whole = (one.within / one.requests for one in played)
    assert pieces == pytest.approx(whole, abs=0.06)
    assert played[0].paid_s == played[1].paid_s


def test_hardly_any_request_leaves_the_figures_of_the_formulas():
    text = STEADY.replace("rps_mean: 2, rps_peak: 10", "rps_mean: 0.0000001, rps_peak: 0.0000001")
    work = study(workload_file.read(text), book=BOOK)
    outcome = work.configured("real_time").outcome
    endpoint = endpoint_of(work.point, outcome, work.config, 1)
    found = steps.stepped(work.point, endpoint, outcome, misses=0.0, seed=1)
    assert found.requests == 0
    assert steps.with_steps(outcome, [found]) == steps.with_steps(outcome, [])
    assert steps.with_steps(outcome, []).step_within_ratio.tolist() == outcome.step_within_ratio.tolist()


def test_endpoints_weigh_by_their_requests_and_by_what_is_paid():
    work = study(presets.load("card-fraud"), book=BOOK)
    outcome = work.configured("real_time").outcome
    hot = steps.Step(requests=30, within=15, busy_s=100, paid_s=200)
    cold = steps.Step(requests=1, within=1, busy_s=0, paid_s=100)
    found = steps.with_steps(outcome, [hot, cold.times(10)])
    assert found.step_within_ratio[0] == 25 / 40
    assert found.step_busy_ratio[0] == 100 / 1200


def test_a_stated_policy_decides_how_the_step_is_followed():
    workload = presets.load("card-fraud")
    one_more = {"metric": "InvocationsPerInstance", "out_above": 1500, "steps_out": [{"distance": 0, "change": 1}]}
    many = {**one_more, "steps_out": [{"distance": 0, "change": 9}], "out_points": 1}
    fixed = {"min_instances": 1, "max_instances": 20}
    found = [
        simulate(study(workload, book=BOOK, config={**fixed, "policy": {"step": one}}), "real_time", requests=2_000)
        for one in (one_more, many)
    ]
    assert found[0].outcome.step_within_ratio[0] < found[1].outcome.step_within_ratio[0]
    assert found[0].scores.scaling[0] != found[1].scores.scaling[0]


def test_where_copies_scale_to_zero_a_rise_may_meet_none():
    workload = presets.load("document-understanding")
    found = simulate(study(workload, book=BOOK), "real_time", requests=5_000)
    assert found.variant == "inference_components"
    assert 0 < found.refused_ratio < 1
    assert found.outcome.step_within_ratio[0] <= 1 - found.refused_ratio + 1e-12


def test_what_a_piece_waits_is_even_between_the_ends_of_minutes():
    wait_s = np.array([0.0, 30.0, 60.0])
    assert [players._behind(wait_s, at_s) for at_s in (0, 60, 90, 120, 150, 180)] == [0, 0, 15, 30, 45, 60]
