"""Figures of real verdicts: what is drawn, in which units, and how much of it."""

import math

import pytest

from fitness import presets, prices, verdict
from fitness.workload import Workload
from ui import charts

BOOK = prices.load_book()
FRAUD = presets.load("card-fraud")


def verdict_of(workload, draws=64):
    return verdict.recommend(workload, book=BOOK, draws=draws)


@pytest.fixture(scope="module")
def fraud():
    return verdict_of(FRAUD)


def points(figure):
    return [trace for trace in figure.data if "markers" in (trace.mode or "")]


@pytest.mark.parametrize("preset", presets.PRESETS, ids=lambda preset: preset.id)
def test_every_option_with_a_bill_and_a_latency_is_one_point(preset):
    found = verdict_of(presets.load(preset.id))
    drawn = [(x, y) for trace in points(charts.pareto(found)) for x, y in zip(trace.x, trace.y, strict=True)]
    expected = [
        (one.monthly_usd.p50, one.latency_ms.p99 / 1000)
        for one in found.options
        if one.monthly_usd and one.monthly_usd.p50 > 0 and one.latency_ms
    ]
    assert sorted(drawn) == sorted(expected)


def test_the_objectives_are_lines_in_the_units_of_their_axes(fraud):
    figure = charts.pareto(fraud)
    lines = {(line.x0, line.y0) for line in figure.layout.shapes}
    assert lines == {(900, 0), (0, 0.25)}  # 900 dollars, 250 ms
    labels = {note.text: (note.x, note.y) for note in figure.layout.annotations}
    assert labels == {
        "budget $900": (pytest.approx(math.log10(900)), 0),
        "objective 250 ms": (0, pytest.approx(math.log10(0.25))),
    }


def test_without_objectives_there_are_no_lines():
    free = FRAUD.replace({"objectives.monthly_budget_usd": None, "objectives.latency_p99_ms": None})
    assert not charts.pareto(verdict_of(free)).layout.shapes


def test_everything_drawn_lies_inside_the_axes(fraud):
    figure = charts.pareto(fraud)
    (x_low, x_high), (y_low, y_high) = figure.layout.xaxis.range, figure.layout.yaxis.range
    for trace in points(figure):
        for x, y, more, less in zip(trace.x, trace.y, trace.error_x.array, trace.error_x.arrayminus, strict=True):
            assert x_low < math.log10(x - less)
            assert math.log10(x + more) < x_high
            assert y_low < math.log10(y) < y_high
    assert {"$200", "$500"} <= set(figure.layout.xaxis.ticktext)


def test_every_rank_is_named_once(fraud):
    labels = [text for trace in points(charts.pareto(fraud)) for text in trace.text if text]
    ranks = [rank for text in labels for rank in text.split(" ")[0].split(",") + text.split(", ")[1:]]
    numbers = sorted(int(rank) for rank in {rank.strip() for rank in ranks} if rank.isdecimal())
    assert numbers == [1, 2, 3]


def test_the_words_of_the_chart_name_the_best_trade_offs(fraud):
    text = charts.pareto_alt(fraud)
    for identifier in fraud.pareto:
        assert fraud.option(identifier).option.title in text


def test_a_verdict_without_any_feasible_option_is_an_empty_chart():
    nothing = verdict_of(FRAUD.replace({"request.payload_in_mb": 2_000}))
    assert not points(charts.pareto(nothing))
    assert not charts.has_points(nothing)
    assert charts.pareto_alt(nothing) == "No option has both a known bill and a known latency."


def test_two_options_have_five_bars_and_the_score_with_its_range_each(fraud):
    figure = charts.fitness_pair(fraud.option("real_time"), fraud.option("mme"))
    assert [bars.name for bars in figure.data] == ["Real-time endpoint", "Multi-model endpoint (CPU)"]
    real_time = dict(zip(figure.data[0].y, figure.data[0].x, strict=True))
    shown = fraud.option("real_time")
    functions = {name.capitalize(): value for name, value in shown.fitness.as_dict().items()}
    assert real_time == {**functions, "Score": shown.score}
    ranges = figure.data[0].error_x
    assert figure.data[0].y[0] == "Score"
    assert ranges.arrayminus == (shown.score - shown.score_interval.p5,)
    assert ranges.array == (shown.score_interval.p95 - shown.score,)


def test_an_infeasible_option_has_no_bars_and_the_words_say_so(fraud):
    figure = charts.fitness_pair(fraud.option("real_time"), fraud.option("batch"))
    assert set(figure.data[1].x) == {None}
    assert "Batch transform is infeasible" in charts.fitness_pair_alt(fraud.option("real_time"), fraud.option("batch"))


def test_the_range_of_a_score_has_the_colour_of_the_text_in_both_themes(fraud):
    figure = charts.fitness_pair(fraud.option("real_time"), fraud.option("mme"))
    assert {bars.error_x.color for bars in figure.data} == {charts.TEXT}


def test_hours_of_latency_have_ticks_of_a_clock():
    figure = charts.pareto(verdict_of(presets.load("nightly-scoring")))
    assert {"30 min", "1 h", "2 h"} <= set(figure.layout.yaxis.ticktext)


def test_a_figure_is_small_and_the_same_verdict_gives_the_same_figure(fraud):
    first, second = charts.pareto(fraud).to_json(), charts.pareto(fraud).to_json()
    assert first == second
    assert len(first) < 300_000


def test_a_workload_without_traffic_can_be_drawn():
    silent = Workload.from_values({"name": "silent", "traffic.rps_mean": 0, "request.synchronous": True})
    charts.pareto(verdict_of(silent))
