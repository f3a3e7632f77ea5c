"""The services that the sandbox implements itself; moto answers for some others."""

import importlib

from sandbox.services.service import Service

# Signing name of a service -> its class. Imported on the first request for it.
SERVICES = {
    "athena": "sandbox.services.athena:Athena",
    "cloudformation": "sandbox.services.cloudformation:CloudFormation",
    "monitoring": "sandbox.services.cloudwatch:CloudWatch",
    "sagemaker": "sandbox.services.sagemaker:SageMaker",
    "tagging": "sandbox.services.tagging:Tagging",
}
# These have work to take up again after a restart.
EAGER = ("cloudformation", "monitoring", "sagemaker")


def service_class(signing_name: str) -> type[Service] | None:
    """Give the class of a service, or None if it is not ours."""
    place = SERVICES.get(signing_name)
    if place is None:
        return None
    module, _, name = place.partition(":")
    found: type[Service] = getattr(importlib.import_module(module), name)
    return found
