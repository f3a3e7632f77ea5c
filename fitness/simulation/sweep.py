"""Every option judged by playing its requests: the formulas propose configurations, the simulation decides.

For each option the formulas weigh every instance type, count and memory size and propose the cheapest that meets
the objectives. It is played; only where the run is late although the formulas said otherwise are the next ones
played, cheapest first, until one holds. All options see the same requests (common random numbers), and none of
them is played with less care because another is better, so that no option's score depends on the others.
The account of the month (hours, paid seconds, the bill) stays with the formulas, which see every hour and for which
cost never falls as load grows; the run says how far off it is.
Source: docs/simulation.md#sweep, docs/adr/0021-formulas-propose-runs-decide.md.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np

from fitness.analytic.fleet import P95_LATE, P99_LATE
from fitness.arrays import Array
from fitness.inputs import Inputs
from fitness.outcome import Outcome
from fitness.score import score
from fitness.simulation import play, warm
from fitness.simulation.play import Simulation
from fitness.study import SCOUTS, SEED, Played, Study

REQUESTS = 40_000
DRAW_REQUESTS = 6_000
DRAW_WINDOWS = 12
FEW_PARTS = 3  # of many alike endpoints, where a run is one of many
ACCOUNT = ("offered", "instance_hours", "busy_s", "paid_s", "metered")  # what the bill is made of
LATE_AGAIN = 1.25  # a run is later than the formulas said when it is late this many times as often as it may
TARGETS = (0.8, 0.65, 0.5)  # of the proposed target, for a configuration with more instances
NEXT_TYPES = 2
CLOSE = (0.01, 0.05)  # of the best value: options this near are played, at least and at most
NEAR_RATIO = 0.9  # of the best value: options whose corrections matter for a change of the order


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """One option as the run has it."""

    played: Played  # with the outcome and the scores of the run
    proposed: Played  # the same configuration as the formulas have it
    simulation: Simulation
    first: Played | None = None  # what the formulas had proposed before, where its run was late
    first_missed_ratio: float = 0.0
    sized: Mapping[str, object] = field(default_factory=dict)  # the settings that are fixed instead

    @property
    def correction(self) -> float:
        """Natural logarithm of the run's score over the formulas'."""
        assert self.played.scores is not None  # noqa: S101 both were scored
        assert self.proposed.scores is not None  # noqa: S101
        return _log(float(self.played.scores.total[0])) - _log(float(self.proposed.scores.total[0]))


@dataclass(frozen=True, kw_only=True)
class Sweep:
    """Every option of one study, played."""

    work: Study
    judged: Mapping[str, Judged]  # the options that can run at all
    tried: int  # configurations that were played

    @cached_property
    def played(self) -> Mapping[str, Played]:
        """Every option, the infeasible as the gates left them, in the order asked for."""
        return {
            option: self.judged[option].played if option in self.judged else played
            for option, played in self.work.played.items()
        }

    @cached_property
    def corrections(self) -> Array:
        """Natural logarithm of each option's run over its formulas, (options,); 0 where it was not played."""
        return np.array([self.judged[one].correction if one in self.judged else 0.0 for one in self.work.options])

    @property
    def sized(self) -> Mapping[str, Mapping[str, object]]:
        """The settings of the options whose configuration is another than the formulas proposed."""
        return {option: one.sized for option, one in self.judged.items() if one.sized}

    @cached_property
    def close_ratio(self) -> float:
        """How near to the best an option must come to be played: twice as near as runs and formulas differ here."""
        best = max((one.played.value for one in self.judged.values()), default=0.0)
        near = [one.correction for one in self.judged.values() if one.played.value >= NEAR_RATIO * best]
        differ = max((abs(correction) for correction in near), default=0.0)
        return 1 - min(max(2 * differ, CLOSE[0]), CLOSE[1])

    def values(self, work: Study) -> dict[str, float]:
        """What ranks the options of a changed workload: runs where it is close, corrected formulas elsewhere.

        The best option by the formulas, corrected as at this sweep's point, is played, then whoever comes near to it,
        until neither the best nor anybody near it is left unplayed. Options that can't run are left out.
        """
        found = {
            option: value * math.exp(self.corrections[self.work.options.index(option)])
            for option, value in work.values.items()
        }
        played: set[str] = set()
        while len(found) > 1:
            best = max(found.values())
            near = [option for option, value in found.items() if value >= self.close_ratio * best]
            waiting = [option for option in near if option not in played]
            if not waiting:
                break
            option = max(waiting, key=lambda one: found[one])
            found[option] = settled(work, option)[0].played.value
            played.add(option)
        return found


