"""The answer in one line, below the form while it is being filled in."""

import streamlit as st

from fitness.verdict import Verdict
from ui import data, state
from ui import format as fmt


def draw_line(draft: state.Draft) -> None:
    """Draw the best option so far with the way to all of them."""
    with st.container(
        border=True,
        horizontal=True,
        vertical_alignment="center",
        horizontal_alignment="distribute",
    ):
        if draft.is_empty:
            st.markdown("Nothing is described yet: choose a preset or answer a question.")
            return
        if draft.workload is None:
            count = len(draft.problems)
            st.markdown(
                f":material/error: {count} {'value' if count == 1 else 'values'} to put right "
                "before there is an answer."
            )
            return
        st.markdown(answer_line(data.first_verdict_of(draft.workload)), width="stretch")
        st.page_link(
            "pages/architects/compare.py",
            label="Compare all ten options",
            icon=":material/balance:",
            query_params=state.link_parameters(),
        )


def answer_line(verdict: Verdict) -> str:
    """Give the verdict in one sentence, as Markdown."""
    best = verdict.best
    if best is None:
        return ":material/block: **No option is feasible** for this workload; Compare says why."
    parts = [f"Best so far, by the formulas: **{fmt.plain(best.option.title)}**"]
    if best.monthly_usd is None:
        parts.append("its bill is unknown")
    else:
        parts.append(f"{fmt.plain(fmt.usd(best.monthly_usd.p50))} a month")
    if best.latency_ms is not None:
        parts.append(f"99 % within {fmt.ms(best.latency_ms.p99)}")
    close = [verdict.option(other).option.title for other in verdict.close_to]
    if close:
        parts.append(f"close to {fmt.plain(fmt.listed(close))}")
    return ", ".join(parts) + "."
