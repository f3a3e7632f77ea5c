"""Laws of the verdict, over random workloads: any valid value of any field, any of them absent."""

import json
import math
import os

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from fitness import workload_file
from fitness.answer import as_dict, as_json
from fitness.errors import InputError
from fitness.options import OPTIONS
from fitness.prices import load_book
from fitness.study import study
from fitness.verdict import recommend
from fitness.workload import Workload
from tests.strategies import LEAVES, workloads

# `make quick` tries fewer; the suite that decides tries them all.
LAW = settings(
    max_examples=int(os.environ.get("LAW_EXAMPLES", "1000")),
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)
BOOK = load_book()
IDS = tuple(OPTIONS)
CENTS = 0.005


# Without the trace file, which only the command line opens.
WORKLOADS = workloads(paths=tuple(path for path in LEAVES if path != "traffic.trace"))


def order(workload: Workload, options: tuple[str, ...]) -> list[str]:
    return [result.option.id for result in recommend(workload, book=BOOK, options=options, draws=0).options]


def eligible(workload: Workload) -> set[str]:
    """Options that no gate rules out."""
    played = study(workload, book=BOOK).played
    return {option for option, one in played.items() if one.status != "infeasible"}


def changed(workload: Workload, values: dict[str, object]) -> Workload:
    """The workload with some fields changed; examples that would contradict themselves are left out."""
    try:
        return workload.replace(values)
    except InputError:
        assume(False)
        raise


@LAW
@given(WORKLOADS, st.sampled_from(IDS))
def test_the_order_stays_when_an_option_is_removed_or_doubled(workload, option):
    whole = order(workload, IDS)
    fewer = order(workload, tuple(one for one in IDS if one != option))
    assert fewer == [one for one in whole if one != option]
    doubled = order(workload, (*IDS, option))
    assert list(dict.fromkeys(doubled)) == whole


@LAW
@given(WORKLOADS)
def test_scores_are_ratios_and_every_infeasible_option_names_a_limit(workload):
    answer = as_dict(recommend(workload, book=BOOK, draws=0))
    assert sorted(one["option"] for one in answer["options"]) == sorted(IDS)
    json.dumps(answer, allow_nan=False)
    for one in answer["options"]:
        if one["status"] == "infeasible":
            assert one["score"] is None
            failed = [gate for gate in one["gates"] if gate["passes"] is False]
            assert failed, one["option"]
            assert all(gate["limit"] and gate["source"] and gate["allowed"] is not None for gate in failed)
            continue
        for value in (
            one["score"],
            *one["fitness"].values(),
            one["late_ratio"],
            one["dropped_ratio"],
            one["cold_ratio"],
        ):
            assert value is not None
            assert 0 <= value <= 1
        assert one["monthly_usd"] is None or one["monthly_usd"]["p50"] >= 0
        latency = one["latency_ms"]
        assert 0 <= latency["p50"] <= latency["p95"] <= latency["p99"] < math.inf


@LAW
@given(WORKLOADS, st.floats(1.01, 50))
def test_cost_never_falls_as_load_grows(workload, factor):
    traffic = workload.traffic
    grown = {
        "traffic.rps_mean": traffic.rps_mean and traffic.rps_mean * factor,
        "traffic.rps_peak": traffic.rps_peak and traffic.rps_peak * factor,
        "traffic.records_per_job": traffic.records_per_job and math.ceil(traffic.records_per_job * factor),
    }
    assume(any(grown.values()))
    before = study(workload, book=BOOK).played
    after = study(changed(workload, grown), book=BOOK).played
    for option, one in after.items():
        other = before[option]
        if one.outcome is None or other.outcome is None or math.isnan(other.monthly_usd[0]):
            continue
        assert one.monthly_usd[0] >= other.monthly_usd[0] * (1 - 1e-9) - CENTS, option


@LAW
@given(WORKLOADS, st.floats(1.01, 1000))
def test_a_larger_payload_never_adds_an_option(workload, factor):
    payload = workload.request.payload_in_mb
    assume(payload)
    assert eligible(changed(workload, {"request.payload_in_mb": payload * factor})) <= eligible(workload)


