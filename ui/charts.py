"""Figures of a verdict: pure functions, drawn in the colours of the theme by the page."""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Literal

import plotly.graph_objects as go

from fitness.verdict import OptionResult, Verdict
from fitness.workload import Workload
from ui import format as fmt
from ui import words

_Range = tuple[float, float]

HEIGHT_PX = 420
CONFIG = {"displayModeBar": False}  # its buttons cover the legend of a narrow figure
_LABEL_WIDTH_RATIO, _LABEL_HEIGHT_RATIO = 0.14, 0.14  # of the axes, what a label takes
_EDGE_RATIO = 0.25
_LONG_AXIS_DECADES = 2.5
_CLOCK_S = (60, 120, 300, 900, 1800, 3600, 7200, 18_000, 43_200, 86_400, 172_800, 432_000)
_ROOM = 1.7  # how much further than the outermost point or line a logarithmic axis reaches
_LINE = {"width": 1.5, "dash": "dash", "color": "#808A97"}  # legible on both surfaces
# Streamlit's theme puts its series colours in place of these (streamlit_plotly_theme.py, read
# 2026-11-21). Its own template asks for ten, and a theme with fewer falls back to Plotly's colours.
_THEME_COLOURS = [f"#{place:06d}" for place in range(1, 8)]
TEXT = "#000037"  # the place of the theme's strongest text, in the same file
# Room for the labels, titles and legend of a wide figure: one that finds them to want more is drawn twice, which a
# narrow one still is. It halves the time that a browser takes.
MARGIN: Mapping[str, int] = MappingProxyType({"l": 90, "r": 12, "t": 46, "b": 68})
LAYOUT: Mapping[str, object] = MappingProxyType(
    {
        "margin": dict(MARGIN),
        "legend": {"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0},
        "hoverlabel": {"align": "left"},
        "colorway": _THEME_COLOURS,
    }
)
_SCORE = "Score"
_FRONT, _IN_RACE, _OPEN = "Best trade-offs", "Others", "Conditional"
_COLOURS = {_FRONT: _THEME_COLOURS[0], _IN_RACE: _THEME_COLOURS[5], _OPEN: _THEME_COLOURS[1]}  # blue, grey, orange
_SYMBOLS = {_FRONT: "circle-open", _IN_RACE: "square-open", _OPEN: "diamond-open"}


def pareto(verdict: Verdict) -> go.Figure:
    """Give the monthly bill against the 99th percentile of latency, with the objectives as lines.

    Shape: a point per option whose bill and latency are known, with its rank above, and the name of
    the best; bars are the 5 to 95 % band of the bill.
    Units: US dollars a month and seconds, both logarithmic.
    """
    shown = _placed(verdict.options)
    budget_usd = verdict.workload.objectives.monthly_budget_usd
    lines_s = dict(latency_lines(verdict.workload))
    usd_range = log_range([*_band_ends(shown), *([budget_usd] if budget_usd else [])])
    s_range = log_range([*map(_p99_s, shown), *lines_s.values()])
    labels = _labels(shown, verdict, usd_range, s_range)

    groups = _groups(shown, verdict.pareto).items()
    traces = [_points(group, members, labels, usd_range) for group, members in groups if members]
    front = sorted((one for one in shown if one.option.id in verdict.pareto), key=_usd)
    if len(front) > 1:
        traces.append(_staircase(front))
    budget = [(f"budget {fmt.usd(budget_usd)}", budget_usd)] if budget_usd else []
    layout = {
        **LAYOUT,
        "height": HEIGHT_PX,
        "xaxis": {"title": {"text": "US dollars a month"}, **log_scale(usd_range, fmt.usd)},
        "yaxis": {"title": {"text": "99 % of answers within"}, **time_scale(s_range)},
        **lines(across=lines_s.items(), upright=budget),
    }
    return go.Figure(traces, layout)  # in one piece, which takes a third of the time of updates


def has_points(verdict: Verdict) -> bool:
    """Whether there is anything to draw: an option with a known bill and a known latency."""
    return bool(_placed(verdict.options))


def pareto_alt(verdict: Verdict) -> str:
    """Say what the figure shows, for those who don't see it."""
    front = [verdict.option(identifier) for identifier in verdict.pareto]
    trades = [
        f"{one.option.title} at {fmt.usd(_usd(one))} a month and {fmt.ms(_p99_s(one) * 1_000)}"
        for one in _placed(front)
    ]
    if not trades:
        return "No option has both a known bill and a known latency."
    return f"Bill against 99th percentile of latency. Best trade-offs: {fmt.listed(trades)}."


def fitness_pair(first: OptionResult, second: OptionResult) -> go.Figure:
    """Give the five fitness values of two options side by side, and above them the score that they make.

    Shape: six groups of two horizontal bars, 0..1, and the 5 to 95 % band of the score as an error bar; an infeasible
    option has no bars.
    """
    figure = go.Figure()
    labels = [_SCORE, *words.FUNCTIONS.values()]
    for result, pattern in ((first, ""), (second, "/")):
        functions = [None if result.fitness is None else getattr(result.fitness, name) for name in words.FUNCTIONS]
        band = result.score_interval
        # The number of a score with a band would lie on the band; the table beside it has it.
        numbers = [None if band else result.score, *functions]
        figure.add_trace(
            go.Bar(
                x=[result.score, *functions],
                y=labels,
                name=result.option.title,
                orientation="h",
                text=["" if value is None else fmt.score(value) for value in numbers],
                textposition="outside",
                error_x={  # of the first bar alone: a missing number would be drawn as a range of 0
                    "type": "data",
                    "symmetric": False,
                    "array": [band.p95 - band.p50] if band else [],
                    "arrayminus": [band.p50 - band.p5] if band else [],
                    "thickness": 2,
                    "width": 5,
                    "color": TEXT,
                },
                marker={"pattern": {"shape": pattern}},
                hovertemplate="%{y} %{x:.2f}<extra>%{fullData.name}</extra>",
            )
        )
    figure.update_layout(dict(LAYOUT), height=HEIGHT_PX, barmode="group")
    figure.update_xaxes(range=[0, 1.12], tickvals=[0, 0.25, 0.5, 0.75, 1], title="Fitness, 0 to 1")
    figure.update_yaxes(autorange="reversed")
    return figure


def fitness_pair_alt(first: OptionResult, second: OptionResult) -> str:
    """Say which option leads in which function."""
    if first.fitness is None or second.fitness is None:
        absent = first if first.fitness is None else second
        return f"{absent.option.title} is infeasible and has no fitness values."
    leads = [
        words.FUNCTIONS[name].lower()
        for name in words.FUNCTIONS
        if getattr(first.fitness, name) > getattr(second.fitness, name)
    ]
    ahead = fmt.listed(leads) or "none of the five functions"
    return f"{first.option.title} is ahead of {second.option.title} in {ahead}."


def _placed(results: Iterable[OptionResult]) -> list[OptionResult]:
    return [
        one
        for one in results
        if one.monthly_usd and one.monthly_usd.p50 > 0 and one.latency_ms and one.latency_ms.p99 > 0
    ]


def _usd(result: OptionResult) -> float:
    return result.monthly_usd.p50 if result.monthly_usd else math.nan


def _p99_s(result: OptionResult) -> float:
    return result.latency_ms.p99 / 1_000 if result.latency_ms else math.nan


def _groups(shown: Sequence[OptionResult], front: Sequence[str]) -> Mapping[str, list[OptionResult]]:
    groups: dict[str, list[OptionResult]] = {_FRONT: [], _IN_RACE: [], _OPEN: []}
    for one in shown:
        if one.status == "conditional":
            groups[_OPEN].append(one)
        else:
            groups[_FRONT if one.option.id in front else _IN_RACE].append(one)
    return groups


def _points(group: str, members: Sequence[OptionResult], labels: Mapping[str, str], usd_range: _Range) -> go.Scatter:
    bands = [one.monthly_usd for one in members if one.monthly_usd]
    return go.Scatter(
        x=[_usd(one) for one in members],
        y=[_p99_s(one) for one in members],
        mode="markers+text",
        name=group,
        text=[labels[one.option.id] for one in members],
        textposition=[_beside(_usd(one), usd_range) for one in members],
        cliponaxis=False,
        marker={"symbol": _SYMBOLS[group], "color": _COLOURS[group], "size": 12, "line": {"width": 2}},
        error_x={
            "type": "data",
            "symmetric": False,
            "array": [max(0.0, band.p95 - band.p50) for band in bands],
            "arrayminus": [max(0.0, band.p50 - band.p5) for band in bands],
            "thickness": 1,
            "width": 3,
        },
        customdata=[
            [
                one.option.title,
                fmt.usd_band(one.monthly_usd),
                fmt.ms(_p99_s(one) * 1_000),
                fmt.score_band(one.score, one.score_interval),
            ]
            for one in members
        ],
        hovertemplate=(
            "<b>%{customdata[0]}</b><br>%{customdata[1]} a month"
            "<br>99 % within %{customdata[2]}<br>score %{customdata[3]}<extra></extra>"
        ),
    )


def _staircase(front: Sequence[OptionResult]) -> go.Scatter:
    """Join the best trade-offs: below and to the left of it there is nothing to have."""
    return go.Scatter(
        x=[_usd(one) for one in front],
        y=[_p99_s(one) for one in front],
        mode="lines",
        line={"width": 1, "shape": "vh", "color": _LINE["color"]},
        showlegend=False,
        hoverinfo="skip",
    )


def _labels(shown: Sequence[OptionResult], verdict: Verdict, usd_range: _Range, s_range: _Range) -> dict[str, str]:
    """Give each point its rank, and the best its name; points on one spot share the numbers."""
    ranks = {one.option.id: rank for rank, one in enumerate(verdict.options, start=1)}
    spots: list[list[OptionResult]] = []
    for one in sorted(shown, key=lambda one: (one.option.id not in verdict.pareto, ranks[one.option.id])):
        spot = next((spot for spot in spots if _covers(spot[0], one, usd_range, s_range)), None)
        if spot is None:
            spots.append([one])
        else:
            spot.append(one)
    labels = {one.option.id: "" for one in shown}
    for spot in spots:
        numbers = ", ".join(str(rank) for rank in sorted(ranks[one.option.id] for one in spot))
        topmost = max(spot, key=_p99_s).option
        is_best = len(spot) == 1 and ranks[topmost.id] == 1
        labels[topmost.id] = f"{numbers} {topmost.title}" if is_best else numbers
    return labels


def _beside(usd: float, usd_range: _Range) -> str:
    """Say where a label has room: above its point, and inwards near the edges."""
    across = (math.log10(usd) - usd_range[0]) / (usd_range[1] - usd_range[0])
    return "top right" if across < _EDGE_RATIO else "top left" if across > 1 - _EDGE_RATIO else "top center"


def _covers(first: OptionResult, second: OptionResult, usd_range: _Range, s_range: _Range) -> bool:
    """Whether the label of one point would cover the other point."""
    across = abs(math.log10(_usd(first) / _usd(second))) / (usd_range[1] - usd_range[0])
    up = abs(math.log10(_p99_s(first) / _p99_s(second))) / (s_range[1] - s_range[0])
    return across < _LABEL_WIDTH_RATIO and up < _LABEL_HEIGHT_RATIO


def latency_lines(workload: Workload) -> Iterable[tuple[str, float]]:
    """Give the declared objectives of latency as labels and seconds."""
    objectives = workload.objectives
    if objectives.latency_p99_ms:
        yield f"objective {fmt.ms(objectives.latency_p99_ms)}", objectives.latency_p99_ms / 1_000
    if objectives.deadline_s:
        yield f"deadline {fmt.ms(objectives.deadline_s * 1_000)}", objectives.deadline_s


def _band_ends(shown: Iterable[OptionResult]) -> Iterable[float]:
    for one in shown:
        if one.monthly_usd:
            yield from (low for low in (one.monthly_usd.p5, one.monthly_usd.p50) if low > 0)
            yield one.monthly_usd.p95


def log_range(values: Sequence[float]) -> _Range:
    """Give the ends of a logarithmic axis, as exponents of ten; without values, one decade."""
    if not values:
        return (0.0, 1.0)
    return (math.log10(min(values) / _ROOM), math.log10(max(values) * _ROOM))


def log_scale(ends: _Range, text_of: Callable[[float], str]) -> dict[str, object]:
    """Give an axis ticks at 1, 2 and 5 times a power of ten (fewer on a long one), in readable units."""
    low, high = ends
    steps = (1, 2, 5) if high - low < _LONG_AXIS_DECADES else (1,)
    at = [step * 10.0**decade for decade in range(math.floor(low), math.ceil(high) + 1) for step in steps]
    at = [tick for tick in at if low <= math.log10(tick) <= high]
    return {"type": "log", "range": list(ends), "tickvals": at, "ticktext": [text_of(tick) for tick in at]}


def time_scale(ends: _Range) -> dict[str, object]:
    """Give an axis of seconds ticks that a clock has, where powers of ten would read as 2.78 h.

    >>> time_scale((2.8, 4.3))["ticktext"]
    ['15 min', '30 min', '1 h', '2 h', '5 h']
    """
    if ends[0] < math.log10(_CLOCK_S[0]) and ends[1] - ends[0] >= _LONG_AXIS_DECADES:
        return log_scale(ends, lambda s: fmt.ms(s * 1_000) if s < _CLOCK_S[0] else f"{s:,.0f} s")
    if ends[1] < math.log10(_CLOCK_S[0]):
        return log_scale(ends, lambda s: fmt.ms(s * 1_000))
    below = [step * 10.0**decade for decade in range(math.floor(ends[0]), 2) for step in (1, 2, 5)]
    at = [s for s in (*(s for s in below if s < _CLOCK_S[0]), *_CLOCK_S) if ends[0] <= math.log10(s) <= ends[1]]
    return {"type": "log", "range": list(ends), "tickvals": at, "ticktext": [fmt.ms(s * 1_000) for s in at]}


def lines(
    *,
    across: Iterable[tuple[str, float]],
    upright: Iterable[tuple[str, float]] = (),
    labels: Literal["left", "right"] = "left",
) -> dict[str, object]:
    """Give objectives as lines of a figure's layout: texts with their place on a logarithmic axis.

    The label of a line across stands at its `labels` end; on logarithmic axes a label stands at the exponent.
    """
    shapes: list[dict[str, object]] = []
    words: list[dict[str, object]] = []
    for text, x in upright:
        shapes.append({"type": "line", "x0": x, "x1": x, "y0": 0, "y1": 1, "yref": "paper", "line": _LINE})
        place = {"x": math.log10(x), "y": 0, "yref": "paper", "textangle": -90, "xanchor": "right", "yanchor": "bottom"}
        words.append({"text": text, "showarrow": False, **place})
    for text, y in across:
        shapes.append({"type": "line", "x0": 0, "x1": 1, "xref": "paper", "y0": y, "y1": y, "line": _LINE})
        end = {"x": 0 if labels == "left" else 1, "xanchor": labels}
        place = {**end, "xref": "paper", "y": math.log10(y), "yanchor": "bottom"}
        words.append({"text": text, "showarrow": False, **place})
    return {"shapes": shapes, "annotations": words}
