"""Athena's query language for sqlglot: Trino's, with every call of a function left as it was written.

sqlglot would turn calls into its own notions, also those of functions that Athena lacks. Here a call stays one
until `functions.py` knows it.
"""

from typing import Any, ClassVar, Final

import sqlglot
from sqlglot import exp
from sqlglot.dialects.trino import Trino

from sandbox.services.athena.errors import QueryRefused

_KEPT = {"CAST", "TRY_CAST", "EXTRACT", "TRIM", "SUBSTRING", "POSITION", "JSON_VALUE", "JSON_EXISTS", "JSON_QUERY",
         "LISTAGG"}  # fmt: skip


_TOO_LARGE: Final = "line 1:1: statement is too large (stack overflow while parsing)"

# sqlglot reads these in every dialect; Athena does not.
_FOREIGN: Final = (
    (exp.Returning, "RETURNING"),
    (exp.Qualify, "QUALIFY"),
    (exp.ILike, "ILIKE"),
    (exp.SimilarTo, "SIMILAR"),
    (exp.Pivot, "PIVOT"),
    (exp.Into, "INTO"),
    (exp.OnConflict, "ON CONFLICT"),
    (exp.Glob, "GLOB"),
)


# DuckDB plans a chain of ORs in the square of its length: 2,500 take two seconds, 20,000 a minute.
_DEEPEST: Final = 2_500  # levels of a tree; a chain of n operators has n


class AthenaQueries(Trino):
    """The dialect of SELECT, INSERT, CTAS, UNLOAD and MERGE."""

    INDEX_OFFSET = 0  # as written: the first item of an array is 1 in DuckDB too

    class Parser(Trino.Parser):  # type: ignore[misc,valid-type]  # sqlglot makes it when it is imported
        """Trino's parser without its table of functions."""

        # These may be followed by IGNORE NULLS, which sqlglot moves inside the call for DuckDB.
        FUNCTIONS: ClassVar[dict[str, Any]] = {
            name: Trino.Parser.FUNCTIONS[name] for name in ("LAG", "LEAD", "FIRST_VALUE", "LAST_VALUE", "NTH_VALUE")
        }
        FUNCTION_PARSERS: ClassVar[dict[str, Any]] = {
            name: parse for name, parse in Trino.Parser.FUNCTION_PARSERS.items() if name in _KEPT
        }


def parse(text: str) -> exp.Expression:
    """Read one statement. Raises: QueryRefused."""
    statements: list[Any]
    try:
        statements = [statement for statement in sqlglot.parse(text, dialect=AthenaQueries) if statement is not None]
    except (sqlglot.ParseError, sqlglot.TokenError) as err:
        raise QueryRefused(_words(err)) from err
    except RecursionError as err:
        raise QueryRefused(_TOO_LARGE) from err
    if len(statements) != 1:
        raise QueryRefused("Only one sql statement is allowed.")
    tree: exp.Expression = statements[0]
    levels = {id(tree): 0}
    for node in tree.walk():
        if node.parent is not None and node is not tree:
            levels[id(node)] = levels[id(node.parent)] + 1
            if levels[id(node)] > _DEEPEST:
                raise QueryRefused(_TOO_LARGE)
        if isinstance(node, exp.Select) and not node.expressions:
            raise QueryRefused(
                "line 1:1: mismatched input after 'SELECT'. Expecting: '*', 'ALL', 'DISTINCT', <expression>"
            )
        for kind, words in _FOREIGN:
            if isinstance(node, kind):
                raise QueryRefused(f"line 1:1: mismatched input '{words}'")
    return tree


def _words(error: Exception) -> str:
    if isinstance(error, sqlglot.ParseError) and error.errors:
        first = error.errors[0]
        found = first.get("highlight") or "<EOF>"
        return f"line {first.get('line', 1)}:{first.get('col', 1)}: mismatched input '{found}'. {first['description']}"
    return f"line 1:1: {str(error).splitlines()[0]}"
