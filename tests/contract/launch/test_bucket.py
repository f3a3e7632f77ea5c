"""The calls that make the program's bucket, and their shapes."""

import boto3
import pytest
from botocore.exceptions import ClientError
from botocore.stub import Stubber

from launch.bucket import make_bucket
from launch.errors import CloudError
from sandbox.settings import ACCESS_KEY, SECRET_KEY

ACCOUNT = "111122223333"
OWNER = {"ExpectedBucketOwner": ACCOUNT}


@pytest.fixture
def s3():
    client = boto3.client("s3", region_name="us-east-1", aws_access_key_id=ACCESS_KEY, aws_secret_access_key=SECRET_KEY)
    with Stubber(client) as stubber:
        yield client, stubber
        stubber.assert_no_pending_responses()


def looked_for(stubber, name, code="404"):
    stubber.add_client_error("head_bucket", code, http_status_code=int(code), expected_params={"Bucket": name, **OWNER})


def closed(stubber, name):
    blocked = dict.fromkeys(("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets"), True)
    stubber.add_response(
        "put_public_access_block", {}, {"Bucket": name, "PublicAccessBlockConfiguration": blocked, **OWNER}
    )
    rule = {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}
    stubber.add_response(
        "put_bucket_encryption",
        {},
        {"Bucket": name, "ServerSideEncryptionConfiguration": {"Rules": [rule]}, **OWNER},
    )


@pytest.mark.parametrize(
    ("region", "where"),
    [
        ("us-east-1", {}),
        ("eu-west-1", {"CreateBucketConfiguration": {"LocationConstraint": "eu-west-1"}}),
    ],
)
def test_a_bucket_is_made_in_its_region_and_closed(s3, region, where):
    client, stubber = s3
    looked_for(stubber, "mine")
    stubber.add_response("create_bucket", {}, {"Bucket": "mine", "ObjectOwnership": "BucketOwnerEnforced", **where})
    closed(stubber, "mine")
    make_bucket(client, "mine", region=region, account=ACCOUNT)


def test_a_bucket_that_is_there_keeps_its_settings(s3):
    client, stubber = s3
    stubber.add_response("head_bucket", {}, {"Bucket": "mine", **OWNER})
    make_bucket(client, "mine", region="us-east-1", account=ACCOUNT)


def test_a_bucket_that_another_process_made_meanwhile_is_ours(s3):
    client, stubber = s3
    looked_for(stubber, "mine")
    stubber.add_client_error("create_bucket", "BucketAlreadyOwnedByYou", http_status_code=409)
    closed(stubber, "mine")
    make_bucket(client, "mine", region="us-east-1", account=ACCOUNT)


def test_a_bucket_of_another_account_is_not_used(s3):
    client, stubber = s3
    looked_for(stubber, "theirs", "403")
    with pytest.raises(CloudError, match="another account has its name") as raised:
        make_bucket(client, "theirs", region="us-east-1", account=ACCOUNT)
    assert raised.value.failure.statement["Resource"] == "arn:aws:s3:::theirs"


def test_a_name_that_another_account_takes_meanwhile_is_not_used(s3):
    client, stubber = s3
    looked_for(stubber, "theirs")
    stubber.add_client_error("create_bucket", "BucketAlreadyExists", http_status_code=409)
    with pytest.raises(ClientError, match="BucketAlreadyExists"):
        make_bucket(client, "theirs", region="us-east-1", account=ACCOUNT)
