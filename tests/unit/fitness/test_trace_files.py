import contextlib
import subprocess
import sys
from datetime import date, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyarrow import parquet

from fitness import trace, trace_columns, trace_csv
from fitness.errors import InputError
from fitness.trace import read_trace
from tests.recorded import START, file_of, problems


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
def test_timestamps_of_parquet_are_read_in_every_unit_with_and_without_a_zone(unit):
    times = [START, START + timedelta(seconds=59), START + timedelta(minutes=2)]
    aware = read_trace(file_of(timestamp=pa.array(times, pa.timestamp(unit, "Europe/Berlin"))))
    assert aware.counts.tolist() == [2, 0, 1]
    assert aware.start == START
    naive = read_trace(file_of(timestamp=pa.array([one.replace(tzinfo=None) for one in times], pa.timestamp(unit))))
    assert naive.start == START
    assert "Timestamps without a time zone: 3 of 3; UTC is assumed." in naive.notes


def test_numbers_and_dates_of_parquet_are_read_like_those_of_csv():
    offsets = file_of(timestamp=pa.array([0, 60], pa.int32()), count=pa.array([3, 4], pa.int16()))
    assert read_trace(offsets).counts.tolist() == [3, 4]
    assert read_trace(offsets).start is None
    since_1970 = file_of(timestamp=pa.array([1772359200.5, 1772359260.0]))
    assert read_trace(since_1970).start == START
    days = file_of(timestamp=pa.array([date(2026, 3, day) for day in (1, 2, 3)]), count=[1440, 2880, 0])
    assert read_trace(days).counts.tolist() == [1] * 1440 + [2] * 1440 + [0] * 1440
    old_days = file_of(
        timestamp=pa.array([date(2026, 3, day) for day in (1, 2, 3)], pa.date64()), count=[1440, 2880, 0]
    )
    assert read_trace(old_days).counts.tolist() == read_trace(days).counts.tolist()
    assert read_trace(file_of(count=[60, 0, 120])).rps_peak == 2.0


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"a": [1]}, 'must have a header `timestamp[,count][,model]` or `count`, got "a" @ trace'),
        ({"timestamp": ["2026-03-01"]}, 'must have timestamps, dates or numbers in the column "timestamp", got string @ trace'),
        ({"timestamp": [True]}, 'must have timestamps, dates or numbers in the column "timestamp", got bool @ trace'),
        ({"count": ["5"]}, 'must have numbers in the column "count", got string @ trace'),
        ({"count": pa.array([], pa.int64())}, "holds no row @ trace"),
        ({"count": [1, -1]}, "a count must be a number >= 0, got -1.0 @ trace, row 2"),
        ({"count": [1, float("nan")]}, "a count must be a number >= 0, got nan @ trace, row 2"),
        ({"count": [1, None]}, "a count must be a number >= 0, got nothing @ trace, row 2"),
        ({"timestamp": [1, 2], "model": ["a", None]}, "must name the model in every row, got none in row 2 @ trace"),
        ({"timestamp": pa.array([2**63 + 1], pa.uint64())}, "can't be read as Parquet: Integer value 9223372036854775809 not in range: -922337203685… @ trace"),
    ],
)  # fmt: skip
def test_what_can_not_be_read_of_parquet_is_refused_with_the_reason(columns, message):
    (found,) = problems(file_of(**columns))
    assert found.partition(" not in range")[0] == message.partition(" not in range")[0]


@pytest.mark.parametrize("written", [-5, -0.5, float("nan"), float("inf"), 1e20, None])
def test_a_wrong_timestamp_of_parquet_is_shown_with_its_row(written):
    (problem,) = problems(file_of(timestamp=pa.array([1.0, written, 2.0])))
    assert problem.startswith(trace_columns.TIME_WANTED + ", got ")
    assert problem.endswith(" @ trace, row 2")


def test_a_date_before_1971_is_refused():
    (problem,) = problems(file_of(timestamp=pa.array([datetime(1969, 12, 31)], pa.timestamp("us"))))  # noqa: DTZ001
    assert problem.endswith("row 1")


