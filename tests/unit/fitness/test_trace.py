import os
import time
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fitness import trace
from fitness.errors import InputError
from fitness.trace import read_trace


def problems(source, **name):
    with pytest.raises(InputError) as caught:
        read_trace(source, **name)
    return [str(problem) for problem in caught.value.problems]


def test_counts_by_the_minute_give_mean_peak_and_idle_hours():
    # Two hours: 60 requests in the first minute, then none; the second hour has one request a minute.
    counts = [60] + [0] * 59 + [1] * 60 + [0] * 60
    found = read_trace("\n".join(["count", *map(str, counts)]).encode())
    assert found.counts.tolist() == counts
    assert found.rps_peak == 1.0
    assert found.rps_mean == pytest.approx(120 / (180 * 60))
    assert found.idle_ratio == pytest.approx(1 / 3)
    assert found.hourly_rps.tolist() == pytest.approx([60 / 3600, 60 / 3600, 0])
    assert found.start is None


def test_rows_without_a_count_are_single_requests():
    found = read_trace(b"timestamp\n2026-03-01T10:00:05Z\n2026-03-01T10:00:59Z\n2026-03-01T10:02:00Z\n")
    assert found.counts.tolist() == [2, 0, 1]
    assert found.start == datetime(2026, 3, 1, 10, tzinfo=UTC)


def test_a_zone_is_converted_and_a_missing_one_is_said():
    aware = read_trace(b"timestamp,count\n2026-03-01T12:00:00+02:00,5\n")
    assert aware.start == datetime(2026, 3, 1, 10, tzinfo=UTC)
    assert aware.notes == ("The recording is 0.017 h long; the month is taken to be like it.",)
    naive = read_trace(b"timestamp,count\n2026-03-01 10:00,5\n2026-03-01T10:01,5\n")
    assert naive.start == datetime(2026, 3, 1, 10, tzinfo=UTC)
    assert "Timestamps without a time zone: 2 of 2; UTC is assumed." in naive.notes
    mixed = read_trace(b"timestamp,count\n2026-03-01 10:00,5\n2026-03-01T10:01Z,5\n")
    assert "Timestamps without a time zone: 1 of 2; UTC is assumed." in mixed.notes


@pytest.mark.parametrize(
    ("times", "said", "start"),
    [
        (
            (1772359200, 1772359260),
            "The timestamps are read as seconds since 1970, in UTC.",
            datetime(2026, 3, 1, 10, tzinfo=UTC),
        ),
        (
            (1772359200000, 1772359260000),
            "The timestamps are read as milliseconds since 1970, in UTC.",
            datetime(2026, 3, 1, 10, tzinfo=UTC),
        ),
        ((0, 60.5), "The timestamps are read as seconds from the start of the recording.", None),
    ],
)
def test_the_unit_of_a_numeric_timestamp_is_found_and_said(times, said, start):
    found = read_trace(f"timestamp,count\n{times[0]},3\n{times[1]},4".encode())
    assert found.counts.tolist() == [3, 4]
    assert found.start == start
    assert said in found.notes


def test_a_row_that_stands_for_several_minutes_is_spread_over_them():
    rows = "".join(f"2026-03-01T10:{minute:02}:00Z,{count}\n" for minute, count in ((0, 300), (5, 60), (10, 0)))
    found = read_trace(f"timestamp,count\n{rows}".encode())
    assert found.counts.tolist() == [60] * 5 + [12] * 5 + [0] * 5
    assert found.rps_peak == 1.0
    assert "A row stands for 5 minutes; its count is spread evenly over them." in found.notes


@pytest.mark.parametrize("minutes", [(0, 7, 9), (0, 5, 10, 12), (0, 5, 15, 30, 50, 55)])
def test_counted_rows_at_irregular_distances_stand_for_their_minute(minutes):
    rows = "".join(f"{minute * 60},6\n" for minute in minutes)
    found = read_trace(f"timestamp,count\n{rows}".encode())
    assert np.flatnonzero(found.counts).tolist() == list(minutes)
    assert found.rps_peak == 0.1


def test_the_zone_of_the_machine_is_irrelevant(monkeypatch):
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    time.tzset()
    try:
        found = read_trace(b"timestamp\n2026-03-01T10:00\n")
    finally:
        monkeypatch.undo()
        time.tzset()
    assert found.start == datetime(2026, 3, 1, 10, tzinfo=UTC)


