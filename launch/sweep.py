"""Find what launches left behind: resources with our tags that belong to no stack, and launches past their end."""

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Any, Final

from botocore.exceptions import BotoCoreError, ClientError

from launch.clients import explained
from launch.failures import Failure, explain
from launch.launched import PRICE_TAG, REGION_TAG, TAG, Launched, Phase, launched_of, usd_of
from launch.orphans import DELETIONS, is_missing, kind_of
from launch.plan import Confirmation
from launch.proposing import check
from launch.removal import UNDER_WAY, Removing
from launch.roles import PATH

_STACK_ID: Final = "aws:cloudformation:stack-id"
JOB_TARGET: Final = "arn:aws:scheduler:::aws-sdk:sagemaker:createTransformJob"
_STACK: Final = "cloudformation:stack"
_JOB: Final = "sagemaker:transform-job"
_BILLED: Final = frozenset({"sagemaker:endpoint"})  # of an orphan, what bears the launch's price
_GOING: Final = UNDER_WAY | {Phase.REMOVING}  # can't be removed now, or is removed already
# A proposal that nobody confirmed for so long is forgotten, not thought about.
_ABANDONED: Final = timedelta(hours=12)


@dataclass(frozen=True, slots=True, kw_only=True)
class Orphan:
    """A resource that carries the tags of a launch and belongs to no stack."""

    arn: str
    kind: str  # "sagemaker:endpoint"
    launch: str  # by its tag
    usd_per_hour: Decimal  # the launch's price where this is what bears it, else 0

    @property
    def name(self) -> str:
        """The name for a reader."""
        return self.arn.split(":", 5)[5].rpartition("/")[2].rpartition(":")[2]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sweep:
    """What can be swept."""

    orphans: tuple[Orphan, ...]
    expired: tuple[Launched, ...]  # launches past their time to live
    abandoned: tuple[Launched, ...]  # proposals that nobody confirmed: frames of stacks that hold nothing
    unknown: tuple[Orphan, ...]  # of a kind that no launch makes: for a person to look at

    @property
    def usd_per_hour(self) -> Decimal:
        """What sweeping saves, as far as the prices are known."""
        found = [one.usd_per_hour for one in self.orphans]
        found += [one.usd_per_hour for one in self.expired if one.usd_per_hour is not None]
        return sum(found, Decimal(0))

    @property
    def token(self) -> str:
        """What a confirmation of exactly this sweep holds."""
        parts = [one.arn for one in self.orphans] + [one.stack_id for one in (*self.expired, *self.abandoned)]
        return hashlib.sha256("\n".join(sorted(parts)).encode()).hexdigest()

    @property
    def is_clean(self) -> bool:
        """Whether there is nothing to sweep."""
        return not (self.orphans or self.expired or self.abandoned)


@dataclass(frozen=True, slots=True, kw_only=True)
class Swept:
    """What a sweep did."""

    removed: tuple[Orphan, ...]
    failed: tuple[tuple[Orphan, Failure], ...]
    removing: tuple[str, ...]  # ids of the stacks whose removal was begun


