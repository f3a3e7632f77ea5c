"""The runtime process: serves on the socket it was given and ends with its parent."""

import asyncio
import logging
import os
import socket
from typing import Any

import uvicorn

from sandbox.piped import read_facts, when_parent_is_gone
from sandbox.runtime.application import Runtime


async def serve(facts: dict[str, Any]) -> None:
    """Serve until the parent's end of the pipe closes."""
    for ours in ("listener", "held"):  # a model server that ends later would keep the port and the state folder
        os.set_inheritable(facts[ours], False)  # noqa: FBT003 (it takes no names)
    runtime = Runtime(facts)
    config = uvicorn.Config(
        runtime, http="httptools", ws="none", lifespan="off", log_level="warning", access_log=False,
        server_header=False, date_header=False, timeout_keep_alive=75, timeout_graceful_shutdown=1,
    )  # fmt: skip
    server = uvicorn.Server(config)

    def leave() -> None:
        server.should_exit = True

    when_parent_is_gone(leave)
    runtime.start()
    try:
        await server.serve(sockets=[socket.socket(fileno=facts["listener"])])
    finally:
        await runtime.stop()


if __name__ == "__main__":
    os.umask(0o077)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    with asyncio.Runner(loop_factory=uvicorn.Config("", loop="auto").get_loop_factory()) as runner:
        runner.run(serve(read_facts()))
