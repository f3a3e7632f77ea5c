"""A template: its sections, the references in it, and what it means for one stack with its parameter values."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

from sandbox.services.cloudformation.document import Invalid, read_document
from sandbox.services.cloudformation.intrinsics import NO_VALUE, Resolver, Unknown, sources_in, text_of
from sandbox.services.cloudformation.parameters import Parameter

_SECTIONS: Final = frozenset({
    "AWSTemplateFormatVersion", "Description", "Metadata", "Parameters", "Mappings", "Conditions", "Resources",
    "Outputs", "Rules", "Transform", "Hooks",
})  # fmt: skip
_NOT_EMULATED: Final = ("Rules", "Transform", "Hooks")
_MEMBERS: Final = frozenset({
    "Type", "Properties", "DependsOn", "Condition", "DeletionPolicy", "UpdateReplacePolicy", "Metadata",
})  # fmt: skip
_POLICIES: Final = frozenset({"Delete", "Retain", "RetainExceptOnCreate", "Snapshot"})
PSEUDO: Final = frozenset({
    "AWS::AccountId", "AWS::NotificationARNs", "AWS::NoValue", "AWS::Partition", "AWS::Region", "AWS::StackId",
    "AWS::StackName", "AWS::URLSuffix",
})  # fmt: skip
# These need a word of consent; with a name of their own a stronger one. Value: the property with the name.
_IAM_NAMES: Final = {
    "AWS::IAM::Role": "RoleName", "AWS::IAM::ManagedPolicy": "ManagedPolicyName", "AWS::IAM::User": "UserName",
    "AWS::IAM::Group": "GroupName", "AWS::IAM::Policy": "", "AWS::IAM::RolePolicy": "", "AWS::IAM::AccessKey": "",
    "AWS::IAM::InstanceProfile": "InstanceProfileName",
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Declaration:
    """One entry of the Resources section."""

    type: str
    properties: Mapping[str, Any]
    depends_on: Sequence[str]
    condition: str | None
    deletion_policy: str
    replace_policy: str
    metadata: Any

    @classmethod
    def read(cls, name: str, declared: Any) -> "Declaration":
        """Read an entry. Raises: Invalid."""
        if not isinstance(declared, dict) or not isinstance(declared.get("Type"), str):
            raise Invalid(
                f"Template format error: [/Resources/{name}] Every Resources object must contain a Type member"
            )
        for member in sorted(set(declared) - _MEMBERS):
            note = " is not emulated" if member in {"CreationPolicy", "UpdatePolicy"} else ""
            raise Invalid(f"Invalid template resource property '{member}'{note}")
        properties = declared.get("Properties", {})
        if not isinstance(properties, dict):
            raise Invalid(f"Template format error: [/Resources/{name}/Properties] must be an object")
        depends = declared.get("DependsOn", [])
        listed = [depends] if isinstance(depends, str) else depends
        if not isinstance(listed, list) or not all(isinstance(item, str) for item in listed):
            raise Invalid(f"Template format error: DependsOn of {name} must be a string or a list of strings")
        for member in ("DeletionPolicy", "UpdateReplacePolicy"):
            if str(declared.get(member, "Delete")) not in _POLICIES:
                raise Invalid(f"Template format error: Unrecognized {member} {declared[member]} for resource {name}")
            if declared.get(member) == "Snapshot":
                raise Invalid(f"Template error: resource type {declared['Type']} does not support {member} Snapshot")
        return cls(
            type=declared["Type"],
            properties=properties,
            depends_on=tuple(listed),
            condition=declared.get("Condition"),
            deletion_policy=declared.get("DeletionPolicy", "Delete"),
            replace_policy=declared.get("UpdateReplacePolicy", "Delete"),
            metadata=declared.get("Metadata"),
        )


class Template:
    """A template whose text is sound: every name it mentions exists. Raises: Invalid."""

    def __init__(self, text: str) -> None:
        body = read_document(text)
        self.text = text
        self.body = body
        strangers = sorted(set(body) - _SECTIONS)
        if strangers:
            raise Invalid(f"Invalid template property or properties [{', '.join(strangers)}]")
        for name in _NOT_EMULATED:
            if name in body:
                raise Invalid(f"Template error: the section {name} is not emulated by the sandbox. AWS has it.")
        for name in sorted(set(body) - {"Metadata"}):
            _refuse_null(body[name], f"/{name}")
        for name in _SECTIONS - {"AWSTemplateFormatVersion", "Description", "Transform"}:
            if not isinstance(body.get(name, {}), dict):
                raise Invalid(f"Template format error: [/{name}] must be an object")
        if not body.get("Resources"):
            raise Invalid("Template format error: At least one Resources member must be defined.")
        self.description: str | None = body.get("Description")
        self.parameters = {name: Parameter.read(name, item) for name, item in body.get("Parameters", {}).items()}
        self.mappings: dict[str, Any] = body.get("Mappings", {})
        self.conditions: dict[str, Any] = body.get("Conditions", {})
        self.resources = {name: Declaration.read(name, item) for name, item in body["Resources"].items()}
        self.outputs: dict[str, Any] = body.get("Outputs", {})
        self._check_names()

    def _check_names(self) -> None:
        for name in self.resources:
            if not name.isalnum() or not name.isascii():
                raise Invalid(f"Template format error: Resource name {name} is non alphanumeric.")
        for block, expressions in (
            ("Resources", [item.properties for item in self.resources.values()]),
            ("Outputs", list(self.outputs.values())),
        ):
            missing = sorted(
                {
                    name
                    for name in mentioned(expressions)
                    if name not in self.resources and name not in self.parameters and name not in PSEUDO
                }
            )
            if block == "Resources":
                missing += sorted(
                    {name for item in self.resources.values() for name in item.depends_on} - set(self.resources)
                )
            if missing:
                raise Invalid(
                    f"Template format error: Unresolved resource dependencies [{', '.join(missing)}] in the {block} "
                    "block of the template"
                )
        for name, output in self.outputs.items():
            if not isinstance(output, dict) or "Value" not in output:
                raise Invalid(f"Template format error: Output {name} must have a Value")
            if "Export" in output and (not isinstance(output["Export"], dict) or "Name" not in output["Export"]):
                raise Invalid(f"Template format error: Export of output {name} must have a Name")

    @cached_property
    def capabilities(self) -> tuple[str, list[str]]:
        """The consent that the template needs ("" if none), and the types for which it is needed."""
        types = sorted({item.type for item in self.resources.values() if item.type in _IAM_NAMES})
        named = any(_IAM_NAMES.get(item.type) in item.properties for item in self.resources.values())
        return ("CAPABILITY_NAMED_IAM" if named else "CAPABILITY_IAM") if types else "", types


def _refuse_null(value: Any, path: str) -> None:
    if value is None:
        raise Invalid(f"[{path}] 'null' values are not allowed in templates")
    entries = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in entries:
        _refuse_null(item, f"{path}/{key}")


def mentioned(expression: Any) -> Iterable[str]:
    """Every name behind Ref, Fn::GetAtt and Fn::Sub in an expression; in both branches of an If."""
    if isinstance(expression, list):
        for item in expression:
            yield from mentioned(item)
    elif isinstance(expression, dict):
        for name, argument in expression.items():
            if name == "Ref" and len(expression) == 1 and isinstance(argument, str):
                yield argument
            elif name == "Fn::GetAtt":
                parts = argument.split(".") if isinstance(argument, str) else argument
                if isinstance(parts, list) and parts and isinstance(parts[0], str):
                    yield parts[0]
            elif name == "Fn::Sub":
                yield from _mentioned_in_text(argument)
            else:
                yield from mentioned(argument)


def _mentioned_in_text(argument: Any) -> Iterable[str]:
    text, given = argument if isinstance(argument, list) and len(argument) == 2 else (argument, {})
    found: list[str] = []

    def note(name: str, _attribute: str | None) -> str:
        found.append(name)
        return ""

    values = dict.fromkeys(given, "") if isinstance(given, dict) else {}
    resolver = Resolver(
        parameters=dict.fromkeys(PSEUDO, ""), mappings={}, conditions={}, resource=note, imported=str, stored=str
    )
    resolver.value({"Fn::Sub": [text, values]})
    yield from found
    yield from mentioned(given)


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What expressions may ask for besides the template: the stack, exports and the parameter store."""

    pseudo: Mapping[str, Any]
    imported: Callable[[str], str]
    stored: Callable[[str], str]


