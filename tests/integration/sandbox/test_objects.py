import os
import urllib.request

import pytest
from botocore.exceptions import ClientError

BUCKET = "things"
STRANGE_KEYS = [
    "plain.csv",
    "folder/",
    "folder/inside.json",
    "both",
    "both/and.csv",
    "a//b",
    "../up/../../etc/passwd",
    "./dot",
    "%41 + ü&=?#.csv.gz",
    "long/" + "x" * 900,
]


@pytest.fixture(scope="session")
def s3(sandbox):
    s3 = sandbox.client("s3")
    s3.create_bucket(Bucket=BUCKET)
    return s3


def test_any_key_is_kept_as_it_is(s3):
    s3.create_bucket(Bucket="strange")
    for key in STRANGE_KEYS:
        s3.put_object(Bucket="strange", Key=key, Body=key.encode())
    listed = [entry["Key"] for entry in s3.list_objects_v2(Bucket="strange")["Contents"]]
    assert listed == sorted(STRANGE_KEYS)
    assert [s3.get_object(Bucket="strange", Key=key)["Body"].read().decode() for key in STRANGE_KEYS] == STRANGE_KEYS


def test_no_file_leaves_the_state_folder(sandbox, s3):
    s3.put_object(Bucket=BUCKET, Key="../../../out", Body=b"x")
    assert not (sandbox.settings.folder.parent / "out").exists()
    assert not (sandbox.settings.folder / "out").exists()


def test_a_plain_key_is_a_file_of_that_name(sandbox, s3):
    s3.put_object(Bucket=BUCKET, Key="data/year=2026/part.csv", Body=b"1,2")
    path = sandbox.settings.folder / "s3" / BUCKET / "data/year=2026/part.csv"
    assert path.read_bytes() == b"1,2"
    s3.delete_object(Bucket=BUCKET, Key="data/year=2026/part.csv")
    assert not path.exists()


def test_parts_of_an_upload_become_one_object(s3, tmp_path):
    content = os.urandom(9 * 1024 * 1024)
    (tmp_path / "large").write_bytes(content)
    s3.upload_file(str(tmp_path / "large"), BUCKET, "large.bin")
    assert s3.get_object(Bucket=BUCKET, Key="large.bin")["Body"].read() == content
    part = s3.get_object(Bucket=BUCKET, Key="large.bin", Range="bytes=10-19")
    assert part["Body"].read() == content[10:20]


def test_many_are_deleted_at_once(s3):
    for number in range(3):
        s3.put_object(Bucket=BUCKET, Key=f"heap/{number}", Body=b"x")
    s3.delete_objects(Bucket=BUCKET, Delete={"Objects": [{"Key": "heap/0"}, {"Key": "heap/2"}]})
    assert [entry["Key"] for entry in s3.list_objects_v2(Bucket=BUCKET, Prefix="heap/")["Contents"]] == ["heap/1"]


def test_a_presigned_link_serves_the_object(s3):
    s3.put_object(Bucket=BUCKET, Key="shared", Body=b"for you")
    link = s3.generate_presigned_url("get_object", Params={"Bucket": BUCKET, "Key": "shared"})
    with urllib.request.urlopen(link) as answer:
        assert answer.read() == b"for you"


@pytest.mark.parametrize(
    "damaged",
    [
        {"ContentMD5": "AAAAAAAAAAAAAAAAAAAAAA=="},
        {"ChecksumCRC32": "AAAAAA=="},
        {"ChecksumSHA256": "A" * 43 + "="},
    ],
    ids=str,
)
def test_an_upload_that_is_not_what_was_sent_is_refused(sandbox, damaged):
    s3 = sandbox.client("s3")
    s3.create_bucket(Bucket="damaged")
    s3.put_object(Bucket="damaged", Key="k", Body=b"whole")
    with pytest.raises(ClientError, match="BadDigest"):
        s3.put_object(Bucket="damaged", Key="k", Body=b"other", **damaged)
    assert s3.get_object(Bucket="damaged", Key="k")["Body"].read() == b"whole"
