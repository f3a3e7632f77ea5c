"""A user's inference.py with the functions of SageMaker's inference toolkits."""

import importlib.util
import inspect
import json
import sys
import uuid
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from sandbox.worker import payload

_DEFAULT_PROGRAM = "inference.py"


def script_path(folder: Path, program: str) -> Path | None:
    """Find the script of an unpacked archive: SAGEMAKER_PROGRAM or inference.py, in code/ or beside the model."""
    name = program or _DEFAULT_PROGRAM
    for candidate in (folder / "code" / name, folder / name):
        if candidate.is_file():
            return candidate
    return None


class Script:
    """The functions of a script: model_fn and either transform_fn or input_fn, predict_fn and output_fn.

    A function that is not there has the toolkits' default: arrays in and out, and `predict` in between.
    """

    def __init__(self, path: Path, model_folder: Path, default_model: Callable[[], Any]) -> None:
        module = _load(path)
        self._functions = {name: _adapted(getattr(module, name, None)) for name in _ARGUMENTS}
        model_fn = self._functions["model_fn"]
        self._model = model_fn(str(model_folder), None) if model_fn else default_model()

    def transform(
        self, body: bytes, content_type: str, accept: str, headers: Mapping[str, str]
    ) -> tuple[bytes | Iterable[bytes], str]:
        """Answer one request: the body, whole or in parts, and its content type."""
        content: Any = body.decode() if _is_text(content_type) else body
        context = {"request_headers": dict(headers)}
        transform_fn, input_fn, predict_fn, output_fn = (
            self._functions[name] for name in ("transform_fn", "input_fn", "predict_fn", "output_fn")
        )
        if transform_fn:
            answer = transform_fn(self._model, content, content_type, accept, context)
        else:
            data = input_fn(content, content_type, context) if input_fn else payload.decode(body, content_type)
            found = predict_fn(data, self._model, context) if predict_fn else self._predict(data)
            answer = output_fn(found, accept, context) if output_fn else _written(found, accept)
        if isinstance(answer, tuple):
            answer, accept = answer
        return _as_body(answer), _content_type(accept)

    def _predict(self, data: Any) -> Any:
        estimator = getattr(self._model, "estimator", self._model)
        return estimator.predict(data)


# The longest form of each function; toolkits differ in whether they pass the context.
_ARGUMENTS = {"model_fn": 2, "input_fn": 3, "predict_fn": 3, "output_fn": 3, "transform_fn": 5}


def _load(path: Path) -> Any:
    sys.path.insert(0, str(path.parent))
    spec = importlib.util.spec_from_file_location(f"inference_{uuid.uuid4().hex}", path)
    assert spec is not None  # noqa: S101 (the path ends in .py)
    assert spec.loader is not None  # noqa: S101
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _adapted(function: Any) -> Callable[..., Any] | None:
    """Let a function be called with the longest form, whether it takes the context or not."""
    if function is None:
        return None
    parameters = inspect.signature(function).parameters.values()
    if any(parameter.kind is parameter.VAR_POSITIONAL for parameter in parameters):
        return function  # type: ignore[no-any-return]
    taken = sum(
        parameter.kind in {parameter.POSITIONAL_ONLY, parameter.POSITIONAL_OR_KEYWORD} for parameter in parameters
    )
    return lambda *arguments: function(*arguments[:taken])


def _is_text(content_type: str) -> bool:
    kind = payload.media_type(content_type)
    return kind.startswith("text/") or kind == payload.JSON


def _written(found: Any, accept: str) -> Any:
    if isinstance(found, bytes | str) or inspect.isgenerator(found):
        return found
    return payload.encode(found, accept)


def _as_body(answer: Any) -> bytes | Iterable[bytes]:
    if isinstance(answer, bytes | bytearray):
        return bytes(answer)
    if isinstance(answer, str):
        return answer.encode()
    if inspect.isgenerator(answer):
        return (part if isinstance(part, bytes) else str(part).encode() for part in answer)
    return json.dumps(answer.tolist() if hasattr(answer, "tolist") else answer).encode()


def _content_type(accept: str) -> str:
    return payload.JSON if payload.media_type(accept) in {"", payload.ANY} else accept
