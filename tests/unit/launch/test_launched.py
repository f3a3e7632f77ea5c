import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from launch.launched import Event, Phase, kept_request, last_operation, launched_of, with_details
from launch.request import Model, Request, as_document

AT = datetime(2026, 11, 21, 12, tzinfo=UTC)
STACK = {
    "StackId": "arn:aws:cloudformation:eu-west-1:000000000000:stack/iris/1",
    "StackName": "iris",
    "StackStatus": "CREATE_COMPLETE",
    "CreationTime": AT,
}
TAGS = {
    "hostfit:launch": "iris",
    "hostfit:option": "serverless",
    "hostfit:token": "abc",
    "hostfit:usd-per-hour": "0.115",
    "hostfit:by": "ada",
    "hostfit:expires": "2026-11-21T14:00:00+00:00",
}


def stack(tags=TAGS, **members):
    return {**STACK, "Tags": [{"Key": key, "Value": value} for key, value in tags.items()], **members}


def event(logical_id, status, *, kind="AWS::SageMaker::Model", reason=None):
    return Event(id=f"{logical_id}-{status}", at=AT, logical_id=logical_id, type=kind, status=status, reason=reason)


def of_stack(status, reason=None):
    return event("iris", status, kind="AWS::CloudFormation::Stack", reason=reason)


def test_a_launch_is_read_from_the_tags_of_its_stack():
    found = launched_of(stack(Outputs=[{"OutputKey": "Endpoint", "OutputValue": "iris"}]))
    assert (found.name, found.option, found.token, found.by) == ("iris", "serverless", "abc", "ada")
    assert found.usd_per_hour == Decimal("0.115")
    assert found.region == "eu-west-1"
    assert found.phase is Phase.LIVE
    assert found.outputs == {"Endpoint": "iris"}
    assert found.age_s(AT + timedelta(hours=1)) == 3600


@pytest.mark.parametrize(("hours", "expired"), [(1.9, False), (2, True)])
def test_a_launch_expires_at_its_time(hours, expired):
    assert launched_of(stack()).is_expired(AT + timedelta(hours=hours)) is expired


def test_tags_changed_by_hand_are_unknown_and_no_error():
    broken = {"hostfit:launch": "iris", "hostfit:usd-per-hour": "cheap", "hostfit:expires": "tomorrow"}
    found = launched_of(stack(broken))
    assert (found.usd_per_hour, found.expires, found.option) == (None, None, None)


@pytest.mark.parametrize(
    ("status", "phase", "at_rest"),
    [
        ("REVIEW_IN_PROGRESS", Phase.PROPOSED, True),
        ("CREATE_IN_PROGRESS", Phase.CREATING, False),
        ("UPDATE_COMPLETE_CLEANUP_IN_PROGRESS", Phase.UPDATING, False),
        ("UPDATE_ROLLBACK_COMPLETE", Phase.LIVE, True),
        ("ROLLBACK_COMPLETE", Phase.FAILED, True),
        ("DELETE_FAILED", Phase.FAILED, True),
        ("DELETE_IN_PROGRESS", Phase.REMOVING, False),
    ],
)
def test_a_status_belongs_to_a_phase(status, phase, at_rest):
    found = launched_of(stack(StackStatus=status))
    assert (found.phase, found.is_at_rest) == (phase, at_rest)
    assert found.is_stuck is (status == "DELETE_FAILED")
    assert found.is_rolled_back is (status == "UPDATE_ROLLBACK_COMPLETE")


def test_the_last_operation_begins_where_the_stack_says_so():
    newest_first = [
        event("Model", "UPDATE_COMPLETE"),
        event("Model", "UPDATE_IN_PROGRESS"),
        of_stack("UPDATE_IN_PROGRESS"),
        of_stack("CREATE_COMPLETE"),
    ]
    assert [one.status for one in last_operation(newest_first)] == [
        "UPDATE_IN_PROGRESS",
        "UPDATE_IN_PROGRESS",
        "UPDATE_COMPLETE",
    ]


def test_the_reason_is_that_of_the_first_failure_and_not_of_its_consequences():
    events = [
        of_stack("CREATE_IN_PROGRESS"),
        event("Topic", "CREATE_FAILED", reason="Resource creation cancelled"),
        event("Model", "CREATE_FAILED", reason="no such archive"),
        of_stack("CREATE_FAILED", "The following resource(s) failed to create: [Model]."),
        event("Role", "DELETE_FAILED", reason="in use"),
    ]
    assert with_details(launched_of(stack()), events, None).reason == "no such archive"
    assert with_details(launched_of(stack()), [events[0], events[3]], None).reason == events[3].reason
    assert launched_of(stack()).reason is None


def test_the_template_keeps_the_request():
    request = Request(
        name="iris",
        option="serverless",
        region="eu-west-1",
        configuration={"memory_mb": 2048, "max_concurrency": 5},
        models=(Model(source="sample:iris"),),
    )
    template = {"Metadata": {"hostfit": {"request": json.dumps(as_document(request))}}}
    assert kept_request(template) == request


@pytest.mark.parametrize("template", [{}, {"Metadata": "text"}, {"Metadata": {"hostfit": {"request": "{}"}}}])
def test_a_template_of_somebody_else_has_no_request(template):
    assert kept_request(template) is None
