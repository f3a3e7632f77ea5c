"""Types as Hive writes them in DDL, as Trino names them in queries, and as DuckDB holds them."""

import re
from dataclasses import dataclass
from typing import Any, Final

from sandbox.services.athena.errors import QueryFailed

# Hive's name -> (DuckDB's, Trino's)
_SCALARS: Final = {
    "boolean": ("BOOLEAN", "boolean"),
    "tinyint": ("TINYINT", "tinyint"),
    "smallint": ("SMALLINT", "smallint"),
    "int": ("INTEGER", "integer"),
    "bigint": ("BIGINT", "bigint"),
    "float": ("FLOAT", "real"),
    "double": ("DOUBLE", "double"),
    "string": ("VARCHAR", "varchar"),
    "varchar": ("VARCHAR", "varchar"),
    "char": ("VARCHAR", "char"),
    "timestamp": ("TIMESTAMP", "timestamp(3)"),
    "timestamptz": ("TIMESTAMPTZ", "timestamp(6) with time zone"),
    "date": ("DATE", "date"),
    "binary": ("BLOB", "varbinary"),
}
_ALIASES: Final = {"integer": "int", "long": "bigint", "real": "float"}
_TOKEN = re.compile(r"\s*(`(?:[^`]|``)*`|[A-Za-z_][\w$.@-]*|\d+|[<>(),:])")


@dataclass(frozen=True, slots=True)
class HiveType:
    """One type: `decimal` has sizes, `array`, `map` and `struct` have types inside, `struct` names for them."""

    name: str
    sizes: tuple[int, ...] = ()
    inside: tuple["HiveType", ...] = ()
    names: tuple[str, ...] = ()

    @property
    def duckdb(self) -> str:
        """The type that holds its values in DuckDB.

        >>> parse_type("map<string,array<int>>").duckdb
        'MAP(VARCHAR, INTEGER[])'
        """
        if self.name == "array":
            return f"{self.inside[0].duckdb}[]"
        if self.name == "map":
            return f"MAP({self.inside[0].duckdb}, {self.inside[1].duckdb})"
        if self.name == "struct":
            fields = zip(self.names, self.inside, strict=True)
            return f"STRUCT({', '.join(f'{quoted(name)} {kind.duckdb}' for name, kind in fields)})"
        if self.name == "decimal":
            return f"DECIMAL({', '.join(map(str, self.sizes))})"
        return _SCALARS[self.name][0]

    @property
    def trino(self) -> str:
        """The type as Trino names it.

        >>> parse_type("map<string,struct<a:float,b:decimal(10,1)>>").trino
        'map(varchar, row(a real, b decimal(10,1)))'
        """
        if self.name == "struct":
            pairs = zip(self.names, self.inside, strict=True)
            return f"row({', '.join(f'{name} {kind.trino}' for name, kind in pairs)})"
        if self.inside:
            return f"{self.name}({', '.join(kind.trino for kind in self.inside)})"
        name = "decimal" if self.name == "decimal" else _SCALARS[self.name][1]
        return f"{name}({','.join(map(str, self.sizes))})" if self.sizes else name

    def __str__(self) -> str:
        """Give the type as Glue keeps it."""
        if self.name == "struct":
            pairs = zip(self.names, self.inside, strict=True)
            return f"struct<{','.join(f'{name}:{kind}' for name, kind in pairs)}>"
        if self.inside:
            return f"{self.name}<{','.join(map(str, self.inside))}>"
        return f"{self.name}({','.join(map(str, self.sizes))})" if self.sizes else self.name


def quoted(name: str) -> str:
    """Quote an identifier for DuckDB."""
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    """Quote a text for DuckDB."""
    return "'" + text.replace("'", "''") + "'"


def parse_type(text: str) -> HiveType:
    """Read a type of a DDL statement or of the catalog. Raises: QueryFailed.

    >>> str(parse_type("STRUCT< a : INT, b: Decimal(10) >"))
    'struct<a:int,b:decimal(10,0)>'
    """
    tokens = _TOKEN.findall(text)
    if "".join(tokens) != re.sub(r"\s+", "", text) and "`" not in text:
        raise _unknown(text)
    kind, end = _read(tokens, 0, text)
    if end != len(tokens):
        raise _unknown(text)
    return kind


def _read(tokens: list[str], at: int, text: str) -> tuple[HiveType, int]:
    if at >= len(tokens):
        raise _unknown(text)
    name = _ALIASES.get(tokens[at].lower(), tokens[at].lower())
    at += 1
    following = tokens[at] if at < len(tokens) else ""
    if name in {"array", "map"} and following == "<":
        inside, at = _read_inside(tokens, at + 1, text)
        if len(inside) != (1 if name == "array" else 2):
            raise _unknown(text)
        return HiveType(name, inside=tuple(inside)), at
    if name in {"struct", "row"} and following in {"<", "("}:
        return _read_struct(tokens, at + 1, text)
    sizes: list[int] = []
    if following == "(":
        while tokens[at] != ")":
            at += 1
            if at >= len(tokens):
                raise _unknown(text)
            if tokens[at].isdigit():
                sizes.append(int(tokens[at]))
        at += 1
    if name == "decimal":
        return HiveType("decimal", (*(sizes or [10]), 0)[:2]), at
    if name not in _SCALARS:
        raise _unknown(text)
    return HiveType(name, tuple(sizes) if name in {"varchar", "char"} else ()), at