Lookup = Callable[[str, str | None], Any]


def _unknown(name: str, attribute: str | None) -> Unknown:
    return Unknown(frozenset({name if attribute is None else f"{name}.{attribute}"}))


class Bound:
    """A template with its parameter values: which resources there are, in which order. Raises: Invalid."""

    def __init__(self, template: Template, values: Mapping[str, str], around: Surroundings) -> None:
        self.template = template
        self.values = dict(values)
        self.imports: set[str] = set()  # names of the exports that were asked for
        self._around = around
        typed = {name: template.parameters[name].typed(text, around.stored) for name, text in values.items()}
        self._parameters = {**around.pseudo, **typed}
        plain = self.resolver(_unknown)
        self.active = {
            name: item
            for name, item in template.resources.items()
            if item.condition is None or plain.condition(item.condition)
        }
        self.depends = {
            name: sorted(
                {source.partition(".")[0] for source in sources_in(plain.value(item.properties))}
                | set(item.depends_on) & set(self.active)
            )
            for name, item in self.active.items()
        }
        absent = sorted({need for needs in self.depends.values() for need in needs} - set(self.active))
        if absent:
            raise Invalid(
                f"Template format error: Unresolved resource dependencies [{', '.join(absent)}] in the Resources "
                "block of the template"
            )
        self.order = in_order(self.depends)

    def resolver(self, lookup: Lookup) -> Resolver:
        """Give what evaluates expressions, with `lookup` for what resources are worth."""
        return Resolver(
            parameters=self._parameters,
            mappings=self.template.mappings,
            conditions=self.template.conditions,
            resource=lookup,
            imported=self._import,
            stored=self._around.stored,
        )

    def _import(self, name: str) -> str:
        self.imports.add(name)
        return self._around.imported(name)

    def properties(self, name: str, lookup: Lookup) -> dict[str, Any]:
        """Give the properties of a resource, evaluated."""
        resolved: dict[str, Any] = self.resolver(lookup).value(self.active[name].properties)
        return resolved

    def outputs(self, lookup: Lookup) -> list[dict[str, str]]:
        """Give the outputs whose conditions hold, as DescribeStacks shows them."""
        resolver = self.resolver(lookup)
        shown = []
        for name, output in self.template.outputs.items():
            if "Condition" in output and not resolver.condition(output["Condition"]):
                continue
            value = resolver.value(output["Value"])
            if value is NO_VALUE:
                continue
            entry = {"OutputKey": name, "OutputValue": text_of(value)}
            if "Description" in output:
                entry["Description"] = str(output["Description"])
            if "Export" in output:
                entry["ExportName"] = text_of(resolver.value(output["Export"]["Name"]))
            shown.append(entry)
        return shown


def in_order(depends: Mapping[str, Iterable[str]]) -> list[str]:
    """Order names so that each stands behind those it depends on; otherwise as given.

    Raises: Invalid if some depend on each other in a circle.

    >>> in_order({"endpoint": ["config"], "alarm": [], "config": ["model"], "model": []})
    ['alarm', 'model', 'config', 'endpoint']
    """
    waiting = {name: set(needs) & set(depends) for name, needs in depends.items()}
    ordered: list[str] = []
    while waiting:
        ready = [name for name, needs in waiting.items() if not needs]
        if not ready:
            raise Invalid(f"Circular dependency between resources: [{', '.join(sorted(waiting))}]")
        ordered += ready
        for name in ready:
            del waiting[name]
        for needs in waiting.values():
            needs.difference_update(ready)
    return ordered
