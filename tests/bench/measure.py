"""Timing a job and the line that tells of it: what was measured, the floor, what was seen, whether it holds."""

import os
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).parents[2]
ROUNDS = 7

Row = tuple[str, str, str, bool | None]  # None: not measured, or nothing is asked of it


def fastest(work: Callable[[], object], *, rounds: int = ROUNDS, first: bool = True) -> float:
    """Seconds of the best of some runs, after one that does not count."""
    if first:
        work()
    times = []
    for _ in range(rounds):
        started = time.perf_counter()
        work()
        times.append(time.perf_counter() - started)
    return min(times)


def speed(what: str, per_s: float, floor: float) -> Row:
    """A line about requests per second."""
    return what, f"{floor / 1e6:.0f} M/s", f"{per_s / 1e6:.1f} M/s", per_s >= floor


def within(what: str, seen_s: float, budget_s: float) -> Row:
    """A line about seconds."""
    return what, f"{budget_s:.1f} s", f"{seen_s:.2f} s", seen_s <= budget_s


def run(command: list[str], **environment: str) -> str:
    """Run a command in the project and give what it prints."""
    done = subprocess.run(
        command, cwd=ROOT, env=os.environ | environment, check=True, capture_output=True, text=True, timeout=300
    )
    return done.stdout
