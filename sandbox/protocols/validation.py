"""Parameters against the constraints of their shapes, refused in the words of AWS."""

import functools
import re
from collections.abc import Iterator
from typing import Any

from botocore.model import Shape

from sandbox.errors import AwsError

# Java's classes of characters, which the models use and Python's `re` does not know.
_JAVA_CLASSES = {
    r"\p{ASCII}": r"\x00-\x7f",
    r"\p{Print}": r"\x20-\x7e",
    r"\p{Alnum}": "a-zA-Z0-9",
    r"\p{Graph}": r"\x21-\x7e",
    r"\P{M}": r"\s\S",
    r"\p{M}": "",
    # Wider than Java's, so that nothing which AWS takes is refused.
    r"\p{L}": r"\w",
    r"\p{N}": r"\d",
    r"\p{Zs}": r"\s",
    r"\p{Z}": r"\s",
    r"\p{P}": r"!-/:-@\[-`{-~\u00a1-\u00bf\u2010-\u2027",
    r"\p{S}": r"!-/:-@\[-`{-~\u00a2-\u00b4\u2030-\u2bff",
    r"\z": r"\Z",
}
_CLASS = re.compile(r"\[[^\]]*\]|\\[pP]\{\w+\}|\\z")
_LONGEST_SHOWN = 200


def validate(shape: Shape | None, parameters: dict[str, Any]) -> None:
    """Check every parameter, then refuse once with all that is wrong.

    Raises: AwsError ValidationException, e.g. "1 validation error detected: Value null at 'modelName' failed
    to satisfy constraint: Member must not be null".
    """
    if shape is None:
        return
    wrong = list(_faults(shape, parameters, ""))
    if wrong:
        noun = "error" if len(wrong) == 1 else "errors"
        raise AwsError("ValidationException", f"{len(wrong)} validation {noun} detected: {'; '.join(wrong)}")


def _faults(shape: Shape, value: Any, path: str) -> Iterator[str]:
    kind = shape.type_name
    if kind == "structure":
        for name in shape.required_members:
            if name not in value:
                yield _fault(None, f"{path}{_camel(name)}", "Member must not be null")
        for name, item in value.items():
            yield from _faults(shape.members[name], item, f"{path}{_camel(name)}.")
    elif kind == "list":
        yield from _outside(shape, len(value), value, path, "length")
        for index, item in enumerate(value, start=1):
            yield from _faults(shape.member, item, f"{path}{index}.member.")
    elif kind == "map":
        yield from _outside(shape, len(value), value, path, "length")
        for key, item in value.items():
            yield from _faults(shape.value, item, f"{path}{key}.member.")
    elif kind == "string":
        yield from _text_faults(shape, value, path)
    elif kind == "blob":
        yield from _outside(shape, len(value), "java.nio.HeapByteBuffer", path, "length")
    elif kind in {"integer", "long", "float", "double"}:
        yield from _outside(shape, value, value, path, "value")


def _text_faults(shape: Shape, value: str, path: str) -> Iterator[str]:
    too_long = list(_outside(shape, len(value), value, path, "length"))
    yield from too_long
    if allowed := getattr(shape, "enum", None):
        if value not in allowed:
            yield _fault(value, path[:-1], f"Member must satisfy enum value set: [{', '.join(allowed)}]")
        return
    pattern = shape.metadata.get("pattern")
    if pattern and not too_long and not _matches(str(pattern), value):
        yield _fault(value, path[:-1], f"Member must satisfy regular expression pattern: {pattern}")


def _outside(shape: Shape, size: float, value: Any, path: str, noun: str) -> Iterator[str]:
    least, most = shape.metadata.get("min"), shape.metadata.get("max")
    if least is not None and size < least:
        yield _fault(value, path[:-1], f"Member must have {noun} greater than or equal to {least}")
    if most is not None and size > most:
        yield _fault(value, path[:-1], f"Member must have {noun} less than or equal to {most}")


def _fault(value: Any, path: str, constraint: str) -> str:
    shown = "null" if value is None else f"'{str(value)[:_LONGEST_SHOWN]}'"
    return f"Value {shown} at '{path}' failed to satisfy constraint: {constraint}"


def _camel(name: str) -> str:
    return name[:1].lower() + name[1:]


def _matches(pattern: str, value: str) -> bool:
    compiled = _compiled(pattern)
    return compiled is None or compiled.fullmatch(value) is not None


@functools.cache
def _compiled(pattern: str) -> re.Pattern[str] | None:
    """Translate Java's pattern; None for one that Python can't express, which is then not checked."""

    def translate(found: re.Match[str]) -> str:
        part = found[0]
        inside = part.startswith("[")
        for java, python in _JAVA_CLASSES.items():
            part = part.replace(java, python if inside or java == r"\z" else f"[{python}]" if python else "")
        return part

    try:
        return re.compile(_CLASS.sub(translate, pattern), re.DOTALL)
    except re.error:
        return None
