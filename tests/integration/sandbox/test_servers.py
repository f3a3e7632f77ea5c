"""Model servers as containers: a user's script, streams, captured data, limits, nothing of the app's."""

import contextlib
import json
import threading
from collections import Counter
from pathlib import Path

import pytest
from botocore.exceptions import ClientError, EventStreamError

from tests.hosting import keys
from tests.sandboxed import ROLE, until

BUCKET = "captured"
JSON = "application/json"


@pytest.fixture(scope="session")
def endpoint(hosting, script_model) -> str:
    """A script on a small instance, whose requests are captured."""
    hosting.sandbox.client("s3").create_bucket(Bucket=BUCKET)
    capture = {
        "EnableCapture": True,
        "InitialSamplingPercentage": 100,
        "DestinationS3Uri": f"s3://{BUCKET}/data",
        "CaptureOptions": [{"CaptureMode": "Input"}, {"CaptureMode": "Output"}],
        "CaptureContentTypeHeader": {"JsonContentTypes": [JSON]},
    }
    small = {"VariantName": "AllTraffic", "InstanceType": "ml.t2.medium", "InitialInstanceCount": 1}
    return hosting.endpoint(hosting.config(script_model, variant=small, DataCaptureConfig=capture))


def test_a_script_gets_its_model_and_the_headers(hosting, endpoint):
    answer = json.loads(hosting.ask(endpoint, "{}", JSON, CustomAttributes="trace=1", InferenceId="me"))
    assert answer["opened"] == ["code", "weights.bin"]
    assert answer["headers"]["x-amzn-sagemaker-custom-attributes"] == "trace=1"
    assert answer["headers"]["x-amzn-sagemaker-inference-id"] == "me"


def test_a_server_has_none_of_the_credentials(hosting, endpoint):
    names = json.loads(hosting.ask(endpoint, '{"environment": 1}', JSON))
    assert [name for name in names if "AWS" in name or "TOKEN" in name or "SECRET" in name or "HOSTFIT" in name] == []


def test_a_server_has_neither_the_port_nor_the_state_folder_of_the_runtime(sandbox, hosting, endpoint):
    hosting.ask(endpoint, '{"sleep_s": 0}', JSON)
    workers = sandbox.workers()
    assert workers
    assert [connection for worker in workers for connection in worker.net_connections("tcp")] == []
    held = sandbox.settings.folder / "held"
    assert [
        path for worker in workers for path in Path(f"/proc/{worker.pid}/fd").iterdir() if path.resolve() == held
    ] == []


def test_requests_are_captured_as_model_monitor_reads_them(hosting, endpoint):
    s3 = hosting.sandbox.client("s3")
    hosting.ask(endpoint, '{"sleep_s": 0}', JSON, InferenceId="order-9")

    def lines() -> list[dict]:
        files = keys(s3, BUCKET, f"data/{endpoint}/AllTraffic/")
        bodies = [s3.get_object(Bucket=BUCKET, Key=key)["Body"].read().decode() for key in files]
        found = [json.loads(line) for body in bodies for line in body.splitlines()]
        return [line for line in found if line["eventMetadata"].get("inferenceId") == "order-9"]

    (line,) = until(lines)
    assert line["captureData"] == {
        "endpointInput": {"observedContentType": JSON, "mode": "INPUT", "data": '{"sleep_s": 0}', "encoding": "JSON"},
        "endpointOutput": {"observedContentType": JSON, "mode": "OUTPUT", "data": '"slept"', "encoding": "JSON"},
    }
    assert line["eventVersion"] == "0"


def test_an_answer_comes_in_parts(hosting, endpoint):
    answer = hosting.runtime.invoke_endpoint_with_response_stream(
        EndpointName=endpoint, Body=b'{"words": ["one", "two", "three"]}', ContentType=JSON
    )
    parts = [event["PayloadPart"]["Bytes"].decode() for event in answer["Body"]]
    assert parts == ["one ", "two ", "three "]
    assert answer["InvokedProductionVariant"] == "AllTraffic"


def test_an_answer_that_breaks_off_says_so(hosting, endpoint):
    answer = hosting.runtime.invoke_endpoint_with_response_stream(
        EndpointName=endpoint, Body=b'{"words": ["one", 2]}', ContentType=JSON
    )
    with contextlib.closing(answer["Body"]) as parts, pytest.raises(EventStreamError, match="ModelStreamError"):
        list(parts)


def test_a_script_that_raises_is_a_model_error_with_its_words(hosting, endpoint):
    with pytest.raises(ClientError, match="RuntimeError: I was told to") as caught:
        hosting.ask(endpoint, '{"raise": 1}', JSON)
    assert caught.value.response["OriginalStatusCode"] == 500


