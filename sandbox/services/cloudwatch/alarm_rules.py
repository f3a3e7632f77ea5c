"""The rule of a composite alarm, such as `ALARM(slow) AND NOT OK("deployment")`.

Source: PutCompositeAlarm, CloudWatch API reference, read 2026-11-21.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from sandbox.services.cloudwatch.logic import LogicError, join

# From the name of an alarm to its state.
States = Callable[[str], str]

_TOKEN: Final = re.compile(
    r"""\s*(?:(?P<call>ALARM|OK|INSUFFICIENT_DATA)\s*\(\s*(?:"(?P<quoted>[^"]*)"|'(?P<single>[^']*)'|(?P<bare>[^()"']+?))\s*\)"""
    r"|(?P<constant>TRUE|FALSE)\b|(?P<operator>(?:AND|OR|NOT)\b|[()]))"
)
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
    tokens: list[str | Callable[[States], bool]] = []
    children: dict[str, None] = {}
    at, end = 0, len(text.rstrip())
    while at < end:
        found = _TOKEN.match(text, at, end)
        if found is None:
            raise RuleError(f"can't be read from {text[at : at + 20]!r} on")
        if found["call"]:
            name = _name(found["quoted"] or found["single"] or found["bare"] or "")
            children[name] = None
            tokens.append(_is_in(name, found["call"]))
        elif found["constant"]:
            tokens.append(_always if found["constant"] == "TRUE" else _never)
        else:
            tokens.append(found["operator"])
        at = found.end()
    if len(tokens) > _MOST_ELEMENTS or len(children) > _MOST_CHILDREN:
        raise RuleError(f"has more than {_MOST_ELEMENTS} elements or {_MOST_CHILDREN} alarms")
    try:
        return AlarmRule(join(tokens, adjoining=False), tuple(children))
    except LogicError as err:
        raise RuleError(f"has {err}") from err


def _is_in(name: str, state: str) -> Callable[[States], bool]:
    return lambda states: states(name) == state


def _always(_: States) -> bool:
    return True


def _never(_: States) -> bool:
    return False


def _name(text: str) -> str:
    return text.partition(":alarm:")[2] if text.startswith("arn:") else text