REQUIREMENTS = (
    {"constraints.vpc": True},
    {"constraints.network_isolation": True},
    {"constraints.data_capture": True},
    {"constraints.outside_aws": True},
    {"constraints.scale_to_zero": True},
    {"objectives.cold_start_ok": False},
    {"request.synchronous": True},
    {"conditional_flow": True},
)


@LAW
@given(WORKLOADS, st.sampled_from(REQUIREMENTS))
def test_a_further_requirement_never_adds_an_option(workload, requirement):
    assume(all(workload.get(path) is None for path in requirement))
    assert eligible(changed(workload, requirement)) <= eligible(workload)


@LAW
@given(WORKLOADS, st.sampled_from([2, 3, 0.5]))
def test_the_scale_of_the_weights_and_the_format_of_the_file_change_nothing(workload, factor):
    weights = {
        path: value * factor
        for path, value in workload.declared().items()
        if path.startswith("weights.") and value * factor <= 1000
    }
    assume(len(weights) == sum(path.startswith("weights.") for path in workload.declared()))
    if len(weights) < 5:
        weights = {}
    same = workload_file.read(workload_file.write_json(changed(workload, weights)))
    plain = as_dict(recommend(workload, book=BOOK, draws=0))["options"]
    scaled = as_dict(recommend(same, book=BOOK, draws=0))["options"]
    assert [one["option"] for one in scaled] == [one["option"] for one in plain]
    for one, other in zip(scaled, plain, strict=True):
        if other["score"] is None:
            assert one["score"] is None
        else:
            assert one["score"] == pytest.approx(other["score"], rel=1e-4)


@LAW
@given(WORKLOADS)
def test_the_same_input_gives_the_same_bytes(workload):
    again = workload_file.read(workload_file.write(workload))
    assert as_json(recommend(workload, book=BOOK, draws=0)) == as_json(recommend(again, book=BOOK, draws=0))


# Every option is played, so a few workloads take as long as hundreds by the formulas.
PLAYED_LAW = settings(LAW, max_examples=max(3, int(os.environ.get("LAW_EXAMPLES", "1000")) // 100))


@PLAYED_LAW
@given(WORKLOADS, st.sampled_from(IDS))
def test_played_scores_are_ratios_that_hang_on_no_other_option_and_repeat(workload, option):
    verdict = recommend(workload, book=BOOK)
    answer = as_dict(verdict)
    assert as_json(recommend(workload_file.read(workload_file.write(workload)), book=BOOK)) == as_json(verdict)
    found = {one["option"]: one for one in answer["options"]}
    for one in found.values():
        if one["score"] is not None:
            ratios = (*one["fitness"].values(), one["late_ratio"], one["dropped_ratio"], one["cold_ratio"])
            assert all(0 <= value <= 1 for value in (one["score"], one["probability_best"], *ratios)), one["option"]
            assert one["latency_ms"]["p50"] <= one["latency_ms"]["p95"] <= one["latency_ms"]["p99"] < math.inf
    fewer = as_dict(recommend(workload, book=BOOK, options=tuple(one for one in IDS if one != option)))
    for one in fewer["options"]:
        for name in ("score", "fitness", "configuration", "late_ratio", "dropped_ratio", "cold_ratio"):
            assert one[name] == found[one["option"]][name], (one["option"], name)


COOLDOWNS = st.fixed_dictionaries(
    {"scale_out_cooldown_s": st.integers(0, 3600), "scale_in_cooldown_s": st.integers(0, 3600)},
    optional={
        "routing": st.sampled_from(["RANDOM", "LEAST_OUTSTANDING_REQUESTS"]),
        "max_instances": st.integers(1, 50),
        "instance_type": st.sampled_from(["ml.m5.large", "ml.g5.xlarge"]),
    },
)


@PLAYED_LAW
@given(WORKLOADS, COOLDOWNS)
def test_played_configurations_say_what_was_fixed(workload, config):
    for one in recommend(workload, book=BOOK, config=config).options:
        if one.score is None or one.option.id == "batch" or "instance_type" not in one.configuration:
            continue
        said = one.configuration
        for name, value in config.items():
            if name == "max_instances":
                assert said[name] <= max(value, said["endpoints"])
            elif (one.option.id, name) != ("async", "routing"):
                assert said[name] == value
