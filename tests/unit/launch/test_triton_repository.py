"""Repositories for Triton: places of files, config.pbtxt of models and of ensembles."""

import numpy as np
import pytest

from launch.repositories import repository
from launch.triton_repository import Batching, Step, Tensor, ensemble_config, graph_of, model_config
from sandbox.samples.onnx_graph import classifier


def graph(path, features, classes):
    path.write_bytes(classifier(np.ones((features, classes), np.float32), np.zeros(classes, np.float32)))
    return path


def step(name, takes, gives, *, kind="TYPE_FP32"):
    return Step(
        name=name,
        backend="onnxruntime",
        inputs=tuple(Tensor(name=one, data_type=kind, dims=(4,)) for one in takes),
        outputs=tuple(Tensor(name=one, data_type="TYPE_FP32", dims=(4,)) for one in gives),
        takes_batches=True,
    )


def test_a_single_model_gathers_requests_by_the_settings(tmp_path):
    found = graph_of("digits", graph(tmp_path / "model.onnx", 64, 10))
    assert model_config(found, Batching(max_batch_size=8, max_queue_delay_ms=2.5)) == (
        'name: "digits"\n'
        'backend: "onnxruntime"\n'
        "max_batch_size: 8\n"
        "input [\n"
        '  { name: "pixels" data_type: TYPE_FP32 dims: [ 64 ] }\n'
        "]\n"
        "output [\n"
        '  { name: "label" data_type: TYPE_INT64 dims: [ 1 ] },\n'
        '  { name: "probabilities" data_type: TYPE_FP32 dims: [ 10 ] }\n'
        "]\n"
        "dynamic_batching {\n"
        "  max_queue_delay_microseconds: 2500\n"
        "}\n"
    )


def test_without_batching_there_is_no_scheduler_for_it(tmp_path):
    found = graph_of("digits", graph(tmp_path / "model.onnx", 64, 10))
    assert "dynamic_batching" not in model_config(found, Batching())


def test_settings_of_a_configuration_become_batching():
    assert Batching.of({"max_batch_size": 16, "max_queue_delay_ms": 3}) == Batching(
        max_batch_size=16, max_queue_delay_ms=3.0
    )
    assert Batching.of({"instance_type": "ml.g5.xlarge"}) == Batching()


def test_an_ensemble_passes_tensors_on_by_their_names():
    config = ensemble_config([step("clean", ["raw"], ["rows"]), step("score", ["rows"], ["scores"])], Batching())
    assert '{ name: "raw" data_type: TYPE_FP32 dims: [ 4 ] }' in config
    assert '{ name: "scores" data_type: TYPE_FP32 dims: [ 4 ] }' in config
    assert 'output_map { key: "rows" value: "rows" }' in config
    assert 'input_map { key: "rows" value: "rows" }' in config
    assert config.count('name: "rows"') == 0  # it stays inside


def test_the_only_input_takes_the_only_fitting_output_whatever_their_names():
    config = ensemble_config([step("clean", ["x"], ["y"]), step("score", ["in"], ["out"])], Batching(max_batch_size=4))
    assert 'input_map { key: "in" value: "y" }' in config
    assert "max_batch_size: 4" in config


def test_two_branches_meet_in_a_third_step():
    steps = [step("left", ["raw"], ["a"]), step("right", ["raw"], ["b"]), step("join", ["a", "b"], ["c"])]
    config = ensemble_config(steps, Batching())
    assert config.count('name: "raw"') == 1
    assert 'input_map { key: "a" value: "a" }' in config
    assert 'input_map { key: "b" value: "b" }' in config


def test_steps_that_do_not_fit_are_named():
    with pytest.raises(
        ValueError, match=r"step score takes in TYPE_INT64\[4\], and clean before it gives y TYPE_FP32\[4\]"
    ):
        ensemble_config([step("clean", ["x"], ["y"]), step("score", ["in"], ["out"], kind="TYPE_INT64")], Batching())


def test_graphs_at_the_top_become_a_chain_in_the_order_of_their_names(tmp_path):
    first, second = graph(tmp_path / "01-pixels.onnx", 64, 10), graph(tmp_path / "02-classes.onnx", 10, 3)
    made = repository({"01-pixels.onnx": first, "02-classes.onnx": second}, Batching(max_batch_size=8))
    assert made.problems == ()
    assert sorted(made.files) == [
        "01-pixels/1/model.onnx",
        "01-pixels/config.pbtxt",
        "02-classes/1/model.onnx",
        "02-classes/config.pbtxt",
        "ensemble/1/keep",
        "ensemble/config.pbtxt",
    ]
    assert made.environment == {"SAGEMAKER_TRITON_DEFAULT_MODEL_NAME": "ensemble"}
    assert b'input_map { key: "pixels" value: "probabilities" }' in made.files["ensemble/config.pbtxt"]


def test_one_graph_is_reached_by_its_own_name(tmp_path):
    made = repository({"digits.onnx": graph(tmp_path / "digits.onnx", 64, 10)}, Batching())
    assert made.default_model == "digits"
    assert sorted(made.files) == ["digits/1/model.onnx", "digits/config.pbtxt"]


def test_a_configuration_that_is_there_is_kept(tmp_path):
    own = tmp_path / "config.pbtxt"
    own.write_text('name: "digits"')
    given = {"digits/config.pbtxt": own, "digits/1/model.onnx": graph(tmp_path / "digits.onnx", 64, 10)}
    assert repository(given, Batching(max_batch_size=8)).files == given


def test_an_ensemble_of_ones_own_is_what_callers_reach(tmp_path):
    own, model = tmp_path / "config.pbtxt", tmp_path / "model.pt"
    own.write_text('platform: "ensemble"')
    model.write_text("")
    other = tmp_path / "other.pbtxt"
    other.write_text('backend: "pytorch"')
    given = {"all/config.pbtxt": own, "net/1/model.pt": model, "net/config.pbtxt": other}
    made = repository(given, Batching())
    assert made.default_model == "all"
    assert made.files == {**given, "all/1/keep": b""}


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ({"notes.txt": "x"}, "has no model for Triton"),
        ({"net.pt": "x"}, "has the model net without config.pbtxt"),
        ({"net.onnx": "x"}, "has the model net, which is not a readable ONNX graph"),
    ],
)
def test_what_can_not_be_served_is_said(tmp_path, files, said):
    given = {}
    for name, text in files.items():
        (tmp_path / name).write_text(text)
        given[name] = tmp_path / name
    assert any(said in problem for problem in repository(given, Batching()).problems)


def test_graphs_that_make_no_chain_are_named(tmp_path):
    given = {
        "a.onnx": graph(tmp_path / "a.onnx", 64, 10),
        "b.onnx": graph(tmp_path / "b.onnx", 7, 3),
    }
    (problem,) = repository(given, Batching()).problems
    assert "models that make no chain: step b takes pixels TYPE_FP32[7]" in problem
