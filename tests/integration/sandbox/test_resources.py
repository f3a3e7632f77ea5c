"""Models and configurations as records: names, pages, filters, tags, search, and the words of refusals."""

from datetime import UTC, datetime, timedelta

import pytest
from botocore.exceptions import ClientError

from tests.hosting import ECR
from tests.sandboxed import ROLE

IMAGE = f"{ECR}/sagemaker-xgboost:1.7-1"
CONTAINER = {"Image": IMAGE, "ModelDataUrl": "s3://bucket/model.tar.gz"}
ARN = "arn:aws:sagemaker:us-east-1:000000000000"


@pytest.fixture(scope="session")
def sagemaker(sandbox):
    sagemaker = sandbox.client("sagemaker")
    for number in range(12):
        tags = [{"Key": "team", "Value": "even" if number % 2 == 0 else "odd"}]
        sagemaker.create_model(
            ModelName=f"page-{number:02d}", ExecutionRoleArn=ROLE, PrimaryContainer=CONTAINER, Tags=tags
        )
    return sagemaker


def names(answer: dict) -> list[str]:
    return [model["ModelName"] for model in answer["Models"]]


def test_lists_come_in_pages_newest_first(sagemaker):
    pages = sagemaker.get_paginator("list_models").paginate(NameContains="page-", PaginationConfig={"PageSize": 5})
    found = [names(page) for page in pages]
    assert [len(page) for page in found] == [5, 5, 2]
    assert [name for page in found for name in page] == [f"page-{number:02d}" for number in reversed(range(12))]


def test_lists_are_sorted_and_filtered(sagemaker):
    by_name = {"SortBy": "Name", "SortOrder": "Ascending"}
    assert names(sagemaker.list_models(NameContains="PAGE-0", MaxResults=3, **by_name)) == [
        "page-00", "page-01", "page-02",
    ]  # fmt: skip
    later = datetime.now(UTC) + timedelta(minutes=1)
    assert names(sagemaker.list_models(NameContains="page-", CreationTimeAfter=later)) == []
    assert len(names(sagemaker.list_models(NameContains="page-", CreationTimeBefore=later))) == 10
    with pytest.raises(ClientError, match="Invalid NextToken"):
        sagemaker.list_models(NextToken="made up")


def test_a_model_is_described_as_it_was_created(sagemaker):
    described = sagemaker.describe_model(ModelName="page-03")
    assert described["PrimaryContainer"] == {**CONTAINER, "Mode": "SingleModel"}
    assert described["ModelArn"] == f"{ARN}:model/page-03"
    assert described["ExecutionRoleArn"] == ROLE
    assert "VpcConfig" not in described
    assert abs(described["CreationTime"] - datetime.now(UTC)) < timedelta(minutes=5)


def test_tags_are_added_replaced_and_removed(sagemaker):
    arn = sagemaker.describe_model(ModelName="page-04")["ModelArn"]
    sagemaker.add_tags(ResourceArn=arn, Tags=[{"Key": "cost", "Value": "1"}, {"Key": "team", "Value": "both"}])
    assert sagemaker.list_tags(ResourceArn=arn)["Tags"] == [
        {"Key": "cost", "Value": "1"}, {"Key": "team", "Value": "both"},
    ]  # fmt: skip
    sagemaker.delete_tags(ResourceArn=arn, TagKeys=["team", "unknown"])
    assert sagemaker.list_tags(ResourceArn=arn)["Tags"] == [{"Key": "cost", "Value": "1"}]
    sagemaker.add_tags(ResourceArn=arn, Tags=[{"Key": "team", "Value": "even"}])
    with pytest.raises(ClientError, match="Could not find resource"):
        sagemaker.list_tags(ResourceArn=f"{ARN}:model/nothing")


