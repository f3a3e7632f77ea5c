"""Endpoints: their states, what they serve, and the calls that change them."""

from typing import Any

from sandbox.errors import AwsError
from sandbox.services.sagemaker.deployments import Deployments
from sandbox.services.sagemaker.resources import CONFIG, ENDPOINT, MODEL, listed, page, pick
from sandbox.services.sagemaker.store import Document
from sandbox.services.service import Answer, Context, Params

_DESCRIBED = (
    "EndpointName", "EndpointConfigName", "EndpointStatus", "FailureReason", "CreationTime", "LastModifiedTime",
    "LastDeploymentConfig", "PendingDeploymentSummary",
)  # fmt: skip
_SETTLED = ("InService", "Failed", "OutOfService")


class Endpoints(Deployments):
    """CreateEndpoint and its kin."""

    def create_endpoint(self, context: Context, params: Params) -> Answer:
        """Start creating an endpoint."""
        name, config_name = params["EndpointName"], params["EndpointConfigName"]
        config = self.get(context.region, CONFIG, config_name)
        for variant in config["ProductionVariants"]:
            if "ModelName" in variant:
                self.get(context.region, MODEL, variant["ModelName"])
        document = {
            "EndpointName": name,
            "EndpointConfigName": config_name,
            "EndpointStatus": "Creating",
            "LastDeploymentConfig": params.get("DeploymentConfig"),
            "variants": {},
            "components": {},
        }
        arn = self.create(context, ENDPOINT, name, document, params.get("Tags", []))
        self.start(context.region, name, "create")
        return {"EndpointArn": arn}

    def describe_endpoint(self, context: Context, params: Params) -> Answer:
        """Describe an endpoint."""
        name = params["EndpointName"]
        document = self.get(context.region, ENDPOINT, name)
        return self.described(context.region, document)

    def described(self, region: str, document: Document) -> Answer:
        """Give an endpoint as the API describes it."""
        config = self.store.get(region, CONFIG, document["EndpointConfigName"]) or document.get("config", {})
        summary = {
            **pick(document, _DESCRIBED),
            **pick(config, ("AsyncInferenceConfig", "ExplainerConfig")),
            "EndpointArn": self.arn(region, ENDPOINT, document["EndpointName"]),
        }
        variants = document["variants"]
        if variants:
            summary["ProductionVariants"] = [_variant(name, state) for name, state in variants.items()]
        capture = config.get("DataCaptureConfig")
        if capture:
            enabled = capture.get("EnableCapture", True)
            summary["DataCaptureConfig"] = {
                "EnableCapture": enabled,
                "CaptureStatus": "Started" if enabled and document["EndpointStatus"] in _SETTLED else "Stopped",
                "CurrentSamplingPercentage": capture["InitialSamplingPercentage"],
                "DestinationS3Uri": capture["DestinationS3Uri"],
                "KmsKeyId": capture.get("KmsKeyId", ""),
            }
        return summary

    def list_endpoints(self, context: Context, params: Params) -> Answer:
        """List endpoints."""
        found, token = page(
            self.store.listing(context.region, ENDPOINT), params, name="EndpointName", status="EndpointStatus"
        )
        members = ("EndpointName", "CreationTime", "LastModifiedTime", "EndpointStatus")
        summaries = [
            {**pick(endpoint, members), "EndpointArn": self.arn(context.region, ENDPOINT, endpoint["EndpointName"])}
            for endpoint in found
        ]
        return listed("Endpoints", summaries, token)

    def update_endpoint(self, context: Context, params: Params) -> Answer:
        """Start replacing an endpoint's configuration."""
        region, name = context.region, params["EndpointName"]
        arn = self.arn(region, ENDPOINT, name)
        self.get(region, ENDPOINT, name)
        self.get(region, CONFIG, params["EndpointConfigName"])
        self._begin(
            region,
            name,
            {
                "update": {
                    "config": params["EndpointConfigName"],
                    "deployment": params.get("DeploymentConfig"),
                    "retain": params.get("RetainAllVariantProperties", False),
                    "exclude": [
                        entry["VariantPropertyType"] for entry in params.get("ExcludeRetainedVariantProperties", [])
                    ],
                    "retain_deployment": params.get("RetainDeploymentConfig", False),
                }
            },
        )
        self.start(region, name, "update")
        return {"EndpointArn": arn}

    def update_endpoint_weights_and_capacities(self, context: Context, params: Params) -> Answer:
        """Change weights and numbers of instances of variants."""
        region, name = context.region, params["EndpointName"]
        document = self.get(region, ENDPOINT, name)
        wanted = {entry["VariantName"]: entry for entry in params["DesiredWeightsAndCapacities"]}
        unknown = sorted(set(wanted) - set(document["variants"]))
        if unknown:
            raise AwsError("ValidationException", f'Variant names "{", ".join(unknown)}" do not exist in the endpoint.')
        self._begin(region, name, {})

        def change(endpoint: Document) -> None:
            for variant, entry in wanted.items():
                state = endpoint["variants"][variant]
                state["weight"] = entry.get("DesiredWeight", state["weight"])
                state["instances"] = entry.get("DesiredInstanceCount", state["instances"])

        self.store.change(region, ENDPOINT, name, change)
        self.start(region, name, "reroute")
        return {"EndpointArn": self.arn(region, ENDPOINT, name)}

    def delete_endpoint(self, context: Context, params: Params) -> None:
        """Start deleting an endpoint."""
        region, name = context.region, params["EndpointName"]
        document = self.get(region, ENDPOINT, name)
        if document["EndpointStatus"] == "Deleting":
            return
        if document["EndpointStatus"] not in _SETTLED:
            raise self._in_progress(region, name)

        def change(endpoint: Document) -> None:
            endpoint["EndpointStatus"] = "Deleting"

        self.store.change(region, ENDPOINT, name, change)
        self.start(region, name, "delete")

    def _begin(self, region: str, name: str, plan: Document) -> None:
        """Put an endpoint into Updating in one step. Raises: AwsError if something is under way."""
        taken = False

        def change(endpoint: Document) -> None:
            nonlocal taken
            if endpoint["EndpointStatus"] not in {"InService", "OutOfService"}:
                return
            taken = True
            endpoint.pop("FailureReason", None)
            endpoint.update(plan, EndpointStatus="Updating")

        self.store.change(region, ENDPOINT, name, change)
        if not taken:
            document = self.get(region, ENDPOINT, name)
            if document["EndpointStatus"] == "Failed":
                raise AwsError(
                    "ValidationException",
                    f'Cannot update endpoint "{self.arn(region, ENDPOINT, name)}" in Failed status.',
                )
            raise self._in_progress(region, name)

    def _in_progress(self, region: str, name: str) -> AwsError:
        arn = self.arn(region, ENDPOINT, name)
        return AwsError("ValidationException", f'Cannot update in-progress endpoint "{arn}".')

    def resume(self) -> None:
        """Bring every endpoint back to what it was doing when the processes ended."""
        self.runtime_is_back()

    def runtime_is_back(self) -> None:
        """Bring every endpoint back to what it was doing when the runtime ended."""
        known = self.store.everywhere(ENDPOINT)
        self.expect([(region, endpoint["EndpointName"]) for region, endpoint in known if endpoint["variants"]])
        for region, endpoint in known:
            name, status = endpoint["EndpointName"], endpoint["EndpointStatus"]
            steps = {"Creating": ["create"], "Deleting": ["delete"], "Failed": [], "OutOfService": []}
            work = steps.get(status, ["restore"])
            if status in {"Updating", "RollingBack"}:
                work = ["restore", "update"] if "update" in endpoint else ["restore", "reroute"]
            if work:
                self.start(region, name, *work)


def _variant(name: str, state: Document) -> dict[str, Any]:
    summary = {
        "VariantName": name,
        "DeployedImages": [
            {"SpecifiedImage": image, "ResolvedImage": image, "ResolutionTime": state["resolved"]}
            for image in state["images"]
        ],
        "CurrentWeight": state["weight"],
        "DesiredWeight": state["weight"],
    }
    serverless = state.get("serverless")
    if serverless is not None:
        return {**summary, "CurrentServerlessConfig": serverless, "DesiredServerlessConfig": serverless}
    return {
        **summary,
        "CurrentInstanceCount": state["instances"],
        "DesiredInstanceCount": state.get("desired", state["instances"]),
    }
