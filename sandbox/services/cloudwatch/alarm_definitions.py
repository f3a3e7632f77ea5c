"""What is wrong with the definition of an alarm.

Source: PutMetricAlarm and PutCompositeAlarm, CloudWatch API reference, read 2026-11-21.
"""

from collections.abc import Iterator
from typing import Any, Final

from sandbox.errors import NotEmulated
from sandbox.services.cloudwatch.alarm_evaluation import COMPARISONS, MISSING
from sandbox.services.cloudwatch.alarm_rules import RuleError, parse_rule
from sandbox.services.cloudwatch.expressions import ExpressionError, names, parse
from sandbox.services.cloudwatch.faults import VALIDATION, Fault
from sandbox.services.cloudwatch.queries import Query, is_statistic, query_faults
from sandbox.services.cloudwatch.samples import DAY, HOUR, MINUTE

_ELSEWHERE: Final = (
    "ActionConfiguration", "ActionsSuppressor", "ActionsSuppressorExtensionPeriod", "ActionsSuppressorWaitPeriod",
    "EvaluationCriteria", "EvaluationInterval", "EvaluationWindow", "ThresholdMetricId", "WarmUpConfiguration",
)  # fmt: skip
_OF_ONE_METRIC: Final = ("MetricName", "Namespace", "Dimensions", "Period", "Unit", "Statistic", "ExtendedStatistic")
_SHORT_PERIODS: Final = (10, 20, 30)
_MOST_OF_EACH_KIND: Final = 10  # metrics, and expressions
_LARGEST: Final = 2.0**360
_LONGEST_S: Final = 7 * DAY


def refuse_what_is_elsewhere(params: dict[str, Any]) -> None:
    """Say what AWS has and the sandbox does not. Raises: NotEmulated."""
    for member in _ELSEWHERE:
        if member in params:
            raise NotEmulated(f"{member} of an alarm")
    comparison = params.get("ComparisonOperator")
    if comparison is not None and comparison not in COMPARISONS:
        raise NotEmulated(f"alarms on anomaly detection ({comparison})")


def metric_alarm_faults(params: dict[str, Any]) -> Iterator[Fault]:
    """Tell what is wrong with a metric alarm."""
    for member in ("EvaluationPeriods", "ComparisonOperator", "Threshold"):
        if member not in params:
            yield _fault(f"The parameter {member} is required.")
    if not -_LARGEST <= params.get("Threshold", 0.0) <= _LARGEST:
        yield _fault("The parameter Threshold must be a finite number.")
    if "Metrics" in params:
        yield from _expression_faults(params)
    else:
        yield from _one_metric_faults(params)
    periods = params.get("EvaluationPeriods", 1)
    if params.get("DatapointsToAlarm", 1) > periods:
        yield _fault("The parameter DatapointsToAlarm must be less than or equal to EvaluationPeriods.")
    seconds = period_of(params)
    longest = DAY if seconds < HOUR else _LONGEST_S
    if seconds * periods > longest:
        yield _fault(f"Metrics cannot be checked across more than {longest} seconds: EvaluationPeriods * Period is "
                     f"{seconds * periods}.")  # fmt: skip
    for member, allowed in (
        ("TreatMissingData", MISSING), ("EvaluateLowSampleCountPercentile", ("evaluate", "ignore"))
    ):  # fmt: skip
        if params.get(member, allowed[0]) not in allowed:
            yield _fault(f"The parameter {member} must be a value in the set [ {', '.join(allowed)} ].")
    yield from _action_faults(params)


def period_of(params: dict[str, Any]) -> int:
    """Give the period of an alarm's datapoints in seconds."""
    periods = [query["MetricStat"]["Period"] for query in params.get("Metrics", ()) if "MetricStat" in query]
    period: int = max(periods, default=params.get("Period", MINUTE))
    return period


def _one_metric_faults(params: dict[str, Any]) -> Iterator[Fault]:
    for member in ("MetricName", "Namespace", "Period"):
        if member not in params:
            yield _fault(f"The parameter {member} is required.")
    yield from _period_faults(params.get("Period", MINUTE), "Period")
    if "Statistic" in params and "ExtendedStatistic" in params:
        yield Fault.exclusive("Statistic", "ExtendedStatistic", VALIDATION)
    if "Statistic" not in params and "ExtendedStatistic" not in params:
        yield Fault.neither("Statistic", "ExtendedStatistic", VALIDATION)
    extended = params.get("ExtendedStatistic", "p99")
    if not is_statistic(extended):
        yield _fault(f"The value {extended} for parameter ExtendedStatistic is not supported.")


def _expression_faults(params: dict[str, Any]) -> Iterator[Fault]:
    queries: list[Query] = params["Metrics"]
    for member in _OF_ONE_METRIC:
        if member in params:
            yield Fault.exclusive(member, "Metrics", VALIDATION)
    yield from query_faults(queries, "Metrics")
    metrics = [query for query in queries if "MetricStat" in query]
    if not metrics or max(len(metrics), len(queries) - len(metrics)) > _MOST_OF_EACH_KIND:
        yield _fault(f"Metrics must have 1 to {_MOST_OF_EACH_KIND} metrics and at most as many expressions.")
    if sum(query.get("ReturnData", True) for query in queries) != 1:
        yield _fault("Exactly one element of Metrics must have ReturnData true.")
    if len({query["MetricStat"]["Period"] for query in metrics}) > 1:
        yield _fault("All metrics of an alarm must have the same period.")
    for query in metrics:
        yield from _period_faults(query["MetricStat"]["Period"], f"Period of {query['Id']}")
    known = {query["Id"] for query in queries}
    for query in queries:
        if "Expression" in query:
            try:
                named = names(parse(query["Expression"]))
            except ExpressionError as err:
                yield _fault(f"Error in expression '{query['Id']}': {err}")
                continue
            if unknown := sorted(name for name in named - known if not name.isupper()):
                yield _fault(f"Error in expression '{query['Id']}': unknown id {', '.join(unknown)}")
            if "SEARCH(" in query["Expression"].replace(" ", ""):
                yield _fault(f"Error in expression '{query['Id']}': SEARCH is not supported in alarms.")


def _period_faults(period: int, parameter: str) -> Iterator[Fault]:
    if period not in _SHORT_PERIODS and (period < MINUTE or period % MINUTE):
        yield _fault(f"The parameter {parameter} must be 10, 20, 30 or a multiple of 60.")


def composite_alarm_faults(params: dict[str, Any], existing: set[str]) -> Iterator[Fault]:
    """Tell what is wrong with a composite alarm, given the names of the alarms there are."""
    try:
        children = parse_rule(params["AlarmRule"]).children
    except RuleError as err:
        yield _fault(f"AlarmRule {err}.")
        return
    if params["AlarmName"] in children:
        yield _fault("AlarmRule must not refer to the alarm itself.")
    if unknown := sorted(set(children) - existing - {params["AlarmName"]}):
        yield _fault(f"AlarmRule refers to alarms that do not exist: {', '.join(unknown)}.")
    yield from _action_faults(params)


def _action_faults(params: dict[str, Any]) -> Iterator[Fault]:
    for member in ("OKActions", "AlarmActions", "InsufficientDataActions"):
        for arn in params.get(member, ()):
            if not arn.startswith("arn:") or arn.count(":") < 5:
                yield _fault(f"Invalid arn syntax in {member}: {arn}")


def _fault(message: str) -> Fault:
    return Fault(VALIDATION, message)
