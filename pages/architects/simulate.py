"""Simulate: play a day of any option, design a scaling policy, size the memory of many models."""

import streamlit as st

from ui import data, designer, simulation, sizing, state
from ui import format as fmt

DAY, POLICY, MEMORY = "Play a day", "Scaling policy", "Model memory"
TITLES = {DAY: "Simulate a day", POLICY: "Design a scaling policy", MEMORY: "Size the memory of many models"}

workload = state.workload()

view = st.segmented_control(
    "What to simulate",
    list(TITLES),
    default=DAY,
    required=True,
    key="view",
    bind="query-params",
    label_visibility="collapsed",
)
st.title(TITLES[view], anchor=False)
about = f": {workload.description}" if workload.description else ""
st.markdown(f"**{fmt.plain(workload.name)}**{fmt.plain(about)}")

verdict = data.first_verdict_of(workload)
if view == POLICY:
    designer.draw(workload, verdict)
elif view == MEMORY:
    sizing.draw(workload, verdict)
else:
    scene = simulation.draw_controls(verdict)
    simulation.draw(workload, verdict, scene)
st.caption(f"Prices of {fmt.day(verdict.prices_as_of)}, limits: {verdict.profile} profile.")
