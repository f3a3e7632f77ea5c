"""Timestamps in every unit and zone, put on one clock."""

import numpy as np
import pyarrow as pa
import pytest

from fitness.trace import read_trace
from tests.recorded import START, file_of, problems


def test_units_are_guessed_from_the_largest_number_or_given():
    for unit, factor in (("seconds", 1), ("milliseconds", 10**3), ("microseconds", 10**6), ("nanoseconds", 10**9)):
        numbers = [1772359200 * factor, 1772359260 * factor]
        for source in ("timestamp\n{}\n{}\n".format(*numbers).encode(), file_of(timestamp=numbers)):
            found = read_trace(source)
            assert found.start == START
            assert found.counts.tolist() == [1, 1]
            assert f"The timestamps are read as {unit} since 1970, in UTC." in found.notes
    minutes = read_trace(b"timestamp,count\n0,5\n1,6\n3,7\n", unit="min")
    assert minutes.counts.tolist() == [5, 6, 0, 7]
    assert "The timestamps are read as minutes from the start of the recording." in minutes.notes
    hours = read_trace(b"timestamp,count\n0,60\n1,120\n2,60\n", unit="h")
    assert hours.counts.tolist() == [1] * 60 + [2] * 60 + [1] * 60
    assert problems(b"timestamp\n1\n", unit="fortnight") == [
        'must have timestamps in one of ns, us, ms, s, min, h, got "fortnight" @ trace'
    ]


def test_nanoseconds_since_1970_keep_their_digits():
    base = 1772359200 * 10**9
    found = read_trace(f"timestamp\n{base + 1_000_000_100}\n{base + 1_000_000_600}\n".encode(), exact=True)
    assert np.diff(found.rows.time_s) == pytest.approx(500e-9, rel=1e-6)
    written = b"timestamp\n2026-03-01T10:00:01.000000100Z\n2026-03-01T10:00:01.000000600Z\n"
    assert np.diff(read_trace(written, exact=True).rows.time_s) == pytest.approx(500e-9, rel=1e-6)


def test_a_zone_may_be_given_for_timestamps_without_one():
    found = read_trace(b"timestamp,count\n2026-03-01T11:00,5\n2026-03-01T11:01,6\n", zone="Europe/Berlin")
    assert found.start == START
    assert "Timestamps without a time zone: 2 of 2; Europe/Berlin is assumed." in found.notes
    # Clocks went forward at 02:00 on 2026-03-29: from 01:59 to 03:00 is one minute.
    forward = read_trace(b"timestamp,count\n2026-03-29T01:59,1\n2026-03-29T03:00,2\n", zone="Europe/Berlin")
    assert forward.counts.tolist() == [1, 2]
    # They went back at 03:00 on 2026-10-25.
    back = read_trace(
        b"timestamp,count\n2026-10-25T01:59,1\n2026-10-25T02:30,2\n2026-10-25T03:00,4\n", zone="Europe/Berlin"
    )
    assert np.flatnonzero(back.counts).tolist() == [0, 31, 121]
    assert "Rows in an hour that the clocks of Europe/Berlin repeat: 1; the first one is assumed." in back.notes
    # 02:30 is no time of that morning: half an hour after 02:00, which is 03:00.
    skipped = read_trace(b"timestamp\n2026-03-29T01:59\n2026-03-29T02:30\n", zone="Europe/Berlin")
    assert np.flatnonzero(skipped.counts).tolist() == [0, 31]
    assert (
        "Rows in an hour that the clocks of Europe/Berlin skip: 1; they are read as if they did not." in skipped.notes
    )
    assert not any("skip" in note or "repeat" in note for note in forward.notes)
    assert problems(b"timestamp\n2026-03-01\n", zone="Mars/Olympus") == [
        'must be in a time zone of the IANA database, as Europe/Berlin, got "Mars/Olympus" @ trace'
    ]
    assert problems(b"timestamp\n2026-03-01\n", zone="../../etc/passwd")[0].startswith("must be in a time zone")
    assert problems(b"timestamp\n2026-03-01T10:00\n2026-03-01T10:00Z\n", zone="Europe/Berlin") == [
        "must have a time zone in every timestamp or in none, where a zone is given @ trace"
    ]
    aware = read_trace(b"timestamp\n2026-03-01T10:00Z\n", zone="Europe/Berlin")
    assert aware.start == START


def test_mixed_zones_are_converted_and_said():
    written = b"timestamp\n2026-03-01T11:00+01:00\n2026-03-01T10:01Z\n2026-03-01 10:02\n"
    found = read_trace(written)
    assert found.counts.tolist() == [1, 1, 1]
    assert found.start == START
    assert "Timestamps without a time zone: 1 of 3; UTC is assumed." in found.notes
    assert "Timestamps of several time zones (+0100, +0000) were converted to UTC." in found.notes


@pytest.mark.parametrize(
    ("source", "how"),
    [
        (file_of(timestamp=pa.array([2**62], pa.timestamp("us"))), {}),
        (file_of(timestamp=pa.array([2**62], pa.timestamp("us"))), {"zone": "Europe/Berlin"}),
        (file_of(timestamp=pa.array([2**30], pa.date32())), {}),
        (b"timestamp\n1e18\n", {"unit": "s"}),
        (b"timestamp\n1e18\n", {"unit": "h"}),
    ],
)
def test_a_time_that_no_calendar_has_is_refused(source, how):
    (problem,) = problems(source, **how)
    assert problem.startswith("must have timestamps before the year 5000, got ")
    assert problem.endswith(" s since 1970: is the unit right? @ trace")


def test_letters_of_a_timestamp_may_be_small():
    assert read_trace(b"timestamp\n2026-03-01t10:00:00z\n").start == START
