"""The address of a framework's image, from the SageMaker SDK: the one place that imports it.

The SDK is slow to import (seconds, 200 MB) and is loaded when the first framework is asked for. It reads the
addresses from its own tables: nothing goes over the network, and no telemetry is sent.
Source: docs/launch/models.md#images.
"""

import warnings
from collections.abc import Mapping
from functools import lru_cache
from types import MappingProxyType
from typing import Any

# What is taken when nobody says a version; tests hold it to the SDK's tables.
USUAL_VERSIONS: Mapping[str, str] = MappingProxyType(
    {
        "sklearn": "1.2-1",
        "xgboost": "1.7-1",
        "onnx": "2.5.1",
        "pytorch": "2.5.1",
        "tensorflow": "2.19.0",
        "huggingface": "4.49.0",
        "triton": "24.09",
    }
)
# SageMaker has no image with ONNX Runtime alone: a graph runs in PyTorch's, by a script that installs it.
_NAMES_OF_SDK = {"triton": "sagemaker-tritonserver", "onnx": "pytorch"}
_WITHOUT_INSTANCE = "ml.m5.large"  # serverless endpoints take the image of a CPU


@lru_cache(maxsize=256)
def image_uri(framework: str, *, version: str | None, region: str, instance_type: str | None) -> str:
    """Give the image that serves a framework on an instance type; without a type, on serverless CPUs.

    Raises: ValueError that lists the versions, types or Regions there are.

    >>> image_uri("sklearn", version="1.2-1", region="eu-west-1", instance_type="ml.m5.large")
    '141502667606.dkr.ecr.eu-west-1.amazonaws.com/sagemaker-scikit-learn:1.2-1-cpu-py3'
    """
    image_uris = _sdk()
    name = _NAMES_OF_SDK.get(framework, framework)
    wanted = version or USUAL_VERSIONS[framework]
    more = _base_of(image_uris, wanted) if framework == "huggingface" else {}
    found: str = image_uris.retrieve(
        name,
        region,
        version=wanted,
        instance_type=instance_type or _WITHOUT_INSTANCE,
        image_scope="inference",
        **more,
    )
    return found


def _sdk() -> Any:
    with warnings.catch_warnings():  # its docstrings have invalid escapes, which Python tells of once
        warnings.simplefilter("ignore")
        from sagemaker.core import image_uris  # noqa: PLC0415 (imported late: see above)
    return image_uris


def _base_of(image_uris: Any, version: str) -> dict[str, str]:
    """The newest PyTorch under a release of Transformers, and its Python.

    Raises: ValueError for a release that the SDK does not know.
    """
    config = image_uris.config_for_framework("huggingface")["inference"]
    release = config["versions"].get(config.get("version_aliases", {}).get(version, version))
    if release is None:
        message = f"Unsupported huggingface version: {version}. Supported: {', '.join(config['versions'])}."
        raise ValueError(message)
    bases = [name for name in release if name.startswith("pytorch")]
    if not bases:
        message = f"The release {version} of Transformers has no image with PyTorch."
        raise ValueError(message)
    newest = max(bases, key=lambda name: [int(part) for part in name.removeprefix("pytorch").split(".")])
    return {"base_framework_version": newest, "py_version": release[newest]["py_versions"][-1]}
