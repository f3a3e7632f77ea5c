"""The verdict as other programs and people read it: JSON, a terminal page, CSV.

The same verdict gives the same bytes: numbers carry six significant digits, keys stand in a fixed order.
"""

import csv
import io
import json
import math
from textwrap import wrap

from fitness.flips import Flip
from fitness.gates import Gate
from fitness.measured import measured_fields, sentence
from fitness.sensitivity import Change
from fitness.verdict import Interval, OptionResult, Percentiles, Verdict
from fitness.wording import duration, money, percent

DIGITS = 6
WIDTH = 100
NONE = "no option"  # beyond a flip point where nothing can run
_FRAME = 18  # characters of the first column of the terminal page


def rounded(value: object) -> object:
    """A value with its numbers at six significant digits and no NaN.

    >>> rounded({"a": 1234567.8, "b": float("nan"), "c": 3})
    {'a': 1234570.0, 'b': None, 'c': 3}
    """
    if isinstance(value, float):
        return float(f"{value:.{DIGITS}g}") if math.isfinite(value) else None
    if isinstance(value, dict):
        return {key: rounded(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [rounded(item) for item in value]
    return value


def as_dict(verdict: Verdict) -> dict[str, object]:
    """The answer of `recommend --json`."""
    best = verdict.best
    answer = {
        "workload": verdict.workload.name,
        "limits": verdict.profile,
        "prices_as_of": verdict.prices_as_of,
        "verdict": {
            "option": None if best is None else best.option.id,
            "confidence": verdict.confidence,
            "probability_best": verdict.probability_best,
            "close_to": list(verdict.close_to),
            "ask_next": list(verdict.ask_next),
        },
        "configurations": {"weighed": verdict.weighed, "played": verdict.tried},
        "cost_reference_usd": verdict.reference_usd,
        "weights": dict(verdict.weights),
        "measured": list(measured_fields(verdict.workload)),
        "options": [_option(result) for result in verdict.options],
        "pareto": list(verdict.pareto),
        "flips": [flip_as_dict(flip) for flip in verdict.flips or ()],
    }
    found = rounded(answer)
    assert isinstance(found, dict)  # noqa: S101 `rounded` keeps the shape
    return found


def as_json(verdict: Verdict) -> str:
    """`as_dict` as text; the same verdict gives the same bytes."""
    return json.dumps(as_dict(verdict), indent=1, ensure_ascii=False)


def _option(result: OptionResult) -> dict[str, object]:
    return {
        "option": result.option.id,
        "status": result.status,
        "score": result.score,
        "score_interval": _parts(result.score_interval),
        "fitness": None if result.fitness is None else result.fitness.as_dict(),
        "configuration": dict(result.configuration),
        "monthly_usd": _parts(result.monthly_usd),
        "usd_per_1k_requests": result.usd_per_1k_requests,
        "latency_ms": _parts(result.latency_ms),
        "late_ratio": result.late_ratio,
        "dropped_ratio": result.dropped_ratio,
        "cold_ratio": result.cold_ratio,
        "cache_hit_ratio": result.cache_hit_ratio,
        "probability_best": result.probability_best,
        "grade": result.grade,
        "gates": [_gate(gate) for gate in result.gates],
        "assumed": list(result.assumed),
        "reasons": list(result.reasons),
        "decisions": list(result.decisions),
        "to_win": [_change(change) for change in result.to_win],
    }


def _parts(value: Interval | Percentiles | None) -> dict[str, float] | None:
    if value is None:
        return None
    names = ("p50", "p95", "p99") if isinstance(value, Percentiles) else ("p5", "p50", "p95")
    return {name: getattr(value, name) for name in names}


def _gate(gate: Gate) -> dict[str, object]:
    return {
        "limit": gate.limit,
        "title": gate.title,
        "allowed": gate.allowed,
        "unit": gate.unit,
        "asked": gate.asked,
        "passes": gate.passes,
        "margin": gate.margin,
        "field": gate.field,
        "reason": gate.reason,
        "status": gate.status,
        "source": gate.source,
        "as_of": gate.as_of,
    }


def _change(change: Change) -> dict[str, object]:
    return {"field": change.field, "from": change.before, "to": change.after, "why": change.why}


def flip_as_dict(flip: Flip) -> dict[str, object]:
    """A flip point as the answers show it."""
    return {"field": flip.field, "at": flip.at, "from": flip.before, "to": flip.after}


def as_text(verdict: Verdict) -> str:
    """The answer of `recommend` for a terminal."""
    lines = [f"{verdict.workload.name}: {headline(verdict)}", "=" * WIDTH]
    lines.append(f"{'option':<{_FRAME}}{'status':<12}{'score':>6}{'$/month':>12}{'p50':>10}{'p99':>10}{'best in':>9}")
    lines += [_row(result) for result in verdict.options]
    best = verdict.best
    if best is not None:
        lines += ["", f"{best.option.title}: {', '.join(f'{k} {v}' for k, v in best.configuration.items())}"]
        lines += _wrapped(best.reasons, "+ ")
        if best.bill is not None:
            lines += ["", best.bill.as_text()]
    lines += ["", "Why not"]
    for result in verdict.options:
        if result is best:
            continue
        lines += _wrapped((f"{result.option.title}: {'; '.join(result.reasons[:3])}",), "- ")
        what = "to be first" if result.score is not None else "to run at all"
        lines += _wrapped((f"{what}: {_words(result.to_win)}",), "    ") if result.to_win else []
    lines += [
        f"Changes at {flip.field} = {flip.at:g}: from {flip.before or NONE} to {flip.after or NONE}"
        for flip in verdict.flips or ()
    ]
    if verdict.ask_next:
        lines += ["", f"Worth asking next: {', '.join(verdict.ask_next)}"]
    if (measured := sentence(verdict.workload)) is not None:
        lines += _wrapped((f"Measured: {measured}",), "")
    if best is not None and best.assumed:
        lines += _wrapped((f"Assumed: {', '.join(best.assumed)}",), "")
    lines.append(f"Limits: {verdict.profile}. Prices as of {verdict.prices_as_of}. Figures: {figures(verdict)}.")
    return "\n".join(lines)


def figures(verdict: Verdict) -> str:
    """Where the figures come from."""
    if not verdict.tried:
        return f"{verdict.weighed:,} configurations by queueing formulas"
    return (
        f"{verdict.weighed:,} configurations weighed by queueing formulas, which also make the bill, "
        f"and {verdict.tried:,} played request by request"
    )


def headline(verdict: Verdict) -> str:
    """The verdict in one sentence."""
    best = verdict.best
    if best is None:
        return "no hosting option can run this workload as declared"
    cost = "its cost is not known" if best.monthly_usd is None else f"{money(best.monthly_usd.p50)} a month"
    condition = ", under the conditions below" if best.status == "conditional" else ""
    sentence = f"{best.option.title}, {cost}{condition}"
    if verdict.confidence is not None and verdict.probability_best is not None:
        sentence += f"; {verdict.confidence}: best in {percent(verdict.probability_best, 0)} of {verdict.draws} draws"
    if verdict.close_to:
        sentence += f"; close to {', '.join(verdict.option(name).option.title for name in verdict.close_to)}"
    return sentence


def _row(result: OptionResult) -> str:
    cost = "" if result.monthly_usd is None else f"{result.monthly_usd.p50:,.2f}"
    p50 = "" if result.latency_ms is None else duration(result.latency_ms.p50)
    p99 = "" if result.latency_ms is None else duration(result.latency_ms.p99)
    score = "" if result.score is None else f"{result.score:.3f}"
    chance = "" if result.score is None else percent(result.probability_best, 0)
    return f"{result.option.id:<{_FRAME}}{result.status:<12}{score:>6}{cost:>12} {p50:>9} {p99:>9}{chance:>9}"


def _wrapped(sentences: tuple[str, ...], mark: str) -> list[str]:
    return [
        row
        for sentence in sentences
        for row in wrap(sentence, WIDTH, initial_indent=mark, subsequent_indent=" " * max(2, len(mark)))
    ]


def _words(changes: tuple[Change, ...]) -> str:
    return "; ".join(f"{change.field} from {_shown(change.before)} to {_shown(change.after)}" for change in changes)


def _shown(value: object) -> str:
    return "unknown" if value is None else f"{value:g}" if isinstance(value, float) else str(value).lower()


CSV_COLUMNS = (
    "rank", "option", "status", "score", "score_p5", "score_p95", "probability_best",
    "cost", "latency", "throughput", "scaling", "traffic", "monthly_usd_p5", "monthly_usd_p50", "monthly_usd_p95",
    "usd_per_1k_requests", "p50_ms", "p95_ms", "p99_ms", "late_ratio", "dropped_ratio", "cold_ratio",
    "cache_hit_ratio", "configuration", "failed_limits", "reasons",
)  # fmt: skip


def as_csv(verdict: Verdict) -> str:
    """One row per option, in order; unknown is empty."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(CSV_COLUMNS)
    for rank, result in enumerate(verdict.options, start=1):
        fitness = result.fitness.as_dict() if result.fitness is not None else dict.fromkeys(verdict.weights)
        usd, latency = _parts(result.monthly_usd) or {}, _parts(result.latency_ms) or {}
        score = _parts(result.score_interval) or {}
        numbers = [
            result.score, score.get("p5"), score.get("p95"), result.probability_best,
            *fitness.values(), *(usd.get(name) for name in ("p5", "p50", "p95")), result.usd_per_1k_requests,
            *(latency.get(name) for name in ("p50", "p95", "p99")), result.late_ratio, result.dropped_ratio,
            result.cold_ratio, result.cache_hit_ratio,
        ]  # fmt: skip
        settings = "; ".join(f"{name}={value}" for name, value in result.configuration.items())
        failed = "; ".join(gate.limit for gate in result.gates if gate.passes is False)
        row = [rank, result.option.id, result.status, *(rounded(number) for number in numbers)]
        writer.writerow(
            ["" if cell is None else _harmless(cell) for cell in [*row, settings, failed, "; ".join(result.reasons)]]
        )
    return out.getvalue()


def _harmless(cell: object) -> object:
    """A cell that no spreadsheet takes for a formula."""
    return f"'{cell}" if isinstance(cell, str) and cell[:1] in "=+-@\t\r" and cell[:1] else cell
