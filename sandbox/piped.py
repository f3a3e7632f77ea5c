"""Child processes that get their facts on standard input and end when that pipe closes, so none outlives its parent."""

import asyncio
import json
import os
import sys
from collections.abc import Callable
from typing import Any


def read_facts() -> dict[str, Any]:
    """Read one line of JSON from standard input, byte by byte: what follows must stay in the pipe."""
    line = b""
    while not line.endswith(b"\n"):
        byte = os.read(0, 1)
        if not byte:
            raise SystemExit("started without facts on standard input")
        line += byte
    facts: dict[str, Any] = json.loads(line)
    return facts


def when_parent_is_gone(act: Callable[[], None]) -> None:
    """Call something once the parent's end of standard input is closed. Needs the running loop."""
    loop = asyncio.get_running_loop()
    descriptor = sys.stdin.fileno()

    def readable() -> None:
        if not os.read(descriptor, 4096):
            loop.remove_reader(descriptor)
            act()

    loop.add_reader(descriptor, readable)
