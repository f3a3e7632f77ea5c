"""Random small cases for the kernels, on a grid of quarter seconds, so that times fall together and sums are exact."""

import numpy as np
from hypothesis import strategies as st

QUARTER = 0.25

times = st.integers(0, 60).map(lambda quarters: quarters * QUARTER)
work = st.integers(0, 30).map(lambda quarters: quarters * QUARTER)
uniforms = st.floats(0, 1, exclude_max=True, width=32)


@st.composite
def streams(draw, most=14):
    """Arrivals, work and uniforms of a few requests."""
    arrivals = sorted(draw(st.lists(times, min_size=1, max_size=most)))
    size = len(arrivals)
    return (
        arrivals,
        draw(st.lists(work, min_size=size, max_size=size)),
        draw(st.lists(uniforms, min_size=size, max_size=size)),
    )


@st.composite
def changes(draw, most=5):
    """Changes of the servers, in order."""
    found = draw(st.lists(st.tuples(times, st.integers(-3, 3)), max_size=most))
    return sorted(found, key=lambda one: one[0])


def events(found):
    """The same as the kernels take them."""
    return {"event_s": [time for time, _ in found], "event_delta": [delta for _, delta in found]}


def recorders(size):
    """Arrays that a kernel fills with latency and fate."""
    return {"latency_s": np.zeros(size, np.float32), "fate": np.zeros(size, np.uint8)}


def latencies(arrivals, played):
    """What the reference took, NaN where it refused."""
    return [np.nan if end is None else end - begin for begin, end in zip(arrivals, played.finish, strict=True)]


def started(played):
    """Requests of the reference that started."""
    return [i for i, end in enumerate(played.finish) if end is not None]


def waited(arrivals, played):
    """Seconds that they waited, all together."""
    return sum(played.begin[i] - arrivals[i] for i in started(played))
