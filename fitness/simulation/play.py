"""A configuration played request by request: the same outcome that the queueing formulas fill, from counts.

The formulas propose the configuration; this plays it.
Source: docs/simulation.md#playing.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from fitness.analytic.fleet import accepts_cold
from fitness.arrays import Array
from fitness.errors import InputError, Problem
from fitness.inputs import Inputs
from fitness.outcome import Latency, Outcome
from fitness.score import Scores, score
from fitness.simulation import endpoints, histogram, jobs, players, steps, streams
from fitness.simulation.endpoints import SYNC_TIMEOUT_S
from fitness.simulation.plans import planned
from fitness.simulation.progress import Progress, unwatched, within
from fitness.simulation.steps import Step
from fitness.simulation.streams import Spread
from fitness.simulation.tally import Tally
from fitness.study import SEED, Played, Study

REQUESTS = 100_000
FEWEST_REQUESTS = 1_000
MOST_REQUESTS = 10_000_000
MOST_FILLED = 60_000  # models that caches are filled with, in all windows together
FEWEST_FILLED = 4  # windows, of any number of models
QUEUES = ("async", "batch")  # take all records of a job at once; a client feeds the others
DRIVEN = "A client sends the records of a job as fast as they are answered, so none of them queues or is refused."


@dataclass(frozen=True, slots=True, kw_only=True)
class Band:
    """A figure with its 95 % Monte-Carlo band, from disjoint blocks of the stream."""

    low: float
    value: float
    high: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Simulation:
    """What one option did with the played stream."""

    option: str
    variant: str
    seed: int
    played_requests: int
    outcome: Outcome  # one row
    monthly_usd: float | None
    scores: Scores
    bands: Mapping[str, Band]  # p50_ms, p95_ms, p99_ms
    timed_out_ratio: float
    refused_ratio: float
    notes: tuple[str, ...]


def simulate(
    work: Study,
    option: str,
    *,
    requests: int = REQUESTS,
    seed: int = SEED,
    spread: Spread = Spread.POISSON,
    progress: Progress = unwatched,
) -> Simulation:
    """Play `requests` requests through the option's configuration; `progress` is told of every window played.

    `spread` says where the requests of a recording lie that has counts instead of times.
    Raises: InputError where nothing can be configured, the policy is none of the option's, or the number of requests
    is out of range.
    """
    if problems := out_of_range(requests):
        raise InputError(problems)
    proposed = work.configured(option)
    if proposed.outcome is None:
        failed = "; ".join(gate.reason for gate in proposed.gates if gate.passes is False)
        raise InputError([Problem(path="--option", message=f"{option} has no configuration: {failed or 'no type'}")])
    endpoints.refuse_policy(proposed.outcome, work.config)
    return played(work, proposed, requests=requests, seed=seed, spread=spread, progress=progress)


def out_of_range(requests: int) -> list[Problem]:
    """What is wrong with a number of requests to play."""
    if FEWEST_REQUESTS <= requests <= MOST_REQUESTS:
        return []
    message = f"must be from {FEWEST_REQUESTS:,} to {MOST_REQUESTS:,}, got {requests:,}"
    return [Problem(path="--requests", message=message)]


def played(
    work: Study,
    proposed: Played,
    *,
    requests: int,
    seed: int,
    inputs: Inputs | None = None,
    spread: Spread = Spread.POISSON,
    progress: Progress = unwatched,
) -> Simulation:
    """Play an option's proposed configuration, at one row of what is not known: the point, or a draw.

    `proposed` holds what the formulas say of that same row.
    """
    outcome = proposed.outcome
    assert outcome is not None  # noqa: S101 the caller has one
    reference_usd = work.point_reference_usd if inputs is None else work.reference_usd(inputs)
    inputs = work.point if inputs is None else inputs
    run = run_of(
        inputs,
        outcome,
        work.config,
        requests=requests,
        seed=seed,
        spread=spread,
        progress=progress,
    )
    filled, tally = run.outcome, run.tally
    usd = work.usd(filled)
    scores = score(filled, inputs, monthly_usd=usd, reference_usd=reference_usd)
    return Simulation(
        option=outcome.option,
        variant=outcome.variant,
        seed=seed,
        played_requests=round(tally.played),
        outcome=filled,
        monthly_usd=float(usd[0]) if np.isfinite(usd[0]) else None,
        scores=scores,
        bands=_bands(inputs, filled, tally),
        timed_out_ratio=tally.timed_out / max(tally.offered, 1e-300),
        refused_ratio=tally.refused / max(tally.offered, 1e-300),
        notes=tuple(dict.fromkeys(run.notes)),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """A configuration's outcome as it was counted."""

    outcome: Outcome  # one row
    tally: Tally
    notes: tuple[str, ...]


