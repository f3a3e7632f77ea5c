"""Tables of a simulation: what was counted beside what the formulas say."""

from collections.abc import Callable, Sequence

import pandas as pd

from fitness.outcome import Outcome
from fitness.simulation.play import Band, Simulation
from fitness.study import Played, Study
from ui import charts_simulation
from ui import format as fmt

SIMULATING = "simulating"

_Rows = dict[str, tuple[str, str]]
_PERCENTILES = {"p50_ms": ("50 % within", 0.5), "p95_ms": ("95 % within", 0.95), "p99_ms": ("99 % within", 0.99)}


def figures(played: Sequence[tuple[str, Study, Played, Simulation | None]]) -> pd.DataFrame:
    """Give the month's figures of one or two configurations: simulated with its 95 % band, and by the formulas.

    Shape: a row a figure, two columns for each configuration, which are named by its label. What has not been
    played yet says so.
    """
    columns: list[_Rows] = [_rows(work, proposed, simulation) for _, work, proposed, simulation in played]
    names = list(dict.fromkeys(name for rows in columns for name in rows))
    table: dict[str, list[str]] = {"Of the month": names}
    for (label, *_), rows in zip(played, columns, strict=True):
        prefix = f"{label}: " if len(played) > 1 else ""
        for at, kind in enumerate(("simulated", "by the formulas")):
            title = f"{prefix}{kind}"
            cells = [rows.get(name, ("none", "none"))[at] for name in names]
            table[fmt.plain(title[:1].upper() + title[1:])] = [fmt.plain(cell) for cell in cells]
    return pd.DataFrame(table)


def band(found: Band) -> str:
    """Give a time with its 95 % band.

    >>> band(Band(low=20.0, value=24.0, high=28.0))
    '24 ms (20 ms to 28 ms)'
    """
    return f"{fmt.ms(found.value)} ({fmt.ms(found.low)} to {fmt.ms(found.high)})"


def late_ratio(work: Study, outcome: Outcome) -> float:
    """Give the share of the answers after the objective."""
    return float(outcome.latency.share_above(work.point.objectives.late_after_s)[0])


def p99(outcome: Outcome, simulation: Simulation | None) -> Band:
    """Give the time that 99 of 100 answers stay under; by the formulas it has no band."""
    if simulation is not None:
        return simulation.bands["p99_ms"]
    value = float(outcome.latency.percentile(0.99)[0]) * 1_000
    return Band(low=value, value=value, high=value)


def _rows(work: Study, proposed: Played, simulation: Simulation | None) -> _Rows:
    formulas = proposed.outcome
    assert formulas is not None  # noqa: S101 it can be played
    rows: _Rows = {}
    for key, (title, share) in _PERCENTILES.items():
        seen = SIMULATING if simulation is None else band(simulation.bands[key])
        rows[title] = (seen, fmt.ms(float(formulas.latency.percentile(share)[0]) * 1_000))

    def add(title: str, value: Callable[[Outcome], float], text: Callable[[float], str] = fmt.percent) -> None:
        seen = SIMULATING if simulation is None else text(value(simulation.outcome))
        rows[title] = (seen, text(value(formulas)))

    add("Late", lambda outcome: late_ratio(work, outcome))
    add("Dropped", lambda outcome: float(outcome.dropped_ratio[0]))
    add(charts_simulation.cold_name(proposed.option), lambda outcome: float(outcome.cold_ratio[0]))
    if formulas.instance_types is not None:
        add("Instance hours", lambda outcome: float(outcome.instance_hours[0]), fmt.number)
    usd = SIMULATING if simulation is None else fmt.usd(simulation.monthly_usd)
    rows["A month"] = (usd, fmt.usd(float(proposed.monthly_usd[0])))
    return rows
