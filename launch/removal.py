"""Remove a launch: first what would go and what would stay, then, once confirmed, all that is its own."""

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from botocore.exceptions import ClientError

from launch.clients import explained
from launch.errors import BusyError, RefusedError
from launch.launched import TAG, Launched, Phase
from launch.looking import Looking
from launch.plan import Confirmation
from launch.proposing import check
from launch.roles import async_prefix

_BUCKET: Final = "AWS::S3::Bucket"
_KEPT: Final = frozenset({"Retain", "RetainExceptOnCreate"})  # deletion policies
_MOST_COUNTED: Final = 10_000  # objects of a bucket; of more we only say that there are more
_PAGE: Final = 1_000  # versions that DeleteObjects takes at once: API reference of Amazon S3, read 2026-11-21
# An operation that must come to its end before a stack can be deleted; a creation can be cut short.
UNDER_WAY: Final = frozenset({Phase.UPDATING, Phase.ROLLING_BACK})


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnBucket:
    """A bucket of the launch's own, emptied before it is removed."""

    logical_id: str
    name: str
    objects: int  # versions, too; `_MOST_COUNTED` stands for that many or more

    @property
    def shown(self) -> str:
        """The number of objects for a reader."""
        return f"{self.objects:,} or more" if self.objects >= _MOST_COUNTED else f"{self.objects:,}"


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnResource:
    """A resource of the launch's stack."""

    logical_id: str
    type: str
    physical_id: str | None
    status: str
    reason: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Removal:
    """What goes and what stays if a launch is removed."""

    name: str
    stack_id: str
    made_from: str | None  # of the plan that the launch was made from
    status: str
    resources: tuple[OwnResource, ...]  # that go
    buckets: tuple[OwnBucket, ...]  # whose objects go
    jobs: tuple[str, ...]  # transform jobs that run and are stopped
    stays: tuple[str, ...]  # a sentence each
    usd_per_hour: Decimal  # saved while idle; 0 where it is not known
    stuck: tuple[OwnResource, ...]  # what an earlier removal could not delete
    is_priced: bool = True  # whether what is saved is known

    @property
    def token(self) -> str:
        """What a confirmation of this removal holds: an update in between makes it another."""
        return hashlib.sha256(f"remove {self.stack_id} {self.made_from}".encode()).hexdigest()


