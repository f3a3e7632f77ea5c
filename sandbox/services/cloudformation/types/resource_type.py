"""What every resource type is: how one is found, created, changed and deleted by calls to its service."""

import json
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

from sandbox.services.cloudformation.calls import Calls, Refused, tag_changes
from sandbox.services.cloudformation.intrinsics import text_of

Properties = Mapping[str, Any]
ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A resource that exists."""

    physical_id: str  # what Ref gives
    attributes: Mapping[str, Any] = field(default_factory=dict)  # what Fn::GetAtt gives


class ResourceType(ABC):
    """A type of resources.

    The name of a resource is chosen before it is created, so `find` and `delete` work whatever was interrupted.
    Which properties there are, and which of them can't change in place (`create_only`), is the registry's schema
    of the type, without what the sandbox does not emulate.
    Source: the copy of the CloudFormation registry in cfn-lint 1.58.0, createOnlyProperties, read 2026-11-21.
    """

    type: ClassVar[str]
    name_property: ClassVar[str] = ""  # the one that names it; "" if names are not the template's to choose
    required: ClassVar[frozenset[str]] = frozenset()
    changeable: ClassVar[frozenset[str]] = frozenset()
    create_only: ClassVar[frozenset[str]] = frozenset()
    lists: ClassVar[Mapping[str, tuple[str, ...]]] = {}  # properties that are lists -> what each entry must have
    tags_property: ClassVar[str] = ""  # "" if it has no tags
    tags_are_map: ClassVar[bool] = False  # a map in the template, not a list of Key and Value
    takes_system_tags: ClassVar[bool] = False  # its service takes tags that start with aws:
    longest_name: ClassVar[int] = 63

    def checked(self, properties: Properties) -> None:
        """Refuse properties that the type does not have or that are missing. Raises: Refused."""
        known = self.changeable | self.create_only | {self.name_property, self.tags_property}
        faults = [f"#: extraneous key [{name}] is not permitted" for name in sorted(set(properties) - known)]
        faults += [f"#: required key [{name}] not found" for name in sorted(self.required - set(properties))]
        for name in sorted(set(self.lists) & set(properties)):
            faults += _faults_of_list(f"#/{name}", properties[name], self.lists[name])
        faults += self._faults_of_tags(properties)
        for name in sorted(properties):
            if name.endswith("PolicyDocument") and not _is_document(properties[name]):
                faults.append(f"#/{name}: expected type: JSONObject, found: {str(properties[name])[:100]!r}")
        if faults:
            raise Refused(f"Properties validation failed with message: {'; '.join(faults)}")

    def _faults_of_tags(self, properties: Properties) -> Iterator[str]:
        tags, path = properties.get(self.tags_property), f"#/{self.tags_property}"
        if tags is None:
            return
        if not self.tags_are_map:
            yield from _faults_of_list(path, tags, ("Key", "Value"))
        elif not isinstance(tags, dict):
            yield f"{path}: expected type: JSONObject, found: {str(tags)[:100]!r}"

    def is_sound(self, properties: Properties) -> bool:
        """Say whether `checked` lets properties pass; nothing was ever made of others."""
        try:
            self.checked(properties)
        except Refused:
            return False
        return True

    def name_of(self, properties: Properties, stack: str, logical_id: str, suffix: str) -> str:
        """Give the name that the template chose, or one from stack, logical id and random letters."""
        chosen = properties.get(self.name_property)
        if chosen:
            return text_of(chosen)
        room = self.longest_name - len(suffix) - 2
        return f"{stack[: room // 2]}-{logical_id[: room - min(len(stack), room // 2)]}-{suffix}"

    def replaces(self, name: str) -> bool:
        """Say whether another value of a property needs another resource."""
        return name in self.create_only or (name == self.name_property and bool(name))

    @abstractmethod
    def find(self, call: Calls, name: str, properties: Properties) -> Found | None:
        """Look for the resource of that name; None if there is none."""

    @abstractmethod
    def create(self, call: Calls, name: str, properties: Properties) -> None:
        """Make the one call after which `find` finds it."""

    @abstractmethod
    def configure(self, call: Calls, name: str, before: Properties, after: Properties) -> None:
        """Turn it from `before` into `after`, in place. After `create`, `before` is empty. Can be repeated."""

    @abstractmethod
    def delete(self, call: Calls, name: str, properties: Properties) -> None:
        """Make the call after which `find` finds it no more, at once or after a while."""

    def is_busy(self, call: Calls, name: str) -> bool:
        """Say whether it can't be changed or deleted right now."""
        del call, name
        return False

    def is_settled(self, call: Calls, name: str, properties: Properties) -> bool:
        """Say whether what was asked for has happened. Raises: Refused if it never will."""
        del call, name, properties
        return True

    def retagged(self, before: Properties, after: Properties) -> tuple[dict[str, str], list[str]]:
        """Give the tags to set and the keys to remove; nothing for a new resource, which got them at its creation."""
        if not before:
            return {}, []
        return tag_changes(self._tags(before), self._tags(after))

    def retag(
        self, call: Calls, operations: tuple[str, str, str], before: Properties, after: Properties, **target: str
    ) -> None:
        """Change tags by a service's two operations, of the form that most services have."""
        service, set_tags, remove_tags = operations
        added, gone = self.retagged(before, after)
        if added:
            call(service, set_tags, **target, Tags=tag_list(added))
        if gone:
            call.take(service, remove_tags, **target, TagKeys=gone)

    def _tags(self, properties: Properties) -> dict[str, str]:
        tags = properties.get(self.tags_property) or {}
        pairs = tags.items() if isinstance(tags, dict) else [(tag["Key"], tag["Value"]) for tag in tags]
        return {text_of(key): text_of(value) for key, value in pairs}

    def with_tags(self, properties: Properties, inherited: Mapping[str, str]) -> dict[str, Any]:
        """Add the tags of the stack, which those of the template override."""
        if not self.tags_property or list(self._faults_of_tags(properties)):
            return dict(properties)
        usable = {key: value for key, value in inherited.items() if self.takes_system_tags or key[:4] != "aws:"}
        tags = {**usable, **self._tags(properties)}
        if not tags:
            return dict(properties)
        shown = tags if self.tags_are_map else [{"Key": key, "Value": value} for key, value in tags.items()]
        return {**properties, self.tags_property: shown}


