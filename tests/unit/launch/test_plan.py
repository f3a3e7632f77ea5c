"""Plans: the price that a person confirms, worked by hand; what a plan refuses; and that equal plans are equal."""

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
from fitness.verdict import recommend
from launch.export import as_script
from launch.notes import ABOUT
from launch.permissions import policy
from launch.plan import Plan, plan
from launch.proposals import Proposal
from launch.request import (
    Capture,
    Container,
    Model,
    Network,
    Request,
    Transform,
    Update,
    as_document,
    from_document,
    from_verdict,
)
from launch.showing import plan_text, proposal_text
from tests.launch_requests import (
    ACCOUNT,
    BATCH,
    ECR,
    FROM_ZERO,
    ON_INSTANCES,
    REQUESTS,
    SCALED,
    SERVERLESS,
    SKLEARN,
    STEPS,
    VPC,
    container,
    many,
    request,
    variations,
)
from tests.linted import faults

VARIATIONS = variations()


@cache
def book() -> PriceBook:
    return load_book()


def planned(one: Request, **more: Any) -> Plan:
    return plan(one, book=book(), **more)


def refused(one: Request, **more: Any) -> dict[str, str]:
    with pytest.raises(InputError) as caught:
        planned(one, **more)
    return {problem.path: problem.message for problem in caught.value.problems}


def usd(item: str, region: str = "us-east-1") -> Decimal:
    price = book().estimate(item, region)
    assert price is not None
    return price.usd_per_unit


def test_an_idle_hour_is_its_instances_their_volumes_and_the_alarms():
    found = planned(REQUESTS["real_time"])
    instances, storage, alarm = usd("hosting/ml.m5.large"), usd("storage/hosting"), usd("cloudwatch/alarm")
    expected = instances + storage * 8 / 730 + alarm * 2 / 730
    assert found.usd_per_hour == round(expected, 4) == Decimal("0.1168")
    assert found.most_usd_per_hour == round(3 * (instances + storage * 8 / 730) + alarm * 2 / 730, 4)


def test_an_endpoint_at_zero_costs_its_alarms_alone():
    found = planned(REQUESTS["async"])
    assert [line.item for line in found.idle.lines] == ["cloudwatch/alarm"]
    assert found.idle.lines[0].note == "3 alarms x 1 h / 730 h of a month"
    assert found.most_usd_per_hour == round(3 * usd("async/ml.c5.large") + 3 * usd("cloudwatch/alarm") / 730, 4)


def test_serverless_costs_nothing_idle_and_at_most_all_of_its_concurrency():
    found = planned(REQUESTS["serverless"])
    assert found.usd_per_hour == 0
    assert found.idle.lines == ()
    assert found.most_usd_per_hour == round(5 * 3600 * usd("serverless/duration/2048"), 4)
    kept = planned(VARIATIONS["serverless-provisioned"])
    assert kept.usd_per_hour == round(2 * 3600 * usd("provisioned_concurrency/usage/2048"), 4)


def test_batch_costs_nothing_between_jobs():
    found = planned(REQUESTS["batch"])
    assert (found.usd_per_hour, found.idle.lines) == (0, ())
    assert found.most_usd_per_hour == 2 * usd("batch_transform/ml.m5.large")


def test_the_schedule_may_start_more_than_the_bounds():
    found = planned(
        replace(REQUESTS["real_time"], configuration={**ON_INSTANCES, "policy": {"schedule": STEPS["schedule"]}})
    )
    assert found.most_usd_per_hour == 8 * usd("hosting/ml.m5.large")


def test_an_unknown_price_is_said():
    nowhere = PriceBook({})
    found = plan(REQUESTS["real_time"], book=nowhere)
    assert not found.idle.complete
    assert found.notes[0].startswith("The price is not complete: the price book has none for hosting/ml.m5.large")


