"""Connections that break off, lie about their length, or come by hundreds at once."""

import contextlib
import http.client
import socket
import threading
from collections import Counter
from collections.abc import Callable
from urllib.parse import urlsplit

import pytest
from botocore.exceptions import BotoCoreError, ClientError

SIGNED = "AWS4-HMAC-SHA256 Credential=sandbox/20260101/us-east-1/s3/aws4_request, SignedHeaders=host, Signature=0"
CLIENTS = 200
REQUESTS = 3  # of each client on its connection


def send(sandbox, start: str, body: bytes, header: str) -> bytes:
    """Send a request, end our half of the connection, and give the answer."""
    address = urlsplit(sandbox.url)
    head = [start, f"Host: {address.netloc}", f"Authorization: {SIGNED}", header]
    with socket.create_connection((address.hostname, address.port), timeout=10) as connection:
        connection.sendall("\r\n".join([*head, "", ""]).encode() + body)
        connection.shutdown(socket.SHUT_WR)
        with connection.makefile("rb") as answer:
            return answer.read()


@pytest.mark.parametrize(
    ("header", "body"),
    [
        ("Content-Length: 100", b"half of it"),
        ("Transfer-Encoding: chunked", b"64\r\nhalf of it"),
        ("Transfer-Encoding: chunked", b"a\r\nhalf of it\r\n"),
    ],
)
def test_an_upload_that_breaks_off_leaves_the_object_as_it_was(sandbox, header, body):
    s3 = sandbox.client("s3")
    s3.create_bucket(Bucket="broken-off")
    s3.put_object(Bucket="broken-off", Key="k", Body=b"the whole object")
    answer = send(sandbox, "PUT /broken-off/k HTTP/1.1", body, header)
    assert answer.startswith(b"HTTP/1.1 400 ")
    assert b"<Code>IncompleteBody</Code>" in answer
    assert s3.get_object(Bucket="broken-off", Key="k")["Body"].read() == b"the whole object"


@pytest.mark.parametrize(
    ("header", "body", "status"),
    [
        ("Content-Length: -5", b"{}", b"400"),
        ("Content-Length: 99999999999999", b"{}", b"413"),
        ("Transfer-Encoding: chunked", b"zz\r\n{}\r\n0\r\n\r\n", b"400"),
        ("Transfer-Encoding: chunked", b"ffffffffffffffff\r\n{}\r\n0\r\n\r\n", b"400"),
    ],
)
def test_a_length_that_cannot_be_is_refused(sandbox, header, body, status):
    answer = send(sandbox, "PUT /broken-off/k HTTP/1.1", body, header)
    assert answer.startswith(b"HTTP/1.1 " + status)
    assert b"<Code>" in answer


def test_headers_without_end_are_cut_off(sandbox):
    address = urlsplit(sandbox.url)
    endless = b"GET / HTTP/1.1\r\n" + b"X-Long: and so on\r\n" * 1_000_000
    with (
        socket.create_connection((address.hostname, address.port), timeout=10) as connection,
        pytest.raises(ConnectionError),
    ):
        connection.sendall(endless)


def all_at_once(ask: Callable[[], object]) -> Counter[str]:
    """Let many clients ask at the same moment; gives how many heard what."""
    heard: Counter[str] = Counter()
    together = threading.Barrier(CLIENTS)

    def client() -> None:
        together.wait()
        try:
            heard[str(ask())] += 1
        except (OSError, BotoCoreError, ClientError) as err:
            heard[repr(err)] += 1

    threads = [threading.Thread(target=client) for _ in range(CLIENTS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return heard


def test_hundreds_of_clients_at_once_are_all_answered(sandbox):
    def ask() -> list[int]:
        statuses = []
        connection = http.client.HTTPConnection(urlsplit(sandbox.url).netloc, timeout=60)
        with contextlib.closing(connection):
            for _ in range(REQUESTS):
                connection.request("GET", "/-/health")
                answer = connection.getresponse()
                answer.read()
                statuses.append(answer.status)
        return statuses

    assert all_at_once(ask) == {"[200, 200, 200]": CLIENTS}


def test_requests_that_need_requests_of_their_own_do_not_wait_for_each_other(sandbox):
    s3 = sandbox.client("s3")
    s3.create_bucket(Bucket="templates")
    s3.put_object(Bucket="templates", Key="t", Body=b'{"Resources": {"T": {"Type": "AWS::SNS::Topic"}}}')
    cloudformation = sandbox.client("cloudformation", max_pool_connections=CLIENTS, read_timeout=30)
    url = f"{sandbox.url}/templates/t"
    assert all_at_once(lambda: cloudformation.validate_template(TemplateURL=url)["Parameters"]) == {"[]": CLIENTS}
