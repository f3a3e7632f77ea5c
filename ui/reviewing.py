"""What a plan would change in the account, and the one confirmation that begins it."""

from collections.abc import Sequence
from typing import Any

import pandas as pd
import streamlit as st

from fitness.errors import InputError
from fitness.workload import Workload
from launch.plan import Plan
from launch.price import When
from launch.proposals import CREATE, Change, Proposal
from launch.request import Request
from ui import cloud, failing, launch_draft, launch_plan, launch_words, launching, removing, roles, watching
from ui import format as fmt
from ui.roles import Role

_ENDS = {
    When.IDLE: "until somebody removes it",
    When.JOB: "until the job ends",
    When.SCHEDULED: "while each job runs, until somebody removes the schedule",
}
_ACTIONS = {"Add": "+ New", "Modify": "~ Changed", "Remove": "- Removed"}


def draw_draft(workload: Workload | None) -> None:
    """Draw the plan of the tab's draft and its review, or everything that is wrong with it."""
    request, problems = launch_draft.request()
    if request is None:
        failing.draw(InputError(problems), title="These values can't be launched yet")
        return
    with failing.told("These values can't be launched yet"):
        run = launching.plan_of(request, workload)
        if not run.is_over:
            removing.wait(run, "The models are looked up, and the plan is being made.")
        elif run.error is not None:
            failing.draw(run.error, title="These values can't be launched yet")
            st.button("Try again", key="lch_again", on_click=launching.forget_plan, args=(request, workload))
        elif run.result is not None:
            launch_plan.draw(run.result)
            _draw_review(request, workload, run.result)


def _draw_review(request: Request, workload: Workload | None, plan: Plan) -> None:
    """Draw the review, for those who may launch."""
    if Role.OPERATIONS not in roles.held():
        st.info(
            f"You may plan. A launch takes the role **{Role.OPERATIONS}**: send this page's address, the launch file "
            "or the template to somebody who has it.",
            icon=":material/lock:",
        )
        return
    if st.button("Review the changes", key="lch_review", icon=":material/difference:", type="primary"):
        with failing.told("The changes can't be reviewed"):
            launching.review(request, workload, plan)
    waiting = launching.pending(launching.LAUNCH, launching.subject_of(plan))
    if waiting is None:
        st.caption("Compares the plan with what runs, by a change set. Nothing starts before its price is confirmed.")
    elif not waiting.run.is_over:
        removing.wait(waiting.run, "The plan is being compared with what runs.")
    elif waiting.run.error is not None:
        failing.draw(waiting.run.error, title="The changes can't be reviewed")
    elif waiting.run.result is not None:
        _draw_proposal(waiting.run.result.proposal, waiting.nonce)


def _draw_proposal(proposal: Proposal, nonce: str) -> None:
    with st.container(border=True):
        if proposal.is_empty:
            st.success("It runs just as planned; there is nothing to change.", icon=":material/check:")
            return
        st.markdown(f"**{_title(proposal)}**: {fmt.plain(_difference(proposal))}")
        changes = [one for one in proposal.changes if not one.is_of_tags_only]
        if changes:
            st.dataframe(
                _table(changes),
                hide_index=True,
                height="content",
                key="lch_changes",
                alt="Changes of the change set, resource by resource",
            )
        else:
            st.caption("Only tags change.")
        if st.button("Launch ..." if proposal.kind == CREATE else "Change ...", key="lch_launch", type="primary"):
            _confirm(proposal, nonce)


def _title(proposal: Proposal) -> str:
    name = fmt.plain(proposal.plan.request.name)
    return f"{name} is new" if proposal.kind == CREATE else f"{name} runs and would change"


def _difference(proposal: Proposal) -> str:
    """Say what an hour costs then, and what such an hour costs now."""
    after, difference = launch_words.hourly(proposal.price), proposal.usd_per_hour_difference
    if proposal.kind == CREATE or proposal.price.unpriced:
        return f"{after}."
    if difference is None:
        return f"{after}; what it costs now is not known."
    if difference == 0:
        return f"{after}, as now."
    more = "more" if difference > 0 else "less"
    return f"{after}, {launch_words.per_hour(abs(difference))} {more} than now."


def _table(changes: Sequence[Change]) -> pd.DataFrame:
    """Give the changes, a row for each property; without properties where only whole resources come and go."""
    frame = pd.DataFrame([row for one in changes for row in _rows(one)])
    return frame if any(one.properties for one in changes) else frame.drop(columns=["Property", "Before", "After"])


def _rows(change: Change) -> list[dict[str, Any]]:
    row = {
        "Resource": change.logical_id,
        "Type": change.type.removeprefix("AWS::"),
        "What": _ACTIONS.get(change.action, change.action)
        + (" (replaced)" if change.replacement in ("True", "Conditional") else ""),
    }
    if not change.properties:
        return [{**row, "Property": "", "Before": "", "After": ""}]
    return [
        {**row, "Property": one.path, "Before": one.before or "", "After": one.after or ""} for one in change.properties
    ]


@st.dialog("Confirm the price", icon=":material/payments:")
def _confirm(proposal: Proposal, nonce: str) -> None:
    plan, price, here = proposal.plan, proposal.price, cloud.here()
    month = fmt.usd(launch_words.per_month(launch_words.idle(plan)))
    st.markdown(f"**{fmt.plain(plan.request.name)}** in **{fmt.plain(here.title)}**")
    left, right = st.columns(2)
    left.metric(launch_words.hour(price), fmt.plain(launch_words.per_hour(price.known)))
    right.metric("A month, idle", fmt.plain(month))
    if price.unpriced:
        st.warning(
            f"No price is known for {fmt.plain(fmt.listed(price.unpriced))}: look it up before you confirm.",
            icon=":material/money_off:",
        )
    if plan.request.transform is not None:
        st.markdown(f"**{fmt.plain(_of_jobs(proposal, plan.request.transform.schedule))}**")
    elif plan.most_usd_per_hour != price.known:
        st.markdown(f"At most {fmt.plain(launch_words.per_hour(plan.most_usd_per_hour))} an hour, fully scaled out.")
    if plan.usd_per_1k_requests is not None:
        st.markdown(f"A thousand requests cost {fmt.plain(fmt.usd(plan.usd_per_1k_requests))}.")
    st.caption(_until(price.when, is_sandbox=here.is_sandbox))
    with st.container(horizontal=True, horizontal_alignment="right"):
        if st.button("Not now", key="lch_not_now"):
            st.rerun()
        if st.button(
            launch_words.confirm(price),
            key="lch_confirmed",
            type="primary",
            icon=":material/rocket_launch:",
        ):
            with failing.told("It was not launched"):
                launching.launch(nonce)
                watching.enter(plan.request.name)
                st.rerun()


def _of_jobs(proposal: Proposal, schedule: str | None) -> str:
    """Say when jobs start."""
    if schedule is not None:
        return f"A job starts at every time of {schedule} (UTC)."
    if proposal.starts_job:
        return "Its job starts at once."
    return "No job starts; the one of this launch was started before."


def _until(when: When, *, is_sandbox: bool) -> str:
    """Say how long it is billed: a time to live ends nothing by itself."""
    end = _ENDS[when]
    return f"In the sandbox nothing is billed. AWS would charge this {end}." if is_sandbox else f"It is billed {end}."
