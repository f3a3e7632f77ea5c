"""Models, endpoint configurations and endpoints."""

import math
from collections.abc import Sequence

from fitness.instances import catalogue
from launch.fleets import Fleet
from launch.request import Container, Request, Update
from launch.roles import async_prefix
from launch.settings import Settings, has_local_disk
from launch.template_parts import Json, Resources, att, present, ref, resource, text

TRAFFIC = {"all_at_once": "ALL_AT_ONCE", "canary": "CANARY", "linear": "LINEAR"}
MOST_BLUE_GREEN_S = 14_400  # API reference, BlueGreenUpdatePolicy.MaximumExecutionTimeoutInSeconds, read 2026-11-21
MOST_ROLLING_S = 28_800  # API reference, RollingUpdatePolicy.MaximumExecutionTimeoutInSeconds, read 2026-11-21
START_S = 1_800  # for instances to start and the containers to load their models


def model(request: Request, fleet: Fleet) -> Resources:
    """The model of a variant: one container, one for many models, or several."""
    count = len(fleet.containers)
    containers = [_container(name, one, is_one=count == 1) for name, one in fleet.containers.items()]
    mode = {"mce_direct": "Direct"}.get(request.option, "Serial")
    network = request.network
    return {
        f"Model{fleet.suffix}": resource(
            "SageMaker::Model",
            ExecutionRoleArn=att("Role", "Arn"),
            PrimaryContainer=containers[0] if count == 1 else None,
            Containers=containers if count > 1 else None,
            InferenceExecutionConfig={"Mode": mode} if count > 1 else None,
            EnableNetworkIsolation=True if network is not None and network.isolation else None,
            VpcConfig=vpc(request),
        )
    }


def vpc(request: Request) -> Json | None:
    """Where the containers run, or None outside a VPC of the account."""
    network = request.network
    if network is None or not network.subnets:
        return None
    return {"Subnets": list(network.subnets), "SecurityGroupIds": list(network.security_groups)}


def endpoint_config(request: Request, variants: Sequence[Fleet]) -> Resources:
    """What the endpoint runs on, and what it keeps."""
    settings = variants[0].settings
    parted = settings.has_components
    return {
        "EndpointConfig": resource(
            "SageMaker::EndpointConfig",
            # A role that is not yet allowed to read the model makes the endpoint fail.
            ProductionVariants=[_variant(one, has_model=not parted) for one in variants],
            ExecutionRoleArn=att("Role", "Arn") if parted else None,
            VpcConfig=vpc(request) if parted else None,
            EnableNetworkIsolation=True if parted and request.network and request.network.isolation else None,
            AsyncInferenceConfig=_asynchronous(request, settings) if request.option == "async" else None,
            DataCaptureConfig=_capture(request),
            KmsKeyId=request.kms_key_arn if encrypts_volume(settings) else None,
        )
    }


def encrypts_volume(settings: Settings) -> bool:
    """Whether the instances have a volume that takes a key: serverless has none, local disks have keys of their own."""
    return settings.instance_type is not None and not has_local_disk(settings.instance_type)


def endpoint(request: Request, variants: Sequence[Fleet], alarms: list[str]) -> Resources:
    """The endpoint, and how changes reach it; `alarms` take them back."""
    parted = variants[0].settings.has_components
    deployed = None if parted else deployment(request.update, alarms)
    keeps = any(one.settings.scales for one in variants) and not parted
    # Weights change with the request too; of one variant they say nothing.
    changes = ["DataCaptureConfig", *(["DesiredWeight"] if len(variants) > 1 else [])]
    return {
        "Endpoint": resource(
            "SageMaker::Endpoint",
            EndpointName=request.name,
            EndpointConfigName=att("EndpointConfig", "EndpointConfigName"),
            DeploymentConfig=deployed,
            # What scaling has made of the instances outlives a change; what is captured changes with it.
            RetainAllVariantProperties=True if keeps else None,
            ExcludeRetainedVariantProperties=[{"VariantPropertyType": one} for one in changes] if keeps else None,
        )
    }


