"""Recorded arrivals: how many requests came in each minute, read from a CSV file.

The file has a header and either the columns `timestamp[,count]`, where a row without a count is one
request, or one `count` a minute. Everything that is assumed on the way is said in the notes.
"""

import csv
import io
import math
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NoReturn

import numpy as np
from numpy.typing import NDArray

from fitness import document
from fitness.errors import InputError, Problem
from fitness.fields import BY_PATH

MAX_BYTES = 50 * 1024 * 1024
MAX_MINUTES = 5 * 366 * 24 * 60  # five years; longer is a wrong unit or a stray row
MAX_PROBLEMS = 20
YEARS = range(1971, 5000)  # of a date; others are slips, and their zones could leave the calendar
MAX_RPS = BY_PATH["traffic.rps_peak"].maximum or math.inf
SHORTEST_RPS = 1 / 60 / 1000  # a count under a thousandth of a request is no count
_NUMBER = re.compile(r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?")
# Where a timestamp that is a number counts from: the largest one in the file decides.
_LARGEST_OFFSET_S = 1e8  # smaller: seconds from the start of the recording (1e8 s are three years)
_LARGEST_EPOCH_S = 1e11  # smaller: seconds since 1970
_LARGEST_EPOCH_MS = 1e14  # smaller: milliseconds since 1970

Counts = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Rows:
    """The rows of a recording, finer than its minutes.

    Shape: (rows,), read-only, by time. Times are seconds from the start of the recording's first minute.
    """

    time_s: Counts
    width_s: float  # how long a row stands for; 0: the times are exact
    count: NDArray[np.int64] | None  # requests of a row; None: one each
    model: NDArray[np.int32] | None  # index into `Trace.models`


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Trace:
    """Arrivals by the minute, from the first minute with a row to the last.

    Shape: `counts` is (minutes,), read-only, at least one of them above 0; a fraction comes from a
    row that stood for several minutes.
    """

    counts: Counts  # requests in each minute
    start: datetime | None  # UTC, start of the first minute; None: the file does not say
    notes: tuple[str, ...]  # what was assumed or mended, one sentence each
    rows: Rows | None = None  # None: they were not asked for
    models: tuple[str, ...] = ()  # names of the models, the most requested first; none: the file does not say
    model_share: Counts | None = None  # (models,), share of the requests of each

    @property
    def rps_mean(self) -> float:
        """Requests per second, mean over the recording."""
        return float(self.counts.mean()) / 60

    @property
    def rps_peak(self) -> float:
        """Requests per second in the busiest minute."""
        return float(self.counts.max()) / 60

    @property
    def idle_ratio(self) -> float:
        """Share of hours without any request."""
        return float(np.mean(self.hourly_rps == 0))

    @property
    def hourly_rps(self) -> Counts:
        """Requests per second in each hour from the start, (hours,).

        A last hour of less than 30 minutes joins the hour before; a shorter recording is one hour.
        """
        edges = np.arange(0, max(self.counts.size - 29, 1), 60)
        minutes = np.diff(np.append(edges, self.counts.size))
        hourly: Counts = np.add.reduceat(self.counts, edges) / (minutes * 60)
        return hourly


def read_trace(source: Path | bytes, *, name: str = "trace") -> Trace:
    r"""Give the arrivals recorded in a CSV file, from its path or its bytes.

    Timestamps are ISO 8601 (without a zone: UTC is assumed), seconds or milliseconds since 1970, or
    seconds from the start of the recording. Rows may come in any order. Minutes without a row have
    no request. `name` is what messages call the bytes; a path is called by its file name.
    Raises: InputError with up to 20 wrong rows, or with the reason why nothing can be read.

    >>> read_trace(b"count\n60\n0\n120\n").rps_peak
    2.0
    """
    if isinstance(source, Path):
        name = source.name
        source = _bytes_of(source)
    if len(source) > MAX_BYTES:
        _refuse(name, f"is too large: at most {MAX_BYTES // 1024**2} MB are read")
    try:
        text = source.decode("utf-8-sig")
    except UnicodeDecodeError:
        _refuse(name, "is not UTF-8 text")
    rows = csv.reader(io.StringIO(text, newline=""))
    try:
        return _traced(rows, name)
    except csv.Error as err:
        _refuse(name, f"is not a CSV file: {err}")


def _traced(rows: Iterable[list[str]], name: str) -> Trace:
    lines = ((number, row) for number, row in enumerate(rows, 1) if any(map(str.strip, row)))
    _, header = next(lines, (0, None))
    if header is None:
        _refuse(name, "is empty")
    columns = [column.strip().lower() for column in header]
    twice = sorted({column for column in columns if columns.count(column) > 1})
    if twice or not {"timestamp", "count"} & set(columns):
        shown = document.shown(",".join(header))
        _refuse(name, f"must have a header `timestamp`, `timestamp,count` or `count`, got {shown}")
    notes = [
        f"The column {document.shown(column)} is ignored." for column in columns if column not in ("timestamp", "count")
    ]
    cells = _Cells(columns, name)
    for number, row in lines:
        cells.add(number, row)
    cells.check()
    if not cells.counts:
        _refuse(name, "holds a header and no row")
    counts = np.array(cells.counts, dtype=np.float64)
    start = None
    if "timestamp" in columns:
        times_s, is_absolute = _seconds(cells, notes, name)
        counts, first_s = _by_minute(times_s, counts, is_counted="count" in columns, notes=notes)
        if is_absolute:
            start = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=first_s)
    elif counts.size > MAX_MINUTES:
        _refuse(name, f"is too long: at most {MAX_MINUTES} minutes are read, got {counts.size}")
    return _checked(counts, start, notes, name)


