"""The answer: ten options ranked, priced and explained, and what would change the order.

`recommend` is the main job of the program; every screen and command that shows a choice calls it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from fitness import gates as gating
from fitness.arrays import Array
from fitness.bill import Bill, Metered, bill_for
from fitness.flips import Flip, flips, load_axis
from fitness.gates import Gate
from fitness.items import title_of
from fitness.options import OPTIONS, Option
from fitness.outcome import Outcome
from fitness.prices import PriceBook
from fitness.reasons import of_run, reasons
from fitness.scaling import decisions
from fitness.score import FUNCTIONS
from fitness.sensitivity import Change, Sampled, ask_next, changes_to_win, sampled
from fitness.simulation.policy_settings import configured
from fitness.simulation.sweep import Sweep, calibrated, sweep
from fitness.study import Played, Study, study
from fitness.trace import Trace
from fitness.workload import Workload

DRAWS = 512  # over the unknown inputs; at least 500 make the probability worth showing
CLEAR = 0.6  # probability of being best below which a tie is declared
UNDECIDED = 0.4
NEAR_RATIO = 0.97  # a score this near to the best is a close call
NEAR_PROBABILITY = 0.2
FORMULAS = "analytic"  # queueing formulas, not a simulation of every request
SIMULATED = "simulated"


@dataclass(frozen=True, slots=True, kw_only=True)
class Fitness:
    """The five fitness functions, each 0..1."""

    cost: float
    latency: float
    throughput: float
    scaling: float
    traffic: float

    def as_dict(self) -> dict[str, float]:
        """By name, in the order of the file's weights."""
        return {name: getattr(self, name) for name in FUNCTIONS}


@dataclass(frozen=True, slots=True, kw_only=True)
class Interval:
    """A number with the range that the unknown inputs leave it: 5th and 95th percentile.

    `p50` is the figure at the declared values and the medians of the rest.
    """

    p5: float
    p50: float
    p95: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Percentiles:
    """Latency in milliseconds that 50, 95 and 99 of 100 answers stay under."""

    p50: float
    p95: float
    p99: float


