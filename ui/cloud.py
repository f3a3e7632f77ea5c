"""What the account says, through the profile that was chosen: clients, and caches of what is asked again and again."""

import streamlit as st

from ui import account, data

PROFILE_KEY = "shell_account"  # of the choice in the frame


def profile() -> str:
    """Give the choice of this tab, the environment's account at first."""
    choices = data.account_choices()
    chosen = st.session_state.get(PROFILE_KEY)
    return chosen if chosen in choices else next(iter(choices), account.ENVIRONMENT)


def here() -> account.Account:
    """Give the account that this tab talks to."""
    return data.account(profile())
