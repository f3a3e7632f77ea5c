"""The sentences that explain an option: each from its numbers, none where it would not be true."""

import numpy as np
import pytest

from fitness.reasons import reasons
from fitness.wording import duration, money, percent
from tests.declared import studied

ONE = {
    "models.count": 1,
    "models.memory_mb": 400,
    "models.artifact_mb": 100,
    "request.processing_ms": 20,
    "request.processing_cv": 0.5,
    "request.measured_on": "ml.c5.xlarge",
    "request.concurrency": 2,
    "request.synchronous": True,
    "traffic.pattern": "diurnal",
    "traffic.rps_mean": 30,
    "traffic.rps_peak": 90,
    "objectives.latency_p99_ms": 250,
    "objectives.cold_start_ok": False,
}
MANY = {
    **ONE,
    "models.count": 1000,
    "models.frameworks": "same",
    "models.popularity": "zipf:0.9",
    "composition": "independent",
    "objectives.cold_start_ok": True,
}


def said(option, values, best="real_time", **kwargs):
    work = studied({path: value for path, value in values.items() if value is not None}, **kwargs)
    return reasons(work, work.played[option], work.played[best] if best else None)


def one_of(sentences, *words):
    found = [sentence for sentence in sentences if all(word in sentence for word in words)]
    assert len(found) == 1, (words, sentences)
    return found[0]


def none_of(sentences, word):
    assert [sentence for sentence in sentences if word in sentence] == []


def test_the_best_says_what_it_costs():
    assert one_of(said("real_time", ONE), "a month").startswith("costs $")


def test_another_says_how_many_times_the_best_it_costs():
    work = studied(MANY)
    dear, cheap = work.played["real_time"], work.played["mme"]
    ratio = dear.monthly_usd[0] / cheap.monthly_usd[0]
    assert ratio > 10
    sentence = one_of(reasons(work, dear, cheap), "times more than the best")
    assert f"{ratio:,.1f} times" in sentence
    assert money(float(cheap.monthly_usd[0])) in sentence
    one_of(reasons(work, cheap, dear), "times less than the best")


def test_nothing_is_compared_when_nothing_is_best():
    none_of(said("real_time", ONE, best=None), "than the best")


def test_an_objective_that_is_met_is_named_and_whose_it_is():
    assert "inside the declared objective of 250 ms" in one_of(said("real_time", ONE), "99 of 100")
    nobody = {**ONE, "objectives.latency_p99_ms": None}
    assert "the assumed objective of 1 s" in one_of(said("real_time", nobody), "99 of 100")


def test_an_objective_that_is_missed_says_by_how_many():
    work = studied({**ONE, "objectives.latency_p99_ms": 25})
    sentences = reasons(work, work.played["real_time"], None)
    late = work.played["real_time"].outcome.latency.share_above(np.array([0.025]))[0]
    assert late > 0.1  # overhead and work alone take 25 ms
    assert one_of(sentences, "later than").startswith(
        f"{percent(late)} of the answers later than the declared objective"
    )


def test_cold_starts_that_are_accepted_are_said_beside_the_objective():
    rare = {**ONE, "traffic.pattern": "intermittent", "traffic.rps_mean": 0.001, "traffic.rps_peak": 0.01,
            "traffic.idle_ratio": 0.5, "objectives.cold_start_ok": True}  # fmt: skip
    sentences = said("serverless", rare)
    assert "which are accepted" in one_of(sentences, "99 of 100")
    one_of(sentences, "wait for a start")
    one_of(sentences, "provisioned", "a month", "starting cold")
    none_of(said("serverless", {**rare, "limits": "article"}), "provisioned")


def test_what_is_refused_is_said():
    crowded = {**ONE, "traffic.rps_mean": 300, "traffic.rps_peak": 300, "traffic.pattern": "steady"}
    one_of(
        said("real_time", crowded, config={"max_instances": 1, "instance_type": "ml.c5.xlarge"}),
        "refused, throttled or timed out",
    )
    none_of(said("real_time", crowded), "refused, throttled")


def test_how_much_of_what_is_paid_works():
    steady = {**ONE, "traffic.pattern": "steady", "traffic.rps_mean": 60, "traffic.rps_peak": 60,
              "objectives.latency_p99_ms": 5000}  # fmt: skip
    sentence = one_of(said("real_time", steady, config={"instance_type": "ml.c5.xlarge"}), "of what is paid")
    assert sentence == "60.0 % of what is paid does work"


