"""Where a scenario comes from and goes to: presets, the workload file, a link, going back."""

from urllib.parse import urlsplit, urlunsplit

import streamlit as st

from fitness import presets, workload_file
from fitness.errors import InputError, Problem
from fitness.workload import Workload
from ui import errors, form, recording, scenario, state
from ui import format as fmt

MAX_FILE_MB = 1

_TRACE = "traffic.trace"
_ARRIVALS = "dsc_arrivals"
_ARRIVAL_PROBLEMS = "dsc_arrivals_problems"
_ARRIVAL_NOTES = "dsc_arrivals_notes"
_GALLERY = "dsc_gallery"
_PROBLEMS = "dsc_file_problems"  # of the last document that was refused, and the scenario that it was refused for


def draw_gallery(*, is_open: bool) -> None:
    """Draw the presets; one click opens a complete scenario to change."""
    gallery = st.expander(
        "Start from a workload you know",
        expanded=is_open,
        icon=":material/lightbulb:",
        key=_GALLERY,
        on_change="rerun",
    )
    if not gallery.open:
        return
    with gallery:
        grid = st.grid(4, min_column_width=240, gap=("medium", "small"))
    for preset in presets.PRESETS:
        with grid.container(gap="xsmall"):
            st.button(
                fmt.plain(preset.title),
                key=f"dsc_preset_{preset.id}",
                width="stretch",
                wrap=True,
                on_click=_open_preset,
                args=(preset.id,),
            )
            st.caption(fmt.plain(preset.summary))


def draw_actions(draft: state.Draft) -> None:
    """Draw what can be done with the whole scenario: share, download, start again, go back."""
    with st.container(horizontal=True, vertical_alignment="center"):
        with st.popover("Share", icon=":material/link:", disabled=draft.workload is None):
            st.write("This address holds the whole scenario. Nothing is stored on the server.")
            st.code(address(draft.workload), language=None, wrap_lines=True)
        st.download_button(
            "Download YAML",
            data=workload_file.write(draft.workload, comments=True) if draft.workload else "",
            file_name=f"{file_stem(draft.workload)}.yaml",
            mime="application/yaml",
            icon=":material/download:",
            disabled=draft.workload is None,
            on_click="ignore",
            key="dsc_download",
        )
        st.button(
            "Start again",
            icon=":material/restart_alt:",
            key="dsc_reset",
            disabled=draft.is_empty and not draft.declared,
            help="Make every field unknown. You can undo it.",
            on_click=state.reset,
        )
        if state.can_undo():
            st.button(
                "Undo",
                icon=":material/undo:",
                key="dsc_undo",
                help="Bring back the scenario before the last preset, file or new start.",
                on_click=state.undo,
            )


def draw_file(draft: state.Draft) -> None:
    """Draw the workload file as text: the same file that the command line reads and writes."""
    st.write(
        "The same file as `python -m fitness recommend` reads. Paste or change it here, "
        "or upload one; nothing is taken over while something in it is wrong."
    )
    text = workload_file.write(draft.workload) if draft.workload else ""
    key = f"dsc_file_text_{state.generation()}"
    form.seed_once(key, text, version=text)
    left, right = st.columns([2, 1])
    with left:
        st.text_area("Workload file (YAML or JSON)", height=320, key=key)
        st.button(
            "Use this text",
            type="primary",
            icon=":material/check:",
            key="dsc_file_apply",
            on_click=_open_text,
            args=(key,),
        )
    right.file_uploader(
        "Upload a workload file",
        type=["yaml", "yml", "json"],
        max_upload_size=MAX_FILE_MB,
        key="dsc_file_upload",
        on_change=_open_upload,
    )
    generation, problems = st.session_state.get(_PROBLEMS, (None, ()))
    if problems and generation == state.generation():  # another scenario has been opened since
        errors.show_problems(problems, titles=form.titles(), title="The file was not taken over")


def draw_arrivals() -> None:
    """Draw the upload of recorded arrivals: a browser can't name a file, so its numbers are declared."""
    recording.draw(
        "Or take the traffic from recorded arrivals (CSV or Parquet)",
        key=_ARRIVALS,
        help="Columns timestamp[,count], or one count a minute. The mean, the busiest minute and the share of idle "
        "hours are declared; the recording itself is not kept, because a link can't carry it.",
        on_change=_read_arrivals,
    )
    problems: tuple[Problem, ...] = st.session_state.get(_ARRIVAL_PROBLEMS, ())
    if problems:
        errors.show_problems(problems, titles={}, title="The recording can't be used")
    for note in st.session_state.get(_ARRIVAL_NOTES, ()):
        st.caption(fmt.plain(note))


def address(workload: Workload | None) -> str:
    """Give the address that opens a scenario; where this page is served is asked from the browser."""
    here = urlsplit(st.context.url or "")
    link = scenario.encode(workload) if workload else ""
    return urlunsplit((here.scheme, here.netloc, here.path or "/", f"{state.LINK}={link}", ""))


def file_stem(workload: Workload | None) -> str:
    """Give a file name for a scenario: its name in letters, digits and dashes."""
    name = workload.name if workload else state.DEFAULT_NAME
    kept = "".join(letter if letter.isalnum() else "-" for letter in name.lower())
    return "-".join(part for part in kept.split("-") if part)[:60] or state.DEFAULT_NAME


def _open_preset(identifier: str) -> None:
    state.replace(presets.load(identifier))
    st.session_state[_GALLERY] = False


def _open_text(key: str) -> None:
    _open_document(st.session_state.get(key) or "")


def _open_upload() -> None:
    upload = st.session_state.get("dsc_file_upload")
    if upload is not None:
        _open_document(upload.getvalue())


def _open_document(document: str | bytes) -> None:
    """Take a document over, or keep its problems to be shown."""
    try:
        opened = workload_file.read(document)
    except InputError as err:
        st.session_state[_PROBLEMS] = (state.generation(), err.problems)
        return
    if opened.get(_TRACE) is not None:
        st.session_state[_PROBLEMS] = (state.generation(), (_trace_problem(),))
        return
    st.session_state.pop(_PROBLEMS, None)
    state.replace(opened)


def _read_arrivals() -> None:
    """Declare the traffic of an uploaded recording, or keep its problems to be shown."""
    st.session_state.pop(_ARRIVAL_PROBLEMS, None)
    st.session_state.pop(_ARRIVAL_NOTES, None)
    try:
        read = recording.read(_ARRIVALS)
    except InputError as err:
        st.session_state[_ARRIVAL_PROBLEMS] = err.problems
        return
    if read is None:
        return
    name, recorded = read
    st.session_state[_ARRIVAL_NOTES] = (
        f"Read {recorded.counts.size:,} minutes of {name}: mean, peak and idle hours are declared.",
        *recorded.notes,
    )
    state.declare(
        {
            "traffic.rps_mean": float(f"{recorded.rps_mean:.6g}"),
            "traffic.rps_peak": float(f"{recorded.rps_peak:.6g}"),
            "traffic.idle_ratio": float(f"{recorded.idle_ratio:.6g}"),
        }
    )


def _trace_problem() -> Problem:
    return Problem(
        path=f"$.{_TRACE}",
        message="names a file on your machine, which a browser can't read; remove the line and "
        "upload the recorded arrivals in the Traffic tab",
    )
