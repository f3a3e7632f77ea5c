"""One day of an option's configuration, request by request, as the series that a chart draws.

The control loop walks every minute of the day. Requests are played where they fit: the whole day, else the part
around the surge or the busiest minute. Of many alike endpoints the most requested one is played.
Source: docs/simulation.md#playing.
"""

from dataclasses import dataclass, replace

import numpy as np

from fitness.arrays import Array
from fitness.errors import InputError, Problem
from fitness.inputs import Inputs
from fitness.outcome import Outcome
from fitness.simulation import endpoints, histogram, jobs, players, streams
from fitness.simulation.arrays import Float32, UInt8
from fitness.simulation.counts import COLD, REFUSED, TIMED_OUT
from fitness.simulation.endpoints import OWN_ENDPOINT, Endpoint
from fitness.simulation.players import Fleet
from fitness.simulation.spending import Use, spent_usd
from fitness.simulation.streams import Day, Stream, Surge
from fitness.study import SEED, Study
from fitness.wording import percent

REQUESTS = 3_000_000  # about a second of playing
SURGE_S = 900.0
MINUTE_S = 60.0
WIDE_S, NARROW_S = 300.0, 60.0  # an interval of the percentiles: of a usual day, and of a surge or a part of a day
WHOLE_FROM_S = 4 * 3600.0
PERCENTILES = (0.5, 0.95, 0.99)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Course:
    """What one endpoint, or one batch job, did in a day.

    Shape: by the minute of the whole day (minutes,); what comes from played requests is by interval of the part that
    was played, (intervals,). Times count from the start of the day, those of a job from its start.
    """

    option: str
    variant: str
    seed: int
    is_job: bool
    requests: int  # played
    offered: float  # of the whole day
    start_s: float  # of the part that was played
    end_s: float
    arrivals: Array  # requests of a minute; records done, for a job
    ready: Array | None  # instances in service, mean over the minute; None: the option has none
    paid: Array | None  # instances billed, mean over the minute
    usd: Array  # US dollars until the end of the minute; NaN where a price is unknown
    interval_s: float
    at_s: Array  # start of each interval
    latency_ms: Array  # (3, intervals): 50, 95 and 99 of 100 answers; NaN where there was none
    inside: Array  # requests waiting or at work, mean over the interval
    cold: Array  # requests that met a cold start, or a model that was not in memory
    refused: Array
    timed_out: Array
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Run:
    """A stream that was played: what became of each request, and the instances of the day."""

    latency_s: Float32
    fate: UInt8
    ready: Array | None = None
    paid: Array | None = None


def play_day(
    work: Study,
    option: str,
    *,
    surge_factor: float = 1.0,
    surge_hour: float = 0.0,
    requests: int = REQUESTS,
    seed: int = SEED,
) -> Course:
    """Play the busiest day of the month; with a factor above 1 traffic rises to it for 15 minutes from an hour on.

    Raises: InputError where nothing can be configured.
    """
    proposed = work.configured(option)
    outcome = proposed.outcome
    if outcome is None:
        failed = "; ".join(gate.reason for gate in proposed.gates if gate.passes is False)
        raise InputError([Problem(path="option", message=f"{option} has no configuration: {failed or 'no type'}")])
    endpoints.refuse_policy(outcome, work.config)
    if option == "batch":
        return _job(work, outcome, requests, seed)
    inputs, notes = _hottest(work.point, option, seed)
    start_s = surge_hour * 3600
    surge = Surge(start_s=start_s, end_s=start_s + SURGE_S, factor=surge_factor) if surge_factor > 1 else None
    found = streams.day(inputs, requests=requests, seed=seed, surge=surge)
    endpoint = endpoints.endpoint_of(inputs, outcome, work.config, seed)
    run = _played(endpoint, found)
    notes += (*found.month.notes, *found.stream.notes)
    is_whole = found.stream.end_s - found.stream.start_s >= WHOLE_FROM_S
    width_s = WIDE_S if is_whole and surge is None else NARROW_S
    return _course(work, outcome, endpoint, found, run, width_s=width_s, seed=seed, notes=notes)


def _hottest(inputs: Inputs, option: str, seed: int) -> tuple[Inputs, tuple[str, ...]]:
    """The workload of the most requested endpoint, where the option has one for each model."""
    units = float(inputs.units[0])
    if option not in OWN_ENDPOINT or units <= 1:
        return inputs, ()
    alone, share = endpoints.hottest(inputs, seed)
    note = f"The most requested of {units:,.0f} endpoints is played: it has {percent(share, 2)} of the traffic."
    return alone, (note,)


