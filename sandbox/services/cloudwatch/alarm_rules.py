"""The rule of a composite alarm, such as `ALARM(slow) AND NOT OK("deployment")`.

Source: PutCompositeAlarm, CloudWatch API reference, read 2026-11-21.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

STATES: Final = ("ALARM", "OK", "INSUFFICIENT_DATA")
# From the name of an alarm to its state.
States = Callable[[str], str]

_TOKEN: Final = re.compile(
    r"""\s*(?:(?P<call>ALARM|OK|INSUFFICIENT_DATA)\s*\(\s*(?:"(?P<quoted>[^"]*)"|'(?P<single>[^']*)'|(?P<bare>[^()"']+?))\s*\)"""
    r"|(?P<word>AND|OR|NOT|TRUE|FALSE)\b|(?P<bracket>[()]))"
)
_DEEPEST: Final = 100
_MOST_ELEMENTS: Final = 500
_MOST_CHILDREN: Final = 100


class RuleError(ValueError):
    """A rule that can't be read."""


@dataclass(frozen=True, slots=True)
class AlarmRule:
    """A rule: whether it holds for some states, and the alarms that it names."""

    holds: Callable[[States], bool]
    children: tuple[str, ...]


def parse_rule(text: str) -> AlarmRule:
    """Read a rule. Raises: RuleError."""
    tokens: list[tuple[str, str]] = []
    at, end = 0, len(text.rstrip())
    while at < end:
        found = _TOKEN.match(text, at, end)
        if found is None:
            raise RuleError(f"can't be read from {text[at : at + 20]!r} on")
        name = found["quoted"] or found["single"] or found["bare"]
        tokens.append((found["call"] or found["word"] or found["bracket"], _name(name or "")))
        at = found.end()
    children = tuple(dict.fromkeys(name for kind, name in tokens if kind in STATES))
    if len(tokens) > _MOST_ELEMENTS or len(children) > _MOST_CHILDREN:
        raise RuleError(f"has more than {_MOST_ELEMENTS} elements or {_MOST_CHILDREN} alarms")
    return AlarmRule(_Parser(tokens).whole(), children)


def _name(text: str) -> str:
    return text.partition(":alarm:")[2] if text.startswith("arn:") else text


class _Parser:
    def __init__(self, tokens: list[tuple[str, str]]) -> None:
        self._tokens = [*tokens, ("", "")]
        self._at = 0
        self._depth = 0

    def whole(self) -> Callable[[States], bool]:
        rule = self._either()
        if self._next:
            raise RuleError(f"has {self._next!r} where an operator is expected")
        return rule

    @property
    def _next(self) -> str:
        return self._tokens[self._at][0]

    def _take(self, kind: str) -> bool:
        taken = self._next == kind
        self._at += taken
        return taken

    def _either(self) -> Callable[[States], bool]:
        choices = [self._both()]
        while self._take("OR"):
            choices.append(self._both())
        return lambda states: any(choice(states) for choice in choices)

    def _both(self) -> Callable[[States], bool]:
        wanted = [self._one()]
        while self._take("AND"):
            wanted.append(self._one())
        return lambda states: all(one(states) for one in wanted)

    def _one(self) -> Callable[[States], bool]:
        self._depth += 1
        if self._depth > _DEEPEST:
            raise RuleError(f"is nested deeper than {_DEEPEST} levels")
        kind, name = self._tokens[self._at]
        self._at += 1
        if kind == "NOT":
            inner = self._one()
            rule: Callable[[States], bool] = lambda states: not inner(states)  # noqa: E731
        elif kind == "(":
            rule = self._either()
            if not self._take(")"):
                raise RuleError("has a bracket that is not closed")
        elif kind in {"TRUE", "FALSE"}:
            rule = lambda _: kind == "TRUE"  # noqa: E731
        elif kind in STATES:
            rule = lambda states: states(name) == kind  # noqa: E731
        else:
            raise RuleError(f"has {kind or 'its end'!r} where an alarm is expected")
        self._depth -= 1
        return rule
