"""The part of the comparison that shows where another option becomes the best."""

import time
from functools import partial

import streamlit as st

from fitness.flips import TOGETHER, Axis
from fitness.measured import measured_fields
from fitness.sensitivity import SEARCHED
from fitness.verdict import Verdict
from fitness.workload import Workload
from ui import charts, charts_flips, data, state, tables, whatif, words

_DESCRIBE = "pages/architects/describe.py"
_QUICK_S = 0.2  # what is known already needs no progress bar


def draw(verdict: Verdict) -> None:
    """Draw the fields along which the best option changes, those along which it does not, and those not declared."""
    workload = verdict.workload
    status = st.empty()
    if not verdict.draws:
        status.caption("The ranking is simulated first; its flips follow.")
        return
    axes = _walk(workload, status)
    turning = sorted((one for one in axes if one.flips), key=charts_flips.nearest)
    if turning:
        status.caption(
            "Each band follows one field while the others stay. A stroke is where another option leads by 2 %; "
            "the triangle is your workload. Fields with the nearest change come first."
        )
        _draw_bands(verdict, turning)
    else:
        stays = "the best option stays" if verdict.best else "no option becomes feasible"
        status.info(
            f"However one of these fields changes within its usual range, {stays}.",
            title="Nothing changes the best option",
            icon=":material/verified:",
        )
    _draw_undeclared(workload, [axis.field for axis in axes])
    if axes:
        st.table(
            tables.flips(
                [*turning, *(one for one in axes if not one.flips)],
                assumed=_assumed(verdict),
                measured=frozenset(measured_fields(workload)),
            ),
            border="horizontal",
            hide_index=True,
            alt="Every field with its value and where another option becomes the best",
        )
    if any(axis.field in TOGETHER for axis in axes):
        st.caption("With the mean of the requests their peak moves too and keeps its ratio.")


def _walk(workload: Workload, status: st.delta_generator.DeltaGenerator) -> list[Axis]:
    """Follow the fields one by one; a further move of a slider interrupts."""
    paths = data.flip_fields(workload)
    begun_s = time.monotonic()
    axes: list[Axis] = []
    for done, path in enumerate(paths):
        follow, draw = partial(data.axis_of, workload, path), partial(_draw_progress, status, done, paths)
        whatif.wait_for(follow, draw=draw if time.monotonic() - begun_s > _QUICK_S else status.empty)
        axes.append(data.axis_of(workload, path))
    return axes


def _draw_progress(status: st.delta_generator.DeltaGenerator, done: int, paths: tuple[str, ...]) -> None:
    title = words.field_title(paths[done]).lower()
    status.progress(done / len(paths), text=f"Following {title} ({done + 1} of {len(paths)})")


def _draw_bands(verdict: Verdict, axes: list[Axis]) -> None:
    ranks = {one.option.id: rank for rank, one in enumerate(verdict.options, start=1)}
    st.plotly_chart(
        charts_flips.bands(
            axes, ranks=ranks, assumed=_assumed(verdict), measured=frozenset(measured_fields(verdict.workload))
        ),
        config=charts.CONFIG,
        key="cmp_flips",
        alt=charts_flips.bands_alt(axes),
    )


def _draw_undeclared(workload: Workload, followed: list[str]) -> None:
    """Link to the objectives that nobody declared: without a value there is nothing to follow."""
    absent = [path for path in SEARCHED if path not in followed and workload.get(path) is None]
    absent = [path for path in absent if path.startswith("objectives.")]
    if not absent:
        return
    st.caption("Not declared, so there is no value to follow them from")
    with st.container(horizontal=True):
        for path in absent:
            st.page_link(
                _DESCRIBE,
                label=words.field_title(path),
                icon=":material/help:",
                query_params=state.link_parameters(ask=path),
                help=f"Declare {path} on the Describe page.",
            )


def _assumed(verdict: Verdict) -> frozenset[str]:
    return frozenset(path for one in verdict.options for path in one.assumed)
