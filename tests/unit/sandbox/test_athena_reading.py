"""Types, DDL, statements, projections and JSON paths, read from text."""

import doctest
from datetime import UTC, datetime

import pytest

from sandbox.services.athena import (
    ddl,
    errors,
    functions,
    hive_types,
    json_paths,
    projection,
    python_functions,
    results,
    statements,
)
from sandbox.services.athena.catalog import Column, Table
from sandbox.services.athena.errors import QueryFailed, QueryRefused
from sandbox.services.athena.table_forms import made_table


@pytest.mark.parametrize(
    "module", [ddl, errors, functions, hive_types, json_paths, python_functions], ids=lambda module: module.__name__
)
def test_examples_of_the_docstrings(module):
    outcome = doctest.testmod(module)
    assert outcome.attempted
    assert not outcome.failed


@pytest.mark.parametrize(
    "text", ["", "nonsense", "array<int", "map<int>", "struct<a int", "int>", "array<>", "decimal(", "int int"]
)
def test_a_type_that_is_none_is_refused(text):
    with pytest.raises(QueryFailed, match="HIVE_METASTORE_ERROR"):
        hive_types.parse_type(text)


def test_create_table_is_read_to_the_end():
    made = ddl.read_create_table(
        """CREATE EXTERNAL TABLE IF NOT EXISTS `Shop`.`Orders` ( -- of all years
            id BIGINT COMMENT 'it''s the key', `to` STRUCT<a:ARRAY<INT>,`b c`:DECIMAL(10,2)> )
        COMMENT 'orders' PARTITIONED BY (day DATE, region STRING)
        ROW FORMAT DELIMITED FIELDS TERMINATED BY '\\t' ESCAPED BY '\\\\' COLLECTION ITEMS TERMINATED BY '\\002'
        STORED AS TEXTFILE LOCATION 's3://b/orders' TBLPROPERTIES ("a"='1', 'b'="2")""",
        "default",
    )
    assert (made.database, made.name, made.if_not_exists, made.external) == ("shop", "orders", True, True)
    assert made.columns == [
        ("id", "BIGINT", "it's the key"),
        ("to", "STRUCT<a:ARRAY<INT>,`b c`:DECIMAL(10,2)>", ""),
    ]
    assert made.delimiters == {"field.delim": "\t", "escape.delim": "\\", "colelction.delim": "\x02"}
    assert made.properties == {"a": "1", "b": "2"}
    table = made_table(made)
    assert [column.type for column in table.all_columns] == [
        "bigint",
        "struct<a:array<int>,b c:decimal(10,2)>",
        "date",
        "string",
    ]


def test_a_mistake_in_ddl_is_shown_where_it_is():
    with pytest.raises(QueryFailed, match=r"line 2:1 mismatched input 'LOCATON' expecting <EOF>"):
        ddl.read_create_table("CREATE EXTERNAL TABLE t (a INT)\nLOCATON 's3://b/'", "default")


@pytest.mark.parametrize(
    ("text", "kind", "substatement"),
    [
        ("-- why\n/* what */ (SELECT 1)", "DML", "SELECT"),
        ("WITH x AS (SELECT 1 AS a) SELECT a FROM x;", "DML", "SELECT"),
        ("create table t with (format='PARQUET') as select 1 as a", "DDL", "CREATE_TABLE_AS_SELECT"),
        ("CREATE EXTERNAL TABLE t (a INT) LOCATION 's3://b/as'", "DDL", "CREATE_TABLE"),
        ("INSERT INTO t VALUES (1)", "DML", "INSERT"),
        ("MSCK REPAIR TABLE t", "DDL", "MSCK_REPAIR_TABLE"),
        ("SHOW PARTITIONS t", "UTILITY", "SHOW_PARTITIONS"),
    ],
)
def test_a_statement_is_known_by_its_first_words(text, kind, substatement):
    read = statements.read(text)
    assert (read.kind, read.substatement) == (kind, substatement)


