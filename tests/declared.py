"""Evaluations of a workload that a test declares field by field."""

from collections.abc import Mapping

from fitness import analytic
from fitness.inputs import POINT, Draws, Inputs
from fitness.outcome import Outcome
from fitness.prices import load_book
from fitness.priors import with_fixed
from fitness.resolve import resolve
from fitness.study import Played, Study, study
from fitness.trace import Trace
from fitness.workload import Workload

BOOK = load_book()
# Every prior of time and speed at a number that a hand can reckon with.
PLAIN = {
    "invoke_overhead_ms": 0,
    "hop_ms": 0,
    "graph_hop_ms": 0,
    "outside_hop_ms": 0,
    "instance_launch_s": 300,
    "instance_launch_s.accelerated": 420,
    "batch_start_s": 300,
    "serverless_cold_base_s": 2,
    "serverless_cold_s_per_gb": 3,
    "serverless_idle_timeout_s": 600,
    "serverless_mb_per_vcpu": 2048,
    "model_load_base_s": 0.5,
    "model_load_s_per_gb": 8,
    "speed_of_other_family": 1,
    "speed_of_other_accelerator": 1,
}


def declared(values: Mapping[str, object]) -> Workload:
    """A workload of these fields, by path."""
    return Workload.from_values({"name": "test", **values})


def resolved(
    values: Mapping[str, object],
    *,
    priors: Mapping[str, object] = PLAIN,
    draws: Draws = POINT,
    trace: Trace | None = None,
) -> Inputs:
    """Its numbers."""
    return resolve(declared(values), priors=with_fixed(priors), draws=draws, trace=trace)


def evaluated(
    option: str,
    values: Mapping[str, object],
    *,
    variant: str | None = None,
    config: Mapping[str, object] | None = None,
    instance_type: str | None = None,
    priors: Mapping[str, object] = PLAIN,
    draws: Draws = POINT,
    trace: Trace | None = None,
) -> Outcome:
    """What an option does with it; the plain variant unless one is named."""
    fixed = dict(config or {})
    if instance_type is not None:
        fixed["instance_type"] = instance_type
    found = analytic.evaluate(
        option,
        variant or analytic.variants(option)[0],
        resolved(values, priors=priors, draws=draws, trace=trace),
        BOOK,
        config=fixed,
        types=None,
    )
    assert found is not None
    return found


def studied(values: Mapping[str, object], **kwargs: object) -> Study:
    """The study of it."""
    return study(declared(values), book=BOOK, **kwargs)  # type: ignore[arg-type]


def played(option: str, values: Mapping[str, object], **kwargs: object) -> Played:
    """One option in it, with its gates."""
    return studied(values, **kwargs).played[option]
