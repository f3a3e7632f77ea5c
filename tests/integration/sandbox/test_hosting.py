"""Every way of hosting a model: created, invoked, deleted."""

import json

import pytest
from botocore.exceptions import ClientError

from sandbox.settings import SAMPLES_BUCKET
from tests.hosting import ECR

CAR = "ford,3.5,42000"


def test_a_scikit_learn_model_answers_and_is_deleted(hosting):
    endpoint = hosting.endpoint(hosting.config(hosting.model(hosting.container("iris/model.tar.gz"))))
    assert hosting.ask(endpoint, "5.1,3.5,1.4,0.2\n6.3,3.3,6,2.5") == "[0, 2]"
    assert hosting.ask(endpoint, '{"instances": [[5.1, 3.5, 1.4, 0.2]]}', "application/json", Accept="text/csv") == "0"
    hosting.gone(endpoint)
    with pytest.raises(ClientError, match=f"Endpoint {endpoint} of account 000000000000 not found."):
        hosting.ask(endpoint, "1,2,3,4")


def test_an_onnx_model_answers_with_its_outputs_by_name(hosting):
    endpoint = hosting.endpoint(hosting.config(hosting.model(hosting.container("digits/model.tar.gz"))))
    answer = json.loads(hosting.ask(endpoint, hosting.samples["digits/model.tar.gz"]["request"]))
    assert answer["label"] == [0]
    assert sum(answer["probabilities"][0]) == pytest.approx(1)


def test_a_pipeline_passes_the_body_through_its_containers(hosting):
    model = hosting.model(
        hosting.container(
            "used-cars/preprocess/model.tar.gz", Environment={"SAGEMAKER_DEFAULT_INVOCATIONS_ACCEPT": "text/csv"}
        ),
        hosting.container("used-cars/price/model.tar.gz"),
    )
    endpoint = hosting.endpoint(hosting.config(model))
    price_usd = float(hosting.ask(endpoint, CAR))
    assert 4_000 < price_usd < 12_000
    with pytest.raises(ClientError, match=r"Received client error \(400\) from container-1 with message"):
        hosting.ask(endpoint, "ford")


def test_direct_invocation_asks_the_container_that_is_named(hosting):
    model = hosting.model(
        hosting.container("iris/model.tar.gz", ContainerHostname="flowers"),
        hosting.container("digits/model.tar.gz", ContainerHostname="digits"),
        InferenceExecutionConfig={"Mode": "Direct"},
    )
    endpoint = hosting.endpoint(hosting.config(model))
    assert hosting.ask(endpoint, "5.1,3.5,1.4,0.2", TargetContainerHostname="flowers") == "[0]"
    digit = hosting.samples["digits/model.tar.gz"]["request"]
    assert json.loads(hosting.ask(endpoint, digit, TargetContainerHostname="digits"))["label"] == [0]
    with pytest.raises(ClientError, match="TargetContainerHostname is required"):
        hosting.ask(endpoint, digit)
    with pytest.raises(ClientError, match="TargetContainerHostname must be one of: digits, flowers"):
        hosting.ask(endpoint, digit, TargetContainerHostname="cats")


def test_a_multi_model_endpoint_serves_a_model_that_was_added_later(hosting):
    prefix = f"s3://{SAMPLES_BUCKET}/forecasters/"
    container = hosting.container("forecasters/customer-000.tar.gz", ModelDataUrl=prefix, Mode="MultiModel")
    endpoint = hosting.endpoint(hosting.config(hosting.model(container)))

    def forecast(target: str) -> dict:
        return json.loads(hosting.ask(endpoint, '{"period": 7}', "application/json", TargetModel=target))

    assert forecast("customer-003.tar.gz")["customer_id"] == 3
    assert len(forecast("customer-017.tar.gz")["kwh"]) == 7
    with pytest.raises(
        ClientError, match=r"Failed to download model data\(bucket: sandbox-samples, key: forecasters/new"
    ):
        forecast("new.tar.gz")
    source = {"Bucket": SAMPLES_BUCKET, "Key": "forecasters/customer-001.tar.gz"}
    hosting.sandbox.client("s3").copy_object(Bucket=SAMPLES_BUCKET, Key="forecasters/new.tar.gz", CopySource=source)
    assert forecast("new.tar.gz")["customer_id"] == 1
    hosting.sandbox.client("s3").delete_object(Bucket=SAMPLES_BUCKET, Key="forecasters/new.tar.gz")
    with pytest.raises(ClientError, match="the target model header is required"):
        hosting.ask(endpoint, '{"period": 7}', "application/json")


