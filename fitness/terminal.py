"""What a person at a terminal sees of long work, and how they stop it."""

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType, TracebackType
from typing import Self, TextIO

_START, _ERASE = "\r", "\x1b[K"


class Line:
    """A line about how far work has come, drawn over itself; nothing where its stream is no terminal.

    It is gone when the context ends, however it does.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream if stream.isatty() else None
        self._shown = ""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.show("")

    def show(self, text: str) -> None:
        """Show a text in place of the one before."""
        if self._stream is not None and text != self._shown:
            self._stream.write(f"{_START}{_ERASE}{text}")
            self._stream.flush()
            self._shown = text

    def ratio(self, what: str) -> Callable[[float, float], None]:
        """Give a `simulation.progress.Progress` that shows this text and how much is done."""
        return lambda done, total: self.show(f"{what}: {done / total:.0%}")


class Interruptible:
    """Ctrl-C ends the context as KeyboardInterrupt, also where what it met there fails in a way of its own.

    A compiler does, half-way through. Main thread only.
    """

    def __init__(self) -> None:
        self._is_interrupted = False

    def __enter__(self) -> Self:
        self._before = signal.signal(signal.SIGINT, self._interrupt)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        signal.signal(signal.SIGINT, self._before)
        if self._is_interrupted and isinstance(error, Exception):
            raise KeyboardInterrupt from error

    def _interrupt(self, number: int, frame: FrameType | None) -> None:
        self._is_interrupted = True
        signal.default_int_handler(number, frame)


@contextmanager
def late_interrupt() -> Iterator[None]:
    """Let Ctrl-C act at the end of the context: modules that are imported may catch and forget it. Main thread only."""
    seen: list[int] = []
    before = signal.signal(signal.SIGINT, lambda number, _frame: seen.append(number))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
    if seen:
        raise KeyboardInterrupt
