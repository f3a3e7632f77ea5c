"""The Describe page: every way to say something about a workload, and to take it back."""

import io

import pandas as pd
import pytest

from fitness import presets, workload_file
from fitness.workload import Workload
from tests.pages.conftest import COMPARE, address, drawn, texts
from ui import form, scenario, state

FRAUD = presets.load("card-fraud")
SMALL = Workload.from_values({"name": "small", "traffic.rps_mean": 12, "traffic.rps_peak": 80})


def set_number(at, key, value):
    at.number_input(key=key).set_value(value)
    return drawn(at.run())


def choose(at, key, value):
    at.get_by_key(key).set_value(value)
    return drawn(at.run())


def test_an_empty_page_shows_every_preset_and_no_answer(app):
    at = app()
    assert {f"dsc_preset_{preset.id}" for preset in presets.PRESETS} <= {button.key for button in at.button}
    assert "Nothing is described yet" in texts(at)
    assert address(at) is None


def test_a_preset_fills_the_form_the_address_and_the_answer(app):
    at = app()
    at.button(key="dsc_preset_card-fraud").click()
    drawn(at.run())
    assert address(at) == FRAUD
    assert at.number_input(key="dsc_q_rate").value == FRAUD.traffic.rps_mean
    assert at.number_input(key="dsc_q_request_processing_ms").value == FRAUD.request.processing_ms
    assert "Best so far, by the formulas: **Real\\-time endpoint**" in texts(at)
    assert "dsc_preset_card-fraud" not in {button.key for button in at.button}  # the gallery has closed


@pytest.mark.parametrize("preset", presets.PRESETS, ids=lambda preset: preset.id)
def test_a_link_opens_exactly_the_scenario_it_was_made_from(app, preset):
    workload = presets.load(preset.id)
    at = app(workload=workload)
    assert address(at) == workload
    assert "Best so far" in texts(at)


def test_a_new_number_changes_only_its_field(app):
    at = set_number(app(workload=FRAUD), "dsc_q_objectives_latency_p99_ms", 180.0)
    assert address(at) == FRAUD.replace({"objectives.latency_p99_ms": 180})


def test_an_emptied_number_is_unknown_again(app):
    at = set_number(app(workload=FRAUD), "dsc_q_objectives_latency_p99_ms", None)
    assert address(at) == FRAUD.replace({"objectives.latency_p99_ms": None})


def test_one_field_shown_twice_keeps_one_value(app):
    at = app(workload=FRAUD, details="Objectives")
    at = set_number(at, "dsc_d_objectives_latency_p99_ms", 150.0)
    assert at.number_input(key="dsc_q_objectives_latency_p99_ms").value == 150


@pytest.mark.parametrize(("word", "value"), [("Yes", True), ("No", False), ("Unknown", None)])
def test_a_flag_is_yes_no_or_unknown(app, word, value):
    at = choose(app(workload=FRAUD, details="Constraints"), "dsc_d_constraints_network_isolation", word)
    assert address(at) == FRAUD.replace({"constraints.network_isolation": value})


def test_wrong_values_are_all_shown_and_the_link_keeps_the_last_right_scenario(app):
    at = app(workload=SMALL, details="Traffic")
    at = set_number(at, "dsc_d_traffic_rps_peak", 3.0)
    at = set_number(at, "dsc_d_traffic_idle_ratio", 7.0)
    summary = at.error[0].value
    assert "Peak requests" in summary
    assert "`$.traffic.rps_peak`" in summary
    assert "`$.traffic.idle_ratio`" in summary
    beside = [text.value for text in at.markdown if ":red[:material/error:" in text.value]
    assert any("Must be >= traffic.rps\\_mean" in text.replace("\\>", ">").replace("\\=", "=") for text in beside), (
        beside
    )
    assert "2 values to put right" in texts(at)
    assert address(at) == SMALL
    at = set_number(set_number(at, "dsc_d_traffic_rps_peak", 90.0), "dsc_d_traffic_idle_ratio", None)
    assert not at.error
    assert address(at) == SMALL.replace({"traffic.rps_peak": 90})


def test_a_rate_is_declared_in_the_unit_of_time_that_a_person_thinks_in(app):
    at = set_number(app(), "dsc_q_rate", 500.0)
    assert address(at).traffic.rps_mean == 500
    unit = next(box for box in at.selectbox if box.label == "per")
    unit.select("day")
    at = drawn(at.run())
    assert address(at).traffic.rps_mean == pytest.approx(500 / 86_400)
    assert at.number_input(key="dsc_q_rate").value == 500


