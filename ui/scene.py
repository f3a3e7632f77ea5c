"""What is played on the Simulate page: options, traffic and a surge. Every choice is in the address."""

import contextlib
from collections.abc import Mapping
from dataclasses import dataclass

import streamlit as st

from fitness import outcome
from fitness.errors import InputError
from fitness.simulation.day import SURGE_S
from fitness.study import Played
from fitness.verdict import Verdict
from fitness.workload import Workload
from ui import configuration, data, stage, state, whatif, words
from ui.configuration import Side

NOTHING = "nothing"
MOST_SURGE = 10.0
MANY = {20_000: "20,000", 100_000: "100,000", 1_000_000: "1 million", 10_000_000: "10 million"}
REQUESTS = "requests"  # the key of how many are played
KEYS = ("option", "beside", "surge", "hour", REQUESTS)  # of what is chosen beside the configurations
_DEFAULT_HOUR = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """What a person wants to see played: one or two options as they are configured, and a surge."""

    sides: tuple[Side, ...]
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
        sides = [
            configuration.draw(*_proposed(workload, option, number), number=number)
            for number, option in enumerate(chosen, start=1)
        ]
    return Scene(sides=tuple(sides), surge_factor=factor, surge_hour=hour, requests=requests)


def play(option: str, config: Mapping[str, object]) -> None:
    """Put a configuration into the scene, alone, and open it; for a callback.

    The scene is not drawn then, so its widgets begin with what the address says.
    """
    for name in (*KEYS, *configuration.keys(1), *configuration.keys(2)):
        st.query_params.pop(name, None)
        st.session_state.pop(name, None)  # what was chosen here before outlives its widget
    st.query_params.update({"option": words.option_title(option), **configuration.parameters(option, config)})
    st.session_state[stage.VIEW] = stage.DAY
    st.rerun()


def _proposed(workload: Workload, option: str, number: int) -> tuple[Played, Mapping[str, object]]:
    """Give the option as it is proposed, and its settings that nobody has fixed.

    That is what was played last, if it was this option, or else what the formulas propose.
    """
    (shown,) = state.settled("simulate") or (None,)
    sides = shown.sides if isinstance(shown, Scene) else ()
    with contextlib.suppress(InputError):  # the side says so itself
        if number <= len(sides) and sides[number - 1].option == option and not sides[number - 1].problems:
            config = sides[number - 1].config
            found = data.settled_of(workload, option, config).configured(option)
            return found, {name: value for name, value in _settings(found).items() if name not in config}
    found = data.study_of(workload, {}).configured(option)
    return found, _settings(found)


def _settings(found: Played) -> Mapping[str, object]:
    return {} if found.outcome is None else outcome.configuration(found.outcome)