class Sweeping(Removing):
    """What launches left behind."""

    def sweep(self) -> Sweep:
        """Look through the account and Region; nothing is changed. Raises: CloudError."""
        with explained():
            tagged = dict(self._tagged())  # before the stacks: what is made meanwhile has one
            running = {job["TransformJobArn"] for job in self.running_jobs()}  # those that are over stay for ever
            tagged = {arn: tags for arn, tags in tagged.items() if kind_of(arn) != _JOB or arn in running}
            stacks = [launched_of(stack) for stack in self._stacks()]
            launches = [one for one in stacks if TAG in one.tags]
            left = [Orphan(arn=arn, kind=kind_of(arn), launch=tags[TAG], usd_per_hour=_price(kind_of(arn), tags))
                    for arn, tags in self._left_over(tagged, stacks)]  # fmt: skip
            frames = [one for one in stacks if one.phase is Phase.PROPOSED and self._is_abandoned(one)]
        known = tuple(sorted((one for one in left if one.kind in DELETIONS), key=_order))
        return Sweep(
            orphans=known,
            expired=tuple(one for one in launches if one.is_expired(self.now()) and one.phase not in _GOING),
            abandoned=tuple(frames),
            unknown=tuple(one for one in left if one.kind not in DELETIONS),
        )

    def remove_orphans(self, confirmation: Confirmation) -> Swept:
        """Remove what a sweep finds, and begin to remove the launches past their end.

        What can't be removed is told and stays; the next sweep finds it again. Raises: RefusedError, CloudError.
        """
        found = self.sweep()
        check(confirmation, token=found.token, usd_per_hour=found.usd_per_hour)
        removed, failed = [], []
        for orphan in found.orphans:
            try:
                DELETIONS[orphan.kind](self.clients, orphan.arn)
            except ClientError as err:
                if not is_missing(err):
                    failed.append((orphan, explain(err)))
                    continue
            except BotoCoreError as err:
                failed.append((orphan, explain(err)))
                continue
            removed.append(orphan)
        going = []
        for stack in (*found.expired, *found.abandoned):
            removal = self.preview_removal(stack.stack_id)
            if removal is not None:
                with explained():
                    self.begin_removal(removal)
                going.append(removal.stack_id)
        return Swept(removed=tuple(removed), failed=tuple(failed), removing=tuple(going))

    def _stacks(self) -> Iterator[Mapping[str, Any]]:
        for page in self.clients("cloudformation").get_paginator("describe_stacks").paginate():
            yield from page["Stacks"]

    def _left_over(
        self, tagged: Mapping[str, Mapping[str, str]], stacks: Sequence[Launched]
    ) -> Iterator[tuple[str, Mapping[str, str]]]:
        """The tagged resources that no stack has: ours, or one that somebody made of a template of ours."""
        by_id = {one.stack_id: one for one in stacks}
        alive = {one.name for one in stacks if TAG in one.tags}
        alive |= {tags[TAG] for tags in tagged.values() if tags.get(_STACK_ID) in by_id}
        owned: dict[str, set[str]] = {}
        for arn, tags in tagged.items():
            stack = by_id.get(tags.get(_STACK_ID, ""))
            if kind_of(arn) == _STACK:
                continue
            if stack is None:
                if _STACK_ID in tags or tags[TAG] not in alive:
                    yield arn, tags
            elif stack.is_at_rest and "scaling" not in arn:  # whose ARNs do not name what they scale
                if stack.stack_id not in owned:
                    made = self.resources(stack.stack_id).values()
                    owned[stack.stack_id] = {_tail(one.get("PhysicalResourceId") or "") for one in made}
                if _tail(arn) not in owned[stack.stack_id]:
                    yield arn, tags

    def _tagged(self) -> Iterator[tuple[str, Mapping[str, str]]]:
        """Every resource with our tag.

        The tagging API lists no roles, which have a path of ours; schedules have no tags, but what they ask has.
        Roles are listed in every Region alike, so that those of launches elsewhere are left out.
        """
        seen: set[str] = set()
        here = self.clients("cloudformation").meta.region_name
        pages = self.clients("resourcegroupstaggingapi").get_paginator("get_resources")
        for page in pages.paginate(TagFilters=[{"Key": TAG}]):
            for one in page["ResourceTagMappingList"]:
                seen.add(one["ResourceARN"])
                yield one["ResourceARN"], _read(one["Tags"])
        iam = self.clients("iam")
        for page in iam.get_paginator("list_roles").paginate(PathPrefix=PATH):
            for role in page["Roles"]:
                try:
                    tags = _read(iam.list_role_tags(RoleName=role["RoleName"])["Tags"])
                except ClientError as err:  # it went while we looked
                    if is_missing(err):
                        continue
                    raise
                if TAG in tags and role["Arn"] not in seen and _region(tags, here) == here:
                    yield role["Arn"], tags

        scheduler = self.clients("scheduler")
        for page in scheduler.get_paginator("list_schedules").paginate():
            for one in page["Schedules"]:
                if one.get("Target", {}).get("Arn") == JOB_TARGET:
                    found = scheduler.get_schedule(Name=one["Name"], GroupName=one["GroupName"])
                    tags = _asked(found["Target"].get("Input", ""))
                    if TAG in tags:
                        yield one["Arn"], tags

    def _is_abandoned(self, frame: Launched) -> bool:
        return frame.created + _ABANDONED < self.now() and self.is_proposal_of_ours(frame.stack_id)


def _price(kind: str, tags: Mapping[str, str]) -> Decimal:
    return (usd_of(tags.get(PRICE_TAG)) if kind in _BILLED else None) or Decimal(0)


def _region(tags: Mapping[str, str], usual: str) -> str:
    """The Region of the launch that made a role: of its stack, or as an exported script says, which makes none."""
    stack_id = tags.get(_STACK_ID)
    return tags.get(REGION_TAG, usual) if stack_id is None else stack_id.split(":")[3]


def _order(orphan: Orphan) -> tuple[int, str]:
    """What uses others goes before them."""
    return tuple(DELETIONS).index(orphan.kind), orphan.arn


def _asked(text: str) -> dict[str, str]:
    """The tags of the job that a schedule starts; none where it is no schedule of ours."""
    try:
        return _read(json.loads(text)["Tags"])
    except (ValueError, KeyError, TypeError):
        return {}


def _read(tags: Iterable[Mapping[str, str]]) -> dict[str, str]:
    return {tag["Key"]: tag["Value"] for tag in tags}


def _tail(identifier: str) -> str:
    """The last part of an ARN, an address or a name: by it the two ways to name a resource are compared.

    ARNs of SageMaker have names in small letters.
    """
    return identifier.rpartition("/")[2].rpartition(":")[2].lower()
