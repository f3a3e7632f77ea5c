"""One limit against what a workload asks, and what the rules look at."""

from collections.abc import Callable
from dataclasses import dataclass
from dataclasses import field as dataclass_field

import numpy as np

from fitness import limits
from fitness.arrays import Array
from fitness.inputs import Inputs
from fitness.limits import Limit
from fitness.machines import Machines
from fitness.wording import percent

EVEN = 0.5  # sources disagree, or the fact is unknown and nothing speaks for either
SURE = 0.98  # share of the draws of an undeclared number above which it counts as passing
UNSURE = frozenset({"disputed", "unverified"})  # statuses of the register that make a gate conditional
Answer = float | str | bool | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Gate:
    """One limit against what the workload asks."""

    limit: str
    title: str
    allowed: Answer
    asked: Answer
    unit: str
    passes: bool | None  # None: conditional
    likelihood: float  # how likely it holds: 1 passes, 0 fails
    reason: str
    source: str
    as_of: str
    status: str
    field: str  # the field of the workload that asks
    remedy: Answer  # a value of that field with which the gate passes; None: no value does
    is_least: bool = False  # `allowed` is the least that the option can do, not the most
    # A number of the workload against the limit: what is measured, and up to where sources agree.
    measure: Callable[[Inputs], Array] | None = dataclass_field(default=None, compare=False, repr=False)
    undisputed: float | None = None

    @property
    def margin(self) -> float | None:
        """How many times what is asked fits into what is allowed, where both are numbers: from 1 on it passes."""
        if isinstance(self.allowed, (bool, str)) or isinstance(self.asked, (bool, str)):
            return None
        if self.allowed is None or self.asked is None:
            return None
        whole, part = (self.asked, self.allowed) if self.is_least else (self.allowed, self.asked)
        return whole / part if part else None

    def holds(self, inputs: Inputs) -> Array:
        """How likely the gate holds under each draw, (draws,)."""
        if self.measure is None or not isinstance(self.allowed, (int, float)):
            return np.full(inputs.size, self.likelihood)
        asked = self.measure(inputs)
        within = (asked <= self.allowed).astype(np.float64)
        if self.undisputed is None:
            return within
        return np.where(asked <= self.undisputed, 1.0, within * EVEN)


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """What the rules look at."""

    option: str
    variant: str
    profile: str
    point: Inputs
    sample: Inputs
    machines: Machines | None
    regions: tuple[str, ...]  # Regions that the price book knows
    cold_s: Array  # of the point, (1,): first answer after idle in this variant; 0 if there is none
    fixed_memory_mb: float | None  # the memory size that the caller fixed

    def row(self, name: str) -> Limit | None:
        """The register's row for this option and profile; None where the limit does not apply."""
        return limits.limit(self.option, name, self.profile)


def gate_of(
    row: Limit,
    *,
    passes: bool | None,
    reason: str,
    field: str,
    asked: Answer,
    allowed: Answer | None = None,
    likelihood: float = EVEN,
    remedy: Answer = None,
    unit: str | None = None,
    is_least: bool = False,
    measure: Callable[[Inputs], Array] | None = None,
    undisputed: float | None = None,
) -> Gate:
    """A gate from its row of the register and the rule's answer."""
    return Gate(
        limit=row.limit,
        title=row.title,
        allowed=row.value if allowed is None else allowed,
        asked=asked,
        unit=row.unit if unit is None else unit,
        passes=passes,
        likelihood={True: 1.0, False: 0.0, None: likelihood}[passes],
        reason=reason,
        source=row.source,
        as_of=row.as_of,
        status=row.status,
        field=field,
        remedy=remedy,
        is_least=is_least,
        measure=measure,
        undisputed=undisputed,
    )


def plain(number: float) -> str:
    """A number without an exponent where people would not write one.

    >>> plain(1571840.0), plain(0.11718), plain(25.0)
    ('1,571,840', '0.1172', '25')
    """
    return f"{number:,.0f}" if abs(number) >= 1000 else f"{number:.4g}"


def at_most(
    case: Case,
    row: Limit,
    field: str,
    measure: Callable[[Inputs], Array],
    *,
    what: str,
    scale: float = 1.0,
    undisputed: float | None = None,
) -> Gate:
    """A number against the most that is allowed; an undeclared number is conditional where its prior straddles it.

    `scale` is the field's value over the measured number, for the remedy.
    """
    top = row.number
    assert top is not None  # noqa: S101 the caller checked
    asked = float(measure(case.point)[0])
    text = f"{what}: {plain(asked)} {row.unit} asked, {plain(top)} {row.unit} allowed"
    passes: bool | None = asked <= top
    likelihood = EVEN
    remedy = top * scale
    if field in case.point.assumed:
        share = float(np.mean(measure(case.sample) <= top))
        passes = True if share >= SURE else None
        if share <= 0 and asked > top:  # whatever it is, e.g. a peak of which the mean is too much already
            passes = False
        text += " (assumed)" if passes else f"; {field} is not declared, {percent(share, 0)} of what it may be passes"
        likelihood = share
    elif undisputed is not None and undisputed < asked <= top:
        passes = None
        text = (
            f"{what}: {plain(asked)} {row.unit} asked; sources disagree between {undisputed:g} and {top:g} {row.unit}, "
            "one call settles it"
        )
        remedy = undisputed * scale
    return gate_of(
        row,
        passes=passes,
        reason=text,
        field=field,
        asked=asked,
        likelihood=likelihood,
        remedy=remedy,
        measure=measure,
        undisputed=undisputed,
    )
