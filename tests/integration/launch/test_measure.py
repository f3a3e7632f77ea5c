"""A load test of a real endpoint of the sandbox, whose model works for a known time with known workers."""

import json

import pytest

from fitness.errors import InputError
from launch.errors import FailedError
from launch.invoke import Call
from launch.measure import UNKNOWN_OVERHEAD, Bounds, measure
from sandbox.samples.archive import model_archive
from tests.hosting import SAMPLES_BUCKET

SLEEPER = b"""
import time

def model_fn(folder):
    return None

def input_fn(body, content_type):
    if body == "fail":
        raise RuntimeError("I was told to")

def predict_fn(data, model):
    time.sleep(0.03)
    return [1]
"""
SMALL = Bounds(requests=400, seconds=20, stage_requests=60, stage_seconds=3, callers=8)


@pytest.fixture(scope="session")
def endpoint(hosting) -> str:
    body = model_archive({"code/inference.py": SLEEPER})
    hosting.sandbox.client("s3").put_object(Bucket=SAMPLES_BUCKET, Key="sleeper/model.tar.gz", Body=body)
    uri = f"s3://{SAMPLES_BUCKET}/sleeper/model.tar.gz"
    return hosting.endpoint(hosting.config(hosting.model(hosting.container("iris/model.tar.gz", ModelDataUrl=uri))))


def test_a_load_test_finds_what_the_model_does(hosting, endpoint):
    told = []
    found = measure(
        hosting.sandbox.client, endpoint, Call(body=b"1"), bounds=SMALL, progress=lambda *what: told.append(what)
    )
    assert found.instance_type == "ml.m5.large"
    assert found.processing_s.value >= 0.03  # it never works for less
    assert found.processing_s.low <= found.processing_s.value <= found.processing_s.high
    assert found.concurrency.low <= 4  # the threads of a script; busy machines widen the interval
    assert [one.callers for one in found.stages] == [2**number for number in range(len(found.stages))]
    assert found.requests <= SMALL.requests
    assert found.check is not None
    assert set(found.check.measured_s) == set(found.check.predicted_s) == {"p50", "p95", "p99"}
    assert found.check.measured_s["p50"] >= 0.03
    assert told[0][0] == "warming up"
    assert all(0 <= share <= 1 for _, share in told)


def test_an_objective_ends_the_ramp(hosting, endpoint):
    bounds = Bounds(requests=200, seconds=20, stage_requests=30, stage_seconds=2, objective_ms=1, check_load=0)
    found = measure(hosting.sandbox.client, endpoint, Call(body=b"1"), bounds=bounds)
    assert found.stopped == "the 99th percentile is over the objective with 1 callers"
    assert found.check is None


def test_without_metrics_the_overhead_stays_in_and_it_is_said(hosting, endpoint):
    class Blind:
        def get_metric_statistics(self, **_):
            return {"Datapoints": []}

    bounds = Bounds(
        requests=100, seconds=20, stage_requests=20, stage_seconds=2, callers=1, check_load=0, metrics_within_s=0
    )
    clients = lambda service: Blind() if service == "cloudwatch" else hosting.sandbox.client(service)  # noqa: E731
    found = measure(clients, endpoint, Call(body=b"1"), bounds=bounds)
    assert found.overhead_s is None
    assert UNKNOWN_OVERHEAD in found.notes


def test_a_model_that_fails_is_not_measured(hosting, endpoint):
    with pytest.raises(FailedError, match=r"answered 0 of 30 requests.*I was told to"):
        measure(hosting.sandbox.client, endpoint, Call(body=b"fail"), bounds=Bounds(stage_requests=30))


def test_serverless_endpoints_and_bounds_without_sense_are_refused(hosting, endpoint):
    with pytest.raises(InputError, match=r"must be > 0, got 0 @ \$\.bounds\.requests"):
        measure(hosting.sandbox.client, endpoint, Call(body=b"1"), bounds=Bounds(requests=0))
    serverless = {"ServerlessConfig": {"MemorySizeInMB": 1024, "MaxConcurrency": 2}}
    model = hosting.model(hosting.container("digits/model.tar.gz"))
    cold = hosting.endpoint(hosting.config(model, variant=serverless))
    with pytest.raises(InputError, match="is serverless"):
        measure(hosting.sandbox.client, cold, Call(body=json.dumps([1]).encode()))
    hosting.gone(cold)
