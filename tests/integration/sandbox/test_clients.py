"""The SageMaker SDK as it is, in a process of its own that only the environment points to the sandbox."""

import os
import subprocess
import sys

SCRIPT = """
import sys
from sagemaker.core.resources import Endpoint, EndpointConfig, Model
from sagemaker.core.shapes import ContainerDefinition, ProductionVariant

image, archive, request, role = sys.argv[1:]
container = ContainerDefinition(image=image, model_data_url=archive)
model = Model.create(model_name="sdk", execution_role_arn=role, primary_container=container)
for count in (1, 2):
    variant = ProductionVariant(
        variant_name="v", model_name="sdk", instance_type="ml.m5.large", initial_instance_count=count
    )
    EndpointConfig.create(endpoint_config_name=f"sdk-{count}", production_variants=[variant])
endpoint = Endpoint.create(endpoint_name="sdk", endpoint_config_name="sdk-1")
endpoint.wait_for_status("InService", poll=1)
answer = endpoint.invoke(body=request.encode(), content_type="text/csv", accept="text/csv")
print("answer", answer.body.read().decode())
endpoint.endpoint_config_name = "sdk-2"
endpoint.update()
endpoint.wait_for_status("InService", poll=1)
endpoint.refresh()
print("config", endpoint.endpoint_config_name, endpoint.production_variants[0].current_instance_count)
print("listed", "sdk" in [found.endpoint_name for found in Endpoint.get_all()])
endpoint.delete()
endpoint.wait_for_delete(poll=1)
model.delete()
print("\\ndeleted", "sdk" not in [one.endpoint_name for one in Endpoint.get_all()])
"""


def test_the_sdk_creates_invokes_updates_and_deletes_an_endpoint(sandbox, hosting, tmp_path):
    quiet = tmp_path / "config.yaml"
    quiet.write_text("SchemaVersion: '1.0'\nSageMaker:\n  PythonSDK:\n    Modules:\n      TelemetryOptOut: true\n")
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    environment = {**inherited, **sandbox.running.environment, "SAGEMAKER_USER_CONFIG_OVERRIDE": str(quiet)}
    container = hosting.container("digits/model.tar.gz")
    arguments = [
        container["Image"],
        container["ModelDataUrl"],
        hosting.zero["Body"],
        "arn:aws:iam::000000000000:role/r",
    ]
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, *arguments],
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    said = [
        line for line in done.stdout.splitlines() if line.split(" ")[0] in {"answer", "config", "listed", "deleted"}
    ]
    assert said == ["answer 0", "config sdk-2 2", "listed True", "deleted True"]
