"""Write values as people read them: money, times, ratios, dates. None is always "unknown", never 0."""

import math
import re
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from typing import Protocol

UNKNOWN = "unknown"

_MARKDOWN = re.compile(r"([\\`*_{}\[\]()#+!|~$<>:-])")
_MS_PER_S = 1_000
_MS_PER_MIN = 60_000
_MS_PER_HOUR = 3_600_000
_WHOLE_DOLLARS_FROM = 100
_CENTS_FROM = 0.1


class Band(Protocol):
    """A median with the 5 to 95 % band around it."""

    @property
    def p5(self) -> float | None:
        """What 5 % of the draws stay under."""

    @property
    def p50(self) -> float | None:
        """The median."""

    @property
    def p95(self) -> float | None:
        """What 95 % of the draws stay under."""


def usd(amount: Decimal | float | None) -> str:
    """Give an amount of US dollars: whole dollars from 100, cents below, four digits below ten cents.

    >>> usd(1234.5), usd(Decimal("12.3")), usd(0.00002), usd(0), usd(None)
    ('$1,234', '$12.30', '$0.00002', '$0.00', 'unknown')
    """
    if amount is None or not math.isfinite(amount):
        return UNKNOWN
    size = abs(float(amount))
    sign = "-" if amount < 0 else ""
    if size >= _WHOLE_DOLLARS_FROM:
        return f"{sign}${size:,.0f}"
    if size >= _CENTS_FROM or size == 0:
        return f"{sign}${size:,.2f}"
    return f"{sign}${_plain(size, digits=4)}"


def cents(amount: Decimal | None) -> str:
    """Give an amount as a bill shows it: always to the cent, half up.

    >>> cents(Decimal("1234.565")), cents(Decimal(0)), cents(Decimal("-0.4")), cents(None)
    ('$1,234.57', '$0.00', '-$0.40', 'unknown')
    """
    if amount is None:
        return UNKNOWN
    sign = "-" if amount < 0 else ""
    return f"{sign}${abs(amount).quantize(Decimal('0.01'), rounding=ROUND_HALF_UP):,}"


def unit_price(price: Decimal, unit: str) -> str:
    """Give what one unit costs, every digit of it, as a receipt shows it.

    >>> unit_price(Decimal("0.102"), "hours"), unit_price(Decimal("1"), "1M requests")
    ('$0.102 per hour', '$1.00 per 1M requests')
    """
    amount = f"{price.normalize():f}"
    whole, _, digits = amount.partition(".")
    one = unit if unit[:1].isdigit() else unit.removesuffix("s")
    return f"${whole}.{digits:0<2} per {one}"


def exact(quantity: Decimal) -> str:
    """Give a quantity with every digit, for a reader who multiplies by hand.

    >>> exact(Decimal("1344.9500")), exact(Decimal("2"))
    ('1,344.95', '2')
    """
    text = f"{quantity:,f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def usd_band(band: Band | None) -> str:
    """Give the median and, where it is wider than a cent, the 5 to 95 % band."""
    if band is None:
        return UNKNOWN
    low, high = usd(band.p5), usd(band.p95)
    return usd(band.p50) if low == high else f"{usd(band.p50)} ({low} to {high})"


def ms(value: float | None) -> str:
    """Give a time in the unit that reads best.

    >>> ms(24.4), ms(0.35), ms(1500), ms(150_000), ms(7_200_000), ms(None)
    ('24 ms', '0.35 ms', '1.5 s', '2.5 min', '2 h', 'unknown')
    """
    if value is None or not math.isfinite(value):
        return UNKNOWN
    if value < _MS_PER_S:
        return f"{_plain(value, digits=2) if value < 10 else f'{value:.0f}'} ms"
    for unit_ms, unit in ((_MS_PER_HOUR, "h"), (_MS_PER_MIN, "min"), (_MS_PER_S, "s")):
        if value >= unit_ms:
            return f"{_plain(value / unit_ms, digits=3)} {unit}"
    return UNKNOWN


def percent(ratio: float | None) -> str:
    """Give a 0..1 ratio in percent; what is not zero never reads as zero.

    >>> percent(0.934), percent(0.0004), percent(0.000001), percent(0.0), percent(1.0), percent(0.9999), percent(None)
    ('93 %', '0.04 %', '< 0.01 %', '0 %', '100 %', '99.99 %', 'unknown')
    """
    if ratio is None or not math.isfinite(ratio):
        return UNKNOWN
    share = ratio * 100
    if share in (0, 100):
        return f"{share:.0f} %"
    if share < 0.01:
        return "< 0.01 %"
    if share > 99.99:
        return "> 99.99 %"
    if share < 1:
        return f"{_plain(share, digits=2)} %"
    return f"{share:.2f} %" if share > 99 else f"{share:.0f} %"


