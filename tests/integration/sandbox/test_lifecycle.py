"""One sandbox for a state folder, also while it does not answer."""

import os
import signal
import threading

import pytest

from sandbox import lifecycle
from sandbox.__main__ import main
from tests.sandboxed import has_ended

SILENT_S = 3.0  # longer than anybody waits for one answer


@pytest.fixture
def silent(own_sandbox):
    """A sandbox that answers nobody for a while, as on a machine that was asleep or swaps."""
    os.kill(own_sandbox.running.pid, signal.SIGSTOP)
    waker = threading.Timer(SILENT_S, os.kill, (own_sandbox.running.pid, signal.SIGCONT))
    waker.start()
    yield own_sandbox
    waker.join()


def test_a_silent_sandbox_is_waited_for_and_no_second_one_started(silent):
    assert lifecycle.up(silent.settings) == silent.running


def test_a_silent_sandbox_is_stopped(silent, capsys, monkeypatch):
    monkeypatch.setenv("HOSTFIT_SANDBOX_HOME", str(silent.settings.folder))
    assert main(["status"]) == 1
    assert f"process {silent.running.pid} has it and does not answer" in capsys.readouterr().out
    assert main(["down"]) == 0
    assert capsys.readouterr().out == "stopped\n"
    assert has_ended(silent.running.pid)
    assert main(["status"]) == 1
    assert "not running" in capsys.readouterr().out


def test_the_runtime_of_a_sandbox_that_died_is_waited_for(own_sandbox):
    ports = own_sandbox.url, own_sandbox.runtime_url
    runtime = own_sandbox.runtime()
    runtime.suspend()
    os.kill(own_sandbox.running.pid, signal.SIGKILL)
    waker = threading.Timer(SILENT_S, runtime.resume)
    waker.start()
    own_sandbox.start_again()
    waker.join()
    assert (own_sandbox.url, own_sandbox.runtime_url) == ports
    assert has_ended(runtime.pid)


def test_a_port_that_is_taken_is_named(own_sandbox, tmp_path):
    port = int(own_sandbox.url.rpartition(":")[2])
    settings = lifecycle.Settings(folder=tmp_path / "other", port=port, runtime_port=0, samples=False)
    with pytest.raises(lifecycle.NotStarted, match=f"port {port} of 127.0.0.1 is taken") as caught:
        lifecycle.up(settings)
    assert "Traceback" not in str(caught.value)
