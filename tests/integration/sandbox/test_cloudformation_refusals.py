"""A refusal of one call after the other, before and after its effect: stacks come back, and nothing is left behind."""

import copy

import pytest

from tests.stack_refusals import Stacks
from tests.stack_templates import scaled

EVERY = 11  # of the calls of an operation one in so many is refused; with 1 each of them is, and it takes minutes
_OVER_THE_ENDPOINT = {"Endpoint", "Target", "Tracking", "Steps", "Note"}


@pytest.fixture
def stacks(sandbox, tmp_path):
    return Stacks(tmp_path, sandbox)


@pytest.fixture
def first(hosting):
    """All that needs no model server."""
    return {name: one for name, one in scaled(hosting.container).items() if name not in _OVER_THE_ENDPOINT}


@pytest.fixture
def second(first):
    """The same changed in place, replaced, removed, added."""
    changed = copy.deepcopy(first)
    for name, properties in {
        "Role": {"Description": "changed", "MaxSessionDuration": 7200},
        "News": {"DisplayName": "other"},
        "Slow": {"Threshold": "7"},
        "Inbox": {"VisibilityTimeout": "46"},
        "Log": {"RetentionInDays": "14"},
        "Daily": {"ScheduleExpression": "rate(2 days)", "Targets": [{"Id": "other", "Arn": "arn:aws:sqs:::other"}]},
        "Write": {"PolicyName": "write-too"},
        "Publish": {"Description": "needs another"},
    }.items():
        changed[name]["Properties"] |= properties
    changed["Model"]["Properties"]["PrimaryContainer"]["Environment"] = {"A": "1"}
    del changed["NewsPolicy"]
    return {**changed, "Extra": {"Type": "AWS::SQS::Queue"}}


def refusals(calls):
    return [(when, number) for when in ("before", "after") for number in range(when == "after", calls, EVERY)]


def standing(account):
    """What there is, with what an update changes of it."""
    client = account.sandbox.client
    iam, sns, sqs, logs = (client(service) for service in ("iam", "sns", "sqs", "logs"))
    roles = [role["RoleName"] for role in iam.list_roles()["Roles"]]
    topics = [topic["TopicArn"] for topic in sns.list_topics()["Topics"]]
    details = [
        [(role["MaxSessionDuration"], role.get("Description", "")) for role in iam.list_roles()["Roles"]],
        [iam.list_role_policies(RoleName=role)["PolicyNames"] for role in roles],
        [iam.list_attached_role_policies(RoleName=role)["AttachedPolicies"] for role in roles],
        [sns.get_topic_attributes(TopicArn=topic)["Attributes"] for topic in topics],
        [(one["AlarmName"], one["Threshold"]) for one in client("cloudwatch").describe_alarms()["MetricAlarms"]],
        [(one["logGroupName"], one.get("retentionInDays")) for one in logs.describe_log_groups()["logGroups"]],
        [
            sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["Policy", "VisibilityTimeout"])["Attributes"]
            for url in sqs.list_queues().get("QueueUrls", [])
        ],
        [
            (
                rule["Name"],
                rule["ScheduleExpression"],
                client("events").list_targets_by_rule(Rule=rule["Name"])["Targets"],
            )
            for rule in client("events").list_rules()["Rules"]
        ],
    ]
    return account.holds(), details


def test_a_creation_is_rolled_back(account, stacks, first):
    before = standing(account)
    assert stacks.create("whole", first) == "CREATE_COMPLETE"
    calls = stacks.switch.calls
    assert stacks.delete("whole") == "DELETE_COMPLETE"
    for when, number in refusals(calls):
        stacks.switch.refuse(**{when: number})
        assert stacks.create(f"{when}-{number}", first) == "ROLLBACK_COMPLETE"
        assert standing(account) == before, (when, number, stacks.switch.hit)


def test_an_update_is_rolled_back(account, stacks, first, second):
    empty = account.holds()
    assert stacks.create("other", first) == "CREATE_COMPLETE"
    stacks.switch.refuse()
    assert stacks.update("other", second) == "UPDATE_COMPLETE"
    calls = stacks.switch.calls
    assert stacks.delete("other") == "DELETE_COMPLETE"
    assert stacks.create("changed", first) == "CREATE_COMPLETE"
    before = standing(account)
    rolled_back = 0
    for when, number in refusals(calls):
        stacks.switch.refuse(**{when: number})
        status = stacks.update("changed", second)
        hit = list(stacks.switch.hit)
        stacks.switch.refuse()
        if status == "UPDATE_COMPLETE":  # what could not be cleaned up is, with the next update
            assert stacks.update("changed", first) == "UPDATE_COMPLETE"
            assert {kind for kind, _ in account.holds()} == {kind for kind, _ in before[0]}
            assert len(account.holds()) == len(before[0]), hit
            before = standing(account)
            continue
        rolled_back += 1
        assert status == "UPDATE_ROLLBACK_COMPLETE"
        assert standing(account) == before, (when, number, hit)
    assert rolled_back > len(refusals(calls)) / 2
    assert stacks.delete("changed") == "DELETE_COMPLETE"
    assert account.holds() == empty


def test_a_rollback_is_continued(account, stacks, first, second):
    empty = account.holds()
    assert stacks.create("twice", first) == "CREATE_COMPLETE"
    before = standing(account)
    second["Extra"]["Properties"] = {"QueueName": "spaces in it"}
    second["Extra"]["DependsOn"] = ["Slow", "Inbox", "News"]
    stacks.switch.refuse()
    assert stacks.update("twice", second) == "UPDATE_ROLLBACK_COMPLETE"
    calls = stacks.switch.calls
    failed = 0
    for number in range(calls // 2, calls, EVERY):
        stacks.switch.refuse(before=number)
        status = stacks.update("twice", second)
        if status == "UPDATE_ROLLBACK_FAILED":
            failed += 1
            status = stacks.go_on_back("twice")
        assert status == "UPDATE_ROLLBACK_COMPLETE"
        if account.holds() != before[0]:  # the refusal was in the clean-up, so the next one does it
            assert stacks.update("twice", second) == "UPDATE_ROLLBACK_COMPLETE"
        assert standing(account) == before, number
    assert failed
    assert stacks.delete("twice") == "DELETE_COMPLETE"
    assert account.holds() == empty


def test_a_deletion_is_repeated(account, stacks, first):
    empty = account.holds()
    assert stacks.create("gone", first) == "CREATE_COMPLETE"
    stacks.switch.refuse()
    assert stacks.delete("gone") == "DELETE_COMPLETE"
    calls = stacks.switch.calls
    failed = 0
    for when, number in refusals(calls):
        assert stacks.create(f"gone-{when}-{number}", first) == "CREATE_COMPLETE"
        stacks.switch.refuse(**{when: number})
        status = stacks.delete(f"gone-{when}-{number}")
        stacks.switch.refuse()
        if status == "DELETE_FAILED":
            failed += 1
            status = stacks.delete(f"gone-{when}-{number}")
        assert status == "DELETE_COMPLETE"
        assert account.holds() == empty, (when, number)
    assert failed
