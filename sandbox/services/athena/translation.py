"""A query of Athena, rewritten for DuckDB."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import duckdb
from sqlglot import exp
from sqlglot.dialects.duckdb import DuckDB

from sandbox.services.athena.errors import QueryFailed, not_emulated, place_of
from sandbox.services.athena.functions import call, macro, rewrite_call
from sandbox.services.athena.hive_types import kind_of

# (database or None, table, conditions on it alone, where it is named, whether "$path" is asked for) -> its view
Sources = Callable[[str | None, str, list[exp.Expression], str, bool], str]

_INTEGERS: Final = {"TINYINT", "SMALLINT", "INT", "BIGINT"}
_TEXTS: Final = {"VARCHAR", "TEXT", "CHAR", "NCHAR", "NVARCHAR"}
_ISO_DAY: Final = {"DOW", "DAY_OF_WEEK", "DAYOFWEEK"}
UNNAMED: Final = "_col\x01"  # stands for "_col" and the place of the column, which a * before it hides


@dataclass(slots=True)
class Translation:
    """One statement under translation; its text tells where in it something is wrong."""

    cursor: duckdb.DuckDBPyConnection
    sources: Sources
    text: str

    def query(self, tree: exp.Expression, *, named: bool = True) -> str:
        """Write a query for DuckDB; `named` gives a name to each of its columns. Raises: QueryFailed."""
        if named:
            _name_columns(tree)
        tree = self._rewritten(tree)
        self._put_sources(tree)
        self._put_unnests(tree)
        return write(tree)

    def change(self, tree: exp.Expression, target: str) -> str:
        """Write an UPDATE, DELETE or MERGE for DuckDB, whose `target` is a table there already."""
        tree = self._rewritten(tree)
        alias = exp.TableAlias(this=exp.to_identifier(tree.this.alias or tree.this.name, quoted=True))
        tree.set("this", exp.Table(this=exp.to_identifier(target, quoted=True), alias=alias))
        self._put_sources(tree, skip=tree.this)
        self._put_unnests(tree)
        return write(tree)

    def _rewritten(self, tree: exp.Expression) -> exp.Expression:
        nodes: list[Any] = list(tree.walk(bfs=True))
        for node in reversed(nodes):
            new = self._rewrite(node)
            if new is not node:
                if node is tree:
                    tree = new
                else:
                    node.replace(new)
        return tree

    def _rewrite(self, node: exp.Expression) -> exp.Expression:  # noqa: PLR0912 (a branch for each kind of node)
        if isinstance(node, exp.Anonymous):
            return rewrite_call(node, place_of(node.name, self.text))
        if isinstance(node, exp.Dot) and isinstance(node.expression, exp.Func):
            raise QueryFailed("FUNCTION_NOT_FOUND", f"line 1:1: Function '{node.sql()[:100]}' not registered")
        if isinstance(node, exp.Cast):
            return cast(node)
        if isinstance(node, exp.Div):
            return macro("divide", node, node.this, node.expression)
        if isinstance(node, exp.Bracket):
            if len(node.expressions) != 1:
                raise not_emulated("a subscript with several parts")
            return macro("item", node, node.this, node.expressions[0])
        if isinstance(node, exp.Add | exp.Sub) and isinstance(node.expression, exp.Interval):
            name = "plus_interval" if isinstance(node, exp.Add) else "minus_interval"
            return macro(name, node, node.this, node.expression)
        if isinstance(node, exp.Substring):
            return call("trino_substr", *[node.args[k] for k in ("this", "start", "length") if node.args.get(k)])
        if isinstance(node, exp.Extract) and node.name.upper() in _ISO_DAY:
            return call("isodow", node.expression)
        if isinstance(node, exp.AtTimeZone):
            return _at_time_zone(node)
        if isinstance(node, exp.JSONValue):
            return _json_value(node)
        if isinstance(node, exp.JSONExtract):
            return _json_query(node)
        if isinstance(node, exp.Version):
            raise not_emulated("the history of a table")
        if isinstance(node, exp.Literal) and not node.is_string and "." in node.name:
            return _double(node)
        return node

    def _put_sources(self, tree: exp.Expression, skip: exp.Expression | None = None) -> None:
        for table in list(tree.find_all(exp.Table)):
            if table is skip or not isinstance(table.this, exp.Identifier) or _is_named_query(table):
                continue
            name, database = table.name.lower(), table.db.lower() or None
            if table.catalog and table.catalog.lower() != "awsdatacatalog":
                raise QueryFailed(
                    "CATALOG_NOT_FOUND", f"{place_of(name, self.text)}Catalog '{table.catalog}' does not exist"
                )
            alias = table.alias or table.name
            select = table.parent_select
            with_path = select is not None and any(c.name == "$path" for c in select.find_all(exp.Column))
            conditions = _conditions(select, alias) if select is not None else []
            view = self.sources(database, name, conditions, place_of(name, self.text), with_path)
            if database and select is not None:
                for column in select.find_all(exp.Column):
                    if column.db.lower() == database and column.table.lower() == name:
                        column.set("db", None)
                        column.set("catalog", None)
            table.set("this", exp.to_identifier(view, quoted=True))
            table.set("db", None)
            table.set("catalog", None)
            if not table.args.get("alias"):
                table.set("alias", exp.TableAlias(this=exp.to_identifier(alias, quoted=True)))
            if with_path and select is not None:
                for star in [e for e in select.expressions if isinstance(e, exp.Star)]:
                    star.set("except_", [exp.to_identifier("$path", quoted=True)])

    def _put_unnests(self, tree: exp.Expression) -> None:
        for unnest in list(tree.find_all(exp.Unnest)):
            place = unnest.parent if isinstance(unnest.parent, exp.Lateral) else unnest
            place.replace(self._unnest(unnest))

    def _unnest(self, unnest: exp.Unnest) -> exp.Expression:
        alias = unnest.args.get("alias")
        items = []
        for argument, kind in zip(unnest.expressions, self._kinds(unnest), strict=True):
            if kind == "map":
                items += [call("unnest", call(f"map_{part}", argument.copy())) for part in ("keys", "values")]
            elif kind.startswith("row "):
                for place in range(1, int(kind[4:]) + 1):
                    field_ = exp.Lambda(
                        this=call("struct_extract_at", exp.to_identifier("row_"), exp.Literal.number(place)),
                        expressions=[exp.to_identifier("row_")],
                    )
                    items.append(call("unnest", call("list_transform", argument.copy(), field_)))
            else:
                items.append(call("unnest", argument))
        if unnest.args.get("offset"):
            longest = _as_bigint(call("greatest", *[call("cardinality", e.copy()) for e in unnest.expressions]))
            items.append(call("unnest", call("range", exp.Literal.number(1), longest + 1)))
        lateral = exp.Lateral(this=exp.Subquery(this=exp.Select(expressions=items)))
        columns = [c.copy() for c in alias.columns] if alias else []
        if isinstance(unnest.args.get("offset"), exp.Identifier):
            columns.append(unnest.args["offset"].copy())
        name = alias.this.copy() if alias and alias.this else exp.to_identifier("unnest_")
        lateral.set("alias", exp.TableAlias(this=name, columns=columns))
        return lateral

    def _kinds(self, unnest: exp.Unnest) -> list[str]:
        """Ask DuckDB for the types of what is unnested: "map", "row" with its number of fields, or "values"."""
        select = unnest.find_ancestor(exp.Select)
        if select is None:
            return ["values"] * len(unnest.expressions)
        probe = exp.Select(expressions=[e.copy() for e in unnest.expressions])
        source = select.args.get("from_")
        if source is not None and unnest not in list(source.find_all(exp.Unnest)):
            probe.set("from_", source.copy())
            before = []
            for join in select.args.get("joins") or []:
                if unnest in list(join.find_all(exp.Unnest)):
                    break
                before.append(join.copy())
            probe.set("joins", before)
        withs = [s.args["with_"].copy() for s in _ancestors(select) if s.args.get("with_")]
        if withs:
            merged = withs[-1]
            for inner in reversed(withs[:-1]):
                merged.set("expressions", [*merged.expressions, *inner.expressions])
            probe.set("with_", merged)
        try:
            described = self.cursor.execute(f"{write(probe)} LIMIT 0").description or []
        except duckdb.Error:
            return ["values"] * len(unnest.expressions)
        return [_unnested_kind(column[1]) for column in described]


def _unnested_kind(duckdb_type: Any) -> str:
    kind = kind_of(duckdb_type)
    if kind == "map":
        return "map"
    if kind == "list" and kind_of(duckdb_type.children[0][1]) in {"struct", "tuple"}:
        return f"row {len(duckdb_type.children[0][1].children)}"
    return "values"


def write(tree: exp.Expression) -> str:
    """Write a rewritten tree in DuckDB's SQL."""
    # sqlglot writes what it was given, in names as in values; comments may hold what ends a comment.
    return DuckDB().generate(tree, copy=False, normalize_functions=False, comments=False)