def _read_inside(tokens: list[str], at: int, text: str) -> tuple[list[HiveType], int]:
    inside = []
    while True:
        kind, at = _read(tokens, at, text)
        inside.append(kind)
        if at >= len(tokens) or tokens[at] not in {",", ">"}:
            raise _unknown(text)
        at += 1
        if tokens[at - 1] == ">":
            return inside, at


def _read_struct(tokens: list[str], at: int, text: str) -> tuple[HiveType, int]:
    names, inside = [], []
    while at < len(tokens):
        names.append(tokens[at].strip("`").lower())
        at += 1
        if at < len(tokens) and tokens[at] == ":":
            at += 1
        kind, at = _read(tokens, at, text)
        inside.append(kind)
        if at >= len(tokens):
            break
        at += 1
        if tokens[at - 1] in {">", ")"}:
            return HiveType("struct", inside=tuple(inside), names=tuple(names)), at
    raise _unknown(text)


def _unknown(text: str) -> QueryFailed:
    return QueryFailed("HIVE_METASTORE_ERROR", f"Error: type expected but {text[:200]!r} is found")


# DuckDB's id of a type -> Hive's name, and the type, precision and scale that a result's column shows.
# Precisions: as Athena answers them in GetQueryResults.
_FROM_DUCKDB: Final[dict[str, tuple[str, str, int, int]]] = {
    "boolean": ("boolean", "boolean", 0, 0),
    "tinyint": ("tinyint", "tinyint", 3, 0),
    "utinyint": ("smallint", "smallint", 5, 0),
    "smallint": ("smallint", "smallint", 5, 0),
    "usmallint": ("int", "integer", 10, 0),
    "integer": ("int", "integer", 10, 0),
    "uinteger": ("bigint", "bigint", 19, 0),
    "bigint": ("bigint", "bigint", 19, 0),
    "ubigint": ("bigint", "bigint", 19, 0),
    "hugeint": ("bigint", "bigint", 19, 0),
    "float": ("float", "float", 17, 0),
    "double": ("double", "double", 17, 0),
    "varchar": ("string", "varchar", 2147483647, 0),
    "blob": ("binary", "varbinary", 1073741824, 0),
    "date": ("date", "date", 0, 0),
    "time": ("", "time", 3, 0),
    "timestamp": ("timestamp", "timestamp", 3, 0),
    "timestamp_ms": ("timestamp", "timestamp", 3, 0),
    "timestamp_s": ("timestamp", "timestamp", 3, 0),
    "timestamp_ns": ("timestamp", "timestamp", 3, 0),
    "timestamp with time zone": ("", "timestamp with time zone", 3, 0),
    "interval": ("", "interval day to second", 0, 0),
    "json": ("", "json", 0, 0),
    "list": ("array", "array", 0, 0),
    "array": ("array", "array", 0, 0),
    "map": ("map", "map", 0, 0),
    "struct": ("struct", "row", 0, 0),
    "tuple": ("struct", "row", 0, 0),
    "uuid": ("", "uuid", 0, 0),
}


def kind_of(duckdb_type: Any) -> str:
    """Give DuckDB's id of a type, with "json" for its JSON."""
    name = str(duckdb_type)
    return "json" if name == "JSON" else str(duckdb_type.id)


def result_column(duckdb_type: Any) -> tuple[str, int, int]:
    """Give type, precision and scale of a result's column as Athena shows them."""
    kind = kind_of(duckdb_type)
    if kind == "decimal":
        sizes = dict(duckdb_type.children)
        return "decimal", sizes["precision"], sizes["scale"]
    _, name, precision, scale = _FROM_DUCKDB.get(kind, ("", "unknown", 0, 0))
    return name, precision, scale


def storable_type(duckdb_type: Any, column: str) -> HiveType:
    """Give the type of a table's column that is made from a query's. Raises: QueryFailed."""
    kind = kind_of(duckdb_type)
    if kind == "decimal":
        sizes = dict(duckdb_type.children)
        return HiveType("decimal", (sizes["precision"], sizes["scale"]))
    name, shown, _, _ = _FROM_DUCKDB.get(kind, ("", "unknown", 0, 0))
    if not name:
        raise QueryFailed("NOT_SUPPORTED", f"Unsupported Hive type: {shown} of column {column}")
    if name in {"array", "map", "struct"}:
        children = duckdb_type.children
        inside = tuple(storable_type(child, column) for _, child in children)
        names = tuple(child for child, _ in children) if kind == "struct" else ()
        if kind == "tuple":
            names = tuple(f"field{number}" for number in range(len(inside)))
        return HiveType(name, inside=inside[:1] if name == "array" else inside, names=names)
    return HiveType(name)
