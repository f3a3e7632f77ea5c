"""Say what an error of AWS means and what to do about it: pure, from the error or from the reason of an event."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectTimeoutError,
    CredentialRetrievalError,
    NoCredentialsError,
    NoRegionError,
    PartialCredentialsError,
    ReadTimeoutError,
    SSOError,
)
from botocore.exceptions import (
    ConnectionError as UnreachableError,
)


class Kind(StrEnum):
    """What sort of failure it is."""

    THROTTLED = "throttled"
    TIMED_OUT = "timed_out"
    UNREACHABLE = "unreachable"
    CREDENTIALS = "credentials"
    DENIED = "denied"
    TAKEN = "taken"
    NO_BUCKET = "no_bucket"
    NO_MODEL = "no_model"
    CAPACITY = "capacity"
    QUOTA = "quota"
    OTHER = "other"


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """What went wrong, in words."""

    kind: Kind
    said: str  # one sentence: what AWS refused
    to_do: str  # one sentence: the way out; empty where only the reason helps
    statement: Mapping[str, object] | None = None  # of an IAM policy: what grants the permission that was missing
    action: str | None = None  # e.g. "sagemaker:CreateModel"; of a denied call

    @property
    def is_passing(self) -> bool:
        """Whether the same call may succeed later without anybody changing anything."""
        return self.kind in {Kind.THROTTLED, Kind.TIMED_OUT, Kind.UNREACHABLE}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Known:
    """A failure that is recognised by the code of the error or by words of its message."""

    kind: Kind
    to_do: str
    codes: frozenset[str] = field(default_factory=frozenset)
    words: tuple[str, ...] = ()


_AGAIN = "Nothing is lost: run the same again."
# The first that fits counts. Codes: "Common errors" and the errors of each operation in the API references of
# CloudFormation, SageMaker, IAM and S3, read 2026-11-21.
_KNOWN = (
    _Known(
        kind=Kind.THROTTLED,
        to_do=f"AWS asks for fewer calls; they were repeated with growing pauses. {_AGAIN}",
        codes=frozenset({
            "Throttling", "ThrottlingException", "ThrottledException", "TooManyRequestsException",
            "RequestLimitExceeded", "SlowDown", "RequestThrottled",
        }),
        words=("rate exceeded", "throttling"),
    ),
    _Known(
        kind=Kind.CREDENTIALS,
        to_do="Renew the credentials (aws sso login, or new keys), then run the same again; what was begun goes on.",
        codes=frozenset({
            "ExpiredToken", "ExpiredTokenException", "RequestExpired", "InvalidClientTokenId",
            "UnrecognizedClientException", "SignatureDoesNotMatch", "InvalidAccessKeyId", "AuthFailure",
            "MissingAuthenticationToken", "InvalidToken",
        }),
        words=("security token included in the request is expired", "handlererrorcode: invalidcredentials"),
    ),
    _Known(
        kind=Kind.NO_BUCKET,
        to_do="Create the bucket in the Region of the launch, or name one that exists.",
        codes=frozenset({"NoSuchBucket"}),
        words=("bucket does not exist", "nosuchbucket"),
    ),
    _Known(
        kind=Kind.NO_MODEL,
        to_do="Check the address of the model archive, and that the launch's role may read it.",
        codes=frozenset({"NoSuchKey"}),
        words=("could not find model data", "could not access model data", "key does not exist"),
    ),
    _Known(
        kind=Kind.CAPACITY,
        to_do="AWS has no such instance free now: try later, or choose another instance type or Region.",
        codes=frozenset({"InsufficientInstanceCapacity"}),
        words=("insufficientinstancecapacity", "unable to provision requested ml compute capacity"),
    ),
    _Known(
        kind=Kind.QUOTA,
        to_do="Ask for more in Service Quotas, or choose an instance type or a number that fits.",
        codes=frozenset({
            "ResourceLimitExceeded", "LimitExceededException", "ServiceQuotaExceededException", "LimitExceeded",
        }),
        words=("service limit", "account-level service limit", "servicelimitexceeded"),
    ),
    _Known(
        kind=Kind.TAKEN,
        to_do="Choose another name, or remove what has it.",
        codes=frozenset({"AlreadyExistsException", "EntityAlreadyExists", "BucketAlreadyExists"}),
        words=("already exist",),
    ),
)  # fmt: skip
_DENIED_CODES = frozenset({
    "AccessDenied", "AccessDeniedException", "UnauthorizedOperation", "NotAuthorized", "Forbidden", "403",
})  # fmt: skip
_NOT_AUTHORIZED = re.compile(
    r"not authorized to perform:? (?P<action>[\w-]+:\w+)(?: on resource:? \"?(?P<on>[^\s\"]+))?"
)
_EXPLICIT = re.compile(r"explicit deny in an? (?P<where>[\w -]+?policy)")
_HANDLER = re.compile(r'^Resource handler returned message: "(?P<said>.*)" \(RequestToken: .*\)$', re.DOTALL)
_REQUEST_ID = re.compile(r" ?\((?:Service: [^()]*|[\w, :-]*Request ID: [\w-]*[^()]*)\)")
_ACCOUNT = re.compile(r"(?<![\w-])\d{12}(?![\w-])")
# S3 does not say which action it denies. Source: service authorization reference, Amazon S3, read 2026-11-21.
_S3_ACTIONS = {
    "HeadObject": "s3:GetObject",
    "GetObject": "s3:GetObject",
    "PutObject": "s3:PutObject",
    "HeadBucket": "s3:ListBucket",
    "ListObjectsV2": "s3:ListBucket",
    "ListObjectVersions": "s3:ListBucketVersions",
    "DeleteObjects": "s3:DeleteObject",
    "CreateBucket": "s3:CreateBucket",
    "DeleteBucket": "s3:DeleteBucket",
}


def explain(error: ClientError | BotoCoreError) -> Failure:
    """Say what an error of boto3 means."""
    if isinstance(error, ClientError):
        answer = error.response.get("Error", {})
        code, message = str(answer.get("Code", "")), str(answer.get("Message", ""))
        return _meaning(code, message, error.operation_name)
    if isinstance(error, ConnectTimeoutError | ReadTimeoutError):
        to_do = f"Whether it was done is not known. {_AGAIN}"
        return Failure(kind=Kind.TIMED_OUT, said="AWS did not answer in time.", to_do=to_do)
    if isinstance(error, UnreachableError):
        return Failure(kind=Kind.UNREACHABLE, said="AWS can't be reached.", to_do=f"Check the network. {_AGAIN}")
    if isinstance(error, NoRegionError):
        to_do = "Set AWS_REGION, or a Region in the AWS configuration."
        return Failure(kind=Kind.OTHER, said="No Region is chosen.", to_do=to_do)
    if isinstance(error, NoCredentialsError | PartialCredentialsError | CredentialRetrievalError | SSOError):
        to_do = "Log in (aws configure, aws sso login), or start the sandbox: python -m sandbox up."
        return Failure(kind=Kind.CREDENTIALS, said="There are no AWS credentials, or they can't be read.", to_do=to_do)
    return Failure(kind=Kind.OTHER, said=f"AWS could not be asked: {_anonymous(str(error))}.", to_do="")


def explain_reason(reason: str) -> Failure:
    """Say what the reason of a stack's event means.

    >>> explain_reason("The specified bucket does not exist (Service: S3)").kind.value
    'no_bucket'
    """
    quoted = _HANDLER.match(reason)
    return _meaning("", quoted["said"] if quoted else reason, "")


def _meaning(code: str, message: str, operation: str) -> Failure:
    said = _sentence(message or code or "no reason was given", operation)
    denied = _NOT_AUTHORIZED.search(message)
    if denied or code in _DENIED_CODES:
        action = denied["action"] if denied else _S3_ACTIONS.get(operation)
        return _denied(message, action, denied["on"] if denied else None)
    lower = message.lower()
    for known in _KNOWN:
        if code in known.codes or any(word in lower for word in known.words):
            return Failure(kind=known.kind, said=said, to_do=known.to_do)
    return Failure(kind=Kind.OTHER, said=said, to_do="")


def _denied(message: str, action: str | None, resource: str | None) -> Failure:
    if action is None:
        to_do = "Ask the account's administrator; CloudTrail has the denied call."
        return Failure(kind=Kind.DENIED, said=_sentence(message, ""), to_do=to_do)
    on = _anonymous(resource.rstrip(".,;)")) if resource else "*"
    explicit = _EXPLICIT.search(message)
    if explicit:
        to_do = f"A {explicit['where']} forbids it: only who owns that policy can allow it."
    else:
        to_do = "Add the statement to a policy of who asks, then run the same again."
    return Failure(
        kind=Kind.DENIED,
        said=f"The permission {action} is missing" + (f" on {on}." if resource else "."),
        to_do=to_do,
        statement={"Effect": "Allow", "Action": action, "Resource": on},
        action=action,
    )


def _sentence(message: str, operation: str) -> str:
    text = _anonymous(_REQUEST_ID.sub("", message)).strip()
    text = f"{operation}: {text}" if operation else text
    return text if text.endswith((".", "!", "?")) else f"{text}."


def _anonymous(text: str) -> str:
    """The text without the numbers of accounts."""
    return _ACCOUNT.sub("*", text)
