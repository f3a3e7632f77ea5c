"""Templates: what each option is made of, that cfn-lint has nothing against any of them, and what the role may do."""

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from launch.request import Request, Update
from launch.roles import UNNAMED
from launch.template import request_of, template
from launch.template_batch import job
from launch.template_parts import TAGGED
from tests.launch_requests import KEY, REQUESTS, STEPS, variations
from tests.linted import faults

VARIATIONS = variations()


def properties(request: Request, name: str) -> dict[str, Any]:
    found: dict[str, Any] = template(request)["Resources"][name]["Properties"]
    return found


def varied(kind: str) -> Request:
    return VARIATIONS[kind]


@pytest.mark.parametrize("kind", VARIATIONS)
def test_cfn_lint_finds_nothing(kind: str):
    assert faults(json.dumps(template(VARIATIONS[kind]))) == []


def test_a_job_on_a_disk_of_its_own_asks_for_no_key_and_carries_all_tags():
    on_disk = {"instance_type": "ml.g4dn.xlarge", "instances": 1}
    request = replace(REQUESTS["batch"], kms_key_arn=KEY, tags={"team": "fraud"})
    plain, local = (
        job(one, model_name="m", job_name="j") for one in (request, replace(request, configuration=on_disk))
    )
    assert (plain["TransformResources"]["VolumeKmsKeyId"], "VolumeKmsKeyId" in local["TransformResources"]) == (
        KEY,
        False,
    )
    assert {tag["Key"] for tag in plain["Tags"]} == {"hostfit:launch", "hostfit:option", "team"}


def test_the_linter_sees_a_wrong_property():
    body = template(REQUESTS["mme"])
    body["Resources"]["Model"]["Properties"]["Container"] = {}
    assert any("'Container' was unexpected" in fault for fault in faults(json.dumps(body)))


@pytest.mark.parametrize("kind", VARIATIONS)
def test_the_request_is_read_back_from_its_template(kind: str):
    assert request_of(json.loads(json.dumps(template(VARIATIONS[kind])))) == VARIATIONS[kind]


@pytest.mark.parametrize("body", [{}, {"Metadata": {"hostfit": 3}}, [], {"Metadata": {"hostfit": {"request": {}}}}])
def test_other_templates_hold_no_request(body: object):
    assert request_of(body) is None


def statements(request: Request) -> Iterator[dict[str, Any]]:
    for one in template(request)["Resources"].values():
        if one["Type"] == "AWS::IAM::Role":
            for policy in one["Properties"]["Policies"]:
                yield from policy["PolicyDocument"]["Statement"]


@pytest.mark.parametrize("kind", VARIATIONS)
def test_no_role_has_an_action_by_pattern_or_a_resource_without_a_name(kind: str):
    for statement in statements(VARIATIONS[kind]):
        assert statement["Effect"] == "Allow"
        assert not [action for action in statement["Action"] if "*" in action]
        assert statement["Resource"], statement
        if "*" in statement["Resource"]:
            assert set(statement["Action"]) <= set(UNNAMED), statement
        for one in statement["Resource"]:
            found = one.get("Fn::Sub", "") if isinstance(one, dict) else one
            arn = found if isinstance(found, str) else found[0]
            # At most the end of a name is open: no account, Region, bucket or repository.
            head, _, tail = arn.partition("*")
            assert one == "*" or (tail == "" and not head.endswith(":::")), one


def test_metrics_are_put_into_one_namespace_only():
    for request in REQUESTS.values():
        found = [one for one in statements(request) if "cloudwatch:PutMetricData" in one["Action"]]
        assert [one["Condition"]["StringEquals"]["cloudwatch:namespace"] for one in found] == [
            ["/aws/sagemaker/TransformJobs" if request.option == "batch" else "/aws/sagemaker/Endpoints"]
        ]


@pytest.mark.parametrize("kind", VARIATIONS)
def test_everything_that_takes_tags_says_which_launch_it_is_of(kind: str):
    request = VARIATIONS[kind]
    for name, one in template(request)["Resources"].items():
        if one["Type"] in TAGGED:
            tags = {tag["Key"]: tag["Value"] for tag in one["Properties"]["Tags"]}
            assert tags == {**request.tags, "hostfit:launch": request.name, "hostfit:option": request.option}, name


def test_an_endpoint_that_scales_keeps_its_instances_when_it_changes():
    scaled, fixed = properties(varied("real_time"), "Endpoint"), properties(varied("real_time-fixed"), "Endpoint")
    assert scaled["RetainAllVariantProperties"] is True
    assert scaled["ExcludeRetainedVariantProperties"] == [{"VariantPropertyType": "DataCaptureConfig"}]
    assert "RetainAllVariantProperties" not in fixed


def test_a_target_follows_the_configuration():
    assert properties(varied("real_time"), "ScalingPolicy")["TargetTrackingScalingPolicyConfiguration"] == {
        "TargetValue": 600.5,
        "PredefinedMetricSpecification": {"PredefinedMetricType": "SageMakerVariantInvocationsPerInstance"},
        "ScaleOutCooldown": 300,
        "ScaleInCooldown": 300,
    }


