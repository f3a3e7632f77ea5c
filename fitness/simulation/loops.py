"""What every loop over requests is given, what it counts, and how it settles a request.

What belongs together is one named tuple: the compiler takes it apart, so inside a loop it costs nothing.
"""

from itertools import accumulate
from typing import NamedTuple

import numpy as np

from fitness.simulation.arrays import Float32, Float64, Int64, UInt8
from fitness.simulation.compiled import NEVER_S, compiled
from fitness.simulation.counts import TIMED_OUT
from fitness.simulation.histogram import bin_of


class Requests(NamedTuple):
    """The requests of a stream, when they count, and where it is written what became of each. Shape: (n,)."""

    arrivals: Float64
    multiplier: Float32
    start_s: float
    paid_from_s: float  # the servers are paid from here
    end_s: float  # to here; NEVER_S: to when the last request is finished
    timeout_s: float
    count_from: int  # those before are played, not counted
    latency_s: Float32  # full of NaN, or empty
    fate: UInt8  # full of REFUSED, or empty

    @property
    def offered(self) -> int:
        """How many requests count."""
        return max(self.arrivals.size - self.count_from, 0)


class Events(NamedTuple):
    """Changes of the servers, closed by one that does not come, at a time after NEVER_S."""

    at_s: Float64
    delta: Int64

    def most(self, start: int) -> int:
        """How many servers there are at most, beginning with `start`."""
        return max(accumulate(self.delta.tolist(), lambda now, change: max(now + change, 0), initial=start))

    @property
    def added(self) -> int:
        """How many servers come, all together."""
        return int(np.maximum(self.delta, 0).sum())


NO_EVENTS = Events(at_s=np.array([2 * NEVER_S]), delta=np.zeros(1, dtype=np.int64))


class Sums(NamedTuple):
    """What a loop adds up over the requests that start; the names are those of `counts.Counts`."""

    served: int
    timed_out: int
    busy_s: float
    wait_s: float
    last_end_s: float


@compiled(allocates=False)
def nothing_yet(requests: Requests) -> Sums:
    """The sums before the first request; no stream ends before its last arrival."""
    last_s = requests.start_s
    if requests.arrivals.size:
        last_s = max(last_s, requests.arrivals[requests.arrivals.size - 1])
    return Sums(0, 0, 0.0, 0.0, last_s)


@compiled(allocates=False)
def settled(
    sums: Sums,
    requests: Requests,
    i: int,
    arrival_s: float,  # of i: to read it again, after the loop has written, takes half a nanosecond
    begin_s: float,
    work_s: float,
    finish_s: float,
    fate: int,
    hist: Int64,
) -> Sums:
    """The sums with request i in them; its latency and its fate, unless it is late, are written down.

    The time-out covers waiting and work. The work is done all the same.
    """
    took_s = finish_s - arrival_s
    is_late = took_s > requests.timeout_s
    served, timed_out, busy_s, wait_s, last_s = sums
    if i >= requests.count_from:
        busy_s += work_s
        wait_s += begin_s - arrival_s
        timed_out += is_late
        if not is_late:
            hist[bin_of(took_s)] += 1
            served += 1
    if requests.latency_s.size:
        requests.latency_s[i] = took_s
    if requests.fate.size:
        requests.fate[i] = TIMED_OUT if is_late else fate
    return Sums(served, timed_out, busy_s, wait_s, max(last_s, finish_s))


@compiled(allocates=False)
def paid_at(time_s: float, requests: Requests) -> float:
    """A time moved into the stretch that is paid: seconds paid are ends less beginnings, each moved so."""
    return min(max(time_s, requests.paid_from_s), requests.end_s)


def two_requests() -> Requests:
    """A stream to compile a loop with."""
    ones, latency_s, fate = np.ones(2, dtype=np.float32), np.zeros(0, dtype=np.float32), np.zeros(0, dtype=np.uint8)
    return Requests(np.zeros(2), ones, 0.0, 0.0, NEVER_S, 60.0, 0, latency_s, fate)
