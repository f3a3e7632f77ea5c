"""Figures of a scaling policy: what each candidate costs and delays, and how instances follow the busiest day."""

import math
from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go

from fitness.simulation.designed import Designed
from fitness.simulation.policies import Candidate
from ui import charts, policy_words
from ui import format as fmt

HEIGHT_PX = 380
_BLUE, _ORANGE, _GREEN, _PINK, _, _GREY = (f"#{place:06d}" for place in range(1, 7))  # places of the theme's colours
_MIDNIGHT = "2000-01-01 00:00:00"  # a date axis needs a date; only the time is shown
_MINUTE_MS = 60_000
_NONE_BELOW = 3.0  # no late request at all is drawn this many times below the smallest share that is one


def trade_offs(designed: Designed) -> go.Figure:
    """Give the cost of each candidate against its late requests, with the share that may be late as a line.

    Shape: a point a candidate; the best trade-offs are joined. Units: US dollars a month, instance hours where there
    is no price, and shares, logarithmic; no late request at all is drawn at the bottom.
    """
    found = designed.found
    floor = _floor(designed)
    front = [one for one in found.pareto if one != found.best]
    others = [one for one in found.candidates if one not in found.pareto and one != found.best]
    joined = go.Scatter(
        x=[one.cost for one in found.pareto],
        y=[max(one.late_ratio, floor) for one in found.pareto],
        mode="lines",
        line={"width": 1, "shape": "hv", "color": "#808A97"},
        showlegend=False,
        hoverinfo="skip",
    )
    traces = [
        _points("Others", others, floor, symbol="square-open", colour=_GREY, size=8),
        joined,
        _points("Best trade-offs", front, floor, symbol="circle-open", colour=_BLUE, size=11),
        _points("Fixed fleet", [found.fixed], floor, symbol="diamond-open", colour=_PINK, size=12),
        _points(name_of_best(designed), [found.best], floor, symbol="star", colour=_ORANGE, size=16),
    ]
    shown = [*found.candidates, found.fixed]
    ends = charts.log_range([floor, *(max(one.late_ratio, floor) for one in shown), designed.late_share])
    scale = charts.log_scale(ends, fmt.percent)
    costs = [one.cost for one in shown]
    room = 0.06 * (max(costs) - min(costs)) or 0.1 * max(costs) or 1.0
    is_priced = found.best.usd is not None
    limit = charts.lines(
        across=[(f"{fmt.percent(designed.late_share)} may be late", designed.late_share)], labels="right"
    )  # the cheap policies, which are late, are at the left
    layout = {
        **charts.LAYOUT,
        "height": HEIGHT_PX,
        "xaxis": {
            "title": {"text": "US dollars a month" if is_priced else "Instance hours a month"},
            "tickformat": "$,~f" if is_priced else ",~f",
            "range": [max(0.0, min(costs) - room), max(costs) + room],
            "nticks": 6,
        },
        "yaxis": {"title": {"text": "Late requests"}, **_with_none(scale, floor, has_none=_has_none(designed))},
        **limit,
    }
    return go.Figure(traces, layout)


def trade_offs_alt(designed: Designed) -> str:
    """Say what the figure shows, for those who don't see it."""
    found = designed.found
    return (
        f"Cost against late requests of {len(found.candidates)} policies, {len(found.pareto)} of them best trade-offs. "
        f"{name_of_best(designed)}: {_cost(found.best)} a month with {fmt.percent(found.best.late_ratio)} late; "
        f"the fixed fleet: {_cost(found.fixed)}."
    )


def name_of_best(designed: Designed) -> str:
    """Name the policy that stands out: one that is late too often is not recommended."""
    return "Recommended" if designed.found.is_met else "Closest"


def followed(designed: Designed) -> go.Figure:
    """Give the instances that the busiest day asks for, those in service and those billed.

    Shape: one point a minute. Units: instances, a fraction where a minute asks for a part of one.
    """
    day = designed.followed
    times = {"x0": _MIDNIGHT, "dx": _MINUTE_MS, "xhoverformat": "%H:%M"}
    figure = go.Figure()
    for name, values, line in (
        ("Needed", day.needed, {"width": 1, "color": _BLUE}),
        ("Billed", day.paid, {"width": 2, "color": _PINK, "dash": "dot", "shape": "hv"}),
        ("In service", day.ready, {"width": 2, "color": _ORANGE, "shape": "hv"}),
    ):
        figure.add_trace(
            go.Scatter(
                y=np.round(values, 3),
                **times,
                name=name,
                mode="lines",
                line=line,
                fill="tozeroy" if name == "Needed" else None,
                hovertemplate="%{y:.3~g}<extra>" + name + "</extra>",
            )
        )
    top = max(float(values.max(initial=1.0)) for values in (day.needed, day.paid))
    figure.update_layout(dict(charts.LAYOUT), height=HEIGHT_PX, hovermode="x unified")
    figure.update_xaxes(
        type="date",
        tickformat="%H:%M",
        title="Time of day (UTC)" if day.starts_at_midnight else "Hours of the recording",
    )
    figure.update_yaxes(title="Instances", range=[0, top * 1.1], nticks=8)
    return figure


def followed_alt(designed: Designed) -> str:
    """Say how the instances follow the day."""
    day = designed.followed
    short = int(np.count_nonzero(day.needed > day.ready + 1e-9))
    return (
        f"The busiest day asks for at most {fmt.number(float(day.needed.max()))} instances; "
        f"{fmt.number(float(day.ready.min()))} to {fmt.number(float(day.ready.max()))} are in service, "
        f"too few in {short} of {day.needed.size} minutes."
    )


def _points(
    name: str, members: Sequence[Candidate], floor: float, *, symbol: str, colour: str, size: int
) -> go.Scatter:
    return go.Scatter(
        x=[one.cost for one in members],
        y=[max(one.late_ratio, floor) for one in members],
        mode="markers",
        name=name,
        cliponaxis=False,
        marker={"symbol": symbol, "color": colour, "size": size, "line": {"width": 2}},
        customdata=[[policy_words.short(one.policy), _cost(one), fmt.percent(one.late_ratio)] for one in members],
        hovertemplate="<b>%{customdata[0]}</b><br>%{customdata[1]} a month<br>%{customdata[2]} late<extra></extra>",
    )


def _cost(one: Candidate) -> str:
    return fmt.usd(one.usd) if one.usd is not None else f"{fmt.number(one.instance_hours)} instance hours"


def _has_none(designed: Designed) -> bool:
    return any(one.late_ratio <= 0 for one in (*designed.found.candidates, designed.found.fixed))


def _floor(designed: Designed) -> float:
    """Where no late request at all is drawn."""
    late = [one.late_ratio for one in designed.found.candidates if one.late_ratio > 0]
    return min([*late, designed.late_share]) / _NONE_BELOW


def _with_none(scale: dict[str, object], floor: float, *, has_none: bool) -> dict[str, object]:
    """The axis with a tick at the bottom that says that nothing is late."""
    at, texts = scale["tickvals"], scale["ticktext"]
    if not has_none or not isinstance(at, list) or not isinstance(texts, list):
        return scale
    kept = [(tick, text) for tick, text in zip(at, texts, strict=True) if math.log10(tick / floor) > _CLOSE_DECADES]
    return {
        **scale,
        "tickvals": [floor, *(tick for tick, _ in kept)],
        "ticktext": ["none", *(text for _, text in kept)],
    }


_CLOSE_DECADES = 0.2  # ticks nearer than this would write over each other