def _played(endpoint: Endpoint, found: Day) -> _Run:
    """The day's requests through the endpoint; the evening before has filled its memory and started its sandboxes."""
    fleet = players.fleet_of(found.month, endpoint)
    stream, later_s = _behind_its_end(found.stream, 0.0 if endpoint.pool is None else endpoint.pool.idle_s)
    if fleet is None:
        answers = players.answers(stream, endpoint, None)
        return _Run(latency_s=answers.latency_s[stream.lead :], fate=answers.fate[stream.lead :])
    by_minute = np.full(found.month.minutes, -1, np.int64)
    later = Fleet(capacity=fleet.capacity.later(later_s), wait_s=fleet.wait_s)
    answers = players.answers(stream, endpoint, later, by_minute=by_minute)
    # Where requests were played the kernel's own instances are shown: their queue is exact, not by the minute.
    ready = fleet.capacity.serving.copy()
    first = int(np.ceil(found.stream.start_s / MINUTE_S))
    last = max(first, int(found.stream.end_s // MINUTE_S))  # a part within a minute has no whole one
    own = by_minute[: last - first]
    ready[first:last] = np.where(own >= 0, own, ready[first:last])
    return _Run(
        latency_s=answers.latency_s[stream.lead :],
        fate=answers.fate[stream.lead :],
        ready=ready,
        paid=np.maximum(fleet.capacity.paid, ready) * endpoint.hops,
    )


def _behind_its_end(stream: Stream, lead_s: float) -> tuple[Stream, float]:
    """The stream after the last of its own requests, as if the time before had been alike, and its clock's offset."""
    lead_s = min(lead_s, stream.end_s - stream.start_s)
    first = int(np.searchsorted(stream.arrivals, stream.end_s - lead_s))
    later_s = max(0.0, lead_s - stream.start_s)
    before = stream.arrivals[first:] - (stream.end_s - stream.start_s) + later_s
    return replace(
        stream,
        arrivals=np.concatenate([np.maximum(before, 0.0), stream.arrivals + later_s]),
        multiplier=np.concatenate([stream.multiplier[first:], stream.multiplier]),
        models=None if stream.models is None else np.concatenate([stream.models[first:], stream.models]),
        uniform=np.concatenate([stream.uniform[first:], stream.uniform]),
        start_s=stream.start_s + later_s,
        end_s=stream.end_s + later_s,
        lead=stream.arrivals.size - first,
    ), later_s


def _course(
    work: Study,
    outcome: Outcome,
    endpoint: Endpoint,
    found: Day,
    run: _Run,
    *,
    width_s: float,
    seed: int,
    notes: tuple[str, ...],
) -> Course:
    """The series of a day from what became of its requests."""
    stream, counts = found.stream, found.month.counts
    first_s = stream.start_s // width_s * width_s
    at_s = np.arange(first_s, max(stream.end_s - 1e-6, first_s + 1e-6), width_s)
    interval = np.minimum(((stream.arrivals - first_s) / width_s).astype(np.int64), at_s.size - 1)
    answered: Float32 = np.where(run.fate <= COLD, run.latency_s, np.float32(np.nan)).astype(np.float32)
    hists = histogram.by_interval(stream.arrivals, answered, start_s=first_s, width_s=width_s, intervals=at_s.size)
    latency_s = np.array([[histogram.percentile(hist, share) for hist in hists] for share in PERCENTILES])
    taken = run.fate != REFUSED
    work_s = np.where(taken, endpoint.service_s * stream.multiplier, 0.0)
    minute = np.minimum((stream.arrivals / MINUTE_S).astype(np.int64), counts.size - 1)
    busy_s = counts * (float(work_s.mean()) if work_s.size else endpoint.service_s)
    played = np.unique(minute)
    busy_s[played] = np.bincount(minute, weights=work_s, minlength=counts.size)[played]
    cold = minute[run.fate == COLD]
    starting_s = np.bincount(cold, minlength=counts.size).astype(np.float64) * endpoint.cold_s

    def counted(fate: int) -> Array:
        return np.bincount(interval[run.fate == fate], minlength=at_s.size).astype(np.float64)

    return Course(
        option=outcome.option,
        variant=outcome.variant,
        seed=seed,
        is_job=False,
        requests=stream.offered,
        offered=float(counts.sum()),
        start_s=stream.start_s,
        end_s=stream.end_s,
        arrivals=counts,
        ready=run.ready,
        paid=run.paid,
        usd=spent_usd(work, outcome, Use(requests=counts, busy_s=busy_s, starting_s=starting_s, instances=run.paid)),
        interval_s=width_s,
        at_s=at_s,
        latency_ms=(latency_s + float(outcome.serving["overhead_s"][0])) * 1000,
        inside=np.bincount(interval, weights=np.nan_to_num(run.latency_s), minlength=at_s.size) / width_s,
        cold=counted(COLD),
        refused=counted(REFUSED),
        timed_out=counted(TIMED_OUT),
        notes=tuple(dict.fromkeys(notes)),
    )


def _job(work: Study, outcome: Outcome, requests: int, seed: int) -> Course:
    """One batch transform job, minute by minute; an instance works its records off evenly."""
    job = jobs.job_of(work.point, outcome, requests=requests, seed=seed)
    finish_s, start_s, end_s = np.array(job.done.finish_s), job.start_s, job.end_s
    edges_s = np.arange(int(np.ceil(end_s / MINUTE_S)) + 1) * MINUTE_S
    worked_s = np.maximum(finish_s - start_s, 1e-9)
    shares = np.clip((edges_s[:, None] - start_s) / worked_s, 0.0, 1.0)  # of its records, by instance
    per_minute = np.diff(shares @ (worked_s / worked_s.sum())) * job.records
    paid = np.diff(np.minimum(edges_s, end_s)) / MINUTE_S * job.instances
    notes = [
        f"Every record of the job has its answer when the job ends, after {end_s / MINUTE_S:,.1f} minutes.",
        f"Each of {job.instances} instances is taken to work its own records off evenly.",
        *(f"{note}." for note in job.notes),
    ]
    nothing = np.zeros(0)
    idle = np.zeros(paid.size)
    return Course(
        option=outcome.option,
        variant=outcome.variant,
        seed=seed,
        is_job=True,
        requests=job.played,
        offered=job.records,
        start_s=0.0,
        end_s=end_s,
        arrivals=per_minute,
        ready=np.diff(shares, axis=0) @ worked_s / MINUTE_S,
        paid=paid,
        usd=spent_usd(work, outcome, Use(requests=per_minute, busy_s=idle, starting_s=idle, instances=paid)),
        interval_s=NARROW_S,
        at_s=nothing,
        latency_ms=np.zeros((len(PERCENTILES), 0)),
        inside=nothing,
        cold=nothing,
        refused=nothing,
        timed_out=nothing,
        notes=tuple(notes),
    )
