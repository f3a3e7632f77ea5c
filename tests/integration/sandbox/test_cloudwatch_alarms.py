import json
from datetime import UTC, datetime, timedelta

import pytest
from botocore.exceptions import ClientError

from tests.sandboxed import until

RULE = {
    "Statistic": "Sum", "Period": 10, "EvaluationPeriods": 1, "Threshold": 5.0,
    "ComparisonOperator": "GreaterThanThreshold",
}  # fmt: skip


@pytest.fixture(scope="module")
def cloudwatch(sandbox):
    return sandbox.client("cloudwatch")


def alarm(cloudwatch, name: str) -> dict:
    found = cloudwatch.describe_alarms(AlarmNames=[name], AlarmTypes=["MetricAlarm", "CompositeAlarm"])
    (one,) = found["MetricAlarms"] + found["CompositeAlarms"]
    return one


def in_state(cloudwatch, name: str, state: str) -> None:
    until(lambda: alarm(cloudwatch, name)["StateValue"] == state)


def put_seconds_ago(cloudwatch, namespace: str, value: float, *, seconds: int = 10) -> None:
    time = datetime.now(UTC) - timedelta(seconds=seconds)
    data = [{"MetricName": "m", "Value": value, "Timestamp": time, "StorageResolution": 1}]
    cloudwatch.put_metric_data(Namespace=namespace, MetricData=data)


