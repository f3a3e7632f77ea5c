"""Batch transform now: start a job once, look at it, read its results, stop it."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from botocore.exceptions import ClientError

from launch.bucket import code_of, split_uri
from launch.clients import Clients, explained
from launch.request import Request
from launch.roles import job_prefix
from launch.template_batch import job

RUNS = ("InProgress", "Stopping")
_MARKS = 12  # of a digest
MOST_LISTED = 100  # API reference, ListTransformJobs, read 2026-11-21
MOST_OBJECTS = 20
MOST_BYTES = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """A transform job as it stands."""

    name: str
    status: str  # InProgress, Stopping, Stopped, Completed or Failed
    reason: str | None  # why it failed
    created: datetime
    ended: datetime | None
    output_s3: str

    @property
    def is_running(self) -> bool:
        """Whether it goes on."""
        return self.status in RUNS


def job_name(request: Request, origin: str, run: int = 1) -> str:
    """Give the name of a run: the same origin and number, the same name.

    SageMaker keeps jobs and their names for ever, so that a launch that is made again needs another name.
    """
    return f"{job_prefix(request)}{hashlib.sha256(origin.encode()).hexdigest()[:_MARKS]}-{run}"


def start(clients: Clients, request: Request, *, model_name: str, token: str, origin: str, run: int = 1) -> str:
    """Start the job of a launch and give its name; one that has been started is not started again.

    `origin` is the change that the job was started with (`Launched.job_origin`); `run` tells its runs apart, 1 to 999.
    The job carries the tags of the launch, `token` is that of its plan.
    Raises: CloudError.
    """
    name = job_name(request, origin, run)
    with explained():
        account = clients("sts").get_caller_identity()["Account"]
        given = request.transform
        if given is not None:  # the program's bucket may stand in the addresses by its placeholders
            place = {"account": account, "region": request.region}
            given = replace(given, input_s3=given.input_s3.format(**place), output_s3=given.output_s3.format(**place))
        asked = job(replace(request, transform=given), model_name=model_name, job_name=name)
        asked["Tags"] = [*asked["Tags"], {"Key": "hostfit:token", "Value": token}]
        try:
            clients("sagemaker").create_transform_job(**asked)
        except ClientError as err:
            if code_of(err) != "ResourceInUse":  # a second click, or an answer that was lost
                raise
    return name


def look(clients: Clients, name: str) -> Job:
    """Look at a job once. Raises: CloudError."""
    with explained():
        found = clients("sagemaker").describe_transform_job(TransformJobName=name)
    return Job(
        name=name,
        status=found["TransformJobStatus"],
        reason=found.get("FailureReason"),
        created=found["CreationTime"],
        ended=found.get("TransformEndTime"),
        output_s3=found["TransformOutput"]["S3OutputPath"],
    )


def listed(clients: Clients, request: Request, *, most: int = 20) -> tuple[Job, ...]:
    """Give the runs of a launch, the newest first, those that a schedule started too. Raises: CloudError."""
    return tuple(look(clients, name) for name in _names(clients, job_prefix(request), most))


def next_run(clients: Clients, request: Request, origin: str) -> int:
    """Give the number that the next run has, after those that were started. Raises: CloudError."""
    stem = job_name(request, origin).removesuffix("1")
    tails = [name.removeprefix(stem) for name in _names(clients, stem, MOST_LISTED)]
    return max((int(tail) for tail in tails if tail.isdigit()), default=0) + 1


def output(clients: Clients, found: Job) -> Mapping[str, bytes]:
    """Give the first results of a job by their keys, each up to a megabyte; those written since it began.

    Raises: CloudError.
    """
    bucket, prefix = split_uri(found.output_s3)
    with explained():
        s3 = clients("s3")
        listed = s3.list_objects_v2(Bucket=bucket, Prefix=prefix).get("Contents", [])
        begun = found.created.replace(microsecond=0)  # S3 keeps whole seconds
        keys = [one["Key"] for one in listed if one["Key"].endswith(".out") and one["LastModified"] >= begun]
        return {key: s3.get_object(Bucket=bucket, Key=key)["Body"].read(MOST_BYTES) for key in keys[:MOST_OBJECTS]}


def stop(clients: Clients, name: str) -> None:
    """Stop a job; one that has ended stays as it is. Raises: CloudError."""
    with explained():
        if look(clients, name).is_running:
            clients("sagemaker").stop_transform_job(TransformJobName=name)


def _names(clients: Clients, prefix: str, most: int) -> list[str]:
    """The newest jobs whose names begin so, the newest first."""
    with explained():
        answer = clients("sagemaker").list_transform_jobs(
            NameContains=prefix, SortBy="CreationTime", SortOrder="Descending", MaxResults=most
        )
    names = [one["TransformJobName"] for one in answer["TransformJobSummaries"]]
    return [name for name in names if name.startswith(prefix)]
