"""Endpoints of the sandbox are asked at once and through a queue, and transform jobs are started once."""

import json
from dataclasses import replace

import pytest

from fitness.errors import InputError
from launch import jobs, samples
from launch.errors import CloudError, FailedError
from launch.invoke import Call, answer_of, examples, invoke, invoke_async, own_request
from launch.request import Model, Request, Transform, Variant
from launch.template_batch import job
from sandbox.samples.archive import model_archive
from sandbox.settings import ACCOUNT, REGION, SAMPLES_BUCKET
from tests.sandboxed import until

BUCKET = "launched"
ECHO = b"""
import time

def model_fn(folder):
    return folder

def input_fn(body, content_type):
    if body == "fail":
        raise RuntimeError("I was told to")
    if body == "slow":
        time.sleep(1)
    return body

def predict_fn(data, model):
    return data

def output_fn(prediction, accept):
    return prediction
"""


def request(option: str, *models: Model, name: str = "x", **members) -> Request:
    return Request(
        name=name,
        option=option,
        region=REGION,
        configuration={"instance_type": "ml.m5.large"},
        models=models,
        **members,
    )


@pytest.fixture(scope="session")
def s3(hosting):
    s3 = hosting.sandbox.client("s3")
    s3.create_bucket(Bucket=BUCKET)
    s3.put_object(Bucket=BUCKET, Key="echo/model.tar.gz", Body=model_archive({"code/inference.py": ECHO}))
    return s3


@pytest.fixture(scope="session")
def echo(hosting, s3) -> str:
    """A model that answers with what it was asked."""
    return hosting.model(hosting.container("iris/model.tar.gz", ModelDataUrl=f"s3://{BUCKET}/echo/model.tar.gz"))


def test_a_sample_answers_its_own_request_and_its_time_is_told(hosting, iris):
    asked = request("real_time", Model(source="sample:iris"), name=iris)
    answer = answer_of(hosting.sandbox.client, asked, own_request(hosting.sandbox.client, asked))
    assert (json.loads(answer.text), answer.content_type) == ([0], "application/json")
    assert answer.variant == "AllTraffic"
    assert answer.latency_s > 0


def test_a_variant_of_ones_own_needs_a_request(hosting):
    beside = Variant(name="new", model=Model(source="./model"))
    asked = replace(request("real_time", Model(source="sample:iris")), variants=(beside,))
    assert own_request(hosting.sandbox.client, asked).target is None
    assert own_request(hosting.sandbox.client, asked, "AllTraffic").target == "AllTraffic"
    with pytest.raises(InputError, match="have no sample called new, so give a request"):
        own_request(hosting.sandbox.client, asked, "new")


def test_a_model_of_ones_own_needs_a_request(hosting):
    with pytest.raises(InputError, match="is no sample, so give a request"):
        own_request(hosting.sandbox.client, request("real_time", Model(source="./model")))


def test_one_model_of_many_is_asked(hosting):
    container = hosting.container(
        "forecasters/customer-000.tar.gz", ModelDataUrl=f"s3://{SAMPLES_BUCKET}/forecasters/", Mode="MultiModel"
    )
    endpoint = hosting.endpoint(hosting.config(hosting.model(container)))
    known = samples.read_samples(hosting.sandbox.client("s3"), ACCOUNT)
    calls = examples(request("mme", Model(source="sample:forecasters/")), known)
    assert len(calls) == 50
    assert json.loads(invoke(hosting.sandbox.client, endpoint, calls[7]).body)["customer_id"] == 7
    hosting.gone(endpoint)


def test_an_error_of_the_model_is_told_in_its_words(hosting, echo):
    endpoint = hosting.endpoint(hosting.config(echo))
    with pytest.raises(CloudError, match="I was told to"):
        invoke(hosting.sandbox.client, endpoint, Call(body=b"fail"))
    hosting.gone(endpoint)


def test_a_queue_answers_and_fails_in_s3(hosting, echo):
    output = {"S3OutputPath": f"s3://{BUCKET}/out", "S3FailurePath": f"s3://{BUCKET}/failed"}
    endpoint = hosting.endpoint(hosting.config(echo, AsyncInferenceConfig={"OutputConfig": output}))
    asked = request("async", Model(source="./echo"), name=endpoint, async_output_s3=f"s3://{BUCKET}/async")
    assert invoke_async(hosting.sandbox.client, asked, Call(body=b"hello")).text == "hello"
    with pytest.raises(FailedError, match="I was told to"):
        invoke_async(hosting.sandbox.client, asked, Call(body=b"fail"))
    with pytest.raises(FailedError, match="No answer within 0 s"):
        invoke_async(hosting.sandbox.client, asked, Call(body=b"slow"), within_s=0)
    hosting.gone(endpoint)


@pytest.fixture
def lines(s3):
    s3.put_object(Bucket=BUCKET, Key="lines/a.csv", Body=b"1\n2\n")
    transform = Transform(input_s3=f"s3://{BUCKET}/lines/", output_s3=f"s3://{BUCKET}/results")
    return request("batch", Model(source="./echo"), transform=transform)


def test_an_origin_starts_one_job_however_often_it_is_asked(hosting, echo, lines):
    clients = hosting.sandbox.client
    name = jobs.start(clients, lines, model_name=echo, token="a" * 64, origin="a")
    assert jobs.start(clients, lines, model_name=echo, token="a" * 64, origin="a") == name
    done = until(lambda: None if (found := jobs.look(clients, name)).is_running else found, within_s=60)
    assert (done.status, done.reason) == ("Completed", None)
    assert jobs.output(clients, done) == {"results/a.csv.out": b"1\n2\n"}
    second = jobs.start(clients, lines, model_name=echo, token="a" * 64, origin="a", run=2)
    assert [one.name for one in jobs.listed(clients, lines)] == [second, name]
    assert (jobs.next_run(clients, lines, "a"), jobs.next_run(clients, lines, "another")) == (3, 1)
    arn = hosting.sagemaker.describe_transform_job(TransformJobName=name)["TransformJobArn"]
    tags = {tag["Key"]: tag["Value"] for tag in hosting.sagemaker.list_tags(ResourceArn=arn)["Tags"]}
    assert tags == {"hostfit:launch": "x", "hostfit:option": "batch", "hostfit:token": "a" * 64}


def test_a_job_is_stopped_and_one_that_has_ended_stays(hosting, echo, lines):
    clients = hosting.sandbox.client
    name = jobs.start(clients, lines, model_name=echo, token="b" * 64, origin="b")
    jobs.stop(clients, name)
    done = until(lambda: None if (found := jobs.look(clients, name)).is_running else found, within_s=60)
    assert done.status in {"Stopped", "Completed"}
    jobs.stop(clients, name)
    assert jobs.look(clients, name) == done


def test_the_name_of_a_run_fits_sagemaker(lines):
    long = Request(**{**{name: getattr(lines, name) for name in lines.__slots__}, "name": "n" * 63})
    name = jobs.job_name(long, "f" * 200, 999)
    assert len(name) <= 63
    assert job(long, model_name="m", job_name=name)["TransformJobName"] == name
