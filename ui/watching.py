"""What becomes of a launch after its confirmation: its steps, whether it runs as asked, and its first prediction."""

from collections.abc import Sequence

import streamlit as st

from launch import invoke
from launch.invoke import Answer, Call
from launch.launched import Launched, Phase
from launch.verify import Difference
from ui import cloud, failing, launching, removing, roles, steps
from ui import format as fmt
from ui.roles import Role

LAUNCH = "launch"  # the query parameter of the launch that is watched
_MOST_FIRST = 3  # containers, models or variants of several that are asked
_ENDPOINTS = "pages/operations/endpoints.py"
_POLL_S = 0.5


def enter(name: str) -> None:
    """Watch a launch; it is part of the address, so a reload goes on."""
    st.query_params[LAUNCH] = name


def leave() -> None:
    """Watch nothing."""
    st.query_params.pop(LAUNCH, None)


def draw(name: str) -> None:
    """Draw what became of the launch of a name, as the account knows it."""
    begun = launching.begun(name)
    if begun is not None and begun.run.error is not None:
        failing.draw(begun.run.error, title="It was not launched")
    seen = cloud.look(name).value
    is_here = seen is not None and (begun is None or begun.is_in(seen))
    if begun is not None and begun.run.error is None and not is_here:
        _wait_for_stack(name)
        return
    if seen is None:
        st.info(f"Nothing called {fmt.plain(name)} is in this account.", icon=":material/delete:")
        return
    steps.draw(seen)
    if seen.phase is Phase.LIVE:
        _draw_check(seen)
        if begun is not None and Role.OPERATIONS in roles.held():
            _draw_first(seen)
        st.page_link(
            _ENDPOINTS,
            label=f"Watch, call and change {fmt.plain(name)}",
            icon=":material/arrow_forward:",
            query_params={"name": name},
        )


@st.fragment(run_every=_POLL_S)
def _wait_for_stack(name: str) -> None:
    """Wait until the account shows what was begun: models may be on their way."""
    begun, seen = launching.begun(name), cloud.look(name).value
    if begun is None or begun.run.error is not None or (seen and begun.is_in(seen)):
        st.rerun()
    st.caption(":material/progress_activity: Uploading the models and starting.")


def _draw_check(seen: Launched) -> None:
    """Compare what runs with what was asked for; a change that was taken back in silence is seen here."""
    stacks = cloud.stacks(cloud.place())
    run = launching.background(("verify", seen.stack_id, seen.updated), lambda: stacks.verify(seen.name))
    if not run.is_over:
        removing.wait(run, "What runs is being compared with what was asked for.")
    elif run.error is not None:
        failing.draw(run.error, title="What runs could not be compared with what was asked for")
    elif run.result:
        _draw_differences(run.result)
    else:
        st.markdown(":green-badge[:material/verified: Verified] What runs is what was asked for, setting by setting.")


def _draw_differences(found: Sequence[Difference]) -> None:
    lines = "\n".join(f"- {fmt.plain(str(one))}" for one in found)
    st.error(lines, title="What runs is not what was asked for", icon=":material/error:")


def _draw_first(seen: Launched) -> None:
    """Ask the samples of a launch, once, and draw what they answer."""
    request = seen.request
    if request is None or request.option == "batch":
        return
    calls = invoke.examples(request, cloud.samples_here())[:_MOST_FIRST]
    if not calls:
        st.caption("Its first prediction takes a request of yours: call it on its page.")
        return
    clients = cloud.clients(cloud.place())

    def ask(call: Call) -> Answer:
        if request.option == "async":
            return invoke.invoke_async(clients, request, call)
        return invoke.invoke(clients, request.name, call)

    run = launching.background(("first", seen.stack_id, seen.updated), lambda: [(call, ask(call)) for call in calls])
    if not run.is_over:
        removing.wait(run, "The sample's own request is on its way.")
    elif run.error is not None:
        failing.draw(run.error, title="The first prediction failed")
    for call, answer in run.result or ():
        of_target = f" of {fmt.plain(call.target)}" if call.target else ""
        st.markdown(f"**First prediction**{of_target}, in {fmt.ms(answer.latency_s * 1_000)}")
        st.code(answer.text[:500], language=None, wrap_lines=True)
