"""The catalogue of SageMaker instance types: what each has, and what the API accepts it for."""

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import MappingProxyType

_FILE = Path(__file__).with_name("data") / "instances.csv"


@dataclass(frozen=True, slots=True, kw_only=True)
class InstanceType:
    """One instance type. Unknown figures are None.

    Source: `fitness/data/instances.csv`, whose columns name the source of the specification, the
    release of the service model that lists what the API accepts, and the date.
    """

    name: str  # "ml.c5.xlarge"
    vcpu: int | None
    memory_gib: float | None
    accelerator: str | None  # "NVIDIA A10G"; None: the type has none
    accelerator_count: int | None  # 0: it has none; None: it has some, the number is not sourced
    accelerator_memory_gib: float | None  # of all its accelerators together
    arch: str  # x86_64 | arm64 | inferentia | trainium | gaudi
    accepts: frozenset[str]  # of hosting, transform, training, processing


@cache
def catalogue() -> Mapping[str, InstanceType]:
    """Every known instance type by name, in the order of the table (family, then size)."""
    with _FILE.open(encoding="utf-8", newline="") as lines:
        rows = csv.DictReader(lines)
        return MappingProxyType({row["name"]: _instance_type(row) for row in rows})


def _instance_type(row: dict[str, str]) -> InstanceType:
    accelerator = row["accelerator"] or None
    return InstanceType(
        name=row["name"],
        vcpu=int(row["vcpu"]) if row["vcpu"] else None,
        memory_gib=float(row["memory_gib"]) if row["memory_gib"] else None,
        accelerator=accelerator,
        accelerator_count=int(row["accelerator_count"]) if row["accelerator_count"] else None,
        accelerator_memory_gib=(float(row["accelerator_memory_gib"]) if row["accelerator_memory_gib"] else None),
        arch=row["arch"],
        accepts=frozenset(row["accepts"].split()),
    )


def __getattr__(name: str) -> Mapping[str, InstanceType]:
    """`CATALOGUE` is `catalogue()`, read on first use."""
    if name == "CATALOGUE":
        return catalogue()
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
