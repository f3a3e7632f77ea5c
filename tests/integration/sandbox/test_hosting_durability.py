"""Endpoints, jobs and queues are taken up again after a power cut."""

import time

import pytest
from botocore.exceptions import BotoCoreError, ClientError

from tests.hosting import Hosting, keys
from tests.sandboxed import until

JSON = "application/json"


@pytest.fixture
def own_hosting(own_sandbox, hosting) -> Hosting:
    """A sandbox of its own with two of the sample archives, which need not be trained again."""
    there, here = hosting.sandbox.client("s3"), own_sandbox.client("s3")
    here.create_bucket(Bucket="sandbox-samples")
    for key in ("index.json", "digits/model.tar.gz"):
        content = there.get_object(Bucket="sandbox-samples", Key=key)["Body"].read()
        here.put_object(Bucket="sandbox-samples", Key=key, Body=content)
    return Hosting(own_sandbox)


def test_after_a_power_cut_everything_goes_on(own_hosting, script_archive):
    sandbox, s3 = own_hosting.sandbox, own_hosting.sandbox.client("s3")
    s3.put_object(Bucket="sandbox-samples", Key="script.tar.gz", Body=script_archive)
    digits = own_hosting.model(own_hosting.container("digits/model.tar.gz"))
    script = own_hosting.model(
        own_hosting.container("digits/model.tar.gz", ModelDataUrl="s3://sandbox-samples/script.tar.gz")
    )
    output = {"OutputConfig": {"S3OutputPath": "s3://sandbox-samples/out"}}
    client = {"ClientConfig": {"MaxConcurrentInvocationsPerInstance": 1}}
    live = own_hosting.endpoint(own_hosting.config(digits))
    queued = own_hosting.endpoint(own_hosting.config(script, AsyncInferenceConfig={**output, **client}))
    tag = {"Key": "team", "Value": "a"}
    arn = own_hosting.sagemaker.describe_endpoint(EndpointName=live)["EndpointArn"]
    own_hosting.sagemaker.add_tags(ResourceArn=arn, Tags=[tag])
    accepted = [
        own_hosting.runtime.invoke_endpoint_async(EndpointName=queued, Body=b'{"sleep_s": 0.5}', ContentType=JSON)
        for _ in range(3)
    ]
    config = own_hosting.config(digits)
    own_hosting.sagemaker.update_endpoint(EndpointName=live, EndpointConfigName=config)
    own_hosting.sagemaker.create_endpoint(EndpointName="creating", EndpointConfigName=config)

    sandbox.kill()
    sandbox.start_again()

    # A request that comes before the model servers are back waits for them.
    assert own_hosting.digit(live) == "0"
    described = own_hosting.settled(live)
    assert (described["EndpointStatus"], described["EndpointConfigName"]) == ("InService", config)
    assert own_hosting.settled("creating")["EndpointStatus"] == "InService"
    assert own_hosting.digit("creating") == "0"
    assert own_hosting.sagemaker.list_tags(ResourceArn=arn)["Tags"] == [tag]
    outputs = [answer["OutputLocation"].removeprefix("s3://sandbox-samples/") for answer in accepted]
    s3 = sandbox.client("s3")
    until(lambda: set(outputs) <= set(keys(s3, "sandbox-samples", "out/")))


def test_a_runtime_that_dies_is_started_again(own_hosting):
    endpoint = own_hosting.endpoint(own_hosting.config(own_hosting.model(own_hosting.container("digits/model.tar.gz"))))
    assert own_hosting.digit(endpoint) == "0"
    own_hosting.sandbox.kill_runtime()

    def answered() -> str:
        try:
            return own_hosting.digit(endpoint)
        except (ClientError, BotoCoreError):
            return ""

    assert until(answered) == "0"
    assert own_hosting.settled(endpoint)["EndpointStatus"] == "InService"


def test_what_is_under_way_when_the_runtime_dies_begins_again(own_hosting, script_archive):
    sagemaker, s3 = own_hosting.sagemaker, own_hosting.sandbox.client("s3")
    s3.put_object(Bucket="sandbox-samples", Key="script.tar.gz", Body=script_archive)
    s3.put_object(Bucket="sandbox-samples", Key="in/rows", Body=b'{"sleep_s": 0.2}\n' * 5)
    container = own_hosting.container("digits/model.tar.gz", ModelDataUrl="s3://sandbox-samples/script.tar.gz")
    script = own_hosting.model(container)
    before = own_hosting.config(own_hosting.model(own_hosting.container("digits/model.tar.gz")))
    updated, after = own_hosting.endpoint(before), own_hosting.config(script)
    sagemaker.create_transform_job(
        TransformJobName="job",
        ModelName=script,
        TransformInput={
            "DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": "s3://sandbox-samples/in/"}},
            "ContentType": JSON,
            "SplitType": "Line",
        },
        BatchStrategy="SingleRecord",
        TransformOutput={"S3OutputPath": "s3://sandbox-samples/out", "AssembleWith": "Line"},
        TransformResources={"InstanceType": "ml.m5.large", "InstanceCount": 1},
    )
    until(lambda: "TransformStartTime" in sagemaker.describe_transform_job(TransformJobName="job"))
    sagemaker.create_endpoint(EndpointName="created", EndpointConfigName=after)
    sagemaker.update_endpoint(EndpointName=updated, EndpointConfigName=after)

    own_hosting.sandbox.kill_runtime()

    assert own_hosting.settled("created")["EndpointStatus"] == "InService"
    described = own_hosting.settled(updated)
    assert (described["EndpointStatus"], described["EndpointConfigName"]) == ("InService", after)
    assert "FailureReason" not in described
    for endpoint in ("created", updated):
        assert own_hosting.ask(endpoint, '{"sleep_s": 0}', JSON) == '"slept"'
    status = {"InProgress"}
    while status == {"InProgress"}:
        status = {sagemaker.describe_transform_job(TransformJobName="job")["TransformJobStatus"]}
    assert status == {"Completed"}
    assert s3.get_object(Bucket="sandbox-samples", Key="out/rows.out")["Body"].read() == b'"slept"\n' * 5
    # The servers of the job and of the replaced configuration end a moment after the last answer.
    assert until(lambda: len(own_hosting.sandbox.workers()) == 2)


def test_a_start_that_only_the_next_runtime_hears_of_leaves_no_model_server(own_hosting):
    model = own_hosting.model(own_hosting.container("digits/model.tar.gz"))
    endpoint, after = own_hosting.endpoint(own_hosting.config(model)), own_hosting.config(model)
    # What is asked of a runtime that hangs waits at the socket, which the next one takes over.
    own_hosting.sandbox.runtime().suspend()
    own_hosting.sagemaker.update_endpoint(EndpointName=endpoint, EndpointConfigName=after)
    time.sleep(0.5)

    own_hosting.sandbox.kill_runtime()

    assert own_hosting.settled(endpoint)["EndpointConfigName"] == after
    assert own_hosting.digit(endpoint) == "0"
    assert until(lambda: len(own_hosting.sandbox.workers()) == 1)
    assert own_hosting.digit(endpoint) == "0"
