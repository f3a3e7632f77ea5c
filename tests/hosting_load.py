"""Load on endpoints from many connections, with a log of every request as its client saw it."""

import http.client
import itertools
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from sandbox.settings import SAMPLES_BUCKET
from tests.hosting import Hosting

CONNECTIONS = 16
FLOWER = b"5.1,3.5,1.4,0.2"
SIGNED = "AWS4-HMAC-SHA256 Credential=x/20260101/us-east-1/sagemaker/aws4_request, SignedHeaders=host, Signature=0"
ROOM_MB = 0.02  # for about ten of the fifty forecasters
_PREFIX = "X-Amzn-SageMaker-Target"


@dataclass(frozen=True, kw_only=True)
class Question:
    """What to ask where, and how the right answer begins."""

    endpoint: str
    body: bytes
    content_type: str
    answer: bytes
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def path(self) -> str:
        return f"/endpoints/{self.endpoint}/invocations"


@dataclass(frozen=True, kw_only=True)
class Heard:
    """One request as its client saw it; `wrong` is empty if the answer was right."""

    endpoint: str
    wrong: str
    model_us: int
    took_us: float


def single(hosting: Hosting) -> list[Question]:
    """One model."""
    endpoint = hosting.endpoint(hosting.config(hosting.model(hosting.container("iris/model.tar.gz"))))
    return [Question(endpoint=endpoint, body=FLOWER, content_type="text/csv", answer=b"[0]")]


def many_models(hosting: Hosting) -> list[Question]:
    """Fifty models where about ten fit, four of which are asked every other time."""
    forecasters = hosting.container(
        "forecasters/customer-000.tar.gz",
        ModelDataUrl=f"s3://{SAMPLES_BUCKET}/forecasters/",
        Mode="MultiModel",
        Environment={"SANDBOX_MODEL_MEMORY_MB": str(ROOM_MB)},
    )
    endpoint = hosting.endpoint(hosting.config(hosting.model(forecasters)))
    customers = [number // 2 % 4 if number % 2 else number * 7 % 50 for number in range(200)]
    return [
        Question(
            endpoint=endpoint,
            body=b'{"period": 1}',
            content_type="application/json",
            answer=b'{"customer_id": %d,' % customer,
            headers={f"{_PREFIX}-Model": f"customer-{customer:03d}.tar.gz"},
        )
        for customer in customers
    ]


def containers(hosting: Hosting) -> list[Question]:
    """Two containers, each asked directly."""
    model = hosting.model(
        hosting.container("iris/model.tar.gz", ContainerHostname="flowers"),
        hosting.container("digits/model.tar.gz", ContainerHostname="digits"),
        InferenceExecutionConfig={"Mode": "Direct"},
    )
    endpoint = hosting.endpoint(hosting.config(model))
    asked = {"flowers": (FLOWER, b"[0]"), "digits": (hosting.zero["Body"].encode(), b'{"label": [0]')}
    return [
        Question(
            endpoint=endpoint,
            body=body,
            content_type="text/csv",
            answer=answer,
            headers={f"{_PREFIX}-Container-Hostname": name},
        )
        for name, (body, answer) in asked.items()
    ]


def pipeline(hosting: Hosting) -> list[Question]:
    """Preprocessing and the price of a car, one after the other."""
    as_csv = {"SAGEMAKER_DEFAULT_INVOCATIONS_ACCEPT": "text/csv"}
    model = hosting.model(
        hosting.container("used-cars/preprocess/model.tar.gz", Environment=as_csv),
        hosting.container("used-cars/price/model.tar.gz"),
    )
    endpoint = hosting.endpoint(hosting.config(model))
    cars = ["ford,3.5,42000", "bmw,1,9000"]
    prices = [hosting.ask(endpoint, car).encode() for car in cars]
    assert prices[0] != prices[1]
    return [
        Question(endpoint=endpoint, body=car.encode(), content_type="text/csv", answer=price)
        for car, price in zip(cars, prices, strict=True)
    ]


KINDS = (single, many_models, containers, pipeline)


def ask_all(runtime_url: str, questions: Sequence[Question], seconds: float) -> list[Heard]:
    """Ask the questions in turn from all connections for a while, each beginning elsewhere."""
    until = time.monotonic() + seconds
    logs: list[list[Heard]] = [[] for _ in range(CONNECTIONS)]

    def ask(number: int) -> None:
        connection = http.client.HTTPConnection(urlsplit(runtime_url).netloc)
        first = number * len(questions) // CONNECTIONS
        for question in itertools.islice(itertools.cycle(questions), first, None):
            if time.monotonic() > until:
                break
            logs[number].append(one(connection, question))
        connection.close()

    threads = [threading.Thread(target=ask, args=[number]) for number in range(CONNECTIONS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return [heard for log in logs for heard in log]


def one(connection: http.client.HTTPConnection, question: Question) -> Heard:
    """Ask one question."""
    headers = {"Authorization": SIGNED, "Content-Type": question.content_type, **question.headers}
    started = time.perf_counter()
    connection.request("POST", question.path, body=question.body, headers=headers)
    answer = connection.getresponse()
    body = answer.read()
    right = answer.status == 200 and body.startswith(question.answer)
    return Heard(
        endpoint=question.endpoint,
        wrong="" if right else f"{answer.status} {body[:200]!r}",
        model_us=int(answer.headers.get("x-sandbox-model-latency-us", 0)),
        took_us=(time.perf_counter() - started) * 1e6,
    )
