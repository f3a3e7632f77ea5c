import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings

from fitness.choices import Accelerator
from fitness.errors import InputError
from fitness.fields import FIELDS
from fitness.workload import PopularityKind, Traffic, Workload, popularity
from tests.strategies import LEAVES, workloads


def problems(values):
    with pytest.raises(InputError) as caught:
        Workload.from_values(values)
    return [str(problem) for problem in caught.value.problems]


def test_the_attributes_are_the_keys_of_the_file():
    empty = Workload(name="x")
    assert [one.path for one in FIELDS if empty.get(one.path) is not None] == ["version", "name"]


def test_an_absent_field_is_unknown_not_zero_and_not_false():
    workload = Workload(name="x")
    assert workload.models.count is None
    assert workload.request.synchronous is None
    assert workload.weights.cost is None
    assert workload.limits is None
    assert workload.region is None
    assert workload.version == 1


def test_a_workload_can_not_be_changed_and_can_be_a_key():
    workload = Workload(name="x")
    with pytest.raises(dataclasses.FrozenInstanceError):
        workload.name = "y"
    assert {workload: 1}[Workload(name="x")] == 1


def test_no_way_of_making_one_gives_an_invalid_workload():
    with pytest.raises(InputError, match=r"must be > 0, got -3 @ \$\.traffic\.rps_peak"):
        Workload(name="x", traffic=Traffic(rps_peak=-3))
    with pytest.raises(InputError, match=r"must be > 0, got -3 @ \$\.traffic\.rps_peak"):
        Workload(name="x").replace({"traffic.rps_peak": -3})
    with pytest.raises(InputError, match=r"@ \$\.name"):
        Workload(name="")


def test_words_become_members_of_their_set():
    workload = Workload.from_values({"name": "x", "accelerator": "gpu"})
    assert workload.accelerator is Accelerator.GPU


def test_every_problem_is_reported_at_once_in_file_order_contradictions_last():
    assert problems(
        {
            "traffic.rps_peek": 1,
            "objectives.latency_p95_ms": 100,
            "objectives.latency_p99_ms": 50,
            "traffic.rps_mean": "x",
            "models.count": 0,
        }
    ) == [
        "is not a known field; did you mean rps_peak? @ $.traffic.rps_peek",
        "is missing: every workload needs a name @ $.name",
        "must be >= 1, got 0 @ $.models.count",
        'must be a number, got "x" @ $.traffic.rps_mean',
        "must be >= objectives.latency_p95_ms (100), got 50 @ $.objectives.latency_p99_ms",
    ]


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (
            {"traffic.rps_mean": 12, "traffic.rps_peak": 3},
            "must be >= traffic.rps_mean (12), got 3 @ $.traffic.rps_peak",
        ),
        (
            {"traffic.rps_mean": 12, "traffic.idle_ratio": 1},
            "must be < 1 while traffic.rps_mean is 12, got 1 @ $.traffic.idle_ratio",
        ),
        (
            {"traffic.rps_peak": 3, "traffic.idle_ratio": 1},
            "must be < 1 while traffic.rps_peak is 3, got 1 @ $.traffic.idle_ratio",
        ),
        (
            {"request.measured_on": "ml.c5.xlrge"},
            'must be a known instance type (did you mean ml.c5.xlarge?), got "ml.c5.xlrge" @ $.request.measured_on',
        ),
        (
            {f"weights.{one}": 0 for one in ("cost", "latency", "throughput", "scaling", "traffic")},
            "must not all be 0: then nothing can be ranked @ $.weights",
        ),
    ],
)
def test_a_contradiction_is_reported(values, message):
    assert problems({"name": "x"} | values) == [message]


@pytest.mark.parametrize(
    "values",
    [
        {"traffic.rps_mean": 12, "traffic.rps_peak": 12},
        {"traffic.rps_mean": 0, "traffic.idle_ratio": 1},
        {"objectives.latency_p95_ms": 50, "objectives.latency_p99_ms": 50},
        {"weights.cost": 0, "weights.latency": 0, "weights.throughput": 0, "weights.scaling": 0},
        {"composition": "single", "models.count": 10, "models.containers": 3, "region": "ukwest"},
        {"request.processing_ms": 100, "objectives.latency_p95_ms": 50},
    ],
    ids=str,
)
def test_what_is_only_unusual_is_allowed(values):
    Workload.from_values({"name": "x"} | values)


def test_a_trace_stands_instead_of_the_four_fields_which_are_told():
    values = {"name": "x", "traffic.rps_mean": 12, "traffic.rps_peak": 3, "traffic.trace": "arrivals.csv"}
    assert Workload.from_values(values).ignored == ("traffic.rps_mean", "traffic.rps_peak")
    assert Workload.from_values({"name": "x", "traffic.rps_mean": 12}).ignored == ()


def test_replacing_changes_only_what_is_named_and_none_forgets():
    before = Workload.from_values({"name": "x", "traffic.rps_peak": 80, "models.count": 3})
    after = before.replace({"traffic.rps_peak": np.float64(90), "models.count": None})
    assert after.declared() == {"version": 1, "name": "x", "traffic.rps_peak": 90.0}
    assert type(after.traffic.rps_peak) is float
    assert before.traffic.rps_peak == 80


def test_an_unknown_path_can_not_be_read():
    with pytest.raises(InputError, match="did you mean rps_peak"):
        Workload(name="x").get("traffic.rps_peek")


def test_popularity_has_a_kind_and_a_parameter():
    assert popularity("uniform").parameter is None
    assert popularity("hot:0.8").kind is PopularityKind.HOT
    assert popularity("zipf:1e-1").parameter == 0.1


@given(workloads())
@settings(max_examples=200)
def test_making_a_workload_of_what_it_declares_gives_the_same(workload):
    again = Workload.from_values(workload.declared())
    assert again == workload
    assert list(again.declared()) == [path for path in LEAVES if workload.get(path) is not None]
