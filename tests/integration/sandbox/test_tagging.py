"""The tagging API finds the resources of all services, those of the sandbox itself and those of moto."""

import json

import pytest
from botocore.exceptions import ClientError

from tests.hosting import ECR
from tests.sandboxed import ROLE, until

REGION = "ap-south-1"  # where no other test has resources
TAGS = [{"Key": "owner", "Value": "hostfit"}, {"Key": "team", "Value": "a"}]
CONTAINER = {"Image": f"{ECR}/sagemaker-xgboost:1.7-1", "ModelDataUrl": "s3://bucket/model.tar.gz"}


@pytest.fixture(scope="session")
def client(sandbox):
    return lambda service: sandbox.client(service, region_name=REGION)


@pytest.fixture(scope="session")
def tagged(client) -> dict[str, str]:
    """One tagged resource of each kind that a launch makes: kind -> ARN."""
    sagemaker, cloudwatch = client("sagemaker"), client("cloudwatch")
    arns = {
        "sagemaker:model": sagemaker.create_model(
            ModelName="Tagged", ExecutionRoleArn=ROLE, PrimaryContainer=CONTAINER, Tags=TAGS
        )["ModelArn"]
    }
    sagemaker.create_model(ModelName="other", ExecutionRoleArn=ROLE, PrimaryContainer=CONTAINER)
    arns["sns:topic"] = client("sns").create_topic(Name="tagged", Tags=TAGS)["TopicArn"]
    cloudwatch.put_metric_alarm(
        AlarmName="tagged", Namespace="n", MetricName="m", Statistic="Sum", Period=60, EvaluationPeriods=1, Threshold=1,
        ComparisonOperator="GreaterThanThreshold", Tags=TAGS,
    )  # fmt: skip
    arns["cloudwatch:alarm"] = cloudwatch.describe_alarms(AlarmNames=["tagged"])["MetricAlarms"][0]["AlarmArn"]
    template = {"Resources": {"Queue": {"Type": "AWS::SQS::Queue"}}}
    cloudformation = client("cloudformation")
    stack = cloudformation.create_stack(StackName="tagged", TemplateBody=json.dumps(template), Tags=TAGS)["StackId"]
    until(lambda: cloudformation.describe_stacks(StackName=stack)["Stacks"][0]["StackStatus"] == "CREATE_COMPLETE")
    arns["cloudformation:stack"] = stack
    resources = cloudformation.describe_stack_resources(StackName=stack)["StackResources"]
    queue = resources[0]["PhysicalResourceId"]
    attributes = client("sqs").get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])
    arns["sqs:queue"] = attributes["Attributes"]["QueueArn"]
    return arns


@pytest.fixture
def find(client):
    def ask(**asked) -> dict[str, dict[str, str]]:
        pages = client("resourcegroupstaggingapi").get_paginator("get_resources").paginate(**asked)
        return {
            mapping["ResourceARN"]: {tag["Key"]: tag["Value"] for tag in mapping["Tags"]}
            for page in pages
            for mapping in page["ResourceTagMappingList"]
        }

    return ask


def test_resources_of_every_service_are_found_by_a_tag(tagged, find):
    found = find(TagFilters=[{"Key": "owner", "Values": ["hostfit", "other"]}, {"Key": "team"}])
    assert set(found) == set(tagged.values())
    assert all(tags.items() >= {"owner": "hostfit", "team": "a"}.items() for tags in found.values())
    assert find(TagFilters=[{"Key": "owner", "Values": ["somebody"]}]) == {}


def test_they_are_found_by_type_and_in_pages(tagged, find):
    for kind, arn in tagged.items():
        assert list(find(ResourceTypeFilters=[kind])) == [arn]
    ours = find(ResourceTypeFilters=["sagemaker", "cloudwatch:alarm"], ResourcesPerPage=1)
    assert set(ours) == {tagged["sagemaker:model"], tagged["cloudwatch:alarm"]}
    assert list(find(ResourceARNList=[tagged["sns:topic"]])) == [tagged["sns:topic"]]


def test_keys_and_values_are_listed(tagged, client):
    tagging = client("resourcegroupstaggingapi")
    assert {"owner", "team"} <= set(tagging.get_tag_keys()["TagKeys"])
    assert tagging.get_tag_values(Key="owner")["TagValues"] == ["hostfit"]


def test_tags_are_changed_by_the_service_that_owns_the_resource(tagged, client, find):
    tagging = client("resourcegroupstaggingapi")
    arns = [tagged[kind] for kind in ("sagemaker:model", "cloudwatch:alarm", "sns:topic")]
    missing = f"arn:aws:sagemaker:{REGION}:000000000000:model/none"
    failed = tagging.tag_resources(ResourceARNList=[*arns, missing, "nonsense"], Tags={"cost": "1"})
    assert set(failed["FailedResourcesMap"]) == {missing, "nonsense"}
    assert "Could not find resource" in failed["FailedResourcesMap"][missing]["ErrorMessage"]
    assert set(find(TagFilters=[{"Key": "cost", "Values": ["1"]}])) == set(arns)
    listed = client("sagemaker").list_tags(ResourceArn=arns[0])["Tags"]
    assert {"Key": "cost", "Value": "1"} in listed
    assert tagging.untag_resources(ResourceARNList=arns, TagKeys=["cost"])["FailedResourcesMap"] == {}
    assert find(TagFilters=[{"Key": "cost"}]) == {}


def test_what_does_not_fit_is_refused(client):
    tagging = client("resourcegroupstaggingapi")
    for asked, said in (
        ({"ResourcesPerPage": 101}, "between 1 and 100, got 101"),
        ({"TagsPerPage": 99}, "between 100 and 500, got 99"),
        ({"ResourceARNList": ["a:b"], "TagFilters": [{"Key": "k"}]}, "can't be given with"),
    ):
        with pytest.raises(ClientError, match=said):
            tagging.get_resources(**asked)
    with pytest.raises(ClientError, match="pagination token"):
        tagging.get_resources(PaginationToken="made up")
