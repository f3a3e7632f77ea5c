"""A queue whose servers follow its length: the loop over the requests of an asynchronous endpoint.

Every minute the requests that wait or are at work are counted and compared with the target for each instance. The
count depends on the queue, so the policy is walked inside the loop: a minute not after a start is settled before it.
Then exactly the requests before this one have started, so the count needs no list.
Source: docs/simulation.md#control-loop (the same rules as for the other policies).
"""

import math
from typing import NamedTuple

import numpy as np

from fitness.simulation import histogram
from fitness.simulation.arrays import Float64, Int64
from fitness.simulation.compiled import NEVER_S, Arguments, compiled
from fitness.simulation.counts import COLD, SERVED
from fitness.simulation.loops import Requests, Sums, nothing_yet, paid_at, settled, two_requests
from fitness.simulation.queue_kernels import change_servers
from fitness.simulation.servers import add, occupy, vector

# Places in the whole numbers that the loop keeps.
ABOVE, BELOW, WAKING, DESIRED, READY, LAUNCHES, LAUNCHED = range(7)
STATE = 7
JUST = 1 - 1e-9  # a count is not rounded up for an error of rounding


class Policy(NamedTuple):
    """How the instances follow the queue."""

    minimum: int
    maximum: int
    target: float  # requests for each instance
    in_factor: float  # of the target: scale in below
    out_points: int  # datapoints in a row
    in_points: int
    wake_points: int  # 0: no alarm wakes
    out_cooldown_s: float
    in_cooldown_s: float
    launch_s: float
    tick_s: float
    slots: int  # of an instance


class State(NamedTuple):
    """What the loop keeps of the instances."""

    now: Int64  # (STATE,)
    changed_s: Float64  # when it last scaled out, in
    recent: Int64  # backlogs of the latest minutes, as many as scaling in looks at
    coming_s: Float64  # a ring of the launches under way, one a tick at most: when each is over
    coming: Int64  # and how many instances it brings


def state_of(policy: Policy, ready: int) -> State:
    """The state with a number of instances ready."""
    now = np.zeros(STATE, dtype=np.int64)
    now[DESIRED] = now[READY] = ready
    room = int(policy.launch_s / policy.tick_s) + 3
    recent = np.zeros(policy.in_points, dtype=np.int64)
    return State(now, np.full(2, -NEVER_S), recent, np.full(room, NEVER_S), np.zeros(room, dtype=np.int64))


@compiled(allocates=False)
def decide(policy: Policy, state: State, backlog: int, now_s: float) -> int:
    """How many instances the policy wants after the datapoints so far; those that are starting count."""
    now = state.now
    desired = now[DESIRED]
    wanted = desired
    if desired == 0:
        if now[WAKING] >= policy.wake_points > 0 and now_s - state.changed_s[0] >= policy.out_cooldown_s:
            wanted = 1
    elif now[ABOVE] >= policy.out_points:
        if now_s - state.changed_s[0] >= policy.out_cooldown_s:
            wanted = max(desired + 1, math.ceil(backlog / policy.target * JUST))
    elif now[BELOW] >= policy.in_points and now_s - state.changed_s[1] >= policy.in_cooldown_s:
        busiest = 0
        for past in range(state.recent.size):
            busiest = max(busiest, state.recent[past])
        wanted = min(desired, math.ceil(busiest / policy.target * JUST))
    return int(min(max(wanted, policy.minimum), policy.maximum))


@compiled(allocates=False)
def note(policy: Policy, now: Int64, backlog: int) -> None:
    """Count the datapoint of a minute for the alarms; without an instance there is none to divide by."""
    if now[READY] == 0:
        now[ABOVE] = 0
        now[BELOW] = 0
        now[WAKING] = now[WAKING] + 1 if backlog > 0 else 0
    else:
        now[WAKING] = 0
        now[ABOVE] = now[ABOVE] + 1 if backlog > policy.target * now[DESIRED] else 0
        now[BELOW] = now[BELOW] + 1 if backlog < policy.in_factor * policy.target * now[DESIRED] else 0


@compiled(allocates=False)
def at_work(free: Float64, width: int, now_s: float) -> int:
    """How many servers are busy at a time."""
    busy = 0
    for k in range(width):
        busy += free[k] > now_s
    return busy


@compiled(allocates=False)
def launch(state: State, at_s: float, instances: int) -> None:
    """Put a launch behind those that are under way."""
    last = (state.now[LAUNCHED] + state.now[LAUNCHES]) % state.coming.size
    state.coming_s[last] = at_s
    state.coming[last] = instances
    state.now[LAUNCHES] += 1


