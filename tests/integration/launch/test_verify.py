"""What runs is held against what was asked for, on a real endpoint; and a sweep leaves what belongs to a launch."""

import copy
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from launch.orphans import DELETIONS, kind_of
from launch.plan import Confirmation
from launch.stacks import Stacks
from launch.sweep import JOB_TARGET
from tests.hosting import ECR
from tests.launching import end, hosted, launch, plan_of, soon, topic
from tests.stack_templates import VARIANT, resource


def scaled(archive: str):
    """An endpoint with a scalable target."""
    return {
        **hosted(archive, NAME="a"),
        "Target": resource(
            "ApplicationAutoScaling::ScalableTarget", MinCapacity="1", MaxCapacity="2", ResourceId=VARIANT,
            ServiceNamespace="sagemaker", ScalableDimension="sagemaker:variant:DesiredInstanceCount",
        ),
    }  # fmt: skip


@pytest.fixture(scope="module")
def plan(stacks, archive):
    plan = plan_of("verified", scaled(archive))
    launch(stacks, plan)
    yield plan
    end(stacks, "verified")


def paths(differences):
    return [f"{one.logical_id} {one.path}" for one in differences]


def test_a_launch_is_as_asked_for_until_somebody_changes_it_behind_its_back(stacks, plan, sandbox):
    assert stacks.verify(plan) == stacks.verify("verified") == ()
    physical = {one.logical_id: one.physical_id for one in stacks.preview_removal("verified").resources}
    scaling, cloudwatch = sandbox.client("application-autoscaling"), sandbox.client("cloudwatch")
    resource_id, dimension, _ = physical["Target"].split("|")
    which = {"ServiceNamespace": "sagemaker", "ResourceId": resource_id, "ScalableDimension": dimension}
    scaling.register_scalable_target(**which, MinCapacity=1, MaxCapacity=9)
    alarm = {
        "AlarmName": physical["Slow"], "Namespace": "AWS/SageMaker", "MetricName": "ModelLatency",
        "Statistic": "Average", "Period": 60, "EvaluationPeriods": 1, "ComparisonOperator": "GreaterThanThreshold",
    }  # fmt: skip
    cloudwatch.put_metric_alarm(**alarm, Threshold=7)
    found = stacks.verify(plan)
    assert paths(found) == ["Slow Threshold", "Target MaxCapacity"]
    assert str(found[1]) == "Target MaxCapacity: asked for 2, but it is 9"
    scaling.register_scalable_target(**which, MinCapacity=1, MaxCapacity=2)
    cloudwatch.put_metric_alarm(**alarm, Threshold=500_000)
    assert stacks.verify(plan) == ()


def literals(value, path=()):
    """Name every literal of a template's properties by its path."""
    if isinstance(value, dict):
        return [one for key, inner in value.items() for one in literals(inner, (*path, key))]
    if isinstance(value, list):
        return [one for index, inner in enumerate(value) for one in literals(inner, (*path, index))]
    return [path]


def test_every_value_that_is_asked_for_is_compared(stacks, plan):
    compared = ("Model", "Config", "Target", "Slow")
    missed = []
    for name in compared:
        for path in literals(plan.template["Resources"][name]["Properties"]):
            template = copy.deepcopy(plan.template)
            place = template["Resources"][name]["Properties"]
            for key in path[:-1]:
                place = place[key]
            place[path[-1]] = f"{place[path[-1]]}1"
            if not any(key in {"Fn::GetAtt", "Fn::Sub", "Ref"} for key in path) and not stacks.verify(
                replace(plan, template=template)
            ):
                missed.append((name, path))
    assert missed == []


def test_a_silent_rollback_of_the_endpoint_is_a_difference(stacks, plan, sandbox, archive):
    """CloudFormation believes in one configuration, and the endpoint serves another."""
    sagemaker = sandbox.client("sagemaker")
    endpoint = stacks.look("verified")
    physical = {one.logical_id: one.physical_id for one in stacks.preview_removal("verified").resources}
    name = physical["Endpoint"].rpartition("/")[2]
    believed = physical["Config"].rpartition("/")[2]
    variant = sagemaker.describe_endpoint_config(EndpointConfigName=believed)["ProductionVariants"][0]
    sagemaker.create_endpoint_config(EndpointConfigName="silent", ProductionVariants=[variant])
    sagemaker.update_endpoint(EndpointName=name, EndpointConfigName="silent")
    sagemaker.get_waiter("endpoint_in_service").wait(EndpointName=name, WaiterConfig={"Delay": 1})
    assert endpoint.status == "CREATE_COMPLETE"
    (found,) = stacks.verify(plan)
    assert (found.logical_id, found.path, found.live) == ("Endpoint", "EndpointConfigName", "silent")
    sagemaker.update_endpoint(EndpointName=name, EndpointConfigName=believed)
    sagemaker.get_waiter("endpoint_in_service").wait(EndpointName=name, WaiterConfig={"Delay": 1})
    sagemaker.delete_endpoint_config(EndpointConfigName="silent")
    assert stacks.verify(plan) == ()


def test_nothing_there_is_the_greatest_difference(stacks):
    assert [str(one) for one in stacks.verify("nobody")] == ["nobody the launch: asked for running, but it is nothing"]


