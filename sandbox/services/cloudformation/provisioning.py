"""One resource at a time: created, changed, restored or deleted, with the events that say so.

Before anything is created its name is written down, and only if nothing has that name yet. So whatever interrupts
us, the store knows what may exist, and that it is ours to finish or to delete.
"""

import logging
import secrets
import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from botocore.exceptions import ClientError

from sandbox.errors import AwsError
from sandbox.services.cloudformation.calls import Calls, Refused
from sandbox.services.cloudformation.store import Resource, Stack, Stage, Store
from sandbox.services.cloudformation.types.resource_type import ALPHABET, Found, ResourceType

LOG = logging.getLogger(__name__)

INITIATED: Final = "Resource creation Initiated"
REPLACING: Final = "Requested update requires the creation of a new physical resource; hence creating one."
# Between two looks at a resource that is not settled: a part of the time waited so far, so that a wait is never
# much longer than what it waits for.
_PAUSE_PER_WAIT = 0.1
_SHORTEST_PAUSE_S, _LONGEST_PAUSE_S = 0.02, 0.5
_LONGEST_DELETION_S = 600.0


class Failed(Exception):
    """A resource could not be brought to where it should be; its event says why."""

    def __init__(self, resource: Resource) -> None:
        super().__init__(resource.reason)
        self.resource = resource


