"""Calls from CloudFormation to the other services: through the gateway, as any client's."""

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from botocore.exceptions import ClientError, HTTPClientError, ParamValidationError
from botocore.model import Shape

from sandbox.services.cloudformation.document import Invalid

_PAUSES_S: Final = (0.1, 0.2, 0.4, 0.8, 1.6)  # before a call that was refused for the moment is tried again
_FOR_THE_MOMENT: Final = frozenset({"Throttling", "ThrottlingException", "ExpiredTokenException", "InternalFailure"})
_ABSENT: Final = frozenset({
    "NoSuchEntity", "NotFound", "NotFoundException", "ResourceNotFoundException", "ResourceNotFound", "NoSuchBucket",
    "404", "ParameterNotFound", "AWS.SimpleQueueService.NonExistentQueue", "QueueDoesNotExist", "NoSuchBucketPolicy",
    "ObjectNotFoundException",
})  # fmt: skip
_ABSENT_WORDS: Final = ("could not find", "does not exist")
# CloudFormation CLI user guide, "Handler error codes", read 2026-11-21. An error's code contains the first word.
_HANDLER_CODES: Final = (
    ("AlreadyExist", "AlreadyExists"), ("AlreadyOwned", "AlreadyExists"), ("NotFound", "NotFound"),
    ("NoSuch", "NotFound"), ("AccessDenied", "AccessDenied"), ("LimitExceeded", "ServiceLimitExceeded"),
    ("Throttling", "Throttling"), ("ExpiredToken", "InvalidCredentials"), ("Conflict", "ResourceConflict"),
    ("Validation", "InvalidRequest"), ("Invalid", "InvalidRequest"), ("Malformed", "InvalidRequest"),
)  # fmt: skip


class Refused(Exception):
    """A resource that can't be had as asked for, with the reason that the event shows."""

    def __init__(self, message: str, code: str = "InvalidRequest") -> None:
        super().__init__(message)
        self.message = message
        self.code = code

    @classmethod
    def by_service(cls, error: ClientError) -> "Refused":
        """Tell what a service answered, as CloudFormation quotes it."""
        answer = error.response
        code, said = answer["Error"]["Code"], answer["Error"].get("Message", "")
        status = answer["ResponseMetadata"]["HTTPStatusCode"]
        request = answer["ResponseMetadata"].get("RequestId", "")
        handler_code = next((known for word, known in _HANDLER_CODES if word in code), "GeneralServiceException")
        if "already exist" in said.lower():
            handler_code = "AlreadyExists"
        return cls(
            f"{said} ({error.operation_name}, {code}, Status Code: {status}, Request ID: {request})", handler_code
        )


@dataclass(frozen=True, slots=True)
class Calls:
    """The services of one region."""

    client: Callable[[str], Any]  # name of a service -> boto3 client
    account: str
    region: str

    def __call__(self, service: str, operation: str, **parameters: Any) -> Any:
        """Call an operation with properties of a template as parameters.

        Raises: Refused if a parameter is unknown, missing or of a wrong type; ClientError if the service refuses.
        """
        client = self.client(service)
        name = client.meta.method_to_api_mapping[operation]
        shape = client.meta.service_model.operation_model(name).input_shape
        fitting = fitted(shape, parameters, "#")
        for pause_s in (*_PAUSES_S, None):
            try:
                return getattr(client, operation)(**fitting)
            except ParamValidationError as err:
                raise Refused(f"Properties validation failed with message: {err}") from err
            except ClientError as err:
                if pause_s is None or err.response["Error"]["Code"] not in _FOR_THE_MOMENT:
                    raise
                time.sleep(pause_s)
            except HTTPClientError as err:
                if pause_s is None:
                    raise Refused(f"{service} can not be reached: {err}", "NetworkFailure") from err
                time.sleep(pause_s)
        raise AssertionError  # the last round returns or raises

    def lookup(self, service: str, operation: str, **parameters: Any) -> Any | None:
        """Call an operation that describes something; None if that does not exist."""
        try:
            return self(service, operation, **parameters)
        except ClientError as err:
            error = err.response["Error"]
            said = error.get("Message", "").lower()
            if error["Code"] in _ABSENT or any(word in said for word in _ABSENT_WORDS):
                return None
            raise

    def take(self, service: str, operation: str, **parameters: Any) -> None:
        """Call an operation that takes something away; what is not there, or never could be, is no error."""
        try:
            self.lookup(service, operation, **parameters)
        except Refused as err:
            if err.code != "InvalidRequest":
                raise
        except ClientError as err:
            if Refused.by_service(err).code != "InvalidRequest":
                raise

    def arn(self, service: str, resource: str) -> str:
        """Name something of this account and region."""
        return f"arn:aws:{service}:{self.region}:{self.account}:{resource}"


def fitted(shape: Shape, value: Any, path: str) -> Any:
    """Turn the texts of a template into the types of a shape, as CloudFormation does, and objects into JSON text.

    Raises: Refused if a member is unknown or can't be turned.
    """
    kind = shape.type_name
    if kind == "structure":
        _expect(value, dict, path)
        for name in value:
            if name not in shape.members:
                raise Refused(
                    f"Properties validation failed with message: {path}: extraneous key [{name}] is not permitted"
                )
        return {name: fitted(shape.members[name], item, f"{path}/{name}") for name, item in value.items()}
    if kind == "list":
        _expect(value, list, path)
        return [fitted(shape.member, item, f"{path}/{index}") for index, item in enumerate(value)]
    if kind == "map":
        _expect(value, dict, path)
        return {name: fitted(shape.value, item, f"{path}/{name}") for name, item in value.items()}
    return _scalar(kind, value, path)


def _scalar(kind: str, value: Any, path: str) -> Any:
    if kind == "string" and isinstance(value, dict | list):
        return json.dumps(value)
    if kind == "string" and not isinstance(value, str):
        return json.dumps(value)
    is_number = kind in {"integer", "long", "float", "double"}
    if is_number and isinstance(value, bool):
        raise _mismatch(path, kind, value)
    try:
        if kind in {"integer", "long"}:
            return int(value) if isinstance(value, str) else int(str(value).removesuffix(".0"))
        if is_number:
            return float(value)
    except (TypeError, ValueError) as err:
        raise _mismatch(path, kind, value) from err
    if kind == "boolean" and not isinstance(value, bool):
        if str(value).lower() not in {"true", "false"}:
            raise _mismatch(path, kind, value)
        return str(value).lower() == "true"
    return value


def _expect(value: Any, kind: type, path: str) -> None:
    if not isinstance(value, kind):
        raise _mismatch(path, "JSONObject" if kind is dict else "JSONArray", value)


def _mismatch(path: str, expected: str, value: Any) -> Refused:
    shown = str(value)[:100]
    return Refused(f"Properties validation failed with message: {path}: expected type: {expected}, found: {shown!r}")


def stored_parameter(call: Calls) -> Callable[[str], str]:
    """Give what looks a name up in the parameter store. Raises (later): Invalid if there is no such name."""

    def value(name: str) -> str:
        found = call.lookup("ssm", "get_parameter", Name=name)
        if found is None:
            raise Invalid(f"Unable to fetch parameters [{name}] from parameter store for this account.")
        return str(found["Parameter"]["Value"])

    return value


def tag_changes(before: Mapping[str, str], after: Mapping[str, str]) -> tuple[dict[str, str], list[str]]:
    """Give the tags to set and the keys to remove."""
    set_ = {key: value for key, value in after.items() if before.get(key) != value}
    return set_, sorted(set(before) - set(after))
