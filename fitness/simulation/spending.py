"""What a configuration costs minute by minute: each item of the month's bill follows what drives it.

Units: US dollars, seconds.
Source: docs/simulation.md#playing, docs/background.md (the items).
"""

from dataclasses import dataclass

import numpy as np

from fitness.arrays import Array
from fitness.inputs import HOURS_PER_MONTH
from fitness.outcome import Outcome
from fitness.study import Study

BY_INSTANCE_HOUR = ("hosting", "async", "batch_transform")
BY_REQUEST = ("data_in", "data_out", "s3", "serverless")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Use:
    """What was used in each minute, (minutes,)."""

    requests: Array
    busy_s: Array  # work on requests
    starting_s: Array  # starts of sandboxes
    instances: Array | None  # billed, mean over the minute; None: the option has none


def spent_usd(work: Study, outcome: Outcome, use: Use) -> Array:
    """Spending of one of the option's endpoints until the end of each minute, (minutes,); NaN without a price."""
    endpoints = 1.0 if outcome.option == "batch" else max(1.0, float(outcome.settings["endpoints"][0]))
    total = np.zeros(use.requests.size)
    for item, quantities in outcome.metered.items():
        quantity = float(quantities[0])
        if quantity <= 0:
            continue
        price = work.book.estimate(item.partition("#")[0], work.point.region)
        if price is None:
            return np.full(use.requests.size, np.nan)
        total = total + _used(item, quantity, outcome, use, endpoints) * float(price.usd_per_unit)
    return np.cumsum(total)


def _used(item: str, quantity: float, outcome: Outcome, use: Use, endpoints: float) -> Array:
    """How much of an item each minute uses, of `quantity` in the month."""
    plain, _, what = item.partition("#")
    kind = plain.partition("/")[0]
    if use.instances is not None and (kind in BY_INSTANCE_HOUR or plain == "storage/hosting"):
        return use.instances / 60 * (quantity / float(outcome.instance_hours[0]))
    if what == "cold" or (plain.startswith("serverless/duration") and outcome.variant == "provisioned"):
        return use.starting_s
    if "/duration/" in plain:
        return use.busy_s
    if kind == "azure_functions" and plain.endswith("/duration"):
        return (use.busy_s + use.starting_s) * (quantity / float(outcome.paid_s[0]))
    if kind in BY_REQUEST or plain.endswith("/executions"):
        return use.requests * (quantity / float(outcome.offered[0]))
    return np.full(use.requests.size, quantity / endpoints / (HOURS_PER_MONTH * 60))
