"""A simulation as other programs and people read it."""

from collections.abc import Mapping

from fitness.answer import rounded
from fitness.score import FUNCTIONS
from fitness.simulation.play import Band, Simulation
from fitness.simulation.policy_settings import configured
from fitness.study import Study


def as_dict(work: Study, done: Simulation) -> dict[str, object]:
    """The answer of `simulate --json`."""
    outcome = done.outcome
    late = outcome.latency.share_above(work.point.objectives.late_after_s)
    found = rounded(
        {
            "workload": work.workload.name,
            "option": done.option,
            "configuration": configured(outcome, work.config),
            "seed": done.seed,
            "played_requests": done.played_requests,
            "requests_per_month": float(outcome.offered[0]),
            "latency_ms": {name: done.bands[f"{name}_ms"].value for name in ("p50", "p95", "p99")},
            "latency_bands_ms": {name: _band(done.bands[f"{name}_ms"]) for name in ("p50", "p95", "p99")},
            "late_ratio": float(late[0]),
            "dropped_ratio": float(outcome.dropped_ratio[0]),
            "timed_out_ratio": done.timed_out_ratio,
            "refused_ratio": done.refused_ratio,
            "cold_ratio": float(outcome.cold_ratio[0]),
            "cache_hit_ratio": float(outcome.hit_ratio[0]),
            "instance_hours": float(outcome.instance_hours[0]),
            "busy_s": float(outcome.busy_s[0]),
            "paid_s": float(outcome.paid_s[0]),
            "monthly_usd": done.monthly_usd,
            "fitness": {name: float(getattr(done.scores, name)[0]) for name in FUNCTIONS},
            "score": float(done.scores.total[0]),
            "grade": "simulated",
            "assumed": list(work.point.assumed),
            "notes": _notes(work, done),
        }
    )
    assert isinstance(found, dict)  # noqa: S101 `rounded` keeps the shape
    return found


def _notes(work: Study, done: Simulation) -> list[str]:
    """What was assumed: by the reader of the recording, about how much of it is played, and on playing."""
    if work.trace is None:
        return list(done.notes)
    recorded = float(work.trace.counts.sum())
    if done.played_requests >= round(recorded):
        played = [f"All {recorded:,.0f} recorded requests are played."]
    else:
        played = [
            f"{done.played_requests:,} of the {recorded:,.0f} recorded requests are played and stand for all.",
            "A queue that builds up within a minute, over more requests than a window has, is not seen.",
        ]
    return [*work.trace.notes, *played, *done.notes]


def _band(band: Band) -> Mapping[str, float]:
    return {"p2.5": band.low, "p97.5": band.high}


def as_text(work: Study, done: Simulation) -> str:
    """The answer of `simulate` for a terminal."""
    outcome = done.outcome
    settings = ", ".join(f"{name} {value}" for name, value in configured(outcome, work.config).items())
    late = float(outcome.latency.share_above(work.point.objectives.late_after_s)[0])
    lines = [
        f"{work.workload.name}, {done.option}: requests played: {done.played_requests:,}, seed {done.seed}",
        settings,
        "",
        f"{'':<12}{'ms':>12}{'95 % band':>34}",
    ]
    for name in ("p50", "p95", "p99"):
        band = done.bands[f"{name}_ms"]
        lines.append(f"{name:<12}{band.value:>12,.1f}{f'{band.low:,.1f} to {band.high:,.1f}':>34}")
    lines += [
        "",
        f"{'late':<24}{late:>12.4%}",
        f"{'dropped':<24}{float(outcome.dropped_ratio[0]):>12.4%}",
        f"{'  timed out':<24}{done.timed_out_ratio:>12.4%}",
        f"{'  refused':<24}{done.refused_ratio:>12.4%}",
        f"{'cold starts':<24}{float(outcome.cold_ratio[0]):>12.4%}",
    ]
    if outcome.option in ("mme", "mme_gpu"):
        lines.append(f"{'cache hits':<24}{float(outcome.hit_ratio[0]):>12.4%}")
    if outcome.instance_types is not None:
        lines.append(f"{'instance-hours a month':<24}{float(outcome.instance_hours[0]):>12,.1f}")
    if done.monthly_usd is not None:
        lines.append(f"{'USD a month':<24}{done.monthly_usd:>12,.2f}")
    scores = ", ".join(f"{name} {float(getattr(done.scores, name)[0]):.2f}" for name in FUNCTIONS)
    lines += [f"{'score':<24}{float(done.scores.total[0]):>12.3f}   {scores}"]
    lines += [f"note: {note}" for note in _notes(work, done)]
    return "\n".join(lines)
