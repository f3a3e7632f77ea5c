"""The program's bucket: private, encrypted, made when it is missing; archives lie in it under their content.

One bucket an account and Region. What is already in it is never written again.
"""

import threading
from dataclasses import replace
from typing import Any

from botocore.exceptions import ClientError

from launch.errors import CloudError
from launch.failures import Failure, explain
from launch.packaging import Packed

_HOME_REGION = "us-east-1"  # the one Region that a bucket's creation must not name
_making = threading.Lock()


def bucket_name(account: str, region: str) -> str:
    """Give the bucket's name."""
    return f"hostfit-{account}-{region}"


def archive_uri(bucket: str, sha256: str, name: str = "model.tar.gz") -> str:
    """Give the address of an archive by its content."""
    return f"s3://{bucket}/models/{sha256}/{name}"


def split_uri(uri: str) -> tuple[str, str]:
    """Give bucket and key of an S3 URI.

    >>> split_uri("s3://models/iris/model.tar.gz")
    ('models', 'iris/model.tar.gz')
    """
    bucket, _, key = uri.removeprefix("s3://").partition("/")
    return bucket, key


def code_of(err: ClientError) -> str:
    """Give the code of an error, or its status where S3 answers without a body."""
    return str(err.response.get("Error", {}).get("Code", ""))


def is_missing(err: ClientError) -> bool:
    """Whether an error says that there is no such object or bucket."""
    return code_of(err) in {"404", "NoSuchKey", "NoSuchBucket", "NotFound"}


def make_bucket(s3: Any, bucket: str, *, region: str, account: str) -> None:
    """Make the bucket unless it is there; one that is there keeps its settings.

    S3 makes every bucket private, encrypted and owned by the account; the calls after its creation say so once more,
    so nothing is open if the program ends between them.
    Raises: CloudError when another account has the name or we may not look; ClientError.
    """
    with _making:
        try:
            s3.head_bucket(Bucket=bucket, ExpectedBucketOwner=account)
        except ClientError as err:
            if code_of(err) in {"403", "AccessDenied"}:
                raise CloudError(_unusable(err, bucket)) from err
            if not is_missing(err):
                raise
        else:
            return
        where = {} if region == _HOME_REGION else {"CreateBucketConfiguration": {"LocationConstraint": region}}
        try:
            s3.create_bucket(Bucket=bucket, ObjectOwnership="BucketOwnerEnforced", **where)
        except ClientError as err:
            if code_of(err) != "BucketAlreadyOwnedByYou":  # a second replica came first
                raise
        names = ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets")
        s3.put_public_access_block(
            Bucket=bucket,
            PublicAccessBlockConfiguration=dict.fromkeys(names, True),
            ExpectedBucketOwner=account,
        )
        rule = {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}
        s3.put_bucket_encryption(
            Bucket=bucket, ServerSideEncryptionConfiguration={"Rules": [rule]}, ExpectedBucketOwner=account
        )


def _unusable(err: ClientError, bucket: str) -> Failure:
    """S3 refuses a bucket of another account and one that we may not look at in the same words."""
    said = (
        f"The bucket {bucket} can't be used: another account has its name, or the permission s3:ListBucket is missing."
    )
    statement = {"Effect": "Allow", "Action": "s3:ListBucket", "Resource": f"arn:aws:s3:::{bucket}"}
    return replace(explain(err), said=said, statement=statement)


def upload(s3: Any, archive: Packed, uri: str, *, account: str) -> None:
    """Put an archive at its address unless it is there. Raises: ClientError."""
    bucket, key = split_uri(uri)
    try:
        there = s3.head_object(Bucket=bucket, Key=key, ExpectedBucketOwner=account)
    except ClientError as err:
        if not is_missing(err):
            raise
    else:
        if there["ContentLength"] == archive.size_bytes:
            return
    extra = {"ContentType": "application/gzip", "ExpectedBucketOwner": account}
    s3.upload_file(str(archive.path), bucket, key, ExtraArgs=extra)
