"""Launches as CloudFormation stacks: proposed, executed, looked at, changed and removed.

The account is the only ledger: what there is to know of a launch is on its stack. Nothing starts, changes or ends
without a `Confirmation` that matches what was shown.
"""

from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from botocore.exceptions import ClientError

from launch.clients import Clients, explained
from launch.launched import (
    TAG,
    Launched,
    Phase,
    begins,
    event_of,
    last_operation,
    launched_of,
    request_of,
    with_details,
)
from launch.request import Request

_MOST_PAGES = 5  # of events, 100 each: more than an operation on our templates has


def utc_now() -> datetime:
    """Give the time."""
    return datetime.now(UTC)


class Stacks:
    """The launches of an account and Region. Threads may share it."""

    def __init__(self, clients: Clients, *, now: Callable[[], datetime] = utc_now) -> None:
        self._clients = clients
        self._now = now
        self._requests: dict[str, tuple[datetime | None, Request | None]] = {}  # by stack: as of which change, what

    def look(self, name: str) -> Launched | None:
        """Give a launch by its name, or by the id of its stack, which finds it also when it is gone.

        None if there is no such launch; a stack of somebody else is none. Raises: CloudError.
        """
        with explained():
            stack = self.described(name)
            if stack is None:
                return None
            found = launched_of(stack)
            if TAG not in found.tags and found.phase is not Phase.PROPOSED:
                return None
            events = last_operation(tuple(self._newest_events(found.stack_id)))
            return with_details(found, events, self._request(found))

    def launched(self) -> list[Launched]:
        """Give every launch of the account and Region, by name, without events and requests. Raises: CloudError."""
        with explained():
            pages = self._clients("cloudformation").get_paginator("describe_stacks").paginate()
            found = [launched_of(stack) for page in pages for stack in page["Stacks"]]
        return sorted((one for one in found if TAG in one.tags), key=lambda one: one.name)

    def described(self, name: str) -> Mapping[str, Any] | None:
        """Give what CloudFormation says of a stack, by its name or id; None if there is none. Raises: ClientError."""
        try:
            stacks = self._clients("cloudformation").describe_stacks(StackName=name)["Stacks"]
        except ClientError as err:
            if is_absent(err):
                return None
            raise
        found: Mapping[str, Any] = stacks[0]
        return found

    def _newest_events(self, stack_id: str) -> Iterator[Any]:
        """The events of a stack, newest first, until an operation's beginning."""
        pages = self._clients("cloudformation").get_paginator("describe_stack_events").paginate(StackName=stack_id)
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
        updated, request = self._requests.get(launched.stack_id, (None, None))
        if request is None or updated != launched.updated or not launched.is_at_rest:
            template = self._clients("cloudformation").get_template(StackName=launched.stack_id)["TemplateBody"]
            request = request_of(template)
            self._requests[launched.stack_id] = (launched.updated, request)
        return request


def is_absent(error: ClientError) -> bool:
    """Whether CloudFormation says that there is no such stack or change set."""
    answer = error.response["Error"]
    is_unknown_stack = answer["Code"] == "ValidationError" and "does not exist" in answer.get("Message", "")
    return is_unknown_stack or answer["Code"] in {"ChangeSetNotFound", "StackNotFoundException"}
