"""Batch launches on the command line: a job runs once its price is confirmed, and only then."""

import io
import json
import sys
from dataclasses import replace

import pytest

from fitness.prices import load_book
from launch import commands, following, job_commands
from launch.plan import Confirmation, plan
from tests.stack_templates import resource

BATCH = """
name: {name}
option: batch
region: us-east-1
configuration: {{instance_type: {instance}, instances: 1}}
models: [{{source: "sample:iris"}}]
transform: {{input_s3: s3://{name}/in/, output_s3: s3://{name}/out/{schedule}}}
time_to_live_h: {hours}
"""
HOUR = {"ml.m5.large": "0.115", "ml.m5.xlarge": "0.23"}  # USD of one instance


class Batch:
    """A batch launch of a name: its launch file, its data and its jobs."""

    def __init__(self, name, folder, sandbox):
        self.name, self.path, self.sandbox = name, folder / f"{name}.yaml", sandbox
        s3 = sandbox.client("s3")
        s3.create_bucket(Bucket=name)
        s3.put_object(Bucket=name, Key="in/a.csv", Body=b"5.1,3.5,1.4,0.2\n")

    def file(self, instance="ml.m5.large", *, hours=8, schedule=""):
        more = f', schedule: "{schedule}"' if schedule else ""
        self.path.write_text(BATCH.format(name=self.name, instance=instance, hours=hours, schedule=more))
        return self.path

    def jobs(self):
        asked = self.sandbox.client("sagemaker").list_transform_jobs(NameContains=f"{self.name}-")
        return {one["TransformJobName"] for one in asked["TransformJobSummaries"]}


@pytest.fixture(autouse=True)
def _soon(monkeypatch):
    """Look again soon: the sandbox has no limits of calls."""
    for module in (following, job_commands):
        monkeypatch.setattr(module, "_PAUSE_S", 0.05)


@pytest.fixture
def batch(tmp_path, sandbox, run):
    made = []

    def named(name):
        made.append(name)
        return Batch(name, tmp_path, sandbox)

    yield named
    for name in made:
        assert run("down", name, "--confirm", "0")[0] == 0


@pytest.fixture
def typed(monkeypatch):
    def lines(text):
        monkeypatch.setattr(sys, "stdin", io.StringIO(text))

    return lines


def test_a_batch_launch_is_confirmed_by_the_price_of_its_job(run, batch, typed, account):
    flowers = batch("flowers")
    before = account.holds()
    status, out, _ = run("plan", flowers.file(), "--json")
    assert (status, json.loads(out)["to_confirm"]["usd_per_hour"]) == (0, "0.115")
    for wrong in ("0", "0.23"):
        status, _, err = run("up", flowers.file(), "--confirm", wrong)
        assert (status, f"the confirmed price is {wrong} USD/h, the real one 0.1150 USD/h" in err) == (3, True), err
    assert account.holds() == before
    typed("0.115\n")
    status, _, err = run("up", flowers.file())
    assert status == 0, err
    assert "Type the price per hour while its job runs, 0.115, to launch flowers;" in err
    assert "is done; its results are under s3://flowers/out" in err


def test_a_batch_launch_runs_its_job_once_whenever_it_is_made(run, batch):
    flowers = batch("remade")
    for count in (1, 2):
        for _ in range(2):  # the second finds the job of the first, as after a kill between the stack and the job
            status, _, err = run("up", flowers.file(), "--confirm", "0.115")
            assert (status, "is done; its results are under s3://remade/out" in err) == (0, True), err
            assert len(flowers.jobs()) == count
        assert run("down", "remade", "--confirm", "0")[0] == 0


def test_every_change_of_the_job_and_the_way_back_is_confirmed_and_starts_one(run, batch):
    turned = batch("turned")
    for count, instance in enumerate(("ml.m5.large", "ml.m5.xlarge", "ml.m5.large"), start=1):
        status, _, err = run("up", turned.file(instance), "--confirm", "0")
        assert (status, len(turned.jobs())) == (3, count - 1), err
        status, _, err = run("up", turned.file(instance), "--confirm", HOUR[instance])
        assert (status, len(turned.jobs())) == (0, count), err
    assert "0.115 USD per hour while its job runs; before 0.23 USD, difference -0.115 USD" in err


