"""Runs one statement: what it changes and what it gives."""

import tempfile
import threading
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any, Final

import duckdb
from sqlglot import exp

from sandbox.cloud import Cloud
from sandbox.services.athena import iceberg, statements
from sandbox.services.athena.catalog import Catalog, Table
from sandbox.services.athena.dialect import parse
from sandbox.services.athena.errors import QueryFailed, QueryRefused, from_duckdb, not_emulated, table_not_found
from sandbox.services.athena.hive_types import quoted
from sandbox.services.athena.information import INFORMATION_SCHEMA, put_table
from sandbox.services.athena.results import ColumnInfo, column_info, columns_of, formatter, write_header, write_rows
from sandbox.services.athena.scan import Scanner, split_location
from sandbox.services.athena.statements import Statement
from sandbox.services.athena.table_statements import TableStatements
from sandbox.services.athena.translation import UNNAMED, Translation
from sandbox.services.athena.writer import Writer, Written

_ROWS_AT_ONCE: Final = 5_000
_DEEPEST_VIEW: Final = 50  # of views on views; deeper is a circle
_COUNTED: Final = ("rows", "bigint", 19)
_LOCKS: "defaultdict[str, threading.Lock]" = defaultdict(threading.Lock)  # of tables that are changed in place
_LOCKS_LOCK = threading.Lock()


@dataclass(kw_only=True)
class Job:
    """A statement to run. `prepared` gives the text of a prepared statement of the work group."""

    execution_id: str
    statement: Statement
    database: str
    output: str  # the folder of its result, s3://bucket/prefix/
    parameters: list[str] = field(default_factory=list)
    cursor: duckdb.DuckDBPyConnection
    prepared: Callable[[str], str]
    cancelled: threading.Event = field(default_factory=threading.Event)


@dataclass(kw_only=True)
class Outcome:
    """What a statement gave."""

    output: str
    columns: list[ColumnInfo] = field(default_factory=list)
    update_count: int | None = None
    rows: int = 0  # of the result
    manifest: str | None = None
    bytes_read: int = 0


class Runner:
    """Runs the statements of one region."""

    def __init__(self, cloud: Cloud, region: str) -> None:
        self._cloud = cloud
        self.catalog = Catalog(cloud.client("glue", region))
        self._s3 = cloud.client("s3", region)

    def run(self, job: Job) -> Outcome:
        """Run a statement to its end. Raises: QueryFailed."""
        run = _Run(self._cloud, self.catalog, self._s3, job)
        try:
            return run.run()
        except duckdb.Error as err:
            raise from_duckdb(err, job.statement.text) from err
        except QueryRefused as err:
            raise QueryFailed("SYNTAX_ERROR", str(err)) from err

    def nothing(self, job: Job) -> Outcome:
        """Write the empty result of a statement that gives nothing."""
        return _Run(self._cloud, self.catalog, self._s3, job).text([], [])


