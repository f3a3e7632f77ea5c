"""Throughput: what is served in the busiest hour, and what is left above it."""

import numpy as np

from fitness.arrays import Array
from fitness.outcome import Outcome

FULL_HEADROOM = 1.3  # capacity over the busiest minute that gets full marks


def throughput(outcome: Outcome) -> Array:
    """Score 0..1: served over offered in the busiest hour, times the headroom up to 1.3.

    Shape: (rows,). Source: docs/background.md#throughput.
    """
    headroom = np.minimum(1.0, outcome.peak_headroom / FULL_HEADROOM)
    score: Array = np.clip(outcome.peak_served_ratio * headroom * (1 - outcome.dropped_ratio), 0.0, 1.0)
    return score
