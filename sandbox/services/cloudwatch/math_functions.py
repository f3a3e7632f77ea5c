"""Metric math: what an expression's tree amounts to.

Source: CloudWatch user guide, "Using math expressions with CloudWatch metrics", read 2026-11-21.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, Final, Protocol

import numpy as np

from sandbox.errors import NotEmulated
from sandbox.services.cloudwatch.expressions import (
    Array,
    ExpressionError,
    Name,
    Negation,
    Node,
    Number,
    Operation,
    Text,
)
from sandbox.services.cloudwatch.lines import Line, Value, apply, combine, reduce_lines
from sandbox.services.cloudwatch.samples import Floats, Integers

_OPERATORS: Final[dict[str, Callable[[Floats, Floats], Floats]]] = {
    "+": np.add,
    "-": np.subtract,
    "*": np.multiply,
    "/": np.divide,
    "^": np.power,
    "==": np.equal,
    "!=": np.not_equal,
    "<": np.less,
    "<=": np.less_equal,
    ">": np.greater,
    ">=": np.greater_equal,
    "AND": np.logical_and,
    "OR": np.logical_or,
}
_POINTWISE: Final[dict[str, Callable[[Floats], Floats]]] = {
    "ABS": np.abs,
    "CEIL": np.ceil,
    "FLOOR": np.floor,
    "LOG": np.log,
    "LOG10": np.log10,
}
# Of the points of one line.
_TO_NUMBER: Final[dict[str, Callable[[Floats], Any]]] = {
    "SUM": np.sum,
    "AVG": lambda values: np.mean(values) if len(values) else np.nan,
    "MIN": lambda values: np.min(values, initial=np.inf) if len(values) else np.nan,
    "MAX": lambda values: np.max(values, initial=-np.inf) if len(values) else np.nan,
    "STDDEV": lambda values: np.std(values) if len(values) else np.nan,
    "DATAPOINT_COUNT": len,
}
# Of the rows of a table with a row per line; a missing point counts as 0 in a mean, as the guide says.
_TO_LINE: Final[dict[str, Callable[[Floats], Floats]]] = {
    "SUM": lambda table: np.nansum(table, axis=0),
    "AVG": lambda table: np.nansum(table, axis=0) / len(table),
    "MIN": lambda table: np.nanmin(table, axis=0),
    "MAX": lambda table: np.nanmax(table, axis=0),
    "STDDEV": lambda table: np.nanstd(table, axis=0),
    "DATAPOINT_COUNT": lambda table: np.sum(~np.isnan(table), axis=0).astype(float),
}
_CALENDAR: Final[dict[str, Callable[[datetime], float]]] = {
    "MINUTE": lambda time: time.minute,
    "HOUR": lambda time: time.hour,
    "DAY": lambda time: time.isoweekday(),
    "DATE": lambda time: time.day,
    "MONTH": lambda time: time.month,
    "YEAR": lambda time: time.year,
    "EPOCH": datetime.timestamp,
}
_LARGEST_WHOLE: Final = 1_000_000
_ELSEWHERE: Final = ("ANOMALY_DETECTION_BAND", "DB_PERF_INSIGHTS", "INSIGHT_RULE_METRIC", "LAMBDA", "SERVICE_QUOTA")


class Surroundings(Protocol):
    """What an expression can refer to."""

    period: int  # of a series that no metric gives a period

    def value(self, name: str) -> Value:
        """Give the result of another query. Raises: ExpressionError if there is none."""

    def metrics(self, part: str) -> list[Line]:
        """Give the metrics of the request, without expressions, whose id contains a text."""

    def search(self, query: str, statistic: str, period: int) -> list[Line]:
        """Give the metrics that a search finds. Raises: ExpressionError."""

    def grid(self, period: int) -> Integers:
        """Give the times of all periods of the request."""


def evaluate(node: Node, around: Surroundings) -> Value:
    """Compute an expression: a number, a line or several lines.

    Raises: ExpressionError; NotEmulated for functions that need more than metrics.
    """
    with np.errstate(all="ignore"):
        return _Evaluation(around).of(node)


class _Evaluation:
    def __init__(self, around: Surroundings) -> None:
        self._around = around

    def of(self, node: Node) -> Value:
        if isinstance(node, Number):
            return node.value
        if isinstance(node, Name):
            return self._around.value(node.name)
        if isinstance(node, Negation):
            return apply(np.negative, self.of(node.operand))
        if isinstance(node, Operation):
            operator = _OPERATORS[node.operator]
            return combine(lambda a, b: operator(a, b) + 0.0, self.of(node.left), self.of(node.right))
        if isinstance(node, Array):
            return self._lines("[...]", node.items)
        if isinstance(node, Text):
            raise ExpressionError(f"a text is not a value: {node.value!r}")
        return self._call(node.function, node.arguments)

    def _call(self, function: str, arguments: tuple[Node, ...]) -> Value:
        if function in _POINTWISE:
            return apply(_POINTWISE[function], self.of(_only(function, arguments)))
        if function in _TO_NUMBER:
            return self._aggregate(function, self.of(_only(function, arguments)))
        if function in _CALENDAR:
            line = self._line(function, _only(function, arguments))
            times = self._around.grid(line.period)
            read = _CALENDAR[function]
            return line.at(times, np.array([read(datetime.fromtimestamp(time, UTC)) for time in times.tolist()]))
        if function in _ELSEWHERE:
            raise NotEmulated(f"the function {function} of metric math")
        method = getattr(self, f"_{function.lower()}", None) if function in _SPECIAL else None
        if method is None:
            known = sorted({*_POINTWISE, *_TO_NUMBER, *_CALENDAR, *_SPECIAL})
            raise ExpressionError(f"unknown function {function!r}; expected one of {', '.join(known)}")
        result: Value = method(arguments)
        return result

    def _aggregate(self, function: str, value: Value) -> Value:
        if isinstance(value, list):
            return reduce_lines(_TO_LINE[function], value, period=self._around.period)
        if isinstance(value, Line):
            return float(_TO_NUMBER[function](value.values))
        raise ExpressionError(f"{function} takes a time series or an array of them, not a number")

    def _each(self, function: str, arguments: tuple[Node, ...], change: Callable[[Line], Line]) -> Value:
        value = self.of(_only(function, arguments))
        if isinstance(value, float):
            raise ExpressionError(f"{function} takes a time series or an array of them, not a number")
        return [change(line) for line in value] if isinstance(value, list) else change(value)

    def _line(self, function: str, node: Node) -> Line:
        value = self.of(node)
        if not isinstance(value, Line):
            raise ExpressionError(f"{function} takes one time series")
        return value

    def _lines(self, function: str, nodes: Sequence[Node]) -> list[Line]:
        lines: list[Line] = []
        for node in nodes:
            value = self.of(node)
            if isinstance(value, float):
                raise ExpressionError(f"{function} takes time series, not a number")
            lines += value if isinstance(value, list) else [value]
        return lines

    def _number(self, function: str, node: Node) -> float:
        value = self.of(node)
        if not isinstance(value, float):
            raise ExpressionError(f"{function} takes a number there")
        return value

    def _whole(self, function: str, node: Node) -> int:
        number = self._number(function, node)
        if not 0 <= number <= _LARGEST_WHOLE or number != int(number):
            raise ExpressionError(f"{function} takes a whole number there, got {number:g}")
        return int(number)

    # The functions that have a form of their own, each under its name in lower case.

    def _metrics(self, arguments: tuple[Node, ...]) -> Value:
        return self._around.metrics(_text("METRICS", arguments[0]) if arguments else "")

    def _search(self, arguments: tuple[Node, ...]) -> Value:
        if len(arguments) not in {2, 3}:
            raise ExpressionError("SEARCH takes a search, a statistic and a period")
        query, statistic = (_text("SEARCH", node) for node in arguments[:2])
        period = self._whole("SEARCH", arguments[2]) if len(arguments) == 3 else self._around.period
        return self._around.search(query, statistic, period)

    def _period(self, arguments: tuple[Node, ...]) -> Value:
        line = self._line("PERIOD", _only("PERIOD", arguments))
        if line.source is None:
            raise ExpressionError("PERIOD takes a metric, not the result of an expression")
        return float(line.period)

    def _metric_count(self, arguments: tuple[Node, ...]) -> Value:
        return float(len(self._lines("METRIC_COUNT", [_only("METRIC_COUNT", arguments)])))

    def _time_series(self, arguments: tuple[Node, ...]) -> Value:
        number = self._number("TIME_SERIES", _only("TIME_SERIES", arguments))
        times = self._around.grid(self._around.period)
        empty = Line(times=times, values=np.array([]), period=self._around.period, label="")
        return empty.at(times, np.full(len(times), number))

    def _diff(self, arguments: tuple[Node, ...]) -> Value:
        return self._each("DIFF", arguments, lambda line: line.at(line.times[1:], np.diff(line.values)))

    def _diff_time(self, arguments: tuple[Node, ...]) -> Value:
        return self._each("DIFF_TIME", arguments, lambda line: line.at(line.times[1:], np.diff(line.times) + 0.0))

    def _rate(self, arguments: tuple[Node, ...]) -> Value:
        def rate(line: Line) -> Line:
            return line.at(line.times[1:], np.diff(line.values) / np.diff(line.times))

        return self._each("RATE", arguments, rate)

    def _running_sum(self, arguments: tuple[Node, ...]) -> Value:
        return self._each("RUNNING_SUM", arguments, lambda line: line.to(np.cumsum(line.values)))

    def _remove_empty(self, arguments: tuple[Node, ...]) -> Value:
        return [line for line in self._lines("REMOVE_EMPTY", arguments) if len(line.times)]

    def _first(self, arguments: tuple[Node, ...]) -> Value:
        return self._nth("FIRST", arguments, 0)

    def _last(self, arguments: tuple[Node, ...]) -> Value:
        return self._nth("LAST", arguments, -1)

    def _nth(self, function: str, arguments: tuple[Node, ...], index: int) -> Line:
        lines = self._lines(function, [_only(function, arguments)])
        if not lines:
            raise ExpressionError(f"{function} has no time series to choose from")
        return lines[index]

    def _slice(self, arguments: tuple[Node, ...]) -> Value:
        if len(arguments) not in {2, 3}:
            raise ExpressionError("SLICE takes an array and one or two numbers")
        bounds = [self._whole("SLICE", node) for node in arguments[1:]]
        return self._lines("SLICE", arguments[:1])[slice(bounds[0], bounds[1] if len(bounds) == 2 else None)]

    def _sort(self, arguments: tuple[Node, ...]) -> Value:
        if len(arguments) not in {3, 4}:
            raise ExpressionError("SORT takes an array, a function, an order and perhaps a number")
        by = _keyword("SORT", arguments[1], ("AVG", "MAX", "MIN", "SUM"))
        order = _keyword("SORT", arguments[2], ("ASC", "DESC"))
        limit = self._whole("SORT", arguments[3]) if len(arguments) == 4 else None
        lines = self._lines("SORT", arguments[:1])
        sign = -1 if order == "DESC" else 1
        # Lines without points come last in either order.
        keys = [(not len(line.times), sign * _TO_NUMBER[by](line.values)) for line in lines]
        ordered = sorted(range(len(lines)), key=keys.__getitem__)
        return [lines[index] for index in ordered[:limit]]

    def _fill(self, arguments: tuple[Node, ...]) -> Value:
        if len(arguments) != 2:
            raise ExpressionError("FILL takes time series and REPEAT, LINEAR, a number or a time series")
        how = arguments[1]
        if isinstance(how, Name) and how.name in {"REPEAT", "LINEAR"}:
            change = self._repeat if how.name == "REPEAT" else self._interpolate
            return self._each("FILL", arguments[:1], change)
        filler = self.of(how)
        if isinstance(filler, list):
            raise ExpressionError("FILL takes one time series or a number to fill with")

        def fill(line: Line) -> Line:
            times = self._times(line)
            other = np.full(len(times), filler) if isinstance(filler, float) else filler.over(times, np.nan)
            values = line.over(times, np.nan)
            return line.at(times, np.where(np.isnan(values), other, values))

        return self._each("FILL", arguments[:1], fill)

    def _times(self, line: Line) -> Integers:
        return np.union1d(self._around.grid(line.period), line.times)

    def _repeat(self, line: Line) -> Line:
        times = self._times(line)
        before = np.searchsorted(line.times, times, side="right") - 1
        there = before >= 0
        return line.at(times[there], line.values[before[there]])

    def _interpolate(self, line: Line) -> Line:
        times = self._times(line)
        if not len(line.times):
            return line.to(line.values)
        between = times[(times >= line.times[0]) & (times <= line.times[-1])]
        return line.at(between, np.interp(between, line.times, line.values))

    def _if(self, arguments: tuple[Node, ...]) -> Value:
        """Choose point by point; a point that the first choice lacks is 0, one that the second lacks is left out."""
        if len(arguments) not in {2, 3}:
            raise ExpressionError("IF takes a condition and one or two values")
        condition, yes, *other = (self.of(node) for node in arguments)
        no = other[0] if other else np.nan
        if isinstance(condition, list) or isinstance(yes, list) or isinstance(no, list):
            raise ExpressionError("IF takes single time series and numbers, not arrays")
        if isinstance(condition, float):
            chosen = yes if condition else no
            if isinstance(chosen, Line) or not isinstance(yes, Line):
                return chosen
            return yes.at(yes.times, np.full(len(yes.times), chosen))
        times = condition.times
        first = np.full(len(times), yes) if isinstance(yes, float) else yes.over(times, 0.0)
        second = np.full(len(times), no) if isinstance(no, float) else no.over(times, np.nan)
        shown = yes if isinstance(yes, Line) else no if isinstance(no, Line) else condition
        return replace(shown, period=condition.period).at(times, np.where(condition.values != 0, first, second))


_SPECIAL: Final = (
    "DIFF", "DIFF_TIME", "FILL", "FIRST", "IF", "LAST", "METRICS", "METRIC_COUNT", "PERIOD", "RATE", "REMOVE_EMPTY",
    "RUNNING_SUM", "SEARCH", "SLICE", "SORT", "TIME_SERIES",
)  # fmt: skip


def _only(function: str, arguments: tuple[Node, ...]) -> Node:
    if len(arguments) != 1:
        raise ExpressionError(f"{function} takes one argument, got {len(arguments)}")
    return arguments[0]


def _text(function: str, node: Node) -> str:
    if not isinstance(node, Text):
        raise ExpressionError(f"{function} takes a text in quotes there")
    return node.value


def _keyword(function: str, node: Node, allowed: tuple[str, ...]) -> str:
    if not isinstance(node, Name) or node.name not in allowed:
        raise ExpressionError(f"{function} takes one of {', '.join(allowed)} there")
    return node.name
