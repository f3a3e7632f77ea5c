"""Figures and tables of the memory of a multi-model endpoint."""

import json

import numpy as np
import pytest

from fitness import presets, prices
from fitness.simulation.moving import moving
from fitness.simulation.sizing import size
from fitness.study import study
from ui import charts_sizing, tables_sizing

MOST_BYTES = 300_000  # of one chart's message


@pytest.fixture(scope="module")
def work():
    return study(presets.load("customer-models"), book=prices.load_book())


@pytest.fixture(scope="module")
def sizing(work):
    return size(work, "mme")


def test_hits_are_drawn_counted_and_approximated_with_a_point_for_each_number_of_instances(sizing):
    counted, che, instances = charts_sizing.hits(sizing).data
    assert np.allclose(counted.y, sizing.curve.hit_ratio)
    assert np.allclose(che.y, sizing.curve.che_ratio)
    assert list(instances.x) == [one.memory_gb for one in sizing.fits]
    assert list(instances.marker.symbol).count("star") == 1
    assert [shape.y0 for shape in charts_sizing.hits(sizing).layout.shapes] == [0.95]


def test_lost_time_is_drawn_in_hours_and_said_in_its_own_unit(sizing):
    (bars,) = charts_sizing.lost(sizing).data
    assert np.allclose(bars.y, [one.lost_s / 3600 for one in sizing.fits])
    assert bars.text[-1] == "none"


@pytest.mark.parametrize("figure", [charts_sizing.hits, charts_sizing.lost])
def test_a_figure_is_a_small_message(sizing, figure):
    assert len(json.dumps(figure(sizing).to_plotly_json(), default=list)) < MOST_BYTES


def test_the_alternative_texts_say_the_takeaway(sizing):
    enough = sizing.enough
    assert f"with {enough.instances} instances and {enough.memory_gb:g} GB" in charts_sizing.hits_alt(sizing)
    assert "Waiting for loads falls from" in charts_sizing.lost_alt(sizing)
    assert "with 1 instance to" in charts_sizing.lost_alt(sizing)


def test_the_table_of_sizes_marks_the_goal_and_every_model(sizing):
    table = tables_sizing.sizes(sizing)
    assert len(table) == len(sizing.fits)
    marked = table[table["Fewest instances"].str.contains("★")]
    assert marked["Memory (GB)"].item() == f"{sizing.enough.memory_gb:g}"
    assert "every model" in table["Fewest instances"].iloc[-1]


def test_the_table_of_leaving_begins_with_nobody_and_ends_a_little_past_the_best(work, sizing):
    table = tables_sizing.splits(moving(work, sizing))
    assert len(table) == tables_sizing.FEW + 1
    assert table["Models that leave"].iloc[0].startswith("0")
