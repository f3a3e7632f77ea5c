"""Parameters of a template: what they may be, and the values of one stack."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sandbox.services.cloudformation.document import Invalid
from sandbox.services.cloudformation.intrinsics import text_of
from sandbox.services.cloudformation.patterns import matches

HIDDEN = "****"  # what AWS shows of a NoEcho value
_MEMBERS = frozenset({
    "Type", "Default", "Description", "AllowedValues", "AllowedPattern", "ConstraintDescription", "MinLength",
    "MaxLength", "MinValue", "MaxValue", "NoEcho",
})  # fmt: skip
_STORED = re.compile(r"AWS::SSM::Parameter::Value<(.+)>")
_OTHER = re.compile(r"(List<)?AWS::[A-Za-z0-9]+::[A-Za-z0-9:]+>?")  # e.g. AWS::EC2::Subnet::Id: text to the sandbox


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter:
    """One declaration of the Parameters section."""

    name: str
    type: str
    default: str | None
    no_echo: bool
    description: str | None
    limits: Mapping[str, Any]

    @classmethod
    def read(cls, name: str, declared: Any) -> "Parameter":
        """Read a declaration. Raises: Invalid."""
        if not isinstance(declared, dict) or not isinstance(declared.get("Type"), str):
            raise Invalid(f"Template format error: Every Parameters object must contain a Type member: {name}")
        unknown = sorted(set(declared) - _MEMBERS)
        if unknown:
            raise Invalid(f"Invalid template parameter property '{unknown[0]}'")
        kind = declared["Type"]
        plain = kind in {"String", "Number", "List<Number>", "List<String>", "CommaDelimitedList"}
        if not plain and not _STORED.fullmatch(kind) and not _OTHER.fullmatch(kind):
            raise Invalid(f"Template format error: Unrecognized parameter type: {kind}")
        default = declared.get("Default")
        if isinstance(default, dict | list):
            raise Invalid("Template format error: Every Default member must be a string.")
        _check_limits(name, declared)
        return cls(
            name=name,
            type=kind,
            default=None if default is None else text_of(default),
            no_echo=text_of(declared.get("NoEcho", False)).lower() == "true",
            description=declared.get("Description"),
            limits={key: declared[key] for key in declared if key.startswith(("Allowed", "Min", "Max", "Constraint"))},
        )

    @property
    def is_stored(self) -> bool:
        """Whether the value is the name of an entry of the parameter store."""
        return _STORED.fullmatch(self.type) is not None

    def typed(self, text: str, stored: Callable[[str], str]) -> str | list[str]:
        """Give what Ref is worth. Raises: Invalid if the parameter store has no such name."""
        kind = self.type
        inner = _STORED.fullmatch(kind)
        if inner:
            text, kind = stored(text), inner.group(1)
        if kind.startswith("List<") or kind == "CommaDelimitedList":
            return [item.strip() for item in text.split(",")] if text else []
        return text

    def check(self, text: str) -> None:
        """Compare a value with the declaration. Raises: Invalid."""
        if self.is_stored:
            return
        listed = self.type.startswith("List<") or self.type == "CommaDelimitedList"
        items = [part.strip() for part in text.split(",")] if listed else [text]
        pattern = self.limits.get("AllowedPattern")
        fitting = [True] * len(items) if pattern is None else matches(pattern, items)
        for item, fits in zip(items, fitting, strict=True):
            fault = self._fault(item, fits=fits)
            if fault:
                said = self.limits.get("ConstraintDescription")
                raise Invalid(f"Parameter {self.name} failed to satisfy constraint: {said}" if said else fault)

    def _fault(self, text: str, *, fits: bool) -> str | None:
        limits = self.limits
        allowed = limits.get("AllowedValues")
        if allowed is not None and text not in {text_of(value) for value in allowed}:
            return f"Parameter '{self.name}' must be one of AllowedValues"
        if not fits:
            return f"Parameter '{self.name}' must match pattern {limits['AllowedPattern']}"
        if "MinLength" in limits and len(text) < float(limits["MinLength"]):
            return f"Parameter '{self.name}' must contain at least {limits['MinLength']} characters"
        if "MaxLength" in limits and len(text) > float(limits["MaxLength"]):
            return f"Parameter '{self.name}' must contain at most {limits['MaxLength']} characters"
        if self.type in {"Number", "List<Number>"}:
            try:
                number = float(text)
            except ValueError:
                return f"Parameter '{self.name}' must be a number"
            if "MinValue" in limits and number < float(limits["MinValue"]):
                return f"Parameter '{self.name}' must be a number not less than {limits['MinValue']}"
            if "MaxValue" in limits and number > float(limits["MaxValue"]):
                return f"Parameter '{self.name}' must be a number not greater than {limits['MaxValue']}"
        return None


def _check_limits(name: str, declared: Mapping[str, Any]) -> None:
    if not isinstance(declared.get("AllowedValues", []), list):
        raise Invalid(f"Template format error: AllowedValues of parameter {name} must be a list.")
    for member in ("MinLength", "MaxLength", "MinValue", "MaxValue"):
        try:
            float(declared.get(member, 0))
        except (TypeError, ValueError) as err:
            raise Invalid(f"Template format error: {member} of parameter {name} must be a number.") from err
    try:
        re.compile(declared.get("AllowedPattern", ""))
    except (TypeError, re.error, OverflowError, RecursionError) as err:
        raise Invalid(f"Template format error: AllowedPattern of parameter {name} is no pattern.") from err


def values_of(
    declared: Mapping[str, Parameter], given: Sequence[Mapping[str, Any]], previous: Mapping[str, str] | None
) -> dict[str, str]:
    """Give each parameter its value: the given one, the previous one where that is asked for, or the default.

    Raises: Invalid naming every parameter without a value, or the first wrong value.
    """
    values: dict[str, str] = {}
    for item in given:
        key = item.get("ParameterKey", "")
        if item.get("UsePreviousValue"):
            if previous is None or key not in previous:
                raise Invalid(
                    f"Invalid input for parameter key {key}. Cannot specify usePreviousValue as true for a "
                    "parameter key not in the previous template"
                )
            values[key] = previous[key]
        elif "ParameterValue" in item:
            values[key] = item["ParameterValue"]
    strangers = sorted(set(values) - set(declared))
    if strangers:
        raise Invalid(f"Parameters: [{', '.join(strangers)}] do not exist in the template")
    for name, parameter in declared.items():
        if name not in values and parameter.default is not None:
            values[name] = parameter.default
    missing = sorted(set(declared) - set(values))
    if missing:
        raise Invalid(f"Parameters: [{', '.join(missing)}] must have values")
    for name, text in values.items():
        declared[name].check(text)
    return values
