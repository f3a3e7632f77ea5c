"""What can go wrong between a browser and the decision engine, and how it is shown.

UiError
├── BrokenLinkError   the scenario in a link can't be read; whatever was open stays open
├── NotAllowedError   the person does not have the role for what was asked; nothing was done
└── SpentError        what was confirmed has been confirmed before, or is not what was shown; nothing was done
"""

import contextlib
import logging
import secrets
from collections.abc import Iterable, Iterator

import streamlit as st

from fitness.errors import Problem
from ui import format as fmt

_LOGGER = logging.getLogger("hostfit.ui")
_SCENARIO = "w"  # the query parameter of ui/state.py, which imports this module


class UiError(Exception):
    """Root of every error that this package raises on purpose."""


class BrokenLinkError(UiError):
    """The scenario in a link can't be read: cut off, changed, or made by another version."""


class NotAllowedError(UiError):
    """The person does not have the role for what was asked; nothing was done."""


class SpentError(UiError):
    """What was confirmed has been confirmed before, or is not what was shown; nothing was done."""


@contextlib.contextmanager
def boundary() -> Iterator[None]:
    """Draw whatever raises as a calm message with a reference; the log has the rest.

    The scenario stays in the link and in the session, so a person loses nothing by reloading.
    """
    try:
        yield
    except Exception:  # the one place where a page stops raising
        reference = secrets.token_hex(4)
        _LOGGER.exception("page failed reference=%s", reference)
        kept = "Your scenario is safe: it is in the address of this page. " if _SCENARIO in st.query_params else ""
        st.error(
            f"{kept}Reload the page; if this stays, report the reference `{reference}`, which the server log explains.",
            title="This page could not be drawn",
            icon=":material/error:",
        )


def show_problems(problems: Iterable[Problem], *, titles: dict[str, str], title: str) -> None:
    """Draw every wrong field at once: its title, its path, what is wrong.

    `titles` maps a path as a problem carries it to what the form calls that field.
    """
    lines = [
        f"- **{fmt.plain(titles.get(problem.path, 'The document'))}** `{problem.path.replace('`', ' ')}`: "
        f"{fmt.plain(problem.message)}"
        for problem in problems
    ]
    st.error("\n".join(lines), title=title, icon=":material/error:")
