"""A scaling policy as the settings of a configuration that plays it; `policy_config` reads them back.

The form is described in docs/settings.md#scaling-policies.
"""

from collections.abc import Mapping, Sequence

from fitness.outcome import Outcome, configuration
from fitness.simulation.policy_config import BACKLOG, stated
from fitness.simulation.policy_lint import published
from fitness.simulation.rules import (
    DAYS,
    MINUTES_PER_DAY,
    Action,
    Backlog,
    Fixed,
    Policy,
    Scheduled,
    Step,
    StepScaling,
    TargetTracking,
    ToZero,
    base_of,
)


def settings_of(policy: Policy, *, endpoints: int = 1) -> dict[str, object]:
    """Give the settings that state a policy of one endpoint; instances count all endpoints together."""
    base = base_of(policy)
    found = _bounds(base, endpoints)
    if not isinstance(base, Fixed):
        found["scale_out_cooldown_s"] = round(base.scale_out_cooldown_s)
        found["scale_in_cooldown_s"] = round(base.scale_in_cooldown_s)
    if isinstance(base, Backlog):
        found["target_backlog_per_instance"] = base.target_per_instance
    elif isinstance(base, TargetTracking | ToZero):
        found["target_invocations_per_minute"] = base.target_per_minute
    stated: dict[str, object] = {}
    if isinstance(base, StepScaling):
        stated["step"] = _step(base)
    if isinstance(policy, Scheduled):
        stated["schedule"] = [_action(one, endpoints) for one in policy.actions]
    return {**found, **({"policy": stated} if stated else {})}


def configured(outcome: Outcome, config: Mapping[str, object]) -> dict[str, object]:
    """The configuration of an outcome, with what the caller stated of its routing and its scaling.

    Steps on a metric that the option does not publish are not played, and so not repeated.
    """
    found = configuration(outcome)
    if outcome.instance_types is None or outcome.option == "batch":  # nothing scales
        return found
    names = ["scale_out_cooldown_s", "scale_in_cooldown_s", *(["routing"] if outcome.option != "async" else [])]
    found |= {name: config[name] for name in names if name in config}
    asked, policy = stated(config), config.get("policy")
    if asked is not None and isinstance(policy, Mapping):
        metrics = [one.name for one in published(outcome.option, outcome.variant)]
        played = {part: value for part, value in policy.items() if part != "step" or asked.metric in metrics}
        found |= {"policy": played} if played else {}
    return found


def _bounds(base: Fixed | TargetTracking | ToZero | Backlog | StepScaling, endpoints: int) -> dict[str, object]:
    low = 0 if isinstance(base, ToZero) else base.instances if isinstance(base, Fixed) else base.minimum
    high = base.instances if isinstance(base, Fixed) else base.maximum
    return {"min_instances": low * endpoints, "max_instances": high * endpoints}


def _step(base: StepScaling) -> dict[str, object]:
    found: dict[str, object] = {
        "metric": BACKLOG if base.watches_backlog else "InvocationsPerInstance",
        "out_above": base.out_above,
        "steps_out": _changes(base.steps_out),
        "out_points": base.out_points,
        "in_points": base.in_points,
    }
    return {**found, **({"in_below": base.in_below, "steps_in": _changes(base.steps_in)} if base.steps_in else {})}


def _changes(steps: Sequence[Step]) -> list[dict[str, object]]:
    return [{"distance": one.distance, "change": one.change} for one in steps]


def _action(one: Action, endpoints: int) -> dict[str, object]:
    day, minute = divmod(one.minute_of_week, MINUTES_PER_DAY)
    return {
        "at": f"{DAYS[day]} {minute // 60:02}:{minute % 60:02}",
        "min_instances": one.minimum * endpoints,
        "max_instances": one.maximum * endpoints,
    }
