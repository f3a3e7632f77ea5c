"""The work behind alarms: evaluating them and carrying out their actions."""

import json
import logging
import re
import threading
import time
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from fractions import Fraction
from typing import Any, Final

from botocore.exceptions import BotoCoreError, ClientError

from sandbox.cloud import Cloud
from sandbox.errors import AwsError
from sandbox.services.cloudwatch import alarm_messages
from sandbox.services.cloudwatch.alarm_definitions import period_of
from sandbox.services.cloudwatch.alarm_evaluation import ALARM, OK, Rule, Verdict, evaluate
from sandbox.services.cloudwatch.alarm_rules import parse_rule
from sandbox.services.cloudwatch.alarm_store import COMPOSITE, METRIC, Action, Alarm, AlarmStore, Change
from sandbox.services.cloudwatch.faults import VALIDATION
from sandbox.services.cloudwatch.labels import Place
from sandbox.services.cloudwatch.lines import Line
from sandbox.services.cloudwatch.queries import Queries, Query
from sandbox.services.cloudwatch.samples import MINUTE

LOG = logging.getLogger(__name__)

_EVERY_S: Final = 1.0
_PERCENTILE: Final = re.compile(r"p(\d+(?:\.\d+)?)")


class AlarmWatch:
    """Evaluates alarms when a period has ended or data has arrived, every second at most."""

    def __init__(self, cloud: Cloud, store: AlarmStore) -> None:
        self._cloud = cloud
        self._store = store
        self._wake = threading.Event()
        self._seen: dict[tuple[str, str, str], tuple[int, int, int]] = {}

    def hurry(self) -> None:
        """Look at once, for an action may be waiting."""
        self._wake.set()

    def run(self) -> None:
        """Watch for as long as the process lives."""
        while True:
            self._guarded(self.look, time.time())
            self._wake.wait(_EVERY_S)
            self._wake.clear()

    def look(self, now: float) -> None:
        """Evaluate every alarm that may have changed, then carry out the actions that wait."""
        alarms = self._store.everything()
        for alarm in alarms:
            if alarm.kind == METRIC and alarm.held_until <= now:
                self._guarded(self._look_at, alarm, now)
        composites = [alarm for alarm in alarms if alarm.kind == COMPOSITE and alarm.held_until <= now]
        # A composite alarm may stand on others: as many rounds as there are settle all but a circle.
        for _ in composites:
            if not self._look_at_composites(composites, now):
                break
        for action in self._store.waiting():
            self._carry_out(action, now)

    def _guarded(self, work: Callable[..., None], *arguments: object) -> None:
        try:
            work(*arguments)
        except Exception:  # one alarm that can't be judged must not end the watch over the others
            LOG.exception("an alarm could not be evaluated")

    def _look_at(self, alarm: Alarm, now: float) -> None:
        period = period_of(alarm.definition)
        step = min(period, MINUTE)
        end = int(now // step * step)
        key, seen = (alarm.account, alarm.region, alarm.name), (alarm.revision, self._cloud.metrics.version, end)
        if self._seen.get(key) == seen:
            return
        rule = Rule.of(alarm.definition)
        start = end - rule.looked_at * period
        verdict: Verdict | None = None
        problem = None
        try:
            line = self._watched(alarm, start=start, end=end, now=now)
            if not self._too_few_samples(alarm, start=end - rule.periods * period, end=end, now=now):
                verdict = evaluate(rule, _datapoints(line, start, end, period))
        except AwsError as err:
            problem = err.message
        change = _change(alarm, verdict, problem, rule=rule, period=period, start=start, now=now)
        if change is not None and not self._store.move(alarm, change, now=now):
            return  # it was changed meanwhile: look again next time
        self._seen[key] = (alarm.revision + (change is not None), *seen[1:])

    def _watched(self, alarm: Alarm, *, start: int, end: int, now: float) -> Line:
        """Compute what an alarm watches. Raises: AwsError."""
        queries, watched = _queries(alarm)
        lines = Queries(self._cloud.metrics, _place(alarm), queries, start=start, end=end, now=now).lines(watched)
        if len(lines) != 1:
            raise AwsError(VALIDATION, f"The expression gives {len(lines)} time series; an alarm needs one.")
        return lines[0]

    def _too_few_samples(self, alarm: Alarm, *, start: int, end: int, now: float) -> bool:
        """Whether a percentile stands on too few samples for an alarm that asks to wait for more.

        Source: CloudWatch user guide, "Percentile-based alarms and low data samples", read 2026-11-21.
        """
        found = _PERCENTILE.fullmatch(alarm.definition.get("ExtendedStatistic", ""))
        if found is None or alarm.definition.get("EvaluateLowSampleCountPercentile") != "ignore":
            return False
        share = Fraction(found[1]) / 100
        tail = min(share, 1 - share)
        (query,), name = _queries(alarm)
        counted = {**query, "MetricStat": {**query["MetricStat"], "Stat": "SampleCount"}}
        (line,) = Queries(self._cloud.metrics, _place(alarm), [counted], start=start, end=end, now=now).lines(name)
        return Fraction(float(line.values.sum())) * tail < 10

    def _look_at_composites(self, composites: Iterable[Alarm], now: float) -> bool:
        current = {(alarm.account, alarm.region, alarm.name): alarm for alarm in self._store.everything()}
        moved = False
        for one in composites:
            alarm = current.get((one.account, one.region, one.name))
            if alarm is None:
                continue
            rule = parse_rule(alarm.definition["AlarmRule"])

            def state(name: str, account: str = one.account, region: str = one.region) -> str:
                child = current.get((account, region, name))
                return child.state if child else ""

            raised = rule.holds(state)
            if (alarm.state == ALARM) == raised and alarm.state in {ALARM, OK}:
                continue
            children = [child for name in rule.children if (child := current.get((one.account, one.region, name)))]
            change = _composite_change(alarm, children, raised=raised, now=now)
            moved |= self._store.move(alarm, change, now=now)
        return moved

    def _carry_out(self, action: Action, now: float) -> None:
        problem = None
        if action.arn.split(":")[2:3] != ["sns"]:
            problem = "The sandbox carries out actions of SNS only. AWS carries out this one."
        else:
            try:
                self._cloud.client("sns", action.region).publish(
                    TopicArn=action.arn, Subject=action.subject, Message=action.message
                )
            except (ClientError, BotoCoreError) as err:
                problem = str(err)
        self._store.done(action, problem, now=now)


def _place(alarm: Alarm) -> Place:
    return Place(account=alarm.account, region=alarm.region, zone=UTC)


def _queries(alarm: Alarm) -> tuple[list[Query], str]:
    """Give the queries of an alarm and the id of the one it watches."""
    definition = alarm.definition
    if "Metrics" in definition:
        queries: list[Query] = definition["Metrics"]
        (watched,) = [query["Id"] for query in queries if query.get("ReturnData", True)]
        return queries, watched
    stat: dict[str, Any] = {
        "Metric": {name: definition[name] for name in ("Namespace", "MetricName", "Dimensions") if name in definition},
        "Period": definition["Period"],
        "Stat": definition.get("Statistic") or definition["ExtendedStatistic"],
    }
    if "Unit" in definition:
        stat["Unit"] = definition["Unit"]
    return [{"Id": "m1", "MetricStat": stat}], "m1"


def _datapoints(line: Line, start: int, end: int, period: int) -> list[tuple[int, float | None]]:
    known = dict(zip(line.times.tolist(), line.values.tolist(), strict=True))
    return [(when, known.get(when)) for when in range(start, end, period)]


def _change(
    alarm: Alarm, verdict: Verdict | None, problem: str | None, *, rule: Rule, period: int, start: int, now: float
) -> Change | None:
    """Give what an evaluation changes; None if nothing."""
    if verdict is None or verdict.state == alarm.state:
        if problem == alarm.problem:
            return None
        return Change(state=alarm.state, reason=alarm.reason, reason_data=alarm.reason_data, problem=problem)
    statistic = alarm.definition.get("Statistic") or alarm.definition.get("ExtendedStatistic")
    data = {
        "version": "1.0",
        "queryDate": alarm_messages.timestamp(now),
        "startDate": alarm_messages.timestamp(min((when for when, _ in verdict.evaluated), default=start)),
        **({"statistic": statistic} if statistic else {}),
        "period": period,
        "recentDatapoints": [value for _, value in reversed(verdict.evaluated)],
        "threshold": rule.threshold,
        "evaluatedDatapoints": [
            {"timestamp": alarm_messages.timestamp(when), "value": value} for when, value in verdict.evaluated
        ],
    }
    return told(alarm, verdict.state, verdict.reason, json.dumps(data), now=now)


def _composite_change(alarm: Alarm, children: list[Alarm], *, raised: bool, now: float) -> Change:
    state = ALARM if raised else OK
    if children:
        latest = max(children, key=lambda child: child.transitioned_at)
        when = datetime.fromtimestamp(latest.transitioned_at, UTC)
        reason = f"{latest.arn} transitioned to {latest.state} at {when:%A %d %B, %Y %H:%M:%S} UTC"
    else:
        reason = f"{alarm.arn} was updated and its alarm rule evaluates to {state}"
    data = {
        "triggeringAlarms": [
            {
                "arn": child.arn,
                "state": {"value": child.state, "timestamp": alarm_messages.timestamp(child.transitioned_at)},
            }
            for child in children
        ]
    }
    return told(alarm, state, reason, json.dumps(data), now=now)


def told(
    alarm: Alarm, state: str, reason: str, reason_data: str | None, *, now: float, held_until: float = 0.0
) -> Change:
    """Give a change of an alarm's state with the notification of it."""
    return Change(
        state=state,
        reason=reason,
        reason_data=reason_data,
        held_until=held_until,
        subject=alarm_messages.subject(alarm, state),
        message=alarm_messages.message(alarm, state, reason, now=now),
    )
