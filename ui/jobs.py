"""The transform jobs of a batch launch: what ran, what came out, and a further run once its price is confirmed."""

from collections.abc import Mapping

import pandas as pd
import streamlit as st

from launch.jobs import Job
from launch.launched import Launched, Phase
from launch.runs import FurtherRun
from ui import cloud, failing, launch_words, launching, removing
from ui import format as fmt

_EVERY_S = 2
_MOST_SHOWN = 5_000  # characters of a result
_SIGNS: Mapping[str, str] = {
    "InProgress": "↻ Running",
    "Stopping": "↻ Stopping",
    "Stopped": "○ Stopped",
    "Completed": "✓ Completed",
    "Failed": "✕ Failed",
}


def draw(one: Launched) -> None:
    """Draw the jobs, and the way to a further run."""
    request = one.request
    if request is None or one.phase is not Phase.LIVE:
        st.write("Jobs can run when the launch is live.")
        return
    if request.transform is not None and request.transform.schedule is not None:
        st.write(f"Jobs begin by themselves: `{request.transform.schedule}` (UTC).")
    else:
        _draw_further(one)
    _watch(one.stack_id)


def _draw_further(one: Launched) -> None:
    """Draw the way to a further run: what it is and costs comes first."""
    if st.button("Price a further job", key="end_job", icon=":material/play_arrow:"):
        with failing.told("A job can't be run"):
            launching.preview_run(one)
    begun, waiting = launching.begun(one.name), launching.pending(launching.JOB, one.stack_id)
    if waiting is None:
        if begun is not None and begun.run.error is not None:
            failing.draw(begun.run.error, title="The last action on it failed")
    elif not waiting.run.is_over:
        removing.wait(waiting.run, "Its jobs and its price are looked up.")
    elif waiting.run.error is not None:
        failing.draw(waiting.run.error, title="A job can't be run")
    elif waiting.run.result is not None:
        run = waiting.run.result
        with st.container(border=True):
            st.markdown(f"**{fmt.plain(run.job)}**: {fmt.plain(launch_words.hourly(run.price))}")
            if st.button("Run it ...", key="end_job_now", type="primary"):
                _confirm(run, waiting.nonce)


@st.fragment(run_every=_EVERY_S)
def _watch(stack_id: str) -> None:
    """Draw the jobs, again and again."""
    with failing.told("The account can't be asked for jobs"):
        seen = cloud.look(stack_id).value
        if seen is None or seen.request is None:
            return
        found = cloud.jobs_of(seen.request)
        if not found.value:
            st.caption("No job has run yet.")
            return
        st.dataframe(
            pd.DataFrame([_row(one) for one in found.value]),
            hide_index=True,
            height="content",
            key="end_jobs",
            alt="Jobs, the newest first, with state, duration and output",
        )
        newest = found.value[0]
        if newest.reason:
            failing.draw_reason(newest.reason, title="Why the newest job failed")
        for key, body in cloud.output_of(newest).items():
            st.caption(f"Output of the newest job: {fmt.plain(key)}")
            st.code(body.decode("utf-8", "replace")[:_MOST_SHOWN] or "(empty)", language=None, wrap_lines=True)


def _row(one: Job) -> dict[str, str]:
    ended = one.ended
    return {
        "Job": one.name,
        "State": _SIGNS.get(one.status, one.status),
        "Begun": launch_words.moment(one.created),
        "Took": launch_words.duration((ended - one.created).total_seconds()) if ended else "",
        "Output": one.output_s3,
    }


@st.dialog("Run a job now?", icon=":material/play_arrow:")
def _confirm(run: FurtherRun, nonce: str) -> None:
    st.markdown(
        f"It reads the input of **{fmt.plain(run.name)}** again. It costs "
        f"{fmt.plain(launch_words.hourly(run.price))}, and is billed until it ends."
    )
    with st.container(horizontal=True, horizontal_alignment="right"):
        if st.button("Not now", key="end_job_not_now"):
            launching.drop(launching.JOB)
            st.rerun()
        if st.button(launch_words.confirm(run.price), key="end_job_confirmed", type="primary"):
            with failing.told("The job was not started"):
                launching.run_job(nonce)
                st.rerun()
