import pytest

from sandbox.access import refuse_strangers, scope_of
from sandbox.errors import AwsError


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:80", "127.0.0.1:65535", "[::1]:1"])
def test_loopback_names_are_taken(host):
    refuse_strangers({"host": host})
    refuse_strangers({"host": host, "origin": f"http://{host}", "sec-fetch-site": "same-origin"})


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"host": ""},
        {"host": "localhost.example"},
        {"host": "127.0.0.2"},
        {"host": "127.0.0.1:80\n"},
        {"host": "localhost", "origin": "http://localhost:8501"},
        {"host": "localhost", "origin": "null"},
        {"host": "localhost", "sec-fetch-site": "same-site"},
    ],
    ids=str,
)
def test_strangers_are_refused(headers):
    with pytest.raises(AwsError) as caught:
        refuse_strangers(headers)
    assert (caught.value.code, caught.value.status) == ("AccessDenied", 403)


def test_the_scope_names_key_region_and_service():
    header = "AWS4-HMAC-SHA256 Credential=AKIA1/20260101/eu-west-1/monitoring/aws4_request, SignedHeaders=host"
    scope = scope_of({"authorization": header}, "")
    assert (scope.access_key, scope.region, scope.service) == ("AKIA1", "eu-west-1", "monitoring")
    link = "X-Amz-Credential=AKIA1%2F20260101%2Feu-west-1%2Fs3%2Faws4_request&X-Amz-Signature=0"
    assert scope_of({}, link).service == "s3"
    assert scope_of({}, "AWSAccessKeyId=AKIA1&Signature=0&Expires=1").service == "s3"


@pytest.mark.parametrize("header", ["", "AWS4-HMAC-SHA256", "Credential=a/b/c", "Basic eA==", "Credential=a/1/r/s/x"])
def test_what_is_not_signed_has_no_scope(header):
    assert scope_of({"authorization": header}, "X-Amz-Credential=a%2Fb") is None
