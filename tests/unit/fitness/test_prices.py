"""What the price book answers: facts first, then parity, then derived rows, then stated assumptions."""

from collections import defaultdict
from decimal import Decimal
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fitness import price_rows
from fitness.instances import CATALOGUE
from fitness.items import COMPONENTS, unit_of
from fitness.price_rows import PriceRow
from fitness.prices import Grade, PriceBook, load_book

BOOK = load_book()


def row(item, usd, *, region="us-east-1", grade="single-source", as_of="2026-09-01", note=""):
    source = "a file" if grade == "refreshed" else "fmbench"
    return PriceRow(item, region, usd, unit_of(item), grade, source, as_of, note)


def book(*rows):
    return PriceBook({(each.item, each.region): each for each in rows})


def test_observed_price_comes_with_its_origin():
    price = BOOK.price("hosting/ml.c5.xlarge", "us-east-1")
    assert (price.usd_per_unit, price.unit, price.grade) == (Decimal("0.204"), "hours", Grade.CONFIRMED)
    assert price.as_of == "2026"
    assert price.source.startswith("AWS SageMaker pricing page worked example")
    assert price.source.endswith("[its notebook rate]")


def test_two_books_of_one_day_are_told_apart_by_their_digest():
    item, other = "hosting/ml.c5.large", "hosting/ml.m5.large"
    first, again, later = (book(row(item, usd), row(other, "0.1")) for usd in ("0.10", "0.10", "0.11"))
    assert first.as_of == later.as_of
    assert first.digest == again.digest != later.digest
    assert book(row(other, "0.1"), row(item, "0.10")).digest == first.digest


def test_unknown_price_is_none_and_not_zero():
    assert BOOK.price("hosting/ml.c5.large", "mars-north-1") is None
    assert BOOK.price("hosting/ml.z9.large", "us-east-1") is None
    assert BOOK.price("serverless/duration/2048", "eu-west-1") is None
    assert BOOK.estimate("hosting/ml.z9.large", "us-east-1") is None
    assert BOOK.estimate("hosting/ml.c5.large", "mars-north-1") is None


def test_rate_of_another_component_stands_in_and_says_so():
    price = book(row("training/ml.g5.xlarge", "1.41")).price("hosting/ml.g5.xlarge", "us-east-1")
    assert (price.item, price.usd_per_unit, price.grade) == ("hosting/ml.g5.xlarge", Decimal("1.41"), "derived-high")
    assert "the training rate of the same type and Region" in price.note


def test_best_known_component_stands_in_first():
    rates = (
        row("training/ml.g5.xlarge", "1.41"),
        row("processing/ml.g5.xlarge", "1.42", grade="confirmed"),
        row("notebook/ml.g5.xlarge", "1.43", grade="confirmed"),
    )
    assert book(*rates).price("hosting/ml.g5.xlarge", "us-east-1").usd_per_unit == Decimal("1.42")
    fresh = row("notebook/ml.g5.xlarge", "1.43", grade="refreshed")
    assert book(*rates[:2], fresh).price("hosting/ml.g5.xlarge", "us-east-1").usd_per_unit == Decimal("1.43")


def test_parity_is_graded_lower_for_the_types_whose_price_was_cut():
    price = BOOK.price("hosting/ml.p5.48xlarge", "us-east-1")
    assert (price.usd_per_unit, price.grade) == (Decimal("63.296"), Grade.DERIVED_MEDIUM)
    assert "not verified for P4, P5 and P6" in price.note


def test_parity_does_not_price_what_the_service_refuses():
    assert BOOK.price("notebook/ml.t3.medium", "us-east-1").usd_per_unit == Decimal("0.05")
    assert BOOK.price("hosting/ml.t3.medium", "us-east-1") is None
    assert BOOK.price("async/ml.t3.medium", "us-east-1") is None


def test_derived_row_is_the_last_resort_and_keeps_its_grade():
    derived = row("hosting/ml.g5.xlarge", "1.5", grade="derived-low", note="EC2 1.25 x 1.2")
    assert book(derived).price("hosting/ml.g5.xlarge", "us-east-1").grade == "derived-low"
    training = book(derived).price("training/ml.g5.xlarge", "us-east-1")
    assert (training.item, training.usd_per_unit, training.grade) == (
        "training/ml.g5.xlarge",
        Decimal("1.5"),
        "derived-low",
    )
    assert "an estimate, not a published price" in training.note
    observed = row("processing/ml.g5.xlarge", "1.4")
    assert book(derived, observed).price("hosting/ml.g5.xlarge", "us-east-1").usd_per_unit == Decimal("1.4")


@pytest.mark.parametrize(
    ("item", "region", "usd"),
    [
        ("hosting/ml.p4d.24xlarge", "us-east-1", "37.688"),
        ("hosting/ml.p5.48xlarge", "us-east-1", "113.068"),
        ("notebook/ml.g6.24xlarge", "us-east-2", "7.344"),
        ("storage/hosting", "us-east-1", "0.112"),
    ],
)
def test_figures_that_are_known_to_be_wrong_are_not_in_the_book(item, region, usd):
    assert BOOK.price(item, region).usd_per_unit != Decimal(usd)


def test_azure_prices_hold_in_every_region():
    item = "azure_functions/consumption/duration"
    assert BOOK.price(item, "eu-west-1") == BOOK.price(item, "nowhere-east-1") == BOOK.estimate(item, "us-east-1")
    assert BOOK.price(item, "eu-west-1").usd_per_unit == Decimal("0.000016")


