"""A model server as a child process: started, watched, limited, stopped."""

import asyncio
import contextlib
import json
import logging
import os
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from sandbox.runtime.http_client import Client

LOG = logging.getLogger(__name__)

_PING_EVERY_S = 0.01
_LOG_TAIL_BYTES = 2000
# A worker computes with one thread, so that several share the machine as instances would not.
_ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")


class NotHealthy(Exception):
    """A model server that did not come up; the message has the end of its log."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerFacts:
    """What a worker is started with. `folder` is None for one that loads its models while it runs."""

    name: str
    framework: str
    folder: Path | None
    environment: Mapping[str, str]
    memory_bytes: int
    room_bytes: int
    log: Path
    start_timeout_s: float


@dataclass
class Worker:
    """One process."""

    facts: WorkerFacts
    socket: Path
    process: asyncio.subprocess.Process | None = None
    client: Client = field(init=False)

    def __post_init__(self) -> None:
        self.client = Client.of_socket(str(self.socket))

    async def start(self) -> None:
        """Start the process and wait until it answers /ping. Raises: NotHealthy."""
        self.socket.unlink(missing_ok=True)
        self.facts.log.parent.mkdir(parents=True, exist_ok=True)
        with self.facts.log.open("ab") as log:
            self.process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "sandbox.worker",
                cwd=Path(__file__).parents[2],
                env=_clean_environment(self.facts),
                stdin=asyncio.subprocess.PIPE, stdout=log, stderr=log,
            )  # fmt: skip
        facts = {
            "socket": str(self.socket),
            "framework": self.facts.framework,
            "folder": str(self.facts.folder) if self.facts.folder else None,
            "room_bytes": self.facts.room_bytes,
        }
        assert self.process.stdin is not None  # noqa: S101 (asked for above)
        self.process.stdin.write(json.dumps(facts).encode() + b"\n")
        deadline = time.monotonic() + self.facts.start_timeout_s
        while not await self._pings():
            if self.process.returncode is not None or time.monotonic() > deadline:
                await self.stop()
                raise NotHealthy(self._last_words())
            await asyncio.sleep(_PING_EVERY_S)

    async def ended(self, *, within_s: float) -> None:
        """Wait until the process has ended, or for a while."""
        if self.process is not None:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self.process.wait(), within_s)

    @property
    def is_running(self) -> bool:
        """Whether the process is there."""
        return self.process is not None and self.process.returncode is None

    def memory_bytes(self) -> int:
        """Give the memory that the process has in use."""
        if self.process is None:
            return 0
        try:
            return int(psutil.Process(self.process.pid).memory_info().rss)
        except psutil.NoSuchProcess:
            return 0

    async def stop(self) -> None:
        """End the process."""
        self.client.close()
        if self.process is not None and self.process.returncode is None:
            self.process.kill()
            await self.process.wait()
        self.socket.unlink(missing_ok=True)

    async def _pings(self) -> bool:
        if not self.socket.exists():
            return False
        try:
            return (await self.client.ask(b"GET", b"/ping", [])).status == 200
        except OSError:
            return False

    def _last_words(self) -> str:
        tail = self.facts.log.read_bytes()[-_LOG_TAIL_BYTES:].decode("utf-8", "replace").strip()
        return tail.splitlines()[-1] if tail else "it said nothing"


def _clean_environment(facts: WorkerFacts) -> dict[str, str]:
    """What a container would have: its own variables, none of the app's and none of its credentials."""
    inherited = {name: os.environ[name] for name in ("PATH", "LANG", "LD_LIBRARY_PATH", "TMPDIR") if name in os.environ}
    home = str(facts.folder or facts.log.parent)
    return {**inherited, **_ONE_THREAD, "HOME": home, "PYTHONDONTWRITEBYTECODE": "1", **facts.environment}
