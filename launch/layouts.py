"""How the files of a model have to lie in model.tar.gz for the image that serves it.

Pure: from the names of the files to where each belongs, what is added, and what is missing.
Source: docs/launch/models.md#layouts.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

SCRIPT = "code/inference.py"
# The inference toolkits' variables: which script, and where the image finds it.
SCRIPT_VARIABLES = {"SAGEMAKER_PROGRAM": "inference.py", "SAGEMAKER_SUBMIT_DIRECTORY": "/opt/ml/model/code"}
ESTIMATORS = (".joblib", ".pkl", ".pickle")
BOOSTERS = (".ubj", ".json", ".model", ".xgb", ".bin", ".pkl")
_DEFAULT_SCRIPT = Path(__file__).with_name("default_inference.py")
_BESIDE_SCRIPT = ("requirements.txt",)


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """What an archive holds: files by their place in it, files that are added, variables of the container."""

    files: Mapping[str, str]  # place in the archive -> name of the file that was given
    added: Mapping[str, bytes] = field(default_factory=dict)
    environment: Mapping[str, str] = field(default_factory=dict)
    problems: tuple[str, ...] = ()  # each completes "the folder ..."

    @property
    def is_as_given(self) -> bool:
        """Whether nothing moves and nothing is added."""
        return not self.added and all(place == name for place, name in self.files.items())


def layout(framework: str | None, names: Sequence[str], *, script: str | None = None) -> Layout:
    """Lay files out for a framework's image; without a framework, for an image of the caller's, they stay as they are.

    Shape: `names` are paths within the folder, with "/". `script` is the one that the caller names by
    SAGEMAKER_PROGRAM; else it is inference.py.
    """
    if not names:
        return Layout(files={}, problems=("is empty",))
    if framework is None:
        return Layout(files={name: name for name in names})
    if framework == "tensorflow":
        return _tensorflow(names)
    files = _with_code_folder(names)
    models = [place for place in files if not place.startswith("code/")]
    wanted = f"code/{script}" if script else SCRIPT
    has_script = wanted in files
    problems = [] if models or not has_script else ["has a script and no model file beside it"]
    added: dict[str, bytes] = {}
    if script and not has_script:
        problems.append(f"has no {script}, which SAGEMAKER_PROGRAM names")
    elif not has_script:
        problems += _BY_FRAMEWORK[framework](models)
        if framework in {"sklearn", "onnx"} and not problems:
            added[SCRIPT] = _DEFAULT_SCRIPT.read_bytes()
            if framework == "onnx" and "code/requirements.txt" not in files:
                added["code/requirements.txt"] = b"onnxruntime\n"
    return Layout(
        files=files,
        added=added,
        environment=SCRIPT_VARIABLES if has_script or added else {},
        problems=tuple(problems),
    )


def _with_code_folder(names: Sequence[str]) -> dict[str, str]:
    """Scripts at the top, and what they need, go into code/, where the images look for them."""
    files = {}
    for name in names:
        belongs = "/" not in name and (name.endswith(".py") or name in _BESIDE_SCRIPT)
        place = f"code/{name}" if belongs and f"code/{name}" not in names else name
        files[place] = name
    return files


def _at_top(names: Sequence[str], endings: tuple[str, ...]) -> list[str]:
    return [name for name in names if "/" not in name and name.endswith(endings)]


def _one_of(names: Sequence[str], endings: tuple[str, ...], what: str) -> list[str]:
    """The problem of a folder that has none or several of a kind of file, and no script that chooses."""
    found = _at_top(names, endings)
    patterns = ", ".join(f"*{ending}" for ending in endings)
    if not found:
        return [f"has no {what} ({patterns}) at its top and no inference.py; found {_listed(names)}"]
    if len(found) > 1:
        return [f"has several files that may be the {what} ({_listed(found)}) and no inference.py that chooses"]
    return []


def _sklearn(names: Sequence[str]) -> list[str]:
    return _one_of(names, ESTIMATORS, "estimator")


def _onnx(names: Sequence[str]) -> list[str]:
    return _one_of(names, (".onnx",), "graph")


def _xgboost(names: Sequence[str]) -> list[str]:
    return [] if "xgboost-model" in names else _one_of(names, BOOSTERS, "booster")


def _pytorch(names: Sequence[str]) -> list[str]:
    problems = [
        "has no inference.py: the PyTorch image serves a model by a script with model_fn (docs/launch/models.md)"
    ]
    return problems if names else [*problems, "has no model file"]


def _huggingface(names: Sequence[str]) -> list[str]:
    problems = [] if "config.json" in names else ["has no config.json at its top"]
    if not any(name.endswith((".safetensors", ".bin", ".onnx")) for name in names):
        problems.append("has no weights (*.safetensors, *.bin)")
    return problems


def _tensorflow(names: Sequence[str]) -> Layout:
    """A SavedModel in a folder with its version's number; one at the top becomes version 1."""
    saved = [
        PurePosixPath(name) for name in names if PurePosixPath(name).name in {"saved_model.pb", "saved_model.pbtxt"}
    ]
    if any(path.parent.name.isdigit() for path in saved):
        return Layout(files={name: name for name in names})
    if any(path.parent == PurePosixPath() for path in saved):
        inside = ("saved_model.", "keras_metadata", "fingerprint.", "variables/", "assets/", "assets.extra/")
        return Layout(files={f"1/{name}" if name.startswith(inside) else name: name for name in names})
    return Layout(
        files={name: name for name in names},
        problems=(f"has no SavedModel (saved_model.pb at its top or in a folder like 1/); found {_listed(names)}",),
    )


def _listed(names: Sequence[str]) -> str:
    shown = ", ".join(sorted(names)[:6])
    return f"{shown} and {len(names) - 6} more" if len(names) > 6 else shown or "nothing"


_BY_FRAMEWORK = {
    "sklearn": _sklearn,
    "onnx": _onnx,
    "xgboost": _xgboost,
    "pytorch": _pytorch,
    "huggingface": _huggingface,
}
