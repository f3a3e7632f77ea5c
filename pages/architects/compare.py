"""Compare the ten hosting options for one workload: ranked, priced, explained."""

from collections.abc import Callable, Mapping

import streamlit as st

from fitness.verdict import Verdict
from fitness.workload import Workload
from ui import cards, charts, comparison, data, state, tables, whatif, words
from ui import format as fmt

RANKED, EXPLAINED = "ranked", "explained"
STAGES: Mapping[object, Callable[[Workload], Verdict]] = {
    None: data.first_verdict_of,
    RANKED: data.ranked_verdict_of,
    EXPLAINED: data.verdict_of,
}

st.title("Compare hosting options", anchor=False)

workload = state.workload()
about = f": {workload.description}" if workload.description else ""
st.markdown(f"**{fmt.plain(workload.name)}**{fmt.plain(about)}")

banner, chart = st.columns(2)
whatif.draw(workload)
# The formulas' ranking comes at once; the simulated one, and what would change it, replace it when they are there.
(stage,) = state.settled("compare") or (None,)
verdict = STAGES[stage](workload)
with banner:
    cards.draw_banner(verdict)
with chart:
    if charts.has_points(verdict):
        st.plotly_chart(charts.pareto(verdict), config=charts.CONFIG, key="cmp_pareto", alt=charts.pareto_alt(verdict))
    else:
        st.caption(charts.pareto_alt(verdict))
st.dataframe(
    tables.ranking(verdict),
    column_config=tables.ranking_columns(),
    hide_index=True,
    height="content",
    placeholder="",
    key="cmp_ranking",
    alt="The ten hosting options, best first, with score, bill, latency and fitness",
)
region = fmt.plain(workload.region or "us-east-1 (assumed)")
grade = words.grade(verdict)
st.caption(
    f"{grade.word}. Prices of {fmt.day(verdict.prices_as_of)}, region {region}, limits: {verdict.profile} profile.",
    help=grade.meaning,
)
if problem := data.price_problem():
    st.warning(fmt.plain(problem), title="Refreshed prices were left out", icon=":material/warning:")
comparison.draw(verdict)
if stage is None:
    if state.has_settled("compare"):
        whatif.wait_for_rest()
    whatif.wait_for(lambda: data.ranked_verdict_of(workload))
    state.settle("compare", RANKED)
elif stage == RANKED:
    whatif.wait_for(lambda: data.verdict_of(workload))
    state.settle("compare", EXPLAINED)
