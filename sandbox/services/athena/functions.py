"""Every function of Trino that a query may call: its name in DuckDB, or how its call is rewritten.

A function that is in no table here is refused, so that none is answered with another meaning by accident.
"""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from sqlglot import exp

from sandbox.services.athena.errors import QueryFailed, not_emulated
from sandbox.services.athena.lambdas import LAMBDAS

_TEXT: Final = (Path(__file__).parent / "macros.sql").read_text("utf-8")
_MACRO_NAMES: Final = frozenset(re.findall(r"^CREATE MACRO trino_(\w+)", _TEXT, re.MULTILINE))
# DuckDB's TRY catches no error(): inside it stands a second set of the macros, whose failures are NULL.
MACROS: Final = _TEXT + _TEXT.replace("trino_error(message) AS error(message)", "try_error(message) AS NULL").replace(
    "trino_", "try_"
)

# DuckDB has these under the same name with the same meaning.
_SAME: Final = frozenset(
    """
    abs acos asin atan atan2 avg bit_count bool_and bool_or cbrt ceil ceiling chr coalesce corr cos cosh count
    covar_pop covar_samp cume_dist current_date date_part day degrees dense_rank exp first_value flatten floor
    greatest hour if isfinite kurtosis lag last_value lcase lead least ln localtimestamp log10 log2 lower ltrim
    map_from_entries map_keys map_values max max_by min min_by minute month now nth_value ntile nullif
    percent_rank pi pow power quarter radians rank regr_intercept regr_slope reverse round row row_number rtrim
    second sign sin sinh skewness sqrt stddev stddev_pop stddev_samp sum tan tanh translate try upper uuid
    var_pop var_samp variance week year
    """.split()  # noqa: SIM905 (a list of a hundred names is read in lines)
)
_RENAMED: Final = {
    "any_value": "any_value", "approx_distinct": "approx_count_distinct", "arbitrary": "any_value",
    "array_agg": "array_agg", "bitwise_and_agg": "bit_and", "bitwise_or_agg": "bit_or", "bitwise_xor_agg": "bit_xor",
    "char_length": "length", "character_length": "length", "count_if": "count_if", "every": "bool_and",
    "geometric_mean": "geomean", "hamming_distance": "hamming", "histogram": "histogram", "lcase": "lower",
    "levenshtein_distance": "levenshtein", "lpad": "lpad", "rpad": "rpad", "max_by": "arg_max_null",
    "min_by": "arg_min_null", "normalize": "nfc_normalize", "regexp_like": "regexp_matches",
    "regexp_split": "string_split_regex", "shuffle": "list_sort", "ucase": "upper", "zip": "list_zip",
    "approx_set": "",
}  # fmt: skip
del _RENAMED["approx_set"], _RENAMED["shuffle"]

Rewrite = Callable[[list[exp.Expression]], exp.Expression]


def call(name: str, *arguments: exp.Expression | str) -> exp.Anonymous:
    """Give a call in DuckDB; a text among the arguments is a text of the call."""
    return exp.Anonymous(this=name, expressions=[exp.Literal.string(a) if isinstance(a, str) else a for a in arguments])


def _concat(arguments: list[exp.Expression]) -> exp.Expression:
    """Make a || b || c: DuckDB's concat takes NULL for nothing, Trino's gives NULL."""
    result = arguments[0]
    for argument in arguments[1:]:
        result = exp.DPipe(this=result, expression=argument, safe=False)
    return exp.Paren(this=result)


def _extreme(name: str) -> Rewrite:
    def rewrite(arguments: list[exp.Expression]) -> exp.Expression:
        """Give NULL if any argument is: DuckDB's greatest and least ignore those."""
        missing = exp.or_(*[exp.Is(this=a.copy(), expression=exp.Null()) for a in arguments])
        return exp.Case(ifs=[exp.If(this=missing, true=exp.Null())], default=call(name, *arguments))

    return rewrite


def _if(arguments: list[exp.Expression]) -> exp.Expression:
    return exp.Case(
        ifs=[exp.If(this=arguments[0], true=arguments[1])], default=arguments[2] if len(arguments) > 2 else None
    )


def _format(arguments: list[exp.Expression]) -> exp.Expression:
    return call("py_format", arguments[0], exp.Cast(this=call("json_array", *arguments[1:]), to=_type("VARCHAR")))


def _approx_percentile(arguments: list[exp.Expression]) -> exp.Expression:
    if len(arguments) != 2:
        raise not_emulated("approx_percentile with weights or accuracy")
    return call("quantile_disc", *arguments)


def _map_agg(arguments: list[exp.Expression]) -> exp.Expression:
    return call("map", call("array_agg", arguments[0].copy()), call("array_agg", arguments[1]))


def _unit_first(arguments: list[exp.Expression]) -> list[exp.Expression]:
    if not isinstance(arguments[0], exp.Literal):
        raise not_emulated("a date field that is not a literal")
    return arguments


def _url(part: str) -> Rewrite:
    return lambda arguments: call("py_url_part", arguments[0], part)


def _type(name: str) -> exp.DataType:
    return exp.DataType.build(name, dialect="duckdb")


