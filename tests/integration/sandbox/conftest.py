"""One sandbox for all the tests of a process; a test that stops or breaks it starts its own."""

from collections.abc import Iterator

import pytest

from tests import sandboxed


@pytest.fixture(scope="session")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[sandboxed.Sandbox]:
    running = sandboxed.start(tmp_path_factory.mktemp("sandbox"))
    yield running
    running.stop()


@pytest.fixture
def own_sandbox(tmp_path) -> Iterator[sandboxed.Sandbox]:
    running = sandboxed.start(tmp_path / "state")
    yield running
    running.stop()
