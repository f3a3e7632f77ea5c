"""A sandbox of its own for tests: real processes, real HTTP, a state folder that nobody else has."""

import os
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import boto3
import psutil
from botocore.config import Config

from sandbox import lifecycle
from sandbox.settings import ACCESS_KEY, REGION, SECRET_KEY, Settings

ROLE = "arn:aws:iam::000000000000:role/hosting"


@dataclass(kw_only=True)
class Sandbox:
    """A running sandbox and clients for it."""

    settings: Settings
    running: lifecycle.Running
    _clients: dict[str, Any] = field(default_factory=dict)

    @property
    def url(self) -> str:
        return self.running.url

    @property
    def runtime_url(self) -> str:
        return self.running.runtime_url

    def client(self, service: str, *, region_name: str = REGION, **config: Any) -> Any:
        """Give a boto3 client that tries once. Clients without further settings are kept."""
        if config or region_name != REGION:
            return self._new_client(service, region_name, config)
        if service not in self._clients:
            self._clients[service] = self._new_client(service, region_name, {})
        return self._clients[service]

    def _new_client(self, service: str, region_name: str, config: dict[str, Any]) -> Any:
        return boto3.session.Session().client(
            service,
            region_name=region_name,
            endpoint_url=self.runtime_url if service == "sagemaker-runtime" else self.url,
            aws_access_key_id=ACCESS_KEY,
            aws_secret_access_key=SECRET_KEY,
            config=Config(**{"retries": {"total_max_attempts": 1}, **config}),
        )

    def kill(self) -> None:
        """End the control process as a power cut would."""
        os.kill(self.running.pid, signal.SIGKILL)
        until(lambda: lifecycle.find(self.settings) is None)

    def kill_runtime(self) -> None:
        """End the runtime alone."""
        self.runtime().kill()

    def runtime(self) -> psutil.Process:
        """Give the runtime's process."""
        children = psutil.Process(self.running.pid).children()
        (found,) = (child for child in children if "sandbox.runtime" in _command(child))
        return found

    def workers(self) -> list[psutil.Process]:
        """Give the model servers that run; one that has just ended has no command line any more."""
        everyone = psutil.Process(self.running.pid).children(recursive=True)
        return [process for process in everyone if "sandbox.worker" in _command(process)]

    def start_again(self) -> None:
        """Start it after `kill` or `stop`, on the same state."""
        self.running = lifecycle.up(self.settings)
        self._clients.clear()

    def stop(self) -> None:
        lifecycle.down(self.settings)


def start(folder: Path, *, samples: bool = False) -> Sandbox:
    """Start a sandbox in a folder, on any free ports."""
    settings = Settings(folder=folder, port=0, runtime_port=0, samples=samples)
    return Sandbox(settings=settings, running=lifecycle.up(settings))


def _command(process: psutil.Process) -> list[str]:
    try:
        return process.cmdline()
    except psutil.NoSuchProcess:  # a zombie is one too
        return []


def has_ended(pid: int) -> bool:
    """Whether a process does nothing any more, even if nobody has read yet how it ended."""
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def until(happened: Callable[[], object], *, within_s: float = 30.0, every_s: float = 0.02) -> Any:
    """Wait until something is true, and give it."""
    deadline = time.monotonic() + within_s
    while not (found := happened()):
        assert time.monotonic() < deadline, f"did not happen within {within_s} s"
        time.sleep(every_s)
    return found
