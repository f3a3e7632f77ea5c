"""What a plan would change in the account: a change set, looked at before anybody confirms it. Values are pure."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Final

from launch.launched import BY_TAG, CHANGE_SET_PREFIX, EXPIRES_TAG, JOB_TAG, Launched
from launch.plan import Plan
from launch.price import Hourly
from launch.template_batch import is_job_now, is_same_job

CREATE, UPDATE = "CREATE", "UPDATE"
_LONGEST_TAG_VALUE: Final = 256  # tagging best practices: "Tag naming limits", read 2026-11-21
_TAG_PUNCTUATION: Final = " +-=._:/@"  # the same
# How far two plans' ends may lie apart and still be one: a reload, a second tab, a person who thinks.
_SAME_END: Final = timedelta(minutes=30)


@dataclass(frozen=True, slots=True, kw_only=True)
class PropertyChange:
    """A property of a resource that gets another value."""

    path: str  # "ProductionVariants.0.InstanceType"
    before: str | None
    after: str | None
    needs_replacement: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What happens to one resource."""

    logical_id: str
    type: str
    action: str  # "Add", "Modify" or "Remove"
    replacement: str | None  # "True", "False" or "Conditional"; None where nothing is modified
    properties: tuple[PropertyChange, ...] = ()  # without the tags, which change with every plan

    @property
    def is_of_tags_only(self) -> bool:
        """Whether the resource itself stays as it is."""
        return self.action == "Modify" and self.replacement == "False" and not self.properties


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """A plan beside what exists: what would change, and the price before and after."""

    plan: Plan
    kind: str  # CREATE or UPDATE
    stack_id: str
    change_set_id: str | None  # None: everything is as planned
    changes: tuple[Change, ...]
    before: Launched | None  # what would be changed; None for a creation
    starts_job: bool  # a transform job, at once
    by: str
    expires: datetime | None

    @property
    def price(self) -> Hourly:
        """What a person confirms."""
        starts_none = is_job_now(self.plan.request) and not self.starts_job
        return self.plan.while_idle if starts_none else self.plan.to_confirm

    @property
    def usd_per_hour_before(self) -> Decimal | None:
        """What such an hour cost before; None where nothing ran, or its price is not known."""
        return None if self.before is None else self.before.price_of(self.price.when)

    @property
    def usd_per_hour_difference(self) -> Decimal | None:
        """How much more such an hour costs than before; None where that is not known."""
        after, before = self.price.known, Decimal(0) if self.kind == CREATE else self.usd_per_hour_before
        return None if after is None or before is None else after - before

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to do."""
        return self.change_set_id is None


def change_set_name(plan: Plan, stack: Launched | None, by: str) -> str:
    """Name a change set by what it does, to what, and for whom: whoever asks the same finds the same.

    `stack` is None for a creation.
    """
    state = "new" if stack is None else f"{stack.stack_id} {stack.updated}"
    return f"{CHANGE_SET_PREFIX}{plan.token[:16]}-{hashlib.sha256(f'{state} {by}'.encode()).hexdigest()[:16]}"


def execution_token(change_set_id: str) -> str:
    """Give the token by which CloudFormation knows a repeated execution of a change set."""
    return f"{CHANGE_SET_PREFIX}{hashlib.sha256(change_set_id.encode()).hexdigest()[:32]}"


def starts_job(plan: Plan, stack: Launched | None) -> bool:
    """Whether making a plan real starts a transform job: unless what runs has started the same one."""
    if not is_job_now(plan.request):
        return False
    if stack is None or stack.request is None or stack.job_origin is None:
        return True
    return not is_same_job(stack.request, plan.request)


def job_change(plan: Plan, stack: Launched | None, name: str) -> str | None:
    """Give the change set that a launch's job is started with: this one, or an earlier one where it starts none."""
    if starts_job(plan, stack):
        return name
    return stack.tags.get(JOB_TAG) if stack is not None and is_job_now(plan.request) else None


def end_of(plan: Plan, stack: Launched | None, now: datetime) -> datetime | None:
    """Give the end of a launch: an update that asks for the same time to live keeps the end that was set."""
    hours = plan.request.time_to_live_h
    if hours is None:
        return None
    before = stack.request.time_to_live_h if stack is not None and stack.request is not None else None
    if stack is not None and stack.expires is not None and before == hours:
        return stack.expires
    return (now + timedelta(hours=hours)).replace(microsecond=0)


def is_same_end(one: datetime | None, other: datetime | None) -> bool:
    """Whether two ends of a launch are the same for a person."""
    if one is None or other is None:
        return one is other
    return abs(one - other) <= _SAME_END


def tags_of(plan: Plan, *, by: str, expires: datetime | None, job: str | None) -> list[dict[str, str]]:
    """Give the tags of the stack, which CloudFormation passes on to all that it makes.

    `job` is the change set that the launch's job is started with.
    """
    tags = {**plan.tags, BY_TAG: tag_value(by)}
    if job is not None:
        tags[JOB_TAG] = job
    if expires is not None:
        tags[EXPIRES_TAG] = expires.isoformat()
    return [{"Key": key, "Value": value} for key, value in sorted(tags.items())]


def tag_value(text: str) -> str:
    """Give a text as a tag may hold it.

    >>> tag_value("Ada <ada@example.com>")
    'Ada _ada@example.com_'
    """
    kept = "".join(sign if sign.isalnum() or sign in _TAG_PUNCTUATION else "_" for sign in text)
    return kept[:_LONGEST_TAG_VALUE]


def template_text(plan: Plan) -> str:
    """Write the template as CloudFormation gets it."""
    return json.dumps(plan.template, separators=(",", ":"))


def changes_of(changes: Sequence[Mapping[str, Any]]) -> tuple[Change, ...]:
    """Give the changes of DescribeChangeSet."""
    return tuple(_change(one["ResourceChange"]) for one in changes if one.get("Type") == "Resource")


def _change(change: Mapping[str, Any]) -> Change:
    properties = [
        _property(detail["Target"])
        for detail in change.get("Details", [])
        if detail.get("Target", {}).get("Attribute") == "Properties"
    ]
    by_path = {one.path: one for one in properties if not one.path.startswith("Tags")}
    return Change(
        logical_id=change["LogicalResourceId"],
        type=change["ResourceType"],
        action=change["Action"],
        replacement=change.get("Replacement"),
        properties=tuple(by_path.values()),
    )


def _property(target: Mapping[str, Any]) -> PropertyChange:
    path = str(target.get("Path") or target.get("Name", "")).removeprefix("/Properties/").replace("/", ".")
    return PropertyChange(
        path=path,
        before=target.get("BeforeValue"),
        after=target.get("AfterValue"),
        needs_replacement=target.get("RequiresRecreation") in {"Always", "Conditionally"},
    )
