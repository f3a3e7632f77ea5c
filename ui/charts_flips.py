"""The best option along the fields of a workload: pure functions, drawn in the colours of the theme by the page."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import plotly.graph_objects as go

from fitness.fields import BY_PATH, Kind
from fitness.flips import FAMILIES, LEAST_LEAD, MARGIN, Axis, Flip
from ui import charts, words
from ui import format as fmt

NOTHING = "nothing can run, or it contradicts another field"
RATIO = "ratio"  # the unit of what lies between 0 and 1: its axis is linear, the others are logarithmic
ROW_PX = 112  # on a phone the legend takes some 20 of them
_ABOVE_PX, _BELOW_PX = 40, 34  # the legend, and the numbers under the last band
_BAND_PX = 34
_REACH_PX = 40  # from the pointer to the nearest value that was tried
_NAMED_FROM = 0.22  # of the width, what a short title takes on a phone
_APART = 0.09  # of the width, what a number under the band takes on a phone
_DIGITS = 3  # of a flip point, which is known to two per cent
_COLOURS = tuple(f"#{place:06d}" for place in range(1, 8))  # places of the theme's colours
_GREY = "#808A97"  # legible on both surfaces
_HATCH = {"shape": "/", "fgcolor": _GREY, "bgcolor": "rgba(0,0,0,0)", "size": 8}


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """Values of a field between which one option is the best, or one family of options."""

    low: float
    high: float
    option: str | None  # None: nothing can run


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How two options score at one value of a field."""

    first: str
    first_score: float
    second: str
    second_score: float | None  # None: it may not run there

    @property
    def lead(self) -> float | None:
        """How much more the first scores, as a share of the second's."""
        return self.first_score / self.second_score - 1 if self.second_score else None


def spans(axis: Axis) -> tuple[Span, ...]:
    """Give the axis as spans from flip to flip.

    Shape: one more than the axis has flips, rising, without gaps.
    """
    edges = [axis.values[0], *(flip.at for flip in axis.flips), axis.values[-1]]
    best = [axis.best[0], *(flip.after for flip in axis.flips)]
    return tuple(Span(low=edges[at], high=edges[at + 1], option=option) for at, option in enumerate(best))


def standing(axis: Axis, at: int) -> Standing | None:
    """Give the best option at a value of the grid with the one that comes nearest; None where nothing can run."""
    best, scores = axis.best[at], axis.scores[at]
    if best is None:
        return None
    others = {name: score for name, score in scores.items() if name != best}
    second = max(others, key=lambda name: others[name]) if others else ""
    return Standing(first=best, first_score=scores[best], second=second, second_score=others.get(second))


def change(axis: Axis, flip: Flip) -> Standing | None:
    """Give both options of a flip at the first value of the grid behind it; None where nothing can run there.

    Where nothing could run before it, the option that comes nearest stands beside the best.
    """
    behind = next(at for at, value in enumerate(axis.values) if value >= flip.at)
    if flip.after is None or flip.before is None:
        return standing(axis, behind)
    scores = axis.scores[behind]
    family = [score for name, score in scores.items() if _family(name) == _family(flip.before)]
    return Standing(
        first=flip.after,
        first_score=scores[flip.after],
        second=flip.before,
        second_score=scores.get(flip.before, max(family, default=None)),
    )


def nearest(axis: Axis) -> float:
    """Give the factor from the workload's value to the nearest flip; infinite where there is none."""
    return min((max(flip.at / axis.value, axis.value / flip.at) for flip in axis.flips), default=math.inf)


def amount(path: str, value: float) -> str:
    """Give a value of a field as it is shown: three digits, with its unit.

    >>> amount("request.processing_ms", 59_760.0), amount("traffic.idle_ratio", 0.9934), amount("models.count", 1.0)
    ('59,800 ms', '99.34 %', '1 model')
    """
    unit = BY_PATH[path].unit or ""
    if unit == RATIO:
        return fmt.percent(value)
    is_one = value == 1 and BY_PATH[path].kind is Kind.INTEGER
    return fmt.number(_rounded(value), unit.removesuffix("s") if is_one else unit)


def reach(axis: Axis) -> tuple[str, str]:
    """Give the ends of what was followed, as text."""
    return amount(axis.field, axis.values[0]), amount(axis.field, axis.values[-1])


