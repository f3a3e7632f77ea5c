"""SageMaker's control plane: models, endpoint configurations, endpoints, inference components, transform jobs."""

from sandbox.services.sagemaker.models import Models
from sandbox.services.sagemaker.transforms import Transforms


class SageMaker(Models, Transforms):
    """The service."""
