"""Which functions are compiled for the machine, how, and where the compiled code is kept.

`@compiled()` marks a loop over requests. numba compiles it at its first call, without the interpreter's lock, and
keeps the result on disk. Where numba is off (NUMBA_DISABLE_JIT=1) or missing, the same text runs as plain Python and
gives the same counts: no rule of arithmetic below may change a rounding.
Source: docs/settings.md (where the compiled code is kept), docs/accuracy.md (what is checked).
"""

import hashlib
import os
import re
import shutil
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any, TypeVar, cast

try:
    numba: Any = import_module("numba")
except ImportError:  # a platform without numba: slower, not different
    numba = None

Function = TypeVar("Function", bound=Callable[..., Any])
Arguments = tuple[object, ...]

NEVER_S = 1e300  # a time that does not come; infinity itself is excluded by the fast arithmetic below

# No NaN, no infinity, no sign of zero: what lets the compiler use vector minima and maxima. Neither
# re-association nor fused multiply-add, which would round differently from plain Python.
_ARITHMETIC = {"nnan", "ninf", "nsz"}
_KEPT_VERSIONS = 8  # of the compiled code: a running process of an older version keeps finding its own
_VERSION_DIGITS = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Kernel:
    """A compiled function and calls, on small arrays, of every combination of types that it is called with."""

    function: Callable[..., Any]
    examples: Callable[[], Sequence[Arguments]]


KERNELS: list[Kernel] = []  # in the order in which modules list them; `warm` compiles them


def is_on() -> bool:
    """Whether functions are compiled; else the same text runs as plain Python."""
    return numba is not None and not numba.config.DISABLE_JIT


def compiled(
    examples: Callable[[], Sequence[Arguments]] | None = None, *, allocates: bool = True
) -> Callable[[Function], Function]:
    """Compile a function at its first call and keep the compiled code on disk.

    `examples` gives calls that compile it ahead of time; a function that only kernels call needs none. One that makes
    no arrays says so: then none is counted as in use either, which costs more than a step of a list.
    """

    def mark(function: Function) -> Function:
        made = _compile(function, is_part=examples is None, allocates=allocates) if is_on() else function
        if examples is not None:
            KERNELS.append(Kernel(function=made, examples=examples))
        return made

    return mark


def _compile(function: Function, *, is_part: bool, allocates: bool) -> Function:
    # A part is placed into each kernel that calls it: a call would cost more than most of them do.
    options: dict[str, Any] = {"fastmath": _ARITHMETIC, "error_model": "numpy"}
    made = numba.njit(nogil=True, cache=_keep(), forceinline=is_part, _nrt=allocates, **options)(function)
    return cast("Function", made)


@cache
def _keep() -> bool:
    """Choose the folder of the compiled code; false where none can be written, then each process compiles anew."""
    home = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    base = Path(numba.config.CACHE_DIR or f"{home}/hostfit/kernels").expanduser()
    folder = base / _version()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=folder).close()
        older = sorted(base.iterdir(), key=lambda path: path.stat().st_mtime)[:-_KEPT_VERSIONS]
    except OSError:
        return False
    numba.config.CACHE_DIR = str(folder)
    for path in older:
        if _is_version(path):
            shutil.rmtree(path, ignore_errors=True)
    return True


def is_kept() -> bool:
    """Whether any compiled code is on disk: without it, the first call of each function compiles for a while."""
    return _keep() and any(Path(numba.config.CACHE_DIR).rglob("*.nbc"))


def _version() -> str:
    """What the compiled code depends on: every file with kernels, as one may call what stands in another."""
    content = hashlib.sha256(f"{numba.__version__} {numba.config.BOUNDSCHECK}".encode())
    for file in sorted(Path(__file__).parent.glob("*.py")):
        text = file.read_bytes()
        if b"@compiled(" in text:
            content.update(text)
    return content.hexdigest()[:_VERSION_DIGITS]


def _is_version(path: Path) -> bool:
    """Whether a folder is one that this module made."""
    return re.fullmatch(rf"[0-9a-f]{{{_VERSION_DIGITS}}}", path.name) is not None and path.is_dir()
