import contextlib
import http.client
import json
import stat
import urllib.error
import urllib.request
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from botocore.exceptions import ClientError

from sandbox.faults import Fault, Faults


def test_who_am_i_names_the_account(sandbox):
    assert sandbox.client("sts").get_caller_identity()["Account"] == "000000000000"


def test_it_listens_on_loopback_only(sandbox):
    for url in (sandbox.url, sandbox.runtime_url):
        port = urlsplit(url).port
        sockets = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()]
        listening = {fields[1] for fields in sockets if fields[3] == "0A"}
        assert {entry for entry in listening if entry.endswith(f":{port:04X}")} == {f"0100007F:{port:04X}"}


def ask(sandbox, **headers: str) -> tuple[int, str]:
    signed = "AWS4-HMAC-SHA256 Credential=sandbox/20260101/us-east-1/sts/aws4_request"
    with contextlib.closing(http.client.HTTPConnection(urlsplit(sandbox.url).netloc)) as connection:
        connection.request(
            "POST",
            "/",
            body="Action=GetCallerIdentity&Version=2011-06-15",
            headers={"Authorization": signed, "Content-Type": "application/x-www-form-urlencoded", **headers},
        )
        answer = connection.getresponse()
        return answer.status, answer.read().decode()


@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "evil.example"},
        {"Host": "127.0.0.1.evil.example"},
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://127.0.0.1:8501"},
        {"Sec-Fetch-Site": "cross-site"},
    ],
    ids=str,
)
def test_pages_of_other_sites_are_refused(sandbox, headers):
    status, body = ask(sandbox, **headers)
    assert status == 403
    assert "<Code>AccessDenied</Code>" in body


def test_its_own_names_are_taken(sandbox):
    port = urlsplit(sandbox.url).port
    assert [ask(sandbox, Host=f"{name}:{port}")[0] for name in ("localhost", "127.0.0.1", "[::1]")] == [200] * 3


def test_no_answer_invites_other_sites(sandbox):
    with urllib.request.urlopen(f"{sandbox.url}/-/health") as answer:
        assert "Access-Control-Allow-Origin" not in answer.headers


def refused(url: str, data: bytes | None = None) -> tuple[int, bytes]:
    with pytest.raises(urllib.error.HTTPError) as caught:
        urllib.request.urlopen(url, data=data)
    with caught.value as answer:
        return answer.code, answer.read()


def test_an_unsigned_request_is_refused(sandbox):
    status, body = refused(f"{sandbox.url}/bucket/key")
    assert status == 403
    assert b"MissingAuthenticationToken" in body


def test_the_inner_doors_need_the_token(sandbox):
    status, _ = refused(f"{sandbox.url}/-/metrics", data=b'{"region": "us-east-1", "rows": []}')
    assert status == 403


@pytest.mark.parametrize(
    ("service", "operation", "arguments", "named"),
    [
        ("ec2", "describe_vpcs", {}, "the service ec2"),
        ("sns", "list_sms_sandbox_phone_numbers", {}, "sns:ListSMSSandboxPhoneNumbers"),
    ],
)
def test_what_is_not_emulated_says_so(sandbox, service, operation, arguments, named):
    with pytest.raises(ClientError) as caught:
        getattr(sandbox.client(service), operation)(**arguments)
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 501
    assert caught.value.response["Error"]["Code"] == "NotImplemented"
    assert caught.value.response["Error"]["Message"] == f"The sandbox does not emulate {named}. AWS does."


def test_a_notification_reaches_its_queue(sandbox):
    sns, sqs = sandbox.client("sns"), sandbox.client("sqs")
    topic = sns.create_topic(Name="news")["TopicArn"]
    queue = sqs.create_queue(QueueName="inbox")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)
    sns.publish(TopicArn=topic, Message="hello")
    (message,) = sqs.receive_message(QueueUrl=queue)["Messages"]
    assert json.loads(message["Body"])["Message"] == "hello"


@pytest.mark.parametrize(
    ("fault", "code"), [(Fault.THROTTLING, "ThrottlingException"), (Fault.EXPIRED, "ExpiredTokenException")]
)
def test_a_fault_is_on_until_it_is_turned_off(sandbox, fault, code):
    faults = Faults(sandbox.settings.folder)
    faults.turn(fault, on=True)
    try:
        with pytest.raises(ClientError) as caught:
            sandbox.client("sts").get_caller_identity()
        assert caught.value.response["Error"]["Code"] == code
    finally:
        faults.turn(fault, on=False)
    assert sandbox.client("sts").get_caller_identity()["Account"] == "000000000000"


def test_the_state_is_private(sandbox):
    assert stat.S_IMODE(sandbox.settings.folder.stat().st_mode) == 0o700
    readable = [path for path in sandbox.settings.folder.rglob("*") if path.stat().st_mode & 0o077 and path.is_file()]
    assert readable == []
