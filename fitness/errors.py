"""What can go wrong in the decision engine.

FitnessError
├── InputError       the caller's document or value is wrong: every problem at once, with its path
└── PriceBookError   the price book could not be read or refreshed; the book in use is kept
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TypeVar

First = TypeVar("First")
Second = TypeVar("Second")


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One wrong field: where it is and what is wrong with it.

    >>> str(Problem(path="$.traffic.rps_peak", message="must be > 0, got -3"))
    'must be > 0, got -3 @ $.traffic.rps_peak'
    """

    path: str  # "$" is the whole document, "$.items[2].memory_mb" a field in it
    message: str

    def __str__(self) -> str:
        return f"{self.message} @ {self.path}"


class FitnessError(Exception):
    """Root of every error that this package raises on purpose."""


class InputError(FitnessError):
    """The caller's input is wrong; `problems` lists every wrong field, in the input's order.

    >>> print(
    ...     InputError(
    ...         [
    ...             Problem(path="$.a", message="is unknown"),
    ...             Problem(path="$.b", message="is missing"),
    ...         ]
    ...     )
    ... )
    is unknown @ $.a
    is missing @ $.b
    """

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems: tuple[Problem, ...] = tuple(problems)
        super().__init__("\n".join(str(problem) for problem in self.problems))


class PriceBookError(FitnessError):
    """A price book could not be read or refreshed; the book that was in use is kept."""


def both(first: Callable[[], First], second: Callable[[], Second]) -> tuple[First, Second]:
    """Give what both give.

    Raises: InputError where one of them does; where both do, with the problems of both.
    """
    try:
        one = first()
    except InputError as error:
        try:
            second()
        except InputError as other:
            raise InputError([*error.problems, *other.problems]) from error
        raise
    return one, second()
