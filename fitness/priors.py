"""What is assumed where nobody measured: one distribution per quantity, with its source.

Every prior is a row of `data/priors.csv`; `--priors` fixes any of them to a number.
The formulas that use them are in docs/background.md.
"""

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from statistics import NormalDist

import numpy as np

from fitness.arrays import Array
from fitness.document import shown
from fitness.errors import InputError, Problem

# Nothing takes no time, arrives never or runs infinitely slowly: these divide.
_ABOVE_ZERO = (
    "models.artifact_mb",
    "models.memory_mb.base",
    "request.processing_ms",
    "request.concurrency.",
    "traffic.rps_mean",
    "traffic.peak_ratio.",
    "traffic.records_per_job",
    "traffic.jobs_per_month",
    "serverless_mb_per_vcpu",
    "speed_of_other_",
)
_MOST = 1e9
_EDGES = np.linspace(-4.5, 4.5, 4001)
_CUMULATIVE = np.array([NormalDist().cdf(float(z)) for z in _EDGES])


def normal_quantile(probability: Array) -> Array:
    """Standard normal quantile, by linear interpolation of a table of 4,001 points (error < 1e-5 within 4 sigma)."""
    quantile: Array = np.interp(probability, _CUMULATIVE, _EDGES)
    return quantile


@dataclass(frozen=True, slots=True, kw_only=True)
class Prior:
    """The distribution of one quantity that nobody told us."""

    name: str
    distribution: str  # lognormal (median, spread = geometric standard deviation) or uniform (low, high)
    low: float
    median: float
    high: float
    spread: float
    unit: str
    grade: str
    source: str
    as_of: str
    note: str

    def quantile(self, probability: Array) -> Array:
        """Values at the given probabilities (any shape, inside 0..1), in `unit`."""
        if self.distribution == "constant":
            return np.full_like(probability, self.median)
        if self.distribution == "uniform":
            # Two straight pieces, so that the table's median is the median whatever the ends are.
            below = self.low + 2 * probability * (self.median - self.low)
            above = self.median + 2 * (probability - 0.5) * (self.high - self.median)
            return np.where(probability < 0.5, below, above)
        scaled: Array = self.median * np.exp(np.log(self.spread) * normal_quantile(probability))
        return scaled

    @property
    def text(self) -> str:
        """The distribution in words, for receipts and tool tips.

        >>> PRIORS()["instance_launch_s"].text
        'lognormal, median 300 s, geometric deviation 1.6'
        """
        if self.distribution == "constant":
            return f"fixed at {self.median:g} {self.unit}"
        if self.distribution == "uniform":
            return f"{self.low:g} to {self.high:g} {self.unit}, median {self.median:g}"
        return f"lognormal, median {self.median:g} {self.unit}, geometric deviation {self.spread:g}"


@cache
def PRIORS() -> Mapping[str, Prior]:  # noqa: N802 a table, read once
    """Every prior by name, in the order of the table."""
    text = (files("fitness") / "data" / "priors.csv").read_text(encoding="utf-8")
    return {
        row["name"]: Prior(
            name=row["name"],
            distribution=row["distribution"],
            low=float(row["low"] or row["median"]),
            median=float(row["median"]),
            high=float(row["high"] or row["median"]),
            spread=float(row["spread"] or 1),
            unit=row["unit"],
            grade=row["grade"],
            source=row["source"],
            as_of=row["as_of"],
            note=row["note"],
        )
        for row in csv.DictReader(text.splitlines())
    }


def with_fixed(given: Mapping[str, object] | None) -> Mapping[str, Prior]:
    """The priors with some of them fixed to a number.

    Raises: InputError naming every prior that is unknown or whose value is out of its range.
    """
    table = dict(PRIORS())
    problems: list[Problem] = []
    for name, value in (given or {}).items():
        path = f"$.priors.{name}"
        if name not in table:
            problems.append(Problem(path=path, message=f"is not a prior; expected one of {', '.join(sorted(table))}"))
        elif isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value <= _MOST:
            problems.append(Problem(path=path, message=f"must be a number from 0 to {_MOST:.0f}, got {shown(value)}"))
        elif value < 1 / _MOST and name.startswith(_ABOVE_ZERO):
            problems.append(Problem(path=path, message=f"must be a number > 0, got {shown(value)}"))
        else:
            fixed = table[name]
            table[name] = Prior(
                name=name,
                distribution="constant",
                low=float(value),
                median=float(value),
                high=float(value),
                spread=1.0,
                unit=fixed.unit,
                grade="measured",
                source="given by the caller",
                as_of="",
                note=fixed.note,
            )
    if problems:
        raise InputError(problems)
    return table
