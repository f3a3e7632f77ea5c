"""CloudFormation's operations as boto3's waiters and the AWS CLI use them."""

import json
import os
import shutil
import subprocess
import time
import uuid

import pytest
from botocore.exceptions import ClientError, WaiterError

from sandbox.faults import Fault, Faults
from sandbox.settings import client_environment
from tests.sandboxed import until
from tests.stack_account import Account

QUICK = {"Delay": 0.05, "MaxAttempts": 400}
TEXT = """
AWSTemplateFormatVersion: 2010-09-09
Description: a queue and who may know of it
Parameters:
  Seconds: {Type: Number, Default: 30, MinValue: 0}
  Secret: {Type: String, NoEcho: true, Default: hidden}
Conditions: {IsSlow: !Equals [!Ref Seconds, 60]}
Resources:
  Inbox:
    Type: AWS::SQS::Queue
    Metadata: {why: to be asked}
    Properties: {VisibilityTimeout: !Ref Seconds}
  News:
    Type: AWS::SNS::Topic
    Condition: IsSlow
    Properties: {DisplayName: !Sub '${AWS::StackName} ${Secret}'}
Outputs:
  Address: {Description: where, Value: !Ref Inbox}
  Shared: {Value: !GetAtt Inbox.Arn, Export: {Name: !Sub '${AWS::StackName}-inbox'}}
"""


@pytest.fixture
def cloudformation(account):
    return account.cloudformation


@pytest.fixture
def name():
    return f"s{uuid.uuid4().hex[:8]}"


@pytest.fixture
def stack(cloudformation, name):
    """A stack of the text above, deleted afterwards."""
    cloudformation.create_stack(StackName=name, TemplateBody=TEXT, Tags=[{"Key": "team", "Value": "cars"}])
    cloudformation.get_waiter("stack_create_complete").wait(StackName=name, WaiterConfig=QUICK)
    yield name
    cloudformation.update_termination_protection(StackName=name, EnableTerminationProtection=False)
    cloudformation.delete_stack(StackName=name)
    cloudformation.get_waiter("stack_delete_complete").wait(StackName=name, WaiterConfig=QUICK)


def parameters(**values):
    return [{"ParameterKey": key, "ParameterValue": value} for key, value in values.items()]


def test_a_stack_is_described_with_its_outputs_and_parameters(cloudformation, stack):
    (found,) = cloudformation.describe_stacks(StackName=stack)["Stacks"]
    assert found["StackStatus"] == "CREATE_COMPLETE"
    assert found["Description"] == "a queue and who may know of it"
    assert {one["ParameterKey"]: one["ParameterValue"] for one in found["Parameters"]} == {
        "Seconds": "30",
        "Secret": "****",
    }
    outputs = {one["OutputKey"]: one for one in found["Outputs"]}
    assert outputs["Address"]["OutputValue"].endswith(f"/{stack}-Inbox-{outputs['Address']['OutputValue'][-12:]}")
    assert outputs["Shared"]["ExportName"] == f"{stack}-inbox"
    assert found["Tags"] == [{"Key": "team", "Value": "cars"}]
    lines = cloudformation.list_stack_resources(StackName=stack)["StackResourceSummaries"]
    assert [(line["LogicalResourceId"], line["ResourceStatus"]) for line in lines] == [("Inbox", "CREATE_COMPLETE")]
    detail = cloudformation.describe_stack_resource(StackName=stack, LogicalResourceId="Inbox")["StackResourceDetail"]
    assert json.loads(detail["Metadata"]) == {"why": "to be asked"}
    owner = cloudformation.describe_stack_resources(PhysicalResourceId=detail["PhysicalResourceId"])["StackResources"]
    assert owner[0]["StackName"] == stack
    assert cloudformation.get_template(StackName=stack)["TemplateBody"] == TEXT
    assert stack in {one["StackName"] for one in cloudformation.list_stacks()["StackSummaries"]}


def test_tags_of_the_stack_reach_its_resources(account, stack):
    address = account.physical(stack)["Inbox"]
    assert account.sandbox.client("sqs").list_queue_tags(QueueUrl=address)["Tags"] == {"team": "cars"}


