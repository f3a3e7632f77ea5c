"""Values in a text table: how a field becomes a value and a value a field, as expressions of DuckDB."""

from sandbox.services.athena.formats import Delimiters
from sandbox.services.athena.hive_types import HiveType, literal, quoted

_INTEGERS = {"tinyint", "smallint", "int", "bigint"}


def value_of(field: str, kind: HiveType, marks: Delimiters, depth: int = 0) -> str:
    """Give the value of a field; what can't be read is NULL, as in Hive.

    `field` is an expression for the text, NULL where it is missing.
    """
    if kind.name in {"array", "map", "struct"} and depth == 0:
        field = f"nullif({field}, {literal(marks.null)})"
    if kind.name == "array":
        item = value_of("item", kind.inside[0], marks, depth + 1)
        mark = literal(marks.nested[depth])
        return (
            f"CASE WHEN {field} = '' THEN [] ELSE "
            f"list_transform(string_split({field}, {mark}), LAMBDA item : {item}) END"
        )
    if kind.name == "map":
        entry, inner = literal(marks.nested[depth]), literal(marks.nested[depth + 1])
        key = value_of(f"string_split(entry, {inner})[1]", kind.inside[0], marks, depth + 2)
        value = value_of(f"string_split(entry, {inner})[2]", kind.inside[1], marks, depth + 2)
        entries = f"string_split(nullif({field}, ''), {entry})"
        return f"map_from_entries(list_transform({entries}, LAMBDA entry : {{'key': {key}, 'value': {value}}}))"
    if kind.name == "struct":
        mark = literal(marks.nested[depth])
        parts = ", ".join(
            f"{quoted(name)} := {value_of(f'string_split({field}, {mark})[{place}]', inner, marks, depth + 1)}"
            for place, (name, inner) in enumerate(zip(kind.names, kind.inside, strict=True), start=1)
        )
        return f"CASE WHEN {field} IS NULL THEN NULL ELSE struct_pack({parts}) END"
    field = f"nullif({field}, {literal(marks.null)})"
    if kind.name in {"varchar", "char"} and kind.sizes:
        return f"left({field}, {kind.sizes[0]})"
    if kind.name == "boolean":
        return f"CASE lower({field}) WHEN 'true' THEN true WHEN 'false' THEN false END"
    if kind.name == "binary":
        return f"coalesce(TRY(from_base64({field})), encode({field}))"
    if kind.name in _INTEGERS:
        return f"TRY_CAST(CASE WHEN regexp_full_match({field}, '[+-]?\\d+') THEN {field} END AS {kind.duckdb})"
    return field if kind.duckdb == "VARCHAR" else f"TRY_CAST({field} AS {kind.duckdb})"


def field_of(value: str, kind: HiveType, marks: Delimiters, depth: int = 0) -> str:
    """Give the text of a value, as an expression that is never NULL."""
    null = literal(marks.null)
    if kind.name == "array":
        item = field_of("item", kind.inside[0], marks, depth + 1)
        text = f"array_to_string(list_transform({value}, LAMBDA item : {item}), {literal(marks.nested[depth])})"
    elif kind.name == "map":
        entry, inner = literal(marks.nested[depth]), literal(marks.nested[depth + 1])
        key = field_of("entry.key", kind.inside[0], marks, depth + 2)
        inside = field_of("entry.value", kind.inside[1], marks, depth + 2)
        entries = f"list_transform(map_entries({value}), LAMBDA entry : {key} || {inner} || {inside})"
        text = f"array_to_string({entries}, {entry})"
    elif kind.name == "struct":
        mark = literal(marks.nested[depth])
        parts = [
            field_of(f"struct_extract({value}, {literal(name)})", inner, marks, depth + 1)
            for name, inner in zip(kind.names, kind.inside, strict=True)
        ]
        text = f"CASE WHEN {value} IS NULL THEN NULL ELSE {f' || {mark} || '.join(parts)} END"
    elif kind.name == "binary":
        text = f"to_base64({value})"
    elif kind.name in {"double", "float"}:
        text = f"py_{kind.name}_text({value})"
    else:
        text = f"CAST({value} AS VARCHAR)"
    return f"coalesce({text}, {null})"