def _ancestors(node: exp.Expression) -> list[Any]:
    found: list[Any] = []
    current: Any = node
    while current is not None:
        found.append(current)
        current = current.parent
    return found


def _is_named_query(table: exp.Table) -> bool:
    """Whether the name is one of a WITH around it."""
    if table.db:
        return False
    for ancestor in _ancestors(table):
        clause = ancestor.args.get("with_")
        if clause is not None and any(q.alias.lower() == table.name.lower() for q in clause.expressions):
            own = table.find_ancestor(exp.CTE)
            if own is None or own.alias.lower() != table.name.lower() or clause.args.get("recursive"):
                return True
    return False


def _conditions(select: exp.Expression, alias: str) -> list[Any]:
    """Give what a SELECT's WHERE demands of the columns of one table alone, without its name."""
    where = select.args.get("where")
    if where is None:
        return []
    found = []
    for part in where.this.flatten() if isinstance(where.this, exp.And) else [where.this]:
        if part.find(exp.Subquery, exp.Select, exp.Exists):
            continue
        columns = list(part.find_all(exp.Column))
        if columns and all(not c.table or c.table.lower() == alias.lower() for c in columns):
            bare = part.copy()
            for column in bare.find_all(exp.Column):
                column.set("table", None)
            found.append(bare)
    return found


