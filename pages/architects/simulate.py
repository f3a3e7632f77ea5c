"""Play a day of any hosting option, request by request: latency, instances, cold starts and money over time."""

import streamlit as st

from ui import data, simulation, state
from ui import format as fmt

workload = state.workload()

st.title("Simulate a day", anchor=False)
about = f": {workload.description}" if workload.description else ""
st.markdown(f"**{fmt.plain(workload.name)}**{fmt.plain(about)}")

verdict = data.first_verdict_of(workload)
scene = simulation.draw_controls(verdict)
simulation.draw(workload, verdict, scene)
st.caption(f"Prices of {fmt.day(verdict.prices_as_of)}, limits: {verdict.profile} profile.")
