"""The frame around every page: the registry of pages, sign-in, roles, and a process that stays quick."""

import functools
import gc
import importlib
from dataclasses import dataclass
from typing import Literal

import streamlit as st

from fitness.simulation import warm
from ui import account, cloud, data, roles
from ui import format as fmt
from ui.roles import Role

TITLE = "hostfit"

# A balance in a square; the word mark keeps its contrast on both surfaces. Drawn here because a
# Material icon of the browser tab would be fetched from another site.
_SIGN = (
    '<rect width="24" height="24" rx="5" fill="#0069A8"/>'
    '<path d="M12 5v13M8 19h8M5.5 8h13M5.5 8l-2 5h4zM18.5 8l-2 5h4z" stroke="#fff" '
    'stroke-width="1.5" fill="none" stroke-linejoin="round" stroke-linecap="round"/>'
)
ICON = f'<svg xmlns="http://www.w3.org/2000/svg" width="24" height="24" viewBox="0 0 24 24">{_SIGN}</svg>'
LOGO = (
    '<svg xmlns="http://www.w3.org/2000/svg" width="104" height="24" viewBox="0 0 104 24">'
    f'{_SIGN}<text x="32" y="18" font-family="sans-serif" font-size="18" font-weight="700" '
    'fill="#1F78B4">hostfit</text></svg>'
)

_REGION_KEY = "shell_region"
_WARM_IMPORTS = ("pandas", "plotly.graph_objects", "pyarrow")
# The pages that most people come for need no drop-down.
_SECTION_TITLES = {"architects": "", "operations": "Operations"}


@dataclass(frozen=True, slots=True, kw_only=True)
class _PageRow:
    """One page: who may open it and how the menu shows it; the file's stem is its address."""

    section: str  # the folder
    roles: frozenset[Role]  # any of them opens it
    name: str
    title: str
    icon: str
    help: str


_PAGES = (
    _PageRow(
        section="architects",
        roles=frozenset({Role.ARCHITECTS}),
        name="describe",
        title="Describe",
        icon=":material/edit_note:",
        help="Say what you know about a workload: from a preset, by five questions or as a file.",
    ),
    _PageRow(
        section="architects",
        roles=frozenset({Role.ARCHITECTS}),
        name="compare",
        title="Compare",
        icon=":material/balance:",
        help="The ten hosting options ranked for your workload, priced and explained.",
    ),
    _PageRow(
        section="architects",
        roles=frozenset({Role.ARCHITECTS}),
        name="simulate",
        title="Simulate",
        icon=":material/timeline:",
        help="A day of any option, request by request: latency, instances, cold starts and money over time.",
    ),
    _PageRow(
        section="architects",
        roles=frozenset({Role.ARCHITECTS}),
        name="limits",
        title="Limits",
        icon=":material/rule:",
        help="Every limit and price that an answer may rest on, with its source and date.",
    ),
    _PageRow(
        section="operations",
        roles=frozenset({Role.ARCHITECTS, Role.OPERATIONS}),
        name="launch",
        title="Launch",
        icon=":material/rocket_launch:",
        help="An option as a stack: its plan, its price, its permissions, and the launch itself.",
    ),
    _PageRow(
        section="operations",
        roles=frozenset({Role.OPERATIONS}),
        name="endpoints",
        title="Endpoints",
        icon=":material/dns:",
        help="What runs in the account: state, cost, traffic, a first call, changes and removal.",
    ),
)
_FIRST = _PAGES[0]


@functools.cache
def settle_heap() -> None:
    """Import what every page needs, then take it out of the garbage collector's sight, once.

    Without it a full collection walks some 400,000 long-lived objects and costs 60 to 250 ms of an
    interaction. The simulator compiles meanwhile, in a thread of its own.
    """
    for name in _WARM_IMPORTS:
        importlib.import_module(name)
    data.price_book()
    gc.collect()
    gc.freeze()
    warm.start()


def registry() -> dict[str, list[st.Page]]:
    """Give the pages by section; the first one is served at the root, those of other roles stand in no menu."""
    sections: dict[str, list[st.Page]] = {}
    held = roles.held()
    for row in _PAGES:
        sections.setdefault(_SECTION_TITLES[row.section], []).append(
            st.Page(
                f"pages/{row.section}/{row.name}.py",
                title=row.title,
                icon=row.icon,
                default=row is _FIRST,
                visibility="visible" if row.roles & held else "hidden",
                help=row.help,
            )
        )
    return sections


def brand() -> None:
    """Name the program above every page, before the menu would fetch an icon for the browser's tab."""
    st.set_page_config(page_title=TITLE, page_icon=ICON, layout="wide")
    st.logo(LOGO)


def name_tab(page: st.Page) -> None:
    """Name the page in the browser's tab."""
    st.set_page_config(page_title=f"{page.title} - {TITLE}")


def show_account() -> None:
    """Say which account the app talks to, where one is chosen, with the way to another."""
    choices = data.account_choices()
    if not choices:
        return
    current = cloud.here()
    with st.container(horizontal=True, horizontal_alignment="right"), st.popover(current.title, type="tertiary"):
        st.selectbox(
            "Account",
            choices,
            key=cloud.PROFILE_KEY,
            format_func=account.cloud_of,
            help="The sandbox imitates AWS on this machine. The others are the profiles of your AWS configuration.",
        )
        _draw_region()
        if current.problem:
            st.error(current.problem, icon=":material/cloud_off:")


def _draw_region() -> None:
    """Draw the choice of the Region, which may also be made elsewhere on a page."""
    st.session_state[_REGION_KEY] = cloud.place().region
    st.selectbox(
        "Region",
        data.price_book().regions,
        index=None,
        placeholder="The account's own",
        key=_REGION_KEY,
        on_change=lambda: cloud.go_to(st.session_state[_REGION_KEY]),
        help="Where operations look and launch.",
    )


def menu_position() -> Literal["top", "hidden"]:
    """Say where the menu is: nowhere until a person has signed in."""
    return "top" if signed_in() else "hidden"


def signed_in() -> bool:
    """Whether a person may enter: everybody on an installation without sign-in configured."""
    return roles.is_signed_in()


def sign_in_card() -> None:
    """Draw the way in."""
    with st.container(border=True, width=420):
        st.header(TITLE, anchor=False)
        st.write("Sign in to compare hosting options for a model.")
        st.button("Sign in", type="primary", key="shell_sign_in", on_click=st.login)


def require_role(page: st.Page) -> None:
    """Stop the page unless the person has one of the roles that open it."""
    wanted = next(row.roles for row in _PAGES if row.title == page.title)
    if wanted & roles.held():
        return
    names = " or ".join(f"**{role}**" for role in sorted(wanted))
    st.error(
        f"The page belongs to the role {names}, which {fmt.plain(roles.person())} does not have. "
        "Ask whoever runs this installation.",
        title="You can't open this page",
        icon=":material/lock:",
    )
    st.stop()
