"""Alarms of an endpoint, who hears of them, and the topics of asynchronous answers."""

from collections.abc import Sequence

from launch.fleets import Fleet
from launch.request import Alarms, Request
from launch.template_parts import Json, Resources, dimensions, ref, resource, sub

MINUTES = 2  # in a row: a single slow minute wakes nobody
USUAL = Alarms(errors_per_minute=1)  # what takes an update back where the request says nothing


def watched(request: Request) -> Alarms | None:
    """What is watched: what the request asks for, and at least errors where alarms take updates back."""
    takes_back = request.update is not None and request.update.rollback_on_alarms
    given = request.alarms
    if not takes_back or request.option == "batch":
        return given
    if given is None:
        return USUAL
    if given.latency_p99_ms is None and given.errors_per_minute is None:
        return Alarms(errors_per_minute=USUAL.errors_per_minute, email=given.email)
    return given


def alarms(request: Request, variants: Sequence[Fleet]) -> Resources:
    """The alarms of each variant, with a topic where somebody is to be told."""
    asked = watched(request)
    if asked is None:
        return {}
    found: Resources = {}
    for one in variants:
        found |= _alarms(request, asked, one)
    if asked.email is not None:
        found["AlarmTopic"] = resource("SNS::Topic", DisplayName=f"Alarms of {request.name}")
        found["AlarmEmail"] = resource(
            "SNS::Subscription", TopicArn=ref("AlarmTopic"), Protocol="email", Endpoint=asked.email
        )
        found["AlarmTopicPolicy"] = resource(
            "SNS::TopicPolicy",
            Topics=[ref("AlarmTopic")],
            PolicyDocument={"Version": "2012-10-17", "Statement": [_told_by_alarms(request)]},
        )
    return found


def _alarms(request: Request, asked: Alarms, one: Fleet) -> Resources:
    of = _dimensions(request, one)
    what = f"{request.name}, variant {one.name}," if one.suffix else request.name
    told = ref("AlarmTopic") if asked.email is not None else None
    found: Resources = {}
    if asked.latency_p99_ms is not None:
        found[f"LatencyAlarm{one.suffix}"] = alarm(
            f"99 of 100 answers of {what} take less than {asked.latency_p99_ms:g} ms",
            of,
            MetricName="ModelLatency",
            ExtendedStatistic="p99",
            Threshold=asked.latency_p99_ms * 1000,  # the metric counts microseconds
            ComparisonOperator="GreaterThanThreshold",
            EvaluationPeriods=MINUTES,
            AlarmActions=told and [told],
        )
    if asked.errors_per_minute is not None:
        found[f"ErrorAlarm{one.suffix}"] = alarm(
            f"{what} fails less than {asked.errors_per_minute} times in a minute",
            dimensions(EndpointName=request.name) if request.option == "async" else of,
            MetricName="InvocationFailures" if request.option == "async" else "Invocation5XXErrors",
            Statistic="Sum",
            Threshold=asked.errors_per_minute,
            ComparisonOperator="GreaterThanOrEqualToThreshold",
            EvaluationPeriods=1,
            AlarmActions=told and [told],
        )
    return found


def alarm(about: str, of: list[Json], **properties: object) -> Json:
    """An alarm on a metric of SageMaker by the minute; a minute without data is a quiet one."""
    found: Json = {
        "AlarmDescription": about,
        "Namespace": "AWS/SageMaker",
        "Dimensions": of,
        "Period": 60,
        "TreatMissingData": "notBreaching",
        **properties,
    }
    return resource("CloudWatch::Alarm", **found)


def answers(request: Request) -> Resources:
    """The topics that tell of answers and failures of an asynchronous endpoint."""
    if request.option != "async":
        return {}
    return {
        f"{kind}Topic": resource(
            "SNS::Topic", DisplayName=f"{kind} of {request.name}", KmsMasterKeyId=request.kms_key_arn
        )
        for kind in ("Success", "Error")
    }


def _dimensions(request: Request, one: Fleet) -> list[Json]:
    if one.settings.has_components:
        return dimensions(InferenceComponentName=request.name)
    return dimensions(EndpointName=request.name, VariantName=one.name)


def _told_by_alarms(request: Request) -> Json:
    alarms_here = sub(f"arn:${{AWS::Partition}}:cloudwatch:${{AWS::Region}}:${{AWS::AccountId}}:alarm:{request.name}-*")
    return {
        "Effect": "Allow",
        "Principal": {"Service": "cloudwatch.amazonaws.com"},
        "Action": "sns:Publish",
        "Resource": ref("AlarmTopic"),
        "Condition": {
            "ArnLike": {"aws:SourceArn": alarms_here},
            "StringEquals": {"aws:SourceAccount": ref("AWS::AccountId")},
        },
    }
