"""SageMaker's control plane: models, endpoint configurations, endpoints, inference components, transform jobs."""

from sandbox.services.sagemaker.endpoints import Endpoints
from sandbox.services.sagemaker.models import Models


class SageMaker(Models, Endpoints):
    """The service."""
