"""The Measure part of the Endpoints page: what it asks, how far it is, what it showed, and where that goes."""

import math
import re
import threading
from dataclasses import replace

import pytest
import streamlit as st

from fitness import measured, presets
from launch import measure as testing
from launch.invoke import Call
from launch.measured import Check, Estimate, Measurement, Stage
from launch.request import Container, Model, Request
from tests.pages.accounts import NOW, launched, open_account, sign_in
from tests.pages.conftest import address, drawn, texts
from ui import measuring
from ui.errors import NotAllowedError

ENDPOINTS = "pages/operations/endpoints.py"
FRAUD = presets.load("card-fraud")
ARCHIVE = "s3://models/fraud/model.tar.gz"


def sure(value: float) -> Estimate:
    return Estimate(low=0.9 * value, value=value, high=1.1 * value)


FOUND = Measurement(
    endpoint="iris",
    instance_type="ml.m5.large",
    instances=1,
    taken_at=NOW,
    processing_s=sure(0.012),
    cv=sure(0.31),
    concurrency=sure(1.9),
    overhead_s=None,
    stages=(
        Stage(
            callers=1, requests=400, errors=0, per_s=sure(80), mean_s=0.012, p50_s=0.011, p99_s=0.03,
            client_busy_ratio=0.1,
        ),
    ),
    stopped="2 callers get no more answers a second than 1",
    check=Check(
        rps=48.0, requests=400, late_p99_s=0.0,
        measured_s={"p50": 0.02, "p95": 0.05, "p99": 0.1}, predicted_s={"p50": 0.021, "p95": 0.05, "p99": 0.09},
    ),
    requests=1200,
    seconds=21.0,
    notes=(testing.UNKNOWN_OVERHEAD,),
)  # fmt: skip


def endpoint(option: str = "real_time", status: str = "CREATE_COMPLETE"):
    request = Request(
        name="iris",
        option=option,
        region="us-east-1",
        configuration={"instance_type": "ml.m5.large", "min_instances": 1, "max_instances": 1},
        models=(Model(source=ARCHIVE),),
        containers=(Container(image="own:1", model_data_url=ARCHIVE),),
    )
    return replace(launched(status=status), option=option, request=request)


@pytest.fixture(autouse=True)
def own_runs():
    """No load test of another test."""
    st.cache_resource.clear()


@pytest.fixture
def asked(monkeypatch) -> list[tuple[Call, testing.Bounds]]:
    """Load tests that end at once, and what they were asked for."""
    found: list[tuple[Call, testing.Bounds]] = []

    def measure(clients, name, call, *, bounds, progress):
        found.append((call, bounds))
        progress("one caller alone", 0.4)
        return FOUND

    monkeypatch.setattr(testing, "measure", measure)
    return found


def opened(app, monkeypatch, one=None, workload=None, *, is_sandbox=False):
    open_account(monkeypatch, [one or endpoint()], is_sandbox=is_sandbox)
    return app(ENDPOINTS, workload, name="iris", part="Measure")


def typed(at, body="5.1,3.5,1.4,0.2"):
    next(one for one in at.text_area if one.label == "Request").set_value(body)
    return drawn(at.run())


def pressed(at, label):
    next(one for one in at.button if one.label == label).click()
    return drawn(at.run())


def ended(at):
    """Measure, and wait for the end."""
    at = pressed(at, "Measure")
    for _ in range(50):
        if not any(one.label == "Stop" for one in at.button):
            return at
        at = drawn(at.run())
    pytest.fail("the load test does not end")


@pytest.mark.parametrize("option", measuring.WHY_NOT)
def test_what_can_not_be_measured_says_why(app, monkeypatch, option):
    at = opened(app, monkeypatch, endpoint(option))
    assert measuring.WHY_NOT[option] in [box.value for box in at.info]
    assert "Measure" not in [button.label for button in at.button]


def test_nothing_is_asked_of_an_endpoint_that_is_not_live(app, monkeypatch):
    at = opened(app, monkeypatch, endpoint(status="CREATE_IN_PROGRESS"))
    assert "It can be measured when it is live" in texts(at)