class _Run:
    def __init__(self, cloud: Cloud, catalog: Catalog, s3: Any, job: Job) -> None:
        self._cloud = cloud
        self._catalog = catalog
        self._s3 = s3
        self._job = job
        self._cursor = job.cursor
        self._scanner = Scanner(job.cursor, catalog, cloud.objects)
        self._writer = Writer(job.cursor, s3, job.execution_id)
        self.translation = Translation(job.cursor, self._source, job.statement.text)
        self._view_depth = 0
        self._columns: dict[str, int | None] = {}  # of the last table: their lengths, of those that have one

    def run(self) -> Outcome:
        statement = self._job.statement
        if statement.substatement == "EXECUTE":
            statement = self._prepared(statement.text)
        statement = statements.filled(statement, self._job.parameters)
        by_kind: dict[str, Callable[[Statement], Outcome]] = {
            "SELECT": self._select,
            "INSERT": self._insert,
            "CREATE_TABLE_AS_SELECT": self._create_table_as,
            "CREATE_VIEW": self._create_view,
            "UPDATE": self._change,
            "DELETE": self._change,
            "MERGE": self._change,
            "UNLOAD": self._unload,
            "EXPLAIN": self._explain,
        }
        handler = by_kind.get(statement.substatement)
        outcome = handler(statement) if handler else self._table_statement(statement)
        outcome.bytes_read = self._scanner.bytes_read
        return outcome

    # Where the names of a query lead.

    def _source(
        self, database: str | None, name: str, conditions: list[exp.Expression], place: str, with_path: object
    ) -> str:
        if (database or self._job.database) == INFORMATION_SCHEMA:
            made = put_table(self._cursor, self._catalog, name)
            if made is None:
                raise table_not_found(place, INFORMATION_SCHEMA, name)
            self._columns = {}
            return made
        table = self._table(database or self._job.database, name, place)
        if table.view is None:
            self._columns = {c.name: c.kind.sizes[0] if c.kind.name == "varchar" else None for c in table.all_columns}
            return self._scanner.view(table, conditions, with_path=bool(with_path))
        self._view_depth += 1
        if self._view_depth > _DEEPEST_VIEW:
            raise QueryFailed("VIEW_IS_RECURSIVE", f"{place}Statement would create a recursive view")
        inner = Translation(
            self._cursor, lambda d, n, c, at, p: self._source(d or table.database, n, c, at, p), table.view
        )
        view = f"view {self._view_depth} {table.database}.{table.name}"
        self._cursor.execute(f"CREATE TEMP VIEW {quoted(view)} AS {inner.query(parse(table.view))}")
        return view

    def _table(self, database: str, name: str, place: str = "line 1:1: ") -> Table:
        table = self._catalog.table(database, name)
        if table is not None:
            return table
        if self._catalog.database(database) is None:
            raise QueryFailed("SCHEMA_NOT_FOUND", f"{place}Schema '{database}' does not exist")
        raise table_not_found(place, database, name)

    def _prepared(self, text: str) -> Statement:
        tokens = text.split(None, 2)
        name = tokens[1].strip('"')
        rest = tokens[2] if len(tokens) > 2 else ""
        if rest.upper().startswith("USING"):
            values = parse(f"SELECT {rest[5:]}")
            self._job.parameters = [value.sql("trino") for value in values.expressions]
        return statements.read(self._job.prepared(name))

    # Statements that give rows.

    def _select(self, statement: Statement) -> Outcome:
        tree = _tree(statement)
        query = self.translation.query(tree)
        reader = self._cursor.execute(query)
        columns = _renamed(columns_of(reader.description or []), tree)
        for column, size in zip(columns, self._sizes(tree, len(columns)), strict=True):
            column["Precision"] = size or column["Precision"]
        output = f"{self._job.output}{self._job.execution_id}.csv"
        with tempfile.TemporaryFile(prefix="athena-") as file:
            write_header(file, columns)
            formatters = [formatter(column[1]) for column in reader.description or []]
            count = 0
            while rows := reader.fetchmany(_ROWS_AT_ONCE):
                self._stop_if_cancelled()
                write_rows(file, rows, formatters)
                count += len(rows)
            file.seek(0)
            self._put(output, file)
        return Outcome(output=output, columns=columns, rows=count)

    def _sizes(self, tree: exp.Expression, count: int) -> list[int | None]:
        """Give the length n of those columns that are varchar(n) by themselves, or in the one table they are of."""
        if not isinstance(tree, exp.Select):
            return [None] * count
        columns = (
            list(self._columns.items()) if tree.find(exp.Table) and len(list(tree.find_all(exp.Table))) == 1 else []
        )
        sizes: list[int | None] = []
        for item in tree.expressions:
            sizes += [size for _, size in columns] if item.is_star else [_size(item.unalias(), dict(columns))]
        return sizes if len(sizes) == count else [None] * count

    def _explain(self, statement: Statement) -> Outcome:
        text = statement.text.split(None, 1)[1]
        if text.upper().startswith(("ANALYZE", "(")):
            raise not_emulated("EXPLAIN with options")
        query = self.translation.query(parse(text))
        plan = self._cursor.execute(f"EXPLAIN {query}").fetchall()[0][1]
        return self.text(["Query Plan (of DuckDB)", *plan.splitlines()], [column_info("Query Plan", "varchar")])

    def _table_statement(self, statement: Statement) -> Outcome:
        lines, columns = TableStatements(self._catalog, self._cloud.objects, self._s3, self._job.database).run(
            statement
        )
        return self.text(lines, columns)

    def text(self, lines: list[str], columns: list[ColumnInfo]) -> Outcome:
        """Write a result that is lines of text."""
        output = f"{self._job.output}{self._job.execution_id}.txt"
        bucket, _, key = output.removeprefix("s3://").partition("/")
        self._s3.put_object(Bucket=bucket, Key=key, Body="".join(f"{line}\n" for line in lines).encode())
        return Outcome(output=output, columns=columns)

    # Statements that write.

    def _insert(self, statement: Statement) -> Outcome:
        tree = _tree(statement)
        target = tree.this
        names = [c.name.lower() for c in target.expressions] if isinstance(target, exp.Schema) else []
        target = target.this if isinstance(target, exp.Schema) else target
        table = self._table(target.db.lower() or self._job.database, target.name)
        names = names or [column.name for column in table.all_columns]
        query = tree.expression
        if tree.args.get("with_"):
            query.set("with_", tree.args["with_"])
        source = self.translation.query(query, named=False)
        given = len(self._cursor.execute(f"SELECT * FROM ({source}) LIMIT 0").description or [])
        if given != len(names) or not set(names) <= {column.name for column in table.all_columns}:
            raise QueryFailed(
                "TYPE_MISMATCH",
                f"Insert query has mismatched column types: Table has {len(names)} columns, query gives {given}",
            )
        positions = {name: f"CAST(given.c{place} AS {{}})" for place, name in enumerate(names)}
        columns = [
            f"{positions.get(column.name, 'CAST(NULL AS {})').format(column.kind.duckdb)} AS {quoted(column.name)}"
            for column in table.all_columns
        ]
        listed = ", ".join(f"c{place}" for place in range(given))
        self._cursor.execute(
            f"CREATE TEMP TABLE written AS SELECT {', '.join(columns)} FROM ({source}) AS given({listed})"
        )
        return self._wrote(self._append(table), folder="")

    def _append(self, table: Table) -> Written:
        if table.is_iceberg:
            with _lock_of(table):
                written = self._writer.write("written", replace(table, location=table.location.rstrip("/") + "/data/"))
                new = [key.removeprefix("s3://").partition("/")[2] for key in written.objects]
                iceberg.replace(self._s3, table, iceberg.keys(self._cloud.objects, table) + new)
            return written
        written = self._writer.write("written", table)
        self._add_partitions(table, written)
        return written

    def _add_partitions(self, table: Table, written: Written) -> None:
        TableStatements(self._catalog, self._cloud.objects, self._s3, self._job.database).add_missing(
            table, written.partitions
        )

    def _create_table_as(self, statement: Statement) -> Outcome:
        split = statements.split_ctas(statement.text)
        assert split is not None  # noqa: S101 (that is what made it this kind of statement)
        making = TableStatements(self._catalog, self._cloud.objects, self._s3, self._job.database)
        query = self.translation.query(_tree(statement))
        described = self._cursor.execute(f"SELECT * FROM ({query}) LIMIT 0").description or []
        made = making.table_as(split[0], described, f"{self._job.output}tables/{self._job.execution_id}/")
        if made.exists:
            return self._wrote(Written(), folder="tables/")
        data = "" if made.with_data else " LIMIT 0"
        self._cursor.execute(f"CREATE TEMP TABLE written AS SELECT * FROM ({query}){data}")
        for column in made.table.all_columns:
            self._cursor.execute(f"ALTER TABLE written ALTER {quoted(column.name)} SET DATA TYPE {column.kind.duckdb}")
        if made.table.is_iceberg:
            written = self._append(made.table)
            self._catalog.create_table(made.table)
        else:
            written = self._writer.write("written", made.table)
            self._catalog.create_table(made.table)
            self._add_partitions(made.table, written)
        return self._wrote(written, folder="tables/")

    def _create_view(self, statement: Statement) -> Outcome:
        head, text = statements.split_view(statement.text)
        query = self.translation.query(_tree(statement))
        described = self._cursor.execute(f"SELECT * FROM ({query}) LIMIT 0").description or []
        TableStatements(self._catalog, self._cloud.objects, self._s3, self._job.database).create_view(
            head, text, described
        )
        return self.text([], [])

    def _change(self, statement: Statement) -> Outcome:
        """Run UPDATE, DELETE or MERGE on a copy of the table, then put the copy in its place."""
        tree = _tree(statement)
        target = tree.this
        table = self._table(target.db.lower() or self._job.database, target.name)
        if not table.is_iceberg:
            raise QueryFailed("NOT_SUPPORTED", "Modifying Hive table rows is only supported for transactional tables")
        with _lock_of(table):
            current = self._scanner.view(table, [], with_path=False)
            self._cursor.execute(f"CREATE TEMP TABLE changed AS SELECT * FROM {quoted(current)}")
            self._cursor.execute(self.translation.change(tree, "changed"))
            count = self._cursor.fetchall()[0][0]
            written = Written(rows=count)
            if count:
                moved = replace(table, location=table.location.rstrip("/") + "/data/")
                written.objects = self._writer.write("changed", moved).objects
                iceberg.replace(
                    self._s3, table, [key.removeprefix("s3://").partition("/")[2] for key in written.objects]
                )
        return self._wrote(written, folder="")

    def _unload(self, statement: Statement) -> Outcome:
        query, table_of = TableStatements(self._catalog, self._cloud.objects, self._s3, self._job.database).unload(
            statement.text
        )
        source = self.translation.query(parse(query))
        described = self._cursor.execute(f"SELECT * FROM ({source}) LIMIT 0").description or []
        table = table_of(described)
        bucket, prefix = split_location(table.location)
        if self._cloud.objects.listing(bucket, prefix):
            raise QueryFailed("HIVE_PATH_ALREADY_EXISTS", f"Target directory {table.location} is not empty")
        self._cursor.execute(f"CREATE TEMP TABLE written AS {source}")
        return self._wrote(self._writer.write("written", table), folder="")

    def _wrote(self, written: Written, *, folder: str) -> Outcome:
        """Write the list of what was written, as Athena does."""
        output = f"{self._job.output}{folder}{self._job.execution_id}"
        manifest = f"{output}-manifest.csv"
        bucket, _, key = manifest.removeprefix("s3://").partition("/")
        self._s3.put_object(Bucket=bucket, Key=key, Body="".join(f"{name}\n" for name in written.objects).encode())
        name, kind, precision = _COUNTED
        return Outcome(
            output=output, manifest=manifest, update_count=written.rows, columns=[column_info(name, kind, precision)]
        )

    def _put(self, location: str, file: Any) -> None:
        bucket, _, key = location.removeprefix("s3://").partition("/")
        self._s3.upload_fileobj(file, bucket, key)

    def _stop_if_cancelled(self) -> None:
        if self._job.cancelled.is_set():
            raise QueryFailed("CANCELLED", "Query cancelled by user")


def _lock_of(table: Table) -> threading.Lock:
    with _LOCKS_LOCK:
        return _LOCKS[f"{table.database}.{table.name}"]


def _tree(statement: Statement) -> exp.Expression:
    assert statement.tree is not None  # noqa: S101 (these statements were parsed)
    return statement.tree.copy()


def _size(item: exp.Expression, columns: dict[str, int | None]) -> int | None:
    if isinstance(item, exp.Column):
        return columns.get(item.name.lower())
    if isinstance(item, exp.Literal) and item.is_string:
        return len(item.name)
    if isinstance(item, exp.Cast) and item.to.this.name in {"VARCHAR", "CHAR"} and item.to.expressions:
        return int(item.to.expressions[0].name)
    return None


def _renamed(columns: list[ColumnInfo], tree: exp.Expression) -> list[ColumnInfo]:
    """Give columns without a name the one that Trino gives them: their place."""
    for place, column in enumerate(columns):
        name = column["Name"]
        if name.startswith(UNNAMED) or (isinstance(tree, exp.Values) and name == f"col{place}"):
            column["Name"] = column["Label"] = f"_col{place}"
    return columns
