"""The words of a plan: what each resource is for, what can't be undone, and what else is good to know."""

from collections.abc import Mapping, Sequence

from fitness.bill import Bill
from launch.checks import is_limited
from launch.fleets import fleets, shares
from launch.request import BUCKET, Request, models_of
from launch.roles import async_prefix
from launch.settings import Settings
from launch.template_alarms import watched
from launch.template_hosting import encrypts_volume
from launch.template_parts import VARIANT

# What the resources are for, by their names in the template.
ABOUT: Mapping[str, str] = {
    "Role": "What the containers may read and write: their models, their logs, and what the request names",
    "Model": "The containers with their images and model data",
    "EndpointConfig": "What the endpoint runs on; it can't be changed, so each change makes a new one",
    "Endpoint": "What callers ask",
    "Component": "The model on the endpoint, in as many copies as are needed, also none",
    "Scaling": "How few and how many may run",
    "ScalingPolicy": "Holds the load of each at its target",
    "ScaleOutPolicy": "How many are added when there is too much to do",
    "ScaleOutAlarm": "Sees that there is too much to do",
    "ScaleInPolicy": "How many are removed when there is too little to do",
    "ScaleInAlarm": "Sees that there is too little to do",
    "WakePolicy": "Starts the first one when nothing runs",
    "WakeAlarm": "Sees that somebody asks while nothing runs",
    "LatencyAlarm": "Sees that answers take too long",
    "ErrorAlarm": "Sees that answers fail",
    "AlarmTopic": "Passes alarms on",
    "AlarmEmail": "Sends alarms to a mailbox",
    "AlarmTopicPolicy": "Lets the alarms of this account use the topic",
    "SuccessTopic": "Tells that an answer is there",
    "ErrorTopic": "Tells that a request failed",
    "Schedule": "Starts the jobs",
    "ScheduleRole": "Lets the schedule start jobs of this name",
}
# Types that cost money while they are there.
BILLED = frozenset({"AWS::SageMaker::Endpoint", "AWS::SageMaker::InferenceComponent", "AWS::CloudWatch::Alarm"})


def about(request: Request, logical_id: str) -> str:
    """What a resource of a request's template is for."""
    base, of, _ = logical_id.partition("Of")
    names = [one.name for one in fleets(request) if of and logical_id == f"{base}{one.suffix}"]
    return ABOUT[base] + "".join(f" (variant {name})" for name in names)


def irreversible(request: Request) -> tuple[str, ...]:
    """What a removal does not bring back or take away."""
    found = []
    if request.option == "batch":
        found.append("A job that has started is paid to its end or until it is stopped; its answers stay in S3.")
    else:
        found.append("Hours and requests that were served are paid; removing the stack stops the cost from then on.")
        found.append("The address goes with the endpoint: callers fail at once when the stack is removed.")
    if request.capture is not None:
        found.append(f"Kept requests stay in {request.capture.s3_uri} until somebody deletes them.")
    if request.option == "async":
        found.append(f"Requests and answers stay in {async_prefix(request)} until somebody deletes them.")
    found.append("Logs stay in CloudWatch Logs under /aws/sagemaker until somebody deletes them.")
    if not all(one.source.startswith("s3://") for one in models_of(request).values()):
        found.append(f"Packaged models stay in {BUCKET}/models until somebody deletes them.")
    return tuple(found)


def notes(
    request: Request, settings: Settings, *, bills: Sequence[Bill], has_month: bool, endpoints: int
) -> tuple[str, ...]:
    """What else a person should know, the most important first; `endpoints` are those of the workload."""
    found = []
    if missing := dict.fromkeys(item for bill in bills for item in bill.missing):
        found.append(f"The price is not complete: the price book has none for {', '.join(missing)}.")
    assumed = dict.fromkeys(
        line.item
        for bill in bills
        for line in bill.lines
        if line.price is not None and not line.price.grade.is_observed
    )
    if assumed:
        found.append(f"Estimated, not published prices: {', '.join(assumed)}.")
    if not has_month:
        found.append("The workload can't run in this configuration, so it has no bill of a month.")
    if endpoints > 1:
        found.append(f"The workload takes {endpoints:,} endpoints, and the month's bill is of all; this launches one.")
    found += _of_option(request, settings)
    found += _of_changes(request, settings)
    if request.kms_key_arn is not None:
        found.append("The policy of the key must let this account's roles use it.")
        if settings.instance_type is not None and not encrypts_volume(settings):
            found.append(f"{settings.instance_type} encrypts its own disk with a key of its own.")
    watching = watched(request)
    if watching is not None and watching.email is not None:
        found.append(f"{watching.email} gets a message and must confirm the subscription before alarms arrive.")
    if request.capture is not None and (row := is_limited(request.option, "data_capture")) is not None:
        found.append(f"Sources disagree whether {request.option} can keep its requests: {row.note}.")
    return tuple(found)


def _of_option(request: Request, settings: Settings) -> list[str]:
    if request.option == "batch":
        is_recurring = request.transform is not None and request.transform.schedule is not None
        when = "at every time of the schedule" if is_recurring else "when the job is started"
        return [f"Nothing is paid between jobs; instances are paid by the second, {when}."]
    if request.option == "serverless" and settings.provisioned is None:
        return ["Nothing is paid while nobody asks; the first request after a pause waits for a start."]
    found = []
    if settings.scales and settings.minimum == 0:
        what = "fail" if settings.has_components else "wait"
        found.append(f"While nothing runs, requests {what} until an instance has started, which takes minutes.")
        found.append("The first instance runs from the creation on, until scaling has seen that nobody asks.")
    if settings.has_components:
        found.append("Callers name the inference component, which has the name of the endpoint.")
    if request.variants:
        told = ", ".join(f"{name} {100 * share:.4g} %" for name, share in shares(request).items())
        found.append(f"Requests are shared by weight: {told}; one that names a variant (TargetVariant) goes to it.")
        found.append(
            "Each variant's instances are paid by the hour, whatever its share; the bill of a month has all traffic on "
            f"{VARIANT}, and the least instances of the others."
        )
    return found


def _of_changes(request: Request, settings: Settings) -> list[str]:
    found = []
    strategy = None if request.update is None else request.update.strategy
    if strategy in ("canary", "linear") and settings.instance_type is not None and settings.starts_with == 1:
        found.append(f"A {strategy} update shifts shares of the capacity: with one instance it has little to shift.")
    if settings.instance_type is not None and request.option != "batch":
        found.append("While an update runs, old and new instances are paid side by side.")
    if settings.scales and not settings.has_components and settings.instance_type is not None:
        found.append("A change keeps the number of instances that scaling has chosen.")
    return found
