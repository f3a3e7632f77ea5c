"""The ten hosting options, in the order of the workload contract, with the published guidance.

The guidance is the documented opinion of 2022-23 in our own words; it stands beside the computed
scores and never enters them. The texts are in data/options.csv.
"""

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from types import MappingProxyType

from fitness.errors import InputError, Problem

FUNCTIONS = (
    "cost",
    "latency",
    "throughput",
    "scaling",
    "traffic",
)  # the five fitness functions, in display order


@dataclass(frozen=True, slots=True, kw_only=True)
class Option:
    """One way to host models."""

    id: str  # "real_time", as in the workload contract
    title: str  # "Real-time endpoint"
    summary: str  # what it is, in one sentence
    guide: Mapping[str, str]  # fitness function -> what the published guidance says


def option(option_id: str) -> Option:
    """The option of this id.

    Raises: InputError for any other id.

    >>> option("batch").title
    'Batch transform'
    """
    try:
        return OPTIONS[option_id]
    except KeyError as err:
        expected = ", ".join(sorted(OPTIONS))
        message = f"no hosting option called {option_id!r}; expected one of {expected}"
        raise InputError([Problem(path="option", message=message)]) from err


@cache
def _load() -> Mapping[str, Option]:
    text = files("fitness").joinpath("data/options.csv").read_text(encoding="utf-8")
    return MappingProxyType(
        {
            row["option"]: Option(
                id=row["option"],
                title=row["title"],
                summary=row["summary"],
                guide=MappingProxyType({function: row[function] for function in FUNCTIONS}),
            )
            for row in csv.DictReader(text.splitlines())
        }
    )


OPTIONS: Mapping[str, Option] = _load()
