"""From a launch file to a workload with measured values, on the command line."""

import pytest
import yaml

from fitness import workload_file
from fitness.measured import measured_fields
from launch.cli import main

FILE = {
    "name": "measured-digits",
    "option": "real_time",
    "region": "us-east-1",
    "configuration": {"instance_type": "ml.m5.large", "min_instances": 1, "max_instances": 1},
    "models": [{"source": "sample:digits"}],
}


@pytest.fixture
def environment(hosting, monkeypatch):
    """The environment that chooses the sandbox."""
    for name, value in hosting.sandbox.running.environment.items():
        monkeypatch.setenv(name, value)


def test_a_launch_is_measured_into_a_workload_and_removed(environment, tmp_path, capsys):
    (tmp_path / "launch.yaml").write_text(yaml.safe_dump(FILE))
    (tmp_path / "workload.yaml").write_text("name: digits\nrequest: {processing_ms: 500, payload_in_mb: 0.001}\n")
    main(["plan", str(tmp_path / "launch.yaml"), "--json"])
    price = yaml.safe_load(capsys.readouterr().out)["usd_per_hour"]
    assert main(["up", str(tmp_path / "launch.yaml"), "--confirm", str(price)]) == 0
    capsys.readouterr()
    bounds = ["--requests", "300", "--seconds", "20"]
    assert main(["measure", "measured-digits", "--workload", str(tmp_path / "workload.yaml"), *bounds]) == 0
    told = capsys.readouterr()
    found = workload_file.read(told.out)
    assert "request.processing_ms" in measured_fields(found)
    assert found.request.processing_ms < 500
    assert (found.request.measured_on, found.request.payload_in_mb) == ("ml.m5.large", 0.001)
    assert "served at once" in told.err
    assert main(["down", "measured-digits", "--confirm", str(price)]) == 0


def test_what_is_not_launched_is_not_measured(environment, capsys):
    assert main(["measure", "nowhere"]) == 1
    assert "there is no launch called nowhere" in capsys.readouterr().err
