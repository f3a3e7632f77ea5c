"""Requests of every option to launch, and what else a request may ask for."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from launch.request import Alarms, Capture, Container, Model, Network, Request, Transform, Update, Variant

REGION = "us-east-1"
ACCOUNT = "111122223333"
ECR = "683313688378.dkr.ecr.us-east-1.amazonaws.com"
SKLEARN = f"{ECR}/sagemaker-scikit-learn:1.2-1-cpu-py3"
TRITON = "785573368785.dkr.ecr.us-east-1.amazonaws.com/sagemaker-tritonserver:24.01-py3"
KEY = f"arn:aws:kms:us-east-1:{ACCOUNT}:key/0a1b2c3d-0a1b-0a1b-0a1b-0a1b2c3d4e5f"

ON_INSTANCES = {"instance_type": "ml.m5.large", "min_instances": 1, "max_instances": 1}
SCALED = {**ON_INSTANCES, "max_instances": 3, "target_invocations_per_minute": 600.5, "volume_gb": 8}
ON_GPU = {"instance_type": "ml.g4dn.xlarge", "min_instances": 1, "max_instances": 1, "volume_gb": 0}
SERVERLESS = {"memory_mb": 2048, "max_concurrency": 5}
FROM_ZERO = {
    "instance_type": "ml.c5.large",
    "min_instances": 0,
    "max_instances": 3,
    "max_concurrent_invocations_per_instance": 2,
    "target_backlog_per_instance": 5,
}
TO_ZERO = {**SCALED, "min_instances": 0, "inference_components": True}
STEPS = {
    "step": {
        "metric": "InvocationsPerInstance",
        "out_above": 600,
        "in_below": 300,
        "steps_out": [{"distance": 0, "change": 1}, {"distance": 300, "change": 3}],
        "steps_in": [{"distance": 0, "change": 1}, {"distance": 200, "change": 2}],
    },
    "schedule": [
        {"at": "weekdays 07:30", "min_instances": 4, "max_instances": 8},
        {"at": "daily 20:00", "min_instances": 1, "max_instances": 4},
    ],
}
BATCH = Transform(input_s3="s3://records/in/", output_s3="s3://records/out/")


def container(path: str, image: str = SKLEARN, **more: Any) -> Container:
    return Container(image=image, model_data_url=f"s3://models/{path}/model.tar.gz", **more)


def variant(name: str, path: str = "iris-2", **more: Any) -> Variant:
    found = container(path)
    return Variant(name=name, model=Model(source=found.model_data_url, image=found.image), container=found, **more)


def many(path: str, image: str = SKLEARN) -> Container:
    return Container(image=image, model_data_url=f"s3://models/{path}/", is_prefix=True)


def request(option: str, configuration: Mapping[str, object], *containers: Container, **more: Any) -> Request:
    models = tuple(Model(source=one.model_data_url, name=one.name, image=one.image) for one in containers)
    return Request(
        name=option.replace("_", "-"),
        option=option,
        region=REGION,
        configuration=configuration,
        models=models,
        containers=containers,
        **more,
    )


REQUESTS: Mapping[str, Request] = {
    "real_time": request("real_time", SCALED, container("iris", environment={"WORKERS": "2"})),
    "serverless": request("serverless", SERVERLESS, container("iris")),
    "async": request("async", FROM_ZERO, container("iris")),
    "batch": request("batch", {"instance_type": "ml.m5.large", "instances": 2}, container("iris"), transform=BATCH),
    "mme": request("mme", {**SCALED, "models_in_memory": 10}, many("forecasters")),
    "mme_gpu": request("mme_gpu", ON_GPU, many("vision", TRITON)),
    "mce_direct": request("mce_direct", SCALED, container("iris", name="flowers"), container("digits", name="digits")),
    "serial_pipeline": request("serial_pipeline", SCALED, container("prepare"), container("price")),
    "triton_ensemble": request(
        "triton_ensemble", {**ON_GPU, "max_batch_size": 8, "max_queue_delay_ms": 2.5}, container("vision", TRITON)
    ),
}

VPC = Network(subnets=("subnet-0a1b2c3d", "subnet-1a1b2c3d"), security_groups=("sg-0a1b2c3d",))
ALARMS = Alarms(latency_p99_ms=250.5, errors_per_minute=5, email="ops@example.org")
# Kind -> what it changes in a request.
ANYWHERE: Mapping[str, dict[str, Any]] = {
    "kms": {"kms_key_arn": KEY},
    "lifetime": {"time_to_live_h": 8.5},
    "tags": {"tags": {"team": "fraud"}},
}
ON_ENDPOINTS: Mapping[str, dict[str, Any]] = {
    "alarms": {"alarms": ALARMS},
    "all_at_once": {"update": Update(strategy="all_at_once", wait_s=0)},
    "canary": {"update": Update(strategy="canary", percent=25), "alarms": ALARMS},
    "linear": {"update": Update(strategy="linear", percent=20, wait_s=600)},
}
IN_NETWORKS: Mapping[str, dict[str, Any]] = {
    "vpc": {"network": VPC},
    "isolation": {"network": Network(isolation=True)},
}
ROLLING: Mapping[str, dict[str, Any]] = {"rolling": {"update": Update(strategy="rolling", percent=50)}}
CAPTURED: Mapping[str, dict[str, Any]] = {
    "capture": {"capture": Capture(percent=20, s3_uri="s3://hostfit-{account}-{region}/capture/x")}
}
OF_OPTION: Mapping[str, Mapping[str, dict[str, Any]]] = {
    "real_time": {
        **ON_ENDPOINTS, **IN_NETWORKS, **ROLLING, **CAPTURED,
        "fixed": {"configuration": {**ON_INSTANCES, "routing": "LEAST_OUTSTANDING_REQUESTS"}},
        "steps": {"configuration": {**SCALED, "max_instances": 8, "policy": STEPS}},
        "to_zero": {"configuration": TO_ZERO, "alarms": ALARMS, "kms_key_arn": KEY, "network": VPC},
        "to_zero_rolling": {"configuration": TO_ZERO, **ROLLING["rolling"]},
        "to_zero_on_gpu": {"configuration": {**TO_ZERO, "instance_type": "ml.g5.12xlarge", "volume_gb": 0}},
        "local_disk": {"configuration": ON_GPU, "kms_key_arn": KEY},
        "variants": {
            "variants": (variant("challenger", instance_type="ml.c5.large", max_instances=2),), "weight": 9.0,
            "alarms": ALARMS, "update": Update(strategy="canary", percent=25), **CAPTURED["capture"],
        },
        "variants_steps": {
            "configuration": {**SCALED, "max_instances": 8, "policy": STEPS}, "network": VPC, "kms_key_arn": KEY,
            "variants": (variant("new-model", weight=0.5, min_instances=2), variant("shadow", weight=0.0)),
        },
    },
    "serverless": {**ON_ENDPOINTS, "provisioned": {"provisioned_concurrency": 2}},
    "async": {
        **ON_ENDPOINTS, **IN_NETWORKS, **ROLLING, **CAPTURED,
        "output": {"async_output_s3": "s3://answers/mine/", "kms_key_arn": KEY},
        "always_on": {"configuration": {**FROM_ZERO, "min_instances": 1}},
        "steps": {"configuration": {**FROM_ZERO, "policy": {"step": {
            **STEPS["step"], "metric": "ApproximateBacklogSizePerInstance", "out_above": 5, "in_below": 1,  # type: ignore[dict-item]
            "steps_in": [{"distance": 0, "change": 1}],
        }}}},
    },
    "batch": {
        **CAPTURED,
        "vpc": IN_NETWORKS["vpc"],
        "scheduled": {"transform": replace(BATCH, schedule="cron(30 2 * * ? *)")},
        "scheduled_objects": {
            "transform": replace(BATCH, schedule="rate(1 day)", split="none", content_type="application/json"),
            "kms_key_arn": KEY,
            "configuration": {"instance_type": "ml.m5.large", "instances": 1, "max_concurrent_transforms": 4},
        },
    },
    "mme": {**ON_ENDPOINTS, **IN_NETWORKS, **ROLLING},
    "mme_gpu": {**ON_ENDPOINTS, **IN_NETWORKS, **ROLLING},
    "mce_direct": {**ON_ENDPOINTS, **IN_NETWORKS, **ROLLING},
    "serial_pipeline": {
        **ON_ENDPOINTS, **IN_NETWORKS, **ROLLING,
        "many": {"containers": (container("prepare"), many("prices"))},
    },
    "triton_ensemble": {**ON_ENDPOINTS, **IN_NETWORKS, **ROLLING, **CAPTURED},
}  # fmt: skip


def variations() -> dict[str, Request]:
    """Every option as it is, and with each thing that it may have."""
    found = dict(REQUESTS)
    for option, base in REQUESTS.items():
        for kind, changes in {**ANYWHERE, **OF_OPTION[option]}.items():
            found[f"{option}-{kind}"] = replace(base, **changes)
    return found
