"""How a model's files lie in its archive, for each framework."""

import numpy as np
import pytest

from launch import default_inference
from launch.layouts import SCRIPT, SCRIPT_VARIABLES, layout


@pytest.mark.parametrize(
    ("framework", "names", "places"),
    [
        ("sklearn", ["model.joblib"], ["model.joblib", SCRIPT]),
        ("sklearn", ["model.joblib", "inference.py", "features.py"], ["model.joblib", SCRIPT, "code/features.py"]),
        ("onnx", ["graph.onnx"], ["graph.onnx", SCRIPT, "code/requirements.txt"]),
        ("xgboost", ["xgboost-model"], ["xgboost-model"]),
        ("xgboost", ["prices.ubj"], ["prices.ubj"]),
        ("pytorch", ["model.pt", "inference.py", "requirements.txt"], ["model.pt", SCRIPT, "code/requirements.txt"]),
        ("pytorch", ["model.pt", "code/inference.py"], ["model.pt", SCRIPT]),
        (
            "tensorflow",
            ["saved_model.pb", "variables/variables.index"],
            ["1/saved_model.pb", "1/variables/variables.index"],
        ),
        ("tensorflow", ["export/3/saved_model.pb"], ["export/3/saved_model.pb"]),
        ("huggingface", ["config.json", "model.safetensors"], ["config.json", "model.safetensors"]),
        (None, ["anything.bin", "inference.py"], ["anything.bin", "inference.py"]),
    ],
)
def test_files_lie_where_the_image_looks_for_them(framework, names, places):
    found = layout(framework, names)
    assert found.problems == ()
    assert sorted([*found.files, *found.added]) == sorted(places)
    assert sorted(found.files.values()) == sorted(names)


@pytest.mark.parametrize(
    ("framework", "names", "said"),
    [
        ("pytorch", ["model.pt"], "has no inference.py"),
        ("pytorch", ["inference.py"], "no model file beside it"),
        ("sklearn", ["readme.txt"], "has no estimator (*.joblib, *.pkl, *.pickle)"),
        ("sklearn", ["a.pkl", "b.pkl"], "has several files that may be the estimator (a.pkl, b.pkl)"),
        ("onnx", ["deep/graph.onnx"], "has no graph"),
        ("xgboost", ["model.joblib"], "has no booster"),
        ("tensorflow", ["model.h5"], "has no SavedModel"),
        ("sklearn", [], "is empty"),
    ],
)
def test_what_is_missing_is_said(framework, names, said):
    assert any(said in problem for problem in layout(framework, names).problems)


def test_everything_that_is_missing_is_said_at_once():
    assert len(layout("huggingface", ["notes.txt"]).problems) == 2


def test_the_toolkits_are_told_of_a_script_and_of_none_where_there_is_none():
    assert layout("sklearn", ["model.joblib"]).environment == SCRIPT_VARIABLES
    assert layout("xgboost", ["xgboost-model"]).environment == {}


def test_a_script_of_another_name_stands_instead_of_inference_py():
    found = layout("pytorch", ["model.pt", "serve.py"], script="serve.py")
    assert found.problems == ()
    assert "code/serve.py" in found.files
    assert found.environment == SCRIPT_VARIABLES
    (problem,) = layout("sklearn", ["model.joblib"], script="serve.py").problems
    assert problem == "has no serve.py, which SAGEMAKER_PROGRAM names"


def test_an_archive_that_needs_nothing_is_known_as_such():
    assert layout("xgboost", ["xgboost-model"]).is_as_given
    assert not layout("sklearn", ["model.joblib"]).is_as_given
    assert not layout("pytorch", ["model.pt", "inference.py"]).is_as_given


class Doubler:
    def predict(self, rows):
        return rows[:, 0] * 2


class Lengths:
    def transform(self, rows):
        return np.array([[len(row[0]), row[1]] for row in rows])


@pytest.mark.parametrize(
    ("model", "body", "content_type", "accept", "answer"),
    [
        (Doubler(), "1,2\n3,4", "text/csv", "text/csv", "2.0\n6.0"),
        (Doubler(), '{"instances": [[1.5, 2]]}', "application/json", "", "[3.0]"),
        (Doubler(), b"4,0", "text/csv; charset=utf-8", "application/json", "[8.0]"),
        (Lengths(), "ford,3.5", "text/csv", "text/csv", "4.0,3.5"),
        (Lengths(), '["audi", 1]', "application/json", "application/json", "[[4.0, 1.0]]"),
    ],
)
def test_the_default_script_answers_csv_and_json(model, body, content_type, accept, answer):
    rows = default_inference.input_fn(body, content_type)
    assert default_inference.output_fn(default_inference.predict_fn(rows, model), accept)[0] == answer


def test_the_default_script_refuses_what_it_can_not_read():
    with pytest.raises(ValueError, match="send text/csv, application/json or application/x-npy, not image/png"):
        default_inference.input_fn(b"", "image/png")
