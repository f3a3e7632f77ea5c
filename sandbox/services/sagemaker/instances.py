"""How large an instance type is, by the rules of the EC2 families; enough to bound a model server's memory."""

import re

# GiB of memory for each vCPU by the family's letter. Source: EC2 instance type specifications, read 2026-11.
_GIB_PER_VCPU = {"t": 4.0, "m": 4.0, "c": 2.0, "r": 8.0, "x": 16.0}
_ACCELERATED = ("g", "p", "inf", "trn", "dl")
_SIZE = re.compile(r"(\d*)(medium|large|xlarge|metal)")
_TYPE = re.compile(r"ml\.([a-z]+)(\d[a-z0-9-]*)\.([a-z0-9]+)")


def vcpus(instance_type: str) -> int:
    """Give the number of vCPUs of a size: 2 for large, 4 for xlarge, 4 x N for Nxlarge."""
    found = _SIZE.fullmatch(instance_type.rpartition(".")[2])
    if found is None:
        return 4
    count, size = found.groups()
    return {"medium": 2, "large": 2, "metal": 96}.get(size, 4 * int(count or 1))


def memory_mb(instance_type: str) -> int:
    """Give the memory of an instance type in MiB."""
    found = _TYPE.fullmatch(instance_type)
    per_vcpu = _GIB_PER_VCPU.get(found[1][0] if found else "m", 4.0)
    if instance_type.endswith(".medium"):
        per_vcpu = 2.0  # ml.t2.medium: 2 vCPUs, 4 GiB
    return int(vcpus(instance_type) * per_vcpu * 1024)


def is_accelerated(instance_type: str) -> bool:
    """Whether the type has accelerators, which a laptop lacks."""
    return instance_type.removeprefix("ml.").startswith(_ACCELERATED)
