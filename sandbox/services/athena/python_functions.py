"""Functions of Trino that need Python inside DuckDB. They are given texts and numbers, never NULL."""

import json
import math
import re
import struct
from collections.abc import Callable
from urllib.parse import parse_qs, quote_plus, unquote_plus, urlsplit

import duckdb
from duckdb.func import FunctionNullHandling

from sandbox.services.athena.json_paths import duckdb_path, lax_values


def double_text(value: float) -> str:
    """Write a DOUBLE as Java does.

    >>> [double_text(x) for x in (0.25, 1e7, 1.5e-05, 100.0)]
    ['0.25', '1.0E7', '1.5E-5', '100.0']
    """
    return _java_text(repr(float(value)))


def float_text(value: float) -> str:
    """Write a REAL as Java does: with the digits that tell it from its neighbours.

    >>> float_text(struct.unpack("f", struct.pack("f", 0.1))[0])
    '0.1'
    """
    if not math.isfinite(value):
        return _java_text(repr(value))
    for digits in range(1, 10):
        text = f"{value:.{digits}g}"
        if struct.pack("f", float(text)) == struct.pack("f", value):
            return _java_text(repr(float(text)))
    return _java_text(repr(value))


def _java_text(text: str) -> str:
    special = {"nan": "NaN", "inf": "Infinity", "-inf": "-Infinity"}.get(text)
    if special is not None:
        return special
    value = float(text)
    if value == 0 or 1e-3 <= abs(value) < 1e7:
        plain = f"{value:.20f}".rstrip("0") if "e" in text else text
        return plain + "0" if plain.endswith(".") else plain
    sign = "-" if value < 0 else ""
    mantissa, _, exponent = text.lstrip("-").partition("e")
    whole, _, fraction = mantissa.partition(".")
    power = int(exponent or 0)
    digits = whole + (fraction if fraction != "0" else "")
    power += len(whole) - 1
    stripped = digits.lstrip("0")
    power -= len(digits) - len(stripped)
    stripped = stripped.rstrip("0") or "0"
    return f"{sign}{stripped[0]}.{stripped[1:] or '0'}E{power}"


_DIRECTIVE = re.compile(r"%(?:(\d+)\$)?([-#+ 0,(]*)(\d+)?(?:\.(\d+))?([a-zA-Z%])")


def java_format(pattern: str, arguments: str) -> str:
    """Format as java.util.Formatter: `arguments` is a JSON array.

    >>> java_format("%s has %,d (%.1f%%)", '["a", 12345, 7.25]')
    'a has 12,345 (7.3%)'
    """
    values = iter(json.loads(arguments))
    listed = json.loads(arguments)

    def one(found: "re.Match[str]") -> str:
        position, flags, width, precision, kind = found.groups()
        if kind == "%":
            return "%"
        if kind == "n":
            return "\n"
        try:
            value = listed[int(position) - 1] if position else next(values)
        except (StopIteration, IndexError) as err:
            raise ValueError(f"INVALID_FUNCTION_ARGUMENT: Format specifier '{found[0]}'") from err
        return _padded(_formatted(value, kind, flags, precision, found[0]), flags, width)

    return _DIRECTIVE.sub(one, pattern)


def _formatted(value: object, kind: str, flags: str, precision: str | None, directive: str) -> str:
    if value is None:
        return "null"
    sign = "+" if "+" in flags else ""
    comma = "," if "," in flags else ""
    try:
        if kind in "dxXo" and isinstance(value, int) and not isinstance(value, bool):
            return format(value, f"{sign}{comma}{kind}")
        if kind in "feEg" and isinstance(value, int | float):
            places = int(precision or 6)
            # Java rounds half up, Python half to even.
            half_up = value + (5e-16 * abs(value) if value >= 0 else -5e-16 * abs(value))
            return format(half_up, f"{sign}{comma}.{places}{kind}")
    except ValueError as err:
        raise ValueError(f"INVALID_FUNCTION_ARGUMENT: Invalid format '{directive}'") from err
    if kind in "sS":
        text = {True: "true", False: "false"}[value] if isinstance(value, bool) else str(value)
        text = text[: int(precision)] if precision else text
        return text.upper() if kind == "S" else text
    if kind == "b":
        return str(bool(value)).lower()
    raise ValueError(f"INVALID_FUNCTION_ARGUMENT: Invalid format '{directive}' for {type(value).__name__}")


def _padded(text: str, flags: str, width: str | None) -> str:
    size = int(width or 0)
    if "-" in flags:
        return text.ljust(size)
    return text.zfill(size) if "0" in flags else text.rjust(size)


def json_value(text: str | None, path: str | None) -> str | None:
    """Give the one scalar that a lax or strict path finds, as text; None if there is none or several."""
    if text is None or path is None:
        return None
    found = lax_values(text, path)
    if len(found) != 1 or isinstance(found[0], dict | list) or found[0] is None:
        return None
    value = found[0]
    return value if isinstance(value, str) else json.dumps(value)


def json_exists(text: str, path: str) -> bool:
    """Whether a path finds anything."""
    return bool(lax_values(text, path))


