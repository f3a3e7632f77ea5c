"""Slow work outside the script: the page waits for it, and fails as it fails."""

import threading

import pytest

from ui import whatif


def test_the_work_is_over_when_the_wait_is_and_was_done_by_another_thread():
    seen = []
    whatif.wait_for(lambda: seen.append(threading.current_thread()))
    assert seen
    assert seen[0] is not threading.current_thread()


def test_what_the_work_raises_is_raised_where_it_was_waited_for():
    def broken():
        raise ValueError("broken on purpose")

    with pytest.raises(ValueError, match="broken on purpose"):
        whatif.wait_for(broken)


class Interrupted(BaseException):
    """As Streamlit ends a run that a newer one replaces."""


class Place:
    def empty(self):
        raise Interrupted


def test_a_newer_run_ends_the_wait_and_not_the_work(monkeypatch):
    begun, go_on, ended = threading.Event(), threading.Event(), threading.Event()

    def work():
        begun.set()
        assert go_on.wait(10)
        ended.set()

    monkeypatch.setattr(whatif.st, "empty", Place)
    with pytest.raises(Interrupted):
        whatif.wait_for(work)
    assert begun.wait(10)
    assert not ended.is_set()
    go_on.set()
    assert ended.wait(10)


def test_work_that_nobody_waits_for_is_left_out_if_it_has_not_begun(monkeypatch):
    go_on, left_out = threading.Event(), threading.Event()
    monkeypatch.setattr(whatif.st, "empty", Place)
    for _ in range(whatif.AT_ONCE):
        with pytest.raises(Interrupted):
            whatif.wait_for(lambda: go_on.wait(10))
    with pytest.raises(Interrupted):
        whatif.wait_for(left_out.set)
    go_on.set()
    monkeypatch.undo()
    for _ in range(whatif.AT_ONCE):
        whatif.wait_for(lambda: None)
    assert not left_out.is_set()
