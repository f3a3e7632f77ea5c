"""A row for each place where DuckDB would silently answer otherwise than Trino."""
# ruff: noqa: S608 (statements of a test are put together from its own texts)

import pytest
from pyathena import connect
from pyathena.error import DatabaseError

from sandbox.settings import ACCESS_KEY, REGION, SECRET_KEY

# Expected values: Trino's documentation of functions and operators, and its rules for types, worked by hand.
SAME_AS_TRINO = [
    ("7 / 2", 3),
    ("-7 / 2", -3),
    ("1.5 / 4", 0.375),  # a double to Athena
    ("DECIMAL '1.0' / 3", 0.3),
    ("typeof(1.5)", "double"),
    ("typeof(DECIMAL '1.5')", "decimal(2,1)"),
    ("CAST(0.1 AS VARCHAR)", "0.1"),
    ("1.0 / 0", float("inf")),
    ("1e0 / 4", 0.25),
    ("CAST(1 AS DOUBLE) / 0", float("inf")),
    ("-5 % 3", -2),
    ("ARRAY[10, 20][1]", 10),
    ("element_at(ARRAY[10, 20], -1)", 20),
    ("element_at(ARRAY[10, 20], 5)", None),
    ("element_at(MAP(ARRAY['a'], ARRAY[1]), 'b')", None),
    ("MAP(ARRAY['a'], ARRAY[1])['a']", 1),
    ("try(ARRAY[1][3])", None),
    ("try(1 / 0)", None),
    ("try(CAST('x' AS INTEGER))", None),
    ("TRY_CAST('1.5' AS INTEGER)", None),
    ("CAST(2.5e0 AS INTEGER)", 3),
    ("CAST(-2.5e0 AS INTEGER)", -3),
    ("CAST('abc' AS VARCHAR(2))", "ab"),
    ("CAST(TIMESTAMP '2026-01-02 03:04:05' AS VARCHAR)", "2026-01-02 03:04:05.000"),
    ("CAST(true AS VARCHAR)", "true"),
    ("CAST(0.00001e0 AS VARCHAR)", "1.0E-5"),
    ("CAST(json_extract('{\"a\": \"b\"}', '$.a') AS VARCHAR)", "b"),
    ("CAST(json_parse('[1, 2]') AS ARRAY(INTEGER))", [1, 2]),
    ("json_format(CAST('a' AS JSON))", '"a"'),
    ("json_extract_scalar('{\"a\": {\"b\": 5}}', '$.a.b')", "5"),
    ("json_extract_scalar('{\"a\": {\"b\": 5}}', '$.a')", None),
    ("json_extract_scalar('no json', '$.a')", None),
    ("json_extract_scalar('{\"a b\": [1, 2]}', '$[\"a b\"][1]')", "2"),
    ("json_value('{\"a\": [{\"b\": 7}]}', 'lax $.a.b')", "7"),
    ("json_value('{\"a\": [{\"b\": 7}]}', 'strict $.a.b')", None),
    ("json_value('{\"a\": 1}', 'lax $.a' RETURNING integer)", 1),
    ("json_value('{\"a\": [1, 2]}', 'lax $.a')", None),
    ("json_query('{\"a\": [1, 2]}', 'lax $.a')", "[1,2]"),
    ("json_query('{\"a\": 1}', 'lax $.a' WITH ARRAY WRAPPER)", "[1]"),
    ("json_exists('{\"a\": 1}', 'lax $.b')", False),
    ("format('%s is %,d and %.2f', 'x', 1234567, 1.5)", "x is 1,234,567 and 1.50"),
    ("format('%05d|%-4s|%%', 42, 'ab')", "00042|ab  |%"),
    ("typeof(1)", "integer"),
    ("typeof(CAST(1 AS REAL))", "real"),
    ("typeof(ARRAY[MAP(ARRAY['a'], ARRAY[1])])", "array(map(varchar, integer))"),
    ("typeof(CAST(ROW(1) AS ROW(a INTEGER)))", "row(a integer)"),
    ("date_diff('month', DATE '2026-01-31', DATE '2026-03-01')", 1),
    ("date_diff('hour', TIMESTAMP '2026-01-01 00:59:00', TIMESTAMP '2026-01-01 01:01:00')", 0),
    ("CAST(date_add('month', 1, DATE '2026-01-31') AS VARCHAR)", "2026-02-28"),
    ("CAST(DATE '2026-01-31' + INTERVAL '1' DAY AS VARCHAR)", "2026-02-01"),
    ("CAST(date_trunc('month', DATE '2026-01-31') AS VARCHAR)", "2026-01-01"),
    ("day_of_week(DATE '2026-01-04')", 7),
    ("EXTRACT(DOW FROM DATE '2026-01-04')", 7),
    ("date_format(TIMESTAMP '2026-01-02 03:04:05', '%Y/%m/%d %H:%i:%s')", "2026/01/02 03:04:05"),
    ("format_datetime(TIMESTAMP '2026-01-02 03:04:05', 'yyyy-MM-dd''T''HH:mm')", "2026-01-02T03:04"),
    ("CAST(date_parse('02.01.2026', '%d.%m.%Y') AS VARCHAR)", "2026-01-02 00:00:00.000"),
    ("to_unixtime(from_unixtime(86400.5))", 86400.5),
    ("greatest(1, NULL)", None),
    ("least(1, 2)", 1),
    ("concat('a', NULL)", None),
    ("concat('a', 'b', 'c')", "abc"),
    ("substr('abc', 0)", ""),
    ("substr('abc', -2)", "bc"),
    ("split_part('a,b', ',', 3)", None),
    ("regexp_extract('abc', 'x')", None),
    ("regexp_extract('abc', '(a)(b)', 2)", "b"),
    ("regexp_replace('abab', '(a)', '<$1>')", "<a>b<a>b"),
    ("to_hex(md5(to_utf8('a')))", "0CC175B9C0F1B6A831C399E269772661"),
    ("CAST('123' AS VARBINARY)", b"123"),
    ("round(2.5e0)", 3.0),
    ("log(2, 8)", 3.0),
    ("is_nan(nan())", True),
    ("width_bucket(2.5e0, ARRAY[1e0, 2e0, 3e0])", 2),
    ("width_bucket(5, 0, 10, 4)", 3),
    ("bitwise_and(6, 3)", 2),
    ("from_base('ff', 16)", 255),
    ("truncate(-1.7e0)", -1.0),
    ("to_utf8('é')", "é".encode()),
    ("strpos('abcabc', 'b', 2)", 5),
    ("array_join(ARRAY[1, NULL, 3], '-', 'x')", "1-x-3"),
    ("map_keys(map_filter(MAP(ARRAY[1, 2], ARRAY[3, 4]), (k, v) -> v > 3))", [2]),
    ("json_array_length('[1, 2, 3]')", 3),
    ("to_iso8601(DATE '2026-01-02')", "2026-01-02"),
    ("last_day_of_month(DATE '2026-02-03') = DATE '2026-02-28'", True),
    ("CAST(at_timezone(from_unixtime(0), 'UTC') AS VARCHAR)", "1970-01-01 00:00:00.000 UTC"),
    ("cardinality(MAP(ARRAY['a'], ARRAY[1]))", 1),
    ("array_position(ARRAY[1, 2], 3)", 0),
    ("contains(ARRAY[1, NULL], 2)", None),
    ("array_distinct(ARRAY[3, 1, 3])", [3, 1]),
    ("slice(ARRAY[1, 2, 3, 4], -2, 2)", [3, 4]),
    ("sequence(3, 1)", [3, 2, 1]),
    ("filter(ARRAY[1, 2, 3], x -> x > 1)", [2, 3]),
    ("reduce(ARRAY[1, 2, 3], 0, (s, x) -> s + x, s -> s * 10)", 60),
    ("any_match(ARRAY[1, 2], x -> x = 2)", True),
    ("json_format(CAST(transform_values(MAP(ARRAY['a'], ARRAY[1]), (k, v) -> v + 1) AS JSON))", '{"a":2}'),
    ("zip_with(ARRAY[1, 2], ARRAY[3, 4], (x, y) -> x * y)", [3, 8]),
    ("url_extract_host('https://example.org:81/a?b=c')", "example.org"),
    ("url_extract_parameter('https://example.org/a?b=c', 'b')", "c"),
]
AGGREGATES = [
    ("approx_percentile(x, 0.5)", 2),
    ("sum(x)", 6),
    ("avg(x)", 2.0),
    ("array_agg(x ORDER BY x DESC)", [3, 2, 1]),
    ("max_by(y, x)", "c"),
    ("count_if(x > 1)", 2),
    ("approx_distinct(y)", 3),
    ("approx_percentile(x, ARRAY[0.01, 0.99])", [1, 3]),
    ("json_format(CAST(histogram(x) AS JSON))", '{"1":1,"2":1,"3":1}'),
    ("round(stddev_pop(x) * 1000)", 816.0),
    ("bool_and(x > 0)", True),
    ("listagg(y, '-') WITHIN GROUP (ORDER BY x)", "a-b-c"),
    ("json_format(CAST(map_agg(y, x) AS JSON))", '{"a":1,"b":2,"c":3}'),
    ("count(*) FILTER (WHERE x < 3)", 2),
]
REFUSED = [
    ("nosuch(1)", "FUNCTION_NOT_FOUND: line 1:8: Function 'nosuch' not registered"),
    ("list_sum(ARRAY[1])", "FUNCTION_NOT_FOUND"),  # DuckDB has it, Athena does not
    ("strftime(current_date, '%Y')", "FUNCTION_NOT_FOUND"),
    ("ifnull(1, 2)", "FUNCTION_NOT_FOUND"),
    ("read_text('/etc/hostname')", "FUNCTION_NOT_FOUND"),
    ("1 / 0", "DIVISION_BY_ZERO: Division by zero"),
    ("DECIMAL '1.0' / 0", "DIVISION_BY_ZERO: Division by zero"),
    ("CAST('x' AS INTEGER)", "INVALID_CAST_ARGUMENT: Cannot cast 'x'"),
    ("CAST('1.5' AS INTEGER)", "INVALID_CAST_ARGUMENT: Cannot cast '1.5'"),
    ("ARRAY[1][0]", "SQL array indices start at 1"),
    ("ARRAY[1][2]", "Array subscript must be less than or equal to array length: 2 > 1"),
    ("MAP(ARRAY['a'], ARRAY[1])['b']", "Key not present in map: b"),
    ("json_parse('no json')", "INVALID_FUNCTION_ARGUMENT"),
    ("nothing", "COLUMN_NOT_FOUND: line 1:8: Column 'nothing' cannot be resolved"),
]


