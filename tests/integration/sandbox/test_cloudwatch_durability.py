"""What CloudWatch has after a power cut."""

import threading
from datetime import UTC, datetime, timedelta

from botocore.exceptions import BotoCoreError, ClientError

from tests.sandboxed import until

START = datetime.now(UTC).replace(second=0, microsecond=0) - timedelta(hours=1)
WINDOW = {"StartTime": START, "EndTime": START + timedelta(hours=2)}


def numbers(sandbox, namespace: str) -> tuple[float, float]:
    """Give the number of samples and their sum."""
    found = sandbox.client("cloudwatch").get_metric_statistics(
        Namespace=namespace, MetricName="m", Period=7200, Statistics=["SampleCount", "Sum"], **WINDOW
    )["Datapoints"]
    return sum(point["SampleCount"] for point in found), sum(point["Sum"] for point in found)


def test_every_answered_put_survives_and_no_half_of_one_does(own_sandbox):
    cloudwatch = own_sandbox.client("cloudwatch")
    answered = []
    stopped = threading.Event()

    def write() -> None:
        number = 0
        while not stopped.is_set():
            number += 1
            time = START + timedelta(minutes=number % 60)
            data = [{"MetricName": "m", "Timestamp": time, "Value": float(number)} for _ in range(100)]
            try:
                cloudwatch.put_metric_data(Namespace="Kept", MetricData=data)
            except (ClientError, BotoCoreError):  # the power is gone
                return
            answered.append(number)

    writer = threading.Thread(target=write)
    writer.start()
    until(lambda: len(answered) >= 70)
    own_sandbox.kill()
    stopped.set()
    writer.join()
    own_sandbox.start_again()

    count, total = numbers(own_sandbox, "Kept")
    # The put that was on its way when the power went may be there or not, but never a part of it.
    on_its_way = count / 100 - len(answered)
    assert on_its_way in {0.0, 1.0}
    assert total == 100 * (sum(answered) + on_its_way * (len(answered) + 1))


def test_alarms_are_watched_again_after_a_power_cut(own_sandbox):
    cloudwatch = own_sandbox.client("cloudwatch")
    rule = {
        "Statistic": "Sum", "Period": 10, "EvaluationPeriods": 1, "Threshold": 5.0,
        "ComparisonOperator": "GreaterThanThreshold", "MetricName": "m", "Namespace": "Alarms",
    }  # fmt: skip
    cloudwatch.put_metric_alarm(AlarmName="watched", TreatMissingData="ignore", **rule)
    cloudwatch.put_dashboard(DashboardName="board", DashboardBody='{"widgets": []}')
    own_sandbox.kill()
    own_sandbox.start_again()
    cloudwatch = own_sandbox.client("cloudwatch")
    assert cloudwatch.get_dashboard(DashboardName="board")["DashboardBody"] == '{"widgets": []}'
    time = datetime.now(UTC) - timedelta(seconds=10)
    data = [{"MetricName": "m", "Value": 9.0, "Timestamp": time, "StorageResolution": 1}]
    cloudwatch.put_metric_data(Namespace="Alarms", MetricData=data)

    def state() -> str:
        # Nothing but describe is called: the watch must have begun by itself.
        return cloudwatch.describe_alarms(AlarmNames=["watched"])["MetricAlarms"][0]["StateValue"]

    until(lambda: state() == "ALARM")
    kinds = [item["HistoryItemType"] for item in cloudwatch.describe_alarm_history()["AlarmHistoryItems"]]
    assert kinds == ["StateUpdate", "ConfigurationUpdate"]