def test_steps_lie_without_gaps_on_their_side_of_the_threshold():
    def steps(name: str) -> Any:
        return properties(varied("real_time-steps"), name)["StepScalingPolicyConfiguration"]["StepAdjustments"]

    assert steps("ScaleOutPolicy") == [
        {"MetricIntervalLowerBound": 0.0, "MetricIntervalUpperBound": 300.0, "ScalingAdjustment": 1},
        {"MetricIntervalLowerBound": 300.0, "ScalingAdjustment": 3},
    ]
    assert steps("ScaleInPolicy") == [
        {"MetricIntervalLowerBound": -200.0, "MetricIntervalUpperBound": 0.0, "ScalingAdjustment": -1},
        {"MetricIntervalUpperBound": -200.0, "ScalingAdjustment": -2},
    ]


def test_a_schedule_moves_the_bounds_at_its_times_in_utc():
    assert properties(varied("real_time-steps"), "Scaling")["ScheduledActions"] == [
        {
            "ScheduledActionName": "1-weekdays-07-30",
            "Schedule": "cron(30 7 ? * MON-FRI *)",
            "ScalableTargetAction": {"MinCapacity": 4, "MaxCapacity": 8},
        },
        {
            "ScheduledActionName": "2-daily-20-00",
            "Schedule": "cron(0 20 ? * * *)",
            "ScalableTargetAction": {"MinCapacity": 1, "MaxCapacity": 4},
        },
    ]


def test_a_schedule_alone_scales_without_a_policy():
    request = REQUESTS["real_time"]
    configuration = {"instance_type": "ml.m5.large", "policy": {"schedule": STEPS["schedule"]}}
    found = template(replace(request, configuration=configuration))["Resources"]
    assert "Scaling" in found
    assert "ScalingPolicy" not in found


@pytest.mark.parametrize(
    ("kind", "metric", "periods"),
    [("async", "HasBacklogWithoutCapacity", 2), ("real_time-to_zero", "NoCapacityInvocationFailures", 1)],
)
def test_what_scales_to_zero_has_the_alarm_that_leaves_it(kind: str, metric: str, periods: int):
    alarm = properties(varied(kind), "WakeAlarm")
    assert (alarm["MetricName"], alarm["EvaluationPeriods"], alarm["Threshold"]) == (metric, periods, 1)
    assert alarm["AlarmActions"] == [{"Ref": "WakePolicy"}]
    assert properties(varied(kind), "Scaling")["MinCapacity"] == 0


def test_one_copy_of_a_component_takes_more_than_half_of_an_instance():
    for kind, memory_gib in (("real_time-to_zero", 8), ("real_time-to_zero_on_gpu", 192)):
        needs = properties(varied(kind), "Component")["Specification"]["ComputeResourceRequirements"]
        assert memory_gib * 1024 / 2 < needs["MinMemoryRequiredInMb"] < memory_gib * 1024
    assert needs["NumberOfAcceleratorDevicesRequired"] == 4


def test_a_local_disk_takes_neither_a_volume_nor_a_key():
    config = properties(varied("real_time-local_disk"), "EndpointConfig")
    assert "KmsKeyId" not in config
    assert "VolumeSizeInGB" not in config["ProductionVariants"][0]
    assert properties(varied("real_time-kms"), "EndpointConfig")["KmsKeyId"] == KEY


@pytest.mark.parametrize(
    ("strategy", "policy"),
    [
        (Update(strategy="all_at_once"), {"Type": "ALL_AT_ONCE"}),
        (Update(strategy="canary", percent=25), {"Type": "CANARY", "CanarySize": 25}),
        (Update(strategy="linear", percent=20), {"Type": "LINEAR", "LinearStepSize": 20}),
    ],
)
def test_traffic_shifts_as_it_was_asked(strategy: Update, policy: dict[str, Any]):
    found = properties(replace(REQUESTS["mme"], update=strategy), "Endpoint")["DeploymentConfig"]
    traffic = dict(found["BlueGreenUpdatePolicy"]["TrafficRoutingConfiguration"])
    assert traffic.pop("WaitIntervalInSeconds") == 300
    assert {key: value["Value"] if isinstance(value, dict) else value for key, value in traffic.items()} == policy
    assert found["AutoRollbackConfiguration"] == {"Alarms": [{"AlarmName": {"Ref": "ErrorAlarm"}}]}


def test_without_alarms_nothing_is_taken_back():
    update = Update(strategy="rolling", percent=50, rollback_on_alarms=False)
    found = template(replace(REQUESTS["mme"], update=update))["Resources"]
    assert "AutoRollbackConfiguration" not in found["Endpoint"]["Properties"]["DeploymentConfig"]
    assert "ErrorAlarm" not in found


def test_a_recurring_job_gets_a_name_of_its_own_each_time():
    target = properties(varied("batch-scheduled"), "Schedule")["Target"]
    asked = json.loads(target["Input"]["Fn::Sub"])
    assert asked["TransformJobName"] == "batch-<aws.scheduler.execution-id>"
    assert asked["ModelName"] == "${Model.ModelName}"
    assert asked["TransformInput"]["DataSource"]["S3DataSource"]["S3Uri"] == "s3://records/in/"


def test_a_model_elsewhere_in_the_parameters_is_one_that_the_role_reads():
    read = next(one for one in statements(REQUESTS["mce_direct"]) if one["Sid"] == "ReadModels")
    assert json.dumps(read["Resource"]).count('"ModelData1"') == 1
    assert json.dumps(read["Resource"]).count('"ModelData2"') == 1


def test_equal_requests_have_equal_templates():
    for request in VARIATIONS.values():
        assert json.dumps(template(request)) == json.dumps(template(replace(request)))
