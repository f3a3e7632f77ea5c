"""Simulate: play a day of any option, design a scaling policy, size the memory of many models."""

import streamlit as st

from ui import data, designer, scene, simulation, sizing, stage, state, whatif
from ui import format as fmt
from ui.stage import DAY, MEMORY, POLICY

TITLES = {DAY: "Simulate a day", POLICY: "Design a scaling policy", MEMORY: "Size the memory of many models"}

view = stage.pick_tool()
st.title(TITLES[view], anchor=False)

workload = state.workload()
about = f": {workload.description}" if workload.description else ""
st.markdown(f"**{fmt.plain(workload.name)}**{fmt.plain(about)}")

verdict = data.first_verdict_of(workload)
if view == POLICY:
    designer.draw(workload, verdict)
elif view == MEMORY:
    sizing.draw(workload, verdict)
else:
    wanted = scene.draw(workload, verdict)
    is_played = state.is_settled("simulate", wanted)
    simulation.draw(workload, verdict, wanted, is_played=is_played)
    if not is_played:  # the formulas' figures are on the screen; now every request
        if state.has_settled("simulate"):
            whatif.wait_for_rest()
        whatif.wait_for(lambda: simulation.play(workload, wanted))
        state.settle("simulate", wanted)
st.caption(f"Prices of {fmt.day(verdict.prices_as_of)}, limits: {verdict.profile} profile.")
