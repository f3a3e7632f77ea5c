"""The operations on alarms."""

import json
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Any, Final

from sandbox.cloud import Cloud
from sandbox.errors import AwsError
from sandbox.services.cloudwatch import alarm_watch
from sandbox.services.cloudwatch.alarm_definitions import (
    composite_alarm_faults,
    metric_alarm_faults,
    refuse_what_is_elsewhere,
)
from sandbox.services.cloudwatch.alarm_rules import parse_rule
from sandbox.services.cloudwatch.alarm_store import ACTIONS, COMPOSITE, METRIC, SCHEMA, Alarm, AlarmStore
from sandbox.services.cloudwatch.faults import VALIDATION, Fault, refuse
from sandbox.services.cloudwatch.put import dimensions_of
from sandbox.services.cloudwatch.tokens import read_token, write_token
from sandbox.services.service import Answer, Context, Params, Service

# CloudWatch API reference, read 2026-11-21: DescribeAlarms, DescribeAlarmHistory.
_PER_PAGE: Final = 100
# How long a state stays that was set by hand. AWS: "returns to its actual state quickly, often within seconds".
_HELD_S: Final = 10.0


class AlarmOperations(Service):
    """Metric and composite alarms, evaluated in the background."""

    def __init__(self, cloud: Cloud) -> None:
        super().__init__(cloud)
        self.database = cloud.database("cloudwatch", SCHEMA)
        self.alarms = AlarmStore(self.database)
        self._watch = alarm_watch.AlarmWatch(cloud, self.alarms)
        cloud.tag_sources.append(self.tagged)

    def resume(self) -> None:
        """Watch the alarms, those of before a restart among them."""
        self.cloud.background(self._watch.run)

    def put_metric_alarm(self, context: Context, params: Params) -> None:
        """Create or change an alarm on a metric or an expression."""
        refuse_what_is_elsewhere(params)
        refuse(metric_alarm_faults(params))
        self._put(context, METRIC, params)

    def put_composite_alarm(self, context: Context, params: Params) -> None:
        """Create or change an alarm on the states of others."""
        refuse_what_is_elsewhere(params)
        existing = {alarm.name for alarm in self.alarms.find(context.account, context.region)}
        refuse(composite_alarm_faults(params, existing))
        self._put(context, COMPOSITE, params)

    def _put(self, context: Context, kind: str, params: Params) -> None:
        definition = {name: value for name, value in params.items() if name != "Tags"}
        name = definition["AlarmName"]
        found = self.alarms.find(context.account, context.region, [name])
        if found and found[0].kind != kind:
            raise AwsError(VALIDATION, f"There is a {found[0].kind} called {name!r}; delete it first.")
        new = self.alarms.put(context.account, context.region, kind, definition, now=time.time())
        if new and params.get("Tags"):
            (alarm,) = self.alarms.find(context.account, context.region, [name])
            self.tag(alarm.arn, params["Tags"])
        self._watch.hurry()

    def describe_alarms(self, context: Context, params: Params) -> Answer:
        """List alarms in order of their names."""
        refuse(_describe_faults(params))
        alarms = self.alarms.find(context.account, context.region, params.get("AlarmNames"))
        kinds = params.get("AlarmTypes") or [METRIC]
        if parent := params.get("ChildrenOfAlarmName"):
            children = _children(self.alarms.find(context.account, context.region, [parent]))
            kept = [alarm for alarm in alarms if alarm.name in children]
        elif child := params.get("ParentsOfAlarmName"):
            kept = [alarm for alarm in alarms if child in _children([alarm])]
        else:
            kept = [alarm for alarm in alarms if alarm.kind in kinds and _fits(alarm, params)]
        page, token = _page(kept, params)
        return {
            "MetricAlarms": [_described(alarm) for alarm in page if alarm.kind == METRIC],
            "CompositeAlarms": [_described(alarm) for alarm in page if alarm.kind == COMPOSITE],
            "NextToken": token,
        }

    def describe_alarms_for_metric(self, context: Context, params: Params) -> Answer:
        """List the alarms on one metric."""
        asked = [
            (name, params[name])
            for name in ("MetricName", "Namespace", "Statistic", "ExtendedStatistic", "Period", "Unit")
            if name in params
        ]
        found = [
            alarm
            for alarm in self.alarms.find(context.account, context.region)
            if all(alarm.definition.get(name) == value for name, value in asked)
            and dimensions_of(alarm.definition) == dimensions_of(params)
        ]
        return {"MetricAlarms": [_described(alarm) for alarm in found]}

    def set_alarm_state(self, context: Context, params: Params) -> None:
        """Give an alarm a state for some seconds, with all that follows from it."""
        data = params.get("StateReasonData")
        if data is not None and not _is_json(data):
            raise AwsError("InvalidFormat", "StateReasonData is not valid JSON.")
        now = time.time()
        while True:
            found = self.alarms.find(context.account, context.region, [params["AlarmName"]])
            if not found:
                raise AwsError("ResourceNotFound", f"There is no alarm {params['AlarmName']}.", status=404)
            change = alarm_watch.told(
                found[0], params["StateValue"], params["StateReason"], data, now=now, held_until=now + _HELD_S
            )
            if self.alarms.move(found[0], change, now=now):  # else it changed meanwhile: take its new state
                break
        self._watch.hurry()

    def describe_alarm_history(self, context: Context, params: Params) -> Answer:
        """List what happened to alarms, the latest first unless asked otherwise."""
        kinds = params.get("AlarmTypes") or [METRIC]
        items = [
            item
            for item in self.alarms.history(context.account, context.region)
            if item["AlarmName"] == params.get("AlarmName", item["AlarmName"])
            and item["HistoryItemType"] == params.get("HistoryItemType", item["HistoryItemType"])
            and item["AlarmType"] in kinds
            and ("StartDate" not in params or item["Timestamp"] >= params["StartDate"].timestamp())
            and ("EndDate" not in params or item["Timestamp"] <= params["EndDate"].timestamp())
        ]
        if params.get("ScanBy") != "TimestampAscending":
            items.reverse()
        page, token = _page(items, params)
        return {"AlarmHistoryItems": page, "NextToken": token}

    def delete_alarms(self, context: Context, params: Params) -> None:
        """Delete alarms; names that do not exist are passed over."""
        names = set(params["AlarmNames"])
        alarms = self.alarms.find(context.account, context.region)
        gone = [alarm for alarm in alarms if alarm.name in names]
        if sum(alarm.kind == COMPOSITE for alarm in gone) > 1:
            raise AwsError(VALIDATION, "Only one composite alarm can be deleted in a call.")
        for parent in alarms:
            if parent.name not in names and (held := sorted(names & _children([parent]))):
                message = (
                    f"Cannot delete {', '.join(held)} as there are composite alarm(s) depending on it: {parent.name}."
                )
                raise AwsError(VALIDATION, message)
        self.alarms.delete(gone, now=time.time())

    def enable_alarm_actions(self, context: Context, params: Params) -> None:
        """Let alarms act again."""
        self._enable(context, params["AlarmNames"], enabled=True)

    def disable_alarm_actions(self, context: Context, params: Params) -> None:
        """Keep alarms from acting."""
        self._enable(context, params["AlarmNames"], enabled=False)

    def _enable(self, context: Context, names: Sequence[str], *, enabled: bool) -> None:
        self.alarms.enable_actions(context.account, context.region, names, enabled=enabled, now=time.time())

    def tag_resource(self, context: Context, params: Params) -> None:
        """Add tags to an alarm or dashboard, or change them."""
        self._tagged(context, params["ResourceARN"])
        self.tag(params["ResourceARN"], params["Tags"])

    def untag_resource(self, context: Context, params: Params) -> None:
        """Take tags from an alarm or dashboard."""
        self._tagged(context, params["ResourceARN"])
        for key in params["TagKeys"]:
            self.database.write("DELETE FROM tags WHERE (arn, key) = (?, ?)", (params["ResourceARN"], key))

    def list_tags_for_resource(self, context: Context, params: Params) -> Answer:
        """List the tags of an alarm or dashboard."""
        self._tagged(context, params["ResourceARN"])
        rows = self.database.read("SELECT key, value FROM tags WHERE arn = ? ORDER BY key", (params["ResourceARN"],))
        return {"Tags": [{"Key": key, "Value": value} for key, value in rows]}

    def tagged(self, region: str) -> dict[str, dict[str, str]]:
        """Give the tags of all alarms of a region, and of dashboards, by their ARNs."""
        found: dict[str, dict[str, str]] = defaultdict(dict)
        for arn, key, value in self.database.read("SELECT arn, key, value FROM tags"):
            if arn.split(":")[3] in {region, ""}:
                found[arn][key] = value
        return found

    def tag(self, arn: str, tags: Sequence[dict[str, str]]) -> None:
        """Keep tags of a resource."""
        with self.database.transaction() as connection:
            connection.executemany(
                "INSERT OR REPLACE INTO tags VALUES (?, ?, ?)", [(arn, tag["Key"], tag["Value"]) for tag in tags]
            )

    def _tagged(self, context: Context, arn: str) -> None:
        dashboards = self.database.read("SELECT name FROM dashboards WHERE account = ?", (context.account,))
        known = {f"arn:aws:cloudwatch::{context.account}:dashboard/{name}" for (name,) in dashboards}
        known |= {alarm.arn for alarm in self.alarms.find(context.account, context.region)}
        if arn not in known:
            raise AwsError("ResourceNotFoundException", f"There is no alarm or dashboard {arn}.", status=404)