def test_a_change_set_is_looked_at_then_executed(account, cloudformation, stack):
    asked = {"StackName": stack, "UsePreviousTemplate": True, "Parameters": parameters(Seconds="60")}
    cloudformation.create_change_set(ChangeSetName="slow", **asked)
    cloudformation.create_change_set(ChangeSetName="other", **asked)
    cloudformation.get_waiter("change_set_create_complete").wait(
        ChangeSetName="slow", StackName=stack, WaiterConfig=QUICK
    )
    found = cloudformation.describe_change_set(ChangeSetName="slow", StackName=stack, IncludePropertyValues=True)
    changes = {one["ResourceChange"]["LogicalResourceId"]: one["ResourceChange"] for one in found["Changes"]}
    assert {name: change["Action"] for name, change in changes.items()} == {"Inbox": "Modify", "News": "Add"}
    assert changes["Inbox"]["Replacement"] == "False"
    assert changes["Inbox"]["Details"][0]["CausingEntity"] == "Seconds"
    assert (found["ExecutionStatus"], found["Status"]) == ("AVAILABLE", "CREATE_COMPLETE")
    assert account.status(stack) == "CREATE_COMPLETE"

    cloudformation.execute_change_set(ChangeSetName="slow", StackName=stack)
    cloudformation.get_waiter("stack_update_complete").wait(StackName=stack, WaiterConfig=QUICK)
    summaries = cloudformation.list_change_sets(StackName=stack)["Summaries"]
    assert [(one["ChangeSetName"], one["ExecutionStatus"]) for one in summaries] == [("slow", "EXECUTE_COMPLETE")]
    with pytest.raises(cloudformation.exceptions.InvalidChangeSetStatusException):
        cloudformation.execute_change_set(ChangeSetName="slow", StackName=stack)
    address = account.physical(stack)["Inbox"]
    got = account.sandbox.client("sqs").get_queue_attributes(QueueUrl=address, AttributeNames=["VisibilityTimeout"])
    assert got["Attributes"]["VisibilityTimeout"] == "60"


def test_a_change_set_without_changes_fails_and_says_so(cloudformation, stack):
    cloudformation.create_change_set(StackName=stack, ChangeSetName="none", UsePreviousTemplate=True)
    with pytest.raises(WaiterError):
        cloudformation.get_waiter("change_set_create_complete").wait(
            ChangeSetName="none", StackName=stack, WaiterConfig=QUICK
        )
    found = cloudformation.describe_change_set(ChangeSetName="none", StackName=stack)
    assert "didn't contain changes" in found["StatusReason"]
    with pytest.raises(ClientError, match=r"cannot be executed in its current status of \[FAILED\]"):
        cloudformation.execute_change_set(ChangeSetName="none", StackName=stack)
    cloudformation.delete_change_set(ChangeSetName="none", StackName=stack)
    with pytest.raises(cloudformation.exceptions.ChangeSetNotFoundException):
        cloudformation.describe_change_set(ChangeSetName="none", StackName=stack)


def test_an_update_makes_change_sets_obsolete(account, cloudformation, stack):
    asked = {"StackName": stack, "UsePreviousTemplate": True, "Parameters": parameters(Seconds="60")}
    cloudformation.create_change_set(ChangeSetName="late", **asked)
    cloudformation.update_stack(**asked, Tags=[{"Key": "team", "Value": "bikes"}])
    assert account.rests(stack) == "UPDATE_COMPLETE"
    with pytest.raises(ClientError, match=r"cannot be executed in its current status of \[OBSOLETE\]"):
        cloudformation.execute_change_set(ChangeSetName="late", StackName=stack)
    topic = account.sandbox.client("sns").list_tags_for_resource(ResourceArn=account.physical(stack)["News"])["Tags"]
    assert {"Key": "team", "Value": "bikes"} in topic
    address = account.physical(stack)["Inbox"]
    assert account.sandbox.client("sqs").list_queue_tags(QueueUrl=address)["Tags"] == {"team": "bikes"}


def test_a_change_set_of_a_new_stack_waits_in_review(account, cloudformation, name):
    cloudformation.create_change_set(StackName=name, ChangeSetName="first", ChangeSetType="CREATE", TemplateBody=TEXT)
    assert account.status(name) == "REVIEW_IN_PROGRESS"
    assert not account.physical(name)
    with pytest.raises(ClientError, match="REVIEW_IN_PROGRESS state and can not be updated"):
        cloudformation.update_stack(StackName=name, TemplateBody=TEXT)
    cloudformation.execute_change_set(StackName=name, ChangeSetName="first")
    assert account.rests(name) == "CREATE_COMPLETE"
    cloudformation.delete_stack(StackName=name)


def refused(function, **members):
    with pytest.raises(ClientError) as caught:
        function(**members)
    return caught.value.response["Error"]["Code"], caught.value.response["Error"]["Message"]