def bands(
    axes: Sequence[Axis],
    *,
    ranks: Mapping[str, int],
    assumed: frozenset[str],
    measured: frozenset[str] = frozenset(),
) -> go.Figure:
    """Give a band for each field, coloured by the option that is the best there, with the workload's own value.

    Shape: a row for each field, each with an axis of its own; numbers in the bands are those of the ranking.
    Units: the field's, logarithmic, linear for shares.
    """
    figure = go.Figure()
    height_px = len(axes) * ROW_PX + _ABOVE_PX + _BELOW_PX
    drawn_px = height_px - _ABOVE_PX - _BELOW_PX
    winners = sorted({span.option for axis in axes for span in spans(axis) if span.option}, key=lambda one: ranks[one])
    colours = {option: _COLOURS[at % len(_COLOURS)] for at, option in enumerate(winners)}
    for row, axis in enumerate(axes):
        place = str(row + 1) if row else ""
        top = 1 - (row * ROW_PX + ROW_PX - _BAND_PX) / drawn_px
        bottom = max(top - _BAND_PX / drawn_px, 0.0)
        figure.update_layout(
            {
                f"xaxis{place}": _scale(axis) | {"anchor": f"y{place}", "showgrid": False, "zeroline": False},
                f"yaxis{place}": {"domain": [bottom, top], "range": [0, 1], "anchor": f"x{place}", "visible": False},
            }
        )
        figure.add_annotation(
            text=_heading(axis, origin(axis.field, assumed, measured)),
            x=0,
            xref="paper",
            xanchor="left",
            y=top,
            yref="paper",
            yanchor="bottom",
            yshift=10,
            showarrow=False,
            font={"color": charts.TEXT},
        )
        for span in spans(axis):
            figure.add_trace(_band(span, colours, place))
        figure.add_trace(_names(axis, ranks, place))
        figure.add_trace(_points(axis, place))
        figure.add_trace(_changes(axis, place))
        figure.add_trace(_own(axis, place, is_assumed=axis.field in assumed))
    _add_legend(figure, axes, colours, ranks, assumed)
    figure.update_layout(dict(charts.LAYOUT), height=height_px, hovermode="closest", hoverdistance=_REACH_PX)
    figure.update_layout(
        margin={"l": 14, "r": 24, "t": _ABOVE_PX, "b": _BELOW_PX},
        legend={"orientation": "h", "y": 1, "yanchor": "bottom", "x": 0, "itemclick": False},
    )
    return figure


def bands_alt(axes: Sequence[Axis]) -> str:
    """Say where the best option changes, for those who don't see it."""
    told = [f"{words.field_title(flip.field)}: {flip_text(flip)}" for axis in axes for flip in axis.flips]
    return f"Where another option becomes the best. {'; '.join(told)}." if told else "No option becomes the best."


def flip_text(flip: Flip) -> str:
    """Give a flip in a few words.

    >>> flip_text(Flip(field="models.count", at=51.0, before="real_time", after="mme"))
    'from 51 models on, Multi-model endpoint (CPU) instead of Real-time endpoint'
    """
    before, after = (words.option_title(one) if one else "nothing" for one in (flip.before, flip.after))
    return f"from {amount(flip.field, flip.at)} on, {after} instead of {before}"


def origin(field: str, assumed: frozenset[str], measured: frozenset[str]) -> str:
    """Say where a value comes from: nobody, a load test, or whoever described the workload."""
    return "assumed" if field in assumed else "measured" if field in measured else "declared"


def _heading(axis: Axis, said: str) -> str:
    return f"<b>{words.field_title(axis.field)}</b>: {amount(axis.field, axis.value)} {said}"


def _band(span: Span, colours: Mapping[str, str], place: str) -> go.Scatter:
    """One span, filled lightly so that its name can be read on it; where nothing can run it is hatched."""
    return go.Scatter(
        x=[span.low, span.high, span.high, span.low, span.low],
        y=[0, 0, 1, 1, 0],
        mode="lines",
        fill="toself",
        line={"width": 1.5, "color": colours[span.option] if span.option else _GREY},
        **({} if span.option else {"fillpattern": _HATCH}),
        xaxis=f"x{place}",
        yaxis=f"y{place}",
        showlegend=False,
        hoverinfo="skip",
    )


def _names(axis: Axis, ranks: Mapping[str, int], place: str) -> go.Scatter:
    """The rank of each span's option in its middle, and its short title where there is room."""
    texts, middles = [], []
    for span in spans(axis):
        named = _share(axis, span.high) - _share(axis, span.low) >= _NAMED_FROM
        rank = str(ranks[span.option]) if span.option else ""
        texts.append(f"{rank} {words.SHORT[span.option]}" if span.option and named else rank)
        middles.append(_middle(axis, span))
    return go.Scatter(
        x=middles,
        y=[0.5] * len(middles),
        text=texts,
        mode="text",
        textfont={"color": charts.TEXT},
        xaxis=f"x{place}",
        yaxis=f"y{place}",
        showlegend=False,
        hoverinfo="skip",
    )


def _points(axis: Axis, place: str) -> go.Scatter:
    """The values that were tried, which are seen only when they are pointed at."""
    texts = [
        f"<b>{amount(axis.field, value)}</b><br>{_standing_text(standing(axis, at))}"
        for at, value in enumerate(axis.values)
    ]
    return _marks(axis.values, 0.5, texts, place, {"size": 6, "color": _GREY, "opacity": 0})


def _changes(axis: Axis, place: str) -> go.Scatter:
    """The flips, as strokes across the band."""
    texts = [f"<b>{fmt.sentence(flip_text(flip))}</b><br>{_standing_text(change(axis, flip))}" for flip in axis.flips]
    stroke = {"symbol": "line-ns-open", "size": _BAND_PX - 4, "line": {"width": 3}, "color": _GREY}
    return _marks([flip.at for flip in axis.flips], 0.5, texts, place, stroke)


