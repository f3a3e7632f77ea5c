"""Values between the wire and Python, by botocore's shapes."""

import base64
import binascii
import math
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from botocore.model import Shape
from botocore.utils import parse_timestamp

from sandbox.errors import AwsError

_SCALARS: dict[str, type | tuple[type, ...]] = {
    "string": str,
    "character": str,
    "boolean": bool,
    "integer": int,
    "long": int,
    "float": (int, float),
    "double": (int, float),
}
_SPECIAL_FLOATS = {"NaN", "Infinity", "-Infinity"}


def unreadable(what: str) -> AwsError:
    """The error of a request that does not fit its protocol."""
    return AwsError("SerializationException", what)


def read_value(shape: Shape, value: Any) -> Any:
    """Turn a decoded JSON or CBOR value into the shape's Python value; members the shape lacks are ignored.

    Raises: AwsError SerializationException if the types do not fit.
    """
    kind = shape.type_name
    if kind == "structure":
        _expect(value, dict, shape)
        members = shape.members
        return {
            name: read_value(members[name], member)
            for name, member in value.items()
            if name in members and member is not None
        }
    if kind == "list":
        _expect(value, list, shape)
        return [read_value(shape.member, item) for item in value if item is not None]
    if kind == "map":
        _expect(value, dict, shape)
        return {str(key): read_value(shape.value, item) for key, item in value.items() if item is not None}
    if kind == "timestamp":
        return _timestamp(value)
    if kind == "blob":
        return _blob(value)
    if kind in {"float", "double"} and isinstance(value, str) and value in _SPECIAL_FLOATS:
        return float(value)
    expected = _SCALARS[kind]
    if kind in {"integer", "long"} and isinstance(value, float) and value.is_integer():
        value = int(value)
    if not isinstance(value, expected) or (isinstance(value, bool) and kind != "boolean"):
        raise unreadable(f"{type(value).__name__} can not be converted to {kind.capitalize()}")
    return value


def write_value(shape: Shape, value: Any) -> Any:
    """Keep of an answer what its shape knows: no absent members, aware times, plain containers."""
    kind = shape.type_name
    if kind == "structure":
        members = shape.members
        return {
            name: write_value(members[name], value[name])
            for name in members
            if name in value and value[name] is not None
        }
    if kind == "list":
        return [write_value(shape.member, item) for item in value]
    if kind == "map":
        return {key: write_value(shape.value, item) for key, item in value.items() if item is not None}
    if kind == "timestamp":
        return aware(value)
    return value


def as_json(shape: Shape, value: Any) -> Any:
    """Turn a value kept by `write_value` into what JSON can hold: times as epoch seconds, blobs in base64."""
    kind = shape.type_name
    if kind == "structure":
        return {
            shape.members[name].serialization.get("name", name): as_json(shape.members[name], item)
            for name, item in value.items()
        }
    if kind == "list":
        return [as_json(shape.member, item) for item in value]
    if kind == "map":
        return {key: as_json(shape.value, item) for key, item in value.items()}
    if kind == "timestamp":
        return round(value.timestamp(), 3)
    if kind == "blob":
        return base64.b64encode(value).decode()
    if kind in {"float", "double"} and not math.isfinite(value):
        return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    return value


def aware(value: datetime | float) -> datetime:
    """Give an aware time of an aware time or of epoch seconds."""
    return value if isinstance(value, datetime) else datetime.fromtimestamp(value, UTC)


def _expect(value: Any, kind: type, shape: Shape) -> None:
    if not isinstance(value, kind):
        start = "list" if isinstance(value, list) else "structure or map" if isinstance(value, Mapping) else "value"
        raise unreadable(f"Start of {start} found where not expected: {shape.name} is a {shape.type_name}")


def _timestamp(value: Any) -> datetime:
    if isinstance(value, datetime):
        return aware(value)
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise unreadable(f"{type(value).__name__} can not be converted to a timestamp")
    try:
        parsed: datetime = parse_timestamp(value)
    except (ValueError, OverflowError, OSError, RuntimeError) as err:  # the last is botocore's own, for 1e18
        raise unreadable(f"{value!r} can not be converted to a timestamp") from err
    return parsed.replace(tzinfo=UTC) if parsed.tzinfo is None else parsed.astimezone(UTC)


def _blob(value: Any) -> bytes:
    if isinstance(value, bytes):
        return value
    if not isinstance(value, str):
        raise unreadable(f"{type(value).__name__} can not be converted to a blob")
    try:
        return base64.b64decode(value, validate=True)
    except (binascii.Error, ValueError) as err:
        raise unreadable("Failed to decode base64 of a blob") from err
