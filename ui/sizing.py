"""The parts of the sizing of a multi-model endpoint: how much memory its models want."""

import streamlit as st

from fitness.verdict import Verdict
from fitness.workload import Workload
from ui import data
from ui import format as fmt

_MB_PER_GB = 1024


def draw(workload: Workload, verdict: Verdict) -> None:
    """Draw the memory that all models of the workload take together."""
    del verdict
    inputs = data.study_of(workload, {}).point
    models = float(inputs.units[0] * inputs.steps[0])
    each_gb = float(inputs.models.memory_mb[0]) / _MB_PER_GB
    st.metric("All models in memory", fmt.number(models * each_gb, "GB"), help=f"{fmt.number(models)} models.")
