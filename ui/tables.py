"""Tables of a verdict: frames for Streamlit, in the words of ui/words.py. No arithmetic of their own."""

import re
from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from urllib.parse import urlsplit

import pandas as pd
import streamlit as st
from streamlit.elements.lib.column_types import ColumnConfig

from fitness.bill import Bill, LineItem
from fitness.fields import BY_PATH
from fitness.flips import Axis
from fitness.gates import Gate
from fitness.limits import Limit
from fitness.prices import Price
from fitness.priors import PRIORS, Prior
from fitness.verdict import OptionResult, Verdict
from ui import charts_flips, words
from ui import format as fmt


def ranking(verdict: Verdict) -> pd.DataFrame:
    """Give the options, best first, a row each; what an infeasible option lacks is missing."""
    return pd.DataFrame(
        [
            {
                "Rank": rank,
                "Option": result.option.title,
                "Status": words.STATUS[result.status].cell,
                "Note": words.obstacle(result) or None,
                "Score": result.score,
                "Monthly bill": fmt.usd_band(result.monthly_usd) if result.score is not None else None,
                "p99": _latency(result, "p99"),
                "Best in": fmt.percent(result.probability_best) if _was_drawn(verdict, result) else None,
                **{
                    title: None if result.fitness is None else getattr(result.fitness, name)
                    for name, title in words.FUNCTIONS.items()
                },
                "Range": fmt.score_range(result.score_interval) if result.score_interval else None,
                "p50": _latency(result, "p50"),
                "p95": _latency(result, "p95"),
            }
            for rank, result in enumerate(verdict.options, start=1)
        ]
    )


def ranking_columns() -> dict[str, ColumnConfig]:
    """Give how Streamlit draws the ranking's columns; up to the five scores they fit a window of 1,440 pixels."""
    number, text = st.column_config.NumberColumn, st.column_config.TextColumn
    return {
        "Rank": number(pinned=True, width=46),
        "Option": text(width=215),
        "Status": text(width=98),
        "Note": text(width=212, help="The first limit that fails or is open. Click it to read all of it."),
        "Score": st.column_config.ProgressColumn(
            min_value=0,
            max_value=1,
            format="%.2f",
            width=80,
            help="Weighted fitness, 0 to 1, on absolute references: another option never changes it.",
        ),
        "Range": text(help="The score in nine of ten draws over what is not known.", alignment="right", width=88),
        "Monthly bill": text(
            help="US dollars; in brackets the range of nine of ten draws over what is not known.",
            alignment="right",
            width=165,
        ),
        **{
            name: text(help=f"{name[1:]} of 100 answers arrive within this time.", alignment="right", width=64)
            for name in ("p50", "p95", "p99")
        },
        "Best in": text(
            help="Share of the draws over what is not known in which it comes first.",
            alignment="right",
            width=64,
        ),
        **{title: number(format="%.2f", width=_width(title)) for title in words.FUNCTIONS.values()},
    }


def gates(shown: Iterable[Gate]) -> pd.DataFrame:
    """Give limits with what was asked, what is allowed and who says so."""
    rows = []
    for gate in shown:
        asked, allowed, margin = words.gate_values(gate)
        rows.append(
            {
                "Limit": fmt.plain(gate.title),
                "Result": words.GATE[gate.passes].badge,
                "Asked": fmt.plain(asked),
                "Allowed": fmt.plain(allowed),
                "Margin": margin,
                "Why": fmt.plain(fmt.sentence(gate.reason)),
                "Source": f"{_sources(gate.source)} ({fmt.plain(gate.as_of)}, {gate.status})",
            }
        )
    return pd.DataFrame(rows)


def bill(shown: Bill) -> pd.DataFrame:
    """Give a bill line by line, each with its receipt: quantity times unit price."""
    frame = pd.DataFrame(
        [
            {
                "Item": line.name,
                "Quantity": fmt.exact(_multiplied(line)),
                "Unit": line.unit,
                "Unit price": _unit_price(line.price),
                "A month": fmt.cents(line.usd),
                "How": line.note,
                "Grade": str(line.price.grade) if line.price else "no price",
                "As of": line.price.as_of if line.price else "",
                "Source": line.price.source if line.price else "",
            }
            for line in shown.lines
        ]
    )
    return frame if any(line.note for line in shown.lines) else frame.drop(columns="How", errors="ignore")


