"""A bill: line items, each a quantity of something with a unit price and where that is from.

Money is decimal and exact: a line is quantity x unit price, unrounded; the total is the sum of the
lines, rounded half up to the cent once, at the end. Quantities carry at most 12 decimal places, so a
reader can multiply by hand. A missing price is a value: its line stays, the total leaves it out and
the bill says that it is not complete.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, ROUND_HALF_UP, Context, Decimal
from textwrap import wrap

from fitness.allowances import AZURE_FREE_GRANT, SAGEMAKER_FREE_TIER, Allowance, allowances
from fitness.items import title_of, unit_of
from fitness.prices import Price, PriceBook

CENT = Decimal("0.01")
QUANTITY_PLACES = Decimal("1e-12")
WIDTH = 96  # characters of a bill as text

_EXACT = Context(prec=120)  # more digits than any quantity and price can bring
_ALWAYS_READY = "azure_functions/flex/always_ready_baseline"


@dataclass(frozen=True, slots=True, kw_only=True)
class Metered:
    """A quantity of a priced item, in the item's unit: what a bill is made from."""

    item: str  # see `fitness.items`
    quantity: Decimal | float
    name: str | None = None  # None: the item's own title
    note: str = ""  # how the quantity came about, "2 instances x 730 h"
    on_free_grant: bool = False  # counts against Azure's monthly free grant


@dataclass(frozen=True, slots=True, kw_only=True)
class LineItem:
    """One row of a bill: a quantity of something with a unit price."""

    name: str  # shown to managers, "Real-time hosting instance hours (ml.g5.xlarge)"
    item: str
    quantity: Decimal  # negative where an allowance takes it off
    unit: str
    price: Price | None  # None: the price book has no row; the bill says so
    note: str = ""

    @property
    def usd(self) -> Decimal | None:
        """Quantity x unit price, unrounded; None without a price."""
        if self.price is None:
            return None
        return _EXACT.multiply(self.quantity, self.price.usd_per_unit)


@dataclass(frozen=True, slots=True, kw_only=True)
class Bill:
    """Line items, and what they come to."""

    lines: tuple[LineItem, ...]
    region: str
    notes: tuple[str, ...] = ()  # what holds for the whole bill
    currency: str = "USD"

    @property
    def exact_total(self) -> Decimal:
        """The sum of the lines that have a price, unrounded."""
        total = Decimal(0)
        for line in self.lines:
            if (usd := line.usd) is not None:
                total = _EXACT.add(total, usd)
        return total

    @property
    def total(self) -> Decimal:
        """The sum of the lines that have a price, to the cent."""
        return self.exact_total.quantize(CENT, rounding=ROUND_HALF_UP, context=_EXACT)

    @property
    def complete(self) -> bool:
        """True if every line has a price."""
        return not self.missing

    @property
    def missing(self) -> tuple[str, ...]:
        """The items without a price, each once, in the order of the lines."""
        return tuple(dict.fromkeys(line.item for line in self.lines if line.price is None))

    def as_dict(self) -> dict[str, object]:
        """The bill as the commands print it: money and quantities as text, never rounded in lines.

        `lines` holds the lines with a price; the items of the others are in `missing`.
        """
        return {
            "currency": self.currency,
            "region": self.region,
            "total": plain(self.total, places=2),
            "complete": self.complete,
            "lines": [_as_dict(line, line.price) for line in self.lines if line.price is not None],
            "missing": list(self.missing),
            "notes": list(self.notes),
        }

    def as_text(self) -> str:
        """The bill for a reader: each line with its receipt, then the origin of each price."""
        parts = [f"{'Bill, ' + self.region:<{WIDTH - 12}}{self.currency:>12}", "=" * WIDTH]
        origins: dict[str, int] = {}
        for line in self.lines:
            parts += _as_text(line, origins)
        parts.append("-" * WIDTH)
        label = "Total" if self.complete else "Total of the priced lines"
        parts.append(_columns(label, f"{self.total:,.2f}"))
        if not self.complete:
            parts += wrap(f"Not complete: no price for {', '.join(self.missing)}.", WIDTH)
        parts += [row for note in self.notes for row in wrap(note, WIDTH)]
        if origins:
            parts += ["", "Prices"]
        for origin, number in origins.items():
            parts += wrap(f"[{number}] {origin}", WIDTH, subsequent_indent="    ")
        return "\n".join(parts)


def bill_for(
    metered: Iterable[Metered],
    region: str,
    book: PriceBook,
    *,
    estimate: bool,
    free_tier: bool = False,
    azure_free_grant: bool = False,
    notes: Sequence[str] = (),
) -> Bill:
    """The bill of metered quantities in a Region.

    With `estimate`, a price that the book lacks is estimated where an assumption allows it and is
    graded so. `free_tier` takes off what SageMaker gives in the first two months, on lines of their
    own; `azure_free_grant` takes Azure's monthly grant off every line that it covers, otherwise only
    off the quantities that say `on_free_grant`. A shared allowance goes to the dearest item first.
    Raises: ValueError for a quantity that is negative or not finite; KeyError for an unknown item.
    """
    find = book.estimate if estimate else book.price
    lines, granted = [], []
    for entry in metered:
        line = LineItem(
            name=entry.name or title_of(entry.item),
            item=entry.item,
            quantity=quantity_of(entry.quantity),
            unit=unit_of(entry.item),
            price=find(entry.item, region),
            note=entry.note,
        )
        lines.append(line)
        if entry.on_free_grant or azure_free_grant:
            granted.append(line)
    all_notes = list(notes)
    free: list[LineItem] = []
    if free_tier:
        all_notes.append("The SageMaker free tier lasts two months; later bills are without it.")
    offered = [
        *((allowance, lines, "Free tier") for allowance in allowances(SAGEMAKER_FREE_TIER) if free_tier),
        *((allowance, granted, "Free grant") for allowance in allowances(AZURE_FREE_GRANT)),
    ]
    always_ready = any(line.item == _ALWAYS_READY and line.quantity for line in lines)
    for allowance, covered, title in offered:
        if always_ready and allowance.name.startswith("azure-flex"):
            continue
        if taken := _taken_off(allowance, covered, title):
            free += taken
            origin = f"{allowance.grade}, {allowance.as_of}: {allowance.source}"
            all_notes.append(f"{title}: {origin}")
    all_notes = list(dict.fromkeys(all_notes))
    return Bill(lines=(*lines, *free), region=region, notes=tuple(all_notes))


