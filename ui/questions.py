"""The five questions that describe most workloads, each in the words of the person who is asked."""

from collections.abc import Mapping
from types import MappingProxyType

import streamlit as st

from fitness.choices import Composition, Frameworks, Pattern
from ui import form, state

ON_REQUEST, IN_JOBS = "On request", "In scheduled jobs"

UNIT_S: Mapping[str, int] = MappingProxyType(
    {
        "second": 1,
        "minute": 60,
        "hour": 3_600,
        "day": 86_400,
        "month": 2_628_000,  # 730 hours, the month of every bill
    }
)
_PATTERN_WORDS: Mapping[str, str] = MappingProxyType(
    {
        Pattern.STEADY: "Steady",
        Pattern.DIURNAL: "Busy days, quiet nights",
        Pattern.SPIKY: "Sudden bursts",
        Pattern.INTERMITTENT: "Long pauses",
    }
)
_COMPOSITION_WORDS: Mapping[str, str] = MappingProxyType(
    {
        Composition.INDEPENDENT: "One of them, chosen by name",
        Composition.SEQUENTIAL: "All, one after the other",
        Composition.ENSEMBLE: "Several, combined",
    }
)
_FRAMEWORK_WORDS: Mapping[str, str] = MappingProxyType(
    {Frameworks.SAME: "The same", Frameworks.DIFFERENT: "Different ones"}
)


def draw(draft: state.Draft) -> None:
    """Draw the questions as cards; the next one depends on what was answered."""
    is_job = draft.declared.get("traffic.pattern") == Pattern.SCHEDULED
    grid = st.grid(2, min_column_width=420, border=True)
    with grid.cell():
        _how_often(draft, is_job=is_job)
    with grid.cell():
        _somebody_waiting(draft)
    with grid.cell():
        _how_many_models(draft)
    with grid.cell():
        _how_it_varies(draft, is_job=is_job)
    with grid.cell(column_span="all"):
        _how_fast(draft, is_job=is_job)


def natural_unit(per_s: float | None) -> str:
    """Give the shortest unit of time in which a rate reads as one or more.

    >>> natural_unit(12), natural_unit(0.01), natural_unit(None)
    ('second', 'hour', 'second')
    """
    if not per_s:
        return "second"
    return next((unit for unit, s in UNIT_S.items() if per_s * s >= 1), "month")


def _question(number: int, text: str, help_text: str) -> None:
    st.subheader(f"{number}. {text}", help=help_text, anchor=False)


def _how_often(draft: state.Draft, *, is_job: bool) -> None:
    _question(1, "How often is a prediction needed?", "The mean over a month, nights included.")
    form.seed("dsc_q_mode", IN_JOBS if is_job else ON_REQUEST)
    st.segmented_control(
        "Predictions come",
        (ON_REQUEST, IN_JOBS),
        required=True,
        wrap=True,
        key="dsc_q_mode",
        on_change=_commit_mode,
    )
    if is_job:
        left, right = st.columns(2)
        with left:
            form.draw_field("traffic.jobs_per_month", draft, area="q")
        with right:
            form.draw_field("traffic.records_per_job", draft, area="q")
        return
    rate = draft.declared.get("traffic.rps_mean")
    rate = rate if isinstance(rate, int | float) else None
    unit_key = f"dsc_q_unit_{state.generation()}"
    if unit_key not in st.session_state:
        st.session_state[unit_key] = natural_unit(rate)
    unit = str(st.session_state[unit_key])
    form.seed("dsc_q_rate", None if rate is None else round(float(rate) * UNIT_S[unit], 9))
    left, right = st.columns([2, 1])
    left.number_input(
        "Predictions, mean",
        value=None,
        step=form.step_for(st.session_state.get("dsc_q_rate")),
        format="%g",
        placeholder="unknown",
        key="dsc_q_rate",
        on_change=_commit_rate,
        args=(unit_key,),
    )
    right.selectbox("per", tuple(UNIT_S), key=unit_key, on_change=_commit_rate, args=(unit_key,))
    form.draw_problems("traffic.rps_mean", draft)


