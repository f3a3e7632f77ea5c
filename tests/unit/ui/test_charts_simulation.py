"""Figures and tables of a played day: what is drawn, in which units, and how much of it."""

import json
from dataclasses import replace

import numpy as np
import pytest

from fitness import presets, prices
from fitness.simulation.day import play_day
from fitness.simulation.play import simulate
from fitness.study import study
from ui import charts, charts_simulation, tables_simulation

BOOK = prices.load_book()
FRAUD = study(presets.load("card-fraud"), book=BOOK)
WHOLE_S = (0.0, 86_400.0)
MOST_BYTES = 300_000  # of one chart's message


@pytest.fixture(scope="module")
def surge():
    return play_day(FRAUD, "real_time", surge_factor=8, surge_hour=10)


@pytest.fixture(scope="module")
def serverless():
    return play_day(FRAUD, "serverless")


def drawn(course):
    lines = list(charts.latency_lines(FRAUD.workload))
    return {
        "traffic": charts_simulation.traffic(course, window_s=WHOLE_S, most_rps=500, most_instances=9),
        "latency": charts_simulation.latency(course, window_s=WHOLE_S, range_ms=(10, 60_000), lines=lines),
        "trouble": charts_simulation.trouble(course, window_s=WHOLE_S, most=500, without="none"),
        "money": charts_simulation.money(course, window_s=WHOLE_S, most_usd=9),
    }


def test_arrivals_are_drawn_a_second_and_instances_on_their_own_axis(surge):
    arrivals, billed, ready = drawn(surge)["traffic"].data
    assert np.allclose(arrivals.y, surge.arrivals / 60)
    assert (arrivals.x0, arrivals.dx) == ("2000-01-01 00:00:00", 60_000)
    assert list(ready.y) == list(surge.ready)
    assert list(billed.y) == list(surge.paid)
    assert billed.yaxis == ready.yaxis == "y2"


def test_without_instances_the_requests_inside_are_drawn(serverless):
    assert [trace.name for trace in drawn(serverless)["traffic"].data] == ["Arrivals", "Waiting or at work"]


def test_latencies_are_drawn_in_seconds_with_the_objective_as_a_line(surge):
    figure = drawn(surge)["latency"]
    assert np.allclose(figure.data[2].y, surge.latency_ms[2] / 1000, equal_nan=True)
    assert [shape.y0 for shape in figure.layout.shapes] == [0.25]


def test_only_the_trouble_that_happened_is_drawn(surge, serverless):
    assert [trace.name for trace in drawn(surge)["trouble"].data] == ["Timed out"]
    assert [trace.name for trace in drawn(serverless)["trouble"].data] == ["Cold start"]


@pytest.mark.parametrize("name", ["traffic", "latency", "trouble", "money"])
def test_a_figure_is_small_and_no_series_is_long(surge, name):
    figure = drawn(surge)[name]
    assert all(len(trace.y) <= 2_000 for trace in figure.data)
    assert len(json.dumps(figure.to_plotly_json(), default=lambda array: array.tolist())) < MOST_BYTES


def test_those_who_do_not_see_a_figure_are_told_what_it_shows(surge, serverless):
    assert "1 to 5 instances are ready" in charts_simulation.traffic_alt(surge)
    assert "inside at once" in charts_simulation.traffic_alt(serverless)
    assert f"Timed out: {surge.timed_out.sum():,.0f}" in charts_simulation.trouble_alt(surge)
    assert charts_simulation.money_alt(surge).startswith("The day costs $")
    assert "99 of 100 answers arrive within" in charts_simulation.latency_alt(surge)


def test_a_day_without_trouble_says_so_in_its_place(serverless):
    calm = replace(serverless, cold=np.zeros_like(serverless.cold))
    (note,) = drawn(calm)["trouble"].layout.annotations
    assert note.text == "none"
    assert not drawn(calm)["trouble"].data
    assert not drawn(serverless)["trouble"].layout.annotations


def sides(*options, **changes):
    played = [(name, FRAUD.configured(name), simulate(FRAUD, name, requests=5_000)) for name in options]
    return [(name, FRAUD, proposed, changes.get("month", month)) for name, proposed, month in played]


def test_the_table_has_two_columns_for_each_side():
    table = tables_simulation.figures(sides("real_time", "serverless")).set_index("Of the month")
    assert len(table.columns) == 4
    assert list(table.loc["Instance hours"])[2:] == ["none", "none"]
    assert len(tables_simulation.figures(sides("real_time")).columns) == 3


def test_what_is_still_played_has_the_same_rows_and_says_so():
    before = tables_simulation.figures(sides("real_time", month=None))
    after = tables_simulation.figures(sides("real_time"))
    assert list(before["Of the month"]) == list(after["Of the month"])
    assert set(before["Simulated"]) == {tables_simulation.SIMULATING}
    assert list(before["By the formulas"]) == list(after["By the formulas"])
