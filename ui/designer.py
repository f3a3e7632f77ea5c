"""The parts of the scaling policy designer: what is designed, what is recommended and how that goes."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import streamlit as st

from fitness.errors import InputError
from fitness.simulation import autoscaling, policy_lint, policy_settings
from fitness.simulation.autoscaling import Target
from fitness.simulation.designed import KINDS, ZERO, Designed
from fitness.simulation.policies import Kind
from fitness.simulation.policy_lint import Finding, Level
from fitness.trace import Trace
from fitness.verdict import Verdict
from fitness.workload import Workload
from ui import charts, charts_designer, data, errors, policy_words, recording, scene, stage, tables_designer, words
from ui import format as fmt

ENDPOINT, VARIANT = "my-endpoint", "AllTraffic"
_USUAL = "The usual one"
_RECORDING = "dzn_recording"
_LONGEST_NAME = 63
_METRIC_CODES = frozenset({"unpublished-metric", "unsuited-metric"})
_NOT_PLAYED = (
    "Inference components are played where the workload asks for them: "
    f"Describe, {words.field_title('constraints.scale_to_zero')}."
)
_RULES = "https://docs.aws.amazon.com/sagemaker/latest/dg/endpoint-auto-scaling.html"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What a person wants designed."""

    option: str
    kind: Kind
    config: Mapping[str, object]
    metric: str | None  # None: the usual one
    recording: Trace | None  # None: the declared month


def draw(workload: Workload, verdict: Verdict) -> None:
    """Draw the designer of one option."""
    wish = _draw_controls(verdict)
    stage.wait_for_simulator()
    stage.draw_heading(verdict, wish.option, all_the_same="A policy is designed all the same.")
    try:
        with st.spinner("Replaying policies"):
            designed = _designed(workload, wish)
    except InputError as err:
        stage.draw_problems(err, title="No policy can be designed")
        return
    _draw_refusals(designed.findings)
    # Inference components are played where the workload asks for them.
    own = data.study_of(workload, wish.config).configured(wish.option).variant
    is_playable = designed.variant != ZERO or own == ZERO
    _draw_recommended(designed, is_playable=is_playable)
    left, right = st.columns(2)
    with left:
        st.markdown("**Cost against late requests**")
        figure = charts_designer.trade_offs(designed)
        st.plotly_chart(figure, config=charts.CONFIG, key="dzn_trade", alt=charts_designer.trade_offs_alt(designed))
    with right:
        st.markdown(f"**The busiest day under the {charts_designer.name_of_best(designed).lower()} policy**")
        figure = charts_designer.followed(designed)
        st.plotly_chart(figure, config=charts.CONFIG, key="dzn_day", alt=charts_designer.followed_alt(designed))
    _draw_findings(designed, wish.metric)
    _draw_configuration(designed, is_playable=is_playable)
    _draw_trade_offs(designed)
    _draw_basis(verdict, designed, is_recorded=wish.recording is not None)


def _draw_controls(verdict: Verdict) -> Wish:
    """Draw what can be chosen; every choice is part of the address."""
    ids = [one.option.id for one in verdict.options if one.option.id in KINDS]  # the eligible ones first
    with st.container(border=True):
        grid = st.grid(4, min_column_width=200)
        with grid.cell():
            option = st.selectbox(
                "Option",
                ids,
                format_func=words.option_title,
                key="scaled",
                bind="query-params",
                help="Options with instances, best first. The others scale by themselves, or are jobs.",
            )
        with grid.cell():
            kind = st.selectbox(
                "Kind of policy",
                KINDS[option],
                format_func=policy_words.KINDS.__getitem__,
                key="policy",
                bind="query-params",
                help="What the option can have.",
            )
        with grid.cell():
            instance = stage.pick_instance(
                "scaled_type", help="Burstable types (t2, t3) can't be registered for scaling."
            )
        with grid.cell():
            metric = st.selectbox(
                "Metric",
                [_USUAL, *_metrics(option, kind)],
                key="scaled_metric",
                bind="query-params",
                help="Try another one: the linter says whether the option publishes it and a target can be kept on it.",
            )
        replayed = _draw_recording()
    return Wish(
        option=option,
        kind=kind,
        config={} if instance is None else {"instance_type": instance},
        metric=None if metric == _USUAL else metric,
        recording=replayed,
    )


def _designed(workload: Workload, wish: Wish) -> Designed:
    if wish.recording is None:
        return data.policy_of(workload, wish.option, wish.kind, wish.config, metric=wish.metric)
    return data.recorded_policy_of(workload, wish.option, wish.kind, wish.config, wish.recording, metric=wish.metric)


