"""Figures of a day that was played: pure functions, drawn in the colours of the theme by the page."""

import math
from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go
from plotly.basedatatypes import BaseTraceType

from fitness.arrays import Array
from fitness.simulation.day import Course
from ui import charts
from ui import format as fmt

HEIGHT_PX = 300
_MIDNIGHT = "2000-01-01"  # a date axis needs a date; only the time is shown
_MS = 1_000
_FEW_INSTANCES = 6  # up to here the axis has a tick for each
_FEW_REQUESTS = 6  # the same for requests
_BLUE, _ORANGE, _GREEN, _PINK = (f"#{place:06d}" for place in range(1, 5))  # places of the theme's colours
_PERCENTILES = (("50 %", _GREEN, "dot"), ("95 %", _BLUE, "dash"), ("99 %", _ORANGE, "solid"))
_CACHES = ("mme", "mme_gpu")
_MARGIN = {**charts.MARGIN, "r": 62}  # also for an axis on the right, so that equal times stand above each other
_Window = tuple[float, float]  # s


def traffic(course: Course, *, window_s: _Window, most_rps: float, most_instances: float) -> go.Figure:
    """Give the arrivals against the instances that are ready for them, over the day.

    Shape: one point a minute. Units: requests per second on the left, instances on the right; where the option has
    none, requests waiting or at work.
    """
    name = "Records done" if course.is_job else "Arrivals"
    traces = [
        go.Scatter(
            y=course.arrivals / 60,
            **_regular(course, 0.0, 60.0),
            name=name,
            mode="lines",
            line={"width": 1, "color": _BLUE},
            fill="tozeroy",
            hovertemplate="%{y:.3~g}/s<extra>" + name + "</extra>",
        )
    ]
    if course.ready is None or course.paid is None:
        traces.append(_right(course, course.inside, "Waiting or at work", start_s=_first(course), dash="solid"))
    else:
        traces.append(_right(course, course.paid, "Instances billed", dash="dot", shape="hv", colour=_PINK))
        traces.append(_right(course, course.ready, "Instances ready", dash="solid", shape="hv"))
    right = {
        "title": {"text": "Requests inside" if course.ready is None else "Instances"},
        "rangemode": "tozero",
        "overlaying": "y",
        "tickmode": "auto",
        "nticks": 6,
        "tickformat": ",~f",
        "side": "right",
        "showgrid": False,
        "range": [0, most_instances * 1.15],
    }
    if course.ready is not None and most_instances <= _FEW_INSTANCES:
        right |= {"tickmode": "linear", "dtick": 1}
    left = {
        "title": {"text": "Records a second" if course.is_job else "Requests a second"},
        "range": [0, most_rps * 1.1],
    }
    return _figure(traces, window_s, is_job=course.is_job, yaxis=left, yaxis2=right)


def traffic_alt(course: Course) -> str:
    """Say what the figure shows, for those who don't see it."""
    top = fmt.number(float(course.arrivals.max()) / 60)
    if course.ready is None:
        inside = fmt.number(float(course.inside.max(initial=0)))
        return f"Arrivals reach {top} a second; at most {inside} requests are inside at once."
    ready = course.ready
    least, most = fmt.number(float(ready.min())), fmt.number(float(ready.max()))
    what = "Records done" if course.is_job else "Arrivals"
    return f"{what} reach {top} a second; {least} to {most} instances are ready."


def latency(
    course: Course, *, window_s: _Window, range_ms: tuple[float, float], lines: Sequence[tuple[str, float]]
) -> go.Figure:
    """Give the times within which 50, 95 and 99 of 100 answers arrive, over the day, with the objectives as lines.

    Shape: one point an interval, by the time of arrival. Units: seconds, logarithmic.
    """
    traces = [
        go.Scatter(
            y=values / _MS,
            **_regular(course, _first(course), course.interval_s),
            name=f"{name} within",
            mode="lines",
            line={"width": 1.5, "color": colour, "dash": dash},
            customdata=[fmt.ms(value) for value in values],
            hovertemplate="%{customdata}<extra>%{fullData.name}</extra>",
        )
        for values, (name, colour, dash) in zip(course.latency_ms, _PERCENTILES, strict=True)
    ]
    ends = charts.log_range([value / _MS for value in range_ms])
    scale = {"title": {"text": "Time to the answer"}, **charts.time_scale(ends)}
    return _figure(traces, window_s, is_job=course.is_job, yaxis=scale, **charts.lines(across=lines))


def latency_alt(course: Course) -> str:
    """Say how the 99th percentile moves over the day."""
    p99 = course.latency_ms[2]
    known = p99[np.isfinite(p99)]
    if not known.size:
        return "No answer arrived in the part that was played."
    return f"99 of 100 answers arrive within {fmt.ms(float(known.min()))} to {fmt.ms(float(known.max()))}."


