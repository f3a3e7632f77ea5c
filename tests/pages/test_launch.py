"""The Launch page: what it begins with, what it refuses, and who may do what."""

from dataclasses import replace
from types import SimpleNamespace

import pytest

from fitness import presets
from launch.launched import Event
from launch.proposals import Proposal, starts_job
from launch.request import Container, Model, Request, Transform, Variant
from tests.pages.accounts import ADA, NOW, launched, open_account, sign_in
from tests.pages.conftest import confirmed, drawn, texts
from ui import cloud, data, launching

LAUNCH = "pages/operations/launch.py"
FRAUD = presets.load("card-fraud").replace({"constraints.vpc": None})
ARCHIVE = "s3://models/fraud/model.tar.gz"


def labels(at):
    return [button.label for button in at.button]


def with_model(at):
    """Say where the model is."""
    source = next(one for one in at.text_input if one.label == "Address of the archive")
    source.set_value(ARCHIVE)
    return drawn(at.run())


@pytest.fixture
def opened(monkeypatch):
    open_account(monkeypatch)


def test_without_an_account_the_page_says_what_to_do(app, monkeypatch):
    monkeypatch.setattr(data, "account_choices", list)
    at = app(LAUNCH)
    assert "There is no account to ask" in at.error[0].proto.title
    assert "start the sandbox" in at.error[0].value


def test_the_form_begins_with_the_configuration_of_the_verdict(app, opened):
    at = app(LAUNCH, FRAUD, option="Real-time endpoint")
    held = data.verdict_of(FRAUD).option("real_time").configuration
    shown = {one.label: one.value for one in at.number_input}
    assert shown["Min instances"] == held["min_instances"]
    assert shown["Max instances"] == held["max_instances"]
    assert at.text_input[0].value == "card-fraud"


def test_without_a_workload_it_begins_with_the_least_that_runs(app, opened):
    at = app(LAUNCH, option="Serverless endpoint")
    assert {one.label: one.value for one in at.number_input}["Max concurrency"] == 5
    assert "the least that runs" in texts(at)


def test_a_missing_model_is_named_with_its_path(app, opened):
    at = app(LAUNCH, FRAUD, option="Real-time endpoint")
    assert "$.models[0].source" in at.error[0].value


def test_the_plan_has_its_price_and_what_cannot_be_undone(app, opened):
    at = with_model(app(LAUNCH, FRAUD, option="Real-time endpoint"))
    shown = {one.label: one.value.replace("\\", "") for one in at.metric}
    assert shown["An hour, idle"].startswith("$0.1")
    assert "What can't be undone" in texts(at)
    assert "Review the changes" in labels(at)


def test_a_second_model_gets_a_share_of_the_requests_and_instances_of_its_own(app, opened):
    at = with_model(app(LAUNCH, FRAUD, option="Real-time endpoint"))
    alone = {one.label: one.value for one in at.metric}["An hour, idle"]
    at.button("lch_add_variant").click()
    at = drawn(at.run())
    assert "$.variants[0].model.source" in at.error[0].value
    [one for one in at.text_input if one.label == "Address of the archive"][1].set_value(ARCHIVE)
    next(one for one in at.number_input if one.label == "Share of the requests (%)").set_value(25)
    at = drawn(at.run())
    assert "AllTraffic 75 %, challenger 25 %" in texts(at)
    assert {one.label: one.value for one in at.metric}["An hour, idle"] != alone
    at.button("lch_drop_variant").click()
    at = drawn(at.run())
    assert {one.label: one.value for one in at.metric}["An hour, idle"] == alone


def test_an_edit_makes_another_plan(app, opened):
    at = with_model(app(LAUNCH, FRAUD, option="Real-time endpoint"))
    before = {one.label: one.value for one in at.metric}["An hour, idle"]
    next(one for one in at.number_input if one.label == "Min instances").set_value(3)
    at = drawn(at.run())
    assert {one.label: one.value for one in at.metric}["An hour, idle"] != before


