"""GetMetricData: metrics and expressions that refer to each other."""

import re
from collections.abc import Iterator, Sequence
from typing import Any, Final

from sandbox.errors import AwsError, NotEmulated
from sandbox.metrics import MetricStore, Series
from sandbox.services.cloudwatch import expressions, labels
from sandbox.services.cloudwatch.expressions import ExpressionError
from sandbox.services.cloudwatch.faults import VALIDATION, Fault
from sandbox.services.cloudwatch.lines import Line, Source, Value
from sandbox.services.cloudwatch.math_functions import evaluate
from sandbox.services.cloudwatch.put import dimensions_of
from sandbox.services.cloudwatch.samples import DAY, MINUTE, Integers, Samples, Window
from sandbox.services.cloudwatch.search import matcher
from sandbox.services.cloudwatch.statistics import UnknownStatistic, compute, parse_statistic

Query = dict[str, Any]

MOST_POINTS: Final = 100_800  # of an answer; GetMetricData, CloudWatch API reference, read 2026-11-21
SHORT_PERIODS: Final = (1, 5, 10, 20, 30)
_ID: Final = re.compile(r"[a-z]\w*", re.ASCII)
_INSIGHTS: Final = re.compile(r"\s*SELECT\s", re.IGNORECASE)
# A search gives up to 500 series, active in the last two weeks. CloudWatch user guide, search expressions, and
# ListMetrics, API reference; read 2026-11-21.
_MOST_FOUND: Final = 500
_ACTIVE_S: Final = 14 * DAY


def query_faults(queries: Sequence[Query], path: str = "MetricDataQueries") -> Iterator[Fault]:
    """Tell what is wrong with queries before any is computed."""
    seen: set[str] = set()
    for at, query in enumerate(queries, start=1):
        member = f"{path}.member.{at}"
        if not _ID.fullmatch(query["Id"]):
            yield Fault(VALIDATION, f"The value {query['Id']} for parameter {member}.Id is not matching the expected "
                        "pattern ^[a-z][a-zA-Z0-9_]*$.")  # fmt: skip
        if query["Id"] in seen:
            yield Fault(VALIDATION, f"The values for parameter id in {path} are not unique.")
        seen.add(query["Id"])
        if ("Expression" in query) == ("MetricStat" in query):
            both = "Expression" in query
            make = Fault.exclusive if both else Fault.neither
            yield make(f"{member}.Expression", f"{member}.MetricStat", VALIDATION)
        if not is_period(query.get("Period", MINUTE)):
            yield bad_period(f"{member}.Period", VALIDATION)
        if (stat := query.get("MetricStat")) is not None:
            yield from _stat_faults(stat, f"{member}.MetricStat")


def _stat_faults(stat: dict[str, Any], path: str) -> Iterator[Fault]:
    for part in ("Namespace", "MetricName"):
        if part not in stat["Metric"]:
            yield Fault(VALIDATION, f"The parameter {path}.Metric.{part} is required.")
    if not is_period(stat["Period"]):
        yield bad_period(f"{path}.Period", VALIDATION)
    if not is_statistic(stat["Stat"]):
        yield Fault(VALIDATION, f"The value {stat['Stat']} for parameter {path}.Stat is not a valid statistic.")


def is_period(seconds: int) -> bool:
    """Whether CloudWatch takes a period."""
    return seconds in SHORT_PERIODS or (seconds >= MINUTE and seconds % MINUTE == 0 and seconds <= DAY)


def bad_period(parameter: str, code: str) -> Fault:
    """A period that CloudWatch does not take."""
    short = ", ".join(map(str, SHORT_PERIODS))
    return Fault(code, f"The parameter {parameter} must be {short} or a multiple of 60, and at most {DAY}.")


def is_statistic(text: str) -> bool:
    """Whether a text names a statistic."""
    try:
        parse_statistic(text)
    except UnknownStatistic:
        return False
    return True


