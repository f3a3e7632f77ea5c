"""The gates of the models: accelerator, memory, containers, frameworks and how models are put together."""

import pytest

from fitness.options import OPTIONS
from tests.declared import played
from tests.gated import CHAIN, GRAPH, JOB, NAMED, ONLINE, SEVERAL, gate


@pytest.mark.parametrize(
    ("option", "kind", "passes"),
    [
        ("real_time", "gpu", True),
        ("async", "gpu", True),
        ("mme_gpu", "gpu", True),
        ("serverless", "gpu", False),
        ("mme", "gpu", False),
        ("mce_direct", "gpu", False),
        ("azure_functions", "gpu", False),
        ("real_time", "inferentia", True),
        ("serverless", "inferentia", False),
        ("mme_gpu", "inferentia", False),
        ("async", "inferentia", None),
    ],
)
def test_accelerators(option, kind, passes):
    found = gate(option, kind, SEVERAL, accelerator=kind)
    assert found.passes is passes
    assert found.asked == kind
    assert found.margin is None
    assert {True: "runs", False: "has no", None: "may or may not"}[passes] in found.reason


def test_models_without_an_accelerator_may_run_on_a_gpu_but_it_was_not_measured():
    assert gate("mme_gpu", "gpu", SEVERAL).passes is None


def test_the_memory_of_the_largest_type_is_a_limit_where_no_document_gives_one():
    found = gate("real_time", "memory_mb", ONLINE)
    assert found.passes is True
    assert found.status == "derived"
    assert found.allowed > 100_000
    assert gate("real_time", "memory_mb", ONLINE, models__memory_mb=found.allowed * 1.01).passes is False


def test_models_that_are_loaded_together_need_their_sum():
    top = gate("real_time", "memory_mb", ONLINE).allowed
    for option, passes in (("mce_direct", False), ("serial_pipeline", False), ("real_time", True), ("mme", True)):
        found = gate(option, "memory_mb", {**CHAIN, "models.memory_mb": top / 3})
        assert found.passes is passes, option
    found = gate("serial_pipeline", "memory_mb", {**CHAIN, "models.memory_mb": top / 3})
    assert found.asked == pytest.approx(top * 4 / 3)
    assert found.remedy == pytest.approx(top / 4)


def test_a_graph_in_one_container_needs_the_memory_of_all_its_models():
    assert gate("serverless", "memory_mb", GRAPH, models__memory_mb=1500).passes is True
    found = gate("serverless", "memory_mb", GRAPH, models__memory_mb=1600)
    assert (found.passes, found.asked, found.remedy) == (False, 6400, 1536)
    # A function for each model needs the memory of one.
    assert gate("azure_functions", "memory_mb", GRAPH, models__memory_mb=1600).passes is True


@pytest.mark.parametrize("option", ["mce_direct", "serial_pipeline"])
def test_containers_of_one_endpoint_are_two_to_fifteen(option):
    one = gate(option, "containers_min", {**CHAIN, "models.count": 1})
    assert (one.passes, one.asked, one.allowed, one.margin) == (False, 1, 2, 0.5)
    fifteen = gate(option, "containers_max", {**CHAIN, "models.count": 15})
    assert (fifteen.passes, fifteen.asked, fifteen.allowed, fifteen.margin) == (True, 15, 15, 1)
    sixteen = gate(option, "containers_max", {**CHAIN, "models.count": 16})
    assert (sixteen.passes, sixteen.field, sixteen.remedy) == (False, "models.count", 15)


def test_the_number_of_containers_is_conditional_where_nobody_said():
    nobody = {path: value for path, value in ONLINE.items() if path != "models.count"}
    assert gate("mce_direct", "containers_min", nobody).passes is None


@pytest.mark.parametrize("option", ["async", "serverless"])
def test_several_containers_on_an_endpoint_of_one_work_only_if_called_one_by_one(option):
    found = gate(option, "containers_max", SEVERAL, models__containers=4)
    assert (found.passes, found.asked, found.allowed, found.field) == (None, 4, 1, "models.containers")
    assert gate(option, "containers_max", NAMED, models__containers=4) is None
    assert gate(option, "containers_max", SEVERAL, models__containers=1) is None


def test_the_field_that_asks_for_containers_is_the_larger_of_two():
    found = gate("mce_direct", "containers_max", {**SEVERAL, "models.count": 20, "models.containers": 2})
    assert found.field == "models.count"
    found = gate("mce_direct", "containers_max", {**SEVERAL, "models.count": 4, "models.containers": 20})
    assert found.field == "models.containers"


@pytest.mark.parametrize(("declared", "passes"), [("same", True), ("different", False), (None, None)])
def test_models_of_one_container_share_their_framework(declared, passes):
    found = gate("mme", "frameworks", SEVERAL, models__frameworks=declared)
    assert found.passes is passes
    assert found.likelihood == {True: 1, False: 0, None: pytest.approx(0.8)}[passes]
    assert gate("mme", "frameworks", {**ONLINE, "models.frameworks": "different"}) is None  # one model
    assert gate("mce_direct", "frameworks", SEVERAL, models__frameworks="different") is None


