"""What AWS does to a launch that nobody asked for: no capacity, an alarm during an update, credentials that expire."""

import contextlib

import pytest

from launch.errors import CloudError
from launch.failures import Kind, explain_reason
from launch.launched import Phase
from sandbox.faults import Fault, Faults
from tests.launching import end, hosted, launch, plan_of, topic


@pytest.fixture
def mishap(sandbox):
    """Let something go wrong for a while."""
    faults = Faults(sandbox.settings.folder)

    @contextlib.contextmanager
    def happens(fault: Fault):
        faults.turn(fault, on=True)
        try:
            yield
        finally:
            faults.turn(fault, on=False)

    return happens


def guarded(archive: str, **environment: str):
    """An endpoint whose updates the alarm turns back."""
    found = hosted(archive, **environment)
    found["Endpoint"]["Properties"]["DeploymentConfig"] = {
        "BlueGreenUpdatePolicy": {"TrafficRoutingConfiguration": {"Type": "ALL_AT_ONCE", "WaitIntervalInSeconds": 0}},
        "AutoRollbackConfiguration": {"Alarms": [{"AlarmName": {"Ref": "Slow"}}]},
    }
    return found


def test_without_capacity_nothing_is_left_and_the_reason_says_what_to_do(stacks, account, archive, mishap):
    before = account.holds()
    with mishap(Fault.CAPACITY):
        found = launch(stacks, plan_of("no-room", guarded(archive)))
    assert found.status == "ROLLBACK_COMPLETE"
    failure = explain_reason(found.reason)
    assert (failure.kind, "choose another instance type" in failure.to_do) == (Kind.CAPACITY, True)
    assert account.holds() == before
    end(stacks, "no-room")


def test_an_update_that_an_alarm_turns_back_is_a_loud_failure(stacks, account, archive, mishap):
    plan = plan_of("alarmed", guarded(archive))
    launch(stacks, plan)
    before = account.holds()
    changed = plan_of("alarmed", guarded(archive, NEW="1"))
    with mishap(Fault.ALARM):
        found = launch(stacks, changed)
    assert (found.is_rolled_back, found.token) == (True, plan.token)
    assert "alarm" in found.reason.lower()
    assert stacks.verify(changed) != ()
    assert stacks.verify(plan) == ()
    assert account.holds() == before  # the new configuration is gone, the old one serves
    assert launch(stacks, changed).status == "UPDATE_COMPLETE"
    assert stacks.verify(changed) == ()
    end(stacks, "alarmed")


def test_expired_credentials_stop_the_looking_and_not_the_launch(stacks, mishap):
    plan = plan_of("expired", topic())
    launch(stacks, plan)
    with mishap(Fault.EXPIRED), pytest.raises(CloudError, match="Renew the credentials") as caught:
        stacks.look("expired")
    assert caught.value.failure.kind is Kind.CREDENTIALS
    assert stacks.look("expired").phase is Phase.LIVE
    end(stacks, "expired")