def test_many_wrong_rows_of_parquet_are_cut_short():
    found = problems(file_of(count=[-1] * 100))
    assert len(found) == trace.MAX_PROBLEMS + 1
    assert found[-1] == "later rows were not checked @ trace"


@pytest.mark.parametrize("cut", [4, 8, 100, -1])
def test_a_broken_parquet_file_is_refused(cut):
    (problem,) = problems(file_of(count=list(range(1, 100)))[:cut])
    assert problem.startswith("can't be read as Parquet: ")


def test_columns_of_other_names_are_read_where_they_are_named():
    source = file_of(t_s=[0, 60], requests=[5, 6], tokens=[1, 1])
    found = read_trace(source, columns={"timestamp": "t_s", "count": "Requests"})
    assert found.counts.tolist() == [5, 6]
    assert 'The column "tokens" is ignored.' in found.notes
    assert read_trace(b"a,b\n0,5\n60,6\n", columns={"timestamp": "a", "count": "b"}).counts.tolist() == [5, 6]
    assert problems(source, columns={"timestamp": "time"}) == ['has no column "time" @ trace']
    assert problems(source, columns={"when": "t_s"}) == ['columns are timestamp, count and model, got "when" @ trace']


def test_a_model_needs_a_time_and_there_are_not_too_many(monkeypatch):
    assert problems(b"count,model\n1,a\n") == [
        'must have a column `timestamp` where it has a column `model`, got "count,model" @ trace'
    ]
    monkeypatch.setattr(trace_columns, "MAX_MODELS", 2)
    assert problems(b"timestamp,model\n1,a\n2,b\n3,c\n") == ["must have at most 2 models @ trace"]
    assert problems(file_of(timestamp=[1, 2, 3], model=["a", "b", "c"])) == ["must have at most 2 models @ trace"]


def test_exact_times_are_kept_where_they_are_asked_for():
    written = b"timestamp\n2026-03-01T10:00:05.25Z\n2026-03-01T10:02:00.5Z\n2026-03-01T10:01:59.75Z\n"
    assert read_trace(written).rows is None
    found = read_trace(written, exact=True)
    assert found.rows.time_s.tolist() == [5.25, 119.75, 120.5]
    assert found.rows.width_s == 0
    assert found.rows.count is None
    assert found.start == START
    with pytest.raises(ValueError, match="read-only"):
        found.rows.time_s[0] = 1


def test_times_in_whole_seconds_and_minutes_are_no_exact_times():
    assert read_trace(b"timestamp\n0\n5\n5\n", exact=True).rows.width_s == 1
    assert read_trace(b"timestamp\n0\n60\n60\n", exact=True).rows.width_s == 60
    assert read_trace(b"timestamp\n0\n5.5\n60\n", exact=True).rows.width_s == 0


def test_counted_rows_stand_for_their_usual_distance():
    fine = read_trace(b"timestamp,count\n0,1\n10,2\n20,3\n50,4\n60,5\n", exact=True)
    assert fine.rows.width_s == 10
    assert fine.rows.time_s.tolist() == [0, 10, 20, 50, 60]
    assert fine.counts.tolist() == [10, 5]
    wide = read_trace(b"timestamp,count\n30,5\n330,7\n630,0\n930,9\n", exact=True)
    assert wide.rows.width_s == 300
    assert wide.rows.time_s.tolist() == [0, 300, 900]
    assert wide.rows.count.tolist() == [5, 7, 9]
    assert wide.counts.size == 20
    odd = read_trace(b"timestamp,count\n7,1\n20,2\n95,3\n", exact=True)
    assert odd.rows.width_s == 60
    assert odd.rows.time_s.tolist() == [0, 0, 60]


def test_fractions_of_requests_keep_the_total():
    found = read_trace(b"timestamp,count\n0,0.4\n60,0.4\n120,0.4\n180,1.8\n", exact=True)
    assert found.rows.count.sum() == 3
    assert found.counts.sum() == pytest.approx(3)


def test_a_file_of_two_gigabytes_is_refused_before_it_is_read(tmp_path):
    for name in ("large.csv", "large.parquet"):
        path = tmp_path / name
        with path.open("wb") as sparse:
            sparse.write(b"PAR1" if "parquet" in name else b"count\n")
            sparse.truncate(2 * 1024**3)
        assert problems(path) == [f"is too large: at most 1024 MB are read, got 2048 @ {name}"]


