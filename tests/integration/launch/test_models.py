"""Models of a request become containers on the sandbox, and what they serve is right."""

import hashlib
import io
import json
import shutil
import tarfile

import joblib
import numpy as np
import pytest
from sklearn.linear_model import LinearRegression

from fitness.errors import InputError
from launch.errors import CloudError
from launch.layouts import SCRIPT_VARIABLES
from launch.models import resolve
from launch.request import Model, Request
from sandbox.samples.archive import model_archive
from sandbox.samples.onnx_graph import classifier
from sandbox.settings import ACCOUNT, REGION
from tests.hosting import keys

BUCKET = f"hostfit-{ACCOUNT}-{REGION}"

DIGIT = "0,0,5,13,9,1,0,0,0,0,13,15,10,15,5,0,0,3,15,2,0,11,8,0,0,4,12,0,0,8,8,0,0,5,8,0,0,9,8,0,0,4,11,0,1,12,7,0,0,2,14,5,10,12,0,0,0,0,6,13,10,0,0,0"


def request(*models: Model, option: str = "real_time", **configuration) -> Request:
    return Request(
        name="x",
        option=option,
        region=REGION,
        configuration={"instance_type": "ml.m5.large", **configuration},
        models=models,
    )


def members(s3, url):
    bucket, _, key = url.removeprefix("s3://").partition("/")
    with tarfile.open(fileobj=io.BytesIO(s3.get_object(Bucket=bucket, Key=key)["Body"].read())) as tar:
        return {member.name: tar.extractfile(member).read() for member in tar}


def problems(made, clients):
    with pytest.raises(InputError) as raised:
        resolve(made, clients)
    return [str(problem) for problem in raised.value.problems]


@pytest.fixture
def serve(hosting):
    """Host the containers of a request and ask them."""

    def ask(made: Request, body: str) -> str:
        resolved = resolve(made, hosting.sandbox.client)
        model = hosting.model(
            *(
                {"Image": one.image, "ModelDataUrl": one.model_data_url, "Environment": dict(one.environment)}
                for one in resolved.containers
            )
        )
        endpoint = hosting.endpoint(hosting.config(model))
        answer = hosting.ask(endpoint, body)
        hosting.gone(endpoint)
        return answer

    return ask


@pytest.fixture
def line(tmp_path):
    """A folder with an estimator: y = 2 x."""
    folder = tmp_path / "line"
    folder.mkdir()
    joblib.dump(LinearRegression().fit([[0.0], [1.0]], [0.0, 2.0]), folder / "model.joblib")
    return folder


def test_a_folder_with_an_estimator_alone_is_served(serve, line):
    assert json.loads(serve(request(Model(source=str(line), framework="sklearn")), "21")) == pytest.approx([42.0])


def test_a_sample_is_served_by_the_script_that_the_image_needs(serve):
    assert serve(request(Model(source="sample:digits")), DIGIT) == "[0]"


def test_a_pipeline_passes_csv_on(serve):
    steps = (Model(source="sample:used-cars/preprocess"), Model(source="sample:used-cars/price"))
    assert 3_000 < float(serve(request(*steps, option="serial_pipeline"), "ford,3.5,42000")) < 20_000


def test_an_archive_is_uploaded_once_under_its_content(hosting, line):
    clients, s3 = hosting.sandbox.client, hosting.sandbox.client("s3")
    made = request(Model(source=str(line), framework="sklearn"))
    planned = resolve(made, clients, upload=False)
    resolved = resolve(made, clients)
    assert planned == resolved
    (container,) = resolved.containers
    _, _, key = container.model_data_url.removeprefix("s3://").partition("/")
    first = s3.head_object(Bucket=BUCKET, Key=key)["LastModified"]
    assert resolve(made, clients) == resolved
    assert s3.head_object(Bucket=BUCKET, Key=key)["LastModified"] == first
    assert sorted(members(s3, container.model_data_url)) == ["code/inference.py", "model.joblib"]


