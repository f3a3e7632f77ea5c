"""Tables of JSON Lines: Hive's names are lower case, those in the objects are not."""

import json
from typing import Any

import duckdb

from sandbox.services.athena.catalog import Table
from sandbox.services.athena.errors import QueryFailed
from sandbox.services.athena.hive_types import HiveType, literal, quoted


def read(cursor: duckdb.DuckDBPyConnection, table: Table, listed: str, raw: str) -> dict[str, str]:
    """Read the lines of the objects into a table `raw` of the cursor, and give an expression for each column.

    Raises: QueryFailed, if a line is no JSON.
    """
    lenient = table.serde_parameters.get("ignore.malformed.json", "").lower() == "true"
    try:
        cursor.execute(
            f"CREATE TEMP TABLE {quoted(raw)} AS SELECT json, filename FROM read_ndjson_objects({listed}, "
            f"filename=true, ignore_errors={str(lenient).lower()}, maximum_object_size=33554432) WHERE json IS NOT NULL"
        )
    except duckdb.InvalidInputException as err:
        raise QueryFailed("HIVE_CURSOR_ERROR", f"Row is not a valid JSON Object - {str(err).splitlines()[0]}") from err
    structure = json.loads(
        cursor.execute(f"SELECT coalesce(json_group_structure(json), '{{}}') FROM {quoted(raw)}").fetchall()[0][0]
    )
    expressions = {}
    for column in table.columns:
        key = table.serde_parameters.get(f"mapping.{column.name}") or column.name
        actual = _actual(key, structure)
        inner = structure.get(actual) if isinstance(structure, dict) else None
        shape = literal(json.dumps({actual: _shape(column.kind, inner)}))
        value = f"struct_extract(json_transform(f.json, {shape}), {literal(actual)})"
        expressions[column.name] = f"CAST({value} AS {column.kind.duckdb})"
    return expressions


def _actual(name: str, structure: Any) -> str:
    """Give the key that the objects have for a name."""
    if not isinstance(structure, dict) or name in structure:
        return name
    return next((key for key in structure if key.lower() == name.lower()), name)


def _shape(kind: HiveType, structure: Any) -> Any:
    """Give the form that json_transform takes, with the keys that the objects have."""
    if kind.name == "array":
        return [_shape(kind.inside[0], structure[0] if isinstance(structure, list) and structure else None)]
    if kind.name == "struct":
        return {
            (actual := _actual(name, structure)): _shape(
                inner, structure.get(actual) if isinstance(structure, dict) else None
            )
            for name, inner in zip(kind.names, kind.inside, strict=True)
        }
    return kind.duckdb
