"""What runs: a launch as its stack describes it. Pure: made from the answers of CloudFormation."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from typing import Any, Final

from fitness.errors import InputError
from launch.price import When
from launch.request import Request
from launch.template import request_of

# The tags of a launch, on the stack and on all that it makes.
TAG: Final = "hostfit:launch"
OPTION_TAG: Final = "hostfit:option"
REGION_TAG: Final = "hostfit:region"  # of roles that an exported script makes
TOKEN_TAG: Final = "hostfit:token"  # noqa: S105 (of a plan, not of a person)
PRICE_TAG: Final = "hostfit:usd-per-hour"
JOB_PRICE_TAG: Final = "hostfit:usd-per-job-hour"
JOB_TAG: Final = "hostfit:job"  # of the change that its job was started with
BY_TAG: Final = "hostfit:by"
EXPIRES_TAG: Final = "hostfit:expires"
CHANGE_SET_PREFIX: Final = "hostfit-"  # of the names of change sets


class Phase(StrEnum):
    """Where a launch is."""

    PROPOSED = "proposed"  # a change set waits for its confirmation; nothing exists
    CREATING = "creating"
    LIVE = "live"
    UPDATING = "updating"
    ROLLING_BACK = "rolling_back"
    FAILED = "failed"
    REMOVING = "removing"
    GONE = "gone"


# CloudFormation user guide, "Stack status codes", read 2026-11-21.
_PHASES: Final = {
    "REVIEW_IN_PROGRESS": Phase.PROPOSED,
    "CREATE_IN_PROGRESS": Phase.CREATING,
    "CREATE_COMPLETE": Phase.LIVE,
    "UPDATE_COMPLETE": Phase.LIVE,
    "UPDATE_ROLLBACK_COMPLETE": Phase.LIVE,
    "UPDATE_IN_PROGRESS": Phase.UPDATING,
    "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS": Phase.UPDATING,
    "ROLLBACK_IN_PROGRESS": Phase.ROLLING_BACK,
    "UPDATE_ROLLBACK_IN_PROGRESS": Phase.ROLLING_BACK,
    "UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS": Phase.ROLLING_BACK,
    "DELETE_IN_PROGRESS": Phase.REMOVING,
    "DELETE_COMPLETE": Phase.GONE,
}
ROLLED_BACK: Final = "UPDATE_ROLLBACK_COMPLETE"
_BEGINNINGS: Final = frozenset({"CREATE_IN_PROGRESS", "UPDATE_IN_PROGRESS", "DELETE_IN_PROGRESS"})
_CONSEQUENCE: Final = "cancelled"  # "Resource creation cancelled": because another resource failed
# A stack's status says that the operation failed, and the next event says why.
_OF_STACK: Final = "AWS::CloudFormation::Stack"


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One step of an operation, as CloudFormation tells it."""

    id: str
    at: datetime
    logical_id: str
    type: str
    status: str
    reason: str | None = None
    physical_id: str | None = None

    @property
    def is_failure(self) -> bool:
        """Whether something failed here, and not as a consequence of another failure."""
        return self.status.endswith("FAILED") and _CONSEQUENCE not in (self.reason or "").lower()

    @property
    def is_of_stack(self) -> bool:
        """Whether it is about the stack as a whole."""
        return self.type == _OF_STACK


