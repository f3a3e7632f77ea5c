"""Tables of a load test: what was measured beside what the simulator says, and its stages."""

import math

import pandas as pd

from launch.measured import Check, Estimate, Stage
from ui import format as fmt

_MS = 1000


def beside(check: Check) -> pd.DataFrame:
    """Give the time to the answer of the random arrivals, measured and simulated. Shape: a row a percentile."""
    return pd.DataFrame(
        [
            {
                "Answered within": f"{name.removeprefix('p')} % of requests",
                "Measured": fmt.ms(measured_s * _MS),
                "Simulated": fmt.ms(check.predicted_s[name] * _MS),
                "Simulated is": _difference(check.predicted_s[name], measured_s),
            }
            for name, measured_s in check.measured_s.items()
        ]
    )


def stages(found: tuple[Stage, ...]) -> pd.DataFrame:
    """Give how the endpoint answered more and more callers. Shape: a row a stage, in their order."""
    return pd.DataFrame(
        {
            "Requests at once": [f"{one.callers:,}" for one in found],
            "Answered": [f"{one.requests:,}" for one in found],
            "Errors": [f"{one.errors:,}" for one in found],
            "Answers a second": [f"{one.per_s.value:,.1f}" for one in found],
            "50 % within": [fmt.ms(one.p50_s * _MS) for one in found],
            "99 % within": [fmt.ms(one.p99_s * _MS) for one in found],
        }
    )


def interval(found: Estimate, unit: str = "") -> str:
    """Give the 95 % interval of a figure in words.

    >>> interval(Estimate(low=11.2, value=12.0, high=12.84), "ms")
    '11.2 to 12.8 ms'
    >>> interval(Estimate(low=0.0, value=12.0, high=math.inf))
    'too few answers for an interval'
    """
    if not math.isfinite(found.high):
        return "too few answers for an interval"
    return f"{found.low:.3g} to {found.high:.3g} {unit}".rstrip()


def _difference(simulated_s: float, measured_s: float) -> str:
    """Say how far the simulation is from the measurement.

    >>> _difference(0.09, 0.1), _difference(0.1, 0.1), _difference(0.15, 0.1)
    ('10 % lower', 'the same', '50 % higher')
    """
    percent = round(100 * (simulated_s / measured_s - 1))
    if percent == 0:
        return "the same"
    return f"{abs(percent)} % {'higher' if percent > 0 else 'lower'}"