@pytest.fixture(scope="module")
def cursor(sandbox):
    sandbox.client("s3").create_bucket(Bucket="functions")
    connection = connect(
        s3_staging_dir="s3://functions/results/",
        region_name=REGION,
        endpoint_url=sandbox.url,
        aws_access_key_id=ACCESS_KEY,
        aws_secret_access_key=SECRET_KEY,
        poll_interval=0.01,
    )
    with connection.cursor() as cursor:
        yield cursor


def test_each_expression_gives_trinos_value(cursor):
    cursor.execute("SELECT " + ", ".join(expression for expression, _ in SAME_AS_TRINO))
    given = dict(zip((expression for expression, _ in SAME_AS_TRINO), cursor.fetchone(), strict=True))
    assert {
        e: float(v) if isinstance(x, float) else v for (e, x), v in zip(SAME_AS_TRINO, given.values(), strict=True)
    } == dict(SAME_AS_TRINO)


def test_each_aggregate_gives_trinos_value(cursor):
    columns = ", ".join(expression for expression, _ in AGGREGATES)
    cursor.execute(f"SELECT {columns} FROM (VALUES (1, 'a'), (2, 'b'), (3, 'c')) AS t(x, y)")
    assert dict(zip((e for e, _ in AGGREGATES), cursor.fetchone(), strict=True)) == dict(AGGREGATES)


