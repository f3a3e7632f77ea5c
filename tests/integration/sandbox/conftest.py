"""One sandbox for all the tests of a process; a test that stops or breaks it starts its own.

What a module makes in it under a fixed name is of the session too: tests of several modules may take turns.
"""

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest

from sandbox.samples.archive import model_archive
from sandbox.settings import SAMPLES_BUCKET
from tests import sandboxed
from tests.hosting import Hosting, keys
from tests.lake import BUCKET, connected
from tests.stack_account import Account


@pytest.fixture(scope="session")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[sandboxed.Sandbox]:
    os.environ["HOSTFIT_SANDBOX_IDLE_S"] = "1"  # a serverless endpoint goes cold after a second without requests
    running = sandboxed.start(tmp_path_factory.mktemp("sandbox"), samples=True)
    del os.environ["HOSTFIT_SANDBOX_IDLE_S"]
    yield running
    running.stop()


@pytest.fixture(scope="session")
def hosting(sandbox) -> Hosting:
    """What it takes to host the sample models; waits until they are trained."""
    sandboxed.until(lambda: "index.json" in keys(sandbox.client("s3"), SAMPLES_BUCKET), within_s=180)
    return Hosting(sandbox)


@pytest.fixture
def own_sandbox(tmp_path) -> Iterator[sandboxed.Sandbox]:
    running = sandboxed.start(tmp_path / "state")
    yield running
    running.stop()


@pytest.fixture(scope="session")
def iris(hosting) -> str:
    """An endpoint with the scikit-learn sample that tests only ask."""
    return hosting.endpoint(hosting.config(hosting.model(hosting.container("iris/model.tar.gz"))))


@dataclass(frozen=True)
class Measured:
    """What CloudWatch has of a metric."""

    sum: float = 0.0
    samples: int = 0


@pytest.fixture(scope="session")
def measured(sandbox) -> Callable[..., Measured]:
    """Give the sum and the number of samples of a metric of an endpoint's only variant."""

    def ask(endpoint: str, name: str, namespace: str = "AWS/SageMaker") -> Measured:
        now = datetime.now(UTC)
        answer = sandbox.client("cloudwatch").get_metric_statistics(
            Namespace=namespace,
            MetricName=name,
            Dimensions=[{"Name": "EndpointName", "Value": endpoint}, {"Name": "VariantName", "Value": "AllTraffic"}],
            StartTime=now - timedelta(hours=1),
            EndTime=now + timedelta(minutes=2),
            Period=60,
            Statistics=["SampleCount", "Sum"],
        )
        points = answer["Datapoints"]
        return Measured(sum(point["Sum"] for point in points), round(sum(point["SampleCount"] for point in points)))

    return ask


SCRIPT = """
import json, os, time

def model_fn(model_dir):
    return {"opened": sorted(os.listdir(model_dir))}

def input_fn(body, content_type):
    return json.loads(body)

def predict_fn(data, model, context):
    if "sleep_s" in data:
        time.sleep(data["sleep_s"])
        return "slept"
    if "words" in data:
        return (word + " " for word in data["words"])
    if "environment" in data:
        return sorted(os.environ)
    if "die" in data:
        os._exit(1)
    if "raise" in data:
        raise RuntimeError("I was told to")
    if "megabytes" in data:
        model["kept"] = bytearray(data["megabytes"] * 1024 * 1024)
        time.sleep(4)
        return "kept"
    return {"headers": context["request_headers"], **model}

def output_fn(prediction, accept):
    return prediction if hasattr(prediction, "__next__") else json.dumps(prediction)
"""


@pytest.fixture(scope="session")
def script_archive() -> bytes:
    """The archive of a user's inference.py that does as it is told."""
    return model_archive({"code/inference.py": SCRIPT.encode(), "weights.bin": b"0"})


@pytest.fixture(scope="session")
def script_uri(hosting, script_archive) -> str:
    hosting.sandbox.client("s3").put_object(Bucket=SAMPLES_BUCKET, Key="script/model.tar.gz", Body=script_archive)
    return f"s3://{SAMPLES_BUCKET}/script/model.tar.gz"


@pytest.fixture(scope="session")
def script_model(hosting, script_uri) -> str:
    """A model with that script."""
    return hosting.model(hosting.container("iris/model.tar.gz", ModelDataUrl=script_uri))


@pytest.fixture(scope="session")
def account(sandbox, hosting) -> Account:
    """What creates stacks, once the samples are there: their bucket is part of what the account holds."""
    return Account(sandbox)


@pytest.fixture
def leaves_nothing(account) -> Iterator[None]:
    """Compare what the account holds before and after a test."""
    before = account.holds()
    yield
    assert account.holds() == before


@pytest.fixture(scope="session")
def s3(sandbox):
    """The client of S3, with the bucket of Athena's tests."""
    s3 = sandbox.client("s3")
    s3.create_bucket(Bucket=BUCKET)
    return s3


@pytest.fixture(scope="session")
def cursor(sandbox, s3):
    """PyAthena's cursor in a database of its own."""
    cursor = connected(sandbox).cursor()
    cursor.execute("CREATE DATABASE shop")
    return cursor


@pytest.fixture(scope="session")
def numbers(cursor, s3):
    """A table of 2,500 lines: more than two pages of results."""
    s3.put_object(Bucket=BUCKET, Key="numbers/n.tsv", Body="".join(f"{n}\tname {n}\n" for n in range(2500)).encode())
    cursor.execute(
        "CREATE EXTERNAL TABLE numbers (n INT COMMENT 'the number', name VARCHAR(20)) COMMENT 'all of them' "
        f"ROW FORMAT DELIMITED FIELDS TERMINATED BY '\\t' LOCATION 's3://{BUCKET}/numbers/'"
    )
    return "numbers"
