"""The runtime process: reads its facts from standard input, serves on the socket it was given, ends with its parent."""

import asyncio
import json
import logging
import os
import socket
import sys
from typing import Any

import uvicorn

from sandbox.runtime.application import Runtime


async def serve(facts: dict[str, Any]) -> None:
    """Serve until the parent's end of the pipe closes."""
    runtime = Runtime(facts)
    listener = socket.socket(fileno=facts["listener"])
    config = uvicorn.Config(
        runtime, http="httptools", ws="none", lifespan="off", log_level="warning", access_log=False,
        server_header=False, date_header=False, timeout_keep_alive=75, timeout_graceful_shutdown=1,
    )  # fmt: skip
    server = uvicorn.Server(config)

    def parent_is_gone() -> None:
        if not os.read(sys.stdin.fileno(), 4096):
            asyncio.get_running_loop().remove_reader(sys.stdin.fileno())
            server.should_exit = True

    asyncio.get_running_loop().add_reader(sys.stdin.fileno(), parent_is_gone)
    runtime.start()
    try:
        await server.serve(sockets=[listener])
    finally:
        await runtime.stop()


def main() -> None:
    """Read one line of facts and serve."""
    os.umask(0o077)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    line = b""
    while not line.endswith(b"\n"):  # not buffered: what follows must stay in the pipe
        line += os.read(0, 1)
    loops = uvicorn.Config("", loop="auto").get_loop_factory()
    with asyncio.Runner(loop_factory=loops) as runner:
        runner.run(serve(json.loads(line)))


if __name__ == "__main__":
    main()
