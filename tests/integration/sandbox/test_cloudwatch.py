import contextlib
import gzip
import http.client
import io
import json
import os
import shutil
import subprocess
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlencode, urlsplit

import botocore.session
import pytest
from botocore.exceptions import ClientError
from botocore.parsers import create_parser
from botocore.serialize import create_serializer

from sandbox.settings import client_environment

MODEL = botocore.session.Session().get_service_model("cloudwatch")
NOW = datetime.now(UTC).replace(second=0, microsecond=0)
START = NOW - timedelta(hours=1)


@pytest.fixture(scope="module")
def cloudwatch(sandbox):
    return sandbox.client("cloudwatch")


def at(minute: int) -> datetime:
    return START + timedelta(minutes=minute)


def metric(namespace: str, name: str = "m", *, period: int = 60, stat: str = "Sum", **query: Any) -> dict[str, Any]:
    wanted = {"Namespace": namespace, "MetricName": name}
    return {"Id": "m1", "MetricStat": {"Metric": wanted, "Period": period, "Stat": stat}, **query}


def put(cloudwatch, namespace: str, values: dict[int, list[float]], name: str = "m", **others) -> None:
    data = [
        {"MetricName": name, "Timestamp": at(minute), "Values": given, **others} for minute, given in values.items()
    ]
    cloudwatch.put_metric_data(Namespace=namespace, MetricData=data)


def results(cloudwatch, *queries, **request) -> list[dict[str, Any]]:
    window = {"StartTime": START, "EndTime": NOW, "ScanBy": "TimestampAscending", **request}
    return cloudwatch.get_metric_data(MetricDataQueries=list(queries), **window)["MetricDataResults"]


def test_what_was_put_is_read_in_every_form(cloudwatch):
    dimensions = [{"Name": "b", "Value": "2"}, {"Name": "a", "Value": "1"}]
    summary = {"SampleCount": 4.0, "Sum": 20.0, "Minimum": 1.0, "Maximum": 9.0}
    common = {"MetricName": "m", "Dimensions": dimensions, "Timestamp": at(0), "Unit": "Seconds"}
    cloudwatch.put_metric_data(
        Namespace="Forms",
        MetricData=[
            {**common, "Value": 3.0},
            {**common, "Values": [2.0, 5.0], "Counts": [3.0, 1.0]},
            {**common, "StatisticValues": summary},
        ],
    )
    found = cloudwatch.get_metric_statistics(
        Namespace="Forms",
        MetricName="m",
        Dimensions=dimensions[::-1],
        StartTime=START,
        EndTime=NOW,
        Period=3600,
        Statistics=["SampleCount", "Sum", "Average", "Minimum", "Maximum"],
    )
    assert found["Label"] == "m"
    assert found["Datapoints"] == [
        {
            "Timestamp": START, "SampleCount": 9.0, "Sum": 34.0, "Average": 34 / 9, "Minimum": 1.0, "Maximum": 9.0,
            "Unit": "Seconds",
        }
    ]  # fmt: skip


def test_units_are_apart_in_statistics_and_together_in_data(cloudwatch):
    put(cloudwatch, "Units", {0: [1.0]}, Unit="Seconds")
    put(cloudwatch, "Units", {0: [2.0]}, Unit="Count")
    request = {"Namespace": "Units", "MetricName": "m", "StartTime": START, "EndTime": NOW, "Period": 60}
    found = cloudwatch.get_metric_statistics(**request, Statistics=["Sum"])["Datapoints"]
    assert {point["Unit"]: point["Sum"] for point in found} == {"Seconds": 1.0, "Count": 2.0}
    one = cloudwatch.get_metric_statistics(**request, Unit="Count", ExtendedStatistics=["p50", "tm90"])["Datapoints"]
    assert [point["ExtendedStatistics"] for point in one] == [{"p50": 2.0, "tm90": 2.0}]
    assert results(cloudwatch, metric("Units"))[0]["Values"] == [3.0]
    rows = cloudwatch.list_metrics(Namespace="Units")["Metrics"]
    assert rows == [{"Namespace": "Units", "MetricName": "m", "Dimensions": []}]


def test_many_queries_with_math_come_back_in_order(cloudwatch):
    put(cloudwatch, "Many", {0: [1.0, 2.0], 1: [4.0], 3: [8.0]})
    found = results(
        cloudwatch,
        metric("Many", Label="sum of ${PROP('MetricName')}"),
        {"Id": "e1", "Expression": "FILL(m1, 0) + 1", "Label": "up to ${MAX}"},
        metric("Many", stat="p99", ReturnData=False) | {"Id": "hidden"},
        {"Id": "e2", "Expression": "RATE(m1) * 60"},
        EndTime=at(4),
    )
    assert [(one["Id"], one["Label"], one["Values"], one["StatusCode"]) for one in found] == [
        ("m1", "sum of m", [3.0, 4.0, 8.0], "Complete"),
        ("e1", "up to 9", [4.0, 5.0, 1.0, 9.0], "Complete"),
        ("e2", "e2", [1.0, 2.0], "Complete"),
    ]
    assert found[0]["Timestamps"] == [at(0), at(1), at(3)]


