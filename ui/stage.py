"""What the tools of the Simulate page share: names, a heading, the wait for the compiler, problems with a choice."""

from collections.abc import Mapping
from types import MappingProxyType

import streamlit as st

from fitness.errors import InputError
from fitness.options import OPTIONS
from fitness.verdict import Verdict
from ui import data, words
from ui import format as fmt

VIEW = "view"  # the key of which tool is open
DAY, POLICY, MEMORY = "Play a day", "Scaling policy", "Model memory"


def pick_tool() -> str:
    """Draw the choice of the tool; it has no default of its own, because "Play this policy" makes the choice too."""
    st.session_state.setdefault(VIEW, DAY)
    tool = st.segmented_control(
        "What to simulate",
        (DAY, POLICY, MEMORY),
        required=True,
        key=VIEW,
        bind="query-params",
        label_visibility="collapsed",
    )
    return tool or DAY


def draw_heading(verdict: Verdict, option: str, *, all_the_same: str) -> None:
    """Name the option and say whether it is eligible; what an infeasible one gets nevertheless is said too."""
    result = verdict.option(option)
    st.subheader(fmt.plain(OPTIONS[option].title), anchor=False)
    st.markdown(words.STATUS[result.status].badge)
    note = fmt.sentence(words.obstacle(result)) or words.STATUS[result.status].meaning
    st.caption(f"{fmt.plain(note)}{f' {all_the_same}' if result.status == 'infeasible' else ''}")


def wait_for_simulator() -> None:
    """Wait until the simulator is compiled, and say so where that takes a while."""
    if not data.is_simulator_ready():
        with st.spinner("Compiling the simulator. The first time after an installation this takes half a minute."):
            data.wait_for_simulator()


def draw_problems(err: InputError, *, title: str, titles: Mapping[str, str] = MappingProxyType({})) -> None:
    """Say what is wrong with a choice; `titles` maps the path of a setting to what the page calls it."""
    reasons = "; ".join(
        f"{titles[problem.path]}: {problem.message}" if problem.path in titles else str(problem)
        for problem in err.problems
    )
    st.error(fmt.plain(fmt.sentence(reasons)), title=title, icon=":material/block:")


def draw_assumed(verdict: Verdict, option: str) -> None:
    """Name what nobody declared."""
    if assumed := verdict.option(option).assumed:
        titles = fmt.plain(fmt.listed([words.field_title(path) for path in assumed]))
        st.write(f"Not declared, so the middle of its distribution was used: {titles}.")


def pick_instance(key: str, *, help: str) -> str | None:  # noqa: A002 as in Streamlit
    """Draw the choice of an instance type; None leaves it as proposed."""
    return st.selectbox(
        "Instance type",
        data.instance_names(),
        index=None,
        placeholder="As proposed",
        key=key,
        bind="query-params",
        help=help,
    )
