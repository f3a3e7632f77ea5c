"""PutMetricData: what a client sends, checked and turned into rows.

Limits: PutMetricData and MetricDatum, CloudWatch API reference, read 2026-11-21.
"""

from collections.abc import Iterator
from typing import Any, Final

from sandbox.metrics import Dimensions, MetricRow, Summary
from sandbox.services.cloudwatch.faults import COMBINATION, VALUE, Fault, refuse
from sandbox.services.cloudwatch.samples import DAY, HOUR, MINUTE

_MOST_DATA: Final = 1_000
_MOST_VALUES: Final = 150
_LARGEST: Final = 2.0**360
_OLDEST_S: Final = 14 * DAY
_NEWEST_S: Final = 2 * HOUR


def rows(params: dict[str, Any], *, now: float) -> list[MetricRow]:
    """Read the rows of a request. Raises: AwsError naming every wrong member."""
    data = [(f"MetricData.member.{at}", datum) for at, datum in enumerate(params.get("MetricData", ()), start=1)]
    for number, entity in enumerate(params.get("EntityMetricData", ()), start=1):
        path = f"EntityMetricData.member.{number}.MetricData.member"
        data += [(f"{path}.{at}", datum) for at, datum in enumerate(entity.get("MetricData", ()), start=1)]
    refuse(_faults(params, data, now))
    return [_row(params["Namespace"], datum, now) for _, datum in data]


def _faults(params: dict[str, Any], data: list[tuple[str, dict[str, Any]]], now: float) -> Iterator[Fault]:
    namespace: str = params["Namespace"]
    if namespace.startswith("AWS/"):
        yield Fault(VALUE, "The value AWS/ for parameter Namespace is invalid.")
    elif not _is_name(namespace):
        yield Fault(VALUE, f"The value {namespace} for parameter Namespace is invalid.")
    if not data:
        yield Fault.required("MetricData")
    if len(data) > _MOST_DATA:
        yield Fault.too_many("MetricData", _MOST_DATA)
    for path, datum in data:
        yield from _datum_faults(path, datum, now)


def _datum_faults(path: str, datum: dict[str, Any], now: float) -> Iterator[Fault]:
    yield from _shape_faults(path, datum)
    if not _is_name(datum["MetricName"]):
        yield Fault(VALUE, f"The value {datum['MetricName']} for parameter {path}.MetricName is invalid.")
    seen: set[str] = set()
    for at, dimension in enumerate(datum.get("Dimensions", ()), start=1):
        for part in ("Name", "Value"):
            if not _is_name(dimension[part]) or (part == "Name" and dimension[part].startswith(":")):
                where = f"{path}.Dimensions.member.{at}.{part}"
                yield Fault(VALUE, f"The value {dimension[part]} for parameter {where} is invalid.")
        if dimension["Name"] in seen:
            yield Fault(VALUE, f"The parameter {path}.Dimensions has the dimension {dimension['Name']} twice.")
        seen.add(dimension["Name"])
    for name, value in _numbers(datum):
        if not -_LARGEST <= value <= _LARGEST:  # nor is NaN
            yield Fault(VALUE, f"The value {value} for parameter {path}.{name} is invalid.")
    if "Timestamp" in datum:
        age = now - datum["Timestamp"].timestamp()
        if age > _OLDEST_S:
            yield Fault(VALUE, f"The parameter {path}.Timestamp must specify a time within the past two weeks.")
        elif age < -_NEWEST_S:
            limit = "no more than two hours in the future"
            yield Fault(VALUE, f"The parameter {path}.Timestamp must specify a time {limit}.")
    if datum.get("StorageResolution", 60) not in {1, 60}:
        yield Fault(VALUE, f"The parameter {path}.StorageResolution must be a value in the set [ 1, 60 ].")


def _shape_faults(path: str, datum: dict[str, Any]) -> Iterator[Fault]:
    given = [name for name in ("Value", "StatisticValues", "Values") if name in datum]
    if not given:
        yield Fault.neither(f"{path}.Value", f"{path}.StatisticValues")
    if len(given) > 1:
        yield Fault.exclusive(f"{path}.{given[0]}", f"{path}.{given[1]}")
    if "Counts" in datum and "Values" not in datum:
        yield Fault(COMBINATION, f"The parameter {path}.Counts needs the parameter {path}.Values.")
    values, counts = datum.get("Values", ()), datum.get("Counts")
    if "Values" in datum and not values:
        yield Fault.required(f"{path}.Values")
    if len(values) > _MOST_VALUES:
        yield Fault.too_many(f"{path}.Values", _MOST_VALUES)
    if counts is not None and len(counts) != len(values):
        yield Fault(VALUE, f"The parameters {path}.Values and {path}.Counts must have the same size.")
    for at, count in enumerate(counts or (), start=1):
        if count <= 0:
            yield Fault(VALUE, f"The value {count} for parameter {path}.Counts.member.{at} is invalid.")
    if (summary := datum.get("StatisticValues")) is not None:
        path = f"{path}.StatisticValues"
        if summary["SampleCount"] <= 0:
            yield Fault(VALUE, f"The parameter {path}.SampleCount must be greater than 0.")
        if summary["Maximum"] < summary["Minimum"]:
            yield Fault(VALUE, f"The parameter {path}.Maximum must be greater than or equal to {path}.Minimum.")


def _numbers(datum: dict[str, Any]) -> Iterator[tuple[str, float]]:
    if "Value" in datum:
        yield "Value", datum["Value"]
    for member in ("Values", "Counts"):
        for at, value in enumerate(datum.get(member, ()), start=1):
            yield f"{member}.member.{at}", value
    for member, value in datum.get("StatisticValues", {}).items():
        yield f"StatisticValues.{member}", value


def _is_name(text: str) -> bool:
    return text.isascii() and text.isprintable() and bool(text.strip())


def _row(namespace: str, datum: dict[str, Any], now: float) -> MetricRow:
    time = int(datum["Timestamp"].timestamp() if "Timestamp" in datum else now)
    step = datum.get("StorageResolution", MINUTE)
    values = datum.get("Values", ())
    counts = datum.get("Counts") or [1.0] * len(values)
    summary = None
    if "Value" in datum:
        values, counts = [datum["Value"]], [1.0]
    if (given := datum.get("StatisticValues")) is not None:
        if given["Minimum"] == given["Maximum"] and given["Sum"] == given["Minimum"] * given["SampleCount"]:
            values, counts = [given["Minimum"]], [given["SampleCount"]]
        else:
            summary = Summary(
                samples=given["SampleCount"], total=given["Sum"], lowest=given["Minimum"], highest=given["Maximum"]
            )
    return MetricRow(
        namespace=namespace,
        name=datum["MetricName"],
        dimensions=dimensions_of(datum),
        unit=datum.get("Unit", "None"),
        minute=time // step * step,
        values=values,
        counts=counts,
        summary=summary,
    )


def dimensions_of(params: dict[str, Any]) -> Dimensions:
    """Read the dimensions of a request's member, sorted."""
    return tuple(sorted((one["Name"], one["Value"]) for one in params.get("Dimensions", ())))
