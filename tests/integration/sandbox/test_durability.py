"""What was answered is still there after a power cut."""

import threading

from tests.sandboxed import until


def test_every_answered_change_survives_the_death_of_the_process(own_sandbox):
    s3, sqs, ssm = (own_sandbox.client(name) for name in ("s3", "sqs", "ssm"))
    s3.create_bucket(Bucket="kept")
    s3.put_bucket_tagging(Bucket="kept", Tagging={"TagSet": [{"Key": "team", "Value": "a"}]})
    s3.put_object(Bucket="kept", Key="a/b", Body=b"1", Metadata={"who": "me"}, ContentType="text/csv", Tagging="x=y")
    s3.put_object(Bucket="kept", Key="gone", Body=b"1")
    s3.delete_object(Bucket="kept", Key="gone")
    before = s3.head_object(Bucket="kept", Key="a/b")
    queue = sqs.create_queue(QueueName="kept")["QueueUrl"]
    sqs.send_message(QueueUrl=queue, MessageBody="wait for me")
    ssm.put_parameter(Name="/kept", Value="1", Type="String")
    own_sandbox.client("iam").create_role(RoleName="kept", AssumeRolePolicyDocument="{}")
    own_sandbox.client("glue").create_database(DatabaseInput={"Name": "kept"})

    url = own_sandbox.url
    own_sandbox.kill()
    own_sandbox.start_again()

    assert own_sandbox.url == url
    s3, sqs, ssm = (own_sandbox.client(name) for name in ("s3", "sqs", "ssm"))
    assert s3.get_bucket_tagging(Bucket="kept")["TagSet"] == [{"Key": "team", "Value": "a"}]
    assert [entry["Key"] for entry in s3.list_objects_v2(Bucket="kept")["Contents"]] == ["a/b"]
    after = s3.head_object(Bucket="kept", Key="a/b")
    facts = ("ETag", "LastModified", "ContentLength", "ContentType", "Metadata")
    assert {name: after[name] for name in facts} == {name: before[name] for name in facts}
    assert s3.get_object_tagging(Bucket="kept", Key="a/b")["TagSet"] == [{"Key": "x", "Value": "y"}]
    assert sqs.receive_message(QueueUrl=queue)["Messages"][0]["Body"] == "wait for me"
    assert ssm.get_parameter(Name="/kept")["Parameter"]["Value"] == "1"
    assert own_sandbox.client("iam").get_role(RoleName="kept")["Role"]["RoleName"] == "kept"
    assert own_sandbox.client("glue").get_database(Name="kept")["Database"]["Name"] == "kept"


def test_no_half_written_object_is_served_after_a_cut_in_the_middle_of_writes(own_sandbox):
    s3 = own_sandbox.client("s3")
    s3.create_bucket(Bucket="busy")
    answered: dict[str, bytes] = {}

    def write() -> None:
        for number in range(10_000):
            content = bytes([number % 251]) * 200_000
            try:
                s3.put_object(Bucket="busy", Key=f"{number % 7}", Body=content)
            except Exception:  # noqa: BLE001 (the power is gone)
                return
            answered[f"{number % 7}"] = content

    writer = threading.Thread(target=write)
    writer.start()
    until(lambda: len(answered) == 7)
    own_sandbox.kill()
    writer.join()
    own_sandbox.start_again()
    s3 = own_sandbox.client("s3")
    served = {key: s3.get_object(Bucket="busy", Key=key)["Body"].read() for key in answered}
    assert all(len(content) == 200_000 and len(set(content)) == 1 for content in served.values())
    # The one that was on its way when the power went may be there or not.
    assert sum(served[key] != content for key, content in answered.items()) <= 1


def test_what_cannot_be_read_is_set_aside_and_said(own_sandbox):
    folder = own_sandbox.settings.folder
    own_sandbox.client("sqs").create_queue(QueueName="lost")
    own_sandbox.client("s3").create_bucket(Bucket="lost")
    own_sandbox.stop()
    (pickled,) = folder.glob("moto-*/sqs.pickle")
    pickled.write_bytes(b"not a pickle")
    (folder / "objects.sqlite").write_bytes(b"not a database" * 100)
    for suffix in ("-wal", "-shm"):  # left by a process that was ended before it could close the file
        (folder / f"objects.sqlite{suffix}").unlink(missing_ok=True)
    own_sandbox.start_again()
    assert "QueueUrls" not in own_sandbox.client("sqs").list_queues()
    assert own_sandbox.client("s3").list_buckets()["Buckets"] == []
    assert list(folder.glob("objects.sqlite.unreadable-*"))
    assert list(folder.glob("moto-*/sqs.pickle.unreadable-*"))
    log = (folder / "sandbox.log").read_text()
    assert "sqs.pickle could not be read" in log
    assert "objects.sqlite could not be read" in log
