"""Latency: how near the answers come to the objective, request by request."""

import numpy as np

from fitness.arrays import Array
from fitness.inputs import Objectives
from fitness.outcome import Latency, Outcome

STEEPNESS = 2.0  # an answer that takes twice the objective is worth a quarter


def latency(outcome: Outcome, objectives: Objectives) -> Array:
    """Mean credit of the requests, 0..1: 1 within the objective, (objective / latency) ** 2 after it.

    Dropped, throttled and timed-out requests count 0; accepted cold starts count 1.
    With a p95 and a p99 objective, an answer is measured against the p95 one.
    Shape: (rows,). Source: docs/background.md#latency.
    """
    return credit(outcome.latency, objectives.target_s) * (1 - outcome.dropped_ratio)


def credit(answers: Latency, objective_s: Array) -> Array:
    """Mean of min(1, (objective / latency) ** 2) over the answers, (rows,).

    >>> credit(Latency(seconds=np.array([[1.0, 2.0]]), weight=np.array([[0.5, 0.5]])), np.array([1.0])).tolist()
    [0.625]
    """
    worth = np.minimum(1.0, (objective_s[:, None] / np.maximum(answers.seconds, 1e-12)) ** STEEPNESS)
    if answers.forgiven is not None:
        worth = np.where(answers.forgiven > 0, 1.0, worth)
    mean: Array = np.sum(answers.weight * worth, axis=1)
    return np.clip(mean, 0.0, 1.0)
