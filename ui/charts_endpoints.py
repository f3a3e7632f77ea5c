"""Figures of what an endpoint did in the last hour: pure functions, drawn in the colours of the theme by the page."""

from collections.abc import Sequence

import plotly.graph_objects as go
from plotly.basedatatypes import BaseTraceType

from launch.metrics import PERIOD_S, Metrics
from ui import charts
from ui import format as fmt

HEIGHT_PX = 260
_MS = 1_000
_BLUE, _ORANGE, _GREEN, _PINK = (f"#{place:06d}" for place in range(1, 5))  # places of the theme's colours
_ERRORS = (("errors_4xx", "Refused (4XX)", _ORANGE, "/"), ("errors_5xx", "Failed (5XX)", _PINK, "x"))
_LATENCIES = (("model_p50_ms", "50 %", _GREEN, "dot"), ("model_p99_ms", "99 %", _BLUE, "solid"))


def requests(metrics: Metrics) -> go.Figure:
    """Give the requests of each minute, and those of them that were errors.

    Shape: one bar a minute. Units: requests.
    """
    errors = [
        _bars(metrics, [value or 0 for value in metrics.values[name]], title, colour, pattern)
        for name, title, colour, pattern in _ERRORS
        if metrics.total(name)
    ]
    bad = [sum(metrics.values[name][minute] or 0 for name, *_ in _ERRORS) for minute in range(_minutes(metrics))]
    good = [max(0.0, (all_of or 0) - wrong) for all_of, wrong in zip(metrics.values["requests"], bad, strict=True)]
    answered = _bars(metrics, good, "Answered", _BLUE, "")
    top = max((value or 0 for value in metrics.values["requests"]), default=0)
    ticks = {"dtick": 1} if 0 < top < 6 else {}
    return _figure(
        metrics,
        [answered, *errors],
        yaxis={"title": {"text": "Requests a minute"}, "range": [0, max(top, 1) * 1.1], **ticks},
        barmode="stack",
        bargap=0,
        showlegend=True,
    )


def requests_alt(metrics: Metrics) -> str:
    """Say what the figure shows."""
    failed = sum(metrics.total(name) for name, *_ in _ERRORS)
    return f"{metrics.total('requests'):,.0f} requests in the last hour, {failed:,.0f} of them errors."


def latency(metrics: Metrics) -> go.Figure:
    """Give the times within which the model answers 50 and 99 of 100 requests, minute by minute.

    Shape: one point a minute, a gap where nothing was asked. Units: milliseconds.
    """
    traces = [
        go.Scatter(
            y=list(metrics.values[name]),
            **_regular(metrics),
            name=f"{title} within",
            mode="lines+markers",
            line={"width": 1.5, "color": colour, "dash": dash},
            marker={"size": 5},
            customdata=[fmt.ms(value) for value in metrics.values[name]],
            hovertemplate="%{customdata}<extra>%{fullData.name}</extra>",
        )
        for name, title, colour, dash in _LATENCIES
    ]
    return _figure(metrics, traces, yaxis={"title": {"text": "Model latency (ms)"}, "rangemode": "tozero"})


def latency_alt(metrics: Metrics) -> str:
    """Say how long answers took when something was last asked."""
    last = metrics.last("model_p99_ms")
    if last is None:
        return "Nothing was asked in the last hour."
    return f"In the last minute with requests the model answered 99 of 100 within {fmt.ms(last)}."


def _bars(metrics: Metrics, values: Sequence[float], name: str, colour: str, pattern: str) -> go.Bar:
    return go.Bar(
        y=list(values),
        **_regular(metrics),
        name=name,
        marker={"color": colour, "pattern": {"shape": pattern}, "line": {"width": 0}},
        hovertemplate="%{y:,}<extra>" + name + "</extra>",
    )


def _regular(metrics: Metrics) -> dict[str, object]:
    """Give the times of a series: a minute after the other, in UTC without saying so, as Plotly wants it."""
    return {"x0": f"{metrics.start:%Y-%m-%d %H:%M:%S}", "dx": PERIOD_S * _MS, "xhoverformat": "%H:%M"}


def _minutes(metrics: Metrics) -> int:
    return len(metrics.values["requests"])


def _figure(metrics: Metrics, traces: Sequence[BaseTraceType], **layout: object) -> go.Figure:
    end_s = metrics.start.timestamp() + PERIOD_S * _minutes(metrics)
    ends = [metrics.start, metrics.start.fromtimestamp(end_s, tz=metrics.start.tzinfo)]
    across = {
        "title": {"text": "Time (UTC)"},
        "type": "date",
        "tickformat": "%H:%M",
        "range": [f"{at:%Y-%m-%d %H:%M:%S}" for at in ends],
    }
    over = {"height": HEIGHT_PX, "hovermode": "x unified", "xaxis": across}
    return go.Figure(list(traces), {**charts.LAYOUT, **over, **layout})
