"""Intrinsic functions: what an expression of a template is worth, as far as it is known."""

import base64
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from sandbox.services.cloudformation.document import Invalid

_LONGEST_TEXT: Final = 1_000_000  # characters that Fn::Sub and Fn::Join may make: as many as a template has bytes
_PLACE = re.compile(r"\$\{(!?)([^{}]*)\}")
_DYNAMIC = re.compile(r"\{\{resolve:([^:}]+):([^}]*)\}\}")
CONDITIONS: Final = ("Fn::And", "Fn::Or", "Fn::Not", "Fn::Equals", "Condition")


@dataclass(frozen=True, slots=True)
class Unknown:
    """A value that depends on resources which do not exist yet."""

    sources: frozenset[str]  # "Logical" or "Logical.Attribute"


class _NoValue:
    """AWS::NoValue: the property is left out."""


NO_VALUE: Final = _NoValue()


@dataclass(kw_only=True)
class Resolver:
    """Evaluates expressions of one template with one set of parameter values.

    `resource(logical, attribute)` gives what Ref (attribute None) or GetAtt of a resource is worth, or Unknown.
    """

    parameters: Mapping[str, Any]  # pseudo parameters too
    mappings: Mapping[str, Any]
    conditions: Mapping[str, Any]
    resource: Callable[[str, str | None], Any]
    imported: Callable[[str], Any]
    stored: Callable[[str], str]  # a name in the parameter store -> its value
    _known: dict[str, bool | None] = field(default_factory=dict)

    def value(self, expression: Any) -> Any:
        """Evaluate an expression; inside of it stand no functions afterwards, but perhaps Unknown.

        Raises: Invalid if a function is used wrongly.
        """
        if isinstance(expression, list):
            items = [self.value(item) for item in expression]
            return [item for item in items if item is not NO_VALUE]
        if isinstance(expression, str):
            return _DYNAMIC.sub(self._dynamic, expression)
        if not isinstance(expression, dict):
            return expression
        if len(expression) == 1:
            (name, argument), *_ = expression.items()
            if name == "Ref":
                return self._ref(argument)
            if name.startswith("Fn::"):
                return self._function(name, argument)
        members = {name: self.value(item) for name, item in expression.items()}
        return {name: item for name, item in members.items() if item is not NO_VALUE}

    def condition(self, name: Any) -> bool:
        """Say whether a named condition holds. Raises: Invalid."""
        if not isinstance(name, str) or name not in self.conditions:
            raise Invalid(f"Template format error: Unresolved condition dependency {name} in the Conditions block")
        if name not in self._known:
            self._known[name] = None
            self._known[name] = self._truth(self.conditions[name])
        known = self._known[name]
        if known is None:
            raise Invalid(f"Template format error: Circular dependencies for condition {name}")
        return known

    def _truth(self, expression: Any) -> bool:
        if isinstance(expression, dict) and len(expression) == 1:
            (name, argument), *_ = expression.items()
            if name == "Condition":
                return self.condition(argument)
            if name == "Fn::Equals":
                left, right = (self.value(side) for side in _arguments(name, argument, 2))
                if sources_in([left, right]):
                    raise Invalid("Template error: Cannot reference resources in the Conditions block of the template")
                return text_of(left) == text_of(right)
            if name == "Fn::Not":
                (only,) = _arguments(name, argument, 1)
                return not self._truth(only)
            if name in {"Fn::And", "Fn::Or"}:
                if not isinstance(argument, list) or not 2 <= len(argument) <= 10:
                    raise Invalid(f"Template validation error: every {name} object requires a list of 2 to 10 booleans")
                truths = [self._truth(item) for item in argument]
                return all(truths) if name == "Fn::And" else any(truths)
        raise Invalid(
            "Template format error: Conditions can only be boolean operations on parameters and other conditions"
        )

    def _ref(self, name: Any) -> Any:
        if not isinstance(name, str):
            raise Invalid("Template error: every Ref object must have a single String value.")
        if name == "AWS::NoValue":
            return NO_VALUE
        return self.parameters[name] if name in self.parameters else self.resource(name, None)

    def _function(self, name: str, argument: Any) -> Any:
        functions: dict[str, Callable[[Any], Any]] = {
            "Fn::GetAtt": self._get_att, "Fn::Sub": self._sub, "Fn::Join": self._join, "Fn::Select": self._select,
            "Fn::Split": self._split, "Fn::If": self._if, "Fn::FindInMap": self._find_in_map,
            "Fn::Base64": self._base64, "Fn::ImportValue": self._import_value, "Fn::GetAZs": self._zones,
        }  # fmt: skip
        if name in CONDITIONS:
            return "true" if self._truth({name: argument}) else "false"
        if name not in functions:
            raise Invalid(
                f"Template error: {name} is not emulated by the sandbox, which knows: "
                f"{', '.join(sorted([*functions, *CONDITIONS[:-1], 'Ref']))}"
            )
        return functions[name](argument)

    def _get_att(self, argument: Any) -> Any:
        parts = argument.split(".", 1) if isinstance(argument, str) else argument
        if not isinstance(parts, list) or len(parts) < 2 or not isinstance(parts[0], str):
            raise Invalid("Template error: every Fn::GetAtt object requires two non-empty parameters")
        attribute = ".".join(str(self.value(part)) for part in parts[1:])
        return self.resource(parts[0], attribute)

    def _sub(self, argument: Any) -> Any:
        text, given = argument if isinstance(argument, list) and len(argument) == 2 else (argument, {})
        if not isinstance(text, str) or not isinstance(given, dict):
            raise Invalid("Template error: every Fn::Sub takes a string, or a list of a string and a map of values")
        values = {name: self.value(item) for name, item in given.items()}
        parts: list[Any] = []
        at = 0
        for place in _PLACE.finditer(text):
            parts.append(text[at : place.start()])
            at = place.end()
            literal, name = place.group(1), place.group(2).strip()
            if literal:
                parts.append(f"${{{name}}}")
            elif name in values:
                parts.append(values[name])
            else:
                parts.append(self._get_att(name) if "." in name else self._ref(name))
        return _joined("", [*parts, text[at:]])

    def _join(self, argument: Any) -> Any:
        separator, items = _arguments("Fn::Join", argument, 2)
        listed = self.value(items)
        if isinstance(listed, Unknown):
            return listed
        if not isinstance(separator, str) or not isinstance(listed, list):
            raise Invalid("Template error: every Fn::Join takes a delimiter and a list of strings")
        return _joined(separator, listed)

    def _select(self, argument: Any) -> Any:
        index, items = (self.value(item) for item in _arguments("Fn::Select", argument, 2))
        if isinstance(items, Unknown):
            return items
        if not isinstance(items, list) or not str(index).isdigit() or int(index) >= len(items):
            raise Invalid(f"Template error: Fn::Select cannot select nonexistent value at index {index}")
        return items[int(index)]

    def _split(self, argument: Any) -> Any:
        separator, text = (self.value(item) for item in _arguments("Fn::Split", argument, 2))
        if isinstance(text, Unknown):
            return text
        if not isinstance(separator, str) or not separator or not isinstance(text, str):
            raise Invalid("Template error: every Fn::Split takes a delimiter and a string")
        return text.split(separator)

    def _if(self, argument: Any) -> Any:
        name, yes, no = _arguments("Fn::If", argument, 3)
        return self.value(yes if self.condition(name) else no)

    def _find_in_map(self, argument: Any) -> Any:
        found: Any = self.mappings
        path = [self.value(item) for item in _arguments("Fn::FindInMap", argument, 3)]
        if sources_in(path):
            raise Invalid("Template error: Fn::FindInMap must not depend on any resources")
        for key in path:
            if not isinstance(found, dict) or text_of(key) not in found:
                raise Invalid(f"Template error: Unable to get mapping for {'::'.join(map(str, path))}")
            found = found[text_of(key)]
        return found

    def _base64(self, argument: Any) -> Any:
        text = self.value(argument)
        unknown = sources_in(text)
        return Unknown(unknown) if unknown else base64.b64encode(text_of(text).encode()).decode()

    def _import_value(self, argument: Any) -> Any:
        name = self.value(argument)
        if sources_in(name):
            raise Invalid("Template error: the attribute in Fn::ImportValue must not depend on any resources")
        return self.imported(text_of(name))

    def _zones(self, argument: Any) -> list[str]:
        region = self.value(argument) or self.parameters["AWS::Region"]
        return [f"{region}{letter}" for letter in "abc"]

    def _dynamic(self, found: re.Match[str]) -> str:
        service, key = found.groups()
        if service != "ssm":
            raise Invalid(f"Dynamic references to {service} are not emulated by the sandbox; ssm is")
        return self.stored(key)


