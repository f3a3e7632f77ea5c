"""Every statistic beside the plain reading of its definition: all samples written out, sorted and counted."""

import math
from collections.abc import Sequence
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.services.cloudwatch.samples import DAY, HOUR, Samples, Window
from sandbox.services.cloudwatch.statistics import SIMPLE, UnknownStatistic, compute, parse_statistic

NOW = 1_800_000_000
START = NOW - HOUR

PERCENT = ["0", "1", "10", "25", "50", "62.5", "90", "99", "99.9", "100"]
STATISTICS = [
    *SIMPLE,
    *(f"p{number}" for number in PERCENT),
    *(f"{kind}{number}" for kind in ("tm", "tc", "ts", "wm") for number in ("10", "50", "99", "100")),
    "IQM",
    *(
        f"{kind}({bounds})"
        for kind in ("TM", "TC", "TS", "WM")
        for bounds in ("10%:90%", ":95%", "20%:", "0%:100%", "3:8", ":5")
    ),
    *(f"PR({bounds})" for bounds in ("3:8", ":5", "5:")),
]


def by_hand(text: str, samples: list[float]) -> float | None:
    """Compute a statistic of samples that are written out one by one."""
    samples = sorted(samples)
    size = len(samples)
    simple = {
        "SampleCount": float(size),
        "Sum": math.fsum(samples),
        "Average": math.fsum(samples) / size,
        "Minimum": samples[0],
        "Maximum": samples[-1],
    }
    if text in simple:
        return simple[text]
    if text[0] == "p":
        return samples[max(1, math.ceil(Fraction(text[1:]) * size / 100)) - 1]
    kind = "TM" if text == "IQM" else text[:2].upper()
    bounds = "25%:75%" if text == "IQM" else text[3:-1] if "(" in text else f":{text[2:]}%"
    low, high = bounds.split(":")
    if "%" in bounds:
        first = math.floor(Fraction(low.rstrip("%") or 0) * size / 100)
        last = math.ceil(Fraction(high.rstrip("%") or 100) * size / 100)
        kept = samples[first:last]
        moved = [kept[0]] * first + kept + [kept[-1]] * (size - last) if kept else [math.nan]
    else:
        bottom, top = float(low or "-inf"), float(high or "inf")
        kept = [value for value in samples if bottom < value <= top]
        moved = [min(max(value, bottom), top) for value in samples]
    return {
        "TM": math.fsum(kept) / len(kept) if kept else None,
        "TC": float(len(kept)),
        "TS": math.fsum(kept),
        "WM": math.fsum(moved) / len(moved),
        "PR": 100 * len(kept) / size,
    }[kind]


def samples_of(rows: list[tuple[int, float, int]], summaries: Sequence[tuple[float, ...]] = ()) -> Samples:
    times, values, counts = (np.array(column) for column in zip(*rows, strict=True)) if rows else (np.array([]),) * 3
    return Samples(
        times=times.astype(np.int64),
        values=values.astype(float),
        counts=counts.astype(float),
        summaries=np.array(summaries, dtype=float).reshape(-1, 5),
    )


ROWS = st.lists(
    st.tuples(
        st.integers(0, 20).map(lambda minute: START + 60 * minute),
        st.integers(0, 10) | st.floats(0, 1e6, allow_subnormal=False),
        st.integers(1, 5),
    ),
    max_size=40,
)


@given(ROWS, st.sampled_from([60, 120, 300, 3600]), st.integers(0, 15))
def test_every_statistic_equals_the_plain_reading_of_its_definition(rows, period, minutes):
    window = Window.of(START, START + 60 * minutes, period, now=NOW)
    ends = {begins: min(begins + period, window.end) for begins in range(START, window.end, period)}
    written_out = {
        begins: [value for time, value, count in rows if begins <= time < end for _ in range(count)]
        for begins, end in ends.items()
    }
    samples = samples_of(rows)
    for text in STATISTICS:
        values = {begins: by_hand(text, inside) for begins, inside in written_out.items() if inside}
        expected = {begins: value for begins, value in values.items() if value is not None}
        points = compute(samples, parse_statistic(text), window)
        assert points.times.tolist() == list(expected), text
        assert points.values.tolist() == pytest.approx(list(expected.values()), rel=1e-9, abs=1e-9), text


