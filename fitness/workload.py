"""What an architect declares: the workload, one frozen value that is valid or does not exist."""

import difflib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import reduce
from typing import Self, cast

from fitness import document
from fitness.choices import (
    Accelerator,
    Composition,
    Distribution,
    Frameworks,
    LimitProfile,
    Pattern,
    Sensitivity,
)
from fitness.errors import InputError, Problem
from fitness.fields import BY_PATH, FIELDS, unknown
from fitness.instances import catalogue
from fitness.popularity import Popularity, PopularityKind, popularity

__all__ = [
    "Constraints",
    "Measured",
    "Models",
    "Objectives",
    "Popularity",
    "PopularityKind",
    "Request",
    "Traffic",
    "Weights",
    "Workload",
    "popularity",
    "problems_of",
]

VERSION = 1
REPLACED_BY_TRACE = (
    "traffic.pattern",
    "traffic.rps_mean",
    "traffic.rps_peak",
    "traffic.idle_ratio",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Models:
    """The models that one deployment hosts."""

    count: int | None = None
    frameworks: Frameworks | None = None
    artifact_mb: float | None = None
    memory_mb: float | None = None
    image_gb: float | None = None
    popularity: str | None = None
    containers: int | None = None
    cpu_spread: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One request: its size, its work and its caller."""

    payload_in_mb: float | None = None
    payload_out_mb: float | None = None
    processing_ms: float | None = None
    processing_cv: float | None = None
    processing_distribution: Distribution | None = None
    measured_on: str | None = None
    concurrency: int | None = None
    synchronous: bool | None = None
    streaming: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Traffic:
    """How requests arrive over the month."""

    pattern: Pattern | None = None
    rps_mean: float | None = None
    rps_peak: float | None = None
    idle_ratio: float | None = None
    trace: str | None = None
    records_per_job: int | None = None
    jobs_per_month: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Objectives:
    """What the callers and the payer expect."""

    latency_p95_ms: float | None = None
    latency_p99_ms: float | None = None
    deadline_s: float | None = None
    cold_start_ok: bool | None = None
    cold_start_budget_s: float | None = None
    monthly_budget_usd: float | None = None
    cost_sensitivity: Sensitivity | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Constraints:
    """What the organisation demands; an unknown constraint is not a false one."""

    vpc: bool | None = None
    network_isolation: bool | None = None
    data_capture: bool | None = None
    outside_aws: bool | None = None
    scale_to_zero: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Weights:
    """Weights of the five fitness functions in the score; an absent weight counts 1."""

    cost: float | None = None
    latency: float | None = None
    throughput: float | None = None
    scaling: float | None = None
    traffic: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """What a load test put into the workload."""

    fields: str | None = None
    as_of: str | None = None
    by: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Workload:
    """A declared workload; the attributes are the keys of the workload file, and unknown is None.

    Raises: InputError with every problem at once, on any way of making one.
    """

    name: str
    version: int = VERSION
    description: str | None = None
    region: str | None = None
    models: Models = field(default_factory=Models)
    composition: Composition | None = None
    multi_model_stages: int | None = None
    conditional_flow: bool | None = None
    accelerator: Accelerator | None = None
    request: Request = field(default_factory=Request)
    traffic: Traffic = field(default_factory=Traffic)
    objectives: Objectives = field(default_factory=Objectives)
    constraints: Constraints = field(default_factory=Constraints)
    weights: Weights = field(default_factory=Weights)
    limits: LimitProfile | None = None
    measured: Measured = field(default_factory=Measured)

    def __post_init__(self) -> None:
        problems = problems_of(self.declared())
        if problems:
            raise InputError(problems)

    @classmethod
    def from_values(cls, values: Mapping[str, object]) -> Self:
        """Make a workload from the values of its leaves, by path; None is unknown.

        Raises: InputError with every problem, unknown paths included.

        >>> Workload.from_values({"name": "fraud", "traffic.rps_peak": 80}).traffic.rps_peak
        80
        """
        problems = [unknown(path, f"$.{document.shortened(path)}") for path in values if path not in BY_PATH]
        known = {path: BY_PATH[path].normalised(value) for path, value in values.items() if path in BY_PATH}
        problems += problems_of(known)
        if problems:
            raise InputError(problems)
        top: dict[str, object] = {}
        inside: dict[str, dict[str, object]] = {section: {} for section in _SECTION_TYPES}
        for path, value in known.items():
            section, _, name = path.rpartition(".")
            if section:
                inside[section][name] = value
            elif value is not None:
                top[name] = value
        sections = {section: _SECTION_TYPES[section](**leaves) for section, leaves in inside.items() if leaves}
        return cls(**cast("dict[str, object]", top | sections))  # type: ignore[arg-type]

    def get(self, path: str) -> object:
        """Give the value at a path such as `traffic.rps_peak`; None: unknown.

        Raises: InputError for a path that no field has.
        """
        if path not in BY_PATH:
            raise InputError([unknown(path, f"$.{document.shortened(path)}")])
        return _at(self, path)

    def declared(self) -> dict[str, object]:
        """Give the declared leaves by path, in file order."""
        values = ((one.path, _at(self, one.path)) for one in FIELDS)
        return {path: value for path, value in values if value is not None}

    def replace(self, changes: Mapping[str, object]) -> Self:
        """Give this workload with some leaves changed; None makes a leaf unknown.

        Raises: InputError when a change is wrong, or contradicts the rest.
        """
        return type(self).from_values({**self.declared(), **changes})

    @property
    def ignored(self) -> tuple[str, ...]:
        """Declared fields that do not count, because a trace stands instead of them."""
        if self.traffic.trace is None:
            return ()
        return tuple(path for path in REPLACED_BY_TRACE if _at(self, path) is not None)


_SECTION_TYPES: Mapping[str, type] = {
    "models": Models,
    "request": Request,
    "traffic": Traffic,
    "objectives": Objectives,
    "constraints": Constraints,
    "weights": Weights,
    "measured": Measured,
}


def problems_of(values: Mapping[str, object]) -> list[Problem]:
    """List what is wrong with normalised leaves, in file order, contradictions last."""
    problems = []
    if values.get("name") is None:
        problems.append(Problem(path="$.name", message="is missing: every workload needs a name"))
    for one in FIELDS:
        complaint = one.complaint(values.get(one.path))
        if complaint is not None:
            problems.append(Problem(path=f"$.{one.path}", message=complaint))
    wrong = {problem.path for problem in problems}
    sound = {path: value for path, value in values.items() if f"$.{path}" not in wrong}
    return problems + _contradictions(sound)


def _contradictions(values: Mapping[str, object]) -> list[Problem]:
    def number(path: str) -> float | None:
        return cast("float | None", values.get(path))

    problems = []

    def complain(path: str, message: str) -> None:
        problems.append(Problem(path=f"$.{path}", message=f"{message}, got {document.shown(values[path])}"))

    measured_on = values.get("request.measured_on")
    if isinstance(measured_on, str) and measured_on not in catalogue():
        near = difflib.get_close_matches(measured_on, catalogue(), n=1, cutoff=0.5)
        hint = f" (did you mean {near[0]}?)" if near else ""
        complain("request.measured_on", f"must be a known instance type{hint}")
    mean, peak = number("traffic.rps_mean"), number("traffic.rps_peak")
    if values.get("traffic.trace") is None:
        if mean is not None and peak is not None and peak < mean:
            complain("traffic.rps_peak", f"must be >= traffic.rps_mean ({document.shown(mean)})")
        busy = [(path, rate) for path, rate in (("traffic.rps_mean", mean), ("traffic.rps_peak", peak)) if rate]
        if busy and number("traffic.idle_ratio") == 1:
            complain("traffic.idle_ratio", f"must be < 1 while {busy[0][0]} is {document.shown(busy[0][1])}")
    p95, p99 = number("objectives.latency_p95_ms"), number("objectives.latency_p99_ms")
    if p95 is not None and p99 is not None and p99 < p95:
        complain(
            "objectives.latency_p99_ms",
            f"must be >= objectives.latency_p95_ms ({document.shown(p95)})",
        )
    weights = [number(one.path) for one in FIELDS if one.section == "weights"]
    if all(weight == 0 for weight in weights):
        problems.append(Problem(path="$.weights", message="must not all be 0: then nothing can be ranked"))
    return problems


def _at(workload: Workload, path: str) -> object:
    return reduce(getattr, path.split("."), cast("object", workload))