def test_the_latest_comes_first_unless_asked(cloudwatch):
    put(cloudwatch, "Order", {0: [1.0], 1: [2.0]})
    query = {"MetricDataQueries": [metric("Order")], "StartTime": START, "EndTime": NOW}
    assert cloudwatch.get_metric_data(**query)["MetricDataResults"][0]["Values"] == [2.0, 1.0]


@pytest.mark.parametrize("order", ["TimestampAscending", "TimestampDescending"])
def test_pages_hold_what_was_asked_for_and_lose_nothing(cloudwatch, order):
    put(cloudwatch, f"Pages{order}", {minute: [float(minute)] for minute in range(10)})
    one, other = metric(f"Pages{order}"), metric(f"Pages{order}", stat="SampleCount") | {"Id": "m2"}
    pages = cloudwatch.get_paginator("get_metric_data").paginate(
        MetricDataQueries=[one, other], StartTime=START, EndTime=NOW, ScanBy=order, MaxDatapoints=3
    )
    seen: dict[str, list[float]] = {"m1": [], "m2": []}
    sizes, states = [], []
    for page in pages:
        sizes.append(sum(len(result["Values"]) for result in page["MetricDataResults"]))
        for result in page["MetricDataResults"]:
            seen[result["Id"]] += result["Values"]
            states.append(result["StatusCode"])
    values = [float(minute) for minute in range(10)]
    assert seen == {"m1": values if order == "TimestampAscending" else values[::-1], "m2": [1.0] * 10}
    assert sizes == [3] * 6 + [2]
    assert (states.count("Complete"), states[0]) == (2, "PartialData")


def test_a_token_of_another_request_is_refused(cloudwatch):
    put(cloudwatch, "Token", {0: [1.0], 1: [1.0]})
    query = {"MetricDataQueries": [metric("Token")], "StartTime": START, "EndTime": NOW, "MaxDatapoints": 1}
    token = cloudwatch.get_metric_data(**query)["NextToken"]
    for wrong in ({**query, "EndTime": at(5), "NextToken": token}, {**query, "NextToken": "nonsense"}):
        with pytest.raises(cloudwatch.exceptions.InvalidNextToken):
            cloudwatch.get_metric_data(**wrong)


def test_metrics_are_listed_in_pages_and_by_dimension(cloudwatch):
    data = [
        {
            "MetricName": "m",
            "Value": 1.0,
            "Dimensions": [{"Name": "E", "Value": f"{n:03}"}, {"Name": "V", "Value": "a"}],
        }
        for n in range(620)
    ]
    cloudwatch.put_metric_data(Namespace="Listed", MetricData=data)
    first = cloudwatch.list_metrics(Namespace="Listed")
    second = cloudwatch.list_metrics(Namespace="Listed", NextToken=first["NextToken"])
    assert (len(first["Metrics"]), len(second["Metrics"]), "NextToken" in second) == (500, 120, False)
    assert len({json.dumps(one) for one in first["Metrics"] + second["Metrics"]}) == 620
    by_value = cloudwatch.list_metrics(Namespace="Listed", Dimensions=[{"Name": "E", "Value": "007"}, {"Name": "V"}])
    assert [one["Dimensions"][0]["Value"] for one in by_value["Metrics"]] == ["007"]
    assert cloudwatch.list_metrics(Namespace="Listed", Dimensions=[{"Name": "X"}])["Metrics"] == []


def test_recently_active_leaves_out_what_is_silent(cloudwatch):
    cloudwatch.put_metric_data(
        Namespace="Active",
        MetricData=[
            {"MetricName": "silent", "Value": 1.0, "Timestamp": NOW - timedelta(hours=4)},
            {"MetricName": "loud", "Value": 1.0},
        ],
    )
    listed = [
        {one["MetricName"] for one in cloudwatch.list_metrics(Namespace="Active", **recent)["Metrics"]}
        for recent in ({}, {"RecentlyActive": "PT3H"})
    ]
    assert listed == [{"silent", "loud"}, {"loud"}]


def test_seconds_are_kept_where_they_are_asked_for(cloudwatch):
    times = [NOW - timedelta(seconds=60 - second) for second in (0, 9, 10, 25)]
    data = [{"MetricName": "m", "Value": 1.0, "Timestamp": time, "StorageResolution": 1} for time in times]
    cloudwatch.put_metric_data(Namespace="Seconds", MetricData=data)
    (found,) = results(cloudwatch, metric("Seconds", period=10))
    assert [(time - NOW).total_seconds() + 60 for time in found["Timestamps"]] == [0, 10, 20]
    assert found["Values"] == [2.0, 1.0, 1.0]


