"""What a kernel counts while it plays a stream."""

from dataclasses import dataclass, fields
from typing import Self

import numpy as np

# What became of a request, in the arrays that a caller may ask for.
SERVED, COLD, TIMED_OUT, REFUSED = 0, 1, 2, 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """Requests by what became of them, and the time of the servers. Two runs add up with `+`."""

    offered: int
    served: int  # answered within the time-out
    timed_out: int  # the work was done, but the answer came too late
    refused: int  # throttled, or no server ever came
    cold: int  # of those that started: behind a cold start or a model that had to be loaded
    busy_s: float  # of the servers: cold starts, loading and service
    paid_s: float  # of the servers or instances, as the kernel says
    wait_s: float  # sum over the requests that started
    last_end_s: float  # when the last work was finished, or the last request came

    def __post_init__(self) -> None:
        # Without compilation the loops give numpy's own numbers.
        for name in self.__dataclass_fields__:
            value = getattr(self, name)
            if isinstance(value, np.generic):
                object.__setattr__(self, name, value.item())

    def __add__(self, other: Self) -> Self:
        sums = {one.name: getattr(self, one.name) + getattr(other, one.name) for one in fields(self)}
        return type(self)(**{**sums, "last_end_s": max(self.last_end_s, other.last_end_s)})


@dataclass(frozen=True, slots=True, kw_only=True)
class SandboxCounts(Counts):
    """The counts of a serverless endpoint."""

    paid_cold_s: float  # sandbox seconds of starting
    sandbox_s: float  # sandbox seconds alive, provisioned ones included
    provisioned_served: int  # started on a provisioned sandbox


@dataclass(frozen=True, slots=True, kw_only=True)
class CacheCounts(Counts):
    """The counts of instances that load models when asked."""

    hits: int  # found in memory, or on its way into it
    memory_misses: int
    disk_misses: int  # of the memory misses: downloaded first
    evictions: int  # models pushed out of memory
    delayed: int  # of the hits: waited for a load that was under way
    load_wait_s: float  # worker seconds of downloading, loading and waiting for it


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchCounts(Counts):
    """The counts of a server that gathers requests into batches."""

    batches: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TransformCounts(Counts):
    """The counts of a batch job."""

    finish_s: tuple[float, ...]  # when each instance was done with its files
