"""Recorded arrivals: how many requests came in each minute, read from a CSV or a Parquet file.

The file has either the columns `timestamp[,count][,model]`, where a row without a count is one request, or one
`count` a minute. Everything that is assumed on the way is said in the notes.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray

from fitness import document
from fitness.fields import BY_PATH
from fitness.trace_columns import MAX_MODELS, MAX_PROBLEMS, MAX_ROWS, Columns, refuse
from fitness.trace_csv import read_csv
from fitness.trace_minutes import MAX_MINUTES, UNITS, Clocked, Summed, clocked, summed
from fitness.trace_parquet import MAGIC, read_parquet
from fitness.wording import percent

__all__ = [
    "MAX_BYTES",
    "MAX_MINUTES",
    "MAX_MODELS",
    "MAX_PROBLEMS",
    "MAX_ROWS",
    "UNITS",
    "Rows",
    "Trace",
    "of_model",
    "read_trace",
    "thinned",
]

MAX_BYTES = 1024 * 1024 * 1024
MAX_RPS = BY_PATH["traffic.rps_peak"].maximum or np.inf
MOST_NAMED = 3  # columns that are ignored
SHORTEST_RPS = 1 / 60 / 1000  # a count under a thousandth of a request is no count

Counts = NDArray[np.float64]
Index = NDArray[np.int32]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, weakref_slot=True)
class Rows:
    """The rows of a recording, finer than its minutes.

    Shape: (rows,), read-only, by time. Times are seconds from the start of the recording's first minute.
    """

    time_s: Counts
    width_s: float  # how long a row stands for; 0: the times are exact
    count: NDArray[np.int64] | None  # requests of a row; None: one each
    model: Index | None  # index into `Trace.models`


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


def of_model(trace: Trace, model: int) -> Trace:
    """Give the requests of one model of a recording whose rows were kept; `model` is its place in `Trace.models`.

    Raises: ValueError for a recording without rows or models, or without this one.
    """
    rows = trace.rows
    if rows is None or rows.model is None or not 0 <= model < len(trace.models):
        message = f"the recording has no rows of a model {model}"
        raise ValueError(message)
    order, first = _by_model(rows, len(trace.models))
    own = order[first[model] : first[model + 1]]
    kept = _with_rows(trace, rows.time_s[own], None if rows.count is None else rows.count[own], rows.width_s)
    return replace(kept, models=(trace.models[model],), model_share=np.ones(1))


def thinned(trace: Trace, share: float, rng: np.random.Generator) -> Trace:
    """Give a recording with each request kept with probability `share`, at its own time; no row names its model."""
    share = min(1.0, share)
    rows = trace.rows
    if rows is None:
        counts = rng.binomial(np.round(trace.counts).astype(np.int64), share).astype(np.float64)
        return replace(trace, counts=counts)
    if rows.count is None:
        return _with_rows(trace, rows.time_s[rng.random(rows.time_s.size) < share], None, rows.width_s)
    count = rng.binomial(rows.count, share)
    return _with_rows(trace, rows.time_s[count > 0], count[count > 0], rows.width_s)


def _with_rows(trace: Trace, time_s: Counts, count: NDArray[np.int64] | None, width_s: float) -> Trace:
    """A recording of some of its rows, of the same length."""
    for array in (time_s, count):
        if array is not None:
            array.setflags(write=False)
    step = max(1, round(width_s / 60))
    bins = (time_s / (60 * step)).astype(np.int64)
    total = np.bincount(bins, weights=count, minlength=trace.counts.size // step)
    return replace(
        trace,
        counts=np.repeat(total / step, step),
        rows=Rows(time_s=time_s, width_s=width_s, count=count, model=None),
    )


_BY_MODEL: WeakKeyDictionary[Rows, tuple[Index, NDArray[np.int64]]] = WeakKeyDictionary()


def _by_model(rows: Rows, models: int) -> tuple[Index, NDArray[np.int64]]:
    """The rows of each model one after the other, by time, and where each begins; kept as long as the rows are."""
    found = _BY_MODEL.get(rows)
    if found is None:
        assert rows.model is not None  # noqa: S101 the caller looked
        rows_of = np.bincount(rows.model, minlength=models)
        is_short = models <= np.iinfo(np.uint16).max  # numbers of two bytes are sorted three times as fast
        order = np.argsort(rows.model.astype(np.uint16) if is_short else rows.model, kind="stable").astype(np.int32)
        found = _BY_MODEL[rows] = order, np.concatenate([[0], np.cumsum(rows_of)])
    return found


def read_trace(
    source: Path | bytes,
    *,
    name: str = "trace",
    exact: bool = False,
    unit: str | None = None,
    zone: str | None = None,
    columns: Mapping[str, str] | None = None,
) -> Trace:
    r"""Give the arrivals recorded in a CSV or Parquet file, from its path or its bytes.

    Timestamps are ISO 8601 (or Parquet's own), a number of seconds to nanoseconds since 1970, or seconds from the
    start of the recording. Rows may come in any order. Minutes without a row have no request.
    `name` is what messages call the bytes; a path is called by its file name. `exact` keeps the rows as well as their
    sums by the minute. `unit` is that of timestamps that are numbers: ns, us, ms, s, min or h. `zone` is that of
    timestamps without one; UTC else. `columns` says which of the file's columns are `timestamp`, `count` and `model`.
    Raises: InputError with up to 20 wrong rows, or with the reason why nothing can be read.

    >>> read_trace(b"count\n60\n0\n120\n").rps_peak
    2.0
    """
    if isinstance(source, Path):
        name = source.name
    try:
        read = read_parquet if _begins_with(source, name) == MAGIC else read_csv
        found = read(source, name=name, named=columns)
    except OSError as err:
        refuse(name, f"can't be read: {(err.strerror or 'bad path').lower()}")
    return _traced(found, name, exact=exact, unit=unit, zone=zone)


def _begins_with(source: Path | bytes, name: str) -> bytes:
    """Give the first bytes of a file that is small enough to be read."""
    if isinstance(source, bytes):
        size, first = len(source), source[: len(MAGIC)]
    else:
        try:
            is_file = source.is_file()
        except ValueError:
            refuse(name, "can't be read: bad path")
        if not is_file:
            what = (
                "is not a file, and nothing else is read" if source.exists() else f"does not exist in {source.parent}"
            )
            refuse(name, what)
        size = source.stat().st_size
        with source.open("rb") as opened:
            first = opened.read(len(MAGIC))
    if size > MAX_BYTES:
        refuse(name, f"is too large: at most {MAX_BYTES // 1024**2} MB are read, got {size // 1024**2}")
    return first


def _traced(columns: Columns, name: str, *, exact: bool, unit: str | None, zone: str | None) -> Trace:
    notes = _ignored([document.shown(column.strip().lower()) for column in columns.ignored])
    start, rows = None, None
    models: tuple[str, ...] = ()
    share: Counts | None = None
    if columns.times is None:
        assert columns.counts is not None  # noqa: S101 a header has one or the other
        counts = columns.counts
        if counts.size > MAX_MINUTES:
            refuse(name, f"is too long: at most {MAX_MINUTES} minutes are read, got {counts.size}")
        _check(counts, name)
    else:
        clock = clocked(columns, notes, name, unit=unit, zone=zone)
        sums = summed(clock, notes)
        start, counts = clock.start, sums.counts
        _check(counts, name)
        index = clock.models
        if index is not None:
            models, share, index = _popular(clock, index, columns.names, notes)
        if exact:
            rows = _rows(clock, sums, index)
    if exact and counts.sum() < 0.5:
        refuse(name, f"holds no whole request to play: the counts sum to {counts.sum():.3g}")
    if counts.size < 24 * 60:
        notes.append(f"The recording is {counts.size / 60:.2g} h long; the month is taken to be like it.")
    counts.setflags(write=False)
    return Trace(counts=counts, start=start, notes=tuple(notes), rows=rows, models=models, model_share=share)


def _ignored(columns: Sequence[str]) -> list[str]:
    if len(columns) <= MOST_NAMED:
        return [f"The column {column} is ignored." for column in columns]
    named = ", ".join(columns[:MOST_NAMED])
    return [f"Columns that are ignored: {len(columns):,}, among them {named}."]


def _popular(
    clock: Clocked, index: Index, names: tuple[str, ...], notes: list[str]
) -> tuple[tuple[str, ...], Counts, Index]:
    """Give the models, the most requested first, their shares, and the model of each row in that order."""
    requests = np.bincount(index, weights=clock.counts, minlength=len(names)).astype(np.float64)
    order = np.lexsort((np.array(names), -requests))
    rank = np.empty(len(names), dtype=np.int32)
    rank[order] = np.arange(len(names), dtype=np.int32)
    share = requests[order] / max(float(requests.sum()), 1e-300)
    notes.append(
        f"Models in the recording: {len(names):,}; the most requested one has {percent(share[0])} of the requests."
    )
    share.setflags(write=False)
    return tuple(names[at] for at in order.tolist()), share, rank[index]


def _rows(clock: Clocked, sums: Summed, models: Index | None) -> Rows:
    """The rows, on the clock of the minutes, without those that have no request."""
    time_s, width_s = clock.time_s, sums.step_s
    count = None
    if clock.counts is not None:
        first_s = clock.first_s if width_s > 60 else 0.0
        time_s = np.floor((time_s - first_s) / width_s + (0.5 if width_s > 60 else 1e-9)) * width_s
        count = np.diff(np.floor(np.cumsum(clock.counts) + 0.5), prepend=0.0).astype(np.int64)
        kept = count > 0
        time_s, count = time_s[kept], count[kept]
        models = None if models is None else models[kept]
    for array in (time_s, count, models):
        if array is not None:
            array.setflags(write=False)
    return Rows(time_s=time_s, width_s=width_s, count=count, model=models)


def _check(counts: Counts, name: str) -> None:
    """Refuse more requests in a minute than anything here serves, and a recording without any."""
    busiest = float(counts.max()) / 60
    if busiest > MAX_RPS:
        minute = int(counts.argmax())
        refuse(
            name,
            f"must have at most {MAX_RPS:.0f} requests a second, got {busiest:.6g} in minute {minute}",
        )
    if busiest < SHORTEST_RPS:
        refuse(name, "holds no request: the counts are all 0")
