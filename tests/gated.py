"""Workloads that every gate lets pass, and the gates of an option for one of them with something changed."""

from fitness import gates
from fitness.gates.gate import Gate
from fitness.study import first_answer_s
from tests.declared import played, studied

ONLINE = {
    "models.count": 1,
    "models.artifact_mb": 100,
    "models.memory_mb": 400,
    "models.image_gb": 1,
    "accelerator": "none",
    "request.payload_in_mb": 0.01,
    "request.payload_out_mb": 0.001,
    "request.processing_ms": 50,
    "request.concurrency": 4,
    "request.synchronous": True,
    "traffic.pattern": "steady",
    "traffic.rps_mean": 5,
    "traffic.rps_peak": 8,
    "objectives.latency_p95_ms": 1000,
    "objectives.cold_start_ok": True,
}
LATER = {
    **{path: value for path, value in ONLINE.items() if path != "objectives.latency_p95_ms"},
    "request.synchronous": False,
    "objectives.deadline_s": 3600,
}
JOB = {
    **{path: value for path, value in LATER.items() if not path.startswith("traffic.")},
    "traffic.pattern": "scheduled",
    "traffic.records_per_job": 1000,
    "traffic.jobs_per_month": 30,
}
SEVERAL = {**ONLINE, "models.count": 4, "models.frameworks": "same"}
CHAIN = {**SEVERAL, "composition": "sequential"}
GRAPH = {**SEVERAL, "composition": "ensemble"}
NAMED = {**SEVERAL, "composition": "independent"}


def gate(option: str, limit: str, values, **changes) -> Gate | None:
    """The gate of an option, or None where it has none."""
    changed = {path.replace("__", "."): value for path, value in changes.items()}
    declared = {path: value for path, value in {**values, **changed}.items() if value is not None}
    found = [one for one in played(option, declared).gates if one.limit == limit]
    assert len(found) <= 1
    return found[0] if found else None


def gates_of_variant(option, variant, values, **kwargs):
    work = studied({path: value for path, value in values.items() if value is not None}, **kwargs)
    return gates.gates(
        option,
        variant,
        work.point,
        work.scouts,
        machines=None,
        regions=work.book.regions,
        cold_s=first_answer_s(option, variant, work.point, None),
    )
