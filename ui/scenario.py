"""A scenario as text for a link: everything that was declared, and nothing kept on a server.

The text is URL-safe base64 of zlib-compressed compact JSON of the workload file. It is part of the
public contract: a link made today opens the same scenario later.
"""

import base64
import binascii
import json
import zlib

from fitness import workload_file
from fitness.errors import InputError
from fitness.workload import Workload
from ui.errors import BrokenLinkError

MAX_LINK_CHARACTERS = 16_000  # far above any workload; browsers and proxies cut longer addresses
MAX_DOCUMENT_BYTES = 256 * 1024  # bounds what a hostile link may unpack to


def encode(workload: Workload) -> str:
    """Give the link text of a workload; equal workloads have equal text."""
    document = json.dumps(workload_file.to_dict(workload), separators=(",", ":"), ensure_ascii=False)
    packed = zlib.compress(document.encode(), level=9)
    return base64.urlsafe_b64encode(packed).rstrip(b"=").decode("ascii")


def decode(text: str) -> Workload:
    """Give the workload of a link text.

    Raises: BrokenLinkError saying what is wrong with the link, never what to type.
    """
    if len(text) > MAX_LINK_CHARACTERS:
        raise BrokenLinkError(f"it is {len(text):,} characters long, at most {MAX_LINK_CHARACTERS:,} are read")
    try:
        packed = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
        unpacker = zlib.decompressobj()
        document = unpacker.decompress(packed, MAX_DOCUMENT_BYTES)
    except (binascii.Error, ValueError, zlib.error) as err:
        raise BrokenLinkError("it was cut off or changed on its way") from err
    if not unpacker.eof:
        raise BrokenLinkError("it was cut off or changed on its way")
    try:
        workload = workload_file.read(document)
    except InputError as err:
        raise BrokenLinkError(f"it holds a scenario that can't be read: {err}") from err
    if workload.traffic.trace is not None:
        raise BrokenLinkError("it names a file with recorded arrivals, which only the command line can read")
    return workload
