"""What CloudWatch says of an endpoint agrees with what its clients saw."""

import time

import pytest
from botocore.exceptions import ClientError

from tests.sandboxed import until


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
