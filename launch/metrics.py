"""What an endpoint did in the last minutes, from CloudWatch: requests, errors, latency, and what its option adds.

The queries are made by a pure function; one GetMetricData call answers all of them.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from launch.template_parts import VARIANT

PERIOD_S = 60  # what SageMaker publishes once a minute
WINDOW_MINUTES = 60
_NAMESPACE = "AWS/SageMaker"
_US_PER_MS = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class _Metric:
    """One series to ask for.

    Source: SageMaker developer guide, "Monitor Amazon SageMaker AI with Amazon CloudWatch", read 2026-11-21.
    """

    metric: str
    statistic: str
    per_unit: float = 1.0  # what the metric is divided by for our unit
    is_count: bool = False  # a minute without a value had none, rather than an unknown number
    of_endpoint: bool = False  # published for the endpoint, not for its variant


_COMMON = {
    "requests": _Metric(metric="Invocations", statistic="Sum", is_count=True),
    "errors_4xx": _Metric(metric="Invocation4XXErrors", statistic="Sum", is_count=True),
    "errors_5xx": _Metric(metric="Invocation5XXErrors", statistic="Sum", is_count=True),
    "model_p50_ms": _Metric(metric="ModelLatency", statistic="p50", per_unit=_US_PER_MS),
    "model_p99_ms": _Metric(metric="ModelLatency", statistic="p99", per_unit=_US_PER_MS),
    "overhead_p99_ms": _Metric(metric="OverheadLatency", statistic="p99", per_unit=_US_PER_MS),
}
_CACHE = {
    "cache_hit_ratio": _Metric(metric="ModelCacheHit", statistic="Average"),
    "model_wait_p99_ms": _Metric(metric="ModelLoadingWaitTime", statistic="p99", per_unit=_US_PER_MS),
}
_BY_OPTION: Mapping[str, Mapping[str, _Metric]] = {
    "serverless": {"cold_starts": _Metric(metric="ModelSetupTime", statistic="SampleCount", is_count=True)},
    # What waits in a queue is not counted as an invocation before it is processed.
    "async": {
        "requests": _Metric(metric="InvocationsProcessed", statistic="Sum", is_count=True),
        "errors_5xx": _Metric(metric="InvocationFailures", statistic="Sum", is_count=True),
        "backlog": _Metric(metric="ApproximateBacklogSize", statistic="Maximum", of_endpoint=True),
    },
    "mme": _CACHE,
    "mme_gpu": _CACHE,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Metrics:
    """The series of an endpoint, one value a minute; None where nothing is known of a minute."""

    start: datetime  # of the first minute, UTC
    values: Mapping[str, tuple[float | None, ...]]  # by the name of the series; ratios 0..1, times in ms

    def total(self, name: str) -> float:
        """Sum a series; 0 where it has nothing."""
        return math.fsum(value for value in self.values.get(name, ()) if value is not None)

    def last(self, name: str) -> float | None:
        """Give the newest known value of a series."""
        return next((value for value in reversed(self.values.get(name, ())) if value is not None), None)

    @property
    def has_traffic(self) -> bool:
        """Whether anything was asked in the window."""
        return self.total("requests") > 0


def queries(endpoint: str, option: str, variant: str = VARIANT) -> list[dict[str, Any]]:
    """Give the queries of GetMetricData for a variant of an endpoint, their ids being the names of the series.

    >>> queries("iris", "async")[-1]["MetricStat"]["Metric"]["Dimensions"]
    [{'Name': 'EndpointName', 'Value': 'iris'}]
    """
    of_endpoint = [{"Name": "EndpointName", "Value": endpoint}]
    of_variant = [*of_endpoint, {"Name": "VariantName", "Value": variant}]
    return [
        {
            "Id": name,
            "MetricStat": {
                "Metric": {
                    "Namespace": _NAMESPACE,
                    "MetricName": one.metric,
                    "Dimensions": of_endpoint if one.of_endpoint else of_variant,
                },
                "Period": PERIOD_S,
                "Stat": one.statistic,
            },
        }
        for name, one in _wanted(option).items()
    ]


def read(
    cloudwatch: Any,
    endpoint: str,
    option: str,
    *,
    variant: str = VARIANT,
    now: datetime,
    minutes: int = WINDOW_MINUTES,
) -> Metrics:
    """Ask for the series of a variant in the last minutes up to and with the current one.

    Raises: ClientError, BotoCoreError.
    """
    end = now.replace(second=0, microsecond=0) + timedelta(seconds=PERIOD_S)
    start = end - timedelta(seconds=PERIOD_S * minutes)
    found: dict[str, dict[int, float]] = {}
    pages = cloudwatch.get_paginator("get_metric_data").paginate(
        MetricDataQueries=queries(endpoint, option, variant), StartTime=start, EndTime=end
    )
    for page in pages:
        for series in page["MetricDataResults"]:
            minutes_of = (round((at - start).total_seconds() / PERIOD_S) for at in series["Timestamps"])
            found.setdefault(series["Id"], {}).update(zip(minutes_of, series["Values"], strict=True))
    return Metrics(
        start=start,
        values={
            name: tuple(_value(one, found.get(name, {}).get(minute)) for minute in range(minutes))
            for name, one in _wanted(option).items()
        },
    )


def _wanted(option: str) -> dict[str, _Metric]:
    return {**_COMMON, **_BY_OPTION.get(option, {})}


def _value(metric: _Metric, value: float | None) -> float | None:
    if value is None:
        return 0.0 if metric.is_count else None
    return value / metric.per_unit
