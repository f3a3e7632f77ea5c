"""The designer of scaling policies: many policies replayed on one month, cost against late requests.

A request is late here when its minute asks for more than the instances in service carry; in front of a queue, when
it waits longer than the deadline. The kernels that play every request refine what remains.
Rules, and what is assumed: docs/simulation.md#scaling-policies.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from itertools import product

import numpy as np

from fitness.analytic.fleet import P95_LATE, P99_LATE
from fitness.arrays import Array
from fitness.inputs import Inputs
from fitness.simulation import control
from fitness.simulation.months import Month
from fitness.simulation.policy_lint import Finding, lint
from fitness.simulation.rules import (
    COOLDOWN_S,
    MINUTES_PER_WEEK,
    Action,
    Backlog,
    Fixed,
    Policy,
    Scheduled,
    Step,
    StepScaling,
    TargetTracking,
    ToZero,
    base_of,
)
from fitness.wording import percent

TARGETS = (0.5, 0.6, 0.7, 0.8, 0.9, 1.0)  # of what one instance carries
IN_COOLDOWNS_S = (300.0, 900.0)
STEPS = (0.0, 0.1, 0.3)  # of the maximum, added in one step; at least one instance
BACKLOGS = (0.05, 0.1, 0.25, 0.5, 1.0)  # of what one instance works off until the deadline
LAUNCH_QUANTILES = (0.1, 0.5, 0.9)
MOST_ACTIONS = 28  # four a day
REPEATS = 0.5  # correlation of the hours of the week between the halves of a month
MOST_MINUTES = 13 * MINUTES_PER_WEEK
AS_CHEAP = 1.01  # policies this close in cost are compared by their late requests
_NEEDS = (0.1, 0.25, 0.5, 0.75, 0.9, 0.99, 1.0)
_HOUR = 60


class Kind(StrEnum):
    """The kinds of policies that are designed."""

    TARGET_TRACKING = "target_tracking"
    STEP = "step"
    SCHEDULED = "scheduled"  # target tracking with bounds that follow the week
    BACKLOG = "backlog"  # asynchronous endpoints
    TO_ZERO = "to_zero"  # inference components


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """One policy and what it did, mean over the launch times unless said; hours and money of a month of 730 hours."""

    policy: Policy
    instance_hours: float
    usd: float | None  # None: without a price
    late_ratio: float
    worst_late_ratio: float  # at the slowest launch
    changes: float  # scaling activities in the month
    most: int  # instances, at once

    @property
    def cost(self) -> float:
        """What candidates are compared by: money, or hours where there is no price."""
        return self.instance_hours if self.usd is None else self.usd


@dataclass(frozen=True, slots=True, kw_only=True)
class Design:
    """What the designer found; candidates by cost, the cheapest first."""

    kind: Kind
    candidates: tuple[Candidate, ...]
    pareto: tuple[Candidate, ...]  # nobody is cheaper with fewer late requests
    best: Candidate
    is_met: bool  # whether `best` keeps late requests within the share that was asked for
    fixed: Candidate  # the busiest minute's instances, all the time
    findings: tuple[Finding, ...]  # of `best`
    notes: tuple[str, ...]


def late_share(inputs: Inputs, *, draw: int = 0) -> float:
    """Share of the answers that may be late: the strictest of the workload's percentiles."""
    return P95_LATE if math.isnan(float(inputs.objectives.within_p99_s[draw])) else P99_LATE


def launch_times(inputs: Inputs) -> tuple[float, ...]:
    """Launch times that a policy is tried with, equally likely: quantiles of the prior."""
    name = "instance_launch_s" if inputs.accelerator == "none" else "instance_launch_s.accelerated"
    return tuple(float(one) for one in inputs.priors[name].quantile(np.array(LAUNCH_QUANTILES)))


