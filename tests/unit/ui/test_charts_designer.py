"""Figures, words and tables of a designed policy."""

import json
from dataclasses import replace

import numpy as np
import pytest

from fitness import presets, prices
from fitness.simulation.designed import design_for
from fitness.simulation.policies import Kind
from fitness.simulation.rules import Backlog, Fixed, Step, TargetTracking, ToZero
from fitness.study import study
from tests.scaling import STEPS
from ui import charts_designer, policy_words, tables_designer

BOOK = prices.load_book()
MOST_BYTES = 300_000  # of one chart's message


@pytest.fixture(scope="module")
def designed():
    return design_for(study(presets.load("card-fraud"), book=BOOK), "real_time", Kind.TARGET_TRACKING)


def trace(figure, name):
    return next(one for one in figure.data if one.name == name)


def test_the_recommended_policy_and_the_fixed_fleet_are_drawn_where_they_cost(designed):
    figure = charts_designer.trade_offs(designed)
    best, fixed = trace(figure, "Recommended"), trace(figure, "Fixed fleet")
    assert (best.x[0], best.y[0]) == (designed.found.best.usd, designed.found.best.late_ratio)
    assert fixed.x[0] == designed.found.fixed.usd
    assert (
        sum(len(trace(figure, name).x) for name in ("Others", "Best trade-offs")) == len(designed.found.candidates) - 1
    )
    assert [shape.y0 for shape in figure.layout.shapes] == [designed.late_share]


def test_no_late_request_at_all_is_drawn_below_the_smallest_share_and_named(designed):
    figure = charts_designer.trade_offs(designed)
    drawn = [y for one in figure.data for y in one.y]
    floor = min(drawn)
    assert 0 < floor < min(one.late_ratio for one in designed.found.candidates if one.late_ratio > 0)
    assert figure.layout.yaxis.tickvals[0] == floor
    assert figure.layout.yaxis.ticktext[0] == "none"
    assert 10 ** figure.layout.yaxis.range[0] < floor


def test_the_busiest_day_shows_what_is_needed_served_and_billed_by_the_minute(designed):
    needed, billed, ready = charts_designer.followed(designed).data
    assert np.allclose(needed.y, designed.followed.needed, atol=1e-3)
    assert np.allclose(billed.y, designed.followed.paid, atol=1e-3)
    assert np.allclose(ready.y, designed.followed.ready, atol=1e-3)
    assert needed.dx == 60_000


@pytest.mark.parametrize("figure", [charts_designer.trade_offs, charts_designer.followed])
def test_a_figure_is_a_small_message(designed, figure):
    assert len(json.dumps(figure(designed).to_plotly_json(), default=list)) < MOST_BYTES


def test_the_alternative_texts_say_the_takeaway(designed):
    assert f"with {'0.16 %'} late" in charts_designer.trade_offs_alt(designed)
    assert "are in service" in charts_designer.followed_alt(designed)


def test_the_table_holds_the_front_with_the_recommended_marked_and_the_fixed_fleet_last(designed):
    table = tables_designer.trade_offs(designed)
    assert len(table) == len(designed.found.pareto) + 1
    assert sum(text.startswith("★") for text in table["Policy"]) == 1
    assert table["Policy"].iloc[-1].startswith("Fixed fleet")


def said(designed, policy):
    return " ".join(policy_words.sentences(policy, designed))


def test_every_kind_of_policy_is_said_in_words(designed):
    carries = designed.carries_per_minute
    tracking = TargetTracking(target_per_minute=carries / 2, minimum=2, maximum=9, scale_in_cooldown_s=900)
    assert "50 % of the" in said(designed, tracking)
    assert "From 2 to 9 instances." in said(designed, tracking)
    assert "Wait 5 min after scaling out and 15 min after scaling in" in said(designed, tracking)
    assert "a minute in which a request failed" in said(designed, ToZero(target_per_minute=60, maximum=4))
    queue = Backlog(target_per_instance=5, minimum=0, maximum=4)
    assert "start one instance after 2 minutes with a backlog" in said(designed, queue)
    assert "start one" not in said(designed, Backlog(target_per_instance=5, minimum=1, maximum=4))
    assert (
        said(designed, Fixed(instances=3)) == "Keep the same number of instances, whatever comes. Always 3 instances."
    )


def test_steps_are_said_with_the_metric_at_which_they_begin(designed):
    assert "After one minute add 1 above 600 or add 2 above 900." in said(designed, STEPS)
    assert "After 15 minutes in a row remove 1 below 300 or remove 3 below 150." in said(designed, STEPS)
    alike = replace(STEPS, steps_in=(Step(distance=0, change=1), Step(distance=150, change=1)))
    assert "After 15 minutes in a row remove 1 below 300." in said(designed, alike)
