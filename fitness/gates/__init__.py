"""May the workload run on an option at all? Every limit of the register that it meets, with the margin.

A gate passes, fails, or is conditional: sources disagree, a fact is unknown, or a design change is needed.
The rules are here, the numbers in data/limits.csv. docs/limits.md says what each limit means.
"""

from collections.abc import Callable, Iterator

import numpy as np

from fitness.arrays import Array
from fitness.gates import constraints, models, request
from fitness.gates.gate import Case, Gate
from fitness.inputs import Inputs
from fitness.machines import Machines

__all__ = ["Gate", "gates", "is_rejected", "is_waivable", "likelihood", "status"]

WAIVABLE = frozenset({"request.synchronous", "request.streaming", "limits"})
_RULES: tuple[Callable[[Case], Iterator[Gate]], ...] = (
    request.payload,
    request.processing,
    request.synchronous,
    request.dataset,
    models.accelerator,
    models.memory,
    models.sizes,
    models.containers,
    models.frameworks,
    models.composition,
    models.loops,
    models.stages,
    constraints.region,
    constraints.flags,
    constraints.scale_to_zero,
    request.cold_start,
    request.serverless,
)


def gates(
    option: str,
    variant: str,
    point: Inputs,
    sample: Inputs,
    *,
    machines: Machines | None,
    regions: tuple[str, ...],
    cold_s: Array,
    fixed_memory_mb: float | None = None,
) -> tuple[Gate, ...]:
    """Every gate that the option puts to the workload, those that fail first.

    `point` has one draw (the declared values and medians), `sample` the draws of what is not declared,
    `machines` the types that could run it (None: the option has none), `regions` those of the price book,
    `cold_s` how long the first answer after idle takes, `fixed_memory_mb` the memory size that the caller fixed.
    """
    profile = str(point.workload.limits or "current")
    case = Case(
        option=option,
        variant=variant,
        profile=profile,
        point=point,
        sample=sample,
        machines=machines,
        regions=regions,
        cold_s=cold_s,
        fixed_memory_mb=fixed_memory_mb,
    )
    found = [gate for rule in _RULES for gate in rule(case)]
    return tuple(sorted(found, key=lambda gate: gate.likelihood if gate.passes is not True else 2.0))


def is_waivable(gate: Gate) -> bool:
    """Whether the architect asked for what fails, rather than the models or the data being so."""
    return gate.field.startswith(("objectives.", "constraints.")) or gate.field in WAIVABLE


def is_rejected(found: tuple[Gate, ...]) -> bool:
    """Whether a gate fails."""
    return any(gate.passes is False for gate in found)


def status(found: tuple[Gate, ...]) -> str:
    """feasible, conditional or infeasible."""
    if any(gate.passes is False for gate in found):
        return "infeasible"
    return "conditional" if any(gate.passes is None for gate in found) else "feasible"


def likelihood(found: tuple[Gate, ...]) -> float:
    """How likely all gates hold: their product, 0 when one fails."""
    return float(np.prod([gate.likelihood for gate in found])) if found else 1.0
