"""How far an operation on a launch is: its steps as the stack tells them, asked again every second.

Nothing of it lies in this process: a reload, another tab or a restart shows the same.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Literal

import streamlit as st

from launch.launched import Event, Launched, Phase
from ui import cloud, failing, launch_words
from ui import format as fmt

POLL_S = 1.0
_DOING = {
    Phase.CREATING: "Creating {name}",
    Phase.UPDATING: "Updating {name}",
    Phase.ROLLING_BACK: "Rolling {name} back",
    Phase.REMOVING: "Removing {name}",
}
_DONE = {
    "CREATE_COMPLETE": "{name} was created",
    "UPDATE_COMPLETE": "{name} was updated",
    "UPDATE_ROLLBACK_COMPLETE": "The change of {name} failed and was taken back",
    "ROLLBACK_COMPLETE": "{name} could not be created; nothing is left of it",
    "DELETE_COMPLETE": "{name} is removed",
}
_SIGNS = (
    ("_FAILED", ":material/error: failed"),
    ("DELETE_COMPLETE", ":material/delete: deleted"),
    ("_COMPLETE", ":material/check: done"),
    ("_IN_PROGRESS", ":material/progress_activity: under way"),
)


def draw(seen: Launched) -> None:
    """Draw the last operation of a launch; one that is under way is watched until it rests."""
    if seen.is_at_rest or seen.phase is Phase.GONE:
        _draw_status(seen)
    else:
        _watch(seen.stack_id)


@st.fragment(run_every=POLL_S)
def _watch(stack_id: str) -> None:
    """Draw what the account says now; when nothing is under way any more, the whole page follows."""
    with failing.told("The account can't be asked how far it is"):
        seen = cloud.look(stack_id).value
        if seen is None or seen.is_at_rest or seen.phase is Phase.GONE:
            cloud.forget()
            st.rerun()
        else:
            _draw_status(seen)


def title(seen: Launched) -> str:
    """Say in a line what is being done, or what became of it.

    A stack that rests in a state of its own words is said in them.
    """
    if not seen.is_at_rest and seen.phase in _DOING:
        passed = launch_words.duration((datetime.now(UTC) - _begun(seen)).total_seconds())
        return f"{_DOING[seen.phase].format(name=seen.name)}, since {passed}"
    return _DONE.get(seen.status, "{name} rests in {status}").format(name=seen.name, status=seen.status)


def _draw_status(seen: Launched) -> None:
    state: Literal["running", "complete", "error"] = "running"
    if seen.is_at_rest or seen.phase is Phase.GONE:
        state = "error" if seen.phase is Phase.FAILED or seen.is_rolled_back else "complete"
    box = st.status(fmt.plain(title(seen)), state=state, expanded=state != "complete")
    box.markdown("\n".join(_lines(seen.events)) or "Nothing has happened yet.")  # leaving a `with` would complete it
    if seen.reason:
        failing.draw_reason(seen.reason, title="Why it failed")


def _begun(seen: Launched) -> datetime:
    return seen.events[0].at if seen.events else seen.updated or seen.created


def _lines(events: Sequence[Event]) -> list[str]:
    """Give one line for each resource, in the order in which they began, with its newest state."""
    newest: dict[str, Event] = {}
    for event in events:
        if not event.is_of_stack:
            newest[event.logical_id] = event
    return [
        f"- **{fmt.plain(event.logical_id)}** {fmt.plain(event.type.removeprefix('AWS::'))}: {_sign(event.status)}"
        for event in newest.values()
    ]


def _sign(status: str) -> str:
    return next((sign for end, sign in _SIGNS if status.endswith(end)), status)
