"""Several production variants on one endpoint: what is made of each, what it costs, and what is refused."""

import json
from dataclasses import replace
from decimal import Decimal
from functools import cache
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fitness.errors import InputError
from fitness.presets import load
from fitness.prices import PriceBook, load_book
from launch.checks import check_change
from launch.fleets import fleets, shares
from launch.plan import plan
from launch.request import Alarms, Model, Request, Update, Variant, as_document, from_document, models_of, with_models
from launch.template import template
from tests.launch_requests import KEY, ON_INSTANCES, REQUESTS, SCALED, TO_ZERO, VPC, many, variant, variations
from tests.linted import faults

REAL_TIME = REQUESTS["real_time"]
VARIED = variations()["real_time-variants"]
IN_STEPS = variations()["real_time-variants_steps"]


@cache
def book() -> PriceBook:
    return load_book()


def refused(one: Request) -> dict[str, str]:
    with pytest.raises(InputError) as caught:
        plan(one, book=book())
    return {problem.path: problem.message for problem in caught.value.problems}


def resources(one: Request) -> dict[str, dict[str, Any]]:
    return template(one)["Resources"]


def with_variants(*given: Any, **more: Any) -> Request:
    return replace(REAL_TIME, variants=given, **more)


def test_each_variant_has_a_model_instances_and_a_share():
    found = resources(VARIED)["EndpointConfig"]["Properties"]["ProductionVariants"]
    assert [
        (one["VariantName"], one["ModelName"]["Fn::GetAtt"][0], one["InitialVariantWeight"], one["InstanceType"])
        for one in found
    ] == [
        ("AllTraffic", "Model", 9.0, "ml.m5.large"),
        ("challenger", "ModelOfChallenger", 1.0, "ml.c5.large"),
    ]
    assert shares(VARIED) == {"AllTraffic": 0.9, "challenger": 0.1}
    assert [one["VolumeSizeInGB"] for one in found] == [8, 8]


def test_a_variant_that_says_nothing_runs_as_the_main_one_does():
    main, same = fleets(with_variants(variant("same")))
    assert (same.settings, same.weight, main.weight) == (main.settings, 1, 1)


@pytest.mark.parametrize("kind", ["ml.g4dn.xlarge", "ml.m5d.large"])
def test_a_type_with_a_disk_of_its_own_gets_no_volume(kind: str):
    found = resources(with_variants(variant("fast", instance_type=kind)))["EndpointConfig"]["Properties"]
    assert ["VolumeSizeInGB" in one for one in found["ProductionVariants"]] == [True, False]


def test_each_variant_that_scales_has_a_target_of_its_own():
    found = resources(VARIED)
    own = found["ScalingOfChallenger"]["Properties"]
    assert own["ResourceId"] == "endpoint/real-time/variant/challenger"
    assert (own["MinCapacity"], own["MaxCapacity"]) == (1, 2)
    assert found["ScalingPolicyOfChallenger"]["Properties"]["ScalingTargetId"] == {"Ref": "ScalingOfChallenger"}
    assert found["ScalingPolicy"]["Properties"]["ScalingTargetId"] == {"Ref": "Scaling"}
    fixed = resources(with_variants(variant("new", max_instances=1)))
    assert "Scaling" in fixed
    assert "ScalingOfNew" not in fixed


def test_the_schedule_is_the_main_variants():
    found = resources(IN_STEPS)
    assert "ScheduledActions" in found["Scaling"]["Properties"]
    assert "ScheduledActions" not in found["ScalingOfNewModel"]["Properties"]
    alarm = found["ScaleOutAlarmOfNewModel"]["Properties"]
    assert {"Name": "VariantName", "Value": "new-model"} in alarm["Dimensions"]
    assert alarm["AlarmActions"] == [{"Ref": "ScaleOutPolicyOfNewModel"}]


def test_each_variant_is_watched_and_any_of_them_takes_an_update_back():
    found = resources(VARIED)
    names = ["LatencyAlarm", "ErrorAlarm", "LatencyAlarmOfChallenger", "ErrorAlarmOfChallenger"]
    watched = [
        dimension["Value"]
        for name in names
        for dimension in found[name]["Properties"]["Dimensions"]
        if dimension["Name"] == "VariantName"
    ]
    assert watched == ["AllTraffic", "AllTraffic", "challenger", "challenger"]
    rollback = found["Endpoint"]["Properties"]["DeploymentConfig"]["AutoRollbackConfiguration"]
    assert rollback == {"Alarms": [{"AlarmName": {"Ref": name}} for name in names]}


def test_a_change_of_weights_is_not_kept_from_the_callers():
    kept = resources(VARIED)["Endpoint"]["Properties"]["ExcludeRetainedVariantProperties"]
    assert {"VariantPropertyType": "DesiredWeight"} in kept


