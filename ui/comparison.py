"""The parts of the comparison that a person opens one at a time."""

import pandas as pd
import streamlit as st

from fitness import answer, record, workload_file
from fitness.measured import sentence
from fitness.verdict import OptionResult, Verdict
from ui import cards, charts, flips, sources, tables, words
from ui import format as fmt

WHY, BILL, PAIR, FLIPS = "Why", "Bill", "Side by side", "Flips"
ASSUMED, EXPORT = "Assumptions", "Export"


def draw(verdict: Verdict) -> None:
    """Draw the parts as tabs; only the open one is computed, which keeps the sliders quick."""
    drawn = {
        WHY: _draw_reasons,
        BILL: _draw_bill,
        PAIR: _draw_pair,
        FLIPS: flips.draw,
        ASSUMED: _draw_assumptions,
        EXPORT: _draw_export,
    }
    tabs = st.tabs(tuple(drawn), key="part", bind="query-params")
    for tab, draw_part in zip(tabs, drawn.values(), strict=True):
        if tab.open:
            with tab:
                draw_part(verdict)


def _draw_reasons(verdict: Verdict) -> None:
    best = verdict.best
    if best is not None:
        cards.draw_why(best)
    others = [(rank, one) for rank, one in enumerate(verdict.options, start=1) if one is not best]
    if others:
        st.subheader("Why not the others" if best else "Why no option is feasible", anchor=False)
    for rank, result in others:
        cards.draw_why_not(result, rank=rank)


def _draw_bill(verdict: Verdict) -> None:
    result = _choose("Bill of", "bill", verdict, default=0)
    if result.bill is None:
        st.write("There is no bill: the option is infeasible.")
        return
    bill = result.bill
    left, right = st.columns([1, 3], vertical_alignment="bottom")
    left.metric("A month, from the receipts", fmt.plain(fmt.cents(bill.total)))
    right.caption(
        "Quantity times unit price, line by line, for the configuration shown under Why. "
        "The range in the ranking also holds what is not known."
    )
    if not bill.complete:
        st.warning(
            f"No price is known for {fmt.plain(fmt.listed(sorted(bill.missing)))}. The total leaves it out.",
            title="The bill is incomplete",
            icon=":material/money_off:",
        )
    st.dataframe(
        tables.bill(bill),
        column_config=tables.bill_columns(),
        hide_index=True,
        height="content",
        key="cmp_bill",
        alt=f"Bill of {result.option.title}, line by line with unit price and source",
    )
    for note in bill.notes:
        st.caption(fmt.plain(note))


def _draw_pair(verdict: Verdict) -> None:
    left, right = st.columns(2)
    with left:
        first = _choose("First option", "a", verdict, default=0)
    with right:
        second = _choose("Second option", "b", verdict, default=1)
    left, right = st.columns(2)
    left.plotly_chart(
        charts.fitness_pair(first, second),
        config=charts.CONFIG,
        key="cmp_pair_chart",
        alt=charts.fitness_pair_alt(first, second),
    )
    right.table(
        tables.pair(first, second),
        border="horizontal",
        hide_index=True,
        alt=f"{first.option.title} beside {second.option.title}",
    )


def _draw_assumptions(verdict: Verdict) -> None:
    paths = tuple(dict.fromkeys(path for one in verdict.options for path in one.assumed))
    if (measured := sentence(verdict.workload)) is not None:
        st.write(f"Measured: {fmt.plain(measured)}.")
    if paths:
        st.write(
            "Nobody said these, so the evaluation draws them from the distributions below; they are "
            "why the numbers are ranges. Declare the ones that you know."
        )
        _draw_table(tables.assumptions(paths), "cmp_assumed", "What was assumed, with the distribution and its basis")
    else:
        st.write("Every field that matters is declared; only the behaviour of the services is assumed.")
    with st.expander("Every distribution that an evaluation may draw from", key="cmp_priors"):
        _draw_table(tables.priors(), "cmp_prior_table", "All distributions with grade, date and basis")


def _draw_table(frame: pd.DataFrame, key: str, alt: str) -> None:
    st.dataframe(frame, hide_index=True, height="content", placeholder="", key=key, alt=alt)


def _draw_export(verdict: Verdict) -> None:
    stem = sources.file_stem(verdict.workload)
    text = record.decision_record(verdict)
    # Files are made on a click: the page is drawn in steps, and a browser would still ask for those of the last one.
    with st.container(horizontal=True):
        st.download_button(
            "Decision record (Markdown)",
            data=lambda: text,
            file_name=f"{stem}-decision.md",
            mime="text/markdown",
            icon=":material/description:",
            on_click="ignore",
            key="cmp_record",
        )
        st.download_button(
            "Ranking (CSV)",
            data=lambda: answer.as_csv(verdict),
            file_name=f"{stem}-ranking.csv",
            mime="text/csv",
            icon=":material/table:",
            on_click="ignore",
            key="cmp_csv",
        )
        st.download_button(
            "Workload (YAML)",
            data=lambda: workload_file.write(verdict.workload, comments=True),
            file_name=f"{stem}.yaml",
            mime="application/yaml",
            icon=":material/edit_note:",
            on_click="ignore",
            key="cmp_yaml",
        )
    st.markdown("**Link to this scenario**")
    st.code(sources.address(verdict.workload), language=None, wrap_lines=True)
    st.markdown("**The decision record**")
    st.code(text, language="markdown", wrap_lines=True, height=480)


def _choose(label: str, key: str, verdict: Verdict, *, default: int) -> OptionResult:
    """Draw a choice of an option; it is part of the address."""
    ids = [one.option.id for one in verdict.options]
    chosen = st.selectbox(
        label,
        sorted(ids),
        index=sorted(ids).index(ids[default]),
        format_func=words.option_title,
        key=key,
        bind="query-params",
    )
    return verdict.option(chosen if chosen in ids else ids[default])
