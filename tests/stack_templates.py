"""Templates of every hosting option, as a launch would write them, over the sample models."""

import json
from collections.abc import Callable
from typing import Any

from sandbox.settings import SAMPLES_BUCKET

Resources = dict[str, Any]
Container = Callable[..., dict[str, Any]]  # a sample's key -> its container
# A number may be text, as it is when it comes from a parameter: CloudFormation turns it into what the service wants.
ON_INSTANCES = {"InstanceType": "ml.m5.large", "InitialInstanceCount": "1"}
QUICKEST = "digits/model.tar.gz"  # the sample whose model server is ready first
VARIANT = {"Fn::Sub": "endpoint/${Endpoint.EndpointName}/variant/all"}


def resource(kind: str, **properties: Any) -> dict[str, Any]:
    return {"Type": f"AWS::{kind}", "Properties": properties}


def att(name: str, attribute: str) -> dict[str, list[str]]:
    return {"Fn::GetAtt": [name, attribute]}


def policy(action: str, target: Any, **more: Any) -> dict[str, Any]:
    return {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": action, "Resource": target, **more}]}


def role() -> Resources:
    trust = {"Effect": "Allow", "Principal": {"Service": "sagemaker.amazonaws.com"}, "Action": "sts:AssumeRole"}
    read = policy("s3:GetObject", f"arn:aws:s3:::{SAMPLES_BUCKET}/*")
    return {
        "Role": resource(
            "IAM::Role",
            AssumeRolePolicyDocument={"Version": "2012-10-17", "Statement": [trust]},
            Policies=[{"PolicyName": "hosting", "PolicyDocument": read}],
        )
    }


def option(model: dict[str, Any], variant: dict[str, Any], **config: Any) -> Resources:
    """Role, model, configuration and endpoint."""
    hosted = {"VariantName": "all", "ModelName": att("Model", "ModelName"), "InitialVariantWeight": 1, **variant}
    return {
        **role(),
        "Model": resource("SageMaker::Model", ExecutionRoleArn=att("Role", "Arn"), **model),
        "Config": resource("SageMaker::EndpointConfig", ProductionVariants=[hosted], **config),
        "Endpoint": resource("SageMaker::Endpoint", EndpointConfigName=att("Config", "EndpointConfigName")),
    }


def options(of: Container) -> dict[str, Resources]:
    """Give the resources of each option."""
    iris = {"PrimaryContainer": of("iris/model.tar.gz")}
    text = {"SAGEMAKER_DEFAULT_INVOCATIONS_ACCEPT": "text/csv"}
    pipeline = [of("used-cars/preprocess/model.tar.gz", Environment=text), of("used-cars/price/model.tar.gz")]
    direct = [
        of("iris/model.tar.gz", ContainerHostname="flowers"),
        of("digits/model.tar.gz", ContainerHostname="digits"),
    ]
    many = of("forecasters/customer-000.tar.gz", ModelDataUrl=f"s3://{SAMPLES_BUCKET}/forecasters/", Mode="MultiModel")
    output = {
        "S3OutputPath": {"Fn::Sub": "s3://${Results}/out"},
        "NotificationConfig": {"SuccessTopic": {"Ref": "Done"}, "ErrorTopic": {"Ref": "Done"}},
    }
    return {
        "real-time": option(iris, ON_INSTANCES),
        "serverless": option(iris, {"ServerlessConfig": {"MemorySizeInMB": "2048", "MaxConcurrency": "5"}}),
        "async": {
            **option(iris, ON_INSTANCES, AsyncInferenceConfig={"OutputConfig": output}),
            "Results": resource("S3::Bucket"),
            "Done": resource("SNS::Topic"),
        },
        "multi-model": option({"PrimaryContainer": many}, ON_INSTANCES),
        "multi-container": option({"Containers": direct, "InferenceExecutionConfig": {"Mode": "Direct"}}, ON_INSTANCES),
        "pipeline": option({"Containers": pipeline, "InferenceExecutionConfig": {"Mode": "Serial"}}, ON_INSTANCES),
    }


def components(of: Container) -> Resources:
    """An endpoint without models of its own, and one inference component on it."""
    bare = option({"PrimaryContainer": of(QUICKEST)}, ON_INSTANCES)
    config = bare["Config"]["Properties"]
    del config["ProductionVariants"][0]["ModelName"]
    config["ExecutionRoleArn"] = att("Role", "Arn")
    specification = {
        "ModelName": att("Model", "ModelName"),
        "ComputeResourceRequirements": {"NumberOfCpuCoresRequired": 1, "MinMemoryRequiredInMb": 512},
    }
    component = resource(
        "SageMaker::InferenceComponent",
        EndpointName=att("Endpoint", "EndpointName"),
        VariantName="all",
        Specification=specification,
        RuntimeConfig={"CopyCount": 1},
    )
    return {**bare, "Component": component}


def recurring_transform(of: Container) -> Resources:
    """A model and the schedule of a transform job."""
    target = {
        "Arn": "arn:aws:scheduler:::aws-sdk:sagemaker:createTransformJob",
        "RoleArn": att("Role", "Arn"),
        "Input": {"Fn::Sub": '{"ModelName": "${Model.ModelName}"}'},
    }
    container = of(QUICKEST)
    return {
        **role(),
        "Model": resource("SageMaker::Model", ExecutionRoleArn=att("Role", "Arn"), PrimaryContainer=container),
        "Schedule": resource(
            "Scheduler::Schedule", ScheduleExpression="rate(1 day)", FlexibleTimeWindow={"Mode": "OFF"}, Target=target
        ),
    }


def scaled(of: Container) -> Resources:
    """A real-time endpoint with all that may stand around it."""
    target = {"ServiceNamespace": "sagemaker", "ScalableDimension": "sagemaker:variant:DesiredInstanceCount"}
    alarm = {
        "Namespace": "AWS/SageMaker", "MetricName": "ModelLatency", "ExtendedStatistic": "p99", "Period": "60",
        "EvaluationPeriods": 1, "Threshold": "500000", "ComparisonOperator": "GreaterThanThreshold",
        "AlarmActions": [{"Ref": "News"}],
    }  # fmt: skip
    tracking = {
        "TargetValue": "70",
        "PredefinedMetricSpecification": {"PredefinedMetricType": "SageMakerVariantInvocationsPerInstance"},
    }
    steps = {
        "AdjustmentType": "ChangeInCapacity",
        "StepAdjustments": [{"MetricIntervalLowerBound": "0", "ScalingAdjustment": 1}],
    }
    action = {
        "ScheduledActionName": "morning",
        "Schedule": "cron(0 6 * * ? *)",
        "ScalableTargetAction": {"MinCapacity": 1, "MaxCapacity": "3"},
    }
    hosted = option({"PrimaryContainer": of(QUICKEST)}, ON_INSTANCES)
    # The alarm watches the endpoint's updates, so it must not refer to the endpoint: it would be a circle.
    hosted["Endpoint"]["Properties"]["DeploymentConfig"] = {
        "BlueGreenUpdatePolicy": {"TrafficRoutingConfiguration": {"Type": "ALL_AT_ONCE", "WaitIntervalInSeconds": 0}},
        "AutoRollbackConfiguration": {"Alarms": [{"AlarmName": {"Ref": "Slow"}}]},
    }
    return {
        **hosted,
        "News": resource("SNS::Topic", DisplayName="news"),
        "NewsPolicy": resource(
            "SNS::TopicPolicy",
            Topics=[{"Ref": "News"}],
            PolicyDocument=policy("sns:Publish", {"Ref": "News"}, Principal={"Service": "cloudwatch.amazonaws.com"}),
        ),
        "Inbox": resource("SQS::Queue", VisibilityTimeout="45"),
        "InboxPolicy": resource(
            "SQS::QueuePolicy",
            Queues=[{"Ref": "Inbox"}],
            PolicyDocument=policy("sqs:SendMessage", att("Inbox", "Arn"), Principal={"Service": "sns.amazonaws.com"}),
        ),
        "Mail": resource("SNS::Subscription", TopicArn={"Ref": "News"}, Protocol="sqs", Endpoint=att("Inbox", "Arn")),
        "Slow": resource("CloudWatch::Alarm", **alarm),
        "Target": resource(
            "ApplicationAutoScaling::ScalableTarget",
            MinCapacity="1",
            MaxCapacity="2",
            ResourceId=VARIANT,
            ScheduledActions=[action],
            **target,
        ),
        "Tracking": resource(
            "ApplicationAutoScaling::ScalingPolicy",
            PolicyName="tracking",
            PolicyType="TargetTrackingScaling",
            ScalingTargetId={"Ref": "Target"},
            TargetTrackingScalingPolicyConfiguration=tracking,
        ),
        "Steps": {
            **resource(
                "ApplicationAutoScaling::ScalingPolicy",
                PolicyName="steps",
                PolicyType="StepScaling",
                ResourceId=VARIANT,
                StepScalingPolicyConfiguration=steps,
                **target,
            ),
            "DependsOn": "Target",
        },
        "Results": resource("S3::Bucket", VersioningConfiguration={"Status": "Enabled"}),
        "ResultsPolicy": resource(
            "S3::BucketPolicy",
            Bucket={"Ref": "Results"},
            PolicyDocument=policy(
                "s3:PutObject", {"Fn::Sub": "${Results.Arn}/*"}, Principal={"AWS": att("Role", "Arn")}
            ),
        ),
        "Write": resource(
            "IAM::Policy",
            PolicyName="write",
            Roles=[{"Ref": "Role"}],
            PolicyDocument=policy("s3:PutObject", {"Fn::Sub": "${Results.Arn}/*"}),
        ),
        "Publish": resource(
            "IAM::ManagedPolicy", Roles=[{"Ref": "Role"}], PolicyDocument=policy("sns:Publish", {"Ref": "News"})
        ),
        "Log": resource("Logs::LogGroup", RetentionInDays="7"),
        "Daily": resource(
            "Events::Rule",
            ScheduleExpression="rate(1 day)",
            Targets=[{"Id": "inbox", "Arn": att("Inbox", "Arn"), "Input": json.dumps({"hello": "again"})}],
        ),
        "Note": resource("SSM::Parameter", Type="String", Value=att("Endpoint", "EndpointName")),
    }


def template(resources: Resources, **sections: Any) -> str:
    return json.dumps({"AWSTemplateFormatVersion": "2010-09-09", "Resources": resources, **sections})


def needed_by(resources: Resources, name: str) -> list[str]:
    """Give the names of a resource and of all that it needs."""
    found, waiting = [], [name]
    while waiting:
        one = waiting.pop()
        if one in resources and one not in found:
            found.append(one)
            text = json.dumps(resources[one])
            waiting += [other for other in resources if f'"{other}"' in text or f"${{{other}" in text]
    return [one for one in resources if one in found]
