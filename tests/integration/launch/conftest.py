"""One sandbox for all the tests of a process, without the samples."""

import time
from collections.abc import Iterator

import pytest

from launch.stacks import Stacks
from tests import sandboxed
from tests.stack_account import Account


@pytest.fixture(scope="session")
def sandbox(tmp_path_factory) -> Iterator[sandboxed.Sandbox]:
    running = sandboxed.start(tmp_path_factory.mktemp("sandbox"))
    yield running
    running.stop()


@pytest.fixture(scope="session")
def account(sandbox) -> Account:
    return Account(sandbox)


@pytest.fixture(scope="session")
def stacks(sandbox) -> Stacks:
    return Stacks(sandbox.client, pause=soon)


def soon(_seconds: float) -> None:
    """Wait as little as the sandbox needs."""
    time.sleep(0.02)
