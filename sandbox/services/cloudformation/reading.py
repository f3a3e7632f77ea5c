"""The operations that only look: descriptions, lists, events, templates."""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sandbox.errors import AwsError
from sandbox.services.cloudformation.document import Invalid
from sandbox.services.cloudformation.parameters import HIDDEN
from sandbox.services.cloudformation.stacks import Stacks, page
from sandbox.services.cloudformation.store import Resource, Stack, Stage, Version
from sandbox.services.cloudformation.template import Template
from sandbox.services.service import Answer, Context, Params

_DRIFT = {"StackDriftStatus": "NOT_CHECKED"}
_RESOURCE_DRIFT = {"StackResourceDriftStatus": "NOT_CHECKED"}


class Reading(Stacks):
    """DescribeStacks, ListStacks, DescribeStackEvents, DescribeStackResource(s), GetTemplate and their like."""

    def describe_stacks(self, context: Context, params: Params) -> Answer:
        """Give one stack, or all that are not deleted."""
        if "StackName" in params:
            return {"Stacks": [described(self.existing(context, params["StackName"]))]}
        stacks = [stack for stack in self.store.stacks(context.region) if stack.status != "DELETE_COMPLETE"]
        shown, token = page(stacks, params.get("NextToken"))
        return {"Stacks": [described(stack) for stack in shown], "NextToken": token}

    def list_stacks(self, context: Context, params: Params) -> Answer:
        """Give a line for each stack, deleted ones too."""
        wanted = params.get("StackStatusFilter")
        stacks = [stack for stack in self.store.stacks(context.region) if not wanted or stack.status in wanted]
        shown, token = page(stacks, params.get("NextToken"))
        summaries = [{**_life(stack), "TemplateDescription": stack.description} for stack in shown]
        return {"StackSummaries": summaries, "NextToken": token}

    def describe_stack_events(self, context: Context, params: Params) -> Answer:
        """Give what happened, newest first."""
        stack = self.store.find(context.region, params["StackName"])
        if stack is None:
            raise Invalid(f"Stack [{params['StackName']}] does not exist")
        token = params.get("NextToken")
        if token is not None and not token.isdigit():
            raise Invalid(f"Invalid NextToken {token!r}")
        events = self.store.events(stack.id, None if token is None else int(token), 100)
        shown = [{**event, "Timestamp": _time(event["Timestamp"])} for _, event in events]
        return {"StackEvents": shown, "NextToken": str(events[-1][0]) if len(events) == 100 else None}

    def describe_stack_resources(self, context: Context, params: Params) -> Answer:
        """Give the resources of a stack, or of the stack that has a certain resource."""
        if "StackName" in params:
            stack = self.existing(context, params["StackName"])
        else:
            stack = self._owner(context, params.get("PhysicalResourceId", ""))
        wanted = params.get("LogicalResourceId")
        shown = [_resource(stack, one) for one in self._shown(stack) if wanted in {None, one.logical_id}]
        return {"StackResources": shown}

    def describe_stack_resource(self, context: Context, params: Params) -> Answer:
        """Give one resource."""
        stack = self.existing(context, params["StackName"])
        for one in self._shown(stack):
            if one.logical_id == params["LogicalResourceId"]:
                metadata = None if one.metadata is None else json.dumps(one.metadata)
                detail = {**_resource(stack, one), "LastUpdatedTimestamp": _time(one.touched), "Metadata": metadata}
                return {"StackResourceDetail": detail}
        raise Invalid(f"Resource {params['LogicalResourceId']} does not exist for stack {stack.name}")

    def list_stack_resources(self, context: Context, params: Params) -> Answer:
        """Give a line for each resource."""
        stack = self.existing(context, params["StackName"])
        shown, token = page(self._shown(stack), params.get("NextToken"))
        lines = [{**_resource(stack, one), "LastUpdatedTimestamp": _time(one.touched)} for one in shown]
        return {"StackResourceSummaries": lines, "NextToken": token}

    def get_template(self, context: Context, params: Params) -> Answer:
        """Give the text of a stack's or a change set's template, as it was sent."""
        if "ChangeSetName" in params:
            change_set = self.found_change_set(context, params)
            text = Version(**change_set["version"]).template
        elif "StackName" in params:
            text = self.existing(context, params["StackName"]).version.template
        else:
            raise Invalid("StackName is required if ChangeSetName is not specified.")
        return {"TemplateBody": text, "StagesAvailable": ["Original", "Processed"]}

    def get_template_summary(self, context: Context, params: Params) -> Answer:
        """Say what a template declares."""
        if "StackName" in params:
            template = Template(self.existing(context, params["StackName"]).version.template)
        else:
            template = Template(self.template_text(context, params))
        declared = [
            {
                **entry,
                "ParameterType": parameter.type,
                "ParameterConstraints": {"AllowedValues": list(map(str, parameter.limits.get("AllowedValues", [])))},
            }
            for entry, parameter in zip(_parameters(template), template.parameters.values(), strict=True)
        ]
        metadata = template.body.get("Metadata")
        return {
            **_consent(template),
            "Parameters": declared,
            "Description": template.description,
            "ResourceTypes": sorted({one.type for one in template.resources.values()}),
            "Version": template.body.get("AWSTemplateFormatVersion"),
            "Metadata": None if metadata is None else json.dumps(metadata),
        }

    def validate_template(self, context: Context, params: Params) -> Answer:
        """Read a template and say what it declares."""
        template = Template(self.template_text(context, params))
        return {**_consent(template), "Parameters": _parameters(template), "Description": template.description}

    def list_exports(self, context: Context, params: Params) -> Answer:
        """Give what stacks export."""
        exports = [
            {"Name": name, "Value": value, "ExportingStackId": stack_id}
            for name, (value, stack_id) in self.store.exports(context.region).items()
        ]
        shown, token = page(exports, params.get("NextToken"))
        return {"Exports": shown, "NextToken": token}

    def list_imports(self, context: Context, params: Params) -> Answer:
        """Give the stacks that import a value."""
        importers = self.store.importers(context.region, params["ExportName"])
        if not importers:
            raise Invalid(f"Export '{params['ExportName']}' is not imported by any stack.")
        shown, token = page([self.store.stack(stack_id).name for stack_id in importers], params.get("NextToken"))
        return {"Imports": shown, "NextToken": token}

    def found_change_set(self, context: Context, params: Params) -> dict[str, Any]:
        """Give a change set by its id, or by its name and its stack. Raises: AwsError."""
        name = params["ChangeSetName"]
        if name.startswith("arn:"):
            found = self.store.change_set(name)
        elif "StackName" not in params:
            raise Invalid("StackName must be specified if ChangeSetName is not specified as an ARN.")
        else:
            stack = self.existing(context, params["StackName"])
            found = next((one for one in self.store.change_sets(stack.id) if one["name"] == name), None)
        if found is None:
            raise AwsError("ChangeSetNotFound", f"ChangeSet [{name}] does not exist", status=404)
        return found

    def _shown(self, stack: Stack) -> list[Resource]:
        return [one for one in self.store.resources(stack.id) if one.current and one.status]

    def _owner(self, context: Context, physical_id: str) -> Stack:
        for stack in self.store.stacks(context.region):
            for one in self.store.resources(stack.id):
                if physical_id and one.physical_id == physical_id and one.stage is not Stage.GONE:
                    return stack
        raise Invalid(f"Stack for {physical_id} does not exist")


