"""Launch files: every field is read and written again, and everything wrong with one is named at once."""

from typing import Any

import pytest

from fitness.errors import InputError
from fitness.presets import load
from fitness.prices import load_book
from fitness.verdict import Verdict, recommend
from launch.request import (
    OPTIONS_TO_LAUNCH,
    Alarms,
    Capture,
    Container,
    Model,
    Network,
    Request,
    Transform,
    Update,
    Variant,
    as_document,
    from_document,
    from_verdict,
    read_request,
)

FULL = Request(
    name="fraud",
    option="mce_direct",
    region="eu-west-1",
    configuration={"instance_type": "ml.m5.large", "policy": {"schedule": [{"at": "mon 07:30"}]}},
    models=(Model(source="sample:iris", name="a", framework="sklearn", framework_version="1.2-1"), Model(source="b")),
    containers=(
        Container(image="i", model_data_url="s3://bucket/m/", environment={"A": "1"}, name="a", is_prefix=True),
    ),
    weight=9.0,
    variants=(
        Variant(name="plain", model=Model(source="b")),
        Variant(
            name="new-model",
            weight=0.5,
            model=Model(source="sample:iris", framework="sklearn", environment={"A": "1"}),
            container=Container(image="i", model_data_url="s3://bucket/m.tar.gz"),
            instance_type="ml.c5.large",
            min_instances=2,
            max_instances=4,
        ),
    ),
    capture=Capture(percent=20, s3_uri="s3://bucket/capture"),
    kms_key_arn="arn:aws:kms:eu-west-1:111122223333:key/0a1b2c3d",
    network=Network(subnets=("subnet-0a1b2c3d",), security_groups=("sg-0a1b2c3d",), isolation=True),
    update=Update(strategy="canary", percent=20, wait_s=60, rollback_on_alarms=False),
    alarms=Alarms(latency_p99_ms=200.0, errors_per_minute=5, email="a@example.org"),
    transform=Transform(
        input_s3="s3://bucket/in/", output_s3="s3://bucket/out/", split="none", schedule="cron(30 2 * * ? *)"
    ),
    async_output_s3="s3://bucket/async",
    provisioned_concurrency=2,
    time_to_live_h=8.0,
    tags={"team": "fraud"},
)

SMALL = "{name: iris, option: real_time, region: eu-west-1, models: [{source: 'sample:iris'}]%s}"


def problems(text: str) -> dict[str, str]:
    with pytest.raises(InputError) as caught:
        read_request(text)
    return {problem.path: problem.message for problem in caught.value.problems}


def test_a_full_request_is_read_as_it_was_written():
    assert from_document(as_document(FULL)) == FULL


def test_what_is_absent_is_left_out_of_the_file():
    assert as_document(read_request(SMALL % "")) == {
        "name": "iris",
        "option": "real_time",
        "region": "eu-west-1",
        "models": [{"source": "sample:iris"}],
    }


def test_every_wrong_field_is_named_at_once_with_what_is_allowed():
    found = problems("""
name: 1st
option: realtime
region: mars
models: [{source: "sample:iris", framework: sklern, colour: red}, 7]
capture: {percent: 0, s3_uri: "https://bucket"}
network: {subnets: [subnet-1], isolation: maybe}
update: {strategy: canari, percent: 101, wait_s: 1.5}
alarms: {latency_p99_ms: -1, email: nobody}
transform: {input_s3: bucket}
kms_key_arn: alias/mine
time_to_live_h: 0
weight: heavy
variants:
  - {name: a_b, weight: -1, model: {source: "", framework: sklern}, instance_type: m5, min_instances: 0, size: 3}
  - {name: c, container: {image: i}}
tags: {"hostfit:launch": x, ok: [1]}
colour: red
""")
    assert set(found) == {
        "$.colour", "$.name", "$.option", "$.region", "$.models[0].colour", "$.models[0].framework", "$.models[1]",
        "$.models[1].source", "$.capture.percent", "$.capture.s3_uri", "$.kms_key_arn", "$.network.subnets[0]",
        "$.network.isolation", "$.update.strategy", "$.update.percent", "$.update.wait_s", "$.alarms.latency_p99_ms",
        "$.alarms.email", "$.transform.input_s3", "$.transform.output_s3", "$.time_to_live_h",
        '$.tags["hostfit:launch"]', "$.tags.ok", "$.weight", "$.variants[0].name", "$.variants[0].weight",
        "$.variants[0].model.source", "$.variants[0].model.framework", "$.variants[0].instance_type",
        "$.variants[0].min_instances", "$.variants[0].size", "$.variants[1].model",
        "$.variants[1].container.model_data_url",
    }  # fmt: skip
    assert found["$.option"] == (
        "must be one of real_time, async, batch, serverless, mme, mme_gpu, mce_direct, serial_pipeline, "
        'triton_ensemble, got "realtime"; did you mean real_time?'
    )
    assert found["$.capture.percent"] == "must be a whole number from 1 to 100, got 0"
    assert found["$.variants[1].model"] == 'is missing: a mapping such as {source: "sample:iris"}'
    assert found["$.transform.output_s3"] == 'is missing: an S3 URI like "s3://bucket/prefix/" without *, ? and $'


