"""Describe a workload: from a preset, by five questions, field by field, or as a file."""

import streamlit as st

from ui import errors, form, questions, sources, state, summary

draft = state.draft()

st.title("Describe the workload", anchor=False)
st.write(
    "Say what you know. What you leave out stays unknown: the answer then shows a wider range and "
    "names the question that would help most."
)
sources.draw_actions(draft)
state.draw_broken_link()
if draft.problems:
    errors.show_problems(draft.problems, titles=form.titles(), title="These values can't be used yet")
sources.draw_gallery(is_open=draft.is_empty)
asked = state.asked_field()
if asked in form.KNOWN_PATHS:
    form.draw_asked(asked, draft)

questions.draw(draft)

st.header("Details", anchor=False)
tabs = st.tabs((*form.GROUPS, "File"), key="details", bind="query-params")
for tab, group in zip(tabs, (*form.GROUPS, "File"), strict=True):
    if not tab.open:
        continue
    with tab:
        if group == "File":
            sources.draw_file(draft)
        else:
            form.draw_fields(form.GROUPS[group], draft, area="d")
        if group == "Traffic":
            sources.draw_arrivals()

with st.bottom:
    summary.draw_line(draft)
