"""Propose a plan as a change set and, once confirmed, execute it.

Whoever proposes the same plan for the same state of the account finds the same change set, and a change set is
executed once: a double click, a reload, a second replica or a repeated call start one launch.
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from botocore.exceptions import ClientError

from fitness.errors import InputError, Problem
from launch.checks import check_change
from launch.clients import explained
from launch.errors import BusyError, CloudError, NameTakenError, RefusedError, StuckError
from launch.failures import explain_reason
from launch.launched import EXPIRES_TAG, TAG, Launched, Phase, launched_of, time_of
from launch.looking import Looking, is_absent
from launch.plan import Confirmation, Plan
from launch.proposals import (
    CREATE,
    UPDATE,
    Proposal,
    change_set_name,
    changes_of,
    end_of,
    execution_token,
    is_same_end,
    job_change,
    starts_job,
    tags_of,
    template_text,
)

_CAPABILITIES: Final = ("CAPABILITY_IAM", "CAPABILITY_NAMED_IAM")
# Words of a change set's reason that say that nothing would change. Source: CloudFormation user guide, "Troubleshooting
# change sets", and the answers of the service, read 2026-11-21.
_NOTHING: Final = ("didn't contain changes", "no updates are to be performed")
_FIRST_PAUSE_S, _LONGEST_PAUSE_S, _LONGEST_WAIT_S = 0.1, 2.0, 180.0


class Proposing(Looking):
    """Change sets of launches."""

    def propose(self, plan: Plan, *, by: str) -> Proposal:
        """Give what a plan would change, as a change set that waits; a dead leftover of the name is cleared away.

        Raises: InputError for a plan of another Region, NameTakenError, BusyError, StuckError, CloudError.
        """
        region = self.clients("cloudformation").meta.region_name
        if plan.request.region != region:
            message = f"must be the Region that the account is asked in, {region}, got {plan.request.region}"
            raise InputError([Problem(path="$.region", message=message)])
        with explained():
            stack = self._stack_for(plan)
            if stack is not None and stack.request is not None:
                check_change(stack.request, plan.request)
            if stack is not None and stack.token == plan.token and not stack.is_rolled_back:
                return _nothing_to_do(plan, stack, by)
            try:
                return self._change_set(plan, stack, by)
            except ClientError:
                if self._has_changed(plan.request.name, stack):
                    raise BusyError(f"{plan.request.name} was begun by somebody else meanwhile; look again") from None
                raise

    def execute(self, proposal: Proposal, confirmation: Confirmation) -> str | None:
        """Begin what was proposed and confirmed; nothing happens if that was begun already, by whomever.

        Gives the change set that was executed, which is another's of the same plan where that one was faster; None
        where nothing is to be done. Raises: RefusedError, CloudError.
        """
        check(confirmation, token=proposal.plan.token, usd_per_hour=proposal.price.usd_per_hour)
        if proposal.change_set_id is None:
            return None
        with explained():
            try:
                self.clients("cloudformation").execute_change_set(
                    ChangeSetName=proposal.change_set_id, ClientRequestToken=execution_token(proposal.change_set_id)
                )
            except ClientError as err:
                if (begun := self._begun(proposal)) is not None:
                    return begun
                if is_absent(err) or err.response["Error"]["Code"].startswith("InvalidChangeSetStatus"):
                    raise RefusedError(
                        f"{proposal.plan.request.name} has changed since this was proposed, and nothing was done; "
                        "look at what would change now, and confirm that."
                    ) from err
                raise
        return proposal.change_set_id

    def withdraw(self, proposal: Proposal) -> None:
        """Drop a proposal that nobody confirmed, with the empty frame of a stack that nobody else proposes for.

        Raises: CloudError.
        """
        if proposal.change_set_id is not None:
            with explained():
                self._drop(proposal.change_set_id, proposal.stack_id)

    def continue_rollback(self, name: str) -> None:
        """Let a stack in UPDATE_ROLLBACK_FAILED go on returning to what stood before its update.

        Raises: RefusedError if it is in another state, CloudError.
        """
        found = self.look(name)
        if found is None or found.status != "UPDATE_ROLLBACK_FAILED":
            status = "there is no such launch" if found is None else f"it is in {found.status}"
            raise RefusedError(f"only a rollback that failed (UPDATE_ROLLBACK_FAILED) can go on; {name}: {status}")
        with explained():
            self.clients("cloudformation").continue_update_rollback(StackName=found.stack_id)

    def _stack_for(self, plan: Plan) -> Launched | None:
        """The launch that a plan would change; None where it would be created."""
        name = plan.request.name
        stack = self.described(name)
        if stack is None:
            self._check_name_is_free(name)
            return None
        found = launched_of(stack)
        if not self.is_ours(found):
            raise NameTakenError(
                f"there is a CloudFormation stack called {name} that is no launch of hostfit; choose another name"
            )
        if found.phase is Phase.PROPOSED:
            return None
        if not found.is_at_rest:
            raise BusyError(f"{name} is in {found.status}; wait until that is over")
        if found.is_stuck:
            reason = found.status_reason or "no reason was given"
            raise StuckError(f"{name} is in {found.status}, which an update can't leave: {reason}. {_way_out(found)}")
        if found.phase is Phase.FAILED:  # a creation that was rolled back: nothing is left but the stack itself
            self.clients("cloudformation").delete_stack(StackName=found.stack_id)
            self._until(lambda: self._is_gone(found.stack_id), f"the leftover of {name} was not removed")
            self._check_name_is_free(name)
            return None
        found = self.look(found.stack_id) or found
        return found

    def _check_name_is_free(self, name: str) -> None:
        sagemaker = self.clients("sagemaker")
        try:
            endpoint = sagemaker.describe_endpoint(EndpointName=name)
        except ClientError as err:
            if "could not find" in err.response["Error"].get("Message", "").lower():
                return
            raise
        tags = sagemaker.list_tags(ResourceArn=endpoint["EndpointArn"])["Tags"]
        if any(tag["Key"] == TAG for tag in tags):
            raise NameTakenError(
                f"there is an endpoint called {name}, left over from a launch whose stack is gone; "
                "`python -m launch sweep` finds and removes it"
            )
        raise NameTakenError(f"there is an endpoint called {name} that is no launch of hostfit; choose another name")

    def _change_set(self, plan: Plan, stack: Launched | None, by: str) -> Proposal:
        """Create the change set, or find the one that is there."""
        cloudformation = self.clients("cloudformation")
        kind = CREATE if stack is None else UPDATE
        name = change_set_name(plan, stack, by)
        expires = end_of(plan, stack, self.now())
        asked: dict[str, Any] = {
            "StackName": plan.request.name if stack is None else stack.stack_id,
            "ChangeSetName": name,
            "ChangeSetType": kind,
            "TemplateBody": template_text(plan),
            "Parameters": [
                {"ParameterKey": key, "ParameterValue": value} for key, value in sorted(plan.parameters.items())
            ],
            "Capabilities": list(_CAPABILITIES),
            "Tags": tags_of(plan, by=by, expires=expires, job=job_change(plan, stack, name)),
        }
        try:
            cloudformation.create_change_set(**asked)
            answer = self._computed(asked["StackName"], name)
        except ClientError as err:
            if err.response["Error"]["Code"] != "AlreadyExistsException":
                raise
            answer = self._computed(asked["StackName"], name)
            if not _can_be_executed(answer) or not is_same_end(_end(answer), expires):
                cloudformation.delete_change_set(ChangeSetName=answer["ChangeSetId"])
                cloudformation.create_change_set(**asked)
                answer = self._computed(asked["StackName"], name)
        if answer["Status"] == "FAILED":
            self._drop(answer["ChangeSetId"], answer["StackId"])
            reason = answer.get("StatusReason", "")
            if stack is not None and any(words in reason.lower() for words in _NOTHING):
                return _nothing_to_do(plan, stack, by)
            raise CloudError(explain_reason(reason))
        return Proposal(
            plan=plan,
            kind=kind,
            stack_id=answer["StackId"],
            change_set_id=answer["ChangeSetId"],
            changes=changes_of(answer["Changes"]),
            before=stack,
            starts_job=starts_job(plan, stack),
            by=by,
            expires=_end(answer),
        )

    def _computed(self, stack: str, name: str) -> Mapping[str, Any]:
        """A change set with all its changes, once CloudFormation has computed them."""
        cloudformation = self.clients("cloudformation")
        which = {"StackName": stack, "ChangeSetName": name, "IncludePropertyValues": True}
        answer: dict[str, Any] = {}

        def is_computed() -> bool:
            answer.update(cloudformation.describe_change_set(**which))
            return not answer["Status"].endswith(("PENDING", "IN_PROGRESS"))

        self._until(is_computed, f"the change set {name} was not computed")
        while answer.get("NextToken"):
            page = cloudformation.describe_change_set(**which, NextToken=answer.pop("NextToken"))
            answer = {**page, "Changes": [*answer["Changes"], *page["Changes"]]}
        return answer

    def _drop(self, change_set_id: str, stack_id: str) -> None:
        """Delete a change set, and the frame of a stack for which there is no other."""
        cloudformation = self.clients("cloudformation")
        try:
            cloudformation.delete_change_set(ChangeSetName=change_set_id)
        except ClientError as err:
            if not is_absent(err):
                raise
        stack = self.described(stack_id)
        is_frame = stack is not None and stack["StackStatus"] == "REVIEW_IN_PROGRESS"
        if is_frame and not cloudformation.list_change_sets(StackName=stack_id)["Summaries"]:
            cloudformation.delete_stack(StackName=stack_id)

    def _has_changed(self, name: str, before: Launched | None) -> bool:
        """Whether an operation on a stack was begun since it was looked at."""
        stack = self.described(name)
        if stack is None or stack["StackStatus"] == "REVIEW_IN_PROGRESS":
            return before is not None
        now = (stack["StackStatus"], stack.get("ChangeSetId"))
        return before is None or (before.status, before.change_set_id) != now

    def _begun(self, proposal: Proposal) -> str | None:
        """The change set that was executed last, where it is this one or another of the same plan."""
        stack = self.described(proposal.plan.request.name)
        if stack is None:
            return None
        found = launched_of(stack)
        is_this = found.change_set_id == proposal.change_set_id or found.token == proposal.plan.token
        return found.change_set_id if is_this and found.phase is not Phase.PROPOSED else None

    def _is_gone(self, stack_id: str) -> bool:
        stack = self.described(stack_id)
        if stack is not None and stack["StackStatus"] == "DELETE_FAILED":
            raise StuckError(f"{stack['StackName']} can't be removed: {stack.get('StackStatusReason')}")
        return stack is None or stack["StackStatus"] == "DELETE_COMPLETE"

    def _until(self, happened: Callable[[], bool], otherwise: str) -> None:
        pause_s, waited_s = _FIRST_PAUSE_S, 0.0
        while not happened():
            if waited_s > _LONGEST_WAIT_S:
                raise BusyError(f"{otherwise} within {_LONGEST_WAIT_S:.0f} s; try again")
            self.pause(pause_s)
            waited_s += pause_s
            pause_s = min(pause_s * 2, _LONGEST_PAUSE_S)


def check(confirmation: Confirmation, *, token: str, usd_per_hour: Decimal) -> None:
    """Compare a confirmation with what it must confirm. Raises: RefusedError."""
    if confirmation.token != token:
        raise RefusedError(
            "what was confirmed is not what would be done now; nothing was done. Look again, and confirm."
        )
    if confirmation.usd_per_hour != usd_per_hour:
        raise RefusedError(
            f"the confirmed price is {confirmation.usd_per_hour} USD/h, the real one {usd_per_hour} USD/h; "
            "nothing was done"
        )
    if not confirmation.by.strip():
        raise RefusedError("a confirmation says who gives it; nothing was done")


def _nothing_to_do(plan: Plan, stack: Launched, by: str) -> Proposal:
    return Proposal(
        plan=plan,
        kind=UPDATE,
        stack_id=stack.stack_id,
        change_set_id=None,
        changes=(),
        before=stack,
        starts_job=False,
        by=by,
        expires=stack.expires,
    )


def _can_be_executed(answer: Mapping[str, Any]) -> bool:
    return (answer["Status"], answer["ExecutionStatus"]) == ("CREATE_COMPLETE", "AVAILABLE")


def _end(answer: Mapping[str, Any]) -> datetime | None:
    """The end of the launch that a change set asks for."""
    return next((time_of(tag["Value"]) for tag in answer.get("Tags", []) if tag["Key"] == EXPIRES_TAG), None)


def _way_out(stack: Launched) -> str:
    """What leads out of a state that an update can't leave."""
    if stack.status == "UPDATE_ROLLBACK_FAILED":
        return (
            f"Mend what the reason says, then `python -m launch update FILE --continue-rollback`, "
            f"or remove it: `python -m launch down {stack.name}`."
        )
    return f"Remove it: `python -m launch down {stack.name}`."
