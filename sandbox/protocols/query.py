"""The query protocol: parameters as a form, answers as XML."""

import base64
import math
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl
from xml.sax.saxutils import escape

from botocore.model import OperationModel, Shape

from sandbox.errors import AwsError
from sandbox.protocols.http import Request, Response
from sandbox.protocols.shapes import read_value, unreadable, write_value

_MOST_FIELDS = 50_000
# What XML 1.0 can't hold; a message may quote a request that does.
_UNPRINTABLE = {code: "?" for code in range(32) if chr(code) not in "\t\n\r"}


class Query:
    """Speaks the query protocol of CloudFormation, CloudWatch's older clients, STS and their like."""

    def __init__(self, *, namespace: str) -> None:
        self._namespace = namespace

    def operation(self, request: Request) -> str:
        """Take the field Action."""
        return self._form(request).get("Action", "")

    def read(self, request: Request, shape: Shape | None) -> dict[str, Any]:
        """Read the flat fields of the form into the nested parameters."""
        if shape is None:
            return {}
        tree: dict[str, Any] = {}
        for name, value in self._form(request).items():
            _plant(tree, name.split("."), value)
        parameters: dict[str, Any] = _structure(shape, tree)
        return parameters

    def _form(self, request: Request) -> dict[str, str]:
        text = request.body.decode("utf-8", "replace") or request.query
        try:
            return dict(parse_qsl(text, keep_blank_values=True, max_num_fields=_MOST_FIELDS))
        except ValueError as err:
            raise unreadable("The form has too many fields") from err

    def answer(self, operation: OperationModel, answer: Mapping[str, Any], request_id: str) -> Response:
        """Write the answer between its Response, Result and ResponseMetadata elements."""
        shape = operation.output_shape
        content = ""
        if shape is not None:
            wrapper = shape.serialization.get("resultWrapper", f"{operation.name}Result")
            content = f"<{wrapper}>{_members(shape, write_value(shape, answer))}</{wrapper}>"
        name = f"{operation.name}Response"
        return self._xml(
            200,
            f'<{name} xmlns="{self._namespace}">{content}'
            f"<ResponseMetadata><RequestId>{request_id}</RequestId></ResponseMetadata></{name}>",
            request_id,
        )

    def error(self, error: AwsError, request_id: str) -> Response:
        """Write code and message as an ErrorResponse."""
        side = "Sender" if error.status < 500 else "Receiver"
        return self._xml(
            error.status,
            f'<ErrorResponse xmlns="{self._namespace}"><Error><Type>{side}</Type><Code>{error.code}</Code>'
            f"<Message>{_escape(error.message)}</Message></Error><RequestId>{request_id}</RequestId></ErrorResponse>",
            request_id,
        )

    @staticmethod
    def _xml(status: int, text: str, request_id: str) -> Response:
        return Response(
            status=status,
            body=f"<?xml version='1.0' encoding='UTF-8'?>\n{text}".encode(),
            headers={"content-type": "text/xml", "x-amzn-requestid": request_id},
        )


def _plant(tree: dict[str, Any], path: list[str], value: str) -> None:
    for part in path[:-1]:
        branch = tree.setdefault(part, {})
        if not isinstance(branch, dict):
            raise unreadable(f"{'.'.join(path)} is given both as a value and as a structure")
        tree = branch
    if isinstance(tree.get(path[-1]), dict):
        raise unreadable(f"{'.'.join(path)} is given both as a value and as a structure")
    tree[path[-1]] = value


def _structure(shape: Shape, tree: Any) -> dict[str, Any]:
    if not isinstance(tree, dict):
        raise unreadable(f"{shape.name} is a structure")
    found: dict[str, Any] = {}
    for name, member in shape.members.items():
        part = tree.get(_wire_name(member, name))
        if part is not None:
            found[name] = _value(member, part)
    return found


def _wire_name(shape: Shape, name: str) -> str:
    if shape.type_name == "list" and shape.serialization.get("flattened"):
        name = shape.member.serialization.get("name", name)
    return str(shape.serialization.get("name", name))


def _value(shape: Shape, part: Any) -> Any:
    kind = shape.type_name
    if kind == "structure":
        return _structure(shape, part)
    if kind == "list":
        return _items(shape, part)
    if kind == "map":
        entries = part if shape.serialization.get("flattened") else _branch(part, "entry")
        key, value = (s.serialization.get("name", n) for s, n in ((shape.key, "key"), (shape.value, "value")))
        pairs = [entry for _, entry in _numbered(entries)]
        if any(not isinstance(pair, dict) or key not in pair for pair in pairs):
            raise unreadable(f"{shape.name} is a map of {key} and {value}")
        return {str(pair[key]): _value(shape.value, pair.get(value, "")) for pair in pairs}
    if not isinstance(part, str):
        raise unreadable(f"{shape.name} is a {kind}")
    return read_value(shape, _scalar(kind, part))


def _scalar(kind: str, text: str) -> Any:
    if kind == "boolean":
        if text.lower() not in {"true", "false"}:
            raise unreadable(f"{text!r} can not be converted to a Boolean")
        return text.lower() == "true"
    if kind not in {"integer", "long", "float", "double"}:
        return text
    try:
        return int(text) if kind in {"integer", "long"} else float(text)
    except ValueError as err:
        raise unreadable(f"{text!r} can not be converted to {kind.capitalize()}") from err


def _items(shape: Shape, part: Any) -> list[Any]:
    if part == "":
        return []
    member = shape.member.serialization.get("name", "member")
    entries = part if shape.serialization.get("flattened") else _branch(part, member)
    return [_value(shape.member, item) for _, item in _numbered(entries)]


def _branch(part: Any, name: str) -> Any:
    if not isinstance(part, dict):
        raise unreadable(f"{name} is a list: give {name}.1")
    return part.get(name, {})


def _numbered(entries: Any) -> list[tuple[int, Any]]:
    if not isinstance(entries, dict) or not all(index.isdigit() for index in entries):
        raise unreadable("The entries of a list are numbered from 1")
    return sorted(((int(index), item) for index, item in entries.items()), key=lambda entry: entry[0])


def _members(shape: Shape, value: Mapping[str, Any]) -> str:
    return "".join(
        _element(member, str(member.serialization.get("name", name)), value[name])
        for name, member in shape.members.items()
        if name in value
    )


def _element(shape: Shape, name: str, value: Any) -> str:
    kind = shape.type_name
    if kind == "structure":
        content = _members(shape, value)
    elif kind == "list":
        member = str(shape.member.serialization.get("name", "member"))
        if shape.serialization.get("flattened"):
            return "".join(_element(shape.member, name, item) for item in value)
        content = "".join(_element(shape.member, member, item) for item in value)
    elif kind == "map":
        content = "".join(
            f"<entry>{_element(shape.key, 'key', key)}{_element(shape.value, 'value', item)}</entry>"
            for key, item in value.items()
        )
    else:
        content = _escape(_text(kind, value))
    return f"<{name}>{content}</{name}>"


def _text(kind: str, value: Any) -> str:
    if kind == "boolean":
        return "true" if value else "false"
    if kind == "timestamp":
        return f"{value:%Y-%m-%dT%H:%M:%S}.{value.microsecond // 1000:03d}Z"
    if kind == "blob":
        return base64.b64encode(value).decode()
    if kind in {"float", "double"} and not math.isfinite(value):
        return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    return str(value)


def _escape(text: str) -> str:
    return escape(text.translate(_UNPRINTABLE))
