"""Bands of a month that is played in windows, held against the same month played at length."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from fitness import presets
from fitness.prices import load_book
from fitness.simulation import play, sweep, warm
from fitness.simulation.play import Simulation
from fitness.study import Played, Study, study

FLOOR = 0.9  # of the seeds
PERCENTILES = ("p50_ms", "p95_ms", "p99_ms")
CASES = (
    ("card-fraud", "real_time"),
    ("card-fraud", "serverless"),
    ("customer-models", "mme"),
    ("keystroke-search", "real_time"),
    ("retail-pipeline", "serial_pipeline"),
)
_LONG_SEEDS = range(1_000, 1_012)  # a long run has its luck too; none of the short ones has these seeds


@dataclass(frozen=True, kw_only=True)
class Coverage:
    """How often the bands of short runs hold the mean of long ones, and how wide they are."""

    case: str
    shares: Sequence[float]  # of the seeds, for p50, p95 and p99
    widths: Sequence[float]  # of half a band, as a share of the figure, the geometric mean over the seeds

    @property
    def holds(self) -> bool:
        """Whether all are held as often as promised; a band that is too wide is no false promise."""
        return min(self.shares) >= FLOOR


def coverages(*, requests: int, long_requests: int, seeds: int) -> list[Coverage]:
    """Play every case at length, and `seeds` times with `requests` requests."""
    return [_coverage(*case, requests, long_requests, seeds) for case in CASES]


def _coverage(preset: str, option: str, requests: int, long_requests: int, seeds: int) -> Coverage:
    work = sweep.as_settled(study(presets.load(preset), book=load_book(), config={}), option)
    one = partial(_run, work, work.configured(option))
    long = warm.each(partial(one, long_requests), _LONG_SEEDS)
    short = warm.each(partial(one, requests), range(seeds))
    shares, widths = [], []
    for name in PERCENTILES:
        truth = _mean([run.bands[name].value for run in long])
        bands = [run.bands[name] for run in short]
        shares.append(sum(band.low <= truth <= band.high for band in bands) / seeds)
        widths.append(_mean([math.sqrt(band.high / band.low) for band in bands]) - 1)
    return Coverage(
        case=f"{preset}, {option}, {len(long)} runs of {long[0].played_requests:,}", shares=shares, widths=widths
    )


def _mean(values: Sequence[float]) -> float:
    """The geometric mean: latencies spread upwards."""
    return math.exp(sum(map(math.log, values)) / len(values))


def _run(work: Study, proposed: Played, requests: int, seed: int) -> Simulation:
    return play.played(work, proposed, requests=requests, seed=seed)
