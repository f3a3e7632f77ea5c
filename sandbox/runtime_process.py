"""The runtime as a child of the control process: started, watched, started again, and told what to serve."""

import json
import logging
import os
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any

from sandbox.cloud import Cloud

LOG = logging.getLogger(__name__)

_FIRST_PAUSE_S = 0.5  # before the runtime is started again; doubles up to the longest
_LONGEST_PAUSE_S = 30.0
_START_TIMEOUT_S = 20.0


class RuntimeProcess:
    """The runtime's process. It ends when the pipe to its standard input closes, so it never outlives us."""

    def __init__(self, cloud: Cloud, listener: socket.socket, held: IO[str]) -> None:
        self._cloud = cloud
        self._listener = listener
        self._held = held  # the runtime has the state folder too: it may end after us
        self._process: subprocess.Popen[bytes] | None = None
        self._stopping = threading.Event()
        self._on_restart: list[Callable[[], None]] = []

    def start(self) -> None:
        """Start it, wait until it answers, and watch it from then on."""
        self._spawn()
        self._cloud.background(self._watch)

    def on_restart(self, call: Callable[[], None]) -> None:
        """Call something whenever the runtime had to be started again."""
        self._on_restart.append(call)

    def stop(self) -> None:
        """Stop it and its workers."""
        self._stopping.set()
        process = self._process
        if process is not None and process.stdin is not None:
            process.stdin.close()
            try:
                process.wait(timeout=5)
            except subprocess.TimeoutExpired:
                process.kill()

    def _spawn(self) -> None:
        process = subprocess.Popen(
            [sys.executable, "-m", "sandbox.runtime"],
            cwd=Path(__file__).parent.parent,
            env={name: value for name, value in os.environ.items() if not name.startswith("AWS_")},
            stdin=subprocess.PIPE,
            pass_fds=[self._listener.fileno(), self._held.fileno()],
        )
        self._process = process
        facts = {
            "listener": self._listener.fileno(),
            "held": self._held.fileno(),
            "folder": str(self._cloud.folder),
            "control_url": self._cloud.url,
            "token": self._cloud.token,
            "account": self._cloud.account,
        }
        assert process.stdin is not None  # noqa: S101 (asked for above)
        process.stdin.write(json.dumps(facts).encode() + b"\n")
        process.stdin.flush()
        deadline = time.monotonic() + _START_TIMEOUT_S
        while time.monotonic() < deadline and process.poll() is None:
            try:
                call_runtime(self._cloud, "GET", "/-/health", timeout_s=1.0)
            except (OSError, urllib.error.URLError):
                time.sleep(0.02)
            else:
                return
        process.kill()

    def _watch(self) -> None:
        pause_s = _FIRST_PAUSE_S
        while not self._stopping.is_set():
            assert self._process is not None  # noqa: S101 (start() made it)
            started = time.monotonic()
            status = self._process.wait()
            if self._stopping.is_set():
                return
            if time.monotonic() - started > _LONGEST_PAUSE_S:
                pause_s = _FIRST_PAUSE_S
            LOG.error("the runtime ended with status %s; starting it again in %.1f s", status, pause_s)
            self._stopping.wait(pause_s)
            pause_s = min(pause_s * 2, _LONGEST_PAUSE_S)
            self._spawn()
            for call in self._on_restart:
                self._cloud.background(call)


def call_runtime(
    cloud: Cloud, method: str, path: str, document: dict[str, Any] | None = None, *, timeout_s: float
) -> dict[str, Any]:
    """Speak to the runtime's inner door. Raises: urllib's errors; HTTPError carries the runtime's reason."""
    request = urllib.request.Request(  # noqa: S310 (loopback)
        cloud.runtime_url + path,
        method=method,
        data=None if document is None else json.dumps(document).encode(),
        headers={"x-sandbox-token": cloud.token, "content-type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=timeout_s) as response:  # noqa: S310
        answer: dict[str, Any] = json.loads(response.read() or b"{}")
    return answer