def test_it_says_what_it_sends_and_who_pays_before_it_begins(app, monkeypatch):
    at = typed(opened(app, monkeypatch))
    assert "at most 4,000 real requests of 15 bytes in 90 s" in texts(at)
    assert "on the bill" in texts(at)
    assert "nothing is billed" in texts(typed(opened(app, monkeypatch, is_sandbox=True)))


def test_the_objective_of_the_workload_ends_the_ramp(app, monkeypatch, asked):
    ended(typed(opened(app, monkeypatch, workload=FRAUD)))
    ((call, bounds),) = asked
    assert call.body == b"5.1,3.5,1.4,0.2"
    assert bounds.objective_ms == FRAUD.objectives.latency_p99_ms


def test_what_was_measured_has_its_interval_and_the_simulation_beside_it(app, monkeypatch, asked):
    at = ended(typed(opened(app, monkeypatch)))
    shown = {one.label: one.value for one in at.metric}
    assert (shown["Processing time"], shown["Its variation"], shown["Served at once"]) == ("12 ms", "0.31", "1.9")
    said = texts(at).replace("\\", "")
    assert "10.8 to 13.2 ms" in said
    assert testing.UNKNOWN_OVERHEAD in said
    beside = next(one.value for one in at.dataframe if "Answered within" in one.value)
    assert list(beside["Simulated is"]) == ["5 % higher", "the same", "10 % lower"]


def test_what_was_measured_goes_into_the_workload_and_is_marked(app, monkeypatch, asked):
    at = pressed(ended(typed(opened(app, monkeypatch, workload=FRAUD))), "Put it into the workload")
    workload = address(at)
    assert workload.request.processing_ms == 12.0
    assert workload.request.concurrency == 2
    assert set(measured.measured_fields(workload)) == set(FOUND.values)
    assert at.success[0].proto.title == "In the workload"


def test_without_a_workload_it_says_where_to_describe_one(app, monkeypatch, asked):
    assert "No workload is described in this tab" in texts(ended(typed(opened(app, monkeypatch))))


def test_too_few_answers_have_no_interval(app, monkeypatch):
    vague = replace(FOUND, cv=Estimate(low=0.0, value=0.3, high=math.inf), check=None)
    monkeypatch.setattr(testing, "measure", lambda *_given, **_named: vague)
    said = texts(ended(typed(opened(app, monkeypatch))))
    assert "too few answers for an interval" in said
    assert "Not tried" in said


def test_a_failure_is_told_and_the_way_to_try_again_stays(app, monkeypatch):
    def fails(*_given, **_named):
        raise NotAllowedError("nobody may")

    monkeypatch.setattr(testing, "measure", fails)
    at = ended(typed(opened(app, monkeypatch)))
    assert at.error[0].proto.title == "It could not be measured"
    assert "Measure" in [button.label for button in at.button]


def test_it_shows_how_far_it_is_and_stops(app, monkeypatch):
    go_on = threading.Event()

    def slow(clients, name, call, *, bounds, progress):
        progress("one caller alone", 0.4)
        go_on.wait(30)
        progress("2 callers", 0.5)
        pytest.fail("it was not stopped")

    monkeypatch.setattr(testing, "measure", slow)
    at = pressed(typed(opened(app, monkeypatch)), "Measure")
    try:
        for _ in range(50):
            if "One caller alone" in (said := at.get("progress")[0].proto.text):
                break
            at = drawn(at.run())
        assert re.match("One caller alone; the bar is the share", said)
        at = pressed(at, "Stop")
    finally:
        go_on.set()
    assert "Its answers are not kept" in at.info[0].value


def test_who_may_not_launch_can_not_measure_by_an_event_either(monkeypatch):
    sign_in(monkeypatch, {"operations": ["grace@example.org"]})
    with pytest.raises(NotAllowedError):
        measuring.begin(endpoint(), Call(body=b"1"), testing.Bounds())