def test_a_price_that_is_not_known_reads_as_unknown_wherever_it_is_shown():
    found = plan(REQUESTS["real_time"], book=PriceBook({}))
    assert "hosting/ml.m5.large" in found.unpriced
    assert "hostfit:usd-per-hour" not in found.tags
    shown = plan_text(found)
    assert "While idle     unknown: no price is known for hosting/ml.m5.large" in shown
    assert "At most        unknown per hour" in shown
    assert "not known" in as_script(found)
    proposed = Proposal(
        plan=found, kind="CREATE", stack_id="s", change_set_id="c", changes=(), before=None, starts_job=False, by="ada", expires=None,
    )  # fmt: skip
    assert proposed.usd_per_hour_difference is None
    assert "Price: unknown: no price is known for" in proposal_text(proposed)


def of_preset(name: str, option: str, **_: Any) -> tuple[Any, Request]:
    verdict = recommend(load(name), book=book(), draws=0)
    asked = from_verdict(verdict.workload, verdict.option(option), name="launch", models=[Model(source="sample:iris")])
    return verdict, replace(asked, containers=(many("m"),) if option == "mme" else (container("iris"),))


@pytest.mark.parametrize(
    ("preset", "option"),
    [
        ("card-fraud", "real_time"),
        ("customer-models", "mme"),
        ("staging-tests", "serverless"),
        ("video-analysis", "async"),
        ("nightly-scoring", "batch"),
    ],
)
def test_the_month_of_a_verdicts_configuration_is_the_verdicts_bill(preset: str, option: str):
    verdict, asked = of_preset(preset, option)
    if option == "batch":
        asked = replace(asked, transform=BATCH)
    if verdict.workload.constraints.vpc:
        asked = replace(asked, network=VPC)
    found = planned(asked, workload=verdict.workload)
    assert found.month is not None
    assert found.month.total == verdict.option(option).bill.total
    if option == "serverless":
        assert float(found.usd_per_1k_requests or 0) == pytest.approx(
            verdict.option(option).usd_per_1k_requests, abs=1e-4
        )
    else:
        assert found.usd_per_1k_requests is None


def test_components_have_the_month_of_scaling_to_zero():
    verdict = recommend(load("nightly-scoring"), book=book(), draws=0)
    result = verdict.option("real_time")
    asked = from_verdict(verdict.workload, result, name="nightly", models=[Model(source="sample:iris")])
    found = planned(replace(asked, containers=(container("iris"),)), workload=verdict.workload)
    assert found.month is not None
    assert found.month.total == result.bill.total


def test_what_a_verdict_says_of_many_endpoints_is_launched_as_one():
    verdict, asked = of_preset("customer-models", "real_time")
    assert asked.configuration["endpoints"] == 1000
    found = planned(asked, workload=verdict.workload)
    config: Any = found.template["Resources"]
    assert config["EndpointConfig"]["Properties"]["ProductionVariants"][0]["InitialInstanceCount"] == 1
    assert "The workload takes 1,000 endpoints, and the month's bill is of all; this launches one." in found.notes


def test_what_the_workload_demands_must_be_asked_for():
    demands = {f"constraints.{name}": True for name in ("vpc", "network_isolation", "data_capture")}
    workload = load("card-fraud").replace({**demands, "region": "eu-west-1"})
    assert set(refused(REQUESTS["real_time"], workload=workload)) == {
        "$.network.subnets", "$.network.isolation", "$.capture", "$.region"
    }  # fmt: skip


def test_a_configuration_by_hand_needs_not_follow_from_the_workload():
    one = replace(REQUESTS["real_time"], configuration={**SCALED, "endpoints": 1}, network=VPC)
    found = planned(one, workload=load("card-fraud"))
    assert found.month is not None
    assert any(line.item == "hosting/ml.m5.large" for line in found.month.lines)


def test_a_configuration_that_can_not_run_the_workload_has_no_month():
    one = replace(REQUESTS["async"], configuration={**FROM_ZERO, "endpoints": 1}, network=VPC)
    found = planned(one, workload=load("video-analysis"))
    assert found.month is None
    assert "The workload can't run in this configuration, so it has no bill of a month." in found.notes


