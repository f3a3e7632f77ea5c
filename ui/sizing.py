"""The parts of the sizing of a multi-model endpoint: how much memory, what it saves, and which models leave."""

import numpy as np
import streamlit as st

from fitness.errors import InputError
from fitness.simulation.moving import LESS_WAITING, Moving
from fitness.simulation.sizing import GOAL_RATIO, OPTIONS, Sizing
from fitness.verdict import Verdict
from fitness.workload import Workload
from ui import charts, charts_sizing, data, stage, state, tables_designer, tables_sizing, words
from ui import format as fmt

_DESCRIBE = "pages/architects/describe.py"
_NO_CHANGE = 0.005
_LOAD_PRIORS = ("model_load_base_s", "model_load_s_per_gb")


def draw(workload: Workload, verdict: Verdict) -> None:
    """Draw the sizing of one multi-model option."""
    inputs = data.study_of(workload, {}).point
    if float(inputs.units[0]) < 2:
        _draw_nothing_to_share(is_chain=inputs.is_chain, is_declared=workload.get("models.count") is not None)
        return
    option, config, goal_ratio = _draw_controls()
    stage.wait_for_simulator()
    stage.draw_heading(verdict, option, all_the_same="It is sized all the same.")
    try:
        with st.spinner("Counting hits"):
            sizing, moving = data.sizing_of(workload, option, config, goal_ratio=goal_ratio)
    except InputError as err:
        stage.draw_problems(err, title="This can't be sized")
        return
    _draw_answer(sizing)
    left, right = st.columns(2)
    with left:
        st.markdown("**Requests that find their model in memory**")
        figure = charts_sizing.hits(sizing)
        st.plotly_chart(figure, config=charts.CONFIG, key="siz_hits", alt=charts_sizing.hits_alt(sizing))
    with right:
        st.markdown("**What callers wait for loads**")
        figure = charts_sizing.lost(sizing)
        st.plotly_chart(figure, config=charts.CONFIG, key="siz_lost", alt=charts_sizing.lost_alt(sizing))
    st.header("Several sizes", anchor=False)
    st.dataframe(
        tables_sizing.sizes(sizing),
        hide_index=True,
        height="content",
        key="siz_sizes",
        alt="Numbers of instances with memory, hits, lost user-seconds, 99th percentile and money",
    )
    _draw_moving(moving)
    _draw_basis(workload, verdict, sizing)


def _draw_nothing_to_share(*, is_chain: bool, is_declared: bool) -> None:
    if is_chain:
        why = "Its models answer one request together, so they stay in memory together."
    else:
        why = (
            "This workload has one." if is_declared else "How many this workload has is not said, so it counts as one."
        )
    st.info(
        f"A multi-model endpoint keeps many models that are called one by one. {why}",
        title="This workload has no models to share memory",
        icon=":material/memory:",
    )
    st.page_link(
        _DESCRIBE,
        label="Say how many models there are",
        icon=":material/arrow_back:",
        query_params=state.link_parameters(ask="models.count"),
    )


def _draw_controls() -> tuple[str, dict[str, object], float]:
    """Draw what can be chosen; every choice is part of the address."""
    with st.container(border=True):
        grid = st.grid(3, min_column_width=220)
        with grid.cell():
            option = st.selectbox(
                "Option",
                OPTIONS,
                format_func=words.option_title,
                key="shared",
                bind="query-params",
                help="Options that keep many models in the memory of their instances.",
            )
        with grid.cell():
            instance = stage.pick_instance("shared_type", help="How many models it holds depends on its memory.")
        with grid.cell():
            percent = st.slider(
                "Requests that find their model",
                min_value=50,
                max_value=99,
                value=round(GOAL_RATIO * 100),
                format="%d %%",
                key="hits",
                bind="query-params",
                help="The others wait until their model is loaded.",
            )
    return option, {} if instance is None else {"instance_type": instance}, percent / 100