def test_scheduled_jobs_replace_the_questions_about_traffic(app):
    at = choose(app(), "dsc_q_mode", "In scheduled jobs")
    at = set_number(at, "dsc_q_traffic_jobs_per_month", 30.0)
    at = set_number(at, "dsc_q_traffic_records_per_job", 5_000_000)
    assert address(at).traffic.pattern == "scheduled"
    assert address(at).traffic.records_per_job == 5_000_000
    assert "dsc_q_rate" not in {number.key for number in at.number_input}
    at = choose(at, "dsc_q_mode", "On request")
    assert address(at).traffic.pattern is None


def test_several_models_bring_the_questions_that_only_they_have(app):
    at = app()
    with pytest.raises(KeyError):
        at.get_by_key("dsc_q_composition")
    at = choose(set_number(at, "dsc_q_models_count", 1000), "dsc_q_composition", "independent")
    assert (address(at).models.count, address(at).composition) == (1000, "independent")


def test_a_first_answer_gives_the_workload_a_name(app):
    assert address(set_number(app(), "dsc_q_models_count", 3)).name == state.DEFAULT_NAME


def test_start_again_can_be_undone(app):
    at = app(workload=FRAUD)
    at.button(key="dsc_reset").click()
    at = drawn(at.run())
    assert address(at) is None
    assert at.number_input(key="dsc_q_rate").value is None
    at.button(key="dsc_undo").click()
    at = drawn(at.run())
    assert address(at) == FRAUD
    assert at.number_input(key="dsc_q_rate").value == FRAUD.traffic.rps_mean


@pytest.mark.parametrize("link", ["", "!", "AAAA", "eNqr", "x" * 20_000])
def test_a_broken_link_is_explained_and_the_page_works(app, link):
    at = app(w=link)
    assert at.warning[0].value.startswith("The scenario in the link can't be opened")
    at = set_number(at, "dsc_q_models_count", 3)
    assert address(at).models.count == 3


def test_a_broken_link_leaves_the_open_scenario_as_it_was(app, monkeypatch):
    monkeypatch.setattr(state, "STALE_LINK_S", 0.0)
    at = app(workload=FRAUD)
    at.query_params[state.LINK] = scenario.encode(FRAUD)[:40]
    at = drawn(at.run())
    assert "go on with yours, as it was" in at.warning[0].value
    assert address(at) == FRAUD
    at.button(key="shell_dismiss_link").click()
    assert not drawn(at.run()).warning


def test_a_broken_link_is_forgotten_once_a_person_goes_on(app):
    at = app(w="AAAA")
    at.button(key="dsc_preset_card-fraud").click()
    assert not drawn(at.run()).warning


@pytest.mark.parametrize("page", [COMPARE, "pages/architects/simulate.py"])
def test_a_broken_link_is_explained_where_it_led_to_below_the_title(app, page):
    at = app(page, w="AAAA")
    assert at.title[0].value
    assert "start from a preset" in at.warning[0].value
    assert not at.info  # that nothing is described yet would be another story
    assert [link.proto.label for link in at.get("page_link")] == ["Describe a workload"]


def test_an_address_that_left_the_browser_before_our_change_is_not_obeyed(app):
    at = set_number(app(workload=FRAUD), "dsc_q_models_count", 7)
    at.query_params[state.LINK] = scenario.encode(FRAUD)  # a late message: it does not know the change yet
    at = drawn(at.run())
    assert address(at).models.count == 7


def test_going_back_in_the_history_brings_the_scenario_of_then(app):
    at = set_number(app(workload=FRAUD), "dsc_q_models_count", 7)
    at = drawn(at.run())  # the browser has acknowledged the new address
    at.query_params[state.LINK] = scenario.encode(FRAUD)
    at = drawn(at.run())
    assert address(at) == FRAUD
    assert at.number_input(key="dsc_q_models_count").value == FRAUD.models.count


def test_a_wrong_file_is_refused_as_a_whole_with_every_problem(app):
    at = app(workload=SMALL, details="File")
    area = next(area for area in at.text_area if area.label.startswith("Workload file"))
    area.set_value("name: x\ntrafic: {rps_mean: 3}\nrequest: {processing_ms: -1}\nregion: 7\n")
    at.button(key="dsc_file_apply").click()
    at = drawn(at.run())
    problems = at.error[0].value
    assert "`$.trafic`" in problems
    assert "`$.request.processing_ms`" in problems
    assert "`$.region`" in problems
    assert address(at) == SMALL


def test_what_was_wrong_with_a_file_is_forgotten_with_the_next_scenario(app):
    at = app(details="File")
    next(area for area in at.text_area if area.label.startswith("Workload file")).set_value("traffic: 3")
    at.button(key="dsc_file_apply").click()
    at = drawn(at.run())
    assert at.error
    at.button(key="dsc_preset_card-fraud").click()
    assert not drawn(at.run()).error


