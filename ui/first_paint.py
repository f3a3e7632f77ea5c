"""A day by the formulas: what the Simulate page draws at once, until the day has been played."""

from dataclasses import replace

import numpy as np

from fitness.simulation.day import PERCENTILES, REQUESTS, Course
from fitness.study import Played, Study

PREVIEW_REQUESTS = 50_000
_PREVIEW_S = 300.0  # at the peak, so that the part that is played has whole minutes
_DAY_S = 86_400.0
_WIDTH_S = 300.0


def requests(work: Study, surge_factor: float) -> int:
    """Give how many requests to play for a first look: some minutes of them, a few milliseconds of work."""
    busiest = float(work.point.traffic.rps_peak[0]) * surge_factor * _PREVIEW_S
    return min(max(PREVIEW_REQUESTS, round(busiest)), REQUESTS)


def course(preview: Course, proposed: Played) -> Course:
    """Give the day of a preview with the formulas' latencies of the month in place of those of its few requests.

    Arrivals, instances and money are those of the preview: its control loop walks the whole day. What is inside
    follows from the rate and the mean time (Little's law). Cold starts and losses are left out.
    """
    outcome = proposed.outcome
    if preview.is_job or outcome is None:
        return preview
    at_s = np.arange(0.0, _DAY_S, _WIDTH_S)
    levels_ms = [float(outcome.latency.percentile(share)[0]) * 1000 for share in PERCENTILES]
    mean_s = float(np.sum(outcome.latency.seconds[0] * outcome.latency.weight[0]))
    minute = np.minimum((at_s / 60).astype(np.int64), preview.arrivals.size - 1)
    nothing = np.zeros(at_s.size)
    return replace(
        preview,
        start_s=0.0,
        end_s=_DAY_S,
        interval_s=_WIDTH_S,
        at_s=at_s,
        latency_ms=np.repeat(np.array(levels_ms)[:, None], at_s.size, axis=1),
        inside=preview.arrivals[minute] / 60 * mean_s,
        cold=nothing,
        refused=nothing,
        timed_out=nothing,
    )