def replay(
    policy: Policy,
    month: Month,
    *,
    carries_per_minute: float,
    launch_s: Sequence[float],
    usd_per_hour: float | None = None,
    deadline_s: float | None = None,
    service_s: float = 0.0,
) -> Candidate:
    """Give what a policy does with a month; see `design`."""
    base = base_of(policy)
    offered = max(float(month.counts.sum()), 1e-300)
    hours, late, changes, most = [], [], [], 0
    for one in launch_s:
        capacity = control.run(
            policy,
            month.counts,
            one,
            minute_of_week=month.minute_of_week or 0,
            carries_per_minute=carries_per_minute,
            service_s=service_s,
        )
        if isinstance(base, Backlog):
            waits = _waits(month.counts, capacity.serving * carries_per_minute) * 60
            is_late = waits + service_s > (math.inf if deadline_s is None else deadline_s)
        else:
            is_late = month.counts > capacity.serving * carries_per_minute * (1 + 1e-9)
        hours.append(month.instance_hours(capacity.paid))
        late.append(float(month.counts[is_late].sum()) / offered)
        changes.append(float(np.count_nonzero(np.diff(capacity.desired))) * month.weight)
        most = max(most, int(capacity.desired.max()))
    mean_hours = float(np.mean(hours))
    return Candidate(
        policy=policy,
        instance_hours=mean_hours,
        usd=None if usd_per_hour is None else mean_hours * usd_per_hour,
        late_ratio=float(np.mean(late)),
        worst_late_ratio=max(late),
        changes=float(np.mean(changes)),
        most=most,
    )


def design(
    month: Month,
    *,
    kind: Kind,
    option: str,
    carries_per_minute: float,
    launch_s: Sequence[float],
    late_share: float,
    variant: str = "",
    least: int = 0,
    usd_per_hour: float | None = None,
    deadline_s: float | None = None,
    service_s: float = 0.0,
) -> Design:
    """Replay many policies of one kind and recommend the cheapest that keeps late requests within a share.

    `carries_per_minute` is what one instance carries within the objectives; `launch_s` are equally likely launch
    times; `least` is the smallest minimum that is tried, below one only in front of a queue. A backlog needs
    `deadline_s`, and `service_s`, how long one request is worked on.
    Raises: ValueError for a speed that is not above 0, for no launch time, and for a backlog without a deadline.
    """
    if not (carries_per_minute > 0 and launch_s):
        message = f"the designer needs a speed above 0 and a launch time, got {carries_per_minute} and {launch_s}"
        raise ValueError(message)
    if kind is Kind.BACKLOG and deadline_s is None:
        message = "a policy on the backlog is designed for a deadline"
        raise ValueError(message)
    notes = list(month.notes)
    if month.minutes > MOST_MINUTES:
        notes.append(f"The last {MOST_MINUTES // MINUTES_PER_WEEK} weeks of the recording are replayed.")
        month = _last(month, MOST_MINUTES)
    middle_s = float(np.median(np.asarray(launch_s)))
    policies = _policies(kind, month, carries_per_minute, middle_s, least, deadline_s, notes)

    def tried(policy: Policy) -> Candidate:
        return replay(
            policy,
            month,
            carries_per_minute=carries_per_minute,
            launch_s=launch_s,
            usd_per_hour=usd_per_hour,
            deadline_s=deadline_s,
            service_s=service_s,
        )

    candidates = sorted(map(tried, policies), key=lambda one: (one.cost, one.late_ratio))
    best, is_met = _chosen(candidates, late_share)
    if not is_met:
        notes.append(
            f"No policy of this kind keeps late requests within {percent(late_share, 2)}; the one with fewest is shown."
        )
    findings = lint(
        option,
        best.policy,
        variant=variant,
        carries_per_minute=None if kind is Kind.BACKLOG else carries_per_minute,
        launch_s=middle_s,
        counts=month.counts,
    )
    return Design(
        kind=kind,
        candidates=tuple(candidates),
        pareto=pareto(candidates),
        best=best,
        is_met=is_met,
        fixed=tried(Fixed(instances=max(_needed(float(month.counts.max()), carries_per_minute), least))),
        findings=findings,
        notes=tuple(notes),
    )


