"""The store of long runs: begun once, watched by many, ended when nobody asks."""

import threading
import time

import pytest

from ui.runs import KEPT, Runs, Stage

PATIENCE_S = 10


class Work:
    """Work in steps: each waits until the test lets it go."""

    def __init__(self, steps=2):
        self.steps = steps
        self.begun = threading.Event()
        self.go_on = threading.Semaphore(0)
        self.calls = 0

    def __call__(self, progress):
        self.calls += 1
        for done in range(self.steps):
            progress(done, self.steps)
            self.begun.set()
            assert self.go_on.acquire(timeout=PATIENCE_S)
        progress(self.steps, self.steps)
        return "played"

    def finish(self):
        self.go_on.release(self.steps)


def until(run, stage):
    """Wait until a run is at a stage."""
    end_s = time.monotonic() + PATIENCE_S
    while run.stage is not stage:
        assert time.monotonic() < end_s, run
        time.sleep(0.005)
    return run


@pytest.fixture
def runs():
    return Runs(at_once=2, forgotten_s=PATIENCE_S)


def test_a_run_goes_from_waiting_to_done_and_keeps_its_result(runs):
    work = Work()
    run = runs.ask("a", work, watcher="ada")
    assert work.begun.wait(PATIENCE_S)
    assert run.stage is Stage.RUNNING
    work.finish()
    assert until(run, Stage.DONE).result == "played"
    assert run.share == 1
    assert runs.ask("a", work, watcher="grace") is run
    assert work.calls == 1


def test_progress_is_the_share_of_the_work_that_is_done(runs):
    work = Work(steps=4)
    run = runs.ask("a", work, watcher="ada")
    work.go_on.release()
    end_s = time.monotonic() + PATIENCE_S
    while run.share == 0 and time.monotonic() < end_s:
        time.sleep(0.005)
    assert run.share == 0.25
    work.finish()


def test_two_tabs_that_ask_for_the_same_share_one_run(runs):
    work = Work()
    assert runs.ask("a", work, watcher="ada") is runs.ask("a", work, watcher="grace")
    work.finish()
    until(runs.ask("a", work, watcher="ada"), Stage.DONE)
    assert work.calls == 1


def test_a_run_stops_when_its_only_watcher_leaves(runs):
    work = Work()
    run = runs.ask("a", work, watcher="ada")
    assert work.begun.wait(PATIENCE_S)
    runs.leave(watcher="ada")
    work.finish()
    assert until(run, Stage.STOPPED).result is None


def test_a_run_goes_on_while_another_tab_watches_it(runs):
    work = Work()
    run = runs.ask("a", work, watcher="ada")
    runs.ask("a", work, watcher="grace")
    runs.leave(watcher="ada")
    work.finish()
    assert until(run, Stage.DONE).result == "played"


def test_a_tab_that_asks_for_another_run_leaves_the_one_before(runs):
    first, second = Work(), Work()
    before = runs.ask("a", first, watcher="ada")
    assert first.begun.wait(PATIENCE_S)
    runs.ask("b", second, watcher="ada")
    first.finish()
    second.finish()
    until(before, Stage.STOPPED)


def test_a_run_that_nobody_asks_about_ends():
    runs = Runs(at_once=1, forgotten_s=0.05)
    work = Work(steps=1)
    run = runs.ask("a", work, watcher="a tab that was closed")
    assert work.begun.wait(PATIENCE_S)
    time.sleep(0.1)
    work.finish()
    until(run, Stage.STOPPED)


def test_a_stopped_run_begins_anew_for_the_next_who_asks(runs):
    work = Work()
    before = runs.ask("a", work, watcher="ada")
    runs.leave(watcher="ada")
    work.finish()
    until(before, Stage.STOPPED)
    again = Work()
    again.finish()
    after = runs.ask("a", again, watcher="ada")
    assert after is not before
    assert until(after, Stage.DONE).result == "played"


def test_what_goes_wrong_is_kept_until_it_is_forgotten(runs):
    def broken(progress):
        raise ValueError("broken on purpose")

    run = until(runs.ask("a", broken, watcher="ada"), Stage.FAILED)
    assert str(run.error) == "broken on purpose"
    assert runs.ask("a", broken, watcher="ada") is run
    runs.forget("a")
    assert runs.ask("a", broken, watcher="ada") is not run


def test_a_run_that_is_not_over_is_not_forgotten(runs):
    work = Work()
    run = runs.ask("a", work, watcher="ada")
    runs.forget("a")
    assert runs.ask("a", work, watcher="ada") is run
    work.finish()


def test_more_runs_than_threads_wait(runs):
    works = [Work() for _ in range(3)]
    waiting = [runs.ask(number, work, watcher=str(number)) for number, work in enumerate(works)]
    assert works[0].begun.wait(PATIENCE_S)
    assert works[1].begun.wait(PATIENCE_S)
    assert waiting[2].stage is Stage.WAITING
    for work in works:
        work.finish()
    until(waiting[2], Stage.DONE)


def test_the_oldest_results_go_first(runs):
    for number in range(KEPT + 2):
        until(runs.ask(number, lambda progress: "played", watcher="ada"), Stage.DONE)
    again = Work()
    again.finish()
    until(runs.ask(0, again, watcher="ada"), Stage.DONE)
    until(runs.ask(KEPT + 1, again, watcher="ada"), Stage.DONE)
    assert again.calls == 1
