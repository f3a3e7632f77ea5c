"""Launches as stacks of the sandbox: proposed, confirmed, changed and removed."""

import contextlib
import os
import signal
import subprocess
import sys
import threading
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from fitness.errors import InputError
from launch.errors import BusyError, NameTakenError, RefusedError
from launch.launched import Phase
from launch.plan import Confirmation
from launch.stacks import Stacks
from sandbox.settings import ACCESS_KEY, SECRET_KEY
from tests.launching import PRICE, confirmed, end, launch, plan_of, soon, topic
from tests.sandboxed import until
from tests.stack_templates import resource, template


def test_a_plan_is_proposed_confirmed_changed_and_removed(stacks, account):
    before = account.holds()
    plan = plan_of("whole", topic())
    proposal = stacks.propose(plan, by="Ada <ada@example.com>")
    assert (proposal.kind, proposal.usd_per_hour_before, proposal.usd_per_hour_difference) == ("CREATE", None, PRICE)
    assert [(one.action, one.logical_id) for one in proposal.changes] == [("Add", "News")]
    assert account.holds() == before
    assert stacks.look("whole").phase is Phase.PROPOSED

    stacks.execute(proposal, confirmed(plan))
    told = []
    found = stacks.follow("whole", told.append, change_set_id=proposal.change_set_id)
    assert found.phase is Phase.LIVE
    assert (found.by, found.token, found.usd_per_hour, found.option) == (
        "Ada _ada@example.com_", plan.token, PRICE, "real_time",
    )  # fmt: skip
    assert found.request == plan.request
    assert [event.status for event in told if event.logical_id == "News"][-1] == "CREATE_COMPLETE"
    assert [one.name for one in stacks.launched()] == ["whole"]
    assert stacks.verify(plan) == ()

    changed = plan_of("whole", topic("other news"), usd_per_hour=Decimal("0.2"))
    proposal = stacks.propose(changed, by="ada")
    assert (proposal.kind, proposal.usd_per_hour_difference) == ("UPDATE", Decimal("0.085"))
    (change,) = proposal.changes
    assert [(one.path, one.before, one.after) for one in change.properties] == [("DisplayName", "news", "other news")]
    stacks.execute(proposal, confirmed(changed))
    assert stacks.follow("whole", change_set_id=proposal.change_set_id).usd_per_hour == Decimal("0.2")
    assert stacks.propose(changed, by="ada").is_empty

    removal = stacks.preview_removal("whole")
    assert ([one.logical_id for one in removal.resources], removal.usd_per_hour) == (["News"], Decimal("0.2"))
    stacks.remove("whole", Confirmation(token=removal.token, usd_per_hour=removal.usd_per_hour, by="ada"))
    assert stacks.follow(removal.stack_id).phase is Phase.GONE
    assert stacks.look("whole") is None
    assert account.holds() == before


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"token": "another"}, "not what would be done now"),
        ({"usd_per_hour": Decimal("0.114")}, "the confirmed price is 0.114 USD/h, the real one 0.115 USD/h"),
        ({"by": " "}, "says who gives it"),
    ],
)
def test_nothing_starts_or_ends_without_a_confirmation_that_matches(stacks, account, wrong, said):
    name = f"refused-{next(iter(wrong)).replace('_', '-')}"
    plan = plan_of(name, topic())
    before = account.holds()
    proposal = stacks.propose(plan, by="ada")
    with pytest.raises(RefusedError, match=said):
        stacks.execute(proposal, replace(confirmed(plan), **wrong))
    assert account.holds() == before
    stacks.execute(proposal, confirmed(plan))
    stacks.follow(name, change_set_id=proposal.change_set_id)
    there, removal = account.holds(), stacks.preview_removal(name)
    right = Confirmation(token=removal.token, usd_per_hour=removal.usd_per_hour, by="ada")
    with pytest.raises(RefusedError, match=said):
        stacks.remove(name, replace(right, **wrong))
    assert account.holds() == there
    end(stacks, name)


