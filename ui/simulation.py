"""The parts of the Simulate page: what is played, and what became of it."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import plotly.graph_objects as go
import streamlit as st

from fitness.analytic.settings import NUMBERS, ROUTINGS
from fitness.errors import InputError
from fitness.simulation.day import SURGE_S, Course
from fitness.simulation.play import Simulation
from fitness.study import Study
from fitness.verdict import Verdict
from fitness.workload import Workload
from ui import charts, charts_simulation, data, tables_simulation, words
from ui import format as fmt

NOTHING = "nothing"
MOST_SURGE = 10.0
BEFORE_S, AFTER_S = 1800.0, 5400.0  # what is shown around a surge
_DAY_S = 86_400.0
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Act:
    """One option that was played."""

    label: str
    work: Study
    month: Simulation
    day: Course


def draw_controls(verdict: Verdict) -> Scene:
    """Draw what can be chosen; every choice is part of the address."""
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
        chosen = [first] if second == NOTHING else [first, second]
        sides = [(option, _draw_settings(option, number)) for number, option in enumerate(chosen, start=1)]
    return Scene(sides=tuple(sides), surge_factor=factor, surge_hour=hour)


def draw(workload: Workload, verdict: Verdict, scene: Scene) -> None:
    """Play the scene and draw what became of it."""
    if not data.is_simulator_ready():
        with st.spinner("Compiling the simulator. The first time after an installation this takes half a minute."):
            data.wait_for_simulator()
    with st.spinner("Playing the day"):
        acts = [_play(workload, option, config, scene) for option, config in scene.sides]
    labels = _labels([option for option, _ in scene.sides])
    found = [
        Act(label=label, work=act[0], month=act[1], day=act[2])
        for label, act in zip(labels, acts, strict=True)
        if not isinstance(act, InputError)
    ]
    scales = _scales(workload, [act.day for act in found], scene)
    played = iter(found)
    places = st.columns(2) if len(acts) > 1 else [st.container()]
    for number, (place, (option, config), act, label) in enumerate(zip(places, scene.sides, acts, labels, strict=True)):
        with place:
            _draw_heading(verdict, option, label, fixed=len(config))
            if isinstance(act, InputError):
                reasons = "; ".join(str(problem) for problem in act.problems)
                st.error(fmt.plain(fmt.sentence(reasons)), title="This can't be played", icon=":material/block:")
            else:
                _draw_metrics(one := next(played))
                _draw_day(one.day, scales, key=f"sim_{number + 1}", is_alone=len(acts) == 1)
    if found:
        _draw_month(found)
        _draw_basis(verdict, found)


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


def _play(
    workload: Workload, option: str, config: Mapping[str, object], scene: Scene
) -> tuple[Study, Simulation, Course] | InputError:
    try:
        return (
            data.study_of(workload, config),
            data.simulation_of(workload, option, config),
            data.day_of(workload, option, config, surge_factor=scene.surge_factor, surge_hour=scene.surge_hour),
        )
    except InputError as err:
        return err


def _labels(options: Sequence[str]) -> list[str]:
    """Give the titles of the options; the same one twice is told apart."""
    titles = [words.option_title(option) for option in options]
    return titles if len(set(titles)) == len(titles) else [f"{title} {at}" for at, title in enumerate(titles, 1)]


def _draw_heading(verdict: Verdict, option: str, label: str, *, fixed: int) -> None:
    result = verdict.option(option)
    st.subheader(fmt.plain(label), anchor=False)
    settings = f":blue-badge[{fixed} {'setting' if fixed == 1 else 'settings'} fixed]" if fixed else ""
    st.markdown(f"{words.STATUS[result.status].badge} {settings}")
    note = fmt.sentence(words.obstacle(result)) or words.STATUS[result.status].meaning
    played = " It is played all the same." if result.status == "infeasible" else ""
    st.caption(f"{fmt.plain(note)}{played}")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Scales:
    """Axes that two sides share, so that equal heights are equal numbers."""

    window_s: tuple[float, float]
    most_rps: float
    most_instances: float
    most_usd: float
    most_trouble: float
    range_ms: tuple[float, float]
    lines: tuple[tuple[str, float], ...]


def _scales(workload: Workload, courses: Sequence[Course], scene: Scene) -> _Scales:
    """Give the axes for these days; a job has a time of its own, and so axes of its own."""
    days = [one for one in courses if not one.is_job]
    lines = tuple(charts.latency_lines(workload))
    known_ms = [one.latency_ms[np.isfinite(one.latency_ms)] for one in days]
    ends_ms = np.concatenate([*known_ms, [limit_s * 1_000 for _, limit_s in lines]])
    return _Scales(
        window_s=_window(days, scene),
        most_rps=max((float(one.arrivals.max()) / 60 for one in days), default=1.0),
        most_instances=max((_most_on_the_right(one) for one in days), default=1.0),
        most_usd=max((float(one.usd[-1]) for one in days if math.isfinite(float(one.usd[-1]))), default=1.0),
        most_trouble=max((float((one.cold + one.refused + one.timed_out).max(initial=0)) for one in days), default=0.0),
        range_ms=(float(ends_ms.min()), float(ends_ms.max())) if ends_ms.size else (1.0, 1_000.0),
        lines=lines,
    )


def _scales_of_job(course: Course, scales: _Scales) -> _Scales:
    return replace(
        scales,
        window_s=(0.0, course.arrivals.size * 60.0),
        most_rps=float(course.arrivals.max()) / 60,
        most_instances=_most_on_the_right(course),
        most_usd=float(course.usd[-1]),
    )


def _draw_day(course: Course, scales: _Scales, *, key: str, is_alone: bool) -> None:
    """Draw the series of one side: in two columns if there is no other side."""
    if course.is_job:
        scales = _scales_of_job(course, scales)
    cells = st.columns(2) if is_alone else [st.container()] * 2
    with cells[0]:
        st.markdown("**Traffic and concurrency**" if course.ready is None else "**Traffic and instances**")
        traffic = charts_simulation.traffic(
            course, window_s=scales.window_s, most_rps=scales.most_rps, most_instances=scales.most_instances
        )
        _draw_chart(traffic, f"{key}_traffic", charts_simulation.traffic_alt(course))
    with cells[1]:
        st.markdown("**Time to the answer**")
        if course.is_job:
            st.write(f"A job has one answer: its end, after {fmt.ms(course.end_s * 1_000)}.")
        else:
            latency = charts_simulation.latency(
                course, window_s=scales.window_s, range_ms=scales.range_ms, lines=scales.lines
            )
            _draw_chart(latency, f"{key}_latency", charts_simulation.latency_alt(course))
    with cells[0]:
        st.markdown("**Cold starts, refusals, time-outs**")
        if course.is_job or not (course.cold + course.refused + course.timed_out).any():
            st.write("None in the part that was played.")
        else:
            trouble = charts_simulation.trouble(course, window_s=scales.window_s, most=scales.most_trouble)
            _draw_chart(trouble, f"{key}_trouble", charts_simulation.trouble_alt(course))
    with cells[1]:
        st.markdown("**Money**")
        if math.isfinite(float(course.usd[-1])):
            money = charts_simulation.money(course, window_s=scales.window_s, most_usd=scales.most_usd)
            _draw_chart(money, f"{key}_money", charts_simulation.money_alt(course))
        else:
            st.write("No price is known for a part of it.")


def _draw_chart(figure: go.Figure, key: str, alt: str) -> None:
    st.plotly_chart(figure, config=charts.CONFIG, key=key, alt=alt)


def _window(days: Sequence[Course], scene: Scene) -> tuple[float, float]:
    """Give the time that the charts show: around the surge, else what was played of the day."""
    if scene.surge_factor > 1:
        start_s = scene.surge_hour * 3600.0
        return max(0.0, start_s - BEFORE_S), min(_DAY_S, start_s + SURGE_S + AFTER_S)
    start_s = min((one.start_s for one in days), default=0.0)
    end_s = max((one.end_s for one in days), default=_DAY_S)
    is_whole = end_s - start_s >= _DAY_S / 2
    return (0.0, max(end_s, _DAY_S)) if is_whole else (max(0.0, start_s - BEFORE_S), end_s + BEFORE_S)


def _most_on_the_right(course: Course) -> float:
    if course.paid is None or course.ready is None:
        return float(course.inside.max(initial=1))
    return max(1.0, float(course.paid.max()), float(course.ready.max()))


def _draw_month(acts: Sequence[Act]) -> None:
    """Draw the figures of the whole month, simulated and by the formulas."""
    st.header("The month, beside the formulas", anchor=False)
    st.table(
        tables_simulation.figures([(act.label, act.work, act.month) for act in acts]),
        border="horizontal",
        hide_index=True,
        alt="Figures of the month, simulated with their 95 % bands, and by the formulas of Compare",
    )


def _draw_metrics(act: Act) -> None:
    bands, outcome = act.month.bands, act.month.outcome
    cold = charts_simulation.cold_name(act.month.option).removeprefix("Model ").capitalize()
    st.markdown("**The month, without a surge**")
    with st.grid(5, min_column_width=88):
        st.metric(
            "99 % within",
            fmt.ms(bands["p99_ms"].value),
            help=f"95 % band of the simulation: {fmt.ms(bands['p99_ms'].low)} to {fmt.ms(bands['p99_ms'].high)}.",
        )
        st.metric("Late", fmt.percent(tables_simulation.late_ratio(act.work, outcome)), help="After the objective.")
        st.metric(
            "Dropped",
            fmt.percent(float(outcome.dropped_ratio[0])),
            help=f"Refused {fmt.percent(act.month.refused_ratio)}, timed out {fmt.percent(act.month.timed_out_ratio)}.",
        )
        st.metric(cold, fmt.percent(float(outcome.cold_ratio[0])))
        st.metric("A month", fmt.plain(fmt.usd(act.month.monthly_usd)))


def _draw_basis(verdict: Verdict, acts: Sequence[Act]) -> None:
    """Say what was played and what was assumed."""
    for act in acts:
        day, month = act.day, act.month
        st.caption(
            f"{fmt.plain(act.label)}: simulated, seed {day.seed}, {day.requests:,} "
            f"{'records of the job' if day.is_job else 'requests of the busiest day'} and {month.played_requests:,} "
            f"{'records' if day.is_job else 'requests of the month'}. Bands are 95 % Monte-Carlo bands; "
            "they do not hold what is not known about the workload."
        )
    notes = dict.fromkeys(note for act in acts for note in (*act.day.notes, *act.month.notes))
    assumed = dict.fromkeys(path for act in acts for path in verdict.option(act.month.option).assumed)
    with st.expander("What was assumed", key="sim_assumed"):
        if notes:
            st.markdown("\n".join(f"- {fmt.plain(fmt.sentence(note))}" for note in notes))
        if assumed:
            titles = fmt.plain(fmt.listed([words.field_title(path) for path in assumed]))
            st.write(f"Not declared, so the middle of its distribution was played: {titles}.")
        for act in acts:
            settings = {name: float(values[0]) for name, values in act.month.outcome.settings.items()}
            held = fmt.listed(
                [f"{words.key_title(name).lower()} {fmt.number(held)}" for name, held in settings.items()]
            )
            types = act.month.outcome.instance_types
            st.write(f"{fmt.plain(act.label)}: {fmt.plain(types[0] + ', ' if types else '')}{fmt.plain(held)}.")
