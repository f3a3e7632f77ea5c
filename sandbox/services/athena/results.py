"""Results as Athena writes and serves them: a CSV object for a query, a text object for DDL."""

import re
from collections.abc import Callable, Iterable
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, BinaryIO, Final

from sandbox.services.athena.hive_types import kind_of, result_column
from sandbox.services.athena.python_functions import double_text, float_text

ColumnInfo = dict[str, Any]
Row = dict[str, list[dict[str, str]]]

_FIELD = re.compile(r'("(?:[^"]|"")*")?(,|\r?\n|$)')


def column_info(name: str, kind: str, precision: int = 0, scale: int = 0) -> ColumnInfo:
    """Describe a column of a result."""
    return {
        "CatalogName": "hive",
        "SchemaName": "",
        "TableName": "",
        "Name": name,
        "Label": name,
        "Type": kind,
        "Precision": precision,
        "Scale": scale,
        "Nullable": "UNKNOWN",
        "CaseSensitive": kind in {"varchar", "char", "string"},
    }


def columns_of(description: Iterable[tuple[Any, ...]]) -> list[ColumnInfo]:
    """Describe the columns of a DuckDB result."""
    return [column_info(column[0], *result_column(column[1])) for column in description]


def formatter(duckdb_type: Any) -> Callable[[Any], str]:
    """Give the function that writes a value of a type, never NULL, as Athena does."""
    kind = kind_of(duckdb_type)
    if kind in {"list", "array"}:
        item = _nested(duckdb_type.children[0][1])
        return lambda value: f"[{', '.join(map(item, value))}]"
    if kind == "map":
        key, inside = (_nested(child) for _, child in duckdb_type.children)
        return lambda value: f"{{{', '.join(f'{key(k)}={inside(v)}' for k, v in value.items())}}}"
    if kind in {"struct", "tuple"}:
        fields = [(name or f"field{n}", _nested(child)) for n, (name, child) in enumerate(duckdb_type.children)]

        def row(value: Any) -> str:
            values = value.values() if isinstance(value, dict) else value
            return f"{{{', '.join(f'{name}={text(v)}' for (name, text), v in zip(fields, values, strict=True))}}}"

        return row
    return _SCALARS.get(kind, str)


def _nested(duckdb_type: Any) -> Callable[[Any], str]:
    text = formatter(duckdb_type)
    return lambda value: "null" if value is None else text(value)


def _moment(value: datetime) -> str:
    text = value.strftime("%Y-%m-%d %H:%M:%S")
    if value.year < 1000:
        text = f"{value.year:04}{text[text.index('-') :]}"
    return f"{text}.{_fraction(value.microsecond)}"


def _fraction(microsecond: int) -> str:
    return f"{microsecond:06}" if microsecond % 1000 else f"{microsecond // 1000:03}"


def _interval(value: timedelta) -> str:
    seconds, days = abs(value).seconds, abs(value).days
    sign = "-" if value < timedelta(0) else ""
    milliseconds = abs(value).microseconds // 1000
    return f"{sign}{days} {seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}.{milliseconds:03}"


def _date(value: date) -> str:
    return value.isoformat()


def _time(value: time) -> str:
    return f"{value.strftime('%H:%M:%S')}.{_fraction(value.microsecond)}"


def _decimal(value: Decimal) -> str:
    return f"{value:f}"


_SCALARS: Final[dict[str, Callable[[Any], str]]] = {
    "boolean": lambda value: "true" if value else "false",
    "float": float_text,
    "double": double_text,
    "decimal": _decimal,
    "blob": lambda value: bytes(value).hex(" "),
    "date": lambda value: value if isinstance(value, str) else _date(value),
    "time": _time,
    "timestamp": _moment,
    "timestamp_ms": _moment,
    "timestamp_s": _moment,
    "timestamp_ns": _moment,
    "timestamp with time zone": lambda value: f"{_moment(value)} UTC",
    "interval": _interval,
}


def write_header(file: BinaryIO, columns: list[ColumnInfo]) -> None:
    """Write the names of the columns as the first line of the CSV object."""
    file.write((",".join(_quote(column["Name"]) for column in columns) + "\n").encode())


def write_rows(file: BinaryIO, rows: Iterable[tuple[Any, ...]], formatters: list[Callable[[Any], str]]) -> None:
    """Write rows: every value in quotes, NULL as nothing."""
    for row in rows:
        fields = ["" if v is None else _quote(text(v)) for v, text in zip(row, formatters, strict=True)]
        file.write((",".join(fields) + "\n").encode("utf-8", "surrogatepass"))


def _quote(text: str) -> str:
    return '"' + text.replace('"', '""') + '"'


def read_page(path: Path, offset: int, count: int, *, is_csv: bool) -> tuple[list[Row], int | None]:
    """Read rows of a result object from a byte on; gives them and the byte where the next begin, if there are any."""
    rows: list[Row] = []
    with path.open("rb") as file:
        file.seek(offset)
        while len(rows) < count:
            line = file.readline()
            while is_csv and line.count(b'"') % 2:
                more = file.readline()
                if not more:
                    break
                line += more
            if not line:
                return rows, None
            text = line.decode("utf-8", "surrogatepass")
            rows.append({"Data": _csv_fields(text) if is_csv else [{"VarCharValue": text.rstrip("\n")}]})
        following = file.tell()
        return rows, following if file.read(1) else None


def _csv_fields(text: str) -> list[dict[str, str]]:
    fields = []
    for found in _FIELD.finditer(text):
        value = found[1]
        fields.append({} if value is None else {"VarCharValue": value[1:-1].replace('""', '"')})
        if found[2] != ",":
            break
    return fields
