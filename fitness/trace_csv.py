"""Recordings in CSV: fast where every row is as it should be, else row by row with the reason for each wrong one.

Both ways give the same columns; a test compares them.
"""

import csv
import io
import math
import re
from array import array
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fitness import document
from fitness.trace_columns import (
    COUNT,
    COUNT_WANTED,
    LARGEST_NUMBER,
    MAX_ROWS,
    MODEL,
    MODEL_WANTED,
    TIME_WANTED,
    TIMESTAMP,
    YEARS,
    Columns,
    Names,
    Problems,
    chosen,
    refuse,
    too_many_rows,
)

BLOCK_BYTES = 1 << 22
MAX_LINE = 1 << 20  # characters; a longer line is no row
_NUMBER = re.compile(r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?")
_LONG_NUMBER = re.compile(r"\d{16,19}")  # nanoseconds: more digits than a float keeps
_ZONE = re.compile(r"(?:[Zz]|[-+]\d{2}:?(?:\d{2})?)$")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_FIRST_NS = int(datetime(YEARS[0], 1, 1, tzinfo=UTC).timestamp()) * 10**9


class _Unusual(Exception):  # noqa: N818 not an error: the careful way is taken instead
    """Something that the fast way does not read."""


def read_csv(source: Path | bytes, *, name: str, named: Mapping[str, str] | None) -> Columns:
    """Give the columns of a CSV file, from its path or its bytes.

    Raises: InputError with up to 20 wrong rows, or with the reason why nothing can be read.
    """
    try:
        with _opened(source) as text:
            lines = _Lines(text, name)
            header = next((row for row in csv.reader(lines) if any(map(str.strip, row))), None)
            if header is None:
                refuse(name, "is empty")
            positions = chosen(header, named, name)
            skipped = lines.number
            first = next((row for row in csv.reader(lines) if any(map(str.strip, row))), None)
        if first is None:
            refuse(name, "holds a header and no row")
        ignored = tuple(column for at, column in enumerate(header) if at not in positions.values())
        try:
            return _fast(source, positions, len(header), skipped, first, name, ignored)
        except _Unusual:
            with _opened(source) as text:
                return _careful(_Lines(text, name), positions, len(header), skipped, name, ignored)
    except csv.Error as err:
        refuse(name, f"is not a CSV file: {err}")
    except UnicodeDecodeError:
        refuse(name, "is not UTF-8 text")


def _opened(source: Path | bytes) -> io.TextIOWrapper:
    raw = source.open("rb") if isinstance(source, Path) else io.BytesIO(source)
    return io.TextIOWrapper(raw, encoding="utf-8-sig", newline="")


class _Lines:
    """Lines of a text, none of them endless, and the number of the last one."""

    def __init__(self, text: io.TextIOWrapper, name: str) -> None:
        self._text = text
        self._name = name
        self.number = 0

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        line = self._text.readline(MAX_LINE)
        if not line:
            raise StopIteration
        if len(line) == MAX_LINE and not line.endswith(("\n", "\r")):
            refuse(self._name, f"is not a CSV file: a line is longer than {MAX_LINE:,} characters")
        self.number += 1
        return line


def _fast(
    source: Path | bytes,
    positions: Mapping[str, int],
    width: int,
    skipped: int,
    first: list[str],
    name: str,
    ignored: tuple[str, ...],
) -> Columns:
    """All rows at once, converted as the first row says."""
    import pyarrow as pa  # type: ignore[import-untyped]  # noqa: PLC0415 only a recording needs it
    from pyarrow import csv as arrow_csv  # noqa: PLC0415

    if len(first) != width:
        raise _Unusual
    pa.enable_signal_handlers(False)  # noqa: FBT003 they swallow Ctrl-C; the interpreter's own one acts between two blocks
    kinds = {kind: str(at) for kind, at in positions.items()}
    types = _types(positions, first)
    parts: dict[str, list[NDArray[Any]]] = {kind: [] for kind in positions}
    names = Names(name)
    rows = 0
    try:
        reader = arrow_csv.open_csv(
            str(source) if isinstance(source, Path) else pa.BufferReader(source),
            read_options=arrow_csv.ReadOptions(
                column_names=[str(at) for at in range(width)], skip_rows=skipped, block_size=BLOCK_BYTES
            ),
            convert_options=arrow_csv.ConvertOptions(
                column_types={kinds[kind]: types[kind] for kind in kinds},
                include_columns=list(kinds.values()),
                null_values=[],
                strings_can_be_null=False,
            ),
        )
        for batch in reader:
            rows += batch.num_rows
            if rows > MAX_ROWS:
                too_many_rows(name)
            for kind, label in kinds.items():
                column = batch.column(label)
                if kind == MODEL:
                    labels = [model.strip() for model in column.dictionary.to_pylist()]
                    if "" in labels:
                        raise _Unusual
                    index = [names.index(model) for model in labels]
                    parts[kind].append(np.array(index, dtype=np.int32)[np.from_dlpack(column.indices)])
                else:
                    is_date = pa.types.is_timestamp(types[kind])
                    # Not by `to_numpy`, which imports pandas: half a second, in which Ctrl-C is forgotten.
                    parts[kind].append(np.from_dlpack(column.cast(pa.int64()) if is_date else column))
    except pa.ArrowException as err:
        raise _Unusual from err
    whole = {kind: np.concatenate(arrays) for kind, arrays in parts.items()}
    is_date = TIMESTAMP in types and pa.types.is_timestamp(types[TIMESTAMP])
    for kind, low, high in (
        (TIMESTAMP, _FIRST_NS if is_date else 0, math.inf if is_date else LARGEST_NUMBER),
        (COUNT, 0, math.inf),
    ):
        if kind in whole and not bool(np.all((whole[kind] >= low) & (whole[kind] < high))):
            raise _Unusual
    return Columns(
        times=whole.get(TIMESTAMP),
        unit_s=1e-9 if is_date else None,
        naive=rows if is_date and types[TIMESTAMP].tz is None else 0,
        zones=(),
        counts=whole.get(COUNT),
        models=whole.get(MODEL),
        names=names.names,
        ignored=ignored,
    )


def _types(positions: Mapping[str, int], first: list[str]) -> dict[str, Any]:
    """The type of each column that is read; the first row says how timestamps are written."""
    import pyarrow as pa  # noqa: PLC0415

    types = {COUNT: pa.float64(), MODEL: pa.dictionary(pa.int32(), pa.string())}
    if TIMESTAMP in positions:
        written = first[positions[TIMESTAMP]].strip()
        if _LONG_NUMBER.fullmatch(written):
            types[TIMESTAMP] = pa.int64()
        elif _NUMBER.fullmatch(written):
            types[TIMESTAMP] = pa.float64()
        else:
            types[TIMESTAMP] = pa.timestamp("ns", "UTC" if _ZONE.search(written, 11) else None)
    return types


def _careful(
    lines: _Lines, positions: Mapping[str, int], width: int, skipped: int, name: str, ignored: tuple[str, ...]
) -> Columns:
    """Row by row, with the number of the line of each wrong one."""
    for _ in range(skipped):
        next(lines)
    cells = _Cells(positions, width, name)
    rows = csv.reader(lines)
    for row in rows:
        if any(map(str.strip, row)):
            cells.add(lines.number, row)
    return cells.columns(ignored)


class _Cells:
    """The cells of the columns, converted row by row; wrong ones are kept as problems."""

    def __init__(self, positions: Mapping[str, int], width: int, name: str) -> None:
        self._name = name
        self._width = width
        self._at = positions
        self._problems = Problems(name, "line")
        self._rows = 0
        self._times = array("d")  # as written; 0 for a date
        self._dates = array("q")  # microseconds since 1970; 0 for a number
        self._counts = array("d")
        self._models = array("i")
        self._names = Names(name)
        self._numeric = 0  # how many timestamps are numbers
        self._naive = 0  # how many have no zone
        self._zones: dict[str, None] = {}

    def add(self, line: int, row: list[str]) -> None:
        """Convert a row."""
        if len(row) != self._width:
            self._problems.add(line, f"must have {self._width} columns, got {len(row)}")
            return
        self._rows += 1
        if self._rows > MAX_ROWS:
            too_many_rows(self._name)
        if TIMESTAMP in self._at:
            written = row[self._at[TIMESTAMP]].strip()
            is_number = _NUMBER.fullmatch(written) is not None
            time = self._converted(line, written, self._number if is_number else self._date, TIME_WANTED)
            self._times.append(time if is_number else 0.0)
            self._dates.append(0 if is_number else int(time))
        if COUNT in self._at:
            self._counts.append(self._converted(line, row[self._at[COUNT]].strip(), _count, COUNT_WANTED))
        if MODEL in self._at:
            model = row[self._at[MODEL]].strip()
            if not model:
                self._problems.add(line, MODEL_WANTED)
            self._models.append(self._names.index(model))

    def columns(self, ignored: tuple[str, ...]) -> Columns:
        """Give all columns.

        Raises: InputError if there is a wrong row, or no row at all.
        """
        if not self._problems and 0 < self._numeric < len(self._times):
            self._problems.add(None, "must write every timestamp as a number, or every one as a date")
        self._problems.check()
        if not self._rows:
            refuse(self._name, "holds a header and no row")
        zones = tuple(self._zones)
        return Columns(
            times=np.array(self._times if self._numeric else self._dates) if TIMESTAMP in self._at else None,
            unit_s=None if self._numeric else 1e-6,
            naive=self._naive,
            zones=zones if len(zones) > 1 else (),
            counts=np.array(self._counts) if COUNT in self._at else None,
            models=np.array(self._models, dtype=np.int32) if MODEL in self._at else None,
            names=self._names.names,
            ignored=ignored,
        )

    def _number(self, written: str) -> float:
        self._numeric += 1
        number = float(written)
        if not 0 <= number < LARGEST_NUMBER:
            raise ValueError
        return number

    def _date(self, written: str) -> int:
        moment = datetime.fromisoformat(written.upper())  # RFC 3339 has a small t and z as well
        if moment.year not in YEARS:
            raise ValueError
        if moment.tzinfo is None:
            self._naive += 1
            moment = moment.replace(tzinfo=UTC)
        elif len(self._zones) < 3:
            self._zones[moment.strftime("%z")] = None
        return (moment - _EPOCH) // timedelta(microseconds=1)

    def _converted(self, line: int, written: str, convert: Callable[[str], float], wanted: str) -> float:
        try:
            return convert(written)
        except (ValueError, OverflowError):
            self._problems.add(line, f"{wanted}, got {document.shown(written)}")
            return 0.0


def _count(written: str) -> float:
    number = float(written)
    if not 0 <= number < math.inf:
        raise ValueError
    return number
