"""Metrics: what the runtime measured and what clients put, as values and how often each occurred."""

import itertools
import json
import struct
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from sqlite3 import Connection
from typing import Any

from sandbox.state import Database

SCHEMA = """
CREATE TABLE IF NOT EXISTS metrics (
    id INTEGER PRIMARY KEY, account TEXT, region TEXT, namespace TEXT, name TEXT, dimensions TEXT, unit TEXT,
    UNIQUE (account, region, namespace, name, dimensions, unit)
);
CREATE TABLE IF NOT EXISTS samples (metric INTEGER, minute INTEGER, pairs BLOB);
CREATE INDEX IF NOT EXISTS samples_of_metric ON samples (metric, minute);
CREATE TABLE IF NOT EXISTS summaries (
    metric INTEGER, minute INTEGER, samples REAL, total REAL, lowest REAL, highest REAL
);
CREATE INDEX IF NOT EXISTS summaries_of_metric ON summaries (metric, minute);
"""

Dimensions = tuple[tuple[str, str], ...]

_NEWEST = (
    "max(coalesce((SELECT max(minute) FROM samples WHERE metric = id), 0), "
    "coalesce((SELECT max(minute) FROM summaries WHERE metric = id), 0))"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """What is left of some values when only their statistics were sent."""

    samples: float
    total: float
    lowest: float
    highest: float


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricRow:
    """Some values of one series within one minute, or their summary. Dimensions are sorted.

    `minute` is when the minute began, in epoch seconds; a metric of high resolution has its second there.
    """

    namespace: str
    name: str
    dimensions: Dimensions
    unit: str
    minute: int
    values: Sequence[float]
    counts: Sequence[float]
    summary: Summary | None = None

    @classmethod
    def read(cls, document: dict[str, Any]) -> "MetricRow":
        """Read a row as the runtime sends it."""
        dimensions = tuple(sorted((str(name), str(value)) for name, value in document["dimensions"]))
        return cls(**{**document, "dimensions": dimensions})


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """A metric in one of its units."""

    id: int
    namespace: str
    name: str
    dimensions: Dimensions
    unit: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """What is kept of some series: rows of (minute, pairs of value and count as little-endian doubles), summaries."""

    rows: list[tuple[int, bytes]]
    summaries: list[tuple[int, float, float, float, float]]


class MetricStore:
    """The series of all namespaces.

    Rows are only ever added, so a minute may have several until the series has a later one; then they become one row
    with each value once, which keeps a day at 1,440 rows.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._open: dict[int, tuple[int, int]] = {}  # series -> its latest minute, rows of that minute
        self.version = 0  # counts the changes

    def add(self, account: str, region: str, rows: Iterable[MetricRow]) -> None:
        """Keep some rows, all or none."""
        with self._database.transaction() as connection:
            batches: dict[tuple[int, int], list[bytes]] = defaultdict(list)
            for row in rows:
                series = _identify(connection, account, region, row)
                if row.summary is None:
                    batches[series, row.minute].append(_pack(row.values, row.counts))
                else:
                    one = row.summary
                    connection.execute(
                        "INSERT INTO summaries VALUES (?, ?, ?, ?, ?, ?)",
                        (series, row.minute, one.samples, one.total, one.lowest, one.highest),
                    )
            for (series, minute), pairs in sorted(batches.items()):
                connection.execute("INSERT INTO samples VALUES (?, ?, ?)", (series, minute, b"".join(pairs)))
                self._close_earlier(connection, series, minute)
            self.version += 1

    def _close_earlier(self, connection: Connection, series: int, minute: int) -> None:
        latest, rows = self._open.get(series, (minute, 0))
        if minute == latest:
            self._open[series] = (minute, rows + 1)
        elif minute > latest:
            self._open[series] = (minute, 1)
            if rows > 1:
                _merge(connection, series, latest)

    def series(
        self,
        account: str,
        region: str,
        *,
        namespace: str | None = None,
        name: str | None = None,
        dimensions: Dimensions | None = None,
        unit: str | None = None,
        active_since: int | None = None,
    ) -> list[Series]:
        """Find series; `dimensions` are all of a series' dimensions, `active_since` asks for a row from then on."""
        wanted: dict[str, str | None] = {
            "account": account,
            "region": region,
            "namespace": namespace,
            "name": name,
            "dimensions": None if dimensions is None else _key(dimensions),
            "unit": unit,
        }
        given = {column: value for column, value in wanted.items() if value is not None}
        where = " AND ".join(f"{column} = ?" for column in given)
        values: list[Any] = list(given.values())
        if active_since is not None:
            where += f" AND {_NEWEST} >= ?"
            values.append(active_since)
        found = self._database.read(
            f"SELECT id, namespace, name, dimensions, unit FROM metrics WHERE {where} "  # noqa: S608 (own names)
            "ORDER BY namespace, name, dimensions, unit",
            values,
        )
        return [
            Series(id=one, namespace=space, name=called, dimensions=_dimensions(key), unit=measured)
            for one, space, called, key, measured in found
        ]

    def stored(self, series: Iterable[Series], *, start: int, end: int) -> Stored:
        """Read some series from `start` on and before `end`, in order of time for each."""
        rows: list[tuple[int, bytes]] = []
        summaries: list[tuple[int, float, float, float, float]] = []
        for one in series:
            window = (one.id, start, end)
            rows += self._database.read(
                "SELECT minute, pairs FROM samples WHERE metric = ? AND minute >= ? AND minute < ? ORDER BY minute",
                window,
            )
            summaries += self._database.read(
                "SELECT minute, samples, total, lowest, highest FROM summaries "
                "WHERE metric = ? AND minute >= ? AND minute < ? ORDER BY minute",
                window,
            )
        return Stored(rows=rows, summaries=summaries)


def _identify(connection: Connection, account: str, region: str, row: MetricRow) -> int:
    key = (account, region, row.namespace, row.name, _key(row.dimensions), row.unit)
    columns = "(account, region, namespace, name, dimensions, unit)"
    connection.execute(f"INSERT OR IGNORE INTO metrics {columns} VALUES (?, ?, ?, ?, ?, ?)", key)  # noqa: S608
    found = connection.execute(f"SELECT id FROM metrics WHERE {columns} = (?, ?, ?, ?, ?, ?)", key)  # noqa: S608
    series: int = found.fetchone()[0]
    return series


def _merge(connection: Connection, series: int, minute: int) -> None:
    """Make one row of all rows of a minute, each value once."""
    minute_of_series = (series, minute)
    counted: dict[float, float] = defaultdict(float)
    found = connection.execute("SELECT pairs FROM samples WHERE metric = ? AND minute = ?", minute_of_series)
    for (pairs,) in found:
        for value, count in struct.iter_unpack("<dd", pairs):
            counted[value] += count
    connection.execute("DELETE FROM samples WHERE metric = ? AND minute = ?", minute_of_series)
    pairs = _pack(list(counted), list(counted.values()))
    connection.execute("INSERT INTO samples VALUES (?, ?, ?)", (*minute_of_series, pairs))


def _key(dimensions: Dimensions) -> str:
    return json.dumps(sorted(dimensions), separators=(",", ":"))


def _dimensions(key: str) -> Dimensions:
    return tuple((name, value) for name, value in json.loads(key))


def _pack(values: Sequence[float], counts: Sequence[float]) -> bytes:
    pairs = itertools.chain.from_iterable(zip(values, counts, strict=True))
    return struct.pack(f"<{2 * len(values)}d", *pairs)
