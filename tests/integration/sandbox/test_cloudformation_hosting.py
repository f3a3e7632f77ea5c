"""Stacks of every hosting option: created, asked, changed, rolled back, deleted; nothing is left."""

import json

import pytest

from sandbox.faults import Fault, Faults
from tests.sandboxed import until
from tests.stack_templates import components, options, recurring_transform, scaled

FLOWER = "5.1,3.5,1.4,0.2"
CAR = "ford,3.5,42000"


def endpoint_of(account, stack):
    return account.physical(stack)["Endpoint"].rpartition("/")[2]


def asynchronously(hosting, endpoint):
    s3 = hosting.sandbox.client("s3")
    s3.create_bucket(Bucket="questions")
    s3.put_object(Bucket="questions", Key="one", Body=FLOWER.encode(), ContentType="text/csv")
    place = hosting.runtime.invoke_endpoint_async(
        EndpointName=endpoint, InputLocation="s3://questions/one", ContentType="text/csv"
    )["OutputLocation"].removeprefix("s3://")
    bucket, _, key = place.partition("/")

    def answer():
        found = s3.list_objects_v2(Bucket=bucket, Prefix=key).get("Contents", [])
        return found and s3.get_object(Bucket=bucket, Key=key)["Body"].read().decode()

    given = until(answer)
    s3.delete_object(Bucket=bucket, Key=key)
    s3.delete_object(Bucket="questions", Key="one")
    s3.delete_bucket(Bucket="questions")
    return given


ASKED = {
    "real-time": lambda hosting, endpoint: hosting.ask(endpoint, FLOWER) == "[0]",
    "serverless": lambda hosting, endpoint: hosting.ask(endpoint, FLOWER) == "[0]",
    "async": lambda hosting, endpoint: asynchronously(hosting, endpoint) == "[0]",
    "multi-model": lambda hosting, endpoint: json.loads(
        hosting.ask(endpoint, '{"period": 7}', "application/json", TargetModel="customer-003.tar.gz")
    )["customer_id"] == 3,
    "multi-container": lambda hosting, endpoint: hosting.ask(
        endpoint, FLOWER, TargetContainerHostname="flowers"
    ) == "[0]",
    "pipeline": lambda hosting, endpoint: 4_000 < float(hosting.ask(endpoint, CAR)) < 12_000,
}  # fmt: skip


@pytest.mark.parametrize("name", ASKED)
def test_an_option_is_created_answers_and_is_deleted(account, hosting, leaves_nothing, name):
    stack = account.create(options(hosting.container)[name], Tags=[{"Key": "launch", "Value": "17"}])
    assert account.rests(stack) == "CREATE_COMPLETE", account.told(stack)
    done = [event.split()[0] for event in account.told(stack) if event.endswith("CREATE_COMPLETE")]
    assert done.index("Role") < done.index("Model") < done.index("Config") < done.index("Endpoint")
    assert ASKED[name](hosting, endpoint_of(account, stack))
    tags = hosting.sagemaker.list_tags(ResourceArn=account.physical(stack)["Endpoint"])["Tags"]
    assert {"launch": "17", "aws:cloudformation:stack-id": stack}.items() <= {
        tag["Key"]: tag["Value"] for tag in tags
    }.items()
    assert account.delete(stack) == "DELETE_COMPLETE"


def test_an_endpoint_with_components_and_a_recurring_transform(account, hosting, leaves_nothing):
    for resources in (components(hosting.container), recurring_transform(hosting.container)):
        stack = account.create(resources)
        assert account.rests(stack) == "CREATE_COMPLETE", account.told(stack)
        assert account.delete(stack) == "DELETE_COMPLETE"


def test_all_that_stands_around_an_endpoint(account, hosting, leaves_nothing):
    stack = account.create(scaled(hosting.container))
    assert account.rests(stack) == "CREATE_COMPLETE", [
        event.get("ResourceStatusReason") for event in account.events(stack)
    ]
    physical = account.physical(stack)
    scaling = hosting.sandbox.client("application-autoscaling")
    (target,) = scaling.describe_scalable_targets(ServiceNamespace="sagemaker")["ScalableTargets"]
    assert (target["MinCapacity"], target["MaxCapacity"]) == (1, 2)
    assert physical["Target"] == f"{target['ResourceId']}|sagemaker:variant:DesiredInstanceCount|sagemaker"
    rules = scaling.describe_scaling_policies(ServiceNamespace="sagemaker")["ScalingPolicies"]
    assert {rule["PolicyARN"] for rule in rules} == {physical["Tracking"], physical["Steps"]}
    assert account.delete(stack) == "DELETE_COMPLETE"
    told = [
        event["LogicalResourceId"] for event in account.events(stack) if event["ResourceStatus"] == "DELETE_COMPLETE"
    ]
    assert told.index("Tracking") < told.index("Target") < told.index("Endpoint") < told.index("Config")


def test_another_model_is_deployed_without_a_new_endpoint(account, hosting, leaves_nothing):
    resources = options(hosting.container)["real-time"]
    stack = account.create(resources)
    assert account.rests(stack) == "CREATE_COMPLETE"
    before = account.physical(stack)
    resources["Model"]["Properties"]["PrimaryContainer"] = hosting.container("digits/model.tar.gz")
    assert account.update(stack, resources) == "UPDATE_COMPLETE", account.told(stack)
    after = account.physical(stack)
    assert after["Endpoint"] == before["Endpoint"]
    assert after["Role"] == before["Role"]
    assert after["Model"] != before["Model"]
    assert after["Config"] != before["Config"]
    answer = json.loads(hosting.ask(endpoint_of(account, stack), hosting.samples["digits/model.tar.gz"]["request"]))
    assert answer["label"] == [0]
    assert account.delete(stack) == "DELETE_COMPLETE"


def test_a_deployment_that_an_alarm_turns_back_brings_the_whole_stack_back(account, hosting, leaves_nothing):
    resources = scaled(hosting.container)
    resources = {name: resources[name] for name in ("Role", "Model", "Config", "Endpoint", "Slow", "News")}
    stack = account.create(resources)
    assert account.rests(stack) == "CREATE_COMPLETE"
    before = account.physical(stack)
    faults = Faults(hosting.sandbox.settings.folder)
    faults.turn(Fault.ALARM, on=True)
    resources["Model"]["Properties"]["PrimaryContainer"]["Environment"] = {"VERSION": "2"}
    assert account.update(stack, resources) == "UPDATE_ROLLBACK_COMPLETE", account.told(stack)
    faults.turn(Fault.ALARM, on=False)
    assert "The deployment was rolled back" in account.why(stack, "Endpoint")
    assert account.physical(stack) == before
    assert hosting.digit(endpoint_of(account, stack)).startswith("0")
    assert account.delete(stack) == "DELETE_COMPLETE"


def test_an_endpoint_without_capacity_fails_the_stack_and_leaves_nothing(account, hosting, leaves_nothing):
    faults = Faults(hosting.sandbox.settings.folder)
    faults.turn(Fault.CAPACITY, on=True)
    stack = account.create(options(hosting.container)["real-time"])
    assert account.rests(stack) == "ROLLBACK_COMPLETE"
    faults.turn(Fault.CAPACITY, on=False)
    assert "apacity" in account.why(stack, "Endpoint")
    assert account.delete(stack) == "DELETE_COMPLETE"
