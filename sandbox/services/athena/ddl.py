"""Hive's DDL, read into values."""

import re
from dataclasses import dataclass, field

from sandbox.services.athena.errors import QueryFailed

_TOKEN = re.compile(
    r"""\s+|--[^\n]*|/\*.*?\*/|(?P<text>'(?:[^'\\]|\\.|'')*'|"(?:[^"\\]|\\.)*")|(?P<name>`(?:[^`]|``)*`)"""
    r"""|(?P<word>[A-Za-z_][\w$]*|\d+[A-Za-z_]\w*)|(?P<number>-?\d+(?:\.\d+)?)|(?P<mark>[^\s\w])""",
    re.DOTALL,
)
_ESCAPES = {"t": "\t", "n": "\n", "r": "\r", "0": "\0", "b": "\b"}


def unquoted(text: str) -> str:
    """Take the quotes off, and Hive's escapes.

    >>> unquoted(chr(39) + "a" + chr(92) + "001b" + chr(39)) == "a" + chr(1) + "b"
    True
    """
    body = text[1:-1].replace("''", "'") if text[0] == "'" else text[1:-1]

    def one(found: "re.Match[str]") -> str:
        if found[1]:
            return chr(int(found[1], 8))
        if found[2]:
            return chr(int(found[2], 16))
        return _ESCAPES.get(found[3], found[3])

    return re.sub(r"\\(?:([0-3][0-7]{2})|u([0-9a-fA-F]{4})|(.))", one, body, flags=re.DOTALL)


class Tokens:
    """The words of a statement, taken one by one."""

    def __init__(self, text: str) -> None:
        self.text = text
        self._tokens = [
            (found.lastgroup, found[0], found.start()) for found in _TOKEN.finditer(text) if found.lastgroup
        ]
        self._at = 0

    def is_next(self, *words: str) -> bool:
        """Whether these words or marks come next."""
        following = self._tokens[self._at : self._at + len(words)]
        return [value.upper() for kind, value, _ in following if kind in {"word", "mark"}] == list(words)

    def take(self, *words: str) -> bool:
        """Pass these words if they come next."""
        if not self.is_next(*words):
            return False
        self._at += len(words)
        return True

    def expect(self, *words: str) -> None:
        """Pass these words. Raises: QueryFailed."""
        if not self.take(*words):
            raise self.mismatch(" ".join(words))

    def either(self, *words: str) -> None:
        """Pass one of these words. Raises: QueryFailed."""
        if not any(self.take(word) for word in words):
            raise self.mismatch(" or ".join(words))

    @property
    def at_end(self) -> bool:
        """Whether nothing is left."""
        return self._at >= len(self._tokens)

    def mismatch(self, expected: str) -> QueryFailed:
        """Give the failure of finding something else."""
        found, place = ("<EOF>", len(self.text)) if self.at_end else self._tokens[self._at][1:3]
        before = self.text[:place]
        line, column = before.count("\n") + 1, place - (before.rfind("\n") + 1) + 1
        return QueryFailed("ParseException", f"line {line}:{column} mismatched input '{found}' expecting {expected}")

    def name(self) -> str:
        """Take an identifier, in lower case."""
        if self.at_end or self._tokens[self._at][0] not in {"word", "name", "text"}:
            raise self.mismatch("an identifier")
        kind, value, _ = self._tokens[self._at]
        self._at += 1
        if kind == "name":
            value = value[1:-1].replace("``", "`")
        elif kind == "text":
            value = value[1:-1]
        return value.lower()

    def string(self) -> str:
        """Take a text in quotes."""
        if self.at_end or self._tokens[self._at][0] != "text":
            raise self.mismatch("a string")
        self._at += 1
        return unquoted(self._tokens[self._at - 1][1])

    def value(self) -> str:
        """Take a text, a number or a word as text."""
        if self.at_end:
            raise self.mismatch("a value")
        kind, value, _ = self._tokens[self._at]
        self._at += 1
        return unquoted(value) if kind == "text" else value

    def table(self, database: str) -> tuple[str, str]:
        """Take the name of a table, with or without its database and catalog."""
        parts = [self.name()]
        while self.take("."):
            parts.append(self.name())
        if len(parts) > 2 and parts[0] != "awsdatacatalog":
            raise QueryFailed("CATALOG_NOT_FOUND", f"Catalog '{parts[0]}' does not exist")
        return (database, parts[0]) if len(parts) == 1 else (parts[-2], parts[-1])

    def properties(self) -> dict[str, str]:
        """Take ('key' = 'value', ...)."""
        found = {}
        self.expect("(")
        while not self.take(")"):
            key = self.value()
            self.expect("=")
            found[key] = self.value()
            if not self.take(",") and not self.is_next(")"):
                raise self.mismatch("')'")
        return found

    def type_text(self) -> str:
        """Take a type, up to the comma, bracket or word that ends it."""
        start = self._tokens[self._at][2] if not self.at_end else len(self.text)
        depth = 0
        end = start
        while not self.at_end:
            kind, value, place = self._tokens[self._at]
            if depth == 0 and (value in ",)" or (kind == "word" and value.upper() in {"COMMENT", "NOT"})):
                break
            depth += {"<": 1, "(": 1, ">": -1, ")": -1}.get(value, 0)
            end = place + len(value)
            self._at += 1
        if start == end:
            raise self.mismatch("a type")
        return self.text[start:end]

    def columns(self) -> list[tuple[str, str, str]]:
        """Take (name type COMMENT 'text', ...); a name without a type has none."""
        found = []
        self.expect("(")
        while True:
            name = self.name()
            if self.is_next("("):  # a transform of Iceberg: bucket(16, id)
                self.type_text()
                kind = ""
            else:
                kind = "" if self.is_next(",") or self.is_next(")") else self.type_text()
            if self.take("NOT", "NULL"):
                pass
            found.append((name, kind, self.string() if self.take("COMMENT") else ""))
            if self.take(")"):
                return found
            self.expect(",")