def test_a_burstable_type_is_pointed_at():
    sentences = said("real_time", ONE, config={"instance_type": "ml.t2.medium"})
    one_of(sentences, "burstable", "credits left out")
    none_of(said("real_time", ONE, config={"instance_type": "ml.c5.xlarge"}), "burstable")


def test_one_instance_in_quiet_hours_is_one_zone():
    one_of(said("real_time", ONE), "availability zone")
    none_of(said("real_time", ONE, config={"min_instances": 2}), "availability zone")


def test_a_multi_model_endpoint_says_its_hits_and_what_it_holds():
    work = studied(MANY)
    mme = work.played["mme"]
    assert mme.outcome is not None
    sentence = one_of(reasons(work, mme, None), "find their model in memory")
    assert percent(mme.outcome.hit_ratio[0]) in sentence
    held, count = mme.outcome.settings["models_in_memory"][0], work.point.units[0]
    assert held < count
    assert f"holds {held:,.0f} of {count:,.0f} models" in sentence
    strict = studied({**MANY, "objectives.cold_start_ok": False})
    one_of(reasons(strict, strict.played["mme"], None), f"holds all {count:,.0f} models")


def test_a_low_hit_rate_of_models_called_once_is_healthy():
    uniform = {**MANY, "models.count": 500_000, "models.popularity": "uniform", "objectives.monthly_budget_usd": 300}
    one_of(said("mme", uniform, best=None), "disable the model cache")


def test_hot_models_are_told_to_leave():
    hot = {**MANY, "models.popularity": "zipf:1.5", "traffic.rps_mean": 100, "traffic.rps_peak": 300}
    sentence = one_of(said("mme", hot, best=None), "its own endpoint")
    # The hottest takes 1 / 2.55 of 300 a second: at 20 ms, two at once, 1.2 instances; the next one 0.4.
    assert sentence.startswith("the hottest model takes 39 % of the calls")
    busier = {**hot, "traffic.rps_mean": 200, "traffic.rps_peak": 600}
    assert one_of(said("mme", busier, best=None), "its own endpoint").startswith("the 2 hottest models take 53 % ")
    none_of(said("mme", MANY, best=None), "its own endpoint")


def test_one_model_has_nothing_to_share():
    one_of(said("mme", ONE, best=None), "one model: there is nothing to share")
    chain = {**ONE, "models.count": 3, "models.frameworks": "same", "composition": "sequential"}
    one_of(said("mme", chain, best=None), "all models", "nothing to share")


def test_containers_of_unlike_load_are_said_to_scale_badly():
    two = {**ONE, "models.count": 2, "models.cpu_spread": 8}
    assert "8 times the CPU" in one_of(said("mce_direct", two, best=None), "scaling policy")
    none_of(said("mce_direct", {**two, "models.cpu_spread": 3}, best=None), "scaling policy")


def test_a_real_time_endpoint_with_idle_hours_says_what_zero_would_do():
    idle = {**ONE, "traffic.pattern": "intermittent", "traffic.rps_mean": 0.1, "traffic.rps_peak": 2,
            "traffic.idle_ratio": 0.9}  # fmt: skip
    sentence = one_of(said("real_time", idle), "inference components")
    assert "would fail while an instance starts" in sentence
    none_of(said("real_time", ONE), "inference components")
    none_of(said("real_time", {**idle, "limits": "article"}), "inference components")


def test_a_conditional_option_begins_with_its_conditions():
    sentences = said("real_time", {**ONE, "request.payload_in_mb": 10})
    assert sentences[0].startswith("conditional: payload in")


def test_an_infeasible_option_says_why_and_nothing_else():
    sentences = said("serverless", {**ONE, "request.payload_in_mb": 10, "accelerator": "gpu"})
    assert len(sentences) >= 2
    assert all(any(word in sentence for word in ("payload", "GPU", "cold")) for sentence in sentences)


@pytest.mark.parametrize(
    ("milliseconds", "text"),
    [(0.4, "0 ms"), (999, "999 ms"), (1000, "1 s"), (119_000, "119 s"), (600_000, "10 min"), (7_200_000, "2 h")],
)
def test_durations_are_written_as_people_do(milliseconds, text):
    assert duration(milliseconds) == text


@pytest.mark.parametrize(("usd", "text"), [(0.5, "$0.50"), (99.994, "$99.99"), (12_345.6, "$12,346")])
def test_money_is_written_as_people_do(usd, text):
    assert money(usd) == text
