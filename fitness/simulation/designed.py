"""A scaling policy for one option of a workload: what is replayed, what is recommended, and how its busiest day goes.

Of many alike endpoints the policy of the most requested one is designed.
Source: docs/simulation.md#designing-for-an-option.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np

from fitness import analytic
from fitness.analytic import settings
from fitness.arrays import Array
from fitness.errors import InputError, Problem
from fitness.inputs import Inputs
from fitness.instances import catalogue
from fitness.machines import BURSTABLE, candidates, family
from fitness.outcome import Outcome
from fitness.prices import Price
from fitness.simulation import control
from fitness.simulation.endpoints import OWN_ENDPOINT, hottest
from fitness.simulation.months import DAY, Month, month
from fitness.simulation.policies import Candidate, Design, Kind, design, late_share, launch_times, replay
from fitness.simulation.policy_lint import Finding, Level, lint, reaction_s
from fitness.simulation.proposed import hourly, instance_type_of, outcome_of
from fitness.simulation.rules import Policy, ToZero
from fitness.study import ACCELERATORS, SEED, Study
from fitness.wording import percent

_ON_REQUESTS = (Kind.TARGET_TRACKING, Kind.STEP, Kind.SCHEDULED)
KINDS = MappingProxyType(
    {
        "real_time": (*_ON_REQUESTS, Kind.TO_ZERO),
        "async": (Kind.BACKLOG,),
        "mme": _ON_REQUESTS,
        "mme_gpu": _ON_REQUESTS,
        "mce_direct": _ON_REQUESTS,
        "serial_pipeline": _ON_REQUESTS,
        "triton_ensemble": _ON_REQUESTS,
    }
)
"""The kinds of policies of each option that has an endpoint on instances."""

ZERO = "inference_components"  # the variant of a real-time endpoint that can scale to zero


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Followed:
    """How instances follow the busiest day.

    Shape: (minutes,) from midnight UTC, or from the recording's first minute where it does not say when that was.
    """

    needed: Array  # instances that the minute asks for, a fraction as well
    ready: Array  # instances in service, mean over the minute
    paid: Array  # instances billed, mean over the minute
    starts_at_midnight: bool


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Designed:
    """A design with what it was made from."""

    option: str
    variant: str
    found: Design
    instance_type: str
    endpoints: float  # alike ones, each with a policy of its own
    carries_per_minute: float  # by one instance within the objectives; in front of a queue, worked off
    launch_s: tuple[float, ...]  # equally likely
    late_share: float  # of the answers that may be late
    deadline_s: float | None  # of a queue
    price: Price | None  # of an instance hour
    usd_per_hour: float | None  # with the volume
    by_launch: tuple[Candidate, ...]  # the recommended policy at each launch time
    followed: Followed
    reaction_s: float  # how long a sudden rise waits for an instance, at the middle launch time
    findings: tuple[Finding, ...]
    notes: tuple[str, ...]
    seed: int


def design_for(work: Study, option: str, kind: Kind, *, metric: str | None = None, seed: int = SEED) -> Designed:
    """Design a policy of a kind for an option; `metric` is what it looks at, where that is not the usual one.

    Raises: InputError for a kind that the option can't have, and where nothing can be configured.
    """
    kind = Kind(kind)
    if kind not in KINDS.get(option, ()):
        allowed = ", ".join(KINDS.get(option, ())) or "none: it has no instances that a policy could count"
        raise InputError([Problem(path="kind", message=f"must be one of {allowed} for {option}, got {kind}")])
    inputs = work.point
    outcome, swapped = _scalable(work, outcome_of(work, option))
    traffic, notes = _one_endpoint(inputs, option, seed)
    variant = ZERO if kind is Kind.TO_ZERO else ""
    queues = kind is Kind.BACKLOG
    service_s, slots = (float(outcome.serving[name][0]) for name in ("service_s", "slots"))
    carries = 60 * slots / service_s if queues else float(outcome.settings["target_invocations_per_minute"][0])
    instance = instance_type_of(outcome)
    price, usd_per_hour = hourly(work, outcome)
    launch_s, share = launch_times(inputs), late_share(inputs)
    deadline_s = float(inputs.objectives.late_after_s[0]) if queues else None
    found = design(
        traffic,
        kind=kind,
        option=option,
        variant=variant,
        carries_per_minute=carries,
        launch_s=launch_s,
        late_share=share,
        least=_least(work, inputs, outcome, instance),
        usd_per_hour=usd_per_hour,
        deadline_s=deadline_s,
        service_s=service_s if queues else 0.0,
    )
    by_launch = tuple(
        replay(
            found.best.policy,
            traffic,
            carries_per_minute=carries,
            launch_s=(one,),
            usd_per_hour=usd_per_hour,
            deadline_s=deadline_s,
            service_s=service_s if queues else 0.0,
        )
        for one in launch_s
    )
    middle_s = float(np.median(np.asarray(launch_s)))
    findings = found.findings
    if metric is not None:
        findings = lint(
            option,
            found.best.policy,
            variant=variant,
            metric=metric,
            carries_per_minute=None if queues else carries,
            launch_s=middle_s,
            counts=traffic.counts,
        )
    return Designed(
        option=option,
        variant=variant,
        found=found,
        instance_type=instance,
        endpoints=max(1.0, float(outcome.settings["endpoints"][0])),
        carries_per_minute=carries,
        launch_s=launch_s,
        late_share=share,
        deadline_s=deadline_s,
        price=price,
        usd_per_hour=usd_per_hour,
        by_launch=by_launch,
        followed=_followed(found.best.policy, traffic, carries, middle_s, service_s if queues else 0.0),
        reaction_s=reaction_s(found.best.policy, middle_s),
        findings=(*_unscalable(instance), *findings),
        notes=tuple(dict.fromkeys((*swapped, *notes, *found.notes, *_refusals(inputs, found.best.policy)))),
        seed=seed,
    )


def _one_endpoint(inputs: Inputs, option: str, seed: int) -> tuple[Month, tuple[str, ...]]:
    """The month of the busiest endpoint, where the option has one for each model."""
    if option not in OWN_ENDPOINT or float(inputs.units[0]) <= 1:
        return month(inputs, seed=seed), ()
    one, share = hottest(inputs, seed)
    note = f"The policy is that of the most requested endpoint, which has {percent(share, 2)} of the traffic."
    return month(one, seed=seed), (note,)


def _least(work: Study, inputs: Inputs, outcome: Outcome, instance_type: str) -> int:
    """The fewest instances worth trying: what holds the models that are to stay in memory; none before a queue.

    Where the workload accepts no cold start, one of a queue stays.
    """
    if outcome.option == "async":
        return 1 if inputs.objectives.cold_start_ok is False else 0
    resident = outcome.settings.get("models_in_memory")
    if resident is None:
        return 1
    machines = candidates(
        inputs,
        work.book,
        accelerator=ACCELERATORS[outcome.option],
        single_gpu=outcome.option == "mme_gpu",
        instance_type=instance_type,
    )
    models = np.floor(machines.memory_mb[0] / inputs.models.memory_mb[0] + 1e-9)
    holds = max(1.0, float(models)) / float(inputs.steps[0])
    return max(1, int(np.ceil(float(resident[0]) / holds - 1e-9)))


def _followed(policy: Policy, traffic: Month, carries: float, launch_s: float, service_s: float) -> Followed:
    """The busiest day of the month under a policy."""
    capacity = control.run(
        policy,
        traffic.counts,
        launch_s,
        minute_of_week=traffic.minute_of_week or 0,
        carries_per_minute=carries,
        service_s=service_s,
    )
    first = busiest_day(traffic)
    part = slice(first, first + DAY)
    return Followed(
        needed=traffic.counts[part] / carries,
        ready=capacity.serving[part],
        paid=capacity.paid[part],
        starts_at_midnight=traffic.minute_of_week is not None and traffic.minutes >= DAY,
    )


def busiest_day(traffic: Month) -> int:
    """The first minute of the whole day with the most requests; 0 where no whole day was recorded."""
    offset = -(traffic.minute_of_week or 0) % DAY
    starts = np.arange(offset, traffic.minutes - DAY + 1, DAY)
    if not starts.size:
        return 0
    running = np.concatenate([[0.0], np.cumsum(traffic.counts)])
    return int(starts[np.argmax(running[starts + DAY] - running[starts])])


def _scalable(work: Study, outcome: Outcome) -> tuple[Outcome, tuple[str, ...]]:
    """What the option would do on types that can be registered for scaling, unless a type is fixed."""
    proposed = instance_type_of(outcome)
    if not _is_burstable(proposed) or settings.text(work.config, "instance_type") is not None:
        return outcome, ()
    types = [name for name in catalogue() if not _is_burstable(name)]
    found = analytic.evaluate(outcome.option, outcome.variant, work.point, work.book, config=work.config, types=types)
    if found is None:
        return outcome, ()
    taken = instance_type_of(found)
    note = f"{proposed} costs less, but burstable types can't be registered for scaling: {taken} is taken."
    return found, (note,)


def _is_burstable(instance_type: str) -> bool:
    known = catalogue().get(instance_type)
    return known is not None and family(known) in BURSTABLE


def _unscalable(instance_type: str) -> Sequence[Finding]:
    """Application Auto Scaling takes no variant on burstable instances."""
    if not _is_burstable(instance_type):
        return ()
    return (
        Finding(
            level=Level.REFUSE,
            code="burstable-type",
            message=f"burstable types such as {instance_type} can't be registered for scaling: choose another type",
            source="Amazon SageMaker developer guide, endpoint-auto-scaling-add-policy",
            as_of="2026",
        ),
    )


def _refusals(inputs: Inputs, policy: Policy) -> Sequence[str]:
    """What the workload says against the policy."""
    if isinstance(policy, ToZero) and inputs.objectives.cold_start_ok is False:
        return ("The workload accepts no cold start, and this policy goes to zero.",)
    return ()
