"""What an update may be and what state it leaves: tags alone, metadata alone, states that wait for somebody."""

import pytest
from botocore.exceptions import ClientError

from tests.stack_templates import att, policy, resource, template

MARKS = {"aws:cloudformation:logical-id", "aws:cloudformation:stack-id", "aws:cloudformation:stack-name"}


def refused(function, **members):
    with pytest.raises(ClientError) as caught:
        function(**members)
    return caught.value.response["Error"]["Message"]


def queue_and_policy(**properties):
    rule = policy("sqs:SendMessage", att("Inbox", "Arn"), Principal={"Service": "sns.amazonaws.com"})
    return {
        "Inbox": resource("SQS::Queue", **properties),
        "Gate": resource("SQS::QueuePolicy", Queues=[{"Ref": "Inbox"}], PolicyDocument=rule),
    }


def tags_of(account, topic):
    tags = account.sandbox.client("sns").list_tags_for_resource(ResourceArn=topic)["Tags"]
    return {tag["Key"]: tag["Value"] for tag in tags}


def test_a_change_set_of_tags_alone(account, leaves_nothing):
    stack = account.create({"News": resource("SNS::Topic")}, Tags=[{"Key": "team", "Value": "cars"}])
    assert account.rests(stack) == "CREATE_COMPLETE"
    topic = account.physical(stack)["News"]
    assert set(tags_of(account, topic)) == {"team", *MARKS}
    cloudformation = account.cloudformation
    asked = {"StackName": stack, "UsePreviousTemplate": True}
    change_set = cloudformation.create_change_set(
        **asked, ChangeSetName="tags", Tags=[{"Key": "team", "Value": "bikes"}]
    )["Id"]
    (change,) = cloudformation.describe_change_set(ChangeSetName=change_set)["Changes"]
    assert (change["ResourceChange"]["Replacement"], change["ResourceChange"]["Scope"]) == ("False", ["Tags"])
    cloudformation.execute_change_set(ChangeSetName=change_set)
    assert account.rests(stack) == "UPDATE_COMPLETE"
    assert tags_of(account, topic)["team"] == "bikes"
    cloudformation.update_stack(**asked, Tags=[])
    assert account.rests(stack) == "UPDATE_COMPLETE"
    assert set(tags_of(account, topic)) == MARKS
    assert account.delete(stack) == "DELETE_COMPLETE"


def test_tags_of_a_stack_whose_resources_have_none(account, leaves_nothing):
    dashboard = {"Page": resource("CloudWatch::Dashboard", DashboardBody='{"widgets": []}')}
    stack = account.create(dashboard)
    assert account.rests(stack) == "CREATE_COMPLETE"
    assert account.update(stack, dashboard, Tags=[{"Key": "team", "Value": "cars"}]) == "UPDATE_COMPLETE"
    (described,) = account.cloudformation.describe_stacks(StackName=stack)["Stacks"]
    assert described["Tags"] == [{"Key": "team", "Value": "cars"}]
    assert refused(account.update, stack=stack, resources=dashboard) == "No updates are to be performed."
    assert account.delete(stack) == "DELETE_COMPLETE"


def test_changed_metadata_are_an_update_and_a_changed_policy_alone_is_none(account, leaves_nothing):
    queue = {"Inbox": {**resource("SQS::Queue"), "Metadata": {"why": "first"}}}
    stack = account.create(queue)
    assert account.rests(stack) == "CREATE_COMPLETE"
    queue["Inbox"]["Metadata"] = {"why": "second"}
    assert account.update(stack, queue) == "UPDATE_COMPLETE"
    detail = account.cloudformation.describe_stack_resource(StackName=stack, LogicalResourceId="Inbox")
    assert detail["StackResourceDetail"]["Metadata"] == '{"why": "second"}'
    queue["Inbox"]["DeletionPolicy"] = "Retain"
    assert refused(account.update, stack=stack, resources=queue) == "No updates are to be performed."
    assert account.delete(stack) == "DELETE_COMPLETE"