def test_a_server_that_dies_comes_back(hosting, endpoint):
    with pytest.raises(ClientError, match="ended while it answered"):
        hosting.ask(endpoint, '{"die": 1}', JSON)
    with pytest.raises(ClientError, match="ended while it answered") as caught:
        hosting.runtime.invoke_endpoint_with_response_stream(
            EndpointName=endpoint, Body=b'{"die": 1}', ContentType=JSON
        )
    assert caught.value.response["Error"]["Code"] == "ModelError"
    assert hosting.ask(endpoint, '{"sleep_s": 0}', JSON) == '"slept"'


def test_a_server_gets_no_more_memory_than_its_instance_has(hosting, script_model):
    serverless = {"VariantName": "AllTraffic", "ServerlessConfig": {"MemorySizeInMB": 1024, "MaxConcurrency": 2}}
    endpoint = hosting.endpoint(hosting.config(script_model, variant=serverless))
    with pytest.raises(ClientError, match="ended while it answered"):
        hosting.ask(endpoint, '{"megabytes": 1200}', JSON)
    assert hosting.ask(endpoint, '{"sleep_s": 0}', JSON) == '"slept"'


def test_more_requests_at_once_than_a_serverless_endpoint_takes_are_throttled(hosting, script_model):
    serverless = {"VariantName": "AllTraffic", "ServerlessConfig": {"MemorySizeInMB": 1024, "MaxConcurrency": 2}}
    endpoint = hosting.endpoint(hosting.config(script_model, variant=serverless))
    heard: Counter[str] = Counter()

    def ask() -> None:
        try:
            heard[hosting.ask(endpoint, '{"sleep_s": 1}', JSON)] += 1
        except ClientError as err:
            heard[err.response["Error"]["Code"]] += 1

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert heard == {'"slept"': 2, "ThrottlingException": 2}


def test_inference_components_share_an_endpoint(hosting, script_model):
    name = hosting.name("config")
    hosting.sagemaker.create_endpoint_config(
        EndpointConfigName=name,
        ExecutionRoleArn=ROLE,
        ProductionVariants=[{"VariantName": "AllTraffic", "InstanceType": "ml.m5.large", "InitialInstanceCount": 1}],
    )
    endpoint = hosting.endpoint(name)
    container = hosting.container("iris/model.tar.gz")
    needs = {"ComputeResourceRequirements": {"MinMemoryRequiredInMb": 256}}
    specifications = {
        "flowers": {"Container": {"Image": container["Image"], "ArtifactUrl": container["ModelDataUrl"]}, **needs},
        "script": {"ModelName": script_model, **needs},
    }
    components = {kind: hosting.name(kind) for kind in specifications}
    for kind, component in components.items():
        hosting.sagemaker.create_inference_component(
            InferenceComponentName=component,
            EndpointName=endpoint,
            VariantName="AllTraffic",
            Specification=specifications[kind],
            RuntimeConfig={"CopyCount": 1},
        )

    def status(component: str) -> str:
        described = hosting.sagemaker.describe_inference_component(InferenceComponentName=component)
        return described["InferenceComponentStatus"]

    for component in components.values():
        until(lambda component=component: status(component) == "InService")
    flower = hosting.ask(endpoint, "5.1,3.5,1.4,0.2", InferenceComponentName=components["flowers"])
    assert flower == "[0]"
    assert hosting.ask(endpoint, '{"sleep_s": 0}', JSON, InferenceComponentName=components["script"]) == '"slept"'
    with pytest.raises(ClientError, match="is not on endpoint"):
        hosting.ask(endpoint, "1,2,3,4", InferenceComponentName="nobody")
    listed = hosting.sagemaker.list_inference_components(EndpointNameEquals=endpoint)["InferenceComponents"]
    assert {entry["InferenceComponentName"] for entry in listed} == set(components.values())
    hosting.sagemaker.update_inference_component_runtime_config(
        InferenceComponentName=components["flowers"], DesiredRuntimeConfig={"CopyCount": 3}
    )
    described = hosting.sagemaker.describe_inference_component(InferenceComponentName=components["flowers"])
    assert described["RuntimeConfig"] == {"DesiredCopyCount": 3, "CurrentCopyCount": 3}
    hosting.sagemaker.delete_inference_component(InferenceComponentName=components["flowers"])
    until(
        lambda: (
            len(hosting.sagemaker.list_inference_components(EndpointNameEquals=endpoint)["InferenceComponents"]) == 1
        )
    )
    hosting.gone(endpoint)
