-- Trino's functions where DuckDB has none of that meaning. `trino_x` is what a query's `x` becomes.

-- An overload is chosen by the type of an argument; where a text would pass for JSON, or a decimal for a double, the
-- branches of a CASE on typeof() are, which DuckDB decides before it runs. All of them must fit every type: hence the
-- detours by VARCHAR.

-- Loaded twice: as `trino_x`, and for what stands inside try() as `try_x`, where a failure is NULL.
CREATE MACRO trino_error(message) AS error(message);

-- Operators.
CREATE MACRO trino_scale(type) AS coalesce(TRY_CAST(regexp_extract(type, 'DECIMAL\(\d+,\s*(\d+)\)', 1) AS INTEGER), 0);
CREATE MACRO trino_divide
    (a TINYINT, b TINYINT) AS CAST(a // b AS TINYINT),
    (a SMALLINT, b SMALLINT) AS CAST(a // b AS SMALLINT),
    (a INTEGER, b INTEGER) AS a // b,
    (a BIGINT, b BIGINT) AS a // b,
    (a HUGEINT, b HUGEINT) AS a // b,
    (a, b) AS CASE
        WHEN typeof(a) IN ('DOUBLE', 'FLOAT') OR typeof(b) IN ('DOUBLE', 'FLOAT')
        THEN CASE WHEN b <> 0 OR b IS NULL THEN CAST(a AS DOUBLE) / CAST(b AS DOUBLE)
            ELSE CAST(CASE WHEN a > 0 THEN 'Infinity' WHEN a < 0 THEN '-Infinity' ELSE 'NaN' END AS DOUBLE) END
        WHEN b = 0 THEN trino_error('DIVISION_BY_ZERO: Division by zero')
        ELSE round(a / b, greatest(trino_scale(typeof(a)), trino_scale(typeof(b)))) END;
CREATE MACRO trino_item(x, i) AS CASE
    WHEN x[i] IS NOT NULL OR x IS NULL OR i IS NULL THEN x[i]
    WHEN typeof(x) LIKE 'MAP(%' THEN CASE WHEN json_exists(to_json(x), '$."' || i || '"') THEN NULL
        ELSE trino_error('INVALID_FUNCTION_ARGUMENT: Key not present in map: ' || i) END
    WHEN TRY_CAST(i AS BIGINT) = 0 THEN trino_error('INVALID_FUNCTION_ARGUMENT: SQL array indices start at 1')
    WHEN TRY_CAST(i AS BIGINT) < 0 THEN trino_error('INVALID_FUNCTION_ARGUMENT: Array subscript is negative: ' || i)
    WHEN TRY_CAST(i AS BIGINT) > cardinality(x) THEN trino_error(
        'INVALID_FUNCTION_ARGUMENT: Array subscript must be less than or equal to array length: ' || i || ' > ' || cardinality(x))
    ELSE x[i] END;
CREATE MACRO trino_element_at(x, i) AS CASE
    WHEN typeof(x) NOT LIKE 'MAP(%' AND TRY_CAST(i AS BIGINT) = 0
    THEN trino_error('INVALID_FUNCTION_ARGUMENT: SQL array indices start at 1') ELSE x[i] END;

-- Casts. JSON takes part in them by its values, not by its text.
CREATE MACRO trino_timestamp_text(x) AS CASE WHEN microsecond(x) % 1000 = 0 THEN strftime(x, '%Y-%m-%d %H:%M:%S.%g')
    ELSE strftime(x, '%Y-%m-%d %H:%M:%S.%f') END;
CREATE MACRO trino_to_varchar(x) AS CASE typeof(x)
    WHEN 'JSON' THEN json_extract_string(TRY_CAST(CAST(x AS VARCHAR) AS JSON), '$')
    WHEN 'DOUBLE' THEN py_double_text(TRY_CAST(CAST(x AS VARCHAR) AS DOUBLE))
    WHEN 'FLOAT' THEN py_float_text(TRY_CAST(CAST(x AS VARCHAR) AS FLOAT))
    WHEN 'TIMESTAMP' THEN trino_timestamp_text(TRY_CAST(CAST(x AS VARCHAR) AS TIMESTAMP))
    WHEN 'TIMESTAMP WITH TIME ZONE'
    THEN trino_timestamp_text(timezone('UTC', TRY_CAST(CAST(x AS VARCHAR) AS TIMESTAMPTZ))) || ' UTC'
    WHEN 'TIME' THEN strftime(DATE '1970-01-01' + TRY_CAST(CAST(x AS VARCHAR) AS TIME), '%H:%M:%S.%g')
    ELSE CAST(x AS VARCHAR) END;
CREATE MACRO trino_integer_text(x) AS CASE WHEN regexp_full_match(x, '\s*[+-]?\d+\s*') THEN CAST(x AS HUGEINT)
    WHEN x IS NULL THEN NULL ELSE trino_error('INVALID_CAST_ARGUMENT: Cannot cast ''' || x || ''' to BIGINT') END;
CREATE MACRO trino_to_integer(x) AS CASE
    WHEN typeof(x) = 'VARCHAR' THEN trino_integer_text(CAST(x AS VARCHAR))
    WHEN typeof(x) = 'JSON' THEN TRY_CAST(json_extract_string(TRY_CAST(CAST(x AS VARCHAR) AS JSON), '$') AS HUGEINT)
    WHEN typeof(x) IN ('DOUBLE', 'FLOAT') THEN CAST(round(TRY_CAST(CAST(x AS VARCHAR) AS DOUBLE)) AS HUGEINT)
    ELSE CAST(x AS HUGEINT) END;
CREATE MACRO trino_to_varbinary(x) AS CASE WHEN typeof(x) = 'VARCHAR' THEN encode(CAST(x AS VARCHAR))
    ELSE CAST(x AS BLOB) END;
CREATE MACRO trino_to_json(x) AS CASE WHEN typeof(x) = 'JSON' THEN TRY_CAST(CAST(x AS VARCHAR) AS JSON)
    WHEN x IS NULL THEN NULL ELSE to_json(x) END;
CREATE MACRO trino_typeof(x) AS py_type_name(typeof(x));

-- Strings.
CREATE MACRO trino_substr
    (s, start) AS CASE WHEN start = 0 OR abs(start) > length(s) THEN CASE WHEN s IS NULL THEN NULL ELSE '' END
        ELSE substr(s, start) END,
    (s, start, size) AS CASE WHEN start = 0 OR abs(start) > length(s) OR size <= 0
        THEN CASE WHEN s IS NULL THEN NULL ELSE '' END ELSE substr(s, start, size) END;
CREATE MACRO trino_substring(s, start) AS trino_substr(s, start), (s, start, size) AS trino_substr(s, start, size);
CREATE MACRO trino_split_part(s, d, i) AS CASE
    WHEN i <= 0 THEN trino_error('INVALID_FUNCTION_ARGUMENT: Index must be greater than zero')
    WHEN i > len(string_split(s, d)) THEN NULL ELSE string_split(s, d)[i] END;
CREATE MACRO trino_split(s, d) AS string_split(s, d), (s, d, n) AS CASE
    WHEN len(string_split(s, d)) <= n THEN string_split(s, d)
    ELSE list_append(list_slice(string_split(s, d), 1, n - 1),
        array_to_string(list_slice(string_split(s, d), n, NULL), d)) END;
CREATE MACRO trino_replace(s, t) AS replace(s, t, ''), (s, t, r) AS replace(s, t, r);
CREATE MACRO trino_regexp_extract
    (s, p) AS list_extract(regexp_extract_all(s, p), 1),
    (s, p, g) AS list_extract(regexp_extract_all(s, p, g), 1);
CREATE MACRO trino_regexp_extract_all(s, p) AS regexp_extract_all(s, p), (s, p, g) AS regexp_extract_all(s, p, g);
CREATE MACRO trino_regexp_replace
    (s, p) AS regexp_replace(s, p, '', 'g'),
    (s, p, r) AS regexp_replace(s, p, regexp_replace(replace(r, '\', '\\'), '\$(\d)', '\\\1', 'g'), 'g');
CREATE MACRO trino_regexp_count(s, p) AS len(regexp_extract_all(s, p));
CREATE MACRO trino_from_utf8(b) AS decode(b);
CREATE MACRO trino_to_utf8(s) AS encode(s);
CREATE MACRO trino_to_hex(b) AS hex(b);
CREATE MACRO trino_from_hex(s) AS unhex(s);
CREATE MACRO trino_to_base64(b) AS to_base64(b);
CREATE MACRO trino_from_base64(s) AS from_base64(s);
CREATE MACRO trino_md5(b) AS unhex(md5(b));
CREATE MACRO trino_sha1(b) AS unhex(sha1(b));
CREATE MACRO trino_sha256(b) AS unhex(sha256(b));
CREATE MACRO trino_codepoint(s) AS unicode(s);
CREATE MACRO trino_strpos(s, t) AS strpos(s, t), (s, t, n) AS py_strpos(s, t, n);
CREATE MACRO trino_length(x BLOB) AS octet_length(x), (x VARCHAR) AS length(x);
CREATE MACRO trino_concat_ws(s, a) AS array_to_string(a, s);
CREATE MACRO trino_starts_with(s, p) AS starts_with(s, p);

-- JSON. Malformed text gives NULL; json_extract_scalar gives NULL for what is not a scalar.
CREATE MACRO trino_json_extract(j, p) AS
    CASE WHEN json_valid(j) THEN nullif(json_extract(j, py_json_path(p)), CAST('null' AS JSON)) END;
CREATE MACRO trino_json_extract_scalar(j, p) AS CASE
    WHEN NOT json_valid(j) OR json_type(j, py_json_path(p)) IN ('OBJECT', 'ARRAY', 'NULL') THEN NULL
    ELSE json_extract_string(j, py_json_path(p)) END;
CREATE MACRO trino_json_parse(s) AS json(s);
CREATE MACRO trino_json_format(j) AS CAST(j AS VARCHAR);
CREATE MACRO trino_json_array_length(j) AS
    CASE WHEN json_valid(j) AND json_type(j) = 'ARRAY' THEN CAST(json_array_length(j) AS BIGINT) END;
CREATE MACRO trino_json_array_get(j, i) AS
    CASE WHEN json_valid(j) AND json_type(j) = 'ARRAY' THEN json_extract(j, '$[' || CASE WHEN i < 0 THEN '#' ELSE '' END || i || ']') END;
CREATE MACRO trino_json_array_contains(j, x) AS
    CASE WHEN json_valid(j) AND json_type(j) = 'ARRAY' THEN json_contains(j, to_json(x)) END;
CREATE MACRO trino_json_size(j, p) AS CASE json_type(j, py_json_path(p))
    WHEN 'OBJECT' THEN CAST(len(json_keys(j, py_json_path(p))) AS BIGINT)
    WHEN 'ARRAY' THEN CAST(json_array_length(j, py_json_path(p)) AS BIGINT)
    WHEN NULL THEN NULL ELSE 0 END;
CREATE MACRO trino_is_json_scalar(j) AS json_type(j) NOT IN ('OBJECT', 'ARRAY');

-- Dates and times.
CREATE MACRO trino_interval(unit, n) AS CASE lower(unit)
    WHEN 'millisecond' THEN to_milliseconds(n) WHEN 'second' THEN to_seconds(n) WHEN 'minute' THEN to_minutes(n)
    WHEN 'hour' THEN to_hours(n) WHEN 'day' THEN to_days(CAST(n AS INTEGER)) WHEN 'week' THEN to_days(7 * CAST(n AS INTEGER))
    WHEN 'month' THEN to_months(CAST(n AS INTEGER)) WHEN 'quarter' THEN to_months(3 * CAST(n AS INTEGER))
    WHEN 'year' THEN to_years(CAST(n AS INTEGER))
    ELSE trino_error('INVALID_FUNCTION_ARGUMENT: ''' || unit || ''' is not a valid date field') END;
CREATE MACRO trino_date_add
    (unit, n, x DATE) AS CAST(x + trino_interval(unit, n) AS DATE),
    (unit, n, x) AS x + trino_interval(unit, n);
CREATE MACRO trino_date_diff(unit, a, b) AS datesub(lower(unit), a, b);
CREATE MACRO trino_plus_interval(x DATE, i) AS CAST(x + i AS DATE), (x, i) AS x + i;
CREATE MACRO trino_minus_interval(x DATE, i) AS CAST(x - i AS DATE), (x, i) AS x - i;
CREATE MACRO trino_date_trunc
    (unit, x DATE) AS CAST(date_trunc(unit, x) AS DATE),
    (unit, x) AS date_trunc(unit, x);
CREATE MACRO trino_date(x) AS CAST(x AS DATE);
CREATE MACRO trino_day_of_week(x) AS isodow(x);
CREATE MACRO trino_dow(x) AS isodow(x);
CREATE MACRO trino_day_of_month(x) AS day(x);
CREATE MACRO trino_day_of_year(x) AS dayofyear(x);
CREATE MACRO trino_doy(x) AS dayofyear(x);
CREATE MACRO trino_week_of_year(x) AS week(x);
CREATE MACRO trino_year_of_week(x) AS isoyear(x);
CREATE MACRO trino_yow(x) AS isoyear(x);
CREATE MACRO trino_millisecond(x) AS millisecond(x) % 1000;
CREATE MACRO trino_last_day_of_month(x) AS last_day(x);
CREATE MACRO trino_from_unixtime(x) AS to_timestamp(x), (x, zone) AS to_timestamp(x);
CREATE MACRO trino_from_unixtime_nanos(x) AS make_timestamptz(x // 1000);
CREATE MACRO trino_to_unixtime(x) AS epoch_us(x) / 1000000.0::DOUBLE;
CREATE MACRO trino_from_iso8601_timestamp(s) AS CAST(s AS TIMESTAMPTZ);
CREATE MACRO trino_from_iso8601_date(s) AS CAST(s AS DATE);
CREATE MACRO trino_to_iso8601
    (x DATE) AS CAST(x AS VARCHAR),
    (x TIMESTAMPTZ) AS strftime(timezone('UTC', x), '%Y-%m-%dT%H:%M:%S.%gZ'),
    (x TIMESTAMP) AS strftime(x, '%Y-%m-%dT%H:%M:%S.%g');
CREATE MACRO trino_to_milliseconds(i) AS epoch_ms(i);
CREATE MACRO trino_with_timezone(x, zone) AS timezone(zone, x);
-- The moment stays the same, and all are shown in UTC.
CREATE MACRO trino_at_timezone(x, zone) AS CAST(x AS TIMESTAMPTZ);

-- Arrays and maps.

CREATE MACRO trino_contains(a, x) AS
    CASE WHEN list_contains(a, x) THEN true WHEN x IS NULL OR a IS NULL OR len(list_filter(a, LAMBDA e : e IS NULL)) > 0
    THEN NULL ELSE false END;
CREATE MACRO trino_array_position(a, x) AS CASE WHEN a IS NULL OR x IS NULL THEN NULL
    ELSE CAST(coalesce(list_position(a, x), 0) AS BIGINT) END;
CREATE MACRO trino_array_join
    (a, d) AS array_to_string(a, d),
    (a, d, n) AS array_to_string(list_transform(a, LAMBDA x : coalesce(CAST(x AS VARCHAR), n)), d);
CREATE MACRO trino_array_distinct(a) AS
    list_filter(a, LAMBDA x, i : coalesce(list_position(a, x) = i, len(list_filter(a[:i - 1], LAMBDA y : y IS NULL)) = 0));
CREATE MACRO trino_array_remove(a, x) AS list_filter(a, LAMBDA y : y <> x OR y IS NULL);
CREATE MACRO trino_array_max(a) AS CASE WHEN len(list_filter(a, LAMBDA x : x IS NULL)) > 0 THEN NULL ELSE list_max(a) END;
CREATE MACRO trino_array_min(a) AS CASE WHEN len(list_filter(a, LAMBDA x : x IS NULL)) > 0 THEN NULL ELSE list_min(a) END;
CREATE MACRO trino_array_average(a) AS list_avg(a);
CREATE MACRO trino_array_sum(a) AS coalesce(list_sum(a), 0);
CREATE MACRO trino_array_sort(a) AS list_sort(a, 'ASC', 'NULLS LAST');
CREATE MACRO trino_array_intersect(a, b) AS list_distinct(list_intersect(a, b));
CREATE MACRO trino_array_union(a, b) AS trino_array_distinct(list_concat(a, b));
CREATE MACRO trino_array_except(a, b) AS trino_array_distinct(list_filter(a, LAMBDA x : NOT list_contains(b, x)));
CREATE MACRO trino_arrays_overlap(a, b) AS list_has_any(a, b);
CREATE MACRO trino_slice(a, start, size) AS CASE
    WHEN start = 0 THEN trino_error('INVALID_FUNCTION_ARGUMENT: SQL array indices start at 1')
    WHEN size < 0 THEN trino_error('INVALID_FUNCTION_ARGUMENT: length must be greater than or equal to 0')
    WHEN start > 0 THEN list_slice(a, start, start + size - 1)
    WHEN -start > len(a) THEN a[1:0]
    ELSE list_slice(a, len(a) + start + 1, len(a) + start + size) END;
CREATE MACRO trino_sequence
    (a DATE, b DATE) AS list_transform(generate_series(CAST(a AS TIMESTAMP), CAST(b AS TIMESTAMP), INTERVAL 1 DAY), LAMBDA x : CAST(x AS DATE)),
    (a BIGINT, b BIGINT) AS generate_series(a, b, CASE WHEN a <= b THEN 1 ELSE -1 END),
    (a DATE, b DATE, s INTERVAL) AS list_transform(generate_series(CAST(a AS TIMESTAMP), CAST(b AS TIMESTAMP), s), LAMBDA x : CAST(x AS DATE)),
    (a TIMESTAMP, b TIMESTAMP, s INTERVAL) AS generate_series(a, b, s),
    (a BIGINT, b BIGINT, s BIGINT) AS generate_series(a, b, s);
CREATE MACRO trino_repeat(x, n) AS list_transform(generate_series(1, n), LAMBDA i : x);
CREATE MACRO trino_map() AS MAP {}, (k, v) AS map(k, v);
CREATE MACRO trino_map_concat(a, b) AS map_concat(a, b);
CREATE MACRO trino_map_entries(m) AS map_entries(m);
CREATE MACRO trino_split_to_map(s, e, k) AS
    map_from_entries(list_transform(string_split(s, e), LAMBDA x : {'key': string_split(x, k)[1], 'value': string_split(x, k)[2]}));

-- Numbers.
CREATE MACRO trino_truncate(x) AS trunc(x), (x, n) AS trunc(x * power(10, n)) / power(10, n);
CREATE MACRO trino_mod(a, b) AS a % b;
CREATE MACRO trino_e() AS exp(1);
CREATE MACRO trino_infinity() AS CAST('Infinity' AS DOUBLE);
CREATE MACRO trino_nan() AS CAST('NaN' AS DOUBLE);
-- Not isnan: DuckDB 2.0.0 answers it wrongly for columns of Parquet files.
CREATE MACRO trino_is_nan(x) AS CAST(x AS VARCHAR) = 'nan';
CREATE MACRO trino_is_infinite(x) AS abs(x) = CAST('Infinity' AS DOUBLE);
CREATE MACRO trino_is_finite(x) AS CAST(x AS VARCHAR) NOT IN ('nan', 'inf', '-inf');
CREATE MACRO trino_log(b, x) AS ln(x) / ln(b);
CREATE MACRO trino_rand() AS random(), (n) AS CAST(floor(random() * n) AS BIGINT),
    (a, b) AS CAST(a + floor(random() * (b - a)) AS BIGINT);
CREATE MACRO trino_random() AS random(), (n) AS CAST(floor(random() * n) AS BIGINT),
    (a, b) AS CAST(a + floor(random() * (b - a)) AS BIGINT);
CREATE MACRO trino_width_bucket(x, bins) AS CAST(len(list_filter(bins, LAMBDA bin : bin <= x)) AS BIGINT),
    (x, low, high, n) AS CASE WHEN x < low THEN 0 WHEN x >= high THEN n + 1
    ELSE CAST(floor((x - low) * n / CAST(high - low AS DOUBLE)) AS BIGINT) + 1 END;
CREATE MACRO trino_bitwise_and(a, b) AS a & b;
CREATE MACRO trino_bitwise_or(a, b) AS a | b;
CREATE MACRO trino_bitwise_xor(a, b) AS xor(a, b);
CREATE MACRO trino_bitwise_not(a) AS ~a;
CREATE MACRO trino_bitwise_left_shift(a, b) AS a << b;
CREATE MACRO trino_bitwise_right_shift(a, b) AS a >> b;
CREATE MACRO trino_from_base(s, b) AS py_from_base(s, b);
CREATE MACRO trino_to_base(x, b) AS lower(to_base(x, b));
CREATE MACRO trino_fail(message) AS trino_error('GENERIC_USER_ERROR: ' || message),
    (code, message) AS trino_error('GENERIC_USER_ERROR: ' || message);
