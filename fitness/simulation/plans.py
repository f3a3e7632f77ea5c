"""The requests of a month, made once and shared by everything that is played on the same traffic.

Source: docs/simulation.md#playing.
"""

from dataclasses import dataclass, field, fields
from functools import lru_cache

import numpy as np

from fitness.inputs import Inputs
from fitness.simulation import streams
from fitness.simulation.streams import Plan, Spread

KEPT = 24  # plans; each takes about 1 MB, and at most 4 MB
KEPT_REQUESTS = 100_000  # a longer one is made anew each time


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """One row of inputs, equal to another with the same content. A recording counts as itself alone."""

    content: tuple[object, ...]
    inputs: Inputs = field(compare=False)


def planned(
    inputs: Inputs, *, requests: int, seed: int, count: int, lead_s: float, spread: Spread = Spread.POISSON
) -> Plan:
    """Give `streams.plan` of the same arguments, from memory where it was asked for lately."""
    if requests > KEPT_REQUESTS:
        return streams.plan(inputs, requests=requests, seed=seed, count=count, lead_s=lead_s, spread=spread)
    return _kept(asked(inputs), requests, seed, count, lead_s, spread)


@lru_cache(maxsize=KEPT)
def _kept(row: Asked, requests: int, seed: int, count: int, lead_s: float, spread: Spread) -> Plan:
    return streams.plan(row.inputs, requests=requests, seed=seed, count=count, lead_s=lead_s, spread=spread)


def asked(inputs: Inputs) -> Asked:
    """A row by every quantity of the workload; the priors decide how requests are served, not when they come."""
    found: list[object] = [inputs.composition]
    for part in (inputs.models, inputs.request, inputs.traffic, inputs.objectives):
        for one in fields(part):
            value = getattr(part, one.name)
            found.append(value.tobytes() if isinstance(value, np.ndarray) else value)
    return Asked(content=tuple(found), inputs=inputs)