def _faults_of_list(path: str, value: Any, required: tuple[str, ...]) -> Iterator[str]:
    if not isinstance(value, list):
        yield f"{path}: expected type: JSONArray, found: {str(value)[:100]!r}"
        return
    for index, entry in enumerate(value):
        place = f"{path}/{index}"
        if isinstance(entry, dict) and required:
            for key in required:
                if key not in entry:
                    yield f"{place}: required key [{key}] not found"
                elif isinstance(entry[key], dict | list) and not key.endswith("Document"):
                    yield f"{place}/{key}: expected type: String, found: {str(entry[key])[:100]!r}"
        elif required or not isinstance(entry, str) or not entry:
            yield f"{place}: expected type: {'JSONObject' if required else 'String'}, found: {str(entry)[:100]!r}"


def _is_document(value: Any) -> bool:
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except ValueError:
            return False
    return isinstance(value, dict)


def without(properties: Properties, *names: str) -> dict[str, Any]:
    """Give properties without some."""
    return {name: value for name, value in properties.items() if name not in names}


def only(properties: Properties, *names: str) -> dict[str, Any]:
    """Give some of the properties, those that are there."""
    return {name: properties[name] for name in names if name in properties}


def tag_list(tags: Mapping[str, str]) -> list[dict[str, str]]:
    """Write tags as most services take them."""
    return [{"Key": key, "Value": value} for key, value in tags.items()]


def document_text(policy: Any) -> str:
    """Write a policy document, which a template may hold as an object or as text."""
    return policy if isinstance(policy, str) else json.dumps(policy)