def _own(axis: Axis, place: str, *, is_assumed: bool) -> go.Scatter:
    """Where the workload is."""
    at = axis.values.index(axis.value) if axis.value in axis.values else None
    text = f"<b>{amount(axis.field, axis.value)}</b><br>{_standing_text(None if at is None else standing(axis, at))}"
    return _marks([axis.value], 1.0, [text], place, _own_mark(is_assumed=is_assumed))


def _own_mark(*, is_assumed: bool) -> dict[str, object]:
    symbol = "triangle-down-open" if is_assumed else "triangle-down"
    return {"symbol": symbol, "size": 13, "color": _GREY, "line": {"width": 2, "color": _GREY}}


def _marks(
    values: Sequence[float], height: float, texts: Sequence[str], place: str, marker: dict[str, object]
) -> go.Scatter:
    return go.Scatter(
        x=list(values),
        y=[height] * len(values),
        mode="markers",
        marker=marker,
        customdata=list(texts),
        hovertemplate="%{customdata}<extra></extra>",
        cliponaxis=False,
        xaxis=f"x{place}",
        yaxis=f"y{place}",
        showlegend=False,
    )


def _add_legend(
    figure: go.Figure,
    axes: Sequence[Axis],
    colours: Mapping[str, str],
    ranks: Mapping[str, int],
    assumed: frozenset[str],
) -> None:
    """Name the colours by rank and title, and the marks."""
    square = {"symbol": "square", "size": 12}
    rows: list[tuple[str, dict[str, object]]] = [
        (f"{ranks[option]} {words.option_title(option)}", square | {"color": colour})
        for option, colour in colours.items()
    ]
    kinds = {axis.field in assumed for axis in axes}
    if any(span.option is None for axis in axes for span in spans(axis)):
        # A marker can't be hatched, a bar can; one without a value only has its place in the legend.
        figure.add_trace(go.Bar(x=[None], y=[None], name="Not possible", marker={"pattern": _HATCH, "color": _GREY}))
    rows += [("Declared" if not one else "Assumed", _own_mark(is_assumed=one)) for one in sorted(kinds)]
    for name, marker in rows:
        figure.add_trace(go.Scatter(x=[None], y=[None], mode="markers", name=name, marker=marker))


def _standing_text(found: Standing | None) -> str:
    if found is None:
        return fmt.sentence(NOTHING)
    first = f"{words.option_title(found.first)} {fmt.score(found.first_score)}"
    if found.second_score is None:
        second = words.option_title(found.second) if found.second else "Anything else"
        return f"{first}<br>{second} can't run"
    second = f"{words.option_title(found.second)} {fmt.score(found.second_score)}"
    return f"{first}<br>{second}<br>{lead_text(found.lead)}"


def lead_text(lead: float | None) -> str:
    """Give by how much an option is ahead.

    >>> lead_text(0.043), lead_text(-0.005), lead_text(0.0)
    ('4 % ahead', '0.5 % behind, less than the 2 % that count', 'level')
    >>> lead_text(-0.4)
    '40 % behind, less than the 0.005 of a score that count'
    """
    if lead is None:
        return "alone"
    if lead == 0:
        return "level"
    if lead > 0:
        return f"{fmt.percent(lead)} ahead"
    counts = fmt.percent(MARGIN - 1) if -lead <= MARGIN - 1 else f"{LEAST_LEAD:g} of a score"
    return f"{fmt.percent(-lead)} behind, less than the {counts} that count"


def _scale(axis: Axis) -> dict[str, object]:
    """Give the axis its ends, and numbers at the flips, then at the ends where there is room for them."""
    ends = axis.values[0], axis.values[-1]
    chosen: list[float] = []
    for value in (*(flip.at for flip in axis.flips), *ends):
        if all(abs(_share(axis, value) - _share(axis, other)) >= _APART for other in chosen):
            chosen.append(value)
    shown = sorted(chosen)
    if _is_share(axis):
        return {"range": list(ends), "tickvals": shown, "ticktext": [fmt.percent(value) for value in shown]}
    return {
        "type": "log",
        "range": [math.log10(end) for end in ends],
        "tickvals": shown,
        "ticktext": [fmt.number(_rounded(value)) for value in shown],
    }


def _share(axis: Axis, value: float) -> float:
    """Where a value stands along the axis, 0..1."""
    low, high = axis.values[0], axis.values[-1]
    if _is_share(axis):
        return (value - low) / (high - low)
    return math.log(value / low) / math.log(high / low)


def _middle(axis: Axis, span: Span) -> float:
    return (span.low + span.high) / 2 if _is_share(axis) else math.sqrt(span.low * span.high)


def _is_share(axis: Axis) -> bool:
    return BY_PATH[axis.field].unit == RATIO


def _family(option: str) -> str:
    return FAMILIES.get(option, option)


def _rounded(value: float) -> float:
    return float(f"{value:.{_DIGITS}g}")
