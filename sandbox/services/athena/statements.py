"""What kind of statement a text is, read only as far as it takes to know."""

import re
from dataclasses import dataclass
from typing import Final

from sqlglot import exp

from sandbox.services.athena.dialect import parse
from sandbox.services.athena.errors import QueryRefused

_COMMENT = re.compile(r"\s+|--[^\n]*(?:\n|$)|/\*.*?\*/", re.DOTALL)
_WORD = re.compile(r"[A-Za-z_]+|\(")
_QUOTED = re.compile(r"'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"|`[^`]*`|--[^\n]*|/\*.*?\*/|\?", re.DOTALL)
_CTAS = re.compile(r"^CREATE\s+TABLE\b", re.IGNORECASE)

# First words -> statement type and substatement type, as Athena names them.
_KINDS: Final = (
    (r"(?:SELECT|WITH|VALUES|TABLE|\()", "DML", "SELECT"),
    (r"INSERT\s+INTO\b", "DML", "INSERT"),
    (r"UPDATE\b", "DML", "UPDATE"),
    (r"DELETE\s+FROM\b", "DML", "DELETE"),
    (r"MERGE\s+INTO\b", "DML", "MERGE"),
    (r"UNLOAD\b", "DML", "UNLOAD"),
    (r"CREATE\s+(?:OR\s+REPLACE\s+)?VIEW\b", "DDL", "CREATE_VIEW"),
    (r"CREATE\s+(?:EXTERNAL\s+)?TABLE\b", "DDL", "CREATE_TABLE"),
    (r"CREATE\s+(?:DATABASE|SCHEMA)\b", "DDL", "CREATE_DATABASE"),
    (r"DROP\s+(?:DATABASE|SCHEMA)\b", "DDL", "DROP_DATABASE"),
    (r"DROP\s+TABLE\b", "DDL", "DROP_TABLE"),
    (r"DROP\s+VIEW\b", "DDL", "DROP_VIEW"),
    (r"ALTER\s+TABLE\b", "DDL", "ALTER_TABLE"),
    (r"MSCK\s+REPAIR\s+TABLE\b", "DDL", "MSCK_REPAIR_TABLE"),
    (r"SHOW\s+PARTITIONS\b", "UTILITY", "SHOW_PARTITIONS"),
    (r"SHOW\s+(?:DATABASES|SCHEMAS)\b", "UTILITY", "SHOW_DATABASES"),
    (r"SHOW\s+TABLES\b", "UTILITY", "SHOW_TABLES"),
    (r"SHOW\s+VIEWS\b", "UTILITY", "SHOW_VIEWS"),
    (r"SHOW\s+COLUMNS\b", "UTILITY", "SHOW_COLUMNS"),
    (r"SHOW\s+CREATE\s+TABLE\b", "UTILITY", "SHOW_CREATE_TABLE"),
    (r"SHOW\s+CREATE\s+VIEW\b", "UTILITY", "SHOW_CREATE_VIEW"),
    (r"SHOW\s+TBLPROPERTIES\b", "UTILITY", "SHOW_TBLPROPERTIES"),
    (r"DESC(?:RIBE)?\b", "UTILITY", "DESCRIBE_TABLE"),
    (r"EXPLAIN\b", "UTILITY", "EXPLAIN"),
    (r"(?:OPTIMIZE|VACUUM)\b", "UTILITY", "OPTIMIZE"),
    (r"PREPARE\b", "UTILITY", "PREPARE"),
    (r"EXECUTE\b", "UTILITY", "EXECUTE"),
    (r"DEALLOCATE\s+PREPARE\b", "UTILITY", "DEALLOCATE"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """A statement: `tree` for those in the language of queries, else None."""

    text: str
    kind: str
    substatement: str
    tree: exp.Expression | None = None

    @property
    def suffix(self) -> str:
        """What its result object's key ends with."""
        if self.substatement in {"INSERT", "CREATE_TABLE_AS_SELECT", "UNLOAD", "UPDATE", "DELETE", "MERGE"}:
            return ""
        return ".csv" if self.kind == "DML" else ".txt"


def without_comments_before(text: str) -> str:
    """Give the text from its first word on, without the semicolon at its end."""
    place = 0
    while (found := _COMMENT.match(text, place)) is not None:
        place = found.end()
    return text[place:].rstrip().removesuffix(";").rstrip()


def read(text: str) -> Statement:
    """Read a statement. Raises: QueryRefused, as StartQueryExecution refuses what it can't read."""
    bare = without_comments_before(text)
    known = next(((kind, sub) for pattern, kind, sub in _KINDS if re.match(pattern, bare, re.IGNORECASE)), None)
    if known is None:
        word = _WORD.match(bare)
        raise QueryRefused(
            f"line 1:1: mismatched input '{word[0] if word else bare[:20] or '<EOF>'}'. Expecting: 'ALTER', 'CREATE', "
            "'DEALLOCATE', 'DELETE', 'DESC', 'DESCRIBE', 'DROP', 'EXECUTE', 'EXPLAIN', 'INSERT', 'MERGE', 'MSCK', "
            "'OPTIMIZE', 'PREPARE', 'SHOW', 'UNLOAD', 'UPDATE', 'VACUUM', <query>"
        )
    kind, substatement = known
    if substatement in {"SELECT", "INSERT", "UPDATE", "DELETE", "MERGE"}:
        return Statement(text=bare, kind=kind, substatement=substatement, tree=parse(bare))
    if _CTAS.match(bare) and (split := split_ctas(bare)) is not None:
        return Statement(text=bare, kind=kind, substatement="CREATE_TABLE_AS_SELECT", tree=parse(split[1]))
    if substatement == "CREATE_VIEW":
        _, query = split_view(bare)
        return Statement(text=bare, kind=kind, substatement=substatement, tree=parse(query))
    return Statement(text=bare, kind=kind, substatement=substatement)


def filled(statement: Statement, parameters: list[str]) -> Statement:
    """Put execution parameters, which are expressions, in the place of the question marks. Raises: QueryRefused."""
    values = iter(parameters)
    missing = False

    def one(found: "re.Match[str]") -> str:
        nonlocal missing
        if found[0] != "?":
            return found[0]
        value = next(values, None)
        missing |= value is None
        return value or "NULL"

    text = _QUOTED.sub(one, statement.text)
    if missing or next(values, None) is not None:
        raise QueryRefused(
            f"INVALID_PARAMETER_USAGE: {len(parameters)} parameters were given, the statement has another number"
        )
    for parameter in parameters:
        parse(f"SELECT {parameter}")
    return read(text) if parameters else statement


def split_ctas(text: str) -> tuple[str, str] | None:
    """Cut CREATE TABLE x WITH (...) AS query before its AS; None if it has none at the outermost level."""
    place = _outer_as(text)
    return None if place is None else (text[:place].rstrip(), text[place + 2 :].strip())


def split_view(text: str) -> tuple[str, str]:
    """Cut CREATE VIEW x AS query. Raises: QueryRefused."""
    place = _outer_as(text)
    if place is None:
        raise QueryRefused("line 1:1: mismatched input '<EOF>'. Expecting: 'AS'")
    return text[:place].rstrip(), text[place + 2 :].strip()


def _outer_as(text: str) -> int | None:
    depth = 0
    for found in re.finditer(
        r"'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"|`[^`]*`|--[^\n]*|/\*.*?\*/|[()]|\bAS\b", text, re.IGNORECASE | re.DOTALL
    ):
        mark = found[0].upper()
        if mark == "(":
            depth += 1
        elif mark == ")":
            depth -= 1
        elif mark == "AS" and depth == 0:
            return found.start()
    return None
