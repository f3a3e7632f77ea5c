"""Recordings in Parquet."""

import math
from collections.abc import Mapping
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

Arrow = Any  # pyarrow ships no types

MAGIC = b"PAR1"
BATCH_ROWS = 1 << 20
_FIRST_DAY = np.datetime64(f"{YEARS[0]}-01-01")
_UNITS = {"s": 1.0, "ms": 1e-3, "us": 1e-6, "ns": 1e-9}
_DAY_S = 86_400


def read_parquet(source: Path | bytes, *, name: str, named: Mapping[str, str] | None) -> Columns:
    """Give the columns of a Parquet file, from its path or its bytes.

    Times are timestamps, dates, or numbers as in CSV; text is refused.
    Raises: InputError with up to 20 wrong rows, or with the reason why nothing can be read.
    """
    import pyarrow as pa  # type: ignore[import-untyped]  # noqa: PLC0415 only a recording needs it
    from pyarrow import parquet  # noqa: PLC0415

    pa.enable_signal_handlers(False)  # noqa: FBT003 they swallow Ctrl-C; the interpreter's own one acts between two batches
    try:
        with parquet.ParquetFile(source if isinstance(source, Path) else pa.BufferReader(source)) as file:
            header = file.schema_arrow.names
            positions = chosen(header, named, name)
            if file.metadata.num_rows > MAX_ROWS:
                too_many_rows(name)
            schema = file.schema_arrow
            fields = {kind: schema.field(at) for kind, at in positions.items()}
            reader = _Reader(fields, name)
            labels = [field.name for field in fields.values()]
            for batch in file.iter_batches(batch_size=BATCH_ROWS, columns=labels):
                reader.add(batch)
    except (pa.ArrowException, OSError, UnicodeDecodeError) as err:
        first = str(err).partition("\n")[0]
        refuse(name, f"can't be read as Parquet: {document.shortened(first)}")
    return reader.columns(tuple(column for at, column in enumerate(header) if at not in positions.values()))


class _Reader:
    """The columns of a file, batch by batch; wrong rows are kept as problems."""

    def __init__(self, fields: Mapping[str, Arrow], name: str) -> None:
        self._name = name
        self._fields = fields
        self._problems = Problems(name, "row")
        self._parts: dict[str, list[NDArray[Any]]] = {kind: [] for kind in fields}
        self._names = Names(name)
        self._rows = 0
        self._unit_s, self._has_zone = self._unit(fields[TIMESTAMP].type) if TIMESTAMP in fields else (None, True)
        if COUNT in fields and not _is_number(fields[COUNT].type):
            refuse(
                name, f"must have numbers in the column {document.shown(fields[COUNT].name)}, got {fields[COUNT].type}"
            )

    def _unit(self, kind: Arrow) -> tuple[float | None, bool]:
        from pyarrow import types  # noqa: PLC0415

        if types.is_timestamp(kind):
            return _UNITS[kind.unit], kind.tz is not None
        if types.is_date(kind):
            return float(_DAY_S), False
        if not _is_number(kind):
            label = document.shown(self._fields[TIMESTAMP].name)
            refuse(self._name, f"must have timestamps, dates or numbers in the column {label}, got {kind}")
        return None, True

    def add(self, batch: Arrow) -> None:
        """Convert a batch of rows."""
        import pyarrow as pa  # noqa: PLC0415

        for kind, field in self._fields.items():
            column = batch.column(field.name)
            if kind == MODEL:
                text = column.cast(pa.string()).dictionary_encode()
                labels = [model.strip() for model in text.dictionary.to_pylist()]
                if text.null_count or "" in labels:
                    is_named = np.array([*map(bool, labels), False])[text.indices.fill_null(len(labels))]
                    missing = int(np.flatnonzero(~is_named)[0])
                    refuse(self._name, f"{MODEL_WANTED}, got none in row {self._rows + missing + 1}")
                index = np.array([self._names.index(model) for model in labels], np.int32)
                self._parts[kind].append(index[np.from_dlpack(text.indices)])
                continue
            if kind == TIMESTAMP and self._unit_s is not None:
                whole = pa.int32() if self._unit_s == _DAY_S and field.type == pa.date32() else pa.int64()
                numbers = column.cast(whole).cast(pa.int64())
                if field.type == pa.date64():
                    numbers = pa.array(numbers.to_numpy(zero_copy_only=False) // (1000 * _DAY_S))
                low = (_FIRST_DAY - np.datetime64(0, "s")) / np.timedelta64(1, "s") / self._unit_s
                self._keep(kind, numbers, low, math.inf, TIME_WANTED)
            else:
                exact = kind == TIMESTAMP and pa.types.is_integer(field.type)
                high = LARGEST_NUMBER if kind == TIMESTAMP else math.inf
                numbers = column.cast(pa.int64() if exact else pa.float64())
                self._keep(kind, numbers, 0.0, high, TIME_WANTED if kind == TIMESTAMP else COUNT_WANTED)
        self._rows += batch.num_rows

    def _keep(self, kind: str, numbers: Arrow, low: float, high: float, wanted: str) -> None:
        """Keep the numbers of a batch; those out of range, and cells without one, are problems."""
        valid = np.ones(len(numbers), dtype=bool) if not numbers.null_count else np.asarray(numbers.is_valid())
        values = np.from_dlpack(numbers.fill_null(0) if numbers.null_count else numbers)
        good = valid & (values >= low) & (values < high)
        for at in np.flatnonzero(~good).tolist():
            shown = document.shown(values[at].item()) if valid[at] else "nothing"
            self._problems.add(self._rows + at + 1, f"{wanted}, got {shown}")
        self._parts[kind].append(values)

    def columns(self, ignored: tuple[str, ...]) -> Columns:
        """Give all columns.

        Raises: InputError if there is a wrong row, or no row at all.
        """
        self._problems.check()
        if not self._rows:
            refuse(self._name, "holds no row")
        whole = {kind: np.concatenate(parts) for kind, parts in self._parts.items()}
        return Columns(
            times=whole.get(TIMESTAMP),
            unit_s=self._unit_s,
            naive=0 if self._has_zone else self._rows,
            zones=(),
            counts=whole.get(COUNT),
            models=whole.get(MODEL),
            names=self._names.names,
            ignored=ignored,
        )


def _is_number(kind: Arrow) -> bool:
    from pyarrow import types  # noqa: PLC0415

    return bool(types.is_integer(kind) or types.is_floating(kind) or types.is_decimal(kind))
