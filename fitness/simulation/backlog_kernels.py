"""A queue whose servers follow its length: the loop over the requests of an asynchronous endpoint.

Every minute the requests that wait or are at work are counted and compared with the target for each instance. The
count depends on the queue, so the policy is walked inside the loop: a minute not after a start is settled before it.
Then exactly the requests before this one have started, so the count needs no list.
Source: docs/simulation.md#control-loop (the same rules as for the other policies).
"""

import math

import numpy as np

from fitness.simulation.arrays import Float32, Float64, Int64, UInt8
from fitness.simulation.compiled import NEVER_S, Arguments, compiled
from fitness.simulation.counts import SERVED, TIMED_OUT
from fitness.simulation.histogram import BINS, bin_of
from fitness.simulation.queue_kernels import Tally, change_servers
from fitness.simulation.servers import add, last_of, occupy, vector, within

# Places in the whole numbers of the policy, and in those that the loop keeps.
MINIMUM, MAXIMUM, OUT_POINTS, IN_POINTS, WAKE_POINTS, SLOTS = range(6)
ABOVE, BELOW, WAKING, DESIRED, READY, LAUNCHES, LAUNCHED = range(7)
STATE = 7
JUST = 1 - 1e-9  # a count is not rounded up for an error of rounding


@compiled(allocates=False)
def decide(
    policy: Int64,
    state: Int64,
    target: float,
    cooldowns_s: Float64,  # out, in
    changed_s: Float64,  # when it last scaled out, in
    recent: Int64,
    backlog: int,
    now_s: float,
) -> int:
    """How many instances the policy wants after the datapoints so far; those that are starting count."""
    desired = state[DESIRED]
    wanted = desired
    if desired == 0:
        if state[WAKING] >= policy[WAKE_POINTS] > 0 and now_s - changed_s[0] >= cooldowns_s[0]:
            wanted = 1
    elif state[ABOVE] >= policy[OUT_POINTS]:
        if now_s - changed_s[0] >= cooldowns_s[0]:
            wanted = max(desired + 1, math.ceil(backlog / target * JUST))
    elif state[BELOW] >= policy[IN_POINTS] and now_s - changed_s[1] >= cooldowns_s[1]:
        busiest = 0
        for past in range(recent.size):
            busiest = max(busiest, recent[past])
        wanted = min(desired, math.ceil(busiest / target * JUST))
    return int(min(max(wanted, policy[MINIMUM]), policy[MAXIMUM]))


@compiled(allocates=False)
def note(state: Int64, target: float, in_factor: float, backlog: int) -> None:
    """Count the datapoint of a minute for the alarms; without an instance there is none to divide by."""
    if state[READY] == 0:
        state[ABOVE] = 0
        state[BELOW] = 0
        state[WAKING] = state[WAKING] + 1 if backlog > 0 else 0
    else:
        state[WAKING] = 0
        state[ABOVE] = state[ABOVE] + 1 if backlog > target * state[DESIRED] else 0
        state[BELOW] = state[BELOW] + 1 if backlog < in_factor * target * state[DESIRED] else 0


@compiled(allocates=False)
def at_work(free: Float64, width: int, now_s: float) -> int:
    """How many servers are busy at a time."""
    busy = 0
    for k in range(width):
        busy += free[k] > now_s
    return busy


@compiled(allocates=False)
def launch(state: Int64, coming_s: Float64, coming: Int64, at_s: float, instances: int) -> None:
    """Put a launch behind those that are under way."""
    last = (state[LAUNCHED] + state[LAUNCHES]) % coming.size
    coming_s[last] = at_s
    coming[last] = instances
    state[LAUNCHES] += 1


@compiled(allocates=False)
def bring(state: Int64, free: Float64, width: int, coming_s: Float64, coming: Int64, slots: int, is_heap: bool) -> int:
    """Let the earliest launch be over; gives the new width."""
    first = state[LAUNCHED]
    state[READY] += coming[first]
    for _ in range(coming[first] * slots):
        width = add(free, width, coming_s[first], is_heap)
    coming_s[first] = NEVER_S
    coming[first] = 0
    state[LAUNCHED] = (first + 1) % coming.size
    state[LAUNCHES] -= 1
    return width


@compiled(allocates=False)
def cancel(state: Int64, coming_s: Float64, coming: Int64, instances: int) -> int:
    """Cancel launches, the newest first; gives how many instances they would have brought."""
    cancelled = 0
    while cancelled < instances and state[LAUNCHES] > 0:
        last = (state[LAUNCHED] + state[LAUNCHES] - 1) % coming.size
        fewer = min(instances - cancelled, coming[last])
        coming[last] -= fewer
        cancelled += fewer
        if coming[last] == 0:
            coming_s[last] = NEVER_S
            state[LAUNCHES] -= 1
    return cancelled


def launches(launch_s: float, tick_s: float) -> tuple[Float64, Int64]:
    """Room for the launches under way, one a tick at most: when each is over, and how many instances it brings."""
    room = int(launch_s / tick_s) + 3
    return np.full(room, NEVER_S), np.zeros(room, dtype=np.int64)


