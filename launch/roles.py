"""The role that the containers run with: what they read, write and tell, and nothing more.

Every statement names its resources; where AWS has no name for them, `UNNAMED` says so with the reason.
Source: Amazon SageMaker developer guide, "CreateModel API: execution role permissions"; docs/launch/account.md#role.
"""

import re
from collections.abc import Iterable, Mapping

from launch.fleets import parameters
from launch.request import BUCKET, Request
from launch.settings import settings_of
from launch.template_parts import Json, Resources, escaped, ref, resource, sub

IMAGE = re.compile(
    r"(?P<account>\d{12})\.dkr\.ecr(?:-fips)?\.(?P<region>[a-z0-9-]+)\.amazonaws\.com(?:\.cn)?/"
    r"(?P<repository>[a-z0-9][a-z0-9._/-]*)(?::[\w.-]{1,128}|@sha256:[0-9a-f]{64})"
)
PATH = "/hostfit/"  # roles of launches are listed by it: the tagging API leaves roles out
# Actions without resources of their own, so "*" is the only resource that they take (Service Authorization Reference).
UNNAMED: Mapping[str, str] = {
    "ecr:GetAuthorizationToken": "the token is for the whole registry",
    "cloudwatch:PutMetricData": "metrics have no ARN; the namespace is a condition",
    "ec2:DescribeDhcpOptions": "descriptions have no resource",
    "ec2:DescribeNetworkInterfaces": "descriptions have no resource",
    "ec2:DescribeSecurityGroups": "descriptions have no resource",
    "ec2:DescribeSubnets": "descriptions have no resource",
    "ec2:DescribeVpcs": "descriptions have no resource",
}


def role(request: Request) -> Resources:
    """The execution role of the models."""
    statements = [
        *_reads_models(request),
        *_pulls(request),
        *_tells(request),
        *_keeps(request),
        *_answers(request),
        *_transforms(request),
        *_encrypts(request),
        *_joins_network(request),
    ]
    return {"Role": assumed_by("sagemaker", "hosting", statements)}


def assumed_by(service: str, name: str, statements: Iterable[Json]) -> Json:
    """A role for a service of this account, with one policy."""
    trust = {
        "Effect": "Allow",
        "Principal": {"Service": f"{service}.amazonaws.com"},
        "Action": "sts:AssumeRole",
        "Condition": {"StringEquals": {"aws:SourceAccount": ref("AWS::AccountId")}},
    }
    policy = {"PolicyName": name, "PolicyDocument": {"Version": "2012-10-17", "Statement": list(statements)}}
    return resource(
        "IAM::Role",
        Path=PATH,
        AssumeRolePolicyDocument={"Version": "2012-10-17", "Statement": [trust]},
        Policies=[policy],
    )


def allow(sid: str, actions: Iterable[str], resources: Iterable[object], condition: Json | None = None) -> Json:
    """A statement."""
    found = {"Sid": sid, "Effect": "Allow", "Action": sorted(actions), "Resource": list(resources)}
    return found if condition is None else {**found, "Condition": condition}


def async_prefix(request: Request) -> str:
    """Where an asynchronous endpoint reads and writes: `input/`, `output/` and `failure/` under it."""
    return (request.async_output_s3 or f"{BUCKET}/async/{request.name}").rstrip("/")


def _reads_models(request: Request) -> list[Json]:
    objects, listed = [], []
    for index, (name, container) in enumerate(parameters(request).items()):
        path = {"Fn::Select": [1, {"Fn::Split": ["s3://", ref(name)]}]}
        end = "*" if container.is_prefix else ""
        objects.append({"Fn::Sub": [f"arn:${{AWS::Partition}}:s3:::${{Path}}{end}", {"Path": path}]})
        if container.is_prefix:
            bucket, _, prefix = container.model_data_url.removeprefix("s3://").partition("/")
            listed.append(_lists(f"ListModels{index + 1}", bucket, prefix))
    return [allow("ReadModels", ["s3:GetObject"], objects), *listed]


def _lists(sid: str, bucket: str, prefix: str) -> Json:
    condition = {"StringLike": {"s3:prefix": [f"{prefix}*"]}}
    return allow(sid, ["s3:ListBucket"], [_s3(bucket)], condition)


def _pulls(request: Request) -> list[Json]:
    found = [IMAGE.fullmatch(container.image) for container in parameters(request).values()]
    repositories = dict.fromkeys(
        f"arn:${{AWS::Partition}}:ecr:{one['region']}:{one['account']}:repository/{one['repository']}"
        for one in found
        if one is not None
    )
    actions = ["ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"]
    return [
        allow("PullImages", actions, map(sub, repositories)),
        allow("EnterRegistry", ["ecr:GetAuthorizationToken"], ["*"]),
    ]


