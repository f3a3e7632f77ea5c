"""What an option would do, and what an hour of its instances costs.

Source: docs/settings.md (configurations), docs/prices.md (prices).
"""

from fitness.errors import InputError, Problem
from fitness.inputs import HOURS_PER_MONTH
from fitness.outcome import Outcome
from fitness.prices import Price
from fitness.study import Study


def outcome_of(work: Study, option: str) -> Outcome:
    """What the option would do as it is proposed or fixed.

    Raises: InputError where nothing can be configured.
    """
    proposed = work.configured(option)
    if proposed.outcome is None:
        failed = "; ".join(gate.reason for gate in proposed.gates if gate.passes is False)
        raise InputError([Problem(path="option", message=f"{option} has no configuration: {failed or 'no type'}")])
    return proposed.outcome


def instance_type_of(outcome: Outcome) -> str:
    """The instance type; only for options that have one."""
    assert outcome.instance_types is not None  # noqa: S101 the caller asks for options on instances
    return outcome.instance_types[0]


def hourly(work: Study, outcome: Outcome) -> tuple[Price | None, float | None]:
    """The price of an instance hour, and what that hour costs with the instance's volume; None without a price."""
    region = work.point.region
    component = "async" if outcome.option == "async" else "hosting"
    price = work.book.estimate(f"{component}/{instance_type_of(outcome)}", region)
    if price is None:
        return None, None
    stored = work.book.estimate("storage/hosting", region)
    gb_month_usd = 0.0 if stored is None else float(stored.usd_per_unit)
    return price, float(price.usd_per_unit) + float(outcome.settings["volume_gb"][0]) * gb_month_usd / HOURS_PER_MONTH
