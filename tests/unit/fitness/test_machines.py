"""Which types are tried, and how fast and how large each is for the workload."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fitness import machines
from fitness.inputs import Draws
from fitness.instances import catalogue
from tests.declared import BOOK, resolved

CPU = {"request.measured_on": "ml.c5.xlarge", "request.processing_ms": 100, "request.concurrency": 2}
GPU = {**CPU, "accelerator": "gpu", "request.measured_on": "ml.g5.xlarge"}


def tried(values, **kwargs):
    return machines.candidates(resolved(values), BOOK, **kwargs)


def of(values, name, **kwargs):
    found = tried(values, **kwargs)
    index = [one.name for one in found.types].index(name)
    return found, index


def slots_and_ms(values, name):
    found, index = of(values, name)
    return found.slots[0, index], found.service_s[0, index] * 1000


@pytest.mark.parametrize(
    ("name", "slots", "ms"),
    [
        ("ml.c5.xlarge", 2, 100),  # where it was measured
        ("ml.c5.4xlarge", 8, 100),  # four times the vCPUs: four times as many at once
        ("ml.m5.2xlarge", 4, 100),  # another family, as fast at the median
        ("ml.c5.large", 1, 100),
        ("ml.t2.medium", 1, 100),
    ],
)
def test_a_larger_type_serves_more_at_once_not_faster(name, slots, ms):
    assert slots_and_ms(CPU, name) == (slots, pytest.approx(ms))


def test_a_request_that_keeps_more_vcpus_busy_than_there_are_takes_longer():
    # One at a time on 4 vCPUs: on 2 it takes twice as long.
    assert slots_and_ms({**CPU, "request.concurrency": 1}, "ml.c5.large") == (1, pytest.approx(200))


@pytest.mark.parametrize(
    ("name", "slots", "ms"),
    [
        ("ml.g5.xlarge", 2, 100),
        ("ml.g5.12xlarge", 8, 100),  # four accelerators
        ("ml.g4dn.xlarge", 2, 200),  # T4 at half the A10G's speed
        ("ml.p3.2xlarge", 2, 100 / 1.2),
    ],
)
def test_an_accelerator_scales_by_its_number_and_its_relative_speed(name, slots, ms):
    assert slots_and_ms(GPU, name) == (slots, pytest.approx(ms))


def test_memory_for_models_is_the_accelerators_or_the_hosts_less_a_gigabyte():
    found, index = of(CPU, "ml.c5.xlarge")
    assert found.memory_mb[index] == 7 * 1024
    found, index = of(GPU, "ml.g5.xlarge")
    assert found.memory_mb[index] == 24 * 1024


def test_burstable_types_are_counted_with_what_they_may_use_for_long():
    found = tried(CPU)
    shares = {one.name: share for one, share in zip(found.types, found.baseline, strict=True)}
    assert (shares["ml.t2.medium"], shares["ml.t2.large"], shares["ml.c5.large"]) == (0.2, 0.3, 1)


def test_types_with_a_disk_of_their_own_need_no_volume():
    for values, names in ((CPU, {"ml.m5d.large": True, "ml.m5.large": False}), (GPU, {"ml.g5.xlarge": True})):
        found = tried(values)
        disks = {one.name: bool(has) for one, has in zip(found.types, found.has_local_disk, strict=True)}
        assert {name: disks[name] for name in names} == names


@pytest.mark.parametrize("accelerator", ["none", "gpu", "inferentia"])
def test_every_candidate_has_the_accelerator_and_a_price(accelerator):
    found = tried({"accelerator": accelerator})
    assert found.count > 0
    assert np.all(found.usd_per_hour > 0)
    assert np.all(found.memory_mb > 0)
    for one in found.types:
        assert "hosting" in one.accepts
        kind = one.accelerator or "none"
        assert kind.startswith({"none": "none", "gpu": "NVIDIA", "inferentia": "AWS Inferentia"}[accelerator])


def test_prices_are_those_of_the_region_and_the_service():
    found, index = of({**CPU, "region": "eu-west-1"}, "ml.c5.xlarge")
    assert found.usd_per_hour[index] == float(BOOK.price("hosting/ml.c5.xlarge", "eu-west-1").usd_per_unit)
    found, index = of(CPU, "ml.c5.xlarge", component="batch_transform")
    assert found.usd_per_hour[index] == float(BOOK.price("batch_transform/ml.c5.xlarge", "us-east-1").usd_per_unit)


def test_an_arm_measurement_asks_for_arm_types_only():
    arm = next(name for name, one in catalogue().items() if one.arch == "arm64" and "hosting" in one.accepts)
    assert {one.arch for one in tried({"request.measured_on": arm}).types} == {"arm64"}
    assert "arm64" not in {one.arch for one in tried(CPU).types}


def test_the_measured_type_comes_first_and_then_its_family():
    names = [one.name for one in tried(CPU).types]
    assert names[0] == "ml.c5.xlarge"
    family = [name.startswith("ml.c5.") for name in names]
    assert family == sorted(family, reverse=True)


def test_models_that_share_one_gpu_run_on_types_with_one():
    found = tried(GPU, single_gpu=True)
    assert {one.accelerator_count for one in found.types} == {1}


def test_a_fixed_type_is_the_only_one_and_only_where_it_suits():
    assert [one.name for one in tried(CPU, instance_type="ml.m5.large").types] == ["ml.m5.large"]
    assert tried(CPU, instance_type="ml.g5.xlarge").count == 1  # more than the models need
    assert tried(GPU, instance_type="ml.m5.large").count == 0
    assert tried(CPU, instance_type="ml.t2.medium", component="batch_transform").count == 0


def test_another_family_is_uncertain_and_the_measured_one_is_not():
    inputs = resolved(CPU, priors={}, draws=Draws(size=64, seed=7))
    found = machines.candidates(inputs, BOOK)
    spread = dict(zip([one.name for one in found.types], np.std(found.service_s, axis=0), strict=True))
    assert spread["ml.c5.4xlarge"] == pytest.approx(0)
    assert spread["ml.m5.xlarge"] > 0.01
    assert spread["ml.m5.xlarge"] == pytest.approx(spread["ml.m5.4xlarge"])  # one family, one draw


def test_an_unpriced_region_is_sized_with_the_reference_regions_prices():
    known, unknown = tried(CPU), tried({**CPU, "region": "mars-north-1"})
    assert [one.name for one in unknown.types] == [one.name for one in known.types]


@given(st.integers(1, 64), st.sampled_from(["ml.c5.xlarge", "ml.m5.24xlarge", "ml.t2.medium"]))
def test_slots_are_whole_and_at_least_one(concurrency, measured_on):
    found = tried({"request.measured_on": measured_on, "request.concurrency": concurrency})
    assert np.all(found.slots >= 1)
    assert np.all(found.slots == np.floor(found.slots))
    assert np.all(found.service_s > 0)


def test_no_candidate_has_no_memory():
    none = tried(GPU, instance_type="ml.m5.large")
    assert machines.max_memory_mb(none) == 0
    assert machines.max_memory_mb(tried(CPU)) > 100_000