def _name_columns(tree: exp.Expression) -> None:
    """Name the result's columns as Trino does: after the column or field, else "_col" and a number."""
    select: Any = tree
    while isinstance(select, exp.SetOperation | exp.Subquery):
        select = select.this
    if not isinstance(select, exp.Select):
        return
    starred = any(e.is_star for e in select.expressions)
    for number, item in enumerate(list(select.expressions)):
        if isinstance(item, exp.Alias) or item.is_star:
            continue
        if isinstance(item, exp.Column):
            name = item.name
        elif isinstance(item, exp.Dot):
            name = item.expression.name
        else:
            name = f"{UNNAMED}{number}" if starred else f"_col{number}"
        item.replace(exp.Alias(this=item.copy(), alias=exp.to_identifier(name, quoted=True)))


def cast(node: exp.Cast) -> exp.Expression:
    """Rewrite a cast: those of and to texts, whole numbers and JSON differ."""
    target, value = node.to, node.this
    kind = target.this.name
    if kind in _TEXTS:
        text = call("trino_to_varchar", value)
        sizes = [e.this for e in target.expressions]
        if not sizes:
            return text
        name = "rpad" if kind == "CHAR" else "left"
        return call(name, text, *([sizes[0], " "] if name == "rpad" else [sizes[0]]))
    if kind in _INTEGERS and not isinstance(value, exp.Null) and not value.is_int:
        node.set("this", macro("to_integer", node, value))
    elif kind in {"TIMESTAMP", "TIME"} and target.expressions:
        target.set("expressions", [])
    elif kind == "JSON":
        return call("trino_to_json", value)
    elif kind in {"VARBINARY", "BINARY"}:
        return call("trino_to_varbinary", value)
    elif kind == "DECIMAL" and not target.expressions:
        if isinstance(value, exp.Literal) and value.is_string:
            return exp.Literal.number(value.name)
        target.set("expressions", [exp.DataTypeParam(this=exp.Literal.number(n)) for n in (38, 0)])
    elif kind == "STRUCT":
        _name_fields(target)
    return node


def _double(literal: exp.Literal) -> exp.Literal:
    """Write a literal like 1.5 as the double that it is to Athena; DECIMAL '1.5' is a decimal.

    Source: Athena user guide, considerations for data types; PyAthena's test of missing floats, read 2026-11-21.
    """
    return literal if "e" in literal.name.lower() else exp.Literal(this=f"{literal.name}e0", is_string=False)


def _name_fields(target: exp.DataType) -> None:
    for number, inner in enumerate(list(target.expressions)):
        if isinstance(inner, exp.DataType):
            inner.replace(exp.ColumnDef(this=exp.to_identifier(f"field{number}"), kind=inner.copy()))


def _at_time_zone(node: exp.AtTimeZone) -> exp.Expression:
    moment = exp.Cast(this=node.this, to=exp.DataType.build("TIMESTAMPTZ", dialect="duckdb"))
    zone = node.args["zone"]
    if isinstance(zone, exp.Literal) and zone.name.upper() in {"UTC", "Z", "GMT", "ETC/UTC"}:
        return moment
    return call("timezone", zone, moment)


def _json_value(node: exp.JSONValue) -> exp.Expression:
    condition = node.args.get("on_condition")
    value: exp.Expression = call("py_json_value", _text(node.this), node.args["path"])
    if condition is not None:
        handlers = [condition.args.get(k) for k in ("empty", "error")]
        defaults = [h for h in handlers if isinstance(h, exp.Expression)]
        if any(h == "ERROR" or "ERROR ON" in str(h).upper() for h in handlers if isinstance(h, str)):
            raise not_emulated("ERROR ON EMPTY and ERROR ON ERROR of json_value")
        if defaults:
            value = exp.Coalesce(this=value, expressions=[call("trino_to_varchar", defaults[0])])
    returning = node.args.get("returning")
    return exp.Cast(this=value, to=returning) if isinstance(returning, exp.DataType) else value


def _json_query(node: exp.JSONExtract) -> exp.Expression:
    option = str(node.args["option"].name if node.args.get("option") else "").upper()
    wrapper = "without"
    if "WITH" in option and "WITHOUT" not in option:
        wrapper = "conditional" if "CONDITIONAL" in option and "UNCONDITIONAL" not in option else "unconditional"
    return call("py_json_query", _text(node.this), node.expression, wrapper)


def _text(node: exp.Expression) -> exp.Expression:
    return exp.Cast(this=node, to=exp.DataType.build("VARCHAR", dialect="duckdb"))


def _as_bigint(node: exp.Expression) -> exp.Expression:
    return exp.Cast(this=node, to=exp.DataType.build("BIGINT"))
