"""`python -m tests.accuracy`: hold the simulator to theory, peers and measurements, and write docs/accuracy.md.

Exits with 1 if a promised accuracy is not met.
"""

import argparse
import os
import platform
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

import numba

from fitness.simulation import warm
from tests.accuracy import against_long_runs, against_measurements, against_peers, against_sandbox
from tests.accuracy import against_theory as theory
from tests.accuracy.page import Page, Section, with_hosted
from tests.bench import simulation

ROOT = Path(__file__).parents[2]


def main(arguments: list[str]) -> int:
    """Run and write; 1 if something is out of its bounds."""
    parser = argparse.ArgumentParser(prog="python -m tests.accuracy", description=__doc__)
    parser.add_argument("--requests", type=int, default=20_000_000, help="for each line of theory")
    parser.add_argument("--seeds", type=int, default=theory.SEEDS, help="of the coverage of bands")
    parser.add_argument("--out", type=Path, default=ROOT / "docs" / "accuracy.md", help="the page to write")
    parser.add_argument("--alone", action="store_true", help="leave the other simulators out")
    parser.add_argument("--seconds", type=float, default=20.0, help="of each load on the sandbox; 0 leaves it out")
    parser.add_argument("--hosted", action="store_true", help="write the section about the sandbox alone anew")
    options = parser.parse_args(arguments)
    if options.hosted:
        return hosted_alone(options.out, options.seconds)
    started = time.perf_counter()
    warm.wait()
    size = options.requests
    page = Page(
        date=f"{datetime.now(tz=UTC):%Y-%m-%d}",
        machine=f"{os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()}, numba {numba.__version__}",
        requests=size,
        took_s=0.0,
        sections=sections(size),
        runs=against_measurements.runs(max(size // 20, 1_000)),
        errors=against_measurements.errors(max(size // 50, 1_000)),
        covers=covers(options.seeds, size),
        seeds=options.seeds,
        windowed=against_long_runs.coverages(
            requests=min(LIKE_A_PAGE, size // 20), long_requests=size * 2 // 5, seeds=options.seeds
        ),
        peers=() if options.alone else against_peers.rows(size),
        repeats=simulation.repeats()[1],
        hosted=against_sandbox.found(seconds=options.seconds) if options.seconds else None,
    )
    page.took_s = time.perf_counter() - started
    options.out.write_text(page.as_markdown(), encoding="utf-8", newline="\n")
    for section in page.sections:
        print(f"{section.title:<60}{section.floor_text:>8}{section.worst:>10.2%}  {_says(section.holds)}")
    covered = [share for _, shares in page.covers[:PROMISED] for share in shares]
    holds = 0.9 <= min(covered) and max(covered) <= 0.99  # noqa: SIM300 reads as a range
    print(f"{'95 % bands cover the truth':<60}{'90-99 %':>8}{min(covered):>10.1%}  {_says(holds)}")
    windowed = all(one.holds for one in page.windowed)
    worst = min(share for one in page.windowed for share in one.shares)
    floor = f"{against_long_runs.FLOOR:.0%}"
    print(f"{'95 % bands of a month in windows hold a long run':<60}{floor:>8}{worst:>10.1%}  {_says(windowed)}")
    is_hosted_well = page.hosted is None or _told(page.hosted)
    print(f"{options.out} written in {page.took_s:.0f} s")
    return int(
        not (holds and windowed and is_hosted_well and page.repeats and all(section.holds for section in page.sections))
    )


def hosted_alone(out: Path, seconds: float) -> int:
    """Measure the sandbox and write that section of a page that is there; 1 if something is out of its bounds."""
    warm.wait()
    found = against_sandbox.found(seconds=seconds)
    out.write_text(with_hosted(out.read_text(encoding="utf-8"), found), encoding="utf-8", newline="\n")
    return int(not _told(found))


def _told(found: against_sandbox.Found) -> bool:
    print(f"{'Endpoints of the sandbox':<60}{against_sandbox.FLOOR:>8.0%}{found.worst:>10.1%}  {_says(found.holds)}")
    return found.holds


def _says(holds: bool) -> str:
    return "pass" if holds else "MISS"


LIKE_A_PAGE = 100_000  # requests that the Simulate page plays of a month
PROMISED = 3  # the first lines of `covers` have to be covered in 90 to 99 % of the seeds


def covers(seeds: int, size: int) -> list[tuple[str, list[float]]]:
    """How often bands cover the truth, where that is promised first."""
    cases = (
        (1, 0.8, size // 50),
        (4, 0.8, size // 50),
        (16, 0.8, size // 50),
        (4, 0.8, size // 1_000),
        (4, 0.9, size // 1_000),
    )
    return [
        (
            f"c = {servers}, load {load:.0%}, {requests:,} requests",
            theory.coverage(servers=servers, utilisation=load, requests=requests, seeds=seeds),
        )
        for servers, load, requests in cases
    ]


def sections(size: int) -> list[Section]:
    """The tables of theory."""
    draws = theory.Draws(size)
    return [
        Section(
            title="Many servers, one queue (M/M/c)",
            text="Time from arrival to answer; random arrivals, exponential work, first come, first served.",
            floor=0.01,
            checks=list(theory.many_servers(draws)),
        ),
        Section(
            title="One server, any work (Pollaczek and Khinchine)",
            text="Mean wait; random arrivals, lognormal work of a coefficient of variation.",
            floor=0.015,
            checks=list(theory.one_server(draws)),
        ),
        Section(
            title="Arrivals see averages (PASTA)",
            text="The share of arrivals that wait is the share of time in which all servers are busy, Erlang C.",
            floor=0.01,
            checks=list(theory.waiting_share(draws)),
        ),
        Section(
            title="A limit without a queue (Erlang B)",
            text="The share refused by a serverless endpoint whose sandboxes never expire.",
            floor=0.015,
            checks=list(theory.refused_share(draws)),
        ),
        Section(
            title="Cold starts of rare requests (exp(-rate x idle time-out))",
            text="Requests so short that they never meet: cold when none came within the idle time-out.",
            floor=0.003,
            checks=list(theory.cold_share(draws)),
        ),
        Section(
            title="Models in memory (Che)",
            text="The share of requests that find their model, 1,000 models of one size; Che's formula is itself an approximation.",
            floor=0.01,
            checks=list(theory.hit_share(size)),
        ),
    ]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
