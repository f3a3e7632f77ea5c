"""Every limit and price that an answer may rest on, with its source and date."""

import streamlit as st

from ui import register, state

state.draft()  # keeps the scenario in the address, so that a reload does not lose it

st.title("Limits and prices", anchor=False)
st.write(
    "A verdict rests on these rows. The current profile holds what is known today, the article "
    "profile what held when the guidance was published in 2022-23."
)
limits_tab, prices_tab = st.tabs(["Limits", "Prices"], key="table", bind="query-params")
if limits_tab.open:
    with limits_tab:
        register.draw_limits()
if prices_tab.open:
    with prices_tab:
        register.draw_prices()
