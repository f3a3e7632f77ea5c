"""How fast the sandbox's CloudWatch keeps points and answers queries over them, through boto3 and HTTP.

`python -m tests.bench.sandbox_cloudwatch` prints these rows alone.
"""

import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np

from tests import sandboxed
from tests.bench.measure import Row, fastest, within

POINTS = 100_000  # of each metric, in single values
MINUTES = 600
QUERIES = 10
MOST_VALUES, MOST_DATA = 150, 1_000  # of a datum, of a call
START = datetime.now(UTC).replace(second=0, microsecond=0) - timedelta(minutes=MINUTES)
WINDOW = {"StartTime": START, "EndTime": START + timedelta(minutes=MINUTES), "ScanBy": "TimestampAscending"}


def main() -> None:
    """Print a line for each row."""
    print(f"{'the sandbox: CloudWatch':<72}{'floor':>16}{'seen':>16}")
    for what, floor, seen, passed in rows():
        verdict = "" if passed is None else "pass" if passed else "MISS"
        print(f"{what:<72}{floor:>16}{seen:>16}  {verdict}")


def rows() -> Iterator[Row]:
    """Ten queries for p99 over one metric and over ten, sent value by value and as values with counts."""
    with tempfile.TemporaryDirectory() as folder:
        sandbox = sandboxed.start(Path(folder))
        try:
            cloudwatch = sandbox.client("cloudwatch")
            yield "1e5 points sent one by one, 1,000 a call", "-", f"{send_singly(cloudwatch, 'single'):.2f} s", None
            for name in metrics():
                send_many(cloudwatch, name)
            one = [query(f"q{number}", "single", period=60 * (number + 1)) for number in range(QUERIES)]
            many = [query(name, name, period=60) for name in metrics()]
            yield within("ten p99 queries over 1e5 points of one metric", ask(cloudwatch, one), 1.0)
            yield within("ten p99 queries over 1e5 points each of ten metrics", ask(cloudwatch, many), 1.0)
            asked = [*many, {"Id": "e", "Expression": "100 * MAX(METRICS()) / AVG(METRICS())"}]
            yield within("the same with metric math over all of them", ask(cloudwatch, asked), 1.0)
        finally:
            sandbox.stop()


def metrics() -> list[str]:
    """The names of the metrics that are sent as values with counts."""
    return [f"m{number}" for number in range(QUERIES)]


def latencies(name: str) -> list[tuple[datetime, float]]:
    """Made-up latencies, evenly over the minutes."""
    random = np.random.default_rng(list(name.encode()))
    values = np.round(random.lognormal(9, 0.7, POINTS), 1).tolist()
    return [(START + timedelta(minutes=at * MINUTES // POINTS), value) for at, value in enumerate(values)]


def send_singly(cloudwatch: Any, name: str) -> float:
    """Send each point as a datum; gives the seconds it took."""
    data = [{"MetricName": name, "Timestamp": time, "Value": value} for time, value in latencies(name)]

    def send() -> None:
        for at in range(0, len(data), MOST_DATA):
            cloudwatch.put_metric_data(Namespace="Bench", MetricData=data[at : at + MOST_DATA])

    return fastest(send, rounds=1, first=False)


def send_many(cloudwatch: Any, name: str) -> None:
    """Send the points of each minute as arrays of values."""
    points = latencies(name)
    data = [
        {
            "MetricName": name,
            "Timestamp": points[at][0],
            "Values": [value for _, value in points[at : at + MOST_VALUES]],
        }
        for at in range(0, len(points), MOST_VALUES)
    ]
    for at in range(0, len(data), MOST_DATA // 10):
        cloudwatch.put_metric_data(Namespace="Bench", MetricData=data[at : at + MOST_DATA // 10])


def query(name: str, metric: str, *, period: int) -> dict[str, Any]:
    """Ask for the p99 of a metric."""
    stat = {"Metric": {"Namespace": "Bench", "MetricName": metric}, "Period": period, "Stat": "p99"}
    return {"Id": name, "MetricStat": stat}


def ask(cloudwatch: Any, queries: list[dict[str, Any]]) -> float:
    """Seconds of one call with some queries."""

    def call() -> None:
        found = cloudwatch.get_metric_data(MetricDataQueries=queries, **WINDOW)
        assert all(result["Values"] for result in found["MetricDataResults"])

    return fastest(call, rounds=5)


if __name__ == "__main__":
    main()
