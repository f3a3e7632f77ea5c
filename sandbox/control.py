"""The control process: the gateway on a loopback port, and the runtime as its child.

`python -m sandbox.control FOLDER PORT RUNTIME_PORT [samples]`; people start it with `python -m sandbox up`.
"""

import json
import logging
import os
import secrets
import signal
import socket
import subprocess
import sys
import threading
from pathlib import Path
from types import FrameType
from typing import Any

from sandbox.cloud import Cloud
from sandbox.gateway import Gateway
from sandbox.http_server import http_server
from sandbox.moto_backend import MotoBackend
from sandbox.runtime_process import RuntimeProcess
from sandbox.services import EAGER
from sandbox.settings import LOOPBACK, SAMPLES_BUCKET
from sandbox.state import hold, private_folder, write_atomically

LOG = logging.getLogger(__name__)


def run(folder: Path, port: int, runtime_port: int, *, samples: bool) -> None:
    """Serve until a signal says stop."""
    os.umask(0o077)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    held = hold(private_folder(folder))
    token = secrets.token_urlsafe(32)
    port = _free_port(port)
    server = http_server(port)
    listener = socket.create_server((LOOPBACK, _free_port(runtime_port)))
    url, runtime_url = (f"http://{LOOPBACK}:{number}" for number in (port, listener.getsockname()[1]))

    cloud = Cloud(folder, url=url, runtime_url=runtime_url, token=token)
    moto = MotoBackend(cloud, port=port)
    runtime = RuntimeProcess(cloud, listener, held)

    def health() -> dict[str, Any]:
        return {"sandbox": str(folder), "pid": os.getpid(), "url": url, "runtime_url": runtime_url}

    gateway = Gateway(cloud, moto, health)
    server.wsgi_app = gateway

    def leave() -> None:
        runtime.stop()  # first, so that it can hand over what it has measured
        server.stop()

    def stop(_signal: int, _frame: FrameType | None) -> None:
        threading.Thread(target=leave, name="stop").start()

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    runtime.start()
    write_atomically(folder / "control.json", json.dumps(health()).encode())
    cloud.background(moto.start)
    for name in EAGER:
        service = gateway.service(name)
        assert service is not None, name  # noqa: S101 (the registry names its own services)
        cloud.background(service.resume)
        runtime.on_restart(service.runtime_is_back)
    if samples:
        cloud.background(_train_samples, cloud)
    LOG.info("ready at %s, runtime at %s", url, runtime_url)
    try:
        server.serve()
    finally:
        (folder / "control.json").unlink(missing_ok=True)
        held.close()


def _free_port(port: int) -> int:
    """Give the port that was asked for, or for 0 any; cheroot keeps one that the system chooses for it from others."""
    try:
        with socket.create_server((LOOPBACK, port)) as chosen:
            free: int = chosen.getsockname()[1]
            return free
    except OSError as err:
        sys.exit(f"port {port} of {LOOPBACK} is taken: {err.strerror}")


def _train_samples(cloud: Cloud) -> None:
    """Train the sample models, in a process that gives its memory back, unless they are there."""
    if cloud.objects.listing(SAMPLES_BUCKET, "index.json"):
        return
    command = [sys.executable, "-m", "sandbox.samples", cloud.url, SAMPLES_BUCKET]
    subprocess.run(command, check=True)  # noqa: S603 (our own module)


if __name__ == "__main__":
    run(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), samples="samples" in sys.argv[4:])
