"""One endpoint as it is configured: what it serves with, how it scales, and which of many alike ones are played.

Source: docs/simulation.md#playing.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np

from fitness.analytic import settings
from fitness.analytic.queued import FULL
from fitness.arrays import Array
from fitness.errors import InputError, Problem
from fitness.inputs import Inputs, Models
from fitness.instances import catalogue
from fitness.machines import RESERVED_GIB
from fitness.outcome import Outcome
from fitness.simulation import caches, control, policy_config, policy_lint, requested
from fitness.simulation.months import Month
from fitness.trace import Trace, of_model, thinned

MOST_ENDPOINTS = 8  # endpoints of many alike ones that are really played, from the hottest to the coldest
OWN_ENDPOINT = frozenset({"real_time", "serverless", "azure_functions", "async"})  # one for each model
ON_DEMAND = frozenset({"serverless", "azure_functions"})
SYNC_TIMEOUT_S = 60.0  # InvokeEndpoint: waiting plus service
STREAM_TIMEOUT_S = 480.0
ASYNC_TIMEOUT_S = 21_600.0 + 3600.0  # RequestTTLSeconds in the queue, InvocationTimeoutSeconds at work
FUNCTION_TIMEOUT_S = 230.0  # the HTTP trigger of Azure Functions
LOAD_SHARE = 0.2  # of the time per GB: 1 to 2 s are loading, 4 to 8 s are downloading
CACHED = frozenset({"mme", "mme_gpu"})
MOST_PLACES = 4_000_000  # models times instances of a multi-model endpoint that is played whole
PLACES = 25  # of these for each request that is played: with few requests, more would never be asked for
MOST_PLAYED = 500  # instances of an endpoint that is played whole
MOST_SERVERS = 1_000_000  # slots of all its instances
LEAST_MODELS = 100  # of a slice
SLICES = "slices"  # among what an endpoint serves with: how many like it stand for the whole one
MOST_THINNED = 32  # recordings of single models that are kept


@dataclass(frozen=True, slots=True, kw_only=True)
class Cache:
    """What a multi-model endpoint's instances hold, in MB, and what a miss costs: of a model of the mean size."""

    models: int
    memory_mb: float  # of one loaded model
    disk_mb: float
    instance_memory_mb: float
    instance_disk_mb: float
    load_s: float
    load_base_s: float  # of these, whatever the size
    download_s: float
    size: Array  # (models,) of each model, of the mean
    share: Array  # (models,) of the requests, falling
    copies: Array  # (models,) instances that hold a model at once: hot ones have more
    seed: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Pool:
    """The sandboxes of a serverless endpoint or a function."""

    idle_s: float  # an idle one goes after it
    limit: int
    provisioned: int
    queues_when_full: bool  # else a request is refused


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Batching:
    """How a server gathers requests."""

    service_s: Array  # of a batch by its size, (largest + 1,); the first is not used
    delay_s: float  # that the oldest request waits for others


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """One endpoint and the configuration that it runs with."""

    service_s: float
    slots: int
    policy: control.Policy
    launch_s: float
    cold_s: float
    timeout_s: float  # waiting plus service; what is over it counts as dropped and is still charged
    hops: int = 1  # queues one after the other, each with its share of the service
    pooled: bool = False  # least outstanding requests instead of random routing
    is_queue: bool = False  # asynchronous: one queue in front of all instances
    cache: Cache | None = None
    pool: Pool | None = None  # no instances
    batching: Batching | None = None

    @property
    def carries_per_minute(self) -> float:
        """Requests that one instance works off in a minute without a pause."""
        if self.batching is not None:
            sizes = np.arange(1, self.batching.service_s.size)
            return 60 * self.slots * float(np.max(sizes / self.batching.service_s[1:]))
        return 60 * self.slots / (self.service_s / self.hops)


def endpoint_of(inputs: Inputs, outcome: Outcome, config: Mapping[str, object], seed: int) -> Endpoint:
    """The proposed configuration of one endpoint."""
    option = outcome.option
    serving = {name: float(values[0]) for name, values in outcome.serving.items()}
    timeout_s = {"async": ASYNC_TIMEOUT_S, "azure_functions": FUNCTION_TIMEOUT_S}.get(
        option, STREAM_TIMEOUT_S if inputs.request.streaming else SYNC_TIMEOUT_S
    )
    return Endpoint(
        service_s=serving["service_s"],
        slots=max(1, round(serving["slots"])),
        policy=_policy(inputs, outcome, config),
        launch_s=float(inputs.launch_s[0]),
        cold_s=serving["cold_s"],
        timeout_s=max(0.1, timeout_s - serving["overhead_s"]),
        hops=max(1, round(serving.get("hops", 1.0))),
        pooled=settings.text(config, "routing") == "LEAST_OUTSTANDING_REQUESTS",
        is_queue=option == "async",
        cache=_cache(inputs, outcome, seed) if option in CACHED else None,
        pool=_pool(inputs, outcome) if option in ON_DEMAND else None,
        batching=_batching(inputs, outcome),
    )


