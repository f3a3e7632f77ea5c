"""A step of the load: the usual load of an hour rises for 15 minutes, as far as this workload's does, and falls back.

Two shares come of it: requests within the objective while it is up, and busy over paid time after it.
Source: docs/simulation.md#a-step-of-the-load.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np

from fitness.analytic.fleet import accepts_cold
from fitness.analytic.served import load_of
from fitness.arrays import Flags
from fitness.inputs import HOURS_PER_MONTH, Inputs
from fitness.outcome import Outcome
from fitness.simulation import control, endpoints, players, randomness
from fitness.simulation.counts import COLD
from fitness.simulation.endpoints import Endpoint
from fitness.simulation.fluid import standing
from fitness.simulation.months import BUSIEST_MINUTE, Month
from fitness.simulation.plans import Asked, asked
from fitness.simulation.players import Fleet
from fitness.simulation.recorded import Spread
from fitness.simulation.streams import Plan, Stream
from fitness.simulation.timeline import Timeline

BEFORE, UP, AFTER = 15, 15, 30  # minutes
RISE_S, FALL_S = BEFORE * 60.0, (BEFORE + UP) * 60.0
REQUESTS = 5_000  # played while the load is up; of more, pieces are played
FEWEST_RATIO = 0.04  # of these: fewer come again, at other times
MOST_STARTING = 50_000  # requests while sandboxes start; of more, nothing is played
MOST_TIMES = 6
LEAD_SHARE = 0.25  # of a piece
KEPT = 128  # plans of a rise, of up to 150 kB
_KEY = 1_000  # of the random numbers: those of the month's windows are smaller


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """What endpoints do in a step of the load."""

    requests: float  # a second, while it is up
    within: float  # of these, within the objective
    busy_s: float  # of serving slots, in the minutes after it
    paid_s: float

    def times(self, members: float) -> "Step":
        """The same of alike endpoints."""
        return Step(
            requests=self.requests * members,
            within=self.within * members,
            busy_s=self.busy_s * members,
            paid_s=self.paid_s * members,
        )


def with_steps(outcome: Outcome, steps: Sequence[Step]) -> Outcome:
    """The outcome with what the endpoints did; sandboxes keep what is proposed for the time after it."""
    requests = sum(step.requests for step in steps)
    paid_s = sum(step.paid_s for step in steps)
    within = sum(step.within for step in steps) / requests if requests else float(outcome.step_within_ratio[0])
    busy = sum(step.busy_s for step in steps) / paid_s if paid_s else float(outcome.step_busy_ratio[0])
    return replace(outcome, step_within_ratio=np.array([within]), step_busy_ratio=np.array([busy]))


def stepped(
    inputs: Inputs,
    endpoint: Endpoint,
    outcome: Outcome,
    *,
    misses: float,
    seed: int,
    requests: int = REQUESTS,
    parts: int = 1,
) -> Step:
    """Play a step of the load of one endpoint of `parts` that are played; without requests where it has hardly any.

    A multi-model endpoint does not load models here: a share `misses` of its requests takes so much longer.
    """
    load = load_of(inputs)
    usual, factor = float(load.active_rps[0]), float(load.step[0])
    offered = usual * factor * UP * 60
    requests = requests // parts
    times = min(MOST_TIMES // parts or 1, math.ceil(FEWEST_RATIO * requests / max(offered, 1e-9)))
    row = asked(inputs)
    work_s = endpoint.service_s + misses * endpoint.cold_s
    endpoint, alone_s = replace(endpoint, service_s=work_s), endpoint.service_s
    starting_s = None if endpoint.pool is None else 2 * (endpoint.cold_s + endpoint.service_s)
    shares, paid_s = [], 0.0
    for time in range(times):
        plan = _risen(row, usual, factor, seed, time, requests, starting_s=starting_s)
        fleet = players.fleet_of(plan.month, endpoint, start=_running(endpoint, usual))
        judge = _Judge(
            endpoint=endpoint,
            limit_s=float(inputs.objectives.late_after_s[0] - outcome.serving["overhead_s"][0]),
            excused=bool(accepts_cold(inputs, outcome.serving["cold_s"])[0]),
            misses=misses,
            alone_s=alone_s,
        )
        shares += judge.sandboxes(plan) if fleet is None else judge.instances(plan, fleet)
        if fleet is not None:
            paid_s += float(fleet.capacity.paid[BEFORE + UP :].sum()) * 60 * endpoint.slots * endpoint.hops / times
    if not shares:
        return Step(requests=0.0, within=0.0, busy_s=0.0, paid_s=0.0)
    return Step(
        requests=usual * factor,
        within=usual * factor * sum(shares) / len(shares),
        busy_s=min(usual * AFTER * 60 * work_s, paid_s),
        paid_s=paid_s,
    )


def _running(endpoint: Endpoint, rps: float) -> int:
    """The instances that a usual load keeps."""
    policy = endpoint.policy.base if isinstance(endpoint.policy, control.Scheduled) else endpoint.policy
    if isinstance(policy, control.Fixed):
        return policy.instances
    if control.is_on_backlog(policy):
        of_one = endpoint.carries_per_minute
    elif isinstance(policy, control.StepScaling):
        of_one = policy.out_above
    else:
        assert isinstance(policy, control.TargetTracking | control.ToZero)  # noqa: S101 the others are done
        of_one = policy.target_per_minute
    return math.ceil(min(rps * 60 / of_one, control.MOST_INSTANCES))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Judge:
    """Plays the pieces of a rise through one endpoint and says which answers are in time."""

    endpoint: Endpoint
    limit_s: float
    excused: bool  # an answer that waited for a start or a load is not late
    misses: float
    alone_s: float  # mean time of a request whose model is in memory

    def sandboxes(self, plan: Plan) -> list[float]:
        """The share in time; the rest of the rise is like the second half of a part of it."""
        found = []
        for stream in plan.windows:
            good = self._in_time(stream, None)
            settled = good[good.size // 2 :]
            played = (stream.end_s - stream.start_s) / (FALL_S - RISE_S)
            if settled.size:
                found.append(played * float(good.mean()) + (1 - played) * float(settled.mean()))
        return found

    def instances(self, plan: Plan, fleet: Fleet) -> list[float]:
        """The share in time in each piece that has a request."""
        if len(plan.windows) == 1 or self.endpoint.is_queue or not fleet.wait_s[BEFORE : BEFORE + UP].any():
            pieces = [self._in_time(stream, fleet) for stream in plan.windows]
            return [float(good.mean()) for good in pieces if good.size]
        waits = standing(
            plan.month.counts,
            fleet.capacity,
            carries_per_minute=self.endpoint.carries_per_minute,
            first=BEFORE,
            last=BEFORE + UP,
            levels=self.endpoint.pooled,
        )
        found = []
        for stream, wait_s in zip(plan.windows, waits, strict=True):
            before = wait_s.min(keepdims=True) if self.endpoint.pooled and wait_s.size else wait_s
            lengths, many = np.unique(np.round(before, 3), return_counts=True)
            shares = [self._in_time(stream, _behind(fleet, float(length))) for length in lengths]
            if stream.offered:
                found.append(float(np.dot([good.mean() for good in shares], many)) / max(int(many.sum()), 1))
        return found

    def _in_time(self, stream: Stream, fleet: Fleet | None) -> Flags:
        """Whether each request after the lead was answered within the objective."""
        is_miss: Flags = np.zeros(stream.arrivals.size, dtype=bool)
        if self.misses > 0:
            is_miss = randomness.choices(is_miss.size, 0, _KEY + int(stream.start_s)) < self.misses
            work_s = stream.multiplier * self.alone_s + is_miss * self.endpoint.cold_s
            stream = replace(stream, multiplier=(work_s / self.endpoint.service_s).astype(np.float32))
        answers = (
            players.answers(stream, self.endpoint, None)
            if fleet is None
            else players.followed(stream, self.endpoint, fleet)
        )
        is_cold = (answers.fate == COLD) | is_miss
        with np.errstate(invalid="ignore"):  # a latency that there is not
            in_time = answers.latency_s <= self.limit_s
        good: Flags = (answers.fate <= COLD) & (in_time | (is_cold & self.excused))
        return good[stream.lead :]


def _behind(fleet: Fleet, wait_s: float) -> Fleet:
    """The same instances, all of them behind a queue of this length."""
    return Fleet(capacity=fleet.capacity, wait_s=np.full(fleet.wait_s.size, wait_s))


@lru_cache(maxsize=KEPT)
def _risen(
    row: Asked, usual: float, factor: float, seed: int, time: int, requests: int, *, starting_s: float | None
) -> Plan:
    """An hour with the step in it, and the requests that are played while the load is up.

    All of them, if they are at most `requests`; else a piece in the middle of each minute or, where sandboxes start,
    the first ones, for `starting_s` at least.
    """
    inputs = replace(
        row.inputs, models=endpoints.one_model(row.inputs), traffic=replace(row.inputs.traffic, trace=None)
    )
    rps = usual * np.repeat([1.0, factor, 1.0], [BEFORE, UP, AFTER])
    rng = randomness.generator(seed, f"step {time}")
    counts = rng.poisson(np.minimum(rps * 60, 1e18)).astype(np.float64)
    hour = Month(
        rps=rps,
        counts=counts,
        minute_of_week=BUSIEST_MINUTE - BEFORE,
        weight=HOURS_PER_MONTH * 60 / rps.size,
        notes=(),
    )
    timeline = Timeline.of(inputs, hour, seed, 0, Spread.POISSON)
    offered = usual * factor * UP * 60
    key = _KEY + (UP + 1) * time
    if offered <= requests:
        lead_s = LEAD_SHARE * requests / max(usual, 1e-12)
        return Plan(month=hour, windows=(timeline.stream(RISE_S, FALL_S, key=key, before_s=max(0.0, RISE_S - lead_s)),))
    if starting_s is not None:
        lead_s = min(RISE_S, max(starting_s, LEAD_SHARE * requests / usual))
        end_s = min(FALL_S, RISE_S + max(starting_s, (1 - LEAD_SHARE) * requests / (usual * factor)))
        if usual * (lead_s + factor * (end_s - RISE_S)) > MOST_STARTING:
            return Plan(month=hour, windows=())
        return Plan(month=hour, windows=(timeline.stream(RISE_S, end_s, key=key, before_s=RISE_S - lead_s),))
    lasts_s = requests / UP / (usual * factor)
    middles = RISE_S + 60 * (np.arange(UP) + 0.5)
    return Plan(
        month=hour,
        windows=tuple(
            timeline.stream(
                float(middle) - lasts_s * (0.5 - LEAD_SHARE),
                float(middle) + lasts_s / 2,
                key=key + 1 + minute,
                before_s=float(middle) - lasts_s / 2,
            )
            for minute, middle in enumerate(middles)
        ),
    )