@compiled(allocates=False)
def bring(state: State, free: Float64, width: int, slots: int, is_heap: bool) -> int:
    """Let the earliest launch be over; gives the new width."""
    first = state.now[LAUNCHED]
    state.now[READY] += state.coming[first]
    for _ in range(state.coming[first] * slots):
        width = add(free, width, state.coming_s[first], is_heap)
    state.coming_s[first] = NEVER_S
    state.coming[first] = 0
    state.now[LAUNCHED] = (first + 1) % state.coming.size
    state.now[LAUNCHES] -= 1
    return width


@compiled(allocates=False)
def cancel(state: State, instances: int) -> int:
    """Cancel launches, the newest first; gives how many instances they would have brought."""
    cancelled = 0
    while cancelled < instances and state.now[LAUNCHES] > 0:
        last = (state.now[LAUNCHED] + state.now[LAUNCHES] - 1) % state.coming.size
        fewer = min(instances - cancelled, state.coming[last])
        state.coming[last] -= fewer
        cancelled += fewer
        if state.coming[last] == 0:
            state.coming_s[last] = NEVER_S
            state.now[LAUNCHES] -= 1
    return cancelled


def _examples() -> list[Arguments]:
    policy = Policy(1, 1, 1.0, 0.9, 1, 1, 1, 0.0, 0.0, 60.0, 60.0, 1)
    none = np.zeros(0, dtype=np.int64)
    free = vector(1, 1, 0.0)
    return [(two_requests(), 1.0, policy, state_of(policy, 1), free, False, histogram.empty(), none, none)]


@compiled(_examples, allocates=False)
def play_backlog(
    requests: Requests,
    service_s: float,
    policy: Policy,
    state: State,
    free: Float64,
    is_heap: bool,
    hist: Int64,
    instances_by_tick: Int64,
    backlog_by_tick: Int64,
) -> tuple[Sums, int, float, int]:
    """Play a stream: its sums, the refused requests, the paid seconds of instances, and who met none of these.

    Who came before the first instance after zero was in service, and starts after it, has waited for its launch.
    """
    slots, tick_s, now = policy.slots, policy.tick_s, state.now
    arrivals = requests.arrivals
    width = now[READY] * slots
    sums, refused, cold, woke_s = nothing_yet(requests), 0, 0, -NEVER_S
    paid_s = -now[DESIRED] * slots * paid_at(requests.start_s, requests)  # of servers, from the start of the launch
    tick, next_s, arrived = 0, requests.start_s + tick_s, 0
    for i in range(arrivals.size + 1):
        is_end = i == arrivals.size
        # The minutes after the last start are paid too.
        close_s = requests.end_s if requests.end_s < NEVER_S else sums.last_end_s
        begin_s = close_s if is_end else max(arrivals[i], free[0])
        while min(next_s, state.coming_s[now[LAUNCHED]]) <= begin_s:
            if state.coming_s[now[LAUNCHED]] <= next_s:
                if now[READY] == 0:
                    woke_s = state.coming_s[now[LAUNCHED]]
                width = bring(state, free, width, slots, is_heap)
                begin_s = close_s if is_end else max(arrivals[i], free[0])
                continue
            now_s = next_s
            next_s += tick_s
            while arrived < arrivals.size and arrivals[arrived] <= now_s:
                arrived += 1
            backlog = arrived - i + at_work(free, width, now_s)
            state.recent[tick % state.recent.size] = backlog
            note(policy, now, backlog)
            before = now[DESIRED]
            wanted = decide(policy, state, backlog, now_s)
            now[DESIRED] = wanted
            paid_s -= max(wanted - before, 0) * slots * paid_at(now_s, requests)
            if wanted > before:
                state.changed_s[0] = now_s
                launch(state, now_s + policy.launch_s, wanted - before)
            elif wanted < before:
                state.changed_s[1] = now_s
                cancelled = cancel(state, before - wanted)
                paid_s += cancelled * slots * paid_at(now_s, requests)
                leaving = before - wanted - cancelled
                now[READY] -= leaving
                width, more_s = change_servers(free, width, now_s, -leaving * slots, requests, is_heap)
                paid_s += more_s
            if tick < instances_by_tick.size:
                instances_by_tick[tick] = now[READY]
                backlog_by_tick[tick] = backlog
            tick += 1
            begin_s = close_s if is_end else max(arrivals[i], free[0])
            if now[DESIRED] == 0 and policy.wake_points <= 0:
                break
        if is_end:
            paid_s += now[DESIRED] * slots * paid_at(close_s, requests)
            break
        if width == 0:
            refused += arrivals.size - max(i, min(requests.count_from, arrivals.size))
            break
        work_s = service_s * np.float64(requests.multiplier[i])
        finish_s = begin_s + work_s
        occupy(free, width, finish_s, is_heap)
        fate = COLD if arrivals[i] < woke_s else SERVED
        cold += i >= requests.count_from and fate == COLD
        sums = settled(sums, requests, i, arrivals[i], begin_s, work_s, finish_s, fate, hist)
    return sums, refused, paid_s / slots, cold
