"""CloudFormation: stacks whose resources are made by calls to the sandbox's own services."""

from typing import Any

from sandbox.errors import AwsError
from sandbox.services.cloudformation.change_sets import UPDATABLE, ChangeSets
from sandbox.services.cloudformation.document import Invalid
from sandbox.services.cloudformation.stacks import fingerprint
from sandbox.services.cloudformation.store import Stack, now
from sandbox.services.service import Answer, Context, Params

_BUSY_UPDATING = ("UPDATE_IN_PROGRESS", "UPDATE_ROLLBACK_IN_PROGRESS", "CLEANUP_IN_PROGRESS")


class CloudFormation(ChangeSets):
    """The operations that change stacks; looking and change sets are inherited."""

    def create_stack(self, context: Context, params: Params) -> Answer:
        """Create a stack in the background."""
        known = self.store.find(context.region, params["StackName"])
        if known is not None:
            if self._is_repeated(known, params):
                return {"StackId": known.id}
            raise AwsError("AlreadyExistsException", f"Stack [{known.name}] already exists")
        if "OnFailure" in params and "DisableRollback" in params:
            raise Invalid("You may not specify both DisableRollback and OnFailure.")
        version = self.asked(context, params, None)
        stack = self.new_stack(context, params, version, "REVIEW_IN_PROGRESS")
        self.bind(stack, version)  # what can't be evaluated at all is refused at once
        on_failure = "DO_NOTHING" if params.get("DisableRollback") else params.get("OnFailure", "ROLLBACK")
        token = params.get("ClientRequestToken")
        created = Stack(
            id=stack.id, name=stack.name, region=stack.region, status="CREATE_IN_PROGRESS", reason="User Initiated",
            created=stack.created, began=stack.created, version=version, on_failure=on_failure,
            protected=params.get("EnableTerminationProtection", False), timeout_minutes=params.get("TimeoutInMinutes"),
            role_arn=params.get("RoleARN"), token=token,
        )  # fmt: skip
        self.store.add_stack(created)
        self._remember(created, params)
        self.engine.start(created.id)
        return {"StackId": created.id}

    def update_stack(self, context: Context, params: Params) -> Answer:
        """Update a stack in the background."""
        stack = self.store.find(context.region, params["StackName"])
        if stack is None:
            raise Invalid(f"Stack [{params['StackName']}] does not exist")
        if self._is_repeated(stack, params):
            return {"StackId": stack.id}
        if stack.status not in UPDATABLE:
            raise Invalid(f"Stack:{stack.id} is in {stack.status} state and can not be updated.")
        version = self.asked(context, params, stack.version)
        after, changes = self.changes(stack, version)
        if stack.status.endswith("COMPLETE") and self.stays(stack, version, after, changes):
            raise Invalid("No updates are to be performed.")
        on_failure = "DO_NOTHING" if params.get("DisableRollback") else "ROLLBACK"
        if not self.begin_update(stack, version, on_failure=on_failure, token=params.get("ClientRequestToken")):
            raise _overtaken(stack)
        self._remember(stack, params)
        return {"StackId": stack.id}

    def delete_stack(self, context: Context, params: Params) -> None:
        """Delete a stack in the background; one that does not exist is no error."""
        stack = self.store.find(context.region, params["StackName"])
        if stack is None or stack.status in {"DELETE_COMPLETE", "DELETE_IN_PROGRESS"}:
            return
        if stack.protected:
            raise Invalid(f"Stack [{stack.name}] cannot be deleted while TerminationProtection is enabled")
        if stack.status.endswith(_BUSY_UPDATING):
            raise Invalid(f"Stack [{stack.name}] cannot be deleted while in status {stack.status}")
        for name, (_, owner) in self.store.exports(context.region).items():
            users = [self.store.stack(user).name for user in self.store.importers(context.region, name)]
            if owner == stack.id and users:
                raise Invalid(f"Delete canceled. Cannot delete export {name} as it is in use by {', '.join(users)}.")
        retained = params.get("RetainResources", [])
        if retained and stack.status != "DELETE_FAILED":
            raise Invalid("Invalid operation on stack. Only stacks in DELETE_FAILED status can retain resources.")
        if params.get("DeletionMode") == "FORCE_DELETE_STACK":
            stuck = [one for one in self.store.resources(stack.id) if one.status == "DELETE_FAILED"]
            retained = [*retained, *(one.logical_id for one in stuck)]
        token = params.get("ClientRequestToken")
        if not self.begin(stack, "DELETE_IN_PROGRESS", skipped=retained, deleted=now(), token=token):
            raise _overtaken(stack)

    def cancel_update_stack(self, context: Context, params: Params) -> None:
        """Turn an update round."""
        stack = self.existing(context, params["StackName"])
        back = _way_back(stack)
        if stack.status != "UPDATE_IN_PROGRESS" or not self.begin(stack, back, token=params.get("ClientRequestToken")):
            raise Invalid("CancelUpdateStack cannot be called from current stack status")

    def continue_update_rollback(self, context: Context, params: Params) -> None:
        """Try again to bring back the last version, without the resources that are to be skipped."""
        stack = self.existing(context, params["StackName"])
        skipped = params.get("ResourcesToSkip", [])
        strangers = sorted(set(skipped) - set(self.current(stack)))
        if strangers:
            raise Invalid(f"Resources [{', '.join(strangers)}] do not exist in stack {stack.name}")
        token = params.get("ClientRequestToken")
        if stack.status != "UPDATE_ROLLBACK_FAILED" or not self.begin(
            stack, "UPDATE_ROLLBACK_IN_PROGRESS", skipped=skipped, token=token
        ):
            raise Invalid(
                f"Stack:{stack.id} is in {stack.status} state and can not be rolled back: only a stack in "
                "UPDATE_ROLLBACK_FAILED state can be."
            )

    def rollback_stack(self, context: Context, params: Params) -> Answer:
        """Bring back the last version after a failure that was not rolled back."""
        stack = self.existing(context, params["StackName"])
        if stack.status not in {"CREATE_FAILED", "UPDATE_FAILED"} or not self.begin(
            stack, _way_back(stack), token=params.get("ClientRequestToken")
        ):
            raise Invalid(f"Stack:{stack.id} is in {stack.status} state and can not be rolled back.")
        return {"StackId": stack.id}

    def update_termination_protection(self, context: Context, params: Params) -> Answer:
        """Protect a stack from deletion, or no more."""
        stack = self.existing(context, params["StackName"])
        self.store.amend(stack.id, protected=params["EnableTerminationProtection"])
        return {"StackId": stack.id}

    def _is_repeated(self, stack: Stack, params: Params) -> bool:
        """Say whether this very request came before. Raises: AwsError if another came with its token."""
        token = params.get("ClientRequestToken")
        known = None if token is None else self.store.request_of(stack.id, token)
        if known is not None and known != fingerprint(params):
            raise AwsError("TokenAlreadyExistsException", f"A client request token already exists: {token}")
        return known is not None

    def _remember(self, stack: Stack, params: dict[str, Any]) -> None:
        token = params.get("ClientRequestToken")
        if token is not None:
            self.store.remember(stack.id, token, fingerprint(params))


def _way_back(stack: Stack) -> str:
    return "UPDATE_ROLLBACK_IN_PROGRESS" if stack.previous else "ROLLBACK_IN_PROGRESS"


def _overtaken(stack: Stack) -> Invalid:
    return Invalid(f"Stack:{stack.id} is in another state than {stack.status} by now")
