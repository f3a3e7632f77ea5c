"""The work behind an endpoint's states: starting fleets, shifting traffic, watching alarms, rolling back."""

import contextlib
import json
import logging
import threading
import time
import urllib.error
from collections.abc import Callable
from typing import Any

from sandbox.faults import Fault
from sandbox.runtime_process import call_runtime
from sandbox.services.sagemaker.fleets import NotRunnable, fleet_plan, side_of_route
from sandbox.services.sagemaker.models import containers_of
from sandbox.services.sagemaker.resources import CONFIG, ENDPOINT, MODEL
from sandbox.services.sagemaker.store import Document, now
from sandbox.services.sagemaker.tags import Tagging
from sandbox.services.sagemaker.traffic import Alarmed, Plan, traffic_plan

LOG = logging.getLogger(__name__)

_SLOW_CREATION_S = 30.0
_STOP_TIMEOUT_S = 120.0
_QUICK_S = 10.0
_ALARM_EVERY_S = 0.25


class Failed(Exception):
    """A deployment that does not come about; the message is the endpoint's FailureReason."""


class RuntimeGone(Exception):
    """The runtime ended in the middle; what was under way begins again when it is back."""


class Deployments(Tagging):
    """Runs one piece of work at a time for each endpoint."""

    def __init__(self, cloud: Any) -> None:
        super().__init__(cloud)
        self._locks: dict[tuple[str, str], threading.Lock] = {}
        self._locks_lock = threading.Lock()

    def start(self, region: str, name: str, *steps: str) -> threading.Thread:
        """Do something with an endpoint in the background: create, update, restore, reroute, delete."""
        return self.cloud.background(self._work, region, name, steps)

    def expect(self, endpoints: list[tuple[str, str]]) -> None:
        """Let requests for these endpoints, by region and name, wait until they are routed again."""
        with contextlib.suppress(RuntimeGone):  # the next one is told, too
            self._tell_runtime("POST", "/-/expected", {"endpoints": endpoints})

    def _work(self, region: str, name: str, steps: tuple[str, ...]) -> None:
        with self._locks_lock:
            lock = self._locks.setdefault((region, name), threading.Lock())
        work: dict[str, Callable[[str, str], None]] = {
            "create": self._create, "update": self._update, "restore": self._restore, "reroute": self._reroute,
            "delete": self._delete,
        }  # fmt: skip
        with lock:
            try:
                for step in steps:
                    work[step](region, name)
            except RuntimeGone:
                LOG.info("%s of %s begins again when the runtime is back", " and ".join(steps), name)

    def _create(self, region: str, name: str) -> None:
        document = self.store.get(region, ENDPOINT, name)
        if document is None or document["EndpointStatus"] != "Creating":
            return
        try:
            config = self._config(region, document["EndpointConfigName"])
            self._wait_if_slow()
            variants = self._start_fleets(region, name, config, {})
        except Failed as err:
            self._change(region, name, EndpointStatus="Failed", FailureReason=str(err))
            return
        self._route(region, name, [side_of_route(config, _routed(variants), 1.0)], document["components"])
        self._change(region, name, EndpointStatus="InService", variants=variants, config=config)

    def _update(self, region: str, name: str) -> None:
        document = self.store.get(region, ENDPOINT, name)
        if document is None or "update" not in document:
            return
        update, blue = document["update"], document["variants"]
        deployment = update["deployment"]
        if deployment is None and update["retain_deployment"]:
            deployment = document.get("LastDeploymentConfig")
        green: Document = {}
        try:
            config = self._config(region, update["config"])
            self._wait_if_slow()
            retained = _retained(update, blue)
            green = self._start_fleets(region, name, config, retained)
            sides = (document["config"], blue), (config, green)
            self._shift(region, name, traffic_plan(deployment, _instances(green)), sides, document["components"])
        except (Failed, Alarmed) as err:
            self._roll_back(region, name, document, green, str(err))
            return
        except RuntimeGone:
            self._stop_fleets(green)  # a new runtime may have started them
            raise
        self._route(region, name, [side_of_route(config, _routed(green), 1.0)], document["components"])

        def settle(endpoint: Document) -> None:
            for member in ("update", "FailureReason", "PendingDeploymentSummary"):
                endpoint.pop(member, None)
            endpoint.update(
                EndpointStatus="InService",
                EndpointConfigName=update["config"],
                variants=green,
                config=config,
                LastDeploymentConfig=deployment,
            )

        self.store.change(region, ENDPOINT, name, settle)
        self._stop_fleets(blue)

    def _config(self, region: str, name: str) -> Document:
        config = self.store.get(region, CONFIG, name)
        if config is None:
            raise Failed(f'Could not find endpoint configuration "{self.arn(region, CONFIG, name)}".')
        return config

    def _roll_back(self, region: str, name: str, document: Document, green: Document, reason: str) -> None:
        self._change(region, name, EndpointStatus="RollingBack")
        if document["variants"]:
            side = side_of_route(document["config"], _routed(document["variants"]), 1.0)
            self._route(region, name, [side], document["components"])
        self._stop_fleets(green)

        def settle(endpoint: Document) -> None:
            for member in ("update", "PendingDeploymentSummary"):
                endpoint.pop(member, None)
            endpoint.update(EndpointStatus="InService", FailureReason=reason)

        self.store.change(region, ENDPOINT, name, settle)

    def _restore(self, region: str, name: str) -> None:
        """Start an endpoint's fleets again in a new runtime, as they were."""
        document = self.store.get(region, ENDPOINT, name)
        if document is None or not document["variants"]:
            return
        retained = {variant: {"weight": state["weight"], "instances": state["instances"]}
                    for variant, state in document["variants"].items()}  # fmt: skip
        try:
            variants = self._start_fleets(region, name, document["config"], retained)
        except Failed as err:
            self._change(region, name, EndpointStatus="Failed", FailureReason=str(err))
            return
        components = self.restored_components(region, name)
        self._route(region, name, [side_of_route(document["config"], _routed(variants), 1.0)], components)
        self._change(region, name, variants=variants, components=components)
        # A start that waited while the runtime died reaches the new one: what it started is replaced too.
        self._stop_fleets(document["variants"])
        for fleet in document["components"].values():
            self.stop_fleet(fleet)

    def restored_components(self, region: str, endpoint: str) -> dict[str, str]:
        """Start the fleets of an endpoint's inference components again; gives their fleets by name."""
        del region, endpoint
        return {}

    def _reroute(self, region: str, name: str) -> None:
        """Route an endpoint again after its weights, instances or components have changed."""
        document = self.store.get(region, ENDPOINT, name)
        if document is None:
            return
        side = side_of_route(document["config"], _routed(document["variants"]), 1.0)
        self._route(region, name, [side], document["components"])
        self._change(region, name, EndpointStatus="InService")

    def _delete(self, region: str, name: str) -> None:
        document = self.store.get(region, ENDPOINT, name)
        if document is None:
            return
        self._tell_runtime("DELETE", f"/-/endpoints/{region}/{name}")
        self._stop_fleets(document["variants"])
        for fleet in document["components"].values():
            self.stop_fleet(fleet)
        self.store.remove(region, ENDPOINT, name, self.arn(region, ENDPOINT, name))

    def _shift(
        self, region: str, name: str, plan: Plan, sides: tuple[tuple[Document, Document], ...], components: Document
    ) -> None:
        """Move the traffic from the first side to the second. Raises: Alarmed."""
        (old_config, blue), (new_config, green) = sides
        self._pending(region, name, new_config, green)
        for share in plan.shares:
            routed = [side_of_route(new_config, _routed(green), share)]
            if share < 1.0:
                routed.append(side_of_route(old_config, _routed(blue), 1.0 - share))
            self._route(region, name, routed, components)
            self._bake(region, plan)
        deadline = time.monotonic() + plan.termination_wait_s
        while time.monotonic() < deadline:
            self._look_at_alarms(region, plan.alarms)
            time.sleep(min(_ALARM_EVERY_S, plan.termination_wait_s))

    def _bake(self, region: str, plan: Plan) -> None:
        deadline = time.monotonic() + plan.wait_s
        while True:
            self._look_at_alarms(region, plan.alarms)
            left_s = deadline - time.monotonic()
            if left_s <= 0:
                return
            time.sleep(min(_ALARM_EVERY_S, left_s))

    def _look_at_alarms(self, region: str, alarms: tuple[str, ...]) -> None:
        if not alarms:
            return
        if Fault.ALARM in self.cloud.faults.active():
            raise Alarmed(alarms)
        client = self.cloud.client("cloudwatch", region)
        found = client.describe_alarms(AlarmNames=list(alarms), AlarmTypes=["MetricAlarm", "CompositeAlarm"])
        states = [*found.get("MetricAlarms", []), *found.get("CompositeAlarms", [])]
        raised = tuple(alarm["AlarmName"] for alarm in states if alarm["StateValue"] == "ALARM")
        if raised:
            raise Alarmed(raised)

    def _pending(self, region: str, name: str, config: Document, green: Document) -> None:
        variants = [
            {"VariantName": variant, "CurrentWeight": state["weight"], "DesiredWeight": state["weight"],
             "CurrentInstanceCount": state["instances"], "DesiredInstanceCount": state["instances"]}
            for variant, state in green.items()
        ]  # fmt: skip
        summary = {
            "EndpointConfigName": config["EndpointConfigName"],
            "ProductionVariants": variants,
            "StartTime": now(),
        }
        self._change(region, name, PendingDeploymentSummary=summary)

    def _start_fleets(self, region: str, name: str, config: Document, retained: Document) -> Document:
        """Start a fleet for each variant; gives the variants' states. Raises: Failed, with none left running."""
        variants: Document = {}
        for variant in config["ProductionVariants"]:
            state = {
                "weight": variant["InitialVariantWeight"],
                "instances": variant.get("InitialInstanceCount", 1),
                "serverless": variant.get("ServerlessConfig"),
                "resolved": now(),
                **retained.get(variant["VariantName"], {}),
            }
            try:
                state["fleet"], state["images"] = self._start_variant(region, name, variant, config)
            except (Failed, RuntimeGone):
                self._stop_fleets(variants)
                raise
            variants[variant["VariantName"]] = state
        return variants

    def _start_variant(self, region: str, name: str, variant: Document, config: Document) -> tuple[str, list[str]]:
        if "ModelName" not in variant:  # its models come as inference components
            empty: Document = {"Containers": [], "PrimaryContainer": None}
            plan = fleet_plan(endpoint=name, region=region, variant=variant, model=empty, config=config)
            return self.start_fleet(plan), []
        found = self.store.get(region, MODEL, variant["ModelName"])
        if found is None:
            raise Failed(f'Could not find model "{self.arn(region, MODEL, variant["ModelName"])}".')
        try:
            plan = fleet_plan(endpoint=name, region=region, variant=variant, model=found, config=config)
        except NotRunnable as err:
            raise Failed(str(err)) from err
        return self.start_fleet(plan), [container["Image"] for container in containers_of(found)]

    def start_fleet(self, plan: dict[str, Any]) -> str:
        """Start a fleet and wait until it is ready; gives its id. Raises: Failed, RuntimeGone."""
        if Fault.CAPACITY in self.cloud.faults.active():
            raise Failed("Unable to provision requested ML compute capacity due to InsufficientInstanceCapacity error.")
        try:
            call_runtime(self.cloud, "PUT", f"/-/fleets/{plan['id']}", plan, timeout_s=plan["start_timeout_s"] + 60)
        except urllib.error.HTTPError as err:
            with err:
                raise Failed(json.load(err)["reason"]) from err
        except OSError as err:
            raise RuntimeGone from err
        return str(plan["id"])

    def stop_fleet(self, fleet: str) -> None:
        """Let a fleet finish its requests and end it."""
        with contextlib.suppress(OSError):  # a runtime that is gone has ended its fleets
            call_runtime(self.cloud, "DELETE", f"/-/fleets/{fleet}", timeout_s=_STOP_TIMEOUT_S)

    def _stop_fleets(self, variants: Document) -> None:
        for state in variants.values():
            self.stop_fleet(state["fleet"])

    def _route(self, region: str, name: str, sides: list[dict[str, Any]], components: Document) -> None:
        document = {"name": name, "region": region, "sides": sides, "components": components}
        self._tell_runtime("PUT", f"/-/endpoints/{region}/{name}", document)

    def _tell_runtime(self, method: str, path: str, document: Document | None = None) -> None:
        """Tell the runtime something that it does at once. Raises: RuntimeGone."""
        try:
            call_runtime(self.cloud, method, path, document, timeout_s=_QUICK_S)
        except OSError as err:  # nobody listens, or a new one does not know the fleets
            raise RuntimeGone from err

    def _change(self, region: str, name: str, **members: Any) -> None:
        def change(endpoint: Document) -> None:
            endpoint.update(members)
            if members.get("EndpointStatus") in {"InService", "Failed"}:
                endpoint.pop("PendingDeploymentSummary", None)

        self.store.change(region, ENDPOINT, name, change)

    def _wait_if_slow(self) -> None:
        if Fault.SLOW_CREATION in self.cloud.faults.active():
            time.sleep(_SLOW_CREATION_S)


def _routed(variants: Document) -> list[Document]:
    return [
        {"name": name, "weight": state["weight"], "fleet": state["fleet"], "instances": max(1, state["instances"])}
        for name, state in variants.items()
    ]


def _instances(variants: Document) -> int:
    return max(1, sum(int(state["instances"]) for state in variants.values()))


def _retained(update: Document, blue: Document) -> Document:
    """What variants of the same name keep: weights and numbers of instances, unless they are excluded."""
    if not update["retain"]:
        return {}
    members = {"DesiredWeight": "weight", "DesiredInstanceCount": "instances"}
    kept = [member for kind, member in members.items() if kind not in update["exclude"]]
    return {name: {member: state[member] for member in kept} for name, state in blue.items()}
