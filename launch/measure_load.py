"""Load on an endpoint from threads of this process: callers that ask again and again, or requests at given times."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from queue import SimpleQueue

import numpy as np
from botocore.exceptions import BotoCoreError, ClientError

from fitness.arrays import Array

Ask = Callable[[], int]  # asks once and gives the attempts that it took; raises what boto3 raises
_LEAD_S = 0.05  # until the first request that is due


@dataclass(slots=True)
class Budget:
    """What a load test may still use; threads share it."""

    requests: int
    deadline: float  # of time.monotonic()
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def take(self) -> bool:
        """Take one request; False if none is left or the time is over."""
        with self._lock:
            if self.requests <= 0 or time.monotonic() >= self.deadline:
                return False
            self.requests -= 1
            return True


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """The answered requests of a load, and how many failed or had to be tried again."""

    started_s: Array  # from the beginning of the load; when a request was due, where times are given
    latency_s: Array
    late_s: Array  # sent after they were due; zeros where no times are given
    errors: int
    seconds: float
    cpu_s: float  # of this process
    first_error: str | None


class _Tally:
    """Times of threads."""

    def __init__(self) -> None:
        self._rows: list[tuple[float, float, float]] = []
        self._errors = 0
        self._first_error: str | None = None
        self._lock = threading.Lock()
        self.origin, self._cpu_s = time.perf_counter(), time.process_time()

    def once(self, ask: Ask, due: float | None = None) -> None:
        """Ask once and note how long it took, from when it was due."""
        sent = time.perf_counter()
        begun = sent if due is None else due
        try:
            attempts = ask()
        except (ClientError, BotoCoreError) as err:
            with self._lock:
                self._errors += 1
                self._first_error = self._first_error or str(err)
            return
        ended = time.perf_counter()
        with self._lock:
            if attempts > 1:  # its time holds pauses that are the client's
                self._errors += 1
            else:
                self._rows.append((begun - self.origin, ended - begun, sent - begun))

    def seen(self) -> Seen:
        """All of it, in the order of the beginnings."""
        seconds, cpu_s = time.perf_counter() - self.origin, time.process_time() - self._cpu_s
        rows = np.array(sorted(self._rows)).reshape(-1, 3)
        return Seen(
            started_s=rows[:, 0],
            latency_s=rows[:, 1],
            late_s=rows[:, 2],
            errors=self._errors,
            seconds=seconds,
            cpu_s=cpu_s,
            first_error=self._first_error,
        )


def closed(ask: Ask, *, callers: int, requests: int, seconds: float, budget: Budget) -> Seen:
    """Let callers ask, each again as soon as it has its answer, until requests, seconds or the budget are used up."""
    stage = Budget(requests=requests, deadline=time.monotonic() + seconds)
    tally = _Tally()

    def call() -> None:
        while stage.take() and budget.take():
            tally.once(ask)

    _together(call, callers)
    return tally.seen()


def at_times(ask: Ask, due_s: Array, *, callers: int, budget: Budget) -> Seen:
    """Send requests when they are due, however late the answers are; latencies count from then.

    With more requests at once than callers the later ones wait in this process, and their lateness shows it.
    """
    waiting: SimpleQueue[float | None] = SimpleQueue()
    tally = _Tally()

    def call() -> None:
        while (due := waiting.get()) is not None:
            tally.once(ask, due)

    def send() -> None:
        start = tally.origin + _LEAD_S
        for due in due_s.tolist():
            if (pause := start + due - time.perf_counter()) > 0:
                time.sleep(pause)
            if not budget.take():
                break
            waiting.put(start + due)
        for _ in range(callers):
            waiting.put(None)

    sender = threading.Thread(target=send, name="load-sender", daemon=True)
    sender.start()
    _together(call, callers)
    sender.join()
    return tally.seen()


def _together(work: Callable[[], None], count: int) -> None:
    threads = [threading.Thread(target=work, name=f"load-{number}", daemon=True) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
