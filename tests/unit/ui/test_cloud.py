"""What the screens ask of an account, where it refuses or has nothing."""

import pytest
from botocore.exceptions import ClientError

from launch.errors import CloudError
from ui import account, cloud


@pytest.fixture
def bucket(monkeypatch):
    """Let the bucket of the samples answer with an error."""
    here = account.Account(cloud="prod", id="111122223333", region="eu-west-1")
    monkeypatch.setattr(cloud, "here", lambda: here)
    monkeypatch.setattr(cloud, "place", lambda: cloud.Place("prod", None))

    def refuse(code):
        def ask(place, account_id):
            raise ClientError({"Error": {"Code": code, "Message": "no"}}, "GetObject")

        monkeypatch.setattr(cloud, "_samples", ask)

    return refuse


def test_a_bucket_of_somebody_else_holds_no_samples_of_ours(bucket):
    bucket("AccessDenied")
    assert cloud.samples_here() == ()


def test_another_refusal_is_told(bucket):
    bucket("SlowDown")
    with pytest.raises(CloudError, match="fewer calls"):
        cloud.samples_here()


def test_placeholders_of_addresses_are_filled(bucket):
    assert cloud.filled("s3://hostfit-{account}-{region}/x") == "s3://hostfit-111122223333-eu-west-1/x"
