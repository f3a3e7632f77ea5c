"""The instance types that a workload could run on, and how fast each would serve it.

Shapes: (types,) for what a type is, (draws, types) for what the workload makes of it.
Formulas and their limits: docs/background.md#speed.
"""

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

import numpy as np

from fitness.arrays import Array, Flags
from fitness.inputs import Inputs
from fitness.instances import InstanceType, catalogue
from fitness.prices import PriceBook

RESERVED_GIB = 1.0  # operating system and agent of an instance
# AWS, Amazon EC2 User Guide, "Burstable performance instances", baseline utilisation per vCPU, read 2026-11-21
BURST_BASELINE = {"medium": 0.2, "large": 0.3, "xlarge": 0.225, "2xlarge": 0.17}
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


@cache
def _accepted(component: str, accelerator: str, arch: str, *, single_gpu: bool) -> tuple[InstanceType, ...]:
    """Types that the option's API accepts, of the accelerator's class and the image's architecture."""
    chosen = []
    for instance in catalogue().values():
        if component not in instance.accepts or instance.vcpu is None or instance.memory_gib is None:
            continue
        is_gpu = (instance.accelerator or "").startswith("NVIDIA")
        is_inferentia = (instance.accelerator or "").startswith("AWS Inferentia")
        suits = {
            "none": instance.accelerator is None and instance.arch == arch,
            "gpu": is_gpu and instance.accelerator in relative_speeds() and bool(instance.accelerator_memory_gib),
            "inferentia": is_inferentia,
        }[accelerator]
        if suits and not (single_gpu and instance.accelerator_count != 1):
            chosen.append(instance)
    return tuple(chosen)


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
    wanted = accelerator or inputs.accelerator
    accepts = "transform" if component == "batch_transform" else "hosting"
    measured = inputs.request.measured_on
    arch = measured.arch if measured.arch == "arm64" else "x86_64"
    types = _accepted(accepts, wanted, arch, single_gpu=single_gpu)
    if instance_type is not None:
        types = tuple(instance for instance in catalogue().values() if instance.name == instance_type)
        types = tuple(instance for instance in types if instance.vcpu and instance.memory_gib)
    # A tie in cost goes to the measured type, then to its family, then to the first by name.
    types = tuple(sorted(types, key=lambda t: (t.name != measured.name, family(t) != family(measured), t.name)))
    prices = [book.estimate(f"{component}/{instance.name}", inputs.region) for instance in types]
    kept = [(t, p) for t, p in zip(types, prices, strict=True) if p is not None]
    return _measure(inputs, tuple(t for t, _ in kept), np.array([float(p.usd_per_unit) for _, p in kept]))


def _measure(inputs: Inputs, types: tuple[InstanceType, ...], usd_per_hour: Array) -> Machines:
    measured = inputs.request.measured_on
    shape = (inputs.size, len(types))
    slots = np.empty(shape)
    service_s = np.empty(shape)
    drift: dict[str, Array] = {}
    for index, instance in enumerate(types):
        scale, speed = _scale(instance, measured)
        if family(instance) != family(measured):
            kind = "speed_of_other_accelerator" if instance.accelerator else "speed_of_other_family"
            column = f"{kind}.{instance.accelerator or family(instance)}"
            if column not in drift:
                drift[column] = inputs.priors[kind].quantile(inputs.draws.column(column))
            speed_here = speed * drift[column]
        else:
            speed_here = np.full(inputs.size, speed)
        at_once = inputs.request.concurrency * scale
        slots[:, index] = np.maximum(1.0, np.floor(at_once + 1e-9))
        service_s[:, index] = inputs.request.processing_s / speed_here * np.maximum(1.0, 1.0 / at_once)
    return Machines(
        types=types,
        usd_per_hour=usd_per_hour,
        memory_mb=np.array([_memory_mb(instance) for instance in types]),
        slots=slots,
        service_s=service_s,
        baseline=np.array(
            [BURST_BASELINE.get(t.name.split(".")[2], 1.0) if family(t) in ("t2", "t3") else 1.0 for t in types]
        ),
        has_local_disk=np.array(
            [family(t) in LOCAL_DISK_FAMILIES or family(t).endswith(("d", "gd")) for t in types], dtype=bool
        ),
    )


def _scale(instance: InstanceType, measured: InstanceType) -> tuple[float, float]:
    """How many times the measured type's concurrency, and how many times its speed."""
    if instance.accelerator and measured.accelerator:
        scale = (instance.accelerator_count or 1) / (measured.accelerator_count or 1)
        speeds = relative_speeds()
        speed = speeds.get(instance.accelerator, 1.0) / speeds.get(measured.accelerator, 1.0)
        return scale, speed
    # Across the kinds the code runs on the host's vCPUs: the accelerator brings nothing that was measured.
    return (instance.vcpu or 1) / (measured.vcpu or 1), 1.0


def _memory_mb(instance: InstanceType) -> float:
    if instance.accelerator_memory_gib:
        return instance.accelerator_memory_gib * 1024
    return max(0.0, (instance.memory_gib or 0.0) - RESERVED_GIB) * 1024


def max_memory_mb(machines: Machines) -> float:
    """The largest memory for models among the candidates, in MB; 0 without any candidate."""
    return float(np.max(machines.memory_mb)) if machines.count else 0.0