def _checked(counts: Counts, start: datetime | None, notes: list[str], name: str) -> Trace:
    busiest = float(counts.max()) / 60
    if busiest > MAX_RPS:
        minute = int(counts.argmax())
        _refuse(
            name,
            f"must have at most {MAX_RPS:.0f} requests a second, got {busiest:.6g} in minute {minute}",
        )
    if busiest < SHORTEST_RPS:
        _refuse(name, "holds no request: the counts are all 0")
    if counts.size < 24 * 60:
        notes.append(f"The recording is {counts.size / 60:.2g} h long; the month is taken to be like it.")
    counts.setflags(write=False)
    return Trace(counts=counts, start=start, notes=tuple(notes))


class _Cells:
    """The cells of the two columns, converted row by row; wrong ones are kept as problems."""

    def __init__(self, columns: Sequence[str], name: str) -> None:
        self._name = name
        self._width = len(columns)
        self._timestamp = columns.index("timestamp") if "timestamp" in columns else None
        self._count = columns.index("count") if "count" in columns else None
        self._problems: list[Problem] = []
        self.counts: list[float] = []
        self.times: list[float] = []  # as written, or seconds since 1970 for ISO 8601
        self.numeric = 0  # how many timestamps are numbers
        self.naive = 0  # how many have no zone

    def add(self, line: int, row: Sequence[str]) -> None:
        if len(row) != self._width:
            self._complain(line, f"must have {self._width} columns, got {len(row)}")
            return
        if self._timestamp is not None:
            self.times.append(self._converted(line, row[self._timestamp].strip(), self._time))
        if self._count is None:
            self.counts.append(1.0)
        else:
            self.counts.append(self._converted(line, row[self._count].strip(), _count))

    def check(self) -> None:
        if not self._problems and 0 < self.numeric < len(self.times):
            self._complain(None, "must write every timestamp as a number, or every one as a date")
        if self._problems:
            raise InputError(self._problems)

    def _time(self, written: str) -> float:
        if _NUMBER.fullmatch(written):
            self.numeric += 1
            number = float(written)
            if not 0 <= number < _LARGEST_EPOCH_MS:
                raise ValueError
            return number
        moment = datetime.fromisoformat(written)
        if moment.year not in YEARS:
            raise ValueError
        if moment.tzinfo is None:
            self.naive += 1
            moment = moment.replace(tzinfo=UTC)
        return moment.timestamp()

    def _converted(self, line: int, written: str, convert: Callable[[str], float]) -> float:
        try:
            return convert(written)
        except (ValueError, OverflowError):
            wanted = (
                "a count must be a number >= 0"
                if convert is _count
                else "a timestamp must be ISO 8601, from 1971 on, or seconds or milliseconds since 1970"
            )
            self._complain(line, f"{wanted}, got {document.shown(written)}")
            return 0.0

    def _complain(self, line: int | None, message: str) -> None:
        path = self._name if line is None else f"{self._name}, line {line}"
        self._problems.append(Problem(path=path, message=message))
        if len(self._problems) >= MAX_PROBLEMS:
            self._problems.append(Problem(path=self._name, message="later rows were not checked"))
            raise InputError(self._problems)


