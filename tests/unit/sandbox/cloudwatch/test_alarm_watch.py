"""What the watch over alarms does at a moment, without waiting for it."""

import json
from types import SimpleNamespace

import pytest
from botocore.exceptions import ClientError

from sandbox.metrics import MetricRow
from sandbox.services.cloudwatch.alarm_store import COMPOSITE, METRIC, SCHEMA, AlarmStore
from sandbox.services.cloudwatch.alarm_watch import AlarmWatch, told
from sandbox.state import Database
from tests.unit.sandbox.cloudwatch.asked import ACCOUNT, REGION, START, metric, store_with

TOPIC = f"arn:aws:sns:{REGION}:{ACCOUNT}:news"
ALARM = {
    "AlarmName": "busy", "MetricName": "m1", "Namespace": "N", "Dimensions": [{"Name": "E", "Value": "m1"}],
    "Statistic": "Sum", "Period": 60, "EvaluationPeriods": 2, "Threshold": 5.0,
    "ComparisonOperator": "GreaterThanThreshold", "AlarmActions": [TOPIC], "OKActions": [TOPIC],
}  # fmt: skip


class Setting:
    """Alarms on the metric m1, whose values stand at START and each minute after it."""

    def __init__(self, folder, metrics):
        self.published = []
        self.refusal = None
        self.metrics = metrics
        self.alarms = AlarmStore(Database(folder / "cloudwatch.sqlite", SCHEMA))
        self.watch = AlarmWatch(SimpleNamespace(metrics=self.metrics, client=lambda *_: self), self.alarms)

    def publish(self, **message):
        if self.refusal:
            raise self.refusal
        self.published.append(message)

    def put(self, definition, kind=METRIC):
        self.alarms.put(ACCOUNT, REGION, kind, definition, now=START)

    def add(self, minute, value):
        self.metrics.add(ACCOUNT, REGION, [
            MetricRow(namespace="N", name="m1", dimensions=(("E", "m1"),), unit="None", minute=START + 60 * minute,
                      values=[value], counts=[1.0])
        ])  # fmt: skip

    def look(self, minute, second=0):
        self.watch.look(START + 60 * minute + second)

    def state(self, name="busy"):
        return self.alarm(name).state

    def alarm(self, name="busy"):
        (alarm,) = self.alarms.find(ACCOUNT, REGION, [name])
        return alarm

    def summaries(self):
        return [item["HistorySummary"] for item in self.alarms.history(ACCOUNT, REGION)]


@pytest.fixture
def setting(tmp_path) -> Setting:
    return Setting(tmp_path, store_with(tmp_path, {"m1": [9, 9, 1, 1, 1]}))


def test_a_state_follows_the_metric_minute_by_minute(setting):
    setting.put(ALARM)
    seen = []
    for minute in range(8):
        setting.look(minute, second=1)
        seen.append(setting.state())
    # A minute counts when it is over; silence is noticed when no datapoint is left of those looked at.
    assert seen == ["INSUFFICIENT_DATA", "INSUFFICIENT_DATA", "ALARM", "OK", "OK", "OK", "OK", "OK"]
    setting.look(9)
    assert setting.state() == "INSUFFICIENT_DATA"


def test_who_is_named_is_told_once_for_each_change(setting):
    setting.put(ALARM)
    for minute in (2, 2, 2, 3, 4):
        setting.look(minute)
    assert [message["Subject"] for message in setting.published] == [
        'ALARM: "busy" in US East (N. Virginia)',
        'OK: "busy" in US East (N. Virginia)',
    ]
    first = setting.published[0]
    document = json.loads(first["Message"])
    assert first["TopicArn"] == TOPIC
    assert (document["OldStateValue"], document["NewStateValue"]) == ("INSUFFICIENT_DATA", "ALARM")
    told = setting.alarm().reason_data
    assert json.loads(told) == {
        "version": "1.0",
        "queryDate": "2027-01-15T08:03:00.000+0000",
        "startDate": "2027-01-15T08:01:00.000+0000",
        "statistic": "Sum",
        "period": 60,
        "recentDatapoints": [9.0, 1.0],
        "threshold": 5.0,
        "evaluatedDatapoints": [
            {"timestamp": "2027-01-15T08:02:00.000+0000", "value": 1.0},
            {"timestamp": "2027-01-15T08:01:00.000+0000", "value": 9.0},
        ],
    }
    assert document["Trigger"]["Dimensions"] == [{"value": "m1", "name": "E"}]
    assert setting.summaries() == [
        'Alarm "busy" created',
        "Alarm updated from INSUFFICIENT_DATA to ALARM",
        f"Successfully executed action {TOPIC}",
        "Alarm updated from ALARM to OK",
        f"Successfully executed action {TOPIC}",
    ]


