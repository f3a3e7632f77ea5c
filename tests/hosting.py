"""Hosting the sample models on a sandbox, with the real clients, as a user would."""

import itertools
import json
from typing import Any

from botocore.exceptions import ClientError

from sandbox.settings import SAMPLES_BUCKET
from tests.sandboxed import ROLE, Sandbox, until

ECR = "683313688378.dkr.ecr.us-east-1.amazonaws.com"
IN_PROGRESS = {"Creating", "Updating", "RollingBack", "SystemUpdating"}


def keys(s3, bucket: str, prefix: str = "") -> list[str]:
    """List the keys under a prefix; none if the bucket is not there yet."""
    try:
        return [entry["Key"] for entry in s3.list_objects_v2(Bucket=bucket, Prefix=prefix).get("Contents", [])]
    except ClientError:
        return []


class Hosting:
    """Creates models and endpoints under names of their own."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox
        self._numbers = itertools.count(1)
        index = sandbox.client("s3").get_object(Bucket=SAMPLES_BUCKET, Key="index.json")["Body"].read()
        self.samples = {sample["key"]: sample for sample in json.loads(index)}

    @property
    def sagemaker(self):
        return self.sandbox.client("sagemaker")

    @property
    def runtime(self):
        return self.sandbox.client("sagemaker-runtime")

    def name(self, stem: str) -> str:
        return f"{stem}-{next(self._numbers)}"

    def container(self, key: str, **members: Any) -> dict[str, Any]:
        """Describe a container of a sample."""
        sample = self.samples[key]
        return {"Image": f"{ECR}/{sample['image']}", "ModelDataUrl": sample["uri"], **members}

    def model(self, *containers: dict[str, Any], **members: Any) -> str:
        name = self.name("model")
        self.sagemaker.create_model(ModelName=name, ExecutionRoleArn=ROLE, Containers=list(containers), **members)
        return name

    def config(self, model: str, *, variant: dict[str, Any] | None = None, **members: Any) -> str:
        """Create a configuration with one variant on an instance, unless the variant says otherwise."""
        name = self.name("config")
        instance = {"InstanceType": "ml.m5.large", "InitialInstanceCount": 1}
        described = {"VariantName": "AllTraffic", "ModelName": model, **(instance if variant is None else variant)}
        self.sagemaker.create_endpoint_config(EndpointConfigName=name, ProductionVariants=[described], **members)
        return name

    def endpoint(self, config: str) -> str:
        """Create an endpoint and wait until it is in service."""
        name = self.name("endpoint")
        self.sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=config)
        described = self.settled(name)
        assert described["EndpointStatus"] == "InService", described.get("FailureReason")
        return name

    def settled(self, endpoint: str) -> dict[str, Any]:
        """Wait until nothing is under way with an endpoint, and describe it."""

        def described() -> dict[str, Any] | None:
            found = self.sagemaker.describe_endpoint(EndpointName=endpoint)
            return None if found["EndpointStatus"] in IN_PROGRESS else found

        return until(described, within_s=120)

    def gone(self, endpoint: str) -> None:
        """Delete an endpoint and wait until it is gone."""
        self.sagemaker.delete_endpoint(EndpointName=endpoint)

        def is_gone() -> bool:
            try:
                self.sagemaker.describe_endpoint(EndpointName=endpoint)
            except ClientError as err:
                return err.response["Error"]["Message"].startswith("Could not find endpoint")
            return False

        until(is_gone)

    @property
    def zero(self) -> dict[str, str]:
        """The arguments of an invocation that asks the ONNX sample, the quickest to start, for the digit 0."""
        pixels = self.samples["digits/model.tar.gz"]["request"]
        return {"Body": pixels, "ContentType": "text/csv", "Accept": "text/csv"}

    def digit(self, endpoint: str) -> str:
        """Ask the ONNX sample for the digit 0."""
        answer = self.runtime.invoke_endpoint(EndpointName=endpoint, **self.zero)
        return answer["Body"].read().decode()

    def ask(self, endpoint: str, body: str | bytes, content_type: str = "text/csv", **members: Any) -> str:
        """Invoke an endpoint and give its answer as text."""
        answer = self.runtime.invoke_endpoint(EndpointName=endpoint, Body=body, ContentType=content_type, **members)
        return answer["Body"].read().decode()
