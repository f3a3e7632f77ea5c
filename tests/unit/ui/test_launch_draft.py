"""The draft of a launch: it begins once with each beginning, and edits go where they belong."""

import pytest
import streamlit as st

from launch.request import Model
from ui import launch_draft

MADE = {"name": "iris", "option": "real_time", "region": "us-east-1", "configuration": {"min_instances": 1}}


@pytest.fixture(autouse=True)
def tab(monkeypatch):
    monkeypatch.setattr(st, "session_state", {})


def begin(beginning="one", *, kin="a", **other):
    launch_draft.begin(beginning, {**MADE, **other}, kin=kin)


def test_the_same_beginning_keeps_the_edits():
    begin()
    launch_draft.put(("name",), "mine")
    begin()
    assert launch_draft.value(("name",)) == "mine"


def test_a_beginning_alike_keeps_what_was_typed_and_not_the_configuration():
    begin()
    launch_draft.put(("models", 0, "source"), "s3://b/k.tar.gz")
    launch_draft.put(("configuration", "min_instances"), 9)
    begin("two", region="eu-west-1", configuration={"min_instances": 2})
    assert launch_draft.value(("models", 0, "source")) == "s3://b/k.tar.gz"
    assert launch_draft.value(("configuration", "min_instances")) == 2
    assert launch_draft.value(("region",)) == "eu-west-1"


def test_another_kind_of_beginning_keeps_nothing():
    begin()
    launch_draft.put(("time_to_live_h",), 8)
    begin("two", kin="b")
    assert launch_draft.document() == MADE


def test_each_beginning_has_widgets_of_its_own():
    begin()
    first = launch_draft.generation()
    begin()
    assert launch_draft.generation() == first
    begin("two")
    assert launch_draft.generation() != first


def test_what_is_taken_away_leaves_no_empty_section():
    begin()
    launch_draft.put(("alarms", "latency_p99_ms"), 200)
    launch_draft.put(("alarms", "latency_p99_ms"), None)
    assert launch_draft.document() == MADE


def test_an_edit_does_not_reach_what_the_draft_was_made_from():
    begin()
    launch_draft.put(("configuration", "min_instances"), 9)
    assert MADE["configuration"] == {"min_instances": 1}


def test_wrong_values_are_problems_with_their_paths():
    begin()
    launch_draft.put(("name",), "no spaces")
    request, problems = launch_draft.request()
    assert request is None
    assert {problem.path for problem in problems} == {"$.name", "$.models"}


def test_hand_made_values_are_a_request():
    made = launch_draft.of_verdict(None, None, "serverless", "eu-west-1", [Model(source="sample:iris")])
    launch_draft.begin("three", made, kin="c")
    request, problems = launch_draft.request()
    assert not problems
    assert (request.option, request.region, request.configuration["memory_mb"]) == ("serverless", "eu-west-1", 2048)
