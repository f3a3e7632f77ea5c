"""All resources of a stack: made what a version says, brought back to the last one, or deleted."""

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sandbox.errors import AwsError
from sandbox.services.cloudformation.document import Invalid
from sandbox.services.cloudformation.provisioning import REPLACING, Failed, Provisioner
from sandbox.services.cloudformation.store import Resource, Stack, Stage, Store
from sandbox.services.cloudformation.template import Bound, in_order
from sandbox.services.cloudformation.types.resource_type import ResourceType

LOG = logging.getLogger(__name__)

Types = Mapping[str, ResourceType]


@dataclass(frozen=True, slots=True, kw_only=True)
class Deployment:
    """What is done to the resources of one stack, one after the other. Every step can be repeated."""

    store: Store
    types: Types
    stack: Stack
    worker: Provisioner

    def deploy(self, bound: Bound) -> list[dict[str, str]]:
        """Make the resources what a version says; gives the outputs then. Raises: Failed, AwsError."""
        for name in bound.order:
            self.worker.go_on()
            self._bring(bound, name)
        return self.trade(bound)

    def drop_removed(self, bound: Bound) -> None:
        """Mark the resources that the version has no more as superseded."""
        removed = [one for one in self._there() if one.logical_id not in bound.active]
        self.store.save(*(replace(one, current=False, replace_policy=one.deletion_policy) for one in removed))

    def restore(self, bound: Bound, skipped: Sequence[str]) -> list[dict[str, str]]:
        """Bring the resources back to the last version that stood; gives its outputs. Raises: Failed, AwsError."""
        self._swap_back()
        current = {one.logical_id: one for one in self._there()}
        for name in bound.order:
            resource = current.get(name)
            if resource is None:
                continue
            self.worker.go_on()
            if name in skipped:
                kept = None if resource.stage is Stage.RESTORING else resource.before
                properties = resource.properties if kept is None else kept
                resource = replace(resource, before=None, properties=properties, stage=Stage.READY)
                resource = self.store.report(self.stack, resource, "UPDATE_COMPLETE")
            elif resource.before is not None:
                resource = self.worker.restore(resource)
            elif resource.status.endswith("FAILED"):
                resource = self.store.report(self.stack, replace(resource, stage=Stage.READY), "UPDATE_COMPLETE")
            self.store.save(replace(resource, **_declared(bound, name)))
        return self.trade(bound)

    def _swap_back(self) -> None:
        swapped = []
        for resource in self.store.resources(self.stack.id):
            if resource.current and resource.fresh:
                policy = "Retain" if resource.deletion_policy == "Retain" else "Delete"
                swapped.append(replace(resource, current=False, replace_policy=policy))
            elif not resource.current and not resource.fresh and resource.stage is not Stage.LEFT:
                swapped.append(replace(resource, current=True))
        self.store.save(*swapped)

    def clean_up(self) -> None:
        """Delete what was replaced or removed. What can't be deleted stays on record for the next clean-up."""
        for resource in to_delete([one for one in self.store.resources(self.stack.id) if not one.current]):
            self.worker.go_on()
            if resource.replace_policy != "Delete" and resource.name is not None:
                self.worker.retain(resource, keep_record=False)
                continue
            try:
                self.worker.delete(resource, keep_record=False)
            except Failed as err:
                LOG.warning("%s could not delete %s", self.stack.name, resource.physical_id)
                self.store.save(replace(err.resource, stage=Stage.LEFT))

    def delete_all(self, *, retain: Sequence[str]) -> list[str]:
        """Delete every resource in reverse order; gives the logical ids of those that remain."""
        remaining: list[str] = []
        held: set[str] = set()  # what a resource that remains depends on
        for resource in to_delete(self.store.resources(self.stack.id)):
            self.worker.go_on()
            policy = resource.deletion_policy if resource.current else resource.replace_policy
            if resource.name is not None and (policy in retain or resource.logical_id in self.stack.skipped):
                self.worker.retain(resource, keep_record=resource.current)
                continue
            try:
                if resource.logical_id not in held:
                    self.worker.delete(resource, keep_record=resource.current)
                    continue
            except Failed:
                remaining.append(resource.logical_id)
            held.update(resource.depends)
        return sorted(set(remaining))

    def stands(self) -> None:
        """Forget how the stack came here: what stands now is what the next rollback returns to."""
        self.store.save(*(replace(one, fresh=False, before=None) for one in self._there()))

    def trade(self, bound: Bound) -> list[dict[str, str]]:
        """Evaluate the outputs and export what they say. Raises: Invalid if another stack exports the name."""
        current = {one.logical_id: one for one in self._there()}
        outputs = bound.outputs(worth_in(current))
        exported = {item["ExportName"]: item["OutputValue"] for item in outputs if "ExportName" in item}
        for name, (_, owner) in self.store.exports(self.stack.region).items():
            if name in exported and owner != self.stack.id:
                raise Invalid(f"Export with name {name} is already exported by stack {owner.split('/')[1]}")
        self.store.trade(self.stack, exported, sorted(bound.imports))
        return outputs

    def _there(self) -> list[Resource]:
        everything = self.store.resources(self.stack.id)
        return [one for one in everything if one.current and one.stage is not Stage.GONE]

    def _bring(self, bound: Bound, name: str) -> None:
        """Create, change, replace or leave one resource."""
        current = {one.logical_id: one for one in self._there()}
        resource = current.get(name)
        kind = bound.active[name].type
        wanted = Resource(stack_id=self.stack.id, logical_id=name, type=kind, properties={}, **_declared(bound, name))
        try:
            properties = with_stack_tags(self.types, self.stack, name, kind, bound.properties(name, worth_in(current)))
        except AwsError as err:
            broken = replace(resource or self.store.add_resource(wanted), stage=Stage.BROKEN)
            status = "CREATE_FAILED" if resource is None else "UPDATE_FAILED"
            raise Failed(self.store.report(self.stack, broken, status, err.message)) from err
        wanted = replace(wanted, properties=properties)
        if resource is None:
            self.worker.create(self.store.add_resource(wanted), word="CREATE")
        elif resource.name is None or (resource.fresh and resource.stage in {Stage.MAKING, Stage.BROKEN}):
            self._finish(resource, wanted)
        elif (resource.type, resource.properties, resource.stage) == (kind, properties, Stage.READY):
            self.store.save(replace(resource, **_declared(bound, name)))
        elif self._needs_replacement(resource, properties):
            self._replace(resource, wanted)
        else:
            self.worker.change(replace(resource, **_declared(bound, name)), properties)

    def _finish(self, resource: Resource, wanted: Resource) -> None:
        """Go on with a creation that was interrupted; begin again with one that failed."""
        word = "UPDATE" if resource.status.startswith("UPDATE") else "CREATE"
        if resource.stage is Stage.BROKEN or resource.properties != wanted.properties:
            self.worker.delete(resource, keep_record=False)
            resource = self.store.add_resource(wanted)
        self.worker.create(resource, word=word, note=REPLACING if word == "UPDATE" else None)

    def _needs_replacement(self, resource: Resource, properties: Mapping[str, Any]) -> bool:
        kind = self.types.get(resource.type)
        return kind is not None and any(map(kind.replaces, changed_between(resource.properties, properties)))

    def _replace(self, resource: Resource, wanted: Resource) -> None:
        chosen = wanted.properties.get(self.types[wanted.type].name_property)
        if chosen is not None and chosen == resource.name:
            reason = (
                "CloudFormation cannot update a stack when a custom-named resource requires replacing. "
                f"Rename {chosen} and update the stack again."
            )
            raise Failed(self.store.report(self.stack, resource, "UPDATE_FAILED", reason))
        made = self.store.add_resource(wanted, in_place_of=resource)
        self.worker.create(made, word="UPDATE", note=REPLACING)