def sweep(work: Study, *, requests: int = REQUESTS) -> Sweep:
    """Play every option that no gate rules out, each on `requests` requests."""
    options = [option for option, played in work.played.items() if played.scores is not None]
    found = warm.each(lambda option: settled(work, option, requests=requests), options)
    return Sweep(
        work=work,
        judged={option: one for option, (one, _) in zip(options, found, strict=True)},
        tried=sum(tried for _, tried in found),
    )


def settled(work: Study, option: str, *, requests: int = REQUESTS) -> tuple[Judged, int]:
    """The option's configuration that the run bears out, and how many were played to find it."""
    first = work.configured(option)
    judged = judge(work, first, requests=requests)
    if meets(work.point, judged.played.outcome) or not meets(work.point, first.outcome):
        return judged, 1
    tried = [judged]
    missed = missed_ratio(work.point, judged.played.outcome)
    for other, config in sorted(_alternatives(work, first), key=lambda one: float(one[0].monthly_usd[0])):
        again = judge(work, other, requests=requests)
        tried.append(replace(again, first=first, first_missed_ratio=missed, sized=config))
        if meets(work.point, again.played.outcome):
            return tried[-1], len(tried)
    return max(tried, key=lambda one: one.played.value), len(tried)


def as_settled(work: Study, option: str) -> Study:
    """The study with the option's configuration as a sweep settles it, for its bill or a longer run."""
    if work.played[option].scores is None:
        return work
    judged, _ = settled(work, option)
    return replace(work, config={**work.config, **judged.sized}) if judged.sized else work


def judge(work: Study, proposed: Played, *, requests: int) -> Judged:
    """Play one proposed configuration at the point and score the run; the account stays the formulas'."""
    assert proposed.outcome is not None  # noqa: S101 the caller has one
    done = play.played(work, proposed, requests=requests, seed=SEED)
    outcome = _with_account(done.outcome, proposed.outcome)
    scores = score(outcome, work.point, monthly_usd=proposed.monthly_usd, reference_usd=work.point_reference_usd)
    return Judged(played=replace(proposed, outcome=outcome, scores=scores), proposed=proposed, simulation=done)


def _with_account(run: Outcome, formulas: Outcome) -> Outcome:
    return replace(run, **{name: getattr(formulas, name) for name in ACCOUNT})


def meets(inputs: Inputs, outcome: Outcome | None) -> bool:
    """Whether the answers of the first row are in time as often as the objectives ask, give or take the margin."""
    return outcome is not None and all(missed <= LATE_AGAIN * allowed for missed, allowed in _missed(inputs, outcome))


def missed_ratio(inputs: Inputs, outcome: Outcome | None) -> float:
    """Share of the requests that miss the loosest objective, or get no answer at all."""
    return 1.0 if outcome is None else min(missed for missed, _ in _missed(inputs, outcome))


def _missed(inputs: Inputs, outcome: Outcome) -> list[tuple[float, float]]:
    """For each objective the share of the first row's requests that miss it, and the share that may."""
    objectives = inputs.objectives
    dropped = float(outcome.dropped_ratio[0])
    return [
        (float(outcome.latency.share_above(limit_s)[0]) * (1 - dropped) + dropped, allowed)
        for limit_s, allowed in ((objectives.within_p95_s, P95_LATE), (objectives.within_p99_s, P99_LATE))
        if not math.isnan(float(limit_s[0]))
    ]


