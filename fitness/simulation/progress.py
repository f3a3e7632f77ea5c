"""How far long work has come, and how its caller stops it.

Whoever starts long work may pass a `Progress`: a function that is called between parts, with how much is done and how
much there is in all, in whatever unit the work has. Nothing else is asked of it: it may draw a bar, or look whether
somebody pressed a button and raise `Stopped`. The work then ends at once, gives nothing and changes nothing.

    def progress(done: float, total: float) -> None:
        job.share = done / total
        if job.is_cancelled:
            raise Stopped

`done` never falls, ends at `total`, and may be a fraction where a part has parts of its own. A part is at most one
window of a month's stream; a recording that is played whole is one window of seconds.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

Progress = Callable[[float, float], None]  # done, total
Item = TypeVar("Item")


class Stopped(Exception):  # noqa: N818 no error: somebody wanted it so
    """Raised by a `Progress` to end the work that calls it."""


def unwatched(_done: float, _total: float) -> None:
    """The progress of work that nobody watches."""


def watched(items: Sequence[Item], progress: Progress) -> Iterator[Item]:
    """Give the items one after the other, and tell before each and after the last how many are done.

    >>> list(watched("ab", lambda done, total: print(f"{done:g} of {total:g}")))
    0 of 2
    1 of 2
    2 of 2
    ['a', 'b']
    """
    for done, item in enumerate(items):
        progress(done, len(items))
        yield item
    progress(len(items), len(items))


def within(progress: Progress, part: int, parts: int) -> Progress:
    """The progress of one part of `parts` equal ones; `part` counts from 0.

    >>> within(lambda done, total: print(f"{done:g} of {total:g}"), 2, 8)(1, 2)
    2.5 of 8
    """

    def tell(done: float, total: float) -> None:
        progress(part + done / total if total else part + 1, parts)

    return tell