def _draw_recording() -> Trace | None:
    """Draw the upload of a recording, and what was read; a link can't carry it."""
    with st.expander("Replay a recording instead of the declared month", key="dzn_recorded"):
        if not recording.draw(
            "Recorded arrivals (CSV or Parquet)",
            key=_RECORDING,
            help="Columns timestamp[,count], or one count a minute. It is kept for this visit; a link has it not.",
        ):
            return None
        try:
            with st.spinner("Reading the recording"):
                read = recording.read(_RECORDING)
        except InputError as err:
            errors.show_problems(err.problems, titles={}, title="The recording can't be used")
            return None
        if read is None:
            return None
        name, found = read
        about = f"{found.counts.size:,} minutes of {name} are replayed in place of the declared traffic."
        for note in (about, *found.notes):
            st.caption(fmt.plain(fmt.sentence(note)))
    return found


def _metrics(option: str, kind: Kind) -> list[str]:
    """Every metric by name, those that the option publishes first."""
    variant = ZERO if kind is Kind.TO_ZERO else ""
    own = [one.name for one in policy_lint.published(option, variant)]
    return list(dict.fromkeys([*own, *sorted(one.name for one in policy_lint.metrics())]))


def _draw_refusals(findings: Sequence[Finding]) -> None:
    """Draw what makes the policy impossible, before anything else."""
    for one in findings:
        if one.level is Level.REFUSE:
            st.error(
                f"{fmt.plain(fmt.sentence(one.message))} Source: {fmt.plain(one.source)}, {one.as_of}.",
                title="This can't work",
                icon=":material/block:",
            )


def _draw_recommended(designed: Designed, *, is_playable: bool) -> None:
    """Draw the recommended policy in figures and in words, with the way to play it."""
    found, best = designed.found, designed.found.best
    if not found.is_met:
        st.warning(
            f"No policy of this kind keeps late requests within {fmt.percent(designed.late_share)}. "
            "The one with the fewest is shown: try another kind, a faster type or a looser objective.",
            icon=":material/warning:",
        )
    with st.container(border=True):
        st.caption(charts_designer.name_of_best(designed))
        with st.grid(5, min_column_width=110):
            st.metric(
                "A month",
                fmt.plain(tables_designer.cost(best.usd)),
                delta=_saved(designed),
                delta_color="off",
                delta_arrow="off",
                help=f"{fmt.number(best.instance_hours)} instance hours, mean over the launch times.",
            )
            st.metric(
                "Late requests",
                fmt.percent(best.late_ratio),
                help="Of minutes that ask for more than the instances in service carry, mean over the launch times. "
                f"At most {fmt.percent(designed.late_share)} may be late.",
            )
            st.metric("At the slowest launch", fmt.percent(best.worst_late_ratio), help=_launches(designed))
            st.metric(
                "Changes a day",
                f"{best.changes * 24 / 730:.1f}",
                help="Times that instances are added or removed.",
            )
            st.metric("A rise waits", fmt.ms(designed.reaction_s * 1_000), help="The alarm and the launch after it.")
        said = policy_words.sentences(best.policy, designed)
        st.markdown("\n".join(f"- {fmt.plain(one)}" for one in said))
        st.caption(
            f"Over launches of {fmt.listed([fmt.ms(one * 1_000) for one in designed.launch_s], last='or')}: "
            f"{_interval(designed, 'cost')} a month, {_interval(designed, 'late_ratio')} late."
        )
        st.button(
            "Play this policy",
            icon=":material/play_arrow:",
            key="dzn_play",
            disabled=not is_playable,
            on_click=scene.play,
            args=(designed.option, _settings(designed)),
            help="Opens Play a day with these settings fixed: every request of the busiest day, and the month's bill."
            if is_playable
            else _NOT_PLAYED,
        )


def _saved(designed: Designed) -> str | None:
    fixed, best = designed.found.fixed.cost, designed.found.best.cost
    return f"{fmt.percent(best / fixed)} of the fixed fleet" if fixed > 0 else None


def _interval(designed: Designed, name: str) -> str:
    values = [float(getattr(one, name)) for one in designed.by_launch]
    text: Callable[[float], str] = fmt.percent
    if name == "cost":
        text = fmt.usd if designed.found.best.usd is not None else fmt.number
    ends = list(dict.fromkeys(text(one) for one in (min(values), max(values))))
    unit = " instance hours" if text is fmt.number else ""
    return f"{fmt.plain(' to '.join(ends))}{unit}"


def _launches(designed: Designed) -> str:
    times = fmt.listed([fmt.ms(one * 1_000) for one in designed.launch_s])
    return f"Each policy is replayed with launches of {times}: the 10, 50 and 90 % quantiles of the prior."