def refuse_policy(outcome: Outcome, config: Mapping[str, object]) -> None:
    """Refuse a stated policy that the option can't have.

    Raises: InputError naming what is wrong with it.
    """
    found = policy_config.stated(config)
    if found is None:
        return
    base: control.Policy = control.TargetTracking(target_per_minute=1, minimum=1, maximum=1)
    if outcome.option == "async":
        base = control.Backlog(target_per_instance=1, minimum=0, maximum=1)
    elif outcome.variant == "inference_components":
        base = control.ToZero(target_per_minute=1, maximum=1)
    findings = policy_lint.lint(outcome.option, found.step or base, variant=outcome.variant, metric=found.metric)
    path = f"{policy_config.PATH}.step.metric" if found.step else policy_config.PATH
    problems = [Problem(path=path, message=one.message) for one in findings if one.level is policy_lint.Level.REFUSE]
    least = policy_config.fewest(found.step or base)
    if any(action.minimum < least for action in found.actions):
        message = f"must keep at least {least}: a minimum of 0 takes a queue or inference components"
        problems.append(Problem(path=f"{policy_config.PATH}.schedule", message=message))
    if problems:
        raise InputError(problems)


def policy_notes(endpoint: Endpoint, outcome: Outcome, month: Month, config: Mapping[str, object]) -> list[str]:
    """What a stated policy does otherwise than one might expect, one sentence each."""
    found = policy_config.stated(config)
    if found is None:
        return []
    findings = policy_lint.lint(
        outcome.option, endpoint.policy, variant=outcome.variant, launch_s=endpoint.launch_s, counts=month.counts
    )
    notes = [one.message for one in findings]
    if found.step is not None and found.metric not in _metrics(outcome):
        notes.append(f"{outcome.option} does not publish {found.metric}: it is played with its usual policy.")
    if found.actions and month.minute_of_week is None:
        notes.append("The recording does not say when it began: its schedule begins on Monday at 00:00.")
    return notes


def _policy(inputs: Inputs, outcome: Outcome, config: Mapping[str, object]) -> control.Policy:
    """The scaling policy of one endpoint."""
    return policy_config.policy_of(
        _usual_policy(inputs, outcome),
        config,
        endpoints=float(outcome.settings["endpoints"][0] * outcome.serving.get(SLICES, np.ones(1))[0]),
        metrics=_metrics(outcome),
    )


def _metrics(outcome: Outcome) -> list[str]:
    return [one.name for one in policy_lint.published(outcome.option, outcome.variant)]


def _usual_policy(inputs: Inputs, outcome: Outcome) -> control.Policy:
    """Target tracking on the usual metric, within the proposed bounds."""
    if outcome.option in ON_DEMAND:  # sandboxes come and go by themselves
        return control.Fixed(instances=1)
    minimum, maximum = _instances(inputs, outcome)
    if outcome.option == "async":
        backlog = float(outcome.settings["target_backlog_per_instance"][0])
        return control.Backlog(target_per_instance=backlog, minimum=minimum, maximum=maximum)
    target = float(outcome.settings["target_invocations_per_minute"][0])
    if outcome.variant == "inference_components":
        return control.ToZero(target_per_minute=target, maximum=maximum)
    if minimum == maximum:
        return control.Fixed(instances=minimum)
    return control.TargetTracking(target_per_minute=target, minimum=minimum, maximum=maximum)


def _instances(inputs: Inputs, outcome: Outcome) -> tuple[int, int]:
    """The fewest and the most instances of one endpoint, or of the slice of it that `inputs` are the load of."""
    numbers = {name: float(values[0]) for name, values in {**outcome.settings, **outcome.serving}.items()}
    fewest, most, alike = numbers["min_instances"], numbers["max_instances"], numbers["endpoints"]
    one = most / numbers.get(SLICES, 1.0)
    if alike > 1:  # each endpoint has its own share of the load
        one = np.ceil(float(inputs.traffic.rps_peak[0]) / _carries_rps(outcome)) * numbers["granted"]
    alike *= numbers.get(SLICES, 1.0)
    maximum = max(round(one), 1)
    minimum = maximum if fewest == most else max(round(fewest / alike), min(1, round(fewest)))
    return min(minimum, maximum), maximum


