"""The tables of `information_schema`: the catalog as rows. Columns as in Athena's own, read 2026-11-21."""

from collections.abc import Iterator
from typing import Any, Final

import duckdb

from sandbox.services.athena.catalog import Catalog, Column, Table
from sandbox.services.athena.errors import QueryFailed
from sandbox.services.athena.hive_types import quoted

INFORMATION_SCHEMA: Final = "information_schema"
_CATALOG: Final = "awsdatacatalog"
_COLUMNS: Final = {
    "schemata": ("catalog_name", "schema_name"),
    "tables": ("table_catalog", "table_schema", "table_name", "table_type"),
    "views": ("table_catalog", "table_schema", "table_name", "view_definition"),
    "columns": (
        "table_catalog", "table_schema", "table_name", "column_name", "ordinal_position", "column_default",
        "is_nullable", "data_type", "comment", "extra_info",
    ),
}  # fmt: skip
_NUMBERS: Final = {"ordinal_position"}


def put_table(cursor: duckdb.DuckDBPyConnection, catalog: Catalog, name: str) -> str | None:
    """Make a temporary table of that name's rows; gives what it is called, None if there is no such table."""
    columns = _COLUMNS.get(name)
    if columns is None:
        return None
    made = f"{INFORMATION_SCHEMA}.{name}"
    kinds = ["BIGINT" if column in _NUMBERS else "VARCHAR" for column in columns]
    described = ", ".join(f"{column} {kind}" for column, kind in zip(columns, kinds, strict=True))
    cursor.execute(f"CREATE OR REPLACE TEMP TABLE {quoted(made)} ({described})")
    rows = list(_rows(catalog, name))
    if rows:
        items = ", ".join(f"unnest(?::{kind}[])" for kind in kinds)
        cursor.execute(f"INSERT INTO {quoted(made)} SELECT {items}", [list(item) for item in zip(*rows, strict=True)])
    return made


def _rows(catalog: Catalog, name: str) -> Iterator[tuple[Any, ...]]:
    for database in catalog.databases():
        schema = database["Name"]
        if name == "schemata":
            yield _CATALOG, schema
            continue
        for described in catalog.tables(schema):
            table = Table.read({**described, "DatabaseName": schema})
            key = (_CATALOG, schema, table.name)
            if name == "tables":
                yield *key, "BASE TABLE" if table.view is None else "VIEW"
            elif name == "columns":
                for place, column in enumerate(table.all_columns, 1):
                    extra = "partition key" if column in table.partition_columns else None
                    yield *key, column.name, place, None, "YES", _type(column), column.comment or None, extra
            elif table.view is not None:
                yield *key, table.view


def _type(column: Column) -> str:
    """Name a type as Trino does; one that can't be read, as the catalog has it."""
    try:
        return column.kind.trino
    except QueryFailed:
        return column.type