def test_a_queue_that_changes_keeps_its_policy(account, leaves_nothing):
    stack = account.create(queue_and_policy(VisibilityTimeout=30))
    assert account.rests(stack) == "CREATE_COMPLETE"
    assert account.update(stack, queue_and_policy(VisibilityTimeout=31)) == "UPDATE_COMPLETE"
    url = account.physical(stack)["Inbox"]
    asked = {"QueueUrl": url, "AttributeNames": ["Policy", "VisibilityTimeout"]}
    attributes = account.sandbox.client("sqs").get_queue_attributes(**asked)["Attributes"]
    assert attributes["VisibilityTimeout"] == "31"
    assert "sqs:SendMessage" in attributes["Policy"]
    assert account.delete(stack) == "DELETE_COMPLETE"


def test_a_stack_that_was_rolled_back_can_only_be_deleted(account, leaves_nothing):
    stack = account.create({"Inbox": resource("SQS::Queue", QueueName="spaces in it")})
    assert account.rests(stack) == "ROLLBACK_COMPLETE"
    said = refused(account.update, stack=stack, resources={"Inbox": resource("SQS::Queue")})
    assert said == f"Stack:{stack} is in ROLLBACK_COMPLETE state and can not be updated."
    assert account.delete(stack) == "DELETE_COMPLETE"
    assert refused(account.events, stack="nobody") == "Stack [nobody] does not exist"


def test_conditions_that_hang_on_too_many_others_are_refused(account):
    chain = {f"C{number}": {"Fn::Not": [{"Condition": f"C{number + 1}"}]} for number in range(600)}
    conditions = {**chain, "C600": {"Fn::Equals": ["a", "a"]}}
    body = template({"Inbox": {**resource("SQS::Queue"), "Condition": "C0"}}, Conditions=conditions)
    said = refused(account.cloudformation.create_stack, StackName="deep", TemplateBody=body)
    assert said == "Template format error: nested too deeply"


def test_a_rollback_that_fails_goes_on_without_what_stands_in_its_way(account, leaves_nothing):
    resources = {"Inbox": resource("SQS::Queue"), "News": resource("SNS::Topic", DisplayName="news")}
    stack = account.create(resources)
    assert account.rests(stack) == "CREATE_COMPLETE"
    physical = account.physical(stack)
    account.sandbox.client("sqs").delete_queue(QueueUrl=physical["Inbox"])
    changed = {
        "Inbox": {**resource("SQS::Queue", VisibilityTimeout=31), "DependsOn": "News"},
        "News": resource("SNS::Topic", DisplayName="other"),
    }
    assert account.update(stack, changed) == "UPDATE_ROLLBACK_FAILED"
    assert "can not be updated" in refused(account.update, stack=stack, resources=changed)
    account.cloudformation.continue_update_rollback(StackName=stack)
    assert account.rests(stack) == "UPDATE_ROLLBACK_FAILED"
    account.cloudformation.continue_update_rollback(StackName=stack, ResourcesToSkip=["Inbox"])
    assert account.rests(stack) == "UPDATE_ROLLBACK_COMPLETE"
    topic = account.sandbox.client("sns").get_topic_attributes(TopicArn=physical["News"])
    assert topic["Attributes"]["DisplayName"] == "news"
    assert account.delete(stack) == "DELETE_COMPLETE"


def test_a_deletion_that_fails_goes_on_without_what_is_retained(account, leaves_nothing):
    stack = account.create({"Results": resource("S3::Bucket"), "Inbox": resource("SQS::Queue")})
    assert account.rests(stack) == "CREATE_COMPLETE"
    bucket, s3 = account.physical(stack)["Results"], account.sandbox.client("s3")
    s3.put_object(Bucket=bucket, Key="result", Body=b"1")
    delete = account.cloudformation.delete_stack
    assert "Only stacks in DELETE_FAILED" in refused(delete, StackName=stack, RetainResources=["Results"])
    assert account.delete(stack) == "DELETE_FAILED"
    delete(StackName=stack, RetainResources=["Results"])
    assert account.rests(stack) == "DELETE_COMPLETE"
    s3.delete_object(Bucket=bucket, Key="result")
    s3.delete_bucket(Bucket=bucket)


