"""A store with metrics, and what GetMetricData makes of it, without HTTP."""

from collections.abc import Mapping, Sequence
from datetime import UTC
from pathlib import Path
from typing import Any

from sandbox.metrics import SCHEMA, MetricRow, MetricStore
from sandbox.services.cloudwatch.labels import Place
from sandbox.services.cloudwatch.lines import Line
from sandbox.services.cloudwatch.queries import Queries
from sandbox.state import Database

ACCOUNT, REGION = "000000000000", "us-east-1"
START = 1_800_000_000  # a full hour
NOW = START + 3_600
PLACE = Place(account=ACCOUNT, region=REGION, zone=UTC)

# A series of values, one per minute; None is a minute without data.
Drawn = Mapping[str, Sequence[float | None]]


def store_with(folder: Path, drawn: Drawn, **names: Any) -> MetricStore:
    """Keep one metric per name, with the dimension E; its values stand at START and each minute after it."""
    store = MetricStore(Database(folder / "metrics.sqlite", SCHEMA))
    made = {"namespace": "N", "unit": "None", **names}
    rows = [
        MetricRow(
            name=name, dimensions=(("E", name),), minute=START + 60 * at, values=[value], counts=[1.0], **made
        )
        for name, values in drawn.items()
        for at, value in enumerate(values)
        if value is not None
    ]  # fmt: skip
    store.add(ACCOUNT, REGION, rows)
    return store


def metric(name: str, *, period: int = 60, stat: str = "Sum", **query: Any) -> dict[str, Any]:
    """Ask for a metric that `store_with` made, by its name."""
    wanted = {"Namespace": "N", "MetricName": name, "Dimensions": [{"Name": "E", "Value": name}]}
    return {"Id": name, "MetricStat": {"Metric": wanted, "Period": period, "Stat": stat}, **query}


def ask(store: MetricStore, *queries: dict[str, Any], of: str, minutes: int, start: int = START) -> list[Line]:
    """Give the lines of one query."""
    return Queries(store, PLACE, queries, start=start, end=START + 60 * minutes, now=NOW).lines(of)