@pytest.mark.parametrize(
    "text", ["", "-- only a comment", "blah", "SELECT", "SELECT FROM t", "SELECT (1", "GRANT ALL ON t"]
)
def test_what_is_no_statement_is_refused_before_it_runs(text):
    with pytest.raises(QueryRefused, match=r"line \d+:\d+: |statement"):
        statements.read(text)


def test_parameters_take_the_places_of_question_marks_alone():
    read = statements.read("SELECT '?', \"?\" FROM t WHERE a = ? AND b = ? -- ?")
    assert statements.filled(read, ["1", "'x'"]).text == "SELECT '?', \"?\" FROM t WHERE a = 1 AND b = 'x' -- ?"
    for wrong in ([], ["1"], ["1", "2", "3"]):
        with pytest.raises(QueryRefused, match="INVALID_PARAMETER_USAGE"):
            statements.filled(read, wrong)


def projected(**parameters):
    return Table(
        database="d",
        name="t",
        columns=(Column(name="v", type="int"),),
        partition_columns=(Column(name="p", type="string"),),
        location="s3://b/t/",
        parameters={f"projection.p.{name}": value for name, value in parameters.items()},
    )


NOW = datetime(2026, 3, 31, 5, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("parameters", "values"),
    [
        ({"type": "enum", "values": "a, b"}, ["a", "b"]),
        ({"type": "integer", "range": "8,10", "digits": "3"}, ["008", "009", "010"]),
        ({"type": "integer", "range": "0,9", "interval": "4"}, ["0", "4", "8"]),
        ({"type": "date", "format": "yyyy-MM-dd", "range": "NOW-1DAYS,NOW"}, ["2026-03-30", "2026-03-31"]),
        ({"type": "date", "format": "yyyy/MM", "range": "2025/12,NOW-1MONTH"}, ["2025/12", "2026/01", "2026/02"]),
        (
            {"type": "date", "format": "yyyy/MM/dd/HH", "range": "2026/03/31/04,NOW", "interval.unit": "HOURS"},
            ["2026/03/31/04", "2026/03/31/05"],
        ),
    ],
)
def test_projected_values(parameters, values):
    found = projection.project(projected(**parameters), {}, NOW)
    assert [partition.values for partition in found] == [(value,) for value in values]
    assert [partition.location for partition in found] == [f"s3://b/t/p={value}/" for value in values]


def test_a_projection_without_what_it_needs_is_refused():
    with pytest.raises(QueryFailed, match=r"projection\.p\.range of t is missing"):
        projection.project(projected(type="integer"), {}, NOW)
    with pytest.raises(QueryFailed, match="For the injected projected partition column p"):
        projection.project(projected(type="injected"), {}, NOW)


@pytest.mark.parametrize(
    ("value", "text"),
    [(1e7, "1.0E7"), (9999999.0, "9999999.0"), (0.001, "0.001"), (1.5e-4, "1.5E-4"), (-2e300, "-2.0E300"), (0.0, "0.0"),
     (float("nan"), "NaN"), (float("-inf"), "-Infinity"), (123456789.125, "1.23456789125E8")],
)  # fmt: skip
def test_doubles_are_written_as_java_does(value, text):
    assert python_functions.double_text(value) == text


def test_pages_of_a_result_meet_without_a_gap(tmp_path):
    path = tmp_path / "result.csv"
    path.write_bytes(b'"a","b"\n"1",\n,"x\ny"\n"3",""\n')
    rows, following = results.read_page(path, 0, 2, is_csv=True)
    assert rows == [
        {"Data": [{"VarCharValue": "a"}, {"VarCharValue": "b"}]},
        {"Data": [{"VarCharValue": "1"}, {}]},
    ]
    rest, end = results.read_page(path, following, 2, is_csv=True)
    assert rest == [
        {"Data": [{}, {"VarCharValue": "x\ny"}]},
        {"Data": [{"VarCharValue": "3"}, {"VarCharValue": ""}]},
    ]
    assert end is None
