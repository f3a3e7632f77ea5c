"""Long work outside the script: one store for the process, a thread for each run, nothing of Streamlit.

A run is known by its token, which holds everything that its result depends on: whoever asks twice, in one tab or in
two, gets the same run, and a finished one is its own cache. A run ends early when nobody asks about it any more.
"""

import math
import threading
import time
from collections.abc import Callable, Hashable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Generic, TypeVar

from fitness.simulation.progress import Progress, Stopped

AT_ONCE = 2
KEPT = 32  # finished runs; the oldest goes first
FORGOTTEN_S = 15.0  # a watcher who has not asked for so long has gone

Result = TypeVar("Result")


class Stage(StrEnum):
    """How far a run is."""

    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    STOPPED = "stopped"
    FAILED = "failed"


@dataclass(slots=True, kw_only=True, eq=False)
class Run(Generic[Result]):
    """One piece of long work, as its watchers see it."""

    stage: Stage = Stage.WAITING
    share: float = 0.0  # of the work that is done
    result: Result | None = None
    error: Exception | None = None
    watchers: dict[str, float] = field(default_factory=dict)  # when each has last asked

    @property
    def is_over(self) -> bool:
        """Whether nothing more will come."""
        return self.stage in (Stage.DONE, Stage.STOPPED, Stage.FAILED)


class Runs(Generic[Result]):
    """The runs of this process."""

    def __init__(self, *, at_once: int = AT_ONCE, forgotten_s: float = FORGOTTEN_S) -> None:
        self._forgotten_s = forgotten_s
        self._lock = threading.Lock()
        self._pool = ThreadPoolExecutor(at_once, thread_name_prefix="run")
        self._runs: dict[Hashable, Run[Result]] = {}

    def ask(self, token: Hashable, work: Callable[[Progress], Result], *, watcher: str) -> Run[Result]:
        """Give the run of the token, and begin it if it is new or was stopped.

        A watcher has one run at a time: it asks no more about the one before.
        """
        with self._lock:
            for run in self._runs.values():
                run.watchers.pop(watcher, None)
            found = self._runs.get(token)
            if found is None or found.stage is Stage.STOPPED:
                found = Run()
                self._runs[token] = found
                self._drop_old()
                self._pool.submit(self._work, found, work)
            found.watchers[watcher] = time.monotonic()
            return found

    def leave(self, *, watcher: str) -> None:
        """Ask no more; the watcher's run stops when nobody else does."""
        with self._lock:
            for run in self._runs.values():
                if run.watchers.pop(watcher, None) is not None and not run.watchers and not run.is_over:
                    run.stage = Stage.STOPPED

    def forget(self, token: Hashable) -> None:
        """Drop a run that is over, so that the next who asks begins it anew."""
        with self._lock:
            if (run := self._runs.get(token)) and run.is_over:
                del self._runs[token]

    def _work(self, run: Run[Result], work: Callable[[Progress], Result]) -> None:
        def progress(done: float, total: float) -> None:
            with self._lock:
                asked_s = max(run.watchers.values(), default=-math.inf)
                if run.stage is Stage.STOPPED or time.monotonic() - asked_s > self._forgotten_s:
                    raise Stopped
                run.stage = Stage.RUNNING
                run.share = done / total if total else 1.0

        try:
            progress(0, 1)
            result = work(progress)
        except Stopped:
            run.stage = Stage.STOPPED
        except Exception as err:  # noqa: BLE001 whoever watches it shows or raises it
            run.error, run.stage = err, Stage.FAILED
        else:
            run.result, run.stage = result, Stage.DONE

    def _drop_old(self) -> None:
        over = [token for token, run in self._runs.items() if run.is_over]
        for token in over[: max(0, len(self._runs) - KEPT)]:
            del self._runs[token]