def pareto(candidates: Sequence[Candidate]) -> tuple[Candidate, ...]:
    """The candidates that nobody beats in cost and late requests at once, the cheapest first."""
    found: list[Candidate] = []
    for one in sorted(candidates, key=lambda each: (each.cost, each.late_ratio)):
        if not found or one.late_ratio < found[-1].late_ratio:
            found.append(one)
    return tuple(found)


def _chosen(candidates: Sequence[Candidate], share: float) -> tuple[Candidate, bool]:
    """The cheapest candidate that is good enough; of equally cheap ones the one with fewest late, then the calmest."""
    enough = [one for one in candidates if one.late_ratio <= share]
    if not enough:
        return min(candidates, key=lambda one: (one.late_ratio, one.cost, one.changes)), False
    limit = min(one.cost for one in enough) * AS_CHEAP
    close = [one for one in enough if one.cost <= limit]
    return min(close, key=lambda one: (one.late_ratio, one.changes, one.cost)), True


def _policies(
    kind: Kind,
    month: Month,
    carries: float,
    launch_s: float,
    least: int,
    deadline_s: float | None,
    notes: list[str],
) -> Iterator[Policy]:
    peak = float(month.counts.max())
    minimums = _minimums(month.counts, carries, max(least, 1))
    if kind is Kind.TARGET_TRACKING:
        out_s = sorted({COOLDOWN_S, 60.0 * max(1, math.ceil(launch_s / 60))})  # shorter than a launch is a trap
        for target, minimum, out, into in product(TARGETS, minimums, out_s, IN_COOLDOWNS_S):
            yield _tracking(target * carries, max(minimum, 1), peak, out, into)
    elif kind is Kind.STEP:
        for target, minimum, share in product(TARGETS, minimums, STEPS):
            yield _stepping(target * carries, max(minimum, 1), peak, share)
    elif kind is Kind.SCHEDULED:
        yield from _scheduled(month, carries, launch_s, max(least, 1), notes)
    elif kind is Kind.TO_ZERO:
        for target, into in product(TARGETS, IN_COOLDOWNS_S):
            maximum = _needed(peak, target * carries)
            yield ToZero(target_per_minute=target * carries, maximum=maximum, scale_in_cooldown_s=into)
    else:
        maximum = _needed(peak, carries)
        for share, minimum in product(BACKLOGS, sorted({least, *minimums})):
            target = max(1.0, share * carries * (deadline_s or 0.0) / 60)
            yield Backlog(target_per_instance=target, minimum=minimum, maximum=max(maximum, minimum))


def _tracking(
    target: float, minimum: int, peak: float, out_s: float = COOLDOWN_S, in_s: float = COOLDOWN_S
) -> TargetTracking:
    return TargetTracking(
        target_per_minute=target,
        minimum=minimum,
        maximum=max(_needed(peak, target), minimum),
        scale_out_cooldown_s=out_s,
        scale_in_cooldown_s=in_s,
    )


def _stepping(threshold: float, minimum: int, peak: float, share: float) -> StepScaling:
    """Out after one minute, by a few instances or by many when the metric is half as high again; in one by one."""
    maximum = max(_needed(peak, threshold), minimum)
    few = max(1, math.ceil(share * maximum))
    return StepScaling(
        out_above=threshold,
        in_below=threshold / 2,
        steps_out=(Step(distance=0, change=few), Step(distance=threshold / 2, change=2 * few)),
        steps_in=(Step(distance=0, change=1), Step(distance=threshold / 4, change=few)),
        minimum=minimum,
        maximum=maximum,
        out_points=1,
    )