def _count(written: str) -> float:
    number = float(written)
    if not 0 <= number < math.inf:
        raise ValueError
    return number


def _seconds(cells: _Cells, notes: list[str], name: str) -> tuple[Counts, bool]:
    """Give the timestamps in seconds, and whether they count from 1970."""
    times = np.array(cells.times, dtype=np.float64)
    is_absolute = True
    if cells.numeric:
        largest = float(times.max())
        if largest < _LARGEST_OFFSET_S:
            notes.append("The timestamps are read as seconds from the start of the recording.")
            is_absolute = False
        elif largest < _LARGEST_EPOCH_S:
            notes.append("The timestamps are read as seconds since 1970, in UTC.")
        else:
            notes.append("The timestamps are read as milliseconds since 1970, in UTC.")
            times /= 1000
    elif cells.naive:
        notes.append(f"Timestamps without a time zone: {cells.naive} of {times.size}; UTC is assumed.")
    backwards = int(np.count_nonzero(np.diff(times) < 0))
    if backwards:
        notes.append(f"Rows earlier than the row before: {backwards}; they were put in order.")
    minutes = (float(times.max()) - float(times.min())) / 60
    if minutes > MAX_MINUTES:
        years = minutes / 60 / 24 / 365
        _refuse(name, f"must span at most five years, got {years:.4g} years between two rows")
    return times, is_absolute


def _by_minute(times_s: Counts, counts: Counts, *, is_counted: bool, notes: list[str]) -> tuple[Counts, float]:
    """Sum the rows into minutes; give them with the time at which the first begins."""
    order = np.argsort(times_s, kind="stable")
    times_s, counts = times_s[order], counts[order]
    repeated = int(np.count_nonzero(np.diff(times_s) == 0))
    if repeated:
        how = "their counts are added up" if is_counted else "each is a request"
        notes.append(f"Rows with the timestamp of another: {repeated}; {how}.")
    pause_h = float(np.diff(times_s).max(initial=0)) / 3600
    if not is_counted and pause_h > 1:
        notes.append(f"The longest time without a request is {pause_h:.1f} h.")
    step = _step_minutes(times_s) if is_counted else 1
    first_s = math.floor(times_s[0] / 60) * 60.0
    if step == 1:
        bins = np.floor((times_s - first_s) / 60).astype(np.int64)
    else:
        bins = np.round((times_s - times_s[0]) / (60 * step)).astype(np.int64)
        notes.append(f"A row stands for {step} minutes; its count is spread evenly over them.")
    size = int(bins[-1]) + 1
    missing = size - np.unique(bins).size
    if missing and is_counted:
        notes.append(f"Minutes without a row: {missing * step} of {size * step}; they had no request.")
    summed = np.bincount(bins, weights=counts, minlength=size)
    return np.repeat(summed / step, step), first_s


def _step_minutes(times_s: Counts) -> int:
    """Give the minutes for which a counted row stands: the usual distance, if all are multiples."""
    distances = np.round(np.diff(np.unique(times_s)), 3)
    if distances.size < 2:
        return 1
    values, frequency = np.unique(distances, return_counts=True)
    usual = float(values[frequency.argmax()])
    is_usual = frequency.max() * 2 >= distances.size
    if usual <= 60 or usual % 60 or not is_usual or bool(np.any(distances % usual)):
        return 1
    return int(usual // 60)


def _bytes_of(path: Path) -> bytes:
    try:
        if not path.is_file():
            _refuse(path.name, "is not a file that can be read")
        with path.open("rb") as opened:
            return opened.read(MAX_BYTES + 1)
    except (OSError, ValueError) as err:
        reason = err.strerror if isinstance(err, OSError) and err.strerror else "bad path"
        raise InputError([Problem(path=path.name, message=f"can't be read: {reason.lower()}")]) from err


def _refuse(name: str, message: str) -> NoReturn:
    raise InputError([Problem(path=name, message=message)])
