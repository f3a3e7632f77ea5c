"""The SageMaker SDK as it is, in a process of its own that only the environment points to the sandbox."""

import json
import os
import subprocess
import sys

QUIET = "SchemaVersion: '1.0'\nSageMaker:\n  PythonSDK:\n    Modules:\n      TelemetryOptOut: true\n"
SAMPLES = {
    "digits": "digits/model.tar.gz",
    "flowers": "iris/model.tar.gz",
    "cars": "used-cars/preprocess/model.tar.gz",
    "prices": "used-cars/price/model.tar.gz",
    "forecasters": "forecasters/customer-000.tar.gz",
}


def test_the_sdk_hosts_every_way_there_is(sandbox, hosting, tmp_path):
    sandbox.client("s3").create_bucket(Bucket="sdk")
    (tmp_path / "config.yaml").write_text(QUIET)
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    samples = {}
    for name, key in SAMPLES.items():
        container = hosting.container(key)
        uri = container["ModelDataUrl"].removesuffix("customer-000.tar.gz")
        samples[name] = {"image": container["Image"], "uri": uri, "request": hosting.samples[key]["request"]}
    done = subprocess.run(
        [sys.executable, "-m", "tests.sdk_hosting"],
        env={
            **inherited,
            **sandbox.running.environment,
            "SAGEMAKER_USER_CONFIG_OVERRIDE": str(tmp_path / "config.yaml"),
        },
        input=json.dumps({"samples": samples, "bucket": "sdk"}),
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    assert json.loads(done.stdout.splitlines()[-1]) == {
        "single": "0",
        "serverless": "0",
        "many": 7,
        "direct": ["0", "[0]"],
        "pipeline": True,
        "queued": "0",
        "transform": "Completed 0\n0\n",
        "updated": ["two", 2],
        "listed": [f"sdk-{name}" for name in ("direct", "many", "pipeline", "queued", "serverless", "single")],
        "left": [],
    }
