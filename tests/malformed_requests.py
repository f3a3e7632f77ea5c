"""Malformed requests of every protocol, sent to a sandbox over raw sockets: each gets an answer in AWS's form.

`python -m tests.malformed_requests [COUNT]` starts a sandbox, sends that many, and says what went wrong.
"""

import http.client
import json
import random
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit
from xml.etree import ElementTree as ET

from tests import sandboxed

SEED = 20261121
DEFAULT_COUNT = 5_000
JSON_SERVICES = {
    "sagemaker": ("SageMaker", ("CreateModel", "CreateEndpointConfig", "CreateEndpoint", "ListModels", "CreateTransformJob")),
    "athena": ("AmazonAthena", ("StartQueryExecution", "GetQueryResults", "CreateWorkGroup")),
    "glue": ("AWSGlue", ("CreateTable", "GetTables")),
    "ssm": ("AmazonSSM", ("PutParameter", "GetParametersByPath")),
    "sqs": ("AmazonSQS", ("CreateQueue", "SendMessage")),
    "tagging": ("ResourceGroupsTaggingAPI_20170126", ("GetResources", "GetTagKeys", "TagResources")),
}  # fmt: skip
QUERY_SERVICES = {
    "cloudformation": ("CreateStack", "DescribeStacks", "CreateChangeSet"),
    "monitoring": ("PutMetricData", "GetMetricData", "PutMetricAlarm"),
    "sns": ("CreateTopic", "Publish", "Subscribe"),
    "sts": ("AssumeRole", "GetCallerIdentity"),
    "iam": ("CreateRole", "ListRoles"),
}
OURS = ("sagemaker", "athena", "cloudformation", "monitoring", "tagging")
CBOR_OPERATIONS = ("PutMetricData", "GetMetricData", "ListMetrics", "DescribeAlarms", "NoSuchThing")
VALUES = (
    None, True, -1, 2**70, 1e308, "", "x", "\0", "ü" * 300, "a" * 5000, [], [None], {}, {"a": {"b": []}}, "../../etc",
    "arn:aws:s3:::x", "s3://", "$[?]", "'; DROP TABLE", 0.1, [[[]]], {"": ""},
)  # fmt: skip
NAMES = (
    "ModelName", "EndpointName", "EndpointConfigName", "ProductionVariants", "PrimaryContainer", "QueryString",
    "DatabaseInput", "TableInput", "NextToken", "MaxResults", "Tags", "MetricData", "StackName", "TemplateBody",
    "Name", "TopicArn", "TransformJobName", "TransformInput", "CreationTimeBefore", "Unknown",
    "ResourceARNList", "TagFilters", "PaginationToken",
)  # fmt: skip


class Sent:
    """One request."""

    def __init__(self, port: str, method: str, path: str, headers: dict[str, str], body: bytes) -> None:
        self.port, self.method, self.path, self.headers, self.body = port, method, path, headers, body

    def __repr__(self) -> str:
        return f"{self.port} {self.method} {self.path[:80]!r} {self.headers} {self.body[:120]!r}"


def signed(service: str) -> dict[str, str]:
    return {"Authorization": f"AWS4-HMAC-SHA256 Credential=x/20260101/us-east-1/{service}/aws4_request, Signature=0"}


def noise(dice: random.Random, most: int = 200) -> bytes:
    return dice.randbytes(dice.randrange(most))


def damaged(dice: random.Random, body: bytes) -> bytes:
    """Leave a body as it is, cut it, or change some of its bytes."""
    match dice.randrange(4):
        case 0:
            return body[: dice.randrange(len(body) + 1)]
        case 1:
            changed = bytearray(body or b"{")
            for _ in range(3):
                changed[dice.randrange(len(changed))] = dice.randrange(256)
            return bytes(changed)
        case _:
            return body


def json_request(dice: random.Random) -> Sent:
    service = dice.choice(list(JSON_SERVICES))
    prefix, operations = JSON_SERVICES[service]
    operation = dice.choice([*operations, "NoSuchThing", ""])
    parameters = {name: dice.choice(VALUES) for name in dice.sample(NAMES, dice.randrange(6))}
    body = dice.choice([json.dumps(parameters).encode(), b"[]", b"null", b"[" * 3000, noise(dice)])
    headers = {**signed(service), "X-Amz-Target": f"{prefix}.{operation}", "Content-Type": "application/x-amz-json-1.1"}
    return Sent("control", "POST", "/", headers, damaged(dice, body))


def query_request(dice: random.Random) -> Sent:
    service = dice.choice(list(QUERY_SERVICES))
    action = dice.choice([*QUERY_SERVICES[service], "NoSuchThing", ""])
    fields = [f"Action={action}", "Version=2010-05-08"]
    for _ in range(dice.randrange(5)):
        suffix = dice.choice(["", ".member.1", ".member.x", ".member.1.a", ".entry.1.key", "..", ".1.2.3"])
        fields.append(f"{dice.choice(NAMES)}{suffix}={dice.choice(['', 'x', '-1', '%00', '%ff', 'a' * 500])}")
    headers = {**signed(service), "Content-Type": "application/x-www-form-urlencoded"}
    return Sent("control", "POST", "/", headers, damaged(dice, "&".join(fields).encode()))


