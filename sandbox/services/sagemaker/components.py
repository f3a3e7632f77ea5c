"""Inference components: models that share the instances of an endpoint."""

import uuid
from typing import Any

from sandbox.errors import AwsError
from sandbox.services.sagemaker.deployments import Failed, RuntimeGone
from sandbox.services.sagemaker.endpoints import Endpoints
from sandbox.services.sagemaker.fleets import NotRunnable, fleet_plan
from sandbox.services.sagemaker.models import containers_of
from sandbox.services.sagemaker.resources import COMPONENT, ENDPOINT, MODEL, listed, page, pick
from sandbox.services.sagemaker.store import Document
from sandbox.services.service import Answer, Context, Params

_SUMMARY = (
    "InferenceComponentName", "EndpointName", "VariantName", "InferenceComponentStatus", "CreationTime",
    "LastModifiedTime",
)  # fmt: skip


class Components(Endpoints):
    """CreateInferenceComponent and its kin."""

    def create_inference_component(self, context: Context, params: Params) -> Answer:
        """Start creating a component on an endpoint that is in service."""
        region, name = context.region, params["InferenceComponentName"]
        endpoint = self.get(region, ENDPOINT, params["EndpointName"])
        if endpoint["EndpointStatus"] != "InService":
            arn = self.arn(region, ENDPOINT, params["EndpointName"])
            raise AwsError("ValidationException", f'Endpoint "{arn}" is not in service.')
        variant = params.get("VariantName") or next(iter(endpoint["variants"]))
        if variant not in endpoint["variants"]:
            raise AwsError("ValidationException", f"Variant {variant} not found for Endpoint {params['EndpointName']}.")
        if endpoint["variants"][variant]["images"]:
            message = f"Variant {variant} has a model of its own and takes no inference components."
            raise AwsError("ValidationException", message)
        self._check_specification(region, params.get("Specification", {}))
        document = {
            "InferenceComponentName": name,
            "EndpointName": params["EndpointName"],
            "VariantName": variant,
            "Specification": params.get("Specification", {}),
            "copies": params.get("RuntimeConfig", {}).get("CopyCount", 1),
            "InferenceComponentStatus": "Creating",
        }
        arn = self.create(context, COMPONENT, name, document, params.get("Tags", []))
        self.cloud.background(self._start_component, region, name)
        return {"InferenceComponentArn": arn}

    def describe_inference_component(self, context: Context, params: Params) -> Answer:
        """Describe a component."""
        region, name = context.region, params["InferenceComponentName"]
        document = self.get(region, COMPONENT, name)
        copies = document["copies"]
        running = copies if document["InferenceComponentStatus"] == "InService" else 0
        specification = {**document["Specification"]}
        container = specification.pop("Container", None)
        if container:
            image = {"SpecifiedImage": container.get("Image"), "ResolvedImage": container.get("Image")}
            specification["Container"] = {**pick(container, ("ArtifactUrl", "Environment")), "DeployedImage": image}
        return {
            **pick(document, (*_SUMMARY, "FailureReason")),
            "InferenceComponentArn": self.arn(region, COMPONENT, name),
            "EndpointArn": self.arn(region, ENDPOINT, document["EndpointName"]),
            "Specification": specification,
            "RuntimeConfig": {"DesiredCopyCount": copies, "CurrentCopyCount": running},
        }

    def list_inference_components(self, context: Context, params: Params) -> Answer:
        """List components."""

        def is_wanted(component: Document) -> bool:
            wanted = {"EndpointNameEquals": "EndpointName", "VariantNameEquals": "VariantName"}
            return all(
                params.get(filter_, component[member]) == component[member] for filter_, member in wanted.items()
            )

        found, token = page(
            self.store.listing(context.region, COMPONENT),
            params,
            name="InferenceComponentName",
            status="InferenceComponentStatus",
            extra=is_wanted,
        )
        summaries = [
            {
                **pick(component, _SUMMARY),
                "InferenceComponentArn": self.arn(context.region, COMPONENT, component["InferenceComponentName"]),
                "EndpointArn": self.arn(context.region, ENDPOINT, component["EndpointName"]),
            }
            for component in found
        ]
        return listed("InferenceComponents", summaries, token)

    def update_inference_component(self, context: Context, params: Params) -> Answer:
        """Start replacing what a component runs."""
        region, name = context.region, params["InferenceComponentName"]
        specification = params.get("Specification")
        if specification is not None:
            self._check_specification(region, specification)
        copies = params.get("RuntimeConfig", {}).get("CopyCount")
        self._begin_component(region, name, specification=specification, copies=copies)
        self.cloud.background(self._start_component, region, name)
        return {"InferenceComponentArn": self.arn(region, COMPONENT, name)}

    def update_inference_component_runtime_config(self, context: Context, params: Params) -> Answer:
        """Change how many copies a component has."""
        region, name = context.region, params["InferenceComponentName"]
        self._begin_component(region, name, specification=None, copies=params["DesiredRuntimeConfig"]["CopyCount"])
        self._settle_component(region, name, "InService")
        return {"InferenceComponentArn": self.arn(region, COMPONENT, name)}

    def delete_inference_component(self, context: Context, params: Params) -> None:
        """Start deleting a component."""
        region, name = context.region, params["InferenceComponentName"]
        component = self.get(region, COMPONENT, name)
        if component["InferenceComponentStatus"] not in {"InService", "Failed"}:
            raise self._component_in_progress(region, name)
        self._settle_component(region, name, "Deleting")
        self.cloud.background(self._remove_component, region, name)

    def restored_components(self, region: str, endpoint: str) -> dict[str, str]:
        """Start the fleets of an endpoint's components again; gives their fleets by name."""
        fleets = {}
        for component in self.store.listing(region, COMPONENT):
            if component["EndpointName"] == endpoint and component["InferenceComponentStatus"] == "InService":
                name = component["InferenceComponentName"]
                try:
                    fleets[name] = self.start_fleet(self._component_plan(region, component))
                except (Failed, NotRunnable) as err:
                    self._settle_component(region, name, "Failed", FailureReason=str(err))
        return fleets

    def runtime_is_back(self) -> None:
        """Bring components back to what they were doing; their endpoints start those in service."""
        super().runtime_is_back()
        for region, component in self.store.everywhere(COMPONENT):
            name, status = component["InferenceComponentName"], component["InferenceComponentStatus"]
            if status in {"Creating", "Updating"}:
                self.cloud.background(self._start_component, region, name)
            elif status == "Deleting":
                self.cloud.background(self._remove_component, region, name)

    def _check_specification(self, region: str, specification: Document) -> None:
        if ("ModelName" in specification) == ("Container" in specification):
            raise AwsError("ValidationException", "Give either ModelName or Container in the Specification.")
        if "ModelName" in specification:
            self.get(region, MODEL, specification["ModelName"])

    def _begin_component(self, region: str, name: str, *, specification: Document | None, copies: int | None) -> None:
        component = self.get(region, COMPONENT, name)
        if component["InferenceComponentStatus"] not in {"InService", "Failed"}:
            raise self._component_in_progress(region, name)

        def change(document: Document) -> None:
            document["InferenceComponentStatus"] = "Updating"
            document["Specification"] = specification or document["Specification"]
            document["copies"] = copies or document["copies"]

        self.store.change(region, COMPONENT, name, change)

    def _component_in_progress(self, region: str, name: str) -> AwsError:
        arn = self.arn(region, COMPONENT, name)
        return AwsError("ValidationException", f'Cannot update in-progress inference component "{arn}".')

    def _settle_component(self, region: str, name: str, status: str, **members: Any) -> None:
        def change(document: Document) -> None:
            document.update(members, InferenceComponentStatus=status)

        self.store.change(region, COMPONENT, name, change)

    def _start_component(self, region: str, name: str) -> None:
        component = self.store.get(region, COMPONENT, name)
        if component is None:
            return
        try:
            fleet = self.start_fleet(self._component_plan(region, component))
        except RuntimeGone:
            return
        except (Failed, NotRunnable) as err:
            self._settle_component(region, name, "Failed", FailureReason=str(err))
            return
        before = self._replace_fleet(region, component["EndpointName"], name, fleet)
        self._settle_component(region, name, "InService")
        if before:
            self.stop_fleet(before)

    def _remove_component(self, region: str, name: str) -> None:
        component = self.store.get(region, COMPONENT, name)
        if component is None:
            return
        before = self._replace_fleet(region, component["EndpointName"], name, None)
        self.store.remove(region, COMPONENT, name, self.arn(region, COMPONENT, name))
        if before:
            self.stop_fleet(before)

    def _replace_fleet(self, region: str, endpoint: str, name: str, fleet: str | None) -> str | None:
        """Route a component to another fleet, or to none; gives the one it had."""
        before: str | None = None

        def change(document: Document) -> None:
            nonlocal before
            before = document["components"].pop(name, None)
            if fleet is not None:
                document["components"][name] = fleet

        if self.store.change(region, ENDPOINT, endpoint, change) is not None:
            self.start(region, endpoint, "reroute").join()
        return before

    def _component_plan(self, region: str, component: Document) -> dict[str, Any]:
        """Give what the runtime starts for a component. Raises: Failed, NotRunnable."""
        endpoint = self.store.get(region, ENDPOINT, component["EndpointName"])
        if endpoint is None:
            raise Failed(f"Endpoint {component['EndpointName']} is gone.")
        specification = component["Specification"]
        (variant,) = (
            entry
            for entry in endpoint["config"]["ProductionVariants"]
            if entry["VariantName"] == component["VariantName"]
        )
        plan = fleet_plan(
            endpoint=component["EndpointName"],
            region=region,
            variant=variant,
            model=self._model_of(region, specification),
            config=endpoint["config"],
        )
        needed_mb = specification.get("ComputeResourceRequirements", {}).get("MinMemoryRequiredInMb", plan["memory_mb"])
        if needed_mb > plan["memory_mb"]:
            raise Failed(
                f"The instance has {plan['memory_mb']} MB of memory, and the component requires {needed_mb} MB."
            )
        return {**plan, "id": f"{component['InferenceComponentName'][:40]}-{uuid.uuid4().hex[:8]}"}

    def _model_of(self, region: str, specification: Document) -> Document:
        if "ModelName" in specification:
            model = self.store.get(region, MODEL, specification["ModelName"])
            if model is None:
                raise Failed(f'Could not find model "{self.arn(region, MODEL, specification["ModelName"])}".')
            return {"Containers": containers_of(model)}
        container = specification["Container"]
        if "Image" not in container:
            raise Failed("The Container of the Specification has no Image.")
        return {
            "Containers": [
                {
                    "Image": container["Image"],
                    "ModelDataUrl": container.get("ArtifactUrl", ""),
                    "Environment": container.get("Environment", {}),
                    "Mode": "SingleModel",
                }
            ]
        }
