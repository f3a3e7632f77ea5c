import pytest

from sandbox.services.sagemaker.fleets import NotRunnable, fleet_plan, framework
from sandbox.services.sagemaker.instances import is_accelerated, memory_mb, vcpus

ECR = "683313688378.dkr.ecr.us-east-1.amazonaws.com"
CONTAINER = {"Image": f"{ECR}/sagemaker-xgboost:1.7-1", "Mode": "SingleModel", "ModelDataUrl": "s3://b/k"}


@pytest.mark.parametrize(
    ("image", "server"),
    [
        (f"{ECR}/sagemaker-scikit-learn:1.2-1-cpu-py3", "sklearn"),
        (f"{ECR}/sagemaker-xgboost:1.7-1", "xgboost"),
        ("785573368785.dkr.ecr.us-east-1.amazonaws.com/sagemaker-tritonserver:23.01-py3", "onnx"),
        ("763104351884.dkr.ecr.us-east-1.amazonaws.com/pytorch-inference:2.0-cpu-py310", ""),
    ],
)
def test_an_image_is_known_by_its_name(image, server):
    assert framework(image) == server


@pytest.mark.parametrize("image", ["000000000000.dkr.ecr.us-east-1.amazonaws.com/own:1", "xgboost.example/other", ""])
def test_another_image_is_said_not_to_be_emulated(image):
    with pytest.raises(NotRunnable, match="Not emulated"):
        framework(image)


# Source: EC2 instance type specifications, read 2026-11.
@pytest.mark.parametrize(
    ("instance_type", "vcpu", "gib"),
    [
        ("ml.t2.medium", 2, 4),
        ("ml.m5.large", 2, 8),
        ("ml.m5.4xlarge", 16, 64),
        ("ml.c6i.2xlarge", 8, 16),
        ("ml.c7g.xlarge", 4, 8),
        ("ml.r5.large", 2, 16),
        ("ml.m7i.48xlarge", 192, 768),
    ],
)
def test_instance_types_have_the_size_of_their_family(instance_type, vcpu, gib):
    assert (vcpus(instance_type), memory_mb(instance_type)) == (vcpu, gib * 1024)


def test_accelerators_are_told_by_the_family():
    assert [t for t in ("ml.g5.xlarge", "ml.p4d.24xlarge", "ml.inf2.xlarge", "ml.m5.large", "ml.c7g.large", "ml.t2.large")
            if is_accelerated(t)] == ["ml.g5.xlarge", "ml.p4d.24xlarge", "ml.inf2.xlarge"]  # fmt: skip


def plan(variant: dict, config: dict | None = None, container: dict | None = None) -> dict:
    return fleet_plan(
        endpoint="e",
        region="eu-west-1",
        variant={"VariantName": "v", **variant},
        model={"Containers": [container or CONTAINER]},
        config=config or {},
    )


def test_a_serverless_variant_has_the_memory_it_asks_for():
    found = plan({"ServerlessConfig": {"MemorySizeInMB": 3072, "MaxConcurrency": 7}})
    assert (found["memory_mb"], found["serverless"]["max_concurrency"]) == (3072, 7)


def test_only_asynchronous_requests_may_take_long():
    instance = {"InstanceType": "ml.m5.large"}
    assert plan(instance)["timeout_s"] == 60
    assert plan(instance, {"AsyncInferenceConfig": {}})["timeout_s"] == 3600


@pytest.mark.parametrize(
    ("variant", "container"),
    [
        ({"InstanceType": "ml.g5.xlarge"}, CONTAINER),
        ({"InstanceType": "ml.m5.large"}, {"ModelPackageName": "p", "Mode": "SingleModel"}),
        (
            {"InstanceType": "ml.m5.large"},
            {**CONTAINER, "ModelDataSource": {"S3DataSource": {"CompressionType": "None"}}},
        ),
    ],
)
def test_what_can_not_be_run_is_said_before_it_is_tried(variant, container):
    with pytest.raises(NotRunnable, match="Not emulated"):
        plan(variant, container=container)


def test_fleets_of_the_same_variant_have_names_of_their_own():
    assert plan({"InstanceType": "ml.m5.large"})["id"] != plan({"InstanceType": "ml.m5.large"})["id"]
