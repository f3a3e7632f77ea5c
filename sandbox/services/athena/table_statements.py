"""Statements on the catalog: what makes, changes, drops and shows databases, tables, views and partitions."""

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from botocore.exceptions import ClientError

from sandbox.object_mirror import ObjectMirror
from sandbox.services.athena import iceberg
from sandbox.services.athena.catalog import Catalog, Column, Partition, Table
from sandbox.services.athena.ddl import Tokens, read_create_table
from sandbox.services.athena.errors import QueryFailed, not_emulated, table_not_found
from sandbox.services.athena.hive_types import storable_type
from sandbox.services.athena.results import ColumnInfo, column_info
from sandbox.services.athena.scan import split_location
from sandbox.services.athena.show_statements import ShowStatements
from sandbox.services.athena.statements import Statement
from sandbox.services.athena.table_forms import made_table, table_with

Lines = tuple[list[str], list[ColumnInfo]]


@dataclass(frozen=True, slots=True, kw_only=True)
class MadeTable:
    """A table that a CTAS makes."""

    table: Table
    with_data: bool
    exists: bool


class TableStatements:
    """Runs the statements on the catalog of one query."""

    def __init__(self, catalog: Catalog, objects: ObjectMirror, s3: Any, database: str) -> None:
        self._catalog = catalog
        self._objects = objects
        self._s3 = s3
        self._database = database

    def run(self, statement: Statement) -> Lines:
        """Run a statement; gives the lines of its result and the columns that they are in. Raises: QueryFailed."""
        changes: dict[str, Callable[[str], None]] = {
            "CREATE_DATABASE": self._create_database,
            "DROP_DATABASE": self._drop_database,
            "CREATE_TABLE": self._create_table,
            "DROP_TABLE": self._drop_table,
            "DROP_VIEW": self._drop_view,
            "ALTER_TABLE": self._alter_table,
            "OPTIMIZE": self._optimize,
        }
        try:
            if statement.substatement == "MSCK_REPAIR_TABLE":
                return self._repair(statement.text)
            if statement.substatement in changes:
                changes[statement.substatement](statement.text)
                return [], []
            return ShowStatements(self._catalog, self._database).run(statement)
        except ClientError as err:
            error = err.response["Error"]
            message = f"{error['Message']} (Service: AWSGlue; Error Code: {error['Code']})"
            raise QueryFailed("HIVE_METASTORE_ERROR", message) from err

    def _find(self, database: str, name: str) -> Table:
        table = self._catalog.table(database, name)
        if table is None:
            raise table_not_found("", database, name)
        return table

    def _create_database(self, text: str) -> None:
        tokens = Tokens(text)
        tokens.expect("CREATE")
        tokens.either("DATABASE", "SCHEMA")
        quiet = tokens.take("IF", "NOT", "EXISTS")
        name = tokens.name()
        comment = tokens.string() if tokens.take("COMMENT") else ""
        location = tokens.string() if tokens.take("LOCATION") else ""
        parameters = tokens.properties() if tokens.take("WITH", "DBPROPERTIES") else {}
        if self._catalog.database(name) is not None:
            if not quiet:
                raise QueryFailed("FAILED", f"Execution Error, return code 1. Database {name} already exists")
            return
        self._catalog.create_database(name, comment=comment, location=location, parameters=parameters)

    def _drop_database(self, text: str) -> None:
        tokens = Tokens(text)
        tokens.expect("DROP")
        tokens.either("DATABASE", "SCHEMA")
        quiet = tokens.take("IF", "EXISTS")
        name = tokens.name()
        cascade = tokens.take("CASCADE")
        if self._catalog.database(name) is None:
            if not quiet:
                raise QueryFailed("SCHEMA_NOT_FOUND", f"Database does not exist: {name}")
            return
        if not cascade and self._catalog.tables(name):
            raise QueryFailed("FAILED", f"Execution Error, return code 1. Database {name} is not empty")
        for described in self._catalog.tables(name):
            self._catalog.drop_table(name, described["Name"])
        self._catalog.drop_database(name)

    def _create_table(self, text: str) -> None:
        made = read_create_table(text, self._database)
        if self._catalog.database(made.database) is None:
            raise QueryFailed("SCHEMA_NOT_FOUND", f"Database {made.database} not found")
        if self._catalog.table(made.database, made.name) is not None:
            if made.if_not_exists:
                return
            raise QueryFailed(
                "FAILED", f"Execution Error, return code 1. AlreadyExistsException: Table {made.name} already exists"
            )
        table = made_table(made)
        if table.is_iceberg:
            iceberg.replace(self._s3, table, [])
        self._catalog.create_table(table)

    def table_as(self, head: str, described: list[tuple[Any, ...]], location: str) -> MadeTable:
        """Read CREATE TABLE x WITH (...) of a CTAS; its columns are those of its query. Raises: QueryFailed."""
        tokens = Tokens(head)
        tokens.expect("CREATE", "TABLE")
        quiet = tokens.take("IF", "NOT", "EXISTS")
        database, name = tokens.table(self._database)
        if tokens.take("COMMENT"):
            tokens.string()
        properties = _with_properties(tokens) if tokens.take("WITH") else {}
        if self._catalog.database(database) is None:
            raise QueryFailed("SCHEMA_NOT_FOUND", f"line 1:1: Schema '{database}' does not exist")
        exists = self._catalog.table(database, name) is not None
        if exists and not quiet:
            raise QueryFailed(
                "TABLE_ALREADY_EXISTS", f"line 1:1: Destination table 'awsdatacatalog.{database}.{name}' already exists"
            )
        columns = [Column(name=d[0].lower(), type=str(storable_type(d[1], d[0]))) for d in described]
        twice = {c.name for c in columns if sum(other.name == c.name for other in columns) > 1}
        if twice:
            raise QueryFailed("DUPLICATE_COLUMN_NAME", f"line 1:1: Column name '{min(twice)}' specified more than once")
        table = table_with(database, name, columns, properties, location)
        bucket, prefix = split_location(table.location)
        if not exists and self._objects.listing(bucket, prefix):
            raise QueryFailed(
                "HIVE_PATH_ALREADY_EXISTS",
                f"Target directory for table '{database}.{name}' already exists: {table.location}",
            )
        return MadeTable(table=table, with_data=True, exists=exists)

    def unload(self, text: str) -> tuple[str, Callable[[list[tuple[Any, ...]]], Table]]:
        """Cut UNLOAD (query) TO 'place' WITH (...); gives the query, and the table that its columns make there."""
        found = re.match(
            r"UNLOAD\s*\((?P<query>.*)\)\s*TO\s*'(?P<place>[^']+)'\s*(?P<rest>WITH\s*\(.*\))?\s*$",
            text,
            re.IGNORECASE | re.DOTALL,
        )
        if found is None:
            raise QueryFailed("SYNTAX_ERROR", "line 1:1: expected UNLOAD (query) TO 'location' WITH (format = ...)")
        tokens = Tokens(found["rest"] or "WITH ()")
        tokens.expect("WITH")
        properties = _with_properties(tokens)

        def table(described: list[tuple[Any, ...]]) -> Table:
            columns = [Column(name=d[0], type=str(storable_type(d[1], d[0]))) for d in described]
            return table_with("", "", columns, properties, found["place"])

        return found["query"], table

    def create_view(self, head: str, query: str, described: list[tuple[Any, ...]]) -> None:
        """Keep a view. Raises: QueryFailed."""
        tokens = Tokens(head)
        tokens.expect("CREATE")
        replaces = tokens.take("OR", "REPLACE")
        tokens.expect("VIEW")
        database, name = tokens.table(self._database)
        if self._catalog.database(database) is None:
            raise QueryFailed("SCHEMA_NOT_FOUND", f"line 1:1: Schema '{database}' does not exist")
        columns = tuple(Column(name=d[0].lower(), type=_view_type(d[1], d[0])) for d in described)
        view = Table(database=database, name=name, columns=columns, view=query)
        old = self._catalog.table(database, name)
        if old is None:
            self._catalog.create_table(view)
        elif old.view is None or not replaces:
            kind = "View" if old.view is not None else "Table"
            raise QueryFailed(
                "TABLE_ALREADY_EXISTS", f"line 1:1: {kind} already exists: 'awsdatacatalog.{database}.{name}'"
            )
        else:
            self._catalog.change_table(view)

    def _drop_table(self, text: str) -> None:
        tokens = Tokens(text)
        tokens.expect("DROP", "TABLE")
        quiet = tokens.take("IF", "EXISTS")
        database, name = tokens.table(self._database)
        table = self._catalog.table(database, name)
        if table is None:
            if not quiet:
                raise table_not_found("", database, name)
            return
        if table.view is not None:
            raise QueryFailed("FAILED", f"SemanticException Cannot drop a view with DROP TABLE: {name}")
        if table.is_iceberg:
            bucket, prefix = split_location(table.location)
            for stored in self._objects.listing(bucket, prefix):
                self._s3.delete_object(Bucket=bucket, Key=stored.key)
        self._catalog.drop_table(database, name)

    def _drop_view(self, text: str) -> None:
        tokens = Tokens(text)
        tokens.expect("DROP", "VIEW")
        quiet = tokens.take("IF", "EXISTS")
        database, name = tokens.table(self._database)
        table = self._catalog.table(database, name)
        if table is None or table.view is None:
            if table is None and quiet:
                return
            raise QueryFailed("TABLE_NOT_FOUND", f"line 1:1: View '{database}.{name}' does not exist")
        self._catalog.drop_table(database, name)

    def _optimize(self, text: str) -> None:
        tokens = Tokens(text)
        tokens.either("VACUUM", "OPTIMIZE")
        self._find(*tokens.table(self._database))

    def _alter_table(self, text: str) -> None:
        tokens = Tokens(text)
        tokens.expect("ALTER", "TABLE")
        table = self._find(*tokens.table(self._database))
        if tokens.take("ADD", "COLUMNS"):
            added = tuple(
                Column(name=n, type=str(Column(name=n, type=t).kind), comment=c) for n, t, c in tokens.columns()
            )
            self._catalog.change_table(replace(table, columns=table.columns + added))
        elif tokens.take("REPLACE", "COLUMNS"):
            columns = tuple(
                Column(name=n, type=str(Column(name=n, type=t).kind), comment=c) for n, t, c in tokens.columns()
            )
            self._catalog.change_table(replace(table, columns=columns))
        elif tokens.take("ADD"):
            self._add_partitions(tokens, table)
        elif tokens.take("DROP", "COLUMN"):
            name = tokens.name()
            self._catalog.change_table(replace(table, columns=tuple(c for c in table.columns if c.name != name)))
        elif tokens.take("DROP"):
            self._drop_partitions(tokens, table)
        elif tokens.take("SET", "TBLPROPERTIES"):
            self._catalog.change_table(replace(table, parameters={**table.parameters, **tokens.properties()}))
        elif tokens.take("SET", "LOCATION"):
            self._catalog.change_table(replace(table, location=tokens.string()))
        else:
            raise not_emulated(f"the statement {text[:100]!r}")

    def _add_partitions(self, tokens: Tokens, table: Table) -> None:
        quiet = tokens.take("IF", "NOT", "EXISTS")
        known = {partition.values for partition in self._catalog.partitions(table)}
        added = []
        while tokens.take("PARTITION"):
            values = self._values(table, tokens.properties())
            location = tokens.string() if tokens.take("LOCATION") else _place(table, values)
            if values in known:
                if not quiet:
                    raise QueryFailed(
                        "FAILED", "Execution Error, return code 1. AlreadyExistsException: Partition already exists."
                    )
                continue
            known.add(values)
            added.append(Partition(values=values, location=location))
        if not tokens.at_end:
            raise tokens.mismatch("PARTITION")
        self._catalog.add_partitions(table, added)

    def _drop_partitions(self, tokens: Tokens, table: Table) -> None:
        quiet = tokens.take("IF", "EXISTS")
        known = {partition.values for partition in self._catalog.partitions(table)}
        tokens.expect("PARTITION")
        while True:
            values = self._values(table, tokens.properties())
            if values not in known and not quiet:
                raise QueryFailed("FAILED", f"SemanticException Partition not found: {values}")
            if values in known:
                self._catalog.drop_partition(table, values)
            tokens.take(",")
            if not tokens.take("PARTITION"):
                return

    def _values(self, table: Table, given: dict[str, str]) -> tuple[str, ...]:
        lower = {name.strip("`").lower(): value for name, value in given.items()}
        names = [column.name for column in table.partition_columns]
        if set(lower) != set(names):
            raise QueryFailed(
                "FAILED", f"SemanticException partition spec {lower} doesn't contain all of {', '.join(names)}"
            )
        return tuple(lower[name] for name in names)

    def add_missing(self, table: Table, partitions: list[tuple[tuple[str, ...], str]]) -> None:
        """Put those partitions into the catalog that it lacks."""
        if not partitions:
            return
        known = {partition.values for partition in self._catalog.partitions(table)}
        self._catalog.add_partitions(
            table, [Partition(values=values, location=place) for values, place in partitions if values not in known]
        )

    def _repair(self, text: str) -> Lines:
        tokens = Tokens(text)
        tokens.expect("MSCK", "REPAIR", "TABLE")
        table = self._find(*tokens.table(self._database))
        names = [column.name for column in table.partition_columns]
        bucket, prefix = split_location(table.location)
        known = {partition.values for partition in self._catalog.partitions(table)}
        found: dict[tuple[str, ...], str] = {}
        for stored in self._objects.listing(bucket, prefix):
            parts = stored.key[len(prefix) :].split("/")[: len(names)]
            pairs = [part.partition("=") for part in parts]
            if len(pairs) == len(names) and all(p[0].lower() == n and p[1] for p, n in zip(pairs, names, strict=True)):
                found[tuple(pair[2] for pair in pairs)] = f"s3://{bucket}/{prefix}{'/'.join(parts)}/"
        missing = {values: place for values, place in found.items() if values not in known}
        self._catalog.add_partitions(table, [Partition(values=v, location=place) for v, place in missing.items()])
        if not missing:
            return [], []
        specs = ["/".join(f"{n}={v}" for n, v in zip(names, values, strict=True)) for values in missing]
        lines = ["Partitions not in metastore:\t" + "\t".join(f"{table.name}:{spec}" for spec in specs)]
        lines += [f"Repair: Added partition to metastore {table.name}:{spec}" for spec in specs]
        return lines, [column_info("result", "string")]


def _place(table: Table, values: tuple[str, ...]) -> str:
    names = (f"{column.name}={value}" for column, value in zip(table.partition_columns, values, strict=True))
    return "/".join([table.location.rstrip("/"), *names]) + "/"


def _view_type(duckdb_type: Any, name: str) -> str:
    try:
        return str(storable_type(duckdb_type, name))
    except QueryFailed:
        return "string"  # what Glue can't name, as a time, a view may have all the same


def _with_properties(tokens: Tokens) -> dict[str, Any]:
    """Take WITH (key = value, ...) of CTAS and UNLOAD, where a value may be ARRAY[...]."""
    found: dict[str, Any] = {}
    tokens.expect("(")
    while not tokens.take(")"):
        key = tokens.value().lower()
        tokens.expect("=")
        if tokens.take("ARRAY", "["):
            values = []
            while not tokens.take("]"):
                values.append(tokens.value())
                tokens.take(",")
            found[key] = values
        else:
            found[key] = tokens.value()
        if not tokens.take(",") and not tokens.is_next(")"):
            raise tokens.mismatch("')'")
    return found