@pytest.mark.parametrize(
    ("request_", "code", "message"),
    [
        ({"MetricDataQueries": []}, "ValidationError", "MetricDataQueries is required"),
        ({"MetricDataQueries": [metric("N")] * 2}, "ValidationError", "not unique"),
        ({"MetricDataQueries": [metric("N", stat="median")]}, "ValidationError",
            "The value median for parameter MetricDataQueries.member.1.MetricStat.Stat is not a valid statistic."),
        ({"MetricDataQueries": [metric("N", period=61)]}, "ValidationError", "MetricStat.Period must be"),
        ({"MetricDataQueries": [metric("N")], "EndTime": START}, "ValidationError", "StartTime must be less than"),
        ({"MetricDataQueries": [metric("N")], "MaxDatapoints": 0}, "ValidationError", "MaxDatapoints"),
        ({"MetricDataQueries": [metric("N")], "LabelOptions": {"Timezone": "Paris"}}, "ValidationError", "Timezone"),
        ({"MetricDataQueries": [{"Id": "e", "Expression": "m1 +"}]}, "ValidationError", "Error in expression 'e'"),
        ({"MetricDataQueries": [{"Id": "e", "Expression": "SELECT 1"}]}, "NotImplemented", "Metrics Insights"),
        ({"MetricDataQueries": [metric("N") | {"Id": f"m{n}"} for n in range(501)]}, "ValidationError",
            "must not have a size greater than 500"),
    ],
)  # fmt: skip
def test_a_request_for_data_is_refused(cloudwatch, request_, code, message):
    with pytest.raises(ClientError) as caught:
        cloudwatch.get_metric_data(**{"StartTime": START, "EndTime": NOW, **request_})
    assert caught.value.response["Error"]["Code"] == code
    assert message in caught.value.response["Error"]["Message"]


@pytest.mark.parametrize(
    ("request_", "kind", "message"),
    [
        ({}, "InvalidParameterCombinationException", "At least one of the parameters Statistics and"),
        ({"Statistics": ["Sum"], "ExtendedStatistics": ["p9"]}, "InvalidParameterCombinationException", "exclusive"),
        ({"ExtendedStatistics": ["Sum"]}, "InvalidParameterValueException", "ExtendedStatistics.member.1"),
        ({"Statistics": ["Sum"], "Period": 90}, "InvalidParameterValueException", "Period must be"),
        ({"Statistics": ["Sum"], "Period": 10**400}, "InvalidParameterValueException", "Period must be"),
        ({"Statistics": ["Sum"], "EndTime": START}, "InvalidParameterCombinationException", "must be less than"),
        ({"Statistics": ["Sum"], "StartTime": NOW - timedelta(days=2)}, "InvalidParameterCombinationException",
            "You have requested up to 2,880 datapoints, which exceeds the limit of 1,440."),
        ({"Statistics": ["Median"]}, "InvalidParameterValueException", "enum value set"),
    ],
)  # fmt: skip
def test_a_request_for_statistics_is_refused(cloudwatch, request_, kind, message):
    asked = {"Namespace": "N", "MetricName": "m", "StartTime": START, "EndTime": NOW, "Period": 60, **request_}
    with pytest.raises(getattr(cloudwatch.exceptions, kind)) as caught:
        cloudwatch.get_metric_statistics(**asked)
    assert message in caught.value.response["Error"]["Message"]


def test_nothing_of_a_request_is_kept_if_a_part_is_wrong(cloudwatch):
    with pytest.raises(cloudwatch.exceptions.InvalidParameterValueException):
        put(cloudwatch, "Half", {0: [1.0], 1: [float("nan")]})
    assert cloudwatch.list_metrics(Namespace="Half")["Metrics"] == []


def test_what_is_not_emulated_says_so(cloudwatch):
    with pytest.raises(ClientError) as caught:
        cloudwatch.describe_insight_rules()
    assert caught.value.response["Error"]["Code"] == "NotImplemented"


def post(sandbox, path: str, body: bytes, headers: dict[str, str]) -> tuple[int, dict[str, str], bytes]:
    signed = "AWS4-HMAC-SHA256 Credential=sandbox/20260101/us-east-1/monitoring/aws4_request"
    with contextlib.closing(http.client.HTTPConnection(urlsplit(sandbox.url).netloc)) as connection:
        connection.request("POST", path, body=body, headers={**headers, "Authorization": signed})
        answer = connection.getresponse()
        return answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read()


