"""Starting, finding and stopping the sandbox of a state folder: one at a time, whoever asks."""

import fcntl
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from sandbox.settings import ACCOUNT, LOOPBACK, REGION, Settings, client_environment
from sandbox.state import HELD, private_folder, write_atomically

_LONGEST_START_S = 30.0
_LONGEST_STOP_S = 10.0
_LONGEST_SILENCE_S = 30.0
_HEALTH_TIMEOUT_S = 2.0
# The last figures of a log are what a person needs to see.
_LOG_TAIL_BYTES = 4000

# What this process started: it outlives us, and if we outlive it we are the one who hears of its end.
_CHILDREN: dict[int, "subprocess.Popen[bytes]"] = {}


class NotStarted(Exception):
    """The sandbox did not come up; the message has the end of its log."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Running:
    """A sandbox that answers."""

    pid: int
    url: str
    runtime_url: str
    account: str = ACCOUNT
    region: str = REGION

    @property
    def environment(self) -> dict[str, str]:
        """The variables that point AWS clients to it."""
        return client_environment(self.url, self.runtime_url)


def up(settings: Settings) -> Running:
    """Start the sandbox unless it runs, and give it when it answers. Raises: NotStarted."""
    private_folder(settings.folder)
    with _lock(settings.folder):
        deadline = time.monotonic() + _LONGEST_SILENCE_S
        while (running := find(settings)) is None and (pid := holder(settings)) is not None:
            # Two processes on one state folder would undo each other's changes.
            if time.monotonic() > deadline:
                raise NotStarted(f"Process {pid} runs the sandbox and does not answer; python -m sandbox down ends it")
            time.sleep(0.02)
        return running if running is not None else _start(settings)


def find(settings: Settings) -> Running | None:
    """Give the sandbox of the folder if it runs and answers."""
    try:
        known = json.loads((settings.folder / "control.json").read_text("utf-8"))
        with urllib.request.urlopen(f"{known['url']}/-/health", timeout=_HEALTH_TIMEOUT_S) as response:  # noqa: S310
            health = json.load(response)
    except (OSError, ValueError, urllib.error.URLError):
        return None
    if health.get("sandbox") != str(settings.folder):
        return None  # another program has the port by now
    return Running(pid=health["pid"], url=health["url"], runtime_url=health["runtime_url"])


def holder(settings: Settings) -> int | None:
    """Give the process that has the state folder, whether it answers or not; it may have died before its runtime."""
    try:
        with (settings.folder / HELD).open() as file:
            try:
                fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                return int(file.read())
    except (FileNotFoundError, ValueError):  # nobody yet, or somebody this very moment
        pass
    return None


def down(settings: Settings) -> bool:
    """Stop the sandbox; False if none ran."""
    if not settings.folder.is_dir():
        return False
    with _lock(settings.folder):
        return _stop(settings)


def reset(settings: Settings) -> None:
    """Stop the sandbox and delete everything in it."""
    if not settings.folder.is_dir():
        return
    with _lock(settings.folder):
        _stop(settings)
        for entry in settings.folder.iterdir():
            if entry.is_dir():
                shutil.rmtree(entry)
            elif entry.name not in {"lock", HELD}:
                entry.unlink()


def _start(settings: Settings) -> Running:
    ports = _ports(settings)
    arguments = [str(settings.folder), *map(str, ports), *(["samples"] if settings.samples else [])]
    log_path = settings.folder / "sandbox.log"
    log_path.touch(mode=0o600)
    with log_path.open("ab") as log:
        process = subprocess.Popen(  # noqa: S603 (our own module)
            [sys.executable, "-m", "sandbox.control", *arguments],
            cwd=Path(__file__).parent.parent,
            env=_environment(),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    _CHILDREN[process.pid] = process
    deadline = time.monotonic() + _LONGEST_START_S
    while time.monotonic() < deadline:
        running = find(settings)
        if running is not None and running.pid == process.pid:
            write_atomically(
                settings.folder / "ports.json",
                json.dumps([int(url.rpartition(":")[2]) for url in (running.url, running.runtime_url)]).encode(),
            )
            return running
        if process.poll() is not None:
            break
        time.sleep(0.02)
    else:
        process.kill()
    tail = log_path.read_bytes()[-_LOG_TAIL_BYTES:].decode("utf-8", "replace")
    raise NotStarted(f"The sandbox did not start. The end of {log_path}:\n{tail}")


def _stop(settings: Settings) -> bool:
    pid = holder(settings)
    if pid is None:
        return False
    with suppress(ProcessLookupError):  # it may have died, and its runtime be about to end
        os.kill(pid, signal.SIGTERM)
    deadline = time.monotonic() + _LONGEST_STOP_S
    while _alive(pid) or holder(settings) is not None:
        if time.monotonic() > deadline:
            with suppress(ProcessLookupError):
                os.killpg(pid, signal.SIGKILL)  # it leads a session, so its runtime and model servers end too
        time.sleep(0.02)
    return True


def _alive(pid: int) -> bool:
    if pid in _CHILDREN:
        return _CHILDREN[pid].poll() is None
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def _ports(settings: Settings) -> tuple[int, int]:
    """The ports that were asked for, else those of the last time if they are free, else any."""
    try:
        last = tuple(json.loads((settings.folder / "ports.json").read_text("utf-8")))
    except (OSError, ValueError):
        last = (0, 0)
    chosen = (settings.port or last[0], settings.runtime_port or last[1])
    asked = (settings.port, settings.runtime_port)
    control, runtime = (
        port if asked_port or _is_free(port) else 0 for port, asked_port in zip(chosen, asked, strict=True)
    )
    return control, runtime


def _is_free(port: int) -> bool:
    try:
        with socket.create_server((LOOPBACK, port)):
            return True
    except OSError:
        return False


def _environment() -> dict[str, str]:
    """The environment without what would lead the sandbox's own clients elsewhere."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    return {
        **kept,
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_EC2_METADATA_DISABLED": "true",
    }


@contextmanager
def _lock(folder: Path) -> Iterator[None]:
    path = folder / "lock"
    path.touch(mode=0o600)
    with path.open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
