"""Months of many requests, played outside the script: a bar while they are, a button that stops them."""

from collections.abc import Mapping, Sequence

import streamlit as st

from fitness.simulation.play import Simulation
from fitness.workload import Workload
from ui import data, scene
from ui.runs import Stage

_POLL_S = 0.5

Sides = Sequence[tuple[str, Mapping[str, object]]]


def draw(workload: Workload, sides: Sides, *, requests: int) -> Sequence[Simulation] | None:
    """Give the long months of these sides if they have been played, else draw how far they are.

    None: nothing long was asked for, or it is not there yet.
    """
    if requests <= data.MONTH_REQUESTS or not sides:
        data.stop_long_simulation()
        return None
    run = data.long_simulation_of(workload, sides, requests=requests)
    if run.stage is not Stage.DONE:
        _watch(workload, sides, requests)
        return None
    with st.container(border=True):
        st.progress(1.0, text=f"{scene.MANY[requests]} requests of the month were played.")
    return run.result


@st.fragment(run_every=_POLL_S)
def _watch(workload: Workload, sides: Sides, requests: int) -> None:
    """Draw the bar; when the run is over, or was stopped, the whole page follows."""
    if st.session_state.get(scene.REQUESTS) != requests:
        st.rerun()
    run = data.long_simulation_of(workload, sides, requests=requests)
    if run.is_over:
        st.rerun()
    with st.container(border=True, horizontal=True, vertical_alignment="center"):
        what = f"Playing {scene.MANY[requests]} requests of the month; the figures are of {data.MONTH_REQUESTS:,}"
        waits = "Waiting for a free core: " if run.stage is Stage.WAITING else ""
        st.progress(run.share, text=f"{waits}{what}")
        st.button("Stop", key="sim_stop", icon=":material/stop:", on_click=_stop)


def _stop() -> None:
    data.stop_long_simulation()
    st.session_state[scene.REQUESTS] = data.MONTH_REQUESTS
