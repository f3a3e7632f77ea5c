"""The inference component of an endpoint that scales to zero: the model, and what a copy of it takes."""

from fitness.instances import catalogue
from launch.request import Request
from launch.settings import Settings
from launch.template_hosting import rolling
from launch.template_parts import VARIANT, Json, Resources, att, ref, resource

# A copy has an instance of its own, as the simulation plays it: more than half of the memory leaves no room for two.
COPY_MEMORY_RATIO = 0.6
MB_PER_GIB = 1024


def component(request: Request, settings: Settings, alarms: list[str]) -> Resources:
    """The component; nothing where the variant itself has the model."""
    if not settings.has_components or settings.instance_type is None:
        return {}
    update = request.update
    deployed: Json | None = None
    if update is not None:
        size = {"Type": "CAPACITY_PERCENT", "Value": update.percent}
        deployed = {"RollingUpdatePolicy": rolling(update, size)}
        if alarms and update.rollback_on_alarms:
            deployed["AutoRollbackConfiguration"] = {"Alarms": [{"AlarmName": ref(name)} for name in alarms]}
    return {
        "Component": resource(
            "SageMaker::InferenceComponent",
            InferenceComponentName=request.name,
            EndpointName=att("Endpoint", "EndpointName"),
            VariantName=VARIANT,
            Specification={
                "ModelName": att("Model", "ModelName"),
                "ComputeResourceRequirements": needs(settings.instance_type),
            },
            RuntimeConfig={"CopyCount": settings.starts_with},
            DeploymentConfig=deployed,
        )
    }


def needs(instance_type: str) -> Json:
    """What one copy takes of an instance of this type.

    >>> needs("ml.c5.large")
    {'NumberOfCpuCoresRequired': 1, 'MinMemoryRequiredInMb': 2457}
    """
    known = catalogue().get(instance_type)
    vcpu = (known.vcpu if known else None) or 2
    memory_gib = (known.memory_gib if known else None) or 2.0
    found: Json = {
        "NumberOfCpuCoresRequired": max(1, vcpu // 2),
        "MinMemoryRequiredInMb": int(memory_gib * MB_PER_GIB * COPY_MEMORY_RATIO),
    }
    if known is not None and known.accelerator_count:
        found["NumberOfAcceleratorDevicesRequired"] = known.accelerator_count
    return found
