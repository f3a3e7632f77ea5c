"""From a model and a variant to what the runtime starts; and what can't be run here, said before it is tried."""

import os
import re
import uuid
from typing import Any

from sandbox.services.sagemaker.instances import is_accelerated, memory_mb
from sandbox.services.sagemaker.models import containers_of
from sandbox.services.sagemaker.store import Document

# How long a serverless endpoint stays warm without requests. AWS publishes no figure.
IDLE_VARIABLE = "HOSTFIT_SANDBOX_IDLE_S"
_IDLE_S = 300.0
_REAL_TIME_TIMEOUT_S = 60.0  # SageMaker developer guide, real-time inference
_LONGEST_TIMEOUT_S = 3600.0  # the same, asynchronous inference and batch transform
_START_TIMEOUT_S = 600.0

# Parts of the names of AWS's images -> the server that stands for them; "" finds out by the files of the archive.
_SERVERS = {
    "scikit-learn": "sklearn",
    "xgboost": "xgboost",
    "onnx": "onnx",
    "tritonserver": "onnx",
    "pytorch": "",
    "tensorflow": "",
    "huggingface": "",
    "mxnet": "",
}
_REPOSITORY = re.compile(r"[^/]+/(?P<repository>[^:@]+)")


class NotRunnable(Exception):
    """What AWS would run and the sandbox can't; the message is a FailureReason."""


def framework(image: str) -> str:
    """Say which server stands for an image. Raises: NotRunnable."""
    found = _REPOSITORY.match(image)
    repository = found["repository"] if found else image
    for part, server in _SERVERS.items():
        if part in repository:
            return server
    raise NotRunnable(
        f"Not emulated: the sandbox can't run the image {image}. It has servers for scikit-learn, XGBoost, ONNX "
        "Runtime and inference.py scripts; AWS would pull the image from ECR."
    )


def fleet_plan(
    *, endpoint: str, region: str, variant: Document, model: Document, config: Document, batch: bool = False
) -> dict[str, Any]:
    """Give what the runtime starts for a variant. Raises: NotRunnable."""
    serverless = variant.get("ServerlessConfig")
    instance_type = variant.get("InstanceType", "")
    if is_accelerated(instance_type):
        raise NotRunnable(
            f"Not emulated: {instance_type} has accelerators, and the sandbox has none. AWS would start it if the "
            "account's quota allows."
        )
    slow = batch or "AsyncInferenceConfig" in config
    return {
        "id": f"{endpoint[:40]}-{variant['VariantName'][:20]}-{uuid.uuid4().hex[:8]}",
        "endpoint": endpoint,
        "variant": variant["VariantName"],
        "region": region,
        "instances": variant.get("InitialInstanceCount", 1),
        "memory_mb": serverless["MemorySizeInMB"] if serverless else memory_mb(instance_type),
        "direct": model.get("InferenceExecutionConfig", {}).get("Mode") == "Direct",
        "containers": [_container(number, container) for number, container in enumerate(containers_of(model), start=1)],
        "serverless": {
            "max_concurrency": serverless["MaxConcurrency"],
            "idle_s": float(os.environ.get(IDLE_VARIABLE) or _IDLE_S),
        }
        if serverless
        else None,
        "timeout_s": _LONGEST_TIMEOUT_S if slow else _REAL_TIME_TIMEOUT_S,
        "start_timeout_s": variant.get("ContainerStartupHealthCheckTimeoutInSeconds", _START_TIMEOUT_S),
    }


def _container(number: int, container: Document) -> dict[str, Any]:
    if "ModelPackageName" in container:
        raise NotRunnable("Not emulated: model packages. AWS would take image and model data from the package.")
    source = container.get("ModelDataSource", {}).get("S3DataSource", {})
    if source.get("CompressionType") == "None":
        raise NotRunnable("Not emulated: model data that is not compressed. AWS would download the prefix.")
    return {
        "name": container.get("ContainerHostname") or f"container-{number}",
        "framework": framework(container["Image"]),
        "model_data": container.get("ModelDataUrl") or source.get("S3Uri", ""),
        "multi": container["Mode"] == "MultiModel",
        "environment": container.get("Environment", {}),
    }


def side_of_route(config: Document, variants: list[Document], share: float) -> dict[str, Any]:
    """Give one side of an endpoint's route; the variants name their fleets, weights and instances."""
    return {
        "share": share,
        "variants": variants,
        "capture": _capture(config.get("DataCaptureConfig")),
        "asynchronous": _asynchronous(config.get("AsyncInferenceConfig"), variants),
    }


def _capture(capture: Document | None) -> dict[str, Any] | None:
    if capture is None or not capture.get("EnableCapture", True):
        return None
    modes = {option["CaptureMode"] for option in capture["CaptureOptions"]}
    types = capture.get("CaptureContentTypeHeader", {})
    return {
        "destination": capture["DestinationS3Uri"],
        "sampling_ratio": capture["InitialSamplingPercentage"] / 100,
        "input": bool(modes & {"Input", "InputAndOutput"}),
        "output": bool(modes & {"Output", "InputAndOutput"}),
        "csv_types": types.get("CsvContentTypes", []),
        "json_types": types.get("JsonContentTypes", []),
    }


def _asynchronous(config: Document | None, variants: list[Document]) -> dict[str, Any] | None:
    if config is None:
        return None
    output = config["OutputConfig"]
    notices = output.get("NotificationConfig", {})
    per_instance = config.get("ClientConfig", {}).get("MaxConcurrentInvocationsPerInstance", 4)
    return {
        "output": output.get("S3OutputPath", ""),
        "failure": output.get("S3FailurePath", ""),
        "success_topic": notices.get("SuccessTopic", ""),
        "error_topic": notices.get("ErrorTopic", ""),
        "include_in": notices.get("IncludeInferenceResponseIn", []),
        "concurrency": per_instance * sum(variant["instances"] for variant in variants),
    }
