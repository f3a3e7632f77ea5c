"""The template of every option as a stack of the sandbox: it is made whole, it answers, and it goes without a rest."""

from collections.abc import Mapping
from dataclasses import replace

import pytest

from fitness.prices import load_book
from launch.export import as_yaml
from launch.plan import plan
from launch.request import Capture, Container, Request, Transform, Update
from sandbox.settings import SAMPLES_BUCKET
from tests.launch_requests import ALARMS, ECR, FROM_ZERO, KEY, ON_INSTANCES, REQUESTS, TO_ZERO, VPC

TO_TAGS = {"tags": {"team": "fraud"}, "time_to_live_h": 2.0}


def of(path: str, **more: str) -> Container:
    return Container(
        image="found below", model_data_url=f"s3://{SAMPLES_BUCKET}/{path}", is_prefix=path.endswith("/"), **more
    )


IRIS, DIGITS = of("iris/model.tar.gz"), of("digits/model.tar.gz")
RECORDS = Transform(input_s3="s3://records/in/", output_s3="s3://records/out/", schedule="rate(1 day)")
CAPTURE = Capture(percent=50, s3_uri="s3://hostfit-{account}-{region}/capture/x")
# One stack of each option, with as much of the rest as it may have.
STACKS: Mapping[str, Request] = {
    "real_time": replace(
        REQUESTS["real_time"],
        containers=(IRIS,),
        alarms=ALARMS,
        capture=CAPTURE,
        network=VPC,
        kms_key_arn=KEY,
        **TO_TAGS,
    ),
    "components": replace(
        REQUESTS["real_time"],
        name="components",  # that go when nobody asks
        containers=(DIGITS,),
        configuration=TO_ZERO,
    ),
    "serverless": replace(REQUESTS["serverless"], containers=(IRIS,), provisioned_concurrency=1),
    "async": replace(REQUESTS["async"], containers=(IRIS,), configuration=FROM_ZERO),
    "batch": replace(REQUESTS["batch"], containers=(IRIS,), transform=RECORDS),
    "mme": replace(REQUESTS["mme"], containers=(of("forecasters/"),)),
    "mce_direct": replace(
        REQUESTS["mce_direct"], containers=(replace(IRIS, name="flowers"), replace(DIGITS, name="digits"))
    ),
    "serial_pipeline": replace(
        REQUESTS["serial_pipeline"],
        containers=(of("used-cars/preprocess/model.tar.gz"), of("used-cars/price/model.tar.gz")),
    ),
}


def with_images(request: Request, hosting) -> Request:
    """The request with the image that each sample is made for."""
    found = []
    for one in request.containers:
        key = one.model_data_url.removeprefix(f"s3://{SAMPLES_BUCKET}/")
        sample = next(sample for name, sample in hosting.samples.items() if name.startswith(key))
        found.append(replace(one, image=f"{ECR}/{sample['image']}"))
    return replace(request, containers=tuple(found))


@pytest.mark.parametrize("kind", STACKS)
def test_the_template_of_every_option_is_made_and_removed(kind, account, hosting):
    found = plan(with_images(STACKS[kind], hosting), book=load_book())
    before = account.holds()
    cloudformation = account.cloudformation
    stack = cloudformation.create_stack(
        StackName=f"template-{kind.replace('_', '-')}",
        TemplateBody=as_yaml(found),
        Capabilities=["CAPABILITY_IAM"],
        Tags=[{"Key": key, "Value": value} for key, value in found.tags.items()],
    )["StackId"]
    assert account.rests(stack) == "CREATE_COMPLETE", [account.why(stack, one.logical_id) for one in found.resources]
    made = {
        one["LogicalResourceId"]
        for one in cloudformation.list_stack_resources(StackName=stack)["StackResourceSummaries"]
    }
    assert made == {one.logical_id for one in found.resources}
    assert account.delete(stack) == "DELETE_COMPLETE"
    assert account.holds() == before


TWO = {**ON_INSTANCES, "min_instances": 2, "max_instances": 2}
CHANGED: Mapping[str, Request] = {
    **{
        strategy: replace(
            REQUESTS["real_time"],
            name=strategy.replace("_", "-"),
            containers=(IRIS,),
            configuration=TWO,
            update=Update(strategy=strategy, percent=50, wait_s=0),
        )
        for strategy in ("canary", "rolling")
    },
    "component": replace(
        REQUESTS["real_time"],
        name="component",
        containers=(IRIS,),
        configuration={**ON_INSTANCES, "inference_components": True},
        update=Update(strategy="rolling", percent=50, wait_s=0),
    ),
}


@pytest.mark.parametrize("kind", CHANGED)
def test_a_change_reaches_the_endpoint_by_its_strategy(kind, account, hosting):
    before = account.holds()
    request = with_images(CHANGED[kind], hosting)
    cloudformation = account.cloudformation
    stack = cloudformation.create_stack(
        StackName=f"changed-{request.name}",
        TemplateBody=as_yaml(plan(request, book=load_book())),
        Capabilities=["CAPABILITY_IAM"],
    )["StackId"]
    assert account.rests(stack) == "CREATE_COMPLETE"
    first = account.physical(stack)
    (container,) = request.containers
    changed = replace(request, containers=(replace(container, environment={"WORKERS": "1"}),))
    cloudformation.update_stack(
        StackName=stack, TemplateBody=as_yaml(plan(changed, book=load_book())), Capabilities=["CAPABILITY_IAM"]
    )
    assert account.rests(stack) == "UPDATE_COMPLETE"
    second = account.physical(stack)
    assert second["Endpoint"] == first["Endpoint"]
    assert second["Model"] != first["Model"]
    assert account.delete(stack) == "DELETE_COMPLETE"
    assert account.holds() == before