def test_a_gap_in_counted_rows_is_no_request_and_said():
    found = read_trace(b"timestamp,count\n0,1\n60,1\n120,1\n300,1\n")
    assert found.counts.tolist() == [1, 1, 1, 0, 0, 1]
    assert "Minutes without a row: 2 of 6; they had no request." in found.notes
    spread = read_trace(b"timestamp,count\n0,5\n300,5\n600,5\n1200,5\n")
    assert spread.counts.tolist() == [1] * 15 + [0] * 5 + [1] * 5
    assert "Minutes without a row: 5 of 25; they had no request." in spread.notes
    assert len(read_trace(b"timestamp,count\n0,1\n7200,1\n").notes) == 3


def test_a_long_pause_between_requests_is_said():
    found = read_trace(b"timestamp\n0\n36000\n")
    assert found.notes == (
        "The timestamps are read as seconds from the start of the recording.",
        "The longest time without a request is 10.0 h.",
        "The recording is 10 h long; the month is taken to be like it.",
    )
    assert found.counts.size == 601


def test_repeated_and_disordered_rows_are_added_up_and_said():
    found = read_trace(b"timestamp,count\n60,1\n0,2\n60,3\n120,1\n")
    assert found.counts.tolist() == [2, 4, 1]
    assert "Rows earlier than the row before: 1; they were put in order." in found.notes
    assert "Rows with the timestamp of another: 1; their counts are added up." in found.notes
    events = read_trace(b"timestamp\n5\n5\n")
    assert "Rows with the timestamp of another: 1; each is a request." in events.notes


def test_other_columns_blank_lines_and_a_byte_order_mark_do_no_harm():
    found = read_trace("\ufeff Timestamp , tokens,COUNT\r\n0,99,2\r\n\r\n , , \r\n60,98,4\r\n".encode())
    assert found.counts.tolist() == [2, 4]
    assert 'The column "tokens" is ignored.' in found.notes


def test_a_short_recording_says_so():
    assert read_trace(b"count\n" + b"1\n" * 60).notes == (
        "The recording is 1 h long; the month is taken to be like it.",
    )
    assert read_trace(b"count\n" + b"1\n" * 1440).notes == ()


@pytest.mark.parametrize(
    ("minutes", "hours"), [(1, [1]), (29, [29]), (60, [60]), (89, [89]), (90, [60, 30]), (149, [60, 89])]
)
def test_a_short_last_hour_joins_the_one_before(minutes, hours):
    found = read_trace(b"count\n" + b"60\n" * (minutes - 1) + b"120\n")
    assert found.hourly_rps.size == len(hours)
    assert float(found.hourly_rps @ (np.array(hours) * 60)) == pytest.approx(60 * minutes + 60)


@pytest.mark.parametrize(
    ("source", "message"),
    [
        (b"", "is empty @ trace"),
        (b"\n \n", "is empty @ trace"),
        (b"count\n", "holds a header and no row @ trace"),
        (b"a,b\n1,2", 'must have a header `timestamp[,count][,model]` or `count`, got "a,b" @ trace'),
        (b"5\n6\n", 'must have a header `timestamp[,count][,model]` or `count`, got "5" @ trace'),
        (
            b"count,count\n5,6",
            'must have a header `timestamp[,count][,model]` or `count`, got "count,count" @ trace',
        ),
        (b"count\n-1", 'a count must be a number >= 0, got "-1" @ trace, line 2'),
        (b"count\nnan", 'a count must be a number >= 0, got "nan" @ trace, line 2'),
        (b"count\ninf", 'a count must be a number >= 0, got "inf" @ trace, line 2'),
        (b"count\nmany", 'a count must be a number >= 0, got "many" @ trace, line 2'),
        (b"count\n0\n0", "holds no request: the counts are all 0 @ trace"),
        (b"count\n3\n1e9", "must have at most 1000000 requests a second, got 1.66667e+07 in minute 1 @ trace"),
        (b"count\n\x00", 'a count must be a number >= 0, got "\\u0000" @ trace, line 2'),
        (b"timestamp,count\n0\n", "must have 2 columns, got 1 @ trace, line 2"),
        (b"timestamp\n5\n2026-03-01", "must write every timestamp as a number, or every one as a date @ trace"),
        (b"timestamp\n1\n900000000000", "must span at most five years, got 28.54 years between two rows @ trace"),
        (b"\xff\xfe", "is not UTF-8 text @ trace"),
        (b'count\n"' + b"1" * 200_000, "is not a CSV file: field larger than field limit (131072) @ trace"),
    ],
)
def test_what_can_not_be_read_is_refused_with_the_reason(source, message):
    assert problems(source) == [message]