def bill_columns() -> dict[str, ColumnConfig]:
    """Give how Streamlit draws the columns of a bill."""
    text = st.column_config.TextColumn
    return {
        "Item": text(pinned=True),
        "Quantity": text(alignment="right", help="Rounded as far as quantity times unit price gives the same cents."),
        **{name: text(alignment="right") for name in ("Unit price", "A month")},
        "Grade": text(help="How well the price is known; the Limits page has every price with its grade and source."),
        "Source": text(width="large"),
    }


def pair(first: OptionResult, second: OptionResult) -> pd.DataFrame:
    """Give two options property by property."""
    rows: dict[str, tuple[str, str]] = {}
    for title, draw in _PAIR_ROWS.items():
        cells = (draw(first), draw(second))
        if set(cells) != {_NOT_HERE}:
            rows[title] = cells
    keys = dict.fromkeys((*first.configuration, *second.configuration))
    for key in keys:
        rows[words.key_title(key)] = (
            fmt.value(first.configuration[key]) if key in first.configuration else "none",
            fmt.value(second.configuration[key]) if key in second.configuration else "none",
        )
    return pd.DataFrame(
        {
            "Property": rows.keys(),
            fmt.plain(first.option.title): [fmt.plain(cells[0]) for cells in rows.values()],
            fmt.plain(second.option.title): [fmt.plain(cells[1]) for cells in rows.values()],
        }
    )


def assumptions(paths: Iterable[str]) -> pd.DataFrame:
    """Give the fields that nobody declared, with the distributions that stand for them."""
    rows: list[dict[str, str]] = []
    for path in paths:
        named = [one for name, one in PRIORS().items() if name == path or name.startswith(f"{path}.")]
        rows.extend({"Assumed": words.field_title(path)} | _prior(one) for one in named)
        if not named:
            absent = BY_PATH[path].absent if path in BY_PATH else ""
            rows.append({"Assumed": words.field_title(path), "Name": path, "Distribution": absent})
    return pd.DataFrame(rows, columns=["Assumed", *_PRIOR_COLUMNS])


def priors() -> pd.DataFrame:
    """Give every distribution that an evaluation may draw from."""
    return pd.DataFrame([_prior(one) for one in PRIORS().values()], columns=_PRIOR_COLUMNS)


def flips(axes: Iterable[Axis], *, assumed: frozenset[str], measured: frozenset[str] = frozenset()) -> pd.DataFrame:
    """Give where another option becomes the best: a row for each change, and one for a field without any."""
    rows = []
    for axis in axes:
        said = charts_flips.origin(axis.field, assumed, measured)
        own = {
            "Field": words.field_title(axis.field),
            "Now": f"{charts_flips.amount(axis.field, axis.value)} ({said})",
        }
        low, high = charts_flips.reach(axis)
        if not axis.flips:
            stays = words.option_title(axis.best[0]) if axis.best[0] else _NOTHING
            nowhere = {"From": f"nowhere from {low} to {high}", "Best then": stays, "Before": "", "Scores there": ""}
            rows.append(own | nowhere)
        for flip in axis.flips:
            found = charts_flips.change(axis, flip)
            rows.append(
                own
                | {
                    "From": charts_flips.amount(flip.field, flip.at),
                    "Best then": words.option_title(flip.after) if flip.after else _NOTHING,
                    "Before": words.option_title(flip.before) if flip.before else _NOTHING,
                    "Scores there": _two_scores(found),
                }
            )
    return pd.DataFrame(rows).map(fmt.plain)


def limits(rows: Iterable[Limit]) -> pd.DataFrame:
    """Give rows of the limit register."""
    return pd.DataFrame(
        [
            {
                "Option": words.option_title(row.option),
                "Limit": row.title,
                "Allowed": row.text,
                "Profile": "both" if len(row.profiles) > 1 else fmt.value(row.profiles),
                "Status": row.status,
                "As of": row.as_of,
                "Source": row.source,
                "Note": row.note,
            }
            for row in rows
        ]
    )


def source_columns(pinned: str) -> dict[str, ColumnConfig]:
    """Give how Streamlit draws a table that ends in source and note."""
    text = st.column_config.TextColumn
    return {
        pinned: text(pinned=True),
        "Allowed": text(width="medium"),
        "Price": text(width=190),
        "As of": text(width=130),
        "Source": text(width="large"),
        "Note": text(width="large"),
    }


def prices(rows: Iterable[Price]) -> pd.DataFrame:
    """Give prices with their grade, source and date."""
    return pd.DataFrame(
        [
            {
                "Item": row.item,
                "Region": row.region,
                "Price": _unit_price(row),
                "Grade": row.grade,
                "As of": row.as_of,
                "Source": row.source,
                "Note": row.note,
            }
            for row in rows
        ]
    )


