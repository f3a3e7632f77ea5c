"""What the person who launches must be allowed to do, as one policy that can be handed to an administrator.

`{account}` stands for the account. Names that CloudFormation gives begin with the stack's, except those of models and
endpoint configurations, which begin with the logical id.
Source: Service Authorization Reference and the registry's handlers of each resource type, read 2026-11-21.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from launch.fleets import parameters
from launch.request import BUCKET, Request
from launch.template_parts import Json, Resources


@dataclass(frozen=True, slots=True, kw_only=True)
class Permission:
    """What the person who launches must be allowed to do."""

    actions: tuple[str, ...]
    resources: tuple[str, ...]
    why: str


def permissions(request: Request, resources: Resources) -> tuple[Permission, ...]:
    """What creating, changing, watching and removing the stack takes."""
    kinds = {one["Type"] for one in resources.values()}
    regional = f"{request.region}:{{account}}"
    stack = f"arn:aws:cloudformation:{regional}:stack/{request.name}/*"
    found = [
        Permission(
            actions=_of("cloudformation", _STACKS), resources=(stack,), why="Propose, make, change and remove the stack"
        ),
        Permission(
            actions=_EVERYWHERE,
            resources=("*",),
            why="List what was launched, its logs, and what belongs to no stack",
        ),
        Permission(
            actions=_of("iam", _ROLES),
            resources=("arn:aws:iam::{account}:role/hostfit/*",),
            why="Make the role of the containers and hand it to SageMaker",
        ),
        Permission(
            actions=_of("s3", _BUCKET),
            resources=(f"arn:aws:s3:::{_bucket(request)}", f"arn:aws:s3:::{_bucket(request)}/*"),
            why="Keep packaged models, requests and answers in the program's bucket",
        ),
        *_of_models(request),
        *_of_data(request),
        *_of_sagemaker(kinds, regional, request),
        *_of_scaling(kinds, regional),
        *_of_messages(kinds, regional, request),
    ]
    if request.kms_key_arn is not None:
        actions = _of("kms", ("CreateGrant", "Decrypt", "DescribeKey", "GenerateDataKey"))
        found.append(Permission(actions=actions, resources=(request.kms_key_arn,), why="Use the key"))
    return tuple(found)


def policy(granted: Iterable[Permission], *, account: str) -> Json:
    """The permissions as an IAM policy.

    Shape: account of 12 digits.
    """
    statements = [
        {
            "Effect": "Allow",
            "Action": list(one.actions),
            "Resource": [name.replace("{account}", account) for name in one.resources],
        }
        for one in granted
    ]
    return {"Version": "2012-10-17", "Statement": statements}


_EVERYWHERE = (
    "cloudformation:DescribeStacks", "iam:ListRoles", "logs:DescribeLogGroups", "scheduler:ListSchedules",
    "tag:GetResources",
)  # fmt: skip
_STACKS = (
    "CancelUpdateStack", "ContinueUpdateRollback", "CreateChangeSet", "DeleteChangeSet", "DeleteStack",
    "DescribeChangeSet", "DescribeStackEvents", "DescribeStackResources", "DescribeStacks", "ExecuteChangeSet",
    "GetTemplate", "ListChangeSets", "ListStackResources",
)  # fmt: skip
_ROLES = (
    "CreateRole", "DeleteRole", "DeleteRolePolicy", "DetachRolePolicy", "GetRole", "GetRolePolicy",
    "ListAttachedRolePolicies", "ListRolePolicies", "ListRoleTags", "PassRole", "PutRolePolicy", "TagRole", "UntagRole",
    "UpdateAssumeRolePolicy",
)  # fmt: skip
_BUCKET = (
    "CreateBucket", "DeleteObject", "DeleteObjectVersion", "GetObject", "ListBucket", "ListBucketVersions",
    "PutBucketOwnershipControls", "PutBucketPublicAccessBlock", "PutBucketTagging", "PutEncryptionConfiguration",
    "PutObject",
)  # fmt: skip
_SAGEMAKER: Mapping[str, tuple[str, ...]] = {  # kind -> what is done with it beside create, describe and delete
    "Model": (),
    "EndpointConfig": (),
    "Endpoint": ("UpdateEndpoint", "UpdateEndpointWeightsAndCapacities", "InvokeEndpoint"),
    "InferenceComponent": ("UpdateInferenceComponent", "UpdateInferenceComponentRuntimeConfig"),
}
_PATHS = {"EndpointConfig": "endpoint-config", "InferenceComponent": "inference-component"}


def _of(service: str, actions: Iterable[str]) -> tuple[str, ...]:
    return tuple(f"{service}:{action}" for action in sorted(set(actions)))


def _bucket(request: Request) -> str:
    return BUCKET.removeprefix("s3://").replace("{region}", request.region)


def _of_models(request: Request) -> list[Permission]:
    """Looking whether the models are there."""
    paths = []
    for one in parameters(request).values():
        path = one.model_data_url.removeprefix("s3://")
        paths += [f"arn:aws:s3:::{path}{'*' if one.is_prefix else ''}", f"arn:aws:s3:::{path.partition('/')[0]}"]
    actions = _of("s3", ("GetObject", "ListBucket"))
    return [Permission(actions=actions, resources=tuple(dict.fromkeys(paths)), why="See that the models are there")]


def _of_data(request: Request) -> list[Permission]:
    """Where requests and answers lie, outside the program's bucket."""
    given = (request.transform and request.transform.output_s3, request.async_output_s3)
    paths = [uri.removeprefix("s3://").rstrip("/") for uri in given if uri]
    resources = [arn for path in paths for arn in (f"arn:aws:s3:::{path.partition('/')[0]}", f"arn:aws:s3:::{path}/*")]
    if not resources:
        return []
    actions = _of(
        "s3", ("DeleteObject", "DeleteObjectVersion", "GetObject", "ListBucket", "ListBucketVersions", "PutObject")
    )
    return [Permission(actions=actions, resources=tuple(resources), why="Put requests, get answers, clear them away")]


