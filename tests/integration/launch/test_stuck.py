"""Stacks that failed on their way: what they say, and the way out of each state."""

import json

import pytest

from launch.errors import BusyError, RefusedError, StuckError
from launch.launched import Phase
from launch.plan import Confirmation
from tests.launching import end, launch, plan_of, topic
from tests.stack_templates import policy, role


@pytest.fixture
def undeletable(stacks, sandbox):
    """A launch whose role somebody gave another policy, so that it can't be deleted; gives the role's name."""

    def make(name: str) -> str:
        resources = {**topic(), **role()}
        resources["Role"]["Properties"]["Path"] = "/hostfit/"  # as every role of a launch has it
        launch(stacks, plan_of(name, resources))
        (found,) = [one.physical_id for one in stacks.preview_removal(name).resources if one.logical_id == "Role"]
        extra = json.dumps(policy("s3:GetObject", "*"))
        sandbox.client("iam").put_role_policy(RoleName=found, PolicyName="by-hand", PolicyDocument=extra)
        return found

    return make


def removal_of(stacks, name):
    removal = stacks.preview_removal(name)
    return removal, Confirmation(token=removal.token, usd_per_hour=removal.usd_per_hour, by="ada")


def test_a_removal_that_failed_names_what_is_in_the_way_and_can_be_tried_again(stacks, sandbox, undeletable):
    held = undeletable("held")
    removal, confirmation = removal_of(stacks, "held")
    stacks.remove("held", confirmation)
    found = stacks.follow(removal.stack_id)
    assert (found.status, found.phase, found.is_stuck) == ("DELETE_FAILED", Phase.FAILED, True)
    with pytest.raises(StuckError, match="python -m launch down held"):
        stacks.propose(plan_of("held", topic("again")), by="ada")
    removal, _ = removal_of(stacks, "held")
    assert [one.logical_id for one in removal.stuck] == ["Role"]
    sandbox.client("iam").delete_role_policy(RoleName=held, PolicyName="by-hand")
    end(stacks, "held")


def test_what_is_given_up_is_found_and_removed_by_a_sweep(stacks, account, undeletable):
    before = account.holds()
    held = undeletable("given-up")
    removal, confirmation = removal_of(stacks, "given-up")
    stacks.remove("given-up", confirmation)
    stacks.follow(removal.stack_id)
    with pytest.raises(RefusedError, match="only what could not be deleted can be given up, not News"):
        stacks.remove("given-up", confirmation, give_up=["News"])
    stacks.remove("given-up", confirmation, give_up=["Role"])
    assert stacks.follow(removal.stack_id).phase is Phase.GONE
    found = stacks.sweep()
    assert [(one.kind, one.name, one.launch) for one in found.orphans] == [("iam:role", held, "given-up")]
    stacks.remove_orphans(Confirmation(token=found.token, usd_per_hour=found.usd_per_hour, by="ada"))
    assert account.holds() == before


def test_a_rollback_that_failed_can_go_on_once_its_cause_is_mended(stacks, sandbox):
    plan = plan_of("rollback", topic())
    launch(stacks, plan)
    (arn,) = [one.physical_id for one in stacks.preview_removal("rollback").resources]
    sns = sandbox.client("sns")
    sns.delete_topic(TopicArn=arn)
    assert [one.path for one in stacks.verify(plan)] == []  # topics are not looked at
    found = launch(stacks, plan_of("rollback", topic("other")))
    assert (found.status, found.is_stuck) == ("UPDATE_ROLLBACK_FAILED", True)
    with pytest.raises(StuckError, match="--continue-rollback"):
        stacks.propose(plan, by="ada")
    sns.create_topic(Name=arn.rpartition(":")[2])
    stacks.continue_rollback("rollback")
    found = stacks.follow("rollback")
    assert (found.status, found.token) == ("UPDATE_ROLLBACK_COMPLETE", plan.token)
    with pytest.raises(RefusedError, match="UPDATE_ROLLBACK_COMPLETE"):
        stacks.continue_rollback("rollback")
    end(stacks, "rollback")


def test_a_launch_is_not_removed_in_the_middle_of_an_update(stacks):
    launch(stacks, plan_of("middle", topic()))
    changed = plan_of("middle", {**topic("other"), **role()})
    proposal = stacks.propose(changed, by="ada")
    _, confirmation = removal_of(stacks, "middle")
    stacks.execute(proposal, Confirmation(token=changed.token, usd_per_hour=changed.usd_per_hour, by="ada"))
    if stacks.look("middle").phase is Phase.UPDATING:
        with pytest.raises((BusyError, RefusedError)):
            stacks.remove("middle", confirmation)
    stacks.follow("middle", change_set_id=proposal.change_set_id)
    with pytest.raises(RefusedError, match="not what would be done now"):
        stacks.remove("middle", confirmation)  # it confirmed the removal of what was there before
    end(stacks, "middle")
