"""From the latest datapoints of a metric to the state of its alarm.

Source: CloudWatch user guide, "Alarm evaluation" and "Configuring how CloudWatch alarms treat missing data", read
2026-11-21.
"""

import operator
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

OK, ALARM, INSUFFICIENT = "OK", "ALARM", "INSUFFICIENT_DATA"
MISSING: Final = ("breaching", "notBreaching", "ignore", "missing")

COMPARISONS: Final[dict[str, tuple[Callable[[float, float], bool], str]]] = {
    "GreaterThanOrEqualToThreshold": (operator.ge, "greater than or equal to"),
    "GreaterThanThreshold": (operator.gt, "greater than"),
    "LessThanThreshold": (operator.lt, "less than"),
    "LessThanOrEqualToThreshold": (operator.le, "less than or equal to"),
}
# How many periods more than an alarm needs are looked at, so that one late datapoint changes nothing. The guide's
# examples look at 5 datapoints for 3 periods; it does not say the number for other alarms.
_FURTHER_PERIODS: Final = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """What raises an alarm: `needed` of the last `periods` datapoints beyond a threshold."""

    comparison: str
    threshold: float
    periods: int
    needed: int
    missing: str

    @classmethod
    def of(cls, definition: dict[str, Any]) -> "Rule":
        """Read the rule of an alarm's definition."""
        periods = definition["EvaluationPeriods"]
        return cls(
            comparison=definition["ComparisonOperator"],
            threshold=float(definition["Threshold"]),
            periods=periods,
            needed=definition.get("DatapointsToAlarm", periods),
            missing=definition.get("TreatMissingData", "missing"),
        )

    @property
    def looked_at(self) -> int:
        """How many periods back the evaluation looks."""
        return self.periods + _FURTHER_PERIODS

    def breaks(self, value: float) -> bool:
        """Whether a value is beyond the threshold."""
        return COMPARISONS[self.comparison][0](value, self.threshold)


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """The state that the datapoints call for, and why. Evaluated datapoints are times and values, newest first."""

    state: str
    reason: str
    evaluated: tuple[tuple[int, float], ...] = ()


def evaluate(rule: Rule, datapoints: Sequence[tuple[int, float | None]]) -> Verdict | None:
    """Judge the latest datapoints, oldest first, None for a missing one. None: the state stays as it is.

    Shape: `rule.looked_at` datapoints, each with the time at which its period began.
    """
    existing = [(time, value) for time, value in reversed(datapoints) if value is not None][: rule.periods]
    breaking = [point for point in existing if rule.breaks(point[1])]
    absent = rule.periods - len(existing)
    filler = rule.missing if absent else "missing"
    if not existing and filler in {"missing", "ignore"}:
        noun = "datapoint was" if rule.periods == 1 else "datapoints were"
        unknown = Verdict(state=INSUFFICIENT, reason=f"Insufficient Data: {rule.periods} {noun} unknown.")
        return None if filler == "ignore" else unknown
    raised = len(breaking) + (absent if filler == "breaching" else 0) >= rule.needed
    if not raised and absent and filler in {"missing", "ignore"} and len(breaking) == len(existing):
        # Nothing speaks for OK. An alarm is raised early once its oldest breaking datapoint is as old as it asks for.
        oldest = max(at for at, (_, value) in enumerate(reversed(datapoints), start=1) if value is not None)
        if filler == "ignore":
            return None
        if oldest < rule.needed:
            noun = "datapoint was" if absent == 1 else "datapoints were"
            return Verdict(state=INSUFFICIENT, reason=f"Insufficient Data: {absent} {noun} unknown.")
        raised = True
    counted = breaking if raised else [point for point in existing if point not in breaking]
    return Verdict(
        state=ALARM if raised else OK,
        reason=_reason(rule, counted, len(existing), absent, filler, raised=raised),
        evaluated=tuple(existing),
    )


def _reason(
    rule: Rule, counted: list[tuple[int, float]], existing: int, absent: int, filler: str, *, raised: bool
) -> str:
    treated = {"breaching": "Breaching", "notBreaching": "NonBreaching"}.get(filler)
    filled = f"{absent} missing datapoint{'s were' if absent > 1 else ' was'} treated as [{treated}]."
    if not existing:
        periods = f"{absent} period{'s' if absent > 1 else ''}"
        return f"Threshold Crossed: no datapoints were received for {periods} and {filled}"
    shown = ", ".join(f"{value} ({datetime.fromtimestamp(time, UTC):%d/%m/%y %H:%M:%S})" for time, value in counted)
    verb = ("was" if len(counted) == 1 else "were") + ("" if raised else " not")
    compared = f"{verb} {COMPARISONS[rule.comparison][1]} the threshold ({rule.threshold})"
    if treated:
        noun = "datapoint" if len(counted) == 1 else "datapoints"
        return f"Threshold Crossed: {len(counted)} {noun} [{shown}] {compared} and {filled}"
    least = rule.needed if raised else rule.periods - rule.needed + 1
    change = "OK -> ALARM" if raised else "ALARM -> OK"
    return (
        f"Threshold Crossed: {len(counted)} out of the last {existing} datapoints [{shown}] {compared} "
        f"(minimum {least} datapoint{'s' if least > 1 else ''} for {change} transition)."
    )
