"""The parts of the Simulate page that show what became of a scene: at once by the formulas, then as it was played."""

import contextlib
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import plotly.graph_objects as go
import streamlit as st

from fitness.errors import InputError
from fitness.outcome import Outcome
from fitness.simulation.day import SURGE_S, Course
from fitness.simulation.play import Simulation
from fitness.study import Played, Study
from fitness.verdict import Verdict
from fitness.workload import Workload
from ui import charts, charts_simulation, configuration, data, first_paint, long_run, stage, tables_simulation, words
from ui import format as fmt
from ui.configuration import Side
from ui.scene import Scene

BEFORE_S, AFTER_S = 1800.0, 5400.0  # what is shown around a surge
_DAY_S = 86_400.0
_COLD_HELP = "Requests that had to wait until an instance or a model was ready for them."


@dataclass(frozen=True, slots=True, kw_only=True)
class Act:
    """One option of the scene: by the formulas, and as it was played."""

    work: Study
    proposed: Played
    month: Simulation | None  # None: not played yet
    day: Course

    @property
    def outcome(self) -> Outcome:
        """What is known of the month so far."""
        found = self.proposed.outcome if self.month is None else self.month.outcome
        assert found is not None  # noqa: S101 what can't be configured is no act
        return found

    @property
    def monthly_usd(self) -> float | None:
        """The bill so far."""
        return float(self.proposed.monthly_usd[0]) if self.month is None else self.month.monthly_usd


def draw(workload: Workload, verdict: Verdict, scene: Scene, *, is_played: bool) -> None:
    """Draw the scene: by the formulas, with places for what is to come, or as it was played."""
    stage.wait_for_simulator()
    sides = scene.sides
    acts = [_act(workload, side, scene, is_played=is_played) for side in sides]
    if is_played:
        playable = tuple((one.option, one.config) for one, act in zip(sides, acts, strict=True) if isinstance(act, Act))
        acts = _with_months(acts, long_run.draw(workload, playable, requests=scene.requests))
    else:
        data.stop_long_simulation()
    found = [act for act in acts if isinstance(act, Act)]
    scales = _scales(workload, [act.day for act in found], scene)
    labels = _labels([side.option for side in sides])
    places = st.columns(2) if len(acts) > 1 else [st.container()]
    for number, (place, side, act) in enumerate(zip(places, sides, acts, strict=True)):
        with place:
            _draw_heading(verdict, side.option, labels[number], fixed=len(side.config), is_played=is_played)
            if isinstance(act, InputError):
                stage.draw_problems(act, title="This can't be played", titles=configuration.TITLES)
            else:
                _draw_metrics(act)
                key = f"sim_{number + 1}"
                _draw_day(act.day, scales, key=key, is_alone=len(acts) == 1, is_played=is_played)
    if found:
        named = [(label, act) for label, act in zip(labels, acts, strict=True) if isinstance(act, Act)]
        _draw_month(named)
        _draw_basis(verdict, named)


def play(workload: Workload, scene: Scene) -> None:
    """Play the scene into the caches, so that it can be drawn."""
    for side in scene.sides:
        with contextlib.suppress(InputError):  # the side says so itself
            if not side.problems:
                _month_of(workload, side, scene)
                _day_of(workload, side, scene)


def _act(workload: Workload, side: Side, scene: Scene, *, is_played: bool) -> Act | InputError:
    if side.problems:
        return InputError(side.problems)
    option, config = side.option, side.config
    try:
        if is_played:
            work = data.settled_of(workload, option, config)
            month, course = _month_of(workload, side, scene), _day_of(workload, side, scene)
            return Act(proposed=work.configured(option), work=work, month=month, day=course)
        work = data.study_of(workload, config)
        preview = data.preview_of(
            workload,
            option,
            config,
            surge_factor=scene.surge_factor,
            surge_hour=scene.surge_hour,
            requests=first_paint.requests(work, scene.surge_factor),
        )
        proposed = work.configured(option)
        return Act(proposed=proposed, work=work, month=None, day=first_paint.course(preview, proposed))
    except InputError as err:
        return err


def _month_of(workload: Workload, side: Side, scene: Scene) -> Simulation:
    requests = min(scene.requests, data.MONTH_REQUESTS)
    return data.simulation_of(workload, side.option, side.config, requests=requests)


def _day_of(workload: Workload, side: Side, scene: Scene) -> Course:
    return data.day_of(workload, side.option, side.config, surge_factor=scene.surge_factor, surge_hour=scene.surge_hour)


def _with_months(acts: Sequence[Act | InputError], months: Sequence[Simulation] | None) -> list[Act | InputError]:
    """Put longer months in place of the acts' own, if there are any yet."""
    left = iter(months or ())
    return [replace(act, month=next(left)) if months and isinstance(act, Act) else act for act in acts]


