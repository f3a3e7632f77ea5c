"""How many instances: the load that one instance carries within the objectives, and the count per level of load.

Shapes: (draws, types) for a type under a draw, (draws, types, levels) with the load.
Formulas: docs/background.md#sizing.
"""

from dataclasses import dataclass, replace

import numpy as np

from fitness import queueing
from fitness.arrays import Array, Flags, Index
from fitness.inputs import HOURS_PER_MONTH, Inputs
from fitness.machines import Machines
from fitness.outcome import Latency
from fitness.prices import PriceBook

HEADROOM = 1.3  # capacity over the busiest minute; the throughput function gives full marks from here
BISECTIONS = 14
P95_LATE, P99_LATE = 0.05, 0.01
ALARM_OUT_S = 180.0  # target tracking: 3 datapoints of 3 above the target
ALARM_IN_S = 900.0  # target tracking: 15 datapoints of 15 below 0.9 x target
COOLDOWN_S = 300.0
DAYS_PER_MONTH = HOURS_PER_MONTH / 24
_WAIT_EDGES = np.array([0, 0.25, 0.5, 0.7, 0.85, 0.94, 0.98, 0.995, 1.0])
_WAIT_WEIGHTS = np.diff(_WAIT_EDGES)
# Mean of an exponential of mean 1 inside each slice of probability, so that the mean wait is kept.
_TAIL = 1 - _WAIT_EDGES
_WAIT_NODES = -np.diff(np.where(_TAIL > 0, _TAIL - _TAIL * np.log(np.maximum(_TAIL, 1e-300)), 0)) / _WAIT_WEIGHTS
LATENCY_LEVELS = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class Loads:
    """Requests that load their model first; the load keeps their slot busy."""

    ratio: Array  # of the requests, (draws, types)
    seconds: Array  # (draws,)
    excused: Array  # (draws,) 1 where a request that loads may be late


def sustainable(
    inputs: Inputs,
    machines: Machines,
    *,
    overhead_s: Array,
    hops: Array,
    loads: Loads | None = None,
) -> tuple[Array, Array]:
    """Requests per second that one instance carries within the objectives, and the share that is late even alone.

    `hops` queues are passed one after the other, each with its share of the service time.
    Shape: both (draws, types). The late share is what no count of instances can repair.
    """
    if loads is None:
        nothing = np.zeros(inputs.size)
        loads = Loads(ratio=np.zeros(machines.service_s.shape), seconds=nothing, excused=nothing)
    # Types that serve alike (a c5.large and an m5.large) are worked out once: most of the catalogue is alike.
    serving = (machines.slots, machines.service_s, loads.ratio)
    keys = [
        b"".join(one[:, column].tobytes() for one in serving) + machines.baseline[column].tobytes()
        for column in range(machines.count)
    ]
    places = {key: place for place, key in enumerate(dict.fromkeys(keys))}
    chosen = [keys.index(key) for key in places]
    carries, unmet = _sustainable(
        inputs,
        machines.only(chosen),
        overhead_s=overhead_s,
        hops=hops,
        loads=replace(loads, ratio=loads.ratio[:, chosen]),
    )
    back = [places[key] for key in keys]
    return carries[:, back], unmet[:, back]


def _sustainable(
    inputs: Inputs, machines: Machines, *, overhead_s: Array, hops: Array, loads: Loads
) -> tuple[Array, Array]:
    slots, service_s = machines.slots, machines.service_s
    nodes, weights = queueing.service_nodes(inputs.request.distribution, inputs.request.cv, fine=inputs.size == 1)
    limits = [
        (inputs.objectives.within_p95_s, P95_LATE),
        (inputs.objectives.within_p99_s, P99_LATE),
    ]
    cap = machines.baseline[None, :] / HEADROOM * np.ones_like(service_s)
    each_s = (service_s + loads.ratio * loads.seconds[:, None]) / hops[:, None]
    slow_ratio = loads.ratio * (1 - loads.excused)[:, None]

    def late(utilisation: Array, at: tuple[Index, ...]) -> Array:
        """The share that is late beyond what may be, of some draws and types; arrays of shape (pairs,)."""
        draws = at[0]
        wait_probability, wait_s = queueing.over_hops(
            queueing.waits(utilisation, slots[at]),
            queueing.mean_wait_of_waiting(utilisation, slots[at], each_s[at], inputs.request.cv[draws]),
            hops[draws],
        )

        def above(left_s: Array) -> Array:
            return queueing.share_above(
                left_s,
                nodes=nodes[draws],
                weights=weights,
                service_s=service_s[at],
                wait_probability=wait_probability,
                wait_s=wait_s,
            )

        worst = np.zeros_like(utilisation)
        for limit_s, allowed in limits:
            if bool(np.isnan(limit_s).all()):
                continue
            left_s = (limit_s - overhead_s)[draws]
            missed = above(left_s)
            if bool(np.any(slow_ratio[at] > 0)):
                missed = missed + slow_ratio[at] * (above(left_s - loads.seconds[draws]) - missed)
            worst = np.maximum(worst, np.where(np.isnan(left_s), 0.0, missed - allowed))
        return worst

    if inputs.traffic.is_scheduled:  # nobody waits for one record: the job's deadline decides, not the queue
        return cap * slots / each_s, np.zeros_like(service_s)
    every = np.nonzero(np.ones(service_s.shape, dtype=bool))
    unmet = late(np.zeros(service_s.size), every).reshape(service_s.shape)
    some = np.nonzero((late(cap.ravel(), every).reshape(service_s.shape) > 0) & (unmet <= 0))
    low, high = np.zeros(some[0].size), cap[some]
    for _ in range(BISECTIONS if low.size else 0):
        middle = (low + high) / 2
        passes = late(middle, some) <= 0
        low, high = np.where(passes, middle, low), np.where(passes, high, middle)
    utilisation = cap.copy()
    utilisation[some] = np.maximum(low, cap[some] * 2.0**-BISECTIONS)
    return utilisation * slots / each_s, unmet


