"""Scaling: how an option follows a step of the load, and how much a team must decide and maintain for it."""

from collections.abc import Sequence

import numpy as np

from fitness.arrays import Array
from fitness.inputs import Inputs
from fitness.outcome import Outcome

HALF_AT = 8.0  # decisions at which simplicity is one half


def scaling(outcome: Outcome, decisions: int) -> Array:
    """Score 0..1: the geometric mean of elasticity up, elasticity down and simplicity.

    Up: requests within the objective in the 15 minutes after the load rises as far as this workload's does
    (1.5 to 5 times). Down: the square root of busy over paid in the 30 minutes after it falls back.
    Simplicity: 1 / (1 + decisions / 8).
    Shape: (rows,). Source: docs/background.md#scaling.
    """
    simplicity = 1 / (1 + decisions / HALF_AT)
    product = outcome.step_within_ratio * np.sqrt(outcome.step_busy_ratio) * simplicity
    score: Array = np.cbrt(np.clip(product, 0.0, 1.0))
    return score


_POLICY = ("scaling metric and target", "minimum and maximum count", "scale-out and scale-in cooldowns")
_DECISIONS = {
    "real_time": ("instance type", *_POLICY),
    "async": (
        "instance type",
        *_POLICY,
        "alarm that leaves zero",
        "concurrent invocations per instance",
        "success and failure topics",
    ),
    "batch": ("instance type and count", "batch strategy and payload size"),
    "serverless": ("memory size", "maximum concurrency"),
    "mme": ("instance type", *_POLICY, "memory for the resident models"),
    "mme_gpu": (
        "instance type",
        *_POLICY,
        "memory for the resident models",
        "model repository and configuration",
    ),
    "mce_direct": ("instance type", *_POLICY, "containers of similar load", "an image for each container"),
    "serial_pipeline": ("instance type", *_POLICY, "order and hand-over of the containers"),
    "triton_ensemble": (
        "instance type",
        *_POLICY,
        "model repository and configuration",
        "ensemble graph",
        "dynamic batching and instance groups",
    ),
    "azure_functions": (
        "plan and memory size",
        "maximum instances",
        "second cloud: subscription, identity and network",
        "second cloud: package, release and monitoring",
        "export of the model out of AWS",
    ),
}
_STEP_BY_STEP = frozenset({"real_time", "azure_functions"})  # each step of a chain is an endpoint or function
_DRIVER = (
    "client that reads the data set and sends each record",
    "concurrency, retries and collection of the answers",
    "schedule of that client's compute",
)


def decisions(option: str, variant: str, inputs: Inputs) -> Sequence[str]:
    """What a team must decide and keep right for this option and workload, in words; their count is the score's."""
    found = list(_DECISIONS[option])
    if variant == "provisioned":
        found.append("provisioned units and their schedule")
    if variant == "inference_components":
        found += ["inference component copies", "alarm that leaves zero"]
    endpoints = float(inputs.units[0]) * (float(inputs.steps[0]) if option in _STEP_BY_STEP else 1.0)
    if option in ("real_time", "async", "serverless", "azure_functions") and endpoints > 1:
        found.append(f"the same again for {endpoints:,.0f} endpoints")
    if inputs.is_chain and option in ("real_time", "mme", "mme_gpu", "azure_functions"):
        found += ["caller that runs the steps in order", "retries and time-outs between steps"]
    if inputs.traffic.is_scheduled and option != "batch":
        found += _DRIVER
    return found
