"""A load test of a launched endpoint from the page: its bounds, how far it is, and the way into the workload.

It sends real requests, so the role is checked where it begins, and its bounds end it even when nobody watches.
"""

import math
import secrets
from collections.abc import Mapping
from dataclasses import dataclass

import streamlit as st

from fitness import workload_file
from fitness.fields import field
from fitness.simulation.progress import Progress
from launch import invoke
from launch import measure as testing
from launch.invoke import Call
from launch.launched import Launched
from launch.measure import Bounds
from launch.measured import Check, Measurement, into
from ui import calling, cloud, failing, roles, sources, state, tables_measured, words
from ui import format as fmt
from ui.cloud import Place
from ui.roles import Role
from ui.runs import Run, Runs, Stage

DESCRIBE_PAGE, COMPARE_PAGE = "pages/architects/describe.py", "pages/architects/compare.py"
WHY_NOT: Mapping[str, str] = {
    "serverless": "What a sandbox of a serverless endpoint does says nothing about an instance type.",
    "async": "The queue of an asynchronous endpoint hides how many requests it serves at once.",
    "batch": "A batch transform reads files and is not asked request by request.",
}

_MEANINGS: Mapping[str, str] = {
    "Processing time": "What the model takes for a request that is alone, the mean.",
    "Its variation": "Standard deviation over mean: 0 is always the same, 1 varies as waiting for chance events does.",
    "Served at once": "Requests that one instance works on at the same time, at the largest throughput that was seen.",
}
_MOST_CALLERS = 64  # a client has as many connections, launch/clients.py
_PARTS = 10  # a stage may use a tenth of the bounds, so that some are left for the others
_USUAL = Bounds()
_POLL_S = 0.5
_MS = 1000
_HELD = "hostfit_measured"


@dataclass(slots=True)
class _Doing:
    """What a load test is about to do."""

    what: str = "Looking at the endpoint"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Held:
    """The last load test of this tab."""

    stack_id: str
    place: Place
    bounds: Bounds
    run: Run[Measurement]
    doing: _Doing


def draw(one: Launched) -> None:
    """Draw the bounds of a load test, how far it is, and what it showed."""
    if (why := WHY_NOT.get(one.option or "")) is not None:
        st.info(why, title="This option can't be measured", icon=":material/block:")
        return
    if one.request is None or one.phase not in calling.ANSWERS:
        st.write("It can be measured when it is live.")
        return
    st.write(
        "How long the model works on a request, how much that varies, and how many requests an instance serves at "
        "once: measured values in place of assumed ones. One request is sent again and again, so give a typical one."
    )
    call = calling.draw_call(one.request, invoke.examples(one.request, cloud.samples_here()))
    bounds = _draw_bounds()
    st.markdown(costs(call, bounds))
    held = _held(one)
    if held is not None and not held.run.is_over:
        _watch(held)
        return
    if st.button("Measure", key="end_measure", type="primary", icon=":material/speed:", disabled=not call.body):
        with failing.told("It was not measured"):
            begin(one, call, bounds)
            st.rerun()
    if held is not None:
        _draw_end(held.run)


def begin(one: Launched, call: Call, bounds: Bounds) -> None:
    """Begin a load test in the background; one that this tab began before stops. Raises: NotAllowedError."""
    roles.require(Role.OPERATIONS)
    stop()
    place, doing = cloud.place(), _Doing()
    clients = cloud.clients(place)

    def work(progress: Progress) -> Measurement:
        def tell(what: str, share: float) -> None:
            progress(share, 1)
            doing.what = fmt.sentence(what).rstrip(".")

        found = testing.measure(clients, one.name, call, bounds=bounds, progress=tell)
        progress(1, 1)  # whoever stopped it in its last part gets no result either
        return found

    run = _runs().ask(secrets.token_hex(8), work, watcher=state.tab_id())
    st.session_state[_HELD] = _Held(stack_id=one.stack_id, place=place, bounds=bounds, run=run, doing=doing)


def stop() -> None:
    """Stop the load test of this tab, if one is under way."""
    _runs().leave(watcher=state.tab_id())