def _draw_answer(sizing: Sizing) -> None:
    """Draw what reaches the goal, and what more memory would save."""
    enough, whole, cache = sizing.enough, sizing.whole, sizing.cache
    instances = "instance" if enough.instances == 1 else "instances"
    with st.container(border=True):
        st.caption(f"For {fmt.percent(sizing.goal_ratio)} hits")
        with st.grid(5, min_column_width=110):
            st.metric(
                "Memory for models",
                fmt.number(enough.memory_gb, "GB"),
                help=f"In one memory {sizing.goal_models:,} models, "
                f"{fmt.number(sizing.goal_models * cache.memory_mb / 1024, 'GB')}, would do.",
            )
            st.metric(
                "Instances",
                f"{enough.instances:,}",
                help=f"{sizing.instance_type} holds {sizing.holds:,} models beside the system.",
            )
            st.metric(
                "Hits",
                fmt.percent(enough.hit_ratio),
                help=f"With homes at random; {fmt.percent(enough.pooled_ratio)} as if all instances had one memory.",
            )
            st.metric(
                "Lost to loads",
                fmt.ms(enough.lost_s * 1_000),
                help=f"{fmt.number(enough.lost_s)} seconds that callers wait in a month, together.",
            )
            st.metric(
                "A month",
                fmt.plain(tables_designer.cost(enough.usd)),
                help="Instances with their volume; more of them while the load asks for more.",
            )
        within, whole_within = (
            "" if one.p99_ms is None else f"99 % of the answers within {fmt.ms(one.p99_ms.value)}"
            for one in (enough, whole)
        )
        goal = (
            f"{cache.models:,} models of {fmt.number(cache.memory_mb, 'MB')} on {enough.instances:,} {instances} of "
            f"{sizing.instance_type}{f': {within}' if within else ''}."
        )
        everything = (
            f"With every model in memory, on {whole.instances:,}: {f'{whole_within}, ' if whole_within else ''}"
            f"{tables_designer.cost(whole.usd)} a month, and nobody waits for a load. "
            f"Placed evenly, {int(np.ceil(cache.models / sizing.holds)):,} would hold them."
        )
        miss = (
            f"A model that is not in memory takes {fmt.ms(cache.load_s * 1_000)} from the instance's disk, and "
            f"{fmt.ms((cache.load_s + cache.download_s) * 1_000)} the first time."
        )
        st.markdown("\n".join(f"- {fmt.plain(one)}" for one in (goal, everything, miss)))


def _draw_moving(moving: Moving) -> None:
    """Draw which models should have endpoints of their own."""
    st.header("Models with an endpoint of their own", anchor=False)
    if moving.best is None:
        st.write(f"Nothing to compare: {moving.reason}.")
        return
    stay, best = moving.splits[0], moving.best
    if best.moved:
        which = "the most requested model" if best.moved == 1 else f"the {best.moved} most requested models"
        money = _change(best.usd - stay.usd, fmt.usd(abs(best.usd - stay.usd)))
        waiting = _change(best.lost_s - stay.lost_s, fmt.number(abs(best.lost_s - stay.lost_s), "user-seconds"))
        said = f"Moving {which}: {money} on the bill and {waiting} of waiting a month."
        st.markdown(f":green-badge[:material/call_split: Move {best.moved}] {fmt.plain(said)}")
    else:
        more = min(one.usd for one in moving.splits[1:]) - stay.usd
        said = f"The cheapest way to move some of them costs {fmt.usd(more)} a month more."
        st.markdown(f":blue-badge[:material/check: Keep them together] {fmt.plain(said)}")
    st.caption(
        f"The rule: the most requested models leave, as many as make the whole bill lowest; within 1 % of that bill, "
        f"as many as cut the waiting most, if by {fmt.percent(1 - LESS_WAITING)} or more. An own endpoint is real-time "
        f"on {moving.own_type}, at least one instance; the shared one keeps the goal. Hits here are by Che's "
        "approximation."
    )
    st.dataframe(
        tables_sizing.splits(moving),
        hide_index=True,
        height="content",
        key="siz_splits",
        alt="Bill and waiting by how many of the most requested models have endpoints of their own",
    )


def _change(by: float, amount: str) -> str:
    return "no change" if abs(by) < _NO_CHANGE else f"{amount} {'less' if by < 0 else 'more'}"


def _draw_basis(workload: Workload, verdict: Verdict, sizing: Sizing) -> None:
    """Say what was counted, how well its numbers are known, and what it does not know."""
    price = sizing.price
    priced = (
        f"no price of {sizing.instance_type} is known"
        if price is None
        else f"{sizing.instance_type} at {fmt.unit_price(price.usd_per_unit, price.unit)} "
        f"(grade {price.grade}, {fmt.day(price.as_of)})"
    )
    apart = float(np.abs(sizing.curve.hit_ratio - sizing.curve.che_ratio).max())
    st.caption(
        fmt.plain(
            f"Counted: {sizing.played_requests:,} requests by popularity through a cache that drops the least recently "
            f"used model, seed {sizing.seed}; Che's approximation differs by at most {fmt.percent(apart)}. "
            f"Percentiles are simulated, with their 95 % band; {priced}."
        )
    )
    with st.expander("What it does not know", key="siz_assumed"):
        priors = data.study_of(workload, {}).priors
        loads = [
            f"{words.key_title(name)}: {fmt.number(priors[name].median)} {priors[name].unit}, grade "
            f"{priors[name].grade}, from {priors[name].source}"
            for name in _LOAD_PRIORS
        ]
        st.markdown("\n".join(f"- {fmt.plain(fmt.sentence(one))}" for one in [*sizing.notes, *loads]))
        stage.draw_assumed(verdict, sizing.option)