COMPOSED = {
    # option: what it says to a chain, to a graph, to models called by name
    "real_time": (True, True, True),
    "async": (False, None, True),
    "batch": (True, None, True),
    "serverless": (False, None, True),
    "mme": (True, None, True),
    "mme_gpu": (True, True, True),
    "mce_direct": (False, None, True),
    "serial_pipeline": (True, None, False),
    "triton_ensemble": (True, True, False),
    "azure_functions": (True, True, True),
}


@pytest.mark.parametrize("option", OPTIONS)
def test_how_models_are_put_together(option):
    chain = gate(option, "chain", CHAIN)
    graph = gate(option, "graph", GRAPH)
    named = gate(option, "independent", NAMED)
    assert (chain.passes, graph.passes, named.passes) == COMPOSED[option]
    assert (chain.field, graph.field, named.field) == ("composition",) * 3


def test_a_chain_option_without_anything_declared_is_conditional_and_with_one_model_out():
    assert gate("serial_pipeline", "chain", SEVERAL).passes is None
    assert gate("serial_pipeline", "chain", ONLINE).passes is False
    assert gate("triton_ensemble", "chain", {**SEVERAL, "composition": "single"}).passes is False
    assert gate("real_time", "chain", SEVERAL) is None


@pytest.mark.parametrize(
    ("option", "passes"),
    [("serial_pipeline", False), ("mce_direct", False), ("real_time", None), ("serverless", None), ("mme", False)],
)
def test_loops_need_a_graph_or_own_code(option, passes):
    found = gate(option, "graph", {**CHAIN, "conditional_flow": True})
    assert found.passes is passes
    assert found.field == "conditional_flow"
    assert gate("triton_ensemble", "graph", {**CHAIN, "conditional_flow": True}) is None


@pytest.mark.parametrize(
    ("option", "asked", "passes"),
    [("serial_pipeline", 1, True), ("serial_pipeline", 2, None), ("mce_direct", 1, False), ("real_time", 1, False)],
)
def test_stages_that_are_multi_model(option, asked, passes):
    found = gate(option, "multi_model_stages", {**CHAIN, "multi_model_stages": asked})
    assert (found.passes, found.asked) == (passes, asked)
    assert gate(option, "multi_model_stages", CHAIN) is None


def test_a_memory_size_that_does_not_exist_or_is_too_small_is_refused_by_a_gate():
    wrong = played("serverless", ONLINE, config={"memory_mb": 1500})
    (found,) = [one for one in wrong.gates if one.limit == "memory_sizes_mb"]
    assert (found.passes, found.asked) == (False, 1500)
    small = played("serverless", {**ONLINE, "models.memory_mb": 3000}, config={"memory_mb": 2048})
    (found,) = [one for one in small.gates if one.limit == "memory_mb"]
    assert (found.passes, found.asked, found.allowed) == (False, 3000, 2048)
    assert played("serverless", ONLINE, config={"memory_mb": 2048}).status == "feasible"


def test_a_fixed_type_that_an_option_can_not_use_is_refused_by_a_gate():
    # ml.trn1 has no accelerator that the models could use; batch transform does not take ml.t2.
    for option, kind, values in (
        ("mme_gpu", "ml.c5.xlarge", SEVERAL),
        ("batch", "ml.t2.medium", JOB),
        ("real_time", "ml.c5.xlarge", {**ONLINE, "accelerator": "gpu"}),
    ):
        refused = played(option, values, config={"instance_type": kind})
        assert refused.status == "infeasible", option
        assert any(one.passes is False and one.source for one in refused.gates)
    small = played("real_time", {**ONLINE, "models.memory_mb": 9000}, config={"instance_type": "ml.c5.large"})
    (found,) = [one for one in small.gates if one.limit == "memory_mb"]
    assert (found.passes, found.allowed) == (False, 3 * 1024)


def test_what_scales_to_zero_takes_no_burstable_type():
    config = {"instance_type": "ml.t2.medium"}
    values = {**ONLINE, "objectives.cold_start_ok": True}
    queue = {**values, "request.synchronous": False}
    found = played("async", queue, config=config)
    (failed,) = (one for one in found.gates if one.passes is False)
    assert "burstable types can't be registered for scaling" in failed.reason
    assert (found.status, found.outcome) == ("infeasible", None)
    assert played("async", queue, config={"instance_type": "ml.m5.large"}).status != "infeasible"
    # Inference components need scaling as well; an endpoint that stays up does not.
    copies = {**values, "constraints.scale_to_zero": True}
    assert played("real_time", copies, config=config).status == "infeasible"
    assert played("real_time", copies, config={"instance_type": "ml.m5.large"}).status != "infeasible"
    assert played("real_time", values, config=config).status != "infeasible"


def test_one_model_asks_for_no_chain_even_if_nobody_said_so():
    for option in ("serial_pipeline", "triton_ensemble"):
        found = gate(option, "chain", ONLINE)
        assert (found.passes, found.asked) == (False, "single")
        assert gate(option, "chain", SEVERAL).asked is None