@pytest.mark.parametrize("written", ["yesterday", "", "-5", "1e20", "0001-01-01T00:00+14:00", "9999-12-31T23:59-14:00"])
def test_a_wrong_timestamp_is_shown_with_its_line(written):
    (problem,) = problems(f"timestamp,count\n0,1\n{written},1\n".encode())
    assert problem == (
        "a timestamp must be ISO 8601, from 1971 on, or a number of seconds, milliseconds, microseconds or nanoseconds,"
        f' got "{written}" @ trace, line 3'
    )


def test_many_wrong_rows_are_cut_short():
    found = problems(b"count\n" + b"x\n" * 1000)
    assert len(found) == trace.MAX_PROBLEMS + 1
    assert found[-1] == "later rows were not checked @ trace"


def test_a_recording_is_at_most_five_years_long():
    too_long = (trace.MAX_MINUTES + 1) * 2
    assert problems(b"count\n" + b"1\n" * (too_long // 2)) == [
        f"is too long: at most {trace.MAX_MINUTES} minutes are read, got {trace.MAX_MINUTES + 1} @ trace"
    ]


def test_a_file_is_read_by_its_path_and_called_by_its_name(tmp_path):
    path = tmp_path / "arrivals.csv"
    path.write_bytes(b"count\n60\n")
    assert read_trace(path).rps_peak == 1.0
    path.write_bytes(b"count\n-1\n")
    assert problems(path) == ['a count must be a number >= 0, got "-1" @ arrivals.csv, line 2']


def test_what_is_no_file_is_refused_without_reading_it(tmp_path):
    assert problems(tmp_path / "absent.csv") == [f"does not exist in {tmp_path} @ absent.csv"]
    assert problems(tmp_path) == [f"is not a file, and nothing else is read @ {tmp_path.name}"]
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    assert problems(pipe) == ["is not a file, and nothing else is read @ pipe"]


def test_a_file_above_the_limit_is_refused(tmp_path):
    path = tmp_path / "large.csv"
    with path.open("wb") as sparse:
        sparse.truncate(trace.MAX_BYTES + 1)
    assert problems(path) == ["is too large: at most 1024 MB are read, got 1024 @ large.csv"]


def test_the_counts_can_not_be_changed():
    with pytest.raises(ValueError, match="read-only"):
        read_trace(b"count\n60\n").counts[0] = 1


ARRIVALS = st.lists(st.floats(0, 3 * 24 * 3600), min_size=1, max_size=60)


@given(ARRIVALS, st.randoms(use_true_random=False))
@settings(max_examples=200)
def test_no_request_is_lost_and_the_order_of_rows_is_irrelevant(arrivals, chance):
    start = datetime(2026, 3, 1, tzinfo=UTC)
    rows = [(start + timedelta(seconds=offset)).isoformat() for offset in arrivals]
    found = read_trace("\n".join(["timestamp", *rows]).encode())
    assert found.counts.sum() == len(arrivals)
    assert found.rps_peak >= found.rps_mean > 0
    assert 0 <= found.idle_ratio < 1
    chance.shuffle(rows)
    assert read_trace("\n".join(["timestamp", *rows]).encode()).counts.tolist() == found.counts.tolist()


@given(st.lists(st.integers(0, 1000), min_size=2, max_size=200).filter(any), st.sampled_from([1, 5, 15, 60]))
@settings(max_examples=200)
def test_spreading_keeps_the_requests_and_never_raises_the_peak(counts, step):
    rows = "".join(f"{number * step * 60},{count}\n" for number, count in enumerate(counts))
    found = read_trace(f"timestamp,count\n{rows}".encode())
    assert found.counts.sum() == pytest.approx(sum(counts))
    if len(counts) > 2:  # two rows do not show for how long a row stands
        assert found.counts.size == len(counts) * step
        assert found.rps_peak == pytest.approx(max(counts) / step / 60)


@given(st.binary(max_size=200) | st.text('countimesap,\n\r"0123456789.-:TZe+ ', max_size=200).map(str.encode))
@settings(max_examples=300)
def test_any_bytes_give_a_trace_or_reasons(source):
    for prefix in (b"", b"count\n", b"timestamp\n", b"timestamp,count\n"):
        try:
            found = read_trace(prefix + source)
        except InputError as err:
            found = err
        assert isinstance(found, InputError) or found.rps_peak > 0