def test_a_sweep_leaves_alone_what_belongs_to_a_launch(stacks, plan):
    assert stacks.sweep().is_clean


def test_a_sweep_leaves_alone_what_somebody_made_of_our_template(stacks, account):
    tagged = topic()
    tagged["News"]["Properties"]["Tags"] = [{"Key": "hostfit:launch", "Value": "taken-home"}]
    theirs = account.create(tagged)
    account.rests(theirs)
    assert stacks.sweep().is_clean
    account.delete(theirs)


def test_a_sweep_leaves_alone_the_roles_of_launches_in_another_region(stacks, sandbox):
    made = {"Path": "/hostfit/", "AssumeRolePolicyDocument": "{}"}
    stack = "arn:aws:cloudformation:eu-west-1:000000000000:stack/far/1"
    elsewhere = ({"aws:cloudformation:stack-id": stack}, {"hostfit:region": "eu-west-1"})
    iam = sandbox.client("iam")
    for number, one in enumerate(elsewhere):
        tags = [{"Key": key, "Value": value} for key, value in ({"hostfit:launch": "far"} | one).items()]
        iam.create_role(RoleName=f"far-{number}", Tags=tags, **made)
    assert stacks.sweep().is_clean
    there = Stacks(lambda service: sandbox.client(service, region_name="eu-west-1")).sweep()
    assert [one.name for one in there.orphans] == ["far-0", "far-1"]
    for number in range(len(elsewhere)):
        iam.delete_role(RoleName=f"far-{number}")


def test_a_sweep_removes_a_launchs_resources_whose_stack_is_gone(stacks, account, sandbox, archive):
    before = account.holds()
    sagemaker = sandbox.client("sagemaker")
    tags = [{"Key": "hostfit:launch", "Value": "lost"}, {"Key": "hostfit:usd-per-hour", "Value": "0.3"}]
    role = "arn:aws:iam::000000000000:role/hosting"
    sagemaker.create_model(
        ModelName="Lost-Model",
        ExecutionRoleArn=role,
        PrimaryContainer={"Image": f"{ECR}/a", "ModelDataUrl": archive},
        Tags=tags,
    )
    sandbox.client("iam").create_role(RoleName="lost", Path="/hostfit/", AssumeRolePolicyDocument="{}", Tags=tags)
    sandbox.client("sns").create_topic(Name="lost", Tags=tags)
    sandbox.client("cloudwatch").put_metric_alarm(
        AlarmName="lost: slow", Namespace="n", MetricName="m", Statistic="Sum", Period=60, EvaluationPeriods=1,
        Threshold=1, ComparisonOperator="GreaterThanThreshold", Tags=tags,
    )  # fmt: skip
    starts = {"Arn": JOB_TARGET, "RoleArn": role, "Input": json.dumps({"TransformJobName": "lost", "Tags": tags})}
    sandbox.client("scheduler").create_schedule(
        Name="lost", ScheduleExpression="rate(1 day)", FlexibleTimeWindow={"Mode": "OFF"}, Target=starts
    )
    found = stacks.sweep()
    assert [(one.kind, one.launch) for one in found.orphans] == [
        ("scheduler:schedule", "lost"), ("sagemaker:model", "lost"), ("cloudwatch:alarm", "lost"), ("sns:topic", "lost"), ("iam:role", "lost"),
    ]  # fmt: skip
    swept = stacks.remove_orphans(Confirmation(token=found.token, usd_per_hour=found.usd_per_hour, by="ada"))
    assert (len(swept.removed), swept.failed) == (5, ())
    assert account.holds() == before


def test_a_sweep_ends_launches_past_their_time_and_forgets_old_proposals(sandbox, stacks, account):
    before = account.holds()
    launch(stacks, plan_of("mayfly", topic(), time_to_live_h=1.0))
    stacks.propose(plan_of("forgotten", topic()), by="ada")
    assert stacks.sweep().is_clean
    later = Stacks(sandbox.client, now=lambda: datetime.now(UTC) + timedelta(hours=13), pause=soon)
    found = later.sweep()
    assert ([one.name for one in found.expired], [one.name for one in found.abandoned]) == (["mayfly"], ["forgotten"])
    swept = later.remove_orphans(Confirmation(token=found.token, usd_per_hour=found.usd_per_hour, by="ada"))
    for stack in swept.removing:
        stacks.follow(stack)
    assert later.sweep().is_clean
    assert account.holds() == before


def test_a_scalable_target_goes_by_its_arn(sandbox, account):
    """The sandbox keeps no tags of scalable targets, so that a sweep does not find them there."""
    before = account.holds()
    which = {"ServiceNamespace": "sagemaker", "ScalableDimension": "sagemaker:variant:DesiredInstanceCount"}
    arns = [
        sandbox.client("application-autoscaling").register_scalable_target(
            **which, ResourceId=f"endpoint/{name}/variant/all", MinCapacity=1, MaxCapacity=2
        )["ScalableTargetARN"]
        for name in ("lost", "lost-too")
    ]
    assert kind_of(arns[0]) == "application-autoscaling:scalable-target"
    DELETIONS[kind_of(arns[0])](sandbox.client, arns[0])
    assert account.holds() - before == {("scalable target", "endpoint/lost-too/variant/all")}
    DELETIONS[kind_of(arns[1])](sandbox.client, arns[1])
    assert account.holds() == before
