"""Look at the launches of an account: from their stacks, which are the only ledger."""

import time
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, Final

from botocore.exceptions import ClientError

from launch.clients import Clients, explained
from launch.launched import (
    CHANGE_SET_PREFIX,
    TAG,
    Launched,
    Phase,
    begins,
    event_of,
    kept_request,
    last_operation,
    launched_of,
    with_details,
)
from launch.request import Request

_MOST_PAGES: Final = 5  # of events, 100 each: more than an operation on our templates has


def utc_now() -> datetime:
    """Give the time."""
    return datetime.now(UTC)


class Looking:
    """What the launches of an account and Region are. Threads may share it."""

    def __init__(
        self, clients: Clients, *, now: Callable[[], datetime] = utc_now, pause: Callable[[float], None] = time.sleep
    ) -> None:
        self.clients = clients
        self.now = now
        self.pause = pause  # waits some seconds
        self._requests: dict[str, tuple[object, Request | None]] = {}  # by stack: as of which state, what

    def look(self, name: str) -> Launched | None:
        """Give a launch by its name, or by the id of its stack, which finds it also when it is gone.

        None if there is no such launch; a stack of somebody else is none. Raises: CloudError.
        """
        with explained():
            stack = self.described(name)
            if stack is None:
                return None
            found = launched_of(stack)
            if not self.is_ours(found):
                return None
            events = last_operation(tuple(self._newest_events(found.stack_id)))
            return with_details(found, events, self._request(found))

    def launched(self) -> list[Launched]:
        """Give every launch of the account and Region, by name, without events and requests. Raises: CloudError."""
        with explained():
            pages = self.clients("cloudformation").get_paginator("describe_stacks").paginate()
            found = [launched_of(stack) for page in pages for stack in page["Stacks"]]
        return sorted((one for one in found if TAG in one.tags), key=lambda one: one.name)

    def described(self, name: str) -> Mapping[str, Any] | None:
        """Give what CloudFormation says of a stack, by its name or id; None if there is none. Raises: ClientError."""
        try:
            stacks = self.clients("cloudformation").describe_stacks(StackName=name)["Stacks"]
        except ClientError as err:
            if is_absent(err):
                return None
            raise
        found: Mapping[str, Any] = stacks[0]
        return found

    def _newest_events(self, stack_id: str) -> Iterator[Any]:
        """The events of a stack, newest first, until an operation's beginning."""
        pages = self.clients("cloudformation").get_paginator("describe_stack_events").paginate(StackName=stack_id)
        for number, page in enumerate(pages, start=1):
            for event in map(event_of, page["StackEvents"]):
                yield event
                if begins(event):
                    return
            if number == _MOST_PAGES:
                return

    def _request(self, launched: Launched) -> Request | None:
        """What was asked for: kept in the template, which changes only with an update."""
        if launched.phase is Phase.PROPOSED:
            return None
        state = (launched.updated, launched.is_at_rest)
        known, request = self._requests.get(launched.stack_id, (None, None))
        if known != state:
            request = kept_request(self.template(launched.stack_id))
            self._requests[launched.stack_id] = (state, request)
        return request

    def template(self, stack_id: str) -> Mapping[str, Any]:
        """Give the template of a stack; one that is no JSON is not ours, and empty. Raises: ClientError."""
        body = self.clients("cloudformation").get_template(StackName=stack_id)["TemplateBody"]
        return body if isinstance(body, Mapping) else {}

    def resources(self, stack_id: str) -> dict[str, Mapping[str, Any]]:
        """Give the resources that a stack has, by logical id. Raises: ClientError."""
        pages = self.clients("cloudformation").get_paginator("list_stack_resources").paginate(StackName=stack_id)
        return {
            one["LogicalResourceId"]: one
            for page in pages
            for one in page["StackResourceSummaries"]
            if one["ResourceStatus"] != "DELETE_COMPLETE"
        }

    def is_proposal_of_ours(self, stack_id: str) -> bool:
        """Whether a stack that holds nothing yet is the frame of our change sets. Raises: ClientError."""
        pages = self.clients("cloudformation").get_paginator("list_change_sets").paginate(StackName=stack_id)
        names = [one["ChangeSetName"] for page in pages for one in page["Summaries"]]
        return all(name.startswith(CHANGE_SET_PREFIX) for name in names)

    def is_ours(self, launched: Launched) -> bool:
        """Whether a stack is a launch, or the frame of one. Raises: ClientError.

        What goes or is gone can't be harmed any more, and the frame of a launch has no tags by which to know it.
        """
        if launched.phase in {Phase.REMOVING, Phase.GONE} and not launched.tags:
            return True
        if launched.phase is Phase.PROPOSED:
            return self.is_proposal_of_ours(launched.stack_id)
        return launched.tags.get(TAG) == launched.name


def is_absent(error: ClientError) -> bool:
    """Whether CloudFormation says that there is no such stack or change set."""
    answer = error.response["Error"]
    is_unknown_stack = answer["Code"] == "ValidationError" and "does not exist" in answer.get("Message", "")
    return is_unknown_stack or answer["Code"] in {"ChangeSetNotFound", "StackNotFoundException"}
