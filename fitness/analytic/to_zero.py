"""Scale to zero by inference components: how long a copy is kept, and what is lost while there is none.

Formulas: docs/background.md#scale-to-zero.
"""

import numpy as np

from fitness.analytic import fleet
from fitness.arrays import Array
from fitness.inputs import Inputs
from fitness.load import Load

IDLE_S = fleet.ALARM_IN_S + fleet.COOLDOWN_S  # idle time before the last copy goes
ALARM_S = 60.0  # NoCapacityInvocationFailures, one datapoint


def kept(load: Load) -> Array:
    """Hours that a copy is kept over hours at a level of load, (draws, levels).

    Between requests, and once more before an idle hour: above 1 where it lingers into that hour.
    """
    up: Array = -np.expm1(-load.rps * IDLE_S) * (1 + load.spells * IDLE_S / 3600)
    return up


def lost_ratio(inputs: Inputs, load: Load) -> Array:
    """Share of requests lost at zero copies: they fail (no queue) until the alarm and the launch are over."""
    launch_s = ALARM_S + inputs.launch_s
    share = load.requests / np.maximum(np.sum(load.requests, axis=1, keepdims=True), 1e-300)
    alone = np.exp(-load.rps * IDLE_S)
    first = load.spells / np.maximum(load.rps * 3600, 1e-300)  # requests that end an idle hour
    wakes = alone + first * (1 - alone)
    lost = np.where(load.rps > 0, np.minimum(1.0, wakes * (1 + load.rps * launch_s[:, None])), 0.0)
    ratio: Array = np.sum(share * lost, axis=1)
    return ratio
