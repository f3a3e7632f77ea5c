"""What CloudWatch says of an endpoint agrees with what its clients saw."""

import time

from tests.sandboxed import until


def test_a_serverless_endpoint_goes_cold_and_says_so(hosting, metric_values):
    serverless = {"ServerlessConfig": {"MemorySizeInMB": 2048, "MaxConcurrency": 2}}
    endpoint = hosting.endpoint(
        hosting.config(hosting.model(hosting.container("iris/model.tar.gz")), variant=serverless)
    )

    def cold_starts() -> list[float]:
        return metric_values(endpoint, "ModelSetupTime")

    assert hosting.ask(endpoint, "5.1,3.5,1.4,0.2") == "[0]"
    assert hosting.ask(endpoint, "5.1,3.5,1.4,0.2") == "[0]"
    until(lambda: len(metric_values(endpoint, "Invocations")) == 2)
    assert len(cold_starts()) == 1
    time.sleep(2.5)  # idle for longer than a second
    assert hosting.ask(endpoint, "5.1,3.5,1.4,0.2") == "[0]"
    until(lambda: len(cold_starts()) == 2)
    assert all(value > 100_000 for value in cold_starts()), "a process takes more than 0.1 s to start"
    described = hosting.sagemaker.describe_endpoint(EndpointName=endpoint)["ProductionVariants"][0]
    assert described["CurrentServerlessConfig"] == {"MemorySizeInMB": 2048, "MaxConcurrency": 2}
