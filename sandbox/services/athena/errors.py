"""Why a query fails, in the words of Athena.

QueryRefused        the statement can't be read: StartQueryExecution itself is refused
QueryFailed         the query was accepted and ended in FAILED
"""

import re
from typing import Final

import duckdb


class QueryRefused(Exception):
    """The statement is not one that Athena would accept for execution."""


class QueryFailed(Exception):
    """A query that fails, with the code that Athena puts in front of its message."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}")


def not_emulated(what: str) -> QueryFailed:
    """Give the failure of something that Athena can do and the sandbox can not."""
    return QueryFailed("NOT_SUPPORTED", f"The sandbox does not emulate {what}. AWS does.")


def table_not_found(place: str, database: str, name: str) -> QueryFailed:
    """Give the failure of a query on a table that the catalog lacks."""
    return QueryFailed("TABLE_NOT_FOUND", f"{place}Table 'awsdatacatalog.{database}.{name}' does not exist")


# DuckDB's words -> Trino's code and words. The first that fits.
_TRANSLATIONS: Final = (
    (r"Division by zero", "DIVISION_BY_ZERO", "Division by zero"),
    (r"Max expression depth", "STACK_OVERFLOW", "statement is too large (stack overflow during analysis)"),
    (
        r'Referenced column "(?P<name>[^"]+)" (?:was )?not found',
        "COLUMN_NOT_FOUND",
        "{place}Column '{name}' cannot be resolved or requester is not authorized to access requested resources",
    ),
    (
        r'(?:Values list|Table|table) "(?P<table>[^"]+)" does not have a column named "(?P<name>[^"]+)"',
        "COLUMN_NOT_FOUND",
        "{place}Column '{name}' cannot be resolved or requester is not authorized to access requested resources",
    ),
    (
        r'Column "(?P<name>[^"]+)" referenced that exists in the SELECT clause',
        "COLUMN_NOT_FOUND",
        "{place}Column '{name}' cannot be resolved or requester is not authorized to access requested resources",
    ),
    (
        r'Referenced table "(?P<name>[^"]+)" not found',
        "COLUMN_NOT_FOUND",
        "{place}Column '{name}' cannot be resolved or requester is not authorized to access requested resources",
    ),
    (r'Ambiguous reference to column name "(?P<name>[^"]+)"', "AMBIGUOUS_NAME", "{place}Column '{name}' is ambiguous"),
    (
        r"Could not convert string '(?P<value>.*?)' to (?P<type>\w+)",
        "INVALID_CAST_ARGUMENT",
        "Cannot cast '{value}' to {type}",
    ),
    (r"invalid (?P<what>\w+) field format: \"(?P<value>[^\"]*)\"", "INVALID_CAST_ARGUMENT",
     "Value cannot be cast to {what}: {value}"),
    (r"(?:Overflow in|out of range)", "NUMERIC_VALUE_OUT_OF_RANGE", "{original}"),
    (
        r'column "(?P<name>[^"]+)" must appear in the GROUP BY clause',
        "EXPRESSION_NOT_AGGREGATE",
        "{place}'{name}' must be an aggregate expression or appear in GROUP BY clause",
    ),
    (r"Malformed JSON", "INVALID_FUNCTION_ARGUMENT", "Cannot convert value to JSON"),
    (r"(?:No function matches|Cannot (?:mix|compare|cast|combine)|explicit type cast)", "TYPE_MISMATCH", "{original}"),
)  # fmt: skip
# How our own functions refuse.
_OWN = re.compile(r"Error: ([A-Z]+_[A-Z_]+: .*)", re.DOTALL)
_TYPE_NAMES: Final = {"INT8": "TINYINT", "INT16": "SMALLINT", "INT32": "INT", "INT64": "BIGINT"}


def place_of(name: str, text: str) -> str:
    """Say where a statement first mentions a name.

    >>> place_of("nope", "SELECT nope")
    'line 1:8: '
    """
    found = re.search(rf"(?<![\w'])\"?{re.escape(name)}(?![\w'])", text, re.IGNORECASE)
    before = text[: found.start()] if found else ""
    return f"line {before.count(chr(10)) + 1}:{len(before) - before.rfind(chr(10))}: "


def from_duckdb(error: duckdb.Error, statement: str) -> QueryFailed:
    """Say in Athena's words why DuckDB failed."""
    text = str(error)
    own = _OWN.search(text)
    if own is not None:
        code, _, message = own[1].strip().partition(": ")
        return QueryFailed(code, message)
    original = text.partition(": ")[2].split("\n\n")[0].partition("\nLINE ")[0].strip()
    for pattern, code, words in _TRANSLATIONS:
        found = re.search(pattern, text)
        if found is not None:
            parts = {name: _TYPE_NAMES.get(value, value) for name, value in found.groupdict().items()}
            place = place_of(parts.get("name", ""), statement)
            return QueryFailed(code, words.format(place=place, original=original, **parts))
    if isinstance(error, duckdb.ParserException | duckdb.BinderException | duckdb.CatalogException):
        return QueryFailed("SYNTAX_ERROR", f"line 1:1: {original}")
    if isinstance(error, duckdb.OutOfMemoryException):
        return QueryFailed("EXCEEDED_LOCAL_MEMORY_LIMIT", original)
    return QueryFailed("GENERIC_INTERNAL_ERROR", original)