def test_refusals_in_the_words_of_aws(cloudformation, stack):
    create, update = cloudformation.create_stack, cloudformation.update_stack
    nobody = {"StackName": "nobody"}
    role = json.dumps({"Resources": {"Role": {"Type": "AWS::IAM::Role", "Properties": {"RoleName": "mine"}}}})
    cases = [
        (cloudformation.describe_stacks, nobody, "ValidationError", "Stack with id nobody does not exist"),
        (create, {"StackName": stack, "TemplateBody": TEXT}, "AlreadyExistsException", f"Stack [{stack}] already exists"),
        (update, {"StackName": stack, "UsePreviousTemplate": True}, "ValidationError", "No updates are to be performed."),
        (update, {**nobody, "TemplateBody": TEXT}, "ValidationError", "Stack [nobody] does not exist"),
        (create, {**nobody, "TemplateBody": role}, "InsufficientCapabilitiesException",
         "Requires capabilities : [CAPABILITY_NAMED_IAM]"),
        (create, {**nobody, "TemplateBody": TEXT, "Parameters": parameters(Seconds="-1")}, "ValidationError",
         "Parameter 'Seconds' must be a number not less than 0"),
        (create, {"StackName": "1a", "TemplateBody": TEXT}, "ValidationError", "stackName"),
        (create, {**nobody, "TemplateURL": "https://b.s3.amazonaws.com/k"}, "ValidationError", "S3 error"),
        (create, {**nobody, "TemplateBody": "x" * 51_201}, "ValidationError", "less than or equal to 51200"),
        (create, nobody, "ValidationError", "Either Template URL or Template Body must be specified"),
        (cloudformation.create_stack_set, {"StackSetName": "x"}, "NotImplemented", "cloudformation:CreateStackSet"),
        (create, {**nobody, "TemplateBody": TEXT, "StackPolicyBody": "{}"}, "NotImplemented", "StackPolicyBody"),
        (cloudformation.validate_template, {"TemplateBody": "a: ["}, "ValidationError", "YAML not well-formed"),
    ]  # fmt: skip
    for function, members, code, words in cases:
        said = refused(function, **members)
        assert said[0] == code, said
        assert words in said[1]


def test_deleting_what_does_not_exist_is_no_error(cloudformation):
    cloudformation.delete_stack(StackName="nobody")


def test_a_repeated_request_starts_nothing_twice(account, cloudformation, name):
    asked = {"StackName": name, "TemplateBody": TEXT, "ClientRequestToken": "once"}
    first, again = (cloudformation.create_stack(**asked)["StackId"] for _ in range(2))
    assert first == again
    assert account.rests(name) == "CREATE_COMPLETE"
    assert {event["ClientRequestToken"] for event in account.events(name)} == {"once"}
    code, _ = refused(cloudformation.create_stack, **{**asked, "TimeoutInMinutes": 5})
    assert code == "TokenAlreadyExistsException"
    change = {
        "StackName": name,
        "UsePreviousTemplate": True,
        "Parameters": parameters(Seconds="60"),
        "ClientRequestToken": "t",
    }
    for _ in range(2):
        cloudformation.update_stack(**change)
        assert account.rests(name) == "UPDATE_COMPLETE"
    assert account.told(name).count(f"{name} UPDATE_IN_PROGRESS") == 1
    cloudformation.delete_stack(StackName=name)


def test_a_protected_stack_is_not_deleted(cloudformation, stack):
    cloudformation.update_termination_protection(StackName=stack, EnableTerminationProtection=True)
    assert "TerminationProtection is enabled" in refused(cloudformation.delete_stack, StackName=stack)[1]


def test_what_another_stack_imports_can_not_be_deleted(account, cloudformation, stack):
    arn = {"Fn::ImportValue": f"{stack}-inbox"}
    resources = {"Note": {"Type": "AWS::SSM::Parameter", "Properties": {"Type": "String", "Value": arn}}}
    importer = account.create(resources)
    assert account.rests(importer) == "CREATE_COMPLETE"
    assert "as it is in use by" in refused(cloudformation.delete_stack, StackName=stack)[1]
    assert cloudformation.list_imports(ExportName=f"{stack}-inbox")["Imports"] == [importer.split("/")[1]]
    exports = {one["Name"]: one["Value"] for one in cloudformation.list_exports()["Exports"]}
    assert exports[f"{stack}-inbox"].startswith("arn:aws:sqs:")
    assert account.delete(importer) == "DELETE_COMPLETE"


