"""The operations on stacks, each in a thread of its own, taken up again after a restart.

A stack's status says which phase it is in; a phase can be run again from its start, as it does only what the store
does not yet call done. DeleteStack and CancelUpdateStack overtake a phase by changing the status.
"""

import logging
import threading
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from sandbox.errors import AwsError
from sandbox.services.cloudformation.calls import Calls
from sandbox.services.cloudformation.deployment import Deployment, Types
from sandbox.services.cloudformation.provisioning import Failed, Provisioner
from sandbox.services.cloudformation.store import Stack, Stage, Store, Version, now
from sandbox.services.cloudformation.template import Bound

LOG = logging.getLogger(__name__)

_CLEANING: Final = "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS"
_CLEANING_AFTER_ROLLBACK: Final = "UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS"
# Where a phase ends if the sandbox itself fails in it.
_WRECKED: Final = {
    "CREATE_IN_PROGRESS": "CREATE_FAILED",
    "ROLLBACK_IN_PROGRESS": "ROLLBACK_FAILED",
    "DELETE_IN_PROGRESS": "DELETE_FAILED",
    "UPDATE_IN_PROGRESS": "UPDATE_FAILED",
    _CLEANING: "UPDATE_COMPLETE",
    "UPDATE_ROLLBACK_IN_PROGRESS": "UPDATE_ROLLBACK_FAILED",
    _CLEANING_AFTER_ROLLBACK: "UPDATE_ROLLBACK_COMPLETE",
}


class Overtaken(Exception):
    """The stack's status is no longer that of this phase."""


class TookTooLong(Exception):
    """TimeoutInMinutes is over."""


