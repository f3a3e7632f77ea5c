"""What runs in the account: state, cost, traffic, a call, a change, a removal."""

import streamlit as st

from ui import endpoints, failing, state, sweeping

state.draft()  # keeps the scenario in the address

st.title("Endpoints", anchor=False)
if not endpoints.draw_where():
    st.stop()
endpoints.draw_list()
with failing.told("The account can't be asked what runs"):
    if chosen := endpoints.choose():
        endpoints.draw_detail(chosen)
sweeping.draw()