def cbor_request(dice: random.Random) -> Sent:
    path = f"/service/GraniteServiceVersion20100801/operation/{dice.choice(CBOR_OPERATIONS)}"
    body = dice.choice(
        [b"", b"\xa0", b"\xbf\xff", b"\xa1jMetricData\x80", b"\x9f" * 2000, b"\x5b" + b"\xff" * 8, noise(dice)]
    )
    headers = {**signed("monitoring"), "smithy-protocol": "rpc-v2-cbor", "Content-Type": "application/cbor"}
    return Sent("control", "POST", path, headers, damaged(dice, body))


def object_request(dice: random.Random) -> Sent:
    key = dice.choice(
        ["", "k", "a/../b", "%00", "%zz", "x" * 2000, "?uploads", "?delete", "?uploadId=1&partNumber=x", "?policy"]
    )
    bucket = dice.choice(["", "no-such-bucket", "UPPER", "a", "x" * 100, "%20", ".."])
    method = dice.choice(["GET", "PUT", "POST", "DELETE", "HEAD", "PATCH", "BREW"])
    return Sent("control", method, f"/{bucket}/{key}", {**signed("s3"), "Content-MD5": "x"}, noise(dice))


def invocation(dice: random.Random) -> Sent:
    operation = dice.choice(["invocations", "async-invocations", "invocations-response-stream", "x", ""])
    name = dice.choice(["none", "-", "x" * 100, "%00", "..", "a b".replace(" ", "%20")])
    headers = {**signed("sagemaker"), "X-Amzn-SageMaker-Target-Model": dice.choice(["", "x", "../x"])}
    return Sent("runtime", dice.choice(["POST", "GET", "PUT"]), f"/endpoints/{name}/{operation}", headers, noise(dice))


def unsigned(dice: random.Random) -> Sent:
    headers = {
        "Authorization": dice.choice(["", "AWS4-HMAC-SHA256", "AWS4-HMAC-SHA256 Credential=a/b/c", "Basic x", "\t"])
    }
    path = dice.choice(
        ["/", "/-/metrics", "/-/fleets/x", "/moto-api/reset", "/x?X-Amz-Credential=a%2Fb", "/favicon.ico"]
    )
    return Sent(
        dice.choice(["control", "runtime"]), dice.choice(["GET", "POST", "OPTIONS"]), path, headers, noise(dice)
    )


KINDS: tuple[Callable[[random.Random], Sent], ...] = (
    json_request, query_request, cbor_request, object_request, invocation, unsigned,
)  # fmt: skip


def requests(count: int) -> Iterator[Sent]:
    """Give requests; the same each time."""
    dice = random.Random(SEED)  # noqa: S311 (the same requests each time)
    for number in range(count):
        yield KINDS[number % len(KINDS)](dice)


def fault(sent: Sent, status: int, headers: dict[str, str], body: bytes) -> str | None:
    """Say what is wrong with an answer: a fault of the sandbox, or an error that no client of AWS understands."""
    if status == 500 and any(f"/{service}/aws4_request" in sent.headers.get("Authorization", "") for service in OURS):
        return "a fault of the sandbox"
    if status < 300 or sent.method == "HEAD" or not body or status in {304, 307}:
        return None
    kind = headers.get("content-type", "")
    if "cbor" in kind:
        return None if b"__type" in body else "CBOR without a type"
    if "json" in kind:
        document = json.loads(body)
        return None if "__type" in document or "x-amzn-errortype" in headers else "JSON without a type"
    try:
        elements = {element.tag.rpartition("}")[2] for element in ET.fromstring(body).iter()}  # noqa: S314 (our own answer)
    except ET.ParseError:
        return f"neither JSON nor XML: {body[:80]!r}"
    return None if "Code" in elements else "XML without a code"


def send_all(sandbox: sandboxed.Sandbox, count: int) -> list[str]:
    """Send requests; gives what was wrong with the answers."""
    faults = []
    addresses = {"control": urlsplit(sandbox.url).netloc, "runtime": urlsplit(sandbox.runtime_url).netloc}
    connections = {port: http.client.HTTPConnection(address, timeout=20) for port, address in addresses.items()}
    for sent in requests(count):
        connection = connections[sent.port]
        try:
            connection.request(sent.method, sent.path, body=sent.body, headers=sent.headers)
            answer = connection.getresponse()
            headers = {name.lower(): value for name, value in answer.getheaders()}
            wrong = fault(sent, answer.status, headers, answer.read())
        except http.client.HTTPException as err:
            connection.close()
            wrong = f"no answer: {err!r}"
        except (ConnectionError, ValueError) as err:
            connection.close()
            # What the client itself refuses to send, or what the server hangs up on, is not an answer in a wrong form.
            wrong = None if isinstance(err, ValueError) else f"no answer: {err!r}"
        if wrong:
            faults.append(f"{wrong}: {sent!r}")
    for connection in connections.values():
        connection.close()
    return faults


def main() -> int:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else DEFAULT_COUNT
    with tempfile.TemporaryDirectory() as folder:
        sandbox = sandboxed.start(Path(folder))
        try:
            faults = send_all(sandbox, count)
            account = sandbox.client("sts").get_caller_identity()["Account"]
        finally:
            sandbox.stop()
    print("\n".join(faults[:50]))
    print(f"{count} malformed requests, {len(faults)} wrong answers; afterwards it says its account is {account}")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