@pytest.mark.parametrize(
    ("text", "path", "message"),
    [
        ("[1]", "$", "must be a mapping with name, option"),
        ("{name: a, option: batch, region: eu-west-1}", "$.models", "is missing: a list"),
        (SMALL % ", configuration: 3", "$.configuration", "must be a mapping of settings, got 3"),
        (
            SMALL % ", alarms: loud",
            "$.alarms",
            'must be a mapping with latency_p99_ms, errors_per_minute, email, got "l',
        ),
        (SMALL % ", tags: loud", "$.tags", "must be a mapping of names to texts"),
        (SMALL % ", containers: {image: i}", "$.containers", "must be a list, got a mapping"),
        (SMALL % ", network: {isolation: 1}", "$.network.isolation", "must be true or false, got 1"),
    ],
)
def test_a_wrong_shape_is_named(text: str, path: str, message: str):
    assert problems(text)[path].startswith(message)


@pytest.mark.parametrize(
    "entry",
    [
        "name: " + "-".join("a" * 33),  # 65 characters
        "async_output_s3: s3://bucket/*",
        "async_output_s3: s3://bucket/${aws:username}",
        'tags: {team: "two\\nlines"}',
    ],
)
def test_texts_that_aws_does_not_take_or_that_would_widen_a_role_are_wrong(entry: str):
    name = "" if entry.startswith("name") else "name: a\n"
    found = problems(f"{name}option: async\nregion: eu-west-1\nmodels: [{{source: 'sample:iris'}}]\n{entry}\n")
    (path,) = found
    assert path.startswith(f"$.{entry.partition(':')[0]}")


def test_numbers_and_flags_of_an_environment_become_texts():
    model = "{source: 'sample:iris', environment: {WORKERS: 2, DEBUG: true, RATE: 0.5}}"
    request = read_request(f"{{name: a, option: mme, region: eu-west-1, models: [{model}]}}")
    assert request.models[0].environment == {"WORKERS": "2", "DEBUG": "true", "RATE": "0.5"}


@pytest.fixture(scope="module")
def verdict() -> Verdict:
    workload = load("card-fraud").replace({"constraints.data_capture": True, "constraints.network_isolation": True})
    return recommend(workload, book=load_book(), draws=0)


def test_a_verdict_gives_the_request_of_its_configuration_and_of_what_the_workload_demands(verdict: Any):
    result = verdict.option("real_time")
    request = from_verdict(verdict.workload, result, name="fraud", models=[Model(source="sample:iris")])
    assert request.configuration == result.configuration
    assert request.region == "us-east-1"
    assert request.capture == Capture(percent=100, s3_uri="s3://hostfit-{account}-{region}/capture/fraud")
    assert request.network == Network(isolation=True)
    assert from_document(as_document(request)) == request


def test_an_option_without_a_configuration_or_outside_aws_gives_no_request(verdict: Any):
    for option, reason in (("azure_functions", "can't be launched"), ("batch", "Batch transform has no configuration")):
        with pytest.raises(InputError) as caught:
            from_verdict(verdict.workload, verdict.option(option), name="fraud", models=[Model(source="sample:iris")])
        assert caught.value.problems[0].message.startswith(reason)


def test_every_option_but_the_other_clouds_is_launched(verdict: Any):
    assert {*OPTIONS_TO_LAUNCH, "azure_functions"} == {result.option.id for result in verdict.options}
