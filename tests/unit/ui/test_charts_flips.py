"""Bands of the best option along a field: where they begin and end, what they are called, and what their tips say."""

import math
from dataclasses import replace

import pytest

from fitness import flips, presets, prices
from fitness.flips import Axis, Flip
from fitness.study import study
from ui import charts_flips, tables, words

RANKS = {option: rank for rank, option in enumerate(("serverless", "real_time", "mme"), start=1)}

# Serverless leads up to 10 requests a second, then real-time; above 1,000 nothing can run.
RATE = Axis(
    field="traffic.rps_mean",
    unit="requests/s",
    value=1.0,
    values=(0.1, 1.0, 20.0, 2000.0),
    best=("serverless", "serverless", "real_time", None),
    scores=(
        {"serverless": 0.8, "real_time": 0.4},
        {"serverless": 0.6, "real_time": 0.5},
        {"serverless": 0.5, "real_time": 0.55},
        {},
    ),
    flips=(
        Flip(field="traffic.rps_mean", at=10.0, before="serverless", after="real_time"),
        Flip(field="traffic.rps_mean", at=1000.0, before="real_time", after=None),
    ),
)
STEADY = Axis(
    field="traffic.idle_ratio",
    unit="ratio",
    value=0.25,
    values=(0.0, 0.25, 1.0),
    best=("serverless",) * 3,
    scores=({"serverless": 0.6},) * 3,
    flips=(),
)


def figure(*axes, assumed=frozenset()):
    return charts_flips.bands(axes, ranks=RANKS, assumed=assumed)


def tips(drawn):
    return [tip for trace in drawn.data for tip in trace.customdata or ()]


def test_the_spans_join_without_gaps_and_name_the_best_of_each():
    found = charts_flips.spans(RATE)
    assert [(one.low, one.high, one.option) for one in found] == [
        (0.1, 10.0, "serverless"),
        (10.0, 1000.0, "real_time"),
        (1000.0, 2000.0, None),
    ]


def test_the_tip_of_a_value_has_both_scores_and_the_lead():
    tip = next(tip for tip in tips(figure(RATE)) if tip.startswith("<b>0.1 requests/s"))
    assert "Serverless endpoint 0.80" in tip
    assert "Real-time endpoint 0.40" in tip
    assert "100 % ahead" in tip


def test_the_tip_of_a_flip_has_its_value_with_the_unit_and_both_scores_behind_it():
    tip = next(tip for tip in tips(figure(RATE)) if "From 10 requests/s on" in tip)
    assert "Real-time endpoint instead of Serverless endpoint" in tip
    assert "Real-time endpoint 0.55" in tip
    assert "Serverless endpoint 0.50" in tip
    assert "10 % ahead" in tip


def test_a_flip_to_nothing_says_so():
    tip = next(tip for tip in tips(figure(RATE)) if "From 1,000 requests/s on" in tip)
    assert "Nothing can run" in tip


def test_an_option_that_can_not_run_behind_a_flip_has_no_score_there():
    alone = replace(RATE, scores=(*RATE.scores[:2], {"real_time": 0.55}, {}))
    found = charts_flips.change(alone, alone.flips[0])
    assert (found.first, found.second, found.second_score) == ("real_time", "serverless", None)
    assert charts_flips.lead_text(found.lead) == "alone"


def test_a_flip_from_nothing_is_scored_against_the_option_that_comes_nearest():
    rising = replace(
        RATE,
        best=(None, "serverless", "serverless", "serverless"),
        scores=({}, {"serverless": 0.6, "real_time": 0.5}, {}, {}),
        flips=(Flip(field=RATE.field, at=0.5, before=None, after="serverless"),),
    )
    found = charts_flips.change(rising, rising.flips[0])
    assert (found.first, found.second, found.second_score) == ("serverless", "real_time", 0.5)


def test_a_change_inside_a_family_is_scored_by_the_member_that_runs():
    axis = Axis(
        field="models.count",
        unit="models",
        value=1.0,
        values=(1.0, 2.0),
        best=("mme_gpu", "real_time"),
        scores=({"mme_gpu": 0.5}, {"real_time": 0.6, "mme": 0.5}),
        flips=(Flip(field="models.count", at=2.0, before="mme_gpu", after="real_time"),),
    )
    found = charts_flips.change(axis, axis.flips[0])
    assert (found.second, found.second_score) == ("mme_gpu", 0.5)


def test_each_field_has_an_axis_of_its_own_logarithmic_but_for_shares():
    drawn = figure(RATE, STEADY)
    assert (drawn.layout.xaxis.type, drawn.layout.xaxis.range) == ("log", (-1, math.log10(2000)))
    assert drawn.layout.xaxis2.type is None
    assert drawn.layout.xaxis2.range == (0, 1)
    assert drawn.layout.yaxis.domain[0] > drawn.layout.yaxis2.domain[1]
    assert "10" in drawn.layout.xaxis.ticktext