def spoken(sandbox, protocol: str, name: str, **parameters: Any) -> dict[str, Any]:
    """Call an operation in one of the protocols that clients of CloudWatch speak, by botocore's own code."""
    operation = MODEL.operation_model(name)
    wire = create_serializer(protocol).serialize_to_request(parameters, operation)
    body = urlencode(wire["body"]) if isinstance(wire["body"], dict) else wire["body"]
    sent = body.encode() if isinstance(body, str) else bytes(body)
    status, headers, answer = post(sandbox, wire["url_path"], sent, dict(wire["headers"]))
    parts = {"status_code": status, "headers": headers, "body": answer, "context": {"operation_name": name}}
    parts["raw"] = SimpleNamespace(stream=io.BytesIO(answer))
    return create_parser(protocol).parse(parts, operation.output_shape)


@pytest.mark.parametrize("protocol", ["smithy-rpc-v2-cbor", "json", "query"])
def test_every_protocol_of_cloudwatch_is_spoken(sandbox, protocol):
    data = [{"MetricName": "m", "Timestamp": at(0), "Values": [1.0, 3.5], "Counts": [2.0, 1.0], "Unit": "Count"}]
    spoken(sandbox, protocol, "PutMetricData", Namespace=f"Wire {protocol}", MetricData=data)
    window = {"StartTime": START, "EndTime": NOW}
    queries = [metric(f"Wire {protocol}"), {"Id": "e", "Expression": "m1 / 2"}]
    found = spoken(sandbox, protocol, "GetMetricData", MetricDataQueries=queries, **window)
    assert [(one["Id"], one["Values"], one["Timestamps"]) for one in found["MetricDataResults"]] == [
        ("m1", [5.5], [at(0)]),
        ("e", [2.75], [at(0)]),
    ]
    refused = spoken(sandbox, protocol, "PutMetricData", Namespace="AWS/X", MetricData=data)
    assert refused["Error"]["Message"] == "The value AWS/ for parameter Namespace is invalid."
    missing = spoken(sandbox, protocol, "PutMetricAlarm", AlarmName="a")
    assert missing["Error"]["Code"] == "ValidationError"


def test_a_compressed_request_is_read(sandbox, cloudwatch):
    # Clients compress from 10 KB on.
    data = [{"MetricName": "m", "Timestamp": at(0), "Value": 1.0} for _ in range(1000)]
    cloudwatch.put_metric_data(Namespace="Compressed", MetricData=data)
    assert results(cloudwatch, metric("Compressed"))[0]["Values"] == [1000.0]


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"not gzip", 400),
        (gzip.compress(b"x" * 100)[:-9], 400),
        (gzip.compress(b" " * (17 * 1024 * 1024)), 413),
        (os.urandom(1024 * 1024 + 1), 400),
    ],
    ids=["no gzip", "cut", "bomb", "noise"],
)
def test_a_body_that_cannot_be_unpacked_is_refused(sandbox, body, status):
    target = {"X-Amz-Target": "GraniteServiceVersion20100801.PutMetricData", "Content-Encoding": "gzip"}
    assert post(sandbox, "/", body, {**target, "Content-Type": "application/x-amz-json-1.0"})[0] == status


def test_a_put_of_more_than_a_megabyte_is_refused(sandbox):
    target = {"X-Amz-Target": "GraniteServiceVersion20100801.PutMetricData"}
    body = json.dumps({"Namespace": "N" * 1024 * 1024, "MetricData": []}).encode()
    status, _, answer = post(sandbox, "/", body, {**target, "Content-Type": "application/x-amz-json-1.0"})
    assert (status, b"RequestEntityTooLarge" in answer) == (413, True)


@pytest.mark.skipif(shutil.which("aws") is None, reason="the AWS CLI is not installed")
def test_the_command_line_client_puts_and_reads(sandbox, cloudwatch):
    environment = {**os.environ, **client_environment(sandbox.url, sandbox.runtime_url)}

    def aws(*arguments: str) -> dict[str, Any]:
        command = ["aws", "cloudwatch", *arguments, "--output", "json"]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True, timeout=60)
        return json.loads(done.stdout or "{}")

    when = at(0).isoformat()
    aws("put-metric-data", "--namespace", "Shell", "--metric-name", "m", "--value", "2.5", "--timestamp", when,
        "--dimensions", "E=a,V=b", "--unit", "Count")  # fmt: skip
    asked = ("--namespace", "Shell", "--metric-name", "m", "--dimensions", "Name=E,Value=a", "Name=V,Value=b")
    found = aws("get-metric-statistics", *asked, "--start-time", when, "--end-time", NOW.isoformat(), "--period", "60",
                "--extended-statistics", "p90")  # fmt: skip
    assert [point["ExtendedStatistics"] for point in found["Datapoints"]] == [{"p90": 2.5}]