def _scheduled(month: Month, carries: float, launch_s: float, least: int, notes: list[str]) -> Iterator[Policy]:
    """Two minimums that follow the week, each raised early enough for its instances to be there."""
    if month.minute_of_week is None:
        notes.append("The recording does not say when it was made: its first minute is taken as Monday 00:00 UTC.")
    early = math.ceil(launch_s / 60) + 1
    peak = float(month.counts.max())
    repeats = _repeats(month)
    if not repeats:
        notes.append("The traffic does not repeat from week to week: a schedule that fits one week misses the next.")
    for quantile, target in product((0.5, 0.9, 1.0), TARGETS[2:]):
        hourly = _by_hour_of_week(month, quantile)
        is_busy = (hourly > (hourly.max() + hourly.min()) / 2) & repeats
        quiet = float(hourly[~is_busy].max(initial=0.0)) if repeats else 0.0
        busy = float(hourly[is_busy].max(initial=quiet))
        base = _tracking(target * carries, least, peak)
        lows = [max(least, _needed(rate, target * carries)) for rate in (quiet, busy)]
        actions = tuple(
            Action(
                minute_of_week=(int(hour) * _HOUR - early * bool(is_busy[hour])) % MINUTES_PER_WEEK,
                minimum=lows[int(is_busy[hour])],
                maximum=base.maximum,
            )
            for hour in np.flatnonzero(is_busy != np.roll(is_busy, 1))
        )
        yield (
            Scheduled(base=base, actions=actions)
            if 0 < len(actions) <= MOST_ACTIONS
            else replace(base, minimum=min(lows[0], base.maximum))
        )


def _repeats(month: Month) -> bool:
    """Whether the hours of the week are as busy in the first half of the month as in the second."""
    half = month.minutes // 2
    if half < MINUTES_PER_WEEK:
        return True
    first = _by_hour_of_week(_last(month, month.minutes - half), 0.5)
    second = _by_hour_of_week(replace(month, counts=month.counts[:half], rps=month.rps[:half]), 0.5)
    if first.std() == 0 or second.std() == 0:
        return False
    return float(np.corrcoef(first, second)[0, 1]) > REPEATS


def _by_hour_of_week(month: Month, quantile: float) -> Array:
    """Requests per minute that this share of the minutes of an hour of the week stay within, (168,).

    A recording of less than a week gives every day the hours of its own days; an hour that it has not is as its mean.
    """
    period = MINUTES_PER_WEEK if month.minutes >= MINUTES_PER_WEEK else 24 * _HOUR
    hour = ((month.minute_of_week or 0) + np.arange(month.minutes)) % period // _HOUR
    hours = period // _HOUR
    found = np.full(hours, float(month.counts.mean()))
    order = np.argsort(hour, kind="stable")
    edges = np.searchsorted(hour[order], np.arange(hours + 1))
    for one in range(hours):
        if edges[one + 1] > edges[one]:
            found[one] = np.quantile(month.counts[order[edges[one] : edges[one + 1]]], quantile)
    return np.resize(found, MINUTES_PER_WEEK // _HOUR)


def _minimums(counts: Array, carries: float, least: int) -> list[int]:
    """Minimums worth trying: the least, and what a share of the minutes stays within."""
    needs = [_needed(float(one), carries) for one in np.quantile(counts, _NEEDS)]
    return sorted({least, *(need for need in needs if need > least)})


def _needed(rate: float, each: float) -> int:
    return max(1, math.ceil(rate / each * (1 - 1e-9)))


def _waits(counts: Array, capacity: Array) -> Array:
    """Minutes that the last request of each minute waits in one queue, first come first served, (minutes,).

    A request that the month's capacity never reaches waits for ever.
    """
    arrived = np.cumsum(counts)
    net = np.cumsum(counts - capacity)
    waiting = net - np.minimum(np.minimum.accumulate(net), 0.0)
    done = arrived - waiting
    # When the running total of what is done reaches that of what has come; a rounding error is no minute.
    at = np.searchsorted(np.maximum.accumulate(done), arrived * (1 - 1e-12) - 1e-9)
    minutes: Array = np.where(at < counts.size, np.maximum(at - np.arange(counts.size), 0.0), math.inf)
    return minutes


def _last(month: Month, minutes: int) -> Month:
    skipped = month.minutes - minutes
    start = month.minute_of_week
    return replace(
        month,
        rps=month.rps[-minutes:],
        counts=month.counts[-minutes:],
        minute_of_week=None if start is None else (start + skipped) % MINUTES_PER_WEEK,
        weight=month.weight * month.minutes / minutes,
    )
