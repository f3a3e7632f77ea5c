"""What INSERT, CTAS and UNLOAD write: rows of a query as objects of a table."""

import gzip
import tempfile
import uuid
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import duckdb

from sandbox.services.athena.catalog import Column, Table
from sandbox.services.athena.errors import not_emulated
from sandbox.services.athena.formats import Format, delimiters_of, format_of
from sandbox.services.athena.hive_types import literal, quoted
from sandbox.services.athena.scan import split_location
from sandbox.services.athena.text_columns import field_of

_ROWS_AT_ONCE: Final = 10_000
_CODECS: Final = {"SNAPPY": "snappy", "GZIP": "gzip", "ZSTD": "zstd", "NONE": "uncompressed",
            "UNCOMPRESSED": "uncompressed", "LZ4": "lz4"}  # fmt: skip


@dataclass(slots=True, kw_only=True)
class Written:
    """The objects that were written, as s3://bucket/key, and the partitions that they are in."""

    objects: list[str] = field(default_factory=list)
    partitions: list[tuple[tuple[str, ...], str]] = field(default_factory=list)  # values and location
    rows: int = 0


class Writer:
    """Writes the rows of a temporary table of one query as objects of a table's form."""

    def __init__(self, cursor: duckdb.DuckDBPyConnection, s3: Any, execution_id: str) -> None:
        self._cursor = cursor
        self._s3 = s3
        self._execution_id = execution_id

    def write(self, rows: str, table: Table) -> Written:
        """Write all rows of the temporary table `rows`, whose columns are named like the table's."""
        written = Written(rows=self._cursor.execute(f"SELECT count(*) FROM {quoted(rows)}").fetchall()[0][0])
        if not table.partition_columns:
            if written.rows:
                written.objects.append(
                    self._put(f"SELECT {_names(table.columns)} FROM {quoted(rows)}", table, table.location)
                )
            return written
        texts = ", ".join(f"CAST({quoted(c.name)} AS VARCHAR)" for c in table.partition_columns)
        for values in self._cursor.execute(f"SELECT DISTINCT {texts} FROM {quoted(rows)} ORDER BY ALL").fetchall():
            shown = tuple("__HIVE_DEFAULT_PARTITION__" if value is None else value for value in values)
            names = (f"{column.name}={value}" for column, value in zip(table.partition_columns, shown, strict=True))
            location = "/".join([table.location.rstrip("/"), *names]) + "/"
            demands = " AND ".join(
                f"CAST({quoted(column.name)} AS VARCHAR) IS NOT DISTINCT FROM "
                f"{'NULL' if value is None else literal(value)}"
                for column, value in zip(table.partition_columns, values, strict=True)
            )
            query = f"SELECT {_names(table.columns)} FROM {quoted(rows)} WHERE {demands}"
            written.objects.append(self._put(query, table, location))
            written.partitions.append((shown, location))
        return written

    def _put(self, query: str, table: Table, location: str) -> str:
        form = format_of(table)
        bucket, prefix = split_location(location)
        name = f"{self._execution_id}_{uuid.uuid4()}"
        with tempfile.TemporaryDirectory(prefix="athena-") as folder:
            path = Path(folder) / "rows"
            if form is Format.PARQUET:
                codec = (
                    table.parameters.get("parquet.compression")
                    or table.parameters.get("parquet.compress")
                    or table.parameters.get("write_compression")
                    or "SNAPPY"
                ).upper()
                if codec not in _CODECS:
                    raise not_emulated(f"the compression {codec} of Parquet")
                # DuckDB marks what it knows to have no NULL as required, Athena nothing; what TRY gives may be NULL.
                optional = ", ".join(f"TRY({quoted(c.name)}) AS {quoted(c.name)}" for c in table.columns)
                self._cursor.execute(
                    f"COPY (SELECT {optional} FROM ({query})) TO {literal(str(path))} "
                    f"(FORMAT parquet, COMPRESSION {_CODECS[codec]})"
                )
            elif form is Format.JSON:
                name += ".gz"
                self._cursor.execute(f"COPY ({query}) TO {literal(str(path))} (FORMAT json, COMPRESSION gzip)")
            elif form in {Format.TEXT, Format.CSV}:
                name += ".gz"
                self._write_lines(query, table, path, as_csv=form is Format.CSV)
            else:
                raise not_emulated(f"writing into a table of the form {form.value}")
            with path.open("rb") as file:
                self._s3.upload_fileobj(file, bucket, prefix + name)
        return f"s3://{bucket}/{prefix}{name}"

    def _write_lines(self, query: str, table: Table, path: Path, *, as_csv: bool) -> None:
        marks = delimiters_of(table)
        if as_csv:
            quote = table.serde_parameters.get("quoteChar", '"')
            mark = table.serde_parameters.get("separatorChar", ",")
            fields = [
                f"{literal(quote)} || replace(coalesce(CAST({quoted(c.name)} AS VARCHAR), ''), "
                f"{literal(quote)}, {literal(quote * 2)}) || {literal(quote)}"
                for c in table.columns
            ]
        else:
            mark = marks.field
            fields = [field_of(quoted(c.name), c.kind, marks) for c in table.columns]
        line = f" || {literal(mark)} || ".join(fields)
        reader = self._cursor.execute(f"SELECT {line} FROM ({query})")
        with gzip.open(path, "wb") as file:
            while batch := reader.fetchmany(_ROWS_AT_ONCE):
                file.write("".join(f"{row[0]}\n" for row in batch).encode())


def _names(columns: tuple[Column, ...]) -> str:
    return ", ".join(quoted(column.name) for column in columns)
