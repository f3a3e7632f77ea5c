from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from fitness.prices import load_book
from launch import showing
from launch.failures import explain_reason
from launch.launched import Event, launched_of, with_details
from launch.plan import plan
from launch.proposals import Change, PropertyChange, Proposal
from launch.removal import OwnBucket, OwnResource, Removal
from launch.request import BUCKET
from launch.sweep import Orphan, Sweep
from tests.launch_requests import REQUESTS

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)


@pytest.fixture(scope="module")
def planned():
    return plan(REQUESTS["real_time"], book=load_book())


def launched(status="CREATE_COMPLETE", **tags):
    given = {"hostfit:launch": "iris", "hostfit:option": "real_time", "hostfit:usd-per-hour": "0.115", **tags}
    return launched_of(
        {
            "StackId": "arn:aws:cloudformation:us-east-1:000000000000:stack/iris/1",
            "StackName": "iris",
            "StackStatus": status,
            "CreationTime": NOW - timedelta(hours=3),
            "Tags": [{"Key": key, "Value": value} for key, value in given.items()],
        }
    )


def test_a_plan_shows_its_resources_its_price_and_what_to_know(planned):
    text = showing.plan_text(planned)
    assert all(one.logical_id in text for one in planned.resources)
    assert all(note in text for note in planned.notes)
    assert all(one.why in text for one in planned.permissions)
    assert all(f"  {name}: {value}\n" in text for name, value in planned.request.configuration.items())
    packed = replace(planned, irreversible=(f"Packaged models stay in {BUCKET}/models.",))
    bucket = f"s3://hostfit-<account>-{planned.request.region}"
    assert f"Packaged models stay in {bucket}/models." in showing.plan_text(packed)
    assert f"While idle     {planned.usd_per_hour.normalize()} USD per hour" in text
    assert showing.plan_dict(planned)["token"] == planned.token


def test_an_update_shows_what_changes_and_the_difference_of_the_price(planned):
    changes = (
        Change(logical_id="Old", type="AWS::SNS::Topic", action="Remove", replacement=None),
        Change(
            logical_id="Config", type="AWS::SageMaker::EndpointConfig", action="Modify", replacement="True",
            properties=(PropertyChange(path="KmsKeyId", before=None, after="k" * 99, needs_replacement=True),),
        ),
        Change(logical_id="Role", type="AWS::IAM::Role", action="Modify", replacement="False"),
    )  # fmt: skip
    proposal = Proposal(
        plan=planned, kind="UPDATE", stack_id="s", change_set_id="c", changes=changes,
        before=launched(**{"hostfit:usd-per-hour": str(planned.usd_per_hour + 1)}), starts_job=False, by="ada", expires=NOW,
    )  # fmt: skip
    now = showing.usd(planned.usd_per_hour)
    assert showing.proposal_text(proposal).splitlines() == [
        "Changes",
        "  - Old  AWS::SNS::Topic",
        "  ~ Config  AWS::SageMaker::EndpointConfig  is REPLACED",
        f"      KmsKeyId: nothing -> {'k' * 59}…",
        "  and the tags of 1 more",
        "",
        f"Price: {now} per hour while idle; before {showing.usd(planned.usd_per_hour + 1)}, difference -1.00 USD.",
        "It expires at 2026-11-21 12:00 UTC.",
    ]


def test_a_missing_permission_is_shown_with_the_statement_that_grants_it():
    reason = "User: ada is not authorized to perform: iam:CreateRole on resource: arn:aws:iam::123456789012:role/iris"
    event = Event(id="1", at=NOW, logical_id="Role", type="AWS::IAM::Role", status="CREATE_FAILED", reason=reason)
    text = showing.reason_text(with_details(launched("ROLLBACK_COMPLETE"), [event], None))
    assert text == showing.failure_text(explain_reason(reason))
    assert '"Action": "iam:CreateRole"' in text
    assert showing.event_line(event).endswith(reason)


def test_launches_are_a_table(planned):
    assert showing.table_text([], NOW) == "Nothing is launched."
    expired = launched(**{"hostfit:expires": "2026-11-21T11:00:00+00:00"})
    assert [line.split() for line in showing.table_text([expired], NOW).splitlines()] == [
        ["NAME", "OPTION", "PHASE", "USD/H", "AGE", "H", "EXPIRES"],
        ["iris", "real_time", "live", "0.115", "3.0", "2026-11-21", "11:00"],
    ]
    assert "2026-11-21 11:00 UTC, which is over" in showing.launched_text(expired, NOW)


def test_a_removal_shows_what_goes_and_what_stays():
    removal = Removal(
        name="iris", stack_id="s", made_from="t", status="DELETE_FAILED",
        resources=(OwnResource(logical_id="Role", type="AWS::IAM::Role", physical_id="r", status="DELETE_FAILED", reason="in use"),),
        buckets=(OwnBucket(logical_id="Results", name="results", objects=10_000),),
        jobs=("iris-1",), stays=("The metrics.",), usd_per_hour=Decimal("0.115"),
        stuck=(OwnResource(logical_id="Role", type="AWS::IAM::Role", physical_id="r", status="DELETE_FAILED", reason="in use"),),
    )  # fmt: skip
    assert showing.removal_text(removal).splitlines() == [
        "iris (DELETE_FAILED)",
        "",
        "Goes",
        "  Role (AWS::IAM::Role)",
        "  10,000 or more objects in the bucket results",
        "  the transform job iris-1, which runs and is stopped",
        "",
        "Stays",
        "  The metrics.",
        "",
        "Could not be deleted before (--give-up lets go of it)",
        "  Role: in use",
        "",
        "Saves 0.115 USD per hour.",
    ]


def test_a_removal_of_unknown_price_says_so():
    unknown = Removal(
        name="iris",
        stack_id="s",
        made_from="t",
        status="CREATE_COMPLETE",
        resources=(),
        buckets=(),
        jobs=(),
        stays=(),
        usd_per_hour=Decimal(0),
        stuck=(),
        is_priced=False,
    )
    assert showing.removal_text(unknown).splitlines()[-1] == "What it saves is unknown."


def test_a_sweep_shows_what_it_found():
    orphan = Orphan(
        arn="arn:aws:sagemaker:us-east-1:0:endpoint/lost", kind="sagemaker:endpoint", launch="lost",
        usd_per_hour=Decimal("0.3"),
    )  # fmt: skip
    empty = Sweep(orphans=(), expired=(), abandoned=(), unknown=())
    assert showing.sweep_text(empty) == "There is nothing to sweep."
    found = Sweep(orphans=(orphan,), expired=(launched(),), abandoned=(), unknown=())
    assert found.usd_per_hour == Decimal("0.415")
    assert found.token != empty.token
    assert showing.sweep_text(found).splitlines() == [
        "Belongs to no stack",
        "  sagemaker:endpoint lost (of lost)",
        "",
        "Expired launches",
        "  iris, 0.115 USD per hour",
        "",
        "Saves 0.415 USD per hour.",
    ]
