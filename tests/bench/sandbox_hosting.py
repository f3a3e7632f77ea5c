"""How fast the sandbox hosts: what InvokeEndpoint adds to a call of the model server, requests a second, start, memory."""

import contextlib
import http.client
import itertools
import socket
import statistics
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import psutil

from sandbox.settings import SAMPLES_BUCKET
from tests import sandboxed
from tests.bench.measure import Row
from tests.hosting import Hosting, keys

REQUESTS = 3_000
LOAD_S = 60
CONNECTIONS = 16
FLOWER = b"5.1,3.5,1.4,0.2"
SIGNED = "AWS4-HMAC-SHA256 Credential=x/20260101/us-east-1/sagemaker/aws4_request, SignedHeaders=host, Signature=0"


def main() -> None:
    """Print a line for each floor."""
    print(f"{'sandbox':<72}{'floor':>16}{'seen':>16}")
    for what, floor, seen, passed in rows():
        print(f"{what:<72}{floor:>16}{seen:>16}  {'pass' if passed else 'MISS'}")


def rows() -> Iterator[Row]:
    """What was measured, the floor, what was seen, whether it holds."""
    with tempfile.TemporaryDirectory() as folder:
        started = time.perf_counter()
        sandbox = sandboxed.start(Path(folder) / "state", samples=True)
        start_s = time.perf_counter() - started
        try:
            yield "from start to ready", "<= 3 s", f"{start_s:.2f} s", start_s <= 3
            sandboxed.until(lambda: "index.json" in keys(sandbox.client("s3"), SAMPLES_BUCKET), within_s=120)
            yield from hosted(sandbox)
            sandbox.stop()
            sandbox.start_again()
            memory_mb = idle_mb(sandbox)
            yield "memory of all processes, idle, no endpoint", "<= 350 MB", f"{memory_mb:.0f} MB", memory_mb <= 350
        finally:
            sandbox.stop()


def hosted(sandbox: sandboxed.Sandbox) -> Iterator[Row]:
    """The rows that need an endpoint; it is deleted afterwards."""
    hosting = Hosting(sandbox)
    endpoint = hosting.endpoint(hosting.config(hosting.model(hosting.container("iris/model.tar.gz"))))
    worker = worker_socket(sandbox)
    with contextlib.ExitStack() as open_sockets:
        direct = Raw(open_sockets, lambda: unix(worker), b"/invocations", FLOWER)
        through = Raw(open_sockets, lambda: tcp(sandbox.runtime_url), target(endpoint), FLOWER)
        pairs = [(direct.ask(), through.ask()) for _ in range(REQUESTS)]
        added_ms = (statistics.median(t for _, t in pairs) - statistics.median(d for d, _ in pairs)) * 1000
        yield "InvokeEndpoint beside a call of the model server, p50", "<= 1 ms", f"{added_ms:.2f} ms", added_ms <= 1
        digits = hosting.endpoint(hosting.config(hosting.model(hosting.container("digits/model.tar.gz"))))
        digit = hosting.samples["digits/model.tar.gz"]["request"].encode()
        quick = Raw(open_sockets, lambda: tcp(sandbox.runtime_url), target(digits), digit)
        per_s = quick.per_second(REQUESTS)
        yield (
            "requests a second, raw client, one connection, ONNX model",
            ">= 3,000/s",
            f"{per_s:,.0f}/s",
            per_s >= 3_000,
        )
    runtime = sandbox.client("sagemaker-runtime")

    def ask() -> object:
        return runtime.invoke_endpoint(EndpointName=endpoint, Body=FLOWER, ContentType="text/csv")["Body"].read()

    for _ in range(50):
        ask()
    started = time.perf_counter()
    for _ in range(REQUESTS):
        ask()
    per_s = REQUESTS / (time.perf_counter() - started)
    yield "requests a second, boto3, one connection, scikit-learn model", ">= 600/s", f"{per_s:,.0f}/s", per_s >= 600
    errors, count = load(sandbox, kinds(hosting, endpoint))
    what = f"wrong answers in {LOAD_S} s from {CONNECTIONS} connections, four kinds ({count:,} requests)"
    yield what, "0", str(errors), errors == 0
    for name in (entry["EndpointName"] for entry in hosting.sagemaker.list_endpoints()["Endpoints"]):
        hosting.gone(name)


@dataclass(frozen=True, kw_only=True)
class Kind:
    """A way to host: where to ask, what, and what is in the right answer."""

    path: str
    body: bytes
    content_type: str
    answer: bytes
    headers: Mapping[str, str] = field(default_factory=dict)