def test_ninety_nine_of_a_hundred():
    samples = samples_of([(START, float(value), 1) for value in range(1, 101)])
    window = Window.of(START, NOW, 60, now=NOW)
    seen = {text: compute(samples, parse_statistic(text), window).values.tolist() for text in ("p99", "p7", "tm99")}
    assert seen == {"p99": [99.0], "p7": [7.0], "tm99": [50.0]}


@pytest.mark.parametrize("text", ["p50", "tm90", "IQM", "PR(:5)"])
def test_what_needs_samples_has_no_value_beside_a_summary_or_a_negative_value(text):
    rows = [(START, 1.0, 1), (START + 60, -1.0, 1), (START + 60, 2.0, 1), (START + 120, 3.0, 1)]
    samples = samples_of(rows, [(START, 2.0, 3.0, 1.0, 2.0)])
    points = compute(samples, parse_statistic(text), Window.of(START, NOW, 60, now=NOW))
    assert points.times.tolist() == [START + 120]


def test_summaries_count_in_the_simple_statistics():
    samples = samples_of([(START, 4.0, 2)], [(START, 3.0, 12.0, 1.0, 9.0), (START + 60, 1.0, 5.0, 5.0, 5.0)])
    window = Window.of(START, NOW, 60, now=NOW)
    seen = {text: compute(samples, parse_statistic(text), window).values.tolist() for text in SIMPLE}
    assert seen == {
        "SampleCount": [5.0, 1.0],
        "Sum": [20.0, 5.0],
        "Average": [4.0, 5.0],
        "Minimum": [1.0, 5.0],
        "Maximum": [9.0, 5.0],
    }


@pytest.mark.parametrize(
    "text",
    ["", "p", "p101", "P99", "p-1", "median", "sum", "TM", "TM(:)", "TM(10%:90)", "TM(90%:10%)", "tm", "PR(1%:2%)", "TM(0%:101%)", "iqm", "p99x", "PR50"],
)  # fmt: skip
def test_what_is_no_statistic_is_refused(text):
    with pytest.raises(UnknownStatistic):
        parse_statistic(text)


@pytest.mark.parametrize(
    ("age_s", "period", "begins"),
    [
        (HOUR, 60, 32 * 60),
        (HOUR, 10, 32 * 60 + 30),
        (16 * DAY, 300, 30 * 60),
        (64 * DAY, HOUR, 0),
    ],
)
def test_a_window_begins_at_a_round_time_that_depends_on_its_age(age_s, period, begins):
    hour = 1_800_000_000 // DAY * DAY + 12 * HOUR
    window = Window.of(hour + 32 * 60 + 34, hour + HOUR, period, now=hour + age_s)
    assert window.start - hour == begins


@pytest.mark.parametrize(
    ("age_s", "period", "found"),
    [
        (2 * HOUR, 10, 1), (4 * HOUR, 10, 0), (4 * HOUR, 60, 1), (16 * DAY, 60, 0), (16 * DAY, 300, 1),
        (64 * DAY, 300, 0), (64 * DAY, HOUR, 1), (456 * DAY, HOUR, 0),
    ],
)  # fmt: skip
def test_old_samples_can_only_be_read_with_long_periods(age_s, period, found):
    time = (NOW - age_s) // HOUR * HOUR
    window = Window.of(time, time + HOUR, period, now=NOW)
    assert len(compute(samples_of([(time, 1.0, 1)]), parse_statistic("Sum"), window).times) == found


def test_periods_begin_where_the_window_does():
    rows = [(START + 60 * minute, 1.0, 1) for minute in range(10)]
    points = compute(samples_of(rows), parse_statistic("Sum"), Window.of(START + 60, START + 600, 300, now=NOW))
    assert points.times.tolist() == [START + 60, START + 360]
    assert points.values.tolist() == [5.0, 4.0]