def test_the_role_reads_every_model_and_the_parameters_say_where_they_lie():
    found = plan(VARIED, book=book())
    assert found.parameters == {
        "ModelData": "s3://models/iris/model.tar.gz",
        "ModelDataOfChallenger": "s3://models/iris-2/model.tar.gz",
    }
    (policy,) = resources(VARIED)["Role"]["Properties"]["Policies"]
    (reads,) = [one for one in policy["PolicyDocument"]["Statement"] if one["Sid"] == "ReadModels"]
    assert str(reads["Resource"]).count("{'Ref': 'ModelDataOfChallenger'}") == 1
    looked = [name for one in found.permissions if one.why == "See that the models are there" for name in one.resources]
    assert "arn:aws:s3:::models/iris-2/model.tar.gz" in looked


def usd(item: str) -> Decimal:
    price = book().estimate(item, "us-east-1")
    assert price is not None
    return price.usd_per_unit


def test_the_instances_of_every_variant_are_priced_whatever_its_share():
    found = plan(replace(VARIED, alarms=None, update=None), book=book())
    main, beside, gb = usd("hosting/ml.m5.large"), usd("hosting/ml.c5.large"), usd("storage/hosting")
    alarms = 4 * usd("cloudwatch/alarm") / 730
    assert found.usd_per_hour == round(main + beside + 16 * gb / 730 + alarms, 4)
    assert found.most_usd_per_hour == round(3 * main + 2 * beside + 40 * gb / 730 + alarms, 4)
    assert "Requests are shared by weight: AllTraffic 90 %, challenger 10 %" in " ".join(found.notes)
    assert next(one.about for one in found.resources if one.logical_id == "ModelOfChallenger").endswith(
        "(variant challenger)"
    )


def test_the_month_has_all_traffic_on_the_main_variant_and_the_least_instances_of_the_others():
    alone = replace(REAL_TIME, configuration={**ON_INSTANCES, "volume_gb": 8}, network=VPC)
    workload = load("card-fraud").replace({"region": "us-east-1"})
    before = plan(alone, book=book(), workload=workload).month
    beside = variant("challenger", instance_type="ml.c5.large", min_instances=2)
    after = plan(replace(alone, variants=(beside,)), book=book(), workload=workload).month
    assert before is not None
    assert after is not None
    more = 2 * 730 * usd("hosting/ml.c5.large") + 2 * 8 * usd("storage/hosting")
    assert after.exact_total - before.exact_total == pytest.approx(more)
    assert after.lines[-2].name == "Real-time hosting (ml.c5.large, variant challenger)"
    assert after.lines[-2].note == "2 x 730 h"


@pytest.mark.parametrize(
    ("asked", "path", "message"),
    [
        (replace(REAL_TIME, weight=2.0), "weight", "is of the main variant among several; there are no variants"),
        (
            replace(REQUESTS["mce_direct"], variants=(variant("a"),)),
            "variants",
            "are of real_time, not of mce_direct",
        ),
        (
            with_variants(variant("a"), configuration=TO_ZERO),
            "variants",
            "are not possible where inference components have the models, or with min_instances 0",
        ),
        (
            with_variants(*(variant(f"v{number}") for number in range(10))),
            "variants",
            "must be at most 10 with the main one, got 11",
        ),
        (
            with_variants(variant("new-one"), variant("newOne")),
            "variants",
            "must have names that differ in their letters and digits, got AllTraffic, new-one, newOne",
        ),
        (
            with_variants(variant("alltraffic")),
            "variants",
            "must have names that differ in their letters and digits, got AllTraffic, alltraffic",
        ),
        (
            with_variants(variant("a", weight=0.0), weight=0.0),
            "weight",
            "must be above 0 for one of the variants, the main one or another: nothing would be asked",
        ),
        (
            with_variants(replace(variant("a"), container=None)),
            "variants[0].container",
            "is missing: the model has not been resolved yet",
        ),
        (
            with_variants(replace(variant("a"), container=many("m"))),
            "variants[0].model.source",
            "must be one model for real_time, not a prefix",
        ),
        (
            with_variants(replace(variant("a"), container=replace(variant("a").container, image="python:3"))),
            "variants[0].container.image",
            'must be an image in ECR with a tag or digest, got "python:3"',
        ),
        (
            with_variants(variant("a", max_instances=1), configuration={**SCALED, "min_instances": 2}),
            "variants[0].max_instances",
            "must be >= min_instances = 2, got 1",
        ),
        (
            with_variants(variant("a", instance_type="ml.m55.large")),
            "variants[0].instance_type",
            'must be a known instance type, got "ml.m55.large"',
        ),
        (
            with_variants(variant("a", instance_type="ml.t2.medium")),
            "variants[0].instance_type",
            "must not be burstable where instances scale, got ml.t2.medium",
        ),
        (
            with_variants(variant("a", max_instances=2), configuration=ON_INSTANCES),
            "configuration.target_invocations_per_minute",
            "is missing: scaling from 1 to 2 instances needs a target or a policy",
        ),
        (
            with_variants(variant("a", instance_type="ml.g4dn.xlarge"), kms_key_arn=KEY),
            "kms_key_arn",
            "must be absent where only some of the variants' types have a disk of their own: SageMaker refuses it",
        ),
        (
            with_variants(variant("a"), update=Update(strategy="rolling", percent=50)),
            "update.strategy",
            "must be all_at_once or canary or linear for several variants, got rolling",
        ),
        (
            with_variants(variant("a", instance_type="ml.inf1.xlarge"), update=Update(strategy="canary")),
            "update.strategy",
            "must be all_at_once for several variants, got canary",
        ),
        (
            with_variants(
                *(variant(f"v{number}") for number in range(5)),
                alarms=Alarms(latency_p99_ms=100, errors_per_minute=5),
                update=Update(strategy="canary"),
            ),
            "update.rollback_on_alarms",
            "must be false: at most 10 alarms take an update back, and the variants have 12",
        ),
    ],
)
def test_what_variants_can_not_do_is_refused(asked: Request, path: str, message: str):
    assert refused(asked) == {f"$.{path}": message}