def test_estimate_is_the_price_where_there_is_one():
    assert BOOK.estimate("hosting/ml.c5.large", "us-east-1") is BOOK.price("hosting/ml.c5.large", "us-east-1")


def test_estimate_for_another_region_takes_the_ratio_of_m5_xlarge_hosting():
    price = BOOK.estimate("serverless/duration/2048", "eu-west-1")
    assert price.usd_per_unit == pytest.approx(
        Decimal("0.00004") * Decimal("0.257") / Decimal("0.23"), rel=Decimal("1e-8")
    )
    assert price.grade == Grade.ASSUMED
    assert "the ratio of ml.m5.xlarge hosting in eu-west-1 and us-east-1" in price.note
    assert price.source.startswith("assumed from the us-east-1 price: ")


def test_estimate_of_a_type_that_us_east_1_lacks_starts_from_a_region_that_has_it():
    assert BOOK.price("hosting/ml.p5en.48xlarge", "us-east-1") is None
    here, there = (BOOK.price("hosting/ml.m5.xlarge", region).usd_per_unit for region in ("us-east-1", "ap-south-1"))
    price = BOOK.estimate("hosting/ml.p5en.48xlarge", "us-east-1")
    assert price.usd_per_unit == pytest.approx(Decimal("87.354") * here / there, rel=Decimal("1e-8"))
    assert "ap-south-1" in price.source


def test_provisioned_concurrency_is_assumed_linear_in_memory():
    price = BOOK.estimate("provisioned_concurrency/usage/6144", "us-east-1")
    assert (price.usd_per_unit, price.grade) == (Decimal("0.00003"), Grade.ASSUMED)
    assert BOOK.price("provisioned_concurrency/usage/6144", "us-east-1") is None
    assert BOOK.estimate("provisioned_concurrency/duration/1024", "us-east-1").usd_per_unit == Decimal("0.00001165")


def test_serverless_duration_is_exactly_linear_in_memory():
    per_gb_second = {
        BOOK.price(f"serverless/duration/{gb * 1024}", "us-east-1").usd_per_unit / gb for gb in range(1, 7)
    }
    assert per_gb_second == {Decimal("0.00002")}


def test_as_of_is_the_newest_day_of_the_aws_rows():
    assert BOOK.as_of == "2026-10-04"
    old = row("hosting/ml.c5.large", "1", as_of="2026-01-31")
    vague = row("hosting/ml.c5.xlarge", "1", as_of="2027")
    azure = row("azure_blob/read", "1", region="azure", as_of="2027-01-01")
    assert book(old, vague, azure).as_of == "2026-01-31"


def test_regions_are_those_with_hosting_prices():
    assert BOOK.regions == (
        "ap-northeast-1",
        "ap-south-1",
        "ap-southeast-1",
        "eu-central-1",
        "eu-west-1",
        "eu-west-3",
        "sa-east-1",
        "us-east-1",
        "us-east-2",
        "us-west-2",
    )


def test_most_hosting_types_have_a_price_in_us_east_1():
    hosting = [name for name, known in CATALOGUE.items() if "hosting" in known.accepts]
    priced = [name for name in hosting if BOOK.price(f"hosting/{name}", "us-east-1")]
    assert (len(hosting), len(priced)) == (277, 255)


def test_table_of_a_region_lists_what_price_answers():
    prices = BOOK.table("eu-west-3")
    items = [(price.region, price.item) for price in prices]
    assert items == sorted(set(items))
    assert {region for region, _ in items} == {"azure", "eu-west-3"}
    assert all(BOOK.price(price.item, price.region) == price for price in prices)
    assert ("eu-west-3", "async/ml.g6.xlarge") in items
    assert len(BOOK.table()) > len(price_rows.bundled_rows())


def test_table_lists_the_hosting_rate_that_parity_gives():
    listed = {price.item: price for price in book(row("training/ml.g5.xlarge", "1.41")).table("us-east-1")}
    assert listed["hosting/ml.g5.xlarge"].grade == Grade.DERIVED_HIGH


@given(st.sampled_from(sorted(CATALOGUE)), st.sampled_from(BOOK.regions))
def test_components_of_a_type_in_a_region_have_one_price(name, region):
    found = [BOOK.price(f"{component}/{name}", region) for component in COMPONENTS]
    rates = [price.usd_per_unit for price in found if price is not None]
    if rates:
        assert max(rates) <= min(rates) * Decimal("1.002")


@pytest.mark.parametrize("region", BOOK.regions)
def test_type_that_has_more_of_everything_is_never_cheaper_in_its_family(region):
    families = defaultdict(list)
    for name, known in CATALOGUE.items():
        price = BOOK.price(f"hosting/{name}", region)
        if price is not None:
            size = (known.vcpu, known.memory_gib, known.accelerator_count)
            families[name.rpartition(".")[0]].append((size, price.usd_per_unit))
    for types in families.values():
        for (small, usd), (large, dearer) in permutations(types, 2):
            if all(more >= less for less, more in zip(small, large, strict=True)):
                assert dearer >= usd


@given(st.text(max_size=20), st.text(max_size=12))
def test_any_question_has_an_answer_or_none(item, region):
    assert BOOK.price(item, region) is None
    assert BOOK.estimate(item, region) is None


def test_region_without_prices_has_us_east_1_to_stand_in():
    assert BOOK.stand_in("eu-west-3") == "eu-west-3"
    assert BOOK.stand_in("mx-central-1") == "us-east-1"
