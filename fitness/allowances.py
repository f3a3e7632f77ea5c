"""What providers give away each month: quantities that a bill may take off, if it is asked to."""

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from fnmatch import fnmatchcase
from functools import cache
from itertools import groupby
from operator import itemgetter
from pathlib import Path

SAGEMAKER_FREE_TIER = "sagemaker_free_tier"  # the first two months of an account's SageMaker use
AZURE_FREE_GRANT = "azure_free_grant"  # every month, per subscription

_FILE = Path(__file__).with_name("data") / "allowances.csv"


@dataclass(frozen=True, slots=True, kw_only=True)
class Allowance:
    """A free quantity a month, shared by the items that it covers.

    Source: `fitness/data/allowances.csv`.
    """

    name: str  # "sagemaker-hosting"
    program: str  # SAGEMAKER_FREE_TIER or AZURE_FREE_GRANT
    items: tuple[str, ...]  # item keys; the last part may be "*"
    free_quantity: Decimal
    unit: str
    grade: str
    source: str
    as_of: str
    note: str  # what limits it

    def covers(self, item: str) -> bool:
        """True if a quantity of this item may be free."""
        return any(fnmatchcase(item, pattern) for pattern in self.items)


def allowances(program: str) -> tuple[Allowance, ...]:
    """The allowances of one program, in the order of the table."""
    return _by_program().get(program, ())


@cache
def _by_program() -> Mapping[str, tuple[Allowance, ...]]:
    with _FILE.open(encoding="utf-8", newline="") as lines:
        rows = list(csv.DictReader(lines))
    found = [_allowance(list(shared)) for _, shared in groupby(rows, itemgetter("allowance"))]
    return {
        program: tuple(allowance for allowance in found if allowance.program == program)
        for program in (SAGEMAKER_FREE_TIER, AZURE_FREE_GRANT)
    }


def _allowance(rows: list[dict[str, str]]) -> Allowance:
    """One allowance of the rows that share its quantity."""
    first = rows[0]
    return Allowance(
        name=first["allowance"],
        program=first["program"],
        items=tuple(row["item"] for row in rows),
        free_quantity=Decimal(first["free_quantity"]),
        unit=first["unit"],
        grade=first["grade"],
        source=first["source"],
        as_of=first["as_of"],
        note=first["note"],
    )
