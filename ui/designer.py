"""The parts of the scaling policy designer: what a policy may look at, and what it would do."""

import streamlit as st

from fitness.options import OPTIONS
from fitness.simulation import policy_lint
from fitness.verdict import Verdict
from fitness.workload import Workload
from ui import format as fmt
from ui import words


def draw(workload: Workload, verdict: Verdict) -> None:
    """Draw the metrics that a policy of an option can keep a target on."""
    del workload
    scaled = [one.option.id for one in verdict.options if any(_tracked(one.option.id))]
    option = st.selectbox(
        "Option", scaled, format_func=words.option_title, key="scaled", bind="query-params", help="Best first."
    )
    st.markdown("**Metrics that a target can be kept on**")
    st.markdown("\n".join(f"- `{one.name}`: {fmt.plain(one.note)}" for one in _tracked(option)))


def _tracked(option: str) -> list[policy_lint.Metric]:
    return [one for one in policy_lint.published(OPTIONS[option].id) if one.use == "track"]
