"""What one browser tab holds: the scenario that is being described, and how to go back.

The scenario lives in the address as `w` (see ui/scenario.py). The tab keeps what the address can't:
values that are not valid yet, and the scenarios before the last big changes. Nothing is kept for
anybody else, and nothing outlives the tab.
"""

import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import NoReturn

import streamlit as st

from fitness.errors import InputError, Problem
from fitness.workload import Workload
from ui import format as fmt
from ui import scenario
from ui.errors import BrokenLinkError

LINK = "w"  # the query parameter of the scenario; public, keep it stable
ASK = "ask"  # the query parameter of the field that a verdict wants to know
DEFAULT_NAME = "my-workload"
UNDO_STEPS = 20
STALE_LINK_S = 2.0  # an address this old in the browser is no longer a late message but a choice

_TAB = "hostfit_tab"


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A scenario while it is being described: it may be empty or wrong."""

    declared: Mapping[str, object]  # field path -> value; absent is unknown
    workload: Workload | None  # None: nothing is declared, or something is wrong
    problems: tuple[Problem, ...]

    @property
    def is_empty(self) -> bool:
        """Whether nothing but a name is declared."""
        return not self.declared.keys() - {"name", "version"}


EMPTY = Draft(declared=MappingProxyType({}), workload=None, problems=())


@dataclass(slots=True, kw_only=True)
class _Tab:
    """The state of one tab; only this module touches it."""

    draft: Draft = EMPTY
    link: str | None = None  # of the last valid draft
    written_s: float = 0.0  # when the link was last written to the address
    is_ours: bool = False  # a callback of this run wrote the address, so it says nothing of the browser's
    is_acknowledged: bool = True  # the browser has sent that link back
    broken_link: str | None = None
    settled: dict[str, tuple[object, ...]] = field(default_factory=dict)  # by page: the link, and what else was asked
    undo: list[Mapping[str, object]] | None = None
    id: str = field(default_factory=lambda: secrets.token_hex(8))
    generation: int = 0


def draft() -> Draft:
    """Give the scenario of this tab, after reading what the address says; a page asks once a run."""
    tab = _tab()
    _follow_address(tab)
    return tab.draft


def workload() -> Workload:
    """Give the valid workload of this tab, or draw where to describe one and stop the page."""
    current = draft()
    draw_broken_link()
    if current.workload is None:
        _invite(current)
    return current.workload


def declared() -> Mapping[str, object]:
    """Give what is declared in this tab, for a callback."""
    return _tab().draft.declared


def declare(changes: Mapping[str, object]) -> None:
    """Change some fields; None makes a field unknown again."""
    tab = _tab()
    declared = {path: tab.draft.declared.get(path) for path in tab.draft.declared} | dict(changes)
    _adopt(tab, {path: value for path, value in declared.items() if value is not None})


def replace(new: Workload) -> None:
    """Put another scenario in place of this one; `undo` brings it back."""
    tab = _tab()
    tab.generation += 1
    _remember(tab)
    _adopt(tab, new.declared())


def reset() -> None:
    """Forget the scenario; `undo` brings it back."""
    tab = _tab()
    tab.generation += 1
    _remember(tab)
    _adopt(tab, {})


def undo() -> None:
    """Bring back the scenario before the last replacement or reset."""
    tab = _tab()
    if tab.undo:
        tab.generation += 1
        _adopt(tab, tab.undo.pop())


def can_undo() -> bool:
    """Whether there is a scenario to go back to."""
    return bool(_tab().undo)


def generation() -> int:
    """Count the scenarios that this tab has opened; edits of one scenario don't count."""
    return _tab().generation


def is_settled(page: str, *asked: object) -> bool:
    """Whether the full answer of a page to this scenario has been shown in this tab before.

    `asked` is what the page shows of the scenario, if that can differ.
    """
    tab = _tab()
    return tab.settled.get(page) == (tab.link, *asked)


def settled(page: str) -> tuple[object, ...] | None:
    """Give what was asked of a page when its full answer to this scenario was shown last; None: it was not."""
    tab = _tab()
    link, *asked = tab.settled.get(page, (None,))
    return tuple(asked) if asked and link == tab.link else None


def has_settled(page: str) -> bool:
    """Whether the full answer of a page to any scenario has been shown in this tab."""
    return page in _tab().settled


def settle(page: str, *asked: object) -> None:
    """Say that the full answer of a page is ready, and draw the page again with it."""
    tab = _tab()
    tab.settled[page] = (tab.link, *asked)
    st.rerun()


