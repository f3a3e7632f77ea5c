"""Stacks on a running sandbox, and all that an account holds beside them."""

import itertools
from typing import Any

from tests.sandboxed import Sandbox, until
from tests.stack_templates import Resources, template

# What is listed of each service: the call, the member of its answer, and what names an entry.
_LISTED = [
    ("sagemaker", "list_models", "Models", "ModelName"),
    ("sagemaker", "list_endpoint_configs", "EndpointConfigs", "EndpointConfigName"),
    ("sagemaker", "list_endpoints", "Endpoints", "EndpointName"),
    ("sagemaker", "list_inference_components", "InferenceComponents", "InferenceComponentName"),
    ("iam", "list_roles", "Roles", "RoleName"),
    ("sns", "list_topics", "Topics", "TopicArn"),
    ("sns", "list_subscriptions", "Subscriptions", "SubscriptionArn"),
    ("s3", "list_buckets", "Buckets", "Name"),
    ("cloudwatch", "describe_alarms", "MetricAlarms", "AlarmName"),
    ("cloudwatch", "describe_alarms", "CompositeAlarms", "AlarmName"),
    ("cloudwatch", "list_dashboards", "DashboardEntries", "DashboardName"),
    ("logs", "describe_log_groups", "logGroups", "logGroupName"),
    ("events", "list_rules", "Rules", "Name"),
    ("scheduler", "list_schedules", "Schedules", "Name"),
    ("ssm", "describe_parameters", "Parameters", "Name"),
]


class Account:
    """Creates stacks under names of their own."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox
        self._numbers = itertools.count(1)

    @property
    def cloudformation(self):
        return self.sandbox.client("cloudformation")

    def holds(self) -> set[tuple[str, str]]:
        """Name everything that stacks can make, whoever made it."""
        client = self.sandbox.client
        found = {
            (call, entry[key])
            for service, call, member, key in _LISTED
            for entry in getattr(client(service), call)().get(member, [])
        }
        policies = client("iam").list_policies(Scope="Local")["Policies"]
        found |= {("list_policies", policy["Arn"]) for policy in policies}
        found |= {("list_queues", url) for url in client("sqs").list_queues().get("QueueUrls", [])}
        scaling = client("application-autoscaling")
        targets = scaling.describe_scalable_targets(ServiceNamespace="sagemaker")["ScalableTargets"]
        found |= {("scalable target", target["ResourceId"]) for target in targets}
        rules = scaling.describe_scaling_policies(ServiceNamespace="sagemaker")["ScalingPolicies"]
        found |= {("scaling policy", rule["PolicyARN"]) for rule in rules}
        actions = scaling.describe_scheduled_actions(ServiceNamespace="sagemaker")["ScheduledActions"]
        return found | {("scheduled action", action["ScheduledActionName"]) for action in actions}

    def create(self, resources: Resources, **members: Any) -> str:
        """Begin a stack; gives its id."""
        return self.cloudformation.create_stack(
            StackName=f"stack-{next(self._numbers)}",
            TemplateBody=template(resources),
            Capabilities=["CAPABILITY_NAMED_IAM"],
            **members,
        )["StackId"]

    def update(self, stack: str, resources: Resources, **members: Any) -> str:
        """Update a stack; gives the status in which it rests."""
        body = template(resources)
        self.cloudformation.update_stack(
            StackName=stack, TemplateBody=body, Capabilities=["CAPABILITY_NAMED_IAM"], **members
        )
        return self.rests(stack)

    def delete(self, stack: str) -> str:
        self.cloudformation.delete_stack(StackName=stack)
        return self.rests(stack)

    def status(self, stack: str) -> str:
        return self.cloudformation.describe_stacks(StackName=stack)["Stacks"][0]["StackStatus"]

    def rests(self, stack: str) -> str:
        """Wait until nothing is under way; gives the status then."""

        def resting() -> str | None:
            status = self.status(stack)
            return None if status.endswith("IN_PROGRESS") else status

        return until(resting, within_s=60, every_s=0.05)

    def events(self, stack: str) -> list[dict[str, Any]]:
        """Give what happened, oldest first."""
        pages = self.cloudformation.get_paginator("describe_stack_events").paginate(StackName=stack)
        return [event for page in pages for event in page["StackEvents"]][::-1]

    def told(self, stack: str) -> list[str]:
        return [f"{event['LogicalResourceId']} {event['ResourceStatus']}" for event in self.events(stack)]

    def why(self, stack: str, name: str) -> str:
        """Give the last reason that an event of a resource had."""
        reasons = [
            event["ResourceStatusReason"]
            for event in self.events(stack)
            if event["LogicalResourceId"] == name and event["ResourceStatus"].endswith("FAILED")
        ]
        return reasons[-1] if reasons else ""

    def physical(self, stack: str) -> dict[str, str]:
        resources = self.cloudformation.describe_stack_resources(StackName=stack)["StackResources"]
        return {one["LogicalResourceId"]: one["PhysicalResourceId"] for one in resources}
