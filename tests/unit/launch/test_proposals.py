from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from launch.launched import launched_of
from launch.proposals import (
    Change,
    change_set_name,
    changes_of,
    end_of,
    execution_token,
    is_same_end,
    tag_value,
    tags_of,
)
from tests.launching import plan_of, topic

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
STACK = {
    "StackId": "arn:aws:cloudformation:us-east-1:000000000000:stack/iris/1",
    "StackName": "iris",
    "StackStatus": "CREATE_COMPLETE",
    "CreationTime": NOW,
}


def test_the_same_question_has_the_same_name_and_any_other_another():
    plan, stack = plan_of("iris", topic()), launched_of(STACK)
    updated = launched_of({**STACK, "LastUpdatedTime": NOW + timedelta(hours=1)})
    other = plan_of("iris", topic("other"))
    asked = [
        (plan, None, "ada"),
        (plan, stack, "ada"),
        (plan, updated, "ada"),
        (plan, stack, "bob"),
        (other, stack, "ada"),
    ]
    names = [change_set_name(*one) for one in asked]
    assert names == [change_set_name(*one) for one in asked]
    assert len(set(names)) == len(asked)


@given(st.text(max_size=300), st.text(max_size=300))
def test_names_tokens_and_tags_are_what_aws_takes(by, change_set_id):
    name = change_set_name(plan_of("iris", topic()), None, by)
    assert len(name) <= 128
    assert name.replace("-", "").isalnum()
    assert name[0].isalpha()
    assert len(execution_token(change_set_id)) <= 128
    value = tag_value(by)
    assert len(value) <= 256
    assert all(sign.isalnum() or sign in " +-=._:/@" for sign in value)


def test_the_tags_say_who_and_until_when():
    plan = plan_of("iris", topic())
    found = {tag["Key"]: tag["Value"] for tag in tags_of(plan, by="ada", expires=NOW, job=None)}
    assert found == {**plan.tags, "hostfit:by": "ada", "hostfit:expires": "2026-11-21T12:00:00+00:00"}
    assert "hostfit:expires" not in {tag["Key"] for tag in tags_of(plan, by="ada", expires=None, job=None)}


def test_a_launch_ends_its_time_after_it_is_proposed():
    assert end_of(plan_of("iris", topic(), time_to_live_h=1.5), None, NOW) == NOW + timedelta(minutes=90)
    assert end_of(plan_of("iris", topic()), None, NOW) is None


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        (None, None, True),
        (NOW, None, False),
        (NOW, NOW + timedelta(minutes=29), True),
        (NOW, NOW + timedelta(minutes=31), False),
    ],
)
def test_a_reload_some_minutes_later_is_the_same_proposal(one, other, same):
    assert is_same_end(one, other) is is_same_end(other, one) is same


def modified(*targets, replacement="False"):
    change = {
        "LogicalResourceId": "Config",
        "ResourceType": "AWS::SageMaker::EndpointConfig",
        "Action": "Modify",
        "Replacement": replacement,
        "Details": [{"Target": target} for target in targets],
    }
    return changes_of([{"Type": "Resource", "ResourceChange": change}])[0]


def test_a_change_is_told_once_for_each_property_and_without_tags():
    variants = {
        "Attribute": "Properties", "Path": "/Properties/ProductionVariants/0/InstanceType", "BeforeValue": "a",
        "AfterValue": "b", "RequiresRecreation": "Always",
    }  # fmt: skip
    found = modified(variants, variants, {"Attribute": "Tags", "Name": "Tags"}, replacement="True")
    assert [(one.path, one.before, one.after, one.needs_replacement) for one in found.properties] == [
        ("ProductionVariants.0.InstanceType", "a", "b", True)
    ]
    assert not found.is_of_tags_only


def test_a_change_of_tags_only_is_known_as_one():
    assert modified({"Attribute": "Tags", "Name": "Tags"}).is_of_tags_only
    assert modified({"Attribute": "Properties", "Path": "/Properties/Tags/0/Value"}).is_of_tags_only
    added = Change(logical_id="a", type="b", action="Add", replacement=None)
    assert not added.is_of_tags_only