def _arguments(name: str, argument: Any, count: int) -> list[Any]:
    if not isinstance(argument, list) or len(argument) != count:
        raise Invalid(f"Template error: every {name} object requires a list of {count} value(s)")
    return argument


def _joined(separator: str, parts: list[Any]) -> Any:
    unknown = sources_in(parts)
    if unknown:
        return Unknown(unknown)
    texts = [text_of(part) for part in parts if part is not NO_VALUE]
    if sum(map(len, texts)) + len(separator) * len(texts) > _LONGEST_TEXT:  # a few nested ones would fill the memory
        raise Invalid(f"Template error: a text is longer than {_LONGEST_TEXT} characters")
    return separator.join(texts)


def text_of(value: Any) -> str:
    """Write a scalar as CloudFormation does.

    >>> [text_of(value) for value in (True, 1, 1.5, "a", ["a", "b"])]
    ['true', '1', '1.5', 'a', '["a", "b"]']
    """
    if isinstance(value, str):
        return value
    return json.dumps(value)


def sources_in(value: Any) -> frozenset[str]:
    """Give the resources, as "Logical" or "Logical.Attribute", on which a resolved value still depends."""
    if isinstance(value, Unknown):
        return value.sources
    if isinstance(value, dict):
        return frozenset().union(*map(sources_in, value.values()))
    if isinstance(value, list):
        return frozenset().union(*map(sources_in, value))
    return frozenset()
