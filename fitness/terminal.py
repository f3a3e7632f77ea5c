"""A line about how far long work has come, drawn over itself on a terminal; nothing where its stream is none."""

from collections.abc import Callable
from types import TracebackType
from typing import Self, TextIO

_START, _ERASE = "\r", "\x1b[K"


class Line:
    """The line, on a stream that may be a terminal; it is gone when the context ends, however it does."""

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
