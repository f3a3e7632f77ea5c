"""Batch transform: what one job is asked, and the schedule that starts one after another."""

import json
from dataclasses import replace

from launch.request import Request, as_document
from launch.roles import job_prefix, schedule_role
from launch.settings import Settings, settings_of
from launch.template_hosting import encrypts_volume
from launch.template_parts import Json, Resources, att, escaped, listed, present, resource, sub, tags

RETRIES = 3  # of a start that failed; a job that failed is not started again


def is_job_now(request: Request) -> bool:
    """Whether a launch of this request runs a job at once."""
    return request.transform is not None and request.transform.schedule is None


def is_same_job(one: Request, other: Request) -> bool:
    """Whether two resolved requests ask for the same job; their tags, their ends and the models' names may differ."""
    asked = (as_document(replace(each, models=(), tags={}, time_to_live_h=None)) for each in (one, other))
    return next(asked) == next(asked)


def job(request: Request, *, model_name: str, job_name: str) -> Json:
    """The parameters of CreateTransformJob, with the launch's tags.

    Raises: ValueError for a request without data.
    """
    given, settings = request.transform, settings_of(request)
    if given is None or settings.instance_type is None:
        raise ValueError("a transform job needs data and an instance type")
    is_line = given.split == "line"
    return present(
        {
            "TransformJobName": job_name,
            "ModelName": model_name,
            "MaxConcurrentTransforms": settings.transforms_at_once,
            "BatchStrategy": "MultiRecord" if is_line else "SingleRecord",
            "TransformInput": {
                "DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": given.input_s3}},
                "ContentType": given.content_type,
                "SplitType": "Line" if is_line else "None",
            },
            "TransformOutput": present(
                {
                    "S3OutputPath": given.output_s3,
                    "AssembleWith": "Line" if is_line else "None",
                    "KmsKeyId": request.kms_key_arn,
                }
            ),
            "TransformResources": _resources(request, settings),
            "DataCaptureConfig": _capture(request),
            "Tags": listed(tags(request)),
        }
    )


def _resources(request: Request, settings: Settings) -> Json:
    return present(
        {
            "InstanceType": settings.instance_type,
            "InstanceCount": settings.minimum,
            "VolumeKmsKeyId": request.kms_key_arn if encrypts_volume(settings) else None,
        }
    )


def _capture(request: Request) -> Json | None:
    """A job keeps all of its records, or none."""
    if request.capture is None:
        return None
    return present({"DestinationS3Uri": request.capture.s3_uri, "KmsKeyId": request.kms_key_arn})


def schedule(request: Request) -> Resources:
    """The schedule of recurring jobs and its role; nothing where one job runs now."""
    if request.transform is None or request.transform.schedule is None:
        return {}
    # Scheduler puts a number of its own in the place of the execution's id, so that no two jobs have one name.
    asked = job(request, model_name="\0", job_name=f"{job_prefix(request)}<aws.scheduler.execution-id>")
    content = escaped(json.dumps(asked, indent=1)).replace(json.dumps("\0"), '"${Model.ModelName}"')
    return {
        "ScheduleRole": schedule_role(request),
        "Schedule": resource(
            "Scheduler::Schedule",
            Description=f"Starts a transform job of {request.name}",
            ScheduleExpression=request.transform.schedule,
            ScheduleExpressionTimezone="UTC",
            FlexibleTimeWindow={"Mode": "OFF"},
            Target={
                "Arn": "arn:aws:scheduler:::aws-sdk:sagemaker:createTransformJob",
                "RoleArn": att("ScheduleRole", "Arn"),
                "Input": sub(content),
                "RetryPolicy": {"MaximumRetryAttempts": RETRIES},
            },
        ),
    }