def test_an_archive_in_the_right_layout_is_uploaded_as_it_is_and_another_one_is_packed_anew(hosting, tmp_path):
    clients, s3 = hosting.sandbox.client, hosting.sandbox.client("s3")
    right, wrong = tmp_path / "right.tar.gz", tmp_path / "wrong.tar.gz"
    right.write_bytes(model_archive({"code/inference.py": b"x", "model.pt": b"y"}))
    wrong.write_bytes(model_archive({"inference.py": b"x", "model.pt": b"y"}))
    kept, packed = (
        resolve(request(Model(source=str(path), framework="pytorch")), clients).containers[0] for path in (right, wrong)
    )
    assert hashlib.sha256(right.read_bytes()).hexdigest() in kept.model_data_url
    assert members(s3, kept.model_data_url) == members(s3, packed.model_data_url)
    assert kept.environment == packed.environment == SCRIPT_VARIABLES


def test_hidden_files_of_an_archive_are_not_uploaded(hosting, tmp_path):
    path = tmp_path / "model.tar.gz"
    path.write_bytes(model_archive({"code/inference.py": b"x", "model.pt": b"y", "code/.env": b"SECRET=1"}))
    (found,) = resolve(request(Model(source=str(path), framework="pytorch")), hosting.sandbox.client).containers
    assert set(members(hosting.sandbox.client("s3"), found.model_data_url)) == {"code/inference.py", "model.pt"}


def test_a_variable_of_the_request_wins_over_that_of_the_layout(hosting, line):
    model = Model(source=str(line), framework="sklearn", environment={"SAGEMAKER_PROGRAM": "serve.py", "MORE": "1"})
    (line / "serve.py").write_text("")
    (container,) = resolve(request(model), hosting.sandbox.client, upload=False).containers
    assert container.environment == {**SCRIPT_VARIABLES, "SAGEMAKER_PROGRAM": "serve.py", "MORE": "1"}


def test_an_image_of_ones_own_takes_a_folder_as_it_is(hosting, line):
    model = Model(source=str(line), image="111122223333.dkr.ecr.us-east-1.amazonaws.com/mine:1", name="own")
    (container,) = resolve(request(model), hosting.sandbox.client).containers
    assert (container.image, container.name) == (model.image, "own")
    assert list(members(hosting.sandbox.client("s3"), container.model_data_url)) == ["model.joblib"]


def test_nothing_is_written_for_a_plan(own_sandbox, line):
    made = request(Model(source=str(line), framework="sklearn"))
    assert resolve(made, own_sandbox.client, upload=False).containers
    assert own_sandbox.client("s3").list_buckets()["Buckets"] == []


def test_the_bucket_is_made_for_requests_and_answers_even_where_no_model_goes_into_it(own_sandbox):
    s3 = own_sandbox.client("s3")
    s3.create_bucket(Bucket="models")
    s3.put_object(Bucket="models", Key="price.tar.gz", Body=b"")
    made = request(Model(source="s3://models/price.tar.gz", framework="xgboost"), option="async")
    resolve(made, own_sandbox.client)
    assert {one["Name"] for one in s3.list_buckets()["Buckets"]} == {BUCKET, "models"}


def test_an_address_may_name_the_programs_own_bucket(hosting, line):
    clients, s3 = hosting.sandbox.client, hosting.sandbox.client("s3")
    resolve(request(Model(source=str(line), framework="sklearn")), clients)
    s3.put_object(Bucket=BUCKET, Key="own/price.tar.gz", Body=b"")
    made = request(Model(source="s3://hostfit-{account}-{region}/own/price.tar.gz", framework="xgboost"))
    (container,) = resolve(made, clients).containers
    assert container.model_data_url == f"s3://{BUCKET}/own/price.tar.gz"


def test_the_bucket_is_made_private_and_encrypted(hosting, line):
    s3 = hosting.sandbox.client("s3")
    resolve(request(Model(source=str(line), framework="sklearn")), hosting.sandbox.client)
    assert all(s3.get_public_access_block(Bucket=BUCKET)["PublicAccessBlockConfiguration"].values())
    (rule,) = s3.get_bucket_encryption(Bucket=BUCKET)["ServerSideEncryptionConfiguration"]["Rules"]
    assert rule["ApplyServerSideEncryptionByDefault"]["SSEAlgorithm"] == "AES256"
    (owner,) = s3.get_bucket_ownership_controls(Bucket=BUCKET)["OwnershipControls"]["Rules"]
    assert owner["ObjectOwnership"] == "BucketOwnerEnforced"