def _carries_rps(outcome: Outcome) -> float:
    """Requests a second that an instance is to have in the busiest minute."""
    target = outcome.settings.get("target_invocations_per_minute")
    if target is not None:
        return float(target[0]) / 60
    return FULL * float(outcome.serving["slots"][0] / outcome.serving["service_s"][0])


def _pool(inputs: Inputs, outcome: Outcome) -> Pool:
    """The sandboxes of the proposed configuration."""
    return Pool(
        idle_s=float(inputs.prior("serverless_idle_timeout_s")[0]),
        limit=round(float(outcome.settings["max_concurrency"][0])),
        provisioned=round(float(outcome.settings.get("provisioned_concurrency", np.zeros(1))[0])),
        queues_when_full=outcome.option == "azure_functions",
    )


def _batching(inputs: Inputs, outcome: Outcome) -> Batching | None:
    """What the server gathers; None where it takes requests one by one."""
    largest = round(float(outcome.settings.get("max_batch_size", np.ones(1))[0]))
    if largest <= 1:
        return None
    growth = inputs.prior("batch_growth" if inputs.accelerator == "none" else "batch_growth.accelerated")[0]
    sizes = np.arange(largest + 1)
    return Batching(
        service_s=float(outcome.serving["service_s"][0]) * (1 + growth * (sizes - 1)),
        delay_s=float(outcome.settings["max_queue_delay_ms"][0]) / 1000,
    )


def _cache(inputs: Inputs, outcome: Outcome, seed: int) -> Cache:
    """What the proposed instances hold."""
    assert outcome.instance_types is not None  # noqa: S101 a multi-model endpoint has instances
    instance = catalogue()[outcome.instance_types[0]]
    gib = instance.accelerator_memory_gib or max((instance.memory_gib or 0.0) - RESERVED_GIB, 0.0)
    steps = float(inputs.steps[0])
    artifact_mb = float(inputs.models.artifact_mb[0]) * steps
    volume_gb = float(outcome.settings["volume_gb"][0]) or float(instance.memory_gib or 8.0)
    load_s = float(outcome.serving["cold_s"][0])
    base_s = float(inputs.prior("model_load_base_s")[0])
    share, target = _shares(inputs), float(outcome.settings["target_invocations_per_minute"][0])
    models = max(1, round(float(inputs.units[0])))
    memory_mb = float(inputs.models.memory_mb[0]) * steps
    largest = min(gib / memory_mb, volume_gb / artifact_mb) * 1024  # a model has to fit
    return Cache(
        models=models,
        memory_mb=memory_mb,
        disk_mb=artifact_mb,
        instance_memory_mb=gib * 1024,
        instance_disk_mb=volume_gb * 1024,
        load_s=min(load_s, base_s + (load_s - base_s) * LOAD_SHARE),
        load_base_s=min(load_s, base_s),
        download_s=(load_s - base_s) * (1 - LOAD_SHARE),
        size=caches.random_sizes(models, cv=float(inputs.prior("model_size_cv")[0]), largest=largest, seed=seed),
        share=share,
        copies=np.ceil(float(inputs.traffic.rps_peak[0]) * 60 * share / target),
        seed=seed,
    )


def _shares(inputs: Inputs) -> Array:
    """The share of the requests of each model, falling."""
    count = max(1, round(float(inputs.units[0])))
    trace, hot = inputs.traffic.trace, inputs.models.hot_share
    if trace is not None and trace.model_share is not None:
        found = np.zeros(count)
        found[: trace.model_share.size] = trace.model_share[:count]
        return found
    return requested.shares(count, zipf=float(inputs.models.zipf[0]), hot_share=None if hot is None else float(hot[0]))


def parts(inputs: Inputs, outcome: Outcome, seed: int, *, most: int = MOST_ENDPOINTS) -> list[tuple[Inputs, float]]:
    """The endpoints to play, the hottest first: one, or `most` of many alike ones with how many each stands for."""
    units = float(inputs.units[0])
    if outcome.option not in OWN_ENDPOINT or units <= 1:
        return [(inputs, 1.0)]
    trace = inputs.traffic.trace
    if trace is not None and trace.rows is not None and trace.rows.model is not None:
        assert trace.model_share is not None  # noqa: S101 a recording with models has their shares
        share = trace.model_share[: round(units)]
        found = []
        for chosen in _alike(share, np.ones(share.size), most):
            model = int(chosen[np.argmin(np.abs(share[chosen] - share[chosen].mean()))])
            found.append((_one_recorded(inputs, trace, model), float(chosen.size)))
        last, alike = found[-1]
        return [*found[:-1], (last, alike + units - share.size)]  # models that nobody asked for are like the coldest
    members, share = (values[0] for values in inputs.popularity)
    found = []
    for chosen in _alike(share, members, most):
        alike = float(members[chosen].sum())
        calls = float((members[chosen] * share[chosen]).sum())
        found.append((_one_of_many(inputs, calls / alike, seed), alike))
    return found


