"""What the verdict hangs on: the draws of what is not known, and the smallest change that turns the order."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import ROUND_CEILING, ROUND_FLOOR, Context
from types import MappingProxyType

import numpy as np

from fitness import fields
from fitness.arrays import Array
from fitness.errors import InputError
from fitness.fields import Kind
from fitness.gates import Gate
from fitness.inputs import Draws, Inputs
from fitness.simulation.sweep import Sweep
from fitness.study import SEED, Played, Study

BINS = 8  # slices of an input's range in which its value counts as known
FACTORS = np.sort(np.concatenate([s * np.array([0.1, 0.2, 0.3, 0.5, 0.7, 1.0, 1.5, 2.0]) for s in (1, -1)]))
SEARCHED = (
    "models.count",
    "models.artifact_mb",
    "models.memory_mb",
    "request.payload_in_mb",
    "request.processing_ms",
    "request.concurrency",
    "traffic.rps_mean",
    "traffic.rps_peak",
    "traffic.idle_ratio",
    "traffic.records_per_job",
    "traffic.jobs_per_month",
    "objectives.latency_p95_ms",
    "objectives.latency_p99_ms",
    "objectives.deadline_s",
    "objectives.monthly_budget_usd",
)
MOST_CHANGES = 2
MOST_CONTENDERS = 3
TIE_RATIO = 0.998
CHANCE = 0.05  # of being the best by the formulas: enough to be played under a few draws
MOST_TRIED = 6  # of the grid's candidates are asked anew, the smallest change first
MARGIN = 1.01  # a change counts as turning the order when it wins by a hundredth


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One field of the workload from one value to another, and what it would do."""

    field: str
    before: object
    after: object
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Sampled:
    """Every option under every draw of what is not known."""

    options: tuple[str, ...]
    inputs: Inputs
    value: Array  # (options, draws); 0 where a gate does not hold
    monthly_usd: Array  # (options, draws)

    def probability(self, option: str) -> float:
        """Share of the draws in which the option is best, of those in which any option may run.

        Options within a five-hundredth of the best share a draw.
        """
        best = np.max(self.value, axis=0)
        runs = best > 0
        if not bool(runs.any()):
            return 0.0
        first = self.value[:, runs] >= TIE_RATIO * best[runs]
        wins = first[self.options.index(option)] / np.sum(first, axis=0)
        return float(np.mean(wins))

    @property
    def contenders(self) -> tuple[str, ...]:
        """The options that some draws make the best, the most frequent first."""
        chances = {option: self.probability(option) for option in self.options}
        ranked = sorted(chances, key=lambda option: -chances[option])
        return tuple(option for option in ranked[:MOST_CONTENDERS] if chances[option] >= CHANCE)

    def corrected(self, corrections: Array) -> "Sampled":
        """The sample as runs have it.

        `corrections`, natural logarithms of shape (options, few), are what runs of a few draws make of the formulas'
        scores; they are dealt to the draws in turn, the same one to all options.
        """
        dealt = corrections[:, np.arange(self.inputs.size) % corrections.shape[1]]
        return replace(self, value=self.value * np.exp(dealt))

    def scores(self, option: str) -> Array:
        """The option's score in the draws in which its gates hold; empty where they never do."""
        value: Array = self.value[self.options.index(option)]
        return value[value > 0]

    def usd(self, option: str) -> Array:
        """Monthly cost of the option in every draw."""
        cost: Array = self.monthly_usd[self.options.index(option)]
        return cost


def sampled(work: Study, size: int, *, sized: Mapping[str, Mapping[str, object]] = MappingProxyType({})) -> Sampled:
    """Evaluate every option under `size` draws of what is not known, by the formulas; `sized` as in `Study.rows`."""
    draws = Draws(size=size, seed=SEED)
    inputs = work.inputs(draws)
    rows = work.rows(inputs, gate_draws=draws, sized=sized)
    return Sampled(options=work.options, inputs=inputs, value=rows.value, monthly_usd=rows.monthly_usd)


def ask_next(work: Study, sample: Sampled) -> tuple[str, ...]:
    """The two undeclared fields whose value would help the choice most.

    Ranked by the expected value of knowing the field: mean over slices of its range of the best option's mean
    score there, less the best overall mean. Ties go to the field that moves the best option's score more.
    """
    columns = _columns(work)
    means = np.mean(sample.value, axis=1)
    first = int(np.argmax(means))
    worth: list[tuple[float, float, str]] = []
    for path, names in columns.items():
        gain = spread = 0.0
        for name in names:
            order = np.argsort(sample.inputs.draws.column(name), kind="stable")
            parts = np.array_split(sample.value[:, order], BINS, axis=1)
            within = np.stack([np.mean(part, axis=1) for part in parts], axis=1)
            gain = max(gain, float(np.mean(np.max(within, axis=0)) - means[first]))
            spread = max(spread, float(np.std(within[first])))
        worth.append((round(gain, 4), round(spread, 6), path))
    worth.sort(key=lambda entry: (-entry[0], -entry[1], entry[2]))
    return tuple(path for gain, spread, path in worth[:2] if gain > 0 or spread > 0)


def _columns(work: Study) -> dict[str, list[str]]:
    """The columns of the draws behind each undeclared field."""
    found = {path: [path] for path in work.point.assumed if path in _DRAWN}
    if "models.memory_mb" in found:
        found["models.memory_mb"].append("models.memory_mb.base")
    for played in work.played.values():
        for gate in played.gates:
            if gate.passes is None and gate.field in work.point.assumed:
                found.setdefault(gate.field, []).append(f"gate.{gate.limit}")
    return found