_LOGS = ("CreateLogGroup", "CreateLogStream", "DescribeLogStreams", "PutLogEvents")


def _tells(request: Request) -> list[Json]:
    """Logs under the names that SageMaker gives them, metrics in its namespaces."""
    kinds = [("Endpoints", f"/{request.name}")]
    if request.option == "batch":
        kinds = [("TransformJobs", "")]
    elif settings_of(request).has_components:
        kinds.append(("InferenceComponents", f"/{request.name}"))
    at = "arn:${AWS::Partition}:logs:${AWS::Region}:${AWS::AccountId}:log-group:/aws/sagemaker/"
    # A group's ARN in a policy ends with ":*", which stands for its streams (CloudWatch Logs API, LogGroup.arn).
    groups = [sub(f"{at}{kind}{name}:*") for kind, name in kinds]
    namespaces = [f"/aws/sagemaker/{kind}" for kind, _ in kinds]
    return [
        allow("WriteLogs", [f"logs:{action}" for action in _LOGS], groups),
        allow(
            "PutMetrics",
            ["cloudwatch:PutMetricData"],
            ["*"],
            {"StringEquals": {"cloudwatch:namespace": namespaces}},
        ),
    ]


def _keeps(request: Request) -> list[Json]:
    return [] if request.capture is None else [_writes("KeepRequests", request.capture.s3_uri)]


def _answers(request: Request) -> list[Json]:
    if request.option != "async":
        return []
    prefix = async_prefix(request)
    return [
        allow("ReadRequests", ["s3:GetObject"], [_objects(f"{prefix}/input")]),
        _writes("WriteAnswers", f"{prefix}/output"),
        _writes("WriteFailures", f"{prefix}/failure"),
        allow("TellAnswers", ["sns:Publish"], [ref("SuccessTopic"), ref("ErrorTopic")]),
    ]


def _transforms(request: Request) -> list[Json]:
    if request.transform is None:
        return []
    given = request.transform
    bucket, _, prefix = given.input_s3.removeprefix("s3://").partition("/")
    return [
        allow("ReadRecords", ["s3:GetObject"], [_s3(f"{bucket}/{prefix}*")]),
        _lists("ListRecords", bucket, prefix),
        _writes("WriteAnswers", given.output_s3),
    ]


def _writes(sid: str, uri: str) -> Json:
    return allow(sid, ["s3:AbortMultipartUpload", "s3:PutObject"], [_objects(uri)])


def _objects(uri: str) -> Json:
    return _s3(f"{uri.removeprefix('s3://').rstrip('/')}/*")


def _s3(path: str) -> Json:
    return sub(f"arn:${{AWS::Partition}}:s3:::{escaped(path)}")


def _encrypts(request: Request) -> list[Json]:
    if request.kms_key_arn is None:
        return []
    keys = [request.kms_key_arn]
    grant = {"Bool": {"kms:GrantIsForAWSResource": "true"}}
    return [
        allow("UseKey", ["kms:Decrypt", "kms:DescribeKey", "kms:GenerateDataKey"], keys),
        allow("LendKey", ["kms:CreateGrant"], keys, grant),
    ]


def _joins_network(request: Request) -> list[Json]:
    network = request.network
    if network is None or not network.subnets:
        return []
    at = "arn:${AWS::Partition}:ec2:${AWS::Region}:${AWS::AccountId}:"
    interfaces = sub(f"{at}network-interface/*")
    places = [sub(f"{at}subnet/{subnet}") for subnet in network.subnets]
    places += [sub(f"{at}security-group/{group}") for group in network.security_groups]
    described = sorted(action for action in UNNAMED if action.startswith("ec2:"))
    return [
        allow("MakeInterfaces", ["ec2:CreateNetworkInterface"], [interfaces, *places]),
        allow(
            "UseInterfaces",
            [
                "ec2:CreateNetworkInterfacePermission",
                "ec2:DeleteNetworkInterface",
                "ec2:DeleteNetworkInterfacePermission",
            ],
            [interfaces],
        ),
        allow("SeeNetwork", described, ["*"]),
    ]


def schedule_role(request: Request) -> Json:
    """The role with which EventBridge Scheduler starts the jobs."""
    jobs = (
        f"arn:${{AWS::Partition}}:sagemaker:${{AWS::Region}}:${{AWS::AccountId}}:transform-job/{job_prefix(request)}*"
    )
    actions = ["sagemaker:AddTags", "sagemaker:CreateTransformJob"]
    return assumed_by("scheduler", "start-jobs", [allow("StartJobs", actions, [sub(jobs)])])


def job_prefix(request: Request) -> str:
    """How the names of a request's jobs begin; the rest, at most 16 characters, tells them apart."""
    return f"{request.name[:46].rstrip('-')}-"