@dataclass(frozen=True, slots=True, kw_only=True)
class Provisioner:
    """Works on the resources of one stack."""

    store: Store
    call: Calls
    types: Mapping[str, ResourceType]
    stack: Stack
    go_on: Callable[[], None]  # raises if the operation has been overtaken or took too long

    def create(self, resource: Resource, *, word: str, note: str | None = None) -> Resource:
        """Create a resource, or finish creating it; `word` is CREATE, or UPDATE for a replacement.

        Raises: Failed.
        """
        started, done, failed = f"{word}_IN_PROGRESS", f"{word}_COMPLETE", f"{word}_FAILED"
        if resource.status != started:
            resource = self.store.report(self.stack, resource, started, note)

        def work() -> Resource:
            nonlocal resource
            kind = self._kind(resource)
            if resource.name is None:
                kind.checked(resource.properties)
                name = kind.name_of(resource.properties, self.stack.name, resource.logical_id, _suffix())
                if kind.find(self.call, name, resource.properties) is not None:
                    raise Refused(
                        f"Resource of type '{resource.type}' with identifier '{name}' already exists.", "AlreadyExists"
                    )
                resource = replace(resource, name=name)
                self.store.save(resource)
            name = _name(resource)
            if kind.find(self.call, name, resource.properties) is None:
                kind.create(self.call, name, resource.properties)
            if resource.physical_id is None:
                found = self._find(kind, resource)
                resource = replace(resource, physical_id=found.physical_id)
                resource = self.store.report(self.stack, resource, started, INITIATED)
            kind.configure(self.call, name, {}, resource.properties)
            self._until(lambda: kind.is_settled(self.call, name, resource.properties))
            found = self._find(kind, resource)
            return replace(resource, physical_id=found.physical_id, attributes=found.attributes, stage=Stage.READY)

        finished = self._attempt(work, lambda: resource, failed)
        return self.store.report(self.stack, finished, done)

    def change(self, resource: Resource, properties: Mapping[str, Any]) -> Resource:
        """Turn a resource into one with other properties, in place; tried again if it failed. Raises: Failed."""
        if resource.stage is not Stage.CHANGING or resource.properties != properties:
            again = resource.properties == properties
            come_from = resource.before if again and resource.before is not None else resource.properties
            before = resource.properties if resource.before is None else resource.before
            resource = replace(resource, before=before, properties=properties, stage=Stage.CHANGING)
            resource = self.store.report(self.stack, resource, "UPDATE_IN_PROGRESS")
        else:
            come_from = resource.before or {}
        return self._turn(resource, come_from)

    def restore(self, resource: Resource) -> Resource:
        """Turn a resource back into what it was before the update. Raises: Failed."""
        if resource.stage is not Stage.RESTORING:
            assert resource.before is not None, resource.logical_id  # noqa: S101 (or there is nothing to restore)
            back, left = resource.before, resource.properties
            resource = replace(resource, properties=back, before=left, stage=Stage.RESTORING)
        resource = self.store.report(self.stack, resource, "UPDATE_IN_PROGRESS")
        return self._turn(resource, resource.before or {})

    def _turn(self, resource: Resource, come_from: Mapping[str, Any]) -> Resource:
        def work() -> Resource:
            kind = self._kind(resource)
            kind.checked(resource.properties)
            name = _name(resource)
            self._until(lambda: not kind.is_busy(self.call, name))
            real = come_from if kind.is_sound(come_from) else resource.properties
            kind.configure(self.call, name, real, resource.properties)
            self._until(lambda: kind.is_settled(self.call, name, resource.properties))
            found = self._find(kind, resource)
            before = None if resource.stage is Stage.RESTORING else resource.before
            return replace(
                resource,
                physical_id=found.physical_id,
                attributes=found.attributes,
                before=before,
                stage=Stage.READY,
            )

        failed = Stage.RESTORING if resource.stage is Stage.RESTORING else Stage.BROKEN
        finished = self._attempt(work, lambda: resource, "UPDATE_FAILED", stage=failed)
        return self.store.report(self.stack, finished, "UPDATE_COMPLETE")

    def delete(self, resource: Resource, *, keep_record: bool) -> None:
        """Delete a resource; nothing happens if it does not exist. Raises: Failed."""
        if resource.name is not None:
            if resource.status != "DELETE_IN_PROGRESS":
                resource = self.store.report(self.stack, resource, "DELETE_IN_PROGRESS")
            self._attempt(lambda: self._deleted(resource), lambda: resource, "DELETE_FAILED", stage=resource.stage)
        self._leave(resource, "DELETE_COMPLETE", keep_record=keep_record)

    def retain(self, resource: Resource, *, keep_record: bool) -> None:
        """Let go of a resource without deleting it."""
        self._leave(resource, "DELETE_SKIPPED", keep_record=keep_record)

    def _leave(self, resource: Resource, status: str, *, keep_record: bool) -> None:
        gone = self.store.report(self.stack, replace(resource, stage=Stage.GONE), status)
        if not keep_record:
            self.store.drop(gone)

    def _deleted(self, resource: Resource) -> Resource:
        kind = self._kind(resource)
        for properties in (resource.before, resource.properties):  # of an update that failed, both may be there
            if properties is not None and kind.is_sound(properties):
                self._delete_by(kind, _name(resource), properties)
        return resource

    def _delete_by(self, kind: ResourceType, name: str, properties: Mapping[str, Any]) -> None:
        deadline = time.monotonic() + _LONGEST_DELETION_S

        def is_gone() -> bool:
            if kind.find(self.call, name, properties) is None:
                return True
            if time.monotonic() > deadline:
                raise Refused(f"It still exists {_LONGEST_DELETION_S:.0f} s after its deletion", "NotStabilized")
            if kind.is_busy(self.call, name):
                return False
            try:
                kind.delete(self.call, name, properties)
            except ClientError:
                if kind.find(self.call, name, properties) is not None:
                    raise
            return kind.find(self.call, name, properties) is None

        self._until(is_gone)

    def _until(self, happened: Callable[[], bool]) -> None:
        began = time.monotonic()
        while not happened():
            self.go_on()
            pause_s = _PAUSE_PER_WAIT * (time.monotonic() - began)
            time.sleep(min(max(pause_s, _SHORTEST_PAUSE_S), _LONGEST_PAUSE_S))

    def _find(self, kind: ResourceType, resource: Resource) -> Found:
        found = kind.find(self.call, _name(resource), resource.properties)
        if found is None:
            name = resource.name
            raise Refused(f"Resource of type '{resource.type}' with identifier '{name}' was not found.", "NotFound")
        return found

    def _kind(self, resource: Resource) -> ResourceType:
        if resource.type not in self.types:
            raise Refused(
                f"The sandbox does not emulate the resource type {resource.type}. "
                f"It does emulate: {', '.join(sorted(self.types))}"
            )
        return self.types[resource.type]

    def _attempt(
        self,
        work: Callable[[], Resource],
        latest: Callable[[], Resource],
        failed: str,
        *,
        stage: Stage = Stage.BROKEN,
    ) -> Resource:
        try:
            return work()
        except Refused as err:
            refusal = err
        except ClientError as err:
            refusal = Refused.by_service(err)
        except AwsError as err:
            refusal = Refused(err.message)
        except (AttributeError, IndexError, KeyError, TypeError, ValueError) as err:
            # The properties of a template are of any form, and not all of them pass a service's own check.
            LOG.warning("%s %s: malformed properties", failed, latest().logical_id, exc_info=True)
            refusal = Refused(f"Properties validation failed with message: malformed: {err!r}")
        reason = (
            f'Resource handler returned message: "{refusal.message}" '
            f"(RequestToken: {uuid.uuid4()}, HandlerErrorCode: {refusal.code})"
        )
        raise Failed(self.store.report(self.stack, replace(latest(), stage=stage), failed, reason)) from refusal


def _name(resource: Resource) -> str:
    assert resource.name is not None, resource.logical_id  # noqa: S101 (set before anything is done to it)
    return resource.name


def _suffix() -> str:
    return "".join(secrets.choice(ALPHABET) for _ in range(12))
