"""Metrics per minute: what the runtime measured, kept as values and how often each occurred."""

import struct
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sandbox.state import Database

SCHEMA = """
CREATE TABLE IF NOT EXISTS series (
    id INTEGER PRIMARY KEY, account TEXT, region TEXT, namespace TEXT, name TEXT, dimensions TEXT, unit TEXT,
    UNIQUE (account, region, namespace, name, dimensions, unit)
);
CREATE TABLE IF NOT EXISTS points (series INTEGER, minute INTEGER, points BLOB);
CREATE INDEX IF NOT EXISTS points_of_series ON points (series, minute);
"""

Dimensions = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricRow:
    """Some values of one series within one minute. Dimensions are sorted; `minute` is in epoch seconds."""

    namespace: str
    name: str
    dimensions: Dimensions
    unit: str
    minute: int
    values: Sequence[float]
    counts: Sequence[float]

    @classmethod
    def read(cls, document: dict[str, Any]) -> "MetricRow":
        """Read a row as the runtime sends it."""
        dimensions = tuple((str(name), str(value)) for name, value in document["dimensions"])
        return cls(**{**document, "dimensions": dimensions})


class MetricStore:
    """The series of all namespaces; rows are only ever added, so a minute may have several."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, account: str, region: str, rows: Iterable[MetricRow]) -> None:
        """Keep some rows, all or none."""
        with self._database.transaction() as connection:
            for row in rows:
                key = (account, region, row.namespace, row.name, _key(row.dimensions), row.unit)
                connection.execute(
                    "INSERT OR IGNORE INTO series (account, region, namespace, name, dimensions, unit) "
                    "VALUES (?, ?, ?, ?, ?, ?)",
                    key,
                )
                connection.execute(
                    "INSERT INTO points SELECT id, ?, ? FROM series WHERE (account, region, namespace, name, "
                    "dimensions, unit) = (?, ?, ?, ?, ?, ?)",
                    (row.minute, _pack(row.values, row.counts), *key),
                )

    def read(
        self, account: str, region: str, namespace: str, name: str, dimensions: Dimensions, *, start: int, end: int
    ) -> list[tuple[int, list[float], list[float]]]:
        """Give (minute, values, counts) of one series from `start` on and before `end`, in order of time."""
        found = self._database.read(
            "SELECT minute, points FROM points JOIN series ON id = series WHERE (account, region, namespace, name, "
            "dimensions) = (?, ?, ?, ?, ?) AND minute >= ? AND minute < ? ORDER BY minute",
            (account, region, namespace, name, _key(dimensions), start, end),
        )
        return [(minute, *_unpack(points)) for minute, points in found]


def _key(dimensions: Dimensions) -> str:
    return "\n".join(f"{name}={value}" for name, value in sorted(dimensions))


def _pack(values: Sequence[float], counts: Sequence[float]) -> bytes:
    return struct.pack(f"<{len(values)}d{len(values)}d", *values, *counts)


def _unpack(points: bytes) -> tuple[list[float], list[float]]:
    numbers = list(struct.unpack(f"<{len(points) // 8}d", points))
    half = len(numbers) // 2
    return numbers[:half], numbers[half:]