def test_a_double_click_a_reload_and_a_second_replica_start_one_launch(sandbox, account):
    plan = plan_of("clicked", topic())
    barrier = threading.Barrier(4)
    errors = []

    def click() -> None:
        replica = Stacks(sandbox.client, pause=soon)
        barrier.wait()
        try:
            proposal = replica.propose(plan, by="ada")
            replica.execute(proposal, confirmed(plan))
            replica.execute(proposal, confirmed(plan))
        except BusyError:
            pass  # another replica was faster: its launch is under way
        except Exception as err:  # noqa: BLE001 (a thread's error would go unseen)
            errors.append(err)

    threads = [threading.Thread(target=click) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    stacks = Stacks(sandbox.client, pause=soon)
    found = stacks.follow("clicked")
    assert found.phase is Phase.LIVE
    pages = account.cloudformation.get_paginator("list_stacks").paginate()
    assert [one["StackName"] for page in pages for one in page["StackSummaries"]].count("clicked") == 1
    began = [one for one in account.told(found.stack_id) if one == "clicked CREATE_IN_PROGRESS"]
    assert len(began) == 1
    end(stacks, "clicked")


REPLICA = """
import sys
from launch.clients import from_environment
from launch.errors import BusyError
from launch.stacks import Stacks
from tests.launching import confirmed, plan_of, soon, topic

replica, plan = Stacks(from_environment(region="us-east-1"), pause=soon), plan_of(sys.argv[1], topic())
try:
    proposal = replica.propose(plan, by="ada")
    print("proposed", flush=True)
    sys.stdin.readline()
    replica.execute(proposal, confirmed(plan))
    replica.follow(plan.request.name, change_set_id=proposal.change_set_id)
except BusyError:
    pass
"""


def replica(sandbox, name):
    """Start a process that proposes a launch, and executes it when it is told to."""
    environment = {
        **os.environ,
        "AWS_ENDPOINT_URL": sandbox.url,
        "AWS_ACCESS_KEY_ID": ACCESS_KEY,
        "AWS_SECRET_ACCESS_KEY": SECRET_KEY,
    }
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    return subprocess.Popen([sys.executable, "-c", REPLICA, name], env=environment, text=True, **pipes)


def test_two_processes_start_one_launch_and_a_third_that_is_killed_changes_nothing(sandbox, stacks, account):
    processes = [replica(sandbox, "replicas") for _ in range(3)]
    assert [process.stdout.readline() for process in processes] == ["proposed\n"] * 3
    processes[2].kill()
    processes[2].communicate()
    for process in processes[:2]:
        process.stdin.write("\n")
        process.stdin.flush()
    errors = [process.communicate()[1] for process in processes[:2]]
    assert [process.returncode for process in processes] == [0, 0, -signal.SIGKILL], errors
    found = stacks.look("replicas")
    assert (found.phase, account.told(found.stack_id).count("replicas CREATE_IN_PROGRESS")) == (Phase.LIVE, 1)
    end(stacks, "replicas")


def test_who_confirms_what_somebody_else_has_begun_follows_it(sandbox, stacks):
    def impatient(_seconds):
        waited.append(1)
        assert len(waited) < 2_000, "it is followed for ever"
        soon(_seconds)

    waited, plan = [], plan_of("agreed", topic())
    late = Stacks(sandbox.client, pause=impatient)
    one, other = stacks.propose(plan, by="ada"), late.propose(plan, by="bob")
    assert one.change_set_id != other.change_set_id
    assert stacks.execute(one, confirmed(plan)) == one.change_set_id
    begun = late.execute(other, confirmed(plan, "bob"))
    found = late.follow("agreed", change_set_id=begun)
    assert (found.phase, found.by) == (Phase.LIVE, "ada")
    end(stacks, "agreed")


def test_a_proposal_is_void_once_another_was_executed(stacks):
    first, second = plan_of("raced", topic("a")), plan_of("raced", topic("b"))
    one, other = stacks.propose(first, by="ada"), stacks.propose(second, by="bob")
    stacks.execute(one, confirmed(first))
    stacks.follow("raced", change_set_id=one.change_set_id)
    with pytest.raises(RefusedError, match="raced has changed since this was proposed"):
        stacks.execute(other, confirmed(second, "bob"))
    assert stacks.look("raced").token == first.token
    end(stacks, "raced")
    with contextlib.suppress(RefusedError):  # AWS forgets what was executed, the sandbox knows it as done
        stacks.execute(one, confirmed(first))
    assert stacks.look("raced") is None


def test_a_plan_can_be_returned_to(stacks):
    plans = [plan_of("returned", topic(text)) for text in ("a", "b", "a")]
    for plan in plans:
        assert launch(stacks, plan).token == plan.token
    end(stacks, "returned")


def test_a_proposal_can_be_withdrawn(stacks, account):
    plan = plan_of("withdrawn", topic())
    stacks.withdraw(stacks.propose(plan, by="ada"))
    assert stacks.look("withdrawn") is None
    launch(stacks, plan)
    before = account.holds()
    stacks.withdraw(stacks.propose(plan_of("withdrawn", topic("other")), by="ada"))
    assert account.cloudformation.list_change_sets(StackName="withdrawn")["Summaries"][0]["ExecutionStatus"] == (
        "EXECUTE_COMPLETE"
    )
    assert account.holds() == before
    end(stacks, "withdrawn")


def test_a_creation_that_failed_leaves_nothing_and_can_be_tried_again(stacks, account):
    before = account.holds()
    broken = plan_of("broken", {**topic(), "Role": resource("IAM::Role", AssumeRolePolicyDocument={}, ManagedPolicyArns=["arn:aws:iam::aws:policy/nothing"])})  # fmt: skip
    found = launch(stacks, broken)
    assert (found.status, found.is_stuck) == ("ROLLBACK_COMPLETE", False)
    assert "nothing" in found.reason
    assert account.holds() == before
    assert launch(stacks, plan_of("broken", topic())).phase is Phase.LIVE
    end(stacks, "broken")
    assert account.holds() == before


def test_an_update_that_failed_is_a_difference_and_the_old_launch_goes_on(stacks, account):
    plan = plan_of("updated", topic())
    launch(stacks, plan)
    before = account.holds()
    bad = {**topic("other"), "Role": resource("IAM::Role", AssumeRolePolicyDocument={}, ManagedPolicyArns=["arn:aws:iam::aws:policy/nothing"])}  # fmt: skip
    broken = plan_of("updated", bad)
    found = launch(stacks, broken)
    assert found.is_rolled_back
    assert found.token == plan.token
    assert account.holds() == before
    differences = [str(one) for one in stacks.verify(broken)]
    assert any("what was before the last change (UPDATE_ROLLBACK_COMPLETE)" in one for one in differences)
    assert any("the plan: asked for" in one for one in differences)
    assert launch(stacks, plan_of("updated", topic("third"))).status == "UPDATE_COMPLETE"
    end(stacks, "updated")


def test_the_name_of_somebody_elses_stack_is_refused(stacks, account):
    body = template(topic())
    theirs = account.cloudformation.create_stack(StackName="of-others", TemplateBody=body)["StackId"]
    account.rests(theirs)
    plan = plan_of("of-others", topic("mine"))
    with pytest.raises(NameTakenError, match="no launch of hostfit"):
        stacks.propose(plan, by="ada")
    assert stacks.look("of-others") is None
    assert stacks.preview_removal("of-others") is None
    assert "of-others" not in [one.name for one in stacks.launched()]
    account.delete(theirs)


def test_an_empty_frame_of_somebody_else_is_not_ours(stacks, account):
    account.cloudformation.create_change_set(
        StackName="framed", ChangeSetName="theirs", ChangeSetType="CREATE", TemplateBody=template(topic())
    )
    with pytest.raises(NameTakenError):
        stacks.propose(plan_of("framed", topic()), by="ada")
    assert stacks.look("framed") is None
    account.cloudformation.delete_stack(StackName="framed")


def test_a_plan_of_another_region_is_refused(stacks):
    plan = plan_of("elsewhere", topic())
    with pytest.raises(InputError, match=r"must be the Region that the account is asked in, us-east-1"):
        stacks.propose(replace(plan, request=replace(plan.request, region="eu-west-1")), by="ada")


def test_the_end_of_a_launch_stays_until_another_is_asked_for(sandbox):
    clock = [datetime(2026, 1, 1, 12, tzinfo=UTC)]
    stacks = Stacks(sandbox.client, now=lambda: clock[0], pause=soon)
    launch(stacks, plan_of("mortal", topic("a"), time_to_live_h=2.0))
    assert stacks.look("mortal").expires == clock[0] + timedelta(hours=2)
    clock[0] += timedelta(hours=1)
    launch(stacks, plan_of("mortal", topic("b"), time_to_live_h=2.0))
    assert stacks.look("mortal").expires == clock[0] + timedelta(hours=1)
    launch(stacks, plan_of("mortal", topic("b"), time_to_live_h=5.0))
    assert stacks.look("mortal").expires == clock[0] + timedelta(hours=5)
    launch(stacks, plan_of("mortal", topic("b")))
    assert stacks.look("mortal").expires is None
    end(stacks, "mortal")


def test_a_launch_under_way_is_busy(stacks, account):
    plan = plan_of("busy", {**topic(), "Queue": resource("SQS::Queue")})
    proposal = stacks.propose(plan, by="ada")
    stacks.execute(proposal, confirmed(plan))
    try:
        with pytest.raises(BusyError, match="CREATE_IN_PROGRESS"):
            stacks.propose(plan_of("busy", topic("other")), by="ada")
    finally:
        until(lambda: stacks.look("busy").is_at_rest)
        end(stacks, "busy")
