"""The rows behind a price book: the bundled table and the refreshed files that lie over it."""

import csv
from collections.abc import Iterable, Mapping
from datetime import date
from decimal import Decimal, InvalidOperation
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

from fitness.errors import PriceBookError
from fitness.items import unit_of

_DATA = Path(__file__).with_name("data")
REFRESHED = "refreshed"  # the grade of every row of a refreshed file
MAX_REFRESHED_BYTES = 4 * 1024 * 1024  # a Region has some 3,000 rows of 150 bytes


class PriceRow(NamedTuple):
    """One line of a price file, as it was written.

    A bundled row names its sources by ids of `price_sources.csv`, separated by spaces;
    `id:component` says that the source observed another component of the same instance type.
    A refreshed row states its source in full.
    """

    item: str
    region: str
    usd_per_unit: str  # a positive decimal number
    unit: str
    grade: str
    source: str
    as_of: str
    note: str


@cache
def bundled_rows() -> Mapping[tuple[str, str], PriceRow]:
    """The rows that are part of the program, by item and Region."""
    with (_DATA / "prices.csv").open(encoding="utf-8", newline="") as lines:
        reader = csv.reader(lines)
        next(reader)
        return MappingProxyType({(row[0], row[1]): PriceRow._make(row) for row in reader})


def source_text(row: PriceRow) -> str:
    """Where the price of a row is from, for a reader."""
    if row.grade == REFRESHED:
        return row.source
    return " | ".join(map(_named_source, row.source.split(" ")))


def refreshed_rows(directory: Path) -> dict[tuple[str, str], PriceRow]:
    """The rows of every refreshed file of a directory, by item and Region; none if it is absent.

    Raises: PriceBookError naming the file and line that can't be read.
    """
    rows: dict[tuple[str, str], PriceRow] = {}
    try:
        for path in sorted(directory.glob("*.csv")):
            if path.stat().st_size > MAX_REFRESHED_BYTES:
                raise _unreadable(path, "it is larger than any refresh writes")
            with path.open(encoding="utf-8", newline="") as lines:
                rows.update(_checked(path, csv.reader(lines, strict=True)))
    except (OSError, UnicodeDecodeError) as err:
        raise PriceBookError(f"the refreshed prices in {directory} can't be read: {err}; refresh again") from err
    return rows


@cache
def _sources() -> Mapping[str, str]:
    with (_DATA / "price_sources.csv").open(encoding="utf-8", newline="") as lines:
        reader = csv.reader(lines)
        next(reader)
        return MappingProxyType(dict(reader))


def _named_source(reference: str) -> str:
    name, _, component = reference.partition(":")
    text = _sources()[name]
    return f"{text} [its {component.replace('_', ' ')} rate]" if component else text


def _checked(path: Path, lines: Iterable[list[str]]) -> dict[tuple[str, str], PriceRow]:
    """Every row of a refreshed file, checked as strictly as a stranger's file."""
    rows: dict[tuple[str, str], PriceRow] = {}
    try:
        for number, cells in enumerate(lines, start=1):
            if number == 1:
                if cells != list(PriceRow._fields):
                    raise _unreadable(path, f"its first line must be {','.join(PriceRow._fields)}")
                continue
            if len(cells) != len(PriceRow._fields):
                raise _unreadable(path, f"line {number} has {len(cells)} columns")
            row = PriceRow._make(cells)
            if problem := _problem(row, path.stem):
                raise _unreadable(path, f"line {number}: {problem}")
            rows[row.item, row.region] = row
    except csv.Error as err:
        raise _unreadable(path, str(err)) from err
    if not rows:
        raise _unreadable(path, "it holds no prices")
    return rows


def _problem(row: PriceRow, region: str) -> str | None:
    """What is wrong with a row of a Region's refreshed file; None if nothing."""
    problem = None
    try:
        unit = unit_of(row.item)
        usd = Decimal(row.usd_per_unit)
        date.fromisoformat(row.as_of)
        if not usd.is_finite() or usd <= 0:
            problem = f"the price {row.usd_per_unit!r} is not above 0"
        for name, found, expected in (
            ("Region", row.region, region),
            ("grade", row.grade, REFRESHED),
            ("unit", row.unit, unit),
        ):
            if found != expected:
                problem = f"the {name} is {found!r}, expected {expected!r}"
    except KeyError:
        problem = f"no such item: {row.item!r}"
    except InvalidOperation:
        problem = f"the price {row.usd_per_unit!r} is not a number"
    except ValueError:
        problem = f"the date {row.as_of!r} is not YYYY-MM-DD"
    return problem


def _unreadable(path: Path, problem: str) -> PriceBookError:
    return PriceBookError(f"the refreshed price file {path} can't be read: {problem}; delete it or refresh again")
