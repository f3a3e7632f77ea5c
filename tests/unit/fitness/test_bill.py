"""A bill is the sum of its lines, each reproducible by hand."""

import json
import re
from decimal import ROUND_HALF_UP, Context, Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fitness.bill import CENT, Metered, bill_for, plain, quantity_of
from fitness.prices import REFERENCE_REGION, Grade, load_book

BOOK = load_book()
EXACT = Context(prec=300)


def bill(*metered, region=REFERENCE_REGION, estimate=False, **options):
    entries = [Metered(item=item, quantity=quantity) for item, quantity in metered]
    return bill_for(entries, region, BOOK, estimate=estimate, **options)


def test_line_is_quantity_times_unit_price_unrounded():
    (line,) = bill(("hosting/ml.g5.xlarge", Decimal("7.125"))).lines
    assert (line.name, line.unit) == ("Real-time hosting instance hours (ml.g5.xlarge)", "hours")
    assert line.usd == Decimal("10.034850")


def test_total_rounds_once_and_half_up():
    # 0.005 + 0.005 is a cent; each line alone would round to one.
    assert bill(("s3/put", 1), ("s3/put", 1)).total == Decimal("0.01")
    assert bill(("s3/put", 1)).total == Decimal("0.01")
    assert bill(("s3/put", Decimal("0.98"))).total == Decimal("0.00")


def test_missing_price_is_listed_and_the_other_lines_stand():
    made = bill(("hosting/ml.z9.large", 1), ("s3/put", 10), ("hosting/ml.z9.large", 2))
    assert (made.total, made.complete, made.missing) == (Decimal("0.05"), False, ("hosting/ml.z9.large",))
    assert [line.usd for line in made.lines] == [None, Decimal("0.050"), None]
    answer = made.as_dict()
    assert [line["item"] for line in answer["lines"]] == ["s3/put"]
    assert (answer["complete"], answer["missing"]) == (False, ["hosting/ml.z9.large"])
    assert "no price for hosting/ml.z9.large" in made.as_text()


def test_estimates_are_made_only_on_request_and_are_graded():
    item = ("serverless/duration/2048", 1000)
    assert not bill(item, region="eu-west-1").complete
    (line,) = bill(item, region="eu-west-1", estimate=True).lines
    assert line.price.grade == Grade.ASSUMED


def test_answer_is_text_without_exponents():
    answer = bill(("serverless/duration/1024", 1e-9), ("hosting/ml.c5.large", 1e9)).as_dict()
    json.dumps(answer, allow_nan=False)
    for line in answer["lines"]:
        assert all(re.fullmatch(r"[0-9]+(\.[0-9]+)?", line[key]) for key in ("quantity", "usd_per_unit", "usd"))
        assert line["source"]
        assert line["as_of"]
    assert answer["total"] == "102000000.00"


def test_empty_bill_is_nothing_and_complete():
    made = bill()
    assert (made.as_dict()["total"], made.complete) == ("0.00", True)


def test_free_hours_go_to_the_dearest_type_first_and_stop_at_125():
    made = bill(("hosting/ml.m5.xlarge", 730), ("hosting/ml.m4.xlarge", 100), free_tier=True)
    free = [(line.item, line.quantity) for line in made.lines if line.quantity < 0]
    assert free == [("hosting/ml.m4.xlarge", Decimal(-100)), ("hosting/ml.m5.xlarge", Decimal(-25))]
    assert made.total == Decimal("162.15")  # 705 x 0.23
    assert any("two months" in note for note in made.notes)
    assert all("first two months" in line.note for line in made.lines if line.quantity < 0)


@pytest.mark.parametrize("item", ["async/ml.m5.xlarge", "hosting/ml.m5.large", "provisioned_concurrency/duration/2048"])
def test_free_tier_covers_nothing_else(item):
    assert len(bill((item, 10), free_tier=True).lines) == 1


def test_free_tier_takes_no_more_than_was_used():
    assert bill(("hosting/ml.m5.xlarge", 3), ("serverless/duration/6144", 7), free_tier=True).total == 0


def test_azure_grant_is_given_once_for_all_lines():
    items = (("azure_functions/consumption/duration", 300_000), ("azure_functions/consumption/duration", 300_000))
    made = bill(*items, azure_free_grant=True)
    assert made.total == Decimal("3.20")  # 200,000 x 0.000016
    assert bill(*items).total == Decimal("9.60")


