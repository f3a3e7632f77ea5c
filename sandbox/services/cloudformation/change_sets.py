"""Change sets: what an update or a creation would do, looked at before it is done."""

import uuid
from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime
from typing import Any

from sandbox.errors import AwsError, NotEmulated
from sandbox.services.cloudformation.changes import without_values
from sandbox.services.cloudformation.document import Invalid
from sandbox.services.cloudformation.reading import Reading, shown_parameters
from sandbox.services.cloudformation.stacks import fingerprint, page
from sandbox.services.cloudformation.store import Stack, Version, now
from sandbox.services.service import Answer, Context, Params

UPDATABLE = frozenset(
    {"CREATE_COMPLETE", "UPDATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE", "CREATE_FAILED", "UPDATE_FAILED"}
)
_NOTHING = "The submitted information didn't contain changes. Submit different information to create a change set."


class ChangeSets(Reading):
    """CreateChangeSet, DescribeChangeSet, ListChangeSets, ExecuteChangeSet, DeleteChangeSet."""

    def create_change_set(self, context: Context, params: Params) -> Answer:
        """Compute what would change; for a new stack, make its empty frame first."""
        kind = params.get("ChangeSetType", "UPDATE")
        if kind == "IMPORT" or params.get("ImportExistingResources") or params.get("IncludeNestedStacks"):
            raise NotEmulated("imports and nested stacks of change sets")
        name = params["ChangeSetName"]
        known = self.store.find(context.region, params["StackName"])
        if known is not None:
            same = next((one for one in self.store.change_sets(known.id) if one["name"] == name), None)
            if same is not None and params.get("ClientToken") and same["request"] == fingerprint(params):
                return {"Id": same["id"], "StackId": known.id}
            if same is not None:
                raise AwsError("AlreadyExistsException", f"ChangeSet {name} cannot be created due to a name conflict")
        stack = self._stack_for(context, params, kind, known)
        version = self.asked(context, params, None if kind == "CREATE" else stack.version)
        if known is None:
            self.store.add_stack(stack)
        bound, changes = self.changes(stack, version)
        empty = kind == "UPDATE" and self.stays(stack, version, bound, changes)
        change_set = {
            "id": f"arn:aws:cloudformation:{context.region}:{context.account}:changeSet/{name}/{uuid.uuid4()}",
            "name": name,
            "request": fingerprint(params),
            "kind": kind,
            "stack_id": stack.id,
            "description": params.get("Description"),
            "created": now(),
            "version": asdict(version),
            "changes": changes,
            "on_failure": params.get("OnStackFailure"),
            "status": "FAILED" if empty else "CREATE_COMPLETE",
            "reason": _NOTHING if empty else None,
            "execution": "UNAVAILABLE" if empty else "AVAILABLE",
        }
        self.store.add_change_set(stack.id, change_set)
        return {"Id": change_set["id"], "StackId": stack.id}

    def _stack_for(self, context: Context, params: Params, kind: str, known: Stack | None) -> Stack:
        name = params["StackName"]
        if kind == "UPDATE":
            if known is None:
                raise Invalid(f"Stack [{name}] does not exist")
            if known.status not in UPDATABLE:
                raise Invalid(f"Stack:{known.id} is in {known.status} state and can not be updated.")
            return known
        if known is not None and known.status != "REVIEW_IN_PROGRESS":
            raise Invalid(
                f"Stack [{name}] already exists and cannot be created again with the changeSet "
                f"[{params['ChangeSetName']}]."
            )
        return known or self.new_stack(
            context, params, Version(template="", parameters={}, tags=()), "REVIEW_IN_PROGRESS"
        )

    def new_stack(self, context: Context, params: Params, version: Version, status: str) -> Stack:
        """Give a stack that is not stored yet."""
        name = params["StackName"]
        if not name.replace("-", "").isalnum() or not name.isascii() or not name[0].isalpha() or len(name) > 128:
            raise Invalid(
                f"1 validation error detected: Value '{name[:128]}' at 'stackName' failed to satisfy constraint: "
                "Member must satisfy regular expression pattern: [a-zA-Z][-a-zA-Z0-9]*"
            )
        return Stack(
            id=f"arn:aws:cloudformation:{context.region}:{context.account}:stack/{name}/{uuid.uuid4()}",
            name=name,
            region=context.region,
            status=status,
            reason="User Initiated",
            created=now(),
            version=version,
            role_arn=params.get("RoleARN"),
        )

    def describe_change_set(self, context: Context, params: Params) -> Answer:
        """Give a change set with its changes."""
        change_set = self.found_change_set(context, params)
        version = Version(**change_set["version"])
        shown, token = page(change_set["changes"], params.get("NextToken"))
        if not params.get("IncludePropertyValues"):
            shown = [without_values(change) for change in shown]
        return {
            **self._summary(change_set),
            "Parameters": shown_parameters(version),
            "RollbackConfiguration": {},
            "NotificationARNs": [],
            "Capabilities": list(version.capabilities),
            "Tags": list(version.tags),
            "Changes": shown,
            "NextToken": token,
            "OnStackFailure": change_set["on_failure"],
        }

    def list_change_sets(self, context: Context, params: Params) -> Answer:
        """Give a line for each change set of a stack."""
        stack = self.existing(context, params["StackName"])
        shown, token = page(self.store.change_sets(stack.id), params.get("NextToken"))
        return {"Summaries": [self._summary(change_set) for change_set in shown], "NextToken": token}

    def _summary(self, change_set: Mapping[str, Any]) -> dict[str, Any]:
        stack = self.store.stack(change_set["stack_id"])
        return {
            "ChangeSetId": change_set["id"],
            "ChangeSetName": change_set["name"],
            "StackId": stack.id,
            "StackName": stack.name,
            "Status": change_set["status"],
            "StatusReason": change_set["reason"],
            "ExecutionStatus": change_set["execution"],
            "CreationTime": datetime.fromisoformat(change_set["created"]),
            "Description": change_set["description"],
            "IncludeNestedStacks": False,
        }

    def execute_change_set(self, context: Context, params: Params) -> None:
        """Do what a change set says; the other change sets of the stack are void then."""
        change_set = self.found_change_set(context, params)
        stack = self.store.stack(change_set["stack_id"])
        token = params.get("ClientRequestToken")
        if token is not None and self.store.request_of(stack.id, token) == fingerprint(params):
            return
        if change_set["execution"] != "AVAILABLE":
            shown = change_set["status"] if change_set["execution"] == "UNAVAILABLE" else change_set["execution"]
            raise AwsError(
                "InvalidChangeSetStatus",
                f"ChangeSet [{change_set['id']}] cannot be executed in its current status of [{shown}]",
            )
        kept = params.get("DisableRollback") or change_set["on_failure"] == "DO_NOTHING"
        on_failure = "DO_NOTHING" if kept else change_set["on_failure"] or "ROLLBACK"
        version = Version(**change_set["version"])
        if change_set["kind"] == "CREATE":
            begun = self.begin(
                stack, "CREATE_IN_PROGRESS", version=version, on_failure=on_failure, token=token,
                change_set_id=change_set["id"],
            )  # fmt: skip
        else:
            begun = self.begin_update(
                stack, version, on_failure=on_failure, token=token, change_set_id=change_set["id"]
            )
        if not begun:
            raise AwsError("InvalidChangeSetStatus", f"Stack {stack.name} is in {stack.status} state")
        if token is not None:
            self.store.remember(stack.id, token, fingerprint(params))
        for other in self.store.change_sets(stack.id):
            if other["id"] != change_set["id"]:
                self.store.drop_change_set(other["id"])
        self.store.save_change_set({**change_set, "execution": "EXECUTE_COMPLETE"})

    def delete_change_set(self, context: Context, params: Params) -> None:
        """Forget a change set; one that does not exist is no error."""
        try:
            change_set = self.found_change_set(context, params)
        except AwsError as err:
            if err.code == "ChangeSetNotFound" and not params["ChangeSetName"].startswith("arn:"):
                return
            raise
        self.store.drop_change_set(change_set["id"])

    def begin(self, stack: Stack, status: str, **changes: Any) -> bool:
        """Start an operation, if the stack still is as it was read."""
        if not self.store.advance(stack, status, "User Initiated", began=now(), **changes):
            return False
        self.engine.start(stack.id)
        return True

    def begin_update(self, stack: Stack, version: Version, *, on_failure: str, **changes: Any) -> bool:
        """Start an update; what it returns to on failure is the last version that stood."""
        stood: dict[str, Version | None] = {"CREATE_FAILED": None, "UPDATE_FAILED": stack.previous}
        begun = self.begin(
            stack,
            "UPDATE_IN_PROGRESS",
            version=version,
            previous=stood.get(stack.status, stack.version),
            on_failure=on_failure,
            updated=now(),
            skipped=(),
            **changes,
        )
        for change_set in self.store.change_sets(stack.id) if begun else ():
            if change_set["execution"] == "AVAILABLE":
                self.store.save_change_set({**change_set, "execution": "OBSOLETE"})
        return begun
