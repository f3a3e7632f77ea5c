"""The trained samples, kept in the user's cache: training takes seconds, and every sandbox needs the same ones."""

import fcntl
import hashlib
import importlib.metadata
import json
import os
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path

from sandbox.samples.sample import Sample

_LIBRARIES = ("numpy", "scikit-learn", "xgboost-cpu")


def cache_folder(environment: Mapping[str, str] = os.environ) -> Path:
    """Give the folder of the samples in the user's cache."""
    home = environment.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return Path(home) / "hostfit" / "samples"


def samples(cache: Path, train: Callable[[], list[Sample]]) -> list[Sample]:
    """Give the samples, trained now unless the same code and libraries have trained them before."""
    cache.mkdir(parents=True, exist_ok=True)
    folder = cache / _digest()
    with (cache / "lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # whoever comes second waits and finds them
        if not (folder / "index.json").is_file():
            _keep(folder, train())
    return [
        Sample(**facts, archive=(folder / str(number)).read_bytes())
        for number, facts in enumerate(json.loads((folder / "index.json").read_text("utf-8")))
    ]


def _keep(folder: Path, trained: list[Sample]) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    for number, sample in enumerate(trained):
        (folder / str(number)).write_bytes(sample.archive)
    index = folder / "index.draft"
    index.write_text(json.dumps([sample.facts for sample in trained]), "utf-8")
    index.rename(folder / "index.json")


def _digest() -> str:
    """Name the code that trains and the libraries that it trains with."""
    digest = hashlib.sha256()
    for file in sorted(Path(__file__).parent.glob("*.py")):
        digest.update(file.read_bytes())
    for name in _LIBRARIES:
        digest.update(importlib.metadata.version(name).encode())
    return digest.hexdigest()[:16]
