"""A scenario in a link: nothing is lost, nothing hostile gets in."""

import base64
import zlib

import pytest
from hypothesis import given

from fitness import presets
from fitness.fields import FIELDS
from tests.strategies import workloads
from ui import scenario
from ui.errors import BrokenLinkError

LINKABLE = tuple(one.path for one in FIELDS if one.path != "traffic.trace")


@given(workloads(paths=LINKABLE))
def test_every_workload_survives_the_link(workload):
    assert scenario.decode(scenario.encode(workload)) == workload


@given(workloads(paths=LINKABLE))
def test_equal_workloads_have_equal_links_that_need_no_quoting(workload):
    link = scenario.encode(workload)
    assert link == scenario.encode(workload.replace({}))
    assert link.replace("-", "").replace("_", "").isalnum()


def test_a_link_made_today_opens_for_ever():
    """The format is public: a change of it must keep reading this one."""
    link = (
        "eNodjtsKwjAQRP9ln9PSCoLmZ2RJNhpsLu4mQi35d5M-zpwzMAd8icWnCHpVEDEQaDDIdnKM1YICpueJocpEKGVaexmSpU1AH5BT"
        "rhuyL3tXfj47vcx3aGP3qSRlOLJH8-IUU-2TwpU6LozOeTMwZ3kEwnHhos6UCd-gb8t8be0PTxU2qA"
    )
    assert scenario.decode(link).declared() == {
        "version": 1,
        "name": "card-fraud",
        "region": "us-east-1",
        "models.popularity": "zipf:0.9",
        "request.synchronous": True,
        "traffic.rps_mean": 12,
        "traffic.rps_peak": 80.5,
    }


@pytest.mark.parametrize("preset", presets.PRESETS, ids=lambda preset: preset.id)
def test_a_link_fits_into_any_address_bar(preset):
    assert len(scenario.encode(presets.load(preset.id))) < 1_500


def pack(document: bytes) -> str:
    return base64.urlsafe_b64encode(zlib.compress(document)).decode().rstrip("=")


@pytest.mark.parametrize(
    ("link", "reason"),
    [
        ("", "cut off"),
        ("not base64!", "cut off"),
        ("AAAA", "cut off"),
        (scenario.encode(presets.load("card-fraud"))[:-8], "cut off"),
        ("A" * 17_000, "17,000 characters"),
        (pack(b"[1, 2]"), "must be a mapping"),
        (pack(b"name: x\nnonsense: 1"), "nonsense"),
        (pack(b"name: x\ntraffic: {rps_peak: -3}"), "must be > 0, got -3"),
        (pack(b"name: x\ntraffic: {trace: a.csv}"), "only the command line"),
        (pack(b"\xff\xfe"), "not UTF-8"),
        (pack(b" " * 10_000_000), "cut off"),  # a small link that unpacks to a large text
    ],
)
def test_a_broken_link_says_what_is_wrong_with_it(link, reason):
    with pytest.raises(BrokenLinkError, match=reason):
        scenario.decode(link)
