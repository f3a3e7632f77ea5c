"""Functions that take functions: DuckDB has lists' own, for maps the lambda is moved onto their entries."""

from collections.abc import Callable
from typing import Final

from sqlglot import exp


def _call(name: str, *arguments: exp.Expression) -> exp.Expression:
    return exp.Anonymous(this=name, expressions=list(arguments))


def _lambda(node: exp.Expression, count: int) -> exp.Lambda:
    if not isinstance(node, exp.Lambda) or len(node.expressions) != count:
        raise ValueError(f"a lambda of {count} parameters is expected")
    return node


def _with(body: exp.Expression, values: dict[str, exp.Expression]) -> exp.Expression:
    """Put values in the place of a lambda's parameters."""

    def one(node: exp.Expression) -> exp.Expression:
        if isinstance(node, exp.Column):
            parts = node.parts
            if parts[0].name in values:
                value: exp.Expression = values[parts[0].name].copy()
                for part in parts[1:]:
                    value = exp.Dot(this=value, expression=part.copy())
                return value
        if isinstance(node, exp.Identifier) and node.name in values and not isinstance(node.parent, exp.Column):
            return values[node.name].copy()
        return node

    return exp.Paren(this=body.copy().transform(one))


def _each(items: exp.Expression, name: str, body: exp.Expression, function: str = "list_transform") -> exp.Expression:
    return _call(function, items, exp.Lambda(this=body, expressions=[exp.to_identifier(name)]))


def _entries(arguments: list[exp.Expression]) -> tuple[exp.Expression, exp.Expression, dict[str, exp.Expression]]:
    """Give a map's entries, the body of its lambda on them, and the fields of an entry."""
    function = _lambda(arguments[1], 2)
    key, value = (exp.Dot(this=exp.to_identifier("entry_"), expression=exp.to_identifier(f)) for f in ("key", "value"))
    names = [parameter.name for parameter in function.expressions]
    body = _with(function.this, {names[0]: key, names[1]: value})
    return _call("map_entries", arguments[0]), body, {"key": key, "value": value}


def _entry(key: exp.Expression, value: exp.Expression) -> exp.Expression:
    return exp.Struct(
        expressions=[
            exp.PropertyEQ(this=exp.to_identifier("key"), expression=key),
            exp.PropertyEQ(this=exp.to_identifier("value"), expression=value),
        ]
    )


def _map_filter(arguments: list[exp.Expression]) -> exp.Expression:
    entries, body, _ = _entries(arguments)
    return _call("map_from_entries", _each(entries, "entry_", body, "list_filter"))


def _transform_values(arguments: list[exp.Expression]) -> exp.Expression:
    entries, body, fields = _entries(arguments)
    return _call("map_from_entries", _each(entries, "entry_", _entry(fields["key"].copy(), body)))


def _transform_keys(arguments: list[exp.Expression]) -> exp.Expression:
    entries, body, fields = _entries(arguments)
    return _call("map_from_entries", _each(entries, "entry_", _entry(body, fields["value"].copy())))


def _reduce(arguments: list[exp.Expression]) -> exp.Expression:
    items, start, step, finish = arguments
    step, finish = _lambda(step, 2), _lambda(finish, 1)
    state = _call("list_reduce", items, step, start)
    return _with(finish.this, {finish.expressions[0].name: state})


def _zip_with(arguments: list[exp.Expression]) -> exp.Expression:
    function = _lambda(arguments[2], 2)
    pair = exp.to_identifier("pair_")
    sides = {
        parameter.name: _call("struct_extract", pair.copy(), exp.Literal.number(place))
        for place, parameter in enumerate(function.expressions, start=1)
    }
    return _each(_call("list_zip", arguments[0], arguments[1]), "pair_", _with(function.this, sides))


def _matches(name: str, *, empty: bool, negate: bool = False) -> Callable[[list[exp.Expression]], exp.Expression]:
    def rewrite(arguments: list[exp.Expression]) -> exp.Expression:
        items, function = arguments
        verdict = _call(name, _call("list_transform", items, _lambda(function, 1)))
        is_empty = exp.EQ(this=_call("len", items.copy()), expression=exp.Literal.number(0))
        return exp.Case(
            ifs=[exp.If(this=is_empty, true=exp.Boolean(this=empty))],
            default=exp.Not(this=exp.Paren(this=verdict)) if negate else verdict,
        )

    return rewrite


LAMBDAS: Final[dict[str, Callable[[list[exp.Expression]], exp.Expression]]] = {
    "all_match": _matches("list_bool_and", empty=True),
    "any_match": _matches("list_bool_or", empty=False),
    "none_match": _matches("list_bool_or", empty=True, negate=True),
    "filter": lambda a: _call("list_filter", a[0], _lambda(a[1], 1)),
    "transform": lambda a: _call("list_transform", a[0], _lambda(a[1], 1)),
    "map_filter": _map_filter,
    "transform_keys": _transform_keys,
    "transform_values": _transform_values,
    "reduce": _reduce,
    "zip_with": _zip_with,
}