@pytest.mark.parametrize(("expression", "message"), REFUSED, ids=[expression for expression, _ in REFUSED])
def test_what_trino_refuses_fails_in_its_words(cursor, expression, message):
    with pytest.raises(DatabaseError) as caught:
        cursor.execute(f"SELECT {expression}")
    assert message in str(caught.value)


def test_nulls_come_last_in_both_orders(cursor):
    cursor.execute("SELECT x FROM (VALUES 1, NULL, 2) AS t(x) ORDER BY x DESC")
    assert cursor.fetchall() == [(2,), (1,), (None,)]


def test_columns_without_a_name_are_numbered(cursor):
    cursor.execute("SELECT 1, x, *, x + 1 FROM (VALUES 5) AS t(x)")
    assert [column[0] for column in cursor.description] == ["_col0", "x", "x", "_col3"]


def test_unnest_opens_arrays_maps_and_rows_side_by_side(cursor):
    cursor.execute(
        "WITH d AS (SELECT ARRAY[ROW(1, 'x'), ROW(2, 'y')] AS r, MAP(ARRAY['k'], ARRAY[9]) AS m) "
        "SELECT a, b, k, v, n FROM d CROSS JOIN UNNEST(r, m) WITH ORDINALITY AS u(a, b, k, v, n) ORDER BY n"
    )
    assert cursor.fetchall() == [(1, "x", "k", 9, 1), (2, "y", None, None, 2)]


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT x FROM (VALUES 1) AS t(x) QUALIFY row_number() OVER () = 1",
        "SELECT 'a' ILIKE 'A'",
        "DELETE FROM t WHERE x = 1 RETURNING x",
        "SELECT 1; SELECT 2",
        "FROM t",
        "COPY t TO 'x'",
        "PRAGMA version",
    ],
)
def test_words_that_athena_does_not_know_are_refused_at_once(cursor, statement):
    with pytest.raises(DatabaseError, match="InvalidRequestException"):
        cursor.execute(statement)


def test_columns_keep_the_case_of_the_query(cursor):
    cursor.execute("SELECT x AS Total, X FROM (VALUES 5) AS t(x)")
    assert [column[0] for column in cursor.description] == ["Total", "X"]


def test_a_file_is_not_a_table(cursor):
    with pytest.raises(DatabaseError, match="TABLE_NOT_FOUND"):
        cursor.execute('SELECT * FROM "/etc/passwd"')