@pytest.mark.parametrize("kind", VARIATIONS)
def test_every_resource_is_told_and_every_type_is_permitted(kind: str):
    found = planned(VARIATIONS[kind])
    assert [one.logical_id for one in found.resources] == list(found.template["Resources"])  # type: ignore[call-overload]
    for one in found.resources:
        assert one.about.startswith(ABOUT[one.logical_id.partition("Of")[0]])
        service = one.type.split("::")[1].lower().replace("applicationautoscaling", "application-autoscaling")
        assert any(action.startswith(f"{service}:") for granted in found.permissions for action in granted.actions)


def test_every_resource_has_words_that_are_used():
    used = {one.logical_id.partition("Of")[0] for kind in VARIATIONS for one in planned(VARIATIONS[kind]).resources}
    assert used == set(ABOUT)


@pytest.mark.parametrize("kind", REQUESTS)
def test_nobody_needs_every_action_and_roles_are_handed_over_by_path(kind: str):
    granted = planned(VARIATIONS[kind]).permissions
    actions = [action for one in granted for action in one.actions]
    assert not [action for action in actions if "*" in action]
    passed = [one for one in granted if "iam:PassRole" in one.actions]
    assert [one.resources for one in passed] == [("arn:aws:iam::{account}:role/hostfit/*",)]
    statements = policy(granted, account=ACCOUNT)["Statement"]
    assert "{account}" not in str(statements)
    everywhere = {action for one in statements for action in one["Action"] if "*" in one["Resource"]}
    assert {action.split(":")[1][:3] for action in everywhere} <= {"Des", "Get", "Lis"}


