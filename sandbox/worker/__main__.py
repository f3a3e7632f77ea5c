"""A worker process: `python -m sandbox.worker`, started by the runtime with its facts on standard input."""

import asyncio
import logging
import os
import socket
from pathlib import Path
from typing import Any

import uvicorn

from sandbox.piped import read_facts, when_parent_is_gone
from sandbox.worker.application import ModelServer


def _quit() -> None:
    os._exit(0)  # the parent is gone: nobody waits for an answer


async def serve(facts: dict[str, Any]) -> None:
    """Load the model, then serve on the socket until the parent is gone."""
    when_parent_is_gone(_quit)
    server = ModelServer(
        framework=facts["framework"],
        program=os.environ.get("SAGEMAKER_PROGRAM", ""),
        folder=Path(facts["folder"]) if facts["folder"] else None,
        room_bytes=facts["room_bytes"],
    )
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(facts["socket"])
    config = uvicorn.Config(
        server, http="httptools", ws="none", lifespan="off", log_level="warning", access_log=False,
        server_header=False, date_header=False, timeout_keep_alive=3600,
    )  # fmt: skip
    await uvicorn.Server(config).serve(sockets=[listener])


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    with asyncio.Runner(loop_factory=uvicorn.Config("", loop="auto").get_loop_factory()) as runner:
        runner.run(serve(read_facts()))