def _of_sagemaker(kinds: set[str], regional: str, request: Request) -> list[Permission]:
    found = []
    for kind, more in _SAGEMAKER.items():
        if f"AWS::SageMaker::{kind}" in kinds:
            asked = (*more, "InvokeEndpointAsync") if (kind, request.option) == ("Endpoint", "async") else more
            actions = (f"Create{kind}", f"Describe{kind}", f"Delete{kind}", *asked, "AddTags", "DeleteTags", "ListTags")
            name = request.name if kind in ("Endpoint", "InferenceComponent") else "*"
            path = f"arn:aws:sagemaker:{regional}:{_PATHS.get(kind, kind.lower())}/{name}"
            why = f"Make, see, change and remove the {_PATHS.get(kind, kind.lower()).replace('-', ' ')}"
            found.append(Permission(actions=_of("sagemaker", actions), resources=(path,), why=why))
    if request.option == "batch":
        actions = ("AddTags", "CreateTransformJob", "DescribeTransformJob", "StopTransformJob")
        jobs = f"arn:aws:sagemaker:{regional}:transform-job/*"
        listed = ("sagemaker:ListTransformJobs",)
        found += [
            Permission(actions=_of("sagemaker", actions), resources=(jobs,), why="Run jobs and see them"),
            Permission(actions=listed, resources=("*",), why="List the jobs"),
        ]
    else:
        metrics = _of("cloudwatch", ("GetMetricData", "GetMetricStatistics"))
        found.append(Permission(actions=metrics, resources=("*",), why="See what the endpoint does"))
    return found


def _of_scaling(kinds: set[str], regional: str) -> list[Permission]:
    found = []
    if "AWS::CloudWatch::Alarm" in kinds or "AWS::ApplicationAutoScaling::ScalingPolicy" in kinds:
        actions = ("DeleteAlarms", "DescribeAlarms", "ListTagsForResource", "PutMetricAlarm", "TagResource")
        alarms = f"arn:aws:cloudwatch:{regional}:alarm:*"
        found.append(Permission(actions=_of("cloudwatch", actions), resources=(alarms,), why="Make and remove alarms"))
    if "AWS::ApplicationAutoScaling::ScalableTarget" in kinds:
        service = "application-autoscaling"
        written = ("DeleteScalingPolicy", "DeleteScheduledAction", "DeregisterScalableTarget")
        made = ("PutScalingPolicy", "PutScheduledAction", "RegisterScalableTarget")
        seen = ("DescribeScalableTargets", "DescribeScalingPolicies", "DescribeScheduledActions")
        targets = f"arn:aws:application-autoscaling:{regional}:scalable-target/*"
        linked = "arn:aws:iam::{account}:role/aws-service-role/sagemaker.application-autoscaling.amazonaws.com/*"
        found += [
            Permission(actions=_of(service, (*written, *made)), resources=(targets,), why="Scale the instances"),
            Permission(actions=_of(service, seen), resources=("*",), why="See how they scale"),
            Permission(
                actions=("iam:CreateServiceLinkedRole",),
                resources=(linked,),
                why="Once for each account: the role with which Application Auto Scaling works",
            ),
        ]
    return found


def _of_messages(kinds: set[str], regional: str, request: Request) -> list[Permission]:
    found = []
    if "AWS::SNS::Topic" in kinds:
        actions = (
            "CreateTopic", "DeleteTopic", "GetSubscriptionAttributes", "GetTopicAttributes", "ListSubscriptionsByTopic",
            "ListTagsForResource", "SetTopicAttributes", "Subscribe", "TagResource", "Unsubscribe", "UntagResource",
        )  # fmt: skip
        topics = (f"arn:aws:sns:{regional}:{request.name}-*",)
        found.append(Permission(actions=_of("sns", actions), resources=topics, why="Tell of answers and alarms"))
    if "AWS::Scheduler::Schedule" in kinds:
        kept = ("CreateSchedule", "DeleteSchedule", "GetSchedule", "UpdateSchedule")
        schedules = (f"arn:aws:scheduler:{regional}:schedule/default/{request.name}-*",)
        found.append(Permission(actions=_of("scheduler", kept), resources=schedules, why="Start jobs by a schedule"))
    return found
