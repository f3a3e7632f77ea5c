"""The fields of a usage, and the decimal arithmetic that turns them into metered quantities."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Context, Decimal

from fitness.bill import Metered, counted

MAX_NUMBER = Decimal("1e15")  # more of anything is a slip of the pen, not a usage
EXACT = Context(prec=120)  # a product of five such numbers loses no digit

Values = Mapping[str, "Decimal | str | bool"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One field of a usage. A `default` of None means that the field must be given."""

    name: str
    default: Decimal | str | bool | None = None
    is_optional: bool = False  # may be left out, and then meters nothing
    maximum: Decimal = MAX_NUMBER
    minimum: Decimal = Decimal(0)
    choices: tuple[str, ...] = ()  # text, one of these
    sizes: tuple[int, ...] = ()  # a number, one of these
    is_text: bool = False
    is_flag: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """A kind of usage: its fields in order, and what it meters."""

    figures: tuple[Figure, ...]
    meter: Callable[[Values], list[Metered]]
    together: tuple[str, ...] = ()  # optional fields that come only together
    needs_any: bool = False  # all fields are optional, but one must be there


def number(values: Values, name: str) -> Decimal:
    """The number of a field, 0 where an optional one is left out."""
    value = values.get(name, Decimal(0))
    if not isinstance(value, Decimal):
        raise TypeError(name)
    return value


def product(*factors: Decimal | int) -> Decimal:
    """The exact product.

    >>> product(Decimal("0.1"), 3)
    Decimal('0.3')
    """
    result = Decimal(1)
    for factor in factors:
        result = EXACT.multiply(result, Decimal(factor))
    return result


def ratio(value: Decimal, divisor: Decimal | int) -> Decimal:
    """The quotient, to 120 digits."""
    return EXACT.divide(value, Decimal(divisor))


def times(*factors: tuple[Decimal, str]) -> str:
    """How a quantity came about, "2 instances x 730 h"."""
    return " x ".join(counted(value, unit) for value, unit in factors)


def tiered(
    item: str,
    quantity: Decimal,
    tiers: Sequence[tuple[Decimal | int | None, str]],
    note: str = "",
) -> list[Metered]:
    """A quantity spread over the tiers of a price; a tier without a size takes the rest."""
    lines, left = [], quantity
    for size, suffix in tiers:
        part = left if size is None else min(left, Decimal(size))
        if part or not suffix:
            lines.append(Metered(item=f"{item}{suffix}", quantity=part, note=note))
        left = EXACT.subtract(left, part)
    return lines


def optional(*names: str) -> tuple[Figure, ...]:
    """Number fields that may be left out."""
    return tuple(Figure(name=name, is_optional=True) for name in names)


def required(*names: str) -> tuple[Figure, ...]:
    """Number fields that must be given."""
    return tuple(Figure(name=name) for name in names)
