"""The operations on metrics."""

import math
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any, Final

import numpy as np

from sandbox.metrics import Series
from sandbox.services.cloudwatch import put
from sandbox.services.cloudwatch.faults import COMBINATION, VALIDATION, VALUE, Fault, refuse
from sandbox.services.cloudwatch.labels import Place, zone_of
from sandbox.services.cloudwatch.lines import Line
from sandbox.services.cloudwatch.put import dimensions_of
from sandbox.services.cloudwatch.queries import MOST_POINTS, Queries, bad_period, is_period, is_statistic, query_faults
from sandbox.services.cloudwatch.samples import DAY, HOUR, Samples, Window
from sandbox.services.cloudwatch.statistics import SIMPLE, compute, parse_statistic
from sandbox.services.cloudwatch.tokens import read_token, write_token
from sandbox.services.service import Answer, Context, Params, Service

# GetMetricData, GetMetricStatistics and ListMetrics, CloudWatch API reference, read 2026-11-21.
_MOST_QUERIES: Final = 500
_MOST_STATISTICS: Final = 1_440
_METRICS_PER_PAGE: Final = 500
_RECENT_S: Final = 3 * HOUR
_LISTED_S: Final = 14 * DAY


class MetricOperations(Service):
    """PutMetricData and the operations that read what was put."""

    def put_metric_data(self, context: Context, params: Params) -> None:
        """Keep values, all or none."""
        self.cloud.metrics.add(context.account, context.region, put.rows(params, now=time.time()))

    def list_metrics(self, context: Context, params: Params) -> Answer:
        """List metrics that had data in the last two weeks; a metric is one row, whatever its units."""
        age = _RECENT_S if "RecentlyActive" in params else _LISTED_S
        series = self.cloud.metrics.series(
            context.account,
            context.region,
            namespace=params.get("Namespace"),
            name=params.get("MetricName"),
            active_since=int(time.time() - age),
        )
        filters = [(one["Name"], one.get("Value")) for one in params.get("Dimensions", ())]
        metrics = {(one.namespace, one.name, one.dimensions): _metric(one) for one in series if _has_all(one, filters)}
        rows = list(metrics.values())
        (start,) = read_token(params, 1, VALUE) or [0]
        end = start + _METRICS_PER_PAGE
        return {
            "Metrics": rows[start:end],
            "NextToken": write_token(params, [end]) if end < len(rows) else None,
        }

    def get_metric_statistics(self, context: Context, params: Params) -> Answer:
        """Compute statistics of one metric, for each of its units."""
        refuse(_statistics_faults(params))
        start, end = params["StartTime"].timestamp(), params["EndTime"].timestamp()
        window = Window.of(start, end, params["Period"], now=time.time())
        asked = [*params.get("Statistics", ()), *params.get("ExtendedStatistics", ())]
        found = self.cloud.metrics.series(
            context.account,
            context.region,
            namespace=params["Namespace"],
            name=params["MetricName"],
            dimensions=dimensions_of(params),
            unit=params.get("Unit"),
        )
        datapoints: list[Answer] = []
        for one in found:
            samples = Samples.unpack(self.cloud.metrics.stored([one], start=window.start, end=window.end))
            rows: dict[int, Answer] = {}
            for text in asked:
                points = compute(samples, parse_statistic(text), window)
                for when, value in zip(points.times.tolist(), points.values.tolist(), strict=True):
                    row = rows.setdefault(when, {"Timestamp": when, "Unit": one.unit})
                    (row if text in SIMPLE else row.setdefault("ExtendedStatistics", {}))[text] = value
            datapoints += rows.values()
        return {"Label": params["MetricName"], "Datapoints": datapoints}

    def get_metric_data(self, context: Context, params: Params) -> Answer:
        """Compute metrics and expressions."""
        refuse(_data_faults(params))
        queries = Queries(
            self.cloud.metrics,
            _place(context, params),
            params["MetricDataQueries"],
            start=params["StartTime"].timestamp(),
            end=params["EndTime"].timestamp(),
            now=time.time(),
        )
        lines = [
            (query["Id"], line)
            for query in params["MetricDataQueries"]
            if query.get("ReturnData", True)
            for line in queries.lines(query["Id"])
        ]
        return {**_page(lines, params), "Messages": []}


