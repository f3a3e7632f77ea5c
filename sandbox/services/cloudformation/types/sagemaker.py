"""Models, endpoint configurations, endpoints and inference components."""

from typing import Any, ClassVar

from sandbox.services.cloudformation.calls import Calls, Refused
from sandbox.services.cloudformation.types.resource_type import Found, Properties, ResourceType, only, without


class _Hosting(ResourceType):
    """What the four have in common: create, describe and delete by name; tags by ARN."""

    kind: ClassVar[str]  # as in CreateEndpointConfig
    path: ClassVar[str]  # as in the ARN
    tags_property = "Tags"
    takes_system_tags = True

    def find(self, call: Calls, name: str, properties: Properties) -> Found | None:
        """Describe it."""
        described = self.described(call, name)
        if described is None:
            return None
        arn = self.arn(call, name)
        return Found(physical_id=arn, attributes={f"{self.kind}Arn": arn, f"{self.kind}Name": name})

    def described(self, call: Calls, name: str) -> Any | None:
        """Give what Describe answers."""
        return call.lookup("sagemaker", f"describe_{self._snake()}", **{f"{self.kind}Name": name})

    def create(self, call: Calls, name: str, properties: Properties) -> None:
        """Create it; the properties have the names of the call's parameters."""
        call("sagemaker", f"create_{self._snake()}", **{**properties, f"{self.kind}Name": name})

    def configure(self, call: Calls, name: str, before: Properties, after: Properties) -> None:
        """Change the tags."""
        operations = ("sagemaker", "add_tags", "delete_tags")
        self.retag(call, operations, before, after, ResourceArn=self.arn(call, name))

    def delete(self, call: Calls, name: str, properties: Properties) -> None:
        """Delete it."""
        call("sagemaker", f"delete_{self._snake()}", **{f"{self.kind}Name": name})

    def arn(self, call: Calls, name: str) -> str:
        """Give its ARN."""
        return call.arn("sagemaker", f"{self.path}/{name}")

    def _snake(self) -> str:
        return self.path.replace("-", "_")


class Model(_Hosting):
    """AWS::SageMaker::Model."""

    type = "AWS::SageMaker::Model"
    kind, path = "Model", "model"
    name_property = "ModelName"
    create_only = frozenset({
        "ExecutionRoleArn", "EnableNetworkIsolation", "InferenceExecutionConfig", "PrimaryContainer", "VpcConfig",
        "Containers",
    })  # fmt: skip


class EndpointConfig(_Hosting):
    """AWS::SageMaker::EndpointConfig."""

    type = "AWS::SageMaker::EndpointConfig"
    kind, path = "EndpointConfig", "endpoint-config"
    name_property = "EndpointConfigName"
    required = frozenset({"ProductionVariants"})
    create_only = frozenset({
        "KmsKeyId", "AsyncInferenceConfig", "ExecutionRoleArn", "ShadowProductionVariants", "EnableNetworkIsolation",
        "ProductionVariants", "DataCaptureConfig", "ExplainerConfig", "MetricsConfig", "VpcConfig",
    })  # fmt: skip


class Endpoint(_Hosting):
    """AWS::SageMaker::Endpoint; another configuration is deployed in place."""

    type = "AWS::SageMaker::Endpoint"
    kind, path = "Endpoint", "endpoint"
    name_property = "EndpointName"
    required = frozenset({"EndpointConfigName"})
    changeable = frozenset({
        "EndpointConfigName", "DeploymentConfig", "RetainAllVariantProperties", "ExcludeRetainedVariantProperties",
        "RetainDeploymentConfig",
    })  # fmt: skip
    _of_updates = ("RetainAllVariantProperties", "ExcludeRetainedVariantProperties", "RetainDeploymentConfig")

    def create(self, call: Calls, name: str, properties: Properties) -> None:
        """Create it; how updates keep properties of variants is of no use yet."""
        super().create(call, name, without(properties, *self._of_updates))

    def configure(self, call: Calls, name: str, before: Properties, after: Properties) -> None:
        """Deploy another configuration. A changed DeploymentConfig alone waits for the next deployment."""
        super().configure(call, name, before, after)
        if before and self._settled(call, name)["EndpointConfigName"] != after["EndpointConfigName"]:
            how = only(after, "EndpointConfigName", "DeploymentConfig", *self._of_updates)
            call("sagemaker", "update_endpoint", EndpointName=name, **how)

    def is_busy(self, call: Calls, name: str) -> bool:
        """SageMaker refuses calls for an endpoint in transition."""
        described = self.described(call, name)
        return described is not None and described["EndpointStatus"] in _TRANSIENT

    def is_settled(self, call: Calls, name: str, properties: Properties) -> bool:
        """Wait for InService with the configuration that was asked for: a deployment may have been rolled back."""
        described = self._settled(call, name)
        status = described["EndpointStatus"]
        if status in _TRANSIENT:
            return False
        reason = described.get("FailureReason") or f"its status is {status}"
        if status != "InService":
            raise Refused(
                f"Resource of type '{self.type}' with identifier '{name}' did not stabilize: {reason}", "NotStabilized"
            )
        if described["EndpointConfigName"] != properties["EndpointConfigName"]:
            reason = described.get("FailureReason") or f"it serves {described['EndpointConfigName']} again"
            raise Refused(f"The deployment was rolled back: {reason}", "NotStabilized")
        return True

    def _settled(self, call: Calls, name: str) -> Any:
        described = self.described(call, name)
        if described is None:
            raise Refused(f"Resource of type '{self.type}' with identifier '{name}' was not found.", "NotFound")
        return described


class InferenceComponent(_Hosting):
    """AWS::SageMaker::InferenceComponent.

    The registry calls no property create-only; the update call has no other endpoint, variant or name to give.
    """

    type = "AWS::SageMaker::InferenceComponent"
    kind, path = "InferenceComponent", "inference-component"
    name_property = "InferenceComponentName"
    required = frozenset({"EndpointName"})
    changeable = frozenset({"Specification", "RuntimeConfig", "DeploymentConfig"})
    create_only = frozenset({"EndpointName", "VariantName"})

    def create(self, call: Calls, name: str, properties: Properties) -> None:
        """Create it; how updates are deployed is of no use yet."""
        super().create(call, name, without(properties, "DeploymentConfig"))

    def configure(self, call: Calls, name: str, before: Properties, after: Properties) -> None:
        """Change the specification or the number of copies."""
        super().configure(call, name, before, after)
        changed = [part for part in ("Specification", "RuntimeConfig") if before.get(part) != after.get(part)]
        if before and changed:
            call(
                "sagemaker",
                "update_inference_component",
                InferenceComponentName=name,
                **only(after, *changed, "DeploymentConfig"),
            )

    def is_busy(self, call: Calls, name: str) -> bool:
        """SageMaker refuses calls for a component in transition."""
        described = self.described(call, name)
        return described is not None and described["InferenceComponentStatus"] in _TRANSIENT

    def is_settled(self, call: Calls, name: str, properties: Properties) -> bool:
        """Wait for InService."""
        described = self.described(call, name) or {"InferenceComponentStatus": "Failed"}
        status = described["InferenceComponentStatus"]
        if status in _TRANSIENT:
            return False
        if status != "InService":
            reason = described.get("FailureReason", status)
            raise Refused(
                f"Resource of type '{self.type}' with identifier '{name}' did not stabilize: {reason}", "NotStabilized"
            )
        return True


_TRANSIENT = frozenset({"Creating", "Updating", "SystemUpdating", "RollingBack", "Deleting"})
