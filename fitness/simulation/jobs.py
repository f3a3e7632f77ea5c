"""Jobs played record by record: a batch transform, and a client that sends a job's records to an endpoint.

Source: docs/simulation.md#playing.
"""

import math
from dataclasses import dataclass, replace

import numpy as np

from fitness.analytic.served import job_seconds
from fitness.arrays import Array
from fitness.inputs import Inputs
from fitness.outcome import Latency, Outcome
from fitness.simulation import batches, histogram, randomness
from fitness.simulation.arrays import Float32
from fitness.simulation.counts import TransformCounts
from fitness.simulation.multipliers import multipliers
from fitness.simulation.tally import BLOCKS, Tally

MOST_FILES = 10_000
FILE_RECORDS = 100
LONG_ROW = 1_000  # records of one slot, so many that their spread evens out


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Job:
    """One job and what its instances did."""

    records: float
    played: int  # records that stand for all of them
    instances: int
    slots: int
    start_s: float
    done: TransformCounts

    @property
    def factor(self) -> float:
        """Records that a played one stands for."""
        return self.records / self.played

    @property
    def end_s(self) -> float:
        """When the last instance ends, and every record has its answer."""
        return max(self.done.finish_s)

    @property
    def notes(self) -> tuple[str, ...]:
        """What stands for what."""
        return (f"{self.played:,} records stand for {self.records:,.0f}",) if self.factor > 1 else ()


def job_of(inputs: Inputs, outcome: Outcome, *, requests: int, seed: int) -> Job:
    """Play one of the month's jobs with at most `requests` records, which stand for all of them."""
    records = float(inputs.traffic.records_per_job[0]) / float(inputs.units[0])
    size = max(1, min(round(records), requests))
    instances = round(float(outcome.settings["instances"][0]))
    slots = max(1, round(float(outcome.serving["slots"][0])))
    start_s = float(outcome.serving["cold_s"][0])
    files = min(MOST_FILES, max(instances, size // FILE_RECORDS), size)
    of_one = math.ceil(size / files) * math.ceil(files / instances)  # records of one instance at most
    used, longer = played_at_once(slots, of_one * records / size, of_one)
    done = batches.transform(
        _multipliers(inputs, size, seed),
        float(outcome.serving["service_s"][0]) * longer,
        file_starts=np.unique(np.linspace(0, size, files, endpoint=False).astype(np.int64)),
        instances=instances,
        slots=used,
        start_s=start_s,
    )
    done = replace(done, busy_s=done.busy_s * records / size / longer)
    return Job(records=records, played=size, instances=instances, slots=slots, start_s=start_s, done=done)


def month_of(job: Job, jobs: float) -> Tally:
    """A month of `jobs` such jobs: every record of a job has its answer when the job ends."""
    block = np.arange(job.played, dtype=np.float64) * (BLOCKS / job.played)
    ends: Float32 = np.full(job.played, job.end_s, np.float32)
    hists = histogram.by_interval(block, ends, start_s=0.0, width_s=1.0, intervals=BLOCKS)
    warm: Array = hists.astype(np.float64) * (jobs * job.factor)
    hours = job.instances * job.end_s / 3600 * jobs
    return Tally(
        warm=warm,
        cold=np.zeros_like(warm),
        offered=job.records * jobs,
        busy_s=job.done.busy_s * jobs,
        paid_s=hours * 3600 * job.slots,
        instance_hours=hours,
        played=float(job.played),
    )


def driven(inputs: Inputs, outcome: Outcome, *, requests: int, seed: int) -> tuple[Outcome, Tally]:
    """A month of jobs whose records a client sends to an endpoint, as many at once as it serves.

    The client waits for answers, so that nothing queues or is refused; it is no faster than the job is planned. What
    starts and what is paid stays as the formulas have it.
    """
    records = float(inputs.traffic.records_per_job[0]) / float(inputs.units[0])
    size = max(1, min(round(records), requests))
    used, longer = played_at_once(_at_once(outcome), records, size)
    done = batches.transform(
        _multipliers(inputs, size, seed),
        float(outcome.serving["service_s"][0]) * longer,
        file_starts=np.arange(size),
        instances=1,
        slots=used,
    )
    lasts_s = max(float(job_seconds(inputs)[0]), done.last_end_s) + float(outcome.serving["overhead_s"][0])
    offered = float(outcome.offered[0])
    busy_s = done.busy_s * records / size / longer * float(inputs.traffic.jobs_per_month[0] * inputs.units[0])
    warm = np.zeros((BLOCKS, histogram.BINS))
    warm[:, int(np.searchsorted(histogram.VALUES, np.float32(lasts_s)).clip(0, histogram.BINS - 1))] = offered / BLOCKS
    run = replace(
        outcome,
        latency=Latency(seconds=np.full((1, 1), lasts_s), weight=np.ones((1, 1))),
        dropped_ratio=np.zeros(1),
        busy_s=np.full(1, busy_s),
        paid_s=np.maximum(outcome.paid_s, busy_s),
    )
    return run, Tally(warm=warm, cold=np.zeros_like(warm), offered=offered, busy_s=busy_s, played=float(size))


def played_at_once(slots: int, records: float, played: int) -> tuple[int, float]:
    """How many of `slots` work off `played` of their `records`, and how many times as long each record takes.

    As large a part of the slots as of the records, so that a record takes as long as it does: long ones at the end
    would else keep a job waiting that are none. Of few slots all are played, with longer records: each has so many
    that it makes no difference.

    >>> played_at_once(8, 1e6, 40_000), played_at_once(10_000, 1e6, 40_000), played_at_once(8, 3.0, 3)
    ((8, 25.0), (400, 1.0), (3, 1.0))
    """
    slots = min(slots, math.ceil(records))
    used = min(slots, max(math.ceil(slots * played / records), played // LONG_ROW))
    return used, records * used / (slots * played)


def _multipliers(inputs: Inputs, records: int, seed: int) -> Float32:
    """How long each record works over the mean, the same for every option."""
    request = inputs.request
    normals = randomness.normals(records, seed)
    return multipliers(normals, distribution=request.distribution, cv=float(request.cv[0]))


def _at_once(outcome: Outcome) -> int:
    """Records that one endpoint serves at the same time when it is as large as it gets."""
    settings = {name: float(values[0]) for name, values in outcome.settings.items()}
    if "max_instances" not in settings:
        return round(settings["max_concurrency"])
    each = settings["max_instances"] / max(1.0, settings["endpoints"])
    return max(1, round(each * float(outcome.serving["slots"][0])))
