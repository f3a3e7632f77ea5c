"""The entry of hostfit in a browser: navigation, sign-in gate, role check, run."""

import streamlit as st

from ui import errors, shell

shell.brand()
shell.settle_heap()
page = st.navigation(shell.registry(), position=shell.menu_position())
if not shell.signed_in():
    shell.sign_in_card()
    st.stop()
shell.require_role(page)
shell.name_tab(page)
shell.show_account()
with errors.boundary():
    page.run()
