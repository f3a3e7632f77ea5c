"""A failure at each resource of a template, and a power cut in the middle: nothing is left behind."""

import copy

from sandbox.samples.archive import model_archive
from sandbox.settings import SAMPLES_BUCKET
from tests.sandboxed import until
from tests.stack_account import Account
from tests.stack_templates import needed_by, option, scaled, template

# A property that its service refuses, for each resource of the template; some only after the resource was created.
WRONG = {
    "Role": {"ManagedPolicyArns": ["arn:aws:iam::000000000000:policy/nothing"]},
    "Model": {"ExecutionRoleArn": "nobody"},
    "Config": {"EndpointConfigName": "under_scores"},
    "Endpoint": {"EndpointConfigName": "nothing"},
    "News": {"TopicName": "spaces in it"},
    "NewsPolicy": {"Topics": ["arn:aws:sns:us-east-1:000000000000:nothing"]},
    "Inbox": {"QueueName": "spaces in it"},
    "InboxPolicy": {"Queues": ["http://127.0.0.1/000000000000/nothing"]},
    "Mail": {"TopicArn": "arn:aws:sns:us-east-1:000000000000:nothing"},
    "Slow": {"Period": "7"},
    "Target": {"ScalableDimension": "sagemaker:variant:Nothing"},
    "Tracking": {"PolicyType": "Nothing"},
    "Steps": {"StepScalingPolicyConfiguration": {"Nothing": 1}},
    "Results": {"LifecycleConfiguration": {"Rules": [{"Status": "Enabled", "Nothing": 1}]}},
    "ResultsPolicy": {"Bucket": "no-bucket-has-this-name"},
    "Write": {"Roles": ["nobody"]},
    "Publish": {"Roles": ["nobody"]},
    "Log": {"RetentionInDays": "six"},
    "Daily": {"Targets": [{"Id": "without-arn"}]},
    "Note": {"Type": "Picture"},
}

_WITHOUT_ENDPOINT = {"News", "NewsPolicy", "Inbox", "InboxPolicy", "Mail", "Slow", "Results", "Log", "Daily"}


def no_container(_key, **_members):
    return {"Image": "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-scikit-learn:1.4-2-cpu-py3"}


def test_a_failure_at_each_resource_leaves_no_orphan(account, hosting):
    resources = scaled(hosting.container)
    assert set(WRONG) == set(resources)
    before = account.holds()
    stacks = {}
    for name, wrong in WRONG.items():
        needed = {one: copy.deepcopy(resources[one]) for one in needed_by(resources, name)}
        needed[name]["Properties"] |= wrong
        stacks[name] = account.create(needed)
    failed = {}
    for name, stack in stacks.items():
        assert account.rests(stack) == "ROLLBACK_COMPLETE", name
        failed[name] = [event.split()[0] for event in account.told(stack) if event.endswith("CREATE_FAILED")]
    assert failed == {name: [name] for name in WRONG}
    assert account.holds() == before
    for stack in stacks.values():
        assert account.delete(stack) == "DELETE_COMPLETE"


def test_a_failure_at_each_resource_of_an_update_brings_everything_back(account, hosting):
    resources = {name: one for name, one in scaled(hosting.container).items() if name in _WITHOUT_ENDPOINT}
    stack = account.create(resources)
    assert account.rests(stack) == "CREATE_COMPLETE"
    before, physical = account.holds(), account.physical(stack)
    for name in resources:
        asked = copy.deepcopy(resources)
        asked["News"]["Properties"]["DisplayName"] = "changed before the failure"
        asked["Extra"] = {"Type": "AWS::SQS::Queue"}
        asked[name]["Properties"] |= WRONG[name]
        asked[name].setdefault("DependsOn", []).append("Extra")
        assert account.update(stack, asked) == "UPDATE_ROLLBACK_COMPLETE", name
        assert account.holds() == before, name
        assert account.physical(stack) == physical, name
    topic = account.sandbox.client("sns").get_topic_attributes(TopicArn=physical["News"])
    assert topic["Attributes"]["DisplayName"] == "news"
    assert account.delete(stack) == "DELETE_COMPLETE"


