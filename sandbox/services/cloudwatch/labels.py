"""Labels of time series, with values filled in.

Source: CloudWatch user guide, "Use dynamic labels", read 2026-11-21.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Final

from sandbox.services.cloudwatch.lines import Line, Source

_PLACEHOLDER: Final = re.compile(r"\$\{\s*(?:PROP\('([^']*)'\)|([A-Z_]+))\s*\}")
_ZONE: Final = re.compile(r"([+-])(\d{2})(\d{2})")


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a request is answered, and in which zone its labels show times."""

    account: str
    region: str
    zone: timezone


def zone_of(text: str) -> timezone:
    """Read a zone such as +0130. Raises: ValueError."""
    found = _ZONE.fullmatch(text)
    if found is None:
        raise ValueError(text)
    offset = timedelta(hours=int(found[2]), minutes=int(found[3]))
    return timezone(-offset if found[1] == "-" else offset)


def is_dynamic(template: str) -> bool:
    """Whether a label has something to fill in."""
    return _PLACEHOLDER.search(template) is not None


def fill_in(template: str, line: Line, place: Place) -> str:
    """Fill in what a label asks for; what is unknown, or has no value, stays as it is."""

    def value(found: re.Match[str]) -> str:
        text = _property(found[1], line, place) if found[1] is not None else _summary(found[2], line, place)
        return found[0] if text is None else text

    return _PLACEHOLDER.sub(value, template)


def distinct(sources: Sequence[Source]) -> list[str]:
    """Name each of several metrics by what tells it from the others."""
    columns: dict[str, list[str]] = {}
    for source in sources:
        for name, text in (("", source.namespace), *source.dimensions, (":name", source.name)):
            columns.setdefault(name, [])
            columns[name].append(text)
    telling = {name for name, texts in columns.items() if len(set(texts)) > 1 or len(texts) < len(sources)}
    labels = []
    for source in sources:
        parts = (("", source.namespace), *source.dimensions, (":name", source.name))
        labels.append(" ".join(text for name, text in parts if name in telling) or source.name)
    return labels


def _property(name: str, line: Line, place: Place) -> str | None:
    source = line.source
    known = {"AccountId": place.account, "Region": place.region, "Period": str(line.period)}
    if source is not None:
        known |= {"Namespace": source.namespace, "MetricName": source.name, "Stat": source.statistic}
        known |= {f"Dim.{dimension}": value for dimension, value in source.dimensions}
    return known.get(name)


def _summary(name: str, line: Line, place: Place) -> str | None:
    if name == "LABEL":
        return line.label
    if name == "DATAPOINT_COUNT":
        return str(len(line.values))
    if not len(line.values):
        return None
    values = line.values
    low, high = int(values.argmin()), int(values.argmax())
    numbers = {
        "AVG": values.mean(),
        "SUM": values.sum(),
        "MIN": values[low],
        "MAX": values[high],
        "FIRST": values[0],
        "LAST": values[-1],
        "MIN_MAX_RANGE": values[high] - values[low],
        "FIRST_LAST_RANGE": values[-1] - values[0],
    }
    if name in numbers:
        return f"{numbers[name]:.12g}"
    at = {"MIN_TIME": low, "MAX_TIME": high, "FIRST_TIME": 0, "LAST_TIME": -1}.get(name)
    if at is None:
        return None
    return f"{datetime.fromtimestamp(int(line.times[at]), place.zone):%Y-%m-%d %H:%M:%S}"