def test_what_can_not_be_run_fails_with_a_reason(hosting):
    unknown = hosting.container("iris/model.tar.gz", Image="000000000000.dkr.ecr.us-east-1.amazonaws.com/my-own:1")
    gpu = {"InstanceType": "ml.g5.xlarge", "InitialInstanceCount": 1}
    missing = hosting.container("iris/model.tar.gz", ModelDataUrl=f"s3://{SAMPLES_BUCKET}/nothing.tar.gz")
    empty = hosting.container("forecasters/customer-000.tar.gz", Image=f"{ECR}/sagemaker-xgboost:1.7-1",
                              ModelDataUrl=hosting.samples["digits/model.tar.gz"]["uri"])  # fmt: skip
    cases = [
        (hosting.config(hosting.model(unknown)), "can't run the image 000000000000.dkr.ecr"),
        (hosting.config(hosting.model(hosting.container("iris/model.tar.gz")), variant=gpu), "ml.g5.xlarge has accel"),
        (hosting.config(hosting.model(missing)), "Failed to download model data"),
        (hosting.config(hosting.model(empty)), "did not pass the ping health check"),
    ]
    for config, reason in cases:
        name = hosting.name("endpoint")
        hosting.sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=config)
        described = hosting.settled(name)
        assert described["EndpointStatus"] == "Failed"
        assert reason in described["FailureReason"]
        hosting.gone(name)


@pytest.mark.parametrize(
    ("body", "content_type", "status", "said"),
    [
        ("a,b", "text/csv", 400, "could not convert"),
        ("1,2", "text/csv", 400, "2 features"),
        ("{", "application/json", 400, "The body is not application/json"),
        ("x", "image/png", 415, "Content-type image/png not supported"),
    ],
)
def test_what_the_model_refuses_is_a_model_error(hosting, iris, body, content_type, status, said):
    with pytest.raises(ClientError) as caught:
        hosting.ask(iris, body, content_type)
    answer = caught.value.response
    assert answer["Error"]["Code"] == "ModelError"
    assert answer["OriginalStatusCode"] == status
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 424
    assert said in answer["OriginalMessage"]
    assert answer["Error"]["Message"].startswith(f"Received client error ({status}) from primary with message")


def test_a_body_that_is_too_large_is_refused(hosting, iris):
    with pytest.raises(ClientError) as caught:
        hosting.ask(iris, b"1" * 6_291_457)
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 413


def test_a_header_of_another_kind_of_endpoint_is_refused(hosting, iris):
    with pytest.raises(ClientError, match="is not a multi-model endpoint and does not support target model header"):
        hosting.ask(iris, "1,2,3,4", TargetModel="x.tar.gz")
    with pytest.raises(ClientError, match="does not support TargetContainerHostname"):
        hosting.ask(iris, "1,2,3,4", TargetContainerHostname="x")
    with pytest.raises(ClientError, match=f"Variant Other not found for Endpoint {iris}"):
        hosting.ask(iris, "1,2,3,4", TargetVariant="Other")
    with pytest.raises(ClientError, match="does not support asynchronous inference"):
        hosting.runtime.invoke_endpoint_async(EndpointName=iris, InputLocation="s3://a/b")
