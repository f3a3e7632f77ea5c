"""Batch transform: instances for the duration of a job over data that exists beforehand.

Formulas: docs/background.md#batch.
"""

from collections.abc import Mapping, Sequence

import numpy as np

from fitness.analytic import fleet, settings
from fitness.inputs import Inputs
from fitness.machines import candidates
from fitness.outcome import Latency, Outcome
from fitness.prices import PriceBook

MOST_INSTANCES = 100.0  # TransformResources.InstanceCount
PAYLOAD_MB = 6.0  # MaxPayloadInMB, the default: what one request of the job carries
FULL = 0.95  # share of the run in which the slots have work


def evaluate(
    inputs: Inputs, book: PriceBook, *, config: Mapping[str, object], types: Sequence[str] | None
) -> Outcome | None:
    """Pick the cheapest type and count that finish within the deadline. See `analytic.evaluate`."""
    if not inputs.traffic.is_scheduled:
        return None
    machines = candidates(
        inputs, book, component="batch_transform", instance_type=settings.text(config, "instance_type")
    )
    at_once = settings.number(config, "max_concurrent_transforms")
    machines = machines.serving(at_once)
    if types is not None:
        machines = machines.only([i for i, t in enumerate(machines.types) if t.name in types])
    if machines.count == 0:
        return None
    start_s = inputs.prior("batch_start_s")
    records, jobs = inputs.traffic.records_per_job, inputs.traffic.jobs_per_month
    deadline_s = inputs.objectives.late_after_s
    per_unit = records / inputs.units
    work_s = per_unit[:, None] * machines.service_s / (machines.slots * FULL * machines.baseline)
    fixed = settings.number(config, "instances")
    # A deadline before the first instance is up can't be met: then the work takes no longer than the start did.
    left_s = np.where(deadline_s > start_s, deadline_s - start_s, start_s)
    needed = np.ceil(work_s / np.maximum(left_s, 1.0)[:, None] - 1e-9)
    count = np.clip(needed, 1, MOST_INSTANCES) if fixed is None else np.full_like(needed, fixed)
    finish_s = start_s[:, None] + work_s / count
    late = np.where(finish_s > deadline_s[:, None], np.minimum(1.0, finish_s / deadline_s[:, None] - 1), 0.0)
    hours = (inputs.units * jobs)[:, None] * count * finish_s / 3600
    fits = machines.memory_mb[None, :] >= (inputs.models.memory_mb * inputs.steps)[:, None]
    column = fleet.pick(late, hours * machines.usd_per_hour, fits)
    at = (np.arange(inputs.size), column)
    paid_hours, slots = hours[at], machines.slots[at]
    requests = inputs.traffic.requests_per_month
    busy_s = requests * machines.service_s[at]
    metered = {
        f"batch_transform/{machines.types[int(index)].name}": np.where(column == index, paid_hours, 0.0)
        for index in np.unique(column)
    }
    metered["s3/get"] = np.ceil(requests * inputs.request.payload_in_mb / PAYLOAD_MB) / 1000
    metered["s3/put"] = np.ceil(requests * inputs.request.payload_out_mb / PAYLOAD_MB) / 1000
    done_s = finish_s[at]
    return Outcome(
        option="batch",
        variant="always_on",
        settings={
            "instances": count[at],
            "max_concurrent_transforms": slots if at_once is None else np.full(inputs.size, at_once),
            "jobs_per_month": inputs.units * jobs,
        },
        serving={
            "service_s": machines.service_s[at],
            "slots": slots,
            "overhead_s": np.zeros(inputs.size),
            "cold_s": start_s,
        },
        instance_types=tuple(machines.types[int(index)].name for index in column),
        latency=Latency(seconds=done_s[:, None], weight=np.ones((inputs.size, 1))),
        offered=requests,
        dropped_ratio=np.zeros(inputs.size),
        cold_ratio=np.zeros(inputs.size),
        hit_ratio=np.full(inputs.size, np.nan),
        instance_hours=paid_hours,
        busy_s=busy_s,
        paid_s=np.maximum(paid_hours * 3600 * slots, busy_s),
        peak_served_ratio=np.ones(inputs.size),
        peak_headroom=np.minimum(deadline_s / np.maximum(done_s, 1e-9) * fleet.HEADROOM, 1e6),
        step_within_ratio=np.where(
            start_s + 5 * (done_s - start_s) * count[at] / MOST_INSTANCES <= deadline_s, 1.0, 0.5
        ),
        step_busy_ratio=np.ones(inputs.size),
        metered=metered,
    )