@dataclass(frozen=True, slots=True, kw_only=True)
class OptionResult:
    """One option: whether it can run the workload, what it does and costs, and why it stands where it does."""

    option: Option
    status: str  # feasible, conditional or infeasible
    score: float | None  # None: infeasible
    score_interval: Interval | None  # None: infeasible, or no draws were made
    fitness: Fitness | None
    variant: str
    configuration: Mapping[str, object]
    monthly_usd: Interval | None
    usd_per_1k_requests: float | None
    latency_ms: Percentiles | None
    late_ratio: float | None
    dropped_ratio: float | None
    cold_ratio: float | None
    cache_hit_ratio: float | None
    probability_best: float
    grade: str
    gates: tuple[Gate, ...]
    assumed: tuple[str, ...]
    reasons: tuple[str, ...]
    to_win: tuple[Change, ...]
    decisions: tuple[str, ...]
    bill: Bill | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """The ranked options of one workload."""

    workload: Workload
    profile: str
    prices_as_of: str
    options: tuple[OptionResult, ...]  # best first, the infeasible last
    confidence: str | None  # clear, close or undecided; None: nothing is feasible, or no draws were made
    probability_best: float | None
    close_to: tuple[str, ...]
    ask_next: tuple[str, ...]
    pareto: tuple[str, ...]
    flips: tuple[Flip, ...] | None  # along the load; None: not looked for
    reference_usd: float | None  # what cost is measured against
    weights: Mapping[str, float]  # share of each function in the score
    draws: int
    weighed: int  # configurations that the formulas weighed
    tried: int  # of them, those that were played

    @property
    def best(self) -> OptionResult | None:
        """The first option, unless nothing is feasible."""
        return self.options[0] if self.options and self.options[0].score is not None else None

    def option(self, option_id: str) -> OptionResult:
        """The result of one option. Raises: KeyError when it was not asked for."""
        for result in self.options:
            if result.option.id == option_id:
                return result
        raise KeyError(option_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluation:
    """What every option does under a workload, before anybody ranks it."""

    work: Study
    swept: Sweep | None  # None: by the formulas alone
    sample: Sampled | None
    draws: int


def recommend(
    workload: Workload,
    *,
    book: PriceBook,
    config: Mapping[str, object] | None = None,
    priors: Mapping[str, object] | None = None,
    options: Sequence[str] = tuple(OPTIONS),
    draws: int = DRAWS,
    trace: Trace | None = None,
) -> Verdict:
    """Rank the hosting options of a workload.

    Every option is played request by request. `draws` over what is not known give the intervals, the probability of
    being best, the two inputs worth asking next and `to_win`; 0 leaves all that out, for a first paint from the
    formulas alone.
    Raises: InputError for a wrong setting or prior, or a workload that names a trace that is not given.
    """
    work = study(workload, book=book, config=config, priors=priors, options=options, trace=trace)
    return ranked(evaluate(work, draws=draws))


def evaluate(work: Study, *, draws: int = DRAWS) -> Evaluation:
    """Play every option; with 0 draws, by the formulas alone."""
    swept = sweep(work) if draws else None
    sample = None if swept is None else _sampled(swept, draws)
    return Evaluation(work=work, swept=swept, sample=sample, draws=draws)


def ranked(evaluation: Evaluation, *, with_changes: bool = True) -> Verdict:
    """Rank what was evaluated; `with_changes` looks for what would change the order, which takes as long again."""
    work, swept, sample = evaluation.work, evaluation.swept, evaluation.sample
    played = list((work if swept is None else swept).played.values())
    order = sorted(played, key=lambda one: _rank(one, list(OPTIONS).index(one.option)))
    best = order[0] if order and order[0].scores is not None else None
    wins = {} if swept is None or not with_changes else changes_to_win(work, order, swept)
    results = tuple(_result(work, one, best, swept, sample, wins.get(one.option, ())) for one in order)
    probability = sample.probability(best.option) if sample is not None and best is not None else None
    return Verdict(
        workload=work.workload,
        profile=str(work.workload.limits or "current"),
        prices_as_of=work.book.as_of,
        options=results,
        confidence=None if probability is None else _confidence(probability),
        probability_best=probability,
        close_to=_close_to(results),
        ask_next=ask_next(work, sample) if sample is not None and best is not None else (),
        pareto=_pareto(results),
        flips=None if swept is None or not with_changes else _flips(work, swept),
        reference_usd=_finite(float(work.point_reference_usd[0])),
        weights=work.weights,
        draws=evaluation.draws,
        weighed=work.weighed,
        tried=0 if swept is None else swept.tried,
    )


def _flips(work: Study, swept: Sweep) -> tuple[Flip, ...]:
    axis = load_axis(work)
    return () if axis is None else flips(work, [axis], swept)


def _sampled(swept: Sweep, draws: int) -> Sampled:
    """Every draw by the formulas, corrected by what runs of a few draws make of them."""
    sample = sampled(swept.work, draws, sized=swept.sized)
    return sample.corrected(calibrated(swept, sample.contenders))


def bill_of(work: Study, outcome: Outcome) -> Bill:
    """The receipt of one configuration: every metered quantity with its price."""
    lines = []
    for item, quantity in outcome.metered.items():
        if float(quantity[0]) > 0:
            plain, _, what = item.partition("#")
            name = f"{title_of(plain)}, {what}" if what else None
            lines.append(Metered(item=plain, quantity=float(quantity[0]), name=name))
    return bill_for(lines, work.point.region, work.book, estimate=True)


def _rank(played: Played, position: int) -> tuple[float, ...]:
    """Best first; the infeasible last, nearest to feasible first: a requirement is waived before a fact changes."""
    if played.scores is not None:
        # Options that differ by the noise of the arithmetic alone are equal, and keep their fixed order.
        return (0.0, -float(f"{played.value:.9g}"), 0.0, position)
    failed = [gate for gate in played.gates if gate.passes is False]
    facts = sum(not gating.is_waivable(gate) for gate in failed)
    return (1.0, len(failed), facts, position)


def _result(
    work: Study,
    played: Played,
    best: Played | None,
    swept: Sweep | None,
    sample: Sampled | None,
    to_win: tuple[Change, ...],
) -> OptionResult:
    outcome, scores = played.outcome, played.scores
    option = OPTIONS[played.option]
    assumed = tuple(path for path in work.point.assumed if _matters(path, played.option))
    if outcome is None or scores is None:
        return OptionResult(
            option=option,
            status="infeasible",
            score=None,
            score_interval=None,
            fitness=None,
            variant=played.variant,
            configuration={},
            monthly_usd=None,
            usd_per_1k_requests=None,
            latency_ms=None,
            late_ratio=None,
            dropped_ratio=None,
            cold_ratio=None,
            cache_hit_ratio=None,
            probability_best=0.0,
            grade=FORMULAS if swept is None else SIMULATED,
            gates=played.gates,
            assumed=assumed,
            reasons=reasons(work, played, best),
            to_win=to_win,
            decisions=(),
            bill=None,
        )
    usd = _finite(float(played.monthly_usd[0]))
    bill = bill_of(work, outcome)
    offered = float(outcome.offered[0])
    late = outcome.latency.share_above(work.point.objectives.late_after_s)
    return OptionResult(
        option=option,
        status=played.status,
        score=played.value,
        score_interval=None if sample is None else _interval(played.value, sample.scores(played.option)),
        fitness=Fitness(**{name: float(getattr(scores, name)[0]) for name in FUNCTIONS}),
        variant=played.variant,
        configuration=configured(outcome, work.config),
        monthly_usd=None if usd is None else _usd_interval(float(bill.total), played.option, swept, sample),
        usd_per_1k_requests=usd / offered * 1000 if usd is not None and offered > 0 else None,
        latency_ms=Percentiles(
            **{f"p{round(q * 100)}": float(outcome.latency.percentile(q)[0]) * 1000 for q in (0.5, 0.95, 0.99)}
        ),
        late_ratio=float(late[0]),
        dropped_ratio=float(outcome.dropped_ratio[0]),
        cold_ratio=float(outcome.cold_ratio[0]),
        cache_hit_ratio=_finite(float(outcome.hit_ratio[0])),
        probability_best=sample.probability(played.option) if sample else 0.0,
        grade=FORMULAS if swept is None else SIMULATED,
        gates=played.gates,
        assumed=assumed,
        reasons=(*reasons(work, played, best), *(() if swept is None else of_run(swept.judged[played.option]))),
        to_win=to_win,
        decisions=tuple(decisions(played.option, played.variant, work.point)),
        bill=bill,
    )


def _matters(path: str, option: str) -> bool:
    """Whether an undeclared field can change what this option does."""
    only = {
        "models.image_gb": ("serverless", "azure_functions"),
        "models.popularity": ("mme", "mme_gpu", "real_time", "serverless", "async", "azure_functions"),
        "models.frameworks": ("mme",),
    }
    return option in only.get(path, (option,))


def _usd_interval(total: float, option: str, swept: Sweep | None, sample: Sampled | None) -> Interval:
    """The bill with its range over the draws, which also holds the month as it was played."""
    seen = _interval(total, np.empty(0) if sample is None else sample.usd(option))
    played = None if swept is None else swept.judged[option].simulation.monthly_usd
    if played is None:
        return seen
    return Interval(p5=min(seen.p5, played), p50=total, p95=max(seen.p95, played))


def _interval(at_point: float, values: Array) -> Interval:
    """5th and 95th percentile of the known values, and the figure at the point, which the range always holds."""
    known = values[np.isfinite(values)]
    low, high = np.percentile(known, [5, 95]) if known.size else (at_point, at_point)
    return Interval(p5=min(float(low), at_point), p50=at_point, p95=max(float(high), at_point))


def _confidence(probability: float) -> str:
    if probability >= CLEAR:
        return "clear"
    return "close" if probability >= UNDECIDED else "undecided"


def _close_to(results: tuple[OptionResult, ...]) -> tuple[str, ...]:
    best = results[0] if results else None
    if best is None or best.score is None:
        return ()
    return tuple(
        one.option.id
        for one in results[1:]
        if one.score is not None and (one.score >= NEAR_RATIO * best.score or one.probability_best >= NEAR_PROBABILITY)
    )


def _pareto(results: tuple[OptionResult, ...]) -> tuple[str, ...]:
    """Options that no other beats in both monthly cost and p99 latency."""
    known = [
        (one.option.id, one.monthly_usd.p50, one.latency_ms.p99)
        for one in results
        if one.monthly_usd is not None and one.latency_ms is not None
    ]
    return tuple(
        name for name, usd, p99 in known if not any(u <= usd and p <= p99 and (u < usd or p < p99) for _, u, p in known)
    )


def _finite(value: float) -> float | None:
    return value if np.isfinite(value) else None