def usd_per_hour(machines: Machines, book: PriceBook, region: str, volume_gb: Array) -> Array:
    """What an instance costs in an hour with its volume, (draws, types); types with a local disk have none."""
    stored = np.where(machines.has_local_disk[None, :], 0.0, volume_gb[:, None])
    return machines.usd_per_hour + stored * _usd(book, "storage/hosting", region) / HOURS_PER_MONTH


def alarm_usd(book: PriceBook, region: str) -> float:
    """What one alarm costs in a month."""
    return _usd(book, "cloudwatch/alarm", region)


def _usd(book: PriceBook, item: str, region: str) -> float:
    price = book.estimate(item, book.stand_in(region))
    return 0.0 if price is None else float(price.usd_per_unit)


def pick(unmet: Array, usd: Array, fits: Flags) -> Index:
    """The column per row that is late least (to the percent), then cheapest: index of shape (draws,).

    Lateness that no count repairs does not depend on the load, so the cost of the pick never falls as load grows.
    """
    steps = np.ceil(np.clip(unmet, 0, 1) * 100 - 1e-9)
    rank = np.where(fits, 0.0, 1e3) + steps
    best = np.min(rank, axis=1, keepdims=True)
    masked = np.where(rank <= best, usd, np.inf)
    column: Index = np.argmin(masked, axis=1)
    return column


def latency(
    inputs: Inputs,
    *,
    utilisation: Array,
    weight: Array,
    service_s: Array,
    servers: Array,
    overhead_s: Array,
    hops: Array,
) -> Latency:
    """Time to an answer over the levels of load: overhead plus service plus wait.

    Shape: `utilisation`, `weight` and `servers` are (draws, levels), the rest (draws,).
    A bin is one level, one slice of the service time and one of the wait.
    """
    fine = inputs.size == 1
    if not fine:
        utilisation, weight, servers = _coarser(utilisation, weight, servers)
    nodes, node_weights = queueing.service_nodes(inputs.request.distribution, inputs.request.cv, fine=fine)
    load = np.clip(utilisation, 0, 0.999)
    each_s = service_s / hops
    wait_probability, wait_s = queueing.over_hops(
        queueing.waits(load, servers),
        queueing.mean_wait_of_waiting(load, servers, each_s[:, None], inputs.request.cv[:, None]),
        hops[:, None],
    )
    total = weight / np.maximum(np.sum(weight, axis=1, keepdims=True), 1e-300)
    served_s = (overhead_s[:, None] + nodes * service_s[:, None])[:, None, :, None]
    waited_s = np.concatenate([np.zeros((*wait_s.shape, 1)), wait_s[..., None] * _WAIT_NODES], axis=2)
    waited_weight = np.concatenate([(1 - wait_probability)[..., None], wait_probability[..., None] * _WAIT_WEIGHTS], 2)
    seconds = served_s + waited_s[:, :, None, :]
    weights = (total[..., None, None] * node_weights[None, None, :, None]) * waited_weight[:, :, None, :]
    rows = inputs.size
    return Latency(seconds=seconds.reshape(rows, -1), weight=weights.reshape(rows, -1))


def _coarser(utilisation: Array, weight: Array, servers: Array) -> tuple[Array, Array, Array]:
    """A few levels of load instead of many, weighted means of neighbours: enough for a score under a draw."""
    parts = np.array_split(np.arange(weight.shape[1]), min(LATENCY_LEVELS, weight.shape[1]))
    sums = [np.sum(weight[:, part], axis=1) for part in parts]

    def mean(values: Array) -> Array:
        return np.stack(
            [
                np.sum(values[:, part] * weight[:, part], axis=1) / np.maximum(total, 1e-300)
                for part, total in zip(parts, sums, strict=True)
            ],
            axis=1,
        )

    return mean(utilisation), np.stack(sums, axis=1), np.maximum(mean(servers), 1.0)


def with_cold(warm: Latency, *, cold_ratio: Array, cold_s: Array, accepted: Array) -> Latency:
    """Mix in the answers that first waited `cold_s` for a start; `accepted` (rows,) excuses them."""
    rows = cold_ratio.size
    late = np.concatenate([warm.seconds, warm.seconds + cold_s[:, None]], axis=1)
    weight = np.concatenate([warm.weight * (1 - cold_ratio[:, None]), warm.weight * cold_ratio[:, None]], axis=1)
    forgiven = np.concatenate(
        [np.zeros(warm.seconds.shape), np.broadcast_to(accepted[:, None], warm.seconds.shape)], axis=1
    )
    return Latency(seconds=late.reshape(rows, -1), weight=weight, forgiven=forgiven)


def accepts_cold(inputs: Inputs, cold_s: Array) -> Array:
    """1 where the architect accepts a first answer that takes `cold_s` longer, per draw."""
    if inputs.objectives.cold_start_ok is not True:
        return np.zeros(inputs.size)
    budget_s = inputs.objectives.cold_budget_s
    return np.where(np.isnan(budget_s) | (cold_s <= budget_s), 1.0, 0.0)
