"""Malformed documents through the commands: `python -m tests.fuzz_commands [--seed S] [--count N]`.

Every document goes through `recommend -` and `price -` as on the command line: standard input, exit status,
standard error. A traceback, another exit status or more than two seconds is a failure.
"""

import argparse
import contextlib
import io
import sys
import time
import traceback
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from fitness.cli import main
from tests.fuzz_documents import documents

LIMIT_S = 2.0
EXPECTED = {"recommend": {0, 2, 3}, "price": {0, 2}}


@dataclass(frozen=True, slots=True)
class Run:
    """What one command made of one document."""

    command: str
    status: int | None  # None: it raised
    seconds: float
    error: str
    document: bytes

    @property
    def is_sound(self) -> bool:
        """A known exit status, no traceback, and a reason where it refuses."""
        known = self.status in EXPECTED[self.command]
        return known and "Traceback" not in self.error and (self.status != 2 or bool(self.error.strip()))

    @property
    def is_good(self) -> bool:
        """Sound, and in time: for a run by hand, since a busy machine is slow."""
        return self.is_sound and self.seconds <= LIMIT_S


class _Input(io.TextIOWrapper):
    """Standard input that holds one document."""

    def __init__(self, document: bytes) -> None:
        super().__init__(io.BytesIO(document))


def run(command: str, document: bytes) -> Run:
    """One document through one command, in this process."""
    out, err = io.StringIO(), io.StringIO()
    before, sys.stdin = sys.stdin, _Input(document)
    started = time.perf_counter()
    status: int | None = None
    try:
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            status = main([command, "-", "--json"])
    except BaseException:  # noqa: BLE001 whatever escapes is the finding
        err.write(traceback.format_exc())
    finally:
        sys.stdin = before
    return Run(command, status, time.perf_counter() - started, err.getvalue(), document)


def runs(seed: int, count: int) -> Iterator[Run]:
    """`count` documents through both commands."""
    for document in documents(seed, count):
        content = document if isinstance(document, bytes) else str(document).encode("utf-8", "surrogatepass")
        for command in EXPECTED:
            yield run(command, content)


def _tell() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--count", type=int, default=5000)
    args = parser.parse_args()
    statuses: Counter[tuple[str, int | None]] = Counter()
    slowest, bad = 0.0, 0
    for done in runs(args.seed, args.count):
        statuses[done.command, done.status] += 1
        slowest = max(slowest, done.seconds)
        if not done.is_good:
            bad += 1
            print(
                f"{done.command}: {done.status} in {done.seconds:.2f} s\n{done.document[:500]!r}\n{done.error[-800:]}"
            )
    for (command, status), number in sorted(statuses.items(), key=str):
        print(f"{command:<12}exit {status}: {number}")
    print(f"slowest {slowest:.2f} s; {bad} failures")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(_tell())