def _statistics_faults(params: Params) -> Iterator[Fault]:
    if "Statistics" in params and "ExtendedStatistics" in params:
        yield Fault.exclusive("Statistics", "ExtendedStatistics")
    if "Statistics" not in params and "ExtendedStatistics" not in params:
        yield Fault.neither("Statistics", "ExtendedStatistics")
    for at, text in enumerate(params.get("ExtendedStatistics", ()), start=1):
        if text in SIMPLE or not is_statistic(text):
            yield Fault(VALUE, f"The value {text} for parameter ExtendedStatistics.member.{at} is not valid.")
    if not is_period(params["Period"]):
        yield bad_period("Period", VALUE)
    seconds = math.ceil((params["EndTime"] - params["StartTime"]).total_seconds())
    if seconds <= 0:
        yield Fault(COMBINATION, "The parameter StartTime must be less than the parameter EndTime.")
    elif (points := -(-seconds // params["Period"])) > _MOST_STATISTICS:
        yield Fault(
            COMBINATION,
            f"You have requested up to {points:,} datapoints, which exceeds the limit of {_MOST_STATISTICS:,}. "
            "You may reduce the datapoints requested by increasing Period, or decreasing the time range.",
        )


def _data_faults(params: Params) -> Iterator[Fault]:
    queries = params["MetricDataQueries"]
    if not queries:
        yield Fault(VALIDATION, "The parameter MetricDataQueries is required.")
    if len(queries) > _MOST_QUERIES:
        yield Fault.too_many("MetricDataQueries", _MOST_QUERIES, VALIDATION)
    yield from query_faults(queries)
    if params["EndTime"] <= params["StartTime"]:
        yield Fault(VALIDATION, "The parameter StartTime must be less than the parameter EndTime.")
    if not 1 <= params.get("MaxDatapoints", MOST_POINTS) <= MOST_POINTS:
        yield Fault(VALIDATION, f"The parameter MaxDatapoints must be between 1 and {MOST_POINTS:,}.")
    if params.get("ScanBy") not in {None, "TimestampAscending", "TimestampDescending"}:
        yield Fault(VALIDATION, "The parameter ScanBy must be TimestampAscending or TimestampDescending.")
    try:
        zone_of(_zone(params))
    except ValueError:
        yield Fault(VALIDATION, "The parameter LabelOptions.Timezone must be + or - and four digits, such as +0130.")


def _zone(params: Params) -> str:
    zone: str = params.get("LabelOptions", {}).get("Timezone", "+0000")
    return zone


def _place(context: Context, params: Params) -> Place:
    return Place(account=context.account, region=context.region, zone=zone_of(_zone(params)))


def _page(lines: Sequence[tuple[str, Line]], params: Params) -> Answer:
    """Give as many points as a page holds. A token remembers the line and the last time that was given of it."""
    left = params.get("MaxDatapoints", MOST_POINTS)
    descending = params.get("ScanBy") != "TimestampAscending"
    start, after = read_token(params, 2) or [0, None]
    results: list[Answer] = []
    for at in range(start, len(lines)):
        name, line = lines[at]
        times, values = (part[::-1] if descending else part for part in (line.times, line.values))
        if at == start and after is not None:
            rest = times < after if descending else times > after
            times, values = times[rest], values[rest]
        if left == 0 and len(times):
            return {"MetricDataResults": results, "NextToken": write_token(params, [at, None])}
        complete = len(times) <= left
        times, values = times[:left], values[:left]
        results.append({
            "Id": name,
            "Label": line.label,
            "Timestamps": [datetime.fromtimestamp(when, UTC) for when in times.tolist()],
            "Values": np.asarray(values).tolist(),
            "StatusCode": "Complete" if complete else "PartialData",
        })  # fmt: skip
        left -= len(times)
        if not complete:
            return {"MetricDataResults": results, "NextToken": write_token(params, [at, int(times[-1])])}
    return {"MetricDataResults": results}


def _metric(series: Series) -> dict[str, Any]:
    return {
        "Namespace": series.namespace,
        "MetricName": series.name,
        "Dimensions": [{"Name": name, "Value": value} for name, value in series.dimensions],
    }


def _has_all(series: Series, filters: Sequence[tuple[str, str | None]]) -> bool:
    return all(
        any(name == wanted and value in {None, has} for name, has in series.dimensions) for wanted, value in filters
    )
