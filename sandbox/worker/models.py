"""Models as the servers of SageMaker's images serve them: scikit-learn, XGBoost, ONNX Runtime, a user's script."""

import importlib
import json
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from sandbox.worker import payload
from sandbox.worker.script import Script, script_path


@dataclass(frozen=True, slots=True, kw_only=True)
class Served:
    """An answer of a model: its body, whole or in parts, and its content type."""

    body: bytes | Iterable[bytes]
    content_type: str


class Model(Protocol):
    """A loaded model."""

    quick: bool  # answers at once: it may be asked in the event loop

    def serve(self, body: bytes, content_type: str, accept: str, headers: Mapping[str, str]) -> Served:
        """Answer one request. Raises: payload.Refused."""


class NoModel(Exception):
    """The folder holds nothing that this server can load."""


def load(folder: Path, framework: str, program: str) -> Model:
    """Load what an unpacked model.tar.gz holds: its script if it has one, else by framework.

    Raises: NoModel. What a library raises while it loads a damaged file is not caught.
    """
    script = script_path(folder, program)
    if script is not None:
        return ScriptModel(Script(script, folder, default_model(framework, folder)))
    return default_model(framework, folder)()


def default_model(framework: str, folder: Path) -> Callable[[], Model]:
    """Give what loads the folder's model without a script."""

    def load_default() -> Model:
        for name, (patterns, kind) in _KINDS.items():
            if framework and framework != name:
                continue
            for pattern in patterns:
                for file in sorted(folder.glob(pattern)):
                    found: Model = kind(file)
                    return found
        wanted = {name: patterns for name, (patterns, _) in _KINDS.items() if not framework or framework == name}
        expected = ", ".join(pattern for patterns in wanted.values() for pattern in patterns)
        held = ", ".join(sorted(path.name for path in folder.iterdir())) or "nothing"
        raise NoModel(f"no model in the archive: expected {expected} or code/inference.py, found {held}")

    return load_default


@contextmanager
def _left_out(*modules: str) -> Iterator[None]:
    """Let a library be imported without the optional ones that take most of its start.

    They can be imported afterwards, should a pickled model need them.
    """
    hidden = [name for name in modules if name not in sys.modules]
    sys.modules.update(dict.fromkeys(hidden))  # type: ignore[arg-type]  # None is how Python says absent
    try:
        yield
    finally:
        for name in hidden:
            del sys.modules[name]


def _accept(accept: str) -> str:
    if payload.media_type(accept) in {"", payload.ANY}:
        return os.environ.get("SAGEMAKER_DEFAULT_INVOCATIONS_ACCEPT", "")
    return accept


class ScikitLearn:
    """A pickled estimator: its predictions, or what it transforms if it is a step before a model."""

    quick = True

    def __init__(self, file: Path) -> None:
        import joblib  # noqa: PLC0415 (each framework costs 100 MB; a worker has one)

        with _left_out("pandas"):
            importlib.import_module("sklearn")
        self.estimator = joblib.load(file)
        self._answer = getattr(self.estimator, "predict", None) or self.estimator.transform

    def serve(self, body: bytes, content_type: str, accept: str, headers: Mapping[str, str]) -> Served:
        """Answer with a JSON list unless another type is accepted."""
        del headers
        rows = payload.decode(body, content_type)
        try:
            answer = self._answer(rows)
        except ValueError as err:  # the wrong number of columns
            raise payload.Refused(400, str(err)) from err
        written, kind = payload.encode(answer, _accept(accept))
        return Served(body=written, content_type=kind)


class XGBoost:
    """A booster; answers as the built-in algorithm's container does."""

    quick = True

    def __init__(self, file: Path) -> None:
        with _left_out("pandas", "sklearn"):
            xgboost = importlib.import_module("xgboost")
        self.booster = xgboost.Booster()
        self.booster.load_model(file)
        self.booster.set_param({"nthread": 1})
        self._separator = "\n" if os.environ.get("SAGEMAKER_BATCH") else ","

    def serve(self, body: bytes, content_type: str, accept: str, headers: Mapping[str, str]) -> Served:
        """Answer with CSV of scores unless JSON is accepted."""
        del headers
        rows = payload.decode(body, content_type)
        if rows.dtype == object:
            raise payload.Refused(400, "XGBoost takes numbers, and a column has text")
        wanted = self.booster.num_features()
        if rows.shape[1] != wanted:
            raise payload.Refused(400, f"Feature shape mismatch, expected: {wanted}, got: {rows.shape[1]}")
        scores = self.booster.inplace_predict(rows).tolist()
        kind = payload.media_type(_accept(accept))
        if kind == payload.JSON:
            document = ", ".join(f'{{"score": {score}}}' for score in scores)
            return Served(body=f'{{"predictions": [{document}]}}'.encode(), content_type=payload.JSON)
        if kind in {"", payload.ANY, payload.CSV}:
            body = self._separator.join(map(str, scores)).encode()
            return Served(body=body, content_type=f"{payload.CSV}; charset=utf-8")
        written, kind = payload.encode(scores, kind)
        return Served(body=written, content_type=kind)


class Onnx:
    """An ONNX graph with one input; answers with each of its outputs by name."""

    quick = True

    def __init__(self, file: Path) -> None:
        import onnxruntime  # noqa: PLC0415

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        self._session = onnxruntime.InferenceSession(file, options, providers=["CPUExecutionProvider"])
        self._input = self._session.get_inputs()[0]
        self._outputs = [output.name for output in self._session.get_outputs()]

    def serve(self, body: bytes, content_type: str, accept: str, headers: Mapping[str, str]) -> Served:
        """Answer with a JSON document of all outputs, or with CSV or NPY of the first."""
        del headers
        rows = payload.decode(body, content_type)
        if rows.dtype == object:
            raise payload.Refused(400, "the graph takes numbers, and a column has text")
        kind = np.int64 if "int64" in self._input.type else np.float32
        try:
            found = self._session.run(self._outputs, {self._input.name: rows.astype(kind)})
        except Exception as err:  # onnxruntime's errors have no public root besides Exception
            raise payload.Refused(400, f"the graph refused the input: {err}") from err
        if payload.media_type(_accept(accept)) in {"", payload.ANY, payload.JSON}:
            document = {name: value.tolist() for name, value in zip(self._outputs, found, strict=True)}
            return Served(body=json.dumps(document).encode(), content_type=payload.JSON)
        written, content = payload.encode(found[0], _accept(accept))
        return Served(body=written, content_type=content)


class ScriptModel:
    """A user's inference.py."""

    quick = False

    def __init__(self, script: Script) -> None:
        self._script = script

    def serve(self, body: bytes, content_type: str, accept: str, headers: Mapping[str, str]) -> Served:
        """Answer with what the script's functions make of the request."""
        content, kind = self._script.transform(body, content_type, _accept(accept), headers)
        return Served(body=content, content_type=kind)


_KINDS: dict[str, tuple[tuple[str, ...], type[Any]]] = {
    "xgboost": (("xgboost-model", "*.ubj", "*.model", "model.json", "*.xgb"), XGBoost),
    "onnx": (("*.onnx", "*/*.onnx", "*/1/*.onnx"), Onnx),
    "sklearn": (("*.joblib", "*.pkl", "*.pickle"), ScikitLearn),
}
