"""Refusals of CloudWatch: everything that is wrong with a request, in one error."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Self

from sandbox.errors import AwsError

VALUE = "InvalidParameterValue"
COMBINATION = "InvalidParameterCombination"
MISSING = "MissingParameter"
VALIDATION = "ValidationError"
MALFORMED_TOKEN = "InvalidNextToken"  # noqa: S105 (the name of an error)


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong, with the code that AWS gives it."""

    code: str
    message: str

    @classmethod
    def required(cls, parameter: str) -> Self:
        """A parameter that is not there."""
        return cls(MISSING, f"The parameter {parameter} is required.")

    @classmethod
    def exclusive(cls, one: str, other: str, code: str = COMBINATION) -> Self:
        """Two parameters of which only one may be there."""
        return cls(code, f"The parameters {one} and {other} are mutually exclusive and you have specified both.")

    @classmethod
    def neither(cls, one: str, other: str, code: str = COMBINATION) -> Self:
        """Two parameters of which one must be there."""
        return cls(code, f"At least one of the parameters {one} and {other} must be specified.")

    @classmethod
    def too_many(cls, collection: str, most: int, code: str = VALUE) -> Self:
        """A list that is too long."""
        return cls(code, f"The collection {collection} must not have a size greater than {most}.")


def refuse(faults: Iterable[Fault]) -> None:
    """Raise one error for all faults of the first one's kind; nothing if there are none. Raises: AwsError."""
    found = list(faults)
    if found:
        code = found[0].code
        raise AwsError(code, "\n".join(fault.message for fault in found if fault.code == code))
