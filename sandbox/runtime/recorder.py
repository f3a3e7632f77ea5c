"""Metrics as they are measured: values and counts per series and minute, handed over every second."""

import time
from collections.abc import Iterable
from typing import Any

ENDPOINT = "AWS/SageMaker"
HOST = "/aws/sagemaker/Endpoints"
NONE, MICROSECONDS, PERCENT = "None", "Microseconds", "Percent"

Dimensions = tuple[tuple[str, str], ...]


class Series:
    """One series: what occurred, how often, in which minute."""

    __slots__ = ("_identity", "_minutes")

    def __init__(self, namespace: str, name: str, dimensions: Dimensions, unit: str) -> None:
        self._identity = {"namespace": namespace, "name": name, "dimensions": dimensions, "unit": unit}
        self._minutes: dict[int, dict[float, int]] = {}

    def add(self, value: float, minute: int) -> None:
        """Record one value in a minute (epoch seconds)."""
        counts = self._minutes.get(minute)
        if counts is None:
            counts = self._minutes[minute] = {}
        counts[value] = counts.get(value, 0) + 1

    def take(self) -> list[dict[str, Any]]:
        """Give what was recorded since the last time, and forget it."""
        minutes, self._minutes = self._minutes, {}
        return [
            {**self._identity, "minute": minute, "values": list(counts), "counts": list(counts.values())}
            for minute, counts in minutes.items()
        ]


class Recorder:
    """The series of one region."""

    def __init__(self, region: str) -> None:
        self.region = region
        self._series: dict[tuple[str, str, Dimensions], Series] = {}
        self._kept: list[dict[str, Any]] = []  # what could not be handed over yet

    def series(self, namespace: str, name: str, dimensions: Iterable[tuple[str, str]], unit: str) -> Series:
        """Give a series, the same each time."""
        key = (namespace, name, tuple(sorted(dimensions)))
        if key not in self._series:
            self._series[key] = Series(*key, unit)
        return self._series[key]

    def take(self) -> list[dict[str, Any]]:
        """Give all rows since the last time."""
        rows = self._kept + [row for series in self._series.values() for row in series.take()]
        self._kept = []
        return rows

    def give_back(self, rows: list[dict[str, Any]]) -> None:
        """Keep rows for the next time."""
        self._kept = rows


def this_minute() -> int:
    """Give the start of the current minute in epoch seconds."""
    return int(time.time()) // 60 * 60