def _somebody_waiting(draft: state.Draft) -> None:
    _question(
        2,
        "Is somebody waiting for the answer?",
        "A person or a program that holds the line until the prediction arrives.",
    )
    form.draw_field("request.synchronous", draft, area="q", label="The caller waits")
    if draft.declared.get("request.synchronous") is False:
        st.caption("Then the answer may be fetched later: queues and jobs come into play.")
    else:
        form.draw_field("objectives.cold_start_ok", draft, area="q", label="A slow first answer after a pause is fine")


def _how_many_models(draft: state.Draft) -> None:
    _question(3, "How many models?", "Models that one deployment hosts, for example one per customer.")
    form.draw_field("models.count", draft, area="q", label="Models in one deployment")
    count = draft.declared.get("models.count")
    if isinstance(count, int) and count > 1:
        _choice("composition", "One request uses", _COMPOSITION_WORDS, draft)
        _choice("models.frameworks", "They run on frameworks that are", _FRAMEWORK_WORDS, draft)


def _how_it_varies(draft: state.Draft, *, is_job: bool) -> None:
    _question(4, "Does traffic vary?", "What the busiest minute looks like beside the mean.")
    if is_job:
        st.caption("Jobs run when their data is there: their traffic is as scheduled.")
        return
    _choice("traffic.pattern", "Over the month it is", _PATTERN_WORDS, draft)
    form.draw_field("traffic.rps_peak", draft, area="q", label="Busiest minute (requests/s)")


def _how_fast(draft: state.Draft, *, is_job: bool) -> None:
    _question(5, "How fast must it be?", "What callers are promised, and what the model needs alone.")
    may_wait = is_job or draft.declared.get("request.synchronous") is False
    grid = st.grid(3, min_column_width=260)
    with grid.cell():
        if may_wait:
            form.draw_field("objectives.deadline_s", draft, area="q", label="Answer needed within (s)")
        else:
            percentile = _promised_percentile(draft)
            form.draw_field(
                f"objectives.latency_p{percentile}_ms",
                draft,
                area="q",
                label=f"{percentile} of 100 answers within (ms)",
            )
    with grid.cell():
        form.draw_field("request.processing_ms", draft, area="q", label="One prediction alone takes (ms)")
    with grid.cell():
        form.draw_field("request.measured_on", draft, area="q", label="Measured on")


def _promised_percentile(draft: state.Draft) -> int:
    """Give the percentile that the scenario promises: 99, unless it speaks of 95 alone."""
    p95, p99 = (draft.declared.get(f"objectives.latency_p{percentile}_ms") for percentile in (95, 99))
    return 95 if p99 is None and p95 is not None else 99


def _choice(path: str, label: str, words: Mapping[str, str], draft: state.Draft) -> None:
    """Draw a closed set in the words of the question; taking the choice back makes it unknown."""
    key = f"dsc_q_{path.replace('.', '_')}"
    held = draft.declared.get(path)
    form.seed(key, str(held) if held in words else None)
    st.pills(
        label,
        tuple(str(word) for word in words),
        format_func=lambda word: words[word],
        wrap=True,
        key=key,
        on_change=form.commit,
        args=(path, key),
    )
    form.draw_problems(path, draft)


def _commit_mode() -> None:
    is_job = st.session_state["dsc_q_mode"] == IN_JOBS
    state.declare({"traffic.pattern": Pattern.SCHEDULED if is_job else None})


def _commit_rate(unit_key: str) -> None:
    """Write the rate in requests a second, from the number and the unit of time beside it."""
    entered = st.session_state["dsc_q_rate"]
    if isinstance(entered, int | float):
        entered = form.whole(float(entered) / UNIT_S[st.session_state[unit_key]])
    state.declare({"traffic.rps_mean": entered})
