"""The resource types that a stack can have in the sandbox."""

from typing import Final

from sandbox.services.cloudformation.types.iam import ManagedPolicy, Policy, Role
from sandbox.services.cloudformation.types.messaging import Queue, QueuePolicy, Subscription, Topic, TopicPolicy
from sandbox.services.cloudformation.types.monitoring import Alarm, CompositeAlarm, Dashboard
from sandbox.services.cloudformation.types.operations import LogGroup, Rule, Schedule
from sandbox.services.cloudformation.types.resource_type import ResourceType
from sandbox.services.cloudformation.types.sagemaker import Endpoint, EndpointConfig, InferenceComponent, Model
from sandbox.services.cloudformation.types.scaling import ScalableTarget, ScalingPolicy
from sandbox.services.cloudformation.types.storage import Bucket, BucketPolicy, Parameter

TYPES: Final[dict[str, ResourceType]] = {
    kind.type: kind()
    for kind in (
        Model, EndpointConfig, Endpoint, InferenceComponent, Role, Policy, ManagedPolicy, ScalableTarget, ScalingPolicy,
        Alarm, CompositeAlarm, Dashboard, Topic, Subscription, TopicPolicy, Queue, QueuePolicy, Bucket, BucketPolicy,
        Parameter, LogGroup, Rule, Schedule,
    )
}  # fmt: skip