FIRST = "as long as its instances scale; end that in a change before: max_instances = min_instances, no schedule"
KEPT = "for a change that adds, drops or renames a variant: SageMaker's deployments keep them"
ROLLING_OUT = Update(strategy="canary", percent=20)
FIXED = with_variants(variant("a", max_instances=1))


@pytest.mark.parametrize(
    ("before", "after", "path", "message"),
    [
        (
            with_variants(variant("a")),
            with_variants(variant("b"), variant("a"), update=ROLLING_OUT),
            "update",
            f"must be absent {KEPT}; there are AllTraffic, a, and asked for are AllTraffic, b, a",
        ),
        (
            with_variants(variant("a")),
            with_variants(variant("b")),
            "variants",
            f"must have a {FIRST}",
        ),
        (
            with_variants(variant("a")),
            with_variants(variant("a", instance_type="ml.c5.large")),
            "variants[0].instance_type",
            f"must stay ml.m5.large {FIRST}, got ml.c5.large",
        ),
        (
            REAL_TIME,
            replace(REAL_TIME, configuration={**SCALED, "instance_type": "ml.c5.large"}),
            "configuration.instance_type",
            f"must stay ml.m5.large {FIRST}, got ml.c5.large",
        ),
    ],
)
def test_what_sagemaker_refuses_of_a_change_is_named(before: Request, after: Request, path: str, message: str):
    with pytest.raises(InputError) as caught:
        check_change(before, after)
    assert [(problem.path, problem.message) for problem in caught.value.problems] == [(f"$.{path}", message)]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (with_variants(variant("a")), with_variants(variant("a", weight=5.0), update=ROLLING_OUT)),
        (with_variants(variant("a")), with_variants(variant("b"), variant("a"))),
        (with_variants(variant("a")), FIXED),
        (FIXED, REAL_TIME),
        (FIXED, with_variants(variant("a", instance_type="ml.c5.large"))),
        (REQUESTS["serverless"], replace(REQUESTS["serverless"], update=ROLLING_OUT)),
        (
            replace(REAL_TIME, configuration=TO_ZERO),
            replace(REAL_TIME, configuration={**TO_ZERO, "instance_type": "ml.c5.large"}),
        ),
        (REQUESTS["batch"], replace(REQUESTS["batch"], configuration={"instance_type": "ml.c5.large"})),
    ],
)
def test_other_changes_are_made_in_one_step(before: Request, after: Request):
    check_change(before, after)


def test_ten_variants_fit_into_a_template():
    asked = with_variants(*(variant(f"v{number}") for number in range(9)), alarms=Alarms(errors_per_minute=5))
    assert len(resources(asked)["EndpointConfig"]["Properties"]["ProductionVariants"]) == 10
    assert plan(asked, book=book()).resources


NAMES = st.from_regex(r"[a-zA-Z0-9](-?[a-zA-Z0-9]){0,62}", fullmatch=True)
SEVERAL = st.lists(
    st.builds(
        variant,
        NAMES,
        weight=st.floats(0, 1e6),
        instance_type=st.sampled_from([None, "ml.c5.large", "ml.m5d.xlarge"]),
        max_instances=st.sampled_from([None, 1, 5]),
    ),
    max_size=3,
    unique_by=lambda one: one.name.replace("-", "").lower(),
)


@settings(max_examples=20, deadline=None)
@given(SEVERAL, st.floats(0.5, 1e6))
def test_any_variants_are_read_back_and_make_a_template_that_lints(beside: list[Variant], weight: float):
    asked = with_variants(*beside, weight=weight if beside else None)
    assert from_document(as_document(asked)) == asked
    assert faults(json.dumps(template(asked))) == []
    assert sum(shares(asked).values()) == pytest.approx(1)


def test_every_model_has_a_place_in_the_file():
    assert list(models_of(VARIED)) == ["models[0]", "variants[0].model"]
    changed = with_models(VARIED, lambda one: Model(source=f"{one.source}?"))
    assert [one.source[-1] for one in models_of(changed).values()] == ["?", "?"]
