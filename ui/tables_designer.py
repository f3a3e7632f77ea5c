"""Tables of a scaling policy."""

import pandas as pd

from fitness.simulation.designed import Designed
from ui import format as fmt
from ui import policy_words


def trade_offs(designed: Designed) -> pd.DataFrame:
    """Give the policies that no other beats in cost and late requests at once, and the fixed fleet.

    Shape: a row a policy, the cheapest first.
    """
    found = designed.found
    rows = [*found.pareto, *(() if found.best in found.pareto else (found.best,))]
    table = [("★ " if one == found.best else "", one) for one in sorted(rows, key=lambda one: one.cost)]
    table.append(("Fixed fleet: ", found.fixed))
    return pd.DataFrame(
        {
            "Policy": [f"{mark}{policy_words.short(one.policy)}" for mark, one in table],
            "A month": [cost(one.usd) for _, one in table],
            "Instance hours": [fmt.number(one.instance_hours) for _, one in table],
            "Late": [fmt.percent(one.late_ratio) for _, one in table],
            "Late at the slowest launch": [fmt.percent(one.worst_late_ratio) for _, one in table],
            "Changes a day": [f"{one.changes * 24 / 730:.1f}" for _, one in table],
        }
    )


def cost(usd: float | None) -> str:
    """Give money, or that no price is known.

    >>> cost(12.0), cost(None)
    ('$12.00', 'no price')
    """
    return "no price" if usd is None else fmt.usd(usd)