def test_a_right_file_is_taken_over(app):
    at = app(details="File")
    area = next(area for area in at.text_area if area.label.startswith("Workload file"))
    area.set_value(workload_file.write(FRAUD))
    at.button(key="dsc_file_apply").click()
    assert address(drawn(at.run())) == FRAUD


def test_an_uploaded_file_is_taken_over(app):
    at = app(details="File")
    at.file_uploader(key="dsc_file_upload").upload("w.json", workload_file.write_json(FRAUD).encode())
    assert address(drawn(at.run())) == FRAUD


def test_a_trace_file_is_refused_with_the_way_to_upload_it(app):
    at = app(details="File")
    at.file_uploader(key="dsc_file_upload").upload("w.yaml", b"name: x\ntraffic: {trace: arrivals.csv}\n")
    at = drawn(at.run())
    assert "upload the recorded arrivals" in at.error[0].value
    assert address(at) is None


def test_recorded_arrivals_declare_mean_peak_and_idle_hours(app):
    counts = "count\n" + "\n".join(["120"] * 60 + ["0"] * 60)  # an hour of 2 requests a second, an hour of none
    at = app(workload=SMALL, details="Traffic")
    at.file_uploader(key="dsc_arrivals").upload("arrivals.csv", counts.encode())
    at = drawn(at.run())
    traffic = address(at).traffic
    assert (traffic.rps_mean, traffic.rps_peak, traffic.idle_ratio) == (1, 2, 0.5)
    assert "Read 120 minutes of arrivals" in texts(at)


def test_how_the_times_of_a_recording_are_read_can_be_said(app):
    times = "timestamp\n" + "\n".join(str(at) for at in range(120))  # one each second, or one each minute
    at = app(workload=SMALL, details="Traffic")
    at.file_uploader(key="dsc_arrivals").upload("arrivals.csv", times.encode())
    at = drawn(at.run())
    assert address(at).traffic.rps_mean == 1
    at = drawn(at.selectbox(key="dsc_arrivals_unit").set_value("Minutes").run())
    assert address(at).traffic.rps_mean == pytest.approx(1 / 60, rel=1e-4)
    assert "Read 120 minutes of arrivals" in texts(at)


def test_the_zone_of_a_recording_can_be_said(app):
    # The clocks of Berlin skip this hour.
    naive = "timestamp\n" + "\n".join(f"2026-03-29T02:{minute:02}:00" for minute in range(60))
    at = app(workload=SMALL, details="Traffic")
    at.file_uploader(key="dsc_arrivals").upload("arrivals.csv", naive.encode())
    at = drawn(at.run())
    assert "clocks" not in texts(at)
    at = drawn(at.selectbox(key="dsc_arrivals_zone").set_value("Europe/Berlin").run())
    assert "clocks" in texts(at)


def test_a_recording_in_parquet_is_read(app):
    table = io.BytesIO()
    pd.DataFrame({"timestamp": pd.date_range("2026-01-01", periods=60, freq="min", tz="UTC")}).to_parquet(table)
    at = app(workload=SMALL, details="Traffic")
    at.file_uploader(key="dsc_arrivals").upload("arrivals.parquet", table.getvalue())
    at = drawn(at.run())
    assert "Read 60 minutes of arrivals" in texts(at)


def test_a_recording_that_can_not_be_read_changes_nothing(app):
    at = app(workload=SMALL, details="Traffic")
    at.file_uploader(key="dsc_arrivals").upload("arrivals.csv", b"when,what\nnow,no\n")
    at = drawn(at.run())
    assert at.error
    assert address(at) == SMALL


@pytest.mark.parametrize("group", form.GROUPS)
def test_every_group_shows_its_fields_with_their_values(app, group):
    at = app(workload=FRAUD, details=group)
    for path in form.GROUPS[group]:
        at.get_by_key(f"dsc_d_{path.replace('.', '_')}")


def test_the_field_that_the_verdict_asks_for_stands_first(app):
    at = app(workload=FRAUD, ask="traffic.rps_peak")
    at = set_number(at, "dsc_ask_traffic_rps_peak", 500.0)
    assert address(at).traffic.rps_peak == 500


def test_an_unknown_field_in_the_address_is_ignored(app):
    assert "would gain most" not in texts(app(workload=FRAUD, ask="traffic.nonsense"))


def test_text_of_a_stranger_is_shown_as_text(app):
    odd = "$a$ :red[x] [link](http://x) <b>"
    at = app(workload=FRAUD.replace({"name": odd}))
    assert address(at).name == odd
    assert at.text_input(key="dsc_d_name").value == odd
