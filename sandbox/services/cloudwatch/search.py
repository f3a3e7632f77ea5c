"""SEARCH expressions: which series a search finds.

Source: CloudWatch user guide, "CloudWatch search expression syntax", read 2026-11-21.
"""

import re
from collections.abc import Callable
from typing import Final

from sandbox.metrics import Series
from sandbox.services.cloudwatch.expressions import ExpressionError
from sandbox.services.cloudwatch.logic import OPERATORS, LogicError, join

Predicate = Callable[[Series], bool]

_SCHEMA: Final = re.compile(r"\s*\{([^}]*)\}\s*,?")
_SCHEMA_PART: Final = re.compile(r'\s*(?:"((?:[^"\\]|\\.)*)"|([^,"]+?))\s*(?:,|$)')
_QUOTED: Final = r'"(?:[^"\\]|\\.)*"'
_TOKEN: Final = re.compile(
    rf'\s*([()]|(?:[\w.:/@#-]+|{_QUOTED})\s*=\s*(?:{_QUOTED}|[^\s()"={{}}]+)|{_QUOTED}|[^\s()"={{}}]+)'
)
# Parts of a name: SDBFailure -> SDB, Failure; Project2-trial333 -> Project, 2, trial, 333.
_PART: Final = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")


def matcher(query: str) -> Predicate:
    """Read a search such as `{AWS/SageMaker,EndpointName} MetricName="Invocations" NOT test`.

    Raises: ExpressionError.
    """
    schema = _SCHEMA.match(query)
    rest = query[schema.end() :] if schema else query
    wanted = [_schema(schema[1])] if schema else []
    if tokens := _tokens(rest):
        try:
            wanted.append(join(tokens, adjoining=True))
        except LogicError as err:
            raise ExpressionError(f"the search has {err}") from err
    if not wanted:
        raise ExpressionError("a search needs a schema in braces, terms, or both")
    return lambda series: all(fits(series) for fits in wanted)


def _schema(text: str) -> Predicate:
    parts = [_unescaped(quoted) if quoted else plain for quoted, plain in _SCHEMA_PART.findall(text)]
    if not parts:
        raise ExpressionError("the braces of a search hold a namespace and names of dimensions")
    namespace, names = parts[0], set(parts[1:])

    def fits(series: Series) -> bool:
        return series.namespace == namespace and (not names or {name for name, _ in series.dimensions} == names)

    return fits


def _term(token: str) -> Predicate:
    name, sign, value = _designated(token)
    fits = _text_matcher(value)
    if not sign:
        return lambda series: any(fits(text) for text in _texts(series))
    if name == "MetricName":
        return lambda series: fits(series.name)
    if name == "Namespace":
        return lambda series: fits(series.namespace)
    return lambda series: any(called == name and fits(value) for called, value in series.dimensions)


def _designated(token: str) -> tuple[str, str, str]:
    """Take `name=value` apart; a term without a name has it all in its value."""
    found = re.fullmatch(rf"([\w.:/@#-]+|{_QUOTED})\s*(=)\s*(.+)", token, re.DOTALL)
    if found is None:
        return "", "", token
    name = found[1]
    return _unescaped(name[1:-1]) if name.startswith('"') else name, "=", found[3]


def _text_matcher(value: str) -> Callable[[str], bool]:
    if value.startswith('"'):
        exact = _unescaped(value[1:-1])
        return lambda text: text == exact
    # One token is found in any case; several in a row as they are written, unless signs separate them.
    parts = _PART.findall(value)
    cased = value.isalnum() and len(parts) > 1
    wanted = parts if cased else [part.lower() for part in parts]
    whole = "".join(parts).lower()

    def fits(text: str) -> bool:
        found = _PART.findall(text)
        if not cased:
            found = [part.lower() for part in found]
        if not wanted:
            return value in text
        size = len(wanted)
        in_a_row = any(found[at : at + size] == wanted for at in range(len(found) - size + 1))
        return in_a_row or "".join(found).lower() == whole

    return fits


def _texts(series: Series) -> list[str]:
    return [series.namespace, series.name, *(text for pair in series.dimensions for text in pair)]


def _tokens(text: str) -> list[str | Predicate]:
    tokens: list[str | Predicate] = []
    at, end = 0, len(text.rstrip())
    while at < end:
        found = _TOKEN.match(text, at, end)
        if found is None:
            raise ExpressionError(f"unexpected {text[at:].lstrip()[:1]!r} in the search")
        tokens.append(found[1] if found[1] in OPERATORS else _term(found[1]))
        at = found.end()
    return tokens


def _unescaped(text: str) -> str:
    return re.sub(r"\\(.)", r"\1", text)
