"""What CloudWatch says of an endpoint agrees with what its clients saw."""

import itertools
import json
import threading
import time
from collections import Counter

import pytest
from botocore.exceptions import ClientError

from sandbox.settings import SAMPLES_BUCKET
from tests.sandboxed import until

CONNECTIONS = 16
REQUESTS = 800


def test_a_serverless_endpoint_goes_cold_and_says_so(hosting, measured):
    serverless = {"ServerlessConfig": {"MemorySizeInMB": 2048, "MaxConcurrency": 2}}
    config = hosting.config(hosting.model(hosting.container("digits/model.tar.gz")), variant=serverless)
    endpoint = hosting.endpoint(config)
    assert hosting.digit(endpoint) == "0"
    assert hosting.digit(endpoint) == "0"
    until(lambda: measured(endpoint, "Invocations").samples == 2)
    assert measured(endpoint, "ModelSetupTime").samples == 1
    time.sleep(2.5)  # idle for longer than a second
    assert hosting.digit(endpoint) == "0"
    cold = until(lambda: found if (found := measured(endpoint, "ModelSetupTime")).samples == 2 else None)
    assert cold.sum > 100_000, "a process takes more than 0.05 s to start"
    assert measured(endpoint, "OverheadLatency").sum >= cold.sum
    assert measured(endpoint, "InvocationsPerInstance").samples == 0
    described = hosting.sagemaker.describe_endpoint(EndpointName=endpoint)["ProductionVariants"][0]
    assert described["CurrentServerlessConfig"] == {"MemorySizeInMB": 2048, "MaxConcurrency": 2}


def test_errors_are_counted_by_kind(hosting, measured, script_model):
    endpoint = hosting.endpoint(hosting.config(script_model))
    hosting.ask(endpoint, '{"sleep_s": 0}', "application/json")
    for body in ('{"raise": 1}', "no json"):
        with pytest.raises(ClientError):
            hosting.ask(endpoint, body, "application/json")
    until(lambda: measured(endpoint, "Invocations").samples == 3)
    assert measured(endpoint, "Invocation5XXErrors").sum == 2
    assert measured(endpoint, "Invocation5XXErrors").samples == 3
    assert measured(endpoint, "Invocation4XXErrors").sum == 0
    assert measured(endpoint, "InvocationModelErrors").sum == 2


def test_more_models_than_memory_answer_correctly_and_are_counted(hosting, measured):
    """Fifty models where about ten fit, asked by 16 connections at once."""
    container = hosting.container(
        "forecasters/customer-000.tar.gz",
        ModelDataUrl=f"s3://{SAMPLES_BUCKET}/forecasters/",
        Mode="MultiModel",
        Environment={"SANDBOX_MODEL_MEMORY_MB": "0.02"},
    )
    endpoint = hosting.endpoint(hosting.config(hosting.model(container)))
    client = hosting.sandbox.client("sagemaker-runtime", max_pool_connections=CONNECTIONS)
    numbers = itertools.count()
    wrong: Counter[str] = Counter()
    latencies_us: list[int] = []
    asked: set[int] = set()

    def ask() -> None:
        while (number := next(numbers)) < REQUESTS:
            customer = number * 7 % 50 if number % 3 else number % 5  # five of them are asked more often
            asked.add(customer)
            try:
                answer = client.invoke_endpoint(
                    EndpointName=endpoint,
                    TargetModel=f"customer-{customer:03d}.tar.gz",
                    Body=b'{"period": 24}',
                    ContentType="application/json",
                )
                forecast = json.loads(answer["Body"].read())
            except ClientError as err:
                wrong[str(err)] += 1
                continue
            latencies_us.append(int(answer["ResponseMetadata"]["HTTPHeaders"]["x-sandbox-model-latency-us"]))
            if forecast["customer_id"] != customer or len(forecast["kwh"]) != 24:
                wrong["another customer's forecast"] += 1

    threads = [threading.Thread(target=ask) for _ in range(CONNECTIONS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == {}

    until(lambda: measured(endpoint, "Invocations").samples == REQUESTS)
    hits = measured(endpoint, "ModelCacheHit")
    loads, unloads = measured(endpoint, "ModelLoadingTime"), measured(endpoint, "ModelUnloadingTime")
    latency = measured(endpoint, "ModelLatency")
    assert (latency.samples, latency.sum) == (len(latencies_us), sum(latencies_us))
    assert hits.samples == REQUESTS
    assert measured(endpoint, "ModelLoadingWaitTime").samples == REQUESTS - hits.sum
    assert loads.samples <= REQUESTS - hits.sum  # requests that wait for the same model share one load
    assert measured(endpoint, "ModelDownloadingTime").samples == len(asked)  # it stays on the disk
    assert unloads.samples > 50
    assert 5 <= loads.samples - unloads.samples <= 15
    assert 0 < hits.sum < REQUESTS
