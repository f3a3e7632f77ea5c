"""The language of metric math, from text to a tree.

Source: CloudWatch user guide, "Using math expressions with CloudWatch metrics", read 2026-11-21.
"""

import re
from dataclasses import dataclass
from typing import Final

_TOKEN: Final = re.compile(
    r"\s*(?:(?P<number>(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)"
    r"|(?P<name>[A-Za-z_]\w*)"
    r"""|(?P<text>'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")"""
    r"|(?P<sign>==|!=|<=|>=|&&|\|\||[-+*/^<>()\[\],]))"
)
_DEEPEST: Final = 60
_MOST_OPERATORS: Final = 250
_SAME: Final = {"&&": "AND", "||": "OR"}
# From weakest to strongest; power and the sign bind stronger still.
_LEVELS: Final = (("OR",), ("AND",), ("==", "!=", "<=", ">=", "<", ">"), ("+", "-"), ("*", "/"))

_OPERATORS: Final = {"^", *_SAME, *(sign for level in _LEVELS for sign in level)}


class ExpressionError(ValueError):
    """An expression that can't be read, or not be computed."""


@dataclass(frozen=True, slots=True)
class Number:
    """A number that stands in the expression."""

    value: float


@dataclass(frozen=True, slots=True)
class Text:
    """A text in quotes."""

    value: str


@dataclass(frozen=True, slots=True)
class Name:
    """The id of another query, or a keyword of a function."""

    name: str


@dataclass(frozen=True, slots=True)
class Array:
    """[m1, m2]."""

    items: tuple["Node", ...]


@dataclass(frozen=True, slots=True)
class Call:
    """A function with its arguments."""

    function: str
    arguments: tuple["Node", ...]


@dataclass(frozen=True, slots=True)
class Operation:
    """Two operands and the operator between them."""

    operator: str
    left: "Node"
    right: "Node"


@dataclass(frozen=True, slots=True)
class Negation:
    """The sign before an operand."""

    operand: "Node"


Node = Number | Text | Name | Array | Call | Operation | Negation


def parse(text: str) -> Node:
    """Read an expression. Raises: ExpressionError.

    >>> parse("m1 + 2")
    Operation(operator='+', left=Name(name='m1'), right=Number(value=2.0))
    """
    return _Parser(text).whole()


def names(node: Node) -> set[str]:
    """Give the ids that an expression refers to, keywords of functions among them."""
    if isinstance(node, Name):
        return {node.name}
    if isinstance(node, Operation):
        return names(node.left) | names(node.right)
    if isinstance(node, Negation):
        return names(node.operand)
    if isinstance(node, Array | Call):
        inner = node.items if isinstance(node, Array) else node.arguments
        return set().union(*map(names, inner))
    return set()


class _Parser:
    def __init__(self, text: str) -> None:
        self._tokens = _tokens(text)
        if sum(sign in _OPERATORS for _, sign in self._tokens) > _MOST_OPERATORS:
            raise ExpressionError(f"more than {_MOST_OPERATORS} operators")
        self._at = 0
        self._depth = 0

    def whole(self) -> Node:
        node = self._level(0)
        if self._next != ("end", ""):
            raise ExpressionError(f"unexpected {self._next[1]!r}")
        return node

    @property
    def _next(self) -> tuple[str, str]:
        return self._tokens[self._at]

    def _take(self, *allowed: str) -> str | None:
        kind, text = self._next
        text = _SAME.get(text, text)
        if kind in {"sign", "name"} and text in allowed:
            self._at += 1
            return text
        return None

    def _expect(self, sign: str) -> None:
        if not self._take(sign):
            raise ExpressionError(f"{sign!r} expected, found {self._next[1] or 'the end'!r}")

    def _level(self, level: int) -> Node:
        if level == len(_LEVELS):
            return self._signed()
        left = self._level(level + 1)
        while operator := self._take(*_LEVELS[level]):
            left = Operation(operator, left, self._level(level + 1))
        return left

    def _signed(self) -> Node:
        self._depth += 1
        if self._depth > _DEEPEST:
            raise ExpressionError(f"nested deeper than {_DEEPEST} levels")
        node = Negation(self._signed()) if self._take("-") else self._power()
        self._depth -= 1
        return node

    def _power(self) -> Node:
        base = self._operand()
        return Operation("^", base, self._signed()) if self._take("^") else base

    def _operand(self) -> Node:
        kind, text = self._next
        self._at += 1
        if kind == "number":
            return Number(float(text))
        if kind == "text":
            return Text(text[1:-1])
        if kind == "name":
            return Call(text, self._list(")")) if self._take("(") else Name(text)
        if text == "(":
            inner = self._level(0)
            self._expect(")")
            return inner
        if text == "[":
            return Array(self._list("]"))
        raise ExpressionError(f"unexpected {text or 'end'!r}")

    def _list(self, closing: str) -> tuple[Node, ...]:
        if self._take(closing):
            return ()
        items = [self._level(0)]
        while self._take(","):
            items.append(self._level(0))
        self._expect(closing)
        return tuple(items)


def _tokens(text: str) -> list[tuple[str, str]]:
    tokens = []
    at, end = 0, len(text.rstrip())
    while at < end:
        found = _TOKEN.match(text, at, end)
        if found is None:
            raise ExpressionError(f"unexpected {text[at:].lstrip()[:1]!r}")
        assert found.lastgroup is not None  # noqa: S101 (one group always matches)
        tokens.append((found.lastgroup, found[found.lastgroup]))
        at = found.end()
    return [*tokens, ("end", "")]
