"""The command line against the sandbox, from a workload to nothing left."""

import io
import json
import os
import signal
import subprocess
import sys

import pytest
import yaml

from fitness import presets, workload_file
from launch.launched import Phase
from launch.stacks import Stacks
from tests.launching import end, launch, plan_of, topic
from tests.stack_templates import policy, role

REQUEST = """
name: {name}
option: real_time
region: us-east-1
configuration: {{instance_type: {instance}, min_instances: 1, max_instances: 1}}
models: [{{source: "sample:iris"}}]
"""
CHANGING = """
name: changing
option: real_time
region: us-east-1
configuration: {instance_type: ml.m5.large, min_instances: 1, max_instances: 1}
models: [{source: model, framework: sklearn}]
"""
PRICES = {"ml.m5.large": "0.115", "ml.m5.xlarge": "0.23"}


@pytest.fixture
def file(tmp_path):
    def write(name, instance="ml.m5.large"):
        path = tmp_path / f"{name}.yaml"
        path.write_text(REQUEST.format(name=name, instance=instance))
        return path

    return write


def test_a_launch_from_its_plan_to_nothing_left(run, file, account):
    before = account.holds()
    path = file("shown")
    status, out, _ = run("plan", path)
    assert status == 0
    assert "While idle     0.115 USD per hour" in out
    assert account.holds() == before

    status, _, err = run("up", path, "--confirm", "0.116")
    assert (status, "the confirmed price is 0.116 USD/h" in err) == (3, True)
    assert account.holds() == before

    status, out, err = run("up", path, "--confirm", PRICES["ml.m5.large"], "--by", "ada")
    assert status == 0, err
    assert "+ Endpoint  AWS::SageMaker::Endpoint" in err
    assert "CREATE_COMPLETE              Endpoint" in err
    assert "live (CREATE_COMPLETE)" in out

    status, out, _ = run("up", path, "--json")
    assert (status, json.loads(out)["by"]) == (0, "ada")

    status, out, _ = run("invoke", "shown")
    assert (status, json.loads(out)) == (0, [0])

    path = file("shown", "ml.m5.xlarge")
    status, out, err = run("update", path, "--confirm", PRICES["ml.m5.xlarge"])
    assert status == 0, err
    assert "0.23 USD per hour while idle; before 0.115 USD, difference +0.115 USD" in err
    assert "ProductionVariants" in err

    status, out, _ = run("status")
    assert (status, [line.split()[:4] for line in out.splitlines()[1:]]) == (
        0,
        [["shown", "real_time", "live", "0.23"]],
    )
    assert run("sweep")[:2] == (0, "There is nothing to sweep.\n")

    status, _, err = run("down", "shown", "--confirm", "0")
    assert (status, "Saves 0.23 USD per hour." in err) == (3, True)
    status, _, err = run("down", "shown", "--confirm", "0.23")
    assert status == 0, err
    assert "shown is removed." in err
    assert run("down", "shown")[0] == 0
    # What the launch does not own is what the plan and the removal say: the packaged models.
    assert {one for one in account.holds() - before if one[0] != "list_buckets"} == set()


def test_a_person_types_the_price(run, file, stacks, monkeypatch):
    path = file("typed")
    for typed, expected in (("yes\n", 3), ("\n", 3), ("0.115\n", 0)):
        monkeypatch.setattr(sys, "stdin", io.StringIO(typed))
        status, _, err = run("up", path)
        assert status == expected, err
        assert "Type the price per hour, 0.115, to launch typed" in err
    end(stacks, "typed")


def test_a_launch_file_is_written_from_a_verdict(run, tmp_path):
    workload = tmp_path / "workload.yaml"
    workload.write_text(workload_file.write(presets.load("staging-tests")))
    status, out, _ = run("new", workload, "--option", "serverless", "--name", "staging", "--model", "sample:iris")
    found = yaml.safe_load(out)
    assert (status, found["option"], found["name"]) == (0, "serverless", "staging")
    assert found["models"] == [{"source": "sample:iris"}]
    assert "memory_mb" in found["configuration"]


@pytest.mark.parametrize(
    ("form", "words"),
    [
        ("yaml", "AWSTemplateFormatVersion"),
        ("script", "import boto3"),
        ("parameters", '"ParameterKey": "ModelData"'),
        ("policy", '"cloudformation:'),
    ],
)
def test_the_template_goes_with_what_it_takes(run, file, form, words):
    status, out, _ = run("template", file("written"), "--format", form)
    assert status == 0
    assert words in out


