"""The Endpoints page: what runs, and what stands there when nothing does or nothing answers."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from types import SimpleNamespace

import pytest

from launch.errors import CloudError, RefusedError
from launch.failures import Failure, Kind
from launch.metrics import Metrics
from launch.price import Hourly, When
from launch.removal import OwnResource, Removal
from launch.request import Model, Request, Transform, Variant
from launch.runs import FurtherRun
from tests.pages.accounts import NOW, launched, open_account
from tests.pages.conftest import confirmed, drawn, texts
from ui import cloud

ENDPOINTS = "pages/operations/endpoints.py"
SILENT = Metrics(
    start=NOW,
    values=dict.fromkeys(("requests", "errors_4xx", "errors_5xx"), (0.0, 0.0))
    | dict.fromkeys(("model_p50_ms", "model_p99_ms", "overhead_p99_ms"), (None, None)),
)


@pytest.fixture(autouse=True)
def asked(monkeypatch):
    """Nothing was asked in the last hour; gives the variants whose hour was looked at."""
    found = []

    def metrics_of(name, option, variant):
        found.append(variant)
        return cloud.Seen(value=SILENT, at=NOW)

    monkeypatch.setattr(cloud, "metrics_of", metrics_of)
    return found


def test_an_empty_account_says_where_to_begin(app, monkeypatch):
    open_account(monkeypatch)
    at = app(ENDPOINTS)
    assert at.info[0].proto.title == "Nothing runs here yet"
    assert not at.dataframe


def test_each_launch_has_its_row_with_price_and_age(app, monkeypatch):
    open_account(monkeypatch, [launched("iris", age_h=10), launched("digits", "UPDATE_ROLLBACK_COMPLETE")])
    rows = app(ENDPOINTS).dataframe[0].value.set_index("Name")
    assert rows.loc["iris", "So far"] == "$1.15"
    assert rows.loc["iris", "State"] == "✓ Live"
    assert rows.loc["iris", "A month"] == "$83.95"
    assert rows.loc["digits", "State"] == "! Live, last change failed"


def test_the_sandbox_is_named(app, monkeypatch):
    open_account(monkeypatch, [launched()], is_sandbox=True)
    said = texts(app(ENDPOINTS))
    assert "Sandbox" in said
    assert "nothing is billed" in said
    assert "not on AWS" in said


def test_an_account_is_not_called_a_sandbox(app, monkeypatch):
    open_account(monkeypatch, [launched()])
    assert "andbox" not in texts(app(ENDPOINTS))


def test_an_expired_launch_is_named(app, monkeypatch):
    ended = NOW - timedelta(hours=1)
    open_account(monkeypatch, [launched(expires=ended.isoformat())])
    at = app(ENDPOINTS)
    assert at.warning[0].proto.title == "This launch has expired"
    assert at.dataframe[0].value.loc[0, "Expires"] == "expired"


SHARED = Request(
    name="iris",
    option="real_time",
    region="us-east-1",
    configuration={"instance_type": "ml.m5.large"},
    models=(Model(source="sample:iris"),),
    weight=9.0,
    variants=(Variant(name="new", model=Model(source="sample:digits"), instance_type="ml.c5.large"),),
)


def test_the_traffic_is_that_of_one_variant(app, monkeypatch, asked):
    open_account(monkeypatch, [replace(launched(), request=SHARED)])
    at = app(ENDPOINTS, name="iris")
    assert set(asked) == {"AllTraffic"}
    next(one for one in at.get("button_group") if one.label == "Variant").set_value("new")
    at.run()
    assert asked[-1] == "new"


def test_a_variant_can_be_called_by_its_name(app, monkeypatch):
    open_account(monkeypatch, [replace(launched(), request=SHARED)])
    at = app(ENDPOINTS, name="iris", part="Call it")
    (chosen,) = [one for one in at.selectbox if one.label == "Variant"]
    assert (chosen.options, chosen.value) == (["AllTraffic", "new"], None)


def test_the_settings_have_the_share_of_each_variant(app, monkeypatch):
    open_account(monkeypatch, [replace(launched(), request=SHARED)])
    at = app(ENDPOINTS, name="iris", part="Settings")
    shown = at.table[0].value.to_csv().replace("\\", "")
    assert "90 % of the requests on ml.m5.large" in shown
    assert "10 % of the requests: sample:digits on ml.c5.large" in shown


def test_a_silent_endpoint_says_that_nothing_was_asked(app, monkeypatch):
    open_account(monkeypatch, [launched()])
    assert "Nothing was asked in the last hour" in texts(app(ENDPOINTS))


def test_a_missing_permission_is_told_with_the_statement_that_grants_it(app, monkeypatch):
    statement = {"Effect": "Allow", "Action": "cloudformation:DescribeStacks", "Resource": "*"}
    failure = Failure(
        kind=Kind.DENIED, said="The permission is missing.", to_do="Add the statement.", statement=statement
    )

    def denied():
        raise CloudError(failure)

    open_account(monkeypatch)
    monkeypatch.setattr(cloud, "launched", denied)
    at = app(ENDPOINTS)
    assert "The permission is missing. Add the statement." in texts(at).replace("\\", "")
    assert "cloudformation:DescribeStacks" in at.code[0].value


def test_a_name_in_the_address_that_is_gone_is_said(app, monkeypatch):
    open_account(monkeypatch, [launched("digits")])
    assert "Nothing called iris is in this account" in texts(app(ENDPOINTS, name="iris"))


def test_what_could_not_be_deleted_is_tried_again_unless_it_is_given_up(app, monkeypatch):
    open_account(monkeypatch, [launched(status="DELETE_FAILED")])
    held = OwnResource(
        logical_id="Role", type="AWS::IAM::Role", physical_id="r", status="DELETE_FAILED", reason="must detach first"
    )
    removal = Removal(
        name="iris",
        stack_id="s",
        made_from="t",
        status="DELETE_FAILED",
        resources=(held,),
        buckets=(),
        jobs=(),
        stays=(),
        usd_per_hour=Decimal("0.115"),
        stuck=(held,),
    )
    given_up = []
    stacks = SimpleNamespace(
        preview_removal=lambda name: removal, remove=lambda name, confirmation, *, give_up: given_up.append(give_up)
    )
    monkeypatch.setattr(cloud, "stacks", lambda place: stacks)
    at = app(ENDPOINTS, name="iris", part="Remove")
    at.button(key="end_remove").click().run()
    assert "must detach first" in at.warning[0].value
    assert not at.checkbox(key="end_give_up").value
    at.checkbox(key="end_give_up").check().run()
    at.button(key="end_remove_now").click().run()
    assert "its cost with it: Role" in texts(at)
    confirmed(at, opener="end_remove_now", button="end_remove_confirmed")
    assert given_up == [["Role"]]


SCORING = Request(
    name="iris",
    option="batch",
    region="us-east-1",
    configuration={"instance_type": "ml.m5.large", "instances": 2},
    models=(Model(source="sample:iris"),),
    transform=Transform(input_s3="s3://records/in/", output_s3="s3://records/out/"),
)


OF_JOB = {"option": "batch", "usd-per-hour": "0.00", "usd-per-job-hour": "0.25"}


@pytest.fixture
def scoring(monkeypatch):
    """A batch launch whose jobs nobody has started, and what is confirmed of it."""
    open_account(monkeypatch, [replace(launched(**OF_JOB), request=SCORING)])
    monkeypatch.setattr(cloud, "jobs_of", lambda request: cloud.Seen(value=(), at=NOW))
    price = Hourly(when=When.JOB, usd_per_hour=Decimal("0.23"))
    run, confirmed = FurtherRun(name="iris", stack_id="s", job="iris-a-2", price=price), []
    stacks = SimpleNamespace(
        preview_run=lambda name, *, book: run,
        run_again=lambda name, confirmation, *, book: confirmed.append((name, confirmation)),
    )
    monkeypatch.setattr(cloud, "stacks", lambda place: stacks)
    return SimpleNamespace(stacks=stacks, run=run, confirmed=confirmed)


def test_a_batch_launch_has_the_price_of_its_job_beside_the_idle_one(app, scoring):
    shown = {one.label: one.value.replace("\\", "") for one in app(ENDPOINTS, name="iris", part="Settings").metric}
    assert (shown["An hour of a job"], shown["An hour, idle"]) == ("$0.25", "$0.00")


def test_a_further_job_runs_once_its_price_is_confirmed(app, scoring):
    at = app(ENDPOINTS, name="iris", part="Jobs")
    at = drawn(at.button(key="end_job").click().run())
    assert "iris-a-2**: $0.23 an hour while its job runs" in texts(at).replace("\\", "")
    at = drawn(at.button(key="end_job_now").click().run())
    assert at.button(key="end_job_confirmed").label.replace("\\", "") == "Confirm $0.23 an hour"
    assert not scoring.confirmed
    confirmed(at, opener="end_job_now", button="end_job_confirmed")
    ((name, confirmation),) = scoring.confirmed
    assert (name, confirmation.token, confirmation.usd_per_hour) == ("iris", scoring.run.token, Decimal("0.23"))


def test_a_further_job_that_was_refused_is_told(app, scoring, monkeypatch):
    def refused(name, confirmation, *, book):
        raise RefusedError("what was confirmed is not what would be done now")

    monkeypatch.setattr(scoring.stacks, "run_again", refused)
    at = app(ENDPOINTS, name="iris", part="Jobs")
    for key in ("end_job", "end_job_now"):
        at = drawn(at.button(key=key).click().run())
    at = confirmed(at, opener="end_job_now", button="end_job_confirmed")
    assert "What was confirmed is not what would be done now" in [one.value.rstrip(".") for one in at.error]


def test_scheduled_jobs_have_no_further_run(app, scoring, monkeypatch):
    nightly = replace(SCORING, transform=replace(SCORING.transform, schedule="rate(1 day)"))
    found = replace(launched(option="batch"), request=nightly)
    monkeypatch.setattr(cloud, "look", lambda name: cloud.Seen(value=found, at=NOW))
    at = app(ENDPOINTS, name="iris", part="Jobs")
    assert "rate(1 day)" in texts(at)
    assert "end_job" not in [one.key for one in at.button]