def kinds(hosting: Hosting, single: str) -> list[Kind]:
    """A single model, fifty models where ten fit, containers asked directly, and a pipeline."""
    forecasters = hosting.container(
        "forecasters/customer-000.tar.gz",
        ModelDataUrl=f"s3://{SAMPLES_BUCKET}/forecasters/",
        Mode="MultiModel",
        Environment={"SANDBOX_MODEL_MEMORY_MB": "0.02"},
    )
    many = hosting.endpoint(hosting.config(hosting.model(forecasters)))
    direct = hosting.model(
        hosting.container("iris/model.tar.gz", ContainerHostname="flowers"),
        hosting.container("digits/model.tar.gz", ContainerHostname="digits"),
        InferenceExecutionConfig={"Mode": "Direct"},
    )
    containers = hosting.endpoint(hosting.config(direct))
    as_csv = {"SAGEMAKER_DEFAULT_INVOCATIONS_ACCEPT": "text/csv"}
    chain = hosting.model(
        hosting.container("used-cars/preprocess/model.tar.gz", Environment=as_csv),
        hosting.container("used-cars/price/model.tar.gz"),
    )
    pipeline = hosting.endpoint(hosting.config(chain))
    price = hosting.ask(pipeline, "ford,3.5,42000").encode()
    prefix = "X-Amzn-SageMaker-Target"
    return [
        Kind(path=target(single).decode(), body=FLOWER, content_type="text/csv", answer=b"[0]"),
        *(
            Kind(
                path=target(many).decode(),
                body=b'{"period": 1}',
                content_type="application/json",
                answer=b'{"customer_id": %d,' % customer,
                headers={f"{prefix}-Model": f"customer-{customer:03d}.tar.gz"},
            )
            for customer in range(0, 50, 3)
        ),
        Kind(
            path=target(containers).decode(),
            body=FLOWER,
            content_type="text/csv",
            answer=b"[0]",
            headers={f"{prefix}-Container-Hostname": "flowers"},
        ),
        Kind(path=target(pipeline).decode(), body=b"ford,3.5,42000", content_type="text/csv", answer=price),
    ]


def load(sandbox: sandboxed.Sandbox, asked: list[Kind]) -> tuple[int, int]:
    """Ask all kinds in turn from several connections for a while; gives wrong answers and requests."""
    until = time.monotonic() + LOAD_S
    counts = [[0, 0] for _ in range(CONNECTIONS)]

    def ask(number: int) -> None:
        connection = http.client.HTTPConnection(urlsplit(sandbox.runtime_url).netloc)
        for kind in itertools.islice(itertools.cycle(asked), number, None):
            if time.monotonic() > until:
                break
            headers = {"Authorization": SIGNED, "Content-Type": kind.content_type, **kind.headers}
            connection.request("POST", kind.path, body=kind.body, headers=headers)
            answer = connection.getresponse()
            counts[number][0] += answer.status != 200 or not answer.read().startswith(kind.answer)
            counts[number][1] += 1
        connection.close()

    threads = [threading.Thread(target=ask, args=[number]) for number in range(CONNECTIONS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sum(errors for errors, _ in counts), sum(requests for _, requests in counts)


class Raw:
    """One connection and a request that is written once."""

    def __init__(
        self, stack: contextlib.ExitStack, connect: Callable[[], socket.socket], path: bytes, body: bytes
    ) -> None:
        self._socket = stack.enter_context(connect())
        self._request = (
            b"POST %b HTTP/1.1\r\nhost: 127.0.0.1\r\nauthorization: %b\r\ncontent-type: text/csv\r\n"
            b"content-length: %d\r\n\r\n%b" % (path, SIGNED.encode(), len(body), body)
        )
        for _ in range(200):
            self.ask()

    def ask(self) -> float:
        """Ask once; gives the seconds it took."""
        started = time.perf_counter()
        self._socket.sendall(self._request)
        answer = self._socket.recv(65536)
        while not is_whole(answer):
            answer += self._socket.recv(65536)
        return time.perf_counter() - started

    def per_second(self, count: int) -> float:
        started = time.perf_counter()
        for _ in range(count):
            self.ask()
        return count / (time.perf_counter() - started)


def is_whole(answer: bytes) -> bool:
    head, end, body = answer.partition(b"\r\n\r\n")
    length = head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0]
    return bool(end) and len(body) >= int(length)


def target(endpoint: str) -> bytes:
    return f"/endpoints/{endpoint}/invocations".encode()


def tcp(url: str) -> socket.socket:
    parts = urlsplit(url)
    connection = socket.create_connection((parts.hostname, parts.port))
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return connection


def unix(path: str) -> socket.socket:
    connection = socket.socket(socket.AF_UNIX)
    connection.connect(path)
    return connection


def worker_socket(sandbox: sandboxed.Sandbox) -> str:
    """Find the socket of the only worker."""
    (worker,) = (
        process
        for process in psutil.Process(sandbox.running.pid).children(recursive=True)
        if "sandbox.worker" in process.cmdline()
    )
    return next(entry.laddr for entry in worker.net_connections(kind="unix") if entry.laddr)


def idle_mb(sandbox: sandboxed.Sandbox) -> float:
    """Give the memory of all processes after a little while, each page that they share counted once."""
    sandbox.client("s3").list_buckets()
    sandbox.client("sagemaker").list_endpoints()
    time.sleep(3)
    control = psutil.Process(sandbox.running.pid)
    return sum(process.memory_full_info().pss for process in [control, *control.children(recursive=True)]) / 1e6


if __name__ == "__main__":
    main()
