"""The transform jobs of a batch launch: what ran, what came out, and a further run once its price is confirmed."""

from collections.abc import Mapping

import pandas as pd
import streamlit as st

from launch.jobs import Job
from launch.launched import Launched, Phase
from ui import cloud, failing, launch_words, launching
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
    elif st.button("Run a job ...", key="end_job", icon=":material/play_arrow:"):
        with failing.told("A job can't be run"):
            launching.price_job(one)
            _confirm(one)
    _watch(one.stack_id)


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
def _confirm(one: Launched) -> None:
    waiting = launching.pending(launching.JOB, one.stack_id)
    if waiting is None or waiting.run.result is None:
        st.write("Its price is not known; close this and try again.")
        return
    st.markdown(
        f"It reads the input of **{fmt.plain(one.name)}** again. An hour of it costs "
        f"{fmt.plain(launch_words.per_hour(waiting.run.result.usd_per_hour))}; it is billed until the job ends."
    )
    if st.button("Run it", key="end_job_confirmed", type="primary"):
        with failing.told("The job was not started"):
            launching.run_job(waiting.nonce)
            st.rerun()
