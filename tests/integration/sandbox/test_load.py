"""Sixteen connections on every kind of endpoint: each answer is right, and CloudWatch agrees with the clients' log.

`HOSTFIT_SANDBOX_LOAD_S=60` asks for as many seconds, and waits for the metrics of whole minutes; a second by default.
"""

import http.client
import io
import math
import os
import tarfile
from collections import Counter, OrderedDict
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

import pytest

from sandbox.settings import SAMPLES_BUCKET
from tests import hosting_load
from tests.sandboxed import until

LOAD_S = float(os.environ.get("HOSTFIT_SANDBOX_LOAD_S") or 1)
MIB = 1024 * 1024


@pytest.mark.parametrize("kind", hosting_load.KINDS, ids=lambda kind: kind.__name__)
def test_every_answer_is_right_and_every_metric_agrees_with_the_log(hosting, measured, kind):
    questions = kind(hosting)
    endpoint = questions[0].endpoint
    if kind is hosting_load.pipeline:  # it was asked for the right prices
        until(lambda: measured(endpoint, "Invocations").samples == len(questions))
    before = {name: measured(endpoint, name) for name in ("Invocations", "ModelLatency", "OverheadLatency")}

    def since(name: str) -> tuple[int, float]:
        now = measured(endpoint, name)
        return now.samples - before[name].samples, now.sum - before[name].sum

    log = hosting_load.ask_all(hosting.sandbox.runtime_url, questions, LOAD_S)
    assert Counter(heard.wrong for heard in log) == {"": len(log)}
    latencies_us = sorted(heard.model_us for heard in log)

    until(lambda: since("Invocations") == (len(log), len(log)))
    assert measured(endpoint, "Invocation4XXErrors").sum == measured(endpoint, "Invocation5XXErrors").sum == 0
    assert since("ModelLatency") == (len(log), sum(latencies_us))
    count, overhead_us = since("OverheadLatency")
    assert count == len(log)
    assert 0 < overhead_us + sum(latencies_us) <= sum(heard.took_us for heard in log)
    if kind is hosting_load.many_models:
        hits, loads = measured(endpoint, "ModelCacheHit"), measured(endpoint, "ModelLoadingTime")
        assert hits.samples == len(log)
        assert 0 < hits.sum < len(log)
        assert measured(endpoint, "ModelLoadingWaitTime").samples == len(log) - hits.sum
        assert loads.samples <= len(log) - hits.sum  # requests that wait for the same model share one load
        assert 5 <= loads.samples - measured(endpoint, "ModelUnloadingTime").samples <= 15
    if not before["Invocations"].samples:
        assert percentiles(hosting, endpoint) == {
            f"p{number}": latencies_us[math.ceil(number * len(log) / 100) - 1] for number in (50, 90, 99)
        }


def percentiles(hosting, endpoint: str) -> dict[str, float]:
    """What CloudWatch has as percentiles of the model's latency in the last hour."""
    now = datetime.now(UTC)
    (point,) = hosting.sandbox.client("cloudwatch").get_metric_statistics(
        Namespace="AWS/SageMaker",
        MetricName="ModelLatency",
        Dimensions=[{"Name": "EndpointName", "Value": endpoint}, {"Name": "VariantName", "Value": "AllTraffic"}],
        StartTime=now - timedelta(minutes=50),
        EndTime=now + timedelta(minutes=2),
        Period=3600,
        ExtendedStatistics=["p50", "p90", "p99"],
    )["Datapoints"]
    return point["ExtendedStatistics"]


def test_hits_loads_and_models_in_memory_agree_with_a_cache_worked_by_hand(hosting, measured):
    questions = hosting_load.many_models(hosting)
    endpoint = questions[0].endpoint
    s3 = hosting.sandbox.client("s3")
    room, sizes = int(hosting_load.ROOM_MB * MIB), {}
    loaded: OrderedDict[str, None] = OrderedDict()
    hits = unloads = 0
    connection = http.client.HTTPConnection(urlsplit(hosting.sandbox.runtime_url).netloc)
    for question in questions:
        (name,) = question.headers.values()
        if name not in sizes:
            archive = s3.get_object(Bucket=SAMPLES_BUCKET, Key=f"forecasters/{name}")["Body"].read()
            with tarfile.open(fileobj=io.BytesIO(archive)) as files:
                sizes[name] = sum(file.size for file in files)
        if name in loaded:
            hits += 1
        while name not in loaded and loaded and sizes[name] + sum(sizes[one] for one in loaded) > room:
            loaded.popitem(last=False)
            unloads += 1
        loaded[name] = None
        loaded.move_to_end(name)
        assert hosting_load.one(connection, question).wrong == ""
    connection.close()
    assert hits > 10
    assert unloads > 10

    until(lambda: measured(endpoint, "Invocations").samples == len(questions))
    counted = measured(endpoint, "ModelCacheHit")
    assert (counted.samples, counted.sum) == (len(questions), hits)
    assert measured(endpoint, "ModelLoadingWaitTime").samples == len(questions) - hits
    assert measured(endpoint, "ModelLoadingTime").samples == len(questions) - hits
    assert measured(endpoint, "ModelDownloadingTime").samples == len(sizes)  # a model stays on the disk
    assert measured(endpoint, "ModelUnloadingTime").samples == unloads
    if LOAD_S >= 60:
        host = "/aws/sagemaker/Endpoints"
        until(lambda: measured(endpoint, "LoadedModelCount", host).samples, within_s=70, every_s=0.5)
        gauge = measured(endpoint, "LoadedModelCount", host)
        assert gauge.sum == len(loaded) * gauge.samples
