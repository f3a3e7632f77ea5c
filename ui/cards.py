"""The verdict as cards: who wins and how surely, why, and why not the others."""

import streamlit as st

from fitness.gates import Gate
from fitness.verdict import OptionResult, Verdict
from ui import charts_flips, launch_start, state, tables, words
from ui import format as fmt

DESCRIBE = "pages/architects/describe.py"


def draw_banner(verdict: Verdict) -> None:
    """Draw the winner, its bill and latency, how sure that is and what to ask next."""
    best = verdict.best
    with st.container(border=True):
        if best is None:
            st.subheader("No option is feasible", anchor=False)
            st.write(
                "Every option breaks at least one limit. The cards below name the limit, the number "
                "asked and the number allowed: change the requirement that you can change."
            )
            return
        badges = [words.CONFIDENCE[verdict.confidence].badge] if verdict.confidence else []
        badges.append(words.STATUS[best.status].badge)
        badges.append(words.grade(verdict).badge)
        st.caption("The verdict")
        st.header(fmt.plain(best.option.title), anchor=False)
        st.markdown(f"{' '.join(badges)} {_chances(verdict)}")
        st.write(fmt.plain(best.option.summary))
        _draw_figures(best)
        launch_start.draw_link(best.option.id)
        _draw_flips(verdict)
        _draw_questions(verdict)


def _chances(verdict: Verdict) -> str:
    parts = [] if verdict.draws else ["Ranges and chances follow."]
    if verdict.probability_best is not None:
        parts.append(
            f"Best in {fmt.percent(verdict.probability_best)} of {verdict.draws} draws over what is not known."
        )
    if verdict.close_to:
        names = fmt.plain(fmt.listed([words.option_title(other) for other in verdict.close_to]))
        is_clear = verdict.confidence == "clear"
        parts.append(f"Nearly the same score: {names}." if is_clear else f"Close to {names}.")
    return " ".join(parts)


def _draw_figures(best: OptionResult) -> None:
    bill = best.monthly_usd
    latency = best.latency_ms
    with st.grid(5, min_column_width=88):
        st.metric(
            "A month",
            fmt.plain(fmt.usd(bill.p50 if bill else None)),
            help=None if bill is None else f"In nine of ten draws {fmt.plain(fmt.usd_band(bill))}.",
        )
        st.metric("99 % within", fmt.ms(latency.p99 if latency else None))
        st.metric("Late", fmt.percent(best.late_ratio), help="Answers after the objective.")
        st.metric("Dropped", fmt.percent(best.dropped_ratio), help="Refused, throttled or timed out.")
        st.metric("Score", fmt.score(best.score), help=f"0 to 1, on absolute references.{_seen(best)}")


def _seen(best: OptionResult) -> str:
    return f" In nine of ten draws {fmt.score_range(best.score_interval)}." if best.score_interval else ""


def _draw_flips(verdict: Verdict) -> None:
    """Draw the loads at which another option becomes the best, when they are known."""
    for flip in verdict.flips or ():
        st.caption(fmt.plain(f"{words.field_title(flip.field)}: {charts_flips.flip_text(flip)}."))


def _draw_questions(verdict: Verdict) -> None:
    if not verdict.ask_next:
        return
    st.caption("Knowing these two would help most" if len(verdict.ask_next) > 1 else "Knowing this would help most")
    with st.container(horizontal=True):
        for path in verdict.ask_next:
            st.page_link(
                DESCRIBE,
                label=words.field_title(path),
                icon=":material/help:",
                query_params=state.link_parameters(ask=path),
                help=f"Answer {path} on the Describe page.",
            )


def draw_why(best: OptionResult) -> None:
    """Draw why the best option is first: reasons, its configuration, what it asks of a team."""
    st.subheader(f"Why {fmt.plain(best.option.title)}", anchor=False)
    _draw_list(best.reasons)
    left, right = st.columns(2)
    with left:
        st.markdown("**The configuration that was compared**")
        st.table(
            {words.key_title(key): fmt.plain(fmt.value(held)) for key, held in best.configuration.items()},
            border="horizontal",
            alt=f"Configuration of {best.option.title}",
        )
    with right:
        st.markdown("**What a team must decide and maintain**")
        _draw_list(best.decisions)
    _draw_guide(best)
    _draw_gates(best)


def draw_why_not(result: OptionResult, *, rank: int) -> None:
    """Draw why an option is not first; the body is drawn when the card is open."""
    sign = words.STATUS[result.status]
    if result.status == "infeasible":
        note = words.obstacle(result)
    else:
        bill = fmt.usd(result.monthly_usd.p50) if result.monthly_usd else "bill unknown"
        note = f"score {fmt.score(result.score)}, {bill} a month"
    card = st.expander(
        f"{rank}. **{fmt.plain(result.option.title)}**: {sign.word.lower()}, {fmt.plain(note)}",
        icon=sign.icon,
        key=f"cmp_card_{result.option.id}",
        on_change="rerun",
    )
    if not card.open:
        return
    with card:
        st.write(fmt.plain(result.option.summary))
        if result.status != "infeasible":
            launch_start.draw_link(result.option.id)
        _draw_list(result.reasons)
        if result.to_win:
            is_out = result.status == "infeasible"
            st.markdown("**What it would have to pass**" if is_out else "**What would put it first**")
            _draw_list(tuple(words.change(one) for one in result.to_win))
        _draw_guide(result)
        _draw_gates(result)


def _draw_guide(result: OptionResult) -> None:
    st.markdown("**Computed here, and what the published guide says**")
    with st.grid(5, min_column_width=200):
        for name, title in words.FUNCTIONS.items():
            with st.container(border=True, height="stretch"):
                computed = getattr(result.fitness, name) if result.fitness else None
                shown = "no value" if result.fitness is None else fmt.score(computed)
                st.markdown(f"{title} **{shown}**")
                st.caption(f"The guide says: {fmt.plain(result.option.guide[name])}")


def _draw_gates(result: OptionResult) -> None:
    """Draw the limits that decide, then those that are kept."""
    decisive = [gate for gate in result.gates if gate.passes is not True]
    kept = [gate for gate in result.gates if gate.passes is True]
    if decisive:
        st.markdown("**Limits that fail or are open**")
        _draw_gate_table(decisive, result)
    if kept:
        st.markdown(f"**Limits that are kept** ({len(kept)})")
        _draw_gate_table(kept, result)


def _draw_gate_table(shown: list[Gate], result: OptionResult) -> None:
    st.table(
        tables.gates(shown),
        border="horizontal",
        hide_index=True,
        alt=f"Limits of {result.option.title} with what was asked and allowed",
    )


def _draw_list(sentences: tuple[str, ...]) -> None:
    if sentences:
        st.markdown("\n".join(f"- {fmt.plain(fmt.sentence(one))}" for one in sentences))
