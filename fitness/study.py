"""One workload played through every option: the numbers that a verdict is made of.

Three evaluations by the same code: at the declared values and medians (the point), over draws of what is
not known (the sample), and with one field changed per row (what-ifs).
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache, cached_property, partial
from types import MappingProxyType

import numpy as np

from fitness import analytic, document, gates
from fitness.analytic import settings
from fitness.analytic.on_demand import SERVERLESS_MB, cold_seconds
from fitness.analytic.queued import BACKLOG_ALARM_S
from fitness.analytic.settings import checked
from fitness.analytic.to_zero import ALARM_S as ZERO_ALARM_S
from fitness.arrays import Array
from fitness.errors import InputError, Problem
from fitness.gates import Gate
from fitness.inputs import POINT, Draws, Inputs
from fitness.instances import catalogue
from fitness.machines import Machines, candidates
from fitness.options import OPTIONS
from fitness.outcome import Outcome, configuration
from fitness.prices import PriceBook
from fitness.priors import Prior, with_fixed
from fitness.resolve import resolve
from fitness.score import FUNCTIONS, Scores, score, weights
from fitness.trace import Trace
from fitness.workload import Workload

SEED = 20_261_121
SCOUTS = 32  # draws over every instance type that find the types worth the full sample
COMPONENTS = {"async": "async", "batch": "batch_transform"}
ACCELERATORS = {"mme": "none", "mce_direct": "none", "mme_gpu": "gpu"}
ALL_HITS = 0.9995
CACHED = ("mme", "mme_gpu")
INSTANCELESS = frozenset({"serverless", "azure_functions"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Played:
    """One option at the point: how it is run, what its gates say, what it does."""

    option: str
    variant: str
    gates: tuple[Gate, ...]
    outcome: Outcome | None  # None: infeasible or nothing to configure
    monthly_usd: Array  # (1,), NaN where unknown
    scores: Scores | None

    @property
    def status(self) -> str:
        """feasible, conditional or infeasible."""
        return gates.status(self.gates)

    @property
    def value(self) -> float:
        """What ranks: the score, times the likelihood that every gate holds."""
        return 0.0 if self.scores is None else float(self.scores.total[0]) * gates.likelihood(self.gates)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rows:
    """Many rows of all options: arrays of shape (options, rows)."""

    value: Array  # score, 0 where a gate does not hold
    monthly_usd: Array


@dataclass(frozen=True, kw_only=True)
class Study:
    """The evaluations of one workload, made when they are asked for."""

    workload: Workload
    book: PriceBook
    config: Mapping[str, object]
    priors: Mapping[str, Prior]
    trace: Trace | None
    options: tuple[str, ...]

    @cached_property
    def point(self) -> Inputs:
        """Declared values, and medians of the rest."""
        return self.inputs(POINT)

    @cached_property
    def scouts(self) -> Inputs:
        """A small sample."""
        return self.inputs(Draws(size=SCOUTS, seed=SEED))

    def inputs(self, draws: Draws, changes: Mapping[str, Array] | None = None) -> Inputs:
        """The workload as numbers, for these draws and changes."""
        return resolve(self.workload, priors=self.priors, draws=draws, changes=changes, trace=self.trace)

    def usd(self, outcome: Outcome) -> Array:
        """Monthly cost of every row."""
        prices: dict[str, float] = {}
        for item in outcome.metered:
            price = self.book.estimate(item.partition("#")[0], self.point.region)
            if price is not None:
                prices[item] = float(price.usd_per_unit)
        return outcome.usd(prices)

    def reference_usd(self, inputs: Inputs, types: Sequence[str] | None = None) -> Array:
        """What cost is measured against: the budget, else dedicated always-on endpoints that meet the objectives."""
        budget = inputs.workload.objectives.monthly_budget_usd
        if budget is not None:
            return np.full(inputs.size, float(budget))
        dedicated = analytic.evaluate("real_time", "always_on", inputs, self.book, config={}, types=types)
        return np.full(inputs.size, np.nan) if dedicated is None else self.usd(dedicated)

    @cached_property
    def _at_point(self) -> Callable[[str, str], Outcome | None]:
        """What the formulas propose for an option and variant at the point, worked out once."""
        return cache(partial(analytic.evaluate, inputs=self.point, book=self.book, config=self.config))

    @property
    def weights(self) -> dict[str, float]:
        """Share of each fitness function in the score."""
        return dict(zip(FUNCTIONS, (float(share) for share in weights(self.point)), strict=True))

    @cached_property
    def point_reference_usd(self) -> Array:
        """The reference at the point, (1,)."""
        return self.reference_usd(self.point)

    @cached_property
    def played(self) -> Mapping[str, Played]:
        """Every option at the point, in the order asked for."""
        return {option: self._play(option) for option in self.options}

    @property
    def values(self) -> dict[str, float]:
        """What ranks the options that can run at the point, by the formulas."""
        return {
            option: one.value
            for option, one in self.played.items()
            if one.scores is not None and gates.likelihood(one.gates) > 0
        }

    @property
    def weighed(self) -> int:
        """Configurations that the formulas weigh: instance types or memory sizes of every option that can run."""
        found = 0
        for option, played in self.played.items():
            if played.scores is not None:
                machines = self._machines(option, played.variant)
                found += SERVERLESS_MB.size if machines is None else machines.count
        return found

    def configured(self, option: str) -> Played:
        """The option with what it would do, even where a gate fails: for a bill."""
        played = self.played[option]
        return played if played.outcome is not None else self._scored(played)

    def proposed(
        self,
        like: Played,
        *,
        inputs: Inputs | None = None,
        config: Mapping[str, object] | None = None,
        without: Iterable[str] = (),
    ) -> Played | None:
        """Another proposal of the formulas for the option and variant of `like`, scored: at the point or at draws.

        `config` fixes settings over those of the study; types in `without` are left out, and draws try the finalists
        alone. None: nothing can be configured.
        """
        fixed = {**self.config, **(config or {})}
        types = None if inputs is None or "instance_type" in fixed else self.finalists
        if without:
            types = tuple(sorted(set(catalogue()) - set(without)))
        at = self.point if inputs is None else inputs
        if types is None and at is self.point and not config:
            outcome = self._at_point(like.option, like.variant)
        else:
            outcome = analytic.evaluate(like.option, like.variant, at, self.book, config=fixed, types=types)
        if outcome is None:
            return None
        reference = self.point_reference_usd if inputs is None else self.reference_usd(at, self.finalists)
        usd = self.usd(outcome)
        scores = score(outcome, at, monthly_usd=usd, reference_usd=reference)
        return replace(like, outcome=outcome, monthly_usd=usd, scores=scores)

    def _play(self, option: str) -> Played:
        """The plain variant unless a gate rejects it: a choice that does not depend on the load."""
        rejected: list[Played] = []
        for variant in self._variants(option):
            machines = self._machines(option, variant)
            caching = self._at_point(option, variant) if option in CACHED else None
            found = gates.gates(
                option,
                variant,
                self.point,
                self.scouts,
                machines=machines,
                regions=self.book.regions,
                cold_s=first_answer_s(option, variant, self.point, caching),
                fixed_memory_mb=settings.number(self.config, "memory_mb"),
            )
            tried = Played(
                option=option, variant=variant, gates=found, outcome=None, monthly_usd=np.full(1, np.nan), scores=None
            )
            if not gates.is_rejected(found):
                return self._scored(tried)
            rejected.append(tried)
        return min(rejected, key=lambda one: sum(gate.passes is False for gate in one.gates))

    def _variants(self, option: str) -> tuple[str, ...]:
        """The ways to run the option that the workload or a fixed setting asks for.

        To zero by inference components, and with units kept warm, only on demand.
        """
        if option == "real_time":
            to_zero = settings.number(self.config, "min_instances") == 0
            if to_zero and self.workload.limits != "article":
                return ("inference_components",)
            if not self.workload.constraints.scale_to_zero:
                return ("always_on",)
        units = settings.number(self.config, "provisioned_concurrency")
        if option == "serverless" and units is not None:
            return ("provisioned",) if units > 0 else ("on_demand",)
        return analytic.variants(option)

    def _scored(self, tried: Played) -> Played:
        found = self.proposed(tried)
        return tried if found is None else found

    def _machines(self, option: str, variant: str) -> Machines | None:
        if option in INSTANCELESS:
            return None
        found = candidates(
            self.point,
            self.book,
            component=COMPONENTS.get(option, "hosting"),
            accelerator=ACCELERATORS.get(option),
            single_gpu=option == "mme_gpu",
            instance_type=settings.text(self.config, "instance_type"),
        )
        return found.scaled() if option == "async" or variant == "inference_components" else found

    @cached_property
    def finalists(self) -> tuple[str, ...]:
        """The instance types that win for some option under some draw: the only ones that the sample tries.

        One list for all options, so that two of them never differ by the types that they were offered.
        """
        names: dict[str, None] = {}
        tried = [(option, played.variant) for option, played in self.played.items() if played.outcome is not None]
        for option, variant in dict.fromkeys([*tried, ("real_time", "always_on")]):
            if option in INSTANCELESS:
                continue
            found = analytic.evaluate(option, variant, self.scouts, self.book, config=self.config)
            for outcome in (self._at_point(option, variant), found):
                if outcome is not None and outcome.instance_types is not None:
                    names.update(dict.fromkeys(outcome.instance_types))
        return tuple(names)

    def rows(
        self,
        inputs: Inputs,
        *,
        gate_draws: Draws | None,
        sized: Mapping[str, Mapping[str, object]] = MappingProxyType({}),
    ) -> Rows:
        """Play many rows through every option that is not infeasible at the point.

        With `gate_draws`, a conditional gate holds or not per row; without, its likelihood scales the score. `sized`
        fixes settings of single options.
        """
        reference = self.reference_usd(inputs, self.finalists)
        value = np.zeros((len(self.options), inputs.size))
        cost = np.full((len(self.options), inputs.size), np.nan)
        for index, (option, played) in enumerate(self.played.items()):
            if played.outcome is None:
                continue
            config = {**self.config, **sized.get(option, {})}
            types = None if "instance_type" in config else self.finalists
            outcome = analytic.evaluate(option, played.variant, inputs, self.book, config=config, types=types)
            if outcome is None:
                continue
            usd = self.usd(outcome)
            scores = score(outcome, inputs, monthly_usd=usd, reference_usd=reference)
            holds = np.ones(inputs.size)
            for gate in played.gates:
                likely = gate.holds(inputs)
                if gate_draws is not None:
                    likely = (gate_draws.column(f"gate.{gate.limit}") < likely).astype(np.float64)
                holds = holds * likely
            value[index] = scores.total * holds
            cost[index] = usd
        return Rows(value=value, monthly_usd=cost)


def first_answer_s(option: str, variant: str, inputs: Inputs, fleet: Outcome | None) -> Array:
    """How long the first answer after idle takes in this variant, (draws,); 0 where nothing starts.

    A multi-model endpoint that keeps every model in memory starts none.
    """
    launch = inputs.launch_s
    if option == "async" and variant == "from_zero":
        return BACKLOG_ALARM_S + launch + inputs.request.processing_s
    if variant == "inference_components":
        return ZERO_ALARM_S + launch
    if option in INSTANCELESS and variant == "on_demand":
        return cold_seconds(option, inputs)
    if fleet is not None:
        return np.where(fleet.hit_ratio < ALL_HITS, fleet.serving["cold_s"], 0.0)
    return np.zeros(inputs.size)


def study(
    workload: Workload,
    *,
    book: PriceBook,
    config: Mapping[str, object] | None = None,
    priors: Mapping[str, object] | None = None,
    options: Sequence[str] = tuple(OPTIONS),
    trace: Trace | None = None,
) -> Study:
    """Prepare the evaluations of a workload.

    Raises: InputError for a wrong setting or prior, or a workload that names a recording that is not given.
    """
    if workload.traffic.trace is not None and trace is None:
        message = f"names a recording that was not given, {document.shown(workload.traffic.trace)}"
        raise InputError([Problem(path="$.traffic.trace", message=message)])
    prepared = Study(
        workload=workload,
        book=book,
        config=checked(config),
        priors=with_fixed(priors),
        trace=trace,
        options=tuple(options),
    )
    if any(name in prepared.config for name in settings.FOLLOWS):
        outcomes = [prepared.configured(option).outcome for option in prepared.options]
        found = [configuration(outcome) for outcome in outcomes if outcome is not None]
        if problems := settings.contradicted(prepared.config, found):
            raise InputError(problems)
    return prepared
