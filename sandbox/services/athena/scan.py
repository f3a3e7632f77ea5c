"""Tables as DuckDB sees them: a view on the objects of the partitions that a query needs."""

import itertools
from collections.abc import Iterable
from typing import Final

import duckdb
from sqlglot import exp

from sandbox.object_mirror import ObjectMirror, StoredObject
from sandbox.services.athena import iceberg, json_columns
from sandbox.services.athena.catalog import Catalog, Column, Partition, Table
from sandbox.services.athena.errors import QueryFailed
from sandbox.services.athena.formats import Format, delimiters_of, format_of
from sandbox.services.athena.hive_types import literal, quoted
from sandbox.services.athena.projection import is_projected, project
from sandbox.services.athena.text_columns import value_of
from sandbox.services.athena.translation import write

_NO_VALUE: Final = "__HIVE_DEFAULT_PARTITION__"
_LONGEST_LINE: Final = 32 * 1024 * 1024  # bytes; Athena's own limit of a row


def split_location(location: str) -> tuple[str, str]:
    """Give bucket and prefix of s3://bucket/prefix, the prefix with a slash at its end."""
    bucket, _, prefix = location.partition("://")[2].partition("/")
    return bucket, prefix if not prefix or prefix.endswith("/") else f"{prefix}/"


class Scanner:
    """Makes the views of one query, on its own cursor."""

    def __init__(self, cursor: duckdb.DuckDBPyConnection, catalog: Catalog, objects: ObjectMirror) -> None:
        self._cursor = cursor
        self._catalog = catalog
        self._objects = objects
        self._numbers = itertools.count()
        self.bytes_read = 0

    def view(self, table: Table, conditions: list[exp.Expression], *, with_path: bool) -> str:
        """Make the view of a table; `conditions` only spare reading partitions. Raises: QueryFailed."""
        name = f"table {next(self._numbers)}"
        found = self._files(table, conditions)
        self.bytes_read += sum(stored.size for stored, _ in found)
        if not found:
            columns = [f"CAST(NULL AS {c.kind.duckdb}) AS {quoted(c.name)}" for c in table.all_columns]
            if with_path:
                columns.append('CAST(NULL AS VARCHAR) AS "$path"')
            self._cursor.execute(f"CREATE TEMP VIEW {quoted(name)} AS SELECT {', '.join(columns)} LIMIT 0")
            return name
        source, expressions = self._source(table, sorted({str(stored.path) for stored, _ in found}), name, found)
        columns = [f"{expressions[column.name]} AS {quoted(column.name)}" for column in table.columns]
        join = ""
        if table.partition_columns or with_path:
            self._note_files(name, table.partition_columns, found)
            columns += [f"p.{quoted(column.name)}" for column in table.partition_columns]
            columns += ['p."$path"'] if with_path else []
            join = f" JOIN {quoted(f'files of {name}')} p ON p.file = f.filename"
        self._cursor.execute(f"CREATE TEMP VIEW {quoted(name)} AS SELECT {', '.join(columns)} FROM {source} f{join}")
        return name

    def _note_files(
        self, name: str, columns: Iterable[Column], found: list[tuple[StoredObject, tuple[str, ...]]]
    ) -> None:
        parts = ["unnest($files) AS file", 'unnest($paths) AS "$path"']
        values: dict[str, list[str | None]] = {
            "files": [str(stored.path) for stored, _ in found],
            "paths": [f"s3://{stored.bucket}/{stored.key}" for stored, _ in found],
        }
        for place, column in enumerate(columns):
            parts.append(f"CAST(unnest($c{place}::VARCHAR[]) AS {column.kind.duckdb}) AS {quoted(column.name)}")
            values[f"c{place}"] = [None if v[place] == _NO_VALUE else v[place] for _, v in found]
        self._cursor.execute(f"CREATE TEMP TABLE {quoted(f'files of {name}')} AS SELECT {', '.join(parts)}", values)

    def _files(self, table: Table, conditions: list[exp.Expression]) -> list[tuple[StoredObject, tuple[str, ...]]]:
        """Give the objects of a table, each with the values of its partition."""
        if table.is_iceberg:
            return [(stored, ()) for stored in iceberg.files(self._objects, table)]
        if not table.partition_columns:
            bucket, prefix = split_location(table.location)
            return [(stored, ()) for stored in self._objects.listing(bucket, prefix) if _is_data(stored, prefix)]
        own = _of_columns(conditions, table.partition_columns)
        partitions = project(table, _wanted(own)) if is_projected(table) else self._catalog.partitions(table)
        return self._files_of(self._pruned(table, partitions, own))

    def _pruned(self, table: Table, partitions: list[Partition], conditions: list[exp.Expression]) -> list[Partition]:
        if not conditions or not partitions:
            return partitions
        columns = [
            f"CAST(unnest($c{place}::VARCHAR[]) AS {column.kind.duckdb}) AS {quoted(column.name)}"
            for place, column in enumerate(table.partition_columns)
        ]
        values = {
            f"c{place}": [None if p.values[place] == _NO_VALUE else p.values[place] for p in partitions]
            for place in range(len(table.partition_columns))
        }
        demand = " AND ".join(f"({write(condition.copy())})" for condition in conditions)
        rows = self._cursor.execute(
            f"SELECT place FROM (SELECT unnest(range($n)) AS place, {', '.join(columns)}) WHERE {demand}",
            {**values, "n": len(partitions)},
        ).fetchall()
        return [partitions[place] for (place,) in rows]

    def _files_of(self, partitions: list[Partition]) -> list[tuple[StoredObject, tuple[str, ...]]]:
        places: dict[str, dict[str, list[tuple[str, ...]]]] = {}
        for partition in partitions:
            bucket, prefix = split_location(partition.location)
            places.setdefault(bucket, {}).setdefault(prefix, []).append(partition.values)
        found = []
        for bucket, prefixes in places.items():
            for stored in self._objects.listing(bucket, _common_start(list(prefixes))):
                end = stored.key.find("/")
                while end >= 0:
                    prefix = stored.key[: end + 1]
                    if prefix in prefixes and _is_data(stored, prefix):
                        found += [(stored, values) for values in prefixes[prefix]]
                    end = stored.key.find("/", end + 1)
        return found

    def _source(
        self, table: Table, files: list[str], name: str, found: list[tuple[StoredObject, tuple[str, ...]]]
    ) -> tuple[str, dict[str, str]]:
        """Give what DuckDB reads from, and an expression for each column."""
        listed = f"[{', '.join(map(literal, files))}]"
        form = format_of(table)
        if form is Format.PARQUET:
            return self._parquet(table, listed)
        if form is Format.JSON:
            raw = f"lines of {name}"
            return quoted(raw), json_columns.read(self._cursor, table, listed, raw)
        largest = max(stored.size for stored, _ in found)
        skip = int(table.parameters.get("skip.header.line.count", "0") or 0)
        size = f"max_line_size={min(max(largest + 1, 2_097_152), _LONGEST_LINE)}"
        common = f"header=false, auto_detect=false, strict_mode=false, filename=true, skip={skip}, {size}"
        if form is Format.CSV:
            return self._csv(table, listed, common)
        lines = f"read_csv({listed}, columns={{'line': 'VARCHAR'}}, delim='\x00', quote='', escape='', {common})"
        line = "rtrim(coalesce(line, ''), chr(13))"
        if form is Format.REGEX:
            return lines, _regex_columns(table, line)
        marks = delimiters_of(table)
        parts = f"string_split({line}, {literal(marks.field)})"
        if marks.escape:
            parts = (
                f"list_transform(string_split(replace({line}, {literal(marks.escape + marks.field)}, chr(26)), "
                f"{literal(marks.field)}), LAMBDA part : replace(replace(part, chr(26), {literal(marks.field)}), "
                f"{literal(marks.escape * 2)}, {literal(marks.escape)}))"
            )
        return lines, {
            column.name: value_of(f"{parts}[{place}]", column.kind, marks)
            for place, column in enumerate(table.columns, start=1)
        }

    def _parquet(self, table: Table, listed: str) -> tuple[str, dict[str, str]]:
        source = f"read_parquet({listed}, union_by_name=true, filename=true, hive_partitioning=false)"
        try:
            described = self._cursor.execute(f"SELECT * FROM {source} LIMIT 0").description or []
        except duckdb.InvalidInputException as err:
            raise QueryFailed("HIVE_BAD_DATA", f"Not valid Parquet file in {table.location}: {err}") from err
        known = {column[0].lower(): column[0] for column in described}
        return source, {
            column.name: f"CAST({'f.' + quoted(known[column.name]) if column.name in known else 'NULL'} "
            f"AS {column.kind.duckdb})"
            for column in table.columns
        }

    def _csv(self, table: Table, listed: str, common: str) -> tuple[str, dict[str, str]]:
        settings = table.serde_parameters
        names = ", ".join(f"{literal(column.name)}: 'VARCHAR'" for column in table.columns)
        source = (
            f"read_csv({listed}, columns={{{names}}}, delim={literal(settings.get('separatorChar', ','))}, "
            f"quote={literal(settings.get('quoteChar', chr(34)))}, "
            f"escape={literal(settings.get('escapeChar', chr(34)))}, null_padding=true, {common})"
        )
        marks = delimiters_of(table)
        return source, {
            column.name: f"coalesce({quoted(column.name)}, '')"
            if column.kind.duckdb == "VARCHAR"
            else value_of(quoted(column.name), column.kind, marks)
            for column in table.columns
        }


