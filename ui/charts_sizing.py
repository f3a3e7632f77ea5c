"""Figures of the memory of a multi-model endpoint: hits against memory, and what callers wait for loads."""

import plotly.graph_objects as go

from fitness.simulation.sizing import Fit, Sizing
from ui import charts
from ui import format as fmt

HEIGHT_PX = 360
_BLUE, _ORANGE, _, _, _, _GREY = (f"#{place:06d}" for place in range(1, 7))  # places of the theme's colours
_LINE = {"width": 1.5, "dash": "dash", "color": "#808A97"}
_SHARES = (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)
_S_PER_HOUR = 3600


def hits(sizing: Sizing) -> go.Figure:
    """Give the share of requests that find their model, against the memory for models.

    Shape: a line for one memory, counted, one by Che's approximation, a point for each number of instances.
    Units: GB, and shares from 0 to 1.
    """
    curve = sizing.curve
    figure = go.Figure()
    figure.add_trace(
        go.Scatter(
            x=curve.memory_gb,
            y=curve.hit_ratio,
            mode="lines",
            name="One memory, counted",
            line={"width": 2, "color": _BLUE},
            customdata=curve.models,
            hovertemplate="%{x:.3~g} GB, %{customdata:,.0f} models: %{y:.1%}<extra></extra>",
        )
    )
    figure.add_trace(
        go.Scatter(
            x=curve.memory_gb,
            y=curve.che_ratio,
            mode="lines",
            name="Che's approximation",
            line={"width": 2, "color": _GREY, "dash": "dot"},
            hovertemplate="%{y:.1%}<extra>Che</extra>",
        )
    )
    figure.add_trace(
        go.Scatter(
            x=[one.memory_gb for one in sizing.fits],
            y=[one.hit_ratio for one in sizing.fits],
            mode="markers+text",
            name="Instances, homes at random",
            text=[f"{one.instances:,}" for one in sizing.fits],
            # Never between a point and the line of the goal, which would strike the number through.
            textposition=[
                "top center" if one.hit_ratio >= sizing.goal_ratio else "bottom right" for one in sizing.fits
            ],
            cliponaxis=False,
            marker={
                "symbol": ["star" if one == sizing.enough else "circle-open" for one in sizing.fits],
                "size": [15 if one == sizing.enough else 10 for one in sizing.fits],
                "color": _ORANGE,
                "line": {"width": 2},
            },
            hovertemplate="<b>%{text} instances</b><br>%{x:.4~g} GB: %{y:.2%}<extra></extra>",
        )
    )
    figure.add_shape(type="line", x0=0, x1=1, xref="paper", y0=sizing.goal_ratio, y1=sizing.goal_ratio, line=_LINE)
    figure.add_annotation(
        x=0,
        xref="paper",
        y=sizing.goal_ratio,
        text=f"goal {fmt.percent(sizing.goal_ratio)}",
        showarrow=False,
        xanchor="left",
        yanchor="top",  # above it are the figure's edge and, at the left, the curve is far below
    )
    most = max(float(curve.memory_gb[-1]), sizing.whole.memory_gb)
    figure.update_layout(dict(charts.LAYOUT), height=HEIGHT_PX)
    figure.update_xaxes(title="Memory for models (GB)", range=[0, most * 1.06], nticks=7)
    figure.update_yaxes(
        title="Requests that find their model", range=[0, 1.1], tickvals=_SHARES, ticktext=[*map(fmt.percent, _SHARES)]
    )
    return figure


def hits_alt(sizing: Sizing) -> str:
    """Say what the figure shows, for those who don't see it."""
    enough = sizing.enough
    return (
        f"Hits rise with memory: {fmt.percent(sizing.fits[0].hit_ratio)} with {_instances(sizing.fits[0])}, "
        f"{fmt.percent(enough.hit_ratio)} with {_instances(enough)} and {fmt.number(enough.memory_gb, 'GB')}."
    )


def lost(sizing: Sizing) -> go.Figure:
    """Give the time that callers wait for loads in a month, by the fewest instances.

    Shape: a bar for each number of instances. Units: hours of callers, logarithmic where some bars would vanish.
    """
    names = [f"{one.instances:,}" for one in sizing.fits]
    figure = go.Figure()
    figure.add_trace(
        go.Bar(
            x=names,
            y=[one.lost_s / _S_PER_HOUR for one in sizing.fits],
            text=[fmt.ms(one.lost_s * 1_000) if one.lost_s else "none" for one in sizing.fits],
            textposition="outside",
            cliponaxis=False,
            marker={
                "color": _BLUE,
                "pattern": {"shape": ["" if one == sizing.enough else "/" for one in sizing.fits]},
            },
            customdata=[[fmt.number(one.lost_s), fmt.percent(one.hit_ratio)] for one in sizing.fits],
            hovertemplate="<b>%{x} instances</b><br>%{customdata[0]} s waited, %{customdata[1]} hits<extra></extra>",
        )
    )
    top = max(one.lost_s for one in sizing.fits) / _S_PER_HOUR
    figure.update_layout(dict(charts.LAYOUT), height=HEIGHT_PX, showlegend=False)
    figure.update_xaxes(type="category", title="Fewest instances")
    figure.update_yaxes(title="Hours that callers wait, a month", range=[0, top * 1.15 or 1.0], nticks=6)
    return figure


def lost_alt(sizing: Sizing) -> str:
    """Say how the waiting falls."""
    first, enough = sizing.fits[0], sizing.enough
    return (
        f"Waiting for loads falls from {fmt.ms(first.lost_s * 1_000)} a month with {_instances(first)} "
        f"to {fmt.ms(enough.lost_s * 1_000)} with {_instances(enough)}."
    )


def _instances(fit: Fit) -> str:
    return f"{fit.instances:,} {'instance' if fit.instances == 1 else 'instances'}"