@dataclass(slots=True, kw_only=True)
class CreateTable:
    """CREATE TABLE as it was written."""

    database: str
    name: str
    if_not_exists: bool
    external: bool
    columns: list[tuple[str, str, str]]
    comment: str = ""
    partitioned_by: list[tuple[str, str, str]] = field(default_factory=list)
    delimiters: dict[str, str] | None = None
    serde: str = ""
    serde_properties: dict[str, str] = field(default_factory=dict)
    stored_as: str = ""
    input_format: str = ""
    output_format: str = ""
    location: str = ""
    properties: dict[str, str] = field(default_factory=dict)


_DELIMITERS = (
    (("FIELDS", "TERMINATED", "BY"), "field.delim"),
    (("ESCAPED", "BY"), "escape.delim"),
    (("COLLECTION", "ITEMS", "TERMINATED", "BY"), "colelction.delim"),
    (("MAP", "KEYS", "TERMINATED", "BY"), "mapkey.delim"),
    (("LINES", "TERMINATED", "BY"), "line.delim"),
    (("NULL", "DEFINED", "AS"), "serialization.null.format"),
)


def read_create_table(text: str, database: str) -> CreateTable:
    """Read CREATE [EXTERNAL] TABLE. Raises: QueryFailed."""
    tokens = Tokens(text)
    tokens.expect("CREATE")
    external = tokens.take("EXTERNAL")
    tokens.expect("TABLE")
    if_not_exists = tokens.take("IF", "NOT", "EXISTS")
    database, name = tokens.table(database)
    made = CreateTable(
        database=database, name=name, if_not_exists=if_not_exists, external=external, columns=tokens.columns()
    )
    while not tokens.at_end:
        _read_clause(tokens, made)
    return made


def _read_clause(tokens: Tokens, made: CreateTable) -> None:
    if tokens.take("COMMENT"):
        made.comment = tokens.string()
    elif tokens.take("PARTITIONED", "BY"):
        made.partitioned_by = tokens.columns()
    elif tokens.take("CLUSTERED", "BY"):
        tokens.columns()
        tokens.expect("INTO")
        tokens.value()
        tokens.expect("BUCKETS")
    elif tokens.take("ROW", "FORMAT", "DELIMITED"):
        made.delimiters = {}
        while (found := next(((words, key) for words, key in _DELIMITERS if tokens.is_next(*words)), None)) is not None:
            tokens.take(*found[0])
            made.delimiters[found[1]] = tokens.string()
    elif tokens.take("ROW", "FORMAT", "SERDE"):
        made.serde = tokens.string()
    elif tokens.take("WITH", "SERDEPROPERTIES"):
        made.serde_properties = tokens.properties()
    elif tokens.take("STORED", "AS", "INPUTFORMAT"):
        made.input_format = tokens.string()
        tokens.expect("OUTPUTFORMAT")
        made.output_format = tokens.string()
    elif tokens.take("STORED", "AS"):
        made.stored_as = tokens.name()
    elif tokens.take("LOCATION"):
        made.location = tokens.string()
    elif tokens.take("TBLPROPERTIES"):
        made.properties = tokens.properties()
    else:
        raise tokens.mismatch("<EOF>")
