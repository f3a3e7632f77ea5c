"""The rows of a recording on one clock: sums by the minute, and how long a row stands for."""

import math
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import numpy as np
from numpy.typing import NDArray

from fitness import document
from fitness.trace_columns import YEARS, Columns, Numbers, refuse

MAX_MINUTES = 5 * 366 * 24 * 60  # five years; longer is a wrong unit or a stray row
UNITS = {"ns": 1e-9, "us": 1e-6, "ms": 1e-3, "s": 1.0, "min": 60.0, "h": 3600.0}
_WORDS = {
    "ns": "nanoseconds",
    "us": "microseconds",
    "ms": "milliseconds",
    "s": "seconds",
    "min": "minutes",
    "h": "hours",
}
# What a timestamp that is a number counts, where nobody says it: the largest one in the file decides.
_LARGEST_OFFSET_S = 1e8  # smaller: seconds from the start of the recording (1e8 s are three years)
_LARGEST = (("s", 1e11), ("ms", 1e14), ("us", 1e17), ("ns", math.inf))  # smaller: since 1970
_QUARTER_HOUR_S = 900  # offsets of time zones change at multiples of it
_LAST_S = datetime(YEARS.stop, 1, 1, tzinfo=UTC).timestamp()  # since 1970


@dataclass(frozen=True, slots=True, kw_only=True)
class Clocked:
    """The rows in order of time.

    Shape: (rows,). Times count from the start of the minute of the first row.
    """

    time_s: Numbers
    counts: Numbers | None
    models: NDArray[np.int32] | None
    start: datetime | None  # UTC; None: the file does not say
    first_s: float  # of the first row from the start of its minute, as `time_s[0]`


def clocked(columns: Columns, notes: list[str], name: str, *, unit: str | None, zone: str | None) -> Clocked:
    """Put the rows on one clock, in order, and note what was assumed or mended.

    Raises: InputError for an unknown unit or zone, a time that no calendar has, and rows more than five years apart.
    """
    times = columns.times
    assert times is not None  # noqa: S101 the caller chose this branch
    if unit is not None and unit not in UNITS:
        refuse(name, f"must have timestamps in one of {', '.join(UNITS)}, got {document.shown(unit)}")
    unit_s, is_absolute = (columns.unit_s, True) if columns.unit_s is not None else _unit(times, unit, notes)
    if is_absolute and float(times.max()) * unit_s >= _LAST_S:
        since = f"{float(times.max()) * unit_s:.4g} s since 1970"
        refuse(name, f"must have timestamps before the year {YEARS.stop}, got {since}: is the unit right?")
    if columns.naive:
        assumed = "UTC" if zone is None else zone
        notes.append(f"Timestamps without a time zone: {columns.naive:,} of {times.size:,}; {assumed} is assumed.")
        if zone is not None:
            if columns.naive < times.size:
                refuse(name, "must have a time zone in every timestamp or in none, where a zone is given")
            times, unit_s = _in_utc(times, unit_s, zone, notes, name)
    if columns.zones:
        notes.append(f"Timestamps of several time zones ({', '.join(columns.zones[:3])}) were converted to UTC.")
    span_s = (float(times.max()) - float(times.min())) * unit_s
    if span_s / 60 > MAX_MINUTES:
        years = span_s / 3600 / 24 / 365
        refuse(name, f"must span at most five years, got {years:.4g} years between two rows")
    # Whole minutes are taken off before the number becomes a float: nanoseconds since 1970 have too many digits.
    per_minute = round(60 / unit_s) if unit_s <= 60 and times.dtype == np.int64 else 60 / unit_s
    begin = (times.min() // per_minute) * per_minute if unit_s <= 60 else times.min()
    # Divided where that is exact: a millionth is no binary fraction, a million is.
    since = times - begin
    time_s = np.asarray(since / round(1 / unit_s) if unit_s < 1 else since * unit_s, dtype=np.float64)
    begin_s = float(begin) * unit_s
    order = _order(time_s, notes)
    counts, models = columns.counts, columns.models
    if order is not None:
        time_s = time_s[order]
        counts = None if counts is None else counts[order]
        models = None if models is None else models[order]
    start = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=round(begin_s)) if is_absolute else None
    return Clocked(time_s=time_s, counts=counts, models=models, start=start, first_s=float(time_s[0]))


def _unit(times: Numbers | NDArray[np.int64], unit: str | None, notes: list[str]) -> tuple[float, bool]:
    """Give the unit of timestamps that are numbers, in seconds, and whether they count from 1970."""
    largest = float(times.max())
    guessed = unit or next(name for name, limit in _LARGEST if largest < limit)
    is_absolute = largest * UNITS[guessed] >= _LARGEST_OFFSET_S
    if is_absolute:
        notes.append(f"The timestamps are read as {_WORDS[guessed]} since 1970, in UTC.")
    else:
        notes.append(f"The timestamps are read as {_WORDS[guessed]} from the start of the recording.")
    return UNITS[guessed], is_absolute


