"""How the texts of a template become parameters of calls, and refusals become reasons."""

import botocore.session
import pytest
from botocore.exceptions import ClientError

from sandbox.services.cloudformation.calls import Calls, Refused, fitted

SESSION = botocore.session.Session()


def shape(service, operation):
    return SESSION.get_service_model(service).operation_model(operation).input_shape


@pytest.mark.parametrize(
    ("service", "operation", "given", "fitting"),
    [
        ("cloudwatch", "PutMetricAlarm", {"Period": "60", "Threshold": "0.5"}, {"Period": 60, "Threshold": 0.5}),
        ("cloudwatch", "PutMetricAlarm", {"ActionsEnabled": "false"}, {"ActionsEnabled": False}),
        ("sqs", "CreateQueue", {"Attributes": {"DelaySeconds": 5}}, {"Attributes": {"DelaySeconds": "5"}}),
        ("iam", "CreateRole", {"AssumeRolePolicyDocument": {"a": 1}}, {"AssumeRolePolicyDocument": '{"a": 1}'}),
        ("sagemaker", "CreateModel", {"Containers": [{"Environment": {"A": True}}]},
         {"Containers": [{"Environment": {"A": "true"}}]}),
    ],
)  # fmt: skip
def test_texts_take_the_type_of_their_parameter(service, operation, given, fitting):
    assert fitted(shape(service, operation), given, "#") == fitting


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"PrimaryContainer": {"Imag": "x"}}, r"#/PrimaryContainer: extraneous key \[Imag\] is not permitted"),
        ({"Containers": {}}, "#/Containers: expected type: JSONArray"),
        ({"Containers": ["x"]}, "#/Containers/0: expected type: JSONObject"),
        ({"EnableNetworkIsolation": "perhaps"}, "#/EnableNetworkIsolation: expected type: boolean, found: 'perhaps'"),
    ],
)
def test_what_does_not_fit_is_named_by_its_place(given, words):
    with pytest.raises(Refused, match=words):
        fitted(shape("sagemaker", "CreateModel"), given, "#")


@pytest.mark.parametrize("value", ["six", "1.5", True, [], None])
def test_a_whole_number_is_asked_for(value):
    with pytest.raises(Refused, match="#/Period: expected type: integer"):
        fitted(shape("cloudwatch", "PutMetricAlarm"), {"Period": value}, "#")


class Client:
    """A client of SNS whose calls are refused with the given errors, one after the other, and then answered."""

    def __init__(self, *codes):
        self.codes = list(codes)
        self.meta = SESSION.create_client("sns", region_name="us-east-1").meta

    def unsubscribe(self, **_parameters):
        if self.codes:
            answer = {
                "Error": {"Code": self.codes.pop(0), "Message": "no"},
                "ResponseMetadata": {"HTTPStatusCode": 400},
            }
            raise ClientError(answer, "Unsubscribe")
        return {"done": True}


def calls(*codes):
    client = Client(*codes)
    return Calls(lambda _: client, "000000000000", "us-east-1")


def test_a_call_that_is_refused_for_the_moment_is_tried_again():
    assert calls("ThrottlingException", "ExpiredTokenException")("sns", "unsubscribe", SubscriptionArn="a") == {
        "done": True
    }
    with pytest.raises(ClientError):
        calls("AuthorizationError")("sns", "unsubscribe", SubscriptionArn="a")


def test_taking_away_what_is_not_there_or_never_could_be_is_no_error():
    for code in ("NotFound", "ValidationException", "InvalidParameter"):
        calls(code).take("sns", "unsubscribe", SubscriptionArn="a")
    with pytest.raises(ClientError):
        calls("AuthorizationError").take("sns", "unsubscribe", SubscriptionArn="a")


@pytest.mark.parametrize(
    ("code", "message", "handler_code"),
    [
        ("EntityAlreadyExists", "x", "AlreadyExists"),
        ("ValidationException", "Cannot create already existing model", "AlreadyExists"),
        ("ValidationException", "x", "InvalidRequest"),
        ("NoSuchEntity", "x", "NotFound"),
        ("ThrottlingException", "x", "Throttling"),
        ("ResourceLimitExceeded", "x", "ServiceLimitExceeded"),
        ("Strange", "x", "GeneralServiceException"),
    ],
)
def test_a_refusal_has_the_code_of_a_handler(code, message, handler_code):
    answer = {
        "Error": {"Code": code, "Message": message},
        "ResponseMetadata": {"HTTPStatusCode": 400, "RequestId": "r"},
    }
    refusal = Refused.by_service(ClientError(answer, "CreateModel"))
    assert refusal.code == handler_code
    assert refusal.message == f"{message} (CreateModel, {code}, Status Code: 400, Request ID: r)"
