"""How to delete one resource that no stack has: for each kind that a launch makes, by its ARN."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from botocore.exceptions import ClientError

from launch.clients import Clients

_MISSING: Final = frozenset({
    "NoSuchEntity", "NotFound", "NotFoundException", "ResourceNotFound", "ResourceNotFoundException", "NoSuchBucket",
    "ObjectNotFoundException", "404",
})  # fmt: skip


def kind_of(arn: str) -> str:
    """Give the service and the type of a resource.

    >>> kind_of("arn:aws:sagemaker:eu-west-1:000000000000:endpoint/iris"), kind_of("arn:aws:sns:eu-west-1:0:news")
    ('sagemaker:endpoint', 'sns:topic')
    """
    service, rest = arn.split(":", 5)[2], arn.split(":", 5)[5]
    only = {"sns": "topic", "sqs": "queue", "s3": "bucket"}  # their ARNs name the resource without its type
    return f"{service}:{only.get(service) or rest.replace('/', ':').partition(':')[0]}"


def is_missing(error: ClientError) -> bool:
    """Whether a service says that there is no such thing."""
    answer = error.response["Error"]
    said = answer.get("Message", "").lower()
    return answer["Code"] in _MISSING or "could not find" in said or "does not exist" in said


def _of_sagemaker(kind: str, member: str, verb: str = "delete") -> Callable[[Clients, str], None]:
    """Give what deletes a resource of SageMaker: its ARN has its name in small letters."""

    def delete(clients: Clients, arn: str) -> None:
        sagemaker = clients("sagemaker")
        for page in sagemaker.get_paginator(f"list_{kind}s").paginate():
            for one in next(value for value in page.values() if isinstance(value, list)):
                if one[member].lower() == arn.rpartition("/")[2].lower():
                    getattr(sagemaker, f"{verb}_{kind}")(**{member: one[member]})

    return delete


def _topic(clients: Clients, arn: str) -> None:
    clients("sns").delete_topic(TopicArn=arn)


def _alarm(clients: Clients, arn: str) -> None:
    clients("cloudwatch").delete_alarms(AlarmNames=[arn.split(":", 6)[6]])


def _schedule(clients: Clients, arn: str) -> None:
    group, name = arn.split("/")[-2:]
    clients("scheduler").delete_schedule(GroupName=group, Name=name)


def _scalable_target(clients: Clients, arn: str) -> None:
    scaling = clients("application-autoscaling")
    pages = scaling.get_paginator("describe_scalable_targets").paginate(ServiceNamespace="sagemaker")
    for target in (one for page in pages for one in page["ScalableTargets"] if one.get("ScalableTargetARN") == arn):
        _deregister(scaling, target)


def _deregister(scaling: Any, target: Mapping[str, Any]) -> None:
    scaling.deregister_scalable_target(
        ServiceNamespace="sagemaker", ResourceId=target["ResourceId"], ScalableDimension=target["ScalableDimension"]
    )


def _role(clients: Clients, arn: str) -> None:
    iam, name = clients("iam"), arn.rpartition("/")[2]
    for policy in iam.list_role_policies(RoleName=name)["PolicyNames"]:
        iam.delete_role_policy(RoleName=name, PolicyName=policy)
    for policy in iam.list_attached_role_policies(RoleName=name)["AttachedPolicies"]:
        iam.detach_role_policy(RoleName=name, PolicyArn=policy["PolicyArn"])
    iam.delete_role(RoleName=name)


# In the order in which they can go.
DELETIONS: Final[Mapping[str, Callable[[Clients, str], None]]] = {
    "sagemaker:transform-job": _of_sagemaker("transform_job", "TransformJobName", "stop"),
    "scheduler:schedule": _schedule,
    "application-autoscaling:scalable-target": _scalable_target,
    "sagemaker:inference-component": _of_sagemaker("inference_component", "InferenceComponentName"),
    "sagemaker:endpoint": _of_sagemaker("endpoint", "EndpointName"),
    "sagemaker:endpoint-config": _of_sagemaker("endpoint_config", "EndpointConfigName"),
    "sagemaker:model": _of_sagemaker("model", "ModelName"),
    "cloudwatch:alarm": _alarm,
    "sns:topic": _topic,
    "iam:role": _role,
}
