"""The tables of prices, instance types and allowances keep their schema and provenance."""

import csv
import re
from collections import defaultdict
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

import fitness
from fitness.allowances import AZURE_FREE_GRANT, SAGEMAKER_FREE_TIER, allowances
from fitness.instances import CATALOGUE
from fitness.items import COMPONENTS, title_of, unit_of
from fitness.price_rows import bundled_rows, source_text
from fitness.prices import AZURE, Grade, load_book

DATA = Path(fitness.__path__[0]) / "data"
ROWS = list(bundled_rows().values())
REGION = re.compile(r"[a-z]{2}-[a-z]+-[0-9]|azure")
AS_OF = re.compile(r"20[0-9]{2}(-[0-9]{2}){0,2}( to 20[0-9]{2}|-20[0-9]{2})?( \((approx\.|undated|size-scaled)\))?")


def table(name):
    with (DATA / name).open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))


def test_every_price_row_has_item_region_and_unit_of_the_vocabulary():
    for row in ROWS:
        assert row.unit == unit_of(row.item), row
        assert title_of(row.item)
        assert REGION.fullmatch(row.region), row
        assert (row.region == AZURE) == row.item.startswith("azure_")


def test_every_price_row_is_a_positive_plain_number():
    for row in ROWS:
        assert re.fullmatch(r"[0-9]+(\.[0-9]+)?", row.usd_per_unit), row
        assert Decimal(row.usd_per_unit) > 0, row


def test_every_price_row_has_grade_source_and_date():
    for row in ROWS:
        assert Grade(row.grade) not in {Grade.REFRESHED, Grade.ASSUMED}, row
        assert len(source_text(row)) > 10, row
        assert AS_OF.fullmatch(row.as_of), row


def test_no_two_price_rows_answer_the_same_question():
    assert len(table("prices.csv")) == len(ROWS)


def test_no_price_row_is_marked_as_not_to_be_used():
    assert not [row for row in ROWS if "do not use" in row.note]


def test_every_source_is_cited_and_every_citation_is_a_source():
    sources = {row["id"] for row in table("price_sources.csv")}
    cited = {reference.partition(":")[0] for row in ROWS for reference in row.source.split(" ")}
    assert cited == sources


def test_every_priced_instance_type_is_in_the_catalogue():
    priced = {row.item.rpartition("/")[2] for row in ROWS if row.item.partition("/")[0] in COMPONENTS}
    assert priced <= CATALOGUE.keys()


def test_parity_of_components_holds_in_the_observed_rows():
    rates = defaultdict(dict)
    for row in ROWS:
        component, _, name = row.item.partition("/")
        if component in COMPONENTS and Grade(row.grade).is_observed:
            rates[name, row.region][component] = Decimal(row.usd_per_unit)
    shared = {key: list(by_component.values()) for key, by_component in rates.items() if len(by_component) > 1}
    assert len(shared) >= 150
    spreads = {key: max(usd) / min(usd) - 1 for key, usd in shared.items()}
    assert max(spreads.values()) <= Decimal("0.002")


@pytest.mark.parametrize(
    ("family", "size", "ratio"), [("ml.c5", "xlarge", "1.2"), ("ml.g5", "xlarge", "1.4"), ("ml.g5", "12xlarge", "1.25")]
)
def test_derived_rows_say_how_they_were_worked_out(family, size, ratio):
    rows = [row for row in ROWS if row.item == f"hosting/{family}.{size}" and row.grade.startswith("derived")]
    ec2 = [re.fullmatch(r"EC2 Linux on-demand ([0-9.]+) x ([0-9.]+)", row.note) for row in rows]
    assert rows
    for row, formula in zip(rows, ec2, strict=True):
        assert formula, row
        assert Decimal(formula[2]) == Decimal(ratio)
        worked_out = Decimal(formula[1]) * Decimal(formula[2])
        assert abs(Decimal(row.usd_per_unit) - worked_out) <= Decimal("0.00011")


def test_catalogue_has_source_and_day_for_every_type():
    rows = table("instances.csv")
    assert len(rows) == len(CATALOGUE) == 356
    for row in rows:
        assert row["spec_source"], row
        assert row["api_source"], row
        assert date.fromisoformat(row["as_of"])
        assert row["vcpu"] or row["spec_source"] == "none found"
        assert set(row["accepts"].split()) <= {"hosting", "transform", "training", "processing"}


def test_allowances_take_off_items_that_have_a_price():
    book = load_book()
    found = [*allowances(SAGEMAKER_FREE_TIER), *allowances(AZURE_FREE_GRANT)]
    assert len(found) == 6
    for allowance in found:
        assert allowance.free_quantity > 0
        assert allowance.source
        assert AS_OF.fullmatch(allowance.as_of)
        for item in allowance.items:
            priced = item.replace("*", "1024")
            assert allowance.covers(priced)
            assert unit_of(priced) == allowance.unit
            assert book.price(priced, "us-east-1")


def test_no_table_names_a_file_of_the_machine_that_made_it():
    for name in ("prices.csv", "price_sources.csv", "instances.csv", "allowances.csv"):
        assert not re.search(r"(?:^|[\s\",(])(?:\.\.)?/\w", (DATA / name).read_text(encoding="utf-8")), name
