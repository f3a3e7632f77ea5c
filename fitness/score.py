"""One number from five: the weighted geometric mean of the fitness functions.

A zero in one function can't be bought back by the others (Derringer and Suich, 1980). Every function has an
absolute reference, so adding, removing or doubling an option never changes another's score.
"""

from dataclasses import dataclass

import numpy as np

from fitness.arrays import Array
from fitness.cost import cost
from fitness.inputs import Inputs
from fitness.latency import latency
from fitness.outcome import Outcome
from fitness.scaling import decisions, scaling
from fitness.throughput import throughput
from fitness.traffic import traffic

FUNCTIONS = ("cost", "latency", "throughput", "scaling", "traffic")
SENSITIVITY = {"low": 0.5, "normal": 1.0, "high": 2.0}  # times the weight of cost
FLOOR = 1e-6  # of a function in the mean: keeps the order of options that all score nothing


@dataclass(frozen=True, slots=True, kw_only=True)
class Scores:
    """The five functions and their mean, arrays of shape (rows,)."""

    cost: Array
    latency: Array
    throughput: Array
    scaling: Array
    traffic: Array
    total: Array


def weights(inputs: Inputs) -> Array:
    """Share of each function, in the order of FUNCTIONS; they sum to 1."""
    declared = inputs.workload.weights
    given = [getattr(declared, name) for name in FUNCTIONS]
    raw = np.array([1.0 if value is None else float(value) for value in given])
    raw[0] *= SENSITIVITY[str(inputs.workload.objectives.cost_sensitivity or "normal")]
    total = float(raw.sum())
    return raw / total if total > 0 else np.full(len(FUNCTIONS), 1 / len(FUNCTIONS))


def score(outcome: Outcome, inputs: Inputs, *, monthly_usd: Array, reference_usd: Array) -> Scores:
    """The five fitness functions of every row and their weighted geometric mean.

    Where a cost or its reference is unknown (NaN), cost scores one half: neither cheap nor dear.
    """
    unknown = np.isnan(monthly_usd) | np.isnan(reference_usd)
    parts = {
        "cost": np.where(
            unknown, 0.5, cost(np.where(unknown, 1.0, monthly_usd), np.where(unknown, 1.0, reference_usd))
        ),
        "latency": latency(outcome, inputs.objectives),
        "throughput": throughput(outcome),
        "scaling": scaling(outcome, len(decisions(outcome.option, outcome.variant, inputs))),
        "traffic": traffic(outcome),
    }
    stacked = np.stack([parts[name] for name in FUNCTIONS], axis=1)
    total: Array = np.exp(np.log(np.maximum(stacked, FLOOR)) @ weights(inputs))
    return Scores(total=total, **parts)
