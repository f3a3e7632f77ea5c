"""Workloads that people recognise, with complete and realistic numbers, to start from.

They are ordinary workload files in data/presets; index.csv gives their order and titles.
"""

import csv
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from fitness import document, workload_file
from fitness.errors import InputError, Problem
from fitness.workload import Workload

_FOLDER = Path(__file__).with_name("data") / "presets"


@dataclass(frozen=True, slots=True, kw_only=True)
class Preset:
    """One recognisable workload."""

    id: str  # also the name of the workload and of its file
    title: str
    who: str  # whose workload it is, in a line
    summary: str  # one sentence, the description in its file

    @property
    def path(self) -> str:
        """The file's path below the package."""
        return f"data/presets/{self.id}.yaml"


def load(preset_id: str) -> Workload:
    """Give the workload of a preset.

    Raises: InputError for an id that no preset has.

    >>> load("card-fraud").request.processing_ms
    20
    """
    if preset_id not in {preset.id for preset in PRESETS}:
        known = ", ".join(sorted(preset.id for preset in PRESETS))
        message = f"must be one of {known}, got {document.shown(preset_id)}"
        raise InputError([Problem(path="preset", message=message)])
    return _read(preset_id)


@cache
def _read(preset_id: str) -> Workload:
    return workload_file.read((_FOLDER / f"{preset_id}.yaml").read_bytes())


def _index() -> tuple[Preset, ...]:
    with (_FOLDER / "index.csv").open(encoding="utf-8", newline="") as lines:
        return tuple(Preset(**row) for row in csv.DictReader(lines))


PRESETS: tuple[Preset, ...] = _index()