def test_the_workload_stands_on_its_band_with_what_it_declares_or_assumes():
    drawn = figure(RATE, STEADY, assumed=frozenset({"traffic.idle_ratio"}))
    marks = [
        trace
        for trace in drawn.data
        if trace.type == "scatter" and "triangle" in str(trace.marker.symbol) and trace.x[0] is not None
    ]
    assert [(trace.x[0], trace.marker.symbol) for trace in marks] == [
        (1.0, "triangle-down"),
        (0.25, "triangle-down-open"),
    ]
    headings = [note.text for note in drawn.layout.annotations]
    assert headings == ["<b>Mean requests</b>: 1 requests/s declared", "<b>Idle hours</b>: 25 % assumed"]
    assert {"Declared", "Assumed"} <= {trace.name for trace in drawn.data}


def test_colour_is_never_the_only_sign():
    drawn = figure(RATE)
    labels = next(trace for trace in drawn.data if trace.mode == "text")
    assert list(labels.text) == ["1 Serverless", "2 Real-time", ""]
    hatched = [trace for trace in drawn.data if trace.type == "scatter" and trace.fillpattern.shape]
    assert [trace.x[0] for trace in hatched] == [1000.0]
    legend = {trace.name for trace in drawn.data if trace.showlegend is not False}
    assert legend == {"1 Serverless endpoint", "2 Real-time endpoint", "Not possible", "Declared"}


def turning(first_at, second_at):
    """Serverless leads, then real-time for a short while, then serverless again."""
    even = {"serverless": 0.5, "real_time": 0.5}
    return Axis(
        field=RATE.field,
        unit=RATE.unit,
        value=1.0,
        values=(0.1, 1.0, first_at, second_at, 2000.0),
        best=("serverless", "serverless", "real_time", "serverless", "serverless"),
        scores=(even,) * 5,
        flips=(
            Flip(field=RATE.field, at=first_at, before="serverless", after="real_time"),
            Flip(field=RATE.field, at=second_at, before="real_time", after="serverless"),
        ),
    )


def test_a_span_without_room_for_a_name_has_its_rank():
    labels = next(trace for trace in figure(turning(1000.0, 1100.0)).data if trace.mode == "text")
    assert list(labels.text) == ["1 Serverless", "2", "1"]


def test_numbers_under_a_band_that_would_cover_each_other_are_left_out():
    assert figure(turning(10.0, 11.0)).layout.xaxis.ticktext == ("0.1", "10", "2,000")


def test_the_words_name_every_flip_with_its_unit():
    said = charts_flips.bands_alt([RATE, STEADY])
    assert "Mean requests: from 10 requests/s on, Real-time endpoint instead of Serverless endpoint" in said
    assert "from 1,000 requests/s on, nothing instead of Real-time endpoint" in said
    assert charts_flips.bands_alt([STEADY]) == "No option becomes the best."


def test_the_nearest_flip_is_the_smallest_factor():
    assert charts_flips.nearest(RATE) == 10
    assert charts_flips.nearest(STEADY) == math.inf


def test_the_table_has_a_row_for_each_flip_and_one_for_a_field_without():
    table = tables.flips([RATE, STEADY], assumed=frozenset({"traffic.idle_ratio"})).map(
        lambda text: text.replace("\\", "")
    )
    assert list(table["Field"]) == ["Mean requests", "Mean requests", "Idle hours"]
    assert list(table["Now"])[1:] == ["1 requests/s (declared)", "25 % (assumed)"]
    assert list(table["From"]) == ["10 requests/s", "1,000 requests/s", "nowhere from 0 % to 100 %"]
    assert list(table["Best then"]) == ["Real-time endpoint", "nothing", "Serverless endpoint"]
    assert list(table["Scores there"]) == ["0.55 against 0.50, 10 % ahead", "", ""]


def test_every_option_has_a_short_title():
    assert words.SHORT.keys() == words.OPTIONS.keys()
    assert max(map(len, words.SHORT.values())) <= 10


@pytest.mark.parametrize("name", ["payroll-chatbot", "customer-models"])
def test_the_flips_of_a_real_workload_are_drawn_where_they_were_found(name):
    work = study(presets.load(name), book=prices.load_book())
    axis = flips.along(work, "request.payload_in_mb")
    ranks = {option: rank for rank, option in enumerate(work.options, start=1)}
    drawn = charts_flips.bands([axis], ranks=ranks, assumed=frozenset())
    strokes = next(trace for trace in drawn.data if trace.type == "scatter" and trace.marker.symbol == "line-ns-open")
    assert list(strokes.x) == [flip.at for flip in axis.flips]
    assert axis.flips
    assert len(drawn.to_json()) < 300_000


def test_a_value_of_a_load_test_is_neither_declared_nor_assumed():
    field = frozenset({RATE.field})
    drawn = charts_flips.bands([RATE], ranks=RANKS, assumed=frozenset(), measured=field)
    assert drawn.layout.annotations[0].text == "<b>Mean requests</b>: 1 requests/s measured"
    table = tables.flips([RATE], assumed=frozenset(), measured=field)
    assert all("measured" in now for now in table["Now"])
