"""Flip points: the values of one field at which another option becomes the best.

The best option is not monotone in the load, so a logarithmic grid comes first and bisection after it.
Source: docs/background.md#flips.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from fitness import document, fields
from fitness.errors import InputError, Problem
from fitness.fields import Field, Kind
from fitness.sensitivity import SEARCHED, value_of
from fitness.simulation.sweep import Sweep, sweep
from fitness.study import Study

POINTS = 25
AROUND = 10.0  # times the value, either side, where that reaches beyond the field's usual range
PRECISION = 0.02  # a flip point is known to two per cent
MARGIN = 1.02  # another option is the best when it leads by two per cent
LEAST_LEAD = 0.005  # and by this much of a score: less is noise where all of them score next to nothing
# A change inside a family is a change of configuration, not of the kind of hosting.
FAMILIES = {"mme_gpu": "mme", "serial_pipeline": "mce_direct", "triton_ensemble": "mce_direct"}
# One quantity, two fields: the peak keeps its ratio to the mean.
TOGETHER = {"traffic.rps_mean": "traffic.rps_peak"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Flip:
    """At `at`, going up, the best option changes. None: nothing can run on that side."""

    field: str
    at: float
    before: str | None
    after: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Axis:
    """The best option along one field."""

    field: str
    unit: str | None
    value: float  # where the workload is
    values: tuple[float, ...]  # the grid, rising
    best: tuple[str | None, ...]  # at each value
    scores: tuple[dict[str, float], ...]  # of every option that may run, at each value
    flips: tuple[Flip, ...]


def load_axis(work: Study) -> str | None:
    """The field that says how much there is to serve; None where a trace says it."""
    axis = "traffic.records_per_job" if work.point.traffic.is_scheduled else "traffic.rps_mean"
    return axis if axis in searchable(work) else None


def searchable(work: Study) -> tuple[str, ...]:
    """The numeric fields that have a value to start from, declared or assumed."""
    return tuple(path for path in SEARCHED if (value_of(work, path) or 0.0) > 0)


def refuse(work: Study, paths: Sequence[str]) -> None:
    """Refuse fields that can't be searched.

    Raises: InputError naming each of them.
    """
    known = searchable(work)
    problems = [
        Problem(path="--field", message=f"must be one of {', '.join(known)}, got {document.shown(path)}")
        for path in paths
        if path not in known
    ]
    if problems:
        raise InputError(problems)


def along(work: Study, path: str, swept: Sweep | None = None) -> Axis:
    """Walk one field over its range around the workload's value; values that contradict the workload are left out.

    The best option and those that come close to it are played; `swept` is the sweep of the workload as it is, made
    if it is not given.
    Raises: InputError when the field is not numeric or plays no part in this workload.
    """
    refuse(work, [path])
    start = float(value_of(work, path) or 0.0)
    one = fields.field(path)
    usual = one.usual or (start, start)
    low = max(min(usual[0], start / AROUND), _lowest(one))
    high = min(max(usual[1], start * AROUND), one.maximum if one.maximum is not None else math.inf)
    raw = [low * (high / low) ** (step / (POINTS - 1)) for step in range(POINTS)]
    values = tuple(
        dict.fromkeys(
            _fit(one, value) for value in [*(v for v in raw if v < start), start, *(v for v in raw if v > start)]
        )
    )
    swept = sweep(work) if swept is None else swept
    asked = [(value, scores) for value in values if (scores := _scores(swept, path, value)) is not None]
    values, seen = tuple(value for value, _ in asked), [scores for _, scores in asked]
    best: list[str | None] = []
    for scores in seen:
        best.append(_best(scores, best[-1] if best else None))
    found: list[Flip] = []
    for index in range(1, len(values)):
        if _family(best[index - 1]) != _family(best[index]):
            at = _between(swept, path, values[index - 1], values[index], best[index - 1], one)
            found.append(Flip(field=path, at=at, before=best[index - 1], after=best[index]))
    return Axis(
        field=path, unit=one.unit, value=start, values=values, best=tuple(best), scores=tuple(seen), flips=tuple(found)
    )


def flips(work: Study, paths: Sequence[str] | None = None, swept: Sweep | None = None) -> tuple[Flip, ...]:
    """The flip points of some fields, all that can be searched by default, in the order of the file."""
    swept = sweep(work) if swept is None else swept
    return tuple(flip for path in (paths or searchable(work)) for flip in along(work, path, swept).flips)


def _scores(swept: Sweep, path: str, value: float) -> dict[str, float] | None:
    """Score of every option that may run at this value; None where the value contradicts the workload."""
    work = swept.work
    changes: dict[str, object] = {path: round(value) if fields.field(path).kind is Kind.INTEGER else value}
    partner = TOGETHER.get(path)
    before = work.workload.get(path)
    if partner is not None and isinstance(before, (int, float)) and before > 0:
        peak = work.workload.get(partner)
        if isinstance(peak, (int, float)):
            top = fields.field(partner).maximum
            changes[partner] = min(peak * value / before, top if top is not None else math.inf)
    try:
        workload = work.workload.replace(changes)
    except InputError:
        return None
    return swept.values(replace(work, workload=workload))


def _best(scores: dict[str, float], before: str | None) -> str | None:
    """The best option; the one before it stays unless another leads by the margin."""
    if not scores:
        return None
    top = max(scores, key=lambda name: scores[name])
    if before in scores and scores[top] < max(MARGIN * scores[before], scores[before] + LEAST_LEAD):
        return before
    return top


def _between(swept: Sweep, path: str, low: float, high: float, before: str | None, one: Field) -> float:
    """Bisection to two per cent: where `before` stops being the best."""
    while high / low > 1 + PRECISION:
        middle = _fit(one, math.sqrt(low * high))
        if middle in (low, high):
            break
        if _family(_best(_scores(swept, path, middle) or {}, before)) == _family(before):
            low = middle
        else:
            high = middle
    return _fit(one, math.sqrt(low * high)) if one.kind is not Kind.INTEGER else high


def _family(option: str | None) -> str | None:
    return None if option is None else FAMILIES.get(option, option)


def _fit(one: Field, value: float) -> float:
    return float(max(1, round(value))) if one.kind is Kind.INTEGER else float(f"{value:.4g}")


def _lowest(one: Field) -> float:
    return max(one.minimum or 0.0, 1.0 if one.kind is Kind.INTEGER else 1e-9)
