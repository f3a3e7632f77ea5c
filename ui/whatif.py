"""Sliders over the scenario itself: what a person moves here is what the link then says."""

import bisect
import functools
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, wait

import streamlit as st

from fitness import fields
from fitness.choices import Pattern
from fitness.workload import Workload
from ui import format as fmt
from ui import state, words

REST_S = 0.3  # sliders that have not moved for so long are where a person wanted them
REST_STEP_S = 0.05
AT_ONCE = 2  # slow works of all tabs
WEIGHT_MAX = 5.0
WEIGHT_STEP = 0.5
_STEPS = (1.0, 1.2, 1.5, 2.0, 2.5, 3.0, 4.0, 5.0, 6.0, 8.0)  # of a decade, some 20 % apart
_DECADES = range(-4, 4)
RATES = _MEAN, _PEAK = "traffic.rps_mean", "traffic.rps_peak"


def draw(workload: Workload) -> None:
    """Draw the sliders of traffic and weights; a move changes the scenario and ranks again."""
    with st.container(border=True):
        st.markdown(
            "**What if** traffic were another, or another thing mattered more? "
            "Each move changes the scenario, and with it the address of this page."
        )
        grid = st.grid(7, min_column_width=140)
        for path in RATES:
            with grid.cell():
                draw_rate(path, workload, area="cmp")
        for name, title in words.FUNCTIONS.items():
            with grid.cell():
                _weight(f"weights.{name}", f"{title} weight", workload)


def wait_for_rest() -> None:
    """Let a further move of a slider interrupt this run before the slow part of it begins.

    Every element drawn is a place where Streamlit stops a run that a newer one replaces.
    """
    place = st.empty()
    for _ in range(round(REST_S / REST_STEP_S)):
        time.sleep(REST_STEP_S)
        place.empty()


def wait_for(work: Callable[[], object], *, draw: Callable[[], object] | None = None) -> None:
    """Let a thread do slow work that ends in a cache, and a further move of a slider interrupt the wait for it.

    `draw` draws how far it is, again and again; without it nothing is seen. Work that nobody waits for any more goes
    on to its cache if it has begun, else it is left out.
    Raises: what the work raises.
    """
    draw = draw or st.empty().empty
    future = _pool().submit(work)
    try:
        while not future.done():
            wait([future], timeout=REST_STEP_S)
            draw()
    finally:
        future.cancel()
    future.result()


def rates_around(anchor: float | None) -> tuple[float, ...]:
    """Give the rates that a slider offers: steps of some 20 %, and the declared rate itself.

    >>> rates_around(12.0)[:2], 12.0 in rates_around(12.0), 0.37 in rates_around(0.37)
    ((0.0001, 0.00012), True, True)
    """
    rates = sorted(float(f"{step * 10.0**decade:.6g}") for decade in _DECADES for step in _STEPS)
    if anchor is not None and anchor not in rates:
        bisect.insort(rates, anchor)
    return tuple(rates)


def draw_rate(path: str, workload: Workload, *, area: str) -> None:
    """Draw the slider of a rate, or where to declare it; `area` keeps the keys of two pages apart."""
    key = f"{area}_{path.replace('.', '_')}"
    held = workload.get(path)
    field = fields.field(path)
    title = f"{field.title.removesuffix(' requests')} {field.unit}"
    if not isinstance(held, int | float) and workload.get("traffic.pattern") == Pattern.SCHEDULED:
        st.caption(f"{title}: it runs in jobs")
        return
    if not isinstance(held, int | float):
        st.caption(f"{title}: {fmt.UNKNOWN}")
        st.page_link(
            "pages/architects/describe.py",
            label="Declare",
            icon=":material/help:",
            query_params=state.link_parameters(ask=path),
        )
        return
    anchor_key = f"{key}_anchor_{state.generation()}"
    anchor = float(st.session_state.setdefault(anchor_key, float(held)))
    rates: Sequence[float] = rates_around(anchor)
    if float(held) not in rates:
        rates = sorted((*rates, float(held)))
    if st.session_state.get(key) != float(held):
        st.session_state[key] = float(held)
    st.select_slider(
        title,
        rates,
        format_func=fmt.number,
        key=key,
        help=field.help,
        on_change=_commit_rate,
        args=(path, key),
    )


def _commit_rate(path: str, key: str) -> None:
    """Write a rate; the peak never falls below the mean, so the other one follows."""
    rate = float(st.session_state[key])
    declared = state.declared()
    changes: dict[str, object] = {path: rate}
    other = _PEAK if path == _MEAN else _MEAN
    beside = declared.get(other)
    if isinstance(beside, int | float) and (beside < rate if path == _MEAN else beside > rate):
        changes[other] = rate
    state.declare(changes)


@functools.cache
def _pool() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(AT_ONCE, thread_name_prefix="settle")


def _weight(path: str, title: str, workload: Workload) -> None:
    key = f"cmp_{path.replace('.', '_')}"
    declared = workload.get(path)
    held = float(declared) if isinstance(declared, int | float) else 1.0
    if st.session_state.get(key) != held:
        st.session_state[key] = held
    st.slider(
        title,
        min_value=0.0,
        max_value=max(WEIGHT_MAX, held),
        step=WEIGHT_STEP,
        format="%g",
        key=key,
        on_change=_commit_weight,
        args=(path, key),
    )


def _commit_weight(path: str, key: str) -> None:
    state.declare({path: float(st.session_state[key])})
