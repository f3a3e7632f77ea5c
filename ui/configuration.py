"""The configuration of one side of a scene: every setting that a person may fix, empty where it stays as proposed."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

import streamlit as st

from fitness.analytic.settings import NUMBERS, ROUTINGS
from fitness.errors import InputError, Problem
from fitness.outcome import FRACTIONS
from fitness.simulation.designed import KINDS
from fitness.simulation.policy_config import PATH, PLAYED
from fitness.simulation.policy_lint import published
from fitness.simulation.rules import COOLDOWN_S, IN_POINTS, OUT_POINTS
from fitness.study import Played
from ui import data, policy_text, words
from ui import format as fmt

_MOST_POINTS = 1_440  # minutes of a day


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """One option of a scene with what is fixed of it."""

    option: str
    config: Mapping[str, object]
    problems: tuple[Problem, ...] = ()  # what was typed and can't be read


@dataclass(frozen=True, slots=True, kw_only=True)
class _Setting:
    """How a setting is asked for."""

    label: str  # with the unit
    help: str
    usual: str = ""  # what holds where the proposed configuration does not say
    step: float = 1


_MACHINE: Mapping[str, _Setting] = MappingProxyType(
    {
        "instance_type": _Setting(label="Instance type", help="The only type that is tried."),
        "instances": _Setting(label="Instances", help="Of one job; its records are spread over them."),
        "min_instances": _Setting(
            label="Fewest instances", help="Over all endpoints of the option. Scaling never goes below it."
        ),
        "max_instances": _Setting(
            label="Most instances", help="Over all endpoints of the option. Scaling never goes above it."
        ),
        "routing": _Setting(
            label="Routing",
            help="How SageMaker spreads requests over the instances: at random, or to the one with the fewest at work.",
            usual=ROUTINGS[0],
        ),
        "max_batch_size": _Setting(
            label="Dynamic batch (requests)",
            help="The most requests that the server works off together (max_batch_size of Triton). 1 is no batching.",
        ),
        "max_queue_delay_ms": _Setting(
            label="Wait for a batch (ms)",
            help="How long the oldest request of a batch waits for others (max_queue_delay_microseconds of Triton). "
            "With 0 a batch is what has gathered while the server was busy.",
        ),
        "max_concurrent_invocations_per_instance": _Setting(
            label="At once on an instance (requests)", help="The most that the queue hands to one instance at once."
        ),
        "max_concurrent_transforms": _Setting(
            label="At once on an instance (requests)",
            help="The most that the job sends to one instance at once. More than it serves at once gains nothing.",
        ),
        "memory_mb": _Setting(label="Memory (MB)", help="Of one sandbox; a share of a processor comes with it."),
        "max_concurrency": _Setting(
            label="At once (requests)", help="Sandboxes that may be at work at once; what comes on top is throttled."
        ),
        "provisioned_concurrency": _Setting(
            label="Kept warm (sandboxes)", help="Provisioned concurrency: these have no cold start, and cost all month."
        ),
    }
)
_SCALING: Mapping[str, _Setting] = MappingProxyType(
    {
        "target_invocations_per_minute": _Setting(
            label="Target (requests/min)",
            help="Requests a minute that scaling aims at for each instance.",
            step=10,
        ),
        "target_backlog_per_instance": _Setting(
            label="Target (queued requests)",
            help="Requests waiting or at work that scaling aims at for each instance.",
        ),
        "scale_out_cooldown_s": _Setting(
            label="Cooldown out (s)",
            help="Seconds after adding instances in which no more are added.",
            usual=f"{COOLDOWN_S:.0f}",
            step=30,
        ),
        "scale_in_cooldown_s": _Setting(
            label="Cooldown in (s)",
            help="Seconds after removing instances in which no more are removed.",
            usual=f"{COOLDOWN_S:.0f}",
            step=30,
        ),
    }
)
_STEPS: Mapping[str, _Setting] = MappingProxyType(
    {
        policy_text.OUT: _Setting(
            label="Add instances",
            help="Steps in place of the target. `600: 1, 900: 3` adds 1 instance above 600 and 3 above 900 {metric}.",
            usual="no steps",
        ),
        policy_text.IN: _Setting(
            label="Remove instances",
            help="`300: 1, 100: 2` removes 1 instance below 300 and 2 below 100 {metric}. Without it nothing goes.",
            usual="no steps",
        ),
        policy_text.OUT_AFTER: _Setting(
            label="Add after (min)",
            help="Minutes in a row above the threshold before instances are added. For steps only.",
            usual=str(OUT_POINTS),
        ),
        policy_text.IN_AFTER: _Setting(
            label="Remove after (min)",
            help="Minutes in a row below the threshold before instances are removed. For steps only.",
            usual=str(IN_POINTS),
        ),
        policy_text.SCHEDULE: _Setting(
            label="Schedule (UTC)",
            help="Other bounds from a time of the week on: `weekdays 07:30 4-8, daily 20:00 1-4` keeps 4 to 8 "
            "instances from 07:30, and 1 to 4 from 20:00. A day is mon to sun, weekdays, weekends or daily.",
            usual="no schedule",
        ),
    }
)
TITLES: Mapping[str, str] = MappingProxyType(
    {f"$.config.{name}": one.label for name, one in {**_MACHINE, **_SCALING}.items()}
    | {f"{PATH}.step.{name}": one.label for name, one in _STEPS.items()}
    | {f"{PATH}.{policy_text.SCHEDULE}": _STEPS[policy_text.SCHEDULE].label}
)
"""What the page calls a setting, by the path that a problem with it carries."""
_INSTANCES = ("instance_type", "min_instances", "max_instances", "routing")
_ON_MACHINE: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "async": (*_INSTANCES[:-1], "max_concurrent_invocations_per_instance"),
        "batch": ("instance_type", "instances", "max_concurrent_transforms"),
        "serverless": ("memory_mb", "max_concurrency", "provisioned_concurrency"),
        "azure_functions": ("memory_mb", "max_concurrency"),
        "mme": _INSTANCES[:-1],
        "mme_gpu": _INSTANCES[:-1],
        "triton_ensemble": (*_INSTANCES, "max_batch_size", "max_queue_delay_ms"),
    }
)
_TARGETS = ("target_invocations_per_minute", "target_backlog_per_instance")
_PER_MINUTE, _QUEUED = "requests a minute on each instance", "requests waiting or at work for each instance"


def draw(proposed: Played, settings: Mapping[str, object], *, number: int) -> Side:
    """Draw what can be fixed on one side; the proposed `settings` stand where nothing is."""
    option = proposed.option
    on_machine, scaling = _names(option)
    suffix = _suffix(number)
    with st.expander(
        f"Configuration{' beside it' if suffix else ''}: **{fmt.plain(words.option_title(option))}**",
        key=f"sim_fix{suffix}",
    ):
        values = _draw_grid({name: _MACHINE[name] for name in on_machine}, suffix, settings)
        parts: dict[str, object] = {}
        if scaling:
            st.markdown("**Scaling**")
            values |= _draw_grid({name: _SCALING[name] for name in scaling}, suffix, settings)
            metric = _QUEUED if option == "async" else _PER_MINUTE
            steps = {
                name: _Setting(label=one.label, help=one.help.format(metric=metric), usual=one.usual)
                for name, one in _STEPS.items()
            }
            parts = _draw_grid(steps, suffix, settings)
    try:
        policy = policy_text.read(parts, metric=_metric(option, proposed.variant)) if parts else {}
    except InputError as err:
        return Side(option=option, config=values, problems=err.problems)
    return Side(option=option, config={**values, **({"policy": policy} if policy else {})})


def parameters(option: str, config: Mapping[str, object]) -> dict[str, str]:
    """Give the query parameters that fix these settings on the first side."""
    policy = config.get("policy")
    typed = {**config, **(policy_text.write(policy) if isinstance(policy, Mapping) else {})}
    on_machine, scaling = _names(option)
    asked = {name: typed.get(name) for name in (*on_machine, *scaling, *_STEPS)}
    return {
        name: policy_text.number(value) if isinstance(value, float) else str(value)
        for name, value in asked.items()
        if value is not None
    }


def keys(number: int) -> list[str]:
    """Give the query parameters of every setting that a side may have."""
    return [f"{name}{_suffix(number)}" for name in (*_MACHINE, *_SCALING, *_STEPS)]


def _names(option: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Give the settings of an option's machines, and those of its scaling, if it has instances that scale."""
    on_machine = _ON_MACHINE.get(option, _INSTANCES)
    if option not in KINDS:
        return on_machine, ()
    target = _TARGETS[1] if option == "async" else _TARGETS[0]
    return on_machine, tuple(name for name in _SCALING if name not in _TARGETS or name == target)