_DRAWN = frozenset(
    {
        *(path for path in SEARCHED if not path.startswith("objectives.") and path != "models.count"),
        "models.image_gb",
        "models.popularity",
        "request.payload_out_mb",
        "request.processing_cv",
    }
)


def changes_to_win(
    work: Study, ranked: Sequence[Played], swept: Sweep | None = None
) -> Mapping[str, tuple[Change, ...]]:
    """For every option that is not first, what would have to change.

    An infeasible option: every gate that it would have to pass. A feasible one: the smallest change of one
    numeric field that puts it first, found on a grid of factors by the formulas, and asked anew with the changed
    workload: of runs where `swept` is given. Nothing when no single change does.
    """
    found: dict[str, tuple[Change, ...]] = {}
    losers = [played for played in ranked[1:] if played.scores is not None]
    for played in ranked:
        if played.scores is None:
            found[played.option] = tuple(_to_pass(work, gate) for gate in played.gates if gate.passes is False)
    if losers:
        found.update(_smallest(work, losers, swept))
    return found


def _to_pass(work: Study, gate: Gate) -> Change:
    before = work.workload.get(gate.field) if gate.field in _PATHS else gate.asked
    before = str(before) if isinstance(before, str) else before
    after = gate.remedy
    if isinstance(after, float):
        after = _on_the_safe_side(after, upwards=gate.is_least)
        after = int(after) if isinstance(before, int) and after.is_integer() else after
    return Change(field=gate.field, before=before, after=after, why=f"passes the limit {gate.title!r}: {gate.reason}")


def _on_the_safe_side(number: float, *, upwards: bool) -> float:
    """Four digits of a limit, rounded so that it is still kept.

    >>> _on_the_safe_side(5368.709, upwards=False), _on_the_safe_side(3.45612, upwards=True)
    (5368.0, 3.457)
    """
    context = Context(prec=4, rounding=ROUND_CEILING if upwards else ROUND_FLOOR)
    return float(context.create_decimal_from_float(number))


_PATHS = frozenset(field.path for field in fields.FIELDS)


def _smallest(work: Study, losers: Sequence[Played], swept: Sweep | None) -> Mapping[str, tuple[Change, ...]]:
    grid: list[tuple[str, float, float, float]] = []  # path, before, after, size of the change
    for path in SEARCHED:
        before = value_of(work, path)
        if before is None or before <= 0:
            continue
        spec = fields.field(path)
        low = spec.minimum if spec.minimum is not None else 0.0
        high = spec.maximum if spec.maximum is not None else np.inf
        for factor in FACTORS:
            after = before * 10.0**factor
            after = float(f"{after:.3g}")
            if spec.kind is Kind.INTEGER:
                after = float(round(after))
            if after != before and low <= after <= high and after > 0:
                grid.append((path, before, after, abs(float(factor))))
    if not grid:
        return {}
    changes = {
        path: np.array([after if row == path else np.nan for row, _, after, _ in grid])
        for path in dict.fromkeys(row for row, *_ in grid)
    }
    rows = work.rows(work.inputs(Draws(size=len(grid), seed=None), changes), gate_draws=None)
    value = rows.value if swept is None else rows.value * np.exp(swept.corrections)[:, None]
    first = np.argmax(value, axis=0)
    others = np.sort(value, axis=0)[-2] if len(work.options) > 1 else np.zeros(len(grid))
    first = np.where(np.max(value, axis=0) >= MARGIN * others, first, -1)
    found: dict[str, tuple[Change, ...]] = {}
    for played in losers:
        index = work.options.index(played.option)
        won = sorted((grid[row][3], row) for row in np.flatnonzero(first == index))
        chosen: dict[str, Change] = {}
        for _, row in won[:MOST_TRIED]:
            path, before, after, _ = grid[row]
            if path not in chosen and len(chosen) < MOST_CHANGES and _is_first(work, swept, played.option, path, after):
                direction = "rises" if after > before else "falls"
                why = f"first when {fields.field(path).title.lower()} {direction} from {before:.4g} to {after:.4g}"
                number = int(after) if fields.field(path).kind is Kind.INTEGER else after
                chosen[path] = Change(field=path, before=work.workload.get(path), after=number, why=why)
        found[played.option] = tuple(chosen.values())
    return found


def _is_first(work: Study, swept: Sweep | None, option: str, path: str, after: float) -> bool:
    """Whether the changed workload, asked anew, puts the option first: the grid is only where to look."""
    value = round(after) if fields.field(path).kind is Kind.INTEGER else after
    try:
        workload = work.workload.replace({path: value})
    except InputError:  # the change contradicts another declared field
        return False
    again = replace(work, workload=workload)
    values = again.values if swept is None else swept.values(again)
    return bool(values) and max(values, key=lambda one: values[one]) == option


def value_of(work: Study, path: str) -> float | None:
    """The field's value at the point, in the field's unit; None where it plays no part."""
    point = work.point
    declared = work.workload.get(path)
    if isinstance(declared, (int, float)) and not isinstance(declared, bool):
        return float(declared)
    if path.startswith("objectives."):
        return None
    if path.startswith("traffic.") and (point.traffic.trace is not None or path not in point.assumed):
        return None
    group, _, name = path.partition(".")
    holder = getattr(point, group)
    if name == "processing_ms":
        return float(point.request.processing_s[0]) * 1000
    return float(getattr(holder, name)[0])
