"""Uploads of recorded arrivals: what may be uploaded, and how its times are read."""

import zoneinfo
from collections.abc import Callable, Mapping
from functools import cache

import streamlit as st

from fitness.trace import Trace
from ui import data

MOST_MB = 20  # read while the person waits
_UTC = "UTC"
_UNITS: Mapping[str, str | None] = {
    "What they look like": None,
    "Hours": "h",
    "Minutes": "min",
    "Seconds": "s",
    "Milliseconds": "ms",
    "Microseconds": "us",
    "Nanoseconds": "ns",
}


def draw(label: str, *, key: str, help: str, on_change: Callable[[], None] | None = None) -> bool:  # noqa: A002
    """Draw an upload and, once there is one, how its times are read. Gives whether there is one."""
    upload = st.file_uploader(
        label, type=["csv", "parquet"], max_upload_size=MOST_MB, key=key, help=help, on_change=on_change
    )
    if upload is None:
        return False
    zone, unit = st.columns(2)
    zone.selectbox(
        "Time zone",
        _zones(),
        key=_zone_key(key),
        help="Of times that don't say theirs. Counts by the minute and numbers need none.",
        on_change=on_change,
    )
    unit.selectbox(
        "Times that are numbers count",
        list(_UNITS),
        key=_unit_key(key),
        help="Since 1970, or since the recording began.",
        on_change=on_change,
    )
    return True


def read(key: str) -> tuple[str, Trace] | None:
    """Read what was uploaded, for this visit alone, and give its name with it; None where nothing is.

    Raises: InputError with up to 20 wrong rows, or with the reason why nothing can be read.
    """
    upload = st.session_state.get(key)
    if upload is None:
        return None
    zone = str(st.session_state.get(_zone_key(key), _UTC))
    unit = _UNITS.get(str(st.session_state.get(_unit_key(key))))
    found = data.recording_of(upload.getvalue(), upload.name, zone=None if zone == _UTC else zone, unit=unit)
    return upload.name, found


@cache
def _zones() -> tuple[str, ...]:
    return (_UTC, *sorted(zoneinfo.available_timezones() - {_UTC, "localtime", "Factory"}))


def _zone_key(key: str) -> str:
    return f"{key}_zone"


def _unit_key(key: str) -> str:
    return f"{key}_unit"
