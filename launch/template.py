"""The CloudFormation template of a request: a pure function, the same bytes for the same request.

Names: the endpoint and its component have the request's name, so that callers keep one address. Models and
endpoint configurations can't be changed, so they have generated names and are replaced; CloudFormation deletes the old
ones only after the endpoint serves with the new ones.
"""

import json
from collections.abc import Mapping

from fitness.options import OPTIONS
from launch.fleets import Fleet, fleets
from launch.request import Container, Request, as_document, read_request
from launch.roles import async_prefix, role
from launch.template_alarms import alarms, answers
from launch.template_batch import schedule
from launch.template_components import component
from launch.template_hosting import endpoint, endpoint_config, model
from launch.template_parts import TAGGED, Json, Resources, att, listed, ref, tags, text
from launch.template_scaling import scaling

WATCHING = ("LatencyAlarm", "ErrorAlarm")  # the alarms of each variant, which may take an update back


def template(request: Request) -> Json:
    """The template of a checked request whose models are resolved."""
    resources = _tagged(_resources(request), tags(request))
    return {
        "AWSTemplateFormatVersion": "2010-09-09",
        "Description": f"{OPTIONS[request.option].title} {request.name}",
        # As text: the metadata of a template may hold no fractions.
        "Metadata": {"hostfit": {"request": json.dumps(as_document(request), sort_keys=True)}},
        "Parameters": {
            name: {
                "Type": "String",
                "Description": f"Where the model{_whose(fleet, one)} lies in S3",
                "Default": one.model_data_url,
            }
            for fleet in fleets(request)
            for name, one in fleet.containers.items()
        },
        "Resources": resources,
        "Outputs": {
            name: {"Description": about, "Value": value}
            for name, (about, value) in _outputs(request, resources).items()
        },
    }


def request_of(body: object) -> Request | None:
    """The request that a template was made from; None for a template that is not of a launch.

    Shape: the template as plain values.
    Raises: InputError where the request has been changed to one that can't be read.
    """
    found = body
    for name in ("Metadata", "hostfit", "request"):
        found = found.get(name) if isinstance(found, Mapping) else None
    return read_request(found) if isinstance(found, str) else None


def _resources(request: Request) -> Resources:
    variants = fleets(request)
    found = role(request)
    for one in variants:
        found |= model(request, one)
    if request.option == "batch":
        return {**found, **schedule(request)}
    told = {**alarms(request, variants), **answers(request)}
    watching = [name for name in told if name.startswith(WATCHING)]
    made = {
        **found,
        **told,
        **endpoint_config(request, variants),
        **endpoint(request, variants, watching),
        **component(request, variants[0].settings, watching),
    }
    for one in variants:
        made |= scaling(request, one)
    return made


def _whose(fleet: Fleet, one: Container) -> str:
    """Which of several models it is."""
    if fleet.suffix:
        return f" of variant {fleet.name}"
    return "" if one.name is None else f" of container {one.name}"


def _tagged(resources: Resources, given: Mapping[str, str]) -> Resources:
    return {
        name: {**one, "Properties": {**one["Properties"], "Tags": listed(given)}} if one["Type"] in TAGGED else one
        for name, one in resources.items()
    }


def _outputs(request: Request, resources: Resources) -> dict[str, tuple[str, str | Json]]:
    found: dict[str, tuple[str, str | Json]] = {
        "ModelName": ("The model that serves", att("Model", "ModelName")),
        "RoleArn": ("The role of the containers", att("Role", "Arn")),
    }
    if "Endpoint" in resources:
        found["EndpointName"] = ("What callers ask", att("Endpoint", "EndpointName"))
    if "Component" in resources:
        found["ComponentName"] = ("The inference component that callers name", request.name)
    if request.option == "async":
        found["InputS3"] = ("Where requests are put", text(f"{async_prefix(request)}/input/"))
        found["OutputS3"] = ("Where answers lie", text(f"{async_prefix(request)}/output/"))
        found["SuccessTopicArn"] = ("Tells of answers", ref("SuccessTopic"))
        found["ErrorTopicArn"] = ("Tells of failures", ref("ErrorTopic"))
    if "AlarmTopic" in resources:
        found["AlarmTopicArn"] = ("Tells of alarms", ref("AlarmTopic"))
    if "Schedule" in resources:
        found["ScheduleName"] = ("Starts the jobs", ref("Schedule"))
    return found