def test_what_an_option_does_not_allow_is_named(app, opened):
    at = with_model(app(LAUNCH, FRAUD, option="Real-time endpoint"))
    next(one for one in at.number_input if one.label == "Max instances").set_value(1)
    next(one for one in at.number_input if one.label == "Min instances").set_value(2)
    at = drawn(at.run())
    assert "max_instances" in at.error[0].value


def test_an_architect_sees_the_plan_and_no_way_to_launch(app, opened, monkeypatch):
    sign_in(monkeypatch, {"operations": ["grace@example.org"]})
    at = with_model(app(LAUNCH, FRAUD, option="Real-time endpoint"))
    assert at.metric[0].label == "An hour, idle"
    assert "Review the changes" not in labels(at)
    assert "A launch takes the role" in at.info[0].value
    assert "Folder" not in next(iter(at.get("button_group"))).options


def test_operations_may_launch(app, opened, monkeypatch):
    sign_in(monkeypatch, {"operations": [ADA["email"]]})
    at = with_model(app(LAUNCH, FRAUD, option="Real-time endpoint"))
    assert "Review the changes" in labels(at)


@pytest.mark.parametrize("page", ["launch", "endpoints"])
def test_somebody_without_a_role_opens_neither_page(app, opened, monkeypatch, page):
    sign_in(monkeypatch, {"architects": [], "operations": []})
    at = app(f"pages/operations/{page}.py", change="iris", launch="iris", name="iris")
    assert not at.title
    assert "You can't open this page" in at.error[0].proto.title


def test_an_architect_does_not_open_the_endpoints(app, opened, monkeypatch):
    sign_in(monkeypatch, {"operations": ["grace@example.org"]})
    assert not app("pages/operations/endpoints.py", name="iris").title


def test_what_is_to_be_changed_and_is_not_there_is_said(app, opened):
    at = app(LAUNCH, change="nobody")
    assert "Nothing called nobody runs here" in texts(at).replace("\\", "")


def test_what_is_watched_and_is_not_there_is_said(app, opened):
    at = app(LAUNCH, launch="nobody")
    assert "Nothing called nobody is in this account" in texts(at)


def test_a_failed_creation_is_told(app, monkeypatch):
    open_account(monkeypatch, [launched(status="ROLLBACK_COMPLETE")])
    at = app(LAUNCH, launch="iris")
    assert "could not be created; nothing is left of it" in at.status[0].label


def test_a_change_is_not_held_against_the_workload_that_is_open(app, monkeypatch):
    request = Request(
        name="iris",
        option="real_time",
        region="us-east-1",
        configuration={"instance_type": "ml.m5.large", "min_instances": 1, "max_instances": 1},
        models=(Model(source=ARCHIVE),),
        containers=(Container(image="own:1", model_data_url=ARCHIVE),),
    )
    open_account(monkeypatch, [replace(launched(), request=request)])
    at = app(LAUNCH, presets.load("card-fraud"), change="iris")  # which must run in a VPC
    assert not at.error
    assert {one.label: one.value for one in at.number_input}["Max instances"] == 1
    assert at.text_input[0].disabled


JOB = Request(
    name="iris",
    option="batch",
    region="us-east-1",
    configuration={"instance_type": "ml.m5.large", "instances": 2},
    models=(Model(source=ARCHIVE),),
    containers=(Container(image="111122223333.dkr.ecr.us-east-1.amazonaws.com/own:1", model_data_url=ARCHIVE),),
    transform=Transform(input_s3="s3://records/in/", output_s3="s3://records/out/"),
)


