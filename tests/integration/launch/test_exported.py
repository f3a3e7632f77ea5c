"""Exported scripts against the sandbox: what a script makes answers, and after its end nothing is left."""

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from fitness.prices import load_book
from launch.export import as_script
from launch.plan import plan
from launch.request import Alarms, Container, Request
from sandbox.settings import SAMPLES_BUCKET
from tests.launch_requests import REQUESTS, SKLEARN, STEPS, variant

IRIS = Container(image=SKLEARN, model_data_url=f"s3://{SAMPLES_BUCKET}/iris/model.tar.gz")
SCALED = {"instance_type": "ml.m5.large", "min_instances": 1, "max_instances": 3}


def run(request: Request, what: str, folder: Path, sandbox) -> None:
    script = folder / "exported.py"
    script.write_text(as_script(plan(request, book=load_book())), encoding="utf-8")
    keys = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}
    environment = {**os.environ, **keys, "AWS_ENDPOINT_URL": sandbox.url, "AWS_REGION": request.region}
    done = subprocess.run(
        [sys.executable, str(script), what], check=False, env=environment, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.usefixtures("hosting")
def test_a_script_makes_an_endpoint_that_answers_and_removes_all_of_it(account, sandbox, tmp_path):
    request = replace(
        REQUESTS["real_time"],
        name="exported",
        containers=(IRIS,),
        configuration={**SCALED, "policy": STEPS},
        alarms=Alarms(latency_p99_ms=500, email="ops@example.org"),
        variants=(replace(variant("challenger"), container=IRIS),),
    )
    before = account.holds()
    run(request, "up", tmp_path, sandbox)
    answer = sandbox.client("sagemaker-runtime").invoke_endpoint(
        EndpointName="exported", Body=b"5.1,3.5,1.4,0.2", ContentType="text/csv", TargetVariant="challenger"
    )
    assert answer["Body"].read().strip()
    scaling = sandbox.client("application-autoscaling").describe_scaling_policies(ServiceNamespace="sagemaker")
    assert {(one["ResourceId"].rpartition("/")[2], one["PolicyName"]) for one in scaling["ScalingPolicies"]} == {
        (name, policy) for name in ("AllTraffic", "challenger") for policy in ("scale-out", "scale-in")
    }
    run(request, "down", tmp_path, sandbox)
    assert account.holds() == before
    run(request, "down", tmp_path, sandbox)