class Queries:
    """The queries of one request and their results, each computed once when it is first asked for."""

    def __init__(
        self, store: MetricStore, place: labels.Place, queries: Sequence[Query], *, start: float, end: float, now: float
    ) -> None:
        self._store = store
        self._place = place
        self._queries = {query["Id"]: query for query in queries}
        self._start, self._end, self._now = start, end, now
        self._results: dict[str, Value | None] = {}  # None: under way
        self._samples: dict[tuple[Any, ...], Samples] = {}
        periods = [query["MetricStat"]["Period"] for query in queries if "MetricStat" in query]
        self.period = min(periods, default=MINUTE)

    def lines(self, name: str) -> list[Line]:
        """Give what a query shows, labelled. Raises: AwsError if its expression can't be computed."""
        query = self._queries[name]
        if query.get("AccountId", self._place.account) != self._place.account:
            raise NotEmulated("metrics of other accounts")
        try:
            value = self.value(name)
        except ExpressionError as err:
            raise _refused(name, str(err)) from err
        except RecursionError as err:
            raise _refused(name, "the expressions refer to each other over too many levels") from err
        if isinstance(value, float):
            raise _refused(name, "the result is a number; it must be a time series or an array of them")
        found = value if isinstance(value, list) else [value]
        return [self._labelled(query, line, single=not isinstance(value, list)) for line in found]

    def _labelled(self, query: Query, line: Line, *, single: bool) -> Line:
        own = query["Id"] if single and "Expression" in query else line.label
        template = query.get("Label")
        named = line.labelled(own)
        if template is None:
            return named
        text = labels.fill_in(template, named, self._place)
        return line.labelled(text if single or labels.is_dynamic(template) else f"{text} {own}".strip())

    def value(self, name: str) -> Value:
        """Give the result of a query. Raises: ExpressionError for an unknown one, and for a circle."""
        if name not in self._queries:
            known = ", ".join(sorted(self._queries))
            raise ExpressionError(f"unknown id {name!r}; expected one of {known}")
        if name not in self._results:
            self._results[name] = None
            query = self._queries[name]
            self._results[name] = self._metric(query) if "MetricStat" in query else self._expression(query)
        result = self._results[name]
        if result is None:
            raise ExpressionError(f"{name!r} refers to itself")
        return result

    def _expression(self, query: Query) -> Value:
        text: str = query["Expression"]
        if _INSIGHTS.match(text):
            raise NotEmulated("Metrics Insights queries (SELECT ...)")
        return evaluate(expressions.parse(text), self)

    def _metric(self, query: Query) -> Line:
        stat = query["MetricStat"]
        metric = stat["Metric"]
        source = Source(
            namespace=metric["Namespace"],
            name=metric["MetricName"],
            dimensions=dimensions_of(metric),
            statistic=stat["Stat"],
            unit=stat.get("Unit"),
        )
        return self._line(source, stat["Period"], source.name)

    def _line(self, source: Source, period: int, label: str) -> Line:
        window = self._window(period)
        key = (source.namespace, source.name, source.dimensions, source.unit, window.start)
        if key not in self._samples:
            series = self._store.series(
                self._place.account,
                self._place.region,
                namespace=source.namespace,
                name=source.name,
                dimensions=source.dimensions,
                unit=source.unit,
            )
            self._samples[key] = Samples.unpack(self._store.stored(series, start=window.start, end=window.end))
        points = compute(self._samples[key], parse_statistic(source.statistic), window)
        return Line.of(points, period=period, label=label, source=source)

    def _window(self, period: int) -> Window:
        return Window.of(self._start, self._end, period, now=self._now)

    def metrics(self, part: str) -> list[Line]:
        """Give the metrics of the request whose id contains a text."""
        names = [name for name, query in self._queries.items() if "MetricStat" in query and part in name]
        found = [(name, self.value(name)) for name in names]
        lines = [(name, line) for name, line in found if isinstance(line, Line)]
        called = labels.distinct([line.source for _, line in lines if line.source is not None])
        named = [line.labelled(label) for (_, line), label in zip(lines, called, strict=True)]
        templates = [self._queries[name].get("Label", line.label) for (name, _), line in zip(lines, named, strict=True)]
        return [
            line.labelled(labels.fill_in(template, line, self._place))
            for line, template in zip(named, templates, strict=True)
        ]

    def search(self, query: str, statistic: str, period: int) -> list[Line]:
        """Give the series that a search finds. Raises: ExpressionError."""
        if not is_statistic(statistic):
            raise ExpressionError(f"{statistic!r} is not a valid statistic")
        if not is_period(period):
            raise ExpressionError(f"{period} is not a valid period")
        fits = matcher(query)
        active = self._store.series(
            self._place.account, self._place.region, active_since=int(self._now - _ACTIVE_S)
        )  # fmt: skip
        metrics = {_identity(series): None for series in active if fits(series)}
        sources = [
            Source(namespace=namespace, name=name, dimensions=dimensions, statistic=statistic)
            for namespace, name, dimensions in list(metrics)[:_MOST_FOUND]
        ]
        named = zip(sources, labels.distinct(sources), strict=True)
        return [self._line(source, period, label) for source, label in named]

    def grid(self, period: int) -> Integers:
        """Give the times of all periods that have begun. Raises: ExpressionError if there are too many."""
        window = self._window(period)
        if window.count > MOST_POINTS:
            raise ExpressionError(f"the request has {window.count:,} periods; at most {MOST_POINTS:,} can be filled")
        return window.times[window.times <= self._now]


def _refused(name: str, why: str) -> AwsError:
    return AwsError(VALIDATION, f"Error in expression '{name}': {why}")


def _identity(series: Series) -> tuple[str, str, tuple[tuple[str, str], ...]]:
    return series.namespace, series.name, series.dimensions