def _labels(options: Sequence[str]) -> list[str]:
    """Give the titles of the options; the same one twice is told apart."""
    titles = [words.option_title(option) for option in options]
    return titles if len(set(titles)) == len(titles) else [f"{title} {at}" for at, title in enumerate(titles, 1)]


def _draw_heading(verdict: Verdict, option: str, label: str, *, fixed: int, is_played: bool) -> None:
    result = verdict.option(option)
    st.subheader(fmt.plain(label), anchor=False)
    settings = f":blue-badge[{fixed} {'setting' if fixed == 1 else 'settings'} fixed]" if fixed else ""
    grade = words.GRADE["simulated"] if is_played else words.PENDING
    st.markdown(f"{words.STATUS[result.status].badge} {grade.badge} {settings}")
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


def _draw_day(course: Course, scales: _Scales, *, key: str, is_alone: bool, is_played: bool) -> None:
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
        if course.is_job:
            st.write("None in the part that was played.")
        else:
            without = "none in the part that was played" if is_played else "simulating"
            trouble = charts_simulation.trouble(
                course, window_s=scales.window_s, most=scales.most_trouble, without=without
            )
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


def _draw_month(named: Sequence[tuple[str, Act]]) -> None:
    """Draw the figures of the whole month, simulated and by the formulas."""
    st.header("The month, beside the formulas", anchor=False)
    st.table(
        tables_simulation.figures([(label, act.work, act.proposed, act.month) for label, act in named]),
        border="horizontal",
        hide_index=True,
        alt="Figures of the month, simulated with their 95 % bands, and by the formulas of Compare",
    )


def _draw_metrics(act: Act) -> None:
    outcome, month = act.outcome, act.month
    cold = charts_simulation.cold_name(outcome.option).removeprefix("Model ").capitalize()
    p99 = tables_simulation.p99(outcome, month)
    band = f"95 % band of the simulation: {fmt.ms(p99.low)} to {fmt.ms(p99.high)}." if month else "By the formulas."
    lost = "By the formulas."
    if month:
        lost = f"Refused {fmt.percent(month.refused_ratio)}, timed out {fmt.percent(month.timed_out_ratio)}."
    st.markdown("**The month, without a surge**")
    with st.grid(5, min_column_width=88):
        st.metric("99 % within", fmt.ms(p99.value), help=band)
        late = tables_simulation.late_ratio(act.work, outcome)
        st.metric("Late", fmt.percent(late), help="After the objective.")
        st.metric("Dropped", fmt.percent(float(outcome.dropped_ratio[0])), help=lost)
        st.metric(cold, fmt.percent(float(outcome.cold_ratio[0])), help=_COLD_HELP)
        paid = "From what was played, at the prices of the bill." if month else "By the formulas."
        st.metric("A month", fmt.plain(fmt.usd(act.monthly_usd)), help=paid)


def _draw_basis(verdict: Verdict, named: Sequence[tuple[str, Act]]) -> None:
    """Say what was played and what was assumed."""
    for label, act in named:
        st.caption(f"{fmt.plain(label)}: {_basis(act)}")
    acts = [act for _, act in named]
    notes = dict.fromkeys(note for act in acts for note in (*act.day.notes, *(act.month.notes if act.month else ())))
    assumed = dict.fromkeys(path for act in acts for path in verdict.option(act.outcome.option).assumed)
    with st.expander("What was assumed", key="sim_assumed"):
        if notes:
            st.markdown("\n".join(f"- {fmt.plain(fmt.sentence(note))}" for note in notes))
        if assumed:
            titles = fmt.plain(fmt.listed([words.field_title(path) for path in assumed]))
            st.write(f"Not declared, so the middle of its distribution was played: {titles}.")
        for label, act in named:
            settings = {name: float(values[0]) for name, values in act.outcome.settings.items()}
            held = fmt.listed(
                [f"{words.key_title(name).lower()} {fmt.number(held)}" for name, held in settings.items()]
            )
            types = act.outcome.instance_types
            st.write(f"{fmt.plain(label)}: {fmt.plain(types[0] + ', ' if types else '')}{fmt.plain(held)}.")


def _basis(act: Act) -> str:
    if act.month is None:
        return (
            "by the formulas, simulating. Instances and money are those of the day's control loop; the times to the "
            "answer are the month's, so their lines are level."
        )
    seen = act.day
    played = "records of the job" if seen.is_job else "requests of the busiest day"
    of_month = "records" if seen.is_job else "requests of the month"
    return (
        f"simulated, seed {seen.seed}, {seen.requests:,} {played} and {act.month.played_requests:,} {of_month}. "
        "Bands are 95 % Monte-Carlo bands; they do not hold what is not known about the workload."
    )