REFUSED: dict[str, tuple[Request, str, str]] = {
    "zero": (replace(REQUESTS["mme"], configuration={**SCALED, "min_instances": 0}), "configuration.min_instances", "must be >= 1"),
    "burstable": (replace(REQUESTS["real_time"], configuration={**SCALED, "instance_type": "ml.t2.medium"}), "configuration.instance_type", "must not be burstable"),
    "no target": (replace(REQUESTS["real_time"], configuration={**ON_INSTANCES, "max_instances": 2}), "configuration.target_invocations_per_minute", "is missing: scaling from 1 to 2 instances"),
    "no backlog": (replace(REQUESTS["async"], configuration={**ON_INSTANCES, "max_instances": 2}), "configuration.target_backlog_per_instance", "is missing"),
    "setting of another": (replace(REQUESTS["async"], configuration={**FROM_ZERO, "memory_mb": 1024}), "configuration.memory_mb", "is not a setting of async"),
    "no type": (replace(REQUESTS["real_time"], configuration={}), "configuration.instance_type", "is missing: real_time needs it"),
    "no such type": (replace(REQUESTS["real_time"], configuration={"instance_type": "ml.x"}), "configuration.instance_type", "must be a known instance type"),
    "type of others": (replace(REQUESTS["batch"], configuration={"instance_type": "ml.c4.large"}), "configuration.instance_type", "must be a type that SageMaker takes for transform"),
    "memory": (replace(REQUESTS["serverless"], configuration={**SERVERLESS, "memory_mb": 1500}), "configuration.memory_mb", "must be one of 1024, 2048"),
    "no gpu": (replace(REQUESTS["mme_gpu"], configuration=ON_INSTANCES), "configuration.instance_type", "must be a type with a GPU"),
    "gpu": (replace(REQUESTS["mce_direct"], configuration={"instance_type": "ml.g5.xlarge"}), "configuration.instance_type", "must be a type without a GPU"),
    "local disk": (replace(REQUESTS["real_time"], configuration={"instance_type": "ml.g5.xlarge", "volume_gb": 5}), "configuration.volume_gb", "must be 0 or absent"),
    "large volume": (replace(REQUESTS["real_time"], configuration={**ON_INSTANCES, "volume_gb": 600}), "configuration.volume_gb", "must be at most 512 GB"),
    "wrong metric": (replace(REQUESTS["async"], configuration={**FROM_ZERO, "policy": STEPS}), "configuration.policy.step.metric", "must be ApproximateBacklogSizePerInstance"),
    "schedule of zero": (replace(REQUESTS["mme"], configuration={**ON_INSTANCES, "policy": {"schedule": [{"at": "mon 07:00", "min_instances": 0, "max_instances": 1}]}}), "configuration.policy.schedule[0].min_instances", "must be >= 1"),
    "unresolved": (replace(REQUESTS["mme"], containers=()), "containers", "is empty"),
    "one container": (replace(REQUESTS["mce_direct"], models=(), containers=(container("iris", name="a"),)), "models", "must be 2 to 15 for mce_direct, got 1"),
    "sixteen": (replace(REQUESTS["serial_pipeline"], models=(), containers=tuple(container(str(n)) for n in range(16))), "models", "must be 2 to 15 for serial_pipeline, got 16"),
    "two models": (replace(REQUESTS["real_time"], models=(), containers=(container("a"), container("b"))), "models", "must be 1 for real_time, got 2"),
    "names": (replace(REQUESTS["mce_direct"], containers=(container("a", name="a"), container("b", name="a"))), "models", "must have different names"),
    "no name": (replace(REQUESTS["mce_direct"], containers=(container("a", name="a"), container("b"))), "models[1].name", "is missing"),
    "image": (replace(REQUESTS["real_time"], containers=(container("a", image="sklearn:latest"),)), "containers[0].image", "must be an image in ECR"),
    "no prefix": (replace(REQUESTS["mme"], containers=(container("a"),)), "models[0].source", "must be a prefix with many models"),
    "prefix": (replace(REQUESTS["real_time"], containers=(many("a"),)), "models", "must have at most 0 prefix"),
    "open bucket": (replace(REQUESTS["real_time"], containers=(Container(image=SKLEARN, model_data_url="s3://b-{account}/m"),)), "containers[0].model_data_url", "must name its bucket"),
    "capture": (replace(REQUESTS["mme"], capture=Capture(percent=1, s3_uri="s3://bucket/x")), "capture", "is not possible with mme"),
    "vpc": (replace(REQUESTS["serverless"], network=VPC), "network.subnets", "is not possible with serverless"),
    "isolation": (replace(REQUESTS["serverless"], network=Network(isolation=True)), "network.isolation", "is not possible with serverless"),
    "half a vpc": (replace(REQUESTS["real_time"], network=Network(subnets=("subnet-0a1b2c3d",))), "network", "must have both"),
    "canary": (replace(REQUESTS["real_time"], update=Update(strategy="canary", percent=60)), "update.percent", "must be from 5 to 50 for canary, got 60"),
    "rolling": (replace(REQUESTS["serverless"], update=Update(strategy="rolling")), "update.strategy", "must be all_at_once or canary or linear for serverless"),
    "components": (replace(VARIATIONS["real_time-to_zero"], update=Update(strategy="canary")), "update.strategy", "must be rolling for inference components"),
    "long": (replace(REQUESTS["real_time"], update=Update(strategy="linear", percent=10, wait_s=3600)), "update.wait_s", "must be shorter"),
    "update of batch": (replace(REQUESTS["batch"], update=Update(strategy="canary")), "update", "is of endpoints"),
    "alarms of batch": (replace(REQUESTS["batch"], alarms=VARIATIONS["mme-alarms"].alarms), "alarms", "watch an endpoint"),
    "no data": (replace(REQUESTS["batch"], transform=None), "transform", "is missing"),
    "data of endpoints": (replace(REQUESTS["mme"], transform=BATCH), "transform", "is of batch"),
    "whole bucket": (replace(REQUESTS["batch"], transform=Transform(input_s3="s3://bucket/", output_s3="s3://bucket/out")), "transform.input_s3", "must name a prefix"),
    "many transforms": (replace(REQUESTS["batch"], configuration={"instance_type": "ml.m5.large", "max_concurrent_transforms": 17}), "configuration.max_concurrent_transforms", "must be at most 16"),
    "provisioned": (replace(REQUESTS["mme"], provisioned_concurrency=1), "provisioned_concurrency", "is of serverless endpoints"),
    "too much provisioned": (replace(REQUESTS["serverless"], provisioned_concurrency=6), "provisioned_concurrency", "must be at most max_concurrency = 5"),
    "async output": (replace(REQUESTS["mme"], async_output_s3="s3://bucket/x"), "async_output_s3", "is of asynchronous endpoints"),
    "tags": (replace(REQUESTS["mme"], tags={str(n): "x" for n in range(41)}), "tags", "must be at most 40, got 41"),
    "China": (replace(REQUESTS["mme"], region="cn-north-1"), "region", "must be a Region of the partition aws"),
    "GovCloud": (replace(REQUESTS["mme"], region="us-gov-west-1"), "region", "must be a Region of the partition aws"),
    "isolated": (replace(REQUESTS["mme"], region="us-iso-east-1"), "region", "must be a Region of the partition aws"),
    "shape": (replace(REQUESTS["mme"], name="a--b"), "name", "must be a name"),
    "size": (replace(REQUESTS["mme"], containers=(replace(many("m"), environment={f"V{n}": "x" * 1000 for n in range(60)}),)), "", "is too large"),
}  # fmt: skip


