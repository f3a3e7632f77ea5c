"""What PyAthena's own tests expect of Athena, where the sandbox once answered otherwise."""

import numpy as np
import pandas as pd
import pytest
from pyathena import OperationalError
from pyathena.cursor import Cursor
from pyathena.pandas.cursor import PandasCursor
from pyathena.pandas.util import to_sql

from tests.lake import BUCKET, connected, rows


@pytest.fixture
def connection(sandbox, numbers, monkeypatch):
    """A connection whose S3 and Glue clients find the sandbox too: they take no endpoint but the variable."""
    for name, value in sandbox.running.environment.items():
        monkeypatch.setenv(name, value)
    with connected(sandbox) as connection:
        yield connection


def test_shown_columns_are_as_wide_as_hive_writes_them(cursor, numbers):
    assert rows(cursor, "SHOW COLUMNS IN numbers") == [(f"{'n':<20}",), (f"{'name':<20}",)]


def test_columns_of_unloaded_results_may_be_null(connection):
    cursor = connection.cursor(PandasCursor, unload=True)
    cursor.execute("SELECT n, ARRAY[n] AS a, ROW(n, name) AS r FROM numbers", engine="pyarrow")
    assert {column[6] for column in cursor.description} == {"NULLABLE"}
    assert len(cursor.as_pandas()) == 2500


def test_numbers_with_a_point_are_doubles(connection):
    frame = connection.cursor(PandasCursor).execute("SELECT * FROM (VALUES (0.33), (NULL)) AS t (x)").as_pandas()
    np.testing.assert_equal(frame["x"].tolist(), [0.33, np.nan])


def test_metadata_is_what_glue_has(connection):
    cursor = connection.cursor(Cursor)
    cursor.execute("CREATE OR REPLACE VIEW looked_at AS SELECT n FROM numbers")
    by_athena = {table.name: table.parameters for table in cursor.list_table_metadata()}
    by_glue = {table.name: table.parameters for table in connection._glue.list_tables("AwsDataCatalog", "shop")}
    assert by_athena["looked_at"]["location"] == ""
    assert by_athena == by_glue


def test_a_table_is_kept_as_athena_writes_it(cursor):
    cursor.execute(
        "CREATE EXTERNAL TABLE kept (a INT) COMMENT '\nin two\n lines' "
        f"ROW FORMAT SERDE 'org.openx.data.jsonserde.JsonSerDe' LOCATION 's3://{BUCKET}/kept/'"
    )
    table = cursor.get_table_metadata("kept")
    assert (table.location, table.comment) == (f"s3://{BUCKET}/kept", " in two lines")
    assert table.output_format == "org.apache.hadoop.hive.ql.io.IgnoreKeyTextOutputFormat"


class TestInformationSchema:
    def test_tables_views_and_databases(self, cursor, numbers):
        cursor.execute("CREATE OR REPLACE VIEW informed AS SELECT n FROM numbers")
        kinds = rows(
            cursor,
            "SELECT table_name, table_type FROM information_schema.tables t "
            "WHERE t.table_schema = 'shop' AND table_name IN ('numbers', 'informed') ORDER BY 1",
        )
        assert kinds == [("informed", "VIEW"), ("numbers", "BASE TABLE")]
        assert rows(cursor, "SELECT view_definition FROM information_schema.views WHERE table_name = 'informed'") == [
            ("SELECT n FROM numbers",)
        ]
        assert {"default", "shop"} <= {
            name for (name,) in rows(cursor, "SELECT schema_name FROM information_schema.schemata")
        }

    def test_columns_with_their_types(self, cursor):
        cursor.execute(
            "CREATE EXTERNAL TABLE informed_of (a FLOAT COMMENT 'how much', b ARRAY<STRUCT<c:INT>>) "
            f"PARTITIONED BY (d STRING) LOCATION 's3://{BUCKET}/informed_of/'"
        )
        found = rows(
            cursor,
            "SELECT ordinal_position, column_name, data_type, comment, extra_info FROM information_schema.columns "
            "WHERE table_schema = 'shop' AND table_name = 'informed_of' ORDER BY ordinal_position",
        )
        assert found == [
            (1, "a", "real", "how much", None),
            (2, "b", "array(row(c integer))", None, None),
            (3, "d", "varchar", None, "partition key"),
        ]

    def test_another_table_is_missing(self, cursor):
        with pytest.raises(OperationalError, match=r"TABLE_NOT_FOUND: .*information_schema\.nothing"):
            cursor.execute("SELECT * FROM information_schema.nothing")


def test_a_data_frame_becomes_a_table_with_partitions(connection):
    frame = pd.DataFrame({"n": range(4), "half": [0.0, 0.5, 1.0, 1.5], "parity": ["even", "odd"] * 2})

    def put(if_exists):
        place = f"s3://{BUCKET}/from_frame/"
        to_sql(frame, "from_frame", connection, place, schema="shop", if_exists=if_exists, partitions=["parity"])

    put("fail")
    with pytest.raises(OperationalError, match="already exists"):
        put("fail")
    put("replace")
    cursor = connection.cursor(Cursor)
    assert sorted(rows(cursor, "SHOW PARTITIONS from_frame")) == [("parity=even",), ("parity=odd",)]
    assert rows(cursor, "SELECT sum(half) FROM from_frame WHERE parity = 'odd'") == [(2.0,)]