def test_late_data_is_looked_at_without_waiting_for_the_next_minute(setting):
    setting.put({**ALARM, "EvaluationPeriods": 1})
    setting.look(6, second=1)
    assert setting.state() == "OK"
    setting.add(5, 50.0)
    setting.look(6, second=2)
    assert setting.state() == "ALARM"


def test_an_alarm_whose_actions_are_off_changes_and_is_silent(setting):
    setting.put({**ALARM, "ActionsEnabled": False})
    setting.look(2)
    assert setting.state() == "ALARM"
    assert setting.published == []


def test_what_waits_is_carried_out_after_a_restart(setting, tmp_path):
    setting.put(ALARM)
    alarm = setting.alarm()
    assert setting.alarms.move(
        alarm, told(alarm, "ALARM", "by hand", None, now=START, held_until=START + 600), now=START
    )
    again = Setting(tmp_path, setting.metrics)
    again.look(1)
    assert [message["Subject"][:5] for message in again.published] == ["ALARM"]
    again.look(1)
    assert len(again.published) == 1


def test_a_failed_action_is_history_and_not_tried_again(setting):
    setting.put({**ALARM, "AlarmActions": [TOPIC, "arn:aws:lambda:us-east-1:000000000000:function:f"]})
    setting.refusal = ClientError({"Error": {"Code": "NotFound", "Message": "no such topic"}}, "Publish")
    setting.look(2)
    failed = [item for item in setting.alarms.history(ACCOUNT, REGION) if item["HistoryItemType"] == "Action"]
    assert [item["HistorySummary"].split()[0] for item in failed] == ["Failed", "Failed"]
    assert "no such topic" in failed[0]["HistoryData"]
    assert "SNS only" in failed[1]["HistoryData"]
    assert setting.alarms.waiting() == []


def test_a_state_set_by_hand_stays_for_a_while(setting):
    setting.put(ALARM)
    alarm = setting.alarm()
    now = START + 240
    setting.alarms.move(alarm, told(alarm, "ALARM", "by hand", None, now=now, held_until=now + 10), now=now)
    setting.look(4, second=9)
    assert setting.state() == "ALARM"
    setting.look(4, second=10)
    assert setting.state() == "OK"


def test_an_old_reading_never_overwrites_a_newer_state(setting):
    setting.put(ALARM)
    old = setting.alarm()
    setting.put({**ALARM, "Threshold": 1000.0})
    assert not setting.alarms.move(old, told(old, "ALARM", "too late", None, now=START), now=START)
    assert setting.state() == "INSUFFICIENT_DATA"
    assert setting.alarms.waiting() == []


def test_an_alarm_on_an_expression(setting):
    rule = {"AlarmName": "busy", "EvaluationPeriods": 2, "Threshold": 5.0, "ComparisonOperator": "GreaterThanThreshold"}
    setting.put({**rule, "Metrics": [metric("m1", ReturnData=False), {"Id": "e", "Expression": "m1 * 10"}]})
    setting.look(4)
    assert setting.state() == "ALARM"
    assert setting.alarm().problem is None


