"""Tables of the memory of a multi-model endpoint."""

import pandas as pd

from fitness.simulation.moving import Moving
from fitness.simulation.sizing import Sizing
from ui import format as fmt
from ui import tables_designer, tables_simulation

FEW = 6


def sizes(sizing: Sizing) -> pd.DataFrame:
    """Give what each number of instances holds, loses and costs.

    Shape: a row a number of instances, the fewest first; the one that reaches the goal has a star.
    """
    fits = sizing.fits

    def name(at: int) -> str:
        marks = [f"{fits[at].instances:,}"]
        marks += ["★ the goal"] * (fits[at] == sizing.enough) + ["every model"] * (fits[at] == sizing.whole)
        return ", ".join(marks)

    return pd.DataFrame(
        {
            "Fewest instances": [name(at) for at in range(len(fits))],
            "Memory (GB)": [fmt.number(one.memory_gb) for one in fits],
            "Hits": [fmt.percent(one.hit_ratio) for one in fits],
            "Hits at best": [fmt.percent(one.pooled_ratio) for one in fits],
            "Lost to loads (user-seconds a month)": [fmt.number(one.lost_s) for one in fits],
            "99 % within": ["not played" if one.p99_ms is None else tables_simulation.band(one.p99_ms) for one in fits],
            "Dropped": ["not played" if one.dropped_ratio is None else fmt.percent(one.dropped_ratio) for one in fits],
            "A month": [tables_designer.cost(one.usd) for one in fits],
        }
    )


def splits(moving: Moving) -> pd.DataFrame:
    """Give the bill and the waiting by how many of the most requested models leave.

    Shape: a row for 0, 1, 2, ... models, a few past the recommended one, which has a star.
    """
    last = max(FEW, moving.best.moved + 1 if moving.best else 0)
    rows = moving.splits[: last + 1]
    return pd.DataFrame(
        {
            "Models that leave": [f"{one.moved}{' ★' if one == moving.best else ''}" for one in rows],
            "Their requests": [fmt.percent(one.moved_share) for one in rows],
            "Shared instances": [f"{one.instances:,}" for one in rows],
            "Shared endpoint": [fmt.usd(one.shared_usd) for one in rows],
            "Own endpoints": [fmt.usd(one.own_usd) for one in rows],
            "Together a month": [fmt.usd(one.usd) for one in rows],
            "Lost to loads (user-seconds a month)": [fmt.number(one.lost_s) for one in rows],
        }
    )
