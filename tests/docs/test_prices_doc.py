"""docs/prices.md describes every usage, field, grade, Region and allowance, with the figures that the data has."""

import re
from collections import Counter
from pathlib import Path

import pytest

from fitness import offers
from fitness.allowances import AZURE_FREE_GRANT, SAGEMAKER_FREE_TIER, allowances
from fitness.download import Patience
from fitness.price_rows import bundled_rows
from fitness.prices import Grade, load_book
from fitness.usage_azure import AZURE_PLANS
from fitness.usage_items import USAGES

DOC = (Path(__file__).parents[2] / "docs" / "prices.md").read_text(encoding="utf-8")
USAGE_ROWS = [line for line in DOC[DOC.index("## Usages") :].splitlines() if line.startswith("| `")]


@pytest.mark.parametrize("usage", sorted(USAGES.keys() - {"azure_functions"}))
def test_usage_has_a_row_with_every_field(usage):
    (row,) = [line for line in USAGE_ROWS if f"`{usage}`" in line.split("|")[1]]
    assert [figure.name for figure in USAGES[usage].figures if f"`{figure.name}`" not in row] == []


@pytest.mark.parametrize("plan", sorted(AZURE_PLANS))
def test_plan_has_a_row_with_every_field(plan):
    (row,) = [line for line in USAGE_ROWS if re.search(rf"\b{plan}\b", line.split("|")[1])]
    assert [figure.name for figure in AZURE_PLANS[plan].figures if f"`{figure.name}`" not in row] == []


@pytest.mark.parametrize("grade", Grade)
def test_grade_is_explained(grade):
    assert f"| `{grade}` |" in DOC


def test_counts_of_rows_are_those_of_the_table():
    grades = Counter(row.grade for row in bundled_rows().values())
    derived = sum(count for grade, count in grades.items() if grade.startswith("derived"))
    sentence = (
        f"Of the {sum(grades.values()):,} rows, {grades['confirmed']} are confirmed, "
        f"{grades['single-source']} come from a single source and {derived:,} are derived."
    )
    assert sentence in DOC


def test_regions_are_listed():
    *most, last = (f"`{region}`" for region in load_book().regions)
    assert f"{', '.join(most)} and {last}" in DOC


@pytest.mark.parametrize(
    "allowance", [*allowances(SAGEMAKER_FREE_TIER), *allowances(AZURE_FREE_GRANT)], ids=lambda allowance: allowance.name
)
def test_allowance_is_described(allowance):
    quantity = allowance.free_quantity * (1_000_000 if allowance.unit.startswith("1M") else 1)
    assert (f"{quantity:,.0f}" if quantity < 1_000_000 else "a million") in DOC


def test_bounds_of_the_refresh_are_those_of_the_code():
    assert offers.BASE_URL in DOC
    assert f"files over {offers.MAX_OFFER_BYTES // 1024**2} MB" in DOC
    assert Patience() == Patience(attempts=4, backoff_s=0.5, deadline_s=300.0)
    assert "four times in all, with a pause that doubles from half a second" in DOC
    assert "answers that take more than five minutes" in DOC


def test_anchors_that_the_code_cites_exist():
    headings = {line.removeprefix("## ").lower().replace(" ", "-") for line in DOC.splitlines() if line[:3] == "## "}
    cited = set()
    for path in (Path(__file__).parents[2] / "fitness").rglob("*.py"):
        cited |= set(re.findall(r"docs/prices\.md#([a-z-]+)", path.read_text(encoding="utf-8")))
    assert cited
    assert cited <= headings