@pytest.mark.parametrize(
    ("filters", "operator", "expected"),
    [
        ([("Tags.team", "Equals", "odd"), ("ModelName", "Contains", "page-0")], "And", {1, 3, 5, 7, 9}),
        ([("ModelName", "Equals", "page-01"), ("ModelName", "In", "page-02,page-03")], "Or", {1, 2, 3}),
        ([("ModelName", "Contains", "page-"), ("Tags.cost", "NotExists", None), ("Tags.team", "NotEquals", "odd")],
         "And", {0, 2, 6, 8, 10}),
    ],
)  # fmt: skip
def test_models_are_found_by_members_and_tags(sagemaker, filters, operator, expected):
    sagemaker.add_tags(ResourceArn=f"{ARN}:model/page-04", Tags=[{"Key": "cost", "Value": "1"}])
    wanted = [
        {"Name": name, "Operator": how, **({"Value": value} if value is not None else {})}
        for name, how, value in filters
    ]
    found = sagemaker.search(Resource="Model", SearchExpression={"Filters": wanted, "Operator": operator})
    numbers = {int(result["Model"]["Model"]["ModelName"].removeprefix("page-")) for result in found["Results"]}
    assert numbers == expected


@pytest.mark.parametrize(
    ("operation", "arguments", "said"),
    [
        ("describe_model", {"ModelName": "none"}, f'Could not find model "{ARN}:model/none".'),
        ("delete_model", {"ModelName": "none"}, f'Could not find model "{ARN}:model/none".'),
        (
            "describe_endpoint_config",
            {"EndpointConfigName": "none"},
            f'Could not find endpoint configuration "{ARN}:endpoint-config/none".',
        ),
        ("describe_endpoint", {"EndpointName": "none"}, f'Could not find endpoint "{ARN}:endpoint/none".'),
        (
            "create_endpoint",
            {"EndpointName": "e", "EndpointConfigName": "none"},
            f'Could not find endpoint configuration "{ARN}:endpoint-config/none".',
        ),
        (
            "create_model",
            {"ModelName": "page-00", "ExecutionRoleArn": ROLE, "PrimaryContainer": CONTAINER},
            f'Cannot create already existing model "{ARN}:model/page-00".',
        ),
        ("create_model", {"ModelName": "m", "ExecutionRoleArn": ROLE}, "Give either PrimaryContainer or Containers."),
        ("describe_transform_job", {"TransformJobName": "none"}, "Could not find requested job with name: none"),
    ],
)
def test_a_refusal_has_the_words_of_aws(sagemaker, operation, arguments, said):
    with pytest.raises(ClientError) as caught:
        getattr(sagemaker, operation)(**arguments)
    assert caught.value.response["Error"] == {"Code": "ValidationException", "Message": said}


@pytest.mark.parametrize(
    ("variant", "said"),
    [
        ({"ModelName": "none", "InstanceType": "ml.m5.large"}, "Could not find model"),
        ({"ModelName": "page-00"}, "needs either an InstanceType or a ServerlessConfig"),
        (
            {"ModelName": "page-00", "ServerlessConfig": {"MemorySizeInMB": 1500, "MaxConcurrency": 1}},
            "MemorySizeInMB must be a multiple of 1024, got 1500",
        ),
        ({"ModelName": "page-00", "InstanceType": "ml.m5.enormous"}, "Member must satisfy enum value set"),
    ],
)
def test_a_variant_that_can_not_be_is_refused(sagemaker, variant, said):
    variants = [{"VariantName": "v", "InitialInstanceCount": 1, **variant}]
    with pytest.raises(ClientError, match=said):
        sagemaker.create_endpoint_config(EndpointConfigName="wrong", ProductionVariants=variants)


def test_regions_are_apart(sandbox, sagemaker):
    elsewhere = sandbox.client("sagemaker", region_name="eu-west-1")
    assert elsewhere.list_models()["Models"] == []


def test_newer_instance_types_are_taken(sagemaker):
    for number, kind in enumerate(("ml.g5.xlarge", "ml.m7i.large", "ml.c7g.large", "ml.inf2.xlarge")):
        variant = {"VariantName": "v", "ModelName": "page-00", "InstanceType": kind, "InitialInstanceCount": 1}
        sagemaker.create_endpoint_config(EndpointConfigName=f"type-{number}", ProductionVariants=[variant])
    described = sagemaker.describe_endpoint_config(EndpointConfigName="type-0")
    assert described["ProductionVariants"][0]["InitialVariantWeight"] == 1.0
    sagemaker.delete_endpoint_config(EndpointConfigName="type-0")
    with pytest.raises(ClientError, match="Could not find endpoint configuration"):
        sagemaker.delete_endpoint_config(EndpointConfigName="type-0")