def _alternatives(work: Study, first: Played) -> Iterator[tuple[Played, Mapping[str, object]]]:
    """Configurations that cost more than the proposed one and should be late less often, with what they fix."""
    assert first.outcome is not None  # noqa: S101 the caller has one
    if first.outcome.instance_types is None:
        return
    name = first.outcome.instance_types[0]
    target = first.outcome.settings.get("target_invocations_per_minute")
    if target is not None and "target_invocations_per_minute" not in work.config:
        for share in TARGETS:
            config = {"target_invocations_per_minute": float(target[0]) * share, "instance_type": name}
            lower = work.proposed(first, config=config)
            if lower is not None:
                yield lower, config
    seen = {name}
    while "instance_type" not in work.config and len(seen) <= NEXT_TYPES:
        other = work.proposed(first, without=seen)
        if other is None or other.outcome is None or other.outcome.instance_types is None:
            return
        seen.add(other.outcome.instance_types[0])
        yield other, {"instance_type": other.outcome.instance_types[0]}


def calibrated(swept: Sweep, contenders: Sequence[str]) -> Array:
    """How much runs correct the formulas under draws of what is not known, (options, SCOUTS), natural logarithms.

    The contenders, of which draws make one or another the best, are played under every draw of a small Latin
    hypercube, on other requests for each draw, so that the spread holds the noise of the run as well; the others keep
    the correction of the point. What a step of the load does is corrected as at the point.
    """
    work = swept.work
    found = np.repeat(swept.corrections[:, None], SCOUTS, axis=1)
    rows = {
        option: proposed
        for option in contenders
        if len(contenders) > 1 and (proposed := _under_draws(swept, option)) is not None
    }
    of_step = {option: _correction_of_step(work, swept.judged[option]) for option in rows}
    reference = work.reference_usd(work.scouts, work.finalists) if rows else np.empty(0)

    def one(index: int) -> dict[str, float]:
        # All options of one draw together: they share its requests.
        inputs = work.scouts.row(index)
        return {
            option: of_step[option] + _correction(work, inputs, proposed, index, reference)
            for option, proposed in rows.items()
        }

    for index, draw in enumerate(warm.each(one, range(SCOUTS)) if rows else ()):
        for option, value in draw.items():
            found[work.options.index(option), index] = value
    return found


def _under_draws(swept: Sweep, option: str) -> Played | None:
    judged = swept.judged[option]
    return swept.work.proposed(judged.proposed, inputs=swept.work.scouts, config=judged.sized)


def _correction(work: Study, inputs: Inputs, rows: Played, index: int, reference_usd: Array) -> float:
    """Run over formulas under one draw, without a step of the load."""
    assert rows.outcome is not None  # noqa: S101 the caller has one
    assert rows.scores is not None  # noqa: S101
    formulas = rows.outcome.row(index)
    run = play.run_of(
        inputs,
        formulas,
        work.config,
        requests=DRAW_REQUESTS,
        seed=SEED + index,
        windows=DRAW_WINDOWS,
        most_parts=FEW_PARTS,
        has_step=False,
    )
    at = slice(index, index + 1)
    scores = score(
        _with_account(run.outcome, formulas),
        inputs,
        monthly_usd=rows.monthly_usd[at],
        reference_usd=reference_usd[at],
    )
    return _log(float(scores.total[0])) - _log(float(rows.scores.total[index]))


def _correction_of_step(work: Study, judged: Judged) -> float:
    """The part of the point's correction that is due to the step of the load."""
    assert judged.played.outcome is not None  # noqa: S101 it was played
    assert judged.played.scores is not None  # noqa: S101
    assert judged.proposed.outcome is not None  # noqa: S101
    formulas = judged.proposed.outcome
    without = replace(
        judged.played.outcome,
        step_within_ratio=formulas.step_within_ratio,
        step_busy_ratio=formulas.step_busy_ratio,
    )
    scores = score(without, work.point, monthly_usd=judged.proposed.monthly_usd, reference_usd=work.point_reference_usd)
    return _log(float(judged.played.scores.total[0])) - _log(float(scores.total[0]))


def _log(value: float) -> float:
    return math.log(max(value, 1e-9))