class Engine:
    """Runs what is under way.

    `bind` gives the meaning of a version of a stack; `calls` the services of a region; `background` runs a function
    in a thread.
    """

    def __init__(
        self,
        store: Store,
        *,
        calls: Callable[[str], Calls],
        bind: Callable[[Stack, Version], Bound],
        types: Types,
        background: Callable[..., object],
    ) -> None:
        self._store = store
        self._calls = calls
        self._bind = bind
        self._types = types
        self._background = background
        self._running: set[str] = set()
        self._lock = threading.Lock()
        self._phases: dict[str, Callable[[Stack], None]] = {
            "CREATE_IN_PROGRESS": self._create,
            "ROLLBACK_IN_PROGRESS": self._roll_back_creation,
            "DELETE_IN_PROGRESS": self._delete,
            "UPDATE_IN_PROGRESS": self._update,
            _CLEANING: self._clean_up,
            "UPDATE_ROLLBACK_IN_PROGRESS": self._restore,
            _CLEANING_AFTER_ROLLBACK: self._clean_up,
        }

    def start(self, stack_id: str) -> None:
        """Go on with a stack in a thread of its own, unless one does already."""
        with self._lock:
            if stack_id in self._running:
                return
            self._running.add(stack_id)
        self._background(self.run, stack_id)

    def resume(self) -> None:
        """Take up every operation that was under way."""
        for stack in self._store.stacks():
            if stack.status in self._phases:
                self.start(stack.id)

    def run(self, stack_id: str) -> None:
        """Run one phase after the other until the stack rests."""
        while True:
            with self._lock:  # or the status could change between our look at it and our end
                stack = self._store.stack(stack_id)
                phase = self._phases.get(stack.status)
                if phase is None:
                    self._running.discard(stack_id)
                    return
            try:
                phase(stack)
            except Overtaken:
                continue
            except Exception:  # nobody waits for this thread: the stack itself has to say that it failed
                LOG.exception("%s failed in %s", stack.name, stack.status)
                reason = "The sandbox failed; its log says how. "
                self._store.advance(stack, _WRECKED[stack.status], reason)

    # Creation

    def _create(self, stack: Stack) -> None:
        began = datetime.fromisoformat(stack.began or stack.created)

        def go_on() -> None:
            self._still(stack)
            if stack.timeout_minutes and datetime.now(UTC) - began > timedelta(minutes=stack.timeout_minutes):
                raise TookTooLong

        deployment = self._deployment(stack, go_on)
        try:
            bound = self._bind(stack, stack.version)
            outputs = deployment.deploy(bound)
        except (Failed, AwsError) as err:
            self._give_up_creation(stack, _account("create", err))
        except TookTooLong:
            for resource in self._store.resources(stack.id):
                if resource.stage is Stage.MAKING:
                    broken = replace(resource, stage=Stage.BROKEN)
                    self._store.report(stack, broken, "CREATE_FAILED", "Resource creation cancelled")
            self._give_up_creation(stack, "Stack creation time exceeded the specified timeout. ")
        else:
            deployment.stands()
            self._move(stack, "CREATE_COMPLETE", outputs=outputs, description=bound.template.description)

    def _give_up_creation(self, stack: Stack, reason: str) -> None:
        if stack.on_failure == "DO_NOTHING":
            self._move(stack, "CREATE_FAILED", reason)
        elif stack.on_failure == "DELETE":
            self._move(stack, "DELETE_IN_PROGRESS", f"{reason}Delete requested by user.", deleted=now())
        else:
            self._move(stack, "ROLLBACK_IN_PROGRESS", f"{reason}Rollback requested by user.")

    def _roll_back_creation(self, stack: Stack) -> None:
        self._delete_all(stack, ("Retain",), done="ROLLBACK_COMPLETE", failed="ROLLBACK_FAILED")

    def _delete(self, stack: Stack) -> None:
        retained = ("Retain", "RetainExceptOnCreate")
        self._delete_all(stack, retained, done="DELETE_COMPLETE", failed="DELETE_FAILED")

    def _delete_all(self, stack: Stack, retain: Sequence[str], *, done: str, failed: str) -> None:
        remaining = self._deployment(stack).delete_all(retain=retain)
        if remaining:
            self._move(stack, failed, _listed("delete", remaining))
        else:
            self._store.trade(stack, {}, [])
            self._move(stack, done, outputs=())

    # Update

    def _update(self, stack: Stack) -> None:
        deployment = self._deployment(stack)
        try:
            bound = self._bind(stack, stack.version)
            outputs = deployment.deploy(bound)
        except (Failed, AwsError) as err:
            back = "UPDATE_ROLLBACK_IN_PROGRESS" if stack.previous else "ROLLBACK_IN_PROGRESS"
            self._move(stack, "UPDATE_FAILED" if stack.on_failure == "DO_NOTHING" else back, _account("update", err))
            return
        deployment.drop_removed(bound)
        self._move(stack, _CLEANING, outputs=outputs, description=bound.template.description)

    def _restore(self, stack: Stack) -> None:
        assert stack.previous is not None, stack.id  # noqa: S101 (an update under way has one)
        try:
            before = replace(stack, version=stack.previous)
            bound = self._bind(before, stack.previous)
            outputs = self._deployment(stack).restore(bound, stack.skipped)
        except (Failed, AwsError) as err:
            self._move(stack, "UPDATE_ROLLBACK_FAILED", _account("update", err))
            return
        described = bound.template.description
        self._move(stack, _CLEANING_AFTER_ROLLBACK, outputs=outputs, version=stack.previous, description=described)

    def _clean_up(self, stack: Stack) -> None:
        deployment = self._deployment(stack)
        deployment.clean_up()
        deployment.stands()
        done = "UPDATE_COMPLETE" if stack.status == _CLEANING else "UPDATE_ROLLBACK_COMPLETE"
        self._move(stack, done, previous=None, skipped=())

    # What the phases share

    def _deployment(self, stack: Stack, go_on: Callable[[], None] | None = None) -> Deployment:
        worker = Provisioner(
            store=self._store,
            call=self._calls(stack.region),
            types=self._types,
            stack=stack,
            go_on=go_on or (lambda: self._still(stack)),
        )
        return Deployment(store=self._store, types=self._types, stack=stack, worker=worker)

    def _still(self, stack: Stack) -> None:
        if self._store.stack(stack.id).status != stack.status:
            raise Overtaken

    def _move(self, stack: Stack, status: str, reason: str | None = None, **changes: Any) -> None:
        if not self._store.advance(stack, status, reason, **changes):
            raise Overtaken


def _account(verb: str, error: Exception) -> str:
    """Say which resources failed, as the stack's event does."""
    if isinstance(error, Failed):
        verb = "create" if error.resource.status == "CREATE_FAILED" else verb
        return _listed(verb, [error.resource.logical_id])
    return f"{error.message} " if isinstance(error, AwsError) else f"{error} "


def _listed(verb: str, names: Sequence[str]) -> str:
    return f"The following resource(s) failed to {verb}: [{', '.join(names)}]. "