def quantity_of(value: Decimal | float) -> Decimal:
    """A quantity as a bill carries it: finite, at least 0, at most 12 decimal places.

    Raises: ValueError otherwise.

    >>> quantity_of(0.1), quantity_of(Decimal(1) / 3), quantity_of(1e6)
    (Decimal('0.1'), Decimal('0.333333333333'), Decimal('1000000.0'))
    """
    exact = value if isinstance(value, Decimal) else Decimal(str(value))
    if not exact.is_finite() or exact < 0:
        raise ValueError(f"a quantity must be finite and >= 0, got {value}")
    exponent = exact.as_tuple().exponent
    if isinstance(exponent, int) and exponent < QUANTITY_PLACES.adjusted():
        return exact.quantize(QUANTITY_PLACES, rounding=ROUND_HALF_EVEN, context=_EXACT)
    return exact


def plain(value: Decimal, *, places: int = 0) -> str:
    """A decimal number without exponent and without idle zeros, with at least `places` decimals.

    >>> plain(Decimal("0.00004000")), plain(Decimal("1E+3")), plain(Decimal("40.1"), places=2)
    ('0.00004', '1000', '40.10')
    """
    whole, _, decimals = format(value, "f").partition(".")
    decimals = decimals.rstrip("0").ljust(places, "0")
    text = f"{whole}.{decimals}" if decimals else whole
    return text.removeprefix("-") if not value else text


def _taken_off(allowance: Allowance, lines: Iterable[LineItem], title: str) -> list[LineItem]:
    """The lines that take a free quantity off, per item, the dearest item first."""
    used: dict[str, tuple[Price, Decimal]] = {}
    for line in lines:
        if line.price is not None and allowance.covers(line.item):
            before = used[line.item][1] if line.item in used else Decimal(0)
            used[line.item] = (line.price, _EXACT.add(before, line.quantity))
    left = allowance.free_quantity
    taken: list[LineItem] = []
    for item, (price, quantity) in sorted(used.items(), key=lambda entry: (-entry[1][0].usd_per_unit, entry[0])):
        free = min(left, quantity)
        if free > 0:
            left = _EXACT.subtract(left, free)
            taken.append(
                LineItem(
                    name=f"{title}: {title_of(item)}",
                    item=item,
                    quantity=-free,
                    unit=unit_of(item),
                    price=price,
                    note=allowance.note,
                )
            )
    return taken


def _as_dict(line: LineItem, price: Price) -> dict[str, object]:
    usd = _EXACT.multiply(line.quantity, price.usd_per_unit)
    return {
        "name": line.name,
        "item": line.item,
        "quantity": plain(line.quantity),
        "unit": line.unit,
        "usd_per_unit": plain(price.usd_per_unit),
        "usd": plain(usd),
        "grade": str(price.grade),
        "source": price.source,
        "as_of": price.as_of,
        "note": "; ".join(note for note in (line.note, price.note) if note),
    }


def _as_text(line: LineItem, origins: dict[str, int]) -> list[str]:
    """The rows of one line; `origins` numbers the origin of each price and grows."""
    quantity = counted(line.quantity, line.unit)
    notes = [f"    {row}" for row in wrap(line.note, WIDTH - 4)]
    if line.price is None or line.usd is None:
        return [_columns(line.name, "no price"), f"    {quantity}: not in the price book", *notes]
    price = line.price
    origin = f"{price.grade}, {price.as_of}: {price.source}"
    number = origins.setdefault(f"{origin}; {price.note}" if price.note else origin, len(origins) + 1)
    cents = line.usd.quantize(CENT, rounding=ROUND_HALF_UP, context=_EXACT)
    receipt = f"{quantity} x {plain(price.usd_per_unit)} USD = {grouped(line.usd)} USD"
    return [_columns(f"{line.name} [{number}]", f"{cents:,.2f}"), f"    {receipt}", *notes]


def _columns(name: str, amount: str) -> str:
    return f"{name:<{WIDTH - 14}}{amount:>14}"


def counted(value: Decimal, unit: str) -> str:
    """A quantity and its unit as a person writes them.

    >>> counted(Decimal(1), "hours"), counted(Decimal(3), "1M requests"), counted(Decimal(1460), "hours")
    ('1 hour', '3 x 1M requests', '1,460 hours')
    """
    if unit[0].isdigit():
        return f"{grouped(value)} x {unit}"
    is_one = value == 1 and len(unit) > len("ms")
    return f"{grouped(value)} {unit.removesuffix('s') if is_one else unit}"


def grouped(value: Decimal) -> str:
    """A plain number with its thousands grouped.

    >>> grouped(Decimal("1234567.50"))
    '1,234,567.5'
    """
    sign, digits = ("-", plain(-value)) if value < 0 else ("", plain(value))
    whole, dot, decimals = digits.partition(".")
    return f"{sign}{int(whole):,}{dot}{decimals}"
