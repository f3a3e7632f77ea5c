"""The words and signs of launches, and their times and amounts as people read them."""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from types import MappingProxyType

from launch.launched import Launched, Phase
from launch.plan import Plan
from launch.price import Hourly
from ui import format as fmt
from ui.words import Sign

HOURS_PER_MONTH = 730
_CENT = Decimal("0.01")
_SMALLEST_USD = Decimal("0.0001")
_MINUTE_S, _HOUR_S, _DAY_S = 60, 3_600, 86_400

PHASE: Mapping[Phase, Sign] = MappingProxyType(
    {
        Phase.PROPOSED: Sign(
            word="Proposed",
            character="…",
            icon=":material/pending:",
            colour="gray",
            meaning="A change set waits for its confirmation; nothing exists and nothing is billed.",
        ),
        Phase.CREATING: Sign(
            word="Creating",
            character="↻",
            icon=":material/progress_activity:",
            colour="blue",
            meaning="CloudFormation is making its resources.",
        ),
        Phase.LIVE: Sign(
            word="Live",
            character="✓",
            icon=":material/check_circle:",
            colour="green",
            meaning="Every resource of its stack is there.",
        ),
        Phase.UPDATING: Sign(
            word="Updating",
            character="↻",
            icon=":material/progress_activity:",
            colour="blue",
            meaning="A change is under way; what ran before answers until the new one does.",
        ),
        Phase.ROLLING_BACK: Sign(
            word="Rolling back",
            character="↶",
            icon=":material/undo:",
            colour="orange",
            meaning="Something failed, and what was before is being restored.",
        ),
        Phase.FAILED: Sign(
            word="Failed", character="✕", icon=":material/error:", colour="red", meaning="It rests in a failed state."
        ),
        Phase.REMOVING: Sign(
            word="Removing",
            character="↻",
            icon=":material/delete_sweep:",
            colour="blue",
            meaning="CloudFormation is deleting its resources.",
        ),
        Phase.GONE: Sign(
            word="Gone", character="○", icon=":material/delete:", colour="gray", meaning="Everything of it is deleted."
        ),
    }
)
ROLLED_BACK = Sign(
    word="Live, last change failed",
    character="!",
    icon=":material/warning:",
    colour="orange",
    meaning="The last change was taken back: what runs is what ran before it.",
)


def sign(launched: Launched) -> Sign:
    """Give the sign of a launch; one whose last change was taken back is not just live."""
    return ROLLED_BACK if launched.is_rolled_back else PHASE[launched.phase]


def duration(seconds: float) -> str:
    """Give a time that has passed or is left, in its largest two units.

    >>> duration(42), duration(125), duration(3_700), duration(200_000)
    ('42 s', '2 min', '1 h 1 min', '2 d 7 h')
    """
    whole = max(0, int(seconds))
    if whole < _MINUTE_S:
        return f"{whole} s"
    if whole < _HOUR_S:
        return f"{whole // _MINUTE_S} min"
    big, small, size, part, unit = (
        ("h", "min", _HOUR_S, _MINUTE_S, whole) if whole < _DAY_S else ("d", "h", _DAY_S, _HOUR_S, whole)
    )
    rest = unit % size // part
    return f"{unit // size} {big}" + (f" {rest} {small}" if rest else "")


def moment(at: datetime) -> str:
    """Give a moment, in UTC.

    >>> from datetime import UTC
    >>> moment(datetime(2026, 11, 21, 15, 4, tzinfo=UTC))
    '21 November 2026, 15:04 UTC'
    """
    return f"{fmt.day(at.date())}, {at:%H:%M} UTC"


def spent(launched: Launched, now: datetime) -> Decimal | None:
    """Give what the idle price has come to since the creation, in USD; None where the price is not known.

    Requests that are paid one by one, instances beyond the minimum and earlier prices are not in it.
    """
    if launched.usd_per_hour is None:
        return None
    return launched.usd_per_hour * Decimal(int(launched.age_s(now))) / _HOUR_S


def idle(plan: Plan) -> Decimal | None:
    """Give the price of an idle hour; None where a part of it is not known."""
    return None if plan.unpriced else plan.usd_per_hour


def hourly(price: Hourly) -> str:
    """Give the price of an hour, and of which, or why it is not known.

    >>> from launch.price import When
    >>> hourly(Hourly(when=When.JOB, usd_per_hour=Decimal("0.23")))
    '$0.23 an hour while its job runs'
    """
    if price.unpriced:
        return f"an unknown price {price.when}, since none is known for {fmt.listed(price.unpriced)}"
    return f"{per_hour(price.usd_per_hour)} an hour {price.when}"


def hour(price: Hourly) -> str:
    """Give the title of a price."""
    return "An hour of a job" if price.is_of_job else "An hour, idle"


def confirm(price: Hourly) -> str:
    """Give the words of the button that confirms a price."""
    return "Confirm without a price" if price.unpriced else f"Confirm {fmt.plain(per_hour(price.usd_per_hour))} an hour"


def per_month(usd_per_hour: Decimal | None) -> Decimal | None:
    """Give the price of a month of 730 hours."""
    return None if usd_per_hour is None else usd_per_hour * HOURS_PER_MONTH


def per_hour(usd: Decimal | None) -> str:
    """Give an hourly price as a person confirms it: to the hundredth of a cent.

    >>> per_hour(Decimal("0.115")), per_hour(Decimal(0)), per_hour(Decimal("1.20000")), per_hour(None)
    ('$0.115', '$0.00', '$1.20', 'unknown')
    >>> per_hour(Decimal("0.00001"))
    'less than $0.0001'
    """
    if usd is None:
        return fmt.UNKNOWN
    if 0 < usd < _SMALLEST_USD:
        return f"less than ${_SMALLEST_USD}"
    whole, _, digits = f"{usd:.4f}".partition(".")
    return f"${int(whole):,}.{digits.rstrip('0'):0<2}"


def to_the_cent(usd: Decimal | None) -> str:
    """Give what was spent, to the cent; what is not nothing never reads as nothing.

    >>> to_the_cent(Decimal("0.0031")), to_the_cent(Decimal("12.345")), to_the_cent(Decimal(0)), to_the_cent(None)
    ('< $0.01', '$12.35', '$0.00', 'unknown')
    """
    return "< $0.01" if usd is not None and 0 < usd < _CENT else fmt.cents(usd)


def end(launched: Launched, now: datetime) -> str:
    """Say when a launch expires."""
    if launched.expires is None:
        return "never"
    left_s = (launched.expires - now).total_seconds()
    return f"in {duration(left_s)}" if left_s > 0 else "expired"
