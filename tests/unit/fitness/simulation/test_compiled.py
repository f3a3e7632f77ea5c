"""Compiled and plain, again and again, on many threads, in another process: always the same to the last bit."""

import json
import os
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest

from fitness.simulation import caches, compiled, warm
from tests import kernel_cases

ROOT = Path(__file__).parents[4]


def in_a_process(*arguments, **environment):
    """Run Python on the arguments with further variables of the environment."""
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=ROOT,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


@pytest.fixture(scope="module")
def expected():
    return kernel_cases.texts()


@pytest.mark.parametrize(
    "environment",
    [{}, {"NUMBA_DISABLE_JIT": "1"}, {"NUMBA_BOUNDSCHECK": "1"}],
    ids=["after a restart", "as plain Python", "with checks of bounds"],
)
def test_another_process_gives_the_same(environment, expected):
    done = in_a_process("-W", "error", "-m", "tests.kernel_cases", **environment)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == expected


@pytest.mark.parametrize("workers", [1, 2, 4, None])
def test_any_number_of_threads_gives_the_same(workers, expected):
    names = list(kernel_cases.CASES) * 6
    played = warm.each(lambda name: kernel_cases.CASES[name](), names, workers=workers)
    assert played == [expected[name] for name in names]


def test_a_failure_on_a_thread_reaches_the_caller():
    def fail(item):
        raise ValueError(item)

    with pytest.raises(ValueError, match="3"):
        warm.each(fail, ["3"])


def test_the_lock_of_the_interpreter_is_free_while_a_kernel_runs():
    # A kernel of a second or so, and a thread that counts meanwhile.
    draws = kernel_cases.Stream(size=2_000)
    rounds, stop = [0], threading.Event()

    def count():
        while not stop.wait(0.001):
            rounds[0] += 1

    models = np.tile(draws.models, 5_000)
    sizes = np.ones(kernel_cases.MODELS, dtype=np.int64)
    caches.lru(models[:10], sizes, 9)
    counter = threading.Thread(target=count)
    counter.start()
    before = rounds[0]
    for _ in range(3):
        caches.lru(models, sizes, 9)
    during = rounds[0] - before
    stop.set()
    counter.join()
    assert during > 10


def test_every_kernel_is_compiled_ahead_of_time():
    assert warm.wait(120)
    assert warm.is_ready()
    signatures = [len(kernel.function.signatures) for kernel in compiled.KERNELS]
    kernel_cases.texts()
    # No case needed another combination of types than those that were compiled ahead.
    assert [len(kernel.function.signatures) for kernel in compiled.KERNELS] == signatures
    assert min(signatures) >= 1


def test_every_module_with_kernels_is_warmed():
    folder = ROOT / "fitness" / "simulation"
    with_examples = {path.stem for path in folder.glob("*.py") if "@compiled(_" in path.read_text(encoding="utf-8")}
    assert with_examples <= set(warm.MODULES)


def test_a_process_that_ends_at_once_does_not_wait_for_every_kernel(tmp_path):
    script = "from fitness.simulation import warm; warm.start(); print('done', warm.is_ready())"
    done = in_a_process("-c", script, XDG_CACHE_HOME=str(tmp_path))
    assert (done.returncode, done.stdout, done.stderr) == (0, "done False\n", "")


def test_compiled_code_is_kept_in_the_cache_of_the_user(tmp_path):
    call = "queues.per_interval([1.0], start_s=0, width_s=1, intervals=1)"
    script = f"from fitness.simulation import compiled, queues; print(compiled.is_kept()); {call}"
    done = in_a_process("-c", f"{script}; print(compiled.is_kept())", XDG_CACHE_HOME=str(tmp_path))
    assert (done.returncode, done.stdout) == (0, "False\nTrue\n"), done.stderr
    assert list((tmp_path / "hostfit" / "kernels").rglob("*.nbc"))


def test_a_cache_that_can_not_be_written_only_costs_time(tmp_path):
    file = tmp_path / "file"
    file.write_text("a folder can not be made under a file")
    script = "from fitness.simulation import queues; print(queues.pooled([1.0], [1.0], 2.0, servers=1).served)"
    done = in_a_process("-c", script, XDG_CACHE_HOME=str(file))
    assert (done.returncode, done.stdout) == (0, "1\n"), done.stderr


def test_old_versions_of_the_compiled_code_are_removed_and_nothing_else(tmp_path):
    folder = tmp_path / "kernels"
    for number in range(12):
        (folder / f"{number:016x}").mkdir(parents=True)
        os.utime(folder / f"{number:016x}", (number, number))
    (folder / "of-somebody-else").mkdir()
    os.utime(folder / "of-somebody-else", (0, 0))
    done = in_a_process("-c", "from fitness.simulation import queues", NUMBA_CACHE_DIR=str(folder))
    assert done.returncode == 0, done.stderr
    left = {path.name for path in folder.iterdir()}
    assert "of-somebody-else" in left
    assert f"{0:016x}" not in left
    assert f"{11:016x}" in left


def test_without_numba_the_same_text_runs_as_plain_python():
    script = (
        "import sys; sys.modules['numba'] = None\n"
        "from fitness.simulation import compiled, queues\n"
        "print(compiled.is_on(), queues.pooled([1.0], [1.0], 2.0, servers=1).served)"
    )
    done = in_a_process("-c", script)
    assert (done.returncode, done.stdout) == (0, "False 1\n"), done.stderr