def costs(call: Call, bounds: Bounds) -> str:
    """Say what a load test sends and what that costs, in Markdown."""
    size = f"{len(call.body):,} bytes" if call.body else "the bytes above"
    bill = (
        "In the sandbox nothing is billed, and what is measured is this machine: good for trying, not for deciding."
        if cloud.here().is_sandbox
        else "They are on the bill like any others, and so are instances that its scaling adds because of them."
    )
    return (
        f"**What it sends:** at most {bounds.requests:,} real requests of {size} in {bounds.seconds:g} s, "
        f"{bounds.callers} at once or fewer. Others who ask the endpoint meanwhile wait longer. {bill}"
    )


def _held(one: Launched) -> _Held | None:
    """Give the load test of this tab, if it is one of this launch in this account."""
    found = st.session_state.get(_HELD)
    is_own = isinstance(found, _Held) and found.stack_id == one.stack_id and found.place == cloud.place()
    return found if is_own else None


def _draw_bounds() -> Bounds:
    """Draw where a load test ends, whatever it has found."""
    with st.grid(4, min_column_width=150):
        requests = st.number_input(
            "Most requests",
            min_value=200,
            max_value=100_000,
            value=_USUAL.requests,
            step=100,
            key="end_measure_requests",
            help="Requests in all. With fewer the intervals are wider.",
        )
        seconds = st.number_input(
            "Longest time (s)",
            min_value=20,
            max_value=900,
            value=int(_USUAL.seconds),
            step=10,
            key="end_measure_seconds",
            help="Seconds in all. A slow model needs more, for each number of requests at once takes some answers.",
        )
        callers = st.number_input(
            "Most at once (requests)",
            min_value=1,
            max_value=_MOST_CALLERS,
            value=_USUAL.callers,
            step=1,
            key="end_measure_callers",
            help="It begins with one request at once and doubles that until more bring nothing, or to this number.",
        )
        objective = st.number_input(
            "Stop above (ms)",
            min_value=1.0,
            value=testing.objective_ms(state.draft().workload),
            placeholder="no objective",
            key="end_measure_objective",
            help="No more requests at once are tried when 99 % of the answers take longer than this. Empty: go on. "
            "It begins with the latency objective of the workload.",
        )
    return Bounds(
        requests=int(requests),
        seconds=float(seconds),
        callers=int(callers),
        stage_requests=min(_USUAL.stage_requests, int(requests) // _PARTS),
        stage_seconds=min(_USUAL.stage_seconds, float(seconds) / _PARTS),
        objective_ms=objective,
    )


@st.fragment(run_every=_POLL_S)
def _watch(held: _Held) -> None:
    """Draw the bar; when the load test is over, the whole page follows."""
    if held.run.is_over:
        st.rerun()
    is_waiting = held.run.stage is Stage.WAITING
    doing = "Waiting for another load test of this app" if is_waiting else held.doing.what
    with st.container(border=True, horizontal=True, vertical_alignment="center"):
        st.progress(held.run.share, text=f"{fmt.plain(doing)}; the bar is the share of its bounds that is used")
        st.button(
            "Stop",
            key="end_measure_stop",
            icon=":material/stop:",
            on_click=stop,
            help=f"What is under way ends first: at most {held.bounds.stage_seconds:g} s.",
        )
    st.caption("It goes on to its bounds when you leave this page, and its result waits here.")


def _draw_end(run: Run[Measurement]) -> None:
    """Draw how a load test ended."""
    if run.stage is Stage.STOPPED:
        st.info("Its answers are not kept. Measure again when you like.", title="Stopped", icon=":material/stop:")
    elif run.error is not None:
        failing.draw(run.error, title="It could not be measured")
    elif run.result is not None:
        _draw_result(run.result)


def _draw_result(found: Measurement) -> None:
    st.subheader("What was measured", anchor=False)
    per = "" if found.instances == 1 else f", {found.instances} instances"
    st.caption(
        fmt.plain(
            f"{found.requests:,} requests in {found.seconds:.0f} s on {found.instance_type}{per}. "
            f"It ended because of this: {found.stopped}. Intervals hold 95 %."
        )
    )
    with st.grid(3, min_column_width=190):
        for title, figure, unit, shown in (
            ("Processing time", found.processing_s.times(_MS), "ms", fmt.ms(found.processing_s.value * _MS)),
            ("Its variation", found.cv, "", f"{found.cv.value:.2f}"),
            ("Served at once", found.concurrency, "", f"{found.concurrency.value:.1f}"),
        ):
            with st.container(gap=None):
                st.metric(title, shown, help=_MEANINGS[title])
                st.caption(tables_measured.interval(figure, unit))
    for note in found.notes:
        st.caption(f":material/info: {fmt.plain(note)}")
    _draw_check(found.check)
    with st.expander("More and more requests at once", key="end_measure_stages"):
        st.dataframe(
            tables_measured.stages(found.stages),
            hide_index=True,
            height="content",
            key="end_measure_stage_table",
            alt="The stages of the load test: requests at once, answers, errors, answers a second and latency",
        )
    _draw_ways_on(found)


def _draw_check(check: Check | None) -> None:
    st.subheader("Does the simulator foretell it?", anchor=False)
    if check is None:
        st.write("Not tried: the bounds were used up before the random arrivals, or nothing was answered in time.")
        return
    st.write(
        f"Random arrivals at {check.rps:,.1f} a second, {check.requests:,} requests. The simulator played the very "
        "same arrivals with what was measured above."
    )
    st.dataframe(
        tables_measured.beside(check),
        hide_index=True,
        height="content",
        key="end_measure_check",
        alt="Time to the answer, measured and simulated, for 50, 95 and 99 % of the requests",
    )
    if check.late_p99_s * _MS >= 1:
        st.caption(f"99 % of them were sent at most {fmt.ms(check.late_p99_s * _MS)} late.")


def _draw_ways_on(found: Measurement) -> None:
    """Draw what to do with the values: into the scenario of this tab, or into a file."""
    st.subheader("Use it", anchor=False)
    values = found.values
    workload = state.draft().workload
    titles = fmt.listed(
        [f"{words.field_title(path)} {fmt.value(value, _unit(path))}" for path, value in values.items()]
    )
    if workload is None:
        st.write(f"No workload is described in this tab. For a workload file: {fmt.plain(titles)}.")
        st.page_link(DESCRIBE_PAGE, label="Describe a workload", icon=":material/edit_note:")
        return
    if into(workload, found).declared() == workload.declared():
        st.success(
            f"{fmt.plain(workload.name)} has these values, marked as measured.",
            title="In the workload",
            icon=":material/check:",
        )
        link = state.link_parameters()
        st.page_link(COMPARE_PAGE, label="Compare with it", icon=":material/balance:", query_params=link)
        return
    st.write(f"In **{fmt.plain(workload.name)}**, the workload of this tab: {fmt.plain(titles)}.")
    with st.container(horizontal=True, vertical_alignment="center"):
        st.button(
            "Put it into the workload",
            key="end_measure_use",
            type="primary",
            icon=":material/input:",
            on_click=_use,
            args=(found,),
            help="The values are marked as measured, with the day and the endpoint. You can undo it on Describe.",
        )
        st.download_button(
            "Download the workload with it",
            data=workload_file.write(into(workload, found), comments=True),
            file_name=f"{sources.file_stem(workload)}.yaml",
            mime="application/yaml",
            icon=":material/download:",
            on_click="ignore",
            key="end_measure_download",
        )


def _unit(path: str) -> str:
    unit = field(path).unit
    return "" if unit in (None, "ratio") else unit


def _use(found: Measurement) -> None:
    workload = state.draft().workload
    if workload is not None:
        state.replace(into(workload, found))


@st.cache_resource(max_entries=1, show_spinner=False)
def _runs() -> Runs[Measurement]:
    """One at a time, since two would measure each other; its bounds end it, watched or not."""
    return Runs(at_once=1, forgotten_s=math.inf)
