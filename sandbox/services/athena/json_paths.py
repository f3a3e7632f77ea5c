"""The two languages of JSON paths: of json_extract, and SQL's lax and strict paths of json_value and its kin."""

import functools
import json
import re
from typing import Any

_STEP = re.compile(
    r"""\.(?P<name>[A-Za-z_][\w$-]*|"(?:[^"\\]|\\.)*"|\*)|\[(?P<index>-?\d+|\*|"(?:[^"\\]|\\.)*"|'[^']*')\]|(?P<bad>.)""",
    re.DOTALL,
)


@functools.lru_cache(maxsize=1000)
def steps(path: str) -> tuple[str | int, ...]:
    """Read a path into names and indexes; "*" stands for all. Raises: ValueError.

    >>> steps('$.a["b c"][0]')
    ('a', 'b c', 0)
    """
    if not path.startswith("$"):
        raise ValueError(f"INVALID_FUNCTION_ARGUMENT: Invalid JSON path: '{path}'")
    found: list[str | int] = []
    for step in _STEP.finditer(path[1:]):
        if step["bad"]:
            raise ValueError(f"INVALID_FUNCTION_ARGUMENT: Invalid JSON path: '{path}'")
        part: str = step["name"] or step["index"]
        if part.startswith('"'):
            found.append(json.loads(part))
        elif part.startswith("'"):
            found.append(part[1:-1])
        else:
            found.append(int(part) if step["index"] and part != "*" else part)
    return tuple(found)


@functools.lru_cache(maxsize=1000)
def duckdb_path(path: str) -> str:
    """Write a path of json_extract as DuckDB reads it.

    >>> duckdb_path('$.a["b.c"][0]')
    '$."a"."b.c"[0]'
    """
    if not path.startswith("$"):
        path = f"$.{path}"
    written = "$"
    for step in steps(path):
        if isinstance(step, int):
            written += f"[{step}]"
        elif step == "*":
            raise ValueError(f"INVALID_FUNCTION_ARGUMENT: The sandbox has no wildcards in json_extract: '{path}'")
        else:
            written += '."' + step.replace('"', '""') + '"'
    return written


def lax_values(text: str, path: str) -> list[Any]:
    """Give all that a SQL path finds in a JSON text.

    In lax mode arrays are opened where a name is asked of them, and one value counts as an array of one.
    Text that is no JSON gives nothing, as NULL ON ERROR does.

    >>> lax_values('{"a": [{"b": 1}, {"b": 2}]}', "lax $.a.b")
    [1, 2]
    """
    mode, _, rest = path.strip().partition(" ")
    if mode not in {"lax", "strict"}:
        raise ValueError(f"INVALID_PATH: expected 'lax' or 'strict' at the start of the path '{path}'")
    lax = mode == "lax"
    try:
        found = [json.loads(text)]
    except ValueError:
        return []
    for step in steps(rest.strip()):
        found = [item for value in found for item in _next(value, step, lax=lax)]
    return found


def _next(value: Any, step: str | int, *, lax: bool) -> list[Any]:
    if isinstance(step, int):
        items = value if isinstance(value, list) else [value] if lax else []
        return [items[step]] if -len(items) <= step < len(items) else []
    if isinstance(value, list) and (lax or step == "*"):
        if step == "*":
            return list(value)
        return [item for each in value for item in _next(each, step, lax=False)]
    if not isinstance(value, dict):
        return [value] if step == "*" and lax and not isinstance(value, list) else []
    if step == "*":
        return list(value.values())
    return [value[step]] if step in value else []