def _describe_faults(params: Params) -> Iterator[Fault]:
    if "AlarmNames" in params and "AlarmNamePrefix" in params:
        yield Fault.exclusive("AlarmNames", "AlarmNamePrefix", VALIDATION)
    for member in ("ChildrenOfAlarmName", "ParentsOfAlarmName"):
        if member in params and set(params) - {member, "MaxRecords", "NextToken"}:
            yield Fault(VALIDATION, f"{member} can be used with MaxRecords and NextToken only.")


def _children(alarms: Sequence[Alarm]) -> set[str]:
    return {
        name
        for alarm in alarms
        if alarm.kind == COMPOSITE
        for name in parse_rule(alarm.definition["AlarmRule"]).children
    }


def _fits(alarm: Alarm, params: Params) -> bool:
    actions = [arn for member in ACTIONS.values() for arn in alarm.definition.get(member, ())]
    prefix = params.get("ActionPrefix")
    return (
        alarm.name.startswith(params.get("AlarmNamePrefix", ""))
        and alarm.state == params.get("StateValue", alarm.state)
        and (prefix is None or any(arn.startswith(prefix) for arn in actions))
    )


def _described(alarm: Alarm) -> dict[str, Any]:
    return {
        **{member: [] for member in ACTIONS.values()},
        "ActionsEnabled": True,
        **({"Dimensions": []} if "MetricName" in alarm.definition else {}),
        **alarm.definition,
        "AlarmArn": alarm.arn,
        "AlarmConfigurationUpdatedTimestamp": alarm.configured_at,
        "StateValue": alarm.state,
        "StateReason": alarm.reason,
        "StateReasonData": alarm.reason_data,
        "StateUpdatedTimestamp": alarm.state_at,
        "StateTransitionedTimestamp": alarm.transitioned_at,
        "EvaluationState": "EVALUATION_ERROR" if alarm.problem else None,
    }


def _page(rows: Sequence[Any], params: Params) -> tuple[Sequence[Any], str | None]:
    (start,) = read_token(params, 1) or [0]
    end = start + params.get("MaxRecords", _PER_PAGE)
    return rows[start:end], write_token(params, [end]) if end < len(rows) else None


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except ValueError:
        return False
    return True
