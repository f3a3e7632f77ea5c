"""Processes are killed at random times under a mixed load: what was answered is there, and nothing is half there.

`HOSTFIT_SANDBOX_KILLS=30` kills as often; a few times by default.
"""

import os
import random
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import count

import psutil
import pytest
from botocore.exceptions import BotoCoreError, ClientError

from tests.hosting import Hosting
from tests.sandboxed import until

KILLS = int(os.environ.get("HOSTFIT_SANDBOX_KILLS") or 3)
BUCKET = "mixed"
LARGE = 20_000  # times a number is written into an object, so that half of one would be seen
# What AWS answers where a model server or a machine of it dies.
TROUBLE = {"ModelError", "InternalFailure", "ServiceUnavailable"}


@dataclass
class Effect:
    """A call that is repeated with growing numbers, and what is left of it: the last number, or how many there are."""

    write: Callable[[int], object]
    read: Callable[[], int]
    counted: bool = False
    asked: int = 0
    answered: int = 0

    def go_on(self) -> None:
        """Call once more."""
        self.asked += 1
        self.write(self.asked)
        self.answered = self.answered + 1 if self.counted else self.asked


@pytest.fixture
def hosted(own_sandbox, hosting) -> Hosting:
    """A sandbox of its own with an archive, which need not be trained again, and a bucket."""
    there, here = hosting.sandbox.client("s3"), own_sandbox.client("s3")
    for bucket in ("sandbox-samples", BUCKET):
        here.create_bucket(Bucket=bucket)
    for key in ("index.json", "digits/model.tar.gz"):
        here.put_object(
            Bucket="sandbox-samples", Key=key, Body=there.get_object(Bucket="sandbox-samples", Key=key)["Body"].read()
        )
    return Hosting(own_sandbox)


def effects(hosted: Hosting, model: str, live: str, queued: str) -> dict[str, Effect]:
    """One of each kind: objects, moto's memory, resources, metrics, alarms, the queue of an endpoint."""
    client = hosted.sandbox.client
    queue = client("sqs").create_queue(QueueName="mixed")["QueueUrl"]
    arn = hosted.sagemaker.describe_model(ModelName=model)["ModelArn"]
    window = {"StartTime": datetime.now(UTC) - timedelta(hours=1), "EndTime": datetime.now(UTC) + timedelta(hours=1)}

    def put_object(number: int) -> None:
        body = f"{number} " * LARGE
        client("s3").put_object(Bucket=BUCKET, Key="k", Body=body.encode(), Metadata={"number": str(number)})

    def object_number() -> int:
        found = client("s3").get_object(Bucket=BUCKET, Key="k")
        numbers = found["Body"].read().decode().split()
        assert set(numbers) == {found["Metadata"]["number"]}
        assert len(numbers) == LARGE
        return int(numbers[0])

    def messages() -> int:
        attributes = client("sqs").get_queue_attributes(QueueUrl=queue, AttributeNames=["All"])["Attributes"]
        return int(attributes["ApproximateNumberOfMessages"])

    def put_alarm(number: int) -> None:
        client("cloudwatch").put_metric_alarm(
            AlarmName="a", Namespace="n", MetricName="m", Statistic="Sum", Period=60, EvaluationPeriods=1,
            Threshold=number, ComparisonOperator="GreaterThanThreshold",
        )  # fmt: skip

    def samples() -> int:
        found = client("cloudwatch").get_metric_statistics(
            Namespace="n", MetricName="m", Period=3600, Statistics=["SampleCount"], **window
        )
        return round(sum(point["SampleCount"] for point in found["Datapoints"]))

    def configs() -> int:
        pages = hosted.sagemaker.get_paginator("list_endpoint_configs").paginate(NameContains="kept-")
        return sum(len(page["EndpointConfigs"]) for page in pages)

    def create_config(number: int) -> None:
        variant = {"VariantName": "v", "ModelName": model, "InstanceType": "ml.m5.large", "InitialInstanceCount": 1}
        hosted.sagemaker.create_endpoint_config(EndpointConfigName=f"kept-{number}", ProductionVariants=[variant])

    def invoke_async(number: int) -> None:
        asked = {"EndpointName": queued, **hosted.zero}
        hosted.runtime.invoke_endpoint_async(**asked, Filename=f"{number}", S3OutputPathExtension="results")

    return {
        "objects": Effect(put_object, object_number),
        "parameters": Effect(
            lambda number: client("ssm").put_parameter(Name="/n", Value=str(number), Type="String", Overwrite=True),
            lambda: int(client("ssm").get_parameter(Name="/n")["Parameter"]["Value"]),
        ),
        "messages": Effect(
            lambda number: client("sqs").send_message(QueueUrl=queue, MessageBody=str(number)), messages, counted=True
        ),
        "tags": Effect(
            lambda number: hosted.sagemaker.add_tags(ResourceArn=arn, Tags=[{"Key": "n", "Value": str(number)}]),
            lambda: int(hosted.sagemaker.list_tags(ResourceArn=arn)["Tags"][0]["Value"]),
        ),
        "configurations": Effect(create_config, configs, counted=True),
        "alarms": Effect(
            put_alarm, lambda: int(client("cloudwatch").describe_alarms(AlarmNames=["a"])["MetricAlarms"][0]["Threshold"])
        ),
        "metrics": Effect(
            lambda number: client("cloudwatch").put_metric_data(
                Namespace="n", MetricData=[{"MetricName": "m", "Value": number}]
            ),
            samples,
            counted=True,
        ),
        "queue": Effect(invoke_async, lambda: len(results(hosted)), counted=True),
    }  # fmt: skip