def _draw_configuration(designed: Designed, *, is_playable: bool) -> None:
    """Draw the policy as the calls that set it up."""
    policy = designed.found.best.policy
    is_component = designed.variant == ZERO
    st.header("Configuration", anchor=False)
    with st.grid(2, min_column_width=240):
        endpoint = st.text_input(
            "Endpoint", value=ENDPOINT, max_chars=_LONGEST_NAME, key="dzn_endpoint", persist_state="session"
        )
        variant = st.text_input(
            "Inference component" if is_component else "Variant",
            value=VARIANT,
            max_chars=_LONGEST_NAME,
            key="dzn_variant",
            persist_state="session",
        )
    try:
        target = Target(endpoint=endpoint, variant=variant, is_component=is_component)
    except InputError as err:
        stage.draw_problems(err, title="No endpoint can have this name")
        return
    refused = {one.code for one in designed.findings if one.level is Level.REFUSE}
    if refused & _METRIC_CODES:
        st.caption("The metric that is refused above is not part of it: this is the usual one.")
    if refused - _METRIC_CODES:
        st.caption("These calls fail, or do harm, as long as what is refused above holds.")
    python, document, settings = st.tabs(["Python (boto3)", "JSON", "Settings"], key="dzn_format")
    with python:
        st.caption(f"Run it once where the credentials of the account are. [Rules of scaling endpoints]({_RULES}).")
        st.code(autoscaling.script(policy, target), language="python", height=420)
    with document:
        st.caption("The parameters of each call, for the command line or a template.")
        st.code(json.dumps(autoscaling.configuration(policy, target), indent=2), language="json", height=420)
    with settings:
        if not is_playable:
            st.caption(_NOT_PLAYED)
            return
        st.caption(f"`python -m fitness simulate workload.yaml --option {designed.option} --config` takes them.")
        st.code(json.dumps(_settings(designed), indent=2), language="json", height=420)


def _settings(designed: Designed) -> dict[str, object]:
    """Give the settings that play the recommended policy."""
    policy = policy_settings.settings_of(designed.found.best.policy, endpoints=round(designed.endpoints))
    return {"instance_type": designed.instance_type, **policy}


def _draw_findings(designed: Designed, metric: str | None) -> None:
    """Draw what the linter says about the metric and the policy."""
    st.header("What to know before you use it", anchor=False)
    usual = policy_lint.default_metric(designed.found.best.policy)
    if metric is None or metric == usual:
        st.write(f"It looks at `{usual}`, which this option publishes.")
    elif not any(one.code in _METRIC_CODES for one in designed.findings):
        st.info(
            f"`{metric}` is published, and a target can be kept on it. Which value stands for "
            f"{fmt.number(designed.carries_per_minute)} requests a minute on one instance takes a measurement: load "
            f"one instance with that many and read the metric. The replay looks at `{usual}`.",
            icon=":material/speed:",
        )
    warnings = [one for one in designed.findings if one.level is Level.WARN]
    if warnings:
        lines = [
            f"- :orange-badge[:material/warning: Warning] {fmt.plain(fmt.sentence(one.message))} "
            f":gray[{fmt.plain(one.source)}, {one.as_of}.]"
            for one in warnings
        ]
        st.markdown("\n".join(lines))
    elif not designed.findings:
        st.markdown(":green-badge[:material/check: Nothing found] The linter has no objection.")


def _draw_trade_offs(designed: Designed) -> None:
    st.header("The best trade-offs", anchor=False)
    st.dataframe(
        tables_designer.trade_offs(designed),
        hide_index=True,
        height="content",
        key="dzn_front",
        alt="Policies that no other beats in cost and late requests at once, and the fixed fleet",
    )


def _draw_basis(verdict: Verdict, designed: Designed, *, is_recorded: bool) -> None:
    """Say what was replayed, how well its numbers are known, and what it does not know."""
    price = designed.price
    priced = (
        f"no price of {designed.instance_type} is known, so policies are compared by instance hours"
        if price is None
        else f"{designed.instance_type} at {fmt.unit_price(price.usd_per_unit, price.unit)} "
        f"(grade {price.grade}, {fmt.day(price.as_of)}), with its volume"
    )
    alike = "" if designed.endpoints <= 1 else f" One policy for each of {designed.endpoints:,.0f} endpoints."
    st.caption(
        fmt.plain(
            f"Replayed: {len(designed.found.candidates)} policies on {'the recording' if is_recorded else 'a month'}, "
            f"minute by minute, seed {designed.seed}; "
            f"{priced}.{alike}"
        )
    )
    with st.expander("What it does not know", key="dzn_assumed"):
        late = (
            "A request counts as late when its minute asks for more than the instances in service carry; how late, and "
            "bursts within a minute, are what Play a day shows."
            if designed.deadline_s is None
            else f"A request is late when it waits longer than {fmt.ms(designed.deadline_s * 1_000)}, first come "
            "first served, minute by minute."
        )
        carries = (
            f"One instance is taken to carry {fmt.number(designed.carries_per_minute)} requests a minute, from the "
            "processing time and the objectives: measure it before you trust the target."
        )
        month = (
            "The recording is the past: the next weeks may differ from it."
            if is_recorded
            else "The month is a pattern with chance in it, and not your traffic."
        )
        unknown = [late, carries, _launches(designed), month, *designed.notes]
        st.markdown("\n".join(f"- {fmt.plain(fmt.sentence(one))}" for one in unknown))
        stage.draw_assumed(verdict, designed.option)