def json_query(text: str | None, path: str | None, wrapper: str | None) -> str | None:
    """Give what a path finds as JSON text: `wrapper` is "without", "conditional" or "unconditional"."""
    if text is None or path is None or wrapper is None:
        return None
    found = lax_values(text, path)
    wrap = wrapper == "unconditional" or (wrapper == "conditional" and len(found) != 1)
    if wrap and found:
        return json.dumps(found, separators=(",", ":"), ensure_ascii=False)
    return json.dumps(found[0], separators=(",", ":"), ensure_ascii=False) if len(found) == 1 else None


def strpos(text: str, part: str, instance: int) -> int:
    """Give the place of the n-th occurrence, counted from the end if n is negative; 0 if there is none."""
    places = [found.start() + 1 for found in re.finditer(f"(?={re.escape(part)})", text)]
    index = instance - 1 if instance > 0 else len(places) + instance
    return places[index] if 0 <= index < len(places) else 0


def url_part(text: str | None, part: str | None) -> str | None:
    """Give a part of a URL: host, path, port, protocol, query or fragment."""
    if text is None or part is None:
        return None
    split = urlsplit(text)
    found = {
        "host": split.hostname, "path": split.path, "port": split.port, "protocol": split.scheme,
        "query": split.query, "fragment": split.fragment,
    }[part]  # fmt: skip
    return None if found is None else str(found)


def from_base(digits: str, base: int) -> int:
    """Read a number written in a base from 2 to 36."""
    return int(digits, base)


def url_encode(text: str) -> str:
    """Write a text for a URL's query."""
    return quote_plus(text, safe="*")


def url_decode(text: str) -> str:
    """Read a text of a URL's query."""
    return unquote_plus(text)


def url_parameter(text: str | None, name: str | None) -> str | None:
    """Give the first value of a parameter of a URL's query."""
    if text is None or name is None:
        return None
    found = parse_qs(urlsplit(text).query, keep_blank_values=True).get(name)
    return found[0] if found else None


_TRINO_NAMES = {"FLOAT": "real", "BLOB": "varbinary", "HUGEINT": "bigint", "UBIGINT": "bigint", '"NULL"': "unknown"}


def trino_type(name: str) -> str:
    """Give Trino's name of a DuckDB type.

    >>> trino_type('MAP(VARCHAR, STRUCT(a INTEGER, "b c" FLOAT)[])')
    'map(varchar, array(row(a integer, "b c" real)))'
    """
    if name.endswith("[]"):
        return f"array({trino_type(name[:-2])})"
    outer, _, rest = name.partition("(")
    if outer in {"MAP", "STRUCT", "TUPLE"}:
        parts = _split(rest[:-1])
        if outer == "STRUCT":
            pairs = [re.fullmatch(r'("(?:[^"]|"")*"|\S+) (.*)', part, re.DOTALL) for part in parts]
            return f"row({', '.join(f'{pair[1]} {trino_type(pair[2])}' for pair in pairs if pair)})"
        return f"{'map' if outer == 'MAP' else 'row'}({', '.join(map(trino_type, parts))})"
    if outer == "TIMESTAMP":
        return "timestamp(3)"
    if name == "TIMESTAMP WITH TIME ZONE":
        return "timestamp(3) with time zone"
    return _TRINO_NAMES.get(name, name.lower())


def _split(text: str) -> list[str]:
    parts, depth, start, inside_name = [], 0, 0, False
    for place, character in enumerate(text):
        inside_name ^= character == '"'
        depth += (character == "(") - (character == ")")
        if character == "," and depth == 0 and not inside_name:
            parts.append(text[start:place].strip())
            start = place + 1
    return [*parts, text[start:].strip()]


def register(connection: duckdb.DuckDBPyConnection) -> None:
    """Make the functions known to DuckDB."""
    text, number, real = "VARCHAR", "BIGINT", "DOUBLE"
    for name, function, arguments, result in (
        ("py_double_text", double_text, [real], text),
        ("py_float_text", float_text, ["FLOAT"], text),
        ("py_format", java_format, [text, text], text),
        ("py_json_path", duckdb_path, [text], text),
        ("py_json_exists", json_exists, [text, text], "BOOLEAN"),
        ("py_type_name", trino_type, [text], text),
        ("py_strpos", strpos, [text, text, number], number),
        ("py_from_base", from_base, [text, number], number),
        ("py_url_encode", url_encode, [text], text),
        ("py_url_decode", url_decode, [text], text),
    ):
        connection.create_function(name, function, list(arguments), result)
    # These may answer NULL themselves; then DuckDB gives them NULL too. It does not keep functions alive: all of them
    # are this module's.
    may_be_null: tuple[tuple[str, Callable[..., str | None], int], ...] = (
        ("py_json_value", json_value, 2),
        ("py_json_query", json_query, 3),
        ("py_url_part", url_part, 2),
        ("py_url_parameter", url_parameter, 2),
    )
    for name, answer, count in may_be_null:
        connection.create_function(name, answer, list([text] * count), text, null_handling=FunctionNullHandling.SPECIAL)