_NOT_HERE = "has none"
_NOTHING = "nothing"
_NOTHING_TO_SAY = "none: it is infeasible"
_FEWEST_DIGITS, _MOST_DIGITS = 2, 12  # decimals of a quantity
_NEAR_RATIO = Decimal("0.001")  # of a quantity, what may be rounded off
_ADDRESS = re.compile(r"(https://[^\s;|]+)")


def _function_row(name: str) -> Callable[[OptionResult], str]:
    return lambda result: fmt.score(getattr(result.fitness, name)) if result.fitness else "none"


_PAIR_ROWS: Mapping[str, Callable[[OptionResult], str]] = {
    "Status": lambda result: words.STATUS[result.status].cell,
    "Score": lambda result: fmt.score_band(result.score, result.score_interval) if result.fitness else "none",
    **{title: _function_row(name) for name, title in words.FUNCTIONS.items()},
    "Limit": lambda result: words.obstacle(result) or _NOT_HERE,
    "Monthly bill": lambda result: fmt.usd_band(result.monthly_usd),
    "A thousand requests": lambda result: fmt.usd(result.usd_per_1k_requests),
    "p50": lambda result: _latency(result, "p50") or fmt.UNKNOWN,
    "p95": lambda result: _latency(result, "p95") or fmt.UNKNOWN,
    "p99": lambda result: _latency(result, "p99") or fmt.UNKNOWN,
    "Late answers": lambda result: fmt.percent(result.late_ratio),
    "Dropped requests": lambda result: fmt.percent(result.dropped_ratio),
    "Cold starts": lambda result: fmt.percent(result.cold_ratio),
    "Found in the model cache": lambda result: (
        _NOT_HERE if result.cache_hit_ratio is None else fmt.percent(result.cache_hit_ratio)
    ),
    "Best in": lambda result: fmt.percent(result.probability_best) if result.fitness else "none",
    "Numbers are": lambda result: words.GRADE[result.grade].said if result.fitness else _NOTHING_TO_SAY,
    "To decide and maintain": lambda result: fmt.listed(result.decisions) or "nothing",
}


_PRIOR_COLUMNS = ["Name", "Distribution", "Grade", "As of", "Basis", "Note"]


def _prior(one: Prior) -> dict[str, str]:
    return dict(
        zip(
            _PRIOR_COLUMNS,
            (one.name, one.text, one.grade, one.as_of, one.source, one.note),
            strict=True,
        )
    )


def _two_scores(found: charts_flips.Standing | None) -> str:
    if found is None:
        return ""
    if found.second_score is None:
        return f"{fmt.score(found.first_score)}, the other can't run"
    scores = f"{fmt.score(found.first_score)} against {fmt.score(found.second_score)}"
    return f"{scores}, {charts_flips.lead_text(found.lead)}"


def _width(title: str) -> int:
    return max(60, 8 * len(title) + 4)  # pixels that the heading needs


def _was_drawn(verdict: Verdict, result: OptionResult) -> bool:
    return verdict.draws > 0 and result.score is not None


def _latency(result: OptionResult, name: str) -> str | None:
    return fmt.ms(getattr(result.latency_ms, name)) if result.latency_ms else None


def _multiplied(line: LineItem) -> Decimal:
    """Give the quantity of a line with no more digits than it takes to work out its cents by hand."""
    if line.price is None or line.usd is None:
        return line.quantity
    for digits in range(_FEWEST_DIGITS, _MOST_DIGITS):
        short = round(line.quantity, digits)
        is_near = abs(short - line.quantity) <= _NEAR_RATIO * abs(line.quantity)
        if is_near and fmt.cents(short * line.price.usd_per_unit) == fmt.cents(line.usd):
            return short
    return line.quantity


def _unit_price(price: Price | None) -> str:
    return fmt.UNKNOWN if price is None else fmt.unit_price(price.usd_per_unit, price.unit)


def _sources(text: str) -> str:
    """Give sources as Markdown: addresses become links with a short name, the rest stays text."""
    shown = []
    for source in text.split(" ; "):
        before, address, after = _ADDRESS.split(source, maxsplit=1) if _ADDRESS.search(source) else (source, "", "")
        link = f"[{urlsplit(address).netloc}](<{address}>)" if address else ""
        shown.append(f"{fmt.plain(before)}{link}{fmt.plain(after)}")
    return ", ".join(shown)