def score(value: float | None) -> str:
    """Give a 0..1 score with two digits.

    >>> score(0.8449), score(None)
    ('0.84', 'unknown')
    """
    return UNKNOWN if value is None else f"{value:.2f}"


def score_range(band: Band | None) -> str:
    """Give the 5 to 95 % band of a score; one that does not show in two digits is one number.

    >>> from types import SimpleNamespace
    >>> score_range(SimpleNamespace(p5=0.671, p50=0.7, p95=0.81)), score_range(None)
    ('0.67 to 0.81', 'unknown')
    """
    return UNKNOWN if band is None else " to ".join(dict.fromkeys((score(band.p5), score(band.p95))))


def score_band(at: float | None, band: Band | None) -> str:
    """Give a score and, where it shows in two digits, the 5 to 95 % band around it."""
    shown = score_range(band)
    return f"{score(at)} ({shown})" if " to " in shown else score(at)


def number(value: Decimal | float | None, unit: str = "") -> str:
    """Give a quantity with its unit: at most four significant digits below 10,000, whole numbers above.

    >>> number(6, "MB"), number(0.0102), number(1234567.8), number(None, "MB")
    ('6 MB', '0.0102', '1,234,568', 'unknown')
    """
    if value is None or not math.isfinite(value):
        return UNKNOWN
    text = f"{value:,.0f}" if abs(float(value)) >= 10_000 else _plain(float(value), digits=4)
    return f"{text} {unit}".strip()


def value(raw: object, unit: str = "") -> str:
    """Give any declared or computed value as text: yes and no, numbers with their unit, words as they are.

    >>> value(True), value(12.0, "MB"), value("zipf:0.9"), value(None), value(frozenset({"b", "a"}))
    ('yes', '12 MB', 'zipf:0.9', 'unknown', 'a, b')
    """
    match raw:
        case None:
            text = UNKNOWN
        case bool():
            text = "yes" if raw else "no"
        case int() | float() | Decimal():
            text = number(raw, unit)
        case frozenset() | set():
            text = ", ".join(sorted(map(str, raw)))
        case tuple() | list():
            text = ", ".join(value(item) for item in raw)
        case _:
            text = str(raw)
    return text


def day(iso: str | date | None) -> str:
    """Give a date as 25 September 2026; what is not a full date (a year, a month) stays as it is.

    >>> day("2026-09-25"), day("2023"), day(""), day(None)
    ('25 September 2026', '2023', 'unknown', 'unknown')
    """
    if not iso:
        return UNKNOWN
    if isinstance(iso, str):
        try:
            iso = date.fromisoformat(iso)
        except ValueError:
            return str(iso)
    return f"{iso.day} {iso:%B %Y}"


def plain(text: str) -> str:
    r"""Escape text for Markdown, so that names and dollars are shown as they were written.

    >>> print(plain("$1 to *2*"))
    \$1 to \*2\*
    """
    return _MARKDOWN.sub(r"\\\1", text).replace("\n", " ")


def sentence(words: str) -> str:
    """Give the text with a capital first letter and a full stop.

    >>> sentence("needs a GPU"), sentence("Why not?")
    ('Needs a GPU.', 'Why not?')
    """
    text = words.strip()
    if not text:
        return ""
    text = text[0].upper() + text[1:]
    return text if text[-1] in ".!?:" else f"{text}."


def listed(names: list[str] | tuple[str, ...], *, last: str = "and") -> str:
    """Join names as in a sentence.

    >>> listed(["a", "b", "c"]), listed(("a", "b"), last="or"), listed([])
    ('a, b and c', 'a or b', '')
    """
    if len(names) < 2:
        return "".join(names)
    return f"{', '.join(names[:-1])} {last} {names[-1]}"


def _plain(amount: float, *, digits: int) -> str:
    """Give a number with significant digits, no exponent and no trailing zeros."""
    if amount == 0:
        return "0"
    decimals = max(0, digits - 1 - math.floor(math.log10(abs(amount))))
    text = f"{amount:,.{decimals}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
