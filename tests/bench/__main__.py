"""`python -m tests.bench`: how long the main jobs take on this machine, beside their budgets.

Times are the best and the median of several runs; a busy machine moves both.
"""

import platform
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from fitness import presets, price_rows, workload_file
from fitness.prices import PriceBook, load_book
from fitness.study import study
from fitness.verdict import recommend
from tests.bench import sandbox_cloudwatch, sandbox_hosting, simulation

ROOT = Path(__file__).parents[2]


def main() -> None:
    """Print a line per job: best, median, budget."""
    print(f"{platform.platform()}, Python {platform.python_version()}")
    print(f"{'job':<64}{'best':>10}{'median':>10}{'budget':>10}")
    book = load_book()
    typical = presets.load("card-fraud")
    everything = [presets.load(preset.id) for preset in presets.PRESETS]
    tell("recommend, typical workload, warm process", 1.0, 15, lambda: recommend(typical, book=book))
    tell(
        "recommend, mean of every preset, warm process",
        1.0,
        3,
        lambda: [recommend(one, book=book) for one in everything],
        per=len(everything),
    )
    tell("recommend without draws (a slider's first paint)", 0.2, 15, lambda: recommend(typical, book=book, draws=0))
    tell("every option at the point, no text", 0.2, 15, lambda: study(typical, book=book).played)
    tell("the bundled price book, read anew", 0.03, 15, read_prices)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "workload.yaml"
        file.write_text(workload_file.write(typical))
        command = [sys.executable, "-m", "fitness", "recommend", str(file), "--json"]
        tell(
            "python -m fitness recommend, whole command",
            2.5,
            5,
            lambda: subprocess.run(command, cwd=ROOT, check=True, capture_output=True, timeout=60),
        )
    simulation.main()
    sandbox_hosting.main()
    sandbox_cloudwatch.main()
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"peak memory of this process {peak_mb:,.0f} MB")


def read_prices() -> PriceBook:
    """The price book from its tables, nothing remembered."""
    price_rows.bundled_rows.cache_clear()
    return PriceBook(price_rows.bundled_rows())


def tell(job: str, budget_s: float, rounds: int, work: Callable[[], object], per: int = 1) -> None:
    """Time a job and print its line."""
    work()
    times = []
    for _ in range(rounds):
        started = time.perf_counter()
        work()
        times.append((time.perf_counter() - started) / per)
    best, median = min(times), statistics.median(times)
    print(f"{job:<64}{best * 1000:>7.0f} ms{median * 1000:>7.0f} ms{budget_s * 1000:>7.0f} ms")


if __name__ == "__main__":
    main()
