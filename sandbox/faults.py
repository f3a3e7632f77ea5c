"""Switches that make the sandbox misbehave as AWS sometimes does, for tests and demonstrations."""

import json
from enum import StrEnum
from pathlib import Path
from typing import Final

from sandbox.state import write_atomically


class Fault(StrEnum):
    """What can be made to go wrong."""

    CAPACITY = "capacity"
    SLOW_CREATION = "slow-creation"
    ALARM = "alarm"
    THROTTLING = "throttling"
    EXPIRED = "expired"


MEANING: Final = {
    Fault.CAPACITY: "no instance can be had: endpoints and transform jobs fail with InsufficientInstanceCapacity",
    Fault.SLOW_CREATION: "an endpoint stays in Creating or Updating for 30 s longer",
    Fault.ALARM: "during an update every alarm of a deployment counts as raised, so it rolls back",
    Fault.THROTTLING: "every call is answered with ThrottlingException",
    Fault.EXPIRED: "every call is answered with ExpiredTokenException",
}


class Faults:
    """The switches that are on; kept in a file, so that a command can turn them while the sandbox runs."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / "faults.json"
        self._read_at = -1
        self._active: frozenset[Fault] = frozenset()

    def active(self) -> frozenset[Fault]:
        """Give the switches that are on now."""
        try:
            changed_at = self._path.stat().st_mtime_ns
        except FileNotFoundError:
            return frozenset()
        if changed_at != self._read_at:
            names = json.loads(self._path.read_text("utf-8"))
            self._active = frozenset(Fault(name) for name in names)
            self._read_at = changed_at
        return self._active

    def turn(self, fault: Fault, *, on: bool) -> frozenset[Fault]:
        """Turn one switch; gives those that are on afterwards."""
        after = self.active() | {fault} if on else self.active() - {fault}
        write_atomically(self._path, json.dumps(sorted(after)).encode())
        return after
