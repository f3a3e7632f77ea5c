"""What an update would do: each resource added, modified or removed, and which properties cause it."""

import json
from collections.abc import Mapping
from typing import Any, Final

from sandbox.services.cloudformation.deployment import Types, changed_between, with_stack_tags, worth_in
from sandbox.services.cloudformation.document import Invalid
from sandbox.services.cloudformation.intrinsics import Unknown, sources_in
from sandbox.services.cloudformation.store import Resource, Stack
from sandbox.services.cloudformation.template import Bound, mentioned

KNOWN_LATER: Final = "{{changeSet:KNOWN_AFTER_APPLY}}"
Change = dict[str, Any]


def changes_of(
    stack: Stack, current: Mapping[str, Resource], before: Bound | None, after: Bound, types: Types
) -> list[Change]:
    """Give the changes that lead from the resources there are to those of `after`, as DescribeChangeSet shows them.

    `stack` has the version of `after`; `before` is what the resources were made from.
    Raises: Invalid if a resource would change its type.
    """
    renamed = sorted(name for name, one in after.active.items() if name in current and current[name].type != one.type)
    if renamed:
        raise Invalid(
            "Update of resource type is not permitted. The new template modifies resource type of the following "
            f"resources: [{', '.join(renamed)}]"
        )
    uncertain: set[str] = set()  # may have another Ref and other attributes afterwards

    def worth(name: str, attribute: str | None) -> Any:
        if name in current and name not in uncertain:
            try:
                return worth_in(current)(name, attribute)
            except Invalid:
                pass  # known only after its creation
        return Unknown(frozenset({name if attribute is None else f"{name}.{attribute}"}))

    found: list[Change] = []
    for name in after.order:
        kind = after.active[name].type
        properties = with_stack_tags(types, stack, name, kind, after.properties(name, worth))
        if name not in current:
            uncertain.add(name)
            found.append(_change("Add", name, kind, AfterContext=_context(properties)))
            continue
        details = _details(name, current[name], properties, before, after, types)
        if not details:
            continue
        replacement = _replacement(details)
        if replacement != "False":
            uncertain.add(name)
        found.append(
            _change(
                "Modify",
                name,
                kind,
                PhysicalResourceId=current[name].physical_id,
                Replacement=replacement,
                PolicyAction=_policy(replacement, current[name]),
                Scope=sorted({detail["Target"]["Attribute"] for detail in details}),
                Details=details,
                BeforeContext=_context(current[name].properties),
                AfterContext=_context(properties),
            )
        )
    for name in sorted(set(current) - set(after.active)):
        one = current[name]
        policy = "Delete" if one.deletion_policy == "Delete" else "Retain"
        before_context = _context(one.properties)
        found.append(
            _change("Remove", name, one.type, PhysicalResourceId=one.physical_id, PolicyAction=policy,
                    BeforeContext=before_context)
        )  # fmt: skip
    return [{"Type": "Resource", "ResourceChange": change} for change in found]


def without_values(change: Change) -> Change:
    """Give a change without the values of properties, which clients get only on request."""
    told = {key: value for key, value in change["ResourceChange"].items() if not key.endswith("Context")}
    told["Details"] = [
        {**detail, "Target": {key: value for key, value in detail["Target"].items() if not key.endswith("Value")}}
        for detail in told["Details"]
    ]
    return {**change, "ResourceChange": told}


def _change(action: str, name: str, kind: str, **more: Any) -> Change:
    return {"Action": action, "LogicalResourceId": name, "ResourceType": kind, "Scope": [], "Details": [], **more}


def _details(
    name: str, resource: Resource, properties: dict[str, Any], before: Bound | None, after: Bound, types: Types
) -> list[Change]:
    kind = types.get(resource.type)
    details = []
    for key in changed_between(resource.properties, properties):
        is_tags = kind is not None and key == kind.tags_property
        recreates = kind is not None and kind.replaces(key)
        target: Change = {
            **({"Attribute": "Tags"} if is_tags else {"Attribute": "Properties", "Name": key}),
            "RequiresRecreation": "Always" if recreates else "Never",
            "Path": f"/Properties/{key}",
            "AttributeChangeType": (
                "Add" if key not in resource.properties else "Remove" if key not in properties else "Modify"
            ),
        }
        if key in resource.properties:
            target["BeforeValue"] = _shown(resource.properties[key])
        if key in properties:
            target["AfterValue"] = _shown(properties[key])
        evaluation = "Dynamic" if sources_in(properties.get(key)) else "Static"
        details += [
            {"Target": target, "Evaluation": evaluation, **cause}
            for cause in _causes(name, key, sources_in(properties.get(key)), before, after)
        ]
    if resource.metadata != after.active[name].metadata:
        metadata = {"Attribute": "Metadata", "RequiresRecreation": "Never"}
        details.append({"Target": metadata, "Evaluation": "Static", "ChangeSource": "DirectModification"})
    return details


def _causes(name: str, key: str, sources: frozenset[str], before: Bound | None, after: Bound) -> list[dict[str, str]]:
    """Say what made a property change: its text in the template, a parameter, or other resources."""
    said = after.active[name].properties.get(key)
    if before is not None and name in before.active and before.active[name].properties.get(key) == said:
        parameters = [
            {"ChangeSource": "ParameterReference", "CausingEntity": parameter}
            for parameter in sorted(set(mentioned(said)) & set(after.values))
            if before.values.get(parameter) != after.values[parameter]
        ]
        resources = [
            {"ChangeSource": "ResourceAttribute" if "." in source else "ResourceReference", "CausingEntity": source}
            for source in sorted(sources)
        ]
        if parameters or resources:
            return [*parameters, *resources]
    return [{"ChangeSource": "DirectModification"}]


def _replacement(details: list[Change]) -> str:
    always = {detail["Evaluation"] for detail in details if detail["Target"]["RequiresRecreation"] == "Always"}
    return "True" if "Static" in always else "Conditional" if always else "False"


def _policy(replacement: str, resource: Resource) -> str | None:
    if replacement == "False":
        return None
    return "ReplaceAndDelete" if resource.replace_policy == "Delete" else "ReplaceAndRetain"


def _context(properties: Mapping[str, Any]) -> str:
    return json.dumps({"Properties": properties}, default=_unknown)


def _shown(value: Any) -> str:
    if isinstance(value, str):
        return value
    return KNOWN_LATER if isinstance(value, Unknown) else json.dumps(value, default=_unknown)


def _unknown(_: Any) -> str:
    return KNOWN_LATER