def trouble(course: Course, *, window_s: _Window, most: float, without: str) -> go.Figure:
    """Give the requests that met a cold start or a missing model, were refused or timed out, over the day.

    Shape: stacked bars, one an interval; where there are none the words `without`. Units: requests.
    """
    kinds = (
        (cold_name(course.option), course.cold, _BLUE, ""),
        ("Refused", course.refused, _ORANGE, "/"),
        ("Timed out", course.timed_out, _PINK, "x"),
    )
    bars = [
        go.Bar(
            y=values,
            **_regular(course, _first(course) + course.interval_s / 2, course.interval_s),
            name=name,
            marker={"color": colour, "pattern": {"shape": pattern}, "line": {"width": 0}},
            hovertemplate="%{y:,}<extra>" + name + "</extra>",
        )
        for name, values, colour, pattern in kinds
        if values.any()
    ]
    nothing = {"text": without, "x": 0.5, "y": 0.5, "xref": "paper", "yref": "paper", "showarrow": False}
    minutes = course.interval_s / 60
    title = "Requests in a minute" if minutes == 1 else f"Requests in {minutes:g} minutes"
    whole = {"dtick": 1} if most < _FEW_REQUESTS else {}  # there is no half a request
    return _figure(
        bars,
        window_s,
        is_job=course.is_job,
        yaxis={"title": {"text": title}, "range": [0, max(most, 1.0) * 1.1], **whole},
        annotations=[] if bars else [nothing],
        barmode="stack",
        bargap=0,
        showlegend=True,
    )


def trouble_alt(course: Course) -> str:
    """Say how many requests met each kind of trouble."""
    counts = (course.cold, course.refused, course.timed_out)
    cold, refused, late = (fmt.number(float(values.sum())) for values in counts)
    return f"{cold_name(course.option)}: {cold} requests. Refused: {refused}. Timed out: {late}."


def money(course: Course, *, window_s: _Window, most_usd: float) -> go.Figure:
    """Give what the endpoint has cost since the start of the day.

    Shape: one point a minute. Units: US dollars.
    """
    spent = go.Scatter(
        y=course.usd,
        **_regular(course, 60.0, 60.0),
        name="Spent",
        mode="lines",
        line={"width": 2, "color": _BLUE},
        hovertemplate="$%{y:.4~g}<extra></extra>",
    )
    dollars = {"title": {"text": "US dollars so far"}, "range": [0, most_usd * 1.1 or 1.0], "tickformat": "$,~f"}
    return _figure([spent], window_s, is_job=course.is_job, yaxis=dollars, showlegend=False)


def money_alt(course: Course) -> str:
    """Say what the day costs."""
    total = float(course.usd[-1])
    return f"The {'job' if course.is_job else 'day'} costs {fmt.usd(total if math.isfinite(total) else None)}."


def cold_name(option: str) -> str:
    """Give what a cold request is called: a cold start, or a model that had to be loaded.

    >>> cold_name("mme"), cold_name("serverless")
    ('Model not in memory', 'Cold start')
    """
    return "Model not in memory" if option in _CACHES else "Cold start"


def _first(course: Course) -> float:
    return float(course.at_s[0]) if course.at_s.size else 0.0


def _right(
    course: Course,
    values: Array,
    name: str,
    *,
    dash: str,
    start_s: float = 0.0,
    shape: str = "linear",
    colour: str = _ORANGE,
) -> go.Scatter:
    """Give a series that is read on the right."""
    return go.Scatter(
        y=values,
        **_regular(course, start_s, 60.0 if course.ready is not None else course.interval_s),
        name=name,
        yaxis="y2",
        mode="lines",
        line={"width": 2, "color": colour, "dash": dash, "shape": shape},
        hovertemplate="%{y:.3~g}<extra>" + name + "</extra>",
    )


def _regular(course: Course, start_s: float, width_s: float) -> dict[str, object]:
    """Give the times of a regular series: of the day, or minutes since a job began."""
    if course.is_job:
        return {"x0": start_s / 60, "dx": width_s / 60}
    return {"x0": _moment(start_s), "dx": width_s * _MS, "xhoverformat": "%H:%M"}


def _moment(at_s: float) -> str:
    at = np.datetime64(_MIDNIGHT) + np.timedelta64(round(at_s), "s")
    return str(at).replace("T", " ")


def _figure(traces: Sequence[BaseTraceType], window_s: _Window, *, is_job: bool, **layout: object) -> go.Figure:
    """Give a figure over the time of the day; made in one piece, which takes a third of the time of updates."""
    across: dict[str, object]
    if is_job:
        across = {"title": {"text": "Minutes since the job began"}, "range": [at_s / 60 for at_s in window_s]}
    else:
        ends = [_moment(at_s) for at_s in window_s]
        across = {"title": {"text": "Time of day (UTC)"}, "type": "date", "range": ends, "tickformat": "%H:%M"}
    over = {"height": HEIGHT_PX, "margin": _MARGIN, "hovermode": "x unified", "xaxis": across}
    return go.Figure(list(traces), {**charts.LAYOUT, **over, **layout})
