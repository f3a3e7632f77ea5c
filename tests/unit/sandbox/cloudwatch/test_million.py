"""A million points of an hour through the store, beside the same numbers computed without it."""

import math
from collections import Counter, defaultdict

import numpy as np
import pytest

from sandbox.metrics import SCHEMA, MetricRow, MetricStore
from sandbox.services.cloudwatch.queries import Queries
from sandbox.state import Database
from tests.unit.sandbox.cloudwatch.asked import ACCOUNT, NOW, PLACE, REGION, START, ask, metric

POINTS = 1_000_000
MINUTES = 60


@pytest.fixture(scope="module")
def drawn() -> dict[int, list[float]]:
    """Whole microseconds, so that sums are exact, with a long tail; uneven over the minutes, two of them empty."""
    random = np.random.default_rng(20)
    minutes = np.array([START + 60 * minute for minute in range(MINUTES) if minute not in {7, 31}])
    minute = minutes[(len(minutes) * random.random(POINTS) ** 2).astype(int)]
    value = np.floor(random.lognormal(9, 0.7, POINTS))
    order = np.lexsort((value, minute))
    begins, first = np.unique(minute[order], return_index=True)
    values = [part.tolist() for part in np.split(value[order], first[1:])]
    return dict(zip(begins.tolist(), values, strict=True))


@pytest.fixture(scope="module")
def store(drawn, tmp_path_factory) -> MetricStore:
    """Half of the points one by one, half as values with counts, several calls a minute."""
    made = MetricStore(Database(tmp_path_factory.mktemp("million") / "metrics.sqlite", SCHEMA))
    names = {"namespace": "N", "name": "m1", "dimensions": (("E", "m1"),), "unit": "Microseconds"}
    for minute, values in drawn.items():
        singly, counted = values[::2], Counter(values[1::2])
        for sent in (singly[::3], singly[1::3], singly[2::3]):
            row = MetricRow(minute=minute, values=sent, counts=[1.0] * len(sent), **names)
            made.add(ACCOUNT, REGION, [row])
        row = MetricRow(minute=minute, values=list(counted), counts=list(counted.values()), **names)
        made.add(ACCOUNT, REGION, [row])
    return made


def percentile(ordered: list[float], number: int) -> float:
    return ordered[-(-number * len(ordered) // 100) - 1]


def mean(values: list[float]) -> float:
    return math.fsum(values) / len(values)


# Of the values of a period in their order.
STATISTICS = {
    "SampleCount": len,
    "Sum": math.fsum,
    "Average": mean,
    "Minimum": lambda ordered: ordered[0],
    "Maximum": lambda ordered: ordered[-1],
    "p50": lambda ordered: percentile(ordered, 50),
    "p90": lambda ordered: percentile(ordered, 90),
    "p99": lambda ordered: percentile(ordered, 99),
    "tm99": lambda ordered: mean(ordered[: -(-99 * len(ordered) // 100)]),
}


@pytest.mark.parametrize("period", [60, 300, 3600])
def test_statistics_of_a_million_points_are_exact(store, drawn, period):
    ordered: dict[int, list[float]] = defaultdict(list)
    for minute, values in drawn.items():
        ordered[START + (minute - START) // period * period] += values
    for values in ordered.values():
        values.sort()
    times = sorted(ordered)
    queries = [{**metric("m1", period=period, stat=text), "Id": f"q{at}"} for at, text in enumerate(STATISTICS)]
    results = Queries(store, PLACE, queries, start=START, end=START + 60 * MINUTES, now=NOW)
    for query, (text, by_hand) in zip(queries, STATISTICS.items(), strict=True):
        (line,) = results.lines(query["Id"])
        assert line.times.tolist() == times, text
        assert line.values.tolist() == [by_hand(ordered[time]) for time in times], text


def test_math_on_a_million_points_is_exact(store, drawn):
    sums, counts = (
        {**metric("m1", stat=stat), "Id": name} for stat, name in (("Sum", "total"), ("SampleCount", "number"))
    )  # fmt: skip
    asked = {"Id": "e", "Expression": "RATE(FILL(total, 0)) + 1000 * number / SUM(number)"}
    (line,) = ask(store, sums, counts, asked, of="e", minutes=MINUTES)
    minutes = [START + 60 * at for at in range(MINUTES)]
    total = [math.fsum(drawn.get(minute, [])) for minute in minutes]
    share = [1000 * len(drawn.get(minute, [])) / POINTS for minute in minutes]
    # The first minute has no rate; a missing one counts as 0.
    expected = [share[0], *((total[at] - total[at - 1]) / 60 + share[at] for at in range(1, MINUTES))]
    assert line.times.tolist() == minutes
    assert line.values.tolist() == pytest.approx(expected, rel=1e-12)
