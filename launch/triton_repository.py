"""A model repository for Triton: a folder for each model with its config.pbtxt, and one for the ensemble of them.

Pure but for reading a graph's tensors. Source: docs/launch/models.md#triton (layout and fields).
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

ENSEMBLE = "ensemble"
DEFAULT_MODEL_VARIABLE = "SAGEMAKER_TRITON_DEFAULT_MODEL_NAME"
NAME = re.compile(r"[A-Za-z0-9_-]{1,63}")
# The file that each backend loads from a version's folder, by its ending.
# Source: Triton Inference Server user guide, "Model Repository", read 2026-11-21.
BACKENDS = {
    ".onnx": ("onnxruntime", "model.onnx"),
    ".plan": ("tensorrt", "model.plan"),
    ".pt": ("pytorch", "model.pt"),
    ".py": ("python", "model.py"),
}
# Names of ONNX Runtime's types, and Triton's. Source: the same guide, "Model Configuration", "Datatypes".
_TYPES = {
    "tensor(float)": "TYPE_FP32",
    "tensor(double)": "TYPE_FP64",
    "tensor(float16)": "TYPE_FP16",
    "tensor(int64)": "TYPE_INT64",
    "tensor(int32)": "TYPE_INT32",
    "tensor(int8)": "TYPE_INT8",
    "tensor(uint8)": "TYPE_UINT8",
    "tensor(bool)": "TYPE_BOOL",
    "tensor(string)": "TYPE_STRING",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Tensor:
    """An input or output; without the dimension of the batch, -1 where a size varies."""

    name: str
    data_type: str
    dims: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One model of the repository."""

    name: str
    backend: str
    inputs: tuple[Tensor, ...]
    outputs: tuple[Tensor, ...]
    takes_batches: bool  # the first dimension of every tensor is that of the batch


@dataclass(frozen=True, slots=True, kw_only=True)
class Batching:
    """How requests are gathered, by the settings of a configuration."""

    max_batch_size: int = 1
    max_queue_delay_ms: float = 0.0

    @classmethod
    def of(cls, configuration: Mapping[str, object]) -> "Batching":
        """Read the settings; absent ones mean no batching."""
        size, delay_ms = configuration.get("max_batch_size"), configuration.get("max_queue_delay_ms")
        return cls(
            max_batch_size=size if isinstance(size, int) else 1,
            max_queue_delay_ms=float(delay_ms) if isinstance(delay_ms, (int, float)) else 0.0,
        )


def graph_of(name: str, file: Path) -> Step:
    """Read the tensors of an ONNX graph.

    Raises: ValueError for a graph that can't be loaded, or a tensor of a type that Triton does not have.
    """
    import onnxruntime  # noqa: PLC0415 (50 MB, for Triton alone)

    try:
        session = onnxruntime.InferenceSession(file, providers=["CPUExecutionProvider"])
    except Exception as err:  # onnxruntime's errors have no public root besides Exception
        message = f"is not a readable ONNX graph: {err}"
        raise ValueError(message) from err
    inputs, outputs = session.get_inputs(), session.get_outputs()
    takes_batches = all(one.shape and not isinstance(one.shape[0], int) for one in [*inputs, *outputs])
    return Step(
        name=name,
        backend="onnxruntime",
        inputs=tuple(_tensor(one.name, one.type, one.shape, takes_batches=takes_batches) for one in inputs),
        outputs=tuple(_tensor(one.name, one.type, one.shape, takes_batches=takes_batches) for one in outputs),
        takes_batches=takes_batches,
    )


def model_config(step: Step, batching: Batching) -> str:
    """Give the config.pbtxt of one model."""
    gathers = step.takes_batches and batching.max_batch_size > 1
    lines = [
        f'name: "{step.name}"',
        f'backend: "{step.backend}"',
        # 0 is a model whose tensors have no dimension for the batch.
        f"max_batch_size: {batching.max_batch_size if step.takes_batches else 0}",
        *_tensors("input", step.inputs),
        *_tensors("output", step.outputs),
    ]
    if gathers:
        delay_us = round(batching.max_queue_delay_ms * 1000)
        lines += ["dynamic_batching {", f"  max_queue_delay_microseconds: {delay_us}", "}"]
    return "\n".join(lines) + "\n"


