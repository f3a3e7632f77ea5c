"""Settings that the caller fixes with `--config`, read with their bounds."""

from collections.abc import Mapping

from fitness.document import shown
from fitness.errors import InputError, Problem
from fitness.instances import catalogue

# Public name of a setting -> (lowest, highest); texts are checked by `checked`.
NUMBERS: Mapping[str, tuple[float, float]] = {
    "min_instances": (0, 10_000),
    "max_instances": (1, 10_000),
    "target_invocations_per_minute": (1e-6, 1e9),
    "memory_mb": (512, 6144),
    "max_concurrency": (1, 200),
    "provisioned_concurrency": (0, 200),
    "instances": (1, 100),
    "volume_gb": (0, 16_384),
}
ROUTINGS = ("RANDOM", "LEAST_OUTSTANDING_REQUESTS")


def checked(config: Mapping[str, object] | None) -> dict[str, object]:
    """The settings, when every one of them is known and in its bounds.

    Raises: InputError naming every wrong setting.
    """
    given = dict(config or {})
    problems: list[Problem] = []
    for name, value in given.items():
        path = f"$.config.{name}"
        if name == "instance_type":
            if not isinstance(value, str) or value not in catalogue():
                problems.append(Problem(path=path, message=f"must be a known instance type, got {shown(value)}"))
        elif name == "routing":
            if value not in ROUTINGS:
                problems.append(Problem(path=path, message=f"must be {' or '.join(ROUTINGS)}, got {shown(value)}"))
        elif name not in NUMBERS:
            known = ", ".join(sorted([*NUMBERS, "instance_type", "routing"]))
            problems.append(Problem(path=path, message=f"is not a setting; expected one of {known}"))
        else:
            low, high = NUMBERS[name]
            if isinstance(value, bool) or not isinstance(value, (int, float)) or not low <= value <= high:
                problems.append(Problem(path=path, message=f"must be from {low:g} to {high:g}, got {shown(value)}"))
            elif name != "target_invocations_per_minute" and value != int(value):
                problems.append(Problem(path=path, message=f"must be a whole number, got {shown(value)}"))
    low_count, high_count = given.get("min_instances"), given.get("max_instances")
    if isinstance(low_count, (int, float)) and isinstance(high_count, (int, float)) and low_count > high_count:
        message = f"must be >= min_instances = {low_count}, got {high_count}"
        problems.append(Problem(path="$.config.max_instances", message=message))
    if problems:
        raise InputError(problems)
    return given


def number(config: Mapping[str, object], name: str) -> float | None:
    """A fixed number, or None where the evaluation is free to choose."""
    value = config.get(name)
    return float(value) if isinstance(value, (int, float)) else None


def text(config: Mapping[str, object], name: str) -> str | None:
    """A fixed word, or None where the evaluation is free to choose."""
    value = config.get(name)
    return value if isinstance(value, str) else None
