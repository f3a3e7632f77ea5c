"""Requests that a launch of samples answers, and what a call carries."""

from dataclasses import replace

import pytest

from launch.invoke import Call, examples
from launch.request import Model, Request, Variant
from launch.samples import Sample, groups

IRIS = Sample(
    name="iris",
    uri="s3://sandbox-samples/iris/model.tar.gz",
    framework="sklearn",
    framework_version="1.2-1",
    about="The species of an iris.",
    content_type="text/csv",
    request="5.1,3.5",
)
DIGITS = replace(IRIS, name="digits", uri="s3://sandbox-samples/digits/model.tar.gz", request="0,1")
NORTH, SOUTH = (
    replace(IRIS, name=f"forecasters/{name}", uri=f"s3://sandbox-samples/forecasters/{name}.tar.gz", request="{}")
    for name in ("north", "south")
)
KNOWN = (IRIS, DIGITS, NORTH, SOUTH)


def request(option: str, *models: Model, **configuration: object) -> Request:
    return Request(name="x", option=option, region="us-east-1", configuration=configuration, models=models)


def test_a_single_model_is_asked_its_own_request():
    assert examples(request("real_time", Model(source="sample:iris")), KNOWN) == (
        Call(body=b"5.1,3.5", content_type="text/csv"),
    )


def test_each_model_under_a_prefix_can_be_asked():
    found = examples(request("mme", Model(source="sample:forecasters/")), KNOWN)
    assert [call.target_model for call in found] == ["north.tar.gz", "south.tar.gz"]


def test_each_container_can_be_asked_by_its_name():
    models = (Model(source="sample:iris", name="flowers"), Model(source="sample:digits", name="digits"))
    found = examples(request("mce_direct", *models), KNOWN)
    assert [(call.target_container, call.body) for call in found] == [("flowers", b"5.1,3.5"), ("digits", b"0,1")]


def test_each_variant_is_asked_what_its_own_model_takes():
    beside = tuple(
        Variant(name=name, model=Model(source=source))
        for name, source in (("new", "sample:digits"), ("own", "./model"))
    )
    found = examples(replace(request("real_time", Model(source="sample:iris")), variants=beside), KNOWN)
    assert [(call.target_variant, call.body) for call in found] == [("AllTraffic", b"5.1,3.5"), ("new", b"0,1")]
    assert [call.target for call in found] == ["AllTraffic", "new"]


def test_a_pipeline_is_asked_what_its_first_step_takes():
    models = (Model(source="sample:digits"), Model(source="sample:iris"))
    assert [call.body for call in examples(request("serial_pipeline", *models), KNOWN)] == [b"0,1"]


@pytest.mark.parametrize("source", ["s3://models/a.tar.gz", "./model", "sample:forecasters/"])
def test_a_model_of_ones_own_has_no_example(source):
    assert examples(request("real_time", Model(source=source)), KNOWN) == ()


def test_a_step_of_ones_own_before_a_sample_has_no_example():
    models = (Model(source="./model"), Model(source="sample:iris"))
    assert examples(request("serial_pipeline", *models), KNOWN) == ()


def test_samples_that_share_a_prefix_are_a_group():
    price = replace(IRIS, name="used-cars/price", uri="s3://sandbox-samples/used-cars/price/model.tar.gz")
    assert groups((*KNOWN, price)) == ("forecasters/",)


def test_a_call_carries_only_what_was_given():
    assert Call(body=b"1", target_model="a.tar.gz").parameters == {
        "Body": b"1",
        "ContentType": "text/csv",
        "TargetModel": "a.tar.gz",
    }


def test_an_endpoint_that_scales_to_zero_is_asked_by_its_component():
    (call,) = examples(request("real_time", Model(source="sample:iris"), min_instances=0, max_instances=2), KNOWN)
    assert call.component == "x"
