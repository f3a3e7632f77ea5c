"""SageMaker's control plane: models, endpoint configurations, endpoints, inference components, transform jobs."""

from sandbox.services.sagemaker.models import Models
from sandbox.services.sagemaker.resources import ENDPOINT
from sandbox.services.sagemaker.scaling import Scaling
from sandbox.services.sagemaker.transforms import Transforms


class SageMaker(Models, Transforms):
    """The service."""

    def resume(self) -> None:
        """Go on with everything, and follow the scaling policies."""
        super().resume()
        scaling = Scaling(self.cloud, lambda: {region for region, _ in self.store.everywhere(ENDPOINT)})
        self.cloud.background(scaling.run)