def _suffix(number: int) -> str:
    return "" if number == 1 else f"_{number}"


def _metric(option: str, variant: str) -> str:
    """Give what steps look at: the metric of the option that can be played."""
    own = [one.name for one in published(option, variant)]
    return next((name for name in own if name in PLAYED), PLAYED[0])


def _draw_grid(settings: Mapping[str, _Setting], suffix: str, proposed: Mapping[str, object]) -> dict[str, object]:
    """Draw some settings, and give those that are fixed."""
    grid = st.grid(min(len(settings), 5), min_column_width=190)
    found: dict[str, object] = {}
    for name, setting in settings.items():
        with grid.cell():
            value = _draw_setting(name, setting, f"{name}{suffix}", proposed.get(name))
        if value not in (None, ""):
            found[name] = value
    return found


def _draw_setting(name: str, setting: _Setting, key: str, proposed: object) -> object:
    shown = _shown(setting, proposed)
    if name in ("instance_type", "routing"):
        options = data.instance_names() if name == "instance_type" else ROUTINGS
        return st.selectbox(
            setting.label,
            options,
            index=None,
            placeholder=shown,
            key=key,
            bind="query-params",
            help=setting.help,
        )
    if name in policy_text.FORMS:
        form, example = policy_text.FORMS[name]
        return st.text_input(
            setting.label,
            placeholder=shown,
            key=key,
            bind="query-params",
            help=setting.help,
            validate=(form, f"Write it {example}"),
        )
    low, high = NUMBERS.get(name, (1, _MOST_POINTS))
    number = float if name in FRACTIONS else int
    return st.number_input(
        setting.label,
        min_value=number(low),
        max_value=number(high),
        value=None,
        step=number(setting.step),
        format="%g" if number is float else None,
        placeholder=shown,
        key=key,
        bind="query-params",
        help=setting.help,
    )


def _shown(setting: _Setting, proposed: object) -> str:
    """Give what holds while a setting is empty."""
    if proposed is None:
        return f"{setting.usual} (proposed)" if setting.usual else "As proposed"
    return f"{fmt.value(proposed)} (proposed)"
