"""The workload as numbers: what was declared, and draws of what was not.

Every quantity that the evaluation reads is an array with one entry per draw. A point evaluation has one
draw (declared values, medians of the priors); a sample is a Latin hypercube; a what-if has one changed
field per row. The same code evaluates all three. `resolve.py` makes these values.
"""

import zlib
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from functools import cached_property
from typing import Any, Self, TypeVar

import numpy as np

from fitness.arrays import Array
from fitness.instances import InstanceType
from fitness.priors import Prior
from fitness.trace import Trace
from fitness.workload import Workload

HOURS_PER_MONTH = 730.0
MAX_CHAIN = 15  # more models than this in a chain or graph are separate customers, not steps
EXACT_RANKS = 8
TAIL_BUCKETS = 16
HOT_MODELS_RATIO = 0.2


@dataclass(frozen=True, slots=True, kw_only=True)
class Draws:
    """Numbers in 0..1, one Latin hypercube column per named quantity; the same name gives the same column.

    A column depends on its name, the size and the seed alone: adding a quantity never changes another's
    draws, so two options or two workloads are compared on common random numbers.
    """

    size: int
    seed: int | None  # None: every number is 0.5, the medians
    only: int | None = None  # one of the rows alone

    @property
    def rows(self) -> int:
        """How many rows a column has."""
        return self.size if self.only is None else 1

    def column(self, name: str) -> Array:
        """Numbers strictly inside 0..1, (rows,)."""
        if self.seed is None:
            return np.full(self.rows, 0.5)
        rng = np.random.default_rng([self.seed, zlib.crc32(name.encode())])
        strata: Array = (rng.permutation(self.size) + rng.random(self.size)) / self.size
        column: Array = np.clip(strata, 1e-6, 1 - 1e-6)
        return column if self.only is None else column[self.only : self.only + 1]


POINT = Draws(size=1, seed=None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Models:
    """What is hosted; arrays of shape (draws,)."""

    count: Array
    containers: Array
    artifact_mb: Array
    memory_mb: Array
    image_gb: Array
    cpu_spread: Array
    zipf: Array  # exponent; 0 is uniform
    hot_share: Array | None  # share of calls to the hottest 20 %, instead of the exponent


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One request; arrays of shape (draws,)."""

    payload_in_mb: Array
    payload_out_mb: Array
    processing_s: Array
    cv: Array
    distribution: str
    measured_on: InstanceType
    concurrency: Array
    synchronous: bool | None
    streaming: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Traffic:
    """How requests arrive; arrays of shape (draws,)."""

    pattern: str | None
    rps_mean: Array
    rps_peak: Array
    idle_ratio: Array
    records_per_job: Array
    jobs_per_month: Array
    trace: Trace | None

    @property
    def is_scheduled(self) -> bool:
        """Whether the work is jobs over data that exists beforehand."""
        return self.pattern == "scheduled"

    @property
    def requests_per_month(self) -> Array:
        """Requests, or records of scheduled jobs, in a month of 730 hours."""
        if self.is_scheduled:
            return self.records_per_job * self.jobs_per_month
        return self.rps_mean * HOURS_PER_MONTH * 3600


@dataclass(frozen=True, slots=True, kw_only=True)
class Objectives:
    """Within how many seconds 95 and 99 of 100 answers must arrive; NaN where only the other one counts."""

    within_p95_s: Array
    within_p99_s: Array
    cold_start_ok: bool | None
    cold_budget_s: Array  # NaN: no limit declared
    is_declared: bool  # whether any of them is the architect's, not a default

    @property
    def target_s(self) -> Array:
        """The objective that the latency score is measured against."""
        return np.where(np.isnan(self.within_p95_s), self.within_p99_s, self.within_p95_s)

    @property
    def late_after_s(self) -> Array:
        """An answer is late after this: the loosest declared objective."""
        return np.where(np.isnan(self.within_p99_s), self.within_p95_s, self.within_p99_s)


Group = TypeVar("Group", Models, Request, Traffic, Objectives)


def _row(group: Group, index: int) -> Group:
    """A group with one entry of each of its arrays."""
    held = {field.name: getattr(group, field.name) for field in fields(group)}
    row: dict[str, Any] = {
        name: value[index : index + 1] for name, value in held.items() if isinstance(value, np.ndarray)
    }
    return replace(group, **row)


@dataclass(frozen=True, kw_only=True)
class Inputs:
    """All quantities of one evaluation."""

    workload: Workload
    region: str
    draws: Draws
    priors: Mapping[str, Prior]
    composition: str | None
    accelerator: str
    models: Models
    request: Request
    traffic: Traffic
    objectives: Objectives
    assumed: tuple[str, ...]  # paths of the fields that were not declared but used

    @property
    def size(self) -> int:
        """Number of draws."""
        return self.draws.rows

    def row(self, index: int) -> Self:
        """One draw alone."""
        return replace(
            self,
            draws=replace(self.draws, only=index),
            models=_row(self.models, index),
            request=_row(self.request, index),
            traffic=_row(self.traffic, index),
            objectives=_row(self.objectives, index),
        )

    def prior(self, name: str) -> Array:
        """One value of a prior per draw, in the prior's unit."""
        return self.priors[name].quantile(self.draws.column(name))

    @property
    def launch_s(self) -> Array:
        """How long an instance takes to start, (draws,)."""
        return self.prior("instance_launch_s" if self.accelerator == "none" else "instance_launch_s.accelerated")

    @property
    def is_chain(self) -> bool:
        """Whether every request passes through several models."""
        return self.composition in ("sequential", "ensemble")

    @cached_property
    def steps(self) -> Array:
        """Models that one request passes through, shape (draws,)."""
        if not self.is_chain:
            return np.ones(self.size)
        count = self.models.count
        return np.maximum(self.models.containers, np.where(count <= MAX_CHAIN, count, 1.0))

    @cached_property
    def units(self) -> Array:
        """Models that are called on their own, shape (draws,): each needs its own dedicated endpoint."""
        count = self.models.count
        return np.where(count <= MAX_CHAIN, 1.0, count) if self.is_chain else count

    @cached_property
    def popularity(self) -> tuple[Array, Array]:
        """How requests spread over `units`: members of a bucket and one member's share, both (draws, buckets).

        The hottest ranks are exact, the tail is in logarithmic buckets: 20,000 models cost as much as 30.
        The shares sum to 1 over `members x share`.
        """
        count = self.units[:, None]
        if self.models.hot_share is not None:
            hot = np.maximum(1.0, HOT_MODELS_RATIO * count)
            members = np.concatenate([hot, np.maximum(0.0, count - hot)], axis=1)
            total = np.stack([self.models.hot_share, 1 - self.models.hot_share], axis=1)
            share = np.divide(total, members, out=np.zeros(members.shape), where=members > 0)
        else:
            rank = np.arange(1, EXACT_RANKS + 1)[None, :]
            exponent = self.models.zipf[:, None]
            start = EXACT_RANKS + 0.5
            top = np.maximum(count, EXACT_RANKS) + 0.5
            edges = start * (top / start) ** np.linspace(0, 1, TAIL_BUCKETS + 1)[None, :]
            head_members = (rank <= count).astype(np.float64)
            tail_members = np.diff(edges, axis=1)
            middle = np.sqrt(edges[:, 1:] * edges[:, :-1])
            members = np.concatenate([head_members, tail_members], axis=1)
            share = np.concatenate([head_members * rank**-exponent, middle**-exponent], axis=1)
        return members, share / np.sum(share * members, axis=1, keepdims=True)
