"""The clients that the environment gives: what they try again, and for how long."""

import pytest
from botocore.awsrequest import AWSResponse
from botocore.exceptions import ClientError, ReadTimeoutError

from launch.clients import from_environment
from sandbox.settings import ACCESS_KEY, REGION, SECRET_KEY
from tests.sandboxed import Sandbox

THROTTLED = b"<ErrorResponse><Error><Code>Throttling</Code><Message>Rate exceeded</Message></Error></ErrorResponse>"


class _Raw:
    """A body, as the HTTP library has it."""

    def stream(self, **_):
        yield THROTTLED


@pytest.fixture
def cloudformation(sandbox: Sandbox, monkeypatch):
    """The client, with pauses that are told and not made."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", sandbox.url)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", ACCESS_KEY)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET_KEY)
    monkeypatch.setattr("botocore.endpoint.time.sleep", lambda _: None)
    return from_environment(region=REGION)("cloudformation")


def failing(client, faults):
    """Let the first attempts fail; gives the list of attempts."""
    attempts = []

    def fail(request, **_):
        attempts.append(request.url)
        fault = faults[len(attempts) - 1] if len(attempts) <= len(faults) else None
        if fault == "throttled":
            return AWSResponse(request.url, 400, {"Content-Type": "text/xml"}, _Raw())
        if fault is not None:
            raise ReadTimeoutError(endpoint_url=request.url)
        return None

    client.meta.events.register("before-send.*", fail)
    return attempts


def test_throttling_and_lost_answers_are_tried_again(cloudformation):
    attempts = failing(cloudformation, ["throttled", "lost", "throttled"])
    assert "Stacks" in cloudformation.describe_stacks()
    assert len(attempts) == 4


def test_after_five_attempts_it_is_over(cloudformation):
    attempts = failing(cloudformation, ["throttled"] * 9)
    with pytest.raises(ClientError, match="Throttling"):
        cloudformation.describe_stacks()
    assert len(attempts) == 5
