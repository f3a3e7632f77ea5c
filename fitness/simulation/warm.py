"""Compiling ahead in the background, and many configurations at once on threads of our own.

The kernels release the interpreter's lock, so a pool of threads uses every core while pages stay quick. numba's own
`parallel=True` is never used: its threads abort the process when two sessions call at once.
Source: docs/adr/0014-compiled-loops.md, docs/accuracy.md (equal results whatever the number of threads).
"""

import os
import threading
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from importlib import import_module
from typing import TypeVar

from fitness.simulation import compiled

# Every module with kernels, the most used first.
MODULES = (
    "queue_kernels",
    "control_loop",
    "sandbox_kernels",
    "route_kernels",
    "cache_kernels",
    "model_kernels",
    "backlog_kernels",
    "batch_kernels",
    "interval_kernel",
    "histogram",
    "tally",
)

Item = TypeVar("Item")
Result = TypeVar("Result")

_ready = threading.Event()
_starting = threading.Lock()


def start() -> None:
    """Compile every kernel in a thread, once per process; returns at once."""
    if _starting.acquire(blocking=False):
        threading.Thread(target=_compile_all, name="compile-kernels").start()


def is_ready() -> bool:
    """Whether compiling ahead is over; until then a call waits for the kernel that it needs."""
    return _ready.is_set()


def wait(timeout_s: float | None = None) -> bool:
    """Start if nobody has, and wait until compiling ahead is over; false if that takes longer."""
    start()
    return _ready.wait(timeout_s)


def each(function: Callable[[Item], Result], items: Iterable[Item], *, workers: int | None = None) -> list[Result]:
    """The results for the items, in their order, worked out on the process's threads.

    `workers` limits how many run at once; the results do not depend on it. An exception of one is raised.
    Do not call it from within `function`: the pool would wait for itself.
    """
    if workers is None:
        return list(_pool(os.cpu_count() or 1).map(function, items))
    if workers <= 1:
        return [function(item) for item in items]
    with ThreadPoolExecutor(workers, thread_name_prefix="play") as pool:
        return list(pool.map(function, items))


@cache
def _pool(workers: int) -> ThreadPoolExecutor:
    return ThreadPoolExecutor(workers, thread_name_prefix="play")


def _compile_all() -> None:
    try:
        for module in MODULES:
            import_module(f"fitness.simulation.{module}")
        for kernel in compiled.KERNELS:
            for arguments in kernel.examples():
                # A process that ends meanwhile waits for one kernel, not for all.
                if threading.main_thread().is_alive():
                    kernel.function(*arguments)
    finally:
        # After a failure the kernels compile when they are called, and fail there, where somebody sees it.
        _ready.set()