def _regex_columns(table: Table, line: str) -> dict[str, str]:
    pattern = literal(table.serde_parameters.get("input.regex", ""))
    marks = delimiters_of(table)
    return {
        column.name: value_of(
            f"CASE WHEN regexp_full_match({line}, {pattern}) THEN regexp_extract({line}, {pattern}, {place}) END",
            column.kind,
            marks,
        )
        for place, column in enumerate(table.columns, start=1)
    }


def _common_start(texts: list[str]) -> str:
    first, last = min(texts), max(texts)
    same = (place for place, letter in enumerate(first) if last[place : place + 1] != letter)
    return first[: next(same, len(first))]


def _is_data(stored: StoredObject, prefix: str) -> bool:
    """Whether Hive would read it: not a folder's mark, not hidden by _ or . at the start of a name."""
    names = stored.key[len(prefix) :].split("/")
    return stored.size > 0 and not any(name.startswith(("_", ".")) for name in names) and bool(names[-1])


def _of_columns(conditions: list[exp.Expression], columns: tuple[Column, ...]) -> list[exp.Expression]:
    names = {column.name for column in columns}
    return [c for c in conditions if all(column.name.lower() in names for column in c.find_all(exp.Column))]


def _wanted(conditions: list[exp.Expression]) -> dict[str, set[str]]:
    """Give the values that the conditions allow for a column by = or IN."""
    wanted: dict[str, set[str]] = {}
    for condition in conditions:
        values: list[exp.Expression] = []
        if isinstance(condition, exp.EQ):
            values = [condition.expression]
        elif isinstance(condition, exp.In):
            values = condition.expressions
        if values and isinstance(condition.this, exp.Column) and all(isinstance(v, exp.Literal) for v in values):
            name = condition.this.name.lower()
            texts = {value.name for value in values}
            wanted[name] = wanted[name] & texts if name in wanted else texts
    return wanted
