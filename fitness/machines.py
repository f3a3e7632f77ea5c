"""The instance types that a workload could run on, and how fast each would serve it.

Shapes: (types,) for what a type is, (draws, types) for what the workload makes of it.
Formulas and their limits: docs/background.md#speed.
"""

import csv
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cache, lru_cache
from importlib.resources import files

import numpy as np

from fitness.arrays import Array, Flags, Index
from fitness.inputs import Inputs
from fitness.instances import InstanceType, catalogue
from fitness.prices import PriceBook

RESERVED_GIB = 1.0  # operating system and agent of an instance
# AWS, Amazon EC2 User Guide, "Burstable performance instances", baseline utilisation per vCPU, read 2026-11-21
BURST_BASELINE = {"medium": 0.2, "large": 0.3, "xlarge": 0.225, "2xlarge": 0.17}
BURSTABLE = ("t2", "t3")
LOCAL_DISK_FAMILIES = frozenset({"g4dn", "g5", "g6", "g6e", "g7e", "p4d", "p4de", "p5", "p5e", "p5en", "trn1"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Machines:
    """Candidate instance types of one option, in a fixed order."""

    types: tuple[InstanceType, ...]
    usd_per_hour: Array  # (types,)
    memory_mb: Array  # (types,) of one instance for models: accelerator memory where models live there
    slots: Array  # (draws, types) requests that one instance serves at once
    service_s: Array  # (draws, types) mean processing time of one request alone
    baseline: Array  # (types,) share of the capacity that may be used for long; below 1 for burstable types
    has_local_disk: Flags  # (types,)

    @property
    def count(self) -> int:
        """Number of candidate types."""
        return len(self.types)

    @property
    def is_burstable(self) -> Flags:
        """Types that live on credits, (types,)."""
        found: Flags = self.baseline < 1
        return found

    def scaled(self) -> "Machines":
        """The same machines without those that can't be registered for scaling, the burstable ones.

        Source: Amazon SageMaker developer guide, endpoint-auto-scaling-add-policy.
        """
        return self.only(np.flatnonzero(~self.is_burstable).tolist())

    def serving(self, at_most: float | None) -> "Machines":
        """The same machines with no more requests at once than the caller fixed: more would only slow each other."""
        return self if at_most is None else replace(self, slots=np.minimum(self.slots, at_most))

    def only(self, indices: Sequence[int]) -> "Machines":
        """The same machines, restricted to some of them."""
        chosen = list(indices)
        return Machines(
            types=tuple(self.types[index] for index in chosen),
            usd_per_hour=self.usd_per_hour[chosen],
            memory_mb=self.memory_mb[chosen],
            slots=self.slots[:, chosen],
            service_s=self.service_s[:, chosen],
            baseline=self.baseline[chosen],
            has_local_disk=self.has_local_disk[chosen],
        )


@cache
def relative_speeds() -> dict[str, float]:
    """Speed of an accelerator relative to the NVIDIA A10G, from data/speeds.csv."""
    text = (files("fitness") / "data" / "speeds.csv").read_text(encoding="utf-8")
    return {row["accelerator"]: float(row["relative_speed"]) for row in csv.DictReader(text.splitlines())}


def family(instance: InstanceType) -> str:
    """The family of a type: `c5` of `ml.c5.xlarge`."""
    return instance.name.split(".")[1]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Table:
    """What does not depend on the workload's numbers; arrays of shape (types,)."""

    types: tuple[InstanceType, ...]
    usd_per_hour: Array
    memory_mb: Array
    baseline: Array
    has_local_disk: Flags
    scale: Array  # times the measured type's concurrency
    speed: Array  # times the measured type's speed
    kinds: tuple[str, ...]  # kinds of machine whose speed is uncertain; the first is the measured one
    kind: Index  # of each type, into `kinds`


def candidates(
    inputs: Inputs,
    book: PriceBook,
    *,
    component: str = "hosting",
    accelerator: str | None = None,
    single_gpu: bool = False,
    instance_type: str | None = None,
) -> Machines:
    """Every priced type that could run the workload's models, the measured one first among equals.

    `component` is what the API must accept and the price is read for: hosting, async or batch_transform.
    """
    measured = inputs.request.measured_on
    table = _table(
        book,
        component,
        accelerator or inputs.accelerator,
        measured,
        book.stand_in(inputs.region),
        instance_type,
        single_gpu,
    )
    drift = np.ones((inputs.size, len(table.kinds)))
    for index, kind in enumerate(table.kinds[1:], start=1):
        prior = "speed_of_other_accelerator" if kind.startswith("NVIDIA") else "speed_of_other_family"
        drift[:, index] = inputs.priors[prior].quantile(inputs.draws.column(f"{prior}.{kind}"))
    at_once = inputs.request.concurrency[:, None] * table.scale
    alone_s = inputs.request.processing_s[:, None] / (table.speed * drift[:, table.kind])
    return Machines(
        types=table.types,
        usd_per_hour=table.usd_per_hour,
        memory_mb=table.memory_mb,
        slots=np.maximum(1.0, np.floor(at_once + 1e-9)),
        # A request that keeps more vCPUs busy than the type has takes longer in proportion.
        service_s=alone_s * np.maximum(1.0, 1.0 / at_once),
        baseline=table.baseline,
        has_local_disk=table.has_local_disk,
    )


@lru_cache(maxsize=256)
def _table(
    book: PriceBook,
    component: str,
    accelerator: str,
    measured: InstanceType,
    region: str,
    instance_type: str | None,
    single_gpu: bool,  # noqa: FBT001 a key of the cache
) -> _Table:
    arch = measured.arch if measured.arch == "arm64" else "x86_64"
    accepts = "transform" if component == "batch_transform" else "hosting"
    types: Iterable[InstanceType] = [one for one in catalogue().values() if accepts in one.accepts]
    if instance_type is not None:
        types = [one for one in types if one.name == instance_type]
    if instance_type is None or accelerator != "none":  # a fixed type may bring what the models do not need
        types = [one for one in types if _suits(one, accelerator, arch)]
    types = [one for one in types if not (single_gpu and one.accelerator_count != 1)]
    priced = [
        (one, float(price.usd_per_unit))
        for one in types
        if one.vcpu and one.memory_gib and (price := book.estimate(f"{component}/{one.name}", region)) is not None
    ]
    # A tie in cost goes to the measured type, then to its family, then to the first by name.
    home = family(measured)
    priced.sort(key=lambda pair: (pair[0].name != measured.name, family(pair[0]) != home, pair[0].name))
    kept = tuple(one for one, _ in priced)
    scales = [_scale(one, measured) for one in kept]
    names = [home if family(one) == home else one.accelerator or family(one) for one in kept]
    kinds = tuple(dict.fromkeys([home, *names]))
    return _Table(
        types=kept,
        usd_per_hour=np.array([usd for _, usd in priced]),
        memory_mb=np.array([_memory_mb(one) for one in kept]),
        baseline=np.array([_baseline(one) for one in kept]),
        has_local_disk=np.array([_has_local_disk(one) for one in kept], dtype=bool),
        scale=np.array([scale for scale, _ in scales]),
        speed=np.array([speed for _, speed in scales]),
        kinds=kinds,
        kind=np.array([kinds.index(name) for name in names], dtype=np.intp),
    )


def _suits(instance: InstanceType, accelerator: str, arch: str) -> bool:
    """Whether a type is of the accelerator's class and, without one, of the image's architecture."""
    if accelerator == "none":
        return instance.accelerator is None and instance.arch == arch
    if accelerator == "gpu":
        return instance.accelerator in relative_speeds() and bool(instance.accelerator_memory_gib)
    return (instance.accelerator or "").startswith("AWS Inferentia")


def _scale(instance: InstanceType, measured: InstanceType) -> tuple[float, float]:
    """How many times the measured type's concurrency, and how many times its speed."""
    if instance.accelerator and measured.accelerator:
        scale = (instance.accelerator_count or 1) / (measured.accelerator_count or 1)
        speeds = relative_speeds()
        return scale, speeds.get(instance.accelerator, 1.0) / speeds.get(measured.accelerator, 1.0)
    # Across the kinds the code runs on the host's vCPUs: the accelerator brings nothing that was measured.
    return (instance.vcpu or 1) / (measured.vcpu or 1), 1.0


def _baseline(instance: InstanceType) -> float:
    _, group, size = instance.name.split(".")
    return BURST_BASELINE.get(size, 1.0) if group in BURSTABLE else 1.0


def _has_local_disk(instance: InstanceType) -> bool:
    group = family(instance)
    return group in LOCAL_DISK_FAMILIES or group.endswith("d")


def _memory_mb(instance: InstanceType) -> float:
    if instance.accelerator_memory_gib:
        return instance.accelerator_memory_gib * 1024
    return max(0.0, (instance.memory_gib or 0.0) - RESERVED_GIB) * 1024


def max_memory_mb(machines: Machines) -> float:
    """The largest memory for models among the candidates, in MB; 0 without any candidate."""
    return float(np.max(machines.memory_mb)) if machines.count else 0.0
