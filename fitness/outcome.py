"""What one configuration does with one month of the workload: the seam of the decision engine.

The analytic evaluation fills this value; a simulation of every request fills the same one. The five
fitness functions, the bill and the verdict read nothing else.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any, Self

import numpy as np

from fitness.arrays import Array

# The other settings are whole.
FRACTIONS = frozenset({"target_invocations_per_minute", "target_backlog_per_instance", "max_queue_delay_ms"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Latency:
    """The time from a request to its answer, as a histogram: values in seconds and their weights.

    Shape: both (rows, bins). A row's weights sum to 1 over the requests that got an answer.
    """

    seconds: Array
    weight: Array
    forgiven: Array | None = None  # (rows, bins): bins that an accepted cold start excuses

    def percentile(self, probability: float) -> Array:
        """Latency in seconds that `probability` of the answers stay under, (rows,).

        Linear between the middles of the bins: a bin stands for a slice, not for its upper end.
        """
        order = np.argsort(self.seconds, axis=1)
        seconds = np.take_along_axis(self.seconds, order, axis=1)
        weight = np.take_along_axis(self.weight, order, axis=1)
        weight = weight / np.maximum(np.sum(weight, axis=1, keepdims=True), 1e-300)
        middle = np.cumsum(weight, axis=1) - weight / 2
        rows = zip(middle, seconds, weight, strict=True)
        return np.array([np.interp(probability, at[share > 0], value[share > 0]) for at, value, share in rows])

    def share_above(self, limit_s: Array) -> Array:
        """Share of the answers later than `limit_s` (rows,); accepted cold starts are not late."""
        late = self.seconds > limit_s[:, None]
        if self.forgiven is not None:
            late &= ~self.forgiven.astype(bool)
        share: Array = np.sum(self.weight * late, axis=1)
        return share


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """Rows of one option: a row is one configuration under one draw of what is unknown.

    Shape: every array is (rows,). Ratios are NaN where the option has no such thing.
    """

    option: str
    settings: Mapping[str, Array]  # the numbers of the configuration, by its public name
    instance_types: tuple[str, ...] | None  # per row; None: the option has no instances
    variant: str  # which way to run the option, e.g. "on_demand" or "provisioned"
    latency: Latency
    offered: Array  # requests in the month
    dropped_ratio: Array  # refused, throttled or timed out
    cold_ratio: Array
    hit_ratio: Array  # share of calls that found their model in memory
    instance_hours: Array
    busy_s: Array  # seconds of a serving slot that did work
    paid_s: Array  # seconds of a serving slot that were paid
    peak_served_ratio: Array  # served over offered in the busiest hour
    peak_headroom: Array  # capacity over offered in the busiest minute
    step_within_ratio: Array  # requests within the objective in the 15 minutes after the load rises
    step_busy_ratio: Array  # busy over paid in the 30 minutes after it falls back
    # Quantities to pay for, by price item; `item#what` where one item is paid for two reasons.
    metered: Mapping[str, Array]
    # How one request is served, for a simulation of the same configuration: service_s (mean), slots (at once on an
    # instance), overhead_s, cold_s (what a start adds), hops.
    serving: Mapping[str, Array] = field(default_factory=dict)

    def row(self, index: int) -> Self:
        """One row alone."""
        at = slice(index, index + 1)
        types = self.instance_types
        found: dict[str, Any] = {"instance_types": None if types is None else types[at]}
        for name in ("settings", "metered", "serving"):
            found[name] = {key: values[at] for key, values in getattr(self, name).items()}
        forgiven = self.latency.forgiven
        found["latency"] = Latency(
            seconds=self.latency.seconds[at],
            weight=self.latency.weight[at],
            forgiven=None if forgiven is None else forgiven[at],
        )
        for name in (one.name for one in fields(self)):
            value = getattr(self, name)
            if isinstance(value, np.ndarray):
                found[name] = value[at]
        return replace(self, **found)

    def usd(self, prices: Mapping[str, float]) -> Array:
        """Monthly cost of each row; NaN where a price is unknown."""
        total = np.zeros(self.offered.size)
        for item, quantity in self.metered.items():
            price = prices.get(item, np.nan)
            total = total + np.where(quantity > 0, quantity * price, 0.0)
        return total


def configuration(outcome: Outcome) -> dict[str, object]:
    """The settings of the first row by their public names, whole numbers as such."""
    found: dict[str, object] = {}
    if outcome.instance_types is not None:
        found["instance_type"] = outcome.instance_types[0]
    for name, values in outcome.settings.items():
        value = float(values[0])
        is_fraction = name in FRACTIONS and value < 10 and value != round(value)
        found[name] = round(value, 2) if is_fraction else round(value)
    if outcome.variant == "inference_components":
        found["inference_components"] = True
    if outcome.option == "azure_functions":
        is_flex = "azure_functions/flex/duration" in outcome.metered
        found["plan"] = "flex_consumption" if is_flex else "consumption"
    return found