# Format letters of MySQL, which Trino's date_format takes -> of strftime. What is in neither is refused.
_MYSQL: Final = {
    "a": "%a", "b": "%b", "c": "%-m", "d": "%d", "e": "%-d", "f": "%f", "H": "%H", "h": "%I", "I": "%I", "i": "%M",
    "j": "%j", "k": "%-H", "l": "%-I", "M": "%B", "m": "%m", "p": "%p", "r": "%I:%M:%S %p", "S": "%S", "s": "%S",
    "T": "%H:%M:%S", "v": "%V", "W": "%A", "x": "%G", "Y": "%Y", "y": "%y", "%": "%%",
}  # fmt: skip
_JODA: Final = {
    "yyyy": "%Y", "YYYY": "%Y", "yy": "%y", "MMMM": "%B", "MMM": "%b", "MM": "%m", "M": "%-m", "dd": "%d", "d": "%-d",
    "HH": "%H", "H": "%-H", "hh": "%I", "h": "%-I", "mm": "%M", "m": "%-M", "ss": "%S", "s": "%-S", "SSS": "%g",
    "SSSSSS": "%f", "a": "%p", "EEEE": "%A", "EEE": "%a", "E": "%a", "Z": "%z", "ZZ": "%z", "e": "%u", "D": "%j",
    "w": "%V", "xxxx": "%G",
}  # fmt: skip


def mysql_format(pattern: str) -> str:
    """Write a MySQL date format for strftime.

    >>> mysql_format("%Y-%m-%d %H:%i:%s")
    '%Y-%m-%d %H:%M:%S'
    """

    def one(found: "re.Match[str]") -> str:
        written = _MYSQL.get(found[1])
        if written is None and found[1] in "DUuVwX":
            raise QueryFailed("INVALID_FUNCTION_ARGUMENT", f"{found[0]} not supported in date format string")
        return written or found[1]

    return re.sub(r"%(.)", one, pattern)


def joda_format(pattern: str) -> str:
    """Write a Joda date format for strftime.

    >>> joda_format("yyyy-MM-dd'T'HH:mm")
    '%Y-%m-%dT%H:%M'
    """

    def one(found: "re.Match[str]") -> str:
        if found[0].startswith("'"):
            return found[0][1:-1].replace("%", "%%") or "'"
        written = _JODA.get(found[0])
        if written is None:
            raise not_emulated(f"the date format letters {found[0]!r}")
        return written

    return re.sub(r"'[^']*'|([A-Za-z])\1*", one, pattern)


def _with_format(name: str, read: Callable[[str], str], kind: str = "") -> Rewrite:
    def rewrite(arguments: list[exp.Expression]) -> exp.Expression:
        value, pattern = arguments
        if not isinstance(pattern, exp.Literal):
            raise not_emulated("a date format that is not a literal")
        result: exp.Expression = call(name, value, read(pattern.name))
        return exp.Cast(this=result, to=_type(kind)) if kind else result

    return rewrite


_REWRITTEN: Final[dict[str, Rewrite]] = {
    "cardinality": lambda a: exp.Cast(this=call("cardinality", a[0]), to=_type("BIGINT")),
    "json_exists": lambda a: call("py_json_exists", exp.Cast(this=a[0], to=_type("VARCHAR")), a[1]),
    "approx_percentile": _approx_percentile,
    "concat": _concat,
    "date_format": _with_format("strftime", mysql_format),
    "date_parse": _with_format("strptime", mysql_format),
    "format": _format,
    "format_datetime": _with_format("strftime", joda_format),
    "parse_datetime": _with_format("strptime", joda_format, "TIMESTAMPTZ"),
    "greatest": _extreme("greatest"),
    "least": _extreme("least"),
    "if": _if,
    "map_agg": _map_agg,
    "url_extract_fragment": _url("fragment"),
    "url_extract_host": _url("host"),
    "url_extract_parameter": lambda a: call("py_url_parameter", *a),
    "url_extract_path": _url("path"),
    "url_extract_port": lambda a: exp.Cast(this=call("py_url_part", a[0], "port"), to=_type("BIGINT")),
    "url_extract_protocol": _url("protocol"),
    "url_extract_query": _url("query"),
    "url_encode": lambda a: call("py_url_encode", *a),
    "url_decode": lambda a: call("py_url_decode", *a),
    "current_user": lambda _: exp.Literal.string("sandbox"),
    "version": lambda _: exp.Literal.string("Athena engine version 3 (sandbox)"),
    **LAMBDAS,
}


def macro(name: str, inside_of: exp.Expression, *arguments: exp.Expression) -> exp.Anonymous:
    """Give a call of one of our macros, of the kind that may fail or of the kind that stands inside try()."""
    ancestor: Any = inside_of
    while ancestor is not None:
        if isinstance(ancestor, exp.TryCast) or (
            isinstance(ancestor, exp.Anonymous) and ancestor.name.lower() == "try"
        ):
            return call(f"try_{name}", *arguments)
        ancestor = ancestor.parent
    return call(f"trino_{name}", *arguments)


def rewrite_call(node: exp.Anonymous, place: str) -> exp.Expression:
    """Rewrite one call of a Trino function for DuckDB; its arguments are rewritten already. Raises: QueryFailed."""
    name = node.name.lower()
    arguments = list(node.expressions)
    rewrite = _REWRITTEN.get(name)
    if rewrite is not None:
        try:
            return rewrite(arguments)
        except (IndexError, ValueError) as err:
            raise QueryFailed(
                "FUNCTION_NOT_FOUND", f"{place}Unexpected parameters for function {name}: {len(arguments)} given"
            ) from err
    if name in {"date_add", "date_diff", "date_trunc"}:
        arguments = _unit_first(arguments)
    if name in _MACRO_NAMES:
        return macro(name, node, *arguments)
    if name in _RENAMED:
        node.set("this", _RENAMED[name])
    elif name not in _SAME:
        raise QueryFailed("FUNCTION_NOT_FOUND", f"{place}Function '{name}' not registered")
    return node
