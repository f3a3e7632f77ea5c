"""A plan as a person reads it before confirming: what is made, what it costs, what it takes, what can't be undone."""

import json

import pandas as pd
import streamlit as st

from fitness.bill import Bill
from launch.permissions import policy
from launch.plan import Plan
from ui import cloud, launch_export, launch_words, tables
from ui import format as fmt

_CONFIRMED = " This is the price that a launch confirms."


def draw(plan: Plan) -> None:
    """Draw the plan."""
    _draw_price(plan)
    _draw_list("What can't be undone", plan.irreversible)
    _draw_list("Good to know", plan.notes)
    with st.expander(f"Resources ({len(plan.resources)})", icon=":material/account_tree:", key="lch_resources"):
        st.dataframe(
            pd.DataFrame(
                [
                    {
                        "Resource": one.logical_id,
                        "Type": one.type.removeprefix("AWS::"),
                        "Billed": "yes" if one.is_billed else "no",
                        "For": one.about,
                        "Name": one.name or "generated",
                    }
                    for one in plan.resources
                ]
            ),
            hide_index=True,
            height="content",
            key="lch_resource_table",
            alt="Resources of the stack with their types and what they are for",
        )
    with st.expander("Receipt of the price", icon=":material/receipt_long:", key="lch_receipt"):
        _draw_bill("An hour in which nothing is asked", plan.idle, key="hour")
        if plan.to_confirm.is_of_job:
            _draw_bill("An hour while a job runs", plan.hour, key="job")
        if plan.month is not None:
            _draw_bill("A month with the workload's traffic", plan.month, key="month")
    with st.expander("Permissions that it takes", icon=":material/key:", key="lch_permissions"):
        _draw_permissions(plan)
    launch_export.draw(plan)


def _draw_price(plan: Plan) -> None:
    is_of_job = plan.to_confirm.is_of_job
    with st.grid(4, min_column_width=130):
        st.metric(
            "An hour, idle",
            fmt.plain(launch_words.per_hour(launch_words.idle(plan))),
            help="What is billed while nothing is asked." + ("" if is_of_job else _CONFIRMED),
        )
        st.metric(
            "A month, idle", fmt.plain(fmt.usd(launch_words.per_month(launch_words.idle(plan)))), help="730 hours."
        )
        if is_of_job:
            st.metric(
                launch_words.hour(plan.to_confirm),
                fmt.plain(launch_words.per_hour(plan.to_confirm.known)),
                help="All instances of one job, while it runs." + _CONFIRMED,
            )
        else:
            st.metric(
                "An hour, at most",
                fmt.plain(launch_words.per_hour(plan.most_usd_per_hour)),
                help="With as many instances as scaling may start. Requests that are paid one by one come on top.",
            )
        if plan.month is not None:
            st.metric("A month, in use", fmt.plain(fmt.usd(plan.month.total)), help="As the workload declares it.")
        elif plan.usd_per_1k_requests is not None:
            st.metric("A thousand requests", fmt.plain(fmt.usd(plan.usd_per_1k_requests)))
    missing = sorted({*plan.idle.missing, *plan.to_confirm.unpriced, *(plan.month.missing if plan.month else ())})
    if missing:
        st.warning(
            f"No price is known for {fmt.plain(fmt.listed(missing))}. The sums leave it out.",
            title="The price is incomplete",
            icon=":material/money_off:",
        )


def _draw_list(title: str, sentences: tuple[str, ...]) -> None:
    if sentences:
        lines = "\n".join(f"- {fmt.plain(fmt.sentence(cloud.filled(one)))}" for one in sentences)
        st.markdown(f"**{title}**\n\n{lines}")


def _draw_bill(title: str, bill: Bill, *, key: str) -> None:
    is_month = key == "month"
    total = fmt.cents(bill.total) if is_month else launch_words.per_hour(bill.exact_total)
    st.markdown(f"**{title}: {fmt.plain(total)}**")
    if not bill.lines:
        st.write("Nothing is billed.")
        return
    frame = tables.bill(bill).rename(columns={"A month": "Amount"})
    if not is_month:
        frame["Amount"] = [launch_words.per_hour(line.usd) for line in bill.lines]
    st.dataframe(
        frame,
        column_config=tables.bill_columns(),
        hide_index=True,
        height="content",
        key=f"lch_bill_{key}",
        alt=f"{title}, line by line with unit price and source",
    )
    for note in bill.notes:
        st.caption(fmt.plain(note))


def _draw_permissions(plan: Plan) -> None:
    st.write("Whoever launches needs these. The role of the containers gets its own, in the template.")
    st.table(
        pd.DataFrame(
            [
                {
                    "Why": fmt.plain(fmt.sentence(one.why)),
                    "Actions": fmt.plain(", ".join(one.actions)),
                    "On": fmt.plain(", ".join(one.resources)),
                }
                for one in plan.permissions
            ]
        ),
        border="horizontal",
        hide_index=True,
        alt="Permissions with the actions, the resources and the reason",
    )
    account = cloud.here().id
    if account is not None:
        st.download_button(
            "As an IAM policy",
            data=json.dumps(policy(plan.permissions, account=account), indent=2),
            file_name=f"{plan.request.name}-policy.json",
            mime="application/json",
            icon=":material/download:",
            on_click="ignore",
            key="lch_policy",
        )