def test_summaries_say_what_a_template_needs(cloudformation):
    summary = cloudformation.get_template_summary(TemplateBody=TEXT)
    assert summary["ResourceTypes"] == ["AWS::SNS::Topic", "AWS::SQS::Queue"]
    assert {one["ParameterKey"]: one["DefaultValue"] for one in summary["Parameters"]} == {
        "Seconds": "30",
        "Secret": "hidden",
    }
    role = json.dumps({"Resources": {"Role": {"Type": "AWS::IAM::Role"}}})
    assert cloudformation.validate_template(TemplateBody=role)["Capabilities"] == ["CAPABILITY_IAM"]


def test_a_template_may_lie_in_a_bucket(account, cloudformation, name):
    s3 = account.sandbox.client("s3")
    s3.create_bucket(Bucket="templates")
    s3.put_object(Bucket="templates", Key="a b.yaml", Body=TEXT.encode())
    for number, url in enumerate(
        (f"{account.sandbox.url}/templates/a%20b.yaml", "https://templates.s3.us-east-1.amazonaws.com/a%20b.yaml")
    ):
        cloudformation.create_stack(StackName=f"{name}-{number}", TemplateURL=url)
        assert account.rests(f"{name}-{number}") == "CREATE_COMPLETE"
        cloudformation.delete_stack(StackName=f"{name}-{number}")
    s3.delete_object(Bucket="templates", Key="a b.yaml")
    s3.delete_bucket(Bucket="templates")


def test_a_deleted_stack_is_known_by_its_id(account, cloudformation):
    stack = account.create({"Inbox": {"Type": "AWS::SQS::Queue"}})
    account.rests(stack)
    cloudformation.delete_stack(StackName=stack)
    cloudformation.get_waiter("stack_delete_complete").wait(StackName=stack, WaiterConfig=QUICK)
    assert account.status(stack) == "DELETE_COMPLETE"
    assert "DeletionTime" in cloudformation.describe_stacks(StackName=stack)["Stacks"][0]
    assert "Inbox DELETE_COMPLETE" in account.told(stack)


def test_events_come_newest_first_in_pages(account, cloudformation, name):
    many = {f"Queue{number}": {"Type": "AWS::SQS::Queue"} for number in range(40)}
    stack = account.create(many)
    assert account.rests(stack) == "CREATE_COMPLETE"
    first = cloudformation.describe_stack_events(StackName=stack)
    assert (len(first["StackEvents"]), first["StackEvents"][0]["ResourceType"]) == (100, "AWS::CloudFormation::Stack")
    told = account.told(stack)
    assert len(told) == 2 + 3 * len(many)
    assert len({event["EventId"] for event in account.events(stack)}) == len(told)
    assert account.delete(stack) == "DELETE_COMPLETE"


def test_throttled_calls_are_tried_again_for_a_while(own_sandbox):
    account = Account(own_sandbox)
    faults = Faults(own_sandbox.settings.folder)
    stack = account.create({f"Queue{number}": {"Type": "AWS::SQS::Queue"} for number in range(20)})
    faults.turn(Fault.THROTTLING, on=True)
    throttled = refused(account.cloudformation.describe_stacks, StackName=stack)
    faults.turn(Fault.THROTTLING, on=False)
    assert throttled[0] == "ThrottlingException"
    assert account.rests(stack) == "CREATE_COMPLETE"


def test_the_aws_cli_deploys_and_deletes(account, tmp_path, name):
    aws = shutil.which("aws")
    if aws is None:
        pytest.skip("the AWS CLI is not installed")
    template = tmp_path / "template.yaml"
    template.write_text(TEXT, "utf-8")
    # The CLI's waiters poll every 30 s; its first look comes at once, so the stack has to be there by then or we wait.
    environment = {**os.environ, **client_environment(account.sandbox.url, account.sandbox.runtime_url)}

    def run(*arguments: str) -> str:
        done = subprocess.run(
            [aws, "cloudformation", *arguments], env=environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    run("deploy", "--stack-name", name, "--template-file", str(template), "--no-execute-changeset")
    assert account.status(name) == "REVIEW_IN_PROGRESS"
    (change_set,) = account.cloudformation.list_change_sets(StackName=name)["Summaries"]
    run("execute-change-set", "--change-set-name", change_set["ChangeSetId"])
    assert account.rests(name) == "CREATE_COMPLETE"
    # The CLI names a change set by the second, and a stack has no two of one name.
    second = int(change_set["ChangeSetName"].rsplit("-", 1)[1])
    until(lambda: int(time.time()) > second)
    said = run("deploy", "--stack-name", name, "--template-file", str(template), "--no-fail-on-empty-changeset")
    assert "No changes to deploy" in said
    run("delete-stack", "--stack-name", name)
    until(lambda: name not in run("list-stacks", "--stack-status-filter", "CREATE_COMPLETE", "DELETE_IN_PROGRESS"))