@pytest.mark.parametrize("kind", REFUSED)
def test_what_an_option_does_not_allow_is_refused_with_its_place(kind: str):
    one, path, message = REFUSED[kind]
    assert refused(one).get(f"$.{path}" if path else "$", "").startswith(message), refused(one)


def test_all_that_is_wrong_is_said_at_once():
    one = replace(
        REQUESTS["mme"],
        configuration={"instance_type": "ml.t2.medium", "min_instances": 0, "max_instances": 2},
        transform=BATCH,
        provisioned_concurrency=3,
        update=Update(strategy="linear", percent=5),
    )
    assert len(refused(one)) == 6


def test_a_token_is_of_all_that_will_be_made():
    tokens = {planned(one).token for one in VARIATIONS.values()}
    assert len(tokens) == len(VARIATIONS)
    moved = replace(REQUESTS["mme"], region="eu-west-1")
    assert planned(moved).token != planned(REQUESTS["mme"]).token
    assert planned(from_document(as_document(moved))).token == planned(moved).token


NAMES = st.from_regex(r"[a-zA-Z](-?[a-zA-Z0-9]){0,62}", fullmatch=True)
ANY = st.builds(
    lambda kind, name, life, percent, wait_s, tags, endpoints: replace(
        VARIATIONS[kind],
        name=name,
        time_to_live_h=life,
        tags=tags,
        update=None
        if VARIATIONS[kind].update is None
        else replace(VARIATIONS[kind].update, percent=percent, wait_s=wait_s),  # type: ignore[type-var]
        configuration={**VARIATIONS[kind].configuration, **endpoints}
        if VARIATIONS[kind].option != "batch"
        else VARIATIONS[kind].configuration,
    ),
    st.sampled_from(list(VARIATIONS)),
    NAMES,
    st.none() | st.floats(0.1, 8760),
    st.integers(10, 50),
    st.integers(0, 1000),
    st.dictionaries(st.sampled_from(["team", "cost-center", "a b"]), st.sampled_from(["x", "y/z"])),
    st.sampled_from([{}, {"endpoints": 2}]),
)


@settings(max_examples=20, deadline=None)
@given(ANY)
def test_any_request_has_a_template_that_lints_and_the_same_token_twice(one: Request):
    try:
        found = planned(one)
    except InputError as err:
        assert {problem.path for problem in err.problems} <= {"$.update.wait_s"}  # noqa: PT017 all else is allowed
        return
    assert planned(from_document(as_document(one))).token == found.token
    assert faults(json.dumps(found.template)) == []


def test_images_of_other_partitions_and_digests_are_images():
    digest = f"{ECR}/mine@sha256:{'0' * 64}"
    china = "111122223333.dkr.ecr.cn-north-1.amazonaws.com.cn/a/b:1"
    for image in (digest, china):
        assert planned(request("real_time", ON_INSTANCES, container("iris", image=image))).token