@dataclass(frozen=True, slots=True, kw_only=True)
class Launched:
    """One launch, as it is now."""

    name: str
    stack_id: str
    region: str
    status: str  # of the stack, CloudFormation's word
    status_reason: str | None
    phase: Phase
    created: datetime
    updated: datetime | None
    option: str | None
    token: str | None  # of the plan that it was made from
    usd_per_hour: Decimal | None  # while idle
    usd_per_job_hour: Decimal | None  # while a job runs; None of what has no jobs, too
    by: str | None
    expires: datetime | None
    tags: Mapping[str, str]
    outputs: Mapping[str, str]
    change_set_id: str | None  # of the change set that was executed last
    events: tuple[Event, ...] = ()  # of the last operation, oldest first; empty in a list of launches
    request: Request | None = None  # None in a list of launches, and before anything was made

    @property
    def job_origin(self) -> str | None:
        """Which change of which stack its job was started with; None where no job was."""
        change = self.tags.get(JOB_TAG)
        return None if change is None else f"{self.stack_id} {change}"

    def price_of(self, when: When) -> Decimal | None:
        """Give the price of such an hour; None where it is not known."""
        return self.usd_per_hour if when is When.IDLE else self.usd_per_job_hour

    @property
    def is_at_rest(self) -> bool:
        """Whether nothing is under way."""
        return not self.status.endswith("_IN_PROGRESS") or self.phase is Phase.PROPOSED

    @property
    def is_rolled_back(self) -> bool:
        """Whether the last change failed and what stood before it runs again."""
        return self.status == ROLLED_BACK

    @property
    def is_stuck(self) -> bool:
        """Whether an update can't leave the state."""
        return self.phase is Phase.FAILED and self.status != "ROLLBACK_COMPLETE"

    @property
    def reason(self) -> str | None:
        """Why the last operation failed: the reason of its first failure."""
        failures = [event for event in self.events if event.is_failure and event.reason]
        of_resources = [event for event in failures if not event.is_of_stack]
        return next((event.reason for event in (*of_resources, *failures)), None)

    def age_s(self, now: datetime) -> float:
        """Give how long ago it was created."""
        return (now - self.created).total_seconds()

    def is_expired(self, now: datetime) -> bool:
        """Whether its time to live is over."""
        return self.expires is not None and self.expires <= now


def launched_of(stack: Mapping[str, Any], events: Iterable[Event] = (), request: Request | None = None) -> Launched:
    """Give the launch of a stack, as DescribeStacks describes it."""
    tags = {tag["Key"]: tag["Value"] for tag in stack.get("Tags", [])}
    return Launched(
        name=stack["StackName"],
        stack_id=stack["StackId"],
        region=stack["StackId"].split(":")[3],
        status=stack["StackStatus"],
        status_reason=stack.get("StackStatusReason"),
        phase=_PHASES.get(stack["StackStatus"], Phase.FAILED),
        created=stack["CreationTime"].astimezone(UTC),
        updated=None if stack.get("LastUpdatedTime") is None else stack["LastUpdatedTime"].astimezone(UTC),
        option=tags.get(OPTION_TAG),
        token=tags.get(TOKEN_TAG),
        usd_per_hour=usd_of(tags.get(PRICE_TAG)),
        usd_per_job_hour=usd_of(tags.get(JOB_PRICE_TAG)),
        by=tags.get(BY_TAG),
        expires=time_of(tags.get(EXPIRES_TAG)),
        tags=tags,
        outputs={one["OutputKey"]: one["OutputValue"] for one in stack.get("Outputs", [])},
        change_set_id=stack.get("ChangeSetId"),
        events=tuple(events),
        request=request,
    )


def with_details(launched: Launched, events: Iterable[Event], request: Request | None) -> Launched:
    """Give a launch with the events of its last operation and what was asked for."""
    return replace(launched, events=tuple(events), request=request)


def event_of(event: Mapping[str, Any]) -> Event:
    """Give an event of DescribeStackEvents."""
    return Event(
        id=event["EventId"],
        at=event["Timestamp"].astimezone(UTC),
        logical_id=event["LogicalResourceId"],
        type=event["ResourceType"],
        status=event["ResourceStatus"],
        reason=event.get("ResourceStatusReason"),
        physical_id=event.get("PhysicalResourceId"),
    )


def begins(event: Event) -> bool:
    """Whether an operation on the stack begins with this event."""
    return event.is_of_stack and event.status in _BEGINNINGS


def last_operation(newest_first: Sequence[Event]) -> tuple[Event, ...]:
    """Give the events since the last operation began, oldest first."""
    found = []
    for event in newest_first:
        found.append(event)
        if begins(event):
            break
    return tuple(reversed(found))


def kept_request(template: Mapping[str, Any]) -> Request | None:
    """Give the request that a launch's template keeps; None if it has none that can be read."""
    try:
        return request_of(template)
    except InputError:  # changed by hand
        return None


def usd_of(text: str | None) -> Decimal | None:
    """Give the amount that a tag holds; None if it holds none."""
    try:
        value = Decimal(text) if text is not None else None
    except InvalidOperation:
        return None
    return value if value is not None and value.is_finite() else None


def time_of(text: str | None) -> datetime | None:
    """Give the time that a tag holds; None if it holds none."""
    try:
        found = datetime.fromisoformat(text) if text is not None else None
    except ValueError:
        return None
    return found if found is not None and found.tzinfo is not None else None
