"""Watching and stopping long work."""

import itertools

import pytest

from fitness import presets
from fitness.prices import load_book
from fitness.simulation.play import simulate
from fitness.simulation.progress import Stopped, unwatched, watched, within
from fitness.study import study

PAIRS = [
    ("card-fraud", "real_time"),
    ("card-fraud", "mme"),
    ("payroll-chatbot", "serverless"),
    ("payroll-chatbot", "async"),
    ("customer-models", "real_time"),
    ("nightly-scoring", "batch"),
]


def work(preset: str, option: str):
    return study(presets.load(preset), book=load_book(), options=(option,))


@pytest.mark.parametrize(("preset", "option"), PAIRS)
def test_progress_rises_from_nothing_to_everything_in_small_parts(preset, option):
    told = []
    watching = simulate(
        work(preset, option), option, requests=5_000, progress=lambda done, total: told.append(done / total)
    )
    assert told[0] == 0
    assert told[-1] == 1
    assert told == sorted(told)
    steps = [after - before for before, after in itertools.pairwise(told)]
    assert max(steps) <= {"batch": 1, "mme": 1 / 2}.get(option, 1 / 8)
    assert watching.bands == simulate(work(preset, option), option, requests=5_000).bands


def test_work_that_is_stopped_ends_at_once():
    told = []

    def stop(done: float, total: float) -> None:
        told.append(done / total)
        if done:
            raise Stopped

    with pytest.raises(Stopped):
        simulate(work("card-fraud", "real_time"), "real_time", requests=5_000, progress=stop)
    assert len(told) == 2


def test_parts_of_a_part_are_fractions_of_it():
    told = []
    for part in range(2):
        for _ in watched("ab", within(lambda done, total: told.append((done, total)), part, 2)):
            pass
    assert told == [(0, 2), (0.5, 2), (1, 2), (1, 2), (1.5, 2), (2, 2)]


def test_nothing_to_do_is_done_and_work_without_a_watcher_tells_nobody():
    told = []
    assert list(watched("", within(lambda *ratio: told.append(ratio), 0, 2))) == []
    assert told == [(1, 2)]
    assert list(watched("ab", unwatched)) == ["a", "b"]
