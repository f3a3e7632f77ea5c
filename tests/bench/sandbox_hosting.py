"""How fast the sandbox hosts: what InvokeEndpoint adds to a call of the model server, requests a second, start, memory."""

import contextlib
import itertools
import socket
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import psutil

from sandbox.settings import SAMPLES_BUCKET
from tests import sandboxed
from tests.bench.measure import Row
from tests.hosting import Hosting, keys
from tests.hosting_load import CONNECTIONS, FLOWER, KINDS, SIGNED, Question, ask_all

REQUESTS = 3_000
LOAD_S = 60


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
    log = ask_all(sandbox.runtime_url, mixed([kind(hosting) for kind in KINDS]), LOAD_S)
    errors = sum(bool(heard.wrong) for heard in log)
    what = f"wrong answers in {LOAD_S} s from {CONNECTIONS} connections, four kinds ({len(log):,} requests)"
    yield what, "0", str(errors), errors == 0
    for name in (entry["EndpointName"] for entry in hosting.sagemaker.list_endpoints()["Endpoints"]):
        hosting.gone(name)


def mixed(kinds: list[list[Question]]) -> list[Question]:
    """Take a question of each kind in turn, until each of the longest has been taken."""
    turns = [itertools.cycle(questions) for questions in kinds]
    return [next(turn) for _ in range(max(map(len, kinds))) for turn in turns]


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