def test_too_many_rows_are_refused_and_counted_without_keeping_them(monkeypatch, tmp_path):
    monkeypatch.setattr(trace_csv, "MAX_ROWS", 5)
    assert problems(b"count\n" + b"1\n" * 6) == ["must have at most 10,000,000 rows @ trace"]
    assert problems(b"timestamp\n2026-03-01 10:00\n" + b"2026-03-01 10:00Z\n" * 6) == [
        "must have at most 10,000,000 rows @ trace"
    ]
    assert read_trace(b"count\n" + b"1\n" * 5).counts.size == 5
    monkeypatch.setattr("fitness.trace_parquet.MAX_ROWS", 5)
    assert problems(file_of(count=[1] * 6)) == ["must have at most 10,000,000 rows @ trace"]


def test_a_sparse_file_without_lines_is_refused_without_reading_it_all(tmp_path):
    path = tmp_path / "zeros.csv"
    with path.open("wb") as sparse:
        sparse.truncate(900 * 1024**2)
    assert problems(path) == ["is not a CSV file: a line is longer than 1,048,576 characters @ zeros.csv"]
    with path.open("wb") as sparse:
        sparse.write(b"count\n1\n")
        sparse.truncate(300 * 1024**2)
    assert problems(path) == ["is not a CSV file: a line is longer than 1,048,576 characters @ zeros.csv"]


@pytest.mark.parametrize(
    ("source", "message"),
    [
        (b"", "is empty"),
        (b"timestamp,count\n", "holds a header and no row"),
        (b"timestamp\n-5\n", "a timestamp must be ISO 8601"),
        (b"timestamp\nnan\n", "a timestamp must be ISO 8601"),
        (b"timestamp\ninf\n", "a timestamp must be ISO 8601"),
        (b"timestamp,count\n0,nan\n", "a count must be a number >= 0"),
        (
            b"timestamp,count\n0,1000000000\n",
            "must have at most 1000000 requests a second, got 1.66667e+07 in minute 0",
        ),
        (b"the quick brown fox\njumps\n", "must have a header"),
        (b"timestamp\nthe quick brown fox\n", "a timestamp must be ISO 8601"),
        (b"PK\x03\x04\x14\x00\x00\x00", "must have a header"),
        (b"\x1f\x8b\x08\x00\x00\x00\x00\x00", "is not UTF-8 text"),
        ("timestamp\n0\n".encode("utf-16"), "is not UTF-8 text"),
        (b"timestamp,timestamp\n0,1\n", "must have a header"),
        (b"timestamp,model\n0,\xff\n", "is not UTF-8 text"),
    ],
)
def test_hostile_files_end_in_a_reason(source, message):
    assert problems(source)[0].startswith(message)


def test_a_row_that_names_no_model_is_refused_where_the_others_do():
    source = b"timestamp,model\n0,a\n1,\n2, \n3,b\n"
    assert problems(source) == [f"must name the model in every row @ trace, line {line}" for line in (3, 4)]
    text = pa.array(["a", "", "b"])
    for models in (text, text.dictionary_encode()):
        source = file_of(timestamp=[0, 1, 2], model=models)
        assert problems(source) == ["must name the model in every row, got none in row 2 @ trace"]


def test_many_columns_that_are_not_read_are_told_in_one_note():
    few = read_trace(b"a,count,b\n1,5,2\n")
    assert few.notes[:2] == ('The column "a" is ignored.', 'The column "b" is ignored.')
    header, row = (b",".join([*cells, b"9"]) for cells in ([b"c%d" % at for at in range(2_000)], [b"1"] * 2_000))
    many = read_trace(header.replace(b",9", b",count") + b"\n" + row + b"\n")
    assert many.notes[0] == 'Columns that are ignored: 2,000, among them "c0", "c1", "c2".'
    assert len(many.notes) == 2


