"""The pages about models and measuring say what the program does."""

from pathlib import Path

import pytest

from launch.images import USUAL_VERSIONS
from launch.layouts import BOOSTERS, ESTIMATORS
from launch.measure import Bounds

DOCS = Path(__file__).parents[2] / "docs" / "launch"


@pytest.mark.parametrize("framework", USUAL_VERSIONS)
def test_every_framework_stands_with_its_usual_version_and_its_layout(framework):
    text = (DOCS / "models.md").read_text(encoding="utf-8")
    rows = [line for line in text.splitlines() if line.startswith(f"| `{framework}` |")]
    assert [row.endswith(f"| {USUAL_VERSIONS[framework]} |") for row in rows] == [True, False]


def test_the_kinds_of_files_are_those_that_are_looked_for():
    text = (DOCS / "models.md").read_text(encoding="utf-8")
    assert all(f"`*{ending}`" in text for ending in (*ESTIMATORS, *BOOSTERS))


def test_the_bounds_are_the_usual_ones():
    text = (DOCS / "measure.md").read_text(encoding="utf-8")
    usual = Bounds()
    assert f"| requests in all | {usual.requests:,} |" in text
    assert f"| seconds in all | {usual.seconds:g} |" in text
    assert f"| callers at once | {usual.callers} |" in text
    assert f"| {usual.stage_requests} and {usual.stage_seconds:g} |" in text
    assert f"Random arrivals at {usual.check_load:.0%}".replace("60%", "60 %") in text
