"""The columns of a recording, as they come out of a file, and what wrong ones are called."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NoReturn

import numpy as np
from numpy.typing import NDArray

from fitness import document
from fitness.errors import InputError, Problem

TIMESTAMP, COUNT, MODEL = "timestamp", "count", "model"
WANTED = "must have a header `timestamp[,count][,model]` or `count`"
MAX_ROWS = 10_000_000
MAX_MODELS = 100_000
MAX_PROBLEMS = 20
YEARS = range(1971, 5000)  # of a date; others are slips, and their zones could leave the calendar
LARGEST_NUMBER = 1e20  # of a timestamp: nanoseconds since 1970 end in the year 5138
TIME_WANTED = (
    "a timestamp must be ISO 8601, from 1971 on, or a number of seconds, milliseconds, microseconds or nanoseconds"
)
COUNT_WANTED = "a count must be a number >= 0"
MODEL_WANTED = "must name the model in every row"

Numbers = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Columns:
    """What a file holds, row by row.

    Shape: every array is (rows,).
    """

    times: Numbers | NDArray[np.int64] | None  # None: the rows are minutes in a row
    unit_s: float | None  # of `times`; None: a number whose unit nobody has said yet
    naive: int  # dates without a time zone
    zones: tuple[str, ...]  # offsets from UTC, where they differ
    counts: Numbers | None  # None: one request each
    models: NDArray[np.int32] | None  # index into `names`
    names: tuple[str, ...]
    ignored: tuple[str, ...]  # names of columns that were not read


def chosen(header: Sequence[str], named: Mapping[str, str] | None, name: str) -> dict[str, int]:
    """Give the position of each column that is read, by what it is.

    `named` says which of the file's columns is which, where they have other names.
    Raises: InputError for a header that is not one of a recording.
    """
    found = [column.strip().lower() for column in header]
    wanted = {kind: kind for kind in (TIMESTAMP, COUNT, MODEL)}
    if named is not None:
        unknown = sorted(set(named) - set(wanted))
        if unknown:
            refuse(name, f"columns are {TIMESTAMP}, {COUNT} and {MODEL}, got {document.shown(unknown[0])}")
        wanted = {kind: column.strip().lower() for kind, column in named.items()}
        missing = sorted(column for column in wanted.values() if column not in found)
        if missing:
            refuse(name, f"has no column {document.shown(missing[0])}")
    twice = [column for column in wanted.values() if found.count(column) > 1]
    positions = {kind: found.index(column) for kind, column in wanted.items() if column in found}
    if named is None and any(found.count(column) > 1 for column in found):
        twice = found
    shown = document.shown(",".join(header))
    if twice or not positions.keys() & {TIMESTAMP, COUNT}:
        refuse(name, f"{WANTED}, got {shown}")
    if MODEL in positions and TIMESTAMP not in positions:
        refuse(name, f"must have a column `{TIMESTAMP}` where it has a column `{MODEL}`, got {shown}")
    return positions


class Names:
    """Models by name, numbered in the order in which they come."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._index: dict[str, int] = {}

    def index(self, model: str) -> int:
        """Give the number of a model.

        Raises: InputError when there are too many.
        """
        found = self._index.setdefault(model, len(self._index))
        if found >= MAX_MODELS:
            refuse(self._name, f"must have at most {MAX_MODELS:,} models")
        return found

    @property
    def names(self) -> tuple[str, ...]:
        """The models so far."""
        return tuple(self._index)


class Problems:
    """Wrong rows, up to so many that more say nothing new."""

    def __init__(self, name: str, unit: str) -> None:
        self._name = name
        self._unit = unit  # line or row
        self._found: list[Problem] = []

    def add(self, number: int | None, message: str) -> None:
        """Note a wrong row, or a fault of the whole file.

        Raises: InputError when there are enough.
        """
        path = self._name if number is None else f"{self._name}, {self._unit} {number}"
        self._found.append(Problem(path=path, message=message))
        if len(self._found) >= MAX_PROBLEMS:
            self._found.append(Problem(path=self._name, message="later rows were not checked"))
            raise InputError(self._found)

    def check(self) -> None:
        """Raise InputError if there is one."""
        if self._found:
            raise InputError(self._found)

    def __bool__(self) -> bool:
        return bool(self._found)


def refuse(name: str, message: str) -> NoReturn:
    """Raise InputError for the whole file."""
    raise InputError([Problem(path=name, message=message)])


def too_many_rows(name: str) -> NoReturn:
    """Raise InputError for a file with more rows than are read."""
    refuse(name, f"must have at most {MAX_ROWS:,} rows")
