"""CloudFormation over the services of a running sandbox, in the caller's thread, where any single call may fail."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from sandbox.cloud import Cloud
from sandbox.services.cloudformation import CloudFormation
from sandbox.services.service import Context
from sandbox.settings import ACCOUNT, REGION
from tests.sandboxed import Sandbox
from tests.stack_templates import Resources, template

_LOOKING = ("describe_", "get_", "list_", "head_")
CONTEXT = Context(account=ACCOUNT, region=REGION, request_id="", access_key="")


class Switch:
    """Counts the calls that change something, and refuses some of them."""

    def __init__(self) -> None:
        self.calls = 0
        self.refused: Mapping[int, str] = {}  # number of a call -> "before" or "after" it has its effect
        self.hit: list[str] = []  # the operations that were refused

    def refuse(self, **refused: int) -> None:
        """Count from nought; refuse the call of each given number, "before" or "after" its effect."""
        self.calls, self.hit = 0, []
        self.refused = {number: when for when, number in refused.items()}

    def __call__(self, name: str, operation: Callable[..., Any]) -> Callable[..., Any]:
        def called(**parameters: Any) -> Any:
            when = self.refused.get(self.calls)
            self.calls += 1
            if when is not None:
                self.hit.append(name)
                if when == "after":
                    operation(**parameters)
                answer = {
                    "Error": {"Code": "AccessDenied", "Message": "no"},
                    "ResponseMetadata": {"HTTPStatusCode": 403},
                }
                raise ClientError(answer, name)
            return operation(**parameters)

        return called


class _Client:
    def __init__(self, client: Any, switch: Switch) -> None:
        self._client = client
        self._switch = switch

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._client, name)
        is_change = name in self._client.meta.method_to_api_mapping and not name.startswith(_LOOKING)
        return self._switch(name, found) if is_change else found


class _Cloud(Cloud):
    switch: Switch

    def client(self, service: str, region: str) -> Any:
        return _Client(super().client(service, region), self.switch)

    def background(self, function: Callable[..., object], *arguments: object) -> Any:
        return function(*arguments)


class Stacks:
    """One stack after the other; every operation gives the status in which the stack rests."""

    def __init__(self, folder: Path, sandbox: Sandbox) -> None:
        cloud = _Cloud(folder, url=sandbox.url, runtime_url=sandbox.runtime_url, token="")
        self.switch = cloud.switch = Switch()
        self._service = CloudFormation(cloud)

    def create(self, name: str, resources: Resources) -> str:
        return self._then(name, self._service.create_stack, TemplateBody=template(resources), **_CONSENT)

    def update(self, name: str, resources: Resources) -> str:
        return self._then(name, self._service.update_stack, TemplateBody=template(resources), **_CONSENT)

    def go_on_back(self, name: str) -> str:
        return self._then(name, self._service.continue_update_rollback)

    def delete(self, name: str) -> str:
        stack = self._service.store.find(REGION, name)
        assert stack is not None, name
        return self._then(stack.id, self._service.delete_stack)

    def why(self, name: str) -> str:
        events = self._service.describe_stack_events(CONTEXT, {"StackName": name})["StackEvents"]
        return json.dumps(
            [(one["LogicalResourceId"], one["ResourceStatus"], one["ResourceStatusReason"]) for one in events[::-1]]
        )

    def _then(self, name: str, operation: Callable[..., Any], **members: Any) -> str:
        operation(CONTEXT, {"StackName": name, **members})
        (stack,) = self._service.describe_stacks(CONTEXT, {"StackName": name})["Stacks"]
        return str(stack["StackStatus"])


_CONSENT = {"Capabilities": ["CAPABILITY_NAMED_IAM"]}
