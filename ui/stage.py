"""What the tools of the Simulate page share: their heading, the wait for the compiler, problems with a choice."""

import streamlit as st

from fitness.errors import InputError
from fitness.options import OPTIONS
from fitness.verdict import Verdict
from ui import data, words
from ui import format as fmt


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


def draw_problems(err: InputError, *, title: str) -> None:
    """Say what is wrong with a choice."""
    reasons = "; ".join(str(problem) for problem in err.problems)
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
