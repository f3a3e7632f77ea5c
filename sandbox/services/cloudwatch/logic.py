"""Terms joined by AND, OR, NOT and brackets, the form of searches and of composite alarms."""

from collections.abc import Callable, Sequence
from typing import Final, Generic, TypeVar

Subject = TypeVar("Subject")

OPERATORS: Final = ("AND", "OR", "NOT", "(", ")")
_DEEPEST: Final = 60


class LogicError(ValueError):
    """Terms that are not joined as they must be; the text tells what stands where it should not."""


def join(tokens: Sequence[str | Callable[[Subject], bool]], *, adjoining: bool) -> Callable[[Subject], bool]:
    """Make one condition of terms and operators; where `adjoining`, terms side by side are joined by AND.

    Raises: LogicError.
    """
    return _Parser(tokens, adjoining=adjoining).whole()


class _Parser(Generic[Subject]):
    def __init__(self, tokens: Sequence[str | Callable[[Subject], bool]], *, adjoining: bool) -> None:
        self._tokens = [*tokens, ""]
        self._adjoining = adjoining
        self._at = 0
        self._depth = 0

    def whole(self) -> Callable[[Subject], bool]:
        condition = self._either()
        if self._next != "":
            raise LogicError(f"{self._shown} where an operator is expected")
        return condition

    @property
    def _next(self) -> str | Callable[[Subject], bool]:
        return self._tokens[self._at]

    @property
    def _shown(self) -> str:
        return repr(self._next or "its end") if isinstance(self._next, str) else "a term"

    def _take(self, operator: str) -> bool:
        taken = self._next == operator
        self._at += taken
        return taken

    def _either(self) -> Callable[[Subject], bool]:
        choices = [self._both()]
        while self._take("OR"):
            choices.append(self._both())
        return lambda subject: any(holds(subject) for holds in choices)

    def _both(self) -> Callable[[Subject], bool]:
        wanted = [self._one()]
        while self._take("AND") or (self._adjoining and self._next not in {"", ")", "OR"}):
            wanted.append(self._one())
        return lambda subject: all(holds(subject) for holds in wanted)

    def _one(self) -> Callable[[Subject], bool]:
        self._depth += 1
        if self._depth > _DEEPEST:
            raise LogicError(f"more than {_DEEPEST} levels")
        condition = self._negation() if self._take("NOT") else self._group() if self._take("(") else self._term()
        self._depth -= 1
        return condition

    def _negation(self) -> Callable[[Subject], bool]:
        inner = self._one()
        return lambda subject: not inner(subject)

    def _group(self) -> Callable[[Subject], bool]:
        inner = self._either()
        if not self._take(")"):
            raise LogicError("a bracket that is not closed")
        return inner

    def _term(self) -> Callable[[Subject], bool]:
        term = self._next
        if isinstance(term, str):
            raise LogicError(f"{self._shown} where a term is expected")
        self._at += 1
        return term