def to_delete(resources: Sequence[Resource]) -> list[Resource]:
    """Order resources so that each stands before those it depends on."""
    left = [resource for resource in resources if resource.stage is not Stage.GONE]
    needs: dict[str, set[str]] = {}
    for resource in left:
        needs.setdefault(resource.logical_id, set()).update(resource.depends)
    try:
        place = {name: index for index, name in enumerate(in_order(needs))}
    except Invalid:  # an update that never came to its end turned an order round
        place = dict.fromkeys(needs, 0)
    return sorted(left, key=lambda resource: (place[resource.logical_id], resource.id), reverse=True)


def changed_between(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
    """Give the names of the properties that differ, in order."""
    return sorted(name for name in {*before, *after} if before.get(name) != after.get(name))


def worth_in(current: Mapping[str, Resource]) -> Callable[[str, str | None], Any]:
    """Give what evaluates Ref (attribute None) and Fn::GetAtt of resources that exist. Raises (later): Invalid."""

    def worth(name: str, attribute: str | None) -> Any:
        resource = current.get(name)
        if resource is None or resource.physical_id is None:
            raise Invalid(f"Template error: the resource {name} does not exist")
        if attribute is None:
            return resource.physical_id
        if attribute not in resource.attributes:
            raise Invalid(
                f"Template error: resource {name} does not support attribute type {attribute} in Fn::GetAtt; "
                f"the sandbox knows: {', '.join(sorted(resource.attributes))}"
            )
        return resource.attributes[attribute]

    return worth


def with_stack_tags(types: Types, stack: Stack, name: str, kind: str, properties: dict[str, Any]) -> dict[str, Any]:
    """Add the stack's tags, and those that mark what belongs to it, to the properties of a type that has tags."""
    if kind not in types:
        return properties
    marks = {
        "aws:cloudformation:logical-id": name,
        "aws:cloudformation:stack-id": stack.id,
        "aws:cloudformation:stack-name": stack.name,
    }
    return types[kind].with_tags(properties, {**{tag["Key"]: tag["Value"] for tag in stack.version.tags}, **marks})


def _declared(bound: Bound, name: str) -> dict[str, Any]:
    declared = bound.active[name]
    return {
        "depends": bound.depends[name],
        "deletion_policy": declared.deletion_policy,
        "replace_policy": declared.replace_policy,
        "metadata": declared.metadata,
    }