def test_a_prefix_of_samples_and_a_folder_of_models_make_a_multi_model_endpoint(hosting, line, tmp_path):
    clients, s3 = hosting.sandbox.client, hosting.sandbox.client("s3")
    (samples,) = resolve(request(Model(source="sample:forecasters/"), option="mme"), clients).containers
    assert (samples.model_data_url, samples.is_prefix) == ("s3://sandbox-samples/forecasters/", True)
    many = tmp_path / "many"
    shutil.copytree(line, many / "north")
    shutil.copytree(line, many / "south")
    (own,) = resolve(request(Model(source=str(many), framework="sklearn"), option="mme"), clients).containers
    prefix = own.model_data_url.removeprefix(f"s3://{BUCKET}/")
    assert [key.removeprefix(prefix) for key in keys(s3, BUCKET, prefix)] == ["north.tar.gz", "south.tar.gz"]


def test_graphs_become_an_ensemble_with_the_settings_of_the_configuration(hosting):
    made = request(Model(source="sample:digits"), option="triton_ensemble", max_batch_size=8, max_queue_delay_ms=2)
    (container,) = resolve(made, hosting.sandbox.client).containers
    assert "tritonserver" in container.image
    files = members(hosting.sandbox.client("s3"), container.model_data_url)
    assert b"max_queue_delay_microseconds: 2000" in files["model/config.pbtxt"]
    assert container.environment["SAGEMAKER_TRITON_DEFAULT_MODEL_NAME"] == "model"


def test_several_graphs_become_one_container_in_the_order_of_the_request(hosting, tmp_path):
    (tmp_path / "second").mkdir()
    weights, intercepts = np.ones((10, 3), np.float32), np.zeros(3, np.float32)
    (tmp_path / "second" / "model.onnx").write_bytes(classifier(weights, intercepts))
    models = (Model(source="sample:digits"), Model(source=str(tmp_path / "second"), name="kinds"))
    (container,) = resolve(request(*models, option="triton_ensemble"), hosting.sandbox.client).containers
    files = members(hosting.sandbox.client("s3"), container.model_data_url)
    assert {name.partition("/")[0] for name in files} == {"01-digits", "02-kinds", "ensemble"}
    assert b'input_map { key: "pixels" value: "probabilities" }' in files["ensemble/config.pbtxt"]
    assert container.environment["SAGEMAKER_TRITON_DEFAULT_MODEL_NAME"] == "ensemble"


def test_everything_wrong_with_every_model_is_said_at_once(hosting, tmp_path):
    (tmp_path / "net").mkdir()
    (tmp_path / "net" / "model.pt").write_text("")
    found = problems(
        request(
            Model(source=str(tmp_path / "net"), framework="pytorch"),
            Model(source="sample:iri"),
            Model(source="s3://sandbox-samples/none.tar.gz", framework="xgboost"),
            Model(source="s3://no-such-bucket/a.tar.gz", framework="xgboost"),
            Model(source=str(tmp_path / "nowhere"), framework="sklearn"),
            Model(source=str(tmp_path / "net")),
            Model(source=str(tmp_path / "net"), framework="sklearn", framework_version="9.9"),
            option="mce_direct",
        ),
        hosting.sandbox.client,
    )
    assert [line.rpartition("@ ")[2] for line in found] == [
        "$.models[0].source",
        "$.models[1].source",
        "$.models[2].source",
        "$.models[3].source",
        "$.models[4].source",
        "$.models[5].framework",
        "$.models[6].framework_version",
    ]
    assert "has no inference.py" in found[0]
    assert "expected one of forecasters/, iris" in found[1]


def test_one_archive_makes_no_multi_model_endpoint(hosting):
    (found,) = problems(request(Model(source="sample:iris"), option="mme"), hosting.sandbox.client)
    assert "must hold many models" in found


def test_an_account_that_refuses_is_reported_as_such(own_sandbox):
    own_sandbox.kill()
    with pytest.raises(CloudError):
        resolve(request(Model(source="sample:iris")), own_sandbox.client)