def _examples() -> list[Arguments]:
    return [
        (
            *(np.zeros(2), np.ones(2, dtype=np.float32), 1.0, vector(1, 1, 0.0), False),
            *(np.ones(6, dtype=np.int64), np.ones(STATE, dtype=np.int64), 1.0, 0.9, np.zeros(2), 60.0, 60.0),
            *(np.zeros(2), *launches(60.0, 60.0), np.zeros(1, dtype=np.int64)),
            *(0.0, 0.0, NEVER_S, 60.0, 0, np.zeros(BINS, dtype=np.int64)),
            *(np.zeros(0, dtype=np.float32), np.zeros(0, dtype=np.uint8)),
            *(np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64)),
        )
    ]


@compiled(_examples, allocates=False)
def play_backlog(
    arrivals: Float64,
    multiplier: Float32,
    service_s: float,
    free: Float64,
    is_heap: bool,
    policy: Int64,
    state: Int64,
    target: float,
    in_factor: float,
    cooldowns_s: Float64,
    launch_s: float,
    tick_s: float,
    changed_s: Float64,  # when it last scaled out, in
    coming_s: Float64,
    coming: Int64,
    recent: Int64,  # backlogs of the latest minutes, as many as scaling in looks at
    start_s: float,
    paid_from_s: float,
    end_s: float,  # NEVER_S: when the last request is finished
    timeout_s: float,
    count_from: int,
    hist: Int64,
    latency_s: Float32,  # full of NaN, or empty
    fate: UInt8,  # full of REFUSED, or empty
    instances_by_tick: Int64,
    backlog_by_tick: Int64,
) -> Tally:
    """Play a stream: served, timed out, refused; busy, paid (of instances) and waiting seconds, the last end."""
    slots = policy[SLOTS]
    width = state[READY] * slots
    served, timed_out, refused = 0, 0, 0
    busy_s, wait_s, last_s = 0.0, 0.0, last_of(arrivals, start_s)
    paid_s = -state[DESIRED] * slots * within(start_s, paid_from_s, end_s)  # of servers, from the start of the launch
    tick, next_s, arrived = 0, start_s + tick_s, 0
    for i in range(arrivals.size + 1):
        is_end = i == arrivals.size
        close_s = end_s if end_s < NEVER_S else last_s  # the minutes after the last start are paid too
        begin_s = close_s if is_end else max(arrivals[i], free[0])
        while min(next_s, coming_s[state[LAUNCHED]]) <= begin_s:
            if coming_s[state[LAUNCHED]] <= next_s:
                width = bring(state, free, width, coming_s, coming, slots, is_heap)
                begin_s = close_s if is_end else max(arrivals[i], free[0])
                continue
            now_s = next_s
            next_s += tick_s
            while arrived < arrivals.size and arrivals[arrived] <= now_s:
                arrived += 1
            backlog = arrived - i + at_work(free, width, now_s)
            recent[tick % recent.size] = backlog
            note(state, target, in_factor, backlog)
            before = state[DESIRED]
            wanted = decide(policy, state, target, cooldowns_s, changed_s, recent, backlog, now_s)
            state[DESIRED] = wanted
            paid_s -= max(wanted - before, 0) * slots * within(now_s, paid_from_s, end_s)
            if wanted > before:
                changed_s[0] = now_s
                launch(state, coming_s, coming, now_s + launch_s, wanted - before)
            elif wanted < before:
                changed_s[1] = now_s
                cancelled = cancel(state, coming_s, coming, before - wanted)
                paid_s += cancelled * slots * within(now_s, paid_from_s, end_s)
                leaving = before - wanted - cancelled
                state[READY] -= leaving
                width, more_s = change_servers(free, width, now_s, -leaving * slots, paid_from_s, end_s, is_heap)
                paid_s += more_s
            if tick < instances_by_tick.size:
                instances_by_tick[tick] = state[READY]
                backlog_by_tick[tick] = backlog
            tick += 1
            begin_s = close_s if is_end else max(arrivals[i], free[0])
            if state[DESIRED] == 0 and policy[WAKE_POINTS] <= 0:
                break
        if is_end:
            paid_s += state[DESIRED] * slots * within(close_s, paid_from_s, end_s)
            break
        if width == 0:
            refused += arrivals.size - max(i, min(count_from, arrivals.size))
            break
        work_s = service_s * np.float64(multiplier[i])
        finish_s = begin_s + work_s
        occupy(free, width, finish_s, is_heap)
        took_s = finish_s - arrivals[i]
        is_late = took_s > timeout_s
        last_s = max(last_s, finish_s)
        if i >= count_from:
            busy_s += work_s
            wait_s += begin_s - arrivals[i]
            timed_out += is_late
            if not is_late:
                hist[bin_of(took_s)] += 1
                served += 1
        if latency_s.size:
            latency_s[i] = took_s
        if fate.size:
            fate[i] = TIMED_OUT if is_late else SERVED
    return served, timed_out, refused, busy_s, paid_s / slots, wait_s, last_s
