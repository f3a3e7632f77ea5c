"""What to tell a person when the account refuses, or an action is not allowed: what happened and what to do."""

import json
from collections.abc import Iterator
from contextlib import contextmanager

import streamlit as st

from fitness.errors import InputError
from launch.errors import CloudError, LaunchError
from launch.failures import Failure, explain_reason
from ui import format as fmt
from ui.errors import NotAllowedError, SpentError


@contextmanager
def told(title: str) -> Iterator[None]:
    """Draw what goes wrong with an action or a question, instead of raising it."""
    try:
        yield
    except (LaunchError, InputError, NotAllowedError, SpentError) as err:
        draw(err, title=title)


def draw(err: Exception, *, title: str) -> None:
    """Draw an error that is raised on purpose; any other is raised again."""
    match err:
        case CloudError():
            draw_failure(err.failure, title=title)
        case InputError():
            lines = [f"- `{one.path.replace('`', ' ')}`: {fmt.plain(one.message)}" for one in err.problems]
            st.error("\n".join(lines), title=title, icon=":material/error:")
        case NotAllowedError():
            st.error(fmt.plain(fmt.sentence(str(err))), title=title, icon=":material/lock:")
        case LaunchError() | SpentError():
            st.error(fmt.plain(fmt.sentence(str(err))), title=title, icon=":material/error:")
        case _:
            raise err


def draw_failure(failure: Failure, *, title: str) -> None:
    """Draw what AWS refused, the way out, and the policy statement that would allow it."""
    text = fmt.plain(" ".join(part for part in (failure.said, failure.to_do) if part))
    if failure.is_passing:
        st.warning(text, title=title, icon=":material/cloud_off:")
    else:
        st.error(text, title=title, icon=":material/error:")
    if failure.statement is not None:
        st.code(json.dumps(failure.statement, indent=2), language="json")


def draw_reason(reason: str, *, title: str) -> None:
    """Draw why a resource of a stack failed."""
    draw_failure(explain_reason(reason), title=title)