class Removing(Looking):
    """Launches that end."""

    def preview_removal(self, name: str) -> Removal | None:
        """Give what a removal would take away; None if there is no such launch. Raises: CloudError."""
        found = self.look(name)
        if found is None or found.phase is Phase.GONE:
            return None
        with explained():
            made = tuple(map(_own, self.resources(found.stack_id).values()))
            policies = self._deletion_policies(found)
            kept = [one for one in made if policies.get(one.logical_id) in _KEPT]
            gone = tuple(one for one in made if one not in kept)
            buckets = tuple(
                OwnBucket(logical_id=one.logical_id, name=one.physical_id, objects=self._count(one.physical_id))
                for one in gone
                if one.type == _BUCKET and one.physical_id is not None
            )
            return Removal(
                name=found.name,
                stack_id=found.stack_id,
                made_from=found.token,
                status=found.status,
                resources=gone,
                buckets=buckets,
                jobs=tuple(self._jobs(found.name)),
                stays=tuple(self._stays(found, kept)),
                usd_per_hour=found.usd_per_hour or Decimal(0),
                is_priced=found.usd_per_hour is not None or found.phase is Phase.PROPOSED,
                stuck=tuple(one for one in made if one.status == "DELETE_FAILED"),
            )

    def remove(self, name: str, confirmation: Confirmation, *, give_up: Iterable[str] = ()) -> str | None:
        """Begin to remove a launch and what its buckets hold; gives its stack's id to follow, None if it is gone.

        `give_up` names resources that an earlier removal could not delete and that may stay (`sweep` finds them).
        Raises: RefusedError, BusyError, CloudError.
        """
        removal = self.preview_removal(name)
        if removal is None:
            return None
        if removal.status == "DELETE_IN_PROGRESS":  # begun already: by another tab, or before a time-out
            return removal.stack_id
        check(confirmation, token=removal.token, usd_per_hour=removal.usd_per_hour)
        left = sorted(set(give_up))
        unknown = sorted(set(left) - {one.logical_id for one in removal.stuck})
        if unknown:
            raise RefusedError(f"only what could not be deleted can be given up, not {', '.join(unknown)}")
        found = self.look(removal.stack_id)
        if found is not None and found.phase in UNDER_WAY:
            raise BusyError(f"{name} is in {found.status}; it can be removed when that is over")
        with explained():
            self.begin_removal(removal, left)
        return removal.stack_id

    def begin_removal(self, removal: Removal, given_up: Sequence[str] = ()) -> None:
        """Stop jobs, empty buckets and let the stack go. Raises: ClientError, BotoCoreError."""
        for job in removal.jobs:
            self._stop(job)
        for bucket in removal.buckets:
            if bucket.logical_id not in given_up:
                self.empty(bucket.name)
        retained = {"RetainResources": list(given_up)} if given_up else {}
        self.clients("cloudformation").delete_stack(StackName=removal.stack_id, **retained)

    def empty(self, bucket: str) -> None:
        """Delete every version of every object of a bucket; one that is gone is empty. Raises: ClientError."""
        s3 = self.clients("s3")
        for batch in _batches(self._versions(bucket)):
            s3.delete_objects(Bucket=bucket, Delete={"Objects": batch, "Quiet": True})

    def _versions(self, bucket: str) -> Iterator[dict[str, str]]:
        pages = self.clients("s3").get_paginator("list_object_versions").paginate(Bucket=bucket)
        try:
            for page in pages:
                for one in (*page.get("Versions", []), *page.get("DeleteMarkers", [])):
                    yield {"Key": one["Key"], "VersionId": one["VersionId"]}
        except ClientError as err:
            if err.response["Error"]["Code"] != "NoSuchBucket":
                raise

    def _count(self, bucket: str) -> int:
        count = 0
        for _ in self._versions(bucket):
            count += 1
            if count == _MOST_COUNTED:
                break
        return count

    def _deletion_policies(self, found: Launched) -> Mapping[str, str]:
        if found.phase is Phase.PROPOSED:
            return {}
        resources = self.template(found.stack_id).get("Resources", {})
        return {name: one.get("DeletionPolicy", "Delete") for name, one in resources.items()}

    def _jobs(self, name: str) -> Iterator[str]:
        """The transform jobs of the launch that run."""
        for job in self.running_jobs():
            tags = self.clients("sagemaker").list_tags(ResourceArn=job["TransformJobArn"])["Tags"]
            if {"Key": TAG, "Value": name} in tags:
                yield job["TransformJobName"]

    def running_jobs(self) -> Iterator[Mapping[str, Any]]:
        """The summaries of all transform jobs that run, whoever's they are."""
        pages = self.clients("sagemaker").get_paginator("list_transform_jobs").paginate(StatusEquals="InProgress")
        for page in pages:
            yield from page["TransformJobSummaries"]

    def _stop(self, job: str) -> None:
        try:
            self.clients("sagemaker").stop_transform_job(TransformJobName=job)
        except ClientError as err:  # it came to its end meanwhile
            if err.response["Error"]["Code"] not in {"ValidationException", "ResourceNotFound"}:
                raise

    def _stays(self, found: Launched, kept: Iterable[OwnResource]) -> Iterator[str]:
        for one in kept:
            yield f"{one.logical_id} ({one.type}) {one.physical_id}: its template says that it is kept."
        request = found.request
        if request is not None:
            place = {"account": found.stack_id.split(":")[4], "region": found.region}
            if request.capture is not None:
                yield f"Captured requests and answers under {request.capture.s3_uri.format(**place)}."
            if request.option == "async":
                yield f"Requests and results of the queue under {async_prefix(request).format(**place)}."
            if request.transform is not None:
                yield f"Results of batch jobs under {request.transform.output_s3.format(**place)}."
            yield "The model archives: other launches may use them."
        for prefix in ("Endpoints", "InferenceComponents"):
            group = f"/aws/sagemaker/{prefix}/{found.name}"
            logs = self.clients("logs").describe_log_groups(logGroupNamePrefix=group)["logGroups"]
            for log in logs:
                yield f"The containers' log {log['logGroupName']}, which SageMaker wrote."
        yield "The metrics, which CloudWatch keeps for 15 months."


def _own(resource: Mapping[str, Any]) -> OwnResource:
    return OwnResource(
        logical_id=resource["LogicalResourceId"],
        type=resource["ResourceType"],
        physical_id=resource.get("PhysicalResourceId"),
        status=resource["ResourceStatus"],
        reason=resource.get("ResourceStatusReason"),
    )


def _batches(versions: Iterable[dict[str, str]]) -> Iterator[list[dict[str, str]]]:
    batch: list[dict[str, str]] = []
    for one in versions:
        batch.append(one)
        if len(batch) == _PAGE:
            yield batch
            batch = []
    if batch:
        yield batch
