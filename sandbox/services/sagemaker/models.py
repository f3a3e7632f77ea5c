"""Models and endpoint configurations."""

from sandbox.errors import AwsError
from sandbox.services.sagemaker.resources import CONFIG, MODEL, Resources, listed, page, pick
from sandbox.services.sagemaker.store import Document
from sandbox.services.service import Answer, Context, Params


def containers_of(model: Document) -> list[Document]:
    """Give the containers of a model in their order."""
    containers: list[Document] = model.get("Containers", [model.get("PrimaryContainer")])
    return containers


class Models(Resources):
    """CreateModel and its kin."""

    def create_model(self, context: Context, params: Params) -> Answer:
        """Keep a model; what it names is looked at when an endpoint needs it, as AWS does."""
        tags = params.pop("Tags", [])
        containers = params.get("Containers") or ([params["PrimaryContainer"]] if "PrimaryContainer" in params else [])
        if not containers or ("Containers" in params and "PrimaryContainer" in params):
            raise AwsError("ValidationException", "Give either PrimaryContainer or Containers.")
        for container in containers:
            if not container.get("Image") and not container.get("ModelPackageName"):
                raise AwsError("ValidationException", "Each container needs an Image or a ModelPackageName.")
            container.setdefault("Mode", "SingleModel")
        names = [container["ContainerHostname"] for container in containers if "ContainerHostname" in container]
        if len(set(names)) < len(names):
            raise AwsError("ValidationException", "The ContainerHostname of each container must be unique.")
        direct = params.get("InferenceExecutionConfig", {}).get("Mode") == "Direct"
        if direct and len(names) < len(containers):
            raise AwsError("ValidationException", "Direct invocation needs a ContainerHostname for each container.")
        name = params["ModelName"]
        return {"ModelArn": self.create(context, MODEL, name, {"EnableNetworkIsolation": False, **params}, tags)}

    def describe_model(self, context: Context, params: Params) -> Answer:
        """Describe a model."""
        name = params["ModelName"]
        return {**self.get(context.region, MODEL, name), "ModelArn": self.arn(context.region, MODEL, name)}

    def delete_model(self, context: Context, params: Params) -> None:
        """Delete a model; endpoints that run it go on."""
        self.remove(context, MODEL, params["ModelName"])

    def list_models(self, context: Context, params: Params) -> Answer:
        """List models."""
        return self._listed(context, params, MODEL, "Model", "Models")

    def create_endpoint_config(self, context: Context, params: Params) -> Answer:
        """Keep an endpoint configuration after looking whether its variants can be."""
        tags = params.pop("Tags", [])
        variants = [*params["ProductionVariants"], *params.get("ShadowProductionVariants", [])]
        names = [variant["VariantName"] for variant in variants]
        if len(set(names)) < len(names):
            raise AwsError("ValidationException", "Duplicate variant names are not allowed.")
        for variant in variants:
            self._check_variant(context, variant, has_async="AsyncInferenceConfig" in params)
        name = params["EndpointConfigName"]
        return {"EndpointConfigArn": self.create(context, CONFIG, name, params, tags)}

    def _check_variant(self, context: Context, variant: Document, *, has_async: bool) -> None:
        serverless = "ServerlessConfig" in variant
        if "ModelName" in variant:
            self.get(context.region, MODEL, variant["ModelName"])
        if serverless and ("InstanceType" in variant or has_async):
            message = "A serverless variant has no InstanceType and no AsyncInferenceConfig."
            raise AwsError("ValidationException", message)
        if not serverless and "InstanceType" not in variant:
            message = f"Variant {variant['VariantName']} needs either an InstanceType or a ServerlessConfig."
            raise AwsError("ValidationException", message)
        if serverless:
            memory_mb = variant["ServerlessConfig"]["MemorySizeInMB"]
            if memory_mb % 1024:
                message = f"MemorySizeInMB must be a multiple of 1024, got {memory_mb}"
                raise AwsError("ValidationException", message)
        else:
            variant.setdefault("InitialInstanceCount", 1)
        variant.setdefault("InitialVariantWeight", 1.0)

    def describe_endpoint_config(self, context: Context, params: Params) -> Answer:
        """Describe an endpoint configuration."""
        name = params["EndpointConfigName"]
        document = self.get(context.region, CONFIG, name)
        return {**document, "EndpointConfigArn": self.arn(context.region, CONFIG, name)}

    def delete_endpoint_config(self, context: Context, params: Params) -> None:
        """Delete an endpoint configuration."""
        self.remove(context, CONFIG, params["EndpointConfigName"])

    def list_endpoint_configs(self, context: Context, params: Params) -> Answer:
        """List endpoint configurations."""
        return self._listed(context, params, CONFIG, "EndpointConfig", "EndpointConfigs")

    def _listed(self, context: Context, params: Params, kind: str, stem: str, key: str) -> Answer:
        found, token = page(self.store.listing(context.region, kind), params, name=f"{stem}Name")
        summaries = [
            {
                **pick(entry, (f"{stem}Name", "CreationTime")),
                f"{stem}Arn": self.arn(context.region, kind, entry[f"{stem}Name"]),
            }
            for entry in found
        ]
        return listed(key, summaries, token)
