"""Patterns that users write, matched where they can do no harm: some take longer than anyone can wait."""

import json
import re
import subprocess
import sys
from collections.abc import Sequence
from typing import Final

from sandbox.services.cloudformation.document import Invalid

_LONGEST_S: Final = 5.0  # most of it is for starting Python on a busy machine
# Values go by way of stdin, since they may be secret and arguments can be seen.
_CHILD: Final = (
    "import json, re, sys; pattern, texts = json.load(sys.stdin); "
    "json.dump([re.fullmatch(pattern, text) is not None for text in texts], sys.stdout)"
)


def matches(pattern: str, texts: Sequence[str]) -> list[bool]:
    """Say of each text whether all of it matches. Raises: Invalid if that can't be said within a few seconds.

    Python's matching backtracks and holds up every other thread meanwhile, so a process of its own does it. RE2,
    which doesn't backtrack, has no look-ahead, and templates use that. A pattern with one repetition and no choice
    goes back over each character once at most, and is matched here.
    """
    if "|" not in pattern and sum(pattern.count(mark) for mark in "*+?{") <= 1:
        return [re.fullmatch(pattern, text) is not None for text in texts]
    try:
        ended = subprocess.run(  # noqa: S603 (our own interpreter and program)
            [sys.executable, "-I", "-S", "-c", _CHILD],
            input=json.dumps([pattern, texts]),
            text=True,
            timeout=_LONGEST_S,
            capture_output=True,
            check=True,
        )
    except subprocess.TimeoutExpired as err:
        raise Invalid(f"Template error: AllowedPattern {pattern} takes too long to match") from err
    found: list[bool] = json.loads(ended.stdout)
    return found
