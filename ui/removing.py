"""Removing a launch: what would go and what stays, then one confirmation."""

from typing import Any

import streamlit as st

from launch.launched import Launched, Phase
from launch.removal import Removal
from ui import cloud, failing, launch_words, launching
from ui import format as fmt
from ui.runs import Run

_POLL_S = 0.5


def draw(seen: Launched) -> None:
    """Draw the way to the removal, and its preview once it was asked for."""
    st.write(
        "A removal deletes every resource of the stack and ends what it costs. A preview says what goes and stays."
    )
    begun = launching.begun(seen.name)
    if begun is not None and begun.run.error is not None:
        failing.draw(begun.run.error, title="The last action on it failed")
    if seen.phase is Phase.REMOVING:
        return
    if st.button("Preview the removal", key="end_remove", icon=":material/delete:"):
        with failing.told("The removal can't be previewed"):
            launching.preview_removal(seen.name, seen.stack_id)
    waiting = launching.pending(launching.REMOVE, seen.stack_id)
    if waiting is None:
        return
    if not waiting.run.is_over:
        wait(waiting.run)
    elif waiting.run.error is not None:
        failing.draw(waiting.run.error, title="The removal can't be previewed")
    elif waiting.run.result is not None:
        _draw_preview(waiting.run.result, waiting.nonce)


@st.fragment(run_every=_POLL_S)
def wait(run: Run[Any], said: str = "The account is being asked.") -> None:
    """Say what is waited for; when it is there, the whole page follows."""
    if run.is_over:
        st.rerun()
    st.caption(f":material/progress_activity: {said}")


def _draw_preview(removal: Removal, nonce: str) -> None:
    with st.container(border=True):
        st.markdown(f"**What goes** ({len(removal.resources)})")
        goes = [f"{fmt.plain(one.logical_id)} {fmt.plain(one.type.removeprefix('AWS::'))}" for one in removal.resources]
        goes += [f"{one.shown} objects of the bucket {fmt.plain(one.name)}" for one in removal.buckets]
        goes += [f"The job {fmt.plain(name)}, which is stopped" for name in removal.jobs]
        st.markdown("\n".join(f"- {one}" for one in goes) or "Nothing is left but the name.")
        if removal.stays:
            st.markdown("**What stays**")
            st.markdown("\n".join(f"- {fmt.plain(cloud.filled(one))}" for one in removal.stays))
        gives_up = bool(removal.stuck) and _draw_stuck(removal)
        if st.button("Remove ...", key="end_remove_now", icon=":material/delete_forever:", type="primary"):
            _confirm(removal, nonce, gives_up)


def _draw_stuck(removal: Removal) -> bool:
    """Draw what an earlier removal could not delete; gives whether a person lets go of it."""
    told = [f"- {fmt.plain(one.logical_id)}: {fmt.plain(one.reason or 'no reason given')}" for one in removal.stuck]
    st.warning(
        "\n".join(["It is tried again, once what is in its way is mended.", "", *told]),
        title="An earlier removal could not delete this",
        icon=":material/warning:",
    )
    return st.checkbox(
        "Give it up instead",
        key="end_give_up",
        help="The stack goes. What is given up stays, and costs what it costs, until a search for what was left behind "
        "finds it.",
    )


@st.dialog("Remove it for good?", icon=":material/delete_forever:")
def _confirm(removal: Removal, nonce: str, gives_up: bool) -> None:  # noqa: FBT001 a dialog's arguments
    known = removal.usd_per_hour if removal.is_priced else None
    saved, month = launch_words.per_hour(known), fmt.usd(launch_words.per_month(known))
    st.markdown(
        f"**{fmt.plain(removal.name)}** in **{fmt.plain(cloud.here().title)}** stops answering at once. "
        + (
            "What it saves is not known."
            if known is None
            else f"It saves {fmt.plain(saved)} an hour, {fmt.plain(month)} a month."
        )
        + " A removal can't be undone."
    )
    if gives_up:
        names = fmt.listed([one.logical_id for one in removal.stuck])
        st.markdown(f"What is given up stays, and its cost with it: {fmt.plain(names)}.")
    with st.container(horizontal=True, horizontal_alignment="right"):
        if st.button("Keep it", key="end_keep"):
            launching.drop(launching.REMOVE)
            st.rerun()
        if st.button(f"Remove {removal.name}", key="end_remove_confirmed", type="primary"):
            with failing.told("It was not removed"):
                launching.remove(nonce, gives_up=gives_up)
                st.rerun()
