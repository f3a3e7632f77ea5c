"""The Simulate page: a day of any option, what a person can change about it, and what it rests on."""

import re
import time

import pytest

from fitness import presets
from fitness.options import OPTIONS
from fitness.outcome import configuration
from fitness.simulation.designed import KINDS
from fitness.workload import Workload
from tests.pages.conftest import address, drawn, texts
from ui import data, scene, words
from ui import format as fmt

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
    assert "Most instances: must be >= min_instances = 9, got 2" in at.error[0].value.replace("\\", "")
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


def simulated(at, row):
    return [figures(at).loc[row, name] for name in figures(at).columns if "imulated" in name]


def test_batching_of_triton_is_fixed_on_one_of_two_sides_on_the_same_requests(app):
    title = words.option_title("triton_ensemble")
    at = app(SIMULATE, FRAUD, option=title, beside=title, max_batch_size_2="16", max_queue_delay_ms_2="40")
    assert "2 settings fixed" in texts(at)
    fast, batched = simulated(at, "50 % within")
    assert fast != batched
    first, second = (
        data.day_of(FRAUD, "triton_ensemble", config, surge_factor=1.0, surge_hour=0)
        for config in ({}, {"max_batch_size": 16, "max_queue_delay_ms": 40.0})
    )
    assert list(first.arrivals) == list(second.arrivals)


def test_steps_and_a_schedule_are_played_and_a_link_has_them(app):
    typed = {"steps_out": "600: 1, 900: 3", "steps_in": "300: 1", "out_points": "1", "schedule": "daily 07:30 2-4"}
    at = app(SIMULATE, FRAUD, option="Real-time endpoint", scale_out_cooldown_s="60", **typed)
    assert at.text_input(key="steps_out").value == typed["steps_out"]
    policy = {
        "step": {
            "metric": "InvocationsPerInstance",
            "out_above": 600.0,
            "steps_out": [{"distance": 0.0, "change": 1}, {"distance": 300.0, "change": 3}],
            "in_below": 300.0,
            "steps_in": [{"distance": 0.0, "change": 1}],
            "out_points": 1,
            "in_points": 15,
        },
        "schedule": [{"at": "daily 07:30", "min_instances": 2, "max_instances": 4}],
    }
    config = {"scale_out_cooldown_s": 60, "policy": policy}
    played = data.simulation_of(FRAUD, "real_time", config)
    assert simulated(at, "Instance hours") == [fmt.number(float(played.outcome.instance_hours[0]))]


def test_a_policy_that_can_not_be_read_is_named_and_the_other_side_is_played(app):
    at = app(SIMULATE, FRAUD, option="Real-time endpoint", beside="Serverless endpoint", schedule="at noon")
    assert at.error[0].proto.title == "This can't be played"
    assert "Schedule (UTC): must be as weekdays 07:30 4-8" in at.error[0].value.replace("\\", "")
    assert len(charts(at)) == 4


def test_a_policy_that_the_option_can_not_have_is_refused_with_the_reason(app):
    at = app(SIMULATE, FRAUD, option="Real-time endpoint", schedule="daily 07:30 0-4")
    assert "a minimum of 0 takes a queue" in at.error[0].value.replace("\\", "")


@pytest.mark.parametrize("option", ["async", "real_time", "mme", "triton_ensemble"])
def test_what_scales_has_cooldowns_steps_and_a_schedule(app, option):
    at = app(SIMULATE, FRAUD, option=words.option_title(option))
    assert {"scale_out_cooldown_s", "scale_in_cooldown_s", "out_points"} <= {one.key for one in at.number_input}
    assert {"steps_out", "steps_in", "schedule"} <= {one.key for one in at.text_input}


@pytest.mark.parametrize("option", ["serverless", "azure_functions", "batch"])
def test_what_does_not_scale_by_a_policy_asks_for_none(app, option):
    at = app(SIMULATE, FRAUD, option=words.option_title(option))
    assert not at.text_input


@pytest.mark.parametrize("option", OPTIONS)
def test_every_setting_has_a_tooltip_and_says_what_is_proposed(app, option):
    at = app(SIMULATE, FRAUD, option=words.option_title(option))
    asked = (
        [*at.number_input, *at.text_input, at.selectbox(key="instance_type")] if option in KINDS else at.number_input
    )
    for widget in asked:
        assert widget.proto.help, widget.label
        assert "proposed" in widget.proto.placeholder, widget.label


def test_what_is_proposed_is_what_is_played(app):
    at = app(SIMULATE, FRAUD, option="Real-time endpoint")
    work = data.settled_of(FRAUD, "real_time", {})
    settings = configuration(work.configured("real_time").outcome)
    for name in ("min_instances", "max_instances"):
        assert at.number_input(key=name).proto.placeholder == f"{settings[name]} (proposed)"
    assert at.selectbox(key="instance_type").proto.placeholder == f"{settings['instance_type']} (proposed)"
