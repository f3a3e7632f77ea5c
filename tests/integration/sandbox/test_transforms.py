import json

import pytest
from botocore.exceptions import ClientError

from sandbox.samples.archive import model_archive
from tests.hosting import keys
from tests.sandboxed import until

BUCKET = "batches"
GIVEN = ("TransformJobName", "ModelName", "TransformInput", "TransformOutput", "TransformResources")

SCRIPT = """
def model_fn(folder):
    return None

def predict_fn(rows, model):
    return (rows[:, 2] > 2.5) * 2
"""


@pytest.fixture(scope="session")
def s3(sandbox):
    s3 = sandbox.client("s3")
    s3.create_bucket(Bucket=BUCKET)
    flowers = ["a,5.1,3.5,1.4,0.2", "b,6.3,3.3,6,2.5", "c,5.1,3.5,1.4,0.2"]
    s3.put_object(Bucket=BUCKET, Key="flowers/one.csv", Body="\n".join(flowers[:2]).encode())
    s3.put_object(Bucket=BUCKET, Key="flowers/deep/two.csv", Body=(flowers[2] + "\n").encode())
    return s3


@pytest.fixture(scope="session")
def model(hosting, s3) -> str:
    """A script that is quick to start: the species of a flower by the length of its petals."""
    archive = model_archive({"code/inference.py": SCRIPT.encode()})
    hosting.sandbox.client("s3").put_object(Bucket=BUCKET, Key="model.tar.gz", Body=archive)
    container = hosting.container("iris/model.tar.gz", ModelDataUrl=f"s3://{BUCKET}/model.tar.gz")
    return hosting.model(container)


@pytest.fixture
def transform(hosting, model):
    def run(source: str, *, content_type: str = "text/csv", accept: str = "text/csv", **members) -> dict:
        name = hosting.name("job")
        uri = f"s3://{BUCKET}/{source}"
        described = {
            "TransformJobName": name,
            "ModelName": model,
            "TransformInput": {
                "DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": uri}},
                "ContentType": content_type,
                "SplitType": "Line",
            },
            "TransformOutput": {"S3OutputPath": f"s3://{BUCKET}/{name}", "Accept": accept, "AssembleWith": "Line"},
            "TransformResources": {"InstanceType": "ml.m5.large", "InstanceCount": 1},
        }
        hosting.sagemaker.create_transform_job(**{**described, **members})

        def finished() -> dict | None:
            job = hosting.sagemaker.describe_transform_job(TransformJobName=name)
            return job if job["TransformJobStatus"] in {"Completed", "Failed", "Stopped"} else None

        return until(finished, within_s=60)

    return run


def outputs(s3, job: dict) -> dict[str, str]:
    name = job["TransformJobName"]
    return {
        key.removeprefix(f"{name}/"): s3.get_object(Bucket=BUCKET, Key=key)["Body"].read().decode()
        for key in keys(s3, BUCKET, name)
    }


def test_each_object_becomes_one_and_records_are_filtered_and_joined(s3, transform):
    job = transform(
        "flowers/",
        DataProcessing={"InputFilter": "$[1:]", "JoinSource": "Input", "OutputFilter": "$[0,-1]"},
        DataCaptureConfig={"DestinationS3Uri": f"s3://{BUCKET}/captured", "GenerateInferenceId": False},
        Tags=[{"Key": "team", "Value": "a"}],
    )
    assert job["TransformJobStatus"] == "Completed", job.get("FailureReason")
    assert outputs(s3, job) == {"one.csv.out": "a,0\nb,2\n", "deep/two.csv.out": "c,0\n"}
    assert job["CreationTime"] <= job["TransformStartTime"] <= job["TransformEndTime"]
    manifests = [key for key in keys(s3, BUCKET, "captured/") if key.endswith(".jsonl")]
    assert {key.split("/")[1] for key in manifests} == {"input", "output"}
    read = json.loads(s3.get_object(Bucket=BUCKET, Key=manifests[0])["Body"].read())
    assert read == [{"prefix": f"s3://{BUCKET}/flowers/deep/"}, "two.csv", f"s3://{BUCKET}/flowers/one.csv"]


def test_json_records_carry_the_answer_and_an_inference_id(s3, transform):
    rows = [{"id": 1, "features": [5.1, 3.5, 1.4, 0.2]}, {"id": 2, "features": [6.3, 3.3, 6, 2.5]}]
    s3.put_object(Bucket=BUCKET, Key="rows.jsonl", Body="\n".join(map(json.dumps, rows)).encode())
    job = transform(
        "rows.jsonl",
        content_type="application/json",
        accept="application/json",
        BatchStrategy="SingleRecord",
        MaxConcurrentTransforms=4,
        DataProcessing={"InputFilter": "$.features", "JoinSource": "Input"},
        DataCaptureConfig={"DestinationS3Uri": f"s3://{BUCKET}/captured", "GenerateInferenceId": True},
    )
    assert job["TransformJobStatus"] == "Completed", job.get("FailureReason")
    lines = [json.loads(line) for line in outputs(s3, job)["rows.jsonl.out"].splitlines()]
    assert [(line["id"], line["SageMakerOutput"]) for line in lines] == [(1, [0]), (2, [2])]
    assert len({line["SageMakerInferenceId"] for line in lines}) == 2


@pytest.mark.parametrize(
    ("source", "members", "reason"),
    [
        ("nothing/", {}, "no objects under s3://batches/nothing/"),
        (
            "flowers/one.csv",
            {"DataProcessing": {"InputFilter": "$[0]"}},
            "Received server error \\(500\\) from primary",
        ),
        ("flowers/one.csv", {"DataProcessing": {"InputFilter": "$[9]"}}, "A record has no \\[9\\]"),
    ],
)
def test_a_job_that_can_not_be_done_says_why(transform, source, members, reason):
    job = transform(source, **members)
    assert job["TransformJobStatus"] == "Failed"
    with pytest.raises(AssertionError, match=reason):
        raise AssertionError(job["FailureReason"])


def test_a_name_is_used_once(hosting, transform, s3):
    job = transform("flowers/one.csv", DataProcessing={"InputFilter": "$[1:]"})
    with pytest.raises(ClientError, match="Job name must be unique within an AWS account and region") as caught:
        hosting.sagemaker.create_transform_job(**{name: job[name] for name in GIVEN})
    assert caught.value.response["Error"]["Code"] == "ResourceInUse"
    with pytest.raises(ClientError, match="is in status Completed"):
        hosting.sagemaker.stop_transform_job(TransformJobName=job["TransformJobName"])
    (listed,) = hosting.sagemaker.list_transform_jobs(NameContains=job["TransformJobName"])["TransformJobSummaries"]
    assert listed["TransformJobStatus"] == "Completed"