def described(stack: Stack) -> Answer:
    """Give a stack as DescribeStacks shows it."""
    return {
        **_life(stack),
        "ChangeSetId": stack.change_set_id,
        "Description": stack.description,
        "Parameters": shown_parameters(stack.version),
        "RollbackConfiguration": {},
        "DisableRollback": stack.on_failure == "DO_NOTHING",
        "NotificationARNs": [],
        "TimeoutInMinutes": stack.timeout_minutes,
        "Capabilities": list(stack.version.capabilities),
        "Outputs": list(stack.outputs),
        "RoleARN": stack.role_arn,
        "Tags": list(stack.version.tags),
        "EnableTerminationProtection": stack.protected,
    }


def shown_parameters(version: Version) -> list[dict[str, Any]]:
    """Give parameter values as clients may see them."""
    if not version.template:  # a stack that waits for its first change set to be executed
        return []
    declared = Template(version.template).parameters
    return [
        {"ParameterKey": name, "ParameterValue": HIDDEN if declared[name].no_echo else value}
        for name, value in version.parameters.items()
    ]


def _life(stack: Stack) -> dict[str, Any]:
    return {
        "StackId": stack.id,
        "StackName": stack.name,
        "CreationTime": _time(stack.created),
        "LastUpdatedTime": None if stack.updated is None else _time(stack.updated),
        "DeletionTime": None if stack.deleted is None else _time(stack.deleted),
        "StackStatus": stack.status,
        "StackStatusReason": stack.reason,
        "DriftInformation": _DRIFT,
    }


def _resource(stack: Stack, one: Resource) -> dict[str, Any]:
    return {
        "StackName": stack.name,
        "StackId": stack.id,
        "LogicalResourceId": one.logical_id,
        "PhysicalResourceId": one.physical_id,
        "ResourceType": one.type,
        "Timestamp": _time(one.touched),
        "ResourceStatus": one.status,
        "ResourceStatusReason": one.reason,
        "DriftInformation": _RESOURCE_DRIFT,
    }


def _parameters(template: Template) -> list[dict[str, Any]]:
    return [
        {
            "ParameterKey": parameter.name,
            "DefaultValue": parameter.default,
            "NoEcho": parameter.no_echo,
            "Description": parameter.description,
        }
        for parameter in template.parameters.values()
    ]


def _consent(template: Template) -> Mapping[str, Any]:
    needed, types = template.capabilities
    if not needed:
        return {}
    reason = f"The following resource(s) require capabilities: [{', '.join(types)}]"
    return {"Capabilities": [needed], "CapabilitiesReason": reason}


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text)
