"""Settings that the caller fixes with `--config`, read with their bounds."""

from collections.abc import Iterable, Mapping

import numpy as np

from fitness.arrays import Array
from fitness.document import shown
from fitness.errors import InputError, Problem
from fitness.instances import catalogue
from fitness.outcome import FRACTIONS
from fitness.simulation import policy_config

# Public name of a setting -> (lowest, highest); texts are checked by `checked`.
NUMBERS: Mapping[str, tuple[float, float]] = {
    "min_instances": (0, 10_000),
    "max_instances": (1, 10_000),
    "target_invocations_per_minute": (1e-6, 1e9),
    "memory_mb": (512, 6144),
    "max_concurrency": (1, 1000),
    "provisioned_concurrency": (0, 200),
    "instances": (1, 100),
    "max_concurrent_transforms": (1, 1000),
    "max_concurrent_invocations_per_instance": (1, 1000),
    "target_backlog_per_instance": (1, 1e6),
    "volume_gb": (0, 16_384),
    "max_batch_size": (1, 1024),
    "max_queue_delay_ms": (0, 10_000),
    "scale_out_cooldown_s": (0, 86_400),
    "scale_in_cooldown_s": (0, 86_400),
}

_SCALED = (
    "instance_type", "min_instances", "max_instances", "policy", "scale_out_cooldown_s", "scale_in_cooldown_s",
    "volume_gb",
)  # fmt: skip
_ENDPOINT = (*_SCALED, "target_invocations_per_minute", "routing")
# Settings that an option has; those of an endpoint where it is not named.
_OF_OPTION: Mapping[str, tuple[str, ...]] = {
    "async": (*_SCALED, "max_concurrent_invocations_per_instance", "target_backlog_per_instance"),
    "batch": ("instance_type", "instances", "max_concurrent_transforms"),
    "serverless": ("memory_mb", "max_concurrency", "provisioned_concurrency"),
    "azure_functions": ("memory_mb", "max_concurrency"),
    "triton_ensemble": (*_ENDPOINT, "max_batch_size", "max_queue_delay_ms"),
}

# What an answer's configuration says of the workload: it may be said again, but nobody can choose it.
FOLLOWS = ("endpoints", "models_in_memory", "jobs_per_month", "plan", "inference_components")
ROUTINGS = ("RANDOM", "LEAST_OUTSTANDING_REQUESTS")


def checked(config: Mapping[str, object] | None) -> dict[str, object]:
    """The settings, when every one of them is known and in its bounds, and the policy says what it may.

    Raises: InputError naming every wrong setting.
    """
    given = dict(config or {})
    problems = [
        Problem(path=f"$.config.{name}", message=message)
        for name, value in given.items()
        if name != "policy" and (message := _wrong(name, value)) is not None
    ]
    low_count, high_count = given.get("min_instances"), given.get("max_instances")
    if isinstance(low_count, (int, float)) and isinstance(high_count, (int, float)) and low_count > high_count:
        message = f"must be >= min_instances = {low_count}, got {high_count}"
        problems.append(Problem(path="$.config.max_instances", message=message))
    try:
        policy_config.stated(given)
    except InputError as err:
        problems += err.problems
    if problems:
        raise InputError(problems)
    return given


def foreign(config: Mapping[str, object], option: str) -> list[Problem]:
    """The settings that belong to other options: alone with this one they would do nothing."""
    own = _OF_OPTION.get(option, _ENDPOINT)
    known = {*NUMBERS, "instance_type", "routing"}  # a policy says itself where nothing scales
    return [
        Problem(path=f"$.config.{name}", message=f"is no setting of {option}; expected one of {', '.join(sorted(own))}")
        for name in config
        if name in known and name not in own
    ]


def _wrong(name: str, value: object) -> str | None:
    """What is wrong with one setting, or None."""
    if name == "instance_type":
        is_known = isinstance(value, str) and value in catalogue()
        return None if is_known else f"must be a known instance type, got {shown(value)}"
    if name == "routing":
        return None if value in ROUTINGS else f"must be {' or '.join(ROUTINGS)}, got {shown(value)}"
    if name in FOLLOWS:
        is_said = isinstance(value, (bool, int, float, str))
        return None if is_said else f"must be a number or a word, got {shown(value)}"
    if name not in NUMBERS:
        known = ", ".join(sorted([*NUMBERS, "instance_type", "policy", "routing"]))
        return f"is not a setting; expected one of {known}"
    low, high = NUMBERS[name]
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not low <= value <= high:
        return f"must be from {low:g} to {high:g}, got {shown(value)}"
    is_whole = name in FRACTIONS or value == int(value)
    return None if is_whole else f"must be a whole number, got {shown(value)}"


def contradicted(config: Mapping[str, object], settled: Iterable[Mapping[str, object]]) -> list[Problem]:
    """What the caller says of the workload that no option's configuration in `settled` says."""
    problems = []
    configurations = list(settled)
    for name in FOLLOWS:
        if name in config:
            found = list(dict.fromkeys(one[name] for one in configurations if name in one))
            if config[name] not in found:
                only = " or ".join(map(shown, found)) if found else "absent"
                message = f"follows from the workload, so it must be {only}, got {shown(config[name])}"
                problems.append(Problem(path=f"$.config.{name}", message=message))
    return problems


def number(config: Mapping[str, object], name: str) -> float | None:
    """A fixed number, or None where the evaluation is free to choose."""
    value = config.get(name)
    return float(value) if isinstance(value, (int, float)) else None


def text(config: Mapping[str, object], name: str) -> str | None:
    """A fixed word, or None where the evaluation is free to choose."""
    value = config.get(name)
    return value if isinstance(value, str) else None


def bounded(instances: Array, endpoints: Array, config: Mapping[str, object]) -> Array:
    """The counts within the minimum and maximum that the caller fixed; an endpoint has at least one instance."""
    low, high = number(config, "min_instances"), number(config, "max_instances")
    if low is not None:
        instances = np.maximum(instances, low)
    if high is not None:
        instances = np.minimum(instances, np.maximum(high, endpoints))
    return instances


def stated(least: Array, most: Array, floor: Array, config: Mapping[str, object]) -> tuple[Array, Array]:
    """The minimum and maximum of a configuration: as the caller fixed them, else what the load asks for.

    Fewer than `floor` instances can't hold what must be in memory, or leave an endpoint without any.
    """
    low, high = number(config, "min_instances"), number(config, "max_instances")
    if low is not None:
        least = np.minimum(least, np.maximum(low, floor))
    if high is not None:
        most = np.maximum(most, high)
    return least, most