def tab_id() -> str:
    """Give a name that no other tab has."""
    return _tab().id


def draw_broken_link() -> None:
    """Say what was wrong with the last link, if it could not be read; what was open before is still open."""
    tab = _tab()
    if tab.broken_link is None:
        return
    next_step = "start from a preset or from five questions" if tab.draft.is_empty else "go on with yours, as it was"
    st.warning(
        f"The scenario in the link can't be opened: {fmt.plain(tab.broken_link)}. "
        f"Ask for the link again, or {next_step}.",
        title="This link is broken",
        icon=":material/link_off:",
    )
    st.button("Dismiss", key="shell_dismiss_link", on_click=_dismiss_broken_link)


def asked_field() -> str | None:
    """Give the path of the field that the link asks for, as a verdict's next question."""
    return st.query_params.get(ASK)


def link_parameters(*, ask: str | None = None) -> dict[str, str]:
    """Give the query parameters that carry the scenario to another page."""
    link = _tab().link
    return ({LINK: link} if link else {}) | ({ASK: ask} if ask else {})


def _tab() -> _Tab:
    if _TAB not in st.session_state:
        st.session_state[_TAB] = _Tab()
    tab: _Tab = st.session_state[_TAB]
    return tab


def _dismiss_broken_link() -> None:
    _tab().broken_link = None


def _invite(current: Draft) -> NoReturn:
    """Say why there is nothing to show yet and where to go, and stop the page."""
    if current.problems:
        st.warning(
            f"{len(current.problems)} of the declared values can't be used yet. They are marked on the Describe page.",
            title="This workload is not finished",
            icon=":material/edit_note:",
        )
    elif _tab().broken_link is None:
        st.info(
            "Start from a workload that you know, or answer five questions. "
            "Everything that you leave out stays unknown, and the answer says what that costs.",
            title="No workload is described yet",
            icon=":material/edit_note:",
        )
    st.page_link(
        "pages/architects/describe.py",
        label="Describe a workload",
        icon=":material/arrow_back:",
        query_params=link_parameters(),
    )
    st.stop()


def _follow_address(tab: _Tab) -> None:
    """Take the scenario of the address where a person chose it, else write ours there.

    A message of the browser may be older than our last change: it left before the new address
    arrived. Such a late address differs from ours, was not acknowledged and is young: it is not a
    choice. Going back in the history, or opening a link, is.
    """
    if tab.is_ours:
        tab.is_ours = False
        return
    seen = st.query_params.get(LINK)
    if seen == tab.link:
        tab.is_acknowledged = True
        return
    is_late = not tab.is_acknowledged and time.monotonic() - tab.written_s < STALE_LINK_S
    if seen is not None and not is_late:
        try:
            opened = scenario.decode(seen)
        except BrokenLinkError as err:
            tab.broken_link = str(err)
        else:
            tab.broken_link = None
            tab.draft = _draft_of(opened.declared())
            tab.generation += 1
            tab.link, tab.is_acknowledged = seen, True
            return
    _write_address(tab)
    tab.is_ours = False


def _adopt(tab: _Tab, declared: Mapping[str, object]) -> None:
    tab.broken_link = None  # a person went on without it
    tab.draft = _draft_of(declared)
    if tab.draft.workload is not None:
        tab.link = scenario.encode(tab.draft.workload)
    elif not tab.draft.declared:
        tab.link = None
    _write_address(tab)


def _write_address(tab: _Tab) -> None:
    if tab.link is None:
        st.query_params.pop(LINK, None)
    elif st.query_params.get(LINK) != tab.link:
        st.query_params[LINK] = tab.link
    tab.written_s, tab.is_acknowledged, tab.is_ours = time.monotonic(), False, True


def _remember(tab: _Tab) -> None:
    if tab.draft.is_empty:
        return
    tab.undo = [*(tab.undo or []), tab.draft.declared][-UNDO_STEPS:]


def _draft_of(declared: Mapping[str, object]) -> Draft:
    if not declared:
        return EMPTY
    named = declared if declared.get("name") else {"name": DEFAULT_NAME, **declared}
    try:
        valid = Workload.from_values(named)
    except InputError as err:
        return Draft(declared=MappingProxyType(dict(named)), workload=None, problems=err.problems)
    return Draft(declared=MappingProxyType(valid.declared()), workload=valid, problems=())