def deployment(update: Update | None, alarms: list[str]) -> Json | None:
    """How a change is deployed; None leaves it to SageMaker: all at once."""
    if update is None:
        return None
    size = {"Type": "CAPACITY_PERCENT", "Value": update.percent}
    found: Json = {}
    if update.strategy == "rolling":
        found["RollingUpdatePolicy"] = rolling(update, size)
    else:
        traffic = {
            "Type": TRAFFIC[update.strategy],
            "WaitIntervalInSeconds": update.wait_s,
            "CanarySize": size if update.strategy == "canary" else None,
            "LinearStepSize": size if update.strategy == "linear" else None,
        }
        found["BlueGreenUpdatePolicy"] = {
            "TrafficRoutingConfiguration": present(traffic),
            "TerminationWaitInSeconds": update.wait_s,  # the old instances stay while the new ones are watched
            "MaximumExecutionTimeoutInSeconds": min(takes_s(update), MOST_BLUE_GREEN_S),
        }
    if alarms and update.rollback_on_alarms:
        found["AutoRollbackConfiguration"] = {"Alarms": [{"AlarmName": ref(name)} for name in alarms]}
    return found


def rolling(update: Update, size: Json) -> Json:
    """A few instances, or copies, at a time."""
    return {
        "MaximumBatchSize": size,
        "WaitIntervalInSeconds": update.wait_s,
        "MaximumExecutionTimeoutInSeconds": min(takes_s(update), MOST_ROLLING_S),
    }


def takes_s(update: Update) -> int:
    """The longest that an update may take before it is taken back."""
    steps = {"all_at_once": 1, "canary": 2}.get(update.strategy, math.ceil(100 / update.percent))
    starts = steps if update.strategy == "rolling" else 1
    return starts * START_S + (steps + 1) * update.wait_s


def _container(parameter: str, one: Container, *, is_one: bool) -> Json:
    return present(
        {
            "Image": one.image,
            "ModelDataUrl": ref(parameter),
            "Mode": "MultiModel" if one.is_prefix else None,
            "ContainerHostname": None if is_one else one.name,
            "Environment": dict(one.environment) or None,
        }
    )


def _variant(fleet: Fleet, *, has_model: bool) -> Json:
    settings = fleet.settings
    named: Json = {"VariantName": fleet.name}
    if has_model:
        named |= {"ModelName": att(f"Model{fleet.suffix}", "ModelName"), "InitialVariantWeight": fleet.weight}
    if settings.instance_type is None:
        serverless = {
            "MemorySizeInMB": settings.memory_mb,
            "MaxConcurrency": settings.max_concurrency,
            "ProvisionedConcurrency": settings.provisioned,
        }
        return {**named, "ServerlessConfig": present(serverless)}
    managed = {
        "Status": "ENABLED",
        "MinInstanceCount": settings.minimum,
        "MaxInstanceCount": settings.maximum,
    }
    takes_volume = settings.instance_type in catalogue() and not has_local_disk(settings.instance_type)
    on_instances = {
        "InstanceType": settings.instance_type,
        "InitialInstanceCount": settings.starts_with,
        "VolumeSizeInGB": settings.volume_gb if takes_volume else None,
        "ManagedInstanceScaling": managed if settings.has_components else None,
        "RoutingConfig": None if settings.routing is None else {"RoutingStrategy": settings.routing},
    }
    return {**named, **present(on_instances)}


def _asynchronous(request: Request, settings: Settings) -> Json:
    prefix = async_prefix(request)
    output = {
        "S3OutputPath": text(f"{prefix}/output"),
        "S3FailurePath": text(f"{prefix}/failure"),
        "KmsKeyId": request.kms_key_arn,
        "NotificationConfig": {"SuccessTopic": ref("SuccessTopic"), "ErrorTopic": ref("ErrorTopic")},
    }
    client = None
    if settings.requests_at_once is not None:
        client = {"MaxConcurrentInvocationsPerInstance": settings.requests_at_once}
    return present({"ClientConfig": client, "OutputConfig": present(output)})


def _capture(request: Request) -> Json | None:
    if request.capture is None:
        return None
    return present(
        {
            "EnableCapture": True,
            "InitialSamplingPercentage": request.capture.percent,
            "DestinationS3Uri": text(request.capture.s3_uri),
            "KmsKeyId": request.kms_key_arn,
            "CaptureOptions": [{"CaptureMode": "Input"}, {"CaptureMode": "Output"}],
            # Other content is kept in Base64.
            "CaptureContentTypeHeader": {
                "CsvContentTypes": ["text/csv"],
                "JsonContentTypes": ["application/json"],
            },
        }
    )