def ensemble_config(steps: Sequence[Step], batching: Batching) -> str:
    """Give the config.pbtxt of the ensemble: each step takes its inputs from the request or from steps before it.

    A tensor is found by its name; a step whose only input nobody before it makes takes the only output of the step
    before, if type and dimensions agree. What no later step takes is the ensemble's output.
    Raises: ValueError naming the steps that do not fit together.
    """
    problems = [f"step {step.name} takes no batches" for step in steps if not step.takes_batches]
    if problems and len(problems) == len(steps):
        problems = []
    asked: dict[str, Tensor] = {}  # inputs of the ensemble
    made: dict[str, Tensor] = {}  # tensors within it, by the name that they have there
    taken: set[str] = set()
    parts: list[str] = []
    before: Step | None = None
    for step in steps:
        inputs = {}
        for tensor in step.inputs:
            source = _source(tensor, step, before, made | asked)
            if source is None:
                if tensor.name in made | asked or (before is not None and len(step.inputs) == 1):
                    problems.append(_unfit(step, before or step))
                source = asked.setdefault(tensor.name, tensor).name
            taken.add(source)
            inputs[tensor.name] = source
        outputs = {}
        for tensor in step.outputs:
            name = tensor.name if tensor.name not in made | asked else f"{step.name}.{tensor.name}"
            made[name] = tensor
            outputs[tensor.name] = name
        parts.append(_step(step.name, inputs, outputs))
        before = step
    if problems:
        raise ValueError("; ".join(dict.fromkeys(problems)))
    results = [_named(name, tensor) for name, tensor in made.items() if name not in taken]
    batch = batching.max_batch_size if all(step.takes_batches for step in steps) else 0
    return "\n".join(
        [
            f'name: "{ENSEMBLE}"',
            'platform: "ensemble"',
            f"max_batch_size: {batch}",
            *_tensors("input", tuple(asked.values())),
            *_tensors("output", tuple(results)),
            "ensemble_scheduling {",
            "  step [",
            ",\n".join(parts),
            "  ]",
            "}",
            "",
        ]
    )


def _source(tensor: Tensor, step: Step, before: Step | None, there: Mapping[str, Tensor]) -> str | None:
    """The name within the ensemble of what feeds an input; None: nothing yet."""
    if tensor.name in there and _agree(there[tensor.name], tensor):
        return tensor.name
    if before is None or len(step.inputs) != 1:
        return None
    fitting = [name for name, one in there.items() if one in before.outputs and _agree(one, tensor)]
    return fitting[-1] if len(fitting) == 1 else None


def _agree(one: Tensor, other: Tensor) -> bool:
    alike = one.data_type == other.data_type and len(one.dims) == len(other.dims)
    return alike and all(a == b or -1 in (a, b) for a, b in zip(one.dims, other.dims, strict=True))


def _unfit(step: Step, before: Step) -> str:
    wants = ", ".join(f"{one.name} {one.data_type}{list(one.dims)}" for one in step.inputs)
    gives = ", ".join(f"{one.name} {one.data_type}{list(one.dims)}" for one in before.outputs)
    return f"step {step.name} takes {wants}, and {before.name} before it gives {gives}"


def _tensor(name: str, kind: str, shape: Sequence[object], *, takes_batches: bool) -> Tensor:
    if kind not in _TYPES:
        message = f"has the tensor {name} of type {kind}, which Triton does not have"
        raise ValueError(message)
    dims = tuple(size if isinstance(size, int) else -1 for size in (shape[1:] if takes_batches else shape))
    return Tensor(name=name, data_type=_TYPES[kind], dims=dims or (1,))


def _named(name: str, tensor: Tensor) -> Tensor:
    return Tensor(name=name, data_type=tensor.data_type, dims=tensor.dims)


def _tensors(what: str, tensors: Sequence[Tensor]) -> list[str]:
    entries = [
        f'  {{ name: "{one.name}" data_type: {one.data_type} dims: [ {", ".join(map(str, one.dims))} ] }}'
        for one in tensors
    ]
    return [f"{what} [", ",\n".join(entries), "]"]


def _step(name: str, inputs: Mapping[str, str], outputs: Mapping[str, str]) -> str:
    maps = [
        f'      {what} {{ key: "{key}" value: "{value}" }}'
        for what, pairs in (("input_map", inputs), ("output_map", outputs))
        for key, value in pairs.items()
    ]
    return "\n".join(["    {", f'      model_name: "{name}"', "      model_version: -1", *maps, "    }"])
