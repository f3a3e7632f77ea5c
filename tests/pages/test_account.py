"""The frame says which account the app talks to, asked of a real sandbox."""

import pytest

from tests import sandboxed
from ui import data


@pytest.fixture
def sandbox(tmp_path, monkeypatch):
    running = sandboxed.start(tmp_path / "state")
    for name, value in running.running.environment.items():
        monkeypatch.setenv(name, value)
    data.account_choices.clear()
    data.account.clear()
    yield running
    running.stop()
    data.account_choices.clear()
    data.account.clear()


def test_the_frame_names_cloud_account_and_region(sandbox, app):
    at = app()
    assert at.selectbox(key="shell_account").options[0] == "sandbox"
    assert data.account("").title == "sandbox · 000000000000 · us-east-1"


def test_a_sandbox_that_is_gone_is_said_and_the_page_is_drawn(sandbox, app):
    sandbox.stop()
    at = app()
    assert at.title[0].value == "Describe the workload"
    assert "Could not connect" in at.error[0].value
