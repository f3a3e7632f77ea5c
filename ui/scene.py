"""What is played on the Simulate page: options, their settings, traffic and a surge. Every choice is in the address."""

from collections.abc import Mapping
from dataclasses import dataclass

import streamlit as st

from fitness.analytic.settings import NUMBERS, ROUTINGS
from fitness.simulation.day import SURGE_S
from fitness.verdict import Verdict
from fitness.workload import Workload
from ui import data, whatif, words
from ui import format as fmt

NOTHING = "nothing"
MOST_SURGE = 10.0
MANY = {20_000: "20,000", 100_000: "100,000", 1_000_000: "1 million", 10_000_000: "10 million"}
REQUESTS = "requests"  # the key of how many are played
_DEFAULT_HOUR = 10
_INSTANCES = ("instance_type", "min_instances", "max_instances", "target_invocations_per_minute", "routing")
_SETTINGS: Mapping[str, tuple[str, ...]] = {
    "async": ("instance_type", "min_instances", "max_instances"),
    "batch": ("instance_type", "instances"),
    "serverless": ("memory_mb", "max_concurrency", "provisioned_concurrency"),
    "azure_functions": ("memory_mb", "max_concurrency"),
    "mme": _INSTANCES[:-1],
    "mme_gpu": _INSTANCES[:-1],
}
_LABELS = {
    "instance_type": "Instance type",
    "min_instances": "Fewest instances",
    "max_instances": "Most instances",
    "target_invocations_per_minute": "Target: requests a minute for each instance",
    "routing": "Routing",
    "instances": "Instances",
    "memory_mb": "Memory (MB)",
    "max_concurrency": "Most requests at once",
    "provisioned_concurrency": "Provisioned concurrency",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """What a person wants to see played: one or two options with their fixed settings, and a surge."""

    sides: tuple[tuple[str, Mapping[str, object]], ...]
    surge_factor: float
    surge_hour: int
    requests: int  # of the month


def draw(workload: Workload, verdict: Verdict) -> Scene:
    """Draw what can be chosen."""
    ids = [one.option.id for one in verdict.options]  # the eligible ones first
    with st.container(border=True):
        grid = st.grid(4, min_column_width=200)
        with grid.cell():
            first = st.selectbox(
                "Option", ids, format_func=words.option_title, key="option", bind="query-params", help="Best first."
            )
        with grid.cell():
            second = st.selectbox(
                "Beside it",
                [NOTHING, *ids],
                format_func=lambda one: "Nothing" if one == NOTHING else words.option_title(one),
                key="beside",
                bind="query-params",
                help="Another option, or the same one with other settings, on the same requests.",
            )
        with grid.cell():
            factor = st.slider(
                "Surge: times the traffic",
                min_value=1.0,
                max_value=MOST_SURGE,
                value=1.0,
                step=0.5,
                format="%gx",
                key="surge",
                bind="query-params",
                help=f"For {SURGE_S / 60:.0f} minutes. At 1 the day stays as it is.",
            )
        with grid.cell():
            hour = st.slider(
                "From the hour",
                min_value=0,
                max_value=23,
                value=_DEFAULT_HOUR,
                format="%d:00",
                key="hour",
                bind="query-params",
                disabled=factor <= 1,
                help="UTC.",
            )
        for path in whatif.RATES:
            with grid.cell():
                whatif.draw_rate(path, workload, area="sim")
        with grid.cell():
            requests = st.selectbox(
                "Requests of the month",
                list(MANY),
                index=list(MANY).index(data.MONTH_REQUESTS),
                format_func=MANY.__getitem__,
                key=REQUESTS,
                bind="query-params",
                help="How many are played for the month's figures. More make their bands narrower and take longer.",
            )
        chosen = [first] if second == NOTHING else [first, second]
        sides = [(option, _draw_settings(option, number)) for number, option in enumerate(chosen, start=1)]
    return Scene(sides=tuple(sides), surge_factor=factor, surge_hour=hour, requests=requests)


def _draw_settings(option: str, number: int) -> dict[str, object]:
    """Draw the settings of one side; what is left empty stays as proposed."""
    suffix = "" if number == 1 else f"_{number}"
    names = _SETTINGS.get(option, _INSTANCES)
    which = "" if number == 1 else " beside it"
    title = fmt.plain(words.option_title(option))
    with st.expander(f"Configuration{which}: **{title}**", key=f"sim_fix{suffix}"):
        grid = st.grid(min(len(names), 5), min_column_width=160)
        found: dict[str, object] = {}
        for name in names:
            with grid.cell():
                value = _draw_setting(name, f"{name}{suffix}")
            if value is not None:
                found[name] = value
    return found


def _draw_setting(name: str, key: str) -> object:
    label = _LABELS[name]
    if name in ("instance_type", "routing"):
        options = data.instance_names() if name == "instance_type" else ROUTINGS
        return st.selectbox(label, options, index=None, placeholder="As proposed", key=key, bind="query-params")
    low, high = NUMBERS[name]
    is_rate = name == "target_invocations_per_minute"
    return st.number_input(
        label,
        min_value=low if is_rate else int(low),
        max_value=high if is_rate else int(high),
        value=None,
        step=10.0 if is_rate else 1,
        placeholder="As proposed",
        key=key,
        bind="query-params",
    )
