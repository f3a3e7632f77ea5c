"""Traffic: how well what is paid follows what is asked, over the month."""

import numpy as np

from fitness.arrays import Array
from fitness.outcome import Outcome
from fitness.throughput import FULL_HEADROOM


def traffic(outcome: Outcome) -> Array:
    """Score 0..1: sqrt(busy seconds / paid seconds) x (1 - cold share), the headroom of 1.3 not held against it.

    The client that sends a scheduled job's records is paid as well, and does none of the work.
    Shape: (rows,). Source: docs/background.md#traffic.
    """
    clients = [hours for item, hours in outcome.metered.items() if item.startswith("processing/")]
    paid_s = outcome.paid_s + 3600 * np.sum(clients, axis=0)
    used = np.clip(FULL_HEADROOM * outcome.busy_s / np.maximum(paid_s, 1e-9), 0.0, 1.0)
    score: Array = np.sqrt(used) * (1 - np.clip(outcome.cold_ratio, 0.0, 1.0))
    return np.where(outcome.paid_s > 0, score, 0.0)