@pytest.mark.parametrize(
    ("arguments", "expected", "words"),
    [
        (("plan", "/nowhere.yaml"), 2, "can't be read"),
        (("update", "FILE"), 2, "is not launched"),
        (("status", "nobody"), 1, "there is no launch called nobody"),
        (("invoke", "nobody"), 1, "there is no launch called nobody"),
        (("down", "nobody"), 0, "nothing to remove"),
    ],
)
def test_what_is_wrong_is_said(run, file, arguments, expected, words):
    path = file("unlaunched")
    status, _, err = run(*(path if one == "FILE" else one for one in arguments))
    assert (status, words in err) == (expected, True)


def test_models_that_have_changed_since_the_plan_are_not_launched(run, tmp_path, monkeypatch, account):
    before = account.holds()
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "inference.py").write_text("")
    (tmp_path / "model" / "weights.txt").write_text("1")
    path = tmp_path / "changing.yaml"
    path.write_text(CHANGING)

    class Typed(io.StringIO):
        def readline(self, *_):
            (tmp_path / "model" / "inference.py").write_text("# mended")
            return "0.115\n"

    monkeypatch.setattr(sys, "stdin", Typed())
    status, _, err = run("up", path)
    assert (status, "the models have changed since this was planned" in err) == (3, True)
    assert {one for one in account.holds() - before if one[0] != "list_buckets"} == set()


def test_a_sweep_that_could_not_end_a_launch_says_so(run, stacks, sandbox):
    resources = {**topic(), **role()}
    resources["Role"]["Properties"]["Path"] = "/hostfit/"
    launch(stacks, plan_of("lasting", resources, time_to_live_h=0.0001))
    (held,) = [one.physical_id for one in stacks.preview_removal("lasting").resources if one.logical_id == "Role"]
    iam = sandbox.client("iam")
    iam.put_role_policy(RoleName=held, PolicyName="by-hand", PolicyDocument=json.dumps(policy("s3:GetObject", "*")))
    status, _, err = run("sweep", "--confirm", "0.115")
    assert (status, "0 launches ended" in err, "lasting is in DELETE_FAILED" in err) == (1, True, True), err
    iam.delete_role_policy(RoleName=held, PolicyName="by-hand")
    end(stacks, "lasting")


def test_a_launch_that_somebody_removes_meanwhile_is_said(run, file, stacks, monkeypatch):
    follow = Stacks.follow

    def removing(self, stack, *rest, **more):
        found = follow(self, stack, *rest, **more)
        if found.phase is Phase.LIVE:
            end(stacks, found.name)
        return follow(self, found.stack_id)

    monkeypatch.setattr(Stacks, "follow", removing)
    status, _, err = run("up", file("shortly"), "--confirm", PRICES["ml.m5.large"])
    assert (status, "shortly was removed meanwhile" in err) == (1, True)


def test_a_file_that_is_too_large_is_not_cut(run, tmp_path):
    path = tmp_path / "large.yaml"
    path.write_text("#" * 1_000_001)
    status, _, err = run("plan", path)
    assert (status, "is larger than 1,000,000 bytes" in err) == (2, True)


def test_wrong_fields_are_all_named(run, tmp_path):
    path = tmp_path / "wrong.yaml"
    path.write_text("name: 5\noption: everything\nregion: us-east-1\n")
    status, _, err = run("plan", path)
    assert status == 2
    assert all(where in err for where in ("$.name", "$.option", "$.models"))


def test_a_launch_that_is_left_goes_on_in_the_account(chosen, file, run, stacks, account):
    before = account.holds()
    command = [sys.executable, "-m", "launch", "up", str(file("left")), "--confirm", "0.115"]
    with subprocess.Popen(command, env={**os.environ, **chosen}, stderr=subprocess.PIPE, text=True) as process:
        for line in process.stderr:
            if "CREATE_IN_PROGRESS" in line:
                break
        process.send_signal(signal.SIGINT)
        said = process.stderr.read()
    assert process.returncode == 130
    assert "`python -m launch status left` shows it, `python -m launch down left` ends it" in said
    status, _, err = run("up", file("left"), "--confirm", "0.115")  # finds what was begun, and follows it
    assert status == 0, err
    assert "left was begun already" in err or "left is as planned" in err
    assert stacks.look("left").phase is Phase.LIVE
    assert run("down", "left", "--confirm", "0.115")[0] == 0
    assert {one for one in account.holds() - before if one[0] != "list_buckets"} == set()