def _in_utc(
    times: Numbers | NDArray[np.int64], unit_s: float, zone: str, notes: list[str], name: str
) -> tuple[Numbers | NDArray[np.int64], float]:
    """Local times in UTC. Of an hour that the clocks repeat the first one is taken; one that they skip counts on."""
    try:
        info = ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        refuse(name, f"must be in a time zone of the IANA database, as Europe/Berlin, got {document.shown(zone)}")
    per_quarter = round(_QUARTER_HOUR_S / unit_s) if unit_s <= _QUARTER_HOUR_S else _QUARTER_HOUR_S / unit_s
    quarters = np.floor_divide(times, per_quarter).astype(np.int64)
    own, at = np.unique(quarters, return_inverse=True)
    epoch = datetime(1970, 1, 1)  # noqa: DTZ001 local times have no zone yet
    local = [(epoch + timedelta(seconds=quarter * _QUARTER_HOUR_S)) for quarter in own.tolist()]
    first = [moment.replace(tzinfo=info).utcoffset() for moment in local]
    second = [moment.replace(tzinfo=info, fold=1).utcoffset() for moment in local]
    offsets = np.array([(offset or timedelta()).total_seconds() for offset in first])
    later = np.array([(offset or timedelta()).total_seconds() for offset in second])
    repeated = int(np.count_nonzero((later < offsets)[at]))
    if repeated:
        notes.append(f"Rows in an hour that the clocks of {zone} repeat: {repeated:,}; the first one is assumed.")
    skipped = int(np.count_nonzero((later > offsets)[at]))
    if skipped:
        notes.append(f"Rows in an hour that the clocks of {zone} skip: {skipped:,}; they are read as if they did not.")
    if times.dtype == np.int64 and unit_s <= 1:
        return times - np.round(offsets / unit_s).astype(np.int64)[at], unit_s
    return times * unit_s - offsets[at], 1.0


def _order(time_s: Numbers, notes: list[str]) -> NDArray[np.intp] | None:
    backwards = int(np.count_nonzero(np.diff(time_s) < 0))
    if not backwards:
        return None
    notes.append(f"Rows earlier than the row before: {backwards:,}; they were put in order.")
    return np.argsort(time_s, kind="stable")


@dataclass(frozen=True, slots=True, kw_only=True)
class Summed:
    """The requests of each minute."""

    counts: Numbers  # (minutes,)
    step_s: float  # how long a row stands for; 0: the time of each request is known


def summed(rows: Clocked, notes: list[str]) -> Summed:
    """Sum the rows into minutes, and note gaps, duplicates and long pauses."""
    distances = np.diff(rows.time_s)
    repeated = _repeated(rows, distances)
    if repeated:
        how = "each is a request" if rows.counts is None else "their counts are added up"
        notes.append(f"Rows with the timestamp of another: {repeated:,}; {how}.")
    if rows.counts is None:
        pause_h = float(distances.max(initial=0)) / 3600
        if pause_h > 1:
            notes.append(f"The longest time without a request is {pause_h:.1f} h.")
        bins = (rows.time_s / 60).astype(np.int64)
        counts = np.bincount(bins).astype(np.float64)
        return Summed(counts=counts, step_s=_resolution(rows.time_s))
    step_s = _step(distances)
    step = int(step_s // 60) if step_s > 60 else 1
    if step == 1:
        bins = (rows.time_s / 60).astype(np.int64)
    else:
        bins = np.round((rows.time_s - rows.first_s) / (60 * step)).astype(np.int64)
        notes.append(f"A row stands for {step} minutes; its count is spread evenly over them.")
    size = int(bins[-1]) + 1
    missing = size - (int(np.count_nonzero(np.diff(bins))) + 1)
    if missing:
        notes.append(f"Minutes without a row: {missing * step:,} of {size * step:,}; they had no request.")
    total = np.bincount(bins, weights=rows.counts, minlength=size)
    return Summed(counts=np.repeat(total / step, step), step_s=step_s)


def _repeated(rows: Clocked, distances: Numbers) -> int:
    """Rows with the time of another; where rows name models, counts of the same model."""
    if rows.models is None or rows.counts is None:
        return int(np.count_nonzero(distances == 0))
    order = np.lexsort((rows.models, rows.time_s))
    times, models = rows.time_s[order], rows.models[order]
    return int(np.count_nonzero((np.diff(times) == 0) & (np.diff(models) == 0)))


def _resolution(time_s: Numbers) -> float:
    """How exact the times of requests are: 60 s or 1 s where all are whole minutes or seconds, else 0."""
    for step_s in (60.0, 1.0):
        if bool(np.all(time_s % step_s == 0)):
            return step_s
    return 0.0


def _step(distances: Numbers) -> float:
    """Give the seconds for which a counted row stands: the usual distance if all are multiples, else a minute."""
    apart = np.round(distances, 3)
    apart = apart[apart > 0]
    if apart.size < 2:
        return 60.0
    values, frequency = np.unique(apart, return_counts=True)
    usual = float(values[frequency.argmax()])
    is_usual = frequency.max() * 2 >= apart.size
    is_whole = usual % 60 == 0 if usual > 60 else 60 % usual == 0
    if not is_usual or not is_whole or bool(np.any(np.round(apart % usual, 3) % usual)):
        return 60.0
    return usual
