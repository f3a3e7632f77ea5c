"""The settings of a configuration as one endpoint or job needs them.

An answer counts the instances of all its endpoints together; a launch makes one endpoint, so the counts are divided.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass

from fitness.machines import LOCAL_DISK_FAMILIES
from fitness.simulation.policy_config import Stated, stated
from launch.request import Request

COOLDOWN_S = 300  # docs/settings.md: without a setting, and the default of Application Auto Scaling

_HOSTED = (
    "instance_type", "endpoints", "min_instances", "max_instances", "volume_gb", "policy",
    "scale_out_cooldown_s", "scale_in_cooldown_s",
)  # fmt: skip
_SERVED = (*_HOSTED, "target_invocations_per_minute", "routing")
# The settings that each option has; the first group must be there.
NEEDED: Mapping[str, tuple[str, ...]] = {
    "real_time": ("instance_type",),
    "async": ("instance_type",),
    "batch": ("instance_type",),
    "serverless": ("memory_mb", "max_concurrency"),
    "mme": ("instance_type",),
    "mme_gpu": ("instance_type",),
    "mce_direct": ("instance_type",),
    "serial_pipeline": ("instance_type",),
    "triton_ensemble": ("instance_type",),
}
KNOWN: Mapping[str, tuple[str, ...]] = {
    "real_time": (*_SERVED, "inference_components"),
    "async": (*_HOSTED, "max_concurrent_invocations_per_instance", "target_backlog_per_instance"),
    "batch": ("instance_type", "instances", "max_concurrent_transforms", "jobs_per_month"),
    "serverless": ("endpoints", "memory_mb", "max_concurrency", "provisioned_concurrency"),
    "mme": (*_SERVED, "models_in_memory"),
    "mme_gpu": (*_SERVED, "models_in_memory"),
    "mce_direct": _SERVED,
    "serial_pipeline": _SERVED,
    "triton_ensemble": (*_SERVED, "max_batch_size", "max_queue_delay_ms"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What one endpoint or job is set to. None: not set, or the option has no such thing."""

    instance_type: str | None
    minimum: int  # instances; copies of the inference component where there is one
    maximum: int
    volume_gb: int | None
    routing: str | None
    target_per_minute: float | None  # of requests to one instance
    backlog_target: float | None  # of requests that wait, for each instance
    requests_at_once: int | None  # of an asynchronous instance
    scale_out_cooldown_s: int
    scale_in_cooldown_s: int
    has_components: bool
    memory_mb: int | None
    max_concurrency: int | None
    provisioned: int | None
    transforms_at_once: int | None
    stated: Stated | None
    schedule: tuple[Mapping[str, object], ...]  # as written: at, min_instances, max_instances
    endpoints: int  # of the answer; a launch makes one of them

    @property
    def scales(self) -> bool:
        """Whether the number of instances changes."""
        return self.maximum > self.minimum or bool(self.schedule)

    @property
    def starts_with(self) -> int:
        """Instances at the beginning: SageMaker creates no endpoint without one."""
        return max(self.minimum, 1)


def settings_of(request: Request) -> Settings:
    """The settings of a request whose configuration has been checked."""
    given = request.configuration
    endpoints = max(1, _whole(given, "endpoints") or 1)
    least = _per_endpoint(given, "instances" if request.option == "batch" else "min_instances", endpoints)
    most = _per_endpoint(given, "max_instances", endpoints)
    minimum = 1 if least is None else least
    policy = given.get("policy")
    schedule = policy.get("schedule", ()) if isinstance(policy, Mapping) else ()
    return Settings(
        instance_type=_text(given, "instance_type"),
        minimum=minimum,
        maximum=max(minimum, most or minimum, 1),
        volume_gb=_whole(given, "volume_gb") or None,
        routing=_text(given, "routing"),
        target_per_minute=_number(given, "target_invocations_per_minute"),
        backlog_target=_number(given, "target_backlog_per_instance"),
        requests_at_once=_whole(given, "max_concurrent_invocations_per_instance"),
        scale_out_cooldown_s=_cooldown(given, "scale_out_cooldown_s"),
        scale_in_cooldown_s=_cooldown(given, "scale_in_cooldown_s"),
        has_components=request.option == "real_time" and (bool(given.get("inference_components")) or minimum == 0),
        memory_mb=_whole(given, "memory_mb"),
        max_concurrency=_whole(given, "max_concurrency"),
        provisioned=request.provisioned_concurrency or _whole(given, "provisioned_concurrency") or None,
        transforms_at_once=_whole(given, "max_concurrent_transforms"),
        stated=stated(given),
        schedule=tuple(_action(one, endpoints) for one in schedule),
        endpoints=endpoints,
    )


def has_local_disk(instance_type: str) -> bool:
    """Whether the type brings its disk, so that no volume can be asked for."""
    family = instance_type.split(".")[1]
    return family in LOCAL_DISK_FAMILIES or family.endswith("d")


def _action(one: Mapping[str, object], endpoints: int) -> Mapping[str, object]:
    least = _per_endpoint(one, "min_instances", endpoints) or 0
    most = _per_endpoint(one, "max_instances", endpoints) or 1
    return {"at": one["at"], "min_instances": least, "max_instances": max(least, most, 1)}


def _per_endpoint(given: Mapping[str, object], name: str, endpoints: int) -> int | None:
    value = _number(given, name)
    return None if value is None else math.ceil(value / endpoints)


def _number(given: Mapping[str, object], name: str) -> float | None:
    value = given.get(name)
    return float(value) if isinstance(value, (int, float)) else None


def _whole(given: Mapping[str, object], name: str) -> int | None:
    value = _number(given, name)
    return None if value is None else round(value)


def _cooldown(given: Mapping[str, object], name: str) -> int:
    value = _whole(given, name)
    return COOLDOWN_S if value is None else value


def _text(given: Mapping[str, object], name: str) -> str | None:
    value = given.get(name)
    return value if isinstance(value, str) else None