def test_one_row_is_a_recording():
    found = read_trace(b"timestamp\n2026-03-01T10:00:00.5Z\n", exact=True)
    assert found.counts.tolist() == [1]
    assert found.rows.time_s.tolist() == [0.5]


ROWS = st.lists(
    st.tuples(
        st.one_of(
            st.integers(0, 10**9).map(str),
            st.floats(0, 1e8).map(repr),
            st.datetimes(datetime(1971, 1, 2), datetime(2200, 1, 1)).map(lambda one: one.isoformat()),  # noqa: DTZ001
            st.datetimes(datetime(2026, 1, 1), datetime(2026, 1, 2)).map(lambda one: one.isoformat(" ") + "+02:00"),  # noqa: DTZ001
            st.sampled_from(["", "-1", "nan", "x", "2026-03-01", "20260301T10"]),
        ),
        st.one_of(st.integers(0, 1000).map(str), st.sampled_from(["0.5", "1e3", "", "-2", "inf", " 7 "])),
        st.sampled_from(["a", "b", " b", '"c,d"', ""]),
    ),
    min_size=1,
    max_size=8,
)


@given(ROWS, st.booleans())
@settings(max_examples=300)
def test_the_fast_and_the_careful_way_give_the_same(rows, is_same_kind):
    if is_same_kind:  # else hardly any file has only numbers or only dates
        rows = [(rows[0][0], *row[1:]) for row in rows]
    source = "\n".join(["timestamp,count,model", *(",".join(row) for row in rows)]).encode()
    with pytest.MonkeyPatch.context() as patch:
        found = [outcome(source)]
        patch.setattr(trace_csv, "_fast", unusual)
        found.append(outcome(source))
    assert found[0] == found[1]


def unusual(*args):
    raise trace_csv._Unusual


def outcome(source):
    try:
        found = read_trace(source, exact=True)
    except InputError as err:
        return [str(problem) for problem in err.problems]
    notes = [note for note in found.notes if "several time zones" not in note]  # the fast way can't tell
    rows = found.rows
    return (
        found.counts.tolist(),
        found.start,
        notes,
        found.models,
        rows.time_s.tolist(),
        rows.count.tolist(),
        rows.model.tolist(),
    )


@given(st.binary(max_size=300))
@settings(max_examples=200)
def test_any_bytes_that_begin_like_parquet_give_a_trace_or_reasons(tail):
    try:
        found = read_trace(b"PAR1" + tail)
    except InputError as err:
        found = err
    assert isinstance(found, InputError) or found.rps_peak > 0


@given(st.data())
@settings(max_examples=200)
def test_a_damaged_parquet_file_gives_a_trace_or_reasons(data):
    whole = bytearray(file_of(timestamp=list(range(50)), count=[1] * 50, model=["a", "b"] * 25))
    for _ in range(data.draw(st.integers(1, 4))):
        whole[data.draw(st.integers(4, len(whole) - 1))] = data.draw(st.integers(0, 255))
    with contextlib.suppress(InputError):
        read_trace(bytes(whole))


def test_reading_is_in_the_file_system_only_where_a_path_is_given(tmp_path):
    path = tmp_path / "arrivals.parquet"
    path.write_bytes(file_of(count=[60]))
    assert read_trace(path).rps_peak == 1.0
    assert problems(tmp_path / "none.parquet") == [f"does not exist in {tmp_path} @ none.parquet"]


def test_reading_imports_no_pandas_which_would_take_half_a_second_and_forget_an_interrupt(tmp_path):
    parquet.write_table(
        pa.table({"timestamp": [0.5, 61.0], "count": [1, 2], "model": ["a", "b"]}), tmp_path / "a.parquet"
    )
    (tmp_path / "a.csv").write_text("timestamp,count,model\n0.5,1,a\n61,2,b\n")
    script = (
        "import sys; from pathlib import Path; from fitness.trace import read_trace\n"
        "for file in sys.argv[1:]: read_trace(Path(file), exact=True)\n"
        "print('pandas' in sys.modules)"
    )
    command = [sys.executable, "-c", script, str(tmp_path / "a.parquet"), str(tmp_path / "a.csv")]
    done = subprocess.run(
        command, cwd=Path(__file__).parents[3], capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout == "False\n"
