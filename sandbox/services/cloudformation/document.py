"""The text of a template, YAML with its short forms or JSON, read into plain values."""

import json
from collections.abc import Hashable
from typing import Any

import yaml

from sandbox.errors import AwsError

# CloudFormation user guide, "Understand CloudFormation quotas", read 2026-11-21.
LONGEST_BODY = 51_200  # bytes of TemplateBody
LONGEST_OBJECT = 1_000_000  # bytes of a template in S3
_MOST_VALUES = 100_000  # a document of the longest size has fewer; only repeated YAML aliases make more


class Invalid(AwsError):
    """What CloudFormation refuses before it starts anything."""

    def __init__(self, message: str) -> None:
        super().__init__("ValidationError", message)


def read_document(text: str) -> dict[str, Any]:
    """Read a template's text. Raises: Invalid, with the line of the mistake.

    >>> read_document("Resources: {Topic: {Type: 'AWS::SNS::Topic', Properties: {DisplayName: !Ref Name}}}")
    {'Resources': {'Topic': {'Type': 'AWS::SNS::Topic', 'Properties': {'DisplayName': {'Ref': 'Name'}}}}}
    """
    document = _json(text) if text.lstrip().startswith("{") else _yaml(text)
    _refuse_explosions(document)
    if not isinstance(document, dict):
        raise Invalid("Template format error: unsupported structure.")
    return document


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except json.JSONDecodeError as err:
        raise Invalid(f"Template format error: JSON not well-formed. (line {err.lineno}, column {err.colno})") from err
    except RecursionError as err:
        raise Invalid("Template format error: nested too deeply") from err
    except ValueError as err:  # Python's limit of digits
        raise Invalid("Template format error: JSON not well-formed: a number is too long") from err


def _yaml(text: str) -> Any:
    try:
        return yaml.load(text, _Loader)  # noqa: S506 (a safe loader with tags of its own)
    except yaml.MarkedYAMLError as err:
        mark = err.problem_mark
        place = f" (line {mark.line + 1}, column {mark.column + 1})" if mark else ""
        raise Invalid(f"Template format error: YAML not well-formed.{place}") from err
    except yaml.YAMLError as err:
        raise Invalid("Template format error: YAML not well-formed.") from err
    except RecursionError as err:
        raise Invalid("Template format error: nested too deeply") from err
    except ValueError as err:  # Python's limit of digits, or a date that does not exist
        raise Invalid("Template format error: YAML not well-formed: a value can't be read") from err


def _refuse_explosions(document: Any) -> None:
    waiting = [document]
    seen = 0
    while waiting:
        value = waiting.pop()
        seen += 1
        if seen > _MOST_VALUES:
            raise Invalid(f"Template format error: more than {_MOST_VALUES} values, aliases expanded")
        if isinstance(value, dict):
            waiting.extend(value.values())
        elif isinstance(value, list):
            waiting.extend(value)


class _Loader(yaml.SafeLoader):
    """Safe YAML with CloudFormation's tags, where dates are text and a key stands once."""

    yaml_implicit_resolvers = {  # noqa: RUF012 (PyYAML reads it)
        first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:timestamp"]
        for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:  # noqa: FBT001, FBT002 (PyYAML's signature)
        """Make a dictionary. Raises: MarkedYAMLError for a key that stands twice."""
        seen: set[str] = set()
        for key, _ in node.value:
            if isinstance(key, yaml.ScalarNode) and key.value in seen:
                raise yaml.constructor.ConstructorError(None, None, f"duplicate key {key.value!r}", key.start_mark)
            seen.add(str(key.value))
        return {str(key): value for key, value in super().construct_mapping(node, deep=deep).items()}


def _short_form(loader: _Loader, suffix: str, node: yaml.Node) -> dict[str, Any]:
    if isinstance(node, yaml.ScalarNode):
        value: Any = loader.construct_scalar(node)
        if suffix == "GetAtt":
            value = value.split(".", 1)
    elif isinstance(node, yaml.SequenceNode):
        value = loader.construct_sequence(node, deep=True)
    else:
        assert isinstance(node, yaml.MappingNode)  # noqa: S101 (YAML has three kinds)
        value = loader.construct_mapping(node, deep=True)
    return {suffix if suffix in {"Ref", "Condition"} else f"Fn::{suffix}": value}


_Loader.add_multi_constructor("!", _short_form)