def test_a_longer_life_starts_no_job_and_costs_nothing_more(run, batch):
    kept = batch("kept")
    assert run("up", kept.file(), "--confirm", "0.115")[0] == 0
    jobs = kept.jobs()
    for hours in (16, 24):
        status, _, err = run("up", kept.file(hours=hours), "--confirm", "0.115")
        assert (status, "the real one 0.0000 USD/h" in err) == (3, True), err
        status, _, err = run("up", kept.file(hours=hours), "--confirm", "0")
        assert (status, "No job starts" in err, kept.jobs()) == (0, True, jobs), err
    status, _, err = run("up", kept.file(hours=24))  # finds the job that it has started
    assert (status, "is done; its results" in err, kept.jobs()) == (0, True, jobs), err


def test_a_change_that_is_taken_back_starts_no_job(run, batch, monkeypatch):
    restored = batch("restored")
    assert run("up", restored.file(), "--confirm", "0.115")[0] == 0
    jobs = restored.jobs()
    bad = resource("IAM::Role", AssumeRolePolicyDocument={}, ManagedPolicyArns=["arn:aws:iam::aws:policy/nothing"])

    def broken(request, **more):
        found = plan(request, **more)
        return replace(found, template={**found.template, "Resources": {**found.template["Resources"], "Bad": bad}})

    with monkeypatch.context() as patched:
        patched.setattr(commands, "plan", broken)
        status, _, err = run("up", restored.file("ml.m5.xlarge"), "--confirm", "0.23")
        assert (status, "what ran before runs again" in err, restored.jobs()) == (1, True, jobs), err
    status, _, err = run("up", restored.file())  # nothing is to be done, so nothing is asked
    assert (status, "is as planned" in err, restored.jobs()) == (0, True, jobs), err


def test_invoke_runs_the_job_once_more_when_its_price_is_confirmed(run, batch, typed):
    again = batch("again")
    assert run("up", again.file(), "--confirm", "0.115")[0] == 0
    jobs = again.jobs()
    for typing in ("0\n", "yes\n", "\n"):
        typed(typing)
        status, _, err = run("invoke", "again")
        assert (status, again.jobs()) == (3, jobs), err
        assert "Price: 0.115 USD per hour while its job runs; it is paid until it ends." in err
        assert "Type the price per hour while its job runs, 0.115, to run again once more;" in err
    for count in (2, 3):
        status, _, err = run("invoke", "again", "--confirm", "0.115")
        assert (status, "is done; its results are under s3://again/out" in err) == (0, True), err
        assert len(again.jobs()) == count
    assert {one.rpartition("-")[2] for one in again.jobs()} == {"1", "2", "3"}


def test_a_run_that_somebody_else_starts_meanwhile_is_confirmed_anew(run, batch, stacks, monkeypatch):
    shared = batch("shared")
    assert run("up", shared.file(), "--confirm", "0.115")[0] == 0

    class Typed(io.StringIO):
        def readline(self, *_):
            theirs = stacks.preview_run("shared", book=load_book())
            confirmed = Confirmation(token=theirs.token, usd_per_hour=theirs.price.usd_per_hour, by="bob")
            stacks.run_again("shared", confirmed, book=load_book())
            return "0.115\n"

    monkeypatch.setattr(sys, "stdin", Typed())
    status, _, err = run("invoke", "shared")
    assert (status, "what was confirmed is not what would be done now" in err) == (3, True), err
    assert {one.rpartition("-")[2] for one in shared.jobs()} == {"1", "2"}


def test_scheduled_jobs_are_confirmed_with_the_launch_and_run_by_the_schedule_alone(run, batch):
    nightly = batch("nightly")
    path = nightly.file(schedule="rate(1 day)")
    assert run("up", path, "--confirm", "0")[0] == 3
    status, _, err = run("up", path, "--confirm", "0.115")
    assert status == 0, err
    assert "Price: 0.115 USD per hour while a job of its schedule runs." in err
    assert "A job starts at every time of rate(1 day) (UTC)" in err
    status, _, err = run("invoke", "nightly", "--confirm", "0.115")
    assert (status, "are started by its schedule, rate(1 day)" in err, nightly.jobs()) == (3, True, set()), err


def test_what_is_of_requests_is_refused_of_a_job(run, batch):
    asked = batch("asked")
    assert run("up", asked.file(schedule="rate(1 day)"), "--confirm", "0.115")[0] == 0
    status, _, err = run("invoke", "asked", "--body", "-", "--variant", "new", "--confirm", "0.115")
    assert (status, "from S3 @ --body" in err, "from S3 @ --variant" in err) == (2, True, True), err