def run_of(
    inputs: Inputs,
    outcome: Outcome,
    config: Mapping[str, object],
    *,
    requests: int,
    seed: int,
    windows: int = streams.WINDOWS,
    most_parts: int = endpoints.MOST_ENDPOINTS,
    has_step: bool = True,
    spread: Spread = Spread.POISSON,
    progress: Progress = unwatched,
) -> Run:
    """Play the configuration of `outcome`, one row; without a step of the load it keeps what `outcome` says of it."""
    if inputs.traffic.is_scheduled and outcome.option not in QUEUES:
        progress(0, 1)
        filled, tally = jobs.driven(inputs, outcome, requests=requests, seed=seed)
        progress(1, 1)
        return Run(outcome=filled, tally=tally, notes=(DRIVEN,))
    tally, rises, notes = _tally(
        inputs,
        outcome,
        config,
        requests=requests,
        seed=seed,
        windows=windows,
        most_parts=most_parts,
        has_step=has_step,
        spread=spread,
        progress=progress,
    )
    if tally.answered <= 0:
        notes.append("No request got an answer in time: the latencies shown are the time-out.")
    filled = steps.with_steps(_fill(inputs, outcome, tally), rises)
    return Run(outcome=filled, tally=tally, notes=tuple(notes))


def _tally(
    inputs: Inputs,
    outcome: Outcome,
    config: Mapping[str, object],
    *,
    requests: int,
    seed: int,
    windows: int,
    most_parts: int,
    has_step: bool,
    spread: Spread,
    progress: Progress,
) -> tuple[Tally, list[Step], list[str]]:
    if outcome.option == "batch":
        progress(0, 1)
        job = jobs.job_of(inputs, outcome, requests=requests, seed=seed)
        progress(1, 1)
        return jobs.month_of(job, float(inputs.traffic.jobs_per_month[0] * inputs.units[0])), [], list(job.notes)
    parts = endpoints.parts(inputs, outcome, seed, most=most_parts)
    if outcome.option in endpoints.CACHED:  # every window begins with filling the caches
        windows = min(windows, max(FEWEST_FILLED, round(MOST_FILLED / float(inputs.units[0]))))
    total: Tally | None = None
    rises: list[Step] = []
    notes: list[str] = []
    for part, (whole, members) in enumerate(parts):
        scaled, own, slices = endpoints.slice_of(whole, outcome, requests=requests, seed=seed)
        if slices > 1:
            notes.append(_of_slice(scaled, outcome.option, slices))
        size = max(FEWEST_REQUESTS, requests // len(parts))
        plan = planned(scaled, requests=size, seed=seed, count=windows, lead_s=streams.LEAD_S, spread=spread)
        notes += plan.month.notes
        endpoint = endpoints.endpoint_of(scaled, own, config, seed)
        notes += endpoints.policy_notes(endpoint, own, plan.month, config)
        one = players.month_of(plan, endpoint, within(progress, part, len(parts)))
        alike = members * slices
        total = one.times(alike) if total is None else total + one.times(alike)
        if has_step and not inputs.traffic.is_scheduled:  # nobody waits for one record of a job
            misses = one.starts / max(one.offered, 1e-300) if endpoint.cache is not None else 0.0
            rise = steps.stepped(scaled, endpoint, outcome, misses=misses, seed=seed, parts=len(parts))
            if outcome.variant == "inference_components":  # a rise that meets no copy is lost as often as in the month
                rise = replace(rise, within=rise.within * (1 - one.refused / max(one.offered, 1e-300)))
            rises.append(rise.times(alike))
    assert total is not None  # noqa: S101 there is at least one endpoint
    if len(parts) > 1:
        notes.append(f"{len(parts)} of {sum(members for _, members in parts):,.0f} endpoints were played")
    return total, rises, notes


def _of_slice(scaled: Inputs, option: str, slices: float) -> str:
    models = f" and {scaled.units[0]:,.0f} models" if option in endpoints.CACHED else ""
    return f"One part of {slices:,.0f} was played, with its share of the requests and instances{models}."


def _is_counted(inputs: Inputs, option: str, tally: Tally) -> bool:
    """Whether latencies are those of the played requests; records of a job that an endpoint serves wait for its end."""
    return tally.answered > 0 and (option == "batch" or not inputs.traffic.is_scheduled)


def _fill(inputs: Inputs, outcome: Outcome, tally: Tally) -> Outcome:
    """The outcome with what was counted in place of what the formulas said."""
    row = np.ones(1)
    offered = max(tally.offered, 1e-300)
    answered = max(tally.answered, 1e-300)
    is_cache = outcome.option in ("mme", "mme_gpu")
    hours = row * tally.instance_hours if outcome.instance_types is not None else outcome.instance_hours
    latency = outcome.latency
    if tally.offered > 0 and tally.answered <= 0:
        latency = Latency(seconds=np.full((1, 1), SYNC_TIMEOUT_S), weight=np.ones((1, 1)))
    elif _is_counted(inputs, outcome.option, tally):
        overhead_s = float(outcome.serving["overhead_s"][0])
        counted = np.concatenate([tally.warm.sum(axis=0), tally.cold.sum(axis=0)])
        used = np.flatnonzero(counted)
        is_cold = (used >= histogram.BINS).astype(np.float64)
        latency = Latency(
            seconds=histogram.VALUES[used % histogram.BINS][None, :] + overhead_s,
            weight=counted[used][None, :] / answered,
            forgiven=is_cold[None, :] * accepts_cold(inputs, outcome.serving["cold_s"])[:, None],
        )
    starts = tally.starts / offered
    return replace(
        outcome,
        latency=latency,
        offered=row * tally.offered,
        dropped_ratio=row * (tally.refused + tally.timed_out) / offered,
        cold_ratio=row * starts,
        hit_ratio=row * (1 - starts) if is_cache else outcome.hit_ratio,
        instance_hours=hours,
        busy_s=row * tally.busy_s,
        paid_s=row * max(tally.paid_s, tally.busy_s),
        peak_served_ratio=np.minimum(outcome.peak_served_ratio, 1 - row * tally.refused / offered),
        metered=_metered(outcome, tally),
    )


def _metered(outcome: Outcome, tally: Tally) -> dict[str, Array]:
    """The quantities to pay for, with the hours and seconds that were counted."""
    before = float(outcome.instance_hours[0]) if outcome.instance_types is not None else np.nan
    ratio = tally.instance_hours / before if before and np.isfinite(before) and before > 0 else 1.0
    requests = tally.offered / max(float(outcome.offered[0]), 1e-300)
    found: dict[str, Array] = {}
    for item, quantity in outcome.metered.items():
        kind = item.partition("/")[0]
        plain, _, what = item.partition("#")
        if kind in ("hosting", "async", "batch_transform") or item == "storage/hosting":
            found[item] = quantity * ratio
        elif what == "cold" or (plain.startswith("serverless/duration") and outcome.variant == "provisioned"):
            found[item] = np.where(quantity > 0, tally.starting_s, 0.0)
        elif "/duration/" in plain:
            found[item] = np.where(quantity > 0, tally.busy_s, 0.0)
        elif kind == "azure_functions" and item.endswith("/duration"):
            found[item] = quantity * (tally.busy_s + tally.starting_s) / max(float(outcome.paid_s[0]), 1e-300)
        elif kind in ("data_in", "data_out", "s3", "serverless") or item.endswith("/executions"):
            found[item] = quantity * requests
        else:
            found[item] = quantity
    return found


def _bands(inputs: Inputs, filled: Outcome, tally: Tally) -> dict[str, Band]:
    """95 % bands of the percentiles, in milliseconds; a figure that no answer was counted for has none."""
    overhead_s = float(filled.serving["overhead_s"][0])
    counted = tally.warm + tally.cold if _is_counted(inputs, filled.option, tally) else None
    found = {}
    for name, probability in (("p50_ms", 0.5), ("p95_ms", 0.95), ("p99_ms", 0.99)):
        if counted is None:
            value = float(filled.latency.percentile(probability)[0]) * 1000
            found[name] = Band(low=value, value=value, high=value)
        else:
            ends = histogram.band(counted, probability, tally.windows)
            low, value, high = ((end + overhead_s) * 1000 for end in ends)
            found[name] = Band(low=low, value=value, high=high)
    return found
