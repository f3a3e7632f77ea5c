"""The parts of the Endpoints page: what runs in the account, and one launch of it in detail."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal

import pandas as pd
import streamlit as st

from launch.fleets import fleets, shares
from launch.launched import Launched, Phase
from launch.request import Request, as_document
from launch.template_parts import VARIANT
from ui import calling, cloud, endpoint_traffic, failing, jobs, launch_words, measuring, removing, steps, words
from ui import format as fmt

NAME = "name"  # the query parameter of the launch that is shown in detail
CHANGE = "change"  # the query parameter of the Launch page: what is to be changed
PAGE, LAUNCH_PAGE = "pages/operations/endpoints.py", "pages/operations/launch.py"
TRAFFIC, JOBS, CALL, MEASURE = "Traffic", "Jobs", "Call it", "Measure"
SETTINGS, REMOVAL = "Settings", "Remove"
_LIST_S = 5


def draw_where() -> bool:
    """Say which account this is about, and that a sandbox is none of AWS; gives whether it answers."""
    here = cloud.here()
    if here.id is None:
        problem = fmt.plain(fmt.sentence(here.problem or "no account is chosen"))
        st.error(
            f"{problem} Choose a profile at the top right where there is one, set the variables of your AWS "
            "credentials, or start the sandbox: `make app` does.",
            title="There is no account to ask",
            icon=":material/cloud_off:",
        )
        return False
    if here.is_sandbox:
        st.markdown(
            ":blue-badge[:material/computer: Sandbox] AWS on this machine: models really run and answer, nothing is "
            "billed. Prices are what AWS would charge, times are those of this machine."
        )
    return True


@st.fragment(run_every=_LIST_S)
def draw_list() -> None:
    """Draw what runs, again and again."""
    with failing.told("The account can't be asked what runs"):
        seen = cloud.launched()
        if not seen.value:
            _draw_nothing()
            return
        prices = [one.usd_per_hour for one in seen.value if one.phase is not Phase.PROPOSED]
        hourly = sum((price for price in prices if price is not None), start=Decimal(0))
        unpriced = prices.count(None)
        with st.grid(3, min_column_width=150):
            st.metric("Launches", len(prices))
            st.metric("An hour, idle", fmt.plain(launch_words.per_hour(hourly)))
            st.metric("A month, idle", fmt.plain(fmt.usd(launch_words.per_month(hourly))))
        st.dataframe(
            table(seen.value, seen.at),
            hide_index=True,
            height="content",
            key="end_table",
            alt="What runs: name, option, state, age, price and end of each launch",
        )
        left_out = f" The sums leave out {unpriced}, whose price is not known." if unpriced else ""
        st.caption(
            f"As of {seen.at:%H:%M:%S} UTC. Prices are those of an hour in which nothing is asked; jobs and "
            f"requests come on top.{left_out}"
        )


def table(launches: Sequence[Launched], now: datetime) -> pd.DataFrame:
    """Give the launches, a row each."""
    return pd.DataFrame(
        [
            {
                "Name": one.name,
                "Option": words.option_title(one.option or fmt.UNKNOWN),
                "State": launch_words.sign(one).cell,
                "Age": launch_words.duration(one.age_s(now)),
                "An hour": launch_words.per_hour(one.usd_per_hour),
                "So far": launch_words.to_the_cent(launch_words.spent(one, now)),
                "A month": fmt.usd(launch_words.per_month(one.usd_per_hour)),
                "Expires": launch_words.end(one, now),
                "Launched by": one.by or fmt.UNKNOWN,
            }
            for one in launches
        ]
    )


def choose() -> str | None:
    """Draw the choice of a launch; it is part of the address, and stays when the launch is gone."""
    names = {one.name for one in cloud.launched().value}
    if asked := st.query_params.get(NAME) or st.session_state.get(NAME):
        names.add(asked)
    elif len(names) == 1:
        st.session_state[NAME] = next(iter(names))
    if not names:
        return None
    return st.selectbox(
        "Launch", sorted(names), index=None, placeholder="Choose one to see more", key=NAME, bind="query-params"
    )


def draw_detail(name: str) -> None:
    """Draw one launch: its state, and what a person can see and do."""
    seen = cloud.look(name)
    one = seen.value
    if one is None or one.phase is Phase.GONE:
        st.info(f"Nothing called {fmt.plain(name)} is in this account.", icon=":material/delete:")
        return
    _draw_head(one, seen.at)
    if one.events:
        steps.draw(one)
    first = JOBS if one.option == "batch" else TRAFFIC
    calls = () if one.option == "batch" else (CALL,)
    parts = (first, *calls, MEASURE, SETTINGS, REMOVAL)
    tabs = st.tabs(parts, key="part", bind="query-params")
    for tab, title in zip(tabs, parts, strict=True):
        if not tab.open:
            continue
        with tab:
            _draw_part(title, one)


def _draw_part(title: str, one: Launched) -> None:
    match title:
        case "Traffic":
            beside = () if one.request is None else one.request.variants
            endpoint_traffic.draw(one.name, one.option or "", (VARIANT, *(variant.name for variant in beside)))
        case "Jobs":
            jobs.draw(one)
        case "Call it":
            calling.draw(one)
        case "Measure":
            measuring.draw(one)
        case "Settings":
            _draw_settings(one)
        case _:
            removing.draw(one)


def _draw_nothing() -> None:
    st.info(
        "Describe a workload, compare the options, and press Launch; or begin with an option on the Launch page.",
        title="Nothing runs here yet",
        icon=":material/rocket_launch:",
    )
    st.page_link(LAUNCH_PAGE, label="Launch something", icon=":material/arrow_forward:")


def _draw_head(one: Launched, now: datetime) -> None:
    sign = launch_words.sign(one)
    st.subheader(fmt.plain(one.name), anchor=False)
    title = words.option_title(one.option or fmt.UNKNOWN)
    st.markdown(f"{sign.badge} {fmt.plain(title)} in {fmt.plain(one.region)}. {sign.meaning}")
    with st.grid(5, min_column_width=120):
        st.metric("Age", launch_words.duration(one.age_s(now)), help=f"Since {launch_words.moment(one.created)}.")
        st.metric("An hour, idle", fmt.plain(launch_words.per_hour(one.usd_per_hour)), help="While nothing is asked.")
        st.metric(
            "So far, about",
            fmt.plain(launch_words.to_the_cent(launch_words.spent(one, now))),
            help="The idle price since the launch. Jobs, requests that are paid one by one, more instances than the "
            "fewest and earlier prices are not in it.",
        )
        if one.option == "batch":
            of_job = fmt.plain(launch_words.per_hour(one.usd_per_job_hour))
            st.metric("An hour of a job", of_job, help="All of its instances, while it runs.")
        else:
            st.metric("A month, idle", fmt.plain(fmt.usd(launch_words.per_month(one.usd_per_hour))))
        st.metric("Expires", launch_words.end(one, now), help="Its time to live. It is billed until it is removed.")
    if one.is_expired(now):
        st.warning(
            "Its time is over, and it is billed on. Remove it, or give it more time under Settings.",
            title="This launch has expired",
            icon=":material/timer_off:",
        )


def _draw_settings(one: Launched) -> None:
    """Draw what was asked for, and the way to change it."""
    if one.request is None:
        st.write("What was asked for can't be read from its template; it was made or changed by hand.")
        return
    st.page_link(
        LAUNCH_PAGE,
        label="Change it",
        icon=":material/edit:",
        query_params={CHANGE: one.name},
        help="Settings, models, time to live: a plan, what it would change, and its price come first.",
    )
    rows = {words.key_title(key): fmt.plain(fmt.value(held)) for key, held in one.request.configuration.items()}
    models = {f"Model {number}": fmt.plain(model.source) for number, model in enumerate(one.request.models, start=1)}
    st.table(
        {**rows, **models, **_variants(one.request)},
        border="horizontal",
        alt=f"What was asked for under the name {one.name}",
    )
    if one.outputs:
        with st.expander("Outputs of the stack", key="end_outputs"):
            st.table(
                {key: fmt.plain(held) for key, held in one.outputs.items()},
                border="horizontal",
                alt=f"Outputs of the stack {one.name}",
            )
    with st.expander("The launch file", key="end_file"):
        st.json(as_document(one.request))


def _variants(request: Request) -> dict[str, str]:
    """What each of several variants answers and runs on; nothing where there is one."""
    if not request.variants:
        return {}
    share, sources = shares(request), {one.name: one.model.source for one in request.variants}
    found = {}
    for fleet in fleets(request):
        source = f": {sources[fleet.name]}" if fleet.name in sources else ""
        told = f"{fmt.percent(share[fleet.name])} of the requests{source} on {fleet.settings.instance_type}"
        found[f"Variant {fleet.name}"] = fmt.plain(told)
    return found
