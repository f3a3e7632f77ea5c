"""How fast options are weighed, played and ranked."""

from collections.abc import Iterator

from fitness import flips, presets, workload_file
from fitness.prices import load_book
from fitness.simulation.sweep import sweep
from fitness.study import Study, study
from fitness.verdict import recommend
from tests.bench.measure import Row, fastest, within

LEAST_WEIGHED = 600
REQUESTS = 100_000
# Two workloads that most options can run: together they have more configurations than one may have.
CHAIN = """
version: 1
name: three small steps
models: {count: 3, containers: 3, memory_mb: 400, artifact_mb: 50, frameworks: same}
composition: sequential
request: {processing_ms: 60, payload_in_mb: 0.1}
traffic: {pattern: diurnal, rps_mean: 40, rps_peak: 120}
objectives: {latency_p95_ms: 3000, cold_start_ok: true}
"""
APART = """
version: 1
name: five small models
models: {count: 5, memory_mb: 400, artifact_mb: 50, frameworks: same}
composition: independent
request: {processing_ms: 60, payload_in_mb: 0.1}
traffic: {pattern: diurnal, rps_mean: 40, rps_peak: 120}
objectives: {latency_p95_ms: 60000, cold_start_ok: true}
"""


def rows() -> Iterator[Row]:
    """A sweep, its first paint, and the flips along the load."""
    book = load_book()
    workloads = [workload_file.read(text) for text in (CHAIN, APART)]

    def fresh() -> list[Study]:
        return [study(one, book=book) for one in workloads]

    weighed = sum(one.weighed for one in fresh())
    if weighed < LEAST_WEIGHED:
        message = f"expected at least {LEAST_WEIGHED} configurations, got {weighed}"
        raise ValueError(message)
    first = fastest(lambda: [recommend(one, book=book, draws=0) for one in workloads])
    yield within(f"{weighed} configurations weighed: first paint", first, 0.2)
    tried = sum(sweep(one).tried for one in fresh())
    seen = fastest(lambda: [sweep(one, requests=REQUESTS) for one in fresh()])
    yield within(f"{weighed} configurations weighed, {tried} played, 1e5 requests each", seen, 1.0)
    work = study(presets.load("card-fraud"), book=book)
    swept = sweep(work)
    yield within("flip points on one axis", fastest(lambda: flips.along(work, "traffic.rps_mean", swept)), 1.5)