def test_every_way_to_scale_and_to_watch(account, leaves_nothing):
    variant = {"Name": "EndpointName", "Value": "cars"}
    metric = {"Namespace": "AWS/SageMaker", "MetricName": "ConcurrentRequestsPerModel", "Dimensions": [variant]}
    own = {
        "Namespace": "AWS/SageMaker",
        "MetricName": "CPUUtilization",
        "Statistic": "Average",
        "Dimensions": [variant],
    }
    half = [
        {"Id": "all", "MetricStat": {"Metric": metric, "Stat": "Sum"}, "ReturnData": False},
        {"Id": "half", "Expression": "all / 2", "ReturnData": True},
    ]
    night = {
        "ScheduledActionName": "night",
        "Schedule": "cron(0 22 * * ? *)",
        "Timezone": "Europe/Berlin",
        "ScalableTargetAction": {"MinCapacity": 0, "MaxCapacity": "1"},
    }
    steps = [
        {"MetricIntervalLowerBound": 0, "MetricIntervalUpperBound": 10, "ScalingAdjustment": 10},
        {"MetricIntervalLowerBound": "10", "ScalingAdjustment": "30"},
    ]

    def tracking(specification):
        return {"TargetValue": "60", "ScaleInCooldown": 300, "CustomizedMetricSpecification": specification}

    def scaling(name, kind, **how):
        target = {"Ref": "Target"}
        return resource(
            "ApplicationAutoScaling::ScalingPolicy", PolicyName=name, PolicyType=kind, ScalingTargetId=target, **how
        )

    queries = [
        {"Id": "m", "MetricStat": {"Metric": metric, "Period": "60", "Stat": "Average"}, "ReturnData": "false"},
        {"Id": "e", "Expression": "FILL(m, 0)", "Label": "backlog", "ReturnData": "true"},
    ]
    rules = [
        {"Status": "Enabled", "Prefix": "captures/", "ExpirationInDays": "30"},
        {"Status": "Enabled", "Transitions": [{"StorageClass": "STANDARD_IA", "TransitionInDays": 30}]},
    ]
    stack = account.create(
        {
            "Target": resource(
                "ApplicationAutoScaling::ScalableTarget",
                ServiceNamespace="sagemaker",
                ScalableDimension="sagemaker:variant:DesiredInstanceCount",
                ResourceId="endpoint/cars/variant/all",
                MinCapacity=1,
                MaxCapacity="4",
                ScheduledActions=[night],
            ),
            "Own": scaling("own", "TargetTrackingScaling", TargetTrackingScalingPolicyConfiguration=tracking(own)),
            "Math": scaling(
                "math", "TargetTrackingScaling", TargetTrackingScalingPolicyConfiguration=tracking({"Metrics": half})
            ),
            "Steps": scaling(
                "steps",
                "StepScaling",
                StepScalingPolicyConfiguration={"AdjustmentType": "PercentChangeInCapacity", "StepAdjustments": steps},
            ),
            "Backlog": resource(
                "CloudWatch::Alarm",
                AlarmActions=[{"Ref": "Steps"}],
                ComparisonOperator="GreaterThanOrEqualToThreshold",
                EvaluationPeriods=1,
                Threshold=1,
                Metrics=queries,
            ),
            "Any": resource("CloudWatch::CompositeAlarm", AlarmRule={"Fn::Sub": "ALARM(${Backlog})"}),
            "Results": resource("S3::Bucket", LifecycleConfiguration={"Rules": rules}),
        }
    )
    assert account.rests(stack) == "CREATE_COMPLETE", [account.why(stack, name) for name in account.physical(stack)]
    physical, client = account.physical(stack), account.sandbox.client
    (alarm,) = client("cloudwatch").describe_alarms(AlarmNames=[physical["Backlog"]])["MetricAlarms"]
    assert alarm["AlarmActions"] == [physical["Steps"]]
    found = client("application-autoscaling").describe_scaling_policies(ServiceNamespace="sagemaker")["ScalingPolicies"]
    assert {one["PolicyName"] for one in found} == {"own", "math", "steps"}
    kept = client("s3").get_bucket_lifecycle_configuration(Bucket=physical["Results"])["Rules"]
    assert [rule.get("Transitions") for rule in kept] == [None, [{"Days": 30, "StorageClass": "STANDARD_IA"}]]
    assert account.delete(stack) == "DELETE_COMPLETE"
