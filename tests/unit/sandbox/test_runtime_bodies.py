"""Bodies of invocations, as the server hands them over in parts."""

import asyncio
from typing import Any

import pytest

from sandbox.errors import AwsError
from sandbox.runtime.application import read_body


def read(*messages: dict[str, Any], largest: int = 10) -> bytes:
    coming = iter(messages)

    async def receive() -> dict[str, Any]:
        return next(coming)

    return asyncio.run(read_body(receive, largest))


def part(body: bytes, *, more: bool = False) -> dict[str, Any]:
    return {"type": "http.request", "body": body, "more_body": more}


def test_parts_are_put_together():
    assert read(part(b"abc", more=True), part(b"def", more=True), part(b"")) == b"abcdef"


def test_a_body_that_breaks_off_is_not_answered():
    with pytest.raises(AwsError, match="IncompleteBody"):
        read(part(b"abc", more=True), {"type": "http.disconnect"})


@pytest.mark.parametrize("messages", [(part(b"a" * 11),), (part(b"a" * 6, more=True), part(b"a" * 5))])
def test_a_body_that_is_too_large_is_refused(messages):
    with pytest.raises(AwsError, match="exceeded 10 bytes"):
        read(*messages)
