"""Every way of hosting through the SageMaker SDK alone: created, invoked, updated, deleted.

Run in a process of its own, which only the environment points to the sandbox; its standard input says what to host,
its last line is what the models answered.
"""

import json
import sys
import time
from typing import Any

import boto3
from sagemaker.core.resources import Endpoint, EndpointConfig, Model, TransformJob
from sagemaker.core.shapes import (
    AsyncInferenceConfig,
    AsyncInferenceOutputConfig,
    ContainerDefinition,
    InferenceExecutionConfig,
    ProductionVariant,
    TransformDataSource,
    TransformInput,
    TransformOutput,
    TransformResources,
    TransformS3DataSource,
)

ROLE = "arn:aws:iam::000000000000:role/sdk"
CSV, JSON = "text/csv", "application/json"


def main(samples: dict[str, dict[str, str]], bucket: str) -> dict[str, Any]:
    """Host the samples every way there is."""
    container = {
        key: ContainerDefinition(image=sample["image"], model_data_url=sample["uri"]) for key, sample in samples.items()
    }
    digits, flowers = container["digits"], container["flowers"]
    direct = [
        ContainerDefinition(**{**one.model_dump(exclude_unset=True), "container_hostname": name})
        for name, one in (("digits", digits), ("flowers", flowers))
    ]
    as_csv = {"SAGEMAKER_DEFAULT_INVOCATIONS_ACCEPT": CSV}
    steps = [
        ContainerDefinition(**{**container["cars"].model_dump(exclude_unset=True), "environment": as_csv}),
        container["prices"],
    ]
    many = ContainerDefinition(**{**container["forecasters"].model_dump(exclude_unset=True), "mode": "MultiModel"})
    models = {
        "single": {"primary_container": digits},
        "many": {"primary_container": many},
        "direct": {"containers": direct, "inference_execution_config": InferenceExecutionConfig(mode="Direct")},
        "pipeline": {"containers": steps},
    }
    made = [Model.create(model_name=name, execution_role_arn=ROLE, **members) for name, members in models.items()]
    for name in models:
        configure(name, name)
    output = AsyncInferenceOutputConfig(s3_output_path=f"s3://{bucket}/out")
    configure("queued", "single", async_inference_config=AsyncInferenceConfig(output_config=output))
    # The SDK's own EndpointConfig.create misspells MemorySizeInMB, so boto3 refuses what it sends.
    serverless = {"MemorySizeInMB": 2048, "MaxConcurrency": 2}
    boto3.client("sagemaker").create_endpoint_config(
        EndpointConfigName="serverless",
        ProductionVariants=[{"VariantName": "v", "ModelName": "single", "ServerlessConfig": serverless}],
    )
    configure("two", "single", count=2)
    names = [*models, "queued", "serverless"]
    endpoints = {name: Endpoint.create(endpoint_name=f"sdk-{name}", endpoint_config_name=name) for name in names}
    for endpoint in endpoints.values():
        endpoint.wait_for_status("InService", poll=1)

    zero, flower = samples["digits"]["request"], samples["flowers"]["request"]
    answers: dict[str, Any] = {
        "single": ask(endpoints["single"], zero, accept=CSV),
        "serverless": ask(endpoints["serverless"], zero, accept=CSV),
        "many": json.loads(
            ask(endpoints["many"], '{"period": 1}', content_type=JSON, target_model="customer-007.tar.gz")
        )["customer_id"],
        "direct": [
            ask(endpoints["direct"], zero, accept=CSV, target_container_hostname="digits"),
            ask(endpoints["direct"], flower, target_container_hostname="flowers"),
        ],
        "pipeline": float(ask(endpoints["pipeline"], samples["cars"]["request"])) > 1000,
        "queued": queued(endpoints["queued"], zero, bucket),
        "transform": transformed(zero, bucket),
    }

    changed = endpoints["single"]
    changed.endpoint_config_name = "two"
    changed.update()
    changed.wait_for_status("InService", poll=1)
    changed.refresh()
    answers["updated"] = [changed.endpoint_config_name, changed.production_variants[0].current_instance_count]
    answers["listed"] = sorted(found.endpoint_name for found in Endpoint.get_all() if found.endpoint_name[:4] == "sdk-")
    for endpoint in endpoints.values():
        endpoint.delete()
    for endpoint in endpoints.values():
        endpoint.wait_for_delete(poll=1)
    for model in made:
        model.delete()
    answers["left"] = [found.endpoint_name for found in Endpoint.get_all() if found.endpoint_name[:4] == "sdk-"]
    return answers


def configure(name: str, model: str, *, count: int = 1, **members: Any) -> None:
    """Create a configuration with one variant."""
    variant = ProductionVariant(
        variant_name="v", model_name=model, instance_type="ml.m5.large", initial_instance_count=count
    )
    EndpointConfig.create(endpoint_config_name=name, production_variants=[variant], **members)


def ask(endpoint: Endpoint, body: str, **members: Any) -> str:
    """Invoke an endpoint with CSV unless told otherwise."""
    answer = endpoint.invoke(body=body.encode(), **{"content_type": CSV, **members})
    return str(answer.body.read().decode())


def read(s3: Any, uri: str) -> str:
    """Read an object when it is there."""
    bucket, _, key = uri.removeprefix("s3://").partition("/")
    s3.get_waiter("object_exists").wait(Bucket=bucket, Key=key, WaiterConfig={"Delay": 1})
    return str(s3.get_object(Bucket=bucket, Key=key)["Body"].read().decode())


def queued(endpoint: Endpoint, body: str, bucket: str) -> str:
    """Ask asynchronously; gives what lands in S3."""
    s3 = boto3.client("s3")
    s3.put_object(Bucket=bucket, Key="in/zero.csv", Body=body.encode())
    accepted = endpoint.invoke_async(input_location=f"s3://{bucket}/in/zero.csv", content_type=CSV, accept=CSV)
    return read(s3, accepted.output_location)


def transformed(body: str, bucket: str) -> str:
    """Run a transform job over two lines; gives what lands in S3."""
    s3 = boto3.client("s3")
    s3.put_object(Bucket=bucket, Key="batch/zeros.csv", Body=f"{body}\n{body}\n".encode())
    source = TransformDataSource(
        s3_data_source=TransformS3DataSource(s3_data_type="S3Prefix", s3_uri=f"s3://{bucket}/batch/")
    )
    job = TransformJob.create(
        transform_job_name="sdk",
        model_name="single",
        transform_input=TransformInput(data_source=source, content_type=CSV, split_type="Line"),
        transform_output=TransformOutput(s3_output_path=f"s3://{bucket}/done", accept=CSV, assemble_with="Line"),
        transform_resources=TransformResources(instance_type="ml.m5.large", instance_count=1),
    )
    while job.transform_job_status == "InProgress":
        time.sleep(0.2)
        job.refresh()
    return f"{job.transform_job_status} {read(s3, f's3://{bucket}/done/zeros.csv.out')}"


if __name__ == "__main__":
    print("\n" + json.dumps(main(**json.load(sys.stdin))))
