"""The Simulate page: a day of any option, what a person can change about it, and what it rests on."""

import re
import time

import pytest

from fitness import presets
from fitness.workload import Workload
from tests.pages.conftest import address, drawn, texts
from ui import data, scene

SIMULATE = "pages/architects/simulate.py"
FRAUD = presets.load("card-fraud")
NIGHTLY = presets.load("nightly-scoring")
CUSTOMERS = presets.load("customer-models")
VAGUE = Workload.from_values({"name": "vague", "request.synchronous": True})


def charts(at):
    return at.get("plotly_chart")


def figures(at):
    return at.table[-1].value.set_index("Of the month")


def test_without_a_scenario_the_page_says_where_to_begin(app):
    at = app(SIMULATE)
    assert "Start from a workload that you know" in at.info[0].value
    assert not charts(at)


def test_the_best_option_is_played_first(app):
    at = app(SIMULATE, FRAUD)
    best = data.first_verdict_of(FRAUD).best.option
    assert at.selectbox(key="option").value == best.id
    assert at.subheader[0].value.replace("\\", "") == best.title
    assert len(charts(at)) >= 3
    assert address(at) == FRAUD


def test_it_says_that_it_is_simulated_with_which_seed_and_how_much(app):
    at = app(SIMULATE, FRAUD)
    course = data.day_of(FRAUD, at.selectbox(key="option").value, {}, surge_factor=1.0, surge_hour=0)
    said = texts(at)
    assert f"simulated, seed {course.seed}" in said
    assert f"{course.requests:,} requests of the busiest day" in said


def test_the_figures_stand_beside_those_of_the_formulas(app):
    at = app(SIMULATE, FRAUD)
    option = at.selectbox(key="option").value
    table = figures(at)
    listed = data.first_verdict_of(FRAUD).option(option)
    assert list(table.columns) == ["Simulated", "By the formulas"]
    assert table.loc["A month", "By the formulas"].replace("\\", "") == f"${listed.monthly_usd.p50:,.0f}"
    assert " to " in table.loc["99 % within", "Simulated"]


def test_two_options_stand_side_by_side_on_the_same_requests(app):
    at = app(SIMULATE, FRAUD, option="Real-time endpoint", beside="Serverless endpoint")
    assert len(figures(at).columns) == 4
    first, second = (
        data.day_of(FRAUD, option, {}, surge_factor=1.0, surge_hour=0) for option in ("real_time", "serverless")
    )
    assert list(first.arrivals) == list(second.arrivals)


def test_a_surge_changes_the_day_and_a_link_has_it(app):
    at = app(SIMULATE, FRAUD, option="Real-time endpoint")
    calm = charts(at)[0].proto.spec
    at.slider(key="surge").set_value(5.0)
    at = drawn(at.run())
    assert charts(at)[0].proto.spec != calm
    assert not at.slider(key="hour").disabled
    linked = app(SIMULATE, FRAUD, option="Real-time endpoint", surge="5.0")
    assert charts(linked)[0].proto.spec == charts(at)[0].proto.spec


def test_a_fixed_setting_changes_the_configuration_that_is_played(app):
    at = app(SIMULATE, FRAUD, option="Real-time endpoint")
    before = figures(at).loc["Instance hours", "Simulated"]
    at.number_input(key="min_instances").set_value(4)
    at = drawn(at.run())
    assert figures(at).loc["Instance hours", "Simulated"] != before
    assert "1 setting fixed" in texts(at)


def test_settings_that_exclude_each_other_are_explained(app):
    at = app(SIMULATE, FRAUD, option="Real-time endpoint", min_instances="9", max_instances="2")
    assert "min\\_instances" in at.error[0].value
    assert not charts(at)


def test_an_infeasible_option_says_why_and_is_played_or_says_why_not(app):
    at = app(SIMULATE, FRAUD, option="Batch transform")
    assert "Infeasible" in texts(at)
    assert charts(at) or at.error


def test_many_endpoints_are_said_to_be_played_by_the_most_requested(app):
    at = app(SIMULATE, CUSTOMERS, option="Real-time endpoint")
    assert "The most requested of 1,000 endpoints is played" in texts(at).replace("\\", "")


def test_a_batch_job_is_drawn_from_its_start_to_its_end(app):
    at = app(SIMULATE, NIGHTLY, option="Batch transform")
    assert "A job has one answer: its end" in texts(at)


@pytest.mark.parametrize("preset", presets.PRESETS, ids=lambda preset: preset.id)
def test_every_preset_is_played(app, preset):
    at = app(SIMULATE, presets.load(preset.id))
    assert charts(at) or at.error


def test_what_nobody_declared_is_played_by_its_middle(app):
    at = app(SIMULATE, VAGUE)
    assert "Not declared, so the middle of its distribution was played" in texts(at)


def test_an_unknown_option_in_the_address_is_ignored(app):
    at = app(SIMULATE, FRAUD, option="nonsense", beside="nonsense", surge="nonsense", min_instances="x")
    assert charts(at)


def wait_for_the_run(at):
    """Run the page again until the long run has ended."""
    end_s = time.monotonic() + 60
    while any(button.key == "sim_stop" for button in at.button):
        assert time.monotonic() < end_s
        at = drawn(at.run())
    return at


def test_many_requests_are_played_in_the_background_and_then_replace_the_figures(app):
    at = app(SIMULATE, FRAUD, option="Real-time endpoint", requests="1 million")
    at = wait_for_the_run(at)
    (bar,) = at.get("progress")
    assert bar.proto.text == "1 million requests of the month were played."
    played = re.search(r"and ([\d,]+) requests of the month", texts(at))[1]
    assert int(played.replace(",", "")) > 900_000


def test_few_requests_are_played_at_once(app):
    at = app(SIMULATE, FRAUD, option="Real-time endpoint", requests="20,000")
    assert at.selectbox(key=scene.REQUESTS).value == 20_000
    assert not at.get("progress")
    played = re.search(r"and ([\d,]+) requests of the month", texts(at))[1]
    assert int(played.replace(",", "")) < 40_000


def test_it_says_that_it_is_simulated(app):
    at = app(SIMULATE, FRAUD)
    assert "Simulated" in texts(at)
    assert "simulating" not in texts(at)


def test_more_traffic_is_part_of_the_scenario_and_keeps_the_option(app):
    at = app(SIMULATE, FRAUD, option="Real-time endpoint")
    at.get_by_key("sim_traffic_rps_mean").set_value(80.0)
    at = drawn(at.run())
    assert address(at).traffic.rps_mean == 80
    assert at.selectbox(key="option").value == "real_time"


def test_unknown_traffic_has_a_link_to_the_question(app):
    assert "Mean requests/s: unknown" in texts(app(SIMULATE, VAGUE))
