"""SHOW and DESCRIBE: the catalog as text."""

import re
from collections.abc import Callable

from sandbox.services.athena.catalog import Catalog, Column, Table
from sandbox.services.athena.ddl import Tokens
from sandbox.services.athena.errors import QueryFailed, table_not_found
from sandbox.services.athena.projection import is_projected, project
from sandbox.services.athena.results import ColumnInfo, column_info
from sandbox.services.athena.statements import Statement

Lines = tuple[list[str], list[ColumnInfo]]


class ShowStatements:
    """Answers the statements that only look."""

    def __init__(self, catalog: Catalog, database: str) -> None:
        self._catalog = catalog
        self._database = database

    def run(self, statement: Statement) -> Lines:
        """Give the lines of the result and its columns. Raises: QueryFailed."""
        answers: dict[str, Callable[[Tokens], Lines]] = {
            "SHOW_DATABASES": self._databases,
            "SHOW_TABLES": self._tables,
            "SHOW_VIEWS": self._views,
            "SHOW_COLUMNS": self._columns,
            "SHOW_PARTITIONS": self._partitions,
            "SHOW_TBLPROPERTIES": self._properties,
            "SHOW_CREATE_TABLE": self._create_table,
            "SHOW_CREATE_VIEW": self._create_view,
            "DESCRIBE_TABLE": self._describe,
        }
        answer = answers.get(statement.substatement)
        if answer is None:
            raise QueryFailed("NOT_SUPPORTED", f"The sandbox does not emulate {statement.substatement}. AWS does.")
        return answer(Tokens(statement.text))

    def _find(self, tokens: Tokens) -> Table:
        database, name = tokens.table(self._database)
        table = self._catalog.table(database, name)
        if table is None:
            raise table_not_found("", database, name)
        return table

    def _databases(self, tokens: Tokens) -> Lines:
        tokens.expect("SHOW")
        tokens.either("DATABASES", "SCHEMAS")
        tokens.take("LIKE")
        matches = _pattern(tokens)
        names = [database["Name"] for database in self._catalog.databases()]
        return [name for name in names if matches(name)], [column_info("database_name", "string")]

    def _listed(self, tokens: Tokens, *, views: bool) -> list[str]:
        tokens.take("SHOW")
        tokens.take("TABLES") or tokens.take("VIEWS")
        database = tokens.name() if tokens.take("IN") or tokens.take("FROM") else self._database
        tokens.take("LIKE")
        matches = _pattern(tokens)
        if self._catalog.database(database) is None:
            raise QueryFailed("SCHEMA_NOT_FOUND", f"Database does not exist: {database}")
        return [
            table["Name"]
            for table in self._catalog.tables(database)
            if matches(table["Name"]) and (not views or table.get("TableType") == "VIRTUAL_VIEW")
        ]

    def _tables(self, tokens: Tokens) -> Lines:
        return self._listed(tokens, views=False), [column_info("tab_name", "string")]

    def _views(self, tokens: Tokens) -> Lines:
        return self._listed(tokens, views=True), [column_info("views", "string")]

    def _columns(self, tokens: Tokens) -> Lines:
        tokens.expect("SHOW", "COLUMNS")
        tokens.either("IN", "FROM")
        database, name = tokens.table(self._database)
        if tokens.take("IN") or tokens.take("FROM"):
            database = tokens.name()
        table = self._catalog.table(database, name)
        if table is None:
            raise table_not_found("", database, name)
        return [f"{column.name:<20}" for column in table.all_columns], [column_info("field", "string")]  # as Hive does

    def _partitions(self, tokens: Tokens) -> Lines:
        tokens.expect("SHOW", "PARTITIONS")
        table = self._find(tokens)
        if not table.partition_columns:
            raise QueryFailed("FAILED", f"SemanticException Table {table.name} is not a partitioned table")
        partitions = project(table, {}) if is_projected(table) else self._catalog.partitions(table)
        names = [column.name for column in table.partition_columns]
        lines = ["/".join(f"{n}={v}" for n, v in zip(names, p.values, strict=True)) for p in partitions]
        return sorted(lines), [column_info("partition", "string")]

    def _properties(self, tokens: Tokens) -> Lines:
        tokens.expect("SHOW", "TBLPROPERTIES")
        table = self._find(tokens)
        columns = [column_info("prpt_name", "string"), column_info("prpt_value", "string")]
        if not tokens.at_end:
            tokens.expect("(")
            key = tokens.value()
            return [
                table.parameters.get(key, f"Table {table.database}.{table.name} does not have property: {key}")
            ], columns
        return [f"{key}\t{value}" for key, value in sorted({"EXTERNAL": "TRUE", **table.parameters}.items())], columns

    def _create_view(self, tokens: Tokens) -> Lines:
        tokens.expect("SHOW", "CREATE", "VIEW")
        table = self._find(tokens)
        if table.view is None:
            raise QueryFailed(
                "NOT_SUPPORTED", f"line 1:1: Relation '{table.database}.{table.name}' is a table, not a view"
            )
        lines = [f"CREATE VIEW {table.database}.{table.name} AS", *table.view.splitlines()]
        return lines, [column_info("Create View", "varchar")]

    def _create_table(self, tokens: Tokens) -> Lines:
        tokens.expect("SHOW", "CREATE", "TABLE")
        table = self._find(tokens)
        if table.view is not None:
            raise QueryFailed(
                "NOT_SUPPORTED", f"line 1:1: Relation '{table.database}.{table.name}' is a view, not a table"
            )
        head = "CREATE TABLE" if table.is_iceberg else "CREATE EXTERNAL TABLE"
        lines = [f"{head} `{table.database}.{table.name}`(", *_column_lines(table.columns)]
        if table.comment:
            lines.append(f"COMMENT '{table.comment}'")
        if table.partition_columns:
            lines += ["PARTITIONED BY ( ", *_column_lines(table.partition_columns)]
        if not table.is_iceberg:
            lines += ["ROW FORMAT SERDE ", f"  '{table.serde}' "]
            if table.serde_parameters:
                lines += ["WITH SERDEPROPERTIES ( ", *_pairs(table.serde_parameters)]
            lines += [
                "STORED AS INPUTFORMAT ",
                f"  '{table.input_format}' ",
                "OUTPUTFORMAT ",
                f"  '{table.output_format}'",
            ]
        lines += ["LOCATION", f"  '{table.location}'"]
        if table.parameters:
            lines += ["TBLPROPERTIES (", *_pairs(table.parameters)]
        return lines, [column_info("createtab_stmt", "string")]

    def _describe(self, tokens: Tokens) -> Lines:
        tokens.either("DESC", "DESCRIBE")
        for word in ("EXTENDED", "FORMATTED", "VIEW"):
            tokens.take(word)
        table = self._find(tokens)
        lines = [f"{c.name:<20}\t{c.type:<20}\t{c.comment:<20}" for c in table.all_columns]
        if table.partition_columns:
            lines += [f"{'':<20}\t{'':<20}\t{'':<20}", f"{'# Partition Information':<20}\t{'':<20}\t{'':<20}"]
            lines += [f"{'# col_name':<20}\t{'data_type':<20}\t{'comment':<20}", f"{'':<20}\t{'':<20}\t{'':<20}"]
            lines += [f"{c.name:<20}\t{c.type:<20}\t{c.comment:<20}" for c in table.partition_columns]
        return lines, [column_info(name, "string") for name in ("col_name", "data_type", "comment")]


def _pattern(tokens: Tokens) -> Callable[[str], bool]:
    """Read a pattern of Hive: * for any text, | between choices."""
    if tokens.at_end:
        return lambda _: True
    text = tokens.string()
    expression = re.compile(text.replace("%", "*").replace(".*", "*").replace("*", ".*"), re.IGNORECASE)
    return lambda name: expression.fullmatch(name) is not None


def _column_lines(columns: tuple[Column, ...]) -> list[str]:
    lines = []
    for place, column in enumerate(columns):
        comment = f" COMMENT '{column.comment}'" if column.comment else ""
        end = ")" if place == len(columns) - 1 else ", "
        lines.append(f"  `{column.name}` {column.type}{comment}{end}")
    return lines


def _pairs(properties: dict[str, str]) -> list[str]:
    items = sorted(properties.items())
    return [f"  {_quoted(k)}={_quoted(v)}{')' if n == len(items) - 1 else ', '}" for n, (k, v) in enumerate(items)]


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace("'", "\\'").replace("\t", "\\t").replace("\n", "\\n")
    return f"'{escaped}'"
