"""The price book: what one unit of each item costs in each Region, and where the figure is from.

A book answers twice. `price` gives what is known: an observed row, else the rate of another
component of the same instance type and Region (they have one price), else a derived row. `estimate`
goes on where `price` has nothing, by stated assumptions. Neither ever answers 0 for unknown.
Source: docs/prices.md (where each row is from, the grades, the rules and what they rest on).
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Context, Decimal
from enum import StrEnum
from functools import cache
from pathlib import Path

from fitness.instances import catalogue
from fitness.items import ACCEPTED_AS, COMPONENTS, unit_of
from fitness.price_rows import PriceRow, bundled_rows, refreshed_rows, source_text

AZURE = "azure"  # the Region of every Azure row: one published price stands for all of them
REFERENCE_REGION = "us-east-1"
REFERENCE_ITEM = "hosting/ml.m5.xlarge"  # observed or derived in every Region of the book
CUT_FAMILIES = ("ml.p4", "ml.p5", "ml.p6")
# Price parity was not verified for these after their price cut of 2025 (docs/prices.md#parity).

_RATIO = Context(prec=10)  # an assumed price needs no more digits than the ratio has
_COMPONENT_RANK = {component: rank for rank, component in enumerate(COMPONENTS)}
_ESTIMATE_NOTE = "an estimate, not a published price; availability in the Region not checked"


class Grade(StrEnum):
    """How well a price is known, best first."""

    REFRESHED = "refreshed"  # read from the public offer file by this program
    CONFIRMED = "confirmed"  # two or more independent sources agree
    SINGLE_SOURCE = "single-source"
    DERIVED_HIGH = "derived-high"
    DERIVED_MEDIUM = "derived-medium"
    DERIVED_LOW = "derived-low"
    ASSUMED = "assumed"

    @property
    def is_observed(self) -> bool:
        """True for a price that somebody read, false for one that was worked out."""
        return self in _OBSERVED


_OBSERVED = frozenset({Grade.REFRESHED, Grade.CONFIRMED, Grade.SINGLE_SOURCE})
_GRADE_RANK = {grade.value: rank for rank, grade in enumerate(Grade)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Price:
    """What one unit of an item costs in a Region, and how that is known."""

    item: str  # "hosting/ml.c5.xlarge", see `fitness.items`
    region: str
    usd_per_unit: Decimal
    unit: str  # "hours", "GB-months", "1M requests"
    grade: Grade
    source: str
    as_of: str  # as exact as the source: "2026-09-25", "2026", "2024-2025 (undated)"
    note: str = ""


class PriceBook:
    """The prices of one day, by item and Region. Answers are remembered, so asking is cheap."""

    __slots__ = ("_digest", "_estimates", "_prices", "_rows", "as_of", "regions")

    def __init__(self, rows: Mapping[tuple[str, str], PriceRow]) -> None:
        self._rows = rows
        self._digest: str | None = None
        self._prices: dict[tuple[str, str], Price] = {}
        self._estimates: dict[tuple[str, str], Price] = {}
        aws = [row for row in rows.values() if row.region != AZURE]
        days = [row.as_of for row in aws if len(row.as_of) == len("2026-09-25")]
        self.as_of: str = max(days, default="")  # ISO date of the newest AWS row
        self.regions: tuple[str, ...] = tuple(sorted({row.region for row in aws if row.item.startswith("hosting/")}))

    @property
    def digest(self) -> str:
        """Equal books have equal ones: 64 hexadecimal digits. Two refreshes of one day may differ."""
        if self._digest is None:
            self._digest = hashlib.sha256(repr(sorted(self._rows.items())).encode()).hexdigest()
        return self._digest

    def price(self, item: str, region: str) -> Price | None:
        """What the book holds: observed, else by parity of components, else derived; else None."""
        key = (item, AZURE if item.startswith("azure_") else region)
        found = self._prices.get(key)
        if found is None and (found := self._find(*key)) is not None:
            self._prices[key] = found
        return found

    def estimate(self, item: str, region: str) -> Price | None:
        """`price`, else a figure by an assumption that its source and note state; else None.

        Assumptions, in this order: provisioned concurrency is linear in memory from its 2 GB price;
        prices of two Regions have the ratio of their ml.m5.xlarge hosting rates, starting from
        us-east-1 or, where that has none, from the first other Region that has one.
        """
        key = (item, region)
        found = self._estimates.get(key)
        if found is None:
            found = self.price(item, region) or self._by_memory(item, region) or self._by_region(item, region)
            if found is not None:
                self._estimates[key] = found
        return found

    def stand_in(self, region: str) -> str:
        """The Region whose prices choose between configurations: itself, or us-east-1 where the book has none."""
        return region if region in self.regions else REFERENCE_REGION

    def table(self, region: str | None = None) -> tuple[Price, ...]:
        """Every price of the book, or of one Region (Azure's with it), by Region and item."""
        keys = {key for key in self._rows if region is None or key[1] == region or key[1] == AZURE}
        keys |= {
            (f"hosting/{item.rpartition('/')[2]}", place)
            for item, place in keys
            if item.partition("/")[0] in COMPONENTS
        }
        found = (self.price(*key) for key in sorted(keys, key=lambda key: (key[1], key[0])))
        return tuple(price for price in found if price is not None)

    def _find(self, item: str, region: str) -> Price | None:
        row = self._rows.get((item, region))
        if row is not None and Grade(row.grade).is_observed:
            return _price(row)
        component, _, instance_type = item.rpartition("/")
        if component in COMPONENTS and _accepts(instance_type, component):
            twin = self._twin(component, instance_type, region)
            if twin is not None:
                return _by_parity(twin, item)
            row = row or self._rows.get((f"hosting/{instance_type}", region))
        return _price(row, item) if row is not None else None

    def _twin(self, component: str, instance_type: str, region: str) -> PriceRow | None:
        """The best observed rate of another component: best grade, then the order of COMPONENTS."""
        found = [
            row
            for other in COMPONENTS
            if other != component
            and (row := self._rows.get((f"{other}/{instance_type}", region))) is not None
            and Grade(row.grade).is_observed
        ]
        return min(
            found,
            key=lambda row: (_GRADE_RANK[row.grade], _COMPONENT_RANK[row.item.partition("/")[0]]),
            default=None,
        )

    def _by_memory(self, item: str, region: str) -> Price | None:
        kind, _, memory_mb = item.rpartition("/")
        if not kind.startswith("provisioned_concurrency/") or not memory_mb.isdecimal():
            return None
        base = self.estimate(f"{kind}/2048", region) if memory_mb != "2048" else None
        if base is None:
            return None
        return Price(
            item=item,
            region=region,
            usd_per_unit=_RATIO.multiply(base.usd_per_unit, Decimal(memory_mb) / 2048),
            unit=base.unit,
            grade=Grade.ASSUMED,
            source=f"assumed linear in memory from the 2048 MB price: {base.source}",
            as_of=base.as_of,
            note=f"{base.usd_per_unit} USD at 2048 MB x {memory_mb} / 2048",
        )

    def _by_region(self, item: str, region: str) -> Price | None:
        here = self.price(REFERENCE_ITEM, region)
        if here is None:
            return None
        others = (name for name in self.regions if name not in {REFERENCE_REGION, region})
        for start in (REFERENCE_REGION, *others):
            base, there = self.price(item, start), self.price(REFERENCE_ITEM, start)
            if base is not None and there is not None:
                ratio = _RATIO.divide(here.usd_per_unit, there.usd_per_unit)
                return Price(
                    item=item,
                    region=region,
                    usd_per_unit=_RATIO.multiply(base.usd_per_unit, ratio),
                    unit=base.unit,
                    grade=Grade.ASSUMED,
                    source=f"assumed from the {start} price: {base.source}",
                    as_of=base.as_of,
                    note=f"{base.usd_per_unit} USD in {start} x {ratio:.4f}, the ratio of "
                    f"ml.m5.xlarge hosting in {region} and {start}",
                )
        return None


def load_book(overlay: Path | None = None) -> PriceBook:
    """The bundled price book, with the refreshed files of a directory laid over it.

    A refreshed row stands in place of the bundled row of the same item and Region; a directory that
    does not exist lays nothing over. The bundled book alone is read once and shared.
    Raises: PriceBookError if a refreshed file can't be read; it says which and what to do.
    """
    if overlay is None:
        return _bundled_book()
    refreshed = refreshed_rows(overlay)
    if not refreshed:
        return _bundled_book()
    return PriceBook({**bundled_rows(), **refreshed})


@cache
def _bundled_book() -> PriceBook:
    return PriceBook(bundled_rows())


def _accepts(instance_type: str, component: str) -> bool:
    """False only if the service model is known to refuse the type; unknown types pass."""
    known = catalogue().get(instance_type)
    needed = ACCEPTED_AS.get(component)
    return known is None or needed is None or needed in known.accepts


def _price(row: PriceRow, item: str | None = None) -> Price:
    """The price of a row, or of another component by a derived row."""
    grade = Grade(row.grade)
    notes = [row.note] if row.note else []
    if item is not None and item != row.item:
        notes.append("the derived hosting rate; one type has one rate in a Region")
    if not grade.is_observed and row.item.partition("/")[0] in COMPONENTS:
        notes.append(_ESTIMATE_NOTE)
    return Price(
        item=item or row.item,
        region=row.region,
        usd_per_unit=Decimal(row.usd_per_unit),
        unit=row.unit,
        grade=grade,
        source=source_text(row),
        as_of=row.as_of,
        note="; ".join(notes),
    )


def _by_parity(row: PriceRow, item: str) -> Price:
    component, _, instance_type = row.item.partition("/")
    is_cut = instance_type.startswith(CUT_FAMILIES)
    caution = "; parity is not verified for P4, P5 and P6 after their price cut of 2025"
    return Price(
        item=item,
        region=row.region,
        usd_per_unit=Decimal(row.usd_per_unit),
        unit=unit_of(item),
        grade=Grade.DERIVED_MEDIUM if is_cut else Grade.DERIVED_HIGH,
        source=source_text(row),
        as_of=row.as_of,
        note=f"the {component} rate of the same type and Region, which is the same price"
        f"{caution if is_cut else ''}; availability not checked",
    )
