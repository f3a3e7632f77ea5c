"""Athena as its clients see it: PyAthena's cursors and boto3, over real HTTP."""
# ruff: noqa: S608 (statements of a test are put together from its own texts)

import json
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from pyathena.cursor import DictCursor
from pyathena.error import DatabaseError
from pyathena.pandas.cursor import PandasCursor

from tests.lake import BUCKET, RESULTS, connected, rows


class TestClients:
    def test_default_cursor(self, cursor, numbers):
        assert rows(cursor, "SELECT n FROM numbers ORDER BY n") == [(n,) for n in range(2500)]
        assert cursor.output_location == f"{RESULTS}{cursor.query_id}.csv"
        assert (cursor.statement_type, cursor.state, cursor.work_group) == ("DML", "SUCCEEDED", "primary")
        assert cursor.data_scanned_in_bytes == sum(len(f"{n}\tname {n}\n") for n in range(2500))

    def test_description_has_lengths(self, cursor, numbers):
        cursor.execute("SELECT *, 'abc' AS text FROM numbers LIMIT 1")
        assert [(d[0], d[1], d[4]) for d in cursor.description] == [
            ("n", "integer", 10), ("name", "varchar", 20), ("text", "varchar", 3),
        ]  # fmt: skip

    def test_dict_cursor(self, sandbox, numbers):
        with connected(sandbox).cursor(DictCursor) as cursor:
            assert rows(cursor, "SELECT * FROM numbers WHERE n = 7") == [{"n": 7, "name": "name 7"}]

    @pytest.mark.parametrize("unload", [False, True])
    def test_pandas_cursor(self, sandbox, numbers, unload, monkeypatch):
        for name, value in sandbox.running.environment.items():  # its file system takes no endpoint but the variable
            monkeypatch.setenv(name, value)
        with connected(sandbox).cursor(PandasCursor, unload=unload) as cursor:
            # PyAthena's default engine of unloaded results warns with pandas 3.
            options = {"engine": "pyarrow"} if unload else {}
            frame = cursor.execute("SELECT n, name FROM numbers ORDER BY n", **options).as_pandas()
        assert (len(frame), frame["n"].sum(), frame["name"].iloc[-1]) == (2500, 2500 * 2499 // 2, "name 2499")

    def test_null_and_empty_text_differ(self, cursor):
        assert rows(cursor, "SELECT '', CAST(NULL AS VARCHAR), 'NULL', ', \"x\"\n'") == [("", None, "NULL", ', "x"\n')]

    def test_parameters_of_the_client_and_of_the_service(self, cursor, numbers):
        assert rows(cursor, "SELECT name FROM numbers WHERE n = %(n)d", {"n": 3}) == [("name 3",)]
        found = rows(cursor, "SELECT n FROM numbers WHERE name = ? AND n < ?", ["'name 4'", "10"], paramstyle="qmark")
        assert found == [(4,)]

    def test_reuse_of_a_result(self, cursor, numbers):
        statement = f"SELECT count(*) FROM numbers -- {time.time()}"
        cursor.execute(statement, result_reuse_enable=True, result_reuse_minutes=5)
        assert not cursor.reused_previous_result
        assert rows(cursor, statement, result_reuse_enable=True, result_reuse_minutes=5) == [(2500,)]
        assert cursor.reused_previous_result

    def test_metadata(self, cursor, numbers):
        table = cursor.get_table_metadata("numbers")
        assert [(c.name, c.type, c.comment) for c in table.columns] == [
            ("n", "int", "the number"), ("name", "varchar(20)", None),
        ]  # fmt: skip
        assert table.location == f"s3://{BUCKET}/numbers"
        assert "shop" in [database.name for database in cursor.list_databases("AwsDataCatalog")]
        assert "numbers" in [table.name for table in cursor.list_table_metadata()]


class TestForms:
    def test_every_type_survives_a_text_table_and_parquet(self, cursor):
        values = (
            "true, CAST(127 AS TINYINT), CAST(-5 AS SMALLINT), 2147483647, 9223372036854775807, CAST(0.5 AS REAL), "
            "1.5E10, 'a text', TIMESTAMP '2026-01-02 03:04:05.678', DATE '2026-01-02', CAST('123' AS VARBINARY), "
            "ARRAY[1, 2], MAP(ARRAY['x'], ARRAY[4]), CAST(ROW(1, 'b') AS ROW(a INTEGER, b VARCHAR)), "
            "CAST(0.1 AS DECIMAL(10, 1))"
        )
        columns = (
            "b BOOLEAN, t TINYINT, s SMALLINT, i INT, l BIGINT, f FLOAT, d DOUBLE, x STRING, ts TIMESTAMP, dt DATE, "
            "bin BINARY, a ARRAY<int>, m MAP<string,int>, st STRUCT<a:int,b:string>, de DECIMAL(10,1)"
        )
        expected = (
            True, 127, -5, 2147483647, 9223372036854775807, 0.5, 1.5e10, "a text",
            datetime(2026, 1, 2, 3, 4, 5, 678000), date(2026, 1, 2), b"123", [1, 2], {"x": "4"},  # noqa: DTZ001 (Athena timestamps have no zone)
            {"a": "1", "b": "b"}, Decimal("0.1"),
        )  # fmt: skip
        for form in ("TEXTFILE", "PARQUET"):
            cursor.execute(
                f"CREATE EXTERNAL TABLE types_{form} ({columns}) STORED AS {form} LOCATION 's3://{BUCKET}/types/{form}'"
            )
            cursor.execute(f"INSERT INTO types_{form} SELECT {values}")
            assert cursor.rowcount == 1
            cursor.execute(f"INSERT INTO types_{form} (i) VALUES (NULL)")
            assert rows(cursor, f"SELECT * FROM types_{form} ORDER BY i") == [expected, (None,) * 15]

    def test_json_lines_whose_names_have_capitals(self, cursor, s3):
        lines = [{"userId": 1, "Address": {"zipCode": "x", "tags": ["a", "b"]}}, {"userId": 2, "extra": 5}]
        s3.put_object(Bucket=BUCKET, Key="people/a.json", Body="\n".join(map(json.dumps, lines)).encode())
        cursor.execute(
            "CREATE EXTERNAL TABLE people (userid INT, address STRUCT<zipcode:string,tags:array<string>>) "
            f"ROW FORMAT SERDE 'org.openx.data.jsonserde.JsonSerDe' LOCATION 's3://{BUCKET}/people/'"
        )
        statement = "SELECT userid, address.zipcode, cardinality(address.tags) FROM people ORDER BY 1"
        assert rows(cursor, statement) == [(1, "x", 2), (2, None, None)]
        assert [d[0] for d in cursor.description] == ["userid", "zipcode", "_col2"]

    def test_a_line_that_is_no_json_fails_the_query_unless_it_is_ignored(self, cursor, s3):
        s3.put_object(Bucket=BUCKET, Key="broken/a.json", Body=b'{"a": 1}\nnot json\n')
        serde = "ROW FORMAT SERDE 'org.openx.data.jsonserde.JsonSerDe'"
        cursor.execute(f"CREATE EXTERNAL TABLE strict (a INT) {serde} LOCATION 's3://{BUCKET}/broken/'")
        with pytest.raises(DatabaseError, match="HIVE_CURSOR_ERROR: Row is not a valid JSON Object"):
            cursor.execute("SELECT * FROM strict")
        cursor.execute(
            f"CREATE EXTERNAL TABLE lenient (a INT) {serde} WITH SERDEPROPERTIES ('ignore.malformed.json' = 'true') "
            f"LOCATION 's3://{BUCKET}/broken/'"
        )
        assert rows(cursor, "SELECT a FROM lenient WHERE a IS NOT NULL") == [(1,)]

    def test_csv_with_quotes_and_a_header(self, cursor, s3):
        s3.put_object(Bucket=BUCKET, Key="csv/a.csv", Body=b'id,text\n1,"a, ""b"""\n2,plain\n')
        cursor.execute(
            "CREATE EXTERNAL TABLE sheet (id INT, text STRING) "
            "ROW FORMAT SERDE 'org.apache.hadoop.hive.serde2.OpenCSVSerde' "
            f"LOCATION 's3://{BUCKET}/csv/' TBLPROPERTIES ('skip.header.line.count'='1')"
        )
        assert rows(cursor, "SELECT * FROM sheet ORDER BY id") == [(1, 'a, "b"'), (2, "plain")]

    def test_lines_taken_apart_by_a_regular_expression(self, cursor, s3):
        s3.put_object(Bucket=BUCKET, Key="logs/a.log", Body=b"GET /a 200\nnonsense\n")
        cursor.execute(
            "CREATE EXTERNAL TABLE logs (verb STRING, path STRING, status INT) "
            "ROW FORMAT SERDE 'org.apache.hadoop.hive.serde2.RegexSerDe' "
            "WITH SERDEPROPERTIES ('input.regex' = '(\\\\w+) (\\\\S+) (\\\\d+)') "
            f"LOCATION 's3://{BUCKET}/logs/'"
        )
        assert rows(cursor, "SELECT * FROM logs ORDER BY status") == [("GET", "/a", 200), (None, None, None)]

    def test_a_form_that_duckdb_can_not_read_is_refused(self, cursor):
        with pytest.raises(DatabaseError, match=r"The sandbox does not emulate the file format ORC\. AWS does\."):
            cursor.execute(f"CREATE EXTERNAL TABLE orc (a INT) STORED AS ORC LOCATION 's3://{BUCKET}/orc/'")


class TestPartitions:
    def test_added_repaired_shown_and_dropped(self, cursor, s3):
        for day in ("2026-01-01", "2026-01-02"):
            s3.put_object(Bucket=BUCKET, Key=f"events/day={day}/a.tsv", Body=f"{day}\n".encode())
        cursor.execute(
            "CREATE EXTERNAL TABLE events (text STRING) PARTITIONED BY (day DATE) "
            f"ROW FORMAT DELIMITED LOCATION 's3://{BUCKET}/events/'"
        )
        assert rows(cursor, "SELECT * FROM events") == []
        cursor.execute(
            f"ALTER TABLE events ADD PARTITION (day='2026-01-01') LOCATION 's3://{BUCKET}/events/day=2026-01-01/'"
        )
        assert rows(cursor, "SELECT * FROM events") == [("2026-01-01", date(2026, 1, 1))]
        assert rows(cursor, "MSCK REPAIR TABLE events")[-1] == (
            "Repair: Added partition to metastore events:day=2026-01-02",
        )
        assert rows(cursor, "SHOW PARTITIONS events") == [("day=2026-01-01",), ("day=2026-01-02",)]
        assert rows(cursor, "SELECT text FROM events WHERE day > DATE '2026-01-01'") == [("2026-01-02",)]
        assert cursor.data_scanned_in_bytes == len("2026-01-02\n")
        cursor.execute("ALTER TABLE events DROP PARTITION (day='2026-01-01')")
        assert rows(cursor, "SELECT count(*) FROM events") == [(1,)]

    def test_ctas_and_insert_make_partitions(self, cursor):
        cursor.execute(
            f"CREATE TABLE sales WITH (format = 'PARQUET', external_location = 's3://{BUCKET}/sales/', "
            "partitioned_by = ARRAY['region']) AS SELECT * FROM (VALUES (1, 'eu'), (2, 'us')) AS t(amount, region)"
        )
        assert cursor.rowcount == 2
        cursor.execute("INSERT INTO sales VALUES (3, 'ap'), (4, 'eu')")
        assert rows(cursor, "SHOW PARTITIONS sales") == [("region=ap",), ("region=eu",), ("region=us",)]
        assert rows(cursor, "SELECT sum(amount) FROM sales WHERE region = 'eu'") == [(5,)]
        assert ".parquet" not in rows(cursor, "SELECT DISTINCT \"$path\" FROM sales WHERE region = 'us'")[0][0]

    def test_projected_partitions_of_each_kind(self, cursor, s3):
        for endpoint in ("one", "two"):
            for hour in ("2026/01/01/00", "2026/01/01/01", "2026/01/02/00"):
                s3.put_object(Bucket=BUCKET, Key=f"capture/{endpoint}/{hour}/x.jsonl", Body=b'{"v": 1}\n')
        cursor.execute(
            "CREATE EXTERNAL TABLE projected (v INT) PARTITIONED BY (endpoint STRING, hour STRING) "
            "ROW FORMAT SERDE 'org.openx.data.jsonserde.JsonSerDe' "
            f"LOCATION 's3://{BUCKET}/capture/' TBLPROPERTIES ('projection.enabled'='true', "
            "'projection.endpoint.type'='injected', 'projection.hour.type'='date', "
            "'projection.hour.format'='yyyy/MM/dd/HH', 'projection.hour.range'='2026/01/01/00,NOW', "
            "'projection.hour.interval'='1', 'projection.hour.interval.unit'='HOURS', "
            f"'storage.location.template'='s3://{BUCKET}/capture/${{endpoint}}/${{hour}}/')"
        )
        where = "WHERE endpoint = 'one' AND hour >= '2026/01/01/01'"
        assert rows(cursor, f"SELECT endpoint, hour, v FROM projected {where} ORDER BY hour") == [
            ("one", "2026/01/01/01", 1), ("one", "2026/01/02/00", 1),
        ]  # fmt: skip
        with pytest.raises(DatabaseError, match="For the injected projected partition column endpoint"):
            cursor.execute("SELECT * FROM projected")


class TestChanges:
    def test_views_are_expanded_where_they_were_made(self, sandbox, cursor, numbers):
        cursor.execute("CREATE OR REPLACE VIEW few AS SELECT n, name AS label FROM numbers WHERE n < 3")
        cursor.execute("CREATE OR REPLACE VIEW fewer AS SELECT * FROM few WHERE n < 2")
        other = connected(sandbox)
        other._schema_name = "default"
        assert rows(other.cursor(), "SELECT label FROM shop.fewer ORDER BY n") == [("name 0",), ("name 1",)]
        assert ("fewer",) in rows(cursor, "SHOW VIEWS")
        cursor.execute("DROP VIEW fewer")
        assert ("fewer",) not in rows(cursor, "SHOW VIEWS")

    def test_rows_of_iceberg_tables_change(self, cursor):
        cursor.execute(
            f"CREATE TABLE stock (id INT, left_ INT) LOCATION 's3://{BUCKET}/stock/' "
            "TBLPROPERTIES ('table_type'='ICEBERG')"
        )
        cursor.execute("INSERT INTO stock VALUES (1, 10), (2, 20), (3, 30)")
        cursor.execute("UPDATE stock SET left_ = left_ - 1 WHERE id < 3")
        assert cursor.rowcount == 2
        cursor.execute("DELETE FROM stock WHERE id = 3")
        cursor.execute(
            "MERGE INTO stock s USING (SELECT 1 AS id, 5 AS n UNION ALL SELECT 9, 7) d ON s.id = d.id "
            "WHEN MATCHED THEN UPDATE SET left_ = d.n WHEN NOT MATCHED THEN INSERT (id, left_) VALUES (d.id, d.n)"
        )
        assert cursor.rowcount == 2
        assert rows(cursor, "SELECT * FROM stock ORDER BY id") == [(1, 5), (2, 19), (9, 7)]

    def test_rows_of_other_tables_do_not_change(self, cursor, numbers):
        with pytest.raises(DatabaseError, match="Modifying Hive table rows is only supported"):
            cursor.execute("DELETE FROM numbers WHERE n = 1")

    def test_unload_refuses_a_place_that_holds_something(self, cursor, numbers):
        statement = f"UNLOAD (SELECT n FROM numbers) TO 's3://{BUCKET}/out/' WITH (format = 'JSON')"
        cursor.execute(statement)
        with pytest.raises(DatabaseError, match="HIVE_PATH_ALREADY_EXISTS"):
            cursor.execute(statement)

    def test_prepared_statements(self, cursor, numbers):
        cursor.execute("PREPARE by_name FROM SELECT n FROM numbers WHERE name = ?")
        assert rows(cursor, "EXECUTE by_name USING 'name 12'") == [(12,)]
        cursor.execute("DEALLOCATE PREPARE by_name")
        with pytest.raises(DatabaseError, match="by_name was not found"):
            cursor.execute("EXECUTE by_name USING 'name 12'")


def test_captured_data_of_many_small_objects(sandbox, cursor, s3):
    line = {
        "captureData": {
            "endpointInput": {
                "observedContentType": "text/csv",
                "mode": "INPUT",
                "data": "4.1,blue,0",
                "encoding": "CSV",
            },
            "endpointOutput": {"observedContentType": "text/csv", "mode": "OUTPUT", "data": "0.5", "encoding": "CSV"},
        },
        "eventMetadata": {"eventId": "x", "inferenceTime": "2026-01-02T03:04:05Z"},
        "eventVersion": "0",
    }
    body = (json.dumps(line) + "\n").encode()
    with ThreadPoolExecutor(4) as threads:
        list(
            threads.map(
                lambda n: s3.put_object(
                    Bucket=BUCKET, Key=f"captured/cars/all/2026/01/02/{n // 100:02}/{n}.jsonl", Body=body
                ),
                range(300),
            )
        )
    text = "observedcontenttype:string,mode:string,data:string,encoding:string"
    cursor.execute(
        f"CREATE EXTERNAL TABLE captured (capturedata struct<endpointinput:struct<{text}>,endpointoutput:struct<{text}>>, "
        "eventmetadata struct<eventid:string,inferencetime:string>, eventversion string) "
        f"ROW FORMAT SERDE 'org.openx.data.jsonserde.JsonSerDe' LOCATION 's3://{BUCKET}/captured/'"
    )
    found = rows(
        cursor,
        "SELECT count(*), avg(CAST(capturedata.endpointoutput.data AS DOUBLE)), "
        "max(from_iso8601_timestamp(eventmetadata.inferencetime)) FROM captured",
    )
    assert found[0][:2] == (300, 0.5)
    assert found[0][2].replace(tzinfo=UTC) == datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
