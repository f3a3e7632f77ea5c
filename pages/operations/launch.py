"""Launch an option: its plan and price, what it would change, one confirmation, and what became of it."""

import streamlit as st

from ui import cloud, endpoints, failing, launch_form, launch_start, reviewing, state, watching

draft = state.draft()

st.title("Launch", anchor=False)
state.draw_broken_link()
if not endpoints.draw_where():
    st.stop()
if watched := st.query_params.get(watching.LAUNCH):
    with st.container(border=True), failing.told("The account can't be asked what became of it"):
        watching.draw(watched)
    st.button("Prepare another launch", key="lch_done", icon=":material/add:", on_click=watching.leave)
    st.stop()

with failing.told("The launch can't be prepared"):
    samples = cloud.samples_here()
    option = launch_start.draw(draft.workload, samples)
    if option is None:
        st.stop()
    left, right = st.columns([1, 1], gap="large")
    with left:
        st.subheader("What to launch", anchor=False)
        launch_form.draw(option, samples, is_change=launch_start.is_change())
    with right:
        st.subheader("The plan", anchor=False)
        # What is changed was not launched for the workload that happens to be open.
        reviewing.draw_draft(None if launch_start.is_change() else draft.workload)
