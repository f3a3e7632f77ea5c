"""What an endpoint did in the last hour, asked of CloudWatch again and again."""

from collections.abc import Mapping, Sequence

import streamlit as st

from launch.metrics import Metrics
from ui import charts, charts_endpoints, cloud, failing
from ui import format as fmt

_EVERY_S = 5
_BUSY = "In the last minute with requests."
# What an option has beside what all have: the title, how its last value reads, and what it means.
_LAST: Mapping[str, tuple[str, str]] = {
    "cache_hit_ratio": (
        "Found in memory",
        "Requests whose model was loaded, in the last minute with requests.",
    ),
    "model_wait_p99_ms": ("99 % waited", "For their model to be loaded, in the last minute with requests."),
    "backlog": ("In the queue", "Requests that wait or are at work."),
}


@st.fragment(run_every=_EVERY_S)
def draw(name: str, option: str, variants: Sequence[str]) -> None:
    """Draw the last hour, of one variant where there are several; a figure changes only with its data."""
    variant = variants[0]
    if len(variants) > 1:
        variant = st.segmented_control("Variant", variants, default=variant, required=True, key=f"end_{name}_of")
    with failing.told("CloudWatch can't be asked"):
        seen = cloud.metrics_of(name, option, variant)
        _draw_figures(seen.value)
        if not seen.value.has_traffic:
            st.caption("Nothing was asked in the last hour. Call it, and the figures follow within a minute.")
        left, right = st.columns(2)
        left.plotly_chart(
            charts_endpoints.requests(seen.value),
            config=charts.CONFIG,
            key="end_requests",
            alt=charts_endpoints.requests_alt(seen.value),
        )
        right.plotly_chart(
            charts_endpoints.latency(seen.value),
            config=charts.CONFIG,
            key="end_latency",
            alt=charts_endpoints.latency_alt(seen.value),
        )
        measured = " Measured on this machine, not on AWS." if cloud.here().is_sandbox else ""
        st.caption(f"From CloudWatch, as of {seen.at:%H:%M:%S} UTC.{measured}")


def _draw_figures(metrics: Metrics) -> None:
    with st.grid(6, min_column_width=110):
        st.metric("Requests, last hour", f"{metrics.total('requests'):,.0f}")
        st.metric("Errors", f"{metrics.total('errors_4xx') + metrics.total('errors_5xx'):,.0f}")
        st.metric("50 % within", fmt.ms(metrics.last("model_p50_ms")), help=f"The model's own time. {_BUSY}")
        st.metric("99 % within", fmt.ms(metrics.last("model_p99_ms")), help=f"The model's own time. {_BUSY}")
        if "cold_starts" in metrics.values:
            st.metric("Cold starts", f"{metrics.total('cold_starts'):,.0f}", help="In the last hour.")
        for name, (title, meaning) in _LAST.items():
            if name in metrics.values:
                st.metric(title, _shown(name, metrics.last(name)), help=meaning)


def _shown(name: str, value: float | None) -> str:
    if name.endswith("_ratio"):
        return fmt.percent(value)
    return fmt.ms(value) if name.endswith("_ms") else fmt.number(value)