def results(hosted: Hosting) -> list[str]:
    """List what was answered to asynchronous requests, and what says that their model server died over them."""
    pages = hosted.sandbox.client("s3").get_paginator("list_objects_v2").paginate(Bucket=BUCKET, Prefix="out/")
    return [entry["Key"] for page in pages for entry in page.get("Contents", [])]


class Load:
    """Repeats every call from a thread of its own, and asks the endpoint all the time; can be held."""

    def __init__(self, hosted: Hosting, calls: dict[str, Callable[[], object]]) -> None:
        self.refusals: Counter[str] = Counter()
        self._hosted = hosted
        self._going = threading.Event()
        self._over = False
        self._at_rest = {name: threading.Event() for name in calls}
        self._threads = [threading.Thread(target=self._repeat, args=[*item]) for item in calls.items()]
        for thread in self._threads:
            thread.start()

    def _repeat(self, name: str, call: Callable[[], object]) -> None:
        while not self._over:
            if not self._going.is_set():
                self._at_rest[name].set()
                self._going.wait(0.1)
                continue
            self._at_rest[name].clear()
            try:
                call()
            except BotoCoreError:  # nobody listens, or the connection broke off
                time.sleep(0.02)
            except ClientError as err:
                if err.response["Error"]["Code"] not in TROUBLE:
                    self.refusals[f"{name}: {err}"] += 1

    def go(self) -> None:
        self._going.set()

    def hold(self) -> None:
        """Wait until no call is under way."""
        self._going.clear()
        for event in self._at_rest.values():
            event.clear()
        for event in self._at_rest.values():
            assert event.wait(60)

    def end(self) -> None:
        self._over = True
        for thread in self._threads:
            thread.join()


def kill(hosted: Hosting, whom: str, dice: random.Random) -> None:
    """End a process as a power cut would, and wait until what it takes to answer is there again."""
    sandbox = hosted.sandbox
    control = psutil.Process(sandbox.running.pid)
    everyone = control.children(recursive=True)
    if whom == "control":
        sandbox.kill()
        _, orphans = psutil.wait_procs(everyone, timeout=10)
        assert orphans == []
        sandbox.start_again()
    elif whom == "runtime":
        sandbox.kill_runtime()
    else:
        dice.choice(sandbox.workers()).kill()


@pytest.mark.timeout(300 + 20 * KILLS)
def test_random_kills_under_load_lose_nothing_that_was_answered(hosted):
    dice = random.Random(7)  # noqa: S311 (the same kills each time)
    model = hosted.model(hosted.container("digits/model.tar.gz"))
    live = hosted.endpoint(hosted.config(model))
    output = {"OutputConfig": {"S3OutputPath": f"s3://{BUCKET}/out", "S3FailurePath": f"s3://{BUCKET}/out/failed"}}
    queued = hosted.endpoint(hosted.config(model, AsyncInferenceConfig=output))
    known = effects(hosted, model, live, queued)
    wrong: list[str] = []

    def invoke() -> None:
        answer = hosted.digit(live)
        if answer != "0":
            wrong.append(answer)

    load = Load(hosted, {**{name: effect.go_on for name, effect in known.items()}, "invocations": invoke})
    try:
        for number, whom in zip(range(KILLS), dice_of(dice), strict=False):
            load.go()
            time.sleep(dice.uniform(0.2, 1.5))
            kill(hosted, whom, dice)
            time.sleep(dice.uniform(0.0, 0.5))
            load.hold()
            until(lambda: answers(hosted, live))
            after = f"kill {number} of the {whom}"
            for name, effect in known.items():
                if name == "queue":
                    until(lambda queued=effect: queued.read() >= queued.answered)
                assert effect.answered <= effect.read() <= effect.asked, f"{after}: {name}"
            assert (wrong, load.refusals) == ([], {}), after
    finally:
        load.end()
    assert all(effect.answered for effect in known.values())
    bodies = {hosted.sandbox.client("s3").get_object(Bucket=BUCKET, Key=key)["Body"].read() for key in results(hosted)}
    died = "the model server ended while it answered"
    assert b"0" in bodies
    assert [body for body in bodies - {b"0"} if died not in body.decode()] == []
    log = (hosted.sandbox.settings.folder / "sandbox.log").read_text()
    assert "could not be read" not in log


def dice_of(dice: random.Random):
    """Give whom to kill: each of the three in every round, in any order."""
    for _ in count():
        yield from dice.sample(["control", "runtime", "worker"], 3)


def answers(hosted: Hosting, endpoint: str) -> bool:
    try:
        return hosted.digit(endpoint) == "0"
    except (ClientError, BotoCoreError):
        return False