def _alike(share: Array, members: Array, most: int) -> list[Array]:
    """Places of the endpoints, cut into parts with about equally many calls."""
    calls = members * share
    used = np.flatnonzero(members > 0)
    middle = (np.cumsum(calls[used]) - calls[used] / 2) / calls[used].sum()
    cuts = (middle * most).astype(int)
    return [used[cuts == part] for part in np.unique(cuts)]


def hottest(inputs: Inputs, seed: int) -> tuple[Inputs, float]:
    """The most requested of many alike endpoints, and its share of the traffic."""
    trace = inputs.traffic.trace
    if trace is not None and trace.rows is not None and trace.rows.model is not None:
        assert trace.model_share is not None  # noqa: S101 a recording with models has their shares
        return _one_recorded(inputs, trace, 0), float(trace.model_share[0])
    members, shares = (values[0] for values in inputs.popularity)
    share = float(np.max(shares[members > 0]))
    return _one_of_many(inputs, share, seed), share


def slice_of(inputs: Inputs, outcome: Outcome, *, requests: int, seed: int) -> tuple[Inputs, Outcome, float]:
    """An endpoint that can be played: itself or, of too many instances or models on them, a slice with some of both.

    Requests are routed and models have their homes at random, so one part of the instances with its part of the load
    is like another; it counts as one of several endpoints. Gives also how many the slice stands for. The more
    `requests` are played, the more models of a multi-model endpoint on instances are kept.
    """
    if outcome.option in ON_DEMAND:
        return inputs, outcome, 1.0
    instances, models = float(_instances(inputs, outcome)[1]), float(inputs.units[0])
    places = models * instances if outcome.option in CACHED else 0.0
    slots = float(outcome.serving["slots"][0])
    slices = max(
        np.sqrt(places / min(PLACES * requests, MOST_PLACES)), instances / MOST_PLAYED, instances * slots / MOST_SERVERS
    )
    slices = float(min(np.ceil(slices), instances))
    if slices <= 1:
        return inputs, outcome, 1.0
    part = _with_share(inputs, 1 / slices, seed)
    if outcome.option in CACHED:
        count = max(round(models / slices), min(round(models), LEAST_MODELS))
        part = replace(part, models=replace(inputs.models, count=np.full(inputs.size, float(count))))
    return part, replace(outcome, serving={**outcome.serving, SLICES: np.full(1, slices)}), slices


def _one_of_many(inputs: Inputs, share: float, seed: int) -> Inputs:
    """The same workload with a share of its traffic and one model."""
    return replace(_with_share(inputs, share, seed), models=one_model(inputs))


def _with_share(inputs: Inputs, share: float, seed: int) -> Inputs:
    """The same workload with a share of its traffic."""
    traffic = inputs.traffic
    own = replace(
        traffic,
        rps_mean=traffic.rps_mean * share,
        rps_peak=traffic.rps_peak * share,
        records_per_job=traffic.records_per_job * share,
        trace=None if traffic.trace is None else _thinned(traffic.trace, share, seed),
    )
    return replace(inputs, traffic=own)


def _one_recorded(inputs: Inputs, trace: Trace, model: int) -> Inputs:
    """The same workload with one model of a recording."""
    own, one = _recorded(trace, model), np.ones(inputs.size)
    traffic = replace(inputs.traffic, rps_mean=one * own.rps_mean, rps_peak=one * own.rps_peak, trace=own)
    return replace(inputs, models=one_model(inputs), traffic=traffic)


def one_model(inputs: Inputs) -> Models:
    """The models of the workload as one that is called alone."""
    one = np.ones(inputs.size)
    return replace(inputs.models, count=one, containers=one)


@lru_cache(maxsize=MOST_ENDPOINTS)
def _recorded(trace: Trace, model: int) -> Trace:
    return of_model(trace, model)


@lru_cache(maxsize=MOST_THINNED)
def _thinned(trace: Trace, share: float, seed: int) -> Trace:
    """A part of a recording that names no models, or whose models are not told apart."""
    return thinned(trace, share, np.random.default_rng([seed, round(share * 1e9)]))