def inbox(sandbox, name: str) -> tuple[str, str]:
    """Make a topic and a queue that receives it: the ARN of one, the address of the other."""
    sns, sqs = sandbox.client("sns"), sandbox.client("sqs")
    topic = sns.create_topic(Name=name)["TopicArn"]
    queue = sqs.create_queue(QueueName=name)["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)
    return topic, queue


def received(sandbox, queue: str) -> dict:
    message = until(lambda: sandbox.client("sqs").receive_message(QueueUrl=queue).get("Messages"))[0]
    return json.loads(json.loads(message["Body"])["Message"])


def test_an_alarm_is_raised_by_data_and_tells_who_asked(sandbox, cloudwatch):
    topic, queue = inbox(sandbox, "raised")
    cloudwatch.put_metric_alarm(AlarmName="raised", MetricName="m", Namespace="Raised", AlarmActions=[topic], **RULE)
    assert alarm(cloudwatch, "raised")["StateReason"] == "Unchecked: Initial alarm creation"
    put_seconds_ago(cloudwatch, "Raised", 9.0)
    in_state(cloudwatch, "raised", "ALARM")
    told = received(sandbox, queue)
    assert (told["AlarmName"], told["OldStateValue"], told["NewStateValue"]) == ("raised", "INSUFFICIENT_DATA", "ALARM")
    seen = alarm(cloudwatch, "raised")
    assert told["NewStateReason"] == seen["StateReason"]
    assert json.loads(seen["StateReasonData"])["recentDatapoints"] == [9.0]
    kinds = until(lambda: _kinds(cloudwatch, "raised", 3))
    assert kinds == ["Action", "StateUpdate", "ConfigurationUpdate"]


def _kinds(cloudwatch, name: str, least: int) -> list[str]:
    items = cloudwatch.describe_alarm_history(AlarmName=name)["AlarmHistoryItems"]
    return [item["HistoryItemType"] for item in items] if len(items) >= least else []


def test_a_state_set_by_hand_acts_and_goes_back(sandbox, cloudwatch):
    topic, queue = inbox(sandbox, "hand")
    cloudwatch.put_metric_alarm(
        AlarmName="hand", MetricName="m", Namespace="Hand", OKActions=[topic], TreatMissingData="notBreaching", **RULE
    )
    in_state(cloudwatch, "hand", "OK")
    assert received(sandbox, queue)["NewStateValue"] == "OK"
    cloudwatch.set_alarm_state(AlarmName="hand", StateValue="ALARM", StateReason="a test", StateReasonData='{"a": 1}')
    seen = alarm(cloudwatch, "hand")
    assert [seen[part] for part in ("StateValue", "StateReason", "StateReasonData")] == ["ALARM", "a test", '{"a": 1}']
    cloudwatch.put_composite_alarm(AlarmName="above", AlarmRule='ALARM("hand")')
    in_state(cloudwatch, "above", "ALARM")
    cloudwatch.set_alarm_state(AlarmName="hand", StateValue="OK", StateReason="over")
    in_state(cloudwatch, "above", "OK")
    assert received(sandbox, queue)["NewStateReason"] == "over"


def test_alarms_are_found_by_what_they_are(cloudwatch):
    for name in ("found-a", "found-b", "found-c"):
        cloudwatch.put_metric_alarm(
            AlarmName=name, MetricName=f"m-{name}", Namespace="Found", Dimensions=[{"Name": "E", "Value": "1"}],
            AlarmDescription="why", AlarmActions=[f"arn:aws:sns:us-east-1:000000000000:{name}"], **RULE,
        )  # fmt: skip
    cloudwatch.put_composite_alarm(AlarmName="found-top", AlarmRule="ALARM(found-a) OR ALARM(found-b)")

    def names(**how) -> list[str]:
        found = cloudwatch.describe_alarms(**how)
        return [one["AlarmName"] for one in found["MetricAlarms"] + found["CompositeAlarms"]]

    assert names(AlarmNamePrefix="found-") == ["found-a", "found-b", "found-c"]
    assert names(AlarmNamePrefix="found-", AlarmTypes=["CompositeAlarm"]) == ["found-top"]
    assert names(AlarmNames=["found-b", "no such alarm"]) == ["found-b"]
    assert names(ActionPrefix="arn:aws:sns:us-east-1:000000000000:found-c") == ["found-c"]
    assert names(ChildrenOfAlarmName="found-top") == ["found-a", "found-b"]
    assert names(ParentsOfAlarmName="found-a") == ["found-top"]
    first = cloudwatch.describe_alarms(AlarmNamePrefix="found-", MaxRecords=2)
    second = cloudwatch.describe_alarms(AlarmNamePrefix="found-", MaxRecords=2, NextToken=first["NextToken"])
    assert [one["AlarmName"] for page in (first, second) for one in page["MetricAlarms"]] == [
        "found-a", "found-b", "found-c",
    ]  # fmt: skip
    on_metric = cloudwatch.describe_alarms_for_metric(
        MetricName="m-found-b", Namespace="Found", Dimensions=[{"Name": "E", "Value": "1"}]
    )
    assert [one["AlarmName"] for one in on_metric["MetricAlarms"]] == ["found-b"]
    assert on_metric["MetricAlarms"][0]["AlarmDescription"] == "why"


def test_actions_are_turned_off_and_on(cloudwatch):
    cloudwatch.put_metric_alarm(AlarmName="quiet", MetricName="m", Namespace="Quiet", **RULE)
    cloudwatch.disable_alarm_actions(AlarmNames=["quiet"])
    assert alarm(cloudwatch, "quiet")["ActionsEnabled"] is False
    cloudwatch.enable_alarm_actions(AlarmNames=["quiet"])
    assert alarm(cloudwatch, "quiet")["ActionsEnabled"] is True


def test_a_changed_definition_keeps_the_state(cloudwatch):
    cloudwatch.put_metric_alarm(AlarmName="changed", MetricName="m", Namespace="Changed", **RULE)
    cloudwatch.set_alarm_state(AlarmName="changed", StateValue="ALARM", StateReason="a test")
    cloudwatch.put_metric_alarm(AlarmName="changed", MetricName="m", Namespace="Changed", **{**RULE, "Threshold": 7.0})
    seen = alarm(cloudwatch, "changed")
    assert (seen["Threshold"], seen["StateValue"]) == (7.0, "ALARM")


def test_an_alarm_that_others_stand_on_is_not_deleted(cloudwatch):
    cloudwatch.put_metric_alarm(AlarmName="below", MetricName="m", Namespace="Below", **RULE)
    cloudwatch.put_composite_alarm(AlarmName="on-top", AlarmRule="NOT ALARM(below)")
    with pytest.raises(ClientError, match="composite alarm"):
        cloudwatch.delete_alarms(AlarmNames=["below"])
    cloudwatch.delete_alarms(AlarmNames=["below", "on-top", "no such alarm"])
    found = cloudwatch.describe_alarms(AlarmNames=["below", "on-top"], AlarmTypes=["MetricAlarm", "CompositeAlarm"])
    assert (found["MetricAlarms"], found["CompositeAlarms"]) == ([], [])


def test_tags_of_an_alarm(cloudwatch):
    cloudwatch.put_metric_alarm(
        AlarmName="tagged", MetricName="m", Namespace="N", Tags=[{"Key": "team", "Value": "a"}], **RULE
    )
    arn = alarm(cloudwatch, "tagged")["AlarmArn"]
    cloudwatch.tag_resource(ResourceARN=arn, Tags=[{"Key": "team", "Value": "b"}, {"Key": "x", "Value": "y"}])
    cloudwatch.untag_resource(ResourceARN=arn, TagKeys=["x"])
    assert cloudwatch.list_tags_for_resource(ResourceARN=arn)["Tags"] == [{"Key": "team", "Value": "b"}]
    with pytest.raises(cloudwatch.exceptions.ResourceNotFoundException):
        cloudwatch.list_tags_for_resource(ResourceARN=arn + "x")


@pytest.mark.parametrize(
    ("operation", "arguments", "code"),
    [
        ("put_metric_alarm", {"AlarmName": "bad", **RULE}, "ValidationError"),
        ("put_metric_alarm", {"AlarmName": "bad", "EvaluationCriteria": {"PromQLCriteria": {"Query": "up"}}},
            "NotImplemented"),
        ("put_composite_alarm", {"AlarmName": "bad", "AlarmRule": "ALARM(no such alarm)"}, "ValidationError"),
        ("set_alarm_state", {"AlarmName": "none", "StateValue": "OK", "StateReason": ""}, "ResourceNotFound"),
        ("set_alarm_state", {"AlarmName": "none", "StateValue": "OK", "StateReason": "", "StateReasonData": "{"},
            "InvalidFormat"),
        ("describe_alarms", {"AlarmNames": ["a"], "AlarmNamePrefix": "b"}, "ValidationError"),
        ("describe_alarms", {"NextToken": "nonsense"}, "InvalidNextToken"),
    ],
)  # fmt: skip
def test_a_request_is_refused(cloudwatch, operation, arguments, code):
    with pytest.raises(ClientError) as caught:
        getattr(cloudwatch, operation)(**arguments)
    assert caught.value.response["Error"]["Code"] == code


def test_dashboards_are_kept_as_they_are(cloudwatch):
    body = json.dumps({"widgets": [{"type": "text", "properties": {"markdown": "ü"}}]})
    assert cloudwatch.put_dashboard(DashboardName="board", DashboardBody=body)["DashboardValidationMessages"] == []
    assert cloudwatch.get_dashboard(DashboardName="board")["DashboardBody"] == body
    (entry,) = cloudwatch.list_dashboards(DashboardNamePrefix="boa")["DashboardEntries"]
    assert (entry["DashboardName"], entry["Size"]) == ("board", len(body.encode()))
    assert cloudwatch.list_dashboards(DashboardNamePrefix="x")["DashboardEntries"] == []
    with pytest.raises(ClientError, match="no such board"):
        cloudwatch.delete_dashboards(DashboardNames=["board", "no such board"])
    cloudwatch.delete_dashboards(DashboardNames=["board"])
    with pytest.raises(ClientError) as caught:
        cloudwatch.get_dashboard(DashboardName="board")
    assert caught.value.response["Error"]["Code"] == "ResourceNotFound"


@pytest.mark.parametrize(
    ("name", "body"), [("a b", '{"widgets": []}'), ("board", "{"), ("board", "[]"), ("board", '{"widgets": 1}')]
)
def test_what_is_no_dashboard_is_refused(cloudwatch, name, body):
    with pytest.raises(ClientError) as caught:
        cloudwatch.put_dashboard(DashboardName=name, DashboardBody=body)
    assert caught.value.response["Error"]["Code"] == "InvalidParameterInput"