def test_an_alarm_that_cannot_be_evaluated_says_so_and_recovers(setting):
    rule = {"AlarmName": "busy", "EvaluationPeriods": 1, "Threshold": 5.0, "ComparisonOperator": "GreaterThanThreshold"}
    m1 = metric("m1", ReturnData=False)
    setting.put({**rule, "Metrics": [m1, {"Id": "e", "Expression": "METRICS() + METRICS()"}]})
    setting.look(2)
    assert "both sides" in setting.alarm().problem
    assert setting.state() == "INSUFFICIENT_DATA"
    setting.put({**rule, "Metrics": [m1, {"Id": "e", "Expression": "[m1, m1]"}]})
    setting.look(2)
    assert "2 time series; an alarm needs one" in setting.alarm().problem
    setting.put({**rule, "Metrics": [m1, {"Id": "e", "Expression": "m1 + 0"}]})
    setting.look(2)
    assert (setting.alarm().problem, setting.state()) == (None, "ALARM")


def test_one_alarm_that_breaks_does_not_end_the_watch_over_the_others(setting, caplog):
    setting.put({**ALARM, "AlarmName": "a-broken", "Threshold": "no number"})
    setting.put(ALARM)
    setting.look(2)
    assert setting.state() == "ALARM"
    assert "could not be evaluated" in caplog.text


def test_a_percentile_does_not_wait_unless_asked(setting):
    definition = {name: value for name, value in ALARM.items() if name != "Statistic"}
    setting.put({**definition, "ExtendedStatistic": "p99"})
    setting.look(2)
    assert setting.state() == "ALARM"
    assert json.loads(setting.alarm().reason_data)["statistic"] == "p99"


@pytest.mark.parametrize(("percentile", "enough"), [("p50", 20), ("p90", 100), ("p10", 100)])
def test_a_percentile_may_wait_for_enough_samples(setting, percentile, enough):
    definition = {name: value for name, value in ALARM.items() if name != "Statistic"}
    setting.put({**definition, "ExtendedStatistic": percentile, "EvaluateLowSampleCountPercentile": "ignore"})
    for _ in range(enough - 3):
        setting.add(1, 9.0)
    setting.look(2)
    assert setting.state() == "INSUFFICIENT_DATA"
    setting.add(1, 9.0)
    setting.look(2)
    assert setting.state() == "ALARM"


def test_composite_alarms_follow_their_children_and_each_other(setting):
    setting.put(ALARM)
    setting.put({"AlarmName": "a-top", "AlarmRule": "ALARM(b-middle) AND TRUE", "AlarmActions": [TOPIC]}, COMPOSITE)
    setting.put({"AlarmName": "b-middle", "AlarmRule": "ALARM(busy)"}, COMPOSITE)
    setting.look(1)
    assert [setting.state(name) for name in ("a-top", "b-middle")] == ["OK", "OK"]
    setting.look(2)
    assert [setting.state(name) for name in ("a-top", "b-middle")] == ["ALARM", "ALARM"]
    assert "alarm:b-middle transitioned to ALARM at Friday 15 January, 2027" in setting.alarm("a-top").reason
    assert json.loads(setting.published[1]["Message"])["AlarmRule"] == "ALARM(b-middle) AND TRUE"
    setting.look(4)
    assert [setting.state(name) for name in ("a-top", "b-middle")] == ["OK", "OK"]


def test_a_circle_of_composite_alarms_does_not_hold_up_the_watch(setting):
    setting.put({"AlarmName": "a", "AlarmRule": "NOT ALARM(b)"}, COMPOSITE)
    setting.put({"AlarmName": "b", "AlarmRule": "ALARM(a)"}, COMPOSITE)
    setting.look(1)
    assert {setting.state("a"), setting.state("b")} <= {"ALARM", "OK"}


def test_deleting_an_alarm_takes_what_waits_and_keeps_its_history(setting):
    setting.put(ALARM)
    alarm = setting.alarm()
    setting.alarms.move(alarm, told(alarm, "ALARM", "by hand", None, now=START), now=START)
    setting.alarms.delete([alarm], now=START)
    assert setting.alarms.waiting() == []
    assert setting.summaries()[-1] == 'Alarm "busy" deleted'
