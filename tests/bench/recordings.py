"""How fast recordings are read and played.

`python -m tests.bench.recordings FILE OPTION REQUESTS` reads and plays one in a process of its own and prints what it
took as JSON.
"""

import json
import resource
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
from pyarrow import csv

from fitness import presets
from fitness.options import OPTIONS
from fitness.prices import load_book
from fitness.simulation import play, warm
from fitness.study import Study, study
from fitness.trace import Trace, read_trace
from tests.bench.measure import Row, fastest, run, within

DAY, TEN_DAYS = 1_000_000, 10_000_000  # requests
PRESET, JOBS = "card-fraud", "nightly-scoring"
MOST_GB = 2.0


def rows() -> Iterator[Row]:
    """A day through every option, and ten days through the one that holds the most arrays."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "arrivals.csv"
        write_arrivals(file, requests=DAY, hours=24)
        recorded = read_trace(file, exact=True)
        yield told(
            "reading a CSV file of 1e6 recorded requests", fastest(lambda: read_trace(file, exact=True), rounds=3)
        )
        seen = fastest(lambda: [play_option(option, recorded) for option in OPTIONS], rounds=3)
        yield within("24 h of 1e6 recorded requests at their own times, ten options", seen, 10.0)
        write_arrivals(file, requests=TEN_DAYS, hours=240)
        found = in_a_new_process(file, "real_time", TEN_DAYS)
        yield told("reading a CSV file of 1e7 recorded requests", found["read_s"])
        yield within("1e7 recorded requests at their own times, one option", found["play_s"], 5.0)
        gb = found["peak_gb"]
        yield "  peak memory of the process, reading and playing", f"{MOST_GB:.1f} GB", f"{gb:.2f} GB", gb <= MOST_GB


def told(what: str, seen_s: float) -> Row:
    """A line about seconds of which nothing is asked."""
    return what, "-", f"{seen_s:.2f} s", None


def write_arrivals(file: Path, *, requests: int, hours: int) -> None:
    """Write made-up arrivals in microseconds, with days that are busiest at noon."""
    hour = np.linspace(0, hours, hours * 60 + 1)
    running = np.concatenate([[0.0], np.cumsum(1 - 0.6 * np.cos(hour[1:] * (2 * np.pi / 24)))])
    at = np.sort(np.random.default_rng(7).random(requests)) * running[-1]
    times = 1_700_006_400 + np.round(np.interp(at, running, hour * 3600), 6)
    csv.write_csv(pa.table({"timestamp": times}), file)


def work_of(option: str, recorded: Trace) -> Study:
    """A workload that the option can serve; a batch job has no arrivals, its million records are declared."""
    if option == "batch":
        jobs = presets.load(JOBS).replace({"traffic.records_per_job": DAY})
        return study(jobs, book=load_book(), options=(option,))
    workload = presets.load(PRESET).replace({"traffic.trace": "arrivals.csv"})
    return study(workload, book=load_book(), options=(option,), trace=recorded)


def play_option(option: str, recorded: Trace) -> None:
    """Play a million requests, all of them."""
    done = play.simulate(work_of(option, recorded), option, requests=DAY)
    assert done.played_requests == DAY, (option, done.played_requests)


def in_a_new_process(file: Path, option: str, requests: int) -> dict[str, float]:
    """What `main` prints in a process of its own."""
    command = [sys.executable, "-m", "tests.bench.recordings", str(file), option, str(requests)]
    found: dict[str, float] = json.loads(run(command))
    return found


def main(file: str, option: str, requests: str) -> None:
    """Read and play once; print seconds and the most memory that the process had."""
    warm.wait()
    began = time.perf_counter()
    recorded = read_trace(Path(file), exact=True)
    read = time.perf_counter()
    done = play.simulate(work_of(option, recorded), option, requests=int(requests))
    played = time.perf_counter()
    assert done.played_requests == int(requests), done.played_requests
    peak_gb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e9
    print(json.dumps({"read_s": read - began, "play_s": played - read, "peak_gb": peak_gb}))


if __name__ == "__main__":
    main(*sys.argv[1:])
