"""What launches left behind: found on request, removed after one confirmation."""

from collections.abc import Iterable

import streamlit as st

from launch.launched import Launched
from launch.sweep import Orphan, Sweep, Swept
from ui import failing, launch_words, launching, removing
from ui import format as fmt
from ui.runs import Run

_SWEPT = "hostfit_swept"


def draw() -> None:
    """Draw the search, what it found, and what became of it."""
    with st.expander("Left behind and expired", icon=":material/cleaning_services:", key="end_sweep"):
        st.write(
            "Looks for resources that carry a launch's tags but belong to no stack, and for launches past their end."
        )
        if st.button("Search the account", key="end_search", icon=":material/search:"):
            st.session_state.pop(_SWEPT, None)
            with failing.told("The account can't be searched"):
                launching.find_left_over()
        swept = st.session_state.get(_SWEPT)
        if isinstance(swept, Run):
            _draw_swept(swept)
            return
        waiting = launching.pending(launching.SWEEP, launching.SWEEP)
        if waiting is None:
            return
        if not waiting.run.is_over:
            removing.wait(waiting.run)
        elif waiting.run.error is not None:
            failing.draw(waiting.run.error, title="The account can't be searched")
        elif waiting.run.result is not None:
            _draw_found(waiting.run.result, waiting.nonce)


def _draw_found(found: Sweep, nonce: str) -> None:
    if found.is_clean:
        st.success("Nothing was left behind, and nothing has expired.", icon=":material/check:")
    _draw_list("In no stack", _orphans(found.orphans))
    _draw_list("Past their end", _launches(found.expired))
    _draw_list("Proposed and never confirmed", _launches(found.abandoned))
    _draw_list("Not made by a launch; look yourself", _orphans(found.unknown))
    if not found.is_clean and st.button("Remove all of it ...", key="end_sweep_now", type="primary"):
        _confirm(found, nonce)


def _draw_list(title: str, lines: Iterable[str]) -> None:
    if shown := "\n".join(f"- {line}" for line in lines):
        st.markdown(f"**{title}**\n\n{shown}")


def _orphans(found: Iterable[Orphan]) -> list[str]:
    return [f"{fmt.plain(one.kind)} {fmt.plain(one.name)}, of {fmt.plain(one.launch)}" for one in found]


def _launches(found: Iterable[Launched]) -> list[str]:
    return [f"{fmt.plain(one.name)}, {fmt.plain(launch_words.per_hour(one.usd_per_hour))} an hour" for one in found]


@st.dialog("Remove what was found?", icon=":material/cleaning_services:")
def _confirm(found: Sweep, nonce: str) -> None:
    count = len(found.orphans) + len(found.expired) + len(found.abandoned)
    st.markdown(
        f"{count} found. It saves {fmt.plain(launch_words.per_hour(found.usd_per_hour))} an hour, as far as prices are "
        "known. A removal can't be undone."
    )
    with st.container(horizontal=True, horizontal_alignment="right"):
        if st.button("Keep them", key="end_sweep_keep"):
            st.rerun()
        if st.button("Remove them", key="end_sweep_confirmed", type="primary"):
            with failing.told("Nothing was removed"):
                st.session_state[_SWEPT] = launching.sweep(nonce)
                st.rerun()


def _draw_swept(run: Run[Swept]) -> None:
    if not run.is_over:
        removing.wait(run)
    elif run.error is not None:
        failing.draw(run.error, title="Not everything was removed")
    elif run.result is not None:
        done = run.result
        st.success(
            f"{len(done.removed)} removed, {len(done.removing)} stacks are being removed.", icon=":material/check:"
        )
        for orphan, failure in done.failed:
            failing.draw_failure(failure, title=f"{orphan.name} stays")
