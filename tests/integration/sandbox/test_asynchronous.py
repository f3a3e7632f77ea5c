import json

import pytest
from botocore.exceptions import ClientError

from tests.hosting import keys
from tests.sandboxed import until

BUCKET = "asynchronous"


@pytest.fixture(scope="session")
def s3(sandbox):
    s3 = sandbox.client("s3")
    s3.create_bucket(Bucket=BUCKET)
    return s3


@pytest.fixture(scope="session")
def topics(sandbox) -> dict[str, tuple[str, str]]:
    """Two topics, each with a queue that keeps its notices: name -> topic's ARN and queue's address."""
    sns, sqs = sandbox.client("sns"), sandbox.client("sqs")
    made = {}
    for name in ("success", "error"):
        topic = sns.create_topic(Name=f"async-{name}")["TopicArn"]
        queue = sqs.create_queue(QueueName=f"async-{name}")["QueueUrl"]
        arn = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)
        made[name] = (topic, queue)
    return made


@pytest.fixture(scope="session")
def endpoint(hosting, s3, topics, script_model) -> str:
    output = {
        "S3OutputPath": f"s3://{BUCKET}/out",
        "S3FailurePath": f"s3://{BUCKET}/failed",
        "NotificationConfig": {
            "SuccessTopic": topics["success"][0],
            "ErrorTopic": topics["error"][0],
            "IncludeInferenceResponseIn": ["SUCCESS_NOTIFICATION_TOPIC"],
        },
    }
    client = {"MaxConcurrentInvocationsPerInstance": 2}
    config = hosting.config(script_model, AsyncInferenceConfig={"OutputConfig": output, "ClientConfig": client})
    return hosting.endpoint(config)


def notice(sandbox, queue: str, inference_id: str) -> dict:
    """Wait for the notice of a request, and give it; those of others that come before it are dropped."""
    sqs = sandbox.client("sqs")

    def received() -> dict | None:
        for message in sqs.receive_message(QueueUrl=queue).get("Messages", []):
            sqs.delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])
            said = json.loads(json.loads(message["Body"])["Message"])
            if said["inferenceId"] == inference_id:
                return said
        return None

    return until(received, every_s=0.2)


def read(s3, uri: str) -> str:
    bucket, _, key = uri.removeprefix("s3://").partition("/")
    until(lambda: keys(s3, bucket, key))
    return s3.get_object(Bucket=bucket, Key=key)["Body"].read().decode()


def test_a_result_lands_in_s3_and_on_the_topic(hosting, s3, topics, endpoint):
    s3.put_object(Bucket=BUCKET, Key="in/1.json", Body=b'{"sleep_s": 0.01}')
    accepted = hosting.runtime.invoke_endpoint_async(
        EndpointName=endpoint,
        InputLocation=f"s3://{BUCKET}/in/1.json",
        ContentType="application/json",
        InferenceId="order-7",
    )
    assert accepted["ResponseMetadata"]["HTTPStatusCode"] == 202
    assert accepted["InferenceId"] == "order-7"
    assert accepted["OutputLocation"].startswith(f"s3://{BUCKET}/out/")
    assert accepted["FailureLocation"].startswith(f"s3://{BUCKET}/failed/")
    assert read(s3, accepted["OutputLocation"]) == '"slept"'
    said = notice(hosting.sandbox, topics["success"][1], "order-7")
    assert said["invocationStatus"] == "Completed"
    assert said["requestParameters"]["inputLocation"] == f"s3://{BUCKET}/in/1.json"
    assert said["responseParameters"]["outputLocation"] == accepted["OutputLocation"]
    assert said["responseParameters"]["body"]["content"] == '"slept"'


def test_a_body_may_come_with_the_request(hosting, s3, endpoint):
    accepted = hosting.runtime.invoke_endpoint_async(
        EndpointName=endpoint,
        Body=b'{"sleep_s": 0}',
        ContentType="application/json",
        S3OutputPathExtension="mine",
        Filename="answer.json",
    )
    assert accepted["OutputLocation"] == f"s3://{BUCKET}/out/mine/answer.json"
    assert read(s3, accepted["OutputLocation"]) == '"slept"'


@pytest.mark.parametrize(
    ("body", "reason"),
    [(b'{"raise": 1}', "I was told to"), (b'{"die": 1}', "ended while it answered"), (None, "can't be read")],
    ids=["raises", "dies", "no input"],
)
def test_a_failure_lands_in_s3_and_on_the_topic(hosting, s3, topics, endpoint, body, reason):
    asked = {"Body": body} if body else {"InputLocation": f"s3://{BUCKET}/in/nothing"}
    accepted = hosting.runtime.invoke_endpoint_async(EndpointName=endpoint, ContentType="application/json", **asked)
    assert reason in read(s3, accepted["FailureLocation"])
    said = notice(hosting.sandbox, topics["error"][1], accepted["InferenceId"])
    assert said["invocationStatus"] == "Failed"
    assert reason in said["failureReason"]
    bucket, _, key = accepted["OutputLocation"].removeprefix("s3://").partition("/")
    assert keys(s3, bucket, key) == []


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({}, "Give either InputLocation or Body"),
        ({"InputLocation": "s3://a/b", "Body": b"1"}, "Give either InputLocation or Body"),
        ({"InputLocation": "ftp://a/b"}, "Invalid InputLocation"),
        ({"Body": b"1", "InvocationTimeoutSeconds": 4000}, "must be between 1 and 3600, got 4000"),
    ],
    ids=str,
)
def test_a_request_that_is_wrong_is_refused(hosting, endpoint, asked, said):
    with pytest.raises(ClientError, match=said):
        hosting.runtime.invoke_endpoint_async(EndpointName=endpoint, **asked)


def test_the_endpoint_takes_no_other_requests(hosting, endpoint):
    with pytest.raises(ClientError, match="use InvokeEndpointAsync"):
        hosting.ask(endpoint, "{}", "application/json")
