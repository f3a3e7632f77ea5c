"""Settings that the caller fixes, and what an answer's configuration says when it is given back."""

import numpy as np
import pytest

from fitness.analytic.settings import foreign
from fitness.errors import InputError
from fitness.outcome import configuration
from tests.declared import evaluated, studied

ONLINE = {
    "models.count": 3,
    "models.frameworks": "same",
    "request.processing_ms": 50,
    "traffic.pattern": "steady",
    "traffic.rps_mean": 5,
    "objectives.cold_start_ok": True,
}
QUEUED = {**ONLINE, "request.synchronous": False}
JOB = {
    "request.synchronous": False,
    "request.processing_ms": 50,
    "request.concurrency": 8,
    "traffic.pattern": "scheduled",
    "traffic.records_per_job": 100_000,
    "objectives.deadline_s": 36_000,
}


@pytest.mark.parametrize("values", [ONLINE, QUEUED, JOB])
def test_the_configuration_of_an_answer_may_be_fixed_as_it_stands(values):
    tried = 0
    for option, played in studied(values).played.items():
        if played.outcome is not None:
            fixed = configuration(played.outcome)
            again = studied(values, config=fixed, options=(option,)).played[option]
            found = configuration(again.outcome)
            assert found == fixed
            tried += 1
    assert tried >= 2


@pytest.mark.parametrize(
    ("name", "value"), [("endpoints", 7), ("plan", "premium"), ("jobs_per_month", 3), ("inference_components", True)]
)
def test_what_follows_from_the_workload_can_not_be_chosen(name, value):
    with pytest.raises(InputError, match=rf"follows from the workload.* @ \$\.config\.{name}"):
        studied(ONLINE, config={name: value})


def test_one_wrong_statement_and_one_wrong_setting_are_both_named():
    with pytest.raises(InputError) as caught:
        studied(ONLINE, config={"endpoints": [1], "max_concurrent_transforms": 0})
    assert {problem.path for problem in caught.value.problems} == {
        "$.config.endpoints",
        "$.config.max_concurrent_transforms",
    }


def test_a_job_of_one_request_at_once_works_longer():
    free = evaluated("batch", JOB, instance_type="ml.c5.xlarge")
    alone = evaluated("batch", JOB, config={"instance_type": "ml.c5.xlarge", "max_concurrent_transforms": 1})
    assert alone.settings["max_concurrent_transforms"][0] == 1
    worked = [one.latency.percentile(0.5)[0] - 300 for one in (free, alone)]  # after the instances' start
    assert worked[1] == pytest.approx(8 * worked[0])


def test_a_queue_takes_the_concurrency_and_the_backlog_that_are_fixed():
    config = {"max_concurrent_invocations_per_instance": 1, "target_backlog_per_instance": 7.5}
    found = evaluated("async", QUEUED, config=config)
    assert {name: found.settings[name][0] for name in config} == config
    assert found.serving["slots"][0] == 1


def test_an_endpoint_without_servers_has_no_more_at_once_than_its_limit():
    both = {"max_concurrency": 1000}
    assert evaluated("serverless", ONLINE, config=both).settings["max_concurrency"] == np.array([200.0])
    assert evaluated("azure_functions", ONLINE, config=both).settings["max_concurrency"] == np.array([1000.0])


@pytest.mark.parametrize("pattern", ["diurnal", "spiky"])
@pytest.mark.parametrize("option", ["real_time", "mce_direct", "async"])
def test_the_bounds_of_the_scaling_are_those_that_are_fixed(option, pattern):
    values = {**ONLINE, "models.count": 1 if option == "real_time" else 2, "request.synchronous": option != "async",
              "traffic.pattern": pattern, "traffic.rps_mean": 60, "traffic.rps_peak": 300}  # fmt: skip
    # More than the load asks for, and fewer: burstable types, which nothing scales, can't keep either.
    for low, high in ((2, 40), (2, 4), (4, 4)):
        config = {"min_instances": low, "max_instances": high}
        found = studied(values, config=config, options=(option,)).played[option]
        assert {name: configuration(found.outcome)[name] for name in config} == config
        assert low == high or not found.outcome.instance_types[0].startswith("ml.t2.")


def test_a_minimum_of_zero_takes_inference_components():
    for config, variant in (({"min_instances": 0}, "inference_components"), ({"min_instances": 1}, "always_on")):
        found = studied({**ONLINE, "models.count": 1}, config=config, options=("real_time",)).played["real_time"]
        assert found.variant == variant
        assert configuration(found.outcome)["min_instances"] == config["min_instances"]
    then = studied({**ONLINE, "limits": "article"}, config={"min_instances": 0}, options=("real_time",))
    assert then.played["real_time"].variant == "always_on"


@pytest.mark.parametrize(("units", "variant"), [(3, "provisioned"), (0, "on_demand")])
def test_units_that_are_to_stay_warm_are_paid_for(units, variant):
    config = {"provisioned_concurrency": units, "memory_mb": 2048}
    found = studied({**ONLINE, "models.count": 1}, config=config, options=("serverless",)).played["serverless"]
    assert found.variant == variant
    paid = found.outcome.metered.get("provisioned_concurrency/usage/2048", np.zeros(1))
    assert paid[0] == units * 730 * 3600


@pytest.mark.parametrize(
    ("option", "name", "value"),
    [
        ("real_time", "memory_mb", 2048),
        ("real_time", "max_batch_size", 4),
        ("async", "routing", "RANDOM"),
        ("batch", "max_instances", 2),
        ("serverless", "instance_type", "ml.c5.xlarge"),
        ("azure_functions", "provisioned_concurrency", 1),
    ],
)
def test_a_setting_of_another_option_is_named(option, name, value):
    (problem,) = foreign({name: value, "endpoints": 1}, option)
    assert problem.path == f"$.config.{name}"
    assert f"is no setting of {option}" in problem.message
