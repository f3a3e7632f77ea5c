"""Read the values of a mapping from a stranger, noting everything that is wrong with it."""

import difflib
import re
from collections.abc import Mapping, Sequence

from fitness.document import child, shown
from fitness.errors import Problem


class Fields:
    """The entries of one mapping; what is wrong with them goes into `problems`, with its path.

    A wrong or missing entry reads as an empty value of its type, which has no meaning once there are problems.
    """

    def __init__(self, value: object, path: str, problems: list[Problem], *, known: Sequence[str]) -> None:
        self.path = path
        self.problems = problems
        self.given: dict[str, object] = {}
        if not isinstance(value, Mapping):
            self._wrong(path, f"must be a mapping with {', '.join(known)}, got {shown(value)}")
            return
        for key, entry in value.items():
            if key in known:
                if entry is not None:
                    self.given[key] = entry
                continue
            near = difflib.get_close_matches(str(key), known, n=1)
            hint = f"did you mean {near[0]}?" if near else f"expected one of {', '.join(known)}"
            self._wrong(child(path, str(key)), f"is not a known field; {hint}")

    def has(self, name: str) -> bool:
        """Whether the entry is there and not null."""
        return name in self.given

    def at(self, name: str) -> str:
        """The path of an entry."""
        return child(self.path, name)

    def text(self, name: str, form: re.Pattern[str], expected: str) -> str:
        """A text that must be there, in a form that `expected` puts in words."""
        value = self._needed(name, expected)
        if value is None:
            return ""
        if isinstance(value, str) and form.fullmatch(value):
            return value
        self._wrong(self.at(name), f"must be {expected}, got {shown(value)}")
        return ""

    def text_or_none(self, name: str, form: re.Pattern[str], expected: str) -> str | None:
        """A text that may be absent."""
        return self.text(name, form, expected) if self.has(name) else None

    def choice(self, name: str, allowed: Sequence[str], *, usual: str | None = None) -> str:
        """One of some words; without `usual` it must be there."""
        if usual is not None and not self.has(name):
            return usual
        value = self._needed(name, f"one of {', '.join(allowed)}")
        if value is None or (isinstance(value, str) and value in allowed):
            return str(value)
        near = difflib.get_close_matches(str(value), allowed, n=1)
        hint = f"; did you mean {near[0]}?" if near else ""
        self._wrong(self.at(name), f"must be one of {', '.join(allowed)}, got {shown(value)}{hint}")
        return allowed[0]

    def number(self, name: str, low: float, high: float) -> float | None:
        """A number within bounds, or None where it is absent."""
        value = self.given.get(name)
        if value is None:
            return None
        if not isinstance(value, bool) and isinstance(value, (int, float)) and low <= value <= high:
            return float(value)
        self._wrong(self.at(name), f"must be a number from {low:g} to {high:g}, got {shown(value)}")
        return None

    def whole(self, name: str, low: int, high: int) -> int | None:
        """A whole number within bounds, or None where it is absent."""
        value = self.given.get(name)
        if value is None:
            return None
        if not isinstance(value, bool) and isinstance(value, int) and low <= value <= high:
            return value
        self._wrong(self.at(name), f"must be a whole number from {low} to {high}, got {shown(value)}")
        return None

    def flag(self, name: str, *, usual: bool) -> bool:
        """True or false."""
        value = self.given.get(name, usual)
        if isinstance(value, bool):
            return value
        self._wrong(self.at(name), f"must be true or false, got {shown(value)}")
        return usual

    def texts(self, name: str, form: re.Pattern[str], expected: str) -> tuple[str, ...]:
        """A list of texts of one form, empty where it is absent."""
        found = []
        for index, value in enumerate(self.items(name)):
            if isinstance(value, str) and form.fullmatch(value):
                found.append(value)
            else:
                self._wrong(child(self.at(name), index), f"must be {expected}, got {shown(value)}")
        return tuple(found)

    def items(self, name: str) -> list[object]:
        """The members of a list, empty where it is absent."""
        value = self.given.get(name)
        if value is None:
            return []
        if isinstance(value, list):
            return value
        self._wrong(self.at(name), f"must be a list, got {shown(value)}")
        return []

    def inside(self, name: str, known: Sequence[str]) -> "Fields | None":
        """The entries of a mapping in this one, or None where it is absent."""
        return Fields(self.given[name], self.at(name), self.problems, known=known) if self.has(name) else None

    def each(self, name: str, known: Sequence[str]) -> list["Fields"]:
        """The entries of each mapping of a list."""
        items = enumerate(self.items(name))
        return [Fields(one, child(self.at(name), index), self.problems, known=known) for index, one in items]

    def words(self, name: str, key: re.Pattern[str], value: re.Pattern[str]) -> dict[str, str]:
        """A mapping of texts to texts, empty where it is absent; numbers and flags are taken as they are written."""
        given = self.given.get(name)
        if given is None:
            return {}
        if not isinstance(given, Mapping):
            self._wrong(self.at(name), f"must be a mapping of names to texts, got {shown(given)}")
            return {}
        found = {}
        for one, content in given.items():
            where = child(self.at(name), str(one))
            text = {True: "true", False: "false"}[content] if isinstance(content, bool) else content
            text = str(text) if isinstance(text, (int, float)) else text
            if not key.fullmatch(str(one)):
                self._wrong(where, f"must have a name of the form {key.pattern}")
            elif not isinstance(text, str) or not value.fullmatch(text):
                self._wrong(where, f"must be a text of the form {value.pattern}, got {shown(content)}")
            else:
                found[str(one)] = text
        return found

    def _needed(self, name: str, expected: str) -> object:
        if not self.has(name):
            self._wrong(self.at(name), f"is missing: {expected}")
        return self.given.get(name)

    def _wrong(self, path: str, message: str) -> None:
        self.problems.append(Problem(path=path, message=message))
