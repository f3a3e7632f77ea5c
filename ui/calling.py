"""Asking a launched endpoint from the page: a sample's own request, typed text or a file."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass

import streamlit as st

from launch import invoke
from launch.fleets import fleets
from launch.invoke import Answer, Call
from launch.launched import Launched, Phase
from launch.models import MANY_MODELS
from launch.request import Request
from ui import cloud, failing, launching, roles
from ui import format as fmt
from ui.roles import Role
from ui.runs import Run

ANSWERS = (Phase.LIVE, Phase.UPDATING, Phase.ROLLING_BACK)  # phases in which an endpoint can be asked

_POLL_S = 0.5
_ASKED = "hostfit_asked"
_TYPES = ("text/csv", "application/json", "application/x-npy", "application/octet-stream", "text/plain")
_MOST_SHOWN = 20_000  # characters of an answer


@dataclass(frozen=True, slots=True, kw_only=True)
class _Asked:
    """The last request of this tab, and how far it is."""

    stack_id: str
    run: Run[Answer]


def draw(one: Launched) -> None:
    """Draw what to ask, and the answer."""
    if one.request is None or one.phase not in ANSWERS:
        st.write("It can be asked when it is live.")
        return
    call = draw_call(one.request, invoke.examples(one.request, cloud.samples_here()))
    if st.button("Ask", key="end_ask", type="primary", icon=":material/send:", disabled=not call.body):
        with failing.told("It was not asked"):
            ask(one, call)
    draw_answer(one)


def ask(one: Launched, call: Call) -> None:
    """Send a request in the background. Raises: NotAllowedError."""
    roles.require(Role.OPERATIONS)
    request, clients = one.request, cloud.clients(cloud.place())
    if request is None:
        return

    def work() -> Answer:
        if request.option == "async":
            return invoke.invoke_async(clients, request, call)
        return invoke.invoke(clients, request.name, call)

    run = launching.background(("ask", secrets.token_hex(8)), work)
    st.session_state[_ASKED] = _Asked(stack_id=one.stack_id, run=run)


def draw_call(request: Request, examples: Sequence[Call]) -> Call:
    """Draw the request that is sent, a sample's own at first."""
    target = _draw_target(request, examples)
    found = next((one for one in examples if target in (None, one.target)), None)
    key = f"end_{request.name}_{target or ''}"
    left, right = st.columns([1, 2])
    with left:
        types = list(dict.fromkeys([*([found.content_type] if found else []), *_TYPES]))
        content_type = st.selectbox("Content type", types, key=f"{key}_type", accept_new_options=True) or types[0]
        given = st.file_uploader("A file instead of the text", max_upload_size=6, key=f"{key}_upload")
    with right:
        text = st.text_area(
            "Request",
            value=found.body.decode() if found else "",
            placeholder="What the model takes, for example a line of numbers with commas.",
            height=170,
            key=f"{key}_text",
        )
    component = next((one.component for one in examples if one.component), None)
    return Call(
        body=given.getvalue() if given is not None else text.encode(),
        content_type=content_type,
        target_model=target if request.option in MANY_MODELS else None,
        target_container=target if request.option == "mce_direct" else None,
        target_variant=target if request.variants else None,
        component=component,
    )


def draw_answer(one: Launched) -> None:
    """Draw what came back for the last request of this tab."""
    asked = st.session_state.get(_ASKED)
    if not isinstance(asked, _Asked) or asked.stack_id != one.stack_id:
        return
    run = asked.run
    if not run.is_over:
        _wait(run)
    elif run.error is not None:
        failing.draw(run.error, title="It did not answer")
    elif run.result is not None:
        _draw_result(run.result, is_shared=one.request is not None and bool(one.request.variants))


def _draw_target(request: Request, examples: Sequence[Call]) -> str | None:
    """Draw which model, container or variant is asked, where there are several."""
    if request.option in MANY_MODELS:
        names = [one.target_model for one in examples if one.target_model]
        label = "Target model, the archive under the prefix"
        if names:
            return st.selectbox(label, names, key=f"end_{request.name}_model", accept_new_options=True)
        return st.text_input(label, placeholder="model.tar.gz", key=f"end_{request.name}_model") or None
    if request.option == "mce_direct":
        names = [model.name for model in request.models if model.name]
        return st.selectbox("Target container", names, key=f"end_{request.name}_container")
    if request.variants:
        names = [one.name for one in fleets(request)]
        return st.selectbox("Variant", names, index=None, placeholder="By weight", key=f"end_{request.name}_variant")
    return None


@st.fragment(run_every=_POLL_S)
def _wait(run: Run[Answer]) -> None:
    if run.is_over:
        st.rerun()
    st.caption(":material/progress_activity: Waiting for the answer.")


def _draw_result(answer: Answer, *, is_shared: bool) -> None:
    tried = f", {answer.attempts} attempts" if answer.attempts > 1 else ""
    by = f" by variant {fmt.plain(answer.variant)}" if is_shared and answer.variant else ""
    took = fmt.ms(answer.latency_s * 1_000)
    st.markdown(f":green-badge[:material/check: Answered]{by} in {took}{tried}, seen from here")
    st.code(answer.text[:_MOST_SHOWN] or "(empty)", language=None, wrap_lines=True)
    st.download_button(
        "Download the answer",
        data=answer.body,
        file_name="answer",
        mime=answer.content_type or "application/octet-stream",
        icon=":material/download:",
        on_click="ignore",
        key="end_answer",
    )
