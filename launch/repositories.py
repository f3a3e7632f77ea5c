"""The files of models as a Triton repository: each in its place, with the configurations that are missing."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from launch.triton_repository import (
    BACKENDS,
    DEFAULT_MODEL_VARIABLE,
    ENSEMBLE,
    NAME,
    Batching,
    Step,
    ensemble_config,
    graph_of,
    model_config,
)

CONFIG = "config.pbtxt"


@dataclass(frozen=True, slots=True, kw_only=True)
class Repository:
    """A repository's files by their place, and the model that callers reach."""

    files: Mapping[str, Path | bytes]
    default_model: str
    problems: tuple[str, ...] = ()  # each completes "the folder ..."

    @property
    def environment(self) -> dict[str, str]:
        """What tells the server which model to load."""
        return {DEFAULT_MODEL_VARIABLE: self.default_model}


def repository(given: Mapping[str, Path], batching: Batching) -> Repository:
    """Make a repository of files: a repository as it is, folders of models, or graphs at the top.

    A config.pbtxt that is there is kept; one that is missing is written for ONNX graphs. Several models without an
    ensemble are chained in the order of their names.
    """
    files: dict[str, Path | bytes] = {_place(name): path for name, path in sorted(given.items())}
    models = dict.fromkeys(PurePosixPath(place).parts[0] for place in files if "/" in place)
    problems = [f"has the model {name}: letters, digits, - and _ alone" for name in models if not NAME.fullmatch(name)]
    if not models:
        kinds = ", ".join(f"*{ending}" for ending in BACKENDS)
        return Repository(files=files, default_model="", problems=(f"has no model for Triton ({kinds})",))
    steps: list[Step] = []
    unknown = []
    for name in models:
        graph = next((path for path in _versions(files, name) if str(path).endswith(".onnx")), None)
        if graph is None:
            unknown.append(name)
            if f"{name}/{CONFIG}" not in files:
                problems.append(f"has the model {name} without {CONFIG}, which is written for ONNX graphs alone")
            continue
        try:
            step = graph_of(name, graph)
        except ValueError as err:
            problems.append(f"has the model {name}, which {err}")
            continue
        steps.append(step)
        files.setdefault(f"{name}/{CONFIG}", model_config(step, batching).encode())
    if problems:
        return Repository(files=files, default_model=next(iter(models)), problems=tuple(problems))
    return _with_ensemble(files, list(models), steps, unknown, batching)


def _with_ensemble(
    files: dict[str, Path | bytes], models: list[str], steps: list[Step], unknown: list[str], batching: Batching
) -> Repository:
    own = [name for name in unknown if _is_ensemble(files[f"{name}/{CONFIG}"])]
    if len(models) == 1 or len(own) == 1:
        default = own[0] if own else models[0]
        if own and not any(place.startswith(f"{default}/1/") for place in files):
            files[f"{default}/1/keep"] = b""  # Triton wants a version's folder, and an archive keeps no empty one
        return Repository(files=files, default_model=default)
    if unknown:
        message = f"has several models and no ensemble; the graph of {', '.join(unknown)} can't be read, so write one"
        return Repository(files=files, default_model=models[0], problems=(message,))
    try:
        config = ensemble_config(steps, batching)
    except ValueError as err:
        return Repository(files=files, default_model=ENSEMBLE, problems=(f"has models that make no chain: {err}",))
    files |= {f"{ENSEMBLE}/{CONFIG}": config.encode(), f"{ENSEMBLE}/1/keep": b""}
    return Repository(files=files, default_model=ENSEMBLE)


def _place(name: str) -> str:
    """Where a file belongs: `x.onnx` and `x/model.onnx` in x/1/."""
    path = PurePosixPath(name)
    if path.suffix not in BACKENDS or len(path.parts) > 2:
        return name
    model = path.stem if len(path.parts) == 1 else path.parts[0]
    return f"{model}/1/{BACKENDS[path.suffix][1]}"


def _versions(files: Mapping[str, Path | bytes], model: str) -> list[Path]:
    """The files of a model's versions, the newest version first."""
    parts = {PurePosixPath(place).parts: path for place, path in files.items() if isinstance(path, Path)}
    found = [(int(at[1]), path) for at, path in parts.items() if len(at) == 3 and at[0] == model and at[1].isdigit()]
    return [path for _, path in sorted(found, key=lambda one: -one[0])]


def _is_ensemble(config: Path | bytes) -> bool:
    text = config.decode("utf-8", "replace") if isinstance(config, bytes) else config.read_text("utf-8", "replace")
    return '"ensemble"' in text