@pytest.mark.parametrize(
    ("edits", "button", "says"),
    [
        ({"Instances": 4}, "Confirm $0.46 an hour", "It is billed until the job ends."),
        (
            {"Time to live (hours)": 8.0},
            "Confirm $0.00 an hour",
            "No job starts; the one of this launch was started before.",
        ),
        (
            {"Schedule": "rate(1 day)"},
            "Confirm $0.23 an hour",
            "It is billed while each job runs, until somebody removes the schedule.",
        ),
    ],
    ids=["another job", "a longer life", "a schedule"],
)
def test_a_change_of_a_batch_launch_confirms_the_job_that_it_starts(app, monkeypatch, edits, button, says):
    own = {"usd-per-hour": "0.00", "usd-per-job-hour": "0.23", "option": "batch", "job": "c"}
    before = replace(launched(**own), request=JOB)
    open_account(monkeypatch, [before])
    done = []

    def propose(plan, *, by):
        return Proposal(
            plan=plan, kind="UPDATE", stack_id="s", change_set_id="c", changes=(), before=before,
            starts_job=starts_job(plan, before), by=by, expires=None,
        )  # fmt: skip

    stacks = SimpleNamespace(
        propose=propose,
        execute=lambda proposal, confirmation: done.append(confirmation),
        follow=lambda stack, *, change_set_id: before,
        start_job=done.append,
    )
    monkeypatch.setattr(cloud, "stacks", lambda place: stacks)
    monkeypatch.setattr(launching.models, "upload", lambda request, clients: None)
    at = app(LAUNCH, change="iris")
    assert {one.label: one.value for one in at.metric}["An hour of a job"] == "\\$0.23"
    assert "An hour while a job runs: $0.23" in texts(at).replace("\\", "")  # with its receipt
    for label, value in edits.items():
        next(one for one in (*at.number_input, *at.text_input) if one.label == label).set_value(value)
        at = drawn(at.run())
    at = drawn(at.button(key="lch_review").click().run())
    at = drawn(at.button(key="lch_launch").click().run())
    assert says in texts(at).replace("\\", "")
    assert at.button(key="lch_confirmed").label.replace("\\", "") == button
    confirmed(at, opener="lch_launch", button="lch_confirmed")
    assert [f"${one.usd_per_hour:.2f}" for one in done[:1]] == [button.split()[1]]
    assert done[1:] == ([before] if "Instances" in edits else [])


def test_a_change_keeps_the_variants_and_resolves_their_models_anew(app, monkeypatch):
    made = Container(image="own:1", model_data_url=ARCHIVE)
    request = Request(
        name="iris",
        option="real_time",
        region="us-east-1",
        configuration={"instance_type": "ml.m5.large", "min_instances": 1, "max_instances": 1},
        models=(Model(source=ARCHIVE),),
        containers=(made,),
        weight=3.0,
        variants=(Variant(name="new", weight=1.0, model=Model(source="/gone"), container=made),),
    )
    open_account(monkeypatch, [replace(launched(), request=request)])
    at = app(LAUNCH, change="iris")
    assert not at.error
    assert [one.value for one in at.text_input if one.label == "Address of the archive"] == [ARCHIVE, ARCHIVE]
    assert {one.label: one.value for one in at.number_input}["Share of the requests (%)"] == 25


def test_a_launch_under_way_shows_its_steps_as_running(app, monkeypatch):
    under_way = [
        event("iris", "CREATE_IN_PROGRESS", "AWS::CloudFormation::Stack"),
        event("Role", "CREATE_COMPLETE", "AWS::IAM::Role"),
        event("Endpoint", "CREATE_IN_PROGRESS", "AWS::SageMaker::Endpoint"),
    ]
    open_account(monkeypatch, [replace(launched(status="CREATE_IN_PROGRESS"), events=tuple(under_way))])
    at = drawn_status(app(LAUNCH, launch="arn:aws:cloudformation:us-east-1:111122223333:stack/iris/1"))
    assert at.state == "running"
    assert at.label.startswith("Creating iris, since")
    lines = at.markdown[0].value
    assert "**Role** IAM\\:\\:Role: :material/check: done" in lines
    assert "under way" in lines


def test_why_a_launch_failed_is_told_with_what_to_do(app, monkeypatch):
    failed = event(
        "Endpoint", "CREATE_FAILED", "AWS::SageMaker::Endpoint", "InsufficientInstanceCapacity: none is free"
    )
    open_account(monkeypatch, [replace(launched(status="ROLLBACK_COMPLETE"), events=(failed,))])
    at = app(LAUNCH, launch="iris")
    assert at.error[0].proto.title == "Why it failed"
    assert "choose another instance type" in at.error[0].value.replace("\\", "")


def drawn_status(at):
    (found,) = at.status
    return found


def event(name, status, kind, reason=None):
    return Event(id=f"{name} {status}", at=NOW, logical_id=name, type=kind, status=status, reason=reason)
