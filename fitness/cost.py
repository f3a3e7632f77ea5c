"""Cost: what a month costs against the budget, or against dedicated always-on endpoints."""

import numpy as np

from fitness.arrays import Array


def cost(monthly_usd: Array, reference_usd: Array) -> Array:
    """Score 0..1 of a monthly cost; one half at the reference.

    `reference_usd` is the declared budget, else the cheapest always-on hosting with one endpoint for each
    model that meets the objectives. It depends on the workload alone, never on the other options.
    Shape: both (rows,). Source: docs/background.md#cost.

    >>> cost(np.array([0.0, 100.0, 300.0]), np.array([100.0])).round(3).tolist()
    [1.0, 0.5, 0.1]
    """
    ratio = monthly_usd / np.maximum(reference_usd, 1e-9)
    score: Array = 1 / (1 + ratio**2)
    return score
