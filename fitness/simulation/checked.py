"""What the kernels are given, checked: types, lengths, order, indices. A kernel itself checks nothing."""

import math
from typing import TypedDict, TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fitness.simulation.arrays import Float32, Float64, Int32, Int64, UInt8
from fitness.simulation.compiled import NEVER_S
from fitness.simulation.counts import REFUSED
from fitness.simulation.histogram import BINS
from fitness.simulation.loops import NO_EVENTS, Events, Requests

Scalar = TypeVar("Scalar", bound=np.generic)

_LONGEST_S = 1e12  # thirty thousand years; beyond it a time is a slip


class How(TypedDict, total=False):
    """How a stream is played, whatever plays it."""

    start_s: float  # 0: when the servers are there
    end_s: float | None  # until when they are paid; None: until the last work is done
    timeout_s: float  # none; covers waiting and service
    count_from: int  # 0: requests before are played, not counted; the servers are paid from the first one on
    latency_s: Float32 | None  # filled with the latency of each request, NaN where it has none
    fate: UInt8 | None  # filled with what became of each request


def requests(
    arrivals: ArrayLike,
    multiplier: ArrayLike,
    *others: ArrayLike,
    start_s: float = 0.0,
    end_s: float | None = None,
    timeout_s: float = math.inf,
    count_from: int = 0,
    latency_s: Float32 | None = None,
    fate: UInt8 | None = None,
) -> Requests:
    """The requests of a stream, from what `How` says; `others` are further arrays of it.

    Raises: ValueError for lengths that differ, for arrivals that are not sorted, negative or not finite, for durations
    that are none, and for arrays that can't be filled.
    """
    times, factors = times_of(arrivals), array_of(multiplier, np.float32)
    for other in (factors, *others):
        if len(np.asarray(other)) != times.size:
            message = f"arrays of one stream differ in length: {len(np.asarray(other)):,} and {times.size:,} requests"
            raise ValueError(message)
    start_s = seconds(start_s, "start_s")
    return Requests(
        arrivals=times,
        multiplier=factors,
        start_s=start_s,
        paid_from_s=_paid_from(times, count_from, start_s),
        end_s=NEVER_S if end_s is None else seconds(end_s, "end_s"),
        timeout_s=seconds(timeout_s, "timeout_s", is_endless=True),
        count_from=whole(count_from, "count_from", least=0),
        latency_s=_latency_of(latency_s, times.size),
        fate=_fate_of(fate, times.size),
    )


def times_of(values: ArrayLike) -> Float64:
    """Sorted times.

    Raises: ValueError for times that are not sorted, negative or not finite.
    """
    times = array_of(values, np.float64)
    # Written so that NaN fails as well.
    if times.size and not (times[0] >= 0.0 and times[-1] <= _LONGEST_S and bool(np.all(times[1:] >= times[:-1]))):
        message = f"times must be sorted and between 0 and {_LONGEST_S:g} s"
        raise ValueError(message)
    return times


def array_of(values: ArrayLike, dtype: type[Scalar]) -> NDArray[Scalar]:
    """A contiguous array of one axis and a type, without a copy where it is one already.

    Raises: ValueError for another number of axes.
    """
    made = np.ascontiguousarray(values, dtype=dtype)
    if made.ndim != 1:
        message = f"expected an array of one axis, got {made.ndim}"
        raise ValueError(message)
    return made


def indices(values: ArrayLike, below: int, name: str) -> Int32:
    """Whole numbers from 0 to `below` - 1.

    Raises: ValueError for others.
    """
    made = array_of(values, np.int32)
    if made.size and not (int(made.min()) >= 0 and int(made.max()) < below):
        message = f"{name} must be between 0 and {below - 1}, got {made.min()} to {made.max()}"
        raise ValueError(message)
    return made


def sizes(values: ArrayLike) -> Int64:
    """Bytes of each model.

    Raises: ValueError for a negative size, and for none at all.
    """
    made = array_of(values, np.int64)
    if not made.size or int(made.min()) < 0:
        message = "each model must have a size of 0 bytes or more, and there must be a model"
        raise ValueError(message)
    return made


def events(event_s: ArrayLike | None, event_delta: ArrayLike | None) -> Events:
    """The changes of the servers, in the order of their times.

    Raises: ValueError for times that are not sorted and for lengths that differ.
    """
    if event_s is not None and event_delta is not None and not (np.size(event_s) or np.size(event_delta)):
        return NO_EVENTS
    at_s = times_of([] if event_s is None else event_s)
    delta = array_of([] if event_delta is None else event_delta, np.int64)
    if at_s.size != delta.size:
        message = f"{at_s.size} times of events, but {delta.size} changes"
        raise ValueError(message)
    return Events(at_s=np.append(at_s, 2 * NEVER_S), delta=np.append(delta, 0))


def hist_of(hist: Int64 | None) -> Int64:
    """The caller's histogram, or a scrap one.

    Raises: ValueError for an array that is not one, since the kernel could not add to it.
    """
    return _own(hist, BINS, np.int64, "a histogram") if hist is not None else np.zeros(BINS, dtype=np.int64)


def _latency_of(latency_s: Float32 | None, requests: int) -> Float32:
    """The caller's array of latencies, filled with NaN, or an empty one."""
    if latency_s is None:
        return np.zeros(0, dtype=np.float32)
    _own(latency_s, requests, np.float32, "latency_s").fill(np.nan)
    return latency_s


def _fate_of(fate: UInt8 | None, requests: int) -> UInt8:
    """The caller's array of fates, filled with REFUSED, or an empty one."""
    if fate is None:
        return np.zeros(0, dtype=np.uint8)
    _own(fate, requests, np.uint8, "fate").fill(REFUSED)
    return fate


def by_tick(instances: Int64 | None, backlog: Int64 | None) -> tuple[Int64, Int64]:
    """The caller's series of a queue, of equal length, or scrap ones.

    Raises: ValueError for arrays that the kernel could not fill.
    """
    size = next((one.size for one in (instances, backlog) if one is not None), 0)
    made = [np.zeros(size, dtype=np.int64) if one is None else one for one in (instances, backlog)]
    return _own(made[0], size, np.int64, "instances_by_tick"), _own(made[1], size, np.int64, "backlog_by_tick")


def seconds(value: float, name: str, *, is_endless: bool = False) -> float:
    """A duration >= 0; one that `is_endless` may also be infinite.

    Raises: ValueError for a negative or overlong one and for NaN.
    """
    if is_endless and value == math.inf:
        return NEVER_S
    if not 0.0 <= value <= _LONGEST_S:
        message = f"{name} must be >= 0 and at most {_LONGEST_S:g} s, got {value}"
        raise ValueError(message)
    return float(value)


def whole(value: int, name: str, *, least: int) -> int:
    """A whole number of at least `least`.

    Raises: ValueError for a smaller one.
    """
    if value < least:
        message = f"{name} must be >= {least}, got {value}"
        raise ValueError(message)
    return int(value)


def _paid_from(arrivals: Float64, count_from: int, start_s: float) -> float:
    """When counting begins: at the first counted arrival, or at the start if every one counts."""
    if count_from <= 0:
        return start_s
    return float(arrivals[min(count_from, arrivals.size - 1)]) if arrivals.size else start_s


def _own(array: NDArray[Scalar], size: int, dtype: type[Scalar], name: str) -> NDArray[Scalar]:
    if array.dtype != dtype or array.shape != (size,) or not array.flags.c_contiguous or not array.flags.writeable:
        message = f"{name} must be a writable {np.dtype(dtype).name} array of {size:,}, got {array.dtype} {array.shape}"
        raise ValueError(message)
    return array
