"""Partition projection: partitions that follow from a table's properties instead of being in the catalog.

Source: Amazon Athena user guide, "Supported types for partition projection", read 2026-11-21.
"""

import itertools
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Final

from sandbox.services.athena.catalog import Partition, Table
from sandbox.services.athena.errors import QueryFailed, not_emulated

_MOST: Final = 1_000_000  # partitions that one query may project; Athena plans no more either
_RELATIVE = re.compile(
    r"NOW\s*(?:([+-])\s*(\d+)\s*(YEARS?|MONTHS?|WEEKS?|DAYS?|HOURS?|MINUTES?|SECONDS?))?$", re.IGNORECASE
)
_LETTERS: Final = {
    "yyyy": "%Y", "yy": "%y", "MM": "%m", "dd": "%d", "HH": "%H", "mm": "%M", "ss": "%S", "MMM": "%b",
}  # fmt: skip


def is_projected(table: Table) -> bool:
    """Whether the table says that its partitions are projected."""
    return table.parameters.get("projection.enabled", "").lower() == "true" and bool(table.partition_columns)


def project(table: Table, wanted: dict[str, set[str]], now: datetime | None = None) -> list[Partition]:
    """Give the partitions of a table, of those columns that a query fixes only the `wanted` values.

    Raises: QueryFailed, if a property is missing or an injected column is not fixed.
    """
    choices = []
    count = 1
    for column in table.partition_columns:
        values = _values(table, column.name, wanted.get(column.name), now or datetime.now(UTC))
        count *= max(len(values), 1)
        if count > _MOST:
            raise QueryFailed("CONSTRAINT_VIOLATION", f"More than {_MOST:,} partitions of {table.name} would be read")
        choices.append(values)
    template = table.parameters.get("storage.location.template") or "/".join(
        [table.location.rstrip("/"), *(f"{column.name}=${{{column.name}}}" for column in table.partition_columns)]
    )
    names = [column.name for column in table.partition_columns]
    return [
        Partition(values=values, location=_filled(template, dict(zip(names, values, strict=True))))
        for values in itertools.product(*choices)
    ]


def _filled(template: str, values: dict[str, str]) -> str:
    return re.sub(r"\$\{(\w+)\}", lambda found: values.get(found[1].lower(), found[0]), template).rstrip("/") + "/"


def _values(table: Table, column: str, wanted: set[str] | None, now: datetime) -> list[str]:
    def setting(name: str, default: str | None = None) -> str:
        value = table.parameters.get(f"projection.{column}.{name}", default)
        if value is None:
            raise QueryFailed(
                "INVALID_TABLE_PROPERTY", f"The table property projection.{column}.{name} of {table.name} is missing"
            )
        return value

    kind = setting("type").lower()
    if kind == "injected":
        if not wanted:
            raise QueryFailed(
                "CONSTRAINT_VIOLATION",
                f"For the injected projected partition column {column}, the WHERE clause must contain only static "
                "equality conditions, and at least one such condition must be present.",
            )
        return sorted(wanted)
    if kind == "enum":
        values = [value.strip() for value in setting("values").split(",")]
    elif kind == "integer":
        low, high = (int(part) for part in setting("range").split(","))
        digits = int(setting("digits", "0"))
        values = [str(n).zfill(digits) for n in range(low, high + 1, int(setting("interval", "1")))]
    elif kind == "date":
        values = _dates(setting, now)
    else:
        raise not_emulated(f"the projection type {kind!r}")
    return values if wanted is None else [value for value in values if _matches(value, wanted)]


def _matches(value: str, wanted: set[str]) -> bool:
    return value in wanted or (value.isdigit() and any(w.isdigit() and int(w) == int(value) for w in wanted))


def _dates(setting: Callable[..., str], now: datetime) -> list[str]:
    pattern = setting("format")
    written = re.sub(
        r"'([^']*)'|([A-Za-z])\2*", lambda found: found[1] if found[1] is not None else _letters(found[0]), pattern
    )
    low, high = (_moment(part.strip(), written, now) for part in setting("range").split(","))
    finest = next((unit for letter, unit in (("ss", "SECONDS"), ("mm", "MINUTES"), ("HH", "HOURS"), ("dd", "DAYS"),
                                             ("MM", "MONTHS")) if letter in pattern), "YEARS")  # fmt: skip
    unit = setting("interval.unit", finest)
    step = int(setting("interval", "1"))
    values: list[str] = []
    moment = low
    while moment <= high and len(values) <= _MOST:
        values.append(moment.strftime(written))
        moment = _moved(moment, step, unit)
    return list(dict.fromkeys(values))


def _letters(run: str) -> str:
    if run not in _LETTERS:
        raise not_emulated(f"the letters {run!r} of a projection's date format")
    return _LETTERS[run]


def _moment(text: str, written: str, now: datetime) -> datetime:
    relative = _RELATIVE.match(text)
    if relative is None:
        return datetime.strptime(text, written).replace(tzinfo=UTC)
    moment = datetime.strptime(now.strftime(written), written).replace(tzinfo=UTC)
    if relative[1]:
        moment = _moved(moment, int(f"{relative[1]}{relative[2]}"), relative[3])
    return moment


def _moved(moment: datetime, amount: int, unit: str) -> datetime:
    unit = unit.upper().rstrip("S") + "S"
    if unit in {"YEARS", "MONTHS"}:
        months = moment.year * 12 + moment.month - 1 + amount * (12 if unit == "YEARS" else 1)
        return moment.replace(
            year=months // 12, month=months % 12 + 1, day=min(moment.day, 28) if amount else moment.day
        )
    return moment + timedelta(**{unit.lower(): amount})