def test_azure_grant_covers_only_the_lines_that_are_on_it():
    entries = [
        Metered(item="azure_functions/consumption/executions", quantity=Decimal("0.4"), on_free_grant=True),
        Metered(item="azure_functions/consumption/executions", quantity=Decimal("0.4")),
    ]
    assert bill_for(entries, "eu-west-1", BOOK, estimate=False).total == Decimal("0.08")


def test_always_ready_instances_end_the_flex_grant():
    flex = ("azure_functions/flex/duration", 1000)
    assert bill(flex, azure_free_grant=True).total == 0
    ready = ("azure_functions/flex/always_ready_baseline", 1000)
    assert bill(flex, ready, azure_free_grant=True).total == Decimal("0.03")


@pytest.mark.parametrize("quantity", [-1, float("nan"), float("inf"), Decimal("-0.1"), Decimal("NaN")])
def test_quantity_that_cannot_be_is_refused(quantity):
    with pytest.raises(ValueError, match="finite and >= 0"):
        bill(("s3/put", quantity))


def test_item_that_does_not_exist_is_refused():
    with pytest.raises(KeyError):
        bill(("tea/cup", 1))


def test_receipt_shows_each_factor_and_the_origin_of_the_price():
    entry = Metered(item="hosting/ml.c5.xlarge", quantity=Decimal(1460), note="2 instances x 730 h")
    text = bill_for([entry], REFERENCE_REGION, BOOK, estimate=False).as_text()
    assert "    1,460 hours x 0.204 USD = 297.84 USD\n    2 instances x 730 h\n" in text
    assert "[1] confirmed, 2026: AWS SageMaker pricing page worked example" in text
    assert max(map(len, text.splitlines())) <= 96


@pytest.mark.parametrize(
    ("value", "places", "text"),
    [
        ("1E+3", 0, "1000"),
        ("1E-12", 0, "0.000000000001"),
        ("0.10", 0, "0.1"),
        ("-0.0", 0, "0"),
        ("-0.00", 2, "0.00"),
        ("5", 2, "5.00"),
        ("-12.50", 0, "-12.5"),
    ],
)
def test_plain_number(value, places, text):
    assert plain(Decimal(value), places=places) == text


PRICED = st.sampled_from([price.item for price in BOOK.table(REFERENCE_REGION)])
QUANTITY = st.decimals(min_value=0, max_value=10**9, places=6) | st.floats(min_value=0, max_value=1e9)
LINES = st.lists(st.tuples(PRICED, QUANTITY), max_size=12)


@given(LINES, st.booleans())
def test_total_is_the_sum_of_the_lines_to_the_cent(lines, free_tier):
    made = bill(*lines, free_tier=free_tier, azure_free_grant=free_tier)
    answer = made.as_dict()
    total = Decimal(0)
    for line in answer["lines"]:
        usd = EXACT.multiply(Decimal(line["quantity"]), Decimal(line["usd_per_unit"]))
        assert usd == Decimal(line["usd"])
        total = EXACT.add(total, usd)
    assert Decimal(answer["total"]) == total.quantize(CENT, ROUND_HALF_UP)
    assert total >= 0


@given(LINES, st.randoms(use_true_random=False), st.booleans())
def test_order_of_the_lines_does_not_change_the_total(lines, random, free_tier):
    shuffled = random.sample(lines, len(lines))
    options = {"free_tier": free_tier, "azure_free_grant": free_tier}
    assert bill(*lines, **options).exact_total == bill(*shuffled, **options).exact_total


@given(st.lists(st.tuples(PRICED, st.decimals(0, 10**6, places=3)), max_size=8), st.integers(0, 1000))
def test_total_scales_with_the_quantities(lines, factor):
    scaled = bill(*((item, quantity * factor) for item, quantity in lines))
    assert scaled.exact_total == bill(*lines).exact_total * factor


@settings(max_examples=50)
@given(LINES, PRICED, QUANTITY)
def test_one_more_line_never_makes_a_bill_cheaper(lines, item, quantity):
    for free in (False, True):
        options = {"free_tier": free}
        assert bill(*lines, (item, quantity), **options).exact_total >= bill(*lines, **options).exact_total


@given(QUANTITY)
def test_quantity_keeps_its_value_to_twelve_places(value):
    kept = quantity_of(value)
    assert abs(kept - Decimal(str(value))) <= Decimal("5e-13")
    assert kept.as_tuple().exponent >= -12
