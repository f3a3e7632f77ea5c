import pytest
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectTimeoutError,
    EndpointConnectionError,
    NoCredentialsError,
    NoRegionError,
    ReadTimeoutError,
)

from launch.clients import explained
from launch.errors import CloudError
from launch.failures import Kind, explain, explain_reason


def refused(code, message="", operation="CreateChangeSet"):
    return ClientError({"Error": {"Code": code, "Message": message}}, operation)


@pytest.mark.parametrize(
    ("error", "kind", "passing"),
    [
        (refused("Throttling", "Rate exceeded"), Kind.THROTTLED, True),
        (refused("ThrottlingException", "Rate exceeded"), Kind.THROTTLED, True),
        (refused("ExpiredTokenException", "The security token included in the request is expired"), Kind.CREDENTIALS, False),
        (refused("NoSuchBucket", "The specified bucket does not exist"), Kind.NO_BUCKET, False),
        (refused("ValidationException", "Could not find model data at s3://a/b."), Kind.NO_MODEL, False),
        (refused("AlreadyExistsException", "Stack [iris] already exists"), Kind.TAKEN, False),
        (refused("ResourceLimitExceeded", "The account-level service limit is 0"), Kind.QUOTA, False),
        (refused("ValidationError", "Template error: nonsense"), Kind.OTHER, False),
        (ReadTimeoutError(endpoint_url="https://a"), Kind.TIMED_OUT, True),
        (ConnectTimeoutError(endpoint_url="https://a"), Kind.TIMED_OUT, True),
        (EndpointConnectionError(endpoint_url="https://a"), Kind.UNREACHABLE, True),
        (NoCredentialsError(), Kind.CREDENTIALS, False),
        (NoRegionError(), Kind.OTHER, False),
        (BotoCoreError(), Kind.OTHER, False),
    ],
)  # fmt: skip
def test_each_error_has_its_kind(error, kind, passing):
    failure = explain(error)
    assert (failure.kind, failure.is_passing) == (kind, passing)
    assert failure.said.endswith(".")


def test_a_denied_call_names_the_action_and_the_statement_that_grants_it():
    message = (
        "User: arn:aws:sts::123456789012:assumed-role/dev/ada is not authorized to perform: "
        "cloudformation:CreateChangeSet on resource: arn:aws:cloudformation:eu-west-1:123456789012:stack/iris/* "
        "because no identity-based policy allows the cloudformation:CreateChangeSet action"
    )
    failure = explain(refused("AccessDenied", message))
    assert failure.kind is Kind.DENIED
    assert failure.action == "cloudformation:CreateChangeSet"
    assert failure.statement == {
        "Effect": "Allow",
        "Action": "cloudformation:CreateChangeSet",
        "Resource": "arn:aws:cloudformation:eu-west-1:*:stack/iris/*",
    }
    assert "123456789012" not in failure.said
    assert "Add the statement" in failure.to_do


def test_an_explicit_deny_is_not_lifted_by_a_statement_of_ones_own():
    message = (
        "User: ada is not authorized to perform: sagemaker:CreateEndpoint on resource: "
        "arn:aws:sagemaker:eu-west-1:123456789012:endpoint/iris with an explicit deny in a service control policy"
    )
    failure = explain(refused("AccessDeniedException", message, "CreateEndpoint"))
    assert failure.to_do == "A service control policy forbids it: only who owns that policy can allow it."


@pytest.mark.parametrize(
    ("operation", "action"), [("HeadBucket", "s3:ListBucket"), ("PutObject", "s3:PutObject"), ("Other", None)]
)
def test_s3_does_not_name_the_action_so_the_operation_does(operation, action):
    failure = explain(refused("403" if operation == "HeadBucket" else "AccessDenied", "Access Denied", operation))
    assert (failure.kind, failure.action) == (Kind.DENIED, action)
    assert (failure.statement is None) is (action is None)


def test_the_reason_of_an_event_is_explained_without_the_wrapping():
    reason = (
        'Resource handler returned message: "User: ada is not authorized to perform: iam:CreateRole on resource: '
        'arn:aws:iam::123456789012:role/iris-Role-1 (Service: Iam, Status Code: 403, Request ID: 1-2)" '
        "(RequestToken: 3-4, HandlerErrorCode: AccessDenied)"
    )
    failure = explain_reason(reason)
    assert (failure.kind, failure.action) == (Kind.DENIED, "iam:CreateRole")
    assert failure.statement["Resource"] == "arn:aws:iam::*:role/iris-Role-1"


@pytest.mark.parametrize(
    ("said", "kind"),
    [
        ("The specified bucket does not exist (Service: S3, Status Code: 404, Request ID: 1)", Kind.NO_BUCKET),
        ("Resource of type 'AWS::SQS::Queue' with identifier 'a' already exists.", Kind.TAKEN),
        ("Rate exceeded (Service: SageMaker, Status Code: 400, Request ID: 1)", Kind.THROTTLED),
        ("Unable to provision requested ML compute capacity due to InsufficientInstanceCapacity error.", Kind.CAPACITY),
        ("The model can't be read", Kind.OTHER),
    ],
)
def test_the_reasons_of_events_have_kinds_too(said, kind):
    failure = explain_reason(f'Resource handler returned message: "{said}" (RequestToken: 1-2, HandlerErrorCode: X)')
    assert failure.kind is kind
    assert "Request ID" not in failure.said
    assert "RequestToken" not in failure.said


def test_errors_of_the_clients_become_errors_of_ours():
    with pytest.raises(CloudError, match="AWS did not answer in time") as caught, explained():
        raise ReadTimeoutError(endpoint_url="https://a")
    assert caught.value.failure.kind is Kind.TIMED_OUT