def test_what_somebody_else_made_under_the_same_name_stays(account, hosting):
    sqs = account.sandbox.client("sqs")
    url = sqs.create_queue(QueueName="of-somebody-else")["QueueUrl"]
    stack = account.create({"Inbox": {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": "of-somebody-else"}}})
    assert account.rests(stack) == "ROLLBACK_COMPLETE"
    assert "HandlerErrorCode: AlreadyExists" in account.why(stack, "Inbox")
    assert account.delete(stack) == "DELETE_COMPLETE"
    assert sqs.get_queue_url(QueueName="of-somebody-else")["QueueUrl"] == url
    sqs.delete_queue(QueueUrl=url)


def test_a_type_that_is_not_emulated_fails_with_a_reason(account):
    stack = account.create({"Function": {"Type": "AWS::Lambda::Function", "Properties": {}}})
    assert account.rests(stack) == "ROLLBACK_COMPLETE"
    assert "The sandbox does not emulate the resource type AWS::Lambda::Function" in account.why(stack, "Function")


def test_a_full_bucket_can_not_be_deleted_until_it_is_empty(account):
    stack = account.create({"Results": {"Type": "AWS::S3::Bucket", "Properties": {}}})
    assert account.rests(stack) == "CREATE_COMPLETE"
    bucket, s3 = account.physical(stack)["Results"], account.sandbox.client("s3")
    s3.put_object(Bucket=bucket, Key="result", Body=b"1")
    assert account.delete(stack) == "DELETE_FAILED"
    assert "not empty" in account.why(stack, "Results")
    s3.delete_object(Bucket=bucket, Key="result")
    assert account.delete(stack) == "DELETE_COMPLETE"


def around_a_bucket():
    """Resources that need no model server."""
    resources = scaled(no_container)
    chosen = {
        name: resources[name] for name in (*_WITHOUT_ENDPOINT, "Role", "Write", "Publish", "ResultsPolicy", "Model")
    }
    return {name: one for name, one in resources.items() if name in chosen}


def test_a_creation_goes_on_after_a_power_cut(own_sandbox):
    account = Account(own_sandbox)
    empty = account.holds()
    stack = account.create(around_a_bucket())
    until(lambda: "Publish CREATE_IN_PROGRESS" in account.told(stack))
    own_sandbox.kill()
    own_sandbox.start_again()
    assert account.rests(stack) == "CREATE_COMPLETE", account.told(stack)
    assert len(account.holds() - empty) == len(account.physical(stack)) - 4  # policies of others are not listed
    account.cloudformation.delete_stack(StackName=stack)
    until(lambda: "DELETE_IN_PROGRESS" in " ".join(account.told(stack)))
    own_sandbox.kill()
    own_sandbox.start_again()
    assert account.rests(stack) == "DELETE_COMPLETE"
    assert account.holds() == empty


def test_an_endpoint_under_way_is_taken_up_after_a_power_cut(own_sandbox):
    s3 = own_sandbox.client("s3")
    s3.create_bucket(Bucket=SAMPLES_BUCKET)
    script = (
        b"def model_fn(folder):\n    return None\ndef transform_fn(model, body, kind, accept):\n    return body, kind\n"
    )
    archive = model_archive({"code/inference.py": script, "weights.bin": b"0"})
    s3.put_object(Bucket=SAMPLES_BUCKET, Key="model.tar.gz", Body=archive)
    account = Account(own_sandbox)
    empty = account.holds()
    container = {**no_container(""), "ModelDataUrl": f"s3://{SAMPLES_BUCKET}/model.tar.gz"}
    instances = {"InstanceType": "ml.m5.large", "InitialInstanceCount": 1}
    stack = account.create(option({"PrimaryContainer": container}, instances))
    until(lambda: "Endpoint CREATE_IN_PROGRESS" in account.told(stack))
    own_sandbox.kill()
    own_sandbox.start_again()
    assert account.rests(stack) == "CREATE_COMPLETE", account.why(stack, "Endpoint")
    changed = option({"PrimaryContainer": {**container, "Environment": {"A": "1"}}}, instances)
    account.cloudformation.update_stack(
        StackName=stack,
        TemplateBody=template(changed),
        Capabilities=["CAPABILITY_IAM"],
    )
    until(lambda: "Endpoint UPDATE_IN_PROGRESS" in account.told(stack))
    own_sandbox.kill()
    own_sandbox.start_again()
    assert account.rests(stack) == "UPDATE_COMPLETE", account.why(stack, "Endpoint")
    assert account.delete(stack) == "DELETE_COMPLETE"
    assert account.holds() == empty
