"""The line of progress."""

import io
import os
import signal

import pytest

from fitness.terminal import Interruptible, Line, late_interrupt


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_line_is_drawn_over_itself_and_is_gone_at_the_end():
    terminal = Terminal()
    with Line(terminal) as line:
        line.show("reading")
        tell = line.ratio("playing")
        for done in (0, 1, 1.001, 4):
            tell(done, 4)
    assert terminal.getvalue().split("\r\x1b[K") == ["", "reading", "playing: 0%", "playing: 25%", "playing: 100%", ""]


def test_nothing_is_written_to_a_pipe_or_file():
    pipe = io.StringIO()
    with Line(pipe) as line:
        line.show("reading")
        line.ratio("playing")(1, 2)
    assert pipe.getvalue() == ""


def test_an_interrupt_acts_at_the_end_where_modules_would_forget_it():
    done = []

    def importing() -> None:
        with late_interrupt():
            os.kill(os.getpid(), signal.SIGINT)
            done.append("imported")

    with pytest.raises(KeyboardInterrupt):
        importing()
    assert done == ["imported"]
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def half_compiled() -> None:
    """A compiler that is interrupted: it forgets why and misses what it had not made yet."""
    try:
        os.kill(os.getpid(), signal.SIGINT)
    except KeyboardInterrupt:
        message = "no compiled object yet"
        raise RuntimeError(message) from None


def test_what_fails_after_an_interrupt_was_interrupted():
    with pytest.raises(KeyboardInterrupt), Interruptible():
        half_compiled()
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_what_fails_by_itself_or_ends_well_is_as_it_was():
    with pytest.raises(RuntimeError, match="of its own"), Interruptible():
        raise RuntimeError("of its own")
    with pytest.raises(SystemExit), Interruptible():
        raise SystemExit(3)
    with Interruptible():
        pass
